//! Counts of exchanges that are over, for metrics.
//!
//! Atomic, so that whoever shows them need not be the loop's thread; added to by that alone.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::trace::Outcome;

/// Upper bounds of the histogram, in microseconds: Prometheus' usual ones, from 1 ms to 10 s.
const BOUNDS_MICROSECONDS: [u64; 13] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// By the first digit of the status.
    classes: [AtomicU64; 5],
    /// How many were in each bucket and no lower one; the last is for all that is longer.
    durations: [AtomicU64; BOUNDS_MICROSECONDS.len() + 1],
    microseconds: AtomicU64,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
}

impl Meter {
    /// One more.
    pub(crate) fn count(&self, outcome: &Outcome) {
        let add = |count: &AtomicU64, number: u64| count.fetch_add(number, Ordering::Relaxed);
        let class = usize::from(outcome.status / 100).clamp(1, self.classes.len()) - 1;
        add(&self.classes[class], 1);
        add(&self.sent_bytes, outcome.sent_bytes);
        add(&self.received_bytes, outcome.received_bytes);
        if outcome.is_talk {
            return;
        }
        let microseconds = u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROSECONDS.partition_point(|bound| *bound < microseconds);
        add(&self.durations[bucket], 1);
        add(&self.microseconds, microseconds);
    }

    /// The counts as a dictionary: `classes` (from 1xx on), `bounds`, `durations` (one more than bounds),
    /// `seconds`, `sent_bytes`, `received_bytes`.
    pub(crate) fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let number = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let all = |counts: &[AtomicU64]| counts.iter().map(number).collect::<Vec<u64>>();
        let seconds = |microseconds: u64| microseconds as f64 / 1e6;
        let shown = PyDict::new(py);
        shown.set_item("classes", all(&self.classes))?;
        shown.set_item("bounds", BOUNDS_MICROSECONDS.map(seconds))?;
        shown.set_item("durations", all(&self.durations))?;
        shown.set_item("seconds", seconds(number(&self.microseconds)))?;
        shown.set_item("sent_bytes", number(&self.sent_bytes))?;
        shown.set_item("received_bytes", number(&self.received_bytes))?;
        Ok(shown.into_any())
    }
}
