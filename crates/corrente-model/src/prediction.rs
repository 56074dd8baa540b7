//! The prediction: what a service would do on another stack and deployment, with intervals.
//!
//! Both sides are simulated with the same draws, so what is uncertain of both cancels in the ratio.
//! The intervals come from repeating that with costs drawn from the calibration's uncertainty, and
//! are widened by the model's own error, which was measured (docs/BENCHMARKS.md, `bench model`).

mod effort;

use std::fmt;

use self::effort::Budget;
pub use self::effort::Effort;
use crate::bounds::{self, Bound};
use crate::calibration::{self, Stack, Uncalibrated};
use crate::law::Law;
use crate::pairing::DOUBTED;
use crate::service::{Concurrency, Deployment, Service};
use crate::simulator::{self, Invalid, Load, Outcome, Plan};
use crate::statistics::Interval;
use crate::translation;

/// Of so many repetitions one is left out at each end of an interval.
const DRAWS_TO_AN_OUTLIER: usize = 40;
/// Threads of which one always has something to do: what a busy loop is like.
const NEVER_ASLEEP: usize = 1_000;

/// A service, what it runs on, and what it would run on.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The service as measured: processor times are those under `from`.
    pub service: &'a Service,
    /// The service as it costs in its present deployment, where that was measured apart; else it
    /// follows from `service` and the threads under which that was measured ([`Stack::threads`]).
    pub present: Option<&'a Service>,
    /// Relative standard deviation of the measured processor times.
    pub cpu_deviation: f64,
    /// The stack that it runs on.
    pub from: &'a Stack,
    /// The stack that it would run on.
    pub to: &'a Stack,
    /// The deployment that it has.
    pub before: &'a Deployment,
    /// The deployment that it would have.
    pub after: &'a Deployment,
    /// The requests that come.
    pub load: &'a Load,
    /// Relative standard deviation of the model's own error.
    pub model_deviation: f64,
    /// Seed of every draw.
    pub seed: u64,
}

/// What is predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The present deployment.
    pub before: Side,
    /// The other one.
    pub after: Side,
    /// Throughput after over before.
    pub gain: Interval,
    /// P99 latency after over before.
    pub p99_ratio: Interval,
    /// Simulated requests that the estimates rest on; fewer where each takes long to simulate.
    pub rests_on: u64,
    /// Events that were simulated for it: the work that it took.
    pub events: u64,
}

/// One side of a prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// The simulation's figures.
    pub outcome: Outcome,
    /// Requests a second, with the interval.
    pub throughput_per_s: Interval,
    /// P99 latency in seconds, with the interval.
    pub p99: Interval,
    /// Processor time of a mean request, in seconds.
    pub cpu: f64,
    /// The lowest bound: what limits.
    pub bound: Option<Bound>,
    /// Memory of the processes and of the requests in flight.
    pub memory_bytes: f64,
}

/// Why there is no prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpredictable {
    /// A stack lacks a cost.
    Uncalibrated(Uncalibrated),
    /// The service or a deployment cannot be.
    Invalid(Invalid),
    /// What was measured has no ratio, or one without bounds, as where a request took no time.
    Boundless,
    /// Requests take so long that none ends within what is simulated.
    Endless,
}

impl fmt::Display for Unpredictable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncalibrated(Uncalibrated { stack, kind }) => {
                write!(
                    formatter,
                    "the stack `{stack}` is not calibrated for `{kind}` calls"
                )
            }
            Self::Invalid(invalid) => write!(formatter, "{invalid}"),
            Self::Boundless => formatter.write_str(
                "what was measured has no ratio within bounds (a request without any time, or a cost that \
                 is not known): measure more requests",
            ),
            Self::Endless => formatter.write_str(
                "requests take so many turns of a processor that none ends in what is simulated: are the \
                 recorded times those of a service that answers? else record it again",
            ),
        }
    }
}

impl std::error::Error for Unpredictable {}

impl From<Uncalibrated> for Unpredictable {
    fn from(missing: Uncalibrated) -> Self {
        Self::Uncalibrated(missing)
    }
}

impl From<Invalid> for Unpredictable {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// Predicts, with [`Effort::FIGURE`].
///
/// # Errors
///
/// [`Unpredictable`] where a stack lacks a cost, something cannot be simulated, or nothing bounds the answer.
pub fn predict(question: &Question<'_>) -> Result<Prediction, Unpredictable> {
    predict_with(question, Effort::FIGURE)
}

/// Predicts with as much simulating as is said.
///
/// # Errors
///
/// [`Unpredictable`] where a stack lacks a cost, something cannot be simulated, or nothing bounds the answer.
pub fn predict_with(question: &Question<'_>, effort: Effort) -> Result<Prediction, Unpredictable> {
    // Both sides in the same order: what only that order brings is no gain.
    let (fair_before, fair_after) = (question.before.fair(), question.after.fair());
    let unfair = question.after;
    let question = &Question {
        before: &fair_before,
        after: &fair_after,
        ..question.clone()
    };
    let present = present(question, question.from, 1.0)?;
    let moved = calibration::moved(question.service, question.from, question.to)?;
    let reckoned = effort::reckoned([
        &translation::system(&present, question.before),
        &translation::system(&moved, question.after),
    ]);
    let budget = Budget::new(effort, question.load, reckoned);
    let plan = budget.central(reckoned, question.seed);
    let central = pair(question, &present, &moved, plan)?;
    let rests_on = central.answered()?;
    let unfair = overtaken(question, unfair, &moved, plan)?;
    let seen = effort::seen(&central, plan);
    let draws = (1..=budget.draws)
        .map(|number| budget.drawn(seen, question.seed.wrapping_add(number)))
        .map(|plan| drawn(question, plan))
        .map(|drawn| drawn.and_then(|pair| pair.answered().map(|_| pair)))
        .collect::<Result<Vec<_>, _>>()?;
    let halves = [
        Half {
            service: &present,
            deployment: question.before,
            stack: question.from,
        },
        Half {
            service: &moved,
            deployment: question.after,
            stack: question.to,
        },
    ];
    let simulated = Simulated {
        central,
        draws,
        unfair,
        rests_on,
    };
    let prediction = simulated.prediction(question, halves);
    if prediction.is_bounded() {
        Ok(prediction)
    } else {
        Err(Unpredictable::Boundless)
    }
}

/// All simulations of a prediction.
struct Simulated {
    central: Pair,
    draws: Vec<Pair>,
    /// The other side with the order that its pools have; absent where that is fair.
    unfair: Option<Outcome>,
    rests_on: u64,
}

impl Simulated {
    fn prediction(&self, question: &Question<'_>, halves: [Half<'_>; 2]) -> Prediction {
        let Self { central, draws, .. } = self;
        let interval = |of: &dyn Fn(&Pair) -> f64| {
            let values: Vec<f64> = draws.iter().map(of).collect();
            around(of(central), values, question.model_deviation)
        };
        let overtaken = self.overtaken();
        let [before, after] = halves;
        Prediction {
            gain: interval(&|pair| pair.after.throughput_per_s / pair.before.throughput_per_s),
            p99_ratio: reaching(
                interval(&|pair| pair.after.latency.p99 / pair.before.latency.p99),
                overtaken,
            ),
            before: Side {
                throughput_per_s: interval(&|pair| pair.before.throughput_per_s),
                p99: interval(&|pair| pair.before.latency.p99),
                ..side(question, before, &central.before)
            },
            after: Side {
                throughput_per_s: interval(&|pair| pair.after.throughput_per_s),
                p99: reaching(interval(&|pair| pair.after.latency.p99), overtaken),
                ..side(question, after, &central.after)
            },
            rests_on: self.rests_on,
            events: self.events(),
        }
    }

    /// How many times as long P99 is where connections go to whoever asks first as where they go to who has
    /// waited longest; 1 where no pool of the deployment does so. What was measured lies between the two
    /// (docs/BENCHMARKS.md, `bench model`): how often somebody is overtaken depends on in which order a
    /// server begins requests, which nothing here knows.
    fn overtaken(&self) -> f64 {
        let fair = self.central.after.latency.p99;
        let factor = self.unfair.as_ref().map(|one| one.latency.p99 / fair);
        factor.map_or(1.0, |factor| factor.max(1.0))
    }

    fn events(&self) -> u64 {
        let pairs = self.draws.iter().chain([&self.central]);
        let of_pairs: u64 = pairs
            .map(|pair| pair.before.events + pair.after.events)
            .sum();
        of_pairs + self.unfair.as_ref().map_or(0, |one| one.events)
    }
}

impl Prediction {
    /// Whether each of its intervals is one.
    fn is_bounded(&self) -> bool {
        let sides = [&self.before, &self.after];
        let sides = sides.map(|side| [side.throughput_per_s, side.p99]);
        let mut all = sides
            .as_flattened()
            .iter()
            .chain([&self.gain, &self.p99_ratio]);
        all.all(|interval| interval.estimate > 0.0 && interval.high.is_finite())
    }
}

/// The other side where connections go to whoever asks first; nothing where no pool does so.
fn overtaken(
    question: &Question<'_>,
    unfair: &Deployment,
    moved: &Service,
    plan: Plan,
) -> Result<Option<Outcome>, Invalid> {
    if unfair == question.after {
        return Ok(None);
    }
    let system = translation::system(moved, unfair);
    simulator::simulate(&system, question.load, plan).map(Some)
}

/// An interval whose upper end may be so many times as high.
fn reaching(interval: Interval, factor: f64) -> Interval {
    Interval {
        high: interval.high * factor,
        ..interval
    }
}

/// Both sides of one repetition.
#[derive(Debug, Clone)]
struct Pair {
    before: Outcome,
    after: Outcome,
}

impl Pair {
    /// Requests that both sides answered at least.
    fn answered(&self) -> Result<u64, Unpredictable> {
        let least = self.before.answered.min(self.after.answered);
        (least > 0).then_some(least).ok_or(Unpredictable::Endless)
    }
}

/// The service as it costs in its present processes, if measured times are off by `factor`.
fn present(question: &Question<'_>, from: &Stack, factor: f64) -> Result<Service, Uncalibrated> {
    if let Some(present) = question.present {
        return Ok(present.off_by(factor));
    }
    let service = question.service.off_by(factor);
    let threads = match question.before.concurrency {
        Concurrency::Threads(threads) => threads,
        Concurrency::Loop { .. } => NEVER_ASLEEP,
    };
    if threads == from.threads {
        return Ok(service);
    }
    calibration::threaded(&service, from, threads)
}

/// Simulates both sides, the service as it costs on each.
fn pair(
    question: &Question<'_>,
    service: &Service,
    moved: &Service,
    plan: Plan,
) -> Result<Pair, Unpredictable> {
    let run = |service: &Service, deployment: &Deployment| {
        simulator::simulate(
            &translation::system(service, deployment),
            question.load,
            plan,
        )
    };
    Ok(Pair {
        before: run(service, question.before)?,
        after: run(moved, question.after)?,
    })
}

/// A repetition with costs as they might be.
fn drawn(question: &Question<'_>, plan: Plan) -> Result<Pair, Unpredictable> {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let (from, to) = stacks(question, &mut random)?;
    let error = Law::with_moments(1.0, question.cpu_deviation * question.cpu_deviation);
    let factor = error.draw(&mut random);
    let service = question.service.off_by(factor);
    let moved = calibration::moved(&service, &from, &to)?;
    let present = present(question, &from, factor)?;
    pair(question, &present, &moved, plan)
}

/// Both stacks as they might cost: each cost is off by itself, and all of them by the same factor where
/// they are of another machine. As the estimate was (`pairing::allowed`), that factor is held by what the
/// request took; where the estimate takes more than that already, draws keep to the estimate.
fn stacks(
    question: &Question<'_>,
    random: &mut fastrand::Rng,
) -> Result<(Stack, Stack), Uncalibrated> {
    let (from, to) = (question.from, question.to);
    let (own, other) = (from.drawn(random), to.drawn(random));
    let deviation = (from.costs.scale_deviation).max(to.costs.scale_deviation);
    if deviation <= 0.0 {
        return Ok((own, other));
    }
    let allowed = own.most(question.service)? / from.most(question.service)?.min(1.0);
    let most = allowed.max((-DOUBTED * deviation).exp());
    let factor = (deviation * calibration::standard_normal(random)).exp();
    let factor = factor.min(most);
    Ok((own.scaled(factor), other.scaled(factor)))
}

/// One half of the comparison: what runs, how and on what.
#[derive(Debug, Clone, Copy)]
struct Half<'a> {
    service: &'a Service,
    deployment: &'a Deployment,
    stack: &'a Stack,
}

fn side(question: &Question<'_>, half: Half<'_>, outcome: &Outcome) -> Side {
    let Half {
        service,
        deployment,
        stack,
    } = half;
    let unknown = Interval {
        estimate: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
    };
    let users = match question.load {
        Load::Closed { users, .. } => *users as f64,
        Load::Open { .. } => f64::INFINITY,
    };
    let processes = deployment.processes as f64 * stack.process_bytes as f64;
    Side {
        throughput_per_s: unknown,
        p99: unknown,
        cpu: service.cpu(),
        bound: bounds::lowest(service, deployment, users),
        memory_bytes: processes + outcome.in_flight * stack.request_bytes as f64,
        outcome: outcome.clone(),
    }
}

/// The estimate with the interval that the draws span, widened by the model's own error: both are
/// independent, so their widths add in squares, on logarithms.
fn around(estimate: f64, mut values: Vec<f64>, model_deviation: f64) -> Interval {
    let left_out = values.len() / DRAWS_TO_AN_OUTLIER;
    values.retain(|value| value.is_finite() && *value > 0.0);
    values.sort_unstable_by(f64::total_cmp);
    let (Some(low), Some(high)) = (values.get(left_out), values.iter().rev().nth(left_out)) else {
        return Interval {
            estimate,
            low: 0.0,
            high: f64::INFINITY,
        };
    };
    let model = 1.96 * model_deviation;
    let widened = |end: f64| (end / estimate).ln().abs().hypot(model);
    Interval {
        estimate,
        low: estimate * (-widened(low.min(estimate))).exp(),
        high: estimate * widened(high.max(estimate)).exp(),
    }
}

#[cfg(test)]
mod tests;
