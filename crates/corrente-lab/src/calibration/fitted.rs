//! The costs of each contender of each scenario, fitted to its calibration requests.
//!
//! Synchronous contenders were measured by one user alone, so that they slept through every call;
//! asynchronous ones, and those of many threads, under load, so that they hardly slept. That is what
//! the lab's own predictions are made with (`forecast`).

use corrente_model::calibration::Costs;
use corrente_model::cost_table::{Side, Workers};
use corrente_report::result::{self, Contender, LabResult, ScenarioResult, Stack};

use crate::forecast::{Known, Under};
use crate::scenario::{PredictionPlan, Scenario};

/// One contender's costs.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    pub scenario: String,
    pub stack: Stack,
    pub side: Side,
    pub workers: Workers,
    pub costs: Costs,
    /// Whether a request's cost is the stack's alone.
    pub is_plain: bool,
    pub memory: Vec<Memory>,
}

/// Memory of a contender in one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    pub bytes: f64,
    pub processes: f64,
    pub threads: f64,
    pub users: f64,
}

/// All contenders whose calibration requests determine their costs, at this speed of the machine
/// where the result says at which they were measured.
pub(super) fn contenders(
    result: &LabResult,
    scenarios: &[Scenario],
    speed: Option<f64>,
) -> Vec<Fitted> {
    let of = |measured: &ScenarioResult| {
        let scenario = scenarios.iter().find(|one| one.name == measured.name);
        let plan = scenario.and_then(|scenario| scenario.prediction.as_ref());
        let known = Known::from_costs(&measured.known).at(speed);
        let contenders = measured.contenders.iter();
        let fitted = contenders.filter_map(|one| fitted(measured, one, plan?, &known));
        fitted.collect::<Vec<_>>()
    };
    result.scenarios.iter().flat_map(of).collect()
}

fn fitted(
    measured: &ScenarioResult,
    contender: &Contender,
    plan: &PredictionPlan,
    known: &Known,
) -> Option<Fitted> {
    let side = match contender.side {
        result::Side::Async => Side::Async,
        result::Side::Sync | result::Side::Reference => Side::Sync,
    };
    let is_threaded =
        side == Side::Sync && setting(contender, "threads").is_some_and(|count| count > 1.0);
    let workers = if is_threaded {
        Workers::Threaded
    } else {
        Workers::Single
    };
    let measured_under = match (side, workers) {
        (Side::Sync, Workers::Single) => Under::OneUser,
        _ => Under::Load,
    };
    Some(Fitted {
        scenario: measured.name.clone(),
        stack: contender.stack.clone(),
        side,
        workers,
        costs: known
            .costs_of(&contender.id, measured_under, plan)?
            .for_table(plan),
        is_plain: !plan.own_work,
        memory: memory(measured, contender),
    })
}

fn memory(measured: &ScenarioResult, contender: &Contender) -> Vec<Memory> {
    let setting = |name| setting(contender, name);
    let users = |case: &str| {
        let found = measured.cases.iter().find(|one| one.id == case)?;
        Some(found.users? as f64)
    };
    let own = (measured.measurements.iter())
        .filter(|one| one.contender == contender.id && one.peak_pss_bytes > 0);
    let of = own.filter_map(|one| {
        Some(Memory {
            bytes: one.peak_pss_bytes as f64,
            processes: setting("workers").unwrap_or(1.0),
            threads: setting("threads").unwrap_or(1.0),
            users: users(&one.case)?,
        })
    });
    of.collect()
}

/// A contender's setting, where it is a number.
fn setting(contender: &Contender, name: &str) -> Option<f64> {
    let number = contender.settings.get(name)?.parse::<f64>().ok()?;
    Some(number.max(1.0))
}
