//! An outcome in plain numbers, for JSON.
//!
//! It must not add judgement: every field follows from [`Outcome`]. Key invariant: units are in the
//! names, and fields keep their names and meanings once published.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::outcome::{ErrorKind, Outcome};
use crate::self_check::SelfCheck;

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;
const MICROSECONDS_PER_SECOND: f64 = 1e6;

/// One run in plain numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Length of the measured window in seconds.
    pub window_s: f64,
    /// Good answers within the window.
    pub completed: u64,
    /// Good answers per second.
    pub requests_per_second: f64,
    /// Bytes received within the window.
    pub bytes_received: u64,
    /// What went wrong; kinds that did not occur are absent.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// Complete answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests neither answered nor failed when the window closed.
    pub unfinished: u64,
    /// Latency of the good answers; absent if there were none.
    pub latency: Option<LatencySummary>,
    /// How the generator fared.
    pub self_check: SelfCheckSummary,
}

/// A latency distribution in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are the statistics' names with the unit"
)]
pub struct LatencySummary {
    pub min_ms: f64,
    pub mean_ms: f64,
    pub deviation_ms: f64,
    pub p50_ms: f64,
    pub p75_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p99_9_ms: f64,
    pub max_ms: f64,
}

/// How the generator fared, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelfCheckSummary {
    /// CPU time of the generator threads in seconds.
    pub cpu_s: f64,
    /// CPU time per completed request in microseconds; absent if there were none.
    pub cpu_per_request_us: Option<f64>,
    /// Share of the window (0 to 1) in which the busiest thread ran.
    pub busy_share: f64,
    /// The same with the time spent waiting for a CPU, see [`SelfCheck::demand_share`].
    pub demand_share: f64,
    /// Seconds spent waiting for a CPU; absent if the kernel does not tell.
    pub waited_for_cpu_s: Option<f64>,
    /// Median lag in milliseconds, see [`SelfCheck::lag`].
    pub lag_p50_ms: f64,
    /// 99th percentile of the lag in milliseconds.
    pub lag_p99_ms: f64,
    /// Longest lag in milliseconds.
    pub lag_max_ms: f64,
    /// Open-loop requests that waited for a free connection.
    pub queued: u64,
    /// Whether throughput is only a lower bound, see [`SelfCheck::is_busy`].
    pub busy: bool,
    /// Whether latencies include the generator's own delay, see [`SelfCheck::is_late`].
    pub late: bool,
    /// Either of the two.
    pub saturated: bool,
}

impl Outcome {
    /// The outcome in plain numbers.
    pub fn summary(&self) -> Summary {
        Summary {
            window_s: self.window.as_secs_f64(),
            completed: self.completed,
            requests_per_second: self.requests_per_second(),
            bytes_received: self.bytes_received,
            errors: self.errors.clone(),
            statuses: self.statuses.clone(),
            unfinished: self.unfinished,
            latency: LatencySummary::of(&self.latency),
            self_check: SelfCheckSummary::of(&self.self_check, self.completed),
        }
    }
}

impl LatencySummary {
    /// Summarises a histogram of nanoseconds; `None` if it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Option<Self> {
        let at = |share| histogram.value_at_quantile(share) as f64 / NANOSECONDS_PER_MILLISECOND;
        (!histogram.is_empty()).then(|| Self {
            min_ms: histogram.min() as f64 / NANOSECONDS_PER_MILLISECOND,
            mean_ms: histogram.mean() / NANOSECONDS_PER_MILLISECOND,
            deviation_ms: histogram.stdev() / NANOSECONDS_PER_MILLISECOND,
            p50_ms: at(0.5),
            p75_ms: at(0.75),
            p90_ms: at(0.9),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p99_9_ms: at(0.999),
            max_ms: histogram.max() as f64 / NANOSECONDS_PER_MILLISECOND,
        })
    }
}

impl SelfCheckSummary {
    fn of(check: &SelfCheck, completed: u64) -> Self {
        let cpu_s = check.cpu.as_secs_f64();
        let milliseconds = |nanoseconds: u64| nanoseconds as f64 / NANOSECONDS_PER_MILLISECOND;
        Self {
            cpu_s,
            cpu_per_request_us: (completed > 0)
                .then(|| cpu_s * MICROSECONDS_PER_SECOND / completed as f64),
            busy_share: check.busy_share,
            demand_share: check.demand_share,
            waited_for_cpu_s: check.waited_for_cpu.map(|waited| waited.as_secs_f64()),
            lag_p50_ms: milliseconds(check.lag.value_at_quantile(0.5)),
            lag_p99_ms: milliseconds(check.lag.value_at_quantile(0.99)),
            lag_max_ms: milliseconds(check.lag.max()),
            queued: check.queued,
            busy: check.is_busy(),
            late: check.is_late(),
            saturated: check.saturated(),
        }
    }
}
