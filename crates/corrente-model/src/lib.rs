//! The theory: what measurements allow to conclude and to predict.
//!
//! From a measured service (`service`) and the costs of stacks (`calibration`) follow bounds
//! (`bounds`), a simulation (`simulator`, fed by `translation`), and a prediction with intervals
//! (`prediction`), beside it the rule of thumb (`naive`). `tuning` looks for the rival of a
//! migration, `verdict` says what to do. `statistics` judges repeated measurements,
//! `isotonic` evens out what should rise. `cost_table` has the costs of stacks that come with the
//! program, for services whose other side is not installed; `pairing` makes the two stacks of a
//! migration from them.
//!
//! Pure, deterministic and seedable: numbers in, numbers out. It opens nothing, reads no clock and
//! knows nothing of Python, of servers or of reports. Each formula cites its source.

#![forbid(unsafe_code)]

pub mod bounds;
pub mod calibration;
pub mod cost;
pub mod cost_table;
pub mod isotonic;
pub mod law;
pub mod least_squares;
pub mod naive;
pub mod pairing;
pub mod prediction;
pub mod service;
pub mod simulator;
pub mod statistics;
mod translation;
pub mod tuning;
pub mod verdict;

pub use translation::system;
