//! A stream socket and its protocol: TCP and Unix connections.
//!
//! `corrente._transports.StreamTransport` is this class with what is rarely needed added in Python. The
//! order of calls, the words of errors and the life cycle are those of asyncio's
//! `_SelectorSocketTransport`: `connection_made`, then reading starts, `connection_lost` exactly once and
//! from the loop. `reading` (with `feeding`) and `writing` (with `passing`) move the bytes, `methods` are what Python calls.
//!
//! Key invariant: the stream's state is not borrowed while the protocol runs.

pub(super) mod feeding;
pub(super) mod methods;
mod passing;
mod queue;
mod reading;
pub(super) mod writing;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use corrente_driver::socket::{Push, Sequel};
use corrente_driver::{Descriptor, socket};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

use self::queue::Queue;
use super::flow::{Flow, Signal};
use super::tls::Session;
use crate::event_loop::Loop;
use crate::ffi::bytes::call_method_one;
use crate::ffi::class::{Carried, Class};
use crate::ffi::confined::Confined;
use crate::ffi::context::{copy, copy_current, within};
use crate::memory::Room;
use crate::metrics::Metrics;
use crate::watched::{Side, Target};
pub(crate) use passing::{Behind, pass, pass_file};

static STREAM: Class<Stream> = Class::new();

/// Adds the class to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let base = module
        .py()
        .import("asyncio.transports")?
        // A `Transport`; asyncio's `sendfile` asks for this one.
        .getattr("_FlowControlMixin")?;
    let base = base.cast_into::<PyType>()?;
    let class = STREAM.create(&base, c"corrente._native.Stream", &methods::METHODS)?;
    module.add("Stream", class)
}

/// What a stream transport carries.
#[derive(Debug)]
pub(crate) struct Stream {
    event_loop: Py<Loop>,
    descriptor: Descriptor,
    /// Who is at the other end, of a connection that the loop has accepted.
    peer: Option<SocketAddr>,
    transmission: Transmission,
    /// Somebody may decide himself when segments are sent (`TCP_CORK`).
    may_be_corked: AtomicBool,
    state: Confined<State>,
}

/// What the kernel does with bytes that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transmission {
    /// It sends segments, and can be told that more follows.
    Tcp,
    /// It hands them over.
    Other,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // One that nobody has closed; else `_finish` has taken the protocol, and has counted.
        if self.state.peek(|state| state.protocol.is_some()) == Some(true) {
            self.metrics().lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
struct State {
    protocol: Option<Py<PyAny>>,
    delivery: Delivery,
    /// What encrypts and decrypts, on a secured connection.
    session: Option<Py<Session>>,
    life: Life,
    reading: Reading,
    writing: Writing,
    pending: Pending,
    outgoing: Queue,
    flow: Flow,
    /// Writes after the connection was lost.
    ignored: u32,
    /// A future that waits until all is written (`sendfile`).
    drained: Option<Py<PyAny>>,
    contexts: Contexts,
    /// Where the next read goes.
    room: Room,
    /// Whom the peer was connected to, of a connection that was accepted and has ended.
    local: Option<Box<SocketAddr>>,
}

/// The contexts (PEP 567) that the sides are served in: those in which the loop was last told to watch them.
#[derive(Debug, Default)]
struct Contexts {
    read: Option<Py<PyAny>>,
    write: Option<Py<PyAny>>,
}

impl Contexts {
    fn of(&mut self, side: Side) -> &mut Option<Py<PyAny>> {
        match side {
            Side::Read => &mut self.read,
            Side::Write => &mut self.write,
        }
    }
}

/// How the protocol takes what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Delivery {
    /// `data_received(bytes)`.
    #[default]
    Data,
    /// `get_buffer(size)`, `buffer_updated(size)`.
    Buffer,
    /// Straight into the buffer of an `asyncio.StreamReader`.
    Reader,
    /// To a protocol in Rust, where it lies.
    Native,
}

/// How far the connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    /// `close()` was called, and something is still to be written.
    Closing,
    /// `connection_lost()` is scheduled or was called.
    Lost,
}

/// The reading side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    On,
    /// By the protocol.
    Paused,
    /// The peer has ended its side, and the protocol keeps the other one open.
    Ended,
}

/// The writing side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// `write_eof()` was called.
    Ended,
}

/// When what waits in `outgoing` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    /// Nothing waits.
    Nothing,
    /// When the callback that is running returns: what else it writes goes with it.
    Callback,
    /// When the socket takes more.
    Socket,
}

impl Carried for Stream {
    fn class() -> &'static Class<Self> {
        &STREAM
    }

    fn referred(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        show(self.event_loop.as_any());
        // Lent: it is in use, and so nobody's garbage.
        let _shown = self.state.peek(|state| {
            let contexts = state.contexts.read.iter().chain(&state.contexts.write);
            let others = state.protocol.iter().chain(&state.drained);
            others.chain(contexts).for_each(&mut *show);
            state.session.iter().for_each(|one| show(one.as_any()));
        });
    }
}

/// Whether an object is a stream of ours.
pub(crate) fn is_one(transport: &Bound<'_, PyAny>) -> bool {
    STREAM.get(transport).is_ok()
}

/// Whether a stream is closing or closed.
pub(crate) fn is_ending(transport: &Bound<'_, PyAny>) -> PyResult<bool> {
    methods::is_ending(transport)
}

/// What is known of a stream on which nothing is going on.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) event_loop: Py<Loop>,
    pub(crate) peer: SocketAddr,
    /// The one that it is read in.
    pub(crate) context: Option<Py<PyAny>>,
}

/// A stream that was accepted on an internet address, reads, and has nothing else to do; `None` for any other.
pub(crate) fn idle(transport: &Bound<'_, PyAny>) -> PyResult<Option<Idle>> {
    let (py, stream) = (transport.py(), STREAM.get(transport)?);
    let found = stream.with(py, |state| {
        let context = state.contexts.read.as_ref();
        let context = context.map(|context| context.clone_ref(py));
        state.is_idle().then_some(context)
    })?;
    Ok(stream.peer.zip(found).map(|(peer, context)| Idle {
        event_loop: stream.event_loop.clone_ref(py),
        peer,
        context,
    }))
}

/// The addresses of the peer and of this end, of a stream that was accepted on an internet address.
pub(crate) fn addresses(
    transport: &Bound<'_, PyAny>,
) -> PyResult<Option<(SocketAddr, SocketAddr)>> {
    let stream = STREAM.get(transport)?;
    let local = stream
        .peer
        .and_then(|_| socket::local_address(stream.descriptor));
    Ok(stream.peer.zip(local))
}

impl State {
    fn is_idle(&self) -> bool {
        self.life == Life::Open
            && self.reading == Reading::On
            && self.writing == Writing::Open
            && self.pending == Pending::Nothing
            && self.outgoing.is_empty()
            && self.flow == Flow::default()
            && self.session.is_none()
            && self.drained.is_none()
    }
}

/// How a stream began.
#[derive(Debug)]
pub(crate) struct Begun {
    /// What `connection_made()` raised.
    pub(crate) told: PyResult<()>,
    /// Whether it is read.
    pub(crate) reads: PyResult<()>,
}

/// Calls `connection_made()`, then reads, whatever that raised: each in a copy of its own of the context that it was made in.
pub(crate) fn begin(transport: &Bound<'_, PyAny>) -> PyResult<Begun> {
    let (py, stream) = (transport.py(), STREAM.get(transport)?);
    let (protocol, context) = stream.with(py, |state| {
        let clone = |one: Option<&Py<PyAny>>| one.map(|one| one.clone_ref(py));
        let protocol = clone(state.protocol.as_ref());
        (protocol, clone(state.contexts.read.as_ref()))
    })?;
    let Some((protocol, context)) = protocol.zip(context) else {
        return Ok(Begun {
            told: Ok(()),
            reads: Ok(()),
        });
    };
    let made = || call_method_one(protocol.bind(py), intern!(py, "connection_made"), transport);
    let told = copy(context.bind(py)).and_then(|copy| within(&copy, made).map(drop));
    let before = stream.with(py, |state| state.contexts.read.replace(context))?;
    drop(before);
    let reads = if stream.with(py, |state| state.is_reading())? {
        stream.watch_within(transport, Side::Read)
    } else {
        Ok(())
    };
    Ok(Begun { told, reads })
}

/// A stream that the loop watches is ready on one side.
pub(crate) fn ready(transport: &Bound<'_, PyAny>, side: Side) -> PyResult<()> {
    // Gone since the loop was told.
    let Ok(stream) = STREAM.get(transport) else {
        return Ok(());
    };
    let py = transport.py();
    let context = stream.with(py, |state| {
        let context = state.contexts.of(side).as_ref();
        context.map(|context| context.clone_ref(py))
    })?;
    let serve = || match side {
        Side::Read => reading::ready(transport, stream),
        Side::Write => writing::ready(transport, stream).and_then(|()| refill(py, stream)),
    };
    match context {
        // Bound, so that it is given up without asking whether the thread is attached.
        Some(context) => within(&context.into_bound(py), serve),
        None => serve(),
    }
}

/// The callback that wrote to a stream has returned.
pub(crate) fn flush(transport: &Bound<'_, PyAny>) -> PyResult<()> {
    match STREAM.get(transport) {
        Ok(stream) => {
            if let Some(session) = stream.session(transport.py())? {
                session.bind(transport.py()).get().flush(transport.py())?;
            }
            writing::flush(transport, stream)
        }
        // Gone meanwhile.
        Err(_) => Ok(()),
    }
}

/// The socket has taken everything: a session may have more.
fn refill(py: Python<'_>, stream: &Stream) -> PyResult<()> {
    let is_free = stream.with(py, |state| state.pending == Pending::Nothing)?;
    match stream.session(py)?.filter(|_| is_free) {
        Some(session) => session.bind(py).get().flush(py),
        None => Ok(()),
    }
}

/// Whether nothing more should be encrypted for a stream: it is lost, or something waits for its socket.
pub(super) fn is_blocked(transport: &Bound<'_, PyAny>) -> PyResult<bool> {
    STREAM.get(transport)?.with(transport.py(), |state| {
        state.life == Life::Lost || state.pending == Pending::Socket
    })
}

/// Has what a TLS session was given to write flushed when the callback that is running returns; `false` where
/// none is running.
pub(super) fn gather(transport: &Bound<'_, PyAny>) -> PyResult<bool> {
    let event_loop = STREAM.get(transport)?.event_loop.get();
    let is_in_callback = event_loop.is_in_callback();
    if is_in_callback {
        event_loop.will_flush(transport)?;
    }
    Ok(is_in_callback)
}

impl Stream {
    fn with<R>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> R) -> PyResult<R> {
        self.state.with(py, work)
    }

    fn metrics(&self) -> &Metrics {
        &self.event_loop.get().metrics
    }

    /// What follows, if something is sent now.
    #[inline]
    fn sequel(&self) -> Sequel {
        match self.transmission {
            Transmission::Tcp => self.event_loop.get().held.sequel(),
            Transmission::Other => Sequel::Nothing,
        }
    }

    /// Something was sent; where more was to follow, the loop sees to it that it does not wait for long.
    #[inline]
    fn wrote(&self, py: Python<'_>, sequel: Sequel) -> PyResult<()> {
        match sequel {
            Sequel::Nothing => Ok(()),
            Sequel::More => {
                let push = if self.may_be_corked.load(Ordering::Relaxed) {
                    Push::UnlessCorked
                } else {
                    Push::Plainly
                };
                self.event_loop.get().held.add(py, self.descriptor, push)
            }
        }
    }

    fn session(&self, py: Python<'_>) -> PyResult<Option<Py<Session>>> {
        self.with(py, |state| {
            let session = state.session.as_ref();
            session.map(|session| session.clone_ref(py))
        })
    }

    /// Has the loop watch one side, which is served in a copy of the current context.
    fn watch(&self, transport: &Bound<'_, PyAny>, side: Side) -> PyResult<()> {
        let py = transport.py();
        let context = copy_current(py)?.unbind();
        drop(self.with(py, |state| state.contexts.of(side).replace(context))?);
        self.watch_within(transport, side)
    }

    /// The same in the context that is there already.
    fn watch_within(&self, transport: &Bound<'_, PyAny>, side: Side) -> PyResult<()> {
        let target = Target::Stream(transport.clone().unbind());
        let py = transport.py();
        let before = self
            .event_loop
            .get()
            .watch(py, self.descriptor, side, Some(target))?;
        drop(before);
        Ok(())
    }

    /// Has the loop watch one side no more. It still knows a stream that is open.
    fn unwatch(&self, transport: &Bound<'_, PyAny>, side: Side) -> PyResult<()> {
        let (py, event_loop) = (transport.py(), self.event_loop.get());
        if event_loop.is_closed() {
            return Ok(());
        }
        let before = event_loop.watch(py, self.descriptor, side, None)?;
        drop(before);
        if self.with(py, |state| state.life == Life::Open)? {
            event_loop.remember_stream(transport, self.descriptor)?;
        }
        Ok(())
    }

    /// Debug mode: asyncio's logger is told what happens.
    fn tell_debug(&self, transport: &Bound<'_, PyAny>, what: &str) -> PyResult<()> {
        if !self.event_loop.get().is_debug() {
            return Ok(());
        }
        let tell = intern!(transport.py(), "_tell_debug");
        transport.call_method1(tell, (what,)).map(drop)
    }

    /// Schedules `connection_lost`.
    fn lose(
        &self,
        transport: &Bound<'_, PyAny>,
        exception: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = transport.py();
        let lost = transport.getattr(intern!(py, "_call_connection_lost"))?;
        let event_loop = self.event_loop.bind(py);
        event_loop
            .call_method1(intern!(py, "call_soon"), (lost, exception))
            .map(drop)
    }

    /// Tells the protocol what flow control found; its exceptions are for the loop's handler.
    fn signal(&self, transport: &Bound<'_, PyAny>, signal: Signal) -> PyResult<()> {
        let py = transport.py();
        let name = match signal {
            Signal::Nothing => return Ok(()),
            Signal::Pause => intern!(py, "pause_writing"),
            Signal::Resume => intern!(py, "resume_writing"),
        };
        let protocol = self.with(py, |state| {
            state.protocol.as_ref().map(|one| one.clone_ref(py))
        })?;
        let Some(protocol) = protocol else {
            return Ok(());
        };
        match protocol.call_method0(py, name) {
            Err(error) if !ends_program(py, &error) => {
                let report = intern!(py, "_protocol_failed");
                transport
                    .call_method1(report, (name, error.into_value(py)))
                    .map(drop)
            }
            other => other.map(drop),
        }
    }
}

/// `SystemExit` and `KeyboardInterrupt` leave the loop, from wherever they are raised.
pub(super) fn ends_program(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<pyo3::exceptions::PySystemExit>(py)
        || error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py)
}

/// Ends a connection that cannot go on, in asyncio's words.
fn fatal(transport: &Bound<'_, PyAny>, error: PyErr, message: &str) -> PyResult<()> {
    let py = transport.py();
    if ends_program(py, &error) {
        return Err(error);
    }
    let name = intern!(py, "_fatal_error");
    transport
        .call_method1(name, (error.into_value(py), message))
        .map(drop)
}
