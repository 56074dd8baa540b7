//! What came of a load run: counts, latencies, errors, and whether to believe them.
//!
//! It must not know how the numbers came about or how they are shown. Key invariants: latencies
//! hold completed requests only, one sample each; errors, warm-up and what was still under way at
//! the end are counted elsewhere or not at all, never mixed in.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::self_check::SelfCheck;

/// Largest latency that is told apart, in nanoseconds: one hour. Longer ones count as this.
const LATENCY_MAX_NS: u64 = 3_600_000_000_000;
/// Significant decimal digits of latencies.
const LATENCY_DIGITS: u8 = 3;

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection could not be made.
    Connect,
    /// The body lacks the text that was expected, or a WebSocket the compression.
    Content,
    /// The answer breaks the protocol, or more came than was asked for.
    Malformed,
    /// This machine has no free port left for another connection to that address.
    PortsExhausted,
    /// The connection ended before the answer did.
    Reset,
    /// The answer has an unexpected status.
    Status,
    /// No complete answer within the plan's timeout.
    Timeout,
}

impl ErrorKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Connect,
        Self::Content,
        Self::Malformed,
        Self::PortsExhausted,
        Self::Reset,
        Self::Status,
        Self::Timeout,
    ];
}

/// The result of one run, or of one stage of a ramp.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Actual length of the measured window; shorter than planned if the run was stopped.
    pub window: Duration,
    /// Good answers completed within the window.
    pub completed: u64,
    /// Requests within the window, those that its begin or end cuts by their parts: how many were answered in
    /// a window of few requests, where it would matter much which of them end within it.
    pub parts: f64,
    /// Bytes that arrived within the window, heads included.
    pub bytes_received: u64,
    /// What went wrong within the window; kinds that did not occur are absent.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// Complete answers by status, good or not; empty for TCP.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests sent or due, but neither answered nor failed when the window closed.
    ///
    /// Their latencies are unknown. In an open loop a number far above
    /// `rate x median latency` means that the server fell behind at the end.
    pub unfinished: u64,
    /// Latency of each completed request in nanoseconds.
    pub latency: Histogram<u64>,
    /// Whether the generator could keep up.
    pub self_check: SelfCheck,
}

impl Outcome {
    /// Completed requests per second of the window.
    pub fn requests_per_second(&self) -> f64 {
        per_second(self.completed, self.window)
    }

    /// Received bytes per second of the window.
    pub fn bytes_per_second(&self) -> f64 {
        per_second(self.bytes_received, self.window)
    }

    /// All errors together.
    pub fn errors_total(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Adds what another thread measured in the same window.
    pub fn merge(&mut self, other: &Self) -> Result<(), LoadError> {
        self.window = self.window.max(other.window);
        self.completed += other.completed;
        self.parts += other.parts;
        self.bytes_received += other.bytes_received;
        self.unfinished += other.unfinished;
        for (&kind, count) in &other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        for (&status, count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        add(&mut self.latency, &other.latency)?;
        self.self_check.merge(&other.self_check)
    }
}

fn per_second(count: u64, window: Duration) -> f64 {
    if window.is_zero() {
        0.0
    } else {
        count as f64 / window.as_secs_f64()
    }
}

/// A histogram of nanoseconds as every outcome uses it.
pub(crate) fn empty_histogram() -> Result<Histogram<u64>, LoadError> {
    Histogram::new_with_max(LATENCY_MAX_NS, LATENCY_DIGITS).map_err(|error| LoadError::Bug {
        rule: format!("the histogram's bounds are valid: {error}"),
    })
}

/// Adds the samples of one histogram to another of the same bounds.
pub(crate) fn add(target: &mut Histogram<u64>, source: &Histogram<u64>) -> Result<(), LoadError> {
    target.add(source).map_err(|error| LoadError::Bug {
        rule: format!("all histograms have equal bounds: {error}"),
    })
}
