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
use corrente_report::result::Side;

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
    /// From sending it to its answer.
    pub wall: Duration,
    /// Processor time of the contender's processes.
    pub cpu: Duration,
}

/// What was measured before the run.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// One user alone on the scenario's plain synchronous contender, by case, calibration included.
    pub alone: BTreeMap<String, Cost>,
    /// The calibration's requests under load, by contender and case.
    pub loaded: BTreeMap<(String, String), Cost>,
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
    pub processes: usize,
    pub concurrency: Concurrency,
}

impl Runner {
    /// From a contender's settings: `workers` processes of `threads` threads, or loops.
    pub(crate) fn new(id: &str, contender: &ContenderPlan) -> Self {
        let concurrency = match contender.side {
            Side::Async => Concurrency::Loop { gathered: 1.0 },
            Side::Sync | Side::Reference => {
                Concurrency::Threads(count(&contender.settings, "threads"))
            }
        };
        Self {
            id: id.to_owned(),
            processes: count(&contender.settings, "workers"),
            concurrency,
        }
    }
}

fn count(settings: &Settings, name: &str) -> usize {
    let number = settings.get(name).and_then(toml::Value::as_integer);
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1).max(1)
}

impl Known {
    /// Predicts `of / over`; `None` where something that the prediction needs was not measured.
    pub(crate) fn forecast(
        &self,
        comparison: &Comparison<'_>,
    ) -> Option<Result<Prediction, Unpredictable>> {
        let Comparison { plan, case, of, over, .. } = comparison;
        let (from, to) = (self.stack(plan, &over.id)?, self.stack(plan, &of.id)?);
        let service = self.service(plan, case, &over.id)?;
        let deployments = [over, of].map(|runner| deployment(plan, case, &service, runner, comparison.cores));
        let users = case.users.unwrap_or(USERS_DEFAULT);
        Some(prediction::predict(&Question {
            service: &service,
            cpu_deviation: CPU_DEVIATION,
            from: &from,
            to: &to,
            before: &deployments[0],
            after: &deployments[1],
            load: &Load::Closed { users, think: Law::Constant(0.0) },
            model_deviation: MODEL_DEVIATION,
            seed: comparison.seed,
        }))
    }

    /// What a contender costs apart from the case's own work, from the calibration.
    fn stack(&self, plan: &PredictionPlan, contender: &str) -> Option<Stack> {
        let points: Vec<Point> = (plan.calibration.iter())
            .filter_map(|case| {
                let cost = self.loaded.get(&(contender.to_owned(), case.id.clone()))?;
                Some(Point {
                    calls: case.calls.counts.clone(),
                    work: 0.0,
                    cpu: cost.cpu.as_secs_f64(),
                })
            })
            .collect();
        let (request, calls) = calibration::fit(&points)?;
        Some(Stack {
            name: contender.to_owned(),
            request,
            calls,
            process_bytes: 0,
            request_bytes: 0,
        })
    }

    /// The service as one user alone shows it, its processor time as it is under load.
    fn service(&self, plan: &PredictionPlan, case: &CasePlan, over: &str) -> Option<Service> {
        let alone = self.alone.get(&case.id)?;
        let cpu = alone.cpu.as_secs_f64() * self.warmth(plan, over);
        let waiting = alone.wall.saturating_sub(alone.cpu).as_secs_f64();
        let total: f64 = case.calls.counts.values().sum();
        let counts = case.calls.counts.iter().enumerate();
        let calls = counts.map(|(resource, (kind, count))| Calls {
            resource,
            count: *count,
            wait: Law::Constant(waiting / total.max(1.0)),
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
                cpu: Law::Constant(cpu),
                calls: calls.filter(|calls| calls.count > 0.0).collect(),
            }],
            resources: resources.collect(),
        })
    }

    /// Processor time of a request under load over that of one user alone. A processor that often
    /// sleeps is slower when it wakes: caches are cold and the clock is low.
    fn warmth(&self, plan: &PredictionPlan, over: &str) -> f64 {
        let logarithms: Vec<f64> = (plan.calibration.iter())
            .filter_map(|case| {
                let loaded = self.loaded.get(&(over.to_owned(), case.id.clone()))?;
                let alone = self.alone.get(&case.id)?;
                let ratio = loaded.cpu.as_secs_f64() / alone.cpu.as_secs_f64();
                (ratio.is_finite() && ratio > 0.0).then(|| ratio.ln())
            })
            .collect();
        if logarithms.is_empty() {
            return 1.0;
        }
        (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp()
    }
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
