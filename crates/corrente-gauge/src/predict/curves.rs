//! Curves of a prediction: throughput by users, and P99 by rate, some eight points each.
//!
//! The model is asked with less effort than for a figure that stands by itself; what that leaves to
//! chance is evened out where P99 would fall as the rate rises. Invariant: where the report has a
//! figure, the point is that figure, so that curve and table never disagree; a side has no P99 at a
//! rate that it does not keep up with.

use corrente_model::isotonic::{self, Weighted};
use corrente_model::law::Law;
use corrente_model::prediction::{self, Effort};
use corrente_model::simulator::Load;
use corrente_report::prediction::{Curves, PredictionReport, Span, TailPoint, ThroughputPoint};

use super::judge::{Case, question};
use super::latency::{self, Capacity};
use super::span;

/// Numbers of users, from one to those of the report.
const LEVELS: u32 = 8;
/// Shares of each side's capacity at which P99 is asked: closer where it bends. All of them are
/// below [`latency::KEEPS_UP`].
const SHARES: [f64; 6] = [0.15, 0.35, 0.55, 0.75, 0.85, 0.93];
/// Rates that are closer than this factor are one point.
const APART: f64 = 1.05;
/// What the report's own figure counts beside a point's: it stays where it is.
const FIXED: f64 = 1e6;

/// Both curves of a migration; `None` where its figures are not predicted.
pub(super) fn of_migration(case: &Case<'_>, report: &PredictionReport) -> Option<Curves> {
    let last = last(report)?;
    let ask = |load: &Load| {
        let found = prediction::predict_with(&question(case, load), Effort::POINT).ok()?;
        let sides = [found.before, found.after];
        Some(sides.map(|side| span(side.throughput_per_s)))
    };
    Some(std::thread::scope(|scope| {
        let tail = scope.spawn(|| tail(case, report, last));
        Curves {
            throughput: throughput(last, ask),
            tail: tail.join().unwrap_or_default(),
        }
    }))
}

/// The curve of a loop with what blocks it and without; of P99 nothing is predicted there.
pub(super) fn of_loop(
    report: &PredictionReport,
    ask: impl Fn(&Load) -> Option<[Span; 2]>,
) -> Option<Curves> {
    Some(Curves {
        throughput: throughput(last(report)?, ask),
        tail: Vec::new(),
    })
}

/// The report's own figures, with which the curve of throughput ends.
fn last(report: &PredictionReport) -> Option<ThroughputPoint> {
    Some(ThroughputPoint {
        users: report.users?,
        before_per_s: report.before.as_ref()?.throughput_per_s,
        after_per_s: report.after.as_ref()?.throughput_per_s,
    })
}

/// Throughput up to the users of the last point; `ask` gives that of both sides.
fn throughput(
    last: ThroughputPoint,
    ask: impl Fn(&Load) -> Option<[Span; 2]>,
) -> Vec<ThroughputPoint> {
    let point = |users: u64| {
        let load = Load::Closed {
            users: users as usize,
            think: Law::Constant(0.0),
        };
        let [before_per_s, after_per_s] = ask(&load)?;
        Some(ThroughputPoint {
            users,
            before_per_s,
            after_per_s,
        })
    };
    let mut points: Vec<ThroughputPoint> = levels(last.users).filter_map(point).collect();
    points.push(last);
    points
}

/// Numbers of users below `most`, each about the same factor above the one before.
fn levels(most: u64) -> impl Iterator<Item = u64> {
    let level = move |step: u32| {
        let share = f64::from(step) / f64::from(LEVELS - 1);
        (most as f64).powf(share).round() as u64
    };
    let mut levels: Vec<u64> = (0..LEVELS).map(level).collect();
    levels.dedup();
    levels.into_iter().filter(move |users| *users < most)
}

/// P99 up to the rates that each side keeps up with.
fn tail(case: &Case<'_>, report: &PredictionReport, most: ThroughputPoint) -> Vec<TailPoint> {
    let capacity = Capacity {
        before: most.before_per_s.estimate,
        after: most.after_per_s.estimate,
    };
    let known = known(report);
    let asked = |rate_per_s: f64| {
        let found = latency::at(case, capacity, rate_per_s, Effort::POINT)?;
        Some(TailPoint {
            rate_per_s,
            before_ms: found.before.as_ref().map(latency::p99_ms),
            after_ms: found.after.as_ref().map(latency::p99_ms),
        })
    };
    let rates = rates(capacity, known.map(|point| point.rate_per_s));
    let mut points: Vec<TailPoint> = rates.filter_map(asked).chain(known).collect();
    points.sort_by(|one, other| one.rate_per_s.total_cmp(&other.rate_per_s));
    let fixed = known.and_then(|known| points.iter().position(|point| *point == known));
    // What keeps up with a rate keeps up with every lower one: a side has the first points.
    let before = evened(points.iter().map_while(|point| point.before_ms), fixed);
    let after = evened(points.iter().map_while(|point| point.after_ms), fixed);
    for (point, span) in points.iter_mut().zip(before) {
        point.before_ms = Some(span);
    }
    for (point, span) in points.iter_mut().zip(after) {
        point.after_ms = Some(span);
    }
    points
}

/// More requests make none of them faster: where P99 falls from one rate to the next it does so by
/// chance. Estimate and ends alike are evened out, on logarithms; the fixed one stays as it is.
fn evened(spans: impl Iterator<Item = Span>, fixed: Option<usize>) -> Vec<Span> {
    let spans: Vec<Span> = spans.collect();
    let risen = |figure: fn(&Span) -> f64| {
        let weighted = spans.iter().enumerate().map(|(place, span)| Weighted {
            value: figure(span).ln(),
            weight: if Some(place) == fixed { FIXED } else { 1.0 },
        });
        isotonic::rising(&weighted.collect::<Vec<Weighted>>())
    };
    let ends = risen(|span| span.low)
        .into_iter()
        .zip(risen(|span| span.high));
    let all = risen(|span| span.estimate).into_iter().zip(ends);
    let evened = all.map(|(estimate, (low, high))| Span {
        estimate: estimate.exp(),
        low: low.exp(),
        high: high.exp(),
    });
    let mut evened: Vec<Span> = evened.collect();
    if let Some(place) = fixed.filter(|place| *place < spans.len()) {
        evened[place] = spans[place];
    }
    evened
}

/// The report's own P99, at its rate; `None` where neither side keeps up with it.
fn known(report: &PredictionReport) -> Option<TailPoint> {
    let p99 = [&report.before, &report.after].map(|side| side.as_ref()?.p99_ms);
    let [before_ms, after_ms] = p99;
    p99.iter().any(Option::is_some).then_some(TailPoint {
        rate_per_s: report.rate_per_s?,
        before_ms,
        after_ms,
    })
}

/// The rates at which P99 is asked, rising: shares of both capacities, without what is known.
fn rates(capacity: Capacity, known: Option<f64>) -> impl Iterator<Item = f64> {
    let near = |one: f64, other: f64| one.max(other) < APART * one.min(other);
    let of_both = |share| [share * capacity.before, share * capacity.after];
    let mut rates: Vec<f64> = SHARES.into_iter().flat_map(of_both).collect();
    rates.retain(|rate| *rate > 0.0 && known.is_none_or(|known| !near(known, *rate)));
    rates.sort_unstable_by(f64::total_cmp);
    // The lower of two stays: both sides keep up with it where they do with the higher.
    rates.dedup_by(|later, earlier| near(*later, *earlier));
    rates.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_rise_to_those_of_the_report() {
        let of = |most| levels(most).collect::<Vec<u64>>();
        assert_eq!(of(16), [1, 2, 3, 5, 7, 11]);
        assert_eq!(of(400), [1, 2, 6, 13, 31, 72, 170]);
        assert_eq!(of(1), [] as [u64; 0]);
    }

    #[test]
    fn rates_are_shares_of_both_capacities_each_once() {
        let of = |before, after, known| {
            let capacity = Capacity { before, after };
            rates(capacity, known).map(f64::round).collect::<Vec<f64>>()
        };
        let wide = [15.0, 35.0, 55.0, 75.0, 85.0, 93.0];
        let all = [150.0, 350.0, 550.0, 750.0, 850.0, 930.0];
        assert_eq!(of(100.0, 1000.0, None), [wide, all].concat());
        assert_eq!(of(100.0, 101.0, None), wide);
        assert_eq!(of(100.0, 101.0, Some(56.0)), [15.0, 35.0, 75.0, 85.0, 93.0]);
    }

    #[test]
    fn what_falls_by_chance_is_evened_out_around_what_is_known() {
        let span = |estimate: f64| Span {
            estimate,
            low: estimate / 2.0,
            high: estimate * 2.0,
        };
        let found = || [40.0, 90.0, 10.0, 50.0].map(span).into_iter();
        let of = |fixed| {
            let evened = evened(found(), fixed).into_iter();
            let figures = evened.flat_map(|span| [span.low, span.estimate, span.high]);
            figures.map(f64::round).collect::<Vec<f64>>()
        };
        // The geometric mean of 40, 90 and 10 is 33; as good as known, 40 pulls the others to it.
        let [pooled, last, pulled] = [[17.0, 33.0, 66.0], [25.0, 50.0, 100.0], [20.0, 40.0, 80.0]];
        assert_eq!(of(None), [pooled, pooled, pooled, last].concat());
        assert_eq!(of(Some(0)), [pulled, pulled, pulled, last].concat());
        assert_eq!(evened(found(), Some(0))[0], span(40.0));
        assert_eq!(of(Some(7)), of(None));
    }

    #[test]
    fn no_share_is_more_than_a_side_keeps_up_with() {
        assert!(SHARES.iter().all(|share| *share < latency::KEEPS_UP));
    }
}
