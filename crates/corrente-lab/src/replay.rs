//! Predictions made again from what a stored result says was known before its run.
//!
//! For judging a change of the model against measurements that are there. Such a prediction comes after
//! the run, though from nothing that the run measured; whoever shows it has to say so. In place of the
//! shipped costs, which may come from this very run, each scenario has those that the other scenarios
//! determine: nothing that ran in it. Pure but for the scenario files: nothing is started.

use corrente_model::statistics::paired_ratio;
use corrente_report::result::{Interval, LabResult, Measure, Measurement, ScenarioResult, Tail};

use crate::calibration;
use crate::error::LabError;
use crate::files::LabFiles;
use crate::forecast::{Foretold, Known, Pairs, Predictions};
use crate::scenario::{ContenderPlan, Scenario};
use crate::schedule;

/// What of the known costs is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// All, as a run does.
    All,
    /// Without the contender of many threads: what a recording of synchronous workers tells.
    OneUser,
    /// Without what the same work costs on each side.
    NoWork,
}

/// The result with its predictions made again, in each scenario that `files` has. Where it holds no
/// ratios of P99, they are made from its measurements.
///
/// # Errors
///
/// [`LabError`] where the scenario files cannot be read.
pub fn replay(result: &LabResult, files: &LabFiles, basis: Basis) -> Result<LabResult, LabError> {
    let scenarios: Vec<Scenario> = (files.scenarios()?.into_iter())
        .filter_map(|(_, scenario)| scenario.ok())
        .collect();
    let mut replayed = result.clone();
    for measured in &mut replayed.scenarios {
        let Some(scenario) = scenarios.iter().find(|one| one.name == measured.name) else {
            continue;
        };
        let costs = calibration::without(&scenario.name, result, &scenarios);
        let scenario = &known_by(scenario, basis);
        let contenders = contenders(scenario, measured);
        let (predictions, _) = Known::from_costs(&measured.known).predictions(&Pairs {
            scenario,
            contenders: &contenders,
            cases: &schedule::cases(scenario, result.mode),
            cores: measured.placement.application.len().max(1),
            others: measured.placement.others.len(),
            seed: result.seed,
            burn_rounds_per_ms: measured.burn_rounds_per_ms,
            costs: costs.as_ref(),
        });
        fill(measured, &predictions, result.seed);
    }
    Ok(replayed)
}

fn known_by(scenario: &Scenario, basis: Basis) -> Scenario {
    let mut scenario = scenario.clone();
    if let Some(plan) = &mut scenario.prediction {
        match basis {
            Basis::All => {}
            Basis::OneUser => plan.warm = None,
            Basis::NoWork => plan.work = None,
        }
    }
    scenario
}

/// The contenders with the settings that they had.
fn contenders(scenario: &Scenario, measured: &ScenarioResult) -> Vec<(String, ContenderPlan)> {
    let value = |text: &String| {
        let number = text.parse().map(toml::Value::Integer);
        number.unwrap_or_else(|_| toml::Value::String(text.clone()))
    };
    let plan = |contender: &corrente_report::result::Contender| {
        let settings = contender.settings.iter();
        let settings = settings.map(|(name, text)| (name.clone(), value(text)));
        let plan = ContenderPlan {
            settings: settings.collect(),
            ..scenario.contender(&contender.id)?.clone()
        };
        Some((contender.id.clone(), plan))
    };
    measured.contenders.iter().filter_map(plan).collect()
}

/// Puts the predictions in the places of the old ones.
fn fill(measured: &mut ScenarioResult, predictions: &Predictions, seed: u64) {
    for finding in &mut measured.findings {
        for point in &mut finding.points {
            let key = (finding.of.clone(), finding.over.clone(), point.case.clone());
            let foretold = predictions.get(&key).copied().unwrap_or_default();
            point.predicted = foretold.calibrated(finding.measure);
            point.shipped = foretold.shipped(finding.measure);
        }
    }
    let tail = |((of, over, case), foretold): (&(String, String, String), &Foretold)| Tail {
        of: of.clone(),
        over: over.clone(),
        case: case.clone(),
        measured: measured_tail(measured, [of, over], case, seed),
        predicted: foretold.calibrated(Measure::P99),
        shipped: foretold.shipped(Measure::P99),
    };
    let tails: Vec<Tail> = predictions.iter().map(tail).collect();
    measured.tails = tails;
}

/// The ratio that the result holds, or that of its measurements.
fn measured_tail(
    result: &ScenarioResult,
    [of, over]: [&String; 2],
    case: &str,
    seed: u64,
) -> Option<Interval> {
    let is_this = |tail: &&Tail| tail.of == *of && tail.over == *over && tail.case == case;
    if let Some(tail) = result.tails.iter().find(is_this) {
        return tail.measured;
    }
    let rounds = |contender: &str| {
        let mut all = result.measurements.iter();
        p99_rounds(all.find(|one| one.contender == contender && one.case == case)?)
    };
    let ratio = paired_ratio(rounds(of)?, rounds(over)?, seed)?;
    Some(Interval {
        estimate: ratio.estimate,
        low: ratio.low,
        high: ratio.high,
    })
}

/// P99 round by round, where the measurement carries one and each round has it.
fn p99_rounds(measurement: &Measurement) -> Option<&[f64]> {
    let latency = measurement.latency.as_ref()?;
    let is_carried = measurement.invalid.is_none() && latency.p99_ms.is_some();
    let is_whole = latency.p99_rounds_ms.len() == measurement.throughput_rounds.len();
    (is_carried && is_whole).then_some(latency.p99_rounds_ms.as_slice())
}

#[cfg(test)]
mod tests;
