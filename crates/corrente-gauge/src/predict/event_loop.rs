//! A service that is asynchronous already: where its loop's time goes, and what unblocking brings.
//!
//! A loop computes, is blocked, or is free. What blocks it is told by resource where a watched
//! library makes a synchronous call in a step of a coroutine; the rest has no name. The prediction
//! is the same service, stack and deployment with nothing that blocks.

use corrente_model::law::Law;
use corrente_model::prediction::{self, Effort, Question};
use corrente_model::service::{Calls, Resource, Service};
use corrente_model::simulator::Load;
use corrente_model::verdict;
use corrente_report::prediction::{
    Blocker, EventLoop, Judgement, PredictionReport, Reason, Side, Verdict,
};

use super::reading::{self, MS, Reading};
use super::{Detail, Settings, cannot_tell, curves, doubts, judge, pair, present, span};
use crate::aggregate::{EndpointFigures, Figures};

/// A loop that is blocked for less of its time has nothing to gain.
const BLOCKED: f64 = 0.05;
/// Users of the closed load.
const USERS: usize = 128;
const SEED: u64 = 1;

/// Where the loop's time goes, means over all requests.
pub(super) fn figures(figures: &Figures, reading: &Reading) -> EventLoop {
    let mean = |of: &dyn Fn(&EndpointFigures) -> f64| {
        let all: f64 = figures.endpoints.iter().map(|one| one.requests).sum();
        let sum: f64 = figures
            .endpoints
            .iter()
            .map(|one| one.requests * of(one))
            .sum();
        if all > 0.0 { sum / all } else { 0.0 }
    };
    let blocked_ms = mean(&|one| one.blocked_ms.unwrap_or(0.0));
    let mut blockers: Vec<Blocker> = (reading.resources.iter().flatten())
        .map(|resource| Blocker {
            resource: reading::name(Some(resource)),
            ms: mean(&|one| {
                let calls = one.calls.iter().filter(|calls| calls.resource == *resource);
                calls
                    .map(|calls| calls.wait_per_request_ms * calls.blocking_share)
                    .sum()
            }),
        })
        .filter(|blocker| blocker.ms > 0.0)
        .collect();
    let named: f64 = blockers.iter().map(|blocker| blocker.ms).sum();
    if blocked_ms > named {
        blockers.push(Blocker {
            resource: String::new(),
            ms: blocked_ms - named,
        });
    }
    blockers.sort_by(|one, other| other.ms.total_cmp(&one.ms));
    EventLoop {
        busy_share: figures.service.loop_busy_share,
        cpu_ms: reading.service.cpu() / MS,
        blocked_ms: blocked_ms.max(named),
        blockers,
    }
}

/// What removing all that blocks would bring.
pub(super) fn predict(
    report: &mut PredictionReport,
    known: &Figures,
    reading: &Reading,
    settings: &Settings,
) {
    let about = figures(known, reading);
    let busy = about.cpu_ms + about.blocked_ms;
    let share = if busy > 0.0 {
        about.blocked_ms / busy
    } else {
        0.0
    };
    let first = about.blockers.first();
    let resource = first
        .map(|blocker| blocker.resource.clone())
        .unwrap_or_default();
    report.event_loop = Some(about);
    if share < BLOCKED {
        report.judgement = Judgement {
            verdict: Verdict::NoGain,
            reason: Reason::LoopFree { share },
        };
        return;
    }
    match gain(report, known, reading, settings) {
        Err(error) => {
            report.judgement = cannot_tell(Reason::Unpredictable {
                detail: error.to_string(),
            });
        }
        Ok(verdict::Verdict::Migrate | verdict::Verdict::Tune(_)) => {
            report.judgement = Judgement {
                verdict: Verdict::Tune,
                reason: Reason::Unblock { resource, share },
            };
        }
        Ok(verdict::Verdict::CannotTell { more_data }) if more_data.is_finite() => {
            let more = (report.requests as f64 * (more_data - 1.0)).ceil() as u64;
            report.judgement = cannot_tell(Reason::Wide { more });
        }
        Ok(_) => {
            report.judgement = Judgement {
                verdict: Verdict::NoGain,
                reason: Reason::Small,
            };
        }
    }
}

/// Fills in both sides, and gives the model's verdict on the gain.
fn gain(
    report: &mut PredictionReport,
    known: &Figures,
    reading: &Reading,
    settings: &Settings,
) -> Result<verdict::Verdict, prediction::Unpredictable> {
    let (blocked, free) = (
        with_blocking(known, reading),
        without_blocking(known, reading),
    );
    let mut deployment = present::looped(known, reading, settings);
    deployment
        .connections
        .push(corrente_model::service::Connections::Unlimited);
    let pair = pair::unmoved(known, reading);
    let mut stack = pair.from;
    stack.costs.calls.insert(
        reading::UNEXPLAINED.to_owned(),
        corrente_model::least_squares::Estimate::exact(0.0),
    );
    let load = Load::Closed {
        users: USERS,
        think: Law::Constant(0.0),
    };
    // Nothing moves: each side is asked by itself, with the other one's place taken by its own.
    let ask = |service: &Service, load: &Load, effort: Effort| {
        let question = Question {
            service,
            present: None,
            cpu_deviation: reading.cpu_deviation,
            from: &stack,
            to: &stack,
            before: &deployment,
            after: &deployment,
            load,
            model_deviation: judge::MODEL_DEVIATION.hypot(reading.sampling_deviation),
            seed: SEED,
        };
        prediction::predict_with(&question, effort)
    };
    let (before, after) = (
        ask(&blocked, &load, Effort::FIGURE)?,
        ask(&free, &load, Effort::FIGURE)?,
    );
    let least = before.rests_on.min(after.rests_on);
    report.assumptions.extend(doubts::few_simulated(least));
    let (before, after) = (before.before, after.after);
    let setting = present::setting(&deployment, settings.pool.map(|pool| pool as u64));
    let side = |service: &Service, found: &prediction::Side| Side {
        setting,
        throughput_per_s: span(found.throughput_per_s),
        p50_ms: None,
        p99_ms: None,
        cpu_ms: found.cpu / MS,
        limit: found.bound.map(|bound| judge::limit(service, bound.limit)),
        memory_bytes: found.memory_bytes,
        cost_per_million: None,
    };
    let ratio = ratio(&before, &after);
    report.users = Some(USERS as u64);
    report.before = Some(side(&blocked, &before));
    report.after = Some(side(&free, &after));
    report.gain = Some(span(ratio));
    if settings.detail == Detail::Curves {
        report.curves = curves::of_loop(report, |load| {
            let before = ask(&blocked, load, Effort::POINT).ok()?.before;
            let after = ask(&free, load, Effort::POINT).ok()?.after;
            Some([before, after].map(|side| span(side.throughput_per_s)))
        });
    }
    Ok(verdict::verdict(ratio, None))
}

/// Both sides have the same draws, so what is unsure of their processor time is unsure of both and
/// mostly cancels; what is left is taken to be as much as of one side.
fn ratio(
    before: &prediction::Side,
    after: &prediction::Side,
) -> corrente_model::statistics::Interval {
    let (one, other) = (before.throughput_per_s, after.throughput_per_s);
    let estimate = other.estimate / one.estimate;
    corrente_model::statistics::Interval {
        estimate,
        low: estimate * other.low / other.estimate,
        high: estimate * other.high / other.estimate,
    }
}

/// The service with what blocks it and has no name as a resource of its own, the last one.
fn with_blocking(known: &Figures, reading: &Reading) -> Service {
    changed(known, reading, 1.0)
}

fn without_blocking(known: &Figures, reading: &Reading) -> Service {
    let mut service = changed(known, reading, 0.0);
    for endpoint in &mut service.endpoints {
        for calls in &mut endpoint.calls {
            calls.blocking = 0.0;
        }
    }
    service
}

fn changed(known: &Figures, reading: &Reading, blocking: f64) -> Service {
    let mut service = reading.service.clone();
    let nameless = service.resources.len();
    service.resources.push(Resource {
        name: String::new(),
        kind: reading::UNEXPLAINED.to_owned(),
        servers: None,
    });
    for endpoint in &mut service.endpoints {
        let Some(figures) = known.endpoints.iter().find(|one| one.name == endpoint.name) else {
            continue;
        };
        let named: f64 = (figures.calls.iter())
            .map(|calls| calls.wait_per_request_ms * calls.blocking_share)
            .sum();
        let left = (figures.blocked_ms.unwrap_or(0.0) - named).max(0.0) * MS;
        if left > 0.0 {
            // It was waiting that nothing explains: it is that no more.
            for calls in &mut endpoint.calls {
                if reading
                    .resources
                    .get(calls.resource)
                    .is_some_and(Option::is_none)
                {
                    let rest = (calls.waiting() - left).max(0.0) / calls.count;
                    calls.wait = calls.wait.with_mean(rest);
                }
            }
            endpoint.calls.push(Calls {
                resource: nameless,
                count: 1.0,
                wait: Law::Constant(left),
                independent: 0.0,
                blocking,
                cpu: None,
            });
        }
    }
    service
}
