//! The model's prediction of a scenario, from what is known before its run.
//!
//! Known are: one user alone on the synchronous side in each case (time and processor time), and
//! what the calibration's requests cost on both sides under load. The judged requests have not run
//! on the asynchronous side yet. Pure: figures in, intervals out.

use std::collections::BTreeMap;
use std::time::Duration;

use corrente_model::calibration::{self, Point, Stack};
use corrente_model::law::Law;
use corrente_model::prediction::{self, Prediction, Question, Unpredictable};
use corrente_model::service::{
    Calls, Concurrency, Connections, Deployment, Endpoint, Resource, Service,
};
use corrente_model::simulator::Load;
use corrente_model::statistics;
use corrente_report::result::{Interval, KnownCost, Measure, Side};

use crate::scenario::{CasePlan, ContenderPlan, PredictionPlan, Settings};

/// Relative standard deviation of processor times that were measured for half a second.
const CPU_DEVIATION: f64 = 0.03;
/// Relative standard deviation of the model's own error (docs/BENCHMARKS.md, `bench model`).
const MODEL_DEVIATION: f64 = 0.05;
/// Users of a case that does not say how many.
const USERS_DEFAULT: usize = 16;

/// What one request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Requests in flight meanwhile.
    pub users: usize,
    /// Time over requests: the latency where there is one user.
    pub elapsed: Duration,
    /// Processor time of the contender's processes.
    pub cpu: Duration,
}

/// What was measured before the run, by contender and case, pass by pass.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// One user alone, the calibration's requests included.
    alone: BTreeMap<(String, String), Vec<Cost>>,
    /// The calibration's requests under load, on asynchronous contenders.
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
    /// Cores that the application may use.
    pub cores: usize,
    pub seed: u64,
}

/// A contender as the model sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runner {
    pub id: String,
    pub side: Side,
    /// The contender whose one user alone tells what this one's requests cost.
    pub measured: String,
    pub processes: usize,
    pub concurrency: Concurrency,
}

impl Runner {
    /// From a contender's settings: `workers` processes of `threads` threads, or loops.
    pub(crate) fn new(id: &str, contender: &ContenderPlan, measured: &str) -> Self {
        let concurrency = match contender.side {
            Side::Async => Concurrency::Loop { gathered: 1.0 },
            Side::Sync | Side::Reference => {
                Concurrency::Threads(count(&contender.settings, "threads"))
            }
        };
        Self {
            id: id.to_owned(),
            side: contender.side,
            measured: measured.to_owned(),
            processes: count(&contender.settings, "workers"),
            concurrency,
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

    /// What one user alone was served with, the median of the passes.
    pub(crate) fn alone(&self) -> impl Iterator<Item = (&(String, String), Cost)> {
        let passes = self.alone.iter();
        passes.filter_map(|(key, passes)| Some((key, typical(passes)?)))
    }

    /// What was measured, for the result: the medians of the passes.
    pub(crate) fn costs(&self) -> Vec<KnownCost> {
        let entry = |((contender, case), passes): (&(String, String), &Vec<Cost>)| {
            let cost = typical(passes)?;
            Some(KnownCost {
                contender: contender.clone(),
                case: case.clone(),
                users: cost.users,
                elapsed_s: cost.elapsed.as_secs_f64(),
                cpu_s: cost.cpu.as_secs_f64(),
            })
        };
        self.alone
            .iter()
            .chain(&self.loaded)
            .filter_map(entry)
            .collect()
    }

    /// Predicts `of / over`; `None` where something that the prediction needs was not measured.
    pub(crate) fn forecast(
        &self,
        comparison: &Comparison<'_>,
    ) -> Option<Result<Prediction, Unpredictable>> {
        let Comparison {
            plan,
            case,
            of,
            over,
            ..
        } = comparison;
        let service = self.service(case, &over.measured)?;
        let deployment = |runner| deployment(plan, case, &service, runner, comparison.cores);
        Some(prediction::predict(&Question {
            service: &service,
            cpu_deviation: CPU_DEVIATION,
            from: &stack(&over.measured, &points(plan, &self.alone, &over.measured))?,
            to: &stack(&of.id, &points(plan, &self.loaded, &of.id))?,
            before: &deployment(over),
            after: &deployment(of),
            load: &Load::Closed {
                users: users(case),
                think: Law::Constant(0.0),
            },
            model_deviation: MODEL_DEVIATION,
            seed: comparison.seed,
        }))
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
        });
        let resources = case.calls.counts.keys().map(|kind| Resource {
            name: kind.clone(),
            kind: kind.clone(),
            servers: case.calls.servers.get(kind).copied(),
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

/// The median of each figure over the passes.
fn typical(passes: &[Cost]) -> Option<Cost> {
    let median = |of: fn(&Cost) -> Duration| {
        let seconds: Vec<f64> = passes.iter().map(|cost| of(cost).as_secs_f64()).collect();
        statistics::median(&seconds).map(Duration::from_secs_f64)
    };
    Some(Cost {
        users: passes.first()?.users,
        elapsed: median(|cost| cost.elapsed)?,
        cpu: median(|cost| cost.cpu)?,
    })
}

impl Cost {
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

/// The calibration's requests as they were measured on a contender.
fn points(
    plan: &PredictionPlan,
    measured: &BTreeMap<(String, String), Vec<Cost>>,
    contender: &str,
) -> Vec<Point> {
    let point = |case: &CasePlan| {
        let cost = typical(measured.get(&(contender.to_owned(), case.id.clone()))?)?;
        Some(Point {
            calls: case.calls.counts.clone(),
            wait: cost.wait(case),
            work: 0.0,
            cpu: cost.cpu.as_secs_f64(),
        })
    };
    plan.calibration
        .iter()
        .chain(&plan.waits)
        .filter_map(point)
        .collect()
}

/// What a contender costs apart from a case's own work.
fn stack(contender: &str, points: &[Point]) -> Option<Stack> {
    Some(Stack {
        name: contender.to_owned(),
        costs: calibration::fit(points)?,
        process_bytes: 0,
        request_bytes: 0,
    })
}

fn deployment(
    plan: &PredictionPlan,
    case: &CasePlan,
    service: &Service,
    runner: &Runner,
    cores: usize,
) -> Deployment {
    let connections = service.resources.iter().map(|resource| {
        if case.calls.serialised.contains(&resource.kind)
            && matches!(runner.concurrency, Concurrency::Loop { .. })
        {
            return Connections::PerProcess(1);
        }
        let all = plan.connections.get(&resource.kind);
        all.map_or(Connections::Unlimited, |all| {
            Connections::PerProcess((all / runner.processes).max(1))
        })
    });
    Deployment {
        cores: cores as f64,
        processes: runner.processes,
        concurrency: runner.concurrency,
        connections: connections.collect(),
    }
}

#[cfg(test)]
mod replay {
    use super::*;

    #[test]
    fn replay() {
        let Ok(path) = std::env::var("REPLAY") else {
            return;
        };
        let text = std::fs::read_to_string(format!("{path}/result.json")).unwrap();
        let result: corrente_report::result::LabResult = serde_json::from_str(&text).unwrap();
        for measured in &result.scenarios {
            let file = format!(
                "{}/../../lab/scenarios/{}.toml",
                env!("CARGO_MANIFEST_DIR"),
                measured.name
            );
            let text = std::fs::read_to_string(file).unwrap();
            let scenario: crate::scenario::Scenario = toml::from_str(&text).unwrap();
            let Some(plan) = &scenario.prediction else {
                continue;
            };
            let mut known = Known::default();
            for cost in &measured.known {
                let key = (cost.contender.clone(), cost.case.clone());
                let value = Cost {
                    users: cost.users,
                    elapsed: Duration::from_secs_f64(cost.elapsed_s),
                    cpu: Duration::from_secs_f64(cost.cpu_s),
                };
                known.learn(&key.0, &key.1, value);
            }
            let naive = scenario.naive.clone().unwrap_or_default();
            let show = |id: &str, costs: &calibration::Costs| {
                print!(
                    "STACK {id}: request {:.3} coldness {:.2}",
                    costs.request.mean * 1e3,
                    costs.coldness
                );
                for (kind, cost) in &costs.calls {
                    print!(" {kind} {:.3}±{:.3}", cost.mean * 1e3, cost.deviation * 1e3);
                }
                println!();
            };
            let mut errors = vec![];
            let mut seen = std::collections::BTreeSet::new();
            for finding in &measured.findings {
                if finding.measure != Measure::Throughput {
                    continue;
                }
                let runner = |id: &str, measured: &str| {
                    scenario
                        .contenders
                        .iter()
                        .find(|c| c.id == id)
                        .map(|c| Runner::new(id, c, measured))
                };
                let over_plain = finding.over.trim_end_matches(":tuned");
                let own = if plan.alone.iter().any(|a| a == over_plain) {
                    over_plain
                } else {
                    &naive
                };
                let (Some(of), Some(over)) = (runner(&finding.of, own), runner(&finding.over, own))
                else {
                    continue;
                };
                if let Some(s) = stack(&over.measured, &points(plan, &known.alone, &over.measured))
                {
                    if seen.insert((String::new(), over.measured.clone(), String::new())) {
                        show(&over.measured, &s.costs);
                    }
                }
                if let Some(s) = stack(&of.id, &points(plan, &known.loaded, &of.id)) {
                    if seen.insert((String::new(), of.id.clone(), String::new())) {
                        show(&of.id, &s.costs);
                    }
                }
                for point in &finding.points {
                    let Some(found) = point.measured else {
                        continue;
                    };
                    if !seen.insert((of.id.clone(), over.id.clone(), point.case.clone())) {
                        continue;
                    }
                    let Some(case) = scenario.cases.iter().find(|c| c.id == point.case) else {
                        continue;
                    };
                    let Some(Ok(p)) = known.forecast(&Comparison {
                        plan,
                        case,
                        of: &of,
                        over: &over,
                        cores: 1,
                        seed: 1,
                    }) else {
                        continue;
                    };
                    let rate = |id: &str| {
                        measured
                            .measurements
                            .iter()
                            .find(|m| m.contender == id && m.case == point.case)
                            .map_or((0.0, 0.0), |m| (m.throughput_per_s, m.cpu_s_per_1000))
                    };
                    let error = p.gain.estimate / found.estimate - 1.0;
                    errors.push(error.abs());
                    let (b, a) = (rate(&over.id), rate(&of.id));
                    println!(
                        "{:14} {:28} measured {:6.2} [{:5.2} {:5.2}] predicted {:6.2} [{:5.2} {:5.2}] {:+4.0}% | over {:7.1}→{:7.1} cpu {:5.2}→{:5.2} | of {:7.1}→{:7.1} cpu {:5.2}→{:5.2}",
                        over.id,
                        case.id,
                        found.estimate,
                        found.low,
                        found.high,
                        p.gain.estimate,
                        p.gain.low,
                        p.gain.high,
                        100.0 * error,
                        b.0,
                        p.before.throughput_per_s.estimate,
                        b.1,
                        1e3 * p.before.cpu,
                        a.0,
                        p.after.throughput_per_s.estimate,
                        a.1,
                        1e3 * p.after.cpu
                    );
                }
            }
            errors.sort_by(f64::total_cmp);
            if !errors.is_empty() {
                println!(
                    "{} {} points: median {:.1}% p90 {:.1}% max {:.0}%",
                    measured.name,
                    errors.len(),
                    100.0 * errors[errors.len() / 2],
                    100.0 * errors[errors.len() * 9 / 10],
                    100.0 * errors[errors.len() - 1]
                );
            }
        }
    }
}
