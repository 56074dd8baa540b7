//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692): frames in, messages out, and back.
//!
//! [`Handshake::of`] checks the request and [`Handshake::accept_key`] answers it; then the bytes of the
//! connection are a [`Decoder`]'s and an [`Encoder`]'s. Who answers a ping or a close frame is the caller's
//! business: nothing here has a clock or a queue. Both roles are there; the client's is for tests.

mod decoder;
mod deflate;
mod encoder;
mod extension;
mod frame;
mod handshake;
mod mask;
mod message;
mod utf8;
mod violation;

pub use decoder::{Decoder, Event, Step};
pub use encoder::{Encoder, EncoderOptions};
pub use extension::{Deflate, DeflateOptions};
pub use handshake::{Handshake, HandshakeError, is_asked};
pub use message::Kind;
pub use violation::Violation;

/// Which end of the connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Frames that come are masked, frames that go are not.
    Server,
    /// The other way round.
    Client,
}

/// What a peer may ask of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, put together and decompressed; more is answered with close code 1009.
    pub max_message_bytes: usize,
}

impl Default for Limits {
    /// 16 MiB, as other Python servers have it.
    fn default() -> Self {
        Self {
            max_message_bytes: 16 * 1024 * 1024,
        }
    }
}
