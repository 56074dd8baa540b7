//! What a peer did wrong on a WebSocket, and the close code that says so (RFC 6455, section 7.4.1).
//!
//! After any of these the connection is failed: a close frame with the code is sent, and nothing more is
//! read.

use thiserror::Error;

/// What a peer did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// Reserved bits that no extension has given a meaning.
    #[error("a frame has reserved bits that no extension uses")]
    ReservedBits,
    /// An opcode without a meaning.
    #[error("a frame has opcode {0}, which is reserved")]
    Opcode(u8),
    /// A client has to mask, a server must not.
    #[error("a frame of a client has no mask, or one of a server has")]
    Mask,
    /// A length in more bytes than it needs, or with its highest bit set.
    #[error("a frame's length is not in its shortest form")]
    Length,
    /// A control frame in several parts.
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A control frame of more than 125 bytes.
    #[error("a control frame has more than 125 bytes")]
    LongControl,
    /// A continuation of nothing.
    #[error("a continuation frame continues no message")]
    Continuation,
    /// A message within a message.
    #[error("a message begins before the one before it has ended")]
    Interleaved,
    /// A close frame of one byte, or with a code that must not be sent.
    #[error("a close frame has a code that must not be sent")]
    CloseCode,
    /// Text, or the reason of a close frame.
    #[error("a text is not UTF-8")]
    Text,
    /// [`Limits::max_message_bytes`](super::Limits::max_message_bytes).
    #[error("a message is larger than this server takes")]
    TooLarge,
    /// Not a stream of DEFLATE.
    #[error("a compressed message cannot be decompressed")]
    Compression,
}

impl Violation {
    /// The code for the close frame.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Text | Self::Compression => 1007,
            Self::TooLarge => 1009,
            _ => 1002,
        }
    }
}
