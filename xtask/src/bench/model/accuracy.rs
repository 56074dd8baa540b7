//! From a scenario's result to the model's accuracy: errors of the predicted throughput gain and the
//! direction of P99, beside those of the naive rule and the width of the measurement itself.
//!
//! Pure. A point is one pair of contenders in one case, counted once however many claims are about
//! it; predictions without a measured ratio are left out and counted. What was predicted from stacks
//! that were calibrated on the machine and what was predicted from a table of costs stand apart.

mod families;
mod judged;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use corrente_report::result::{Finding, FindingPoint, Interval, Measure, ScenarioResult, Tail};

pub(crate) use families::Families;
use judged::{Judged, Sides, brief, spread};

/// The largest errors that are named.
const NAMED: usize = 6;

/// Where the stacks' costs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Calibrated,
    Shipped,
}

impl Source {
    const ALL: [Self; 2] = [Self::Calibrated, Self::Shipped];

    fn about(self) -> &'static str {
        match self {
            Self::Calibrated => "stacks calibrated on the machine",
            Self::Shipped => "a table of costs, nothing of the async side",
        }
    }
}

/// A pair of contenders in a case: what was predicted, and what came of it.
#[derive(Debug, Clone)]
struct Point {
    of: String,
    over: String,
    case: String,
    /// The rows of the table of groups that it counts in.
    groups: Vec<String>,
    measured: Interval,
    naive: Option<f64>,
    calibrated: Option<Interval>,
    shipped: Option<Interval>,
}

impl Point {
    fn predicted(&self, source: Source) -> Option<Interval> {
        match source {
            Source::Calibrated => self.calibrated,
            Source::Shipped => self.shipped,
        }
    }
}

/// The accuracy over one scenario, or several together.
#[derive(Debug)]
pub(crate) struct Table {
    name: String,
    gains: Vec<Point>,
    tails: Vec<Point>,
    left_out: usize,
}

impl Table {
    /// `None` where nothing was predicted. Grouped by the families of cases and by the other side.
    pub(crate) fn of(scenario: &ScenarioResult, families: &Families) -> Option<Self> {
        let (mut gains, left_out) = points(scenario, Measure::Throughput, &[]);
        let (tails, _) = points(scenario, Measure::P99, &scenario.tails);
        for gain in &mut gains {
            let family = families.of(&gain.case).to_owned();
            gain.groups = vec![family, format!("over {}", gain.over)];
        }
        (!gains.is_empty()).then(|| Self {
            name: scenario.name.clone(),
            gains,
            tails,
            left_out,
        })
    }

    /// Several scenarios as one table, grouped by scenario; `None` of none.
    pub(super) fn together(name: &str, tables: Vec<Self>) -> Option<Self> {
        let mut all = Self {
            name: name.to_owned(),
            gains: Vec::new(),
            tails: Vec::new(),
            left_out: 0,
        };
        for mut table in tables {
            for point in table.gains.iter_mut().chain(&mut table.tails) {
                point.groups = vec![table.name.clone()];
                point.case = format!("{} of {}", point.case, table.name);
            }
            all.gains.append(&mut table.gains);
            all.tails.append(&mut table.tails);
            all.left_out += table.left_out;
        }
        (!all.gains.is_empty()).then_some(all)
    }
}

/// A prediction, whether it was measured or not.
struct Predicted<'a> {
    key: [&'a str; 3],
    measured: Option<Interval>,
    naive: Option<f64>,
    calibrated: Option<Interval>,
    shipped: Option<Interval>,
}

impl<'a> Predicted<'a> {
    fn in_finding(finding: &'a Finding, point: &'a FindingPoint) -> Self {
        Self {
            key: [&finding.of, &finding.over, &point.case],
            measured: point.measured,
            naive: point.naive,
            calibrated: point.predicted,
            shipped: point.shipped,
        }
    }

    fn in_tail(tail: &'a Tail) -> Self {
        Self {
            key: [&tail.of, &tail.over, &tail.case],
            measured: tail.measured,
            naive: None,
            calibrated: tail.predicted,
            shipped: tail.shipped,
        }
    }
}

/// The points of a measure, and how many predictions met no measurement.
fn points(scenario: &ScenarioResult, measure: Measure, tails: &[Tail]) -> (Vec<Point>, usize) {
    let findings = scenario.findings.iter();
    let findings = findings.filter(|one| one.measure == measure && !one.is_unpinned());
    let claimed = findings.flat_map(|finding| {
        let points = finding.points.iter();
        points.map(move |point| Predicted::in_finding(finding, point))
    });
    let all = claimed.chain(tails.iter().map(Predicted::in_tail));
    let mut seen = BTreeSet::new();
    let (mut found, mut left_out) = (Vec::new(), 0);
    for one in all.filter(|one| one.calibrated.is_some() || one.shipped.is_some()) {
        if !seen.insert(one.key) {
            continue;
        }
        let [of, over, case] = one.key.map(str::to_owned);
        match one.measured {
            Some(measured) => found.push(Point {
                of,
                over,
                case,
                groups: Vec::new(),
                measured,
                naive: one.naive,
                calibrated: one.calibrated,
                shipped: one.shipped,
            }),
            None => left_out += 1,
        }
    }
    (found, left_out)
}

/// The points that a source predicted.
fn predicted_by<'a>(
    source: Source,
    points: impl IntoIterator<Item = &'a Point>,
) -> Vec<Judged<'a>> {
    let judged = |point: &'a Point| {
        Some(Judged {
            point,
            predicted: point.predicted(source)?,
        })
    };
    points.into_iter().filter_map(judged).collect()
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{}: {} points ({} without a measurement)",
            self.name,
            self.gains.len(),
            self.left_out
        )?;
        let widths = self.gains.iter().map(half_width).collect();
        writeln!(formatter, "  measured, half interval  {}", spread(widths))?;
        let naive = self.gains.iter();
        let naive = naive.filter_map(|point| Some(point.naive? / point.measured.estimate - 1.0));
        writeln!(
            formatter,
            "  error of the naive rule  {}",
            spread(naive.collect())
        )?;
        for source in Source::ALL {
            self.write_source(formatter, source)?;
        }
        self.write_groups(formatter)
    }
}

impl Table {
    fn write_source(&self, formatter: &mut fmt::Formatter<'_>, source: Source) -> fmt::Result {
        let mut gains = predicted_by(source, &self.gains);
        if gains.is_empty() {
            return Ok(());
        }
        let tails = predicted_by(source, &self.tails);
        let within = gains.iter().filter(|gain| gain.is_within()).count();
        writeln!(formatter, "\n  {} ({} points)", source.about(), gains.len())?;
        writeln!(
            formatter,
            "    error of the gain      {}",
            spread(gains.iter().map(Judged::error).collect())
        )?;
        writeln!(
            formatter,
            "    measured gain within the predicted interval: {within} of {}",
            gains.len()
        )?;
        writeln!(
            formatter,
            "    right side of 1, gain: {}",
            Sides::of(&gains)
        )?;
        writeln!(
            formatter,
            "    right side of 1, P99:  {}",
            Sides::of(&tails)
        )?;
        gains.sort_by(|one, other| other.error().abs().total_cmp(&one.error().abs()));
        for gain in gains.iter().take(NAMED) {
            writeln!(formatter, "    {gain}")?;
        }
        let wrong = tails
            .iter()
            .filter(|tail| tail.is_on_the_side() == Some(false));
        for tail in wrong.take(NAMED) {
            writeln!(formatter, "    P99 {tail}")?;
        }
        Ok(())
    }

    /// Where the model is good, and where not.
    fn write_groups(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups: Vec<(&str, Vec<&Point>)> = Vec::new();
        let most = self.gains.iter().map(|point| point.groups.len()).max();
        // Families first, sides after them.
        for place in 0..most.unwrap_or(0) {
            for point in &self.gains {
                let Some(name) = point.groups.get(place) else {
                    continue;
                };
                match groups.iter_mut().find(|(known, _)| known == name) {
                    Some((_, points)) => points.push(point),
                    None => groups.push((name, vec![point])),
                }
            }
        }
        writeln!(
            formatter,
            "\n  {:<36} points   calibrated: median, 90th, side   shipped: median, 90th, side",
            "by group"
        )?;
        for (name, points) in groups {
            let [calibrated, shipped] =
                Source::ALL.map(|source| brief(&predicted_by(source, points.iter().copied())));
            writeln!(
                formatter,
                "  {name:<36} {:>6}   {calibrated:<32} {shipped}",
                points.len()
            )?;
        }
        Ok(())
    }
}

/// Half the width of the measured interval, relative.
fn half_width(point: &Point) -> f64 {
    (point.measured.high - point.measured.low) / 2.0 / point.measured.estimate
}
