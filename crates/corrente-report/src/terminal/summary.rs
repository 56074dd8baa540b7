//! The summary of a run: conditions, one table of every claim, and what was not measured.
//!
//! It shows the overall verdicts only; [`super::detail`] has the cases. Invariant: every finding of
//! the result is one row of the table, in the order of the document.

use super::{Align, Cell, Paint, Table, Terminal};
use crate::catalogue::Message;
use crate::claim::{VERDICTS, sides};
use crate::result::{Finding, LabResult, Mode, Outcome, ScenarioResult};

impl Terminal {
    /// The whole summary.
    pub fn summary(&self, result: &LabResult) -> String {
        let mut text = self
            .heading(&self.text(Message::ReportTitle))
            .trim_start()
            .to_owned();
        text.push_str(&self.conditions(result));
        if result.scenarios.is_empty() {
            text.push('\n');
            text.push_str(&self.paragraph(&self.text(Message::ReportEmpty)));
            return text;
        }
        text.push('\n');
        text.push_str(&self.table(&self.claims(result)));
        text.push('\n');
        text.push_str(&self.paragraph(&self.tally(result)));
        text.push_str(&self.failures(result));
        text.push_str(&self.paragraph(&self.text(Message::NoteAbsolute)));
        text
    }

    /// Machine, versions and mode, and the warnings that go with them.
    fn conditions(&self, result: &LabResult) -> String {
        let machine = &result.machine;
        let mut parts = vec![
            machine.cpu.clone(),
            self.text(Message::FieldCores {
                cores: machine.cores as u64,
            }),
            self.catalogue().numbers().bytes(machine.memory_bytes),
            machine.kernel.clone(),
            format!("{} {}", self.text(Message::FieldPython), machine.python),
        ];
        if machine.virtualised {
            parts.insert(1, self.text(Message::FieldVirtual));
        }
        let postgres = self.text(Message::FieldPostgres);
        parts.extend(
            machine
                .postgres
                .iter()
                .map(|version| format!("{postgres} {version}")),
        );
        let mut text = self.paragraph(&parts.join(" · "));
        let mode = [
            self.catalogue()
                .labelled(Message::FieldMode, &self.text(result.mode)),
            self.catalogue()
                .labelled(Message::FieldSeed, &result.seed.to_string()),
            self.catalogue()
                .labelled(Message::FieldStarted, &result.started_at),
        ];
        text.push_str(&self.paragraph(&mode.join(" · ")));
        for note in self.notes(result) {
            text.push_str(&self.paragraph(&note));
        }
        text
    }

    fn notes(&self, result: &LabResult) -> Vec<String> {
        let mut notes = Vec::new();
        match result.mode {
            Mode::Smoke => notes.push(self.text(Message::NoteSmoke)),
            Mode::Quick => notes.push(self.text(Message::NoteQuick)),
            Mode::Full => {}
        }
        if result.finished_at.is_none() {
            notes.push(self.text(Message::ReportRunning));
        }
        notes
    }

    fn claims(&self, result: &LabResult) -> Table {
        let first = format!(
            "{}\n{}",
            self.text(Message::ColumnScenario),
            self.text(Message::ColumnClaim)
        );
        let mut table = Table::new([
            (first, Align::Left),
            (self.text(Message::ColumnPublished), Align::Right),
            (self.text(Message::ColumnMeasured), Align::Right),
            (self.text(Message::ColumnNaive), Align::Right),
            (self.text(Message::ColumnVerdict), Align::Left),
        ]);
        for scenario in &result.scenarios {
            table.push_gap();
            let mut name = vec![Cell::painted(&*scenario.name, Paint::Strong)];
            name.resize(5, Cell::default());
            if scenario.findings.is_empty() {
                name[4] = self.outcome_cell(scenario);
            }
            table.push(name);
            for finding in scenario.claims() {
                table.push(self.claim_row(finding));
            }
        }
        table
    }

    fn claim_row(&self, finding: &Finding) -> Vec<Cell> {
        let catalogue = self.catalogue();
        let claim = format!("{}\n{}", sides(finding), catalogue.terms(finding));
        vec![
            claim.into(),
            catalogue.published(finding.published).into(),
            catalogue.measured(finding).join("\n").into(),
            catalogue.naive(finding).into(),
            Cell::painted(catalogue.verdict(finding.verdict), finding.verdict),
        ]
    }

    fn outcome_cell(&self, scenario: &ScenarioResult) -> Cell {
        match scenario.outcome {
            Outcome::Measured => Cell::default(),
            Outcome::NotMeasured { .. } | Outcome::Failed { .. } => {
                Cell::painted(self.text(Message::VerdictNotMeasured), Paint::Faint)
            }
        }
    }

    /// How many claims got which verdict.
    fn tally(&self, result: &LabResult) -> String {
        let findings = || result.scenarios.iter().flat_map(ScenarioResult::claims);
        let counts = VERDICTS.into_iter().filter_map(|verdict| {
            let count = findings()
                .filter(|finding| finding.verdict == verdict)
                .count();
            let number = self.catalogue().numbers().integer(count as u64);
            let label = self.catalogue().verdict(verdict);
            let text = self.text(Message::Labelled {
                label: &label,
                value: &number,
            });
            // A mark must not part from its word at the end of a line.
            (count > 0).then(|| text.replace(' ', "\u{a0}"))
        });
        counts.collect::<Vec<_>>().join(" · ")
    }

    /// Scenarios without figures, contenders that took no part and measurements that are no results,
    /// each with its reason.
    fn failures(&self, result: &LabResult) -> String {
        let lines = |scenario: &ScenarioResult| {
            if let Some(reason) = self.outcome(&scenario.outcome) {
                return vec![format!("{}: {reason}", scenario.name)];
            }
            let invalid = self.catalogue().invalid_in(scenario);
            let invalid = invalid.map(|text| format!("{}: {text}", scenario.name));
            missing(scenario).into_iter().chain(invalid).collect()
        };
        let lines = result.scenarios.iter().flat_map(lines);
        lines.map(|line| self.item(&line)).collect()
    }

    /// Why a scenario has no figures.
    pub(super) fn outcome(&self, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Measured => None,
            Outcome::NotMeasured { reason } => {
                Some(self.text(Message::OutcomeNotMeasured { reason }))
            }
            Outcome::Failed { reason } => Some(self.text(Message::OutcomeFailed { reason })),
        }
    }
}

/// The contenders of a measured scenario that took no part in it.
fn missing(scenario: &ScenarioResult) -> Vec<String> {
    let contenders = scenario.contenders.iter();
    let reasons = contenders.filter_map(|contender| contender.missing.as_deref());
    reasons
        .map(|reason| format!("{}: {reason}", scenario.name))
        .collect()
}
