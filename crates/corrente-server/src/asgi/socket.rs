//! One WebSocket of an ASGI application: `receive()`, `send()`, and in which order they may be called.
//!
//! Knows ASGI's messages (asgi.readthedocs.io, "HTTP & WebSocket", 2.5) and no frames: those are its [`Line`]'s. Key
//! invariant: the state is not borrowed while Python code runs.

use std::collections::VecDeque;
use std::sync::Arc;

use corrente_loop::Confined;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::answer::{Answer, Asked, Awaited};
use super::request::{ClientDisconnectedError, content, is, last, required, unexpected};
use super::waiting::{Waiting, wait, wake};
use crate::exchange::{Last, Line, Message};

/// What is closed without a code (RFC 6455, section 7.4.1).
const NO_CODE: u16 = 1005;

/// A WebSocket and what has become of it.
#[pyclass(frozen, name = "WebSocket", module = "corrente._native")]
pub(crate) struct WebSocket {
    event_loop: Py<PyAny>,
    state: Confined<State>,
}

struct State {
    line: Option<Arc<dyn Line>>,
    stage: Stage,
    /// Messages that the application has not asked for yet, as ASGI has them.
    messages: VecDeque<Received>,
    /// Bytes in them.
    held_bytes: usize,
    waiting: Waiting,
}

struct Received {
    message: Py<PyAny>,
    length: usize,
}

/// What waits for the application.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The application decides; `websocket.connect` is still to be told.
    New,
    /// The application decides.
    Connecting,
    /// The application answers with an HTTP response instead.
    Denied,
    Open,
    /// It is over; ASGI's code and reason.
    Closed(u16, String),
}

impl WebSocket {
    pub(crate) fn new(event_loop: Py<PyAny>, line: Arc<dyn Line>) -> Self {
        Self {
            event_loop,
            state: Confined::new(State {
                line: Some(line),
                stage: Stage::New,
                messages: VecDeque::new(),
                held_bytes: 0,
                waiting: Waiting::default(),
            }),
        }
    }

    pub(crate) fn stage(&self, py: Python<'_>) -> PyResult<Stage> {
        self.state.with(py, |state| state.stage.clone())
    }

    /// Whether messages wait for the application.
    pub(crate) fn has_messages(&self, py: Python<'_>) -> PyResult<bool> {
        self.state.with(py, |state| !state.messages.is_empty())
    }

    /// A message has come; gives back how much waits for the application. Once it is over none is kept: the client may not
    /// have heard of it yet.
    pub(crate) fn put(&self, py: Python<'_>, message: Message<'_>) -> PyResult<Waits> {
        if matches!(self.stage(py)?, Stage::Closed(..)) {
            let (bytes, messages) = (0, 0);
            return Ok(Waits { bytes, messages });
        }
        let event = PyDict::new(py);
        event.set_item(intern!(py, "type"), intern!(py, "websocket.receive"))?;
        let length = match message {
            Message::Text(text) => {
                event.set_item(intern!(py, "text"), text)?;
                text.len()
            }
            Message::Binary(bytes) => {
                event.set_item(intern!(py, "bytes"), PyBytes::new(py, bytes))?;
                bytes.len()
            }
        };
        let received = Received {
            message: event.into_any().unbind(),
            length,
        };
        let (waits, woken) = self.state.with(py, |state| {
            state.held_bytes += length;
            state.messages.push_back(received);
            let waits = Waits {
                bytes: state.held_bytes,
                messages: state.messages.len(),
            };
            (waits, state.waiting.take(Awaited::Message))
        })?;
        wake(py, woken)?;
        Ok(waits)
    }

    /// It is over: the client has closed it, or is gone.
    pub(crate) fn closed(&self, py: Python<'_>, code: Option<u16>, reason: &str) -> PyResult<()> {
        let (line, woken) = self.state.with(py, |state| {
            if !matches!(state.stage, Stage::Closed(..)) {
                state.stage = Stage::Closed(code.unwrap_or(NO_CODE), reason.to_owned());
            }
            let mut woken = state.waiting.take(Awaited::Message);
            woken.append(&mut state.waiting.take(Awaited::Room));
            (state.line.take(), woken)
        })?;
        drop(line);
        wake(py, woken)
    }

    /// The peer reads again what is written to it.
    pub(crate) fn room(&self, py: Python<'_>) -> PyResult<()> {
        let woken = self
            .state
            .with(py, |state| state.waiting.take(Awaited::Room))?;
        wake(py, woken)
    }

    /// What somebody waits for, if it is there: a message, or `None` for room.
    pub(super) fn poll(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Option<Py<PyAny>>> {
        match awaited {
            Awaited::Message => self.next_message(py),
            Awaited::Room => {
                let line = self.state.with(py, |state| state.line.clone())?;
                let is_full = line.is_some_and(|line| line.is_full(py));
                Ok((!is_full).then(|| py.None()))
            }
        }
    }

    /// A future that is done when it is worth to look again.
    pub(super) fn wait_for(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Py<PyAny>> {
        wait(&self.event_loop, py, awaited, |work| {
            self.state.with(py, |state| work(&mut state.waiting))
        })
    }

    fn next_message(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let (found, line) = self.state.with(py, |state| {
            if state.stage == Stage::New {
                state.stage = Stage::Connecting;
                return (Some(Found::Connect), None);
            }
            if let Some(received) = state.messages.pop_front() {
                state.held_bytes -= received.length;
                let is_drained = state.messages.is_empty();
                let line = is_drained.then(|| state.line.clone()).flatten();
                return (Some(Found::Message(received.message)), line);
            }
            match &state.stage {
                Stage::Closed(code, reason) => (Some(Found::Closed(*code, reason.clone())), None),
                _ => (None, None),
            }
        })?;
        if let Some(line) = line {
            line.want(py)?;
        }
        let event = PyDict::new(py);
        match found {
            None => return Ok(None),
            Some(Found::Message(message)) => return Ok(Some(message)),
            Some(Found::Connect) => {
                event.set_item(intern!(py, "type"), intern!(py, "websocket.connect"))?;
            }
            Some(Found::Closed(code, reason)) => {
                event.set_item(intern!(py, "type"), intern!(py, "websocket.disconnect"))?;
                event.set_item(intern!(py, "code"), code)?;
                event.set_item(intern!(py, "reason"), reason)?;
            }
        }
        Ok(Some(event.into_any().unbind()))
    }

    /// The application decides whether it accepts.
    fn decide(
        &self,
        event: &Bound<'_, PyDict>,
        kind: &Bound<'_, PyAny>,
        line: &dyn Line,
    ) -> PyResult<()> {
        let py = event.py();
        if is(kind, intern!(py, "websocket.accept")) {
            let subprotocol = event.get_item(intern!(py, "subprotocol"))?;
            let subprotocol = subprotocol.filter(|given| !given.is_none());
            let subprotocol = subprotocol
                .map(|given| given.extract::<String>())
                .transpose()?;
            let headers = event.get_item(intern!(py, "headers"))?;
            line.accept(py, subprotocol.as_deref(), headers.as_ref())?;
            return self.state.with(py, |state| state.stage = Stage::Open);
        }
        if is(kind, intern!(py, "websocket.close")) {
            line.head(py, 403, None, Last::Yes)?;
            line.body(py, &PyBytes::new(py, b""), Last::Yes)?;
            return self.over(py, 1006);
        }
        if is(kind, intern!(py, "websocket.http.response.start")) {
            let status = required(event, intern!(py, "status"))?.extract::<u16>()?;
            let headers = event.get_item(intern!(py, "headers"))?;
            line.head(py, status, headers.as_ref(), Last::Yes)?;
            return self.state.with(py, |state| state.stage = Stage::Denied);
        }
        Err(unexpected(kind, "before 'websocket.accept'"))
    }

    /// The response with which the application denies the WebSocket.
    fn deny(
        &self,
        event: &Bound<'_, PyDict>,
        kind: &Bound<'_, PyAny>,
        line: &dyn Line,
    ) -> PyResult<()> {
        let py = event.py();
        if !is(kind, intern!(py, "websocket.http.response.body")) {
            return Err(unexpected(kind, "after 'websocket.http.response.start'"));
        }
        let last = last(event, intern!(py, "more_body"))?;
        let body = match event.get_item(intern!(py, "body"))? {
            None => PyBytes::new(py, b""),
            Some(body) => content(&body)?,
        };
        if line.body(py, &body, last)? == Last::Yes {
            return self.over(py, 1006);
        }
        Ok(())
    }

    /// A message, or the end.
    fn talk<'py>(
        &self,
        event: &Bound<'py, PyDict>,
        kind: &Bound<'_, PyAny>,
        line: &dyn Line,
    ) -> PyResult<()> {
        let py = event.py();
        if is(kind, intern!(py, "websocket.send")) {
            let given = |key: &Bound<'py, PyString>| {
                let value = event.get_item(key)?;
                PyResult::Ok(value.filter(|value| !value.is_none()))
            };
            if let Some(bytes) = given(intern!(py, "bytes"))? {
                return line.message(py, Message::Binary(content(&bytes)?.as_bytes()));
            }
            if let Some(text) = given(intern!(py, "text"))? {
                let text = text.cast_into::<PyString>()?;
                return line.message(py, Message::Text(text.to_str()?));
            }
            let text = "'websocket.send' has neither 'bytes' nor 'text'";
            return Err(PyValueError::new_err(text));
        }
        if is(kind, intern!(py, "websocket.close")) {
            let code = event.get_item(intern!(py, "code"))?;
            let code = code.map_or(Ok(1000), |code| code.extract::<u16>())?;
            let reason = event.get_item(intern!(py, "reason"))?;
            let reason = reason.filter(|given| !given.is_none());
            let reason = reason.map_or(Ok(String::new()), |given| given.extract())?;
            line.close(py, code, &reason)?;
            return self.over(py, code);
        }
        Err(unexpected(kind, "after 'websocket.accept'"))
    }

    fn over(&self, py: Python<'_>, code: u16) -> PyResult<()> {
        let line = self.state.with(py, |state| {
            state.stage = Stage::Closed(code, String::new());
            state.line.take()
        })?;
        if let Some(line) = line {
            line.complete(py)?;
        }
        self.closed(py, Some(code), "")
    }
}

/// What `receive()` can give.
enum Found {
    Connect,
    Message(Py<PyAny>),
    Closed(u16, String),
}

#[pymethods]
impl WebSocket {
    /// ASGI's `receive()`.
    fn receive(slf: Py<Self>, py: Python<'_>) -> PyResult<Py<Answer>> {
        // Nothing is taken yet: who calls may be cancelled before it awaits.
        Answer::waits(py, Asked::Socket(slf), Awaited::Message)
    }

    /// ASGI's `send(message)`.
    fn send(slf: Py<Self>, message: &Bound<'_, PyAny>) -> PyResult<Py<Answer>> {
        let py = message.py();
        let this = slf.get();
        let event = message.cast::<PyDict>()?;
        let kind = required(event, intern!(py, "type"))?;
        let (stage, line) = this
            .state
            .with(py, |state| (state.stage.clone(), state.line.clone()))?;
        let Some(line) = line else {
            let text = format!("the WebSocket is closed; '{kind}' reaches nobody");
            return Err(ClientDisconnectedError::new_err(text));
        };
        match stage {
            Stage::New | Stage::Connecting => this.decide(event, &kind, &*line)?,
            Stage::Denied => this.deny(event, &kind, &*line)?,
            Stage::Open | Stage::Closed(..) => this.talk(event, &kind, &*line)?,
        }
        if line.is_full(py) {
            return Answer::waits(py, Asked::Socket(slf), Awaited::Room);
        }
        Answer::done(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        let shown = self.state.peek(|state| {
            let mut messages = state.messages.iter();
            messages.try_for_each(|received| visit.call(&received.message))?;
            state.waiting.show(&visit)
        });
        shown.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let before = self.state.peek(|state| {
            let waiting = std::mem::take(&mut state.waiting);
            (waiting, std::mem::take(&mut state.messages))
        });
        drop(before);
    }
}
