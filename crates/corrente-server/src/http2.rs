//! A connection of HTTP/2 (RFC 9113): bytes in, requests on streams to the application, bytes out.
//!
//! Frames, windows and floods are `corrente_http::http2`'s. A [`Stream`] carries one request as a connection of HTTP/1.1
//! does, so applications are called by the same code. What the application has not taken of a body is not given back
//! to the client's window; what the client's window does not take stays in the stream, whose application waits.
//!
//! Must not know ASGI's messages nor WSGI's environment. Key invariant: no state is borrowed while Python code runs.

mod answering;
mod carrying;
mod incoming;
mod life;
mod pouring;
mod sending;
mod talking;

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use corrente_http::Method;
use corrente_http::http2::{Connection, Reply, StreamId};
use corrente_loop::Confined;
use corrente_loop::native::Transport;
use pyo3::prelude::*;

use crate::application::{Beginning, Handler, Templates};
use crate::field::Field;
use crate::shared::Shared;
use crate::trace::Trace;

pub(crate) use self::life::Second;
use self::pouring::Pouring;
use self::talking::Talk;

/// A connection. Its streams refer to it, and so does its protocol.
pub(crate) struct Session {
    number: u64,
    me: Weak<Self>,
    shared: Arc<Shared>,
    state: Confined<State>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that the client, the transport or the server has said"
)]
struct State {
    /// Nothing before it has begun and after it was lost.
    transport: Option<Transport>,
    template: Option<Arc<Templates>>,
    connection: Connection,
    /// Those whose requests are not answered yet.
    streams: HashMap<StreamId, Arc<Stream>>,
    /// Streams whose applications are called when nothing more of their bodies is here.
    due: Vec<Arc<Stream>>,
    stage: Stage,
    /// The transport has more to write than it likes.
    is_full: bool,
    is_reading_paused: bool,
    /// When the client has been waited for long enough, by the loop's clock in seconds.
    deadline: f64,
    /// The deadline is that of a head.
    is_in_head: bool,
    /// No new requests are taken.
    is_leaving: bool,
    /// A callback is on its way that looks at what is new.
    is_resuming: bool,
    unread: life::Unread,
    counts: Counts,
    /// The request that was begun last, where stalls are told.
    name: Option<String>,
}

/// What a connection is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing: the next thing is up to the client or to an application.
    Rests,
    /// It looks at what has come; what is answered meanwhile is written at the end.
    Works,
    /// What still comes is of no interest.
    Ends,
}

/// What the client has done so far.
#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    /// Requests that it took back.
    resets: u64,
}

/// A request and its answer.
pub(crate) struct Stream {
    id: StreamId,
    session: Arc<Session>,
    state: Confined<StreamState>,
}

struct StreamState {
    /// Until the request is answered or given up.
    handler: Option<Handler>,
    /// Until the application is called.
    beginning: Option<Beginning>,
    /// Kept here, since a loop keeps its tasks weakly.
    task: Option<Py<PyAny>>,
    reply: Reply,
    /// The head of the response, until the first part of its body is known.
    head: Option<Waiting>,
    /// Trailers follow the body of the response.
    has_trailers: bool,
    /// Those that are there, while more are to come.
    trailers: Vec<Field>,
    body: Body,
    /// The file that is being sent.
    pouring: Option<Pouring>,
    /// The WebSocket that the client asked for.
    talk: Option<Box<Talk>>,
    /// What is remembered of the request.
    trace: Option<Box<Trace>>,
    /// Its id, where requests have one.
    request_id: Option<String>,
    /// When the client has been waited for long enough, by the loop's clock in seconds.
    deadline: f64,
}

/// A head that waits for its body.
struct Waiting {
    status: u16,
    fields: Vec<Field>,
}

/// How far the body of the request has come.
#[derive(Debug)]
struct Body {
    is_whole: bool,
    /// The client keeps it back until it is told `100 Continue`.
    is_held_back: bool,
    /// Bytes so far.
    length: u64,
    /// Bytes that the application has not taken.
    untaken: usize,
    /// Bytes that have come since the client had the whole time for more.
    pace: u64,
    /// Seconds that the client has for more, once the application has taken what has come.
    left_s: f64,
}

impl Session {
    fn with<R>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> R) -> PyResult<R> {
        self.state.with(py, work)
    }

    fn transport(&self, py: Python<'_>) -> PyResult<Option<Transport>> {
        self.with(py, |state| {
            let transport = state.transport.as_ref();
            transport.map(|transport| transport.clone_ref(py))
        })
    }

    fn stream(&self, py: Python<'_>, id: StreamId) -> PyResult<Option<Arc<Stream>>> {
        self.with(py, |state| state.streams.get(&id).cloned())
    }

    fn streams(&self, py: Python<'_>) -> PyResult<Vec<Arc<Stream>>> {
        self.with(py, |state| state.streams.values().cloned().collect())
    }
}

impl Stream {
    fn new(session: &Arc<Session>, id: StreamId, method: Method) -> Arc<Self> {
        Arc::new(Self {
            id,
            session: Arc::clone(session),
            state: Confined::new(StreamState {
                handler: None,
                beginning: None,
                task: None,
                reply: Reply::new(method),
                head: None,
                has_trailers: false,
                trailers: Vec::new(),
                body: Body {
                    is_whole: true,
                    is_held_back: false,
                    length: 0,
                    untaken: 0,
                    pace: 0,
                    left_s: 0.0,
                },
                pouring: None,
                talk: None,
                trace: None,
                request_id: None,
                deadline: f64::INFINITY,
            }),
        })
    }

    fn with<R>(&self, py: Python<'_>, work: impl FnOnce(&mut StreamState) -> R) -> PyResult<R> {
        self.state.with(py, work)
    }

    fn handler(&self, py: Python<'_>) -> PyResult<Option<Handler>> {
        self.with(py, |state| {
            let handler = state.handler.as_ref();
            handler.map(|handler| handler.clone_ref(py))
        })
    }
}
