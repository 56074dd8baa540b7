//! The theory: what measurements allow to conclude and to predict.
//!
//! Pure, deterministic and seedable: numbers in, numbers out. It opens nothing, reads no clock and
//! knows nothing of Python, of servers or of reports. Each formula cites its source.

#![forbid(unsafe_code)]

pub mod naive;
pub mod statistics;
