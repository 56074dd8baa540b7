//! What a connection has to write: responses as bytes, gathered until they are sent.
//!
//! A response's head waits for the first part of its body: if that is all of it, its length is known, and nothing
//! has to be chunked.

use corrente_http::h1::{
    self, After, Asked, Encoder, Framing, Length, ResponseError, ResponseHead,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::heads::{Heads, Opening};
use crate::exchange::Last;
use crate::field::Field;
use crate::packed::{self, Packed};

/// Parts of a body of more bytes are not copied, but sent from where they are.
pub(super) const COPIED_MOST: usize = 16 * 1024;

/// Memory that is kept for the next response, in bytes.
const KEPT_MOST: usize = 64 * 1024;

/// What is to be written, and how.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    encoder: Option<Encoder>,
    head: Option<Waiting>,
    /// Trailers follow the body of the response.
    has_trailers: bool,
    /// Those that are there, while more are to come.
    trailers: Vec<Field>,
    /// After what is in `bytes` the connection ends.
    closes: bool,
    /// A file goes before what is in `bytes`.
    is_held: bool,
}

/// A head that waits for its body.
#[derive(Debug)]
struct Waiting {
    status: u16,
    fields: Fields,
}

/// Fields of a response, as they were given.
#[derive(Debug)]
pub(super) enum Fields {
    Objects(Vec<Field>),
    Packed(Packed),
}

impl Fields {
    /// The names with their values.
    pub(super) fn iter<'a>(&'a self, py: Python<'a>) -> Pairs<'a> {
        match self {
            Self::Objects(fields) => Pairs::Objects(py, fields.iter()),
            Self::Packed(fields) => Pairs::Packed(fields.iter()),
        }
    }

    /// Whether both say the same, in the same order.
    #[inline]
    pub(super) fn is_same(&self, py: Python<'_>, other: &Self) -> bool {
        match (self, other) {
            (Self::Packed(ours), Self::Packed(theirs)) => ours == theirs,
            (Self::Objects(ours), Self::Objects(theirs)) => {
                let same = |(one, other): (&Field, &Field)| {
                    is_same(py, &one.0, &other.0) && is_same(py, &one.1, &other.1)
                };
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
            }
            _ => false,
        }
    }
}

/// Literals of a program are the same objects each time.
#[inline]
fn is_same(py: Python<'_>, one: &Py<PyBytes>, other: &Py<PyBytes>) -> bool {
    one.is(other) || one.as_bytes(py) == other.as_bytes(py)
}

/// Names with their values.
pub(super) enum Pairs<'a> {
    Objects(Python<'a>, std::slice::Iter<'a, Field>),
    Packed(packed::Pairs<'a>),
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Objects(py, fields) => {
                let (name, value) = fields.next()?;
                Some((name.as_bytes(*py), value.as_bytes(*py)))
            }
            Self::Packed(fields) => fields.next(),
        }
    }
}

/// A response of the server's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    /// For the client's developers.
    pub(super) text: &'a str,
    pub(super) fields: &'a [(&'a [u8], &'a [u8])],
}

/// What is written with every head, and those that were.
#[derive(Debug)]
pub(super) struct Always<'a> {
    pub(super) date: &'a [u8],
    pub(super) server: &'a str,
    pub(super) heads: &'a mut Heads,
}

impl Output {
    /// A request has come that is to be answered.
    pub(super) fn begin(&mut self, asked: Asked) {
        self.encoder = Some(Encoder::new(asked));
        self.head = None;
        self.trailers.clear();
    }

    /// The connection ends after the response.
    pub(super) fn close_after(&mut self) {
        match &mut self.encoder {
            Some(encoder) if encoder.framing().is_none() => encoder.close_after(),
            _ => self.closes = true,
        }
    }

    pub(super) fn closes(&self) -> bool {
        self.closes
    }

    /// Whether a response has begun that is written in part.
    pub(super) fn is_begun(&self) -> bool {
        let encoder = self.encoder.as_ref();
        self.is_held || encoder.is_some_and(|encoder| encoder.framing().is_some())
    }

    /// Whether the end of the connection is the end of the body.
    pub(super) fn is_whole_at_end(&self) -> bool {
        let encoder = self.encoder.as_ref();
        encoder.is_some_and(|encoder| encoder.framing() == Some(Framing::Close))
    }

    /// The head of the response.
    pub(super) fn head(&mut self, status: u16, fields: Fields, trailers: Last) {
        self.head = Some(Waiting { status, fields });
        self.has_trailers = trailers == Last::No;
    }

    /// An interim response.
    pub(super) fn interim(&mut self, status: u16, fields: packed::Pairs<'_>) -> Encoded<()> {
        let encoder = self.encoder.as_ref().ok_or(ResponseError::Order)?;
        encoder.interim(status, fields, &mut self.bytes)
    }

    /// `100 Continue`.
    pub(super) fn continues(&mut self) {
        self.bytes.extend_from_slice(h1::CONTINUE);
    }

    /// Writes the head, if it still waits, for a body of this length.
    pub(super) fn open(
        &mut self,
        py: Python<'_>,
        length: Length,
        always: Always<'_>,
    ) -> Encoded<()> {
        let Some(waiting) = self.head.take() else {
            return Ok(());
        };
        let encoder = self.encoder.as_mut().ok_or(ResponseError::Order)?;
        let Always {
            date,
            server,
            heads,
        } = always;
        let head = ResponseHead {
            status: waiting.status,
            date,
            server: server.as_bytes(),
            length: if self.has_trailers {
                Length::Unknown
            } else {
                length
            },
        };
        let out = &mut self.bytes;
        let opening = Opening { encoder, head, out };
        heads.write(py, waiting.fields, opening)
    }

    /// A part of the body, copied.
    pub(super) fn data(&mut self, content: &[u8]) -> Encoded<()> {
        let encoder = self.encoder.as_mut().ok_or(ResponseError::Order)?;
        encoder.data(content, &mut self.bytes)
    }

    /// What comes before a part that is sent from where it is; whether it is to be sent.
    pub(super) fn open_data(&mut self, length: u64) -> Encoded<bool> {
        let encoder = self.encoder.as_mut().ok_or(ResponseError::Order)?;
        encoder.open_data(length, &mut self.bytes)
    }

    /// What comes after it.
    pub(super) fn close_data(&mut self) {
        if let Some(encoder) = &self.encoder {
            encoder.close_data(&mut self.bytes);
        }
    }

    /// The end of the response.
    pub(super) fn finish(&mut self, trailers: &[(&[u8], &[u8])]) -> Encoded<()> {
        let mut encoder = self.encoder.take().ok_or(ResponseError::Order)?;
        let after = encoder.finish(trailers.iter().copied(), &mut self.bytes);
        self.closes |= !matches!(after, Ok(After::Keep));
        after.map(drop)
    }

    /// Whether trailers follow the body.
    pub(super) fn has_trailers(&self) -> bool {
        self.has_trailers
    }

    /// Trailers that wait for others.
    pub(super) fn keep_trailers(&mut self, fields: Vec<Field>) {
        self.trailers = fields;
    }

    pub(super) fn take_trailers(&mut self) -> Vec<Field> {
        std::mem::take(&mut self.trailers)
    }

    /// A whole response of the server's own; the connection ends after it.
    pub(super) fn refuse(&mut self, refusal: Refusal<'_>, always: Always<'_>) {
        let Refusal {
            status,
            text,
            fields,
        } = refusal;
        let mut encoder = self.encoder.take().unwrap_or_else(|| {
            Encoder::new(Asked {
                version: h1::Version::Http11,
                method: corrente_http::Method::Get,
                keeps_alive: false,
            })
        });
        self.head = None;
        self.closes = true;
        encoder.close_after();
        let head = ResponseHead {
            status,
            date: always.date,
            server: always.server.as_bytes(),
            length: Length::Known(text.len() as u64),
        };
        let kind: (&[u8], &[u8]) = (b"content-type", b"text/plain; charset=utf-8");
        let bytes = &mut self.bytes;
        let fields = std::iter::once(kind).chain(fields.iter().copied());
        let written = encoder.head(head, fields, bytes);
        let written = written.and_then(|()| encoder.data(text.as_bytes(), bytes));
        // Statuses and texts are ours and right; were they not, the connection ends all the same.
        let _closes = written.and_then(|()| encoder.finish([], bytes));
    }

    /// The same for what could not be read as a request.
    pub(super) fn reject(&mut self, rejection: corrente_http::Rejection, date: &[u8]) {
        self.head = None;
        self.encoder = None;
        self.closes = true;
        h1::refuse(rejection, date, &mut self.bytes);
    }

    /// Where frames of a WebSocket are written to.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How much is to be written, in bytes.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is being written, and more may be.
    pub(super) fn is_silent(&self) -> bool {
        let is_free = self.encoder.is_none() && self.head.is_none();
        is_free && self.bytes.is_empty() && !self.closes && !self.is_held
    }

    /// What is to be written now: nothing while a file is being sent.
    pub(super) fn take(&mut self) -> Vec<u8> {
        if self.is_held {
            return Vec::new();
        }
        std::mem::take(&mut self.bytes)
    }

    /// A file is being sent.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    /// It has gone.
    pub(super) fn release(&mut self) {
        self.is_held = false;
    }

    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Memory to use again.
    pub(super) fn give_back(&mut self, mut bytes: Vec<u8>) {
        if self.bytes.is_empty() && bytes.capacity() <= KEPT_MOST {
            bytes.clear();
            self.bytes = bytes;
        }
    }
}

/// What encoding led to.
pub(super) type Encoded<T> = Result<T, ResponseError>;
