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

/// A generator thread that is busy for more than this share of the window has no reserve left.
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
    /// Whether the generator was too busy ([`BUSY_SHARE_MAX`]) or too late ([`LAG_P99_MAX`]) for
    /// its numbers to describe the server.
    pub fn saturated(&self) -> bool {
        self.busy_share > BUSY_SHARE_MAX || self.lag_at(0.99) > LAG_P99_MAX
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
            waited_for_cpu: None,
            lag: histogram,
            queued: 0,
        }
    }

    #[test]
    fn either_threshold_saturates() {
        let short = Duration::from_micros(10);
        assert!(!check(0.5, short).saturated());
        assert!(check(0.91, short).saturated());
        assert!(check(0.5, Duration::from_millis(2)).saturated());
    }

    #[test]
    fn the_busiest_thread_counts() {
        let mut first = check(0.2, Duration::from_micros(1));
        first.merge(&check(0.95, Duration::from_micros(1))).unwrap();
        assert!(first.saturated());
        assert_eq!(first.lag.len(), 200);
    }
}
