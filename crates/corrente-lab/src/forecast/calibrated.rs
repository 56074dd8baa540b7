//! Predictions from stacks that were calibrated on this machine.
//!
//! Their costs are fitted to the calibration's requests: to those of one user alone on synchronous
//! contenders, to those under load on the others. No judged request goes in.

use std::collections::BTreeMap;

use corrente_model::calibration::{self, Point, Stack};
use corrente_model::prediction::{Prediction, Unpredictable};

use super::{Comparison, Cost, Known, Runner, Stacks, ask, typical};
use crate::scenario::{CasePlan, PredictionPlan};

impl Known {
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
        let loaded = |runner: &Runner| fitted(runner, &points(plan, &self.loaded, &runner.id));
        let stacks = Stacks {
            alone: fitted(measured, &points(plan, &self.alone, &measured.id)),
            warm: warm.and_then(|warm| {
                Some(Stack {
                    threads: warm.threads(),
                    ..loaded(warm)?
                })
            }),
            to: loaded(of)?,
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
fn fitted(runner: &Runner, points: &[Point]) -> Option<Stack> {
    Some(Stack {
        name: runner.id.clone(),
        threads: 1,
        costs: calibration::fit(points)?,
        process_bytes: 0,
        request_bytes: 0,
    })
}
