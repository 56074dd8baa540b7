//! The lab: the published sync/async evidence, reproduced on this machine with real parts.
//!
//! A scenario (data, `lab/scenarios`) names contenders, load and claims; the lab starts the real
//! parts, drives load at them, and judges the claims. It prints nothing: an [`observer::Observer`]
//! hears what happens, and the caller gets a result document. Key invariant: whatever a run
//! starts or writes into its scratch directory is gone when the run is (see [`keeper`]).

#![forbid(unsafe_code)]

pub mod calibration;
mod contender;
mod cost;
pub mod echo;
pub mod error;
pub mod files;
mod forecast;
mod judge;
pub mod keeper;
mod machine;
pub mod observer;
pub mod origin;
mod part;
mod parts;
mod ports;
mod postgres;
mod probe;
mod process_tree;
mod program;
pub mod replay;
mod runner;
mod samples;
pub mod scenario;
mod schedule;
pub mod session;
mod slice;
pub mod speed;
mod speedometer;
mod stacks;
pub mod store;
mod template;
mod watch;

pub use contender::is_absent;
pub use error::{Fault, LabError};
pub use machine::processor;
