//! The model's prediction of a scenario, from what is known before its run.
//!
//! Known are: one user alone on the synchronous side in each case (time and processor time), and
//! what the calibration's requests cost on both sides under load. The judged requests have not run
//! on the asynchronous side yet. What the stacks cost is taken from the calibration (`calibrated`),
//! and once more from the costs that are shipped (`costs_shipped`), for which nothing of the
//! asynchronous side has to be there. What processes cost that crowd their cores is `crowded`. `pairs` says who is predicted. Pure: figures in, intervals out.

mod calibrated;
mod costs_shipped;
mod crowded;
mod downstream;
mod pairs;

use std::collections::BTreeMap;
use std::time::Duration;

use corrente_model::calibration::{self, Stack, Told};
use corrente_model::law::Law;
use corrente_model::prediction::{self, Prediction, Question, Unpredictable};
use corrente_model::service::{
    Calls, Concurrency, Connections, Deployment, Endpoint, Resource, Servers, Service,
};
use corrente_model::simulator::Load;
use corrente_model::statistics;
use corrente_report::result::{self, Interval, KnownCost, Measure, Side};

pub(crate) use calibrated::Under;
pub(crate) use pairs::{Foretold, Pairs, Predictions, about};

use crate::scenario::{CasePlan, ContenderPlan, PredictionPlan, Settings};

/// Relative standard deviation of processor times that were measured for half a second.
const CPU_DEVIATION: f64 = 0.03;
/// Relative standard deviation of the model's own error (docs/BENCHMARKS.md, `bench model`).
const MODEL_DEVIATION: f64 = 0.13;
/// By which share two readings of one speed may differ: looks at one processor do so by 1 to 2 %.
const USUAL_SPEED: f64 = 0.03;
/// A slower processor takes longer: a pass that took so many times what another took on one no quicker was
/// disturbed, whatever its speed. Undisturbed ones differ by some percent.
const DISTURBED: f64 = 1.25;
/// Users of a case that does not say how many.
const USERS_DEFAULT: usize = 16;

/// What one request costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    /// Requests in flight meanwhile.
    pub users: usize,
    /// Time over requests: the latency where there is one user.
    pub elapsed: Duration,
    /// Processor time of the contender's processes.
    pub cpu: Duration,
    /// Processor time of generator, origin and database, where they have processors of their own.
    pub others: Option<Duration>,
    /// How fast the processors were meanwhile, in rounds of `burn` a millisecond, where that is known.
    pub speed: Option<f64>,
}

/// What a contender serves with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Serving {
    pub cores: usize,
    /// Requests that it serves at once.
    pub workers: usize,
}

/// What was measured before the run, by contender and case, pass by pass.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// One user alone, the calibration's requests included.
    alone: BTreeMap<(String, String), Vec<Cost>>,
    /// The calibration's requests under load, on contenders whose processes then do not sleep or crowd their cores.
    loaded: BTreeMap<(String, String), Vec<Cost>>,
}

/// What the model says of one pair in one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Foreseen {
    gain: Interval,
    p99: Interval,
}

impl From<&Prediction> for Foreseen {
    fn from(prediction: &Prediction) -> Self {
        let reported = |interval: statistics::Interval| Interval {
            estimate: interval.estimate,
            low: interval.low,
            high: interval.high,
        };
        Self {
            gain: reported(prediction.gain),
            p99: reported(prediction.p99_ratio),
        }
    }
}

impl Foreseen {
    /// The ratio of a measure that the model predicts.
    pub(crate) fn of(&self, measure: Measure) -> Option<Interval> {
        match measure {
            Measure::Throughput => Some(self.gain),
            Measure::P99 => Some(self.p99),
            _ => None,
        }
    }
}

/// Users of a case.
pub(crate) fn users(case: &CasePlan) -> usize {
    case.users.unwrap_or(USERS_DEFAULT)
}

/// Two contenders and the case that they are compared in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison<'run> {
    pub plan: &'run PredictionPlan,
    pub case: &'run CasePlan,
    pub of: &'run Runner,
    pub over: &'run Runner,
    /// The contender whose one user alone tells what the requests of `over` cost.
    pub measured: &'run Runner,
    /// The one of many threads that tells it under load, where there is one.
    pub warm: Option<&'run Runner>,
    /// Cores that the application may use.
    pub cores: usize,
    /// Processors of generator, origin and database, where these are others.
    pub others: usize,
    pub seed: u64,
}

/// A contender as the model sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runner {
    pub id: String,
    pub side: Side,
    pub stack: result::Stack,
    pub processes: usize,
    pub concurrency: Concurrency,
}

impl Runner {
    /// From a contender's settings: `workers` processes of `threads` threads, or loops. A request that
    /// overlaps its calls in threads of its own (`fanout`) is beyond the model: `None`.
    pub(crate) fn new(id: &str, contender: &ContenderPlan) -> Option<Self> {
        if count(&contender.settings, "fanout") > 1 {
            return None;
        }
        let is_gevent = contender
            .settings
            .get("worker")
            .and_then(toml::Value::as_str)
            == Some("gevent");
        let concurrency = match contender.side {
            Side::Async => Concurrency::Loop { gathered: 1.0 },
            Side::Sync | Side::Reference if is_gevent => Concurrency::Loop { gathered: 0.0 },
            Side::Sync | Side::Reference => {
                Concurrency::Threads(count(&contender.settings, "threads"))
            }
        };
        Some(Self {
            id: id.to_owned(),
            side: contender.side,
            stack: contender.stack.clone(),
            processes: count(&contender.settings, "workers"),
            concurrency,
        })
    }

    /// How many requests it serves at once, loops as one each.
    pub(crate) fn workers(&self) -> usize {
        self.processes * self.threads()
    }

    /// Threads of each process.
    fn threads(&self) -> usize {
        match self.concurrency {
            Concurrency::Threads(threads) => threads,
            Concurrency::Loop { .. } => 1,
        }
    }
}

fn count(settings: &Settings, name: &str) -> usize {
    let number = settings.get(name).and_then(toml::Value::as_integer);
    number
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(1)
        .max(1)
}

impl Known {
    /// Notes what one pass measured.
    pub(crate) fn learn(&mut self, contender: &str, case: &str, cost: Cost) {
        let passes = if cost.users == 1 {
            &mut self.alone
        } else {
            &mut self.loaded
        };
        let key = (contender.to_owned(), case.to_owned());
        passes.entry(key).or_default().push(cost);
    }

    /// What one user alone was served with, in the typical pass.
    pub(crate) fn alone(&self) -> impl Iterator<Item = (&(String, String), Cost)> {
        let passes = self.alone.iter();
        passes.filter_map(|(key, passes)| Some((key, typical(passes)?)))
    }

    /// How long one user alone waited for a request.
    pub(crate) fn latencies_alone(&self) -> impl Iterator<Item = (&(String, String), Duration)> {
        let passes = self.alone.iter();
        passes.filter_map(|(key, passes)| Some((key, latency(passes)?)))
    }

    /// How long each of a case's users waits for a request at least, where the request's one user alone is
    /// known: all that they ask has to be computed meanwhile, and to be served.
    pub(crate) fn latency_of(
        &self,
        contender: &str,
        case: &CasePlan,
        by: Serving,
    ) -> Option<Duration> {
        let passes = self.alone.get(&(contender.to_owned(), case.id.clone()))?;
        let each = typical(passes).map_or(Duration::ZERO, |alone| alone.cpu);
        let users = users(case) as f64;
        let computing = each.mul_f64(users / by.cores as f64);
        let serving = latency(passes)?.mul_f64((users / by.workers as f64).max(1.0));
        Some(serving.max(computing))
    }

    /// What was measured, for the result: every pass.
    pub(crate) fn costs(&self) -> Vec<KnownCost> {
        let all = self.alone.iter().chain(&self.loaded);
        let passes = all.flat_map(|(key, passes)| passes.iter().map(move |cost| (key, cost)));
        let entry = |((contender, case), cost): (&(String, String), &Cost)| KnownCost {
            contender: contender.clone(),
            case: case.clone(),
            users: cost.users,
            elapsed_s: cost.elapsed.as_secs_f64(),
            cpu_s: cost.cpu.as_secs_f64(),
            others_cpu_s: cost.others.map(|others| others.as_secs_f64()),
            burn_rounds_per_ms: cost.speed,
        };
        passes.map(entry).collect()
    }

    /// The speed of the processors in the middle one of all measurements.
    pub(crate) fn speed(&self) -> Option<f64> {
        let all = self.alone.values().chain(self.loaded.values()).flatten();
        let speeds: Vec<f64> = all.filter_map(|cost| cost.speed).collect();
        statistics::median(&speeds)
    }

    /// The same at one speed, so that what was measured at different times adds up.
    pub(crate) fn at(&self, speed: Option<f64>) -> Self {
        let speed = speed.filter(|speed| *speed > 0.0);
        let taken = |costs: &BTreeMap<(String, String), Vec<Cost>>| {
            let costs = costs.iter();
            let costs = costs.map(|(key, passes)| (key.clone(), usual(passes, speed)));
            costs.collect()
        };
        Self {
            alone: taken(&self.alone),
            loaded: taken(&self.loaded),
        }
    }

    /// What the synchronous side shows of a case; `None` where it was not measured. `loading` is who tells
    /// what loads the other processors, where somebody does.
    fn seen(&self, comparison: &Comparison<'_>, loading: Option<&Runner>) -> Option<Seen> {
        let case = comparison.case;
        let mut alone = self.service(case, &comparison.measured.id)?;
        if let Some(loading) = loading {
            alone = self.with_downstream(&alone, comparison, loading);
        }
        let warm = comparison.warm.and_then(|warm| {
            let cost = typical(self.loaded.get(&(warm.id.clone(), case.id.clone()))?)?;
            Some(alone.with_cpu(|_| cost.cpu.as_secs_f64()))
        });
        // Where the crowd is who tells it under load, what it costs there was measured.
        let told = warm
            .as_ref()
            .filter(|_| comparison.warm == Some(comparison.over));
        let crowded = told.cloned().or_else(|| self.crowded(&alone, comparison));
        Some(Seen {
            alone,
            crowded,
            warm,
        })
    }

    /// What a result has noted.
    pub(crate) fn from_costs(costs: &[KnownCost]) -> Self {
        // A time that cannot be is none, and a request without processor time calibrates nothing.
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let mut known = Self::default();
        for one in costs {
            let cost = Cost {
                users: one.users,
                elapsed: time(one.elapsed_s),
                cpu: time(one.cpu_s),
                others: one.others_cpu_s.map(time),
                speed: one.burn_rounds_per_ms.filter(|speed| *speed > 0.0),
            };
            known.learn(&one.contender, &one.case, cost);
        }
        known
    }

    /// The service as one user alone on a contender shows it.
    fn service(&self, case: &CasePlan, contender: &str) -> Option<Service> {
        let alone = typical(self.alone.get(&(contender.to_owned(), case.id.clone()))?)?;
        let counts = case.calls.counts.iter().enumerate();
        let calls = counts.map(|(resource, (kind, count))| Calls {
            resource,
            count: *count,
            wait: Law::Constant(alone.wait(case)),
            independent: case.calls.gathered,
            blocking: f64::from(u8::from(case.calls.blocking.contains(kind))),
            cpu: None,
        });
        let resources = case.calls.counts.keys().map(|kind| Resource {
            name: kind.clone(),
            kind: kind.clone(),
            servers: case.calls.servers.get(kind).copied().map(Servers::lanes),
        });
        Some(Service {
            endpoints: vec![Endpoint {
                name: case.id.clone(),
                weight: 1.0,
                cpu: Law::Constant(alone.cpu.as_secs_f64()),
                calls: calls.filter(|calls| calls.count > 0.0).collect(),
            }],
            resources: resources.collect(),
        })
    }
}

/// The pass that was disturbed least: what else runs on the machine makes caches cold, and so adds
/// processor time; nothing takes any away. Passes compare by their work, where the speed is known. One
/// without any processor time was not read.
fn typical(passes: &[Cost]) -> Option<Cost> {
    let rounds = |cost: &Cost| cost.speed.map(|speed| speed * cost.cpu.as_secs_f64());
    let all: Option<Vec<f64>> = passes.iter().map(rounds).collect();
    let work = all.unwrap_or_else(|| passes.iter().map(|cost| cost.cpu.as_secs_f64()).collect());
    let least = passes
        .iter()
        .zip(work)
        .filter(|(pass, _)| !pass.cpu.is_zero())
        .min_by(|(_, a), (_, b)| a.total_cmp(b));
    least.map(|(cost, _)| *cost)
}

/// The time of the typical pass; of passes whose processor time was not read, the shortest.
fn latency(passes: &[Cost]) -> Option<Duration> {
    let shortest = || passes.iter().map(|cost| cost.elapsed).min();
    typical(passes).map(|cost| cost.elapsed).or_else(shortest)
}

/// The passes as they would have been at one speed. Where some were measured at it, those alone: what a
/// correction by a speed is worth is known less well than what needs none.
fn usual(passes: &[Cost], speed: Option<f64>) -> Vec<Cost> {
    let is_usual = |cost: &&Cost| {
        let ratio = cost.speed.zip(speed).map(|(here, there)| here / there);
        ratio.is_some_and(|ratio| (ratio - 1.0).abs() <= USUAL_SPEED)
    };
    let is_disturbed = |cost: &Cost| passes.iter().any(|other| is_beyond(cost, other));
    let usual = passes.iter().filter(is_usual).copied();
    let usual: Vec<Cost> = usual.filter(|cost| !is_disturbed(cost)).collect();
    if usual.is_empty() {
        return passes.iter().map(|cost| cost.at(speed)).collect();
    }
    let as_read = |cost: Cost| Cost { speed, ..cost };
    usual.into_iter().map(as_read).collect()
}

/// Whether a pass took more processor time than a slower processor can explain that took less.
fn is_beyond(cost: &Cost, other: &Cost) -> bool {
    let is_slower = cost
        .speed
        .zip(other.speed)
        .is_some_and(|(here, there)| there <= here);
    is_slower && !other.cpu.is_zero() && cost.cpu > other.cpu.mul_f64(DISTURBED)
}

/// A service as the synchronous side shows it.
#[derive(Debug)]
struct Seen {
    /// To one user alone.
    alone: Service,
    /// In its processes under load, where these crowd their cores.
    crowded: Option<Service>,
    /// In processes of many threads under load, where there is such a contender and it ran.
    warm: Option<Service>,
}

/// What the stacks cost.
#[derive(Debug)]
struct Stacks {
    /// The synchronous one, as one user alone meets it.
    alone: Option<Stack>,
    /// In processes of many threads under load.
    warm: Option<Stack>,
    /// The asynchronous one.
    to: Stack,
    /// How many times as far off the first may be as the second.
    alone_to_warm: f64,
}

/// Asks the model. Where the processes of many threads are known, the service costs what it does there: theirs
/// are the warm caches of a busy loop; the code's own part then is what both tell of it. Workers of one thread cost what
/// they do where they crowd their cores, else what one user alone was served with.
fn ask(
    comparison: &Comparison<'_>,
    seen: &Seen,
    stacks: &Stacks,
) -> Option<Result<Prediction, Unpredictable>> {
    let Comparison { plan, case, .. } = comparison;
    let alone = stacks.alone.as_ref().map(|stack| (&seen.alone, stack));
    let warm = seen.warm.as_ref().zip(stacks.warm.as_ref());
    let (service, from) = warm.or(alone)?;
    let agreed = warm.and_then(|warm| agreed(warm, alone?, stacks.alone_to_warm));
    let service = agreed.as_ref().unwrap_or(service);
    let is_single = comparison.over.concurrency == Concurrency::Threads(1);
    let unlike = warm.is_some().then_some(&seen.alone);
    let present = seen.crowded.as_ref().or(unlike);
    let deployment = |runner| deployment(plan, case, &seen.alone, runner, comparison.cores);
    Some(prediction::predict(&Question {
        service,
        present: present.filter(|_| is_single),
        cpu_deviation: CPU_DEVIATION,
        from,
        to: &stacks.to,
        before: &deployment(comparison.over),
        after: &deployment(comparison.of),
        load: &Load::Closed {
            users: users(case),
            think: Law::Constant(0.0),
        },
        model_deviation: MODEL_DEVIATION,
        seed: comparison.seed,
    }))
}

/// The service in its processes of many threads, with the own part that one user alone tells, too.
fn agreed(
    warm: (&Service, &Stack),
    alone: (&Service, &Stack),
    alone_to_warm: f64,
) -> Option<Service> {
    let told = |(service, stack), deviation| Told {
        service,
        stack,
        deviation,
    };
    // A kind of call that nobody calibrated is told where the service moves to the other side.
    let own = calibration::own_part(&[told(warm, 1.0), told(alone, alone_to_warm)]).ok()?;
    let (service, stack) = warm;
    let overhead = stack.share(service).ok()?;
    Some(service.with_cpu(|_| overhead + own))
}

impl Cost {
    /// What it would have been at another speed: waiting takes as long, computing does not.
    fn at(&self, speed: Option<f64>) -> Self {
        let Some((here, there)) = self.speed.zip(speed) else {
            return *self;
        };
        let cpu = self.cpu.mul_f64(here / there);
        Self {
            elapsed: self.elapsed.saturating_sub(self.cpu) + cpu,
            cpu,
            speed: Some(there),
            ..*self
        }
    }

    /// Seconds that a call of a request alone waits; 0 where there are none.
    fn wait(&self, case: &CasePlan) -> f64 {
        let waiting = self.elapsed.saturating_sub(self.cpu).as_secs_f64();
        let calls: f64 = case.calls.counts.values().sum();
        if self.users == 1 && calls > 0.0 {
            waiting / calls
        } else {
            0.0
        }
    }
}

fn deployment(
    plan: &PredictionPlan,
    case: &CasePlan,
    service: &Service,
    runner: &Runner,
    cores: usize,
) -> Deployment {
    let is_loop = matches!(runner.concurrency, Concurrency::Loop { .. });
    let connections = service.resources.iter().map(|resource| {
        if is_loop && case.calls.serialised.contains(&resource.kind) {
            return Connections::PerProcess(1);
        }
        let Some(all) = plan.connections.get(&resource.kind) else {
            return Connections::Unlimited;
        };
        let each = (all / runner.processes).max(1);
        if is_loop {
            Connections::of_loop(&runner.stack.driver, each)
        } else {
            Connections::PerProcess(each)
        }
    });
    Deployment {
        cores: cores as f64,
        processes: runner.processes,
        concurrency: runner.concurrency,
        connections: connections.collect(),
    }
}

#[cfg(test)]
mod tests;
