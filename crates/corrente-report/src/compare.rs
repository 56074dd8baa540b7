//! Two runs side by side: which verdicts changed, how ratios and throughputs moved.
//!
//! [`Comparison`] holds what two results have in common, [`Terminal::comparison`] writes it down.
//! Invariant: a finding is the same in both where scenario, id and denominator agree; nothing is
//! compared across different cases, and what only one run has is named.

use crate::catalogue::Message;
use crate::claim::{extremes, sides};
use crate::number::ABSENT;
use crate::result::{Finding, LabResult, Machine, Measurement, ScenarioResult};
use crate::terminal::{Align, Cell, Paint, Table, Terminal};

/// What two runs have in common.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// Findings of both runs.
    pub findings: Vec<FindingPair<'a>>,
    /// Measurements of both runs.
    pub measurements: Vec<MeasurementPair<'a>>,
    /// Scenarios and findings that only the first run has.
    pub only_first: Vec<String>,
    /// Scenarios and findings that only the second run has.
    pub only_second: Vec<String>,
}

/// One finding in both runs.
#[derive(Debug)]
pub struct FindingPair<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// The finding in the first run.
    pub first: &'a Finding,
    /// The finding in the second run.
    pub second: &'a Finding,
}

impl FindingPair<'_> {
    /// Whether the verdict is another one.
    pub fn is_changed(&self) -> bool {
        self.first.verdict != self.second.verdict
    }

    /// Second over first estimate: the least and the largest over the cases of both runs.
    pub fn change(&self) -> Option<(f64, f64)> {
        let changes = self.first.points.iter().filter_map(|point| {
            let other = self
                .second
                .points
                .iter()
                .find(|other| other.case == point.case)?;
            Some(other.measured?.estimate / point.measured?.estimate)
        });
        extremes(changes)
    }
}

/// One contender in one case in both runs.
#[derive(Debug)]
pub struct MeasurementPair<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// What the case is called in the first run.
    pub case: &'a str,
    /// The measurement in the first run.
    pub first: &'a Measurement,
    /// The measurement in the second run.
    pub second: &'a Measurement,
}

impl MeasurementPair<'_> {
    /// Second over first throughput.
    pub fn change(&self) -> f64 {
        self.second.throughput_per_s / self.first.throughput_per_s
    }
}

impl<'a> Comparison<'a> {
    /// Finds what two runs have in common.
    pub fn new(first: &'a LabResult, second: &'a LabResult) -> Self {
        let mut comparison = Self {
            findings: Vec::new(),
            measurements: Vec::new(),
            only_first: Vec::new(),
            only_second: Vec::new(),
        };
        for scenario in &first.scenarios {
            match second
                .scenarios
                .iter()
                .find(|other| other.name == scenario.name)
            {
                Some(other) => comparison.add(scenario, other),
                None => comparison.only_first.push(scenario.name.clone()),
            }
        }
        for scenario in &second.scenarios {
            if !first
                .scenarios
                .iter()
                .any(|other| other.name == scenario.name)
            {
                comparison.only_second.push(scenario.name.clone());
            }
        }
        comparison
    }

    fn add(&mut self, first: &'a ScenarioResult, second: &'a ScenarioResult) {
        let scenario = first.name.as_str();
        let named = |finding: &Finding| format!("{scenario}: {} ({})", finding.id, sides(finding));
        for finding in &first.findings {
            match second.findings.iter().find(|other| is_same(finding, other)) {
                Some(second) => {
                    self.findings.push(FindingPair {
                        scenario,
                        first: finding,
                        second,
                    });
                }
                None => self.only_first.push(named(finding)),
            }
        }
        for finding in &second.findings {
            if !first.findings.iter().any(|other| is_same(finding, other)) {
                self.only_second.push(named(finding));
            }
        }
        for measurement in &first.measurements {
            let is_same = |other: &&Measurement| {
                other.contender == measurement.contender && other.case == measurement.case
            };
            if let Some(second) = second.measurements.iter().find(is_same) {
                let case = measurement.case.as_str();
                self.measurements.push(MeasurementPair {
                    scenario,
                    case,
                    first: measurement,
                    second,
                });
            }
        }
    }
}

fn is_same(first: &Finding, second: &Finding) -> bool {
    first.id == second.id && first.of == second.of && first.over == second.over
}

impl Terminal {
    /// The comparison of two runs, A and B.
    pub fn comparison(&self, first: &LabResult, second: &LabResult) -> String {
        let comparison = Comparison::new(first, second);
        let mut text = self
            .heading(&self.text(Message::CompareTitle))
            .trim_start()
            .to_owned();
        text.push_str(&self.paragraph(&self.text(Message::CompareRuns {
            first: &first.started_at,
            second: &second.started_at,
        })));
        text.push_str(&self.circumstances(first, second));
        if comparison.findings.is_empty() && comparison.measurements.is_empty() {
            text.push_str(&self.paragraph(&self.text(Message::CompareNothing)));
        }
        text.push_str(&self.verdicts(&comparison));
        text.push_str(&self.throughputs(&comparison, first));
        text.push_str(&self.leftovers(&comparison));
        text
    }

    /// What was not the same: with it, differences need not come from the software.
    fn circumstances(&self, first: &LabResult, second: &LabResult) -> String {
        let mut text = String::new();
        let (ours, theirs) = (self.machine(&first.machine), self.machine(&second.machine));
        let machine = self.differences(&ours, &theirs);
        if !machine.is_empty() {
            text.push_str(&self.paragraph(&self.text(Message::CompareMachines)));
            text.push_str(&machine);
        }
        let (ours, theirs) = (self.programs(first), self.programs(second));
        let programs = self.differences(&ours, &theirs);
        if !programs.is_empty() {
            text.push_str(&self.paragraph(&self.text(Message::CompareVersions)));
            text.push_str(&programs);
        }
        if first.mode != second.mode {
            let mode = self.text(Message::FieldMode);
            let (ours, theirs) = (self.text(first.mode), self.text(second.mode));
            text.push_str(&self.paragraph(&self.text(Message::CompareModes)));
            text.push_str(&self.differences(&[(mode.clone(), ours)], &[(mode, theirs)]));
        }
        text
    }

    fn machine(&self, machine: &Machine) -> Vec<(String, String)> {
        let cores = self.text(Message::FieldCores {
            cores: machine.cores as u64,
        });
        let memory = self.catalogue().numbers().bytes(machine.memory_bytes);
        vec![
            (
                self.text(Message::FieldProcessor),
                format!("{}, {cores}", machine.cpu),
            ),
            (self.text(Message::FieldMemory), memory),
            (self.text(Message::FieldKernel), machine.kernel.clone()),
        ]
    }

    fn programs(&self, result: &LabResult) -> Vec<(String, String)> {
        let postgres = result
            .machine
            .postgres
            .clone()
            .unwrap_or_else(|| ABSENT.to_owned());
        vec![
            ("Corrente".to_owned(), result.corrente_version.clone()),
            (
                self.text(Message::FieldPython),
                result.machine.python.clone(),
            ),
            (self.text(Message::FieldPostgres), postgres),
        ]
    }

    fn differences(&self, first: &[(String, String)], second: &[(String, String)]) -> String {
        let differing = first
            .iter()
            .zip(second)
            .filter(|(first, second)| first != second);
        differing
            .map(|((field, first), (_, second))| {
                self.item(&self.text(Message::CompareField {
                    field,
                    first,
                    second,
                }))
            })
            .collect()
    }

    fn verdicts(&self, comparison: &Comparison<'_>) -> String {
        if comparison.findings.is_empty() {
            return String::new();
        }
        let mut table = Table::new([
            (self.text(Message::ColumnClaim), Align::Left),
            (
                format!("{} A", self.text(Message::ColumnMeasured)),
                Align::Right,
            ),
            (
                format!("{} B", self.text(Message::ColumnMeasured)),
                Align::Right,
            ),
            (self.text(Message::CompareRatioHead), Align::Right),
            (self.text(Message::ColumnVerdict), Align::Left),
        ]);
        let mut scenario = "";
        for pair in &comparison.findings {
            if pair.scenario != scenario {
                scenario = pair.scenario;
                push_name(&mut table, scenario, 5);
            }
            table.push(self.finding_row(pair));
        }
        let changed = comparison
            .findings
            .iter()
            .filter(|pair| pair.is_changed())
            .count() as u64;
        let count = comparison.findings.len() as u64;
        let verdicts = self.text(Message::CompareVerdicts { changed, count });
        let mut text = self.heading(&self.text(Message::CompareFindings));
        text.push_str(&self.table(&table));
        text.push('\n');
        text.push_str(&self.paragraph(&verdicts));
        text
    }

    fn finding_row(&self, pair: &FindingPair<'_>) -> Vec<Cell> {
        let catalogue = self.catalogue();
        let change = pair.change().map_or_else(
            || ABSENT.to_owned(),
            |(low, high)| catalogue.numbers().ratio_range(low, high),
        );
        let verdict = if pair.is_changed() {
            let (first, second) = (pair.first.verdict, pair.second.verdict);
            format!(
                "{}\n→ {}",
                catalogue.verdict(first),
                catalogue.verdict(second)
            )
        } else {
            catalogue.verdict(pair.second.verdict)
        };
        vec![
            format!("{}\n{}", sides(pair.first), catalogue.terms(pair.first)).into(),
            catalogue.measured(pair.first).join("\n").into(),
            catalogue.measured(pair.second).join("\n").into(),
            change.into(),
            Cell::painted(verdict, pair.second.verdict),
        ]
    }

    fn throughputs(&self, comparison: &Comparison<'_>, first: &LabResult) -> String {
        if comparison.measurements.is_empty() {
            return String::new();
        }
        let rate = self.text(Message::ColumnRate);
        let mut table = Table::new([
            (self.text(Message::ColumnContender), Align::Left),
            (format!("{rate} A"), Align::Right),
            (format!("{rate} B"), Align::Right),
            (self.text(Message::CompareRatioHead), Align::Right),
        ]);
        let mut place = ("", "");
        for pair in &comparison.measurements {
            if (pair.scenario, pair.case) != place {
                place = (pair.scenario, pair.case);
                let scenario = first.scenarios.iter().find(|one| one.name == pair.scenario);
                let case = scenario.map(|one| self.catalogue().case_of(one, pair.case));
                let name = format!("{}\n{}", pair.scenario, case.unwrap_or_default());
                push_name(&mut table, &name, 4);
            }
            table.push(self.throughput_row(pair));
        }
        let mut text = self.heading(&self.text(Message::CompareThroughputs));
        text.push_str(&self.table(&table));
        if comparison.measurements.iter().any(is_marked) {
            text.push('\n');
            text.push_str(&self.paragraph(&self.text(Message::NoteInvalid)));
        }
        text
    }

    fn throughput_row(&self, pair: &MeasurementPair<'_>) -> Vec<Cell> {
        let numbers = self.catalogue().numbers();
        let name = if is_marked(pair) {
            Cell::painted(format!("! {}", pair.first.contender), Paint::Unsure)
        } else {
            pair.first.contender.as_str().into()
        };
        vec![
            name,
            numbers.quantity(pair.first.throughput_per_s).into(),
            numbers.quantity(pair.second.throughput_per_s).into(),
            numbers.ratio(pair.change()).into(),
        ]
    }

    fn leftovers(&self, comparison: &Comparison<'_>) -> String {
        let first = comparison
            .only_first
            .iter()
            .map(|name| Message::CompareOnlyFirst { name });
        let second = comparison
            .only_second
            .iter()
            .map(|name| Message::CompareOnlySecond { name });
        let lines: String = first
            .chain(second)
            .map(|message| self.item(&self.text(message)))
            .collect();
        if lines.is_empty() {
            lines
        } else {
            format!("\n{lines}")
        }
    }
}

/// A row that only names the group below it.
fn push_name(table: &mut Table, name: &str, columns: usize) {
    table.push_gap();
    let mut row = vec![Cell::painted(name, Paint::Strong)];
    row.resize(columns, Cell::default());
    table.push(row);
}

/// Whether either side is no result.
fn is_marked(pair: &MeasurementPair<'_>) -> bool {
    pair.first.invalid.is_some() || pair.second.invalid.is_some()
}

#[cfg(test)]
mod tests;
