//! The asyncio event loop: what runs next, which descriptors are ready, what streams read and write.
//!
//! The hot half of a loop is here: handles, the ready queue, timers, turns, readers and writers,
//! transports. The cold half (name resolution, happy eyeballs, subprocesses, servers, executors)
//! is asyncio's own code, which `python/corrente/_loop.py` inherits: so it behaves as asyncio does,
//! version by version. Tasks and Futures are CPython's.
//!
//! Must not know HTTP, nor how descriptors become ready (`corrente-driver`). All `unsafe` is in `ffi`.
//! Key invariant: no borrow of the loop's state is held while Python code runs.

mod address;
mod datagrams;
mod error;
mod event_loop;
mod ffi;
mod handle;
mod inbox;
mod memory;
mod metrics;
pub mod native;
mod network;
mod operation;
pub mod quick;
mod state;
mod transport;
mod watch;
mod watched;

pub use ffi::confined::Confined;
use pyo3::prelude::*;

/// The loop's clock, in seconds.
pub fn now() -> f64 {
    corrente_driver::epoll::monotonic()
}

/// The names of the classes that [`register`] adds.
pub const CLASSES: [&str; 8] = [
    "DatagramSocket",
    "Handle",
    "Loop",
    "NativeProtocol",
    "Secured",
    "Session",
    "Stream",
    "TimerHandle",
];

/// Adds the loop's classes to the extension module.
///
/// # Errors
///
/// Where asyncio is not what this version of Corrente knows.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    handle::register(module)?;
    event_loop::register(module)?;
    module.add_class::<native::NativeProtocol>()?;
    transport::register(module)
}
