//! A turn of the loop: ask for descriptors or wait, see which timers are due, call what is ready.
//!
//! The order is asyncio's: what was ready before, then descriptors, then timers; what becomes ready
//! meanwhile is for the next turn. Unlike asyncio, a turn asks the kernel only if there is nothing to do
//! or if it was not asked for a while (`state::Poll`).

use std::io;
use std::time::Duration;

use corrente_driver::Readiness;
use corrente_driver::epoll::monotonic;
use corrente_driver::portion::Portion;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;

use super::Loop;
use super::held::Patience;
use super::stall::{self, Expected, Meter, Stride};
use crate::error::os_error;
use crate::ffi::handle;
use crate::inbox::Flag;
use crate::operation;
use crate::state::{Job, Poll, State};
use crate::transport::stream;

/// What the kernel is asked for, and what it has answered.
#[derive(Debug, Default)]
struct Events {
    ready: Vec<Readiness>,
    portion: Portion,
}

/// What turns hand on.
#[derive(Debug)]
struct Turns {
    events: Events,
    /// When this one began; the last one for which the clock was read.
    began: f64,
    meter: Meter,
    stride: Stride,
    patience: Patience,
}

/// Runs turns until the loop is stopped, or a callback raises what ends a program.
pub(super) fn run(slf: &Bound<'_, Loop>) -> PyResult<()> {
    let inbox = &slf.get().inbox;
    let this = slf.get();
    let process = std::process::id();
    this.state.with(slf.py(), State::forget_poll)?;
    this.guard.enter(slf.py())?;
    inbox.set_running(true);
    let begin = monotonic();
    this.metrics.enter(begin);
    this.guard.pulse().begin_at(begin);
    let mut turns = Turns {
        events: Events::default(),
        began: begin,
        meter: Meter::default(),
        stride: Stride::default(),
        patience: Patience::default(),
    };
    let ended = loop {
        match turn(slf, &mut turns) {
            Ok(()) if !inbox.is(Flag::Stopping) => {}
            ended => break ended,
        }
    };
    let ended = ended.and(turns.patience.end(slf.py(), &this.held));
    inbox.set_running(false);
    this.guard.pulse().begin_wait();
    this.metrics.leave(monotonic());
    this.show_handles(slf.py())?;
    if ended.is_err() && process == std::process::id() {
        // What the callback wrote that ended the program; its parent sends it, if this is the child of a fork.
        return ended.and(flush(slf));
    }
    ended
}

fn turn(slf: &Bound<'_, Loop>, turns: &mut Turns) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let (ready, expected) = gather(slf, turns)?;
    let pulse = this.guard.pulse();
    this.metrics.callbacks.add(ready as u64);
    turns.meter.begin(this.guard.threshold(), expected);
    turns.patience.turn(pulse.mark());
    let before = this.unanswered.get();
    for behind in (0..ready).rev() {
        let next = this.state.with(py, |state| state.ready.pop_front())?;
        let Some(next) = next else {
            break;
        };
        pulse.begin();
        turns.patience.begin(&this.held, &next, behind);
        let outcome = run_job(slf, &next).and_then(|()| flush(slf));
        let done = |()| turns.meter.done(slf, &next, &mut turns.patience);
        let outcome = outcome.and_then(done);
        if let Job::Handle(handle) = next {
            handle::let_go(py, handle);
        }
        outcome?;
        turns.patience.done(py, &this.held, pulse)?;
    }
    turns.patience.end(py, &this.held)?;
    if expected == Expected::Anything {
        let left = this.unanswered.get() - before;
        let events = &mut turns.events;
        events.portion.left(events.ready.len(), left);
    }
    Ok(())
}

#[inline]
fn run_job(slf: &Bound<'_, Loop>, job: &Job) -> PyResult<()> {
    match job {
        Job::Handle(handle) => call(slf, handle),
        Job::Stream(stream, side) => {
            let stream = stream.bind(slf.py());
            stream::ready(stream, *side).or_else(|error| stray(slf, stream, error))
        }
        Job::Begin(stream) => begin(slf, stream.bind(slf.py())),
        Job::Operation(operation) => {
            let outcome = operation::ready(slf.py(), slf.get(), operation);
            outcome.or_else(|error| stray(slf, operation.bind(slf.py()).as_any(), error))
        }
        Job::Rest(rest) => {
            let rest = rest.bind(slf.py());
            let woken = rest.get().wake(slf.py());
            woken.or_else(|error| stray(slf, rest.as_any(), error))
        }
    }
}

/// A stream begins.
fn begin(slf: &Bound<'_, Loop>, stream: &Bound<'_, PyAny>) -> PyResult<()> {
    let begun = stream::begin(stream)?;
    let told = begun
        .told
        .or_else(|error| begun_wrongly(slf, stream, error));
    let reads = begun.reads.or_else(|error| stray(slf, stream, error));
    told.and(reads)
}

/// Sends what the callback wrote.
#[inline]
fn flush(slf: &Bound<'_, Loop>) -> PyResult<()> {
    let py = slf.py();
    let state = &slf.get().state;
    // What a protocol writes meanwhile, since it may write again, is for the next time.
    for _ in 0..state.with(py, |state| state.written.len())? {
        let Some(stream) = state.with(py, |state| state.written.pop_front())? else {
            break;
        };
        let stream = stream.bind(py);
        // After an error the others are written when the loop runs again.
        stream::flush(stream).or_else(|error| stray(slf, stream, error))?;
    }
    Ok(())
}

/// Collects what is ready and says how much that is.
fn gather(slf: &Bound<'_, Loop>, turns: &mut Turns) -> PyResult<(usize, Expected)> {
    let (py, this) = (slf.py(), slf.get());
    let inbox = &this.inbox;
    // A signal's handler may have written between two callbacks.
    flush(slf)?;
    if let Some(ready) = follow(py, this, turns)? {
        stall::check_wait(slf)?;
        return Ok((ready, Expected::Alike));
    }
    let has_work = this.state.with(py, |state| !state.ready.is_empty())?;
    if !has_work {
        // One that came while no code of Python's ran does not interrupt the wait that may follow.
        py.check_signals()?;
    }
    let now = if has_work && turns.stride.is_within() {
        turns.began
    } else {
        let now = stall::check(slf, monotonic())?;
        this.metrics
            .turned(now - turns.began, turns.stride.end(now - turns.began));
        this.guard.pulse().begin_at(now);
        now
    };
    let sent = inbox.take();
    let is_stopping = inbox.is(Flag::Stopping);
    let (poll, gone) = this.state.with(py, |state| {
        state.receive(sent);
        state.plan(now, is_stopping)
    })?;
    for timer in gone {
        handle::let_go(py, timer);
    }
    let events = &mut turns.events;
    events.ready.clear();
    let expected = if poll == Poll::Skip {
        Expected::Alike
    } else {
        Expected::Anything
    };
    let (sent, now) = match poll {
        Poll::Skip => (Vec::new(), now),
        Poll::Look => {
            look(py, this, events)?;
            (Vec::new(), monotonic())
        }
        Poll::Wait(limit) => wait(py, this, limit, events)?,
    };
    turns.began = now;
    let (changes, gone, lag, ready) = this.state.with(py, |state| {
        state.receive(sent);
        let changes = if poll == Poll::Skip {
            Vec::new()
        } else {
            state.polled(py, now, &events.ready)
        };
        let (gone, lag) = state.ripen(py, now);
        (changes, gone, lag, state.ready.len())
    })?;
    this.tell_all(py, changes)?;
    if let Some(lag) = lag {
        this.metrics.lag.record(lag);
    }
    for timer in gone {
        handle::let_go(py, timer);
    }
    stall::check_wait(slf)?;
    Ok((ready, expected))
}

/// A turn that follows another one at once, where nothing has come meanwhile: how much is ready. Neither the clock
/// nor the kernel is asked.
#[inline]
fn follow(py: Python<'_>, this: &Loop, turns: &mut Turns) -> PyResult<Option<usize>> {
    if this.inbox.is_filled() || this.inbox.is(Flag::Stopping) {
        return Ok(None);
    }
    let ready = this.state.with(py, |state| state.at_once(turns.began))?;
    Ok(ready.filter(|_| turns.stride.is_within()))
}

fn look(py: Python<'_>, this: &Loop, events: &mut Events) -> PyResult<()> {
    let most = events.portion.most();
    let driver = this.driver(py)?;
    let looked = driver.wait(Some(Duration::ZERO), most, &mut events.ready);
    answer(py, looked)
}

/// Waits without the GIL; gives back what other threads sent before it could, and when the wait ended. That it
/// then waits for the GIL is no part of it, but work that cannot begin.
fn wait(
    py: Python<'_>,
    this: &Loop,
    limit: Option<Duration>,
    events: &mut Events,
) -> PyResult<(Vec<Py<PyAny>>, f64)> {
    let (inbox, guard) = (&this.inbox, &this.guard);
    let begin = guard.pulse().mark();
    if !inbox.begin_wait() {
        return Ok((inbox.take(), begin));
    }
    let driver = this.driver(py)?;
    let (waited, end) = py.detach(|| {
        guard.pulse().begin_wait();
        let waited = driver.wait(limit, events.portion.most(), &mut events.ready);
        let end = monotonic();
        guard.wait_ended(end);
        (waited, end)
    });
    inbox.end_wait();
    this.metrics.waited(begin, end);
    guard.waited().add(end - begin);
    answer(py, waited)?;
    Ok((inbox.take(), end))
}

/// A signal that interrupted a wait has its Python handler called now.
fn answer(py: Python<'_>, waited: io::Result<()>) -> PyResult<()> {
    match waited {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => py.check_signals(),
        other => other.map_err(|error| os_error(&error)),
    }
}

#[inline]
fn call(slf: &Bound<'_, Loop>, next: &Py<PyAny>) -> PyResult<()> {
    if slf.get().is_debug() {
        return call_watched(slf, next);
    }
    handle::run(slf.py(), next).or_else(|error| failed(slf, next, error))
}

/// Debug mode: the handle is known while it runs, and slow callbacks are told.
#[cold]
fn call_watched(slf: &Bound<'_, Loop>, next: &Py<PyAny>) -> PyResult<()> {
    let py = slf.py();
    slf.setattr(intern!(py, "_current_handle"), next)?;
    let begin = monotonic();
    let outcome = handle::run(py, next).or_else(|error| failed(slf, next, error));
    let took = monotonic() - begin;
    slf.setattr(intern!(py, "_current_handle"), py.None())?;
    outcome?;
    slf.call_method1(intern!(py, "_note_duration"), (next, took))
        .map(drop)
}

/// `connection_made()` raised: that is told as of the callback that asyncio has for it.
#[cold]
fn begun_wrongly(slf: &Bound<'_, Loop>, stream: &Bound<'_, PyAny>, error: PyErr) -> PyResult<()> {
    let handle = stream.call_method0(intern!(slf.py(), "_begin_handle"))?;
    failed(slf, &handle.unbind(), error)
}

/// A protocol raised where its transport has no answer to it (`connection_lost`): as a callback's.
#[cold]
fn stray(slf: &Bound<'_, Loop>, transport: &Bound<'_, PyAny>, error: PyErr) -> PyResult<()> {
    let py = slf.py();
    if error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py) {
        return Err(error);
    }
    let value = error.into_value(py);
    slf.call_method1(intern!(py, "_transport_failed"), (transport, value))
        .map(drop)
}

/// A callback raised: what ends a program goes on, all else is for the exception handler.
#[cold]
fn failed(slf: &Bound<'_, Loop>, handle: &Py<PyAny>, error: PyErr) -> PyResult<()> {
    let py = slf.py();
    if error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py) {
        return Err(error);
    }
    let value = error.into_value(py);
    slf.call_method1(intern!(py, "_callback_failed"), (handle, value))
        .map(drop)
}
