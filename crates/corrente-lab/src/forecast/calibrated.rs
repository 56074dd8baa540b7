//! Predictions from stacks that were calibrated on this machine.
//!
//! Their costs are fitted to the calibration's requests: to those of one user alone on synchronous
//! contenders, to those under load on the others and on processes that crowd their cores. No judged request goes in. What only some requests
//! cost, a new connection and the taking of a database's from its pool, is told apart where the
//! calibration has requests with and without it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use corrente_model::calibration::{self, Costs, Point, Stack};
use corrente_model::least_squares::Estimate;
use corrente_model::prediction::{Prediction, Unpredictable};
use corrente_model::statistics;

use super::{Comparison, Cost, Known, Runner, Stacks, ask, typical};
use crate::scenario::{CasePlan, PredictionPlan};

/// Looks at the same requests differ by this share at least, or it is chance that they do not.
const LEAST_APART: f64 = 0.01;

/// The load under which a contender tells its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Under {
    /// Its process sleeps through each call.
    OneUser,
    /// So do its processes, but each wakes to a core that others used meanwhile.
    Crowd,
    /// It hardly sleeps.
    Load,
}

/// Whose processor time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// The contender's own.
    Own,
    /// That of the processors of database, origin and generator.
    Others,
}

impl Figure {
    fn of(self, cost: &Cost) -> Option<Duration> {
        match self {
            Self::Own => Some(cost.cpu),
            Self::Others => cost.others,
        }
    }
}

/// What some requests cost beyond their calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extra {
    /// Of a connection for one request: accepting, closing, the kernel's part. Of a server that closes
    /// each connection it is part of every request, and what is told apart is nothing.
    Connection,
    /// Of the first call of a kind: a connection comes from a pool, and returns to it. asyncpg's pool
    /// resets a connection that returns with a query of its own.
    First(String),
}

impl Extra {
    /// As the model's fit knows it: one more kind of calls.
    fn name(&self) -> String {
        match self {
            Self::Connection => "new connection".to_owned(),
            Self::First(kind) => format!("first {kind}"),
        }
    }

    fn is_in(&self, case: &CasePlan) -> bool {
        match self {
            Self::Connection => !case.keep_alive,
            Self::First(kind) => case
                .calls
                .counts
                .get(kind)
                .is_some_and(|count| *count > 0.0),
        }
    }

    /// What requests that were measured may tell apart. Where a process sleeps through each call, how cold a
    /// longer wait leaves it is a further unknown: there that of first calls only where two requests that
    /// wait alike differ in their number, and where something is left to judge the fit by.
    fn possible(plan: &PredictionPlan, measured: &[(&CasePlan, Point)], under: Under) -> Vec<Self> {
        let mut possible = vec![Self::Connection];
        let is_cold = match under {
            Under::OneUser => true,
            Under::Crowd => measured.iter().any(|(case, _)| waits(plan, case)),
            Under::Load => false,
        };
        for kind in kinds(measured) {
            // The connection is counted where it varies, and the first call in question is one more.
            let is_left = measured.len() > unknowns(measured) + possible.len();
            if !is_cold || is_left && differ(plan, measured, kind) {
                possible.push(Self::First(kind.clone()));
            }
        }
        possible
    }
}

/// The kinds of calls that are made.
fn kinds<'case>(measured: &[(&'case CasePlan, Point)]) -> BTreeSet<&'case String> {
    let calls = measured.iter().flat_map(|(case, _)| &case.calls.counts);
    let made = calls.filter(|(_, count)| **count > 0.0);
    made.map(|(kind, _)| kind).collect()
}

/// What a fit looks for beside first calls, the coldness included.
fn unknowns(measured: &[(&CasePlan, Point)]) -> usize {
    let kept = measured.iter().filter(|(case, _)| case.keep_alive).count();
    let has_connections = kept > 0 && kept < measured.len();
    let has_work = measured.iter().any(|(_, point)| point.work > 0.0);
    2 + kinds(measured).len() + usize::from(has_connections) + usize::from(has_work)
}

/// Whether a case's requests wait for another time than those that tell the costs of calls.
fn waits(plan: &PredictionPlan, case: &CasePlan) -> bool {
    plan.waits.iter().any(|one| one.id == case.id)
}

/// Whether requests that wait alike make different numbers of these calls.
fn differ(plan: &PredictionPlan, measured: &[(&CasePlan, Point)], kind: &String) -> bool {
    let alike = measured.iter().filter(|(case, _)| !waits(plan, case));
    let mut counts = alike
        .filter_map(|(case, _)| case.calls.counts.get(kind).copied())
        .filter(|count| *count > 0.0);
    let first = counts.next();
    counts.any(|count| Some(count) != first)
}

/// A contender's costs, and what some requests cost beyond them.
#[derive(Debug, Clone)]
pub(crate) struct Calibrated {
    costs: Costs,
    extras: Vec<(Extra, Estimate)>,
}

impl Calibrated {
    pub(super) fn fit(
        plan: &PredictionPlan,
        measured: &[(&CasePlan, Point)],
        under: Under,
    ) -> Option<Self> {
        let mut told: Vec<Extra> = Vec::new();
        let mut costs = calibration::fit(&with(measured, &told))?;
        for extra in Extra::possible(plan, measured, under) {
            told.push(extra);
            let fitted = calibration::fit(&with(measured, &told));
            match fitted.filter(|fitted| has_part(fitted, &told)) {
                Some(fitted) => costs = fitted,
                None => drop(told.pop()),
            }
        }
        let extras = told.into_iter().filter_map(|extra| {
            let cost = costs.calls.remove(&extra.name())?;
            Some((extra, cost))
        });
        let extras = extras.collect();
        Some(Self { costs, extras })
    }

    /// The costs of a case's requests.
    pub(super) fn of(&self, case: &CasePlan) -> Costs {
        let mut costs = self.costs.clone();
        for (extra, cost) in &self.extras {
            if extra.is_in(case) {
                costs.request = sum(costs.request, *cost);
            }
        }
        costs
    }

    /// The costs as a table has them, which knows neither: a request has a connection where the
    /// calibration's have, and the first call's part is spread over the calls of the longest request.
    pub(crate) fn for_table(&self, plan: &PredictionPlan) -> Costs {
        let mut costs = self.costs.clone();
        let kept = plan.calibration.first().is_some_and(|case| case.keep_alive);
        for (extra, cost) in &self.extras {
            match extra {
                Extra::Connection if kept => {}
                Extra::Connection => costs.request = sum(costs.request, *cost),
                Extra::First(kind) => {
                    let counts = plan
                        .calibration
                        .iter()
                        .filter_map(|case| case.calls.counts.get(kind));
                    let most = counts.copied().fold(1.0, f64::max);
                    if let Some(call) = costs.calls.get_mut(kind) {
                        call.mean += cost.mean / most;
                    }
                }
            }
        }
        costs
    }
}

fn sum(one: Estimate, other: Estimate) -> Estimate {
    Estimate {
        mean: one.mean + other.mean,
        deviation: one.deviation.hypot(other.deviation),
    }
}

/// Whether the last of these is a part of what its requests cost. One that comes out below nothing is none: it says that
/// calls get dearer the more of them a request makes, and would make those of few cheaper than they can be.
fn has_part(costs: &Costs, told: &[Extra]) -> bool {
    let last = told.last().and_then(|extra| costs.calls.get(&extra.name()));
    last.is_none_or(|cost| cost.mean >= 0.0)
}

/// By which share looks at the same requests of a contender differ: the second least processor time from the
/// least, in the middle one of its cases. What is told from looks is off by a part of that.
pub(super) fn unsteadiness(looks: &BTreeMap<(String, String), Vec<Cost>>, runner: &Runner) -> f64 {
    let own = looks.iter().filter(|((id, _), _)| *id == runner.id);
    let apart: Vec<f64> = own.filter_map(|(_, passes)| apart(passes)).collect();
    statistics::median(&apart).map_or(LEAST_APART, |apart| apart.max(LEAST_APART))
}

fn apart(passes: &[Cost]) -> Option<f64> {
    let times = passes.iter().map(|pass| pass.cpu.as_secs_f64());
    let mut times: Vec<f64> = times.filter(|time| *time > 0.0).collect();
    times.sort_unstable_by(f64::total_cmp);
    Some(times.get(1)? / times.first()? - 1.0)
}

/// The points, with extras as kinds of calls.
fn with(measured: &[(&CasePlan, Point)], extras: &[Extra]) -> Vec<Point> {
    let point = |(case, point): &(&CasePlan, Point)| {
        let mut point = point.clone();
        let present = extras.iter().filter(|extra| extra.is_in(case));
        point.calls.extend(present.map(|extra| (extra.name(), 1.0)));
        point
    };
    measured.iter().map(point).collect()
}

impl Known {
    /// What a contender costs apart from a case's own work.
    pub(crate) fn costs_of(
        &self,
        contender: &str,
        under: Under,
        plan: &PredictionPlan,
    ) -> Option<Calibrated> {
        let measured = self.points(plan, contender, under, Figure::Own);
        Calibrated::fit(plan, &measured, under)
    }

    /// A contender's costs in a case, as a stack.
    pub(super) fn stack(
        &self,
        comparison: &Comparison<'_>,
        runner: &Runner,
        under: Under,
    ) -> Option<Stack> {
        let Comparison { plan, case, .. } = comparison;
        let threads = match under {
            Under::OneUser => 1,
            Under::Crowd | Under::Load => runner.threads(),
        };
        Some(Stack {
            name: runner.id.clone(),
            threads,
            costs: self.costs_of(&runner.id, under, plan)?.of(case),
            process_bytes: 0,
            request_bytes: 0,
        })
    }

    /// Predicts `of / over`; `None` where something that the prediction needs was not measured.
    pub(crate) fn forecast(
        &self,
        comparison: &Comparison<'_>,
    ) -> Option<Result<Prediction, Unpredictable>> {
        let Comparison {
            of, measured, warm, ..
        } = comparison;
        let stacks = Stacks {
            alone: self.stack(comparison, measured, Under::OneUser),
            warm: warm.and_then(|warm| self.stack(comparison, warm, warm.under(comparison.cores))),
            to: self.stack(comparison, of, Under::Load)?,
            alone_to_warm: warm.map_or(1.0, |warm| {
                unsteadiness(&self.alone, measured) / unsteadiness(&self.loaded, warm)
            }),
        };
        ask(comparison, &self.seen(comparison, Some(*of))?, &stacks)
    }

    /// The calibration's requests as they were measured on a contender.
    pub(super) fn points<'plan>(
        &self,
        plan: &'plan PredictionPlan,
        contender: &str,
        under: Under,
        figure: Figure,
    ) -> Vec<(&'plan CasePlan, Point)> {
        let measured = match under {
            Under::OneUser => &self.alone,
            Under::Crowd | Under::Load => &self.loaded,
        };
        let point = |case: &'plan CasePlan, work: f64| {
            let cost = typical(measured.get(&(contender.to_owned(), case.id.clone()))?)?;
            let wait = match under {
                Under::OneUser => cost.wait(case),
                Under::Crowd => self.wait_of(case),
                Under::Load => 0.0,
            };
            let point = Point {
                calls: case.calls.counts.clone(),
                wait,
                work,
                cpu: figure.of(&cost)?.as_secs_f64(),
            };
            Some((case, point))
        };
        let without = plan.calibration.iter().chain(&plan.waits);
        // Its work is the unit of work.
        let with = plan.work.iter().filter_map(|case| point(case, 1.0));
        without
            .filter_map(|case| point(case, 0.0))
            .chain(with)
            .collect()
    }

    /// Seconds that a call of a case waits, by the one user who waited least: under load there is also
    /// the line before the core in what a request takes, which leaves no process colder. 0 where nobody
    /// was asked alone.
    fn wait_of(&self, case: &CasePlan) -> f64 {
        let alone = self.alone.iter().filter(|((_, id), _)| *id == case.id);
        let waits = alone.filter_map(|(_, passes)| Some(typical(passes)?.wait(case)));
        waits.reduce(f64::min).unwrap_or_default()
    }
}
