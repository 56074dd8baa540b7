//! What carries a request's answer: an HTTP/1 connection, or a stream of HTTP/2; and what carries a WebSocket.
//!
//! The border between applications (`asgi`, `wsgi`) and protocols (`connection`): applications say what is to be sent,
//! protocols how it is framed.

use corrente_loop::native::FilePart;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::packed::Packed;

/// Whether nothing follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Yes,
    No,
}

/// Fields that were taken apart, as an application of ASGI gives them.
pub(crate) fn unpacked<'py>(py: Python<'py>, fields: &Packed) -> PyResult<Bound<'py, PyList>> {
    let pairs = fields.iter();
    let pairs = pairs.map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value)));
    PyList::new(py, pairs.collect::<Vec<_>>())
}

/// What a client is told, and the log, where the body of its request has no place: the disk is full.
pub(crate) const NOT_KEPT: &str = "the request's body could not be kept";

/// The status for it (RFC 4918, section 11.5).
pub(crate) const NOT_KEPT_STATUS: u16 = 507;

/// Some of a request's body, as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a, 'py> {
    Lent(&'a [u8]),
    /// An object that may be kept.
    Object(&'a Bound<'py, PyBytes>),
}

impl<'py> Piece<'_, 'py> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Object(object) => object.as_bytes(),
        }
    }

    /// An object with its content.
    pub(crate) fn object(self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match self {
            Self::Lent(bytes) => PyBytes::new(py, bytes),
            Self::Object(object) => object.clone(),
        }
    }
}

/// What has come of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// What waits in memory, in bytes.
    pub(crate) bytes: usize,
    /// The application takes it next: it has waited for it.
    pub(crate) is_awaited: bool,
}

/// Some of a body.
#[derive(Debug)]
pub(crate) enum Content {
    Text(&'static str),
    Bytes(Py<PyBytes>),
    File(FilePart),
}

impl Content {
    pub(crate) fn send(
        self,
        py: Python<'_>,
        exchange: &dyn Exchange,
        last: Last,
    ) -> PyResult<Last> {
        match self {
            Self::Text(text) => exchange.body(py, &PyBytes::new(py, text.as_bytes()), last),
            Self::Bytes(bytes) => exchange.body(py, bytes.bind(py), last),
            Self::File(part) => exchange.file(py, part, last),
        }
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn memory(&self, py: Python<'_>) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(py).len(),
            Self::Text(_) | Self::File(_) => 0,
        }
    }
}

/// One request's way back to its client. Every method is called by the loop's thread.
pub(crate) trait Exchange: Send + Sync {
    /// The response begins; `headers` are pairs of `bytes`. `Last::No`: trailers follow the body.
    fn head(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        trailers: Last,
    ) -> PyResult<()>;

    /// The same with fields that were taken apart; no trailers follow.
    fn packed_head(&self, py: Python<'_>, status: u16, fields: Packed) -> PyResult<()> {
        let fields = unpacked(py, &fields)?;
        self.head(py, status, Some(fields.as_any()), Last::Yes)
    }

    /// Some of the body; gives back whether the response is complete with it (not if trailers follow).
    fn body(&self, py: Python<'_>, content: &Bound<'_, PyBytes>, last: Last) -> PyResult<Last>;

    /// Some of the body from a file, as [`Exchange::body`]: it is sent as there is room, and what follows goes behind it.
    fn file(&self, py: Python<'_>, part: FilePart, last: Last) -> PyResult<Last>;

    /// Fields that follow the body.
    fn trailers(
        &self,
        py: Python<'_>,
        headers: Option<&Bound<'_, PyAny>>,
        last: Last,
    ) -> PyResult<Last>;

    /// `103 Early Hints` with these fields.
    fn hint(&self, py: Python<'_>, fields: &Packed) -> PyResult<()>;

    /// The application waits for the body that the client holds back.
    fn continues(&self, py: Python<'_>) -> PyResult<()>;

    /// The application has taken what had come of the body.
    fn want(&self, py: Python<'_>) -> PyResult<()>;

    /// The response is complete.
    fn complete(&self, py: Python<'_>) -> PyResult<()>;

    /// Whether the peer reads too slowly for more to be written.
    fn is_full(&self, py: Python<'_>) -> bool;
}

/// A message of a WebSocket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

/// One WebSocket's way to its client; before it is accepted it is an [`Exchange`].
pub(crate) trait Line: Exchange {
    /// Accepts it; `headers` are pairs of `bytes`.
    fn accept(
        &self,
        py: Python<'_>,
        subprotocol: Option<&str>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()>;

    /// Sends a message.
    fn message(&self, py: Python<'_>, message: Message<'_>) -> PyResult<()>;

    /// Begins the closing handshake.
    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<()>;
}
