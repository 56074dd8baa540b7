//! The access log: what a finished request looks like as a line.
//!
//! Rendering is pure: a request and a format in, bytes out; the caller has the clock. `writer` alone has a
//! file, and a thread. What a client has sent is escaped, so that no request can end a line or colour a terminal.

mod finished;
mod format;
mod json;
mod moment;
mod writer;

#[cfg(test)]
mod tests;

pub use finished::Finished;
pub use format::{Format, FormatError};
pub use moment::{Moment, Seconds};
pub use writer::{Target, Trouble, Writer};
