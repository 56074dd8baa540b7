//! Handles of callbacks: what can be done with them from Python, beyond what asyncio's own classes do.
//!
//! The classes extend asyncio's (`ffi::handle`). Their `cancel` is here, since timeouts are mostly
//! scheduled to be cancelled, and since who cancels from another thread waits while the callback runs (as since
//! CPython 3.14); everything else is inherited.

use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::event_loop::own;
use crate::ffi::handle::{self, Field};
use crate::ffi::method::{Arguments, Method};

static PLAIN: [Method; 2] = [
    Method::quick_alone(
        c"cancel",
        c"cancel($self, /)\n--\n\nThe callback will not be called.",
        cancel,
    ),
    Method::END,
];

static TIMER: [Method; 2] = [
    Method::quick_alone(
        c"cancel",
        c"cancel($self, /)\n--\n\nThe callback will not be called.",
        cancel_timer,
    ),
    Method::END,
];

static THREAD_SAFE: [Method; 3] = [
    Method::alone(
        c"cancel",
        c"cancel($self, /)\n--\n\nThe callback will not be called; if another thread calls it just now, it has been.",
        cancel_and_wait,
    ),
    Method::alone(
        c"cancelled",
        c"cancelled($self, /)\n--\n\nWhether it was cancelled; told when no other thread calls it.",
        cancelled,
    ),
    Method::END,
];

/// Adds the classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let [plain, timer, _] = handle::classes(module.py(), [&PLAIN, &TIMER, &THREAD_SAFE])?;
    module.add("Handle", plain)?;
    module.add("TimerHandle", timer)
}

fn cancel<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = arguments.py();
    if !handle::is_cancelled(receiver.as_unbound()) {
        mark(receiver)?;
    }
    Ok(py.None().into_bound(py))
}

fn cancel_and_wait<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let answer = cancel(receiver, arguments)?;
    handle::wait_until_run(receiver.py(), receiver.as_unbound());
    Ok(answer)
}

#[expect(clippy::unnecessary_wraps, reason = "a method's signature")]
fn cancelled<'py>(
    receiver: &Bound<'py, PyAny>,
    _arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    handle::wait_until_run(receiver.py(), receiver.as_unbound());
    let is_cancelled = handle::is_cancelled(receiver.as_unbound());
    Ok(PyBool::new(receiver.py(), is_cancelled)
        .to_owned()
        .into_any())
}

fn cancel_timer<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = arguments.py();
    if !handle::is_cancelled(receiver.as_unbound()) {
        mark(receiver)?;
        if let Some(event_loop) = handle::get(receiver, Field::Loop)
            && let Ok(event_loop) = own(&event_loop)
            && is_scheduled(receiver)
        {
            event_loop.get().timer_was_cancelled(py)?;
        }
    }
    Ok(py.None().into_bound(py))
}

fn is_scheduled(timer: &Bound<'_, PyAny>) -> bool {
    let flag = handle::get(timer, Field::Scheduled);
    flag.is_some_and(|flag| flag.is(&*PyBool::new(timer.py(), true)))
}

/// As `asyncio.Handle.cancel`: in debug mode the handle can still tell what it was.
fn mark(receiver: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = receiver.py();
    handle::set(
        receiver,
        Field::Cancelled,
        PyBool::new(py, true).to_owned().into_any(),
    );
    let event_loop = handle::get(receiver, Field::Loop);
    if let Some(event_loop) = event_loop.as_ref().and_then(|one| own(one).ok())
        && event_loop.get().is_debug()
    {
        let repr = receiver.repr()?;
        handle::set(receiver, Field::Repr, repr.into_any());
    }
    handle::set(receiver, Field::Callback, py.None().into_bound(py));
    handle::set(receiver, Field::Arguments, py.None().into_bound(py));
    Ok(())
}
