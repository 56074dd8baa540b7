//! The encoder of one response: status and fields in, bytes out; the body framed and counted.
//!
//! The framing is decided once, with the head: a given length, chunks, or the end of the connection. The
//! caller hands in the date (there is no clock here) and learns at the end whether the connection may go
//! on. Key invariant: nothing that the application gives can end a line or a message early.

use thiserror::Error;

use super::head::{Head, Version};
use super::response::{self, Seen};
use super::status;
use crate::Method;

/// What of a request decides about its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Its version.
    pub version: Version,
    /// `HEAD` gets no body.
    pub method: Method,
    /// Whether the client lets the connection stay open.
    pub keeps_alive: bool,
}

impl Default for Asked {
    /// A `GET` of HTTP/1.1.
    fn default() -> Self {
        Self {
            version: Version::Http11,
            method: Method::Get,
            keeps_alive: true,
        }
    }
}

impl Asked {
    /// What the request with this head asks.
    pub fn by(head: &Head<'_>) -> Self {
        Self {
            version: head.version(),
            method: head.method(),
            keeps_alive: head.keeps_alive(),
        }
    }
}

/// How long the body will be, where the application's fields do not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many bytes: all of it is at hand.
    Known(u64),
    /// It comes piece by piece.
    Unknown,
}

/// The head of a response.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// 200 to 999.
    pub status: u16,
    /// The date now; see [`http_date`](crate::http_date). Not written where the application gave one, nor where it is empty.
    pub date: &'a [u8],
    /// The value of `server`, where the application gave none; empty for no such field.
    pub server: &'a [u8],
    /// How long the body will be.
    pub length: Length,
}

/// What becomes of the connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The next request may be read.
    Keep,
    /// Close it: for the client, or because the response's end is the connection's.
    Close,
}

/// What an application must not answer. Unless the head is to blame, the connection has to be closed:
/// the client was promised something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// No status of a final response.
    #[error("the application answered with status {0}; expected 200 to 999")]
    Status(u16),
    /// No status of an interim response.
    #[error("the application sent status {0} as an interim response; expected 102 to 199")]
    Interim(u16),
    /// Not a token.
    #[error(
        "the application gave a header whose name has byte {0:#04x}, or none; names are tokens"
    )]
    Name(u8),
    /// A control character, as in an attempt to inject a header.
    #[error("the application gave a header whose value has control character {0:#04x}")]
    Value(u8),
    /// No number, or two that differ.
    #[error("the application gave a `content-length` that is no number, or two that differ")]
    ContentLength,
    /// Framing is ours.
    #[error("the application gave a `transfer-encoding` other than `chunked`")]
    TransferEncoding,
    /// A field that must not follow the body.
    #[error("the application gave a trailer that decides about framing, routing or access")]
    Trailer,
    /// More than `content-length` says.
    #[error("the application declared a body of {declared} bytes and sent {excess} bytes more")]
    TooMuch {
        /// The length in the head.
        declared: u64,
        /// By how much it was exceeded so far.
        excess: u64,
    },
    /// Less than `content-length` says.
    #[error("the application declared a body of {declared} bytes and sent {missing} bytes less")]
    TooLittle {
        /// The length in the head.
        declared: u64,
        /// What never came.
        missing: u64,
    },
    /// A body before the head, or a second head.
    #[error("the application sent the parts of its response in the wrong order")]
    Order,
}

/// How the client knows where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none: `HEAD`, 204, 304. What is given is dropped.
    None,
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// Where the connection ends.
    Close,
}

/// Encodes one response.
#[derive(Debug, Clone)]
pub struct Encoder {
    pub(super) asked: Asked,
    pub(super) closes: bool,
    pub(super) framing: Option<Framing>,
    sent: u64,
    is_finished: bool,
}

impl Encoder {
    /// For the response to a request.
    pub fn new(asked: Asked) -> Self {
        let closes = !asked.keeps_alive;
        Self {
            asked,
            closes,
            framing: None,
            sent: 0,
            is_finished: false,
        }
    }

    /// The connection is to be closed after this response; to be called before its head.
    pub fn close_after(&mut self) {
        self.closes = true;
    }

    /// How the body is framed, once the head is written.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Writes an interim response: 103 with its fields, or 102. A client of HTTP/1.0 must not get any
    /// (RFC 9110, section 15.2), so nothing is written for it. `100 Continue` is [`CONTINUE`].
    pub fn interim<'h>(
        &self,
        status: u16,
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
        out: &mut Vec<u8>,
    ) -> Result<(), ResponseError> {
        if !(102..200).contains(&status) {
            return Err(ResponseError::Interim(status));
        }
        if self.framing.is_some() {
            return Err(ResponseError::Order);
        }
        if self.asked.version == Version::Http10 {
            return Ok(());
        }
        undone_on_error(out, |out| {
            status::write(status, out);
            response::fields(fields, out)?;
            out.extend_from_slice(b"\r\n");
            Ok(())
        })
    }

    /// Writes the head and decides about the framing. On an error nothing is written, and another head may
    /// be tried. `connection`, and `transfer-encoding: chunked`, are taken as wishes and not written as given.
    pub fn head<'h>(
        &mut self,
        head: ResponseHead<'_>,
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
        out: &mut Vec<u8>,
    ) -> Result<(), ResponseError> {
        if !(200..1000).contains(&head.status) {
            return Err(ResponseError::Status(head.status));
        }
        if self.framing.is_some() {
            return Err(ResponseError::Order);
        }
        let (framing, closes) = undone_on_error(out, |out| {
            status::write(head.status, out);
            let seen = response::fields(fields, out)?;
            Ok(self.head_end(head, seen, out))
        })?;
        self.framing = Some(framing);
        self.closes = closes;
        Ok(())
    }

    /// Writes our own fields and the empty line.
    fn head_end(&self, head: ResponseHead<'_>, seen: Seen, out: &mut Vec<u8>) -> (Framing, bool) {
        if !seen.date && !head.date.is_empty() {
            response::field(b"date", head.date, out);
        }
        if !seen.server && !head.server.is_empty() {
            response::field(b"server", head.server, out);
        }
        let framing = self.decide(head.status, head.length, seen);
        match framing {
            Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Framing::Length(length) => response::length(length, out),
            // The length that GET would have had (RFC 9110, section 8.6).
            Framing::None if head.status != 204 => {
                let known = match head.length {
                    // No body at all may be what is left of one where the application has dropped it for `HEAD`.
                    Length::Known(length) if head.status != 304 && length > 0 => Some(length),
                    _ => None,
                };
                if let Some(length) = seen.length.or(known) {
                    response::length(length, out);
                }
            }
            Framing::None | Framing::Close => {}
        }
        let closes = self.closes || seen.closes || framing == Framing::Close;
        if closes {
            out.extend_from_slice(b"connection: close\r\n");
        } else if self.asked.version == Version::Http10 {
            out.extend_from_slice(b"connection: keep-alive\r\n");
        }
        out.extend_from_slice(b"\r\n");
        (framing, closes)
    }

    /// RFC 9112, section 6.3.
    fn decide(&self, status: u16, length: Length, seen: Seen) -> Framing {
        let has_none = self.asked.method == Method::Head || matches!(status, 204 | 304);
        // What follows is a tunnel's (RFC 9110, section 9.3.6).
        let is_tunnel = self.asked.method == Method::Connect && (200..300).contains(&status);
        match (seen.length, length) {
            _ if has_none => Framing::None,
            _ if is_tunnel => Framing::Close,
            (Some(length), _) | (None, Length::Known(length)) => Framing::Length(length),
            (None, Length::Unknown) if self.asked.version == Version::Http11 => Framing::Chunked,
            // In HTTP/2 it is the stream that ends.
            (None, Length::Unknown) => Framing::Close,
        }
    }

    /// For a head that is written in another way: decides as [`Encoder::head`] does, and gives the length that is
    /// to be told.
    pub(crate) fn begin(
        &mut self,
        head: &ResponseHead<'_>,
        seen: Seen,
    ) -> Result<Option<u64>, ResponseError> {
        if self.framing.is_some() {
            return Err(ResponseError::Order);
        }
        let framing = self.decide(head.status, head.length, seen);
        self.framing = Some(framing);
        Ok(match (framing, head.length) {
            (Framing::Length(length), _) => Some(length),
            (Framing::None, _) if head.status == 204 => None,
            (Framing::None, Length::Known(length)) if head.status != 304 && length > 0 => {
                seen.length.or(Some(length))
            }
            (Framing::None, _) => seen.length,
            (Framing::Chunked | Framing::Close, _) => None,
        })
    }

    /// Writes a part of the body.
    pub fn data(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), ResponseError> {
        if self.open_data(data.len() as u64, out)? {
            out.extend_from_slice(data);
            self.close_data(out);
        }
        Ok(())
    }

    /// For data that the caller sends by itself (`writev`, `sendfile`): counts `length` bytes and writes what
    /// comes before them. Where it says `true`, the data are to be sent, and then what
    /// [`Encoder::close_data`] writes; else they are dropped.
    pub fn open_data(&mut self, length: u64, out: &mut Vec<u8>) -> Result<bool, ResponseError> {
        let framing = self.framing.ok_or(ResponseError::Order)?;
        if self.is_finished {
            return Err(ResponseError::Order);
        }
        self.sent = self.sent.saturating_add(length);
        match framing {
            Framing::None => return Ok(false),
            Framing::Length(declared) if self.sent > declared => {
                self.closes = true;
                let excess = self.sent - declared;
                return Err(ResponseError::TooMuch { declared, excess });
            }
            Framing::Chunked if length > 0 => response::chunk_size(length, out),
            Framing::Length(_) | Framing::Chunked | Framing::Close => {}
        }
        // An empty chunk would end the body.
        Ok(length > 0)
    }

    /// Writes what comes after data that [`Encoder::open_data`] counted.
    pub fn close_data(&self, out: &mut Vec<u8>) {
        if self.framing == Some(Framing::Chunked) {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Ends the response. Trailers are written after chunks; other framings have no place for them, and
    /// they are dropped.
    pub fn finish<'h>(
        &mut self,
        trailers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
        out: &mut Vec<u8>,
    ) -> Result<After, ResponseError> {
        let framing = self.framing.ok_or(ResponseError::Order)?;
        if self.is_finished {
            return Err(ResponseError::Order);
        }
        self.is_finished = true;
        match framing {
            Framing::Chunked => undone_on_error(out, |out| {
                out.extend_from_slice(b"0\r\n");
                response::trailers(trailers, out)?;
                out.extend_from_slice(b"\r\n");
                Ok(())
            })?,
            Framing::Length(declared) if self.sent < declared => {
                self.closes = true;
                let missing = declared - self.sent;
                return Err(ResponseError::TooLittle { declared, missing });
            }
            Framing::None | Framing::Length(_) | Framing::Close => {}
        }
        Ok(if self.closes {
            After::Close
        } else {
            After::Keep
        })
    }
}

/// Runs `write` and takes back what it has written where it fails.
fn undone_on_error<T>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<T, ResponseError>,
) -> Result<T, ResponseError> {
    let length = out.len();
    let result = write(out);
    if result.is_err() {
        out.truncate(length);
    }
    result
}
