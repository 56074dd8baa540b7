//! A contender as it runs: its command line filled in, its server up, its answers checked.
//!
//! A contender with HTTP or TCP cases is a server that stays up for the scenario; one with program
//! cases is started by each measurement. A contender that cannot run keeps the reason in one line
//! and takes part in nothing; the others go on.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::LabError;
use crate::part::{Part, PartPlan, Stop};
use crate::scenario::{CasePlan, ContenderPlan, Driver, Scenario, Settings};
use crate::stacks::{Stacks, find_program};
use crate::template::{Values, setting_text};
use crate::{ports, probe};
use corrente_report::result::{Contender, Side};

/// How long a server may take until it answers rightly.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a server may go on answering wrongly, as one does whose pool is not filled yet.
const WRONG_LIMIT: Duration = Duration::from_secs(4);

const PACE: Duration = Duration::from_millis(50);

/// What all contenders of a scenario share.
#[derive(Debug)]
pub(crate) struct Surroundings<'run> {
    pub(crate) stacks: &'run Stacks,
    /// How to run `corrente` itself.
    pub(crate) corrente: &'run [OsString],
    /// Where the package `corrente` can be imported from.
    pub(crate) package: &'run Path,
    pub(crate) apps: PathBuf,
    /// Scratch directory of the scenario.
    pub(crate) work: PathBuf,
    /// Logs of the parts.
    pub(crate) logs: PathBuf,
    pub(crate) origin: Option<String>,
    pub(crate) postgres: Option<String>,
}

/// A contender, or one point of its tuning sweep.
#[derive(Debug)]
pub(crate) struct Instance {
    /// `ID`, `ID:tuned`, or `ID:tune-N` while the sweep goes on.
    pub(crate) id: String,
    pub(crate) plan: ContenderPlan,
    pub(crate) server: Option<Part>,
    /// Why it takes part in nothing.
    pub(crate) missing: Option<String>,
    values: Values,
    port: u16,
}

impl Instance {
    /// Fills in the command and starts the server, where there is one; does not wait for it.
    pub(crate) fn start(
        id: &str,
        plan: &ContenderPlan,
        scenario: &Scenario,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, LabError> {
        let port = ports::free()?;
        let mut instance = Self {
            id: id.to_owned(),
            plan: plan.clone(),
            server: None,
            missing: missing_requirement(plan, surroundings.stacks),
            values: values(plan, port, surroundings),
            port,
        };
        if instance.missing.is_none() && instance.is_server(scenario) {
            let part = instance
                .part_plan(scenario, surroundings, None)
                .and_then(|part| {
                    instance
                        .build(surroundings)
                        .and_then(|()| Part::start(&part))
                });
            match part {
                Ok(part) => instance.server = Some(part),
                Err(error) => instance.missing = Some(error.to_string()),
            }
        }
        Ok(instance)
    }

    /// Ends the server and starts it anew: what it still had in its queue is gone. On failure it is
    /// `missing`.
    pub(crate) fn restart(
        &mut self,
        scenario: &Scenario,
        case: &CasePlan,
        surroundings: &Surroundings<'_>,
        interrupted: &dyn Fn() -> bool,
    ) {
        self.server = None;
        let started = self
            .part_plan(scenario, surroundings, None)
            .and_then(|server_plan| Part::start(&server_plan));
        match started {
            Ok(server) => self.server = Some(server),
            Err(error) => self.missing = Some(error.to_string()),
        }
        self.wait_until_right(std::slice::from_ref(case), interrupted);
    }

    pub(crate) fn takes_part_in(&self, case: &CasePlan) -> bool {
        self.missing.is_none() && self.plan.takes_part_in(&case.id)
    }

    pub(crate) fn side(&self) -> Side {
        self.plan.side
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The request target of a case for this contender.
    pub(crate) fn path(&self, case: &CasePlan) -> Result<String, LabError> {
        let mut values = self.values.clone();
        values.set_parameters(&case.parameters);
        values.fill(&case.path).map_err(|name| self.no_value(&name))
    }

    /// How to run the program of a case.
    pub(crate) fn program(
        &self,
        scenario: &Scenario,
        case: &CasePlan,
        surroundings: &Surroundings<'_>,
    ) -> Result<PartPlan, LabError> {
        let mut plan = self.part_plan(scenario, surroundings, Some(case))?;
        plan.output = Some(
            surroundings
                .work
                .join(format!("{}.out", file_name(&self.id))),
        );
        Ok(plan)
    }

    /// Waits until every case of this contender is answered rightly; on failure it is `missing`.
    pub(crate) fn wait_until_right(&mut self, cases: &[CasePlan], interrupted: &dyn Fn() -> bool) {
        if self.server.is_none() {
            return;
        }
        for case in cases
            .iter()
            .filter(|case| self.plan.takes_part_in(&case.id))
        {
            let mut patience = Patience::from_now();
            while let Err(error) = self.check_answer(case) {
                let ended = self.server.as_mut().and_then(Part::ended);
                let failure = match (ended, &self.server) {
                    (Some(status), Some(server)) => server.failure(status),
                    _ if patience.is_over(&error, Instant::now()) || interrupted() => error,
                    _ => {
                        std::thread::sleep(PACE);
                        continue;
                    }
                };
                self.missing = Some(failure.to_string());
                self.server = None;
                return;
            }
        }
    }

    fn check_answer(&self, case: &CasePlan) -> Result<(), LabError> {
        let wrong = |request: String, found: String| LabError::Answer {
            part: self.id.clone(),
            request,
            found,
        };
        let silent = |error: std::io::Error| LabError::NoAnswer {
            part: self.id.clone(),
            reason: error.to_string(),
        };
        if case.driver == Driver::Tcp {
            return probe::echo(self.address(), case.message_bytes).map_err(silent);
        }
        if case.driver == Driver::Program {
            return Ok(());
        }
        let path = self.path(case)?;
        let answer = probe::ask(self.address(), &path, probe::ANSWER_LIMIT).map_err(silent)?;
        if answer.status == 200 && answer.body.contains(&case.expect) {
            return Ok(());
        }
        let start: String = answer
            .body
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .take(80)
            .collect();
        let found = format!(
            "expected 200 and `{}` in the body, found {} and `{start}`",
            case.expect, answer.status
        );
        Err(wrong(path, found))
    }

    fn is_server(&self, scenario: &Scenario) -> bool {
        scenario
            .cases
            .iter()
            .any(|case| case.driver != Driver::Program && self.plan.takes_part_in(&case.id))
    }

    /// Runs `build` in the scratch directory.
    pub(crate) fn build(&self, surroundings: &Surroundings<'_>) -> Result<(), LabError> {
        if self.plan.build.is_empty() {
            return Ok(());
        }
        let command = self.command(&self.plan.build, &self.values, surroundings)?;
        let output = Command::new(&command[0])
            .args(&command[1..])
            .current_dir(&surroundings.work)
            .stdin(Stdio::null())
            .output();
        let reason = match output {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let words = String::from_utf8_lossy(&output.stderr);
                words.lines().last().unwrap_or("it said nothing").to_owned()
            }
            Err(error) => error.to_string(),
        };
        Err(LabError::Start {
            part: format!("{}: its build", self.id),
            reason,
        })
    }

    fn part_plan(
        &self,
        scenario: &Scenario,
        surroundings: &Surroundings<'_>,
        case: Option<&CasePlan>,
    ) -> Result<PartPlan, LabError> {
        let mut values = self.values.clone();
        if let Some(case) = case {
            values.set_parameters(&case.parameters);
        }
        let mut environment = values.environment();
        for (name, text) in scenario.environment.iter().chain(&self.plan.environment) {
            let text = values.fill(text).map_err(|name| self.no_value(&name))?;
            environment.insert(name.clone(), text.into());
        }
        let python_path = std::env::join_paths([surroundings.apps.as_path(), surroundings.package]);
        let python_path = python_path.map_err(|error| LabError::Start {
            part: self.id.clone(),
            reason: format!("its PYTHONPATH cannot be said: {error}"),
        })?;
        environment.insert("PYTHONPATH".to_owned(), python_path);
        environment.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".into());
        Ok(PartPlan {
            name: self.id.clone(),
            command: self.command(&self.plan.command, &values, surroundings)?,
            environment,
            directory: surroundings.work.clone(),
            log: surroundings
                .logs
                .join(format!("{}.log", file_name(&self.id))),
            output: None,
            user: None,
            stop: Stop::Kill,
        })
    }

    /// `{corrente}` stands for several words, so it is a word of its own in a command.
    fn command(
        &self,
        words: &[String],
        values: &Values,
        surroundings: &Surroundings<'_>,
    ) -> Result<Vec<OsString>, LabError> {
        let mut command = Vec::with_capacity(words.len());
        for word in words {
            if word == "{corrente}" {
                command.extend_from_slice(surroundings.corrente);
            } else {
                let word = values.fill(word).map_err(|name| self.no_value(&name))?;
                command.push(word.into());
            }
        }
        Ok(command)
    }

    fn no_value(&self, name: &str) -> LabError {
        LabError::Start {
            part: self.id.clone(),
            reason: format!("`{{{name}}}` has no value; set it in `settings` or `parameters`"),
        }
    }

    /// How the report describes it.
    pub(crate) fn describe(&self) -> Contender {
        Contender {
            id: self.id.clone(),
            side: self.plan.side,
            stack: self.plan.stack.clone(),
            settings: settings_text(&self.plan.settings),
            missing: self.missing.clone(),
        }
    }
}

/// How long one case is still waited for. Each has its own: what a server answered wrongly while its
/// pool filled is not held against the cases that follow.
#[derive(Debug)]
struct Patience {
    asked: Instant,
    wrong_since: Option<Instant>,
}

impl Patience {
    fn from_now() -> Self {
        Self {
            asked: Instant::now(),
            wrong_since: None,
        }
    }

    /// Whether `error`, found at `now`, is final.
    fn is_over(&mut self, error: &LabError, now: Instant) -> bool {
        if matches!(error, LabError::Answer { .. }) {
            self.wrong_since.get_or_insert(now);
        }
        let wrong_for = self.wrong_since.map(|since| now - since);
        now - self.asked > START_LIMIT || wrong_for.is_some_and(|time| time > WRONG_LIMIT)
    }
}

/// Exit code of a contender that says that it is not to be had here (`EX_UNAVAILABLE` of
/// sysexits.h).
const UNAVAILABLE: &str = "exit status: 69:";

/// Whether a contender is missing because the machine lacks it, not because it is broken.
pub fn is_absent(reason: &str) -> bool {
    let program_not_found = reason.starts_with('`') && reason.ends_with("` not found");
    program_not_found || reason.contains(UNAVAILABLE)
}

/// Settings as the report prints them.
pub(crate) fn settings_text(settings: &Settings) -> BTreeMap<String, String> {
    settings
        .iter()
        .map(|(name, value)| (name.clone(), setting_text(value)))
        .collect()
}

/// The contender with one point of its sweep in place of its own settings.
pub(crate) fn tuned(plan: &ContenderPlan, point: usize) -> ContenderPlan {
    let mut tuned = plan.clone();
    if let Some(point) = plan.tune.get(point) {
        tuned.settings.extend(point.settings.clone());
        if let Some(command) = &point.command {
            tuned.command.clone_from(command);
        }
    }
    tuned
}

fn missing_requirement(plan: &ContenderPlan, stacks: &Stacks) -> Option<String> {
    if let Some(program) = plan
        .program
        .as_ref()
        .filter(|name| find_program(name).is_none())
    {
        return Some(format!("`{program}` not found"));
    }
    plan.requires
        .iter()
        .find_map(|distribution| stacks.missing(distribution))
}

fn values(plan: &ContenderPlan, port: u16, surroundings: &Surroundings<'_>) -> Values {
    let mut values = Values::default();
    values.set("python", surroundings.stacks.python.display());
    values.set("port", port);
    values.set("apps", surroundings.apps.display());
    values.set("work", surroundings.work.display());
    if let Some(origin) = &surroundings.origin {
        values.set("origin", origin);
    }
    if let Some(postgres) = &surroundings.postgres {
        values.set("postgres", postgres);
    }
    values.set_settings(&plan.settings);
    values
}

/// An id as a file name.
fn file_name(id: &str) -> String {
    id.replace([':', '/'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong() -> LabError {
        LabError::Answer {
            part: "flask".to_owned(),
            request: "/".to_owned(),
            found: "502".to_owned(),
        }
    }

    fn silent() -> LabError {
        LabError::NoAnswer {
            part: "flask".to_owned(),
            reason: "connection refused".to_owned(),
        }
    }

    #[test]
    fn a_silent_server_has_longer_than_one_that_answers_wrongly() {
        let mut patience = Patience::from_now();
        let asked = patience.asked;
        assert!(!patience.is_over(&silent(), asked + WRONG_LIMIT * 2));
        assert!(!patience.is_over(&wrong(), asked + WRONG_LIMIT * 2));
        assert!(!patience.is_over(&wrong(), asked + WRONG_LIMIT * 3));
        assert!(patience.is_over(&wrong(), asked + WRONG_LIMIT * 4));
        assert!(Patience::from_now().is_over(&silent(), asked + START_LIMIT * 2));
    }

    #[test]
    fn a_case_is_not_charged_for_the_one_before() {
        let mut first = Patience::from_now();
        assert!(!first.is_over(&wrong(), first.asked));
        let mut second = Patience::from_now();
        let late = second.asked + WRONG_LIMIT * 3;
        assert!(!second.is_over(&wrong(), late));
    }
}
