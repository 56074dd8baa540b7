//! From a lab's result to a table of what stacks and drivers cost on its machine.
//!
//! The lab measures requests of known shape before each run (`known` in the result; their shapes
//! are in the scenarios' `[prediction]`). Here the model's own fit takes the costs of each contender
//! from them; those of one stack are put together over the scenarios. What a result does not have is
//! left out: nothing is invented. Pure but for the scenario files.

mod fitted;
mod merged;

use corrente_model::cost_table::{BadTable, CostTable, Reference};
use corrente_report::result::{LabResult, Mode};
use thiserror::Error;

use crate::error::LabError;
use crate::files::LabFiles;
use crate::scenario::Scenario;

/// Why a result has no table.
#[derive(Debug, Error)]
pub enum CalibrationError {
    /// The scenario files cannot be read.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// No costs are determined.
    #[error(
        "no scenario in it measured what calibrates stacks; make one with \
         `corrente lab run paterson grinberg formula`"
    )]
    Nothing,
    /// The run was to show that it runs.
    #[error("a smoke run measures nothing: run the lab with `--quick` or `--full`")]
    Smoke,
    /// They are of one side, or cannot be.
    #[error("{0}; run the scenarios again, or more of them")]
    Unusable(BadTable),
}

/// The costs that a result determines; `files` are the scenarios that it was made with.
///
/// # Errors
///
/// [`CalibrationError`] where it determines none that a prediction could be made with.
pub fn cost_table(result: &LabResult, files: &LabFiles) -> Result<CostTable, CalibrationError> {
    if result.mode == Mode::Smoke {
        return Err(CalibrationError::Smoke);
    }
    let scenarios = files.scenarios()?.into_iter();
    let scenarios: Vec<Scenario> = scenarios.filter_map(|(_, read)| read.ok()).collect();
    let table = table(result, &scenarios);
    if table.stacks.is_empty() {
        return Err(CalibrationError::Nothing);
    }
    table.check().map_err(CalibrationError::Unusable)?;
    Ok(table)
}

/// The costs that all other scenarios of a result determine, for one that is to be predicted without
/// anything that ran in it; `None` where they determine none.
pub(crate) fn without(name: &str, result: &LabResult, scenarios: &[Scenario]) -> Option<CostTable> {
    let mut others = result.clone();
    others.scenarios.retain(|one| one.name != name);
    let table = table(&others, scenarios);
    table.check().is_ok().then_some(table)
}

fn table(result: &LabResult, scenarios: &[Scenario]) -> CostTable {
    let speed = speed(result);
    let fitted = fitted::contenders(result, scenarios, speed);
    let mut names: Vec<String> = fitted.iter().map(|one| one.scenario.clone()).collect();
    names.dedup();
    let day = result.started_at.split('T').next().unwrap_or_default();
    CostTable {
        reference: Reference {
            cpu: result.machine.cpu.clone(),
            python: result.machine.python.clone(),
            date: day.to_owned(),
            scenarios: names,
            burn_rounds_per_ms: speed,
        },
        stacks: merged::stacks(&fitted),
        drivers: merged::drivers(&fitted),
    }
}

/// The machine's speed at the lab's Python work, as the scenario found it that was disturbed least.
fn speed(result: &LabResult) -> Option<f64> {
    let measured = result.scenarios.iter();
    let speeds = measured.filter_map(|scenario| scenario.burn_rounds_per_ms);
    speeds.reduce(f64::max).map(f64::round)
}

#[cfg(test)]
mod tests;
