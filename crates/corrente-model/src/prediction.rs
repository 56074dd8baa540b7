//! The prediction: what a service would do on another stack and deployment, with intervals.
//!
//! Both sides are simulated with the same draws, so what is uncertain of both cancels in the ratio.
//! The intervals come from repeating that with costs drawn from the calibration's uncertainty, and
//! are widened by the model's own error, which was measured (docs/BENCHMARKS.md, `bench model`).

use std::fmt;

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
/// Requests that one simulation answers, at least and at most.
const REQUESTS: (f64, f64) = (500.0, 60_000.0);
/// Threads of which one always has something to do: what a busy loop is like.
const NEVER_ASLEEP: usize = 1_000;
/// The share of the steps that goes into the estimate itself.
const CENTRAL: f64 = 0.3;

/// How much is simulated for one prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Repetitions for the intervals.
    draws: u64,
    /// Steps of all simulations together.
    steps: f64,
    /// Requests that the estimate rests on at least, however many steps they take.
    least: f64,
}

impl Effort {
    /// For a figure that stands by itself: less than a second. The ends of its interval are the 2nd
    /// least and the 2nd greatest of 40.
    pub const FIGURE: Self = Self {
        draws: 40,
        steps: 4e6,
        least: REQUESTS.0,
    };
    /// For a point among others on a curve: some hundredths of a second. The least and the greatest
    /// of 16 lie as far out as the 2nd of 40 (1.77 and 1.75 deviations, where the draws are normal).
    pub const POINT: Self = Self {
        draws: 16,
        steps: 1e6,
        // 40 are beyond the 99th percentile.
        least: 4_000.0,
    };
}

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
    let budget = Budget::new(question, &moved, effort);
    let plan = budget.central(question.seed);
    let central = pair(question, &present, &moved, plan)?;
    let overtaken = overtaken(question, unfair, &moved, plan, &central.after)?;
    let draws = (1..=effort.draws)
        .map(|number| drawn(question, budget.drawn(question.seed.wrapping_add(number))))
        .collect::<Result<Vec<_>, _>>()?;
    let interval = |of: &dyn Fn(&Pair) -> f64| {
        let values: Vec<f64> = draws.iter().map(of).collect();
        around(of(&central), values, question.model_deviation)
    };
    let prediction = Prediction {
        gain: interval(&|pair| pair.after.throughput_per_s / pair.before.throughput_per_s),
        p99_ratio: reaching(
            interval(&|pair| pair.after.latency.p99 / pair.before.latency.p99),
            overtaken,
        ),
        before: Side {
            throughput_per_s: interval(&|pair| pair.before.throughput_per_s),
            p99: interval(&|pair| pair.before.latency.p99),
            ..side(
                question,
                Half {
                    service: &present,
                    deployment: question.before,
                    stack: question.from,
                },
                &central.before,
            )
        },
        after: Side {
            throughput_per_s: interval(&|pair| pair.after.throughput_per_s),
            p99: reaching(interval(&|pair| pair.after.latency.p99), overtaken),
            ..side(
                question,
                Half {
                    service: &moved,
                    deployment: question.after,
                    stack: question.to,
                },
                &central.after,
            )
        },
    };
    if prediction.is_bounded() {
        Ok(prediction)
    } else {
        Err(Unpredictable::Boundless)
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

/// How many times as long P99 is where connections go to whoever asks first as where they go to who has
/// waited longest; 1 where no pool of the deployment does so. What was measured lies between the two
/// (docs/BENCHMARKS.md, `bench model`): how often somebody is overtaken depends on in which order a
/// server begins requests, which nothing here knows.
fn overtaken(
    question: &Question<'_>,
    unfair: &Deployment,
    moved: &Service,
    plan: Plan,
    fair: &Outcome,
) -> Result<f64, Invalid> {
    if unfair == question.after {
        return Ok(1.0);
    }
    let system = translation::system(moved, unfair);
    let found = simulator::simulate(&system, question.load, plan)?;
    Ok((found.latency.p99 / fair.latency.p99).max(1.0))
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

/// The service as it costs in its present processes, if measured times are off by `factor`.
fn present(question: &Question<'_>, from: &Stack, factor: f64) -> Result<Service, Uncalibrated> {
    let off = |service: &Service| service.with_cpu(|endpoint| endpoint.cpu.mean() * factor);
    if let Some(present) = question.present {
        return Ok(off(present));
    }
    let service = off(question.service);
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
    let service = question
        .service
        .with_cpu(|endpoint| endpoint.cpu.mean() * factor);
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

/// How many requests each simulation answers.
#[derive(Debug, Clone, Copy)]
struct Budget {
    central: f64,
    drawn: f64,
    users: f64,
}

impl Budget {
    fn new(question: &Question<'_>, moved: &Service, effort: Effort) -> Self {
        let steps = |service: &Service| {
            service.mean(|endpoint| {
                4.0 + 5.0 * endpoint.calls.iter().map(|calls| calls.count).sum::<f64>()
            })
        };
        let both = steps(question.service) + steps(moved);
        let (least, most) = REQUESTS;
        let users = match question.load {
            Load::Closed { users, .. } => *users as f64,
            Load::Open { .. } => 0.0,
        };
        let within = |share: f64| {
            (effort.steps * share / both)
                .clamp(least, most)
                .max(8.0 * users)
        };
        Self {
            central: within(CENTRAL).max(effort.least),
            drawn: within((1.0 - CENTRAL) / effort.draws as f64),
            users,
        }
    }

    fn central(&self, seed: u64) -> Plan {
        self.plan(self.central, seed)
    }

    fn drawn(&self, seed: u64) -> Plan {
        self.plan(self.drawn, seed)
    }

    /// A tenth of the requests, and five of each user, warm up.
    fn plan(&self, requests: f64, seed: u64) -> Plan {
        Plan {
            warm_up: (requests / 10.0).max(5.0 * self.users) as u64,
            requests: requests as u64,
            seed,
        }
    }
}

#[cfg(test)]
mod tests;
