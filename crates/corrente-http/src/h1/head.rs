//! The head of a request: its line, its fields, and what they mean for the connection.
//!
//! A [`Head`] is a view of the bytes that the caller still owns and of what the decoder found in them; it
//! copies nothing and lives until the decoder is asked again.

use super::fields::{Field, Fields, slice};
use super::meaning::Meaning;
use super::target::{Form, Target};
use crate::{KnownName, Method};

/// The version of HTTP that a request came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no chunks, no interim responses, connections close unless asked to stay.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2: such a head was [`Translated`](super::Translated).
    Http2,
}

/// What follows the head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// So many bytes, at least one.
    Length(u64),
    /// Chunks, and perhaps trailers.
    Chunked,
}

/// What the decoder found in a head; the fields' table is used again for each request.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) method: Option<Method>,
    pub(super) target: (u32, u32),
    /// HTTP/2's `:protocol` (RFC 8441, section 4).
    pub(super) protocol: Option<(u32, u32)>,
    pub(super) form: Form,
    pub(super) version: Version,
    pub(super) fields: Vec<Field>,
    pub(super) meaning: Meaning,
    pub(super) body: Body,
    /// See [`Head::is_repeated`].
    pub(super) is_repeated: bool,
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) parts: &'a Parts,
}

impl<'a> Head<'a> {
    /// The method.
    pub fn method(&self) -> Method {
        self.parts.method.unwrap_or(Method::Other)
    }

    /// The head as it came, with the empty line at its end; of HTTP/2 what it was put together to.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is, byte for byte, the last one of its connection once more. What was made of that one holds for this one
    /// too. A long one is never said to be, nor one of HTTP/2.
    pub fn is_repeated(&self) -> bool {
        self.parts.is_repeated
    }

    /// The method as it came.
    pub fn method_name(&self) -> &'a [u8] {
        // One space stands between them.
        slice(self.bytes, (0, self.parts.target.0.saturating_sub(1)))
    }

    /// The request target as it came.
    pub fn raw_target(&self) -> &'a [u8] {
        slice(self.bytes, self.parts.target)
    }

    /// The parts of the request target.
    pub fn target(&self) -> Target<'a> {
        Target::of(self.parts.form, self.method(), self.raw_target())
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The fields, in the order in which they came.
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            bytes: self.bytes,
            fields: &self.parts.fields,
        }
    }

    /// Host and port that the request is for: the target's, else those of `Host`. HTTP/1.0 may have neither.
    pub fn authority(&self) -> Option<&'a [u8]> {
        let of_target = || self.target().authority;
        let absolute = (self.parts.form == Form::Absolute)
            .then(of_target)
            .flatten();
        absolute.or_else(|| self.fields().first(KnownName::Host))
    }

    /// What follows the head.
    pub fn body(&self) -> Body {
        self.parts.body
    }

    /// Whether the client lets the connection stay open after this request.
    pub fn keeps_alive(&self) -> bool {
        self.parts.meaning.keeps_alive(self.parts.version)
    }

    /// Whether the client waits for `100 Continue` before it sends the body, which is not empty.
    pub fn expects_continue(&self) -> bool {
        self.parts.meaning.expects_continue && self.parts.body != Body::None
    }

    /// The protocol for which an HTTP/2 request wants a stream (RFC 8441, section 4).
    pub fn protocol(&self) -> Option<&'a [u8]> {
        self.parts
            .protocol
            .map(|protocol| slice(self.bytes, protocol))
    }

    /// The protocol that the client would rather speak, where it asks properly: `Upgrade`, and
    /// `Connection: upgrade`, in HTTP/1.1 (RFC 9110, section 7.8).
    pub fn upgrade(&self) -> Option<&'a [u8]> {
        let asked = self.parts.meaning.asks_to_upgrade && self.parts.version == Version::Http11;
        asked
            .then(|| self.fields().first(KnownName::Upgrade))
            .flatten()
    }
}
