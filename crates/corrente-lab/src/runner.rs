//! Running one scenario: parts up, contenders up and checked, sweeps, rounds, verdicts.
//!
//! The order is part of the method. Everything starts on all processors and is pinned before the
//! first measurement; one contender at a time is under load; each round measures every contender
//! of every case once, in an order that rotates from round to round, so that a drift of the
//! machine meets all alike. What one contender cannot do is noted and the others go on.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use corrente_report::result::{Case, Mode, Outcome, Placement, Prices, ScenarioResult, Text};

use crate::contender::{Instance, Surroundings};
use crate::cost::Capacity;
use crate::error::LabError;
use crate::files::LabFiles;
use crate::forecast::{Known, Predictions};
use crate::judge::Evidence;
use crate::observer::{Activity, Observer};
use crate::parts::Parts;
use crate::samples::{Series, Slice};
use crate::scenario::{CasePlan, Rounds, Scenario, ScenarioError};
use crate::slice::{Bench, Load};
use crate::speedometer::{Speed, Speedometer};
use crate::stacks::Stacks;
use crate::{keeper, process_tree, schedule};

mod foresight;
mod rounds;
mod sweep;

/// What all scenarios of a run share.
#[derive(Debug)]
pub(crate) struct Run<'run> {
    pub(crate) files: &'run LabFiles,
    pub(crate) stacks: &'run Stacks,
    pub(crate) corrente: &'run [OsString],
    /// A folder with the package `corrente` in it and nothing else, for contenders on its loop.
    pub(crate) package: PathBuf,
    pub(crate) work: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) mode: Mode,
    pub(crate) seed: u64,
    pub(crate) repeat: Option<u32>,
    pub(crate) postgres: Option<&'run str>,
    pub(crate) prices: &'run Prices,
    pub(crate) processors: Vec<usize>,
    pub(crate) interrupted: &'run AtomicBool,
}

impl Run<'_> {
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn check_interrupted(&self) -> Result<(), LabError> {
        if self.interrupted() {
            Err(LabError::Interrupted)
        } else {
            Ok(())
        }
    }

    /// The rounds of a scenario in this run.
    pub(crate) fn rounds(&self, scenario: &Scenario) -> Rounds {
        schedule::rounds(scenario, self.mode, self.repeat)
    }

    /// Which processors carry what; nothing is pinned where there is only one.
    fn placement(&self, scenario: &Scenario) -> Placement {
        if self.processors.len() < 2 {
            return Placement::default();
        }
        let named = |indices: &[usize]| -> Vec<usize> {
            let mut named: Vec<usize> = indices
                .iter()
                .map(|index| self.processors[index % self.processors.len()])
                .collect();
            named.sort_unstable();
            named.dedup();
            named
        };
        Placement {
            application: named(&scenario.placement.application),
            others: named(&scenario.placement.others),
        }
    }

    /// Runs a scenario. An error of a part ends this scenario only; `Interrupted` ends the run.
    pub(crate) fn scenario(
        &self,
        scenario: &Scenario,
        observer: &mut dyn Observer,
    ) -> Result<ScenarioResult, LabError> {
        let started = Instant::now();
        let mut result = blank(scenario);
        result.placement = self.placement(scenario);
        match self.measure(scenario, &mut result, observer) {
            Ok(()) => {}
            Err(LabError::Interrupted) => return Err(LabError::Interrupted),
            Err(LabError::Missing { reason }) => result.outcome = Outcome::NotMeasured { reason },
            Err(error) => {
                result.outcome = Outcome::Failed {
                    reason: error.to_string(),
                }
            }
        }
        result.elapsed_s = started.elapsed().as_secs_f64();
        Ok(result)
    }

    fn measure(
        &self,
        scenario: &Scenario,
        result: &mut ScenarioResult,
        observer: &mut dyn Observer,
    ) -> Result<(), LabError> {
        let work = self.work.join(&scenario.name);
        keeper::open_folder(&work)?;
        observer.activity(Activity::SettingUp {
            scenario: &scenario.name,
        });
        let parts = Parts::start(self, scenario, &work)?;
        parts.pin(&result.placement.others);
        let surroundings = Surroundings {
            stacks: self.stacks,
            corrente: self.corrente,
            package: &self.package,
            apps: self.files.apps(&self.work)?,
            work,
            logs: self.logs.join(&scenario.name),
            origin: parts.origin_address(),
            postgres: parts.postgres_address(),
        };
        let speedometer = Speedometer::start(
            &self.stacks.python,
            &surroundings.work.join("speed"),
            &result.placement.application,
        );
        let cases = schedule::cases(scenario, self.mode);
        let mut stage = Stage {
            run: self,
            scenario,
            surroundings,
            rounds: self.rounds(scenario),
            others: parts.roots(),
            placement: result.placement.clone(),
            series: BTreeMap::new(),
            alone: BTreeMap::new(),
            naive: BTreeMap::new(),
            speedometer,
            known: Known::default(),
            predicted: Predictions::new(),
            instances: Vec::new(),
            cases,
            observer,
        };
        stage.start_contenders()?;
        result.sweeps = stage.tune()?;
        stage.learn()?;
        stage.predict();
        stage.measure_rounds()?;
        stage.measure_open_loop()?;
        if self.mode == Mode::Full && !self.processors.is_empty() {
            parts.pin(&self.processors);
            stage.measure_unpinned()?;
        }
        stage.conclude(result, self.capacity(&result.placement));
        result.versions = versions(scenario, self.stacks);
        if let Some(version) = parts.postgres_version() {
            result
                .versions
                .insert("PostgreSQL".to_owned(), version.to_owned());
        }
        Ok(())
    }

    fn capacity(&self, placement: &Placement) -> Capacity<'_> {
        let processors = match placement.application.len() {
            0 => self.processors.len(),
            pinned => pinned,
        };
        Capacity {
            processors,
            prices: self.prices,
        }
    }
}

/// A scenario in the making.
struct Stage<'run> {
    run: &'run Run<'run>,
    scenario: &'run Scenario,
    surroundings: Surroundings<'run>,
    rounds: Rounds,
    /// Roots of origin and database.
    others: Vec<u32>,
    placement: Placement,
    series: BTreeMap<(String, String), Series>,
    /// Mean latency with one user, by contender and case.
    alone: BTreeMap<(String, String), Duration>,
    naive: BTreeMap<String, f64>,
    speedometer: Speedometer,
    /// What the model is told, and what it says of the judged pairs.
    known: Known,
    predicted: Predictions,
    instances: Vec<Instance>,
    cases: Vec<CasePlan>,
    observer: &'run mut dyn Observer,
}

impl Stage<'_> {
    /// Starts every contender and every point of a sweep at once, waits until each answers
    /// rightly, then pins them.
    fn start_contenders(&mut self) -> Result<(), LabError> {
        for (id, plan) in schedule::instances(self.scenario, self.run.mode) {
            self.run.check_interrupted()?;
            self.observer
                .activity(Activity::Starting { contender: &id });
            self.instances.push(Instance::start(
                &id,
                &plan,
                self.scenario,
                &self.surroundings,
            )?);
        }
        let interrupted = || self.run.interrupted();
        let asked =
            |instance: &Instance| [&self.cases[..], &self.calibrated(&instance.id)].concat();
        let asked: Vec<Vec<CasePlan>> = self.instances.iter().map(asked).collect();
        for (instance, cases) in self.instances.iter_mut().zip(asked) {
            self.observer.activity(Activity::Starting {
                contender: &instance.id,
            });
            instance.wait_until_right(&cases, &interrupted);
            if let Some(reason) = &instance.missing {
                self.observer
                    .warning(&format!("{}: {reason}", self.scenario.name));
            }
            if let Some(server) = &instance.server {
                process_tree::pin_tree(server.root(), &self.placement.application);
            }
        }
        self.run.check_interrupted()
    }

    /// One measurement; `None` where the contender takes no part or fails, which is noted.
    fn slice(&mut self, id: &str, case: &CasePlan, load: &Load) -> Result<Option<Slice>, LabError> {
        self.run.check_interrupted()?;
        let Some(position) = self.instances.iter().position(|one| one.id == id) else {
            return Ok(None);
        };
        if !self.instances[position].takes_part_in(case) {
            return Ok(None);
        }
        let place = crate::program::Place {
            application: &self.placement.application,
            others: &self.placement.others,
            other_parts: &self.others,
        };
        let instance = &mut self.instances[position];
        let bench = Bench {
            scenario: self.scenario,
            surroundings: &self.surroundings,
            place,
            run: self.run,
        };
        let before = self.speedometer.look();
        let measured = bench.measure(instance, case, load);
        let speed = before.zip(self.speedometer.look());
        let speed = speed.map(|(before, after)| Speed { before, after });
        self.observer.advanced(load.expected());
        match measured {
            Ok(slice) => Ok(Some(Slice { speed, ..slice })),
            Err(LabError::Interrupted) => Err(LabError::Interrupted),
            Err(error) => {
                self.observer
                    .warning(&format!("{}: {error}", self.scenario.name));
                self.instances[position].missing = Some(error.to_string());
                Ok(None)
            }
        }
    }

    fn conclude(&self, result: &mut ScenarioResult, capacity: Capacity<'_>) {
        let cases: Vec<String> = self.cases.iter().map(|case| case.id.clone()).collect();
        let evidence = Evidence {
            series: &self.series,
            naive: &self.naive,
            predicted: &self.predicted,
            alone: &self.alone,
            cases: &cases,
            capacity,
            seed: self.run.seed,
        };
        result.findings = evidence.findings(self.scenario);
        result.tails = evidence.tails();
        result.factors = evidence.factors(&self.scenario.factors);
        result.known = self.known.costs();
        result.burn_rounds_per_ms = self.reference_speed();
        result.contenders = self.instances.iter().map(Instance::describe).collect();
        result.cases = self.cases.iter().map(describe_case).collect();
        result.measurements = cases
            .iter()
            .flat_map(|case| {
                self.instances
                    .iter()
                    .map(move |instance| (&instance.id, case))
            })
            .filter_map(|(id, case)| {
                let series = self.series.get(&(id.clone(), case.clone()))?;
                Some(series.summary(id, case, capacity))
            })
            .collect();
        result.outcome = self.outcome();
    }

    /// A scenario in which nothing could be measured has failed, whatever its parts did.
    fn outcome(&self) -> Outcome {
        if !self.series.is_empty() {
            return Outcome::Measured;
        }
        let reasons: Vec<&str> = self
            .instances
            .iter()
            .filter_map(|instance| instance.missing.as_deref())
            .collect();
        Outcome::Failed {
            reason: reasons
                .first()
                .copied()
                .unwrap_or("no contender")
                .to_owned(),
        }
    }
}

fn describe_case(case: &CasePlan) -> Case {
    Case {
        id: case.id.clone(),
        users: case.users.map(|users| users as u64),
        parameters: case.parameters.clone(),
    }
}

fn versions(scenario: &Scenario, stacks: &Stacks) -> BTreeMap<String, String> {
    let mut versions: BTreeMap<String, String> = scenario
        .contenders
        .iter()
        .flat_map(|contender| &contender.requires)
        .filter_map(|name| Some((name.clone(), stacks.version(name)?.to_owned())))
        .collect();
    for program in scenario
        .contenders
        .iter()
        .filter_map(|contender| contender.program.as_ref())
    {
        if let Some(version) = crate::stacks::program_version(program) {
            versions.insert(program.clone(), version);
        }
    }
    versions
}

/// The result of a scenario whose file cannot be used.
pub(crate) fn broken(name: &str, error: &ScenarioError) -> ScenarioResult {
    let mut result = empty(name);
    result.outcome = Outcome::Failed {
        reason: error.to_string(),
    };
    result
}

fn blank(scenario: &Scenario) -> ScenarioResult {
    ScenarioResult {
        title: scenario.title.clone(),
        source: scenario.sources.clone(),
        differences: scenario.differences.clone(),
        remarks: scenario.remarks.clone(),
        ..empty(&scenario.name)
    }
}

fn empty(name: &str) -> ScenarioResult {
    ScenarioResult {
        name: name.to_owned(),
        title: Text::default(),
        source: Vec::new(),
        outcome: Outcome::Measured,
        differences: Vec::new(),
        remarks: Vec::new(),
        contenders: Vec::new(),
        cases: Vec::new(),
        measurements: Vec::new(),
        known: Vec::new(),
        burn_rounds_per_ms: None,
        sweeps: Vec::new(),
        findings: Vec::new(),
        tails: Vec::new(),
        factors: Vec::new(),
        elapsed_s: 0.0,
        placement: Placement::default(),
        versions: BTreeMap::new(),
    }
}
