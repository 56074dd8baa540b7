//! The access log: what a finished request looks like as a line.
//!
//! Rendering is pure: a request and a format in, bytes out; the caller has the clock. `writer` alone has a
//! file, and a thread. What a client has sent is escaped, so that no request can end a line or colour a terminal.

mod finished;
mod format;
mod json;
mod writer;

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

pub use finished::Finished;
pub use format::{Format, FormatError};
pub use writer::{Target, Trouble, Writer};

/// A time in the zone of the machine, as logs show it.
pub fn zoned(time: SystemTime) -> Zoned {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(TimeZone::system())
}
