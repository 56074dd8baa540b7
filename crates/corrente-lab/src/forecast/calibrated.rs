//! Predictions from stacks that were calibrated on this machine.
//!
//! Their costs are fitted to the calibration's requests: to those of one user alone on synchronous
//! contenders, to those under load on the others. No judged request goes in.

use std::collections::BTreeMap;

use corrente_model::calibration::{self, Costs, Point, Stack};
use corrente_model::prediction::{Prediction, Unpredictable};

use super::{Comparison, Cost, Known, Runner, Stacks, ask, typical};
use crate::scenario::{CasePlan, PredictionPlan};

/// The load under which a contender tells its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Under {
    /// Its process sleeps through each call.
    OneUser,
    /// It hardly sleeps.
    Load,
}

impl Known {
    /// What a contender costs apart from a case's own work.
    pub(crate) fn costs_of(
        &self,
        contender: &str,
        under: Under,
        plan: &PredictionPlan,
    ) -> Option<Costs> {
        let measured = match under {
            Under::OneUser => &self.alone,
            Under::Load => &self.loaded,
        };
        calibration::fit(&points(plan, measured, contender))
    }

    /// Predicts `of / over`; `None` where something that the prediction needs was not measured.
    pub(crate) fn forecast(
        &self,
        comparison: &Comparison<'_>,
    ) -> Option<Result<Prediction, Unpredictable>> {
        let Comparison {
            plan,
            of,
            measured,
            warm,
            ..
        } = comparison;
        let stack = |runner: &Runner, threads, under| {
            Some(Stack {
                name: runner.id.clone(),
                threads,
                costs: self.costs_of(&runner.id, under, plan)?,
                process_bytes: 0,
                request_bytes: 0,
            })
        };
        let stacks = Stacks {
            alone: stack(measured, 1, Under::OneUser),
            warm: warm.and_then(|warm| stack(warm, warm.threads(), Under::Load)),
            to: stack(of, 1, Under::Load)?,
        };
        ask(comparison, &self.seen(comparison)?, &stacks)
    }
}

/// The calibration's requests as they were measured on a contender.
fn points(
    plan: &PredictionPlan,
    measured: &BTreeMap<(String, String), Vec<Cost>>,
    contender: &str,
) -> Vec<Point> {
    let point = |case: &CasePlan, work: f64| {
        let cost = typical(measured.get(&(contender.to_owned(), case.id.clone()))?)?;
        Some(Point {
            calls: case.calls.counts.clone(),
            wait: cost.wait(case),
            work,
            cpu: cost.cpu.as_secs_f64(),
        })
    };
    let without = plan.calibration.iter().chain(&plan.waits);
    // Its work is the unit of work.
    let with = plan.work.iter().filter_map(|case| point(case, 1.0));
    without
        .filter_map(|case| point(case, 0.0))
        .chain(with)
        .collect()
}
