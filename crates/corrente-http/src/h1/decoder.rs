//! The decoder of one connection: what has arrived in, events out.
//!
//! It keeps where it is, never the bytes. Every byte of a head or a trailer is scanned once, however many
//! pieces it comes in; data of bodies are not looked at. A rejection is final.

use super::chunks::{Chunks, Piece};
use super::fields::{self, Cursor, Fields, Line, slice};
use super::head::{Body, Head, Parts};
use super::meaning::is_disguised;
use super::request_line;
use crate::{KnownName, Limits, Rejection};

/// Empty lines before a request that are overlooked. RFC 9112, section 2.2, asks for one at least: old
/// clients end a body with one. None sends more.
const EMPTY_LINES_MAX: u8 = 1;

/// Heads of more bytes are not remembered: each connection has its own memory for one.
const REMEMBERED_MOST: usize = 1024;

/// What comes next on the connection.
#[derive(Debug)]
pub enum Event<'a> {
    /// Nothing yet: ask again when more has arrived.
    NeedMore,
    /// A request begins.
    Head(Head<'a>),
    /// A part of its body, not empty.
    Body(&'a [u8]),
    /// The fields after its body; only where there are some.
    Trailers(Fields<'a>),
    /// The request is complete. What follows belongs to the next one.
    End,
}

/// An event, and how much of the input it took.
#[derive(Debug)]
pub struct Step<'a> {
    /// Bytes at the beginning of the input that the caller drops before it asks again, whatever the event.
    pub consumed: usize,
    /// What they were.
    pub event: Event<'a>,
}

/// Decodes the requests of one connection.
///
/// ```
/// use corrente_http::Limits;
/// use corrente_http::h1::{Decoder, Event, Step};
///
/// # fn main() -> Result<(), corrente_http::Rejection> {
/// let mut decoder = Decoder::new(Limits::default());
/// let mut buffer = b"POST /a?b HTTP/1.1\r\nHost: c\r\nContent-Length: 2\r\n\r\nhi".to_vec();
/// loop {
///     let Step { consumed, event } = decoder.next(&buffer)?;
///     match event {
///         Event::Head(head) => {
///             assert_eq!(head.target().path, b"/a");
///             for field in head.fields().iter() {
///                 assert!(!field.value.is_empty());
///             }
///         }
///         Event::Body(data) => assert_eq!(data, b"hi"),
///         Event::Trailers(_) => {}
///         // Answer; the next request may be in the buffer already.
///         Event::End => break,
///         // Read more into the buffer.
///         Event::NeedMore => break,
///     }
///     buffer.drain(..consumed);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    state: State,
    parts: Parts,
    /// The head that `parts` are of, if it is remembered. Clients that keep a connection open mostly send the same one again.
    last: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Before a request, after so many empty lines.
    Start {
        empty_lines: u8,
    },
    RequestLine(request_line::Cursor),
    Head(Cursor),
    Length(u64),
    Chunks(Chunks),
    Trailers(Cursor),
    End,
    /// After the last request: what still comes is dropped.
    Closed,
    Rejected(Rejection),
}

/// An event without what it borrows.
#[derive(Debug, Clone, Copy)]
enum Found {
    NeedMore,
    Head { length: usize },
    Body { length: usize },
    Trailers { length: usize },
    End { length: usize },
}

impl Decoder {
    /// For a connection that has just been made.
    pub fn new(limits: Limits) -> Self {
        let state = State::Start { empty_lines: 0 };
        Self {
            limits,
            state,
            parts: Parts::default(),
            last: Vec::new(),
        }
    }

    /// Whether no byte of a request has come since the last one ended: the connection may be closed without
    /// anybody losing anything.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Start { .. } | State::Closed)
    }

    /// How much of a body is still to come, in bytes: where its length is known, and nothing else can come before.
    pub fn body_left(&self) -> u64 {
        match self.state {
            State::Length(left) => left,
            _ => 0,
        }
    }

    /// Takes note of so many bytes of a body that the caller has taken without asking; no more than
    /// [`Decoder::body_left`].
    pub fn pass_body(&mut self, length: u64) {
        if let State::Length(left) = self.state {
            self.state = match left.saturating_sub(length) {
                0 => State::End,
                left => State::Length(left),
            };
        }
    }

    /// Takes the next event from `input`: all bytes that have arrived and were not consumed. After
    /// [`Event::NeedMore`] it has to be the same bytes, less those consumed, and more of them.
    #[inline]
    pub fn next<'b>(&'b mut self, input: &'b [u8]) -> Result<Step<'b>, Rejection> {
        let (skipped, found) = match self.advance(input) {
            Ok(moved) => moved,
            Err(rejection) => {
                self.state = State::Rejected(rejection);
                return Err(rejection);
            }
        };
        let bytes = |length: usize| &input[skipped..skipped + length];
        let (length, event) = match found {
            Found::NeedMore => (0, Event::NeedMore),
            Found::End { length } => (length, Event::End),
            Found::Body { length } => (length, Event::Body(bytes(length))),
            Found::Head { length } => {
                let head = Head {
                    bytes: bytes(length),
                    parts: &self.parts,
                };
                (length, Event::Head(head))
            }
            Found::Trailers { length } => {
                let fields = &self.parts.fields;
                (
                    length,
                    Event::Trailers(Fields {
                        bytes: bytes(length),
                        fields,
                    }),
                )
            }
        };
        Ok(Step {
            consumed: skipped + length,
            event,
        })
    }

    /// Bytes to skip, and what stands behind them.
    #[inline]
    fn advance(&mut self, input: &[u8]) -> Result<(usize, Found), Rejection> {
        match self.state {
            State::Start { empty_lines } => self.start(input, empty_lines),
            State::RequestLine(_) | State::Head(_) => Ok((0, self.head(input)?)),
            State::Length(left) => Ok((0, self.length(input, left))),
            State::Chunks(chunks) => self.chunks(input, chunks),
            State::Trailers(cursor) => Ok((0, self.trailers(input, cursor)?)),
            State::End => Ok((0, self.end(0))),
            State::Closed => Ok((input.len(), Found::NeedMore)),
            State::Rejected(rejection) => Err(rejection),
        }
    }

    /// Overlooks empty lines, then reads the head.
    #[inline]
    fn start(&mut self, input: &[u8], mut empty_lines: u8) -> Result<(usize, Found), Rejection> {
        let mut skipped = 0;
        loop {
            match &input[skipped..] {
                [] | [b'\r'] => {
                    self.state = State::Start { empty_lines };
                    return Ok((skipped, Found::NeedMore));
                }
                [b'\r', b'\n', ..] if empty_lines < EMPTY_LINES_MAX => {
                    empty_lines += 1;
                    skipped += 2;
                }
                [b'\r', b'\n', ..] => return Err(Rejection::EmptyLines),
                [b'\r', ..] => return Err(Rejection::BareCarriageReturn),
                [b'\n', ..] => return Err(Rejection::BareLineFeed),
                _ => break,
            }
        }
        let input = &input[skipped..];
        // It ends with the empty line, so that what follows it makes no difference.
        if !self.last.is_empty() && input.starts_with(&self.last) {
            self.parts.is_repeated = true;
            return Ok((skipped, self.begin_body(self.last.len())));
        }
        self.forget();
        self.state = State::RequestLine(request_line::Cursor::default());
        Ok((skipped, self.head(input)?))
    }

    /// The table of fields is about to be used for others.
    fn forget(&mut self) {
        self.parts.fields.clear();
        self.parts.is_repeated = false;
        self.last.clear();
    }

    #[inline]
    fn head(&mut self, input: &[u8]) -> Result<Found, Rejection> {
        // What lies beyond the limit is never looked at, so it makes no difference when it arrives.
        let view = &input[..input.len().min(self.limits.max_head_bytes)];
        let cursor = match self.state {
            State::Head(cursor) => Some(cursor),
            State::RequestLine(cursor) => self.request_line(view, cursor)?,
            _ => None,
        };
        let found = match cursor {
            Some(cursor) => self.head_fields(view, cursor)?,
            None => Found::NeedMore,
        };
        if matches!(found, Found::NeedMore) && view.len() < input.len() {
            return Err(Rejection::HeadTooLarge);
        }
        Ok(found)
    }

    fn request_line(
        &mut self,
        view: &[u8],
        mut cursor: request_line::Cursor,
    ) -> Result<Option<Cursor>, Rejection> {
        let Some(line) = request_line::read(view, &mut cursor, &self.limits)? else {
            self.state = State::RequestLine(cursor);
            return Ok(None);
        };
        self.parts.method = Some(line.method);
        self.parts.target = line.target;
        self.parts.form = line.form;
        self.parts.version = line.version;
        self.parts.meaning = super::meaning::Meaning::default();
        Ok(Some(Cursor::at(line.end)))
    }

    #[inline]
    fn head_fields(&mut self, view: &[u8], mut cursor: Cursor) -> Result<Found, Rejection> {
        loop {
            match fields::read(view, &mut cursor)? {
                Line::Field { field, next } => {
                    if self.parts.fields.len() == self.limits.max_headers {
                        return Err(Rejection::TooManyHeaders);
                    }
                    cursor = Cursor::at(next);
                    if let Some(name) = field.known() {
                        let value = slice(view, field.value());
                        self.parts.meaning.note(name, value, self.parts.version)?;
                    } else if is_disguised(slice(view, field.name())) {
                        continue;
                    }
                    self.parts.fields.push(field);
                }
                Line::Empty { next } => return self.head_end(&view[..next]),
                Line::Incomplete => {
                    self.state = State::Head(cursor);
                    return Ok(Found::NeedMore);
                }
            }
        }
    }

    fn head_end(&mut self, head: &[u8]) -> Result<Found, Rejection> {
        let Parts {
            method,
            version,
            meaning,
            ..
        } = self.parts;
        let method = method.unwrap_or(crate::Method::Other);
        self.parts.body = meaning.judge(method, version, &self.limits)?;
        if head.len() <= REMEMBERED_MOST {
            self.last.extend_from_slice(head);
        }
        Ok(self.begin_body(head.len()))
    }

    /// The head is known: its body comes next.
    fn begin_body(&mut self, length: usize) -> Found {
        self.state = match self.parts.body {
            Body::None => State::End,
            Body::Length(length) => State::Length(length),
            Body::Chunked => State::Chunks(Chunks::default()),
        };
        Found::Head { length }
    }

    fn length(&mut self, input: &[u8], left: u64) -> Found {
        if input.is_empty() {
            return Found::NeedMore;
        }
        let length = left.min(input.len() as u64);
        self.state = match left - length {
            0 => State::End,
            left => State::Length(left),
        };
        Found::Body {
            length: length as usize,
        }
    }

    fn chunks(&mut self, input: &[u8], mut chunks: Chunks) -> Result<(usize, Found), Rejection> {
        let (skipped, piece) = chunks.next(input, &self.limits)?;
        self.state = State::Chunks(chunks);
        match piece {
            Piece::Incomplete => Ok((skipped, Found::NeedMore)),
            Piece::Data(length) => Ok((skipped, Found::Body { length })),
            Piece::Last => {
                self.forget();
                Ok((
                    skipped,
                    self.trailers(&input[skipped..], Cursor::default())?,
                ))
            }
        }
    }

    fn trailers(&mut self, input: &[u8], mut cursor: Cursor) -> Result<Found, Rejection> {
        let view = &input[..input.len().min(self.limits.max_trailer_bytes)];
        loop {
            match fields::read(view, &mut cursor)? {
                Line::Field { field, next } => {
                    if self.parts.fields.len() == self.limits.max_trailers {
                        return Err(Rejection::TrailerTooLarge);
                    }
                    if field.known().is_some_and(is_forbidden_trailer) {
                        return Err(Rejection::TrailerForbidden);
                    }
                    self.parts.fields.push(field);
                    cursor = Cursor::at(next);
                }
                Line::Empty { next } if self.parts.fields.is_empty() => return Ok(self.end(next)),
                Line::Empty { next } => {
                    self.state = State::End;
                    return Ok(Found::Trailers { length: next });
                }
                Line::Incomplete if view.len() < input.len() => {
                    return Err(Rejection::TrailerTooLarge);
                }
                Line::Incomplete => {
                    self.state = State::Trailers(cursor);
                    return Ok(Found::NeedMore);
                }
            }
        }
    }

    fn end(&mut self, length: usize) -> Found {
        let Parts {
            version, meaning, ..
        } = self.parts;
        self.state = if meaning.keeps_alive(version) {
            State::Start { empty_lines: 0 }
        } else {
            State::Closed
        };
        Found::End { length }
    }
}

/// Fields that are needed before the body, so that nobody may slip them in after it (RFC 9110, 6.5.1).
pub(super) fn is_forbidden_trailer(name: KnownName) -> bool {
    matches!(
        name,
        KnownName::Authorization
            | KnownName::CacheControl
            | KnownName::Connection
            | KnownName::ContentEncoding
            | KnownName::ContentLength
            | KnownName::ContentRange
            | KnownName::ContentType
            | KnownName::Cookie
            | KnownName::Expect
            | KnownName::Forwarded
            | KnownName::Host
            | KnownName::IfMatch
            | KnownName::IfModifiedSince
            | KnownName::IfNoneMatch
            | KnownName::IfRange
            | KnownName::IfUnmodifiedSince
            | KnownName::KeepAlive
            | KnownName::MaxForwards
            | KnownName::ProxyAuthorization
            | KnownName::ProxyConnection
            | KnownName::Range
            | KnownName::Te
            | KnownName::Trailer
            | KnownName::TransferEncoding
            | KnownName::Upgrade
            | KnownName::XForwardedFor
            | KnownName::XForwardedHost
            | KnownName::XForwardedPort
            | KnownName::XForwardedProto
    )
}
