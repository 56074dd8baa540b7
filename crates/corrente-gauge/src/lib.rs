//! The gauge: what the endpoints of a service cost and wait for.
//!
//! The [`Recorder`] runs inside the service and writes a recording of its process; [`attach`] makes
//! one from samples of a running process, [`import`] one from OpenTelemetry spans. [`read`] finds and
//! merges recordings; [`aggregate`](aggregate()) turns one into figures for each endpoint; a
//! [`Window`] shows the last seconds of one that is being made. It knows nothing of Python's
//! interface: `corrente-python` translates calls of servers and drivers into calls of the recorder.
//! Invariant: nothing here can fail a request of the service that is watched.

#![forbid(unsafe_code)]

pub mod aggregate;
pub mod attach;
mod error;
pub mod import;
mod names;
pub mod predict;
pub mod read;
pub mod recorder;
mod show;
mod window;

pub use aggregate::aggregate;
pub use corrente_record::Recording;
pub use error::GaugeError;
pub use recorder::Recorder;
pub use window::{View, Window};
