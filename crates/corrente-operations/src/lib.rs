//! What surrounds the application server of `corrente serve`: a parent that owns sockets and workers, and what a
//! worker needs to serve.
//!
//! `settings` is the one table of what can be set; `supervisor` starts and replaces workers; `listen`
//! makes sockets; `log` renders and writes the access log. Everything here but `supervisor`'s driver,
//! `listen` and the log's writer is values in, values out. Must not print: what people should read is
//! handed to an observer. All `unsafe` is in `ffi`.

#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "docs/SAFETY.md: the room for it")]
mod ffi;
pub mod listen;
pub mod log;
mod serve;
pub mod settings;
pub mod supervisor;

pub use serve::{Serve, ServeError, run, workers};
