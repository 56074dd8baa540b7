//! Latency under an open load: P50 and P99 of both sides, and what gathering calls would bring.
//!
//! Requests come at random (Poisson) at the rate that was recorded or asked for. A side that cannot
//! keep up with it has no latency: its queue only grows, and that is what the report says.

use corrente_model::calibration;
use corrente_model::law::Law;
use corrente_model::prediction::{self, Prediction};
use corrente_model::service::{Concurrency, Deployment};
use corrente_model::simulator::{self, Load, Plan};
use corrente_model::statistics::Interval;
use corrente_report::prediction::{PredictionReport, Side};

use super::judge::{Case, SEED, question};
use super::reading::MS;
use super::span;

/// The share of its capacity up to which a side's latency is predicted: beyond, it only grows.
const KEEPS_UP: f64 = 0.95;
/// Connections over which the load comes.
const CLIENTS: usize = 64;
/// Requests that the simulation beside the predictions answers.
const REQUESTS: u64 = 5_000;

/// P50 and P99 at a rate, of the sides that keep up with it.
pub(super) fn predict(
    case: &Case<'_>,
    capacity: &Prediction,
    rate_per_s: f64,
    report: &mut PredictionReport,
) {
    let keeps_up = |side: &prediction::Side| rate_per_s < KEEPS_UP * side.throughput_per_s.estimate;
    let (before, after) = (keeps_up(&capacity.before), keeps_up(&capacity.after));
    if !before && !after {
        return;
    }
    let load = Load::Open {
        rate_per_s,
        connections: CLIENTS,
        spacing: Law::Exponential(1.0),
    };
    let mut question = question(case, &load);
    // A side that does not keep up has a queue that grows without end, and nothing to simulate: the
    // other side's deployment stands in for it, and what comes of that is left out.
    if !before {
        question.before = &case.deployments.after;
    }
    if !after {
        question.after = &case.deployments.before;
    }
    let Ok(prediction) = prediction::predict(&question) else {
        return;
    };
    let fill = |side: &mut Option<Side>, found: &prediction::Side| {
        if let Some(side) = side {
            let milliseconds = |seconds: f64| seconds / MS;
            let p99 = found.p99;
            side.p50_ms = Some(milliseconds(found.outcome.latency.p50));
            side.p99_ms = Some(span(Interval {
                estimate: milliseconds(p99.estimate),
                low: milliseconds(p99.low),
                high: milliseconds(p99.high),
            }));
        }
    };
    if before {
        fill(&mut report.before, &prediction.before);
    }
    if after {
        fill(&mut report.after, &prediction.after);
        report.gathered_p50_ms = gathered(case, &load);
    }
    if before && after {
        report.p99_ratio = Some(span(prediction.p99_ratio));
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
        ..case.deployments.after.clone()
    };
    let plan = Plan {
        warm_up: REQUESTS / 10,
        requests: REQUESTS,
        seed: SEED,
    };
    let system = corrente_model::system(&moved, &together);
    let outcome = simulator::simulate(&system, load, plan).ok()?;
    Some(outcome.latency.p50 / MS)
}
