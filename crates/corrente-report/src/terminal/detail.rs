//! One scenario in full: claims case by case, contenders, every measurement, tuning, factors.
//!
//! The companion of [`super::summary`] for the reader who asks what is behind a verdict.
//! Invariant: a measurement that is no result carries its mark in the contender's column and its
//! reason under the table.

use super::{Align, Cell, Paint, Table, Terminal};
use crate::catalogue::Message;
use crate::claim::{pairs, processors, sides, stack};
use crate::number::ABSENT;
use crate::result::{
    Case, Contender, Finding, Measurement, Prices, ScenarioResult, Sweep, SweepPoint,
};

impl Terminal {
    /// Everything that was measured in one scenario.
    pub fn detail(&self, scenario: &ScenarioResult, prices: &Prices) -> String {
        let language = self.catalogue().language();
        let title = scenario.title.in_language(language);
        let mut text = self
            .heading(&format!("{}: {title}", scenario.name))
            .trim_start()
            .to_owned();
        for source in &scenario.source {
            text.push_str(&self.paragraph(source));
        }
        if let Some(reason) = self.outcome(&scenario.outcome) {
            text.push_str(&self.paragraph(&reason));
        }
        text.push_str(
            &self.items(
                Message::HeadingRemarks,
                scenario
                    .remarks
                    .iter()
                    .map(|remark| remark.in_language(language)),
            ),
        );
        text.push_str(
            &self.items(
                Message::HeadingDifferences,
                scenario
                    .differences
                    .iter()
                    .map(|one| one.in_language(language)),
            ),
        );
        text.push_str(&self.findings(scenario));
        text.push_str(&self.contenders(scenario));
        for case in &scenario.cases {
            text.push_str(&self.measurements(scenario, case, prices));
        }
        text.push_str(&self.factors(scenario));
        for sweep in &scenario.sweeps {
            text.push_str(&self.sweep(scenario, sweep));
        }
        text.push_str(&self.setting(scenario));
        text
    }

    fn items<'a>(&self, head: Message<'_>, items: impl Iterator<Item = &'a str>) -> String {
        let items: String = items.map(|item| self.item(item)).collect();
        if items.is_empty() {
            items
        } else {
            self.heading(&self.text(head)) + &items
        }
    }

    /// A heading and a table; nothing where the table has no row.
    fn section(&self, head: &str, table: &Table) -> String {
        if table.is_empty() {
            String::new()
        } else {
            self.heading(head) + &self.table(table)
        }
    }

    fn findings(&self, scenario: &ScenarioResult) -> String {
        let mut table = Table::new([
            (
                format!(
                    "{}\n{}",
                    self.text(Message::ColumnClaim),
                    self.text(Message::ColumnCase)
                ),
                Align::Left,
            ),
            (self.text(Message::ColumnPublished), Align::Right),
            (self.text(Message::ColumnMeasured), Align::Right),
            (self.text(Message::ColumnNaive), Align::Right),
            (self.text(Message::ColumnVerdict), Align::Left),
        ]);
        for finding in &scenario.findings {
            table.push_gap();
            self.push_finding(&mut table, scenario, finding);
        }
        self.section(&self.text(Message::HeadingFindings), &table)
    }

    fn push_finding(&self, table: &mut Table, scenario: &ScenarioResult, finding: &Finding) {
        let catalogue = self.catalogue();
        let numbers = catalogue.numbers();
        let claim = format!("{}\n{}", sides(finding), catalogue.terms(finding));
        table.push(vec![
            Cell::painted(claim, Paint::Strong),
            catalogue.published(finding.published).into(),
            Cell::default(),
            Cell::default(),
            Cell::painted(catalogue.verdict(finding.verdict), finding.verdict),
        ]);
        for point in &finding.points {
            let measured = point.measured.map_or_else(
                || ABSENT.to_owned(),
                |interval| {
                    let ends = numbers.interval(interval.low, interval.high);
                    format!("{}\n{ends}", numbers.ratio(interval.estimate))
                },
            );
            let (naive, lines) = catalogue.foretold(point);
            let mut foretold = [vec![naive], lines].concat();
            foretold.retain(|line| !line.is_empty());
            table.push(vec![
                catalogue.case_of(scenario, &point.case).into(),
                Cell::default(),
                measured.into(),
                foretold.join("\n").into(),
                Cell::painted(catalogue.verdict(point.verdict), point.verdict),
            ]);
        }
    }

    fn contenders(&self, scenario: &ScenarioResult) -> String {
        let mut table = Table::new([
            (self.text(Message::ColumnContender), Align::Left),
            (self.text(Message::ColumnSide), Align::Left),
        ]);
        for contender in &scenario.contenders {
            let description = self.describe(contender);
            table.push(vec![
                Cell::painted(&*contender.id, Paint::Strong),
                self.text(contender.side).into(),
            ]);
            table.push(vec![description.into(), Cell::default()]);
        }
        self.section(&self.text(Message::HeadingContenders), &table)
    }

    fn describe(&self, contender: &Contender) -> String {
        let mut parts = vec![stack(contender), pairs(&contender.settings)];
        if let Some(reason) = &contender.missing {
            parts.push(self.text(Message::ContenderMissing { reason }));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    fn measurements(&self, scenario: &ScenarioResult, case: &Case, prices: &Prices) -> String {
        let of_case: Vec<&Measurement> = scenario
            .measurements
            .iter()
            .filter(|one| one.case == case.id)
            .collect();
        if of_case.is_empty() {
            return String::new();
        }
        let mut text = self.heading(&self.catalogue().case(case));
        text.push_str(&self.table(&self.speeds(&of_case)));
        text.push('\n');
        text.push_str(&self.table(&self.means(&of_case, prices)));
        for one in of_case {
            let further = self.catalogue().further(one);
            if !further.is_empty() {
                text.push_str(&self.item(&format!("{}: {further}", one.contender)));
            }
            if let Some(reason) = one.invalid {
                text.push_str(&self.item(&format!("! {}: {}", one.contender, self.text(reason))));
            }
        }
        text
    }

    /// What the users see: rate and latency, in the closed loop and at equal rates.
    fn speeds(&self, measurements: &[&Measurement]) -> Table {
        let mut table = Table::new([
            (
                format!(
                    "{}\n{}",
                    self.text(Message::ColumnContender),
                    self.text(Message::ColumnLatency)
                ),
                Align::Left,
            ),
            (self.text(Message::ColumnRate), Align::Right),
            ("P50".to_owned(), Align::Right),
            ("P90".to_owned(), Align::Right),
            ("P99".to_owned(), Align::Right),
            ("P99.9".to_owned(), Align::Right),
            (self.text(Message::ColumnMaximum), Align::Right),
        ]);
        for one in measurements {
            let rate = self.catalogue().numbers().quantity(one.throughput_per_s);
            let mut row: Vec<Cell> = vec![marked(one), rate.into()];
            row.extend(self.percentiles(one.latency.as_ref()));
            table.push(row);
            if let Some(open) = &one.open_loop {
                let rate = self.catalogue().numbers().quantity(open.completed_per_s);
                let asked = self.catalogue().numbers().quantity(open.rate_per_s);
                let name = format!("  {}", self.text(Message::AtRate { rate: &asked }));
                let mut row: Vec<Cell> = vec![Cell::painted(name, Paint::Faint), rate.into()];
                row.extend(self.percentiles(Some(&open.latency)));
                table.push(row);
            }
        }
        table
    }

    fn percentiles(&self, latency: Option<&crate::result::Latency>) -> Vec<Cell> {
        let percentiles = latency.map_or([None; 5], |latency| {
            let (median, largest) = (Some(latency.p50_ms), Some(latency.max_ms));
            [
                median,
                latency.p90_ms,
                latency.p99_ms,
                latency.p999_ms,
                largest,
            ]
        });
        percentiles
            .into_iter()
            .map(|value| self.catalogue().milliseconds(value).into())
            .collect()
    }

    /// What the operator pays: errors, processor, memory, money.
    fn means(&self, measurements: &[&Measurement], prices: &Prices) -> Table {
        let catalogue = self.catalogue();
        let numbers = catalogue.numbers();
        let mut table = Table::new([
            (self.text(Message::ColumnContender), Align::Left),
            (self.text(Message::ColumnErrors), Align::Right),
            (self.text(Message::ColumnCpu), Align::Right),
            (self.text(Message::ColumnMemory), Align::Right),
            (
                self.text(Message::ColumnCost {
                    currency: &prices.currency,
                }),
                Align::Right,
            ),
        ]);
        for one in measurements {
            table.push(vec![
                marked(one),
                catalogue.errors(&one.errors).replace(", ", "\n").into(),
                numbers.quantity(one.cpu_s_per_1000).into(),
                numbers.bytes(one.peak_pss_bytes).into(),
                numbers.quantity(one.cost_per_million).into(),
            ]);
        }
        table
    }

    fn factors(&self, scenario: &ScenarioResult) -> String {
        let catalogue = self.catalogue();
        let mut table = Table::new([
            (
                format!(
                    "{}\n{}",
                    self.text(Message::ColumnFactor),
                    self.text(Message::ColumnStep)
                ),
                Align::Left,
            ),
            (self.text(Message::ColumnRatio), Align::Right),
            (self.text(Message::ColumnShare), Align::Right),
        ]);
        for step in &scenario.factors {
            let share = step.share.map_or_else(
                || ABSENT.to_owned(),
                |share| catalogue.numbers().percent(share),
            );
            let name = format!("{}\n{} → {}", self.text(step.factor), step.from, step.to);
            table.push(vec![
                name.into(),
                catalogue.interval(step.ratio).into(),
                share.into(),
            ]);
        }
        self.section(&self.text(Message::HeadingFactors), &table)
    }

    fn sweep(&self, scenario: &ScenarioResult, sweep: &Sweep) -> String {
        let case = self.catalogue().case_of(scenario, &sweep.case);
        let mut table = Table::new([
            (
                self.text(Message::SweepOf {
                    contender: &sweep.contender,
                    case: &case,
                }),
                Align::Left,
            ),
            (self.text(Message::ColumnRate), Align::Right),
            (String::new(), Align::Left),
        ]);
        for point in &sweep.tried {
            table.push(self.sweep_row(point));
        }
        self.section(&self.text(Message::HeadingSweep), &table)
    }

    fn sweep_row(&self, point: &SweepPoint) -> Vec<Cell> {
        let note = match (point.best, point.throughput_per_s) {
            (true, _) => Cell::painted(self.text(Message::SweepBest), Paint::Good),
            (false, None) => Cell::painted(self.text(Message::SweepFailed), Paint::Bad),
            (false, Some(_)) => Cell::default(),
        };
        let rate = self.catalogue().milliseconds(point.throughput_per_s);
        vec![pairs(&point.settings).into(), rate.into(), note]
    }

    fn setting(&self, scenario: &ScenarioResult) -> String {
        let mut text = "\n".to_owned();
        let placement = &scenario.placement;
        let placed = if placement.application.is_empty() {
            self.text(Message::FieldNotPinned)
        } else {
            self.text(Message::FieldPlacementText {
                application: &processors(&placement.application),
                others: &processors(&placement.others),
            })
        };
        text.push_str(
            &self.paragraph(&self.catalogue().labelled(Message::FieldPlacement, &placed)),
        );
        if let Some(speed) = self.catalogue().speed(scenario) {
            text.push_str(&self.paragraph(&self.catalogue().labelled(Message::FieldSpeed, &speed)));
        }
        if !scenario.versions.is_empty() {
            let versions: Vec<String> = scenario
                .versions
                .iter()
                .map(|(name, version)| format!("{name} {version}"))
                .collect();
            let versions = self
                .catalogue()
                .labelled(Message::FieldVersions, &self.catalogue().joined(versions));
            text.push_str(&self.paragraph(&versions));
        }
        text
    }
}

/// The contender's name, marked where the measurement is no result.
fn marked(measurement: &Measurement) -> Cell {
    match measurement.invalid {
        Some(_) => Cell::painted(format!("! {}", measurement.contender), Paint::Unsure),
        None => measurement.contender.as_str().into(),
    }
}
