//! The verdict: what to do, and the one reason for it.
//!
//! The order of the questions is the product's honesty: is there enough data; would async be
//! worse; would it change anything; would better settings bring the same; only then: migrate.

use crate::statistics::Interval;
use crate::tuning::Setting;

/// Below this relative difference a change is not worth its risk: the lab's own threshold for a
/// direction is 5 %.
const WORTH: f64 = 1.10;
/// A gain that surely stays below this is no reason to rewrite a service. Wider than [`WORTH`], since
/// the model's own error alone is an eighth.
const LITTLE: f64 = 1.30;
/// The share of the async throughput at which better settings bring "the same".
pub const SAME: f64 = 0.95;

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Go async.
    Migrate,
    /// Better settings of what is there bring the same.
    Tune(Setting),
    /// Async would change less than is worth it.
    NoGain,
    /// Async would be slower.
    Worse,
    /// The interval is too wide: so many times as many requests would make it narrow enough.
    CannotTell {
        /// Factor on the recorded requests; infinite where more data would not help.
        more_data: f64,
    },
}

/// The verdict on a gain in throughput, given the best settings of the synchronous side, if any
/// reach [`SAME`] of the asynchronous throughput.
pub fn verdict(gain: Interval, tuned: Option<Setting>) -> Verdict {
    if gain.high < 1.0 / 1.05 {
        return Verdict::Worse;
    }
    if gain.low >= WORTH {
        return tuned.map_or(Verdict::Migrate, Verdict::Tune);
    }
    if gain.estimate < WORTH && gain.high < LITTLE {
        return Verdict::NoGain;
    }
    Verdict::CannotTell {
        more_data: more_data(gain),
    }
}

/// An interval's width shrinks with the root of the number of requests: how many more until its
/// lower end, or its upper end, leaves the region of doubt.
fn more_data(gain: Interval) -> f64 {
    let (estimate, worth) = (gain.estimate.ln(), WORTH.ln());
    let distance = (estimate - worth).abs();
    let width = if estimate > worth {
        estimate - gain.low.ln()
    } else {
        gain.high.ln() - estimate
    };
    if distance > 0.0 {
        (width / distance).powi(2).max(1.0)
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Concurrency, Deployment};

    fn gain(low: f64, estimate: f64, high: f64) -> Interval {
        Interval {
            estimate,
            low,
            high,
        }
    }

    fn setting() -> Setting {
        Setting {
            deployment: Deployment {
                cores: 1.0,
                processes: 8,
                concurrency: Concurrency::Threads(4),
                connections: vec![],
            },
            throughput_per_s: 100.0,
            memory_bytes: 1e9,
        }
    }

    #[test]
    fn the_reasons_in_their_order() {
        assert_eq!(verdict(gain(1.3, 1.4, 1.5), None), Verdict::Migrate);
        assert_eq!(
            verdict(gain(1.3, 1.4, 1.5), Some(setting())),
            Verdict::Tune(setting())
        );
        assert_eq!(
            verdict(gain(0.9, 1.0, 1.1), Some(setting())),
            Verdict::NoGain
        );
        assert_eq!(verdict(gain(0.7, 0.8, 0.9), None), Verdict::Worse);
    }

    #[test]
    fn a_wide_interval_says_how_much_more_is_needed() {
        let Verdict::CannotTell { more_data } = verdict(gain(0.9, 1.21, 1.6), None) else {
            panic!("the interval is on both sides");
        };
        // ln(1.21 / 0.9) = 0.296 must shrink to ln(1.21 / 1.1) = 0.0953.
        assert!(
            (more_data - (0.296_f64 / 0.0953).powi(2)).abs() < 0.1,
            "{more_data}"
        );
    }
}
