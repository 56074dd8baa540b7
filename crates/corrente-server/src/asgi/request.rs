//! One HTTP request of an ASGI application: `receive()`, `send()`, and in which order they may be called.
//!
//! Knows ASGI's messages (asgi.readthedocs.io, "HTTP & WebSocket", 2.5) and no HTTP: what is sent goes to an
//! [`Exchange`], what comes is put in by it. Key invariant: the state is not borrowed while Python code runs.

use std::sync::Arc;

use corrente_loop::Confined;
use corrente_loop::native::FilePart;
use corrente_loop::quick::Arguments;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use super::answer::{Answer, Asked, Awaited};
use super::message;
use super::waiting::{Waiting, wait, wake};
use crate::exchange::{Exchange, Held, Last, Piece};
use crate::field::links;
use crate::file;

pyo3::create_exception!(
    corrente._native,
    ClientDisconnectedError,
    PyOSError,
    "The client is gone: what is sent reaches nobody (ASGI 2.4)."
);

/// A request and what has become of it.
#[pyclass(frozen, freelist = 64, name = "Request", module = "corrente._native")]
pub(crate) struct Request {
    event_loop: Py<PyAny>,
    state: Confined<State>,
}

struct State {
    /// What carries it; nothing once all is over.
    exchange: Option<Arc<dyn Exchange>>,
    body: Arrived,
    incoming: Incoming,
    answer: Progress,
    /// The peer has gone.
    is_gone: bool,
    /// The peer has ended its side; it may still read.
    is_half_closed: bool,
    waiting: Waiting,
}

impl State {
    fn new(exchange: Option<Arc<dyn Exchange>>, begun: Begun) -> Self {
        Self {
            exchange,
            body: Arrived::default(),
            incoming: match begun {
                Begun::WithoutBody => Incoming::Here,
                Begun::WithBody => Incoming::Coming,
                Begun::ExpectsContinue => Incoming::Held,
            },
            answer: Progress::Nothing,
            is_gone: false,
            is_half_closed: false,
            waiting: Waiting::default(),
        }
    }
}

/// What has come of the body, and the application has not asked for yet.
#[derive(Default)]
enum Arrived {
    #[default]
    Nothing,
    /// One piece, which mostly is taken before another one comes.
    One(Py<PyBytes>),
    Several(Vec<u8>),
}

impl Arrived {
    /// Adds a piece; gives back what is not needed any more.
    fn add(&mut self, py: Python<'_>, piece: Piece<'_, '_>) -> Option<Py<PyBytes>> {
        match self {
            Self::Nothing => *self = Self::One(piece.object(py).unbind()),
            Self::Several(bytes) => bytes.extend_from_slice(piece.bytes()),
            Self::One(first) => {
                let both = [first.as_bytes(py), piece.bytes()].concat();
                if let Self::One(first) = std::mem::replace(self, Self::Several(both)) {
                    return Some(first);
                }
            }
        }
        None
    }

    /// All of it as one object; none where there is nothing.
    fn object(self, py: Python<'_>) -> Option<Bound<'_, PyBytes>> {
        match self {
            Self::Nothing => None,
            Self::One(piece) => Some(piece.into_bound(py)),
            Self::Several(bytes) => Some(PyBytes::new(py, &bytes)),
        }
    }

    fn bytes(&self, py: Python<'_>) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(piece) => piece.as_bytes(py).len(),
            Self::Several(bytes) => bytes.len(),
        }
    }
}

/// How far the body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    /// The client sends it when it is told `100 Continue`.
    Held,
    Coming,
    /// All of it is here, though not all may be given to the application.
    Here,
    /// The application has it.
    Given,
}

/// How far the response has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Nothing,
    /// `http.response.start` was sent.
    Started,
    Complete,
}

/// What is known of the body when a request begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    WithoutBody,
    WithBody,
    /// The client waits for `100 Continue`.
    ExpectsContinue,
}

impl Request {
    pub(crate) fn new(event_loop: Py<PyAny>, exchange: Arc<dyn Exchange>, begun: Begun) -> Self {
        Self {
            event_loop,
            state: Confined::new(State::new(Some(exchange), begun)),
        }
    }

    /// Makes another request of it; nobody has the one that it was.
    pub(super) fn renew(
        &self,
        py: Python<'_>,
        exchange: Option<Arc<dyn Exchange>>,
        begun: Begun,
    ) -> PyResult<()> {
        let fresh = State::new(exchange, begun);
        let before = self
            .state
            .with(py, |state| std::mem::replace(state, fresh))?;
        drop(before);
        Ok(())
    }

    /// How far the response has come.
    pub(crate) fn progress(&self, py: Python<'_>) -> PyResult<Progress> {
        self.state.with(py, |state| state.answer)
    }

    /// Some of the body has come; gives back what waits for the application.
    pub(crate) fn put(&self, py: Python<'_>, piece: Piece<'_, '_>) -> PyResult<Held> {
        let (bytes, before) = self.state.with(py, |state| {
            // A client that does not wait for `100 Continue` needs none.
            state.incoming = Incoming::Coming;
            let before = state.body.add(py, piece);
            (state.body.bytes(py), before)
        })?;
        drop(before);
        let woken = self.taken(py, Awaited::Message)?;
        let is_awaited = !woken.is_empty();
        wake(py, woken)?;
        Ok(Held { bytes, is_awaited })
    }

    /// Whether the application waits for some of the body.
    pub(crate) fn is_awaited(&self, py: Python<'_>) -> PyResult<bool> {
        self.state
            .with(py, |state| state.waiting.has(Awaited::Message))
    }

    /// The body is whole.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.state
            .with(py, |state| state.incoming = Incoming::Here)?;
        self.wake(py, Awaited::Message)
    }

    /// The peer has ended its side. It may have gone as well, which nobody can tell: who waits for that is told so, and
    /// what is sent all the same is written.
    pub(crate) fn half_closed(&self, py: Python<'_>) -> PyResult<()> {
        self.state.with(py, |state| state.is_half_closed = true)?;
        self.wake(py, Awaited::Message)
    }

    pub(crate) fn is_half_closed(&self, py: Python<'_>) -> PyResult<bool> {
        self.state.with(py, |state| state.is_half_closed)
    }

    /// The peer has gone, or the server gives up: nothing more comes, and nothing can be sent.
    pub(crate) fn gone(&self, py: Python<'_>) -> PyResult<()> {
        let exchange = self.state.with(py, |state| {
            state.is_gone = true;
            state.exchange.take()
        })?;
        drop(exchange);
        self.wake(py, Awaited::Message)?;
        self.wake(py, Awaited::Room)
    }

    /// The peer reads again what is written to it.
    pub(crate) fn room(&self, py: Python<'_>) -> PyResult<()> {
        self.wake(py, Awaited::Room)
    }

    fn wake(&self, py: Python<'_>, awaited: Awaited) -> PyResult<()> {
        wake(py, self.taken(py, awaited)?)
    }

    /// Those who wait for this.
    fn taken(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Vec<Py<PyAny>>> {
        self.state.with(py, |state| state.waiting.take(awaited))
    }

    /// What somebody waits for, if it is there: a message, or `None` for room.
    pub(super) fn poll(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Option<Py<PyAny>>> {
        match awaited {
            Awaited::Message => self.next_message(py),
            Awaited::Room => {
                let exchange = self.exchange(py)?;
                let is_full = exchange.is_some_and(|exchange| exchange.is_full(py));
                Ok((!is_full).then(|| py.None()))
            }
        }
    }

    /// A future that is done when it is worth to look again.
    pub(super) fn wait_for(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Py<PyAny>> {
        if awaited == Awaited::Message {
            self.ask(py)?;
        }
        wait(&self.event_loop, py, awaited, |work| {
            self.state.with(py, |state| work(&mut state.waiting))
        })
    }

    /// Has the client told that its body is wanted.
    fn ask(&self, py: Python<'_>) -> PyResult<()> {
        let held = self.state.with(py, |state| {
            let is_held = state.incoming == Incoming::Held;
            if is_held {
                state.incoming = Incoming::Coming;
            }
            is_held.then(|| state.exchange.clone()).flatten()
        })?;
        held.map_or(Ok(()), |exchange| exchange.continues(py))
    }

    fn exchange(&self, py: Python<'_>) -> PyResult<Option<Arc<dyn Exchange>>> {
        self.state.with(py, |state| state.exchange.clone())
    }

    fn next_message(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let found = self.state.with(py, |state| {
            let is_over = state.is_gone || state.answer == Progress::Complete;
            if is_over || state.incoming == Incoming::Given {
                return (is_over || state.is_half_closed).then_some(Found::Disconnect);
            }
            if state.incoming == Incoming::Here {
                state.incoming = Incoming::Given;
                return Some(Found::Body(std::mem::take(&mut state.body), Last::Yes));
            }
            let has_some = state.body.bytes(py) > 0;
            has_some.then(|| Found::Body(std::mem::take(&mut state.body), Last::No))
        })?;
        Ok(match found {
            None => None,
            Some(Found::Disconnect) => Some(message::disconnect(py)?),
            Some(Found::Body(body, last)) => {
                let has_some = !matches!(body, Arrived::Nothing);
                if (has_some || last == Last::No)
                    && let Some(exchange) = self.exchange(py)?
                {
                    exchange.want(py)?;
                }
                Some(message::request(py, body.object(py), last)?)
            }
        })
    }
}

/// What `receive()` can give.
enum Found {
    Body(Arrived, Last),
    Disconnect,
}

/// ASGI's `receive()`.
pub(super) fn receive<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, request) = (arguments.py(), receiver.cast_exact::<Request>()?);
    arguments.at_most("receive", 0)?;
    // Nothing is taken yet: who calls may be cancelled before it awaits.
    let asked = Asked::Request(request.clone().unbind());
    let answer = Answer::waits(py, asked, Awaited::Message)?;
    Ok(answer.into_bound(py).into_any())
}

/// ASGI's `send(message)`.
pub(super) fn send<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, request) = (arguments.py(), receiver.cast_exact::<Request>()?);
    let message = arguments.only("send", "message")?;
    let Ok(event) = message.cast::<PyDict>() else {
        let name = message.get_type().name()?;
        let text = format!("send() takes a dict, the ASGI message, not '{name}'");
        return Err(PyTypeError::new_err(text));
    };
    let answer = match request.get().sent(&event)? {
        Room::Some => Answer::done(py)?,
        Room::None => {
            let asked = Asked::Request(request.clone().unbind());
            Answer::waits(py, asked, Awaited::Room)?
        }
    };
    Ok(answer.into_bound(py).into_any())
}

/// Whether the peer reads what is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Some,
    None,
}

#[pymethods]
impl Request {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        let shown = self.state.peek(|state| state.waiting.show(&visit));
        shown.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let before = self.state.peek(|state| std::mem::take(&mut state.waiting));
        drop(before);
    }
}

impl Request {
    /// The application sends a message.
    fn sent(&self, event: &Bound<'_, PyDict>) -> PyResult<Room> {
        let py = event.py();
        let kind = required(event, intern!(py, "type"))?;
        // Lent out, since to count one more that has it, and one less, costs more than to put it back.
        let (progress, exchange) = self
            .state
            .with(py, |state| (state.answer, state.exchange.take()))?;
        let Some(exchange) = exchange else {
            return match progress {
                Progress::Complete => Err(unexpected(&kind, "after the response was complete")),
                _ => Err(ClientDisconnectedError::new_err(
                    "the client has disconnected",
                )),
            };
        };
        let said = match progress {
            Progress::Nothing => self.start(event, &kind, &*exchange),
            Progress::Started => self.go_on(event, &kind, &*exchange),
            Progress::Complete => Err(unexpected(&kind, "after the response was complete")),
        };
        let room = if exchange.is_full(py) {
            Room::None
        } else {
            Room::Some
        };
        self.put_back(py, exchange)?;
        said.map(|()| room)
    }

    /// What carries it is not needed just now, or, where all is over, any more.
    fn put_back(&self, py: Python<'_>, exchange: Arc<dyn Exchange>) -> PyResult<()> {
        let over = self.state.with(py, |state| {
            if state.is_gone || state.answer == Progress::Complete {
                return Some(exchange);
            }
            state.exchange.replace(exchange)
        })?;
        drop(over);
        Ok(())
    }

    /// `http.response.start`, or what may come before it.
    fn start(
        &self,
        event: &Bound<'_, PyDict>,
        kind: &Bound<'_, PyAny>,
        exchange: &dyn Exchange,
    ) -> PyResult<()> {
        let py = event.py();
        if is(kind, intern!(py, "http.response.start")) {
            let status = required(event, intern!(py, "status"))?.extract::<u16>()?;
            let headers = event.get_item(intern!(py, "headers"))?;
            let known = 2 + usize::from(headers.is_some());
            let trailers = last_beside(event, known, intern!(py, "trailers"))?;
            exchange.head(py, status, headers.as_ref(), trailers)?;
            return self
                .state
                .with(py, |state| state.answer = Progress::Started);
        }
        if is(kind, intern!(py, "http.response.early_hint")) {
            let given = required(event, intern!(py, "links"))?;
            return exchange.hint(py, &links(&given)?);
        }
        Err(unexpected(kind, "before 'http.response.start'"))
    }

    /// The body, and what may come instead of it or after it.
    fn go_on(
        &self,
        event: &Bound<'_, PyDict>,
        kind: &Bound<'_, PyAny>,
        exchange: &dyn Exchange,
    ) -> PyResult<()> {
        let py = event.py();
        let last = if is(kind, intern!(py, "http.response.body")) {
            let body = event.get_item(intern!(py, "body"))?;
            let known = 1 + usize::from(body.is_some());
            let last = last_beside(event, known, intern!(py, "more_body"))?;
            match body {
                None => exchange.body(py, &PyBytes::new(py, b""), last)?,
                Some(body) => exchange.body(py, &content(&body)?, last)?,
            }
        } else if is(kind, intern!(py, "http.response.pathsend")) {
            let path = required(event, intern!(py, "path"))?;
            exchange.file(py, file::by_path(&path)?, Last::Yes)?
        } else if is(kind, intern!(py, "http.response.zerocopysend")) {
            let last = last(event, intern!(py, "more_body"))?;
            exchange.file(py, part(event)?, last)?
        } else if is(kind, intern!(py, "http.response.trailers")) {
            let headers = event.get_item(intern!(py, "headers"))?;
            let last = last(event, intern!(py, "more_trailers"))?;
            exchange.trailers(py, headers.as_ref(), last)?
        } else {
            return Err(unexpected(kind, "after 'http.response.start'"));
        };
        if last == Last::Yes {
            self.complete(py, exchange)?;
        }
        Ok(())
    }

    /// The response is complete: whoever waits for a message is told so.
    fn complete(&self, py: Python<'_>, exchange: &dyn Exchange) -> PyResult<()> {
        let is_gone = self.state.with(py, |state| {
            state.answer = Progress::Complete;
            state.is_gone
        })?;
        if !is_gone {
            exchange.complete(py)?;
        }
        self.wake(py, Awaited::Message)
    }
}

/// What `http.response.zerocopysend` wants sent.
fn part(event: &Bound<'_, PyDict>) -> PyResult<FilePart> {
    let py = event.py();
    let number = |key: &Bound<'_, PyString>| number_or_none(event.get_item(key)?, key);
    let file = required(event, intern!(py, "file"))?;
    let (offset, count) = (
        number(intern!(py, "offset"))?,
        number(intern!(py, "count"))?,
    );
    file::by_descriptor(&file, offset, count)
}

/// A number that an application may leave out.
fn number_or_none(
    given: Option<Bound<'_, PyAny>>,
    key: &Bound<'_, PyString>,
) -> PyResult<Option<u64>> {
    let given = given.filter(|given| !given.is_none());
    let number = |given: Bound<'_, PyAny>| {
        given.extract::<u64>().map_err(|_| {
            let text = format!("'{key}' must be a number of bytes, not {given}");
            PyValueError::new_err(text)
        })
    };
    given.map(number).transpose()
}

/// Whether nothing follows a message of which so many keys were found: where it has no more, it is not asked for another.
fn last_beside(
    event: &Bound<'_, PyDict>,
    known: usize,
    more: &Bound<'_, PyString>,
) -> PyResult<Last> {
    if event.len() == known {
        return Ok(Last::Yes);
    }
    last(event, more)
}

/// Whether nothing follows a message: its key says that something does.
pub(super) fn last(event: &Bound<'_, PyDict>, more: &Bound<'_, PyString>) -> PyResult<Last> {
    let follows = event.get_item(more)?;
    let follows = follows.map_or(Ok(false), |given| given.is_truthy())?;
    Ok(if follows { Last::No } else { Last::Yes })
}

/// A body as `bytes`: a copy of what is none.
pub(super) fn content<'py>(body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    if body.is_instance_of::<PyByteArray>() || body.is_instance_of::<PyMemoryView>() {
        let copy = body.py().get_type::<PyBytes>().call1((body,))?;
        return Ok(copy.cast_into::<PyBytes>()?);
    }
    let name = body.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "'body' of 'http.response.body' must be bytes, not '{name}'"
    )))
}

/// Whether a message is of this type. Literals with a dot are not interned, so that they are other objects than ours.
pub(super) fn is(kind: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> bool {
    match kind.cast_exact::<PyString>() {
        // What has no UTF-8 is no type either.
        Ok(kind) => {
            kind.is(name)
                || kind
                    .to_str()
                    .is_ok_and(|kind| name.to_str().is_ok_and(|name| name == kind))
        }
        Err(_) => kind.eq(name).unwrap_or(false),
    }
}

pub(super) fn required<'py>(
    event: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    event
        .get_item(key)?
        .ok_or_else(|| PyValueError::new_err(format!("the ASGI message lacks '{key}': {event}")))
}

pub(super) fn unexpected(kind: &Bound<'_, PyAny>, when: &str) -> PyErr {
    PyRuntimeError::new_err(format!("unexpected ASGI message '{kind}' {when}"))
}
