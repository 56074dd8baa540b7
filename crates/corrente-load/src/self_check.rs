//! Whether the generator itself was the bottleneck of a run.
//!
//! It must not judge the server. A generator that is always busy, or late with its own sends,
//! measures itself: then throughput is a lower bound and latency an upper bound.
//!
//! Key invariant: lag counts only delay that this process caused. Waiting for a free connection is
//! the server's doing and counts as latency, not as lag.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::error::LoadError;
use crate::outcome::add;

/// A generator thread that ran, or would have run had the CPU been free, for more than this share of
/// the window has no reserve left.
pub const BUSY_SHARE_MAX: f64 = 0.90;
/// A generator whose 99th percentile of lag is above this distorts millisecond latencies.
pub const LAG_P99_MAX: Duration = Duration::from_millis(1);

/// How the generator itself fared in the measured window.
#[derive(Debug, Clone)]
pub struct SelfCheck {
    /// CPU time of all generator threads.
    pub cpu: Duration,
    /// CPU time of the busiest thread divided by the window.
    pub busy_share: f64,
    /// As `busy_share`, with the time that the thread was ready to run but others had the CPU.
    ///
    /// Equal to `busy_share` where the kernel does not tell.
    pub demand_share: f64,
    /// Time the threads were ready to run but the CPU was given to others, if the kernel tells.
    pub waited_for_cpu: Option<Duration>,
    /// How late the generator was, in nanoseconds.
    ///
    /// Open loop: actual send minus due time, of requests that found a free connection.
    /// Closed loop: the length of each turn of the event loop, which is how long an answer may have
    /// lain unread.
    pub lag: Histogram<u64>,
    /// Open loop: requests that had to wait because all connections were in use.
    pub queued: u64,
}

impl SelfCheck {
    /// Whether a thread needed more than [`BUSY_SHARE_MAX`]: throughput is then a lower bound.
    pub fn is_busy(&self) -> bool {
        self.demand_share > BUSY_SHARE_MAX
    }

    /// Whether the lag was above [`LAG_P99_MAX`]: latencies then include the generator's own delay.
    ///
    /// A closed loop with many users and a fast server can be late without being busy, because
    /// answers come in batches; its throughput is still the server's.
    pub fn is_late(&self) -> bool {
        self.lag_at(0.99) > LAG_P99_MAX
    }

    /// Whether the generator was too busy or too late for its numbers to describe the server alone.
    pub fn saturated(&self) -> bool {
        self.is_busy() || self.is_late()
    }

    /// The lag that the given share of the samples (0 to 1) does not exceed.
    pub fn lag_at(&self, share: f64) -> Duration {
        Duration::from_nanos(self.lag.value_at_quantile(share))
    }

    /// The longest lag.
    pub fn lag_max(&self) -> Duration {
        Duration::from_nanos(self.lag.max())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), LoadError> {
        self.cpu += other.cpu;
        self.busy_share = self.busy_share.max(other.busy_share);
        self.demand_share = self.demand_share.max(other.demand_share);
        self.waited_for_cpu = match (self.waited_for_cpu, other.waited_for_cpu) {
            (Some(mine), Some(theirs)) => Some(mine + theirs),
            _ => None,
        };
        self.queued += other.queued;
        add(&mut self.lag, &other.lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::empty_histogram;

    fn check(busy_share: f64, lag: Duration) -> SelfCheck {
        let mut histogram = empty_histogram().unwrap();
        histogram
            .record_n(u64::try_from(lag.as_nanos()).unwrap(), 100)
            .unwrap();
        SelfCheck {
            cpu: Duration::ZERO,
            busy_share,
            demand_share: busy_share,
            waited_for_cpu: None,
            lag: histogram,
            queued: 0,
        }
    }

    #[test]
    fn either_threshold_saturates() {
        let short = Duration::from_micros(10);
        assert!(!check(0.5, short).saturated());
        let busy = check(0.91, short);
        assert!(busy.saturated() && busy.is_busy() && !busy.is_late());
        let late = check(0.5, Duration::from_millis(2));
        assert!(late.saturated() && !late.is_busy() && late.is_late());
    }

    #[test]
    fn the_busiest_thread_counts() {
        let mut first = check(0.2, Duration::from_micros(1));
        first.merge(&check(0.95, Duration::from_micros(1))).unwrap();
        assert!(first.saturated());
        assert_eq!(first.lag.len(), 200);
    }
}
