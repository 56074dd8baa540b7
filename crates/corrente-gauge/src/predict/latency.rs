//! Latency under an open load: P50 and P99 of both sides, and what gathering calls would bring.
//!
//! Requests come at random (Poisson) at the rate that was recorded or asked for. A side that cannot
//! keep up with it has no latency: its queue only grows, and that is what the report says.

use corrente_model::calibration;
use corrente_model::law::Law;
use corrente_model::prediction::{self, Effort, Prediction};
use corrente_model::service::{Concurrency, Deployment};
use corrente_model::simulator::{self, Load, Plan};
use corrente_model::statistics::Interval;
use corrente_report::prediction::{PredictionReport, Side, Span};

use super::judge::{Case, SEED, question};
use super::reading::MS;
use super::span;

/// The share of its capacity up to which a side's latency is predicted: beyond, it only grows.
pub(super) const KEEPS_UP: f64 = 0.95;
/// Connections over which the load comes.
const CLIENTS: usize = 64;
/// A median falls where it becomes less than this share: what is between is chance.
const FALLS: f64 = 0.95;
/// Requests that the simulation beside the predictions answers.
const REQUESTS: u64 = 5_000;
/// Events that it takes at most.
const EVENTS: u64 = 300_000;

/// Requests a second at most, of each side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    pub before: f64,
    pub after: f64,
}

/// What both sides show at a rate; one that does not keep up with it is absent.
pub(super) struct Latency {
    pub before: Option<prediction::Side>,
    pub after: Option<prediction::Side>,
    pub p99_ratio: Option<Interval>,
    /// Simulated requests that it rests on.
    pub rests_on: u64,
}

/// P50 and P99 at a rate, of the sides that keep up with it; the simulated requests that they rest on.
pub(super) fn predict(
    case: &Case<'_>,
    capacity: &Prediction,
    rate_per_s: f64,
    report: &mut PredictionReport,
) -> Option<u64> {
    let capacity = Capacity {
        before: capacity.before.throughput_per_s.estimate,
        after: capacity.after.throughput_per_s.estimate,
    };
    let found = at(case, capacity, rate_per_s, Effort::FIGURE)?;
    let fill = |side: &mut Option<Side>, found: Option<&prediction::Side>| {
        if let (Some(side), Some(found)) = (side, found) {
            side.p50_ms = Some(found.outcome.latency.p50 / MS);
            side.p99_ms = Some(p99_ms(found));
        }
    };
    fill(&mut report.before, found.before.as_ref());
    fill(&mut report.after, found.after.as_ref());
    if let Some(after) = &found.after {
        let in_turn_ms = after.outcome.latency.p50 / MS;
        report.gathered_p50_ms =
            gathered(case, &load(rate_per_s)).filter(|ms| *ms < FALLS * in_turn_ms);
    }
    report.p99_ratio = found.p99_ratio.map(span);
    Some(found.rests_on)
}

/// Asks for both sides at a rate; `None` where neither keeps up with it.
pub(super) fn at(
    case: &Case<'_>,
    capacity: Capacity,
    rate_per_s: f64,
    effort: Effort,
) -> Option<Latency> {
    let keeps_up = |capacity: f64| rate_per_s < KEEPS_UP * capacity;
    let (before, after) = (keeps_up(capacity.before), keeps_up(capacity.after));
    if !before && !after {
        return None;
    }
    let load = load(rate_per_s);
    let mut question = question(case, &load);
    // A side that does not keep up has a queue that grows without end, and nothing to simulate: the
    // other side's deployment stands in for it, and what comes of that is left out.
    if !before {
        question.before = &case.deployments.after;
    }
    if !after {
        question.after = &case.deployments.before;
    }
    let found = prediction::predict_with(&question, effort).ok()?;
    Some(Latency {
        before: before.then_some(found.before),
        after: after.then_some(found.after),
        p99_ratio: (before && after).then_some(found.p99_ratio),
        rests_on: found.rests_on,
    })
}

/// P99 of a side, milliseconds.
pub(super) fn p99_ms(side: &prediction::Side) -> Span {
    let Interval {
        estimate,
        low,
        high,
    } = side.p99;
    Span {
        estimate: estimate / MS,
        low: low / MS,
        high: high / MS,
    }
}

fn load(rate_per_s: f64) -> Load {
    Load::Open {
        rate_per_s,
        connections: CLIENTS,
        spacing: Law::Exponential(1.0),
    }
}

/// The median latency if the calls that one line makes were made together; absent where there are
/// none.
fn gathered(case: &Case<'_>, load: &Load) -> Option<f64> {
    let calls = case.service.endpoints.iter().flat_map(|one| &one.calls);
    if !calls
        .clone()
        .any(|calls| calls.independent * calls.count >= 2.0)
    {
        return None;
    }
    let moved = calibration::moved(case.service, &case.pair.from, &case.pair.to).ok()?;
    let together = Deployment {
        concurrency: Concurrency::Loop { gathered: 1.0 },
        ..case.deployments.after.fair()
    };
    let plan = Plan {
        warm_up: REQUESTS / 10,
        requests: REQUESTS,
        events: EVENTS,
        seed: SEED,
    };
    let system = corrente_model::system(&moved, &together);
    let outcome = simulator::simulate(&system, load, plan).ok()?;
    Some(outcome.latency.p50 / MS)
}
