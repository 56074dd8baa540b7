//! Asks the model, and words its answer: capacity, latency, memory, cost, and the verdict's reason.
//!
//! Capacity is predicted under a closed load that saturates both sides, latency under an open one at
//! the recorded rate or the user's. The verdict is the model's; the reason is read off the limits of
//! both sides. Everything is seeded: the same question has the same answer.

use std::time::Duration;

use corrente_model::bounds;
use corrente_model::calibration;
use corrente_model::cost::{self, Prices};
use corrente_model::law::Law;
use corrente_model::naive;
use corrente_model::prediction::{self, Effort, Prediction, Question, Unpredictable};
use corrente_model::service::{Connections, Service};
use corrente_model::simulator::Load;
use corrente_model::statistics::Interval;
use corrente_model::tuning::{self, Setting as Tuned, Target};
use corrente_model::verdict::{self, SAME};
use corrente_report::prediction::{
    Endpoint, Judgement, Limit, PredictionReport, Reason, Setting, Side, Verdict,
};

use super::doubts::{self, FAILING, REQUESTS_OF_ENDPOINT};
use super::pair::Pair;
use super::present::{self, Deployments};
use super::reading::{self, MS, Reading};
use super::{Settings, cannot_tell, crowded, flags, latency, span};
use crate::aggregate::{EndpointFigures, Figures};

/// Relative standard deviation of the model's own error (docs/BENCHMARKS.md, `bench model`).
pub(super) const MODEL_DEVIATION: f64 = 0.13;
/// Users of the closed load, at least and at most: beyond, a prediction takes too long.
const USERS: (f64, f64) = (16.0, 400.0);
/// Users for each that a side can have in hand: enough that it is never idle.
const SATURATION: f64 = 2.0;
/// Memory of a core on a machine made for computing: what more workers may use.
const BYTES_PER_CORE: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;
/// A difference of processor time that may be the reason of a verdict.
const CPU_MATTERS: f64 = 1.05;
/// So may waiting of this share of a request: less than that makes no gain that is worth a change.
const WAITING_MATTERS: f64 = 0.05;
/// A throughput that is this many times another is worth a change: see `corrente_model::verdict`.
const WORTH: f64 = 1.10;
/// The share of the cores that a setting can fill: what remains is lost to chance.
const CORES_FULL: f64 = 0.9;
/// Seed of all draws.
pub(super) const SEED: u64 = 1;

/// A service, its two stacks and deployments, and how sure the recording is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub service: &'a Service,
    pub pair: &'a Pair,
    pub deployments: &'a Deployments,
    pub cpu_deviation: f64,
    pub sampling_deviation: f64,
    pub requests: u64,
    /// The kernel told of no request how long it stood in line for a processor.
    pub line_is_unknown: bool,
}

/// What the model says of one case.
struct Answer {
    prediction: Prediction,
    users: usize,
    judgement: Judgement,
}

/// The service as a whole.
pub(super) fn whole(
    case: &Case<'_>,
    figures: &Figures,
    settings: &Settings,
    report: &mut PredictionReport,
) {
    report.naive_gain = naive_gain(case.service);
    let answer = match ask(case, Effort::FIGURE) {
        Ok(answer) => answer,
        Err(error) => {
            report.judgement = unpredictable(&error);
            return;
        }
    };
    let Prediction {
        before,
        after,
        gain,
        ..
    } = &answer.prediction;
    let hosts = figures.service.hosts_at_once.max(1) as f64;
    let recorded = figures.service.requests_per_s.map(|rate| rate / hosts);
    let rate = settings.rate.or(recorded);
    let of = |side: &prediction::Side, setting: Setting| Side {
        throughput_per_s: span(side.throughput_per_s),
        p50_ms: None,
        p99_ms: None,
        cpu_ms: side.cpu / MS,
        limit: side.bound.map(|bound| limit(case.service, bound.limit)),
        memory_bytes: side.memory_bytes,
        cost_per_million: settings
            .price
            .and_then(|price| per_million(price, setting, side)),
        setting,
    };
    report.users = Some(answer.users as u64);
    report.rate_per_s = rate;
    report.gain = Some(span(*gain));
    report.before = Some(of(before, case.deployments.before_setting()));
    report.after = Some(of(after, case.deployments.after_setting()));
    let of_latency = rate.and_then(|rate| latency::predict(case, &answer.prediction, rate, report));
    let rests_on = of_latency
        .unwrap_or(u64::MAX)
        .min(answer.prediction.rests_on);
    report.assumptions.extend(doubts::few_simulated(rests_on));
    report.judgement = answer.judgement;
}

/// One endpoint as a service of its own.
pub(super) fn endpoint(
    known: &EndpointFigures,
    reading: &Reading,
    whole: &Case<'_>,
    effort: Effort,
) -> Endpoint {
    let mut endpoint = Endpoint {
        name: known.name.clone(),
        requests: known.requests.round() as u64,
        judgement: cannot_tell(Reason::FewRequests {
            requests: known.measured,
            more: REQUESTS_OF_ENDPOINT.saturating_sub(known.measured),
        }),
        gain: None,
        naive_gain: None,
    };
    if known.failed_share > FAILING {
        let share = known.failed_share;
        endpoint.judgement = cannot_tell(Reason::Failing { share });
        return endpoint;
    }
    let Some(service) = reading.alone(known) else {
        return endpoint;
    };
    endpoint.naive_gain = naive_gain(&service);
    if known.measured < REQUESTS_OF_ENDPOINT {
        return endpoint;
    }
    if doubts::is_unasked(known) && !whole.line_is_unknown {
        endpoint.judgement = cannot_tell(Reason::FewRequests {
            requests: known.measured,
            more: REQUESTS_OF_ENDPOINT,
        });
        return endpoint;
    }
    let spread = known.wall.and_then(|wall| wall.squared_variation);
    let case = Case {
        service: &service,
        sampling_deviation: (spread.unwrap_or(0.0) / known.measured as f64).sqrt(),
        requests: known.measured,
        ..*whole
    };
    match ask(&case, effort) {
        Ok(answer) => {
            endpoint.gain = Some(span(answer.prediction.gain));
            endpoint.judgement = answer.judgement;
        }
        Err(error) => endpoint.judgement = unpredictable(&error),
    }
    endpoint
}

fn ask(case: &Case<'_>, effort: Effort) -> Result<Answer, Unpredictable> {
    let users = users(case)?;
    let load = Load::Closed {
        users,
        think: Law::Constant(0.0),
    };
    let prediction = prediction::predict_with(&question(case, &load), effort)?;
    let rival = rival(case, &prediction, &load)?;
    let judgement = explained(case, judge(case, &prediction, rival));
    Ok(Answer {
        prediction,
        users,
        judgement,
    })
}

pub(super) fn question<'a>(case: &Case<'a>, load: &'a Load) -> Question<'a> {
    Question {
        service: case.service,
        present: None,
        cpu_deviation: case.cpu_deviation,
        from: &case.pair.from,
        to: &case.pair.to,
        before: &case.deployments.before,
        after: &case.deployments.after,
        load,
        model_deviation: MODEL_DEVIATION
            .hypot(crowded::deviation(case))
            .hypot(case.sampling_deviation),
        seed: SEED,
    }
}

/// Users that keep both sides busy: more than there are workers, and more than fit into the waiting
/// of a request while all loops compute (Little's law).
fn users(case: &Case<'_>) -> Result<usize, Unpredictable> {
    let moved = calibration::moved(case.service, &case.pair.from, &case.pair.to)?;
    let (waiting, cpu) = (case.service.waiting(), moved.cpu());
    let loops = case.deployments.after.processes as f64;
    let overlapping = if cpu > 0.0 {
        loops * (1.0 + waiting / cpu)
    } else {
        0.0
    };
    let slots = case.deployments.before.slots();
    let wanted = SATURATION * slots.max(overlapping);
    Ok(wanted.clamp(USERS.0, USERS.1).ceil() as usize)
}

/// The honest rival of a migration: the same service with better settings.
enum Rival {
    /// It brings the same.
    Same(Tuned),
    /// It brings less, but more than there is.
    Less(Tuned),
    /// None is better than what there is.
    None,
}

/// The smallest setting that brings the same as async would; else the smallest that brings what the
/// cores give to this stack, or as much as async brings at least. Not looked for where async brings
/// nothing.
fn rival(case: &Case<'_>, prediction: &Prediction, load: &Load) -> Result<Rival, Unpredictable> {
    if prediction.gain.estimate <= 1.0 {
        return Ok(Rival::None);
    }
    let before = &case.deployments.before;
    let server = &case.pair.from_name.server;
    let smallest = |throughput_per_s| {
        let memory = (BYTES_PER_CORE * before.cores).max(prediction.before.memory_bytes);
        let target = Target {
            throughput_per_s,
            memory_bytes: memory,
            processes: flags::most_processes(server, before.processes),
            threads: flags::most_threads(server, case.deployments.threads()),
        };
        tuning::smallest(case.service, &case.pair.from, before, load, target)
    };
    if let Some(found) = smallest(SAME * prediction.after.throughput_per_s.estimate)? {
        return Ok(Rival::Same(found));
    }
    let has = prediction.before.throughput_per_s.estimate;
    let cores = CORES_FULL * before.cores / case.service.cpu();
    if cores.is_finite()
        && cores > WORTH * has
        && let Some(found) = smallest(cores)?
    {
        return Ok(Rival::Less(found));
    }
    // Beyond this, async is surely worth more.
    let doubtful = prediction.after.throughput_per_s.low / WORTH;
    Ok(smallest(doubtful.max(WORTH * has))?.map_or(Rival::None, Rival::Less))
}

fn judge(case: &Case<'_>, prediction: &Prediction, rival: Rival) -> Judgement {
    let (before, after) = (&prediction.before, &prediction.after);
    let limits =
        [before, after].map(|side| side.bound.map(|bound| limit(case.service, bound.limit)));
    let [limit_before, limit_after] = limits;
    let (before_ms, after_ms) = (before.cpu / MS, after.cpu / MS);
    let (same, less) = match rival {
        Rival::Same(setting) => (Some(setting), None),
        Rival::Less(setting) => (None, Some(setting)),
        Rival::None => (None, None),
    };
    let (verdict, reason) = match verdict::verdict(prediction.gain, same) {
        verdict::Verdict::Migrate => match less {
            Some(setting) => beyond(case, prediction, &setting),
            None => (Verdict::Migrate, freed(case, prediction)),
        },
        verdict::Verdict::Tune(setting) => (Verdict::Tune, better(case, after, &setting)),
        verdict::Verdict::NoGain => match (limit_before, limit_after) {
            (Some(before), Some(after)) if before == after => {
                (Verdict::NoGain, Reason::SameLimit { limit: before })
            }
            _ => (Verdict::NoGain, Reason::Small),
        },
        verdict::Verdict::Worse => match limit_after {
            Some(limit) if limit != Limit::Cores || after_ms < CPU_MATTERS * before_ms => {
                (Verdict::Worse, Reason::NewLimit { limit })
            }
            _ => (
                Verdict::Worse,
                Reason::DearerStack {
                    before_ms,
                    after_ms,
                },
            ),
        },
        verdict::Verdict::CannotTell { more_data } => (
            Verdict::CannotTell,
            unsure(case, prediction.gain, more_data),
        ),
    };
    Judgement { verdict, reason }
}

/// No advice where most of the waiting is for nobody knows what: a lock, or a line in which all requests stand,
/// gets no shorter when more of them wait at once.
fn explained(case: &Case<'_>, judgement: Judgement) -> Judgement {
    let share = reading::unexplained_share(case.service);
    let is_advice = matches!(judgement.verdict, Verdict::Migrate | Verdict::Tune);
    if is_advice && share > doubts::UNEXPLAINED_MOST && waits(case.service) {
        return cannot_tell(Reason::Unexplained { share });
    }
    judgement
}

/// Whether a service's requests wait so long that their waiting may be the reason of a verdict.
fn waits(service: &Service) -> bool {
    service.waiting() > WAITING_MATTERS * (service.waiting() + service.cpu())
}

/// Why to migrate where no setting is better: the workers wait, or the other stack computes less.
fn freed(case: &Case<'_>, prediction: &Prediction) -> Reason {
    let (before, after) = (&prediction.before, &prediction.after);
    let limit = before.bound.map(|bound| bound.limit);
    let (before_ms, after_ms) = (before.cpu / MS, after.cpu / MS);
    let computes = limit == Some(bounds::Limit::Cores) || !waits(case.service);
    if computes && before_ms > after_ms {
        return Reason::CheaperStack {
            before_ms,
            after_ms,
        };
    }
    let wait_ms = case.service.waiting() / MS;
    Reason::WorkersWait {
        wait_ms,
        wall_ms: wait_ms + before_ms,
    }
}

/// Async would bring more than a better setting: enough more to be sure of, or not.
fn beyond(case: &Case<'_>, prediction: &Prediction, tuned: &Tuned) -> (Verdict, Reason) {
    let after = &prediction.after;
    if after.throughput_per_s.low < WORTH * tuned.throughput_per_s {
        return (Verdict::Tune, better(case, after, tuned));
    }
    let setting = tuned_setting(case, tuned);
    let reason = Reason::BeyondSetting {
        setting,
        flags: flags::flags(&case.pair.from_name.server, &setting),
        throughput_per_s: tuned.throughput_per_s,
        async_per_s: span(after.throughput_per_s),
    };
    (Verdict::Migrate, reason)
}

fn better(case: &Case<'_>, after: &prediction::Side, tuned: &Tuned) -> Reason {
    let setting = tuned_setting(case, tuned);
    Reason::BetterSetting {
        setting,
        flags: flags::flags(&case.pair.from_name.server, &setting),
        throughput_per_s: tuned.throughput_per_s,
        async_per_s: span(after.throughput_per_s),
        memory_bytes: tuned.memory_bytes,
    }
}

fn tuned_setting(case: &Case<'_>, tuned: &Tuned) -> Setting {
    let limited = |connections: &Connections| match connections {
        Connections::PerProcess(count) | Connections::Barging(count) => Some(*count as u64),
        _ => None,
    };
    let pool = tuned.deployment.connections.iter().find_map(limited);
    present::setting(&tuned.deployment, pool.or(case.deployments.pool_before))
}

fn unsure(case: &Case<'_>, gain: Interval, more_data: f64) -> Reason {
    match more_requests(case.requests, gain, case.sampling_deviation, more_data) {
        Some(more) => Reason::Wide { more },
        None => Reason::UnsureCosts {
            stack: case.pair.to.name.clone(),
        },
    }
}

/// How many more requests would make the interval narrow enough, `more_data` times by its variance;
/// `None` where none would. Its width has a part that comes from how few were recorded, which shrinks
/// with the root of their number, and one that does not shrink: the costs of stacks and the model's
/// own error. Both add in squares.
pub(super) fn more_requests(
    requests: u64,
    gain: Interval,
    sampling_deviation: f64,
    more_data: f64,
) -> Option<u64> {
    let width = (gain.high / gain.low).ln() / (2.0 * 1.96);
    let sampled = sampling_deviation * sampling_deviation;
    let lasting = (width * width - sampled).max(0.0);
    let room = width * width / more_data - lasting;
    let factor = sampled / room;
    let helps = room > 0.0 && factor.is_finite() && factor > 1.0;
    helps.then(|| (requests as f64 * (factor - 1.0)).ceil() as u64)
}

fn unpredictable(error: &Unpredictable) -> Judgement {
    cannot_tell(Reason::Unpredictable {
        detail: error.to_string(),
    })
}

/// What the rule of thumb says: 1 + waiting / computing.
pub(super) fn naive_gain(service: &Service) -> Option<f64> {
    let seconds = |value: f64| Duration::try_from_secs_f64(value).ok();
    let (cpu, waiting) = (service.cpu(), service.waiting());
    naive::gain(seconds(cpu + waiting)?, seconds(cpu)?)
}

fn per_million(price: f64, setting: Setting, side: &prediction::Side) -> Option<f64> {
    let prices = Prices {
        per_core_hour: price,
        per_gib_hour: 0.0,
    };
    let throughput = side.throughput_per_s.estimate;
    cost::per_million(prices, setting.cores, side.memory_bytes, throughput)
}

/// A limit with the name of what it is about.
pub(super) fn limit(service: &Service, limit: bounds::Limit) -> Limit {
    let name = |number: usize| {
        let resource = service.resources.get(number);
        resource.map(|one| one.name.clone()).unwrap_or_default()
    };
    match limit {
        bounds::Limit::Users => Limit::Users,
        bounds::Limit::Slots => Limit::Workers,
        bounds::Limit::Cores => Limit::Cores,
        bounds::Limit::BlockedLoop => Limit::BlockedLoop,
        bounds::Limit::Connections(number) => Limit::Connections {
            resource: name(number),
        },
        bounds::Limit::Servers(number) => Limit::Resource {
            resource: name(number),
        },
    }
}
