//! The top of the page: title, how many claims got which verdict, and all of them at a glance.
//!
//! Verdict and measured ratio stand second and third, where a telephone shows them without
//! scrolling. Invariant: every claim of the result is in the table and in the plot, whatever became
//! of it; what was measured once more without pinning is in the scenario's own section.

use super::tabular::{Kind, Tabular, plain, stacked};
use super::{anchor, figure, heading, verdict};
use crate::catalogue::{Catalogue, Message};
use crate::claim::{VERDICTS, sides};
use crate::markup::{Element, element};
use crate::plot::{Predictor, forest, prediction, rows_of_result};
use crate::result::{Finding, LabResult, Mode, Outcome, ScenarioResult};

/// Title, lead and warnings.
pub(super) fn header(catalogue: &Catalogue, result: &LabResult) -> Element {
    let findings: usize = result
        .scenarios
        .iter()
        .map(|scenario| scenario.claims().count())
        .sum();
    let lead = catalogue.text(Message::ReportLead {
        scenarios: result.scenarios.len() as u64,
        findings: findings as u64,
    });
    element("header")
        .child(element("h1").text(catalogue.text(Message::ReportTitle)))
        .child(element("p").class("lead").text(lead))
        .children(
            warnings(result)
                .map(|warning| element("p").class("warning").text(catalogue.text(warning))),
        )
        .child(tally(catalogue, result))
}

fn warnings(result: &LabResult) -> impl Iterator<Item = Message<'static>> {
    let mode = match result.mode {
        Mode::Smoke => Some(Message::NoteSmoke),
        Mode::Quick => Some(Message::NoteQuick),
        Mode::Full => None,
    };
    let running = result
        .finished_at
        .is_none()
        .then_some(Message::ReportRunning);
    let empty = result.scenarios.is_empty().then_some(Message::ReportEmpty);
    mode.into_iter().chain(running).chain(empty)
}

fn tally(catalogue: &Catalogue, result: &LabResult) -> Element {
    let findings = || result.scenarios.iter().flat_map(ScenarioResult::claims);
    let items = VERDICTS.into_iter().filter_map(|kind| {
        let count = findings().filter(|finding| finding.verdict == kind).count();
        let number = catalogue.numbers().integer(count as u64);
        let item = element("li")
            .child(element("b").text(number))
            .child(verdict(catalogue, kind));
        (count > 0).then_some(item)
    });
    element("ul").class("tally").children(items)
}

/// The table and the plots over the whole run.
pub(super) fn sections(catalogue: &Catalogue, result: &LabResult) -> Option<Element> {
    if result.scenarios.is_empty() {
        return None;
    }
    let rows = rows_of_result(catalogue, result);
    let section = element("section")
        .child(heading(catalogue, Message::HeadingSummary))
        .child(table(catalogue, result))
        .child(
            element("p")
                .class("note")
                .text(catalogue.text(Message::NoteAbsolute)),
        )
        .children(forest(catalogue, &rows).map(figure))
        .children(prediction(catalogue, result, Predictor::Naive).map(figure))
        .children(prediction(catalogue, result, Predictor::Model).map(figure));
    Some(section)
}

fn table(catalogue: &Catalogue, result: &LabResult) -> Element {
    let text = |message| catalogue.text(message);
    let mut table = Tabular::new(
        &text(Message::HeadingSummary),
        [
            (text(Message::ColumnClaim), Kind::Words),
            (text(Message::ColumnVerdict), Kind::Words),
            (text(Message::ColumnMeasured), Kind::Number),
            (text(Message::ColumnPublished), Kind::Number),
            (text(Message::ColumnNaive), Kind::Number),
        ],
    );
    for scenario in &result.scenarios {
        table.group(group(catalogue, scenario));
        for finding in scenario.claims() {
            table.row(row(catalogue, finding));
        }
    }
    table.finish()
}

/// The scenario's name and title, and why there are no figures where that is so, or which of them are
/// none.
fn group(catalogue: &Catalogue, scenario: &ScenarioResult) -> Element {
    let title = scenario.title.in_language(catalogue.language());
    let reason = outcome(catalogue, &scenario.outcome).or_else(|| catalogue.invalid_in(scenario));
    let link = element("a")
        .with("href", format!("#{}", anchor(&scenario.name)))
        .text(title);
    element("th")
        .class("group")
        .with("scope", "rowgroup")
        .child(link)
        .children(reason.map(|reason| element("small").text(reason)))
}

/// Why a scenario has no figures.
pub(super) fn outcome(catalogue: &Catalogue, outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Measured => None,
        Outcome::NotMeasured { reason } => {
            Some(catalogue.text(Message::OutcomeNotMeasured { reason }))
        }
        Outcome::Failed { reason } => Some(catalogue.text(Message::OutcomeFailed { reason })),
    }
}

fn row(catalogue: &Catalogue, finding: &Finding) -> [Element; 5] {
    let [estimate, ends] = catalogue.measured(finding);
    [
        stacked(sides(finding), catalogue.terms(finding)),
        verdict(catalogue, finding.verdict),
        stacked(estimate, ends),
        plain(catalogue.published(finding.published)),
        plain(catalogue.naive(finding)),
    ]
}
