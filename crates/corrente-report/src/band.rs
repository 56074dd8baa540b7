//! What counts as agreeing with a published figure: the rule that judges and that plots shade.
//!
//! It stands here, and only here, because the page that explains a verdict and the judgement itself
//! must not drift apart. Pure arithmetic on a [`Published`] figure.

use crate::result::{Interval, Published, Verdict};

/// Room on either side of a published ratio.
pub const TOLERANCE: f64 = 1.25;

/// What counts as a direction: 5 %.
pub const DIRECTION_MIN: f64 = 1.05;

/// The ratios that count as agreeing with what was published. An open side is absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl From<Published> for Band {
    fn from(published: Published) -> Self {
        let (low, high) = match published {
            Published::Ratio(ratio) => (Some(ratio / TOLERANCE), Some(ratio * TOLERANCE)),
            Published::Range(low, high) => (Some(low / TOLERANCE), Some(high * TOLERANCE)),
            Published::AtLeast(ratio) => (Some(ratio / TOLERANCE), None),
            Published::AtMost(ratio) => (None, Some(ratio * TOLERANCE)),
            Published::Higher => (Some(DIRECTION_MIN), None),
            Published::Lower => (None, Some(1.0 / DIRECTION_MIN)),
        };
        Self { low, high }
    }
}

impl Band {
    /// Confirmed where the whole interval lies within, refuted where it lies wholly outside.
    pub fn judge(self, measured: Interval) -> Verdict {
        let above = |value: f64| self.low.is_none_or(|low| low <= value);
        let below = |value: f64| self.high.is_none_or(|high| value <= high);
        if above(measured.low) && below(measured.high) {
            Verdict::Confirmed
        } else if !above(measured.high) || !below(measured.low) {
            Verdict::Refuted
        } else {
            Verdict::Inconclusive
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(published: Published, (low, high): (f64, f64), expected: Verdict) {
        let measured = Interval {
            estimate: f64::midpoint(low, high),
            low,
            high,
        };
        assert_eq!(Band::from(published).judge(measured), expected);
    }

    #[test]
    fn a_ratio_has_room_on_both_sides() {
        check(Published::Ratio(2.0), (1.6, 2.5), Verdict::Confirmed);
        check(Published::Ratio(2.0), (1.59, 2.0), Verdict::Inconclusive);
        check(Published::Ratio(2.0), (1.2, 1.59), Verdict::Refuted);
        check(Published::Ratio(2.0), (2.51, 9.0), Verdict::Refuted);
        check(Published::Range(3.0, 5.0), (2.4, 6.25), Verdict::Confirmed);
    }

    #[test]
    fn a_bound_is_open_on_one_side() {
        check(Published::AtLeast(2.0), (1.6, 99.0), Verdict::Confirmed);
        check(Published::AtMost(0.05), (0.0, 0.06), Verdict::Confirmed);
        check(Published::AtMost(0.05), (0.07, 0.2), Verdict::Refuted);
    }

    #[test]
    fn a_direction_needs_five_percent() {
        check(Published::Higher, (1.05, 9.0), Verdict::Confirmed);
        check(Published::Higher, (1.0, 1.04), Verdict::Refuted);
        check(Published::Higher, (1.0, 1.2), Verdict::Inconclusive);
        check(Published::Lower, (0.5, 0.95), Verdict::Confirmed);
        check(Published::Lower, (1.0, 1.1), Verdict::Refuted);
    }
}
