//! The recording: what the requests of a service cost and waited for, as a document.
//!
//! Pure data: no I/O, no clock, no Python. Whoever measures (the recorder of `corrente-gauge`, a
//! sampler, an import of traces) fills a [`Recording`]; whoever judges reads one. Recordings merge,
//! so that processes and hosts can each write their own. docs/RECORDING.md describes the JSON.

#![forbid(unsafe_code)]

mod atomic;
mod buckets;
mod distribution;
mod error;
mod fold;
mod merge;
mod name;
mod recording;
mod since;
mod stall;
mod validate;
mod waiting;

pub use atomic::AtomicDistribution;
pub use distribution::Distribution;
pub use error::RecordError;
pub use fold::fold_path;
pub use name::trim_name;
pub use recording::{
    Alone, Calls, Doubt, Endpoint, Interface, Machine, Memory, Process, Recording, Resource, Runs,
    SCHEMA, Sampling, Server, Source, Thread,
};
pub use stall::Stall;
pub use waiting::Waiting;

/// Names of endpoints in a recording; requests to any other go to [`OTHER`]. A service with more
/// route templates is rare, and a table with more is not read.
pub const ENDPOINTS_MAX: usize = 200;

/// Names of resources in a recording; the rest goes to [`OTHER`].
pub const RESOURCES_MAX: usize = 200;

/// Places in which a loop stalled, in a process; the rest goes to [`OTHER`].
pub const STALLS_MAX: usize = 200;

/// Characters of a name; what is longer is cut.
pub const NAME_CHARACTERS_MAX: usize = 200;

/// Stands for all names beyond the limit.
pub const OTHER: &str = "(other)";

/// Stands for the requests that no route of a known framework wanted (status 404).
pub const NO_ROUTE: &str = "(no route)";
