//! A discrete-event simulator of one service: percentiles, where the bounds give only means.
//!
//! Processes share cores as an operating system shares them (processor sharing); within a process
//! one request computes at a time, first come first served, for a time slice at most: an event
//! loop without a limit, threads under CPython's interpreter lock with its switch interval. Requests
//! wait for stations (databases, other services) and hold pools (connections). Pre-fork workers take
//! requests from one shared queue when idle; event loops take them at once and queue within.
//!
//! The same system, load and seed give the same outcome on every machine. Times are seconds.

mod engine;
mod events;
mod outcome;
mod places;
mod processor;
mod system;

pub use engine::simulate;
pub use outcome::{Outcome, Percentiles};
pub use system::{
    Discipline, Intake, Invalid, Load, Plan, Pool, PoolId, RequestClass, Scope, Station, StationId,
    Step, System, Track,
};

#[cfg(test)]
mod tests;
