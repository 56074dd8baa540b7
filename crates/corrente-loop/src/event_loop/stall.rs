//! How long callbacks take, and what is told of those that take too long: stalls.
//!
//! The loop measures with its own clock. To read it costs a fiftieth of a microsecond, so it is read after
//! each callback only where callbacks take longer than two; shorter ones are measured together, up to sixteen
//! ([`Meter`]). What the watchdog saw meanwhile is added when a stall has ended, by the loop's thread, which alone
//! knows what it ran. `_stalled` in python/corrente/_loop.py has the rest.

use corrente_driver::epoll::monotonic;
use corrente_driver::watchdog::Ledger;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::Loop;
use super::held::Patience;
use crate::state::Job;
use crate::watch::{Frame, Testimony};

/// Callbacks that take less than this, in seconds, are not measured one by one.
const LIGHT: f64 = 2e-6;
/// As many of them are measured at once, at most.
const LIGHT_AT_ONCE: u32 = 16;

/// Says after which callbacks the clock is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    threshold: f64,
    /// Callbacks that are measured at once: doubled whenever they have been light.
    at_once: u32,
    left: u32,
}

/// Turns that follow each other at once and are light share a look at the clock: up to eight of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stride {
    turns: u32,
    /// Turns that began since the clock was read.
    since: u32,
}

/// So many light turns share a look at the clock, at most: a timer may be so many times [`LIGHT`] late.
const TURNS_AT_ONCE: u32 = 8;

impl Default for Stride {
    fn default() -> Self {
        Self { turns: 1, since: 0 }
    }
}

impl Stride {
    /// A turn begins; whether the clock may be left unread.
    #[inline]
    pub(super) fn is_within(&mut self) -> bool {
        let is_within = self.since + 1 < self.turns;
        self.since += u32::from(is_within);
        is_within
    }

    /// The clock was read: so much time has passed since the last time. Gives back in how many turns.
    #[inline]
    pub(super) fn end(&mut self, took: f64) -> u32 {
        let turns = self.since + 1;
        self.turns = if took > f64::from(turns) * LIGHT {
            1
        } else {
            (2 * self.turns).min(TURNS_AT_ONCE)
        };
        self.since = 0;
        turns
    }
}

/// What is known of the callbacks of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// The turn follows another one at once: they may be as those were.
    Alike,
    /// The kernel was asked: they may be anything.
    Anything,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            threshold: f64::INFINITY,
            at_once: 1,
            left: 1,
        }
    }
}

impl Meter {
    /// A turn begins.
    #[inline]
    pub(super) fn begin(&mut self, threshold: f64, expected: Expected) {
        self.threshold = threshold;
        if expected == Expected::Anything {
            self.at_once = 1;
        }
        self.left = self.at_once;
    }

    /// A callback has returned. Whoever holds answers back is told how long callbacks take.
    #[inline]
    pub(super) fn done(
        &mut self,
        slf: &Bound<'_, Loop>,
        job: &Job,
        patience: &mut Patience,
    ) -> PyResult<()> {
        self.left -= 1;
        if self.left == 0 || slf.get().guard.pulse().is_noticed() {
            return self.measure(slf, job, patience);
        }
        Ok(())
    }

    fn measure(
        &mut self,
        slf: &Bound<'_, Loop>,
        job: &Job,
        patience: &mut Patience,
    ) -> PyResult<()> {
        let pulse = slf.get().guard.pulse();
        let now = monotonic();
        let took = now - pulse.mark();
        patience.measured(now, took);
        let number = self.at_once - self.left;
        self.at_once = if took > f64::from(number) * LIGHT {
            1
        } else {
            (2 * self.at_once).min(LIGHT_AT_ONCE)
        };
        self.left = self.at_once;
        if took < self.threshold {
            pulse.begin_at(now);
            return Ok(());
        }
        ended(slf, now, Some(job))
    }
}

/// The loop has read its clock between two turns: callbacks that were not measured may have been a stall. Gives
/// back the time to go on with.
#[inline]
pub(super) fn check(slf: &Bound<'_, Loop>, now: f64) -> PyResult<f64> {
    let guard = &slf.get().guard;
    if now - guard.pulse().mark() >= guard.threshold() {
        ended(slf, now, None)?;
        return Ok(guard.pulse().mark());
    }
    Ok(now)
}

/// A wait has ended: the GIL may have been long in coming. The clock is read only if the watchdog has noticed.
#[inline]
pub(super) fn check_wait(slf: &Bound<'_, Loop>) -> PyResult<()> {
    if slf.get().guard.pulse().is_noticed() {
        return ended(slf, monotonic(), None);
    }
    Ok(())
}

/// Seconds of a stall.
#[derive(Debug, Clone, Copy)]
struct Times {
    began: f64,
    duration: f64,
    /// On a processor.
    processor: f64,
    /// Ready to run, while others had the processors.
    queued: f64,
    /// The rest: asleep in the kernel.
    blocked: f64,
}

#[cold]
fn ended(slf: &Bound<'_, Loop>, now: f64, job: Option<&Job>) -> PyResult<()> {
    let this = slf.get();
    let began = this.guard.pulse().mark();
    let after = this.guard.ledger();
    let taken = this.guard.take(now - began);
    let (before, testimony) = taken.unwrap_or((after, None));
    let times = Times::of(began, now, before, after);
    let metrics = &this.metrics;
    metrics.stall.record(times.duration);
    metrics.stall_processor.add(times.processor);
    metrics.stall_queued.add(times.queued);
    metrics.stall_blocked.add(times.blocked);
    let told = if testimony.is_some() || this.may_tell(slf.py(), now, times.duration)? {
        tell(slf, times, testimony.as_ref(), job)
    } else {
        // One of many: it is counted.
        Ok(())
    };
    // Should that have taken long, it is no stall to be told of: it would be told for ever.
    this.guard.pulse().begin_at(monotonic());
    told
}

impl Times {
    /// Of what the time was made, by the clocks before and after. Those before may be from a moment within the
    /// stall, or some milliseconds earlier; then the loop, if it did not wait, had the processor.
    fn of(began: f64, now: f64, before: Ledger, after: Ledger) -> Self {
        let duration = now - began;
        let seen = (after.at - before.at).max(1e-9);
        let used = after.processor.saturating_sub(before.processor);
        let earlier = began - before.at - (after.waited - before.waited);
        let processor = if before.at > began {
            used.as_secs_f64() * duration / seen
        } else {
            used.as_secs_f64() - earlier.max(0.0)
        };
        let processor = processor.clamp(0.0, duration);
        let queued = after.queued.saturating_sub(before.queued).as_secs_f64();
        let queued = queued.min(duration - processor);
        Self {
            began,
            duration,
            processor,
            queued,
            blocked: duration - processor - queued,
        }
    }

    fn as_tuple(self) -> (f64, f64, f64, f64, f64) {
        (
            self.began,
            self.duration,
            self.processor,
            self.queued,
            self.blocked,
        )
    }
}

/// The stall that goes on, if the watchdog has seen one: times until now, and what was seen. For any thread.
pub(super) fn going_on<'py>(py: Python<'py>, event_loop: &Loop) -> PyResult<Bound<'py, PyAny>> {
    let Some((began, before, testimony)) = event_loop.guard.peek() else {
        return Ok(py.None().into_bound(py));
    };
    let after = event_loop.guard.ledger();
    let times = Times::of(began, after.at, before, after);
    let told = (times.as_tuple(), seen(py, Some(&testimony))?);
    Ok(told.into_pyobject(py)?.into_any())
}

fn tell(
    slf: &Bound<'_, Loop>,
    times: Times,
    testimony: Option<&Testimony>,
    job: Option<&Job>,
) -> PyResult<()> {
    let py = slf.py();
    let seen = seen(py, testimony)?;
    let subject: Option<&Py<PyAny>> = match job {
        Some(Job::Handle(handle)) => Some(handle),
        Some(Job::Stream(stream, _) | Job::Begin(stream)) => Some(stream),
        Some(Job::Operation(_) | Job::Rest(_)) | None => None,
    };
    let name = intern!(py, "_stalled");
    slf.call_method1(name, (times.as_tuple(), seen, subject))
        .map(drop)
}

/// What the watchdog saw, for Python: frames, system call, library.
fn seen<'py>(
    py: Python<'py>,
    testimony: Option<&Testimony>,
) -> PyResult<(Bound<'py, PyList>, Option<String>, Option<String>)> {
    let frames = testimony.into_iter().flat_map(|seen| &seen.frames);
    let frames = PyList::new(py, frames.map(as_tuple).collect::<Vec<_>>())?;
    let call = testimony.and_then(|seen| seen.system_call.clone());
    let library = testimony.and_then(|seen| seen.shared_library.clone());
    Ok((frames, call, library))
}

/// File, function, line; end line and columns, where they are known.
fn as_tuple(frame: &Frame) -> (&str, &str, i32, Option<(i32, i32, i32)>) {
    (&frame.file, &frame.function, frame.line, frame.extent)
}
