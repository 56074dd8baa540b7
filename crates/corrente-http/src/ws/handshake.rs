//! The opening handshake, the server's side (RFC 6455, section 4.2).
//!
//! It is an HTTP request like any other until it is answered with 101, so a refusal is an ordinary
//! response. Origins and subprotocols are the application's to choose.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use thiserror::Error;

use super::extension::{Deflate, DeflateOptions};
use crate::h1::{Body, Head};
use crate::{KnownName, Method};

/// Appended to the key (section 1.3).
const IDENTIFIER: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_BYTES: usize = 16;

/// Whether a request asks for a WebSocket, rightly or not; in HTTP/2 by RFC 8441.
pub fn is_asked(head: &Head<'_>) -> bool {
    let is_websocket = |protocol: &[u8]| protocol.eq_ignore_ascii_case(b"websocket");
    if head.protocol().is_some_and(is_websocket) {
        return true;
    }
    head.upgrade().is_some() && head.fields().list(KnownName::Upgrade).any(is_websocket)
}

/// Why a request that asks for a WebSocket gets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// No `Upgrade: websocket` in HTTP/1.1.
    #[error("the request does not ask for a WebSocket: `Upgrade: websocket` is missing")]
    NotAsked,
    /// Only GET opens one.
    #[error("a WebSocket is opened with GET")]
    Method,
    /// What follows the request could be its body as well as frames.
    #[error("a request that opens a WebSocket has no body")]
    Content,
    /// There is an application, but of an interface without `WebSocket`s.
    #[error("the application that this path is for has no WebSockets")]
    NotSpoken,
    /// 13 is the only version there is.
    #[error("`Sec-WebSocket-Version` is not 13")]
    Version,
    /// Not 16 bytes in base64, missing, or there twice.
    #[error("`Sec-WebSocket-Key` is not 16 bytes in base64")]
    Key,
}

impl HandshakeError {
    /// The status of the response. One of 426 has to name the version in `sec-websocket-version: 13`.
    pub fn status(self) -> u16 {
        match self {
            Self::Version => 426,
            Self::Method => 405,
            Self::NotSpoken => 501,
            Self::NotAsked | Self::Content | Self::Key => 400,
        }
    }
}

/// A valid request for a WebSocket.
#[derive(Debug, Clone)]
pub struct Handshake<'a> {
    head: Head<'a>,
    accept_key: String,
}

impl<'a> Handshake<'a> {
    /// Checks the request.
    pub fn of(head: &Head<'a>) -> Result<Self, HandshakeError> {
        if !is_asked(head) {
            return Err(HandshakeError::NotAsked);
        }
        let is_stream = head.protocol().is_some();
        if head.method() != Method::Get && !is_stream {
            return Err(HandshakeError::Method);
        }
        if head.body() != Body::None {
            return Err(HandshakeError::Content);
        }
        let fields = head.fields();
        let only = |name: KnownName| {
            let mut values = fields.all(name);
            values.next().filter(|_| values.next().is_none())
        };
        if only(KnownName::SecWebSocketVersion) != Some(b"13") {
            return Err(HandshakeError::Version);
        }
        if is_stream {
            // Such a stream carries nothing else, so it needs no key (RFC 8441, section 5).
            let accept_key = String::new();
            return Ok(Self {
                head: *head,
                accept_key,
            });
        }
        let key = only(KnownName::SecWebSocketKey).ok_or(HandshakeError::Key)?;
        let decoded = STANDARD.decode(key).map_err(|_| HandshakeError::Key)?;
        if decoded.len() != KEY_BYTES {
            return Err(HandshakeError::Key);
        }
        Ok(Self {
            head: *head,
            accept_key: accept(key),
        })
    }

    /// The value of `sec-websocket-accept`; none in HTTP/2.
    pub fn accept_key(&self) -> &str {
        &self.accept_key
    }

    /// The subprotocols that the client offers, in the order of its liking.
    pub fn protocols(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.head.fields().list(KnownName::SecWebSocketProtocol)
    }

    /// The compression that the client offers and that we can keep.
    pub fn deflate(&self, options: DeflateOptions) -> Option<Deflate> {
        Deflate::agree(
            self.head.fields().list(KnownName::SecWebSocketExtensions),
            options,
        )
    }
}

fn accept(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(IDENTIFIER);
    STANDARD.encode(hash.finalize())
}
