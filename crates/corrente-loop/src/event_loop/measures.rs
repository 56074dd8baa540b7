//! The methods by which python/corrente/_watch.py reads what the loop counts, and sets what it watches.
//!
//! What they give is raw: names, units and text are made there.

use std::time::Duration;

use corrente_driver::epoll::monotonic;
use corrente_driver::histogram::{BOUNDS_US, Histogram};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{Loop, stall};
use crate::ffi::method::{Arguments, Method};

pub(super) static METHODS: [Method; 7] = [
    Method::new(
        c"_measures",
        c"_measures($self, /)\n--\n\nNumbers by name, and histograms: counts up to each bound, sum, longest.",
        measures,
    ),
    Method::new(
        c"_bounds",
        c"_bounds($self, /)\n--\n\nThe bounds of the histograms, in seconds.",
        bounds,
    ),
    Method::new(
        c"_set_threshold",
        c"_set_threshold($self, threshold, /)\n--\n\nWatches for stalls of so many seconds; None for none.",
        watch,
    ),
    Method::new(
        c"_stalls_now",
        c"_stalls_now($self, /)\n--\n\nThe stall that goes on, as `_stalled` is told of one.",
        stalls_now,
    ),
    Method::new(
        c"_end_watchdog",
        c"_end_watchdog($self, /)\n--\n\nBefore a fork: the thread is gone when this returns.",
        end_watchdog,
    ),
    Method::new(
        c"_start_watchdog",
        c"_start_watchdog($self, /)\n--\n\nAfter it: there is one again, if it is wanted.",
        start_watchdog,
    ),
    Method::END,
];

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

fn measures<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let this = receiver.cast::<Loop>()?.get();
    let metrics = &this.metrics;
    let (ready, timers) = this
        .state
        .with(py, |state| (state.ready.len(), state.timers.len()))?;
    let numbers = PyDict::new(py);
    for (name, number) in [
        ("ready", ready as u64),
        ("timers", timers as u64),
        ("transports", metrics.transports()),
        ("turns", metrics.turns.get()),
        ("callbacks", metrics.callbacks.get()),
        ("received", metrics.received.get()),
        ("sent", metrics.sent.get()),
    ] {
        numbers.set_item(name, number)?;
    }
    for (name, seconds) in [
        ("busy", metrics.worked(monotonic())),
        ("idle", this.guard.waited().get()),
        ("stalled_cpu", metrics.stall_processor.get()),
        ("stalled_queued", metrics.stall_queued.get()),
        ("stalled_blocked", metrics.stall_blocked.get()),
    ] {
        numbers.set_item(name, seconds)?;
    }
    let histograms = PyDict::new(py);
    for (name, histogram) in [
        ("turn", &metrics.turn),
        ("lag", &metrics.lag),
        ("stall", &metrics.stall),
    ] {
        histograms.set_item(name, as_tuple(histogram))?;
    }
    Ok(PyTuple::new(py, [numbers, histograms])?.into_any())
}

fn as_tuple(histogram: &Histogram) -> (Vec<u64>, f64, f64) {
    let counts = histogram.cumulative();
    (counts, histogram.sum(), histogram.longest())
}

fn bounds<'py>(_: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let seconds = BOUNDS_US.iter().map(|bound| *bound as f64 / 1e6);
    let seconds = PyTuple::new(arguments.py(), seconds)?;
    Ok(seconds.into_any())
}

fn stalls_now<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    stall::going_on(arguments.py(), receiver.cast::<Loop>()?.get())
}

/// The caller has seen to it that the threshold is one.
fn watch<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let guard = &receiver.cast::<Loop>()?.get().guard;
    let threshold = arguments.required("_set_threshold", 0, "threshold")?;
    let seconds: Option<f64> = threshold.extract()?;
    guard.set(py, seconds.map(Duration::from_secs_f64))?;
    Ok(py.None().into_bound(py))
}

fn end_watchdog<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    receiver.cast::<Loop>()?.get().guard.end(py)?;
    Ok(py.None().into_bound(py))
}

fn start_watchdog<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    receiver.cast::<Loop>()?.get().guard.start(py)?;
    Ok(py.None().into_bound(py))
}
