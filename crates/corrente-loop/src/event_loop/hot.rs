//! The methods that every task calls: scheduling, the time, futures and tasks.
//!
//! A plain loop (open, not in debug mode) is served here. What debug mode checks and remembers is asked
//! of `_debug_call` in python/corrente/_loop.py, and a factory for tasks is asyncio's business.

use corrente_driver::epoll::monotonic;
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyTuple, PyType};

use super::{Loop, own};
use crate::ffi::construct::construct;
use crate::ffi::context::{call_named, copy_current};
use crate::ffi::handle::{self, Parts};
use crate::ffi::hidden;
use crate::ffi::method::{Arguments, Method};
use crate::inbox::Flag;
use crate::state::Job;

pub(super) static METHODS: [Method; 10] = [
    Method::quick(
        c"call_soon",
        c"call_soon($self, /, callback, *args, context=None)\n--\n\nCalls the callback in the next turn of the loop.",
        call_soon,
    ),
    Method::quick(
        c"call_soon_threadsafe",
        c"call_soon_threadsafe($self, /, callback, *args, context=None)\n--\n\nThe same from any thread.",
        call_soon_threadsafe,
    ),
    Method::quick(
        c"call_later",
        c"call_later($self, /, delay, callback, *args, context=None)\n--\n\nCalls the callback after some seconds.",
        call_later,
    ),
    Method::quick(
        c"call_at",
        c"call_at($self, /, when, callback, *args, context=None)\n--\n\nCalls the callback at a time of the loop's clock.",
        call_at,
    ),
    Method::quick_alone(
        c"time",
        c"time($self, /)\n--\n\nThe loop's clock, in seconds: monotonic.",
        time,
    ),
    Method::quick_alone(
        c"get_debug",
        c"get_debug($self, /)\n--\n\nWhether the loop is in debug mode.",
        get_debug,
    ),
    // A task that starts at once asks.
    Method::quick_alone(
        c"is_running",
        c"is_running($self, /)\n--\n\nWhether the loop runs.",
        is_running,
    ),
    Method::quick_alone(
        c"create_future",
        c"create_future($self, /)\n--\n\nA future of this loop.",
        create_future,
    ),
    Method::new(
        c"create_task",
        c"create_task($self, /, coro, **kwargs)\n--\n\nA task of this loop.",
        create_task,
    ),
    Method::END,
];

/// Where as many callbacks wait, the contexts of more are hidden from the collector: of fewer it finds few.
const MANY: usize = 64;

/// Classes of asyncio that the loop makes instances of.
static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static TASK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
/// The names of arguments, as a call wants them.
static NAMED: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

#[inline]
fn this<'a, 'py>(receiver: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, Loop>> {
    Ok(own(receiver)?)
}

fn call_soon<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let this = this(receiver)?.get();
    let parts = soon(receiver, this, "call_soon", &arguments)?;
    let is_running = this.inbox.is_here();
    let ready = this.state.with(arguments.py(), |state| state.ready.len())?;
    // Nobody else has the context, unless the caller has given it.
    if is_running && ready >= MANY && arguments.keyword_count() == 0 {
        hidden::hide(&parts.context);
    }
    let made = handle::plain(parts)?;
    if !is_running {
        handle::show(made.as_unbound());
    }
    let job = Job::Handle(made.clone().unbind());
    this.state
        .with(arguments.py(), |state| state.ready.push_back(job))?;
    Ok(made)
}

fn call_soon_threadsafe<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> Answer<'py> {
    let this = this(receiver)?.get();
    let made = handle::thread_safe(soon(receiver, this, "call_soon_threadsafe", &arguments)?)?;
    this.enqueue(arguments.py(), made.clone().unbind())?;
    Ok(made)
}

/// What the handle of a callback is made of that is first in the arguments.
#[inline]
fn soon<'a, 'py>(
    receiver: &'a Bound<'py, PyAny>,
    this: &Loop,
    function: &str,
    arguments: &Arguments<'a, 'py>,
) -> PyResult<Parts<'a, 'py>> {
    parts(receiver, this, function, arguments, &["callback"])
}

/// What a handle is made of, from a call with these arguments, the callback last, and behind them the callback's own.
#[inline]
fn parts<'a, 'py>(
    receiver: &'a Bound<'py, PyAny>,
    this: &Loop,
    function: &str,
    arguments: &Arguments<'a, 'py>,
    required: &[&str],
) -> PyResult<Parts<'a, 'py>> {
    let py = arguments.py();
    let callback = arguments.required(function, required.len() - 1, "callback")?;
    let [context] = arguments.named(function, required, [intern!(py, "context")])?;
    let traceback = if this.inbox.is_none_of([Flag::Closed, Flag::Debug]) {
        None
    } else {
        this.check_open()?;
        checked(receiver, function, callback)?
    };
    let context = match context.filter(|context| !context.is_none()) {
        Some(context) => context.to_owned(),
        None => copy_current(py)?,
    };
    let arguments = if arguments.len() == required.len() {
        handle::no_arguments(py)
    } else {
        arguments.rest(required.len())?
    };
    Ok(Parts {
        callback,
        arguments,
        event_loop: receiver,
        context,
        traceback,
    })
}

/// Debug mode: checks the thread and the callback, and says where the call comes from.
#[cold]
fn checked<'py>(
    receiver: &Bound<'py, PyAny>,
    function: &str,
    callback: Borrowed<'_, 'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let hook = intern!(receiver.py(), "_debug_call");
    receiver.call_method1(hook, (function, callback)).map(Some)
}

fn call_later<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let delay = arguments.required("call_later", 0, "delay")?;
    if delay.is_none() {
        return Err(PyTypeError::new_err("delay must not be None"));
    }
    let now = monotonic();
    let when = now + delay.extract::<f64>()?;
    let object = PyFloat::new(arguments.py(), when).into_any();
    let parts = parts(
        receiver,
        this(receiver)?.get(),
        "call_later",
        &arguments,
        &["delay", "callback"],
    )?;
    schedule(receiver, parts, (when, object))
}

fn call_at<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let when = arguments.required("call_at", 0, "when")?;
    if when.is_none() {
        return Err(PyTypeError::new_err("when cannot be None"));
    }
    let seconds = when.extract::<f64>()?;
    let parts = parts(
        receiver,
        this(receiver)?.get(),
        "call_at",
        &arguments,
        &["when", "callback"],
    )?;
    schedule(receiver, parts, (seconds, when.to_owned()))
}

#[inline]
fn schedule<'py>(
    receiver: &Bound<'py, PyAny>,
    parts: Parts<'_, 'py>,
    (when, object): (f64, Bound<'py, PyAny>),
) -> Answer<'py> {
    let made = handle::timer(parts, object)?;
    let timer = made.clone().unbind();
    let this = this(receiver)?.get();
    if !this.inbox.is_here() {
        handle::show(&timer);
    }
    this.state
        .with(receiver.py(), |state| state.timers.schedule(when, timer))?;
    Ok(made)
}

#[expect(clippy::unnecessary_wraps, reason = "a method's signature")]
fn time<'py>(_: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let now = monotonic();
    Ok(PyFloat::new(arguments.py(), now).into_any())
}

fn get_debug<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let is_debug = this(receiver)?.get().is_debug();
    Ok(PyBool::new(arguments.py(), is_debug).to_owned().into_any())
}

fn is_running<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let is_running = this(receiver)?.get().inbox.thread().is_some();
    Ok(PyBool::new(arguments.py(), is_running)
        .to_owned()
        .into_any())
}

fn create_future<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let class = FUTURE.import(py, "_asyncio", "Future")?;
    let named = named_loop(receiver, this(receiver)?.get())?;
    construct(class, &handle::no_arguments(py), &named)
}

/// `{"loop": receiver}`.
#[inline]
fn named_loop<'py>(receiver: &Bound<'py, PyAny>, this: &Loop) -> PyResult<Bound<'py, PyDict>> {
    let py = receiver.py();
    let known = |named: &mut Option<Py<PyDict>>| named.as_ref().map(|one| one.clone_ref(py));
    // Lent to another thread: then this one makes its own.
    if let Some(known) = this.named.peek(known).flatten() {
        return Ok(known.into_bound(py));
    }
    let made = PyDict::new(py);
    made.set_item(intern!(py, "loop"), receiver)?;
    let kept = made.clone().unbind();
    let before = this.named.peek(|named| named.replace(kept));
    drop(before);
    Ok(made)
}

fn create_task<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let this = this(receiver)?.get();
    let is_plain = arguments.len() == 1
        && this
            .inbox
            .is_none_of([Flag::Closed, Flag::Debug, Flag::TaskFactory]);
    if !is_plain {
        return ask_for_task(receiver, &arguments);
    }
    let coroutine = arguments.required("create_task", 0, "coro")?.to_owned();
    let class = TASK.import(py, "_asyncio", "Task")?;
    // Whatever starts tasks names them, mostly `None`: that is no name.
    let is_unnamed = match arguments.keyword_count() {
        0 => true,
        1 => arguments
            .keyword(intern!(py, "name"))
            .is_some_and(|name| name.is_none()),
        _ => false,
    };
    if is_unnamed {
        let arguments = PyTuple::new(py, [coroutine])?;
        return construct(class, &arguments, &named_loop(receiver, this)?);
    }
    let given: Vec<_> = arguments.keywords().collect();
    let names = task_names(py, &given)?;
    let values = given.iter().map(|(_, value)| (*value).to_owned());
    let all: Vec<_> = [coroutine, receiver.clone()]
        .into_iter()
        .chain(values)
        .collect();
    call_named(class, &all.iter().collect::<Vec<_>>(), &names)
}

/// Asyncio makes the task, or says what is wrong with the arguments.
#[cold]
fn ask_for_task<'py>(receiver: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    // Whoever calls it wrongly is told by its own name.
    arguments.required("create_task", 0, "coro")?;
    let keywords = PyDict::new(py);
    for (name, value) in arguments.keywords() {
        keywords.set_item(name, value)?;
    }
    let make = intern!(py, "_create_task");
    receiver.call_method(make, arguments.rest(0)?, Some(&keywords))
}

/// The names of what a task is made with: the loop, and whatever the caller named.
fn task_names<'py>(
    py: Python<'py>,
    given: &[(Bound<'py, PyAny>, Borrowed<'_, 'py, PyAny>)],
) -> PyResult<Bound<'py, PyTuple>> {
    let event_loop = intern!(py, "loop");
    match given {
        // What `asyncio.create_task` names.
        [(name, _)] if name.is(intern!(py, "name")) => {
            let names = NAMED.get_or_try_init(py, || {
                PyTuple::new(py, [event_loop, intern!(py, "name")]).map(Bound::unbind)
            })?;
            Ok(names.bind(py).clone())
        }
        _ => {
            let names = given.iter().map(|(name, _)| name.clone());
            let event_loop = event_loop.clone().into_any();
            PyTuple::new(
                py,
                std::iter::once(event_loop).chain(names).collect::<Vec<_>>(),
            )
        }
    }
}
