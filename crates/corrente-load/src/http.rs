//! HTTP/1.1 as seen by a client under load: prebuilt requests out, strictly framed answers in.
//!
//! Nothing below this module may touch a socket or a clock; it is bytes in, [`crate::exchange`]
//! steps out. Key invariant: an answer whose length is not certain (RFC 9112, section 6.3) is
//! malformed, never guessed.

mod chunked;
mod content;
mod exchange;
mod head;
mod request;
mod response;

pub(crate) use exchange::{HttpExchange, HttpWork};
