//! One prediction against one measurement, and what many of them come to.
//!
//! Pure. A ratio near 1 has no side of it to be right about; how near is told in two ways, by the
//! estimate and by the measured interval.

use std::fmt;

use corrente_report::result::Interval;

use super::Point;

/// Ratios nearer to 1 than this have no side of it to be right about.
const SIDE: f64 = 1.10;

/// A prediction that was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    pub point: &'a Point,
    pub predicted: Interval,
}

impl Judged<'_> {
    pub(super) fn error(&self) -> f64 {
        self.predicted.estimate / self.point.measured.estimate - 1.0
    }

    pub(super) fn is_within(&self) -> bool {
        let Interval { low, high, .. } = self.predicted;
        (low..=high).contains(&self.point.measured.estimate)
    }

    /// Whether the prediction lies on the measured side of 1; `None` where that is too near.
    pub(super) fn is_on_the_side(&self) -> Option<bool> {
        let is_near = (1.0 / SIDE..=SIDE).contains(&self.point.measured.estimate);
        (!is_near).then(|| self.is_same_side())
    }

    /// The same, where the measured interval is wholly on one side.
    fn is_on_the_sure_side(&self) -> Option<bool> {
        let Interval { low, high, .. } = self.point.measured;
        (low > 1.0 || high < 1.0).then(|| self.is_same_side())
    }

    fn is_same_side(&self) -> bool {
        (self.predicted.estimate > 1.0) == (self.point.measured.estimate > 1.0)
    }
}

impl fmt::Display for Judged<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point {
            of,
            over,
            case,
            measured,
            ..
        } = self.point;
        write!(
            formatter,
            "{:+5.0} %  {of} / {over}, {case}: predicted {:.2}, measured {:.2} [{:.2}, {:.2}]",
            100.0 * self.error(),
            self.predicted.estimate,
            measured.estimate,
            measured.low,
            measured.high
        )
    }
}

/// How many predictions are on the right side of 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    far: [usize; 2],
    sure: [usize; 2],
}

impl Sides {
    pub(super) fn of(judged: &[Judged<'_>]) -> Self {
        let count = |told: Vec<bool>| [told.iter().filter(|right| **right).count(), told.len()];
        let judged = judged.iter();
        Self {
            far: count(judged.clone().filter_map(Judged::is_on_the_side).collect()),
            sure: count(judged.filter_map(Judged::is_on_the_sure_side).collect()),
        }
    }
}

impl fmt::Display for Sides {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([far, of_far], [sure, of_sure]) = (self.far, self.sure);
        write!(
            formatter,
            "{far} of {of_far} that differ from 1 by more than 10 %, \
             {sure} of {of_sure} whose interval excludes 1"
        )
    }
}

/// Median, 90th percentile and maximum of the absolute values, in percent.
pub(super) fn spread(errors: Vec<f64>) -> String {
    let [median, most_of_them, most] = percentiles(errors);
    format!("median {median:5.1} %   90th percentile {most_of_them:5.1} %   most {most:5.1} %")
}

/// The figures of a family in one line.
pub(super) fn brief(judged: &[Judged<'_>]) -> String {
    if judged.is_empty() {
        return "-".to_owned();
    }
    let [median, most_of_them, _] = percentiles(judged.iter().map(Judged::error).collect());
    let Sides {
        far: [right, told], ..
    } = Sides::of(judged);
    format!("{median:5.1} % {most_of_them:6.1} %  {right} of {told}")
}

/// Median, 90th percentile and maximum of the absolute values, in percent.
fn percentiles(errors: Vec<f64>) -> [f64; 3] {
    let mut errors: Vec<f64> = errors
        .into_iter()
        .map(|error| 100.0 * error.abs())
        .collect();
    errors.sort_by(f64::total_cmp);
    [0.5, 0.9, 1.0].map(|share: f64| {
        let place = (share * errors.len() as f64).ceil() as usize;
        errors
            .get(place.saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN)
    })
}
