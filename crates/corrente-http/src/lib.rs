//! HTTP for a server: bytes in, events out.
//!
//! [`h1::Decoder`] turns the bytes of one connection into requests and [`h1::Encoder`] turns a response
//! into bytes; [`ws`] is the same for a WebSocket, [`proxy`] reads
//! what proxies say about the client, and [`files`] decides what a request for a file gets. What breaks RFC 9110 or 9112 in a way on which two programs could disagree is a
//! [`Rejection`]; sizes are bounded by [`Limits`].
//!
//! No I/O, no clock, no Python. Key invariant: however the bytes of a connection are cut into pieces, the
//! events are the same, and no byte is looked at more often than a constant number of times.

#![forbid(unsafe_code)]

mod characters;
mod date;
pub mod files;
pub mod h1;
pub mod http2;
mod limits;
mod method;
mod name;
pub mod proxy;
mod rejection;
pub mod ws;

pub use date::{DATE_BYTES, http_date};
pub use limits::Limits;
pub use method::Method;
pub use name::{KnownName, Name};
pub use rejection::Rejection;
