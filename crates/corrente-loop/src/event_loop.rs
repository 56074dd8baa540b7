//! The loop: what Python calls to schedule, to watch descriptors, and to run.
//!
//! `corrente.EventLoop` (python/corrente/_loop.py) is this class and asyncio's own loop in one; this one comes
//! first. Hot methods are in `hot`, the turn of the loop in `turn`, the rest here.
//!
//! Key invariant: the state is never borrowed while Python code runs, so a callback may call any method.

mod held;
mod hot;
mod measures;
mod sockets;
mod stall;
mod streams;
mod turn;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::Arc;

use corrente_driver::epoll::Epoll;
use corrente_driver::histogram::Counter;
use corrente_driver::watchdog::Budget;
use corrente_driver::{Descriptor, Driver};
use pyo3::CastError;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyTuple};

use self::held::Held;
use crate::address::{self, Hints};
use crate::datagrams::Datagrams;
use crate::error::os_error;
use crate::ffi::confined::Confined;
use crate::ffi::handle;
use crate::ffi::heap;
use crate::ffi::known::Known;
use crate::ffi::method::Method;
use crate::inbox::{Flag, Inbox};
use crate::metrics::Metrics;
use crate::network::{self, Accepting};
use crate::operation;
use crate::state::{Job, State};
use crate::watch::{self, Guard};
use crate::watched::{Change, Side, Span, Target};

/// The native half of an event loop.
#[pyclass(subclass, frozen, weakref, name = "Loop", module = "corrente._native")]
#[derive(Debug)]
pub struct Loop {
    pub(crate) state: Confined<State>,
    pub(crate) inbox: Inbox,
    pub(crate) metrics: Metrics,
    /// Bytes that were read for tasks, which answer in the next turn.
    pub(crate) unanswered: Counter,
    pub(crate) held: Held,
    pub(crate) guard: Guard,
    pub(crate) datagrams: Confined<Datagrams>,
    pub(crate) accepting: Confined<Accepting>,
    /// Stalls that may be told of.
    tellings: Confined<Budget>,
    /// `{"loop": self}`, which futures and tasks are made with: made once, given up when the loop is closed.
    named: Confined<Option<Py<PyDict>>>,
}

/// `corrente.EventLoop`, mostly.
static USUAL: Known = Known::new();

/// A loop of ours.
///
/// # Errors
///
/// Where it is none.
#[inline]
pub(crate) fn own<'a, 'py>(
    object: &'a Bound<'py, PyAny>,
) -> Result<&'a Bound<'py, Loop>, CastError<'a, 'py>> {
    USUAL.cast(object)
}

/// Adds the class to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<Loop>();
    Method::attach(&hot::METHODS, &class)?;
    Method::attach(&measures::METHODS, &class)?;
    Method::attach(&streams::METHODS, &class)?;
    Method::attach(&operation::METHODS, &class)?;
    Method::attach(&network::METHODS, &class)?;
    module.add("Loop", class)
}

impl Loop {
    pub(crate) fn is_debug(&self) -> bool {
        self.inbox.is(Flag::Debug)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inbox.is(Flag::Closed)
    }

    /// Whether a stall of so many seconds may be told of, though nobody has seen what it was.
    fn may_tell(&self, py: Python<'_>, now: f64, seconds: f64) -> PyResult<bool> {
        self.tellings.with(py, |budget| budget.allows(now, seconds))
    }

    /// Whether the calling thread runs one of this loop's callbacks.
    pub(crate) fn is_in_callback(&self) -> bool {
        self.inbox.is_here()
    }

    /// A stream has something to write when the callback returns.
    pub(crate) fn will_flush(&self, stream: &Bound<'_, PyAny>) -> PyResult<()> {
        let stream = stream.clone();
        let (py, stream) = (stream.py(), stream.unbind());
        self.state.with(py, |state| state.written.push_back(stream))
    }

    /// Whether callbacks were scheduled since the turn began.
    pub(crate) fn owes_callbacks(&self, py: Python<'_>) -> PyResult<bool> {
        // They stand behind what was ready when it began.
        self.state.with(py, |state| {
            matches!(state.ready.back(), Some(Job::Handle(_) | Job::Begin(_)))
        })
    }

    /// What watches and waits.
    ///
    /// # Errors
    ///
    /// `RuntimeError` where the loop is closed.
    pub(crate) fn driver(&self, py: Python<'_>) -> PyResult<Arc<dyn Driver>> {
        let driver = self.state.with(py, |state| state.driver.clone())?;
        driver.ok_or_else(closed)
    }

    /// Makes a handle ready, from any thread.
    fn enqueue(&self, py: Python<'_>, handle: Py<PyAny>) -> PyResult<()> {
        if self.inbox.is_elsewhere() {
            self.inbox.put(handle);
            return Ok(());
        }
        if !self.inbox.is_here() {
            handle::show(&handle);
        }
        let job = Job::Handle(handle);
        self.state.with(py, |state| state.ready.push_back(job))?;
        if cfg!(Py_GIL_DISABLED) && self.inbox.is_elsewhere() {
            // Another thread has begun to run the loop just now, and may have found nothing to do.
            self.inbox.remind();
        }
        Ok(())
    }

    /// A timer of this loop was marked as cancelled.
    pub(crate) fn timer_was_cancelled(&self, py: Python<'_>) -> PyResult<()> {
        let gone = self
            .state
            .with(py, |state| state.timers.cancelled(handle::is_cancelled))?;
        for timer in gone {
            handle::let_go(py, timer);
        }
        Ok(())
    }

    /// The loop runs no more, and may become garbage with all that waits: the collector sees that from now on.
    fn show_handles(&self, py: Python<'_>) -> PyResult<()> {
        let show = |handle: &Py<PyAny>| -> Result<(), Infallible> {
            handle::show(handle);
            Ok(())
        };
        let Ok(()) = self.state.with(py, |state| state.show(show, |_| Ok(())))?;
        let Ok(()) = self.inbox.show(show);
        Ok(())
    }

    pub(crate) fn check_open(&self) -> PyResult<()> {
        if self.inbox.is(Flag::Closed) {
            return Err(closed());
        }
        Ok(())
    }

    /// Sets or removes the target of one side of a descriptor; gives back the one before it.
    pub(crate) fn watch(
        &self,
        py: Python<'_>,
        descriptor: Descriptor,
        side: Side,
        target: Option<Target>,
    ) -> PyResult<Option<Target>> {
        let (before, change) = self
            .state
            .with(py, |state| state.watched.set(descriptor, side, target))?;
        let Some(change) = change else {
            return Ok(before);
        };
        if let Err(error) = self.tell(py, change)? {
            let undone = self
                .state
                .with(py, |state| state.watched.undo(change, side, before))?;
            drop(undone);
            return Err(os_error(&error));
        }
        Ok(before)
    }

    /// The peer of a connection that was accepted just now.
    pub(crate) fn take_peer(&self, py: Python<'_>, number: RawFd) -> PyResult<Option<SocketAddr>> {
        self.accepting.with(py, |accepting| {
            let peers = &mut accepting.peers;
            let place = peers.iter().position(|(one, _)| *one == number)?;
            Some(peers.swap_remove(place).1)
        })
    }

    fn tell(&self, py: Python<'_>, change: Change) -> PyResult<io::Result<()>> {
        let Change {
            descriptor,
            from,
            to,
        } = change;
        let driver = self.driver(py)?;
        Ok(match to.span {
            Span::Lasting => driver.watch(descriptor, from.interest, to.interest),
            Span::Kept => driver.watch_news(descriptor, from.interest, to.interest),
        })
    }

    /// The driver has reported what nobody waits for. An error is one of a descriptor that is gone.
    pub(crate) fn tell_all(&self, py: Python<'_>, changes: Vec<Change>) -> PyResult<()> {
        for change in changes {
            self.tell(py, change)?.ok();
        }
        Ok(())
    }

    /// Whether a transport of ours has this descriptor.
    pub(crate) fn has_stream(&self, py: Python<'_>, descriptor: Descriptor) -> PyResult<bool> {
        self.state.with(py, |state| {
            let entry = state.watched.get(descriptor);
            let sides = [Side::Read, Side::Write].into_iter();
            let mut targets = sides.filter_map(|side| entry?.target(side));
            targets.any(|target| matches!(target, Target::Stream(_) | Target::Rest(_)))
        })
    }

    fn remove(&self, descriptor: &Bound<'_, PyAny>, side: Side) -> PyResult<bool> {
        let py = descriptor.py();
        if self.inbox.is(Flag::Closed) {
            return Ok(false);
        }
        let place = match number(descriptor) {
            Ok(place) => place,
            Err(error) => self.place_once(descriptor)?.ok_or(error)?,
        };
        let before = self.watch(py, place, side, None)?;
        let was_there = before.is_some();
        cancel(py, before)?;
        let parted = self.state.with(py, |state| state.watched.part(place))?;
        drop(parted);
        Ok(was_there)
    }
}

fn closed() -> PyErr {
    PyRuntimeError::new_err("Event loop is closed")
}

/// A reader or writer that is replaced or removed is not called any more, even if it is ready.
pub(crate) fn cancel(py: Python<'_>, before: Option<Target>) -> PyResult<()> {
    match before {
        Some(Target::Handle(handle)) => handle.call_method0(py, intern!(py, "cancel")).map(drop),
        Some(Target::Stream(_) | Target::Operation(_) | Target::Rest(_)) | None => Ok(()),
    }
}

/// The descriptor that a number, or an object with `fileno()`, stands for.
pub(crate) fn number(descriptor: &Bound<'_, PyAny>) -> PyResult<Descriptor> {
    let number = match descriptor.extract::<i32>() {
        Ok(number) => Some(number),
        Err(_) => descriptor
            .call_method0("fileno")
            .and_then(|number| number.extract::<i32>())
            .ok(),
    };
    let known = number.and_then(Descriptor::new);
    known.ok_or_else(|| match number {
        Some(number) => PyValueError::new_err(format!("Invalid file descriptor: {number}")),
        None => invalid(descriptor),
    })
}

fn invalid(object: &Bound<'_, PyAny>) -> PyErr {
    let repr = object.repr().map(|text| text.to_string());
    PyValueError::new_err(format!("Invalid file object: {}", repr.unwrap_or_default()))
}

#[pymethods]
impl Loop {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        heap::keep_freed();
        let driver = Epoll::new().map_err(|error| os_error(&error))?;
        let driver: Arc<dyn Driver> = Arc::new(driver);
        Ok(Self {
            state: Confined::new(State::new(Arc::clone(&driver))),
            inbox: Inbox::new(driver),
            metrics: Metrics::default(),
            unanswered: Counter::default(),
            held: Held::default(),
            guard: Guard::default(),
            datagrams: Confined::new(Datagrams::default()),
            accepting: Confined::new(Accepting::default()),
            tellings: Confined::new(Budget::default()),
            named: Confined::new(None),
        })
    }

    /// Makes a handle ready; asyncio's own code calls it for signals.
    fn _add_callback(&self, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        if !handle::is_handle(handle) {
            let found = handle.get_type();
            return Err(PyTypeError::new_err(format!(
                "expected an asyncio.Handle, found {found}"
            )));
        }
        if handle::is_cancelled(handle.as_unbound()) {
            return Ok(());
        }
        self.enqueue(handle.py(), handle.clone().unbind())
    }

    /// Runs turns until the loop is stopped.
    fn _run_once(slf: &Bound<'_, Self>) -> PyResult<()> {
        turn::run(slf)
    }

    /// Stops after the turn that is going on.
    fn stop(&self) {
        self.inbox.set(Flag::Stopping);
        self.inbox.wake();
    }

    /// Drops everything that is scheduled. Asyncio's `close()` calls it by way of `_selector`.
    fn _clear(&self, py: Python<'_>) -> PyResult<()> {
        self.guard.end(py)?;
        let all = self.state.with(py, State::clear)?;
        for target in all {
            match target {
                Target::Handle(handle) => handle::let_go(py, handle),
                Target::Stream(stream) => stream.drop_ref(py),
                Target::Operation(operation) => operation.drop_ref(py),
                Target::Rest(rest) => rest.drop_ref(py),
            }
        }
        drop(self.inbox.take());
        self.inbox.close();
        let driver = self.state.with(py, |state| state.driver.take())?;
        drop(driver);
        let named = self.named.with(py, Option::take)?;
        drop(named);
        Ok(())
    }

    #[pyo3(signature = (fd, callback, *args))]
    fn _add_reader<'py>(
        slf: &Bound<'py, Self>,
        fd: &Bound<'py, PyAny>,
        callback: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        add(slf, fd, Side::Read, callback, args)
    }

    fn _remove_reader(&self, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove(fd, Side::Read)
    }

    #[pyo3(signature = (fd, callback, *args))]
    fn _add_writer<'py>(
        slf: &Bound<'py, Self>,
        fd: &Bound<'py, PyAny>,
        callback: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        add(slf, fd, Side::Write, callback, args)
    }

    fn _remove_writer(&self, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove(fd, Side::Write)
    }

    /// What a descriptor is watched for, as `selectors` counts: 1 to read, 2 to write.
    #[pyo3(signature = (fd, /))]
    fn _interest(&self, py: Python<'_>, fd: i32) -> PyResult<u8> {
        self.state.with(py, |state| {
            let entry = Descriptor::new(fd).and_then(|descriptor| state.watched.get(descriptor));
            let watches = |side| entry.is_some_and(|entry| entry.target(side).is_some());
            u8::from(watches(Side::Read)) + 2 * u8::from(watches(Side::Write))
        })
    }

    /// What `getaddrinfo` says of an address in numbers; `None` where it has to be asked.
    #[staticmethod]
    #[pyo3(signature = (host, port, family, type_, proto, flags, /))]
    fn _literal<'py>(
        host: &Bound<'py, PyAny>,
        port: &Bound<'py, PyAny>,
        family: i32,
        type_: i32,
        proto: i32,
        flags: i32,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let hints = Hints {
            family,
            kind: type_,
            protocol: proto,
            flags,
        };
        address::literal(host, port, hints)
    }

    /// Whether the stacks of stalls can be read from memory in this process.
    #[staticmethod]
    fn _reads_stacks(py: Python<'_>) -> bool {
        watch::reads_stacks(py)
    }

    #[getter(_closed)]
    fn closed(&self) -> bool {
        self.inbox.is(Flag::Closed)
    }

    #[setter(_closed)]
    fn set_closed(&self, closed: bool) {
        self.put(Flag::Closed, closed);
    }

    #[getter(_debug)]
    fn debug(&self) -> bool {
        self.inbox.is(Flag::Debug)
    }

    #[setter(_debug)]
    fn set_debug_flag(&self, debug: &Bound<'_, PyAny>) -> PyResult<()> {
        // Whatever is true: `set_debug(1)` is as good as any.
        self.put(Flag::Debug, debug.is_truthy()?);
        Ok(())
    }

    #[getter(_stopping)]
    fn stopping(&self) -> bool {
        self.inbox.is(Flag::Stopping)
    }

    #[setter(_stopping)]
    fn set_stopping(&self, stopping: bool) {
        self.put(Flag::Stopping, stopping);
    }

    #[setter(_has_task_factory)]
    fn set_has_task_factory(&self, has: bool) {
        self.put(Flag::TaskFactory, has);
    }

    #[getter(_thread_id)]
    fn thread_id(&self) -> Option<u64> {
        self.inbox.thread()
    }

    #[setter(_thread_id)]
    fn set_thread_id(&self, thread: Option<u64>) {
        self.inbox.set_thread(thread);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector runs while this thread is attached and nobody else is, or all others are stopped.
        let shown = self
            .state
            .peek(|state| state.show(|handle| visit.call(handle), |object| visit.call(object)));
        shown.unwrap_or(Ok(()))?;
        self.inbox.show(|handle| visit.call(handle))?;
        let shown = self.named.peek(|named| visit.call(&*named));
        shown.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let all = self.state.peek(State::clear);
        let named = self.named.peek(Option::take);
        drop((all, self.inbox.take(), named));
    }
}

impl Loop {
    fn put(&self, flag: Flag, value: bool) {
        if value {
            self.inbox.set(flag);
        } else {
            self.inbox.unset(flag);
        }
    }
}

fn add<'py>(
    slf: &Bound<'py, Loop>,
    fd: &Bound<'py, PyAny>,
    side: Side,
    callback: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let this = slf.get();
    this.check_open()?;
    let descriptor = number(fd)?;
    let traceback = if this.is_debug() {
        Some(slf.call_method0(intern!(py, "_origin"))?)
    } else {
        None
    };
    let made = handle::plain(handle::Parts {
        callback: callback.as_borrowed(),
        arguments: args.clone(),
        event_loop: slf.as_any(),
        context: crate::ffi::context::copy_current(py)?,
        traceback,
    })?;
    if !this.inbox.is_here() {
        handle::show(made.as_unbound());
    }
    let target = Target::Handle(made.clone().unbind());
    let before = this.watch(py, descriptor, side, Some(target))?;
    cancel(py, before)?;
    if !fd.is_exact_instance_of::<PyInt>() {
        this.meet(fd, descriptor)?;
    }
    Ok(made)
}
