//! A whole lab run: which scenarios, in which environment, saved after each, resumed where it
//! stopped.
//!
//! One scenario's failure is recorded in the result and the others go on; only an interruption or
//! a fault of the run itself (no interpreter, a full disk) ends it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use corrente_report::result::{LabResult, Mode, Outcome, Prices, SCHEMA};
use jiff::Timestamp;

use crate::error::LabError;
use crate::files::{LabFiles, ScenarioFile};
use crate::observer::Observer;
use crate::runner::Run;
use crate::scenario::Scenario;
use crate::stacks::{self, Stacks};
use crate::{cost, machine, schedule, store};

/// What to run.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// Scenario names; all where empty.
    pub names: Vec<String>,
    /// How much of each.
    pub mode: Mode,
    /// Where the result goes.
    pub out: PathBuf,
    /// A database to use instead of the embedded one.
    pub postgres: Option<String>,
    /// A price file to use instead of the lab's.
    pub prices: Option<PathBuf>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Rounds instead of the scenarios' own.
    pub repeat: Option<u32>,
    /// Scenarios and programs.
    pub files: LabFiles,
    /// How to start `corrente` itself.
    pub corrente: Vec<OsString>,
    /// The interpreter that the contenders' environment is made with.
    pub python: PathBuf,
}

/// One line of `corrente lab list`.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The scenario's name.
    pub name: String,
    /// The scenario, or what is wrong with its file.
    pub scenario: Result<Scenario, String>,
    /// How long a quick run of it takes.
    pub quick: Duration,
    /// How long a full run of it takes.
    pub full: Duration,
}

/// The scenarios there are.
pub fn list(files: &LabFiles) -> Result<Vec<Listed>, LabError> {
    let listed = files.scenarios()?.into_iter().map(|(name, scenario)| {
        let expected = |mode| match &scenario {
            Ok(scenario) => schedule::expected(scenario, mode, None),
            Err(_) => Duration::ZERO,
        };
        let (quick, full) = (expected(Mode::Quick), expected(Mode::Full));
        Listed {
            name,
            quick,
            full,
            scenario: scenario.map_err(|error| error.to_string()),
        }
    });
    Ok(listed.collect())
}

/// The scenarios that a run asks for, in the list's order.
fn chosen(files: &LabFiles, names: &[String]) -> Result<Vec<ScenarioFile>, LabError> {
    let all = files.scenarios()?;
    if let Some(name) = names
        .iter()
        .find(|name| all.iter().all(|(known, _)| known != *name))
    {
        return Err(LabError::UnknownScenario {
            name: name.clone(),
            known: all.len(),
        });
    }
    Ok(all
        .into_iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .collect())
}

/// Refuses a name that no scenario has.
pub fn check_names(files: &LabFiles, names: &[String]) -> Result<(), LabError> {
    chosen(files, names).map(|_| ())
}

/// Runs the scenarios and writes the result after each. `resumed` is a result to go on with.
pub fn run(
    plan: &RunPlan,
    resumed: Option<LabResult>,
    work: &Path,
    interrupted: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<LabResult, LabError> {
    let prices = cost::read_prices(&plan.files, plan.prices.as_deref())?;
    let scenarios = chosen(&plan.files, &plan.names)?;
    let is_interrupted = || interrupted.load(Ordering::Relaxed);
    let stacks = Stacks::prepare(&plan.files, &plan.python, &is_interrupted, observer)?;
    let mut result = resumed.unwrap_or_else(|| begun(plan, &stacks, &prices));
    let order: Vec<String> = scenarios.iter().map(|(name, _)| name.clone()).collect();
    let left: Vec<ScenarioFile> = scenarios
        .into_iter()
        .filter(|(name, _)| !is_measured(&result, name))
        .collect();
    let session = Run {
        files: &plan.files,
        stacks: &stacks,
        corrente: &plan.corrente,
        package: stacks::package(&plan.python, work)?,
        work: work.to_owned(),
        logs: logs_directory(&plan.out)?,
        mode: plan.mode,
        seed: plan.seed,
        repeat: plan.repeat,
        postgres: plan.postgres.as_deref(),
        prices: &prices,
        processors: machine::allowed_processors(),
        interrupted,
    };
    let expected = |scenario: &Scenario| schedule::expected(scenario, plan.mode, plan.repeat);
    let whole = left
        .iter()
        .filter_map(|(_, scenario)| scenario.as_ref().ok())
        .map(expected)
        .sum();
    observer.begins(left.len(), whole);
    if !plan.out.join(store::RESULT_FILE).exists() {
        // Before anything is measured, so that there is something to resume from; an earlier result
        // stays until there is a new one.
        save(&mut result, plan, observer)?;
    }
    for (name, scenario) in left {
        observer.scenario(&name);
        let due = scenario.as_ref().map_or(Duration::ZERO, expected);
        let finished = match scenario {
            Ok(scenario) => session.scenario(&scenario, observer)?,
            Err(error) => crate::runner::broken(&name, &error),
        };
        observer.finished(&finished, due);
        result.machine.postgres = result
            .machine
            .postgres
            .take()
            .or_else(|| finished.versions.get("PostgreSQL").cloned());
        result.scenarios.retain(|scenario| scenario.name != name);
        result.scenarios.push(finished);
        let place = |name: &String| order.iter().position(|other| other == name);
        result
            .scenarios
            .sort_by_key(|scenario| place(&scenario.name));
        let path = save(&mut result, plan, observer)?;
        observer.saved(&path);
    }
    result.finished_at = Some(now());
    save(&mut result, plan, observer)?;
    Ok(result)
}

/// Writes the result and tells of what is no number in it: that is a fault of the lab's, and no reason to
/// lose the rest.
fn save(
    result: &mut LabResult,
    plan: &RunPlan,
    observer: &mut dyn Observer,
) -> Result<PathBuf, LabError> {
    let saved = store::save(result, &plan.out)?;
    for figure in saved.left_out {
        observer.warning(&format!(
            "{figure} of the result is no number and was left out; the rest is there; please report it"
        ));
    }
    Ok(saved.path)
}

/// RFC 3339 to the second, UTC.
fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second())
        .unwrap_or_default()
        .to_string()
}

fn logs_directory(out: &Path) -> Result<PathBuf, LabError> {
    let out = std::path::absolute(out).map_err(|error| LabError::file(out, &error))?;
    let logs = out.join("logs");
    std::fs::create_dir_all(&logs).map_err(|error| LabError::file(&logs, &error))?;
    Ok(logs)
}

/// The result of a run that begins now.
fn begun(plan: &RunPlan, stacks: &Stacks, prices: &Prices) -> LabResult {
    LabResult {
        schema: SCHEMA.to_owned(),
        corrente_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now(),
        finished_at: None,
        mode: plan.mode,
        seed: plan.seed,
        asked: plan.names.clone(),
        repeat: plan.repeat,
        machine: machine::describe(stacks.python_version.clone(), None),
        prices: prices.clone(),
        scenarios: Vec::new(),
    }
}

fn is_measured(result: &LabResult, name: &str) -> bool {
    result
        .scenarios
        .iter()
        .any(|scenario| scenario.name == name && scenario.outcome == Outcome::Measured)
}
