//! HTTP/2 (RFC 9113), the server's side, on crate h2: bytes in, events out, like the rest.
//!
//! h2 has the frames, HPACK, flow control, priorities and the guards against floods; what it wants is a
//! transport, and [`Connection`] gives it one in memory and polls it by hand. The one clock in this crate is
//! h2's: it forgets streams that were reset after a while.
//!
//! A CONNECT with `:protocol` (RFC 8441) is a request like others until [`Connection::accept`] opens both sides of its
//! stream. It is announced only where somebody speaks it: a browser that sees it announced tries nothing else.

mod connection;
mod head;
mod meter;
mod pipe;
mod reply;
mod stream;
mod woken;

pub use bytes::Bytes;
pub use connection::{Connection, Event, Http2Error, StreamId, WebSockets};
pub use head::translated;
pub use http;
pub use reply::Reply;
pub use stream::Ending;

/// The first bytes of every HTTP/2 connection (RFC 9113, section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// No error (RFC 9113, section 7, for all of these).
pub const NO_ERROR: u32 = 0;
/// The server is to blame.
pub const INTERNAL_ERROR: u32 = 2;
/// A stream is not wanted any more.
pub const CANCEL: u32 = 8;
/// The client does too much of something.
pub const ENHANCE_YOUR_CALM: u32 = 11;

/// What the first bytes of a connection say, where both versions are spoken on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preface {
    /// It may still become one.
    NeedMore,
    /// HTTP/2.
    Http2,
    /// Something else.
    Other,
}

impl Preface {
    /// Looks at all that has come so far.
    pub fn of(input: &[u8]) -> Self {
        let length = input.len().min(PREFACE.len());
        if input[..length] != PREFACE[..length] {
            Self::Other
        } else if length == PREFACE.len() {
            Self::Http2
        } else {
            Self::NeedMore
        }
    }
}

/// Limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests at the same time; more are refused without harm.
    pub max_streams: u32,
    /// Bytes of a body that a client may send before the application has taken any.
    pub stream_window_bytes: u32,
    /// The same for all streams of the connection together.
    pub connection_window_bytes: u32,
    /// Bytes of a frame's payload that we take; 16 KiB to 16 MiB.
    pub max_frame_bytes: u32,
    /// Bytes of all fields of a request, decoded (RFC 9113, section 6.5.2).
    pub max_head_bytes: u32,
    /// Streams that the client reset before they were taken up; more end the connection (rapid reset,
    /// CVE-2023-44487). Resets of streams that were taken up are the caller's to count.
    pub max_pending_resets: usize,
    /// Streams that we reset because the client broke the protocol; more end the connection (CVE-2025-8671).
    pub max_error_resets: usize,
    /// Streams that were reset and are remembered for a while, since frames for them may be on their way.
    pub max_remembered_resets: usize,
    /// Bytes of a response that wait in h2 for the socket; what an application sends beyond waits in its stream.
    pub max_stream_buffer_bytes: usize,
    /// Bytes that wait to be written before no more are produced.
    pub max_outgoing_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_streams: 100,
            stream_window_bytes: 256 * 1024,
            connection_window_bytes: 1024 * 1024,
            max_frame_bytes: 16 * 1024,
            max_head_bytes: 64 * 1024,
            max_pending_resets: 20,
            max_error_resets: 100,
            max_remembered_resets: 50,
            max_stream_buffer_bytes: 64 * 1024,
            max_outgoing_bytes: 256 * 1024,
        }
    }
}
