//! A callback has returned that the watchdog had noticed: how long it took, and of what that time was made.
//!
//! The loop's own thread ends a stall, since it alone knows what it ran; the watchdog has left its notice.
//! The stall is counted here; what was seen of it goes to `_stalled` in python/corrente/_loop.py.

use corrente_driver::epoll::monotonic;
use corrente_driver::thread::{own_number, own_processor_time, queued_time};
use corrente_driver::watchdog::Notice;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::Loop;
use crate::watch::{Frame, Testimony};

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

/// To be called when a job has been done: tells if it was a stall.
#[inline]
pub(super) fn check(slf: &Bound<'_, Loop>, subject: Option<&Py<PyAny>>) -> PyResult<()> {
    if slf.get().guard.pulse().is_noticed() {
        return ended(slf, subject);
    }
    Ok(())
}

#[cold]
fn ended(slf: &Bound<'_, Loop>, subject: Option<&Py<PyAny>>) -> PyResult<()> {
    let this = slf.get();
    let Some(notice) = this.guard.take() else {
        return Ok(());
    };
    let times = times(&notice);
    if times.duration < this.guard.threshold().as_secs_f64() {
        return Ok(());
    }
    let metrics = &this.metrics;
    metrics.stall.record(times.duration);
    metrics.stall_processor.add(times.processor);
    metrics.stall_queued.add(times.queued);
    metrics.stall_blocked.add(times.blocked);
    match notice.testimony {
        Some(testimony) => {
            let told = tell(slf, times, &testimony, subject);
            // Should that have taken long, it is no stall to be told of: it would be told for ever.
            this.guard.pulse().begin();
            told
        }
        // One of many: it is counted.
        None => Ok(()),
    }
}

fn times(notice: &Notice<Testimony>) -> Times {
    let now = monotonic();
    let used = own_processor_time().saturating_sub(notice.processor);
    let queued = queued_time(own_number()).saturating_sub(notice.queued);
    let duration = now - notice.began;
    // The thread's clock was first read a little after the begin: as it went on, so it had begun.
    let share = used.as_secs_f64() / (now - notice.seen).max(1e-9);
    let processor = duration * share.min(1.0);
    let queued = queued.as_secs_f64().min(duration - processor);
    Times {
        began: notice.began,
        duration,
        processor,
        queued,
        blocked: duration - processor - queued,
    }
}

fn tell(
    slf: &Bound<'_, Loop>,
    times: Times,
    testimony: &Testimony,
    subject: Option<&Py<PyAny>>,
) -> PyResult<()> {
    let py = slf.py();
    let Times {
        began,
        duration,
        processor,
        queued,
        blocked,
    } = times;
    let times = (began, duration, processor, queued, blocked);
    let frames = testimony.frames.iter().map(as_tuple);
    let frames = PyList::new(py, frames.collect::<Vec<_>>())?;
    let (call, library) = (&testimony.system_call, &testimony.library);
    let arguments = (times, frames, call, library, subject);
    slf.call_method1(intern!(py, "_stalled"), arguments)
        .map(drop)
}

/// File, function, line; end line and columns, where they are known.
fn as_tuple(frame: &Frame) -> (&str, &str, i32, Option<(i32, i32, i32)>) {
    (&frame.file, &frame.function, frame.line, frame.extent)
}
