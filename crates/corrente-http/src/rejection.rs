//! Why a request is turned away: the status to answer with, and one line that names what was found.
//!
//! The client is to blame for every one of these. After a rejection nothing more is read from the
//! connection: where the next request begins cannot be known, and guessing is how requests are smuggled.

use thiserror::Error;

/// What is wrong with a request. Its text is made for the response's body and for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rejection {
    // The request line: RFC 9112, section 3.
    /// No method starts like this. TLS on a plain port does (0x16).
    #[error("expected a method, found byte {0:#04x}; is the client speaking HTTP/1.1?")]
    NoMethod(u8),
    /// A byte that no method has.
    #[error("the method has byte {0:#04x}, which no method has")]
    MethodByte(u8),
    /// [`Limits::max_method_bytes`](crate::Limits::max_method_bytes).
    #[error("the method is longer than any that is known")]
    MethodTooLong,
    /// A method with a small letter: `get` is not `GET` (RFC 9110, section 9.1), and no method that is known.
    #[error("the method has small letters; methods are case-sensitive, and none has any")]
    MethodCase,
    /// White space where the target should begin.
    #[error("expected one space and a request target after the method")]
    NoTarget,
    /// [`Limits::max_target_bytes`](crate::Limits::max_target_bytes).
    #[error("the request target is longer than this server takes")]
    TargetTooLong,
    /// A byte that no target has; it has to be percent-encoded.
    #[error("the request target has byte {0:#04x}, which has to be percent-encoded")]
    TargetByte(u8),
    /// A path with `%00` (RFC 3986, section 7.3).
    #[error("the request target's path has an encoded NUL")]
    TargetNul,
    /// A target that is none of the four forms.
    #[error("the request target is neither a path nor an absolute `http` or `https` URI")]
    TargetForm,
    /// `*` with another method than `OPTIONS` (RFC 9112, section 3.2.4).
    #[error("the request target `*` is for OPTIONS only")]
    Asterisk,
    /// A `CONNECT` whose target is no `host:port` (RFC 9112, section 3.2.3).
    #[error("CONNECT needs a target of the form `host:port`")]
    ConnectTarget,
    /// A tunnel: only proxies make them.
    #[error("CONNECT is for proxies, and this is none")]
    Connect,
    /// Another `:protocol` than `websocket` (RFC 8441, section 4; RFC 9220, section 3).
    #[error("CONNECT opens WebSockets here, and no other `:protocol`")]
    ConnectProtocol,
    /// A CONNECT whose sender says nothing more (RFC 8441, section 5).
    #[error("the client has ended the stream that is to carry its WebSocket")]
    ConnectEnded,
    /// No `HTTP/1.1` where it should be, as in HTTP/0.9.
    #[error("expected `HTTP/1.1` at the end of the request line")]
    Version,
    /// A version that is well formed and not ours.
    #[error("HTTP/{major}.{minor} is not spoken here, HTTP/1.1 is")]
    VersionUnsupported {
        /// What stands before the point.
        major: u8,
        /// What stands after it.
        minor: u8,
    },

    // Lines: RFC 9112, sections 2.2 and 5.
    /// A carriage return that no line feed follows.
    #[error("a carriage return stands alone; lines end with CR LF")]
    BareCarriageReturn,
    /// A line feed that follows no carriage return.
    #[error("a line feed stands alone; lines end with CR LF")]
    BareLineFeed,
    /// More empty lines before the request than clients are known to send.
    #[error("expected a request, found empty lines")]
    EmptyLines,
    /// A line that begins with white space: obsolete folding, or worse.
    #[error("a header line begins with white space; line folding is obsolete (RFC 9112, 5.2)")]
    Folding,
    /// A line that begins with a colon.
    #[error("a header has no name")]
    NameEmpty,
    /// White space between name and colon.
    #[error("white space stands between a header's name and its colon")]
    NameSpace,
    /// A byte that no field name has; the end of the line where there is no colon.
    #[error("a header's name has byte {0:#04x}, which no name has")]
    NameByte(u8),
    /// A control character in a field value.
    #[error("a header's value has control character {0:#04x}")]
    ValueByte(u8),
    /// [`Limits::max_head_bytes`](crate::Limits::max_head_bytes).
    #[error("the request's head is larger than this server takes")]
    HeadTooLarge,
    /// [`Limits::max_headers`](crate::Limits::max_headers).
    #[error("the request has more headers than this server takes")]
    TooManyHeaders,

    // Host: RFC 9112, section 3.2.
    /// HTTP/1.1 without `Host`.
    #[error("the `Host` header is missing; HTTP/1.1 needs it")]
    HostMissing,
    /// `Host` twice.
    #[error("the `Host` header comes twice")]
    HostRepeated,
    /// No host, or more than a host and its port.
    #[error("`Host`, or the host in the request target, is not of the form `host:port`")]
    HostInvalid,

    // Framing: RFC 9112, section 6.
    /// No number.
    #[error("`Content-Length` is no plain decimal number")]
    LengthInvalid,
    /// `Content-Length` twice, if only with the same value.
    #[error("`Content-Length` comes twice")]
    LengthRepeated,
    /// Both kinds of framing: the classic of smuggling.
    #[error("`Content-Length` and `Transfer-Encoding` come together")]
    LengthAndEncoding,
    /// `Transfer-Encoding` in HTTP/1.0, which has none (RFC 9112, section 6.1).
    #[error("`Transfer-Encoding` in HTTP/1.0")]
    EncodingInOld,
    /// `chunked` is not the last coding, or not there, or there twice.
    #[error("`Transfer-Encoding` does not end with one `chunked`, so the body has no end")]
    EncodingInvalid,
    /// Codings beside `chunked`.
    #[error("`Transfer-Encoding` names a coding beside `chunked`; none is implemented")]
    EncodingUnsupported,
    /// [`Limits::max_body_bytes`](crate::Limits::max_body_bytes).
    #[error("the request's body is larger than this server takes")]
    BodyTooLarge,
    /// A body where the method forbids one (RFC 9110, section 9.3.8).
    #[error("TRACE must not have a body")]
    TraceBody,
    /// `Expect` with something else than `100-continue`.
    #[error("`Expect` asks for something else than `100-continue`")]
    Expectation,

    // Chunks: RFC 9112, section 7.1.
    /// Not a hexadecimal number.
    #[error("a chunk's size has byte {0:#04x}, which is no hexadecimal digit")]
    ChunkSizeByte(u8),
    /// More than 16 digits.
    #[error("a chunk's size is too large to be true")]
    ChunkSizeTooLarge,
    /// Something that is no `;name=value`.
    #[error("a chunk's extension has byte {0:#04x} where it must not be")]
    ChunkExtension(u8),
    /// [`Limits::max_chunk_extension_bytes`](crate::Limits::max_chunk_extension_bytes).
    #[error("a chunk's extensions are longer than this server takes")]
    ChunkExtensionTooLong,
    /// Data go on where the chunk should have ended.
    #[error("expected CR LF after a chunk's data, found byte {0:#04x}")]
    ChunkEnd(u8),
    /// A field that must not come after the body (RFC 9110, section 6.5.1).
    #[error("a trailer holds a field that decides about framing, routing or access")]
    TrailerForbidden,
    /// [`Limits::max_trailer_bytes`](crate::Limits::max_trailer_bytes) or
    /// [`Limits::max_trailers`](crate::Limits::max_trailers).
    #[error("the trailer section is larger than this server takes")]
    TrailerTooLarge,
}

impl Rejection {
    /// The status of the response that says so.
    pub fn status(self) -> u16 {
        match self {
            Self::BodyTooLarge => 413,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge | Self::TooManyHeaders | Self::TrailerTooLarge => 431,
            Self::Connect
            | Self::ConnectProtocol
            | Self::EncodingUnsupported
            | Self::MethodCase => 501,
            Self::VersionUnsupported { .. } => 505,
            // RFC 9112, section 3, would rather have 501 for a method that is too long; it is no method.
            _ => 400,
        }
    }
}
