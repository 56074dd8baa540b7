//! From a scenario's result to the model's accuracy: errors of the predicted throughput gain, beside
//! those of the naive rule and the width of the measurement itself.
//!
//! Pure. A point is one pair of contenders in one case, counted once however many claims are about
//! it; points without a measured ratio or without a prediction are left out and counted.

use std::collections::BTreeSet;
use std::fmt;

use corrente_report::result::{Finding, FindingPoint, Interval, Measure, ScenarioResult};

/// Gains nearer to 1 than this have no side of it to be right about.
const SIDE: f64 = 1.10;
/// The largest errors that are named.
const NAMED: usize = 6;

/// A prediction and what came of it.
#[derive(Debug, Clone)]
struct Point {
    name: String,
    measured: Interval,
    predicted: Interval,
    naive: Option<f64>,
}

/// The accuracy over one scenario.
#[derive(Debug)]
pub(super) struct Table {
    scenario: String,
    gains: Vec<Point>,
    tails: Vec<Point>,
    left_out: usize,
}

impl Table {
    /// `None` where nothing was predicted.
    pub(super) fn of(scenario: &ScenarioResult) -> Option<Self> {
        let of = |measure| points(scenario, measure);
        let (gains, left_out) = of(Measure::Throughput);
        let (tails, _) = of(Measure::P99);
        (!gains.is_empty()).then(|| Self {
            scenario: scenario.name.clone(),
            gains,
            tails,
            left_out,
        })
    }
}

/// The points of a measure, and how many predictions met no measurement.
fn points(scenario: &ScenarioResult, measure: Measure) -> (Vec<Point>, usize) {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut left_out = 0;
    let findings = scenario
        .findings
        .iter()
        .filter(|finding| finding.measure == measure);
    let all = findings
        .filter(|finding| !finding.is_unpinned())
        .flat_map(|finding| finding.points.iter().map(move |point| (finding, point)));
    for (finding, point) in all {
        let name = name(finding, point);
        let Some(predicted) = point.predicted.filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        match point.measured {
            Some(measured) => found.push(Point {
                name,
                measured,
                predicted,
                naive: point.naive,
            }),
            None => left_out += 1,
        }
    }
    (found, left_out)
}

fn name(finding: &Finding, point: &FindingPoint) -> String {
    format!("{} / {}, {}", finding.of, finding.over, point.case)
}

impl Point {
    fn error(&self) -> f64 {
        self.predicted.estimate / self.measured.estimate - 1.0
    }

    /// Whether the prediction lies on the measured side of 1; `None` where that is too near.
    fn is_on_the_side(&self) -> Option<bool> {
        let measured = self.measured.estimate;
        (!(1.0 / SIDE..=SIDE).contains(&measured))
            .then_some((self.predicted.estimate > 1.0) == (measured > 1.0))
    }

    fn is_within(&self) -> bool {
        (self.predicted.low..=self.predicted.high).contains(&self.measured.estimate)
    }

    /// Half the width of the measured interval, relative.
    fn half_width(&self) -> f64 {
        (self.measured.high - self.measured.low) / 2.0 / self.measured.estimate
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gains = &self.gains;
        writeln!(
            formatter,
            "{}: {} points ({} without a measurement)",
            self.scenario,
            gains.len(),
            self.left_out
        )?;
        let model = gains.iter().map(Point::error).collect();
        writeln!(formatter, "  error of the model         {}", spread(model))?;
        let naive = gains
            .iter()
            .filter_map(|point| Some(point.naive? / point.measured.estimate - 1.0));
        writeln!(
            formatter,
            "  error of the naive rule    {}",
            spread(naive.collect())
        )?;
        let widths = gains.iter().map(Point::half_width).collect();
        writeln!(formatter, "  measured, half interval    {}", spread(widths))?;
        let within = gains.iter().filter(|point| point.is_within()).count();
        writeln!(
            formatter,
            "  measured gain within the predicted interval: {within} of {}",
            gains.len()
        )?;
        writeln!(formatter, "  right side of 1, gain:     {}", sides(gains))?;
        writeln!(
            formatter,
            "  right side of 1, P99:      {}",
            sides(&self.tails)
        )?;
        let mut worst: Vec<&Point> = gains.iter().collect();
        worst.sort_by(|one, other| other.error().abs().total_cmp(&one.error().abs()));
        for point in worst.into_iter().take(NAMED) {
            let Point {
                name,
                measured,
                predicted,
                ..
            } = point;
            writeln!(
                formatter,
                "  {:+5.0} %  {name}: predicted {:.2}, measured {:.2} [{:.2}, {:.2}]",
                100.0 * point.error(),
                predicted.estimate,
                measured.estimate,
                measured.low,
                measured.high
            )?;
        }
        Ok(())
    }
}

/// Median, 90th percentile and maximum of the absolute values, in percent.
fn spread(errors: Vec<f64>) -> String {
    let mut errors: Vec<f64> = errors
        .into_iter()
        .map(|error| 100.0 * error.abs())
        .collect();
    errors.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * errors.len() as f64).ceil() as usize;
        errors
            .get(place.saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN)
    };
    format!(
        "median {:5.1} %   90th percentile {:5.1} %   most {:5.1} %",
        at(0.5),
        at(0.9),
        at(1.0)
    )
}

fn sides(points: &[Point]) -> String {
    let told: Vec<bool> = points.iter().filter_map(Point::is_on_the_side).collect();
    let right = told.iter().filter(|right| **right).count();
    format!(
        "{right} of {} that differ from 1 by more than 10 %",
        told.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(measured: f64, predicted: f64) -> Point {
        let around = |estimate: f64| Interval {
            estimate,
            low: estimate * 0.9,
            high: estimate * 1.1,
        };
        Point {
            name: String::new(),
            measured: around(measured),
            predicted: around(predicted),
            naive: None,
        }
    }

    #[test]
    fn errors_have_no_sign_and_are_sorted() {
        let text = spread(vec![-0.2, 0.05, 0.1]);
        assert!(
            text.starts_with("median  10.0 %   90th percentile  20.0 %"),
            "{text}"
        );
    }

    #[test]
    fn gains_near_one_have_no_side() {
        let points = [point(1.05, 0.9), point(1.3, 1.2), point(0.8, 1.01)];
        assert_eq!(
            sides(&points),
            "1 of 2 that differ from 1 by more than 10 %"
        );
    }

    #[test]
    fn a_measurement_may_lie_outside_of_the_prediction() {
        assert!(point(1.0, 1.05).is_within());
        assert!(!point(1.0, 1.2).is_within());
    }
}
