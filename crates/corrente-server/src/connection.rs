//! An HTTP/1.1 connection: bytes in, requests to the application, bytes out.
//!
//! One request is answered at a time; what follows it (pipelining) waits in memory, and once that is much, in the
//! kernel. Everything happens on the loop's thread, most requests within one call of `received`: decoded, started,
//! answered and, when nothing more can be decoded, written in one piece.
//!
//! Must not know ASGI's messages nor WSGI's environment. Key invariant: the state is not borrowed while Python code
//! runs, and the decoder is lent out whole while it works.

mod answering;
mod carrying;
pub(crate) mod heads;
mod incoming;
pub(crate) mod life;
mod output;
mod pouring;
mod preface;
pub(crate) mod resting;
mod sending;
mod talking;
mod tracing;

use std::sync::{Arc, Weak};

use corrente_http::h1::Decoder;
use corrente_http::http2::Preface;
use corrente_loop::Confined;
use corrente_loop::native::{Flow, Protocol, Transport};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use self::life::Unread;
use self::output::Output;
use self::pouring::Pouring;
use self::preface::Opening;
use self::resting::Memory;
use crate::application::{Beginning, Handler, Templates};
use crate::shared::{Client, Shared};
use crate::talk::Socket;
use crate::trace::Trace;

/// A connection. Requests that are going on refer to it, and so does its protocol.
pub(crate) struct Connection {
    number: u64,
    me: Weak<Self>,
    pub(crate) shared: Arc<Shared>,
    state: Confined<State>,
}

struct State {
    /// Nothing before `made` and after `lost`.
    transport: Option<Transport>,
    template: Option<Arc<Templates>>,
    /// Lent out while it works.
    decoder: Option<Box<Decoder>>,
    /// What has come and is not decoded: a part of a head, or what is behind the request that is answered.
    held: Vec<u8>,
    current: Option<Current>,
    /// The WebSocket that the client asked for. Most ask for none, and need no room for one.
    socket: Option<Box<Socket>>,
    output: Output,
    /// The file that is being sent.
    pouring: Option<Box<Pouring>>,
    stage: Stage,
    /// The transport has more to write than it likes.
    is_full: bool,
    is_reading_paused: bool,
    /// The client has ended its side, and waits for answers to what it had sent.
    is_half_closed: bool,
    /// When the client has been waited for long enough, by the loop's clock in seconds.
    deadline: f64,
    awaits: Awaits,
    /// Bytes of a body that have come since its deadline was set.
    pace: u64,
    /// Requests so far.
    requests: u64,
    past: Past,
    /// How long nothing is said before it may rest, in seconds.
    patience: f32,
    /// The client may still be sending when the connection ends.
    parting: Parting,
    unread: Unread,
    /// What has to come before the first request.
    opening: Opening,
    /// What is remembered of the request that is answered.
    trace: Option<Box<Trace>>,
    /// Its id, where requests have one.
    request_id: Option<String>,
    /// The request that was begun last, where stalls are told.
    name: Option<String>,
}

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Head,
    Body,
    Other,
}

/// Whether a connection has had a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    New,
    Used,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parting {
    /// When all is written.
    Plain,
    /// What still comes is read and dropped for a while: were it not, the kernel would reset the connection, and the
    /// client could lose the answer (RFC 9112, section 9.6).
    Lingering,
}

/// What a connection is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing: the next thing is up to the client or to the application.
    Rests,
    /// It decodes and starts what it finds; what is answered meanwhile is written at the end.
    Works,
    /// What still comes is of no interest: the connection ends when all is written.
    Ends,
}

/// The request that is answered now.
struct Current {
    handler: Handler,
    /// Until the application is called.
    beginning: Option<Beginning>,
    /// Kept here, since a loop keeps its tasks weakly.
    task: Option<Py<PyAny>>,
    body: Body,
    /// The client keeps its body back until it is told `100 Continue`.
    is_held_back: bool,
    /// The response is complete.
    is_answered: bool,
    /// Bytes of the body that came after that.
    ignored: u64,
}

/// How far the body of the request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Coming,
    Whole,
}

/// The connection as its transport's protocol.
pub(crate) struct First(Arc<Connection>);

impl First {
    /// For a new connection.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::new_cyclic(|me| Connection {
            number: shared.number(),
            me: Weak::clone(me),
            shared: Arc::clone(shared),
            state: Confined::new(State::new(shared)),
        }))
    }

    /// The connection, as its server knows it.
    pub(crate) fn client(&self) -> Weak<dyn Client> {
        self.0.me.clone()
    }

    /// For one that has rested.
    pub(crate) fn again(shared: &Arc<Shared>, memory: &Memory) -> Self {
        Self(Arc::new_cyclic(|me| Connection {
            number: memory.number,
            me: Weak::clone(me),
            shared: Arc::clone(shared),
            state: Confined::new(State {
                past: Past::Used,
                requests: memory.requests.into(),
                patience: memory.patience,
                // Something has come, or it would rest on.
                awaits: Awaits::Head,
                ..State::new(shared)
            }),
        }))
    }

    /// Whether it has had a request.
    pub(crate) fn was_used(&self, py: Python<'_>) -> PyResult<bool> {
        self.0.with(py, |state| state.past == Past::Used)
    }

    /// Whether what has come is the beginning of HTTP/2, and all of it; while it may become that, it is kept.
    pub(crate) fn preface(&self, py: Python<'_>, content: &[u8]) -> PyResult<(Preface, Vec<u8>)> {
        let found = self.0.with(py, |state| {
            let all = [&state.held[..], content].concat();
            let preface = Preface::of(&all);
            match preface {
                Preface::NeedMore => state.held.extend_from_slice(content),
                Preface::Http2 => state.held.clear(),
                Preface::Other => {}
            }
            (preface, all)
        })?;
        if found.0 == Preface::NeedMore {
            self.0.wait_for_client(py)?;
        }
        Ok(found)
    }

    /// Whether the PROXY protocol's header may come before anything else.
    pub(crate) fn awaits_header(&self, py: Python<'_>) -> PyResult<bool> {
        self.0.with(py, |state| state.opening != Opening::Request)
    }

    /// Reads that header; gives back what is behind it, once it is whole.
    pub(crate) fn header(&self, py: Python<'_>, content: &[u8]) -> PyResult<Option<Vec<u8>>> {
        preface::header(&self.0, py, content)
    }

    /// It is no connection of HTTP/1.1; gives back what is known of it.
    pub(crate) fn give_up(&self, py: Python<'_>) -> PyResult<Option<(Transport, Arc<Templates>)>> {
        let template = self.0.with(py, |state| state.template.clone())?;
        let transport = self.0.transport(py)?;
        life::end(&self.0, py)?;
        Ok(transport.zip(template))
    }
}

impl State {
    fn new(shared: &Shared) -> Self {
        Self {
            transport: None,
            template: None,
            decoder: Some(Box::new(Decoder::new(shared.limits))),
            held: Vec::new(),
            current: None,
            socket: None,
            output: Output::default(),
            pouring: None,
            stage: Stage::Rests,
            is_full: false,
            is_reading_paused: false,
            is_half_closed: false,
            deadline: f64::INFINITY,
            awaits: Awaits::Other,
            pace: 0,
            requests: 0,
            past: Past::New,
            patience: shared.times.rest.as_secs_f32(),
            parting: Parting::Plain,
            unread: Unread::default(),
            opening: Opening::Request,
            trace: None,
            request_id: None,
            name: None,
        }
    }
}

impl Connection {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    fn with<R>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> R) -> PyResult<R> {
        self.state.with(py, work)
    }

    fn transport(&self, py: Python<'_>) -> PyResult<Option<Transport>> {
        self.with(py, |state| {
            let transport = state.transport.as_ref();
            transport.map(|transport| transport.clone_ref(py))
        })
    }

    /// The request that is answered now.
    fn handler(&self, py: Python<'_>) -> PyResult<Option<Handler>> {
        self.with(py, |state| {
            let current = state.current.as_ref();
            current.map(|current| current.handler.clone_ref(py))
        })
    }
}

impl Protocol for First {
    fn made(&self, py: Python<'_>, transport: Transport) -> PyResult<()> {
        life::begin(&self.0, py, transport)
    }

    fn received(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        incoming::received(&self.0, py, content)
    }

    fn received_lent(&self, py: Python<'_>, content: &mut [u8]) -> PyResult<()> {
        incoming::received_lent(&self.0, py, content)
    }

    fn received_object(&self, py: Python<'_>, content: &Bound<'_, PyBytes>) -> PyResult<()> {
        incoming::received_object(&self.0, py, content)
    }

    fn keeps(&self, py: Python<'_>) -> usize {
        incoming::keeps(&self.0, py)
    }

    fn ended(&self, py: Python<'_>) -> PyResult<bool> {
        life::half_closed(&self.0, py)
    }

    fn lost(&self, py: Python<'_>, _exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        life::end(&self.0, py)
    }

    fn flow(&self, py: Python<'_>, flow: Flow) -> PyResult<()> {
        self.0
            .with(py, |state| state.is_full = flow == Flow::Paused)?;
        if flow == Flow::Paused {
            return Ok(());
        }
        self.0.pour(py)?;
        self.0.hear_again(py)?;
        match self.0.handler(py)? {
            Some(handler) if !self.0.is_pouring(py)? => self.0.carrier().has_room(py, &handler),
            _ => Ok(()),
        }
    }

    fn request(&self, py: Python<'_>) -> Option<String> {
        let name = self.0.with(py, |state| state.name.clone());
        name.ok().flatten()
    }

    fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        // A request refers to the connection too, unseen by the collector: what is shown must be its only owner's. Else
        // a connection that reads nothing just now, and so is known to nobody else, would be taken for garbage.
        if Arc::strong_count(&self.0) > 1 {
            return;
        }
        let _shown = self.0.state.peek(|state| {
            state
                .transport
                .iter()
                .for_each(|transport| show(transport.object()));
            if let Some(socket) = &state.socket {
                show(socket.handler.as_any());
            }
            if let Some(current) = &state.current {
                show(current.handler.object());
                current.task.iter().for_each(&mut *show);
            }
        });
    }

    fn clear(&self) {
        let before = self.0.state.peek(|state| {
            let current = (state.current.take(), state.socket.take());
            (state.transport.take(), current)
        });
        drop(before);
    }
}
