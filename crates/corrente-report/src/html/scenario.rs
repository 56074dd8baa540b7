//! One scenario on the page: claims case by case, remarks, plots, and the figures behind them.
//!
//! Invariant: a scenario without figures still has its section, with the reason in its place, so
//! that every link of the summary leads somewhere.

use super::conditions::{Facts, list};
use super::measurements;
use super::summary::outcome;
use super::tabular::{Kind, Tabular, plain, stacked, under};
use super::{anchor, figure, verdict};
use crate::catalogue::{Catalogue, Message};
use crate::claim::{processors, sides};
use crate::markup::{Element, element};
use crate::plot::{Figure, Loop, factors, forest, latency, region, rows_of_points, users};
use crate::result::{Finding, FindingPoint, LabResult, Outcome, ScenarioResult, Text};

/// Plots beyond this wait behind a summary line.
const OPEN_LATENCIES: usize = 2;

/// The section of a scenario.
pub(super) fn section(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    result: &LabResult,
) -> Element {
    let title = scenario.title.in_language(catalogue.language());
    let name = element("code").text(&*scenario.name);
    let reason = outcome(catalogue, &scenario.outcome)
        .map(|reason| element("p").class("warning fault").text(reason));
    element("section")
        .class("scenario")
        .with("id", anchor(&scenario.name))
        .child(element("h2").child(name).text(title))
        .child(source(catalogue, scenario))
        .children(reason)
        .children(findings(catalogue, scenario))
        .children(texts(catalogue, Message::HeadingRemarks, &scenario.remarks))
        .children(texts(
            catalogue,
            Message::HeadingDifferences,
            &scenario.differences,
        ))
        .children(plots(catalogue, scenario))
        .children(measurements::details(catalogue, scenario, &result.prices))
        .children(setting(catalogue, scenario))
}

/// Links to the original. Only web addresses become links; anything else stays text.
fn source(catalogue: &Catalogue, scenario: &ScenarioResult) -> Element {
    let mut paragraph = element("p")
        .class("source")
        .text(catalogue.text(Message::HeadingSource));
    for address in &scenario.source {
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        let name = if is_web {
            element("a")
                .with("href", &**address)
                .with("rel", "noreferrer")
        } else {
            element("span")
        };
        paragraph = paragraph.text(" · ").child(name.text(&**address));
    }
    paragraph
}

fn texts(catalogue: &Catalogue, head: Message<'_>, texts: &[Text]) -> Vec<Element> {
    if texts.is_empty() {
        return Vec::new();
    }
    let language = catalogue.language();
    let items = texts
        .iter()
        .map(|text| element("li").text(text.in_language(language)));
    vec![
        element("h3").text(catalogue.text(head)),
        element("ul").class("texts").children(items),
    ]
}

fn findings(catalogue: &Catalogue, scenario: &ScenarioResult) -> Option<Element> {
    if scenario.findings.is_empty() {
        return None;
    }
    let text = |message| catalogue.text(message);
    let mut table = Tabular::new(
        &text(Message::HeadingFindings),
        [
            (text(Message::ColumnClaim), Kind::Words),
            (text(Message::ColumnVerdict), Kind::Words),
            (text(Message::ColumnMeasured), Kind::Number),
            (text(Message::ColumnPublished), Kind::Number),
            (text(Message::ColumnNaive), Kind::Number),
        ],
    );
    for finding in &scenario.findings {
        push_finding(&mut table, catalogue, scenario, finding);
    }
    Some(table.finish())
}

/// A claim with one case takes one row; several cases stand under their claim.
fn push_finding(
    table: &mut Tabular,
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    finding: &Finding,
) {
    let case = |point: &FindingPoint| catalogue.case_of(scenario, &point.case);
    let claim = |under: String| stacked(sides(finding), under);
    let published = plain(catalogue.published(finding.published));
    let [estimate, ends] = catalogue.measured(finding);
    let (below, foretold_of_all) = match finding.points.as_slice() {
        [only] => {
            let below = format!("{} · {}", catalogue.terms(finding), case(only));
            (below, foretold(catalogue, only))
        }
        _ => (catalogue.terms(finding), plain(catalogue.naive(finding))),
    };
    table.row([
        claim(below),
        verdict(catalogue, finding.verdict),
        stacked(estimate, ends),
        published,
        foretold_of_all,
    ]);
    if finding.points.len() > 1 {
        for point in &finding.points {
            table.row([
                under(case(point)),
                verdict(catalogue, point.verdict),
                plain(catalogue.interval(point.measured)),
                plain(""),
                foretold(catalogue, point),
            ]);
        }
    }
}

/// The naive rule's ratio, and the model's under it.
fn foretold(catalogue: &Catalogue, point: &FindingPoint) -> Element {
    let (naive, lines) = catalogue.foretold(point);
    lines
        .into_iter()
        .fold(stacked(naive, ""), |cell, line| cell.child(under(line)))
}

fn plots(catalogue: &Catalogue, scenario: &ScenarioResult) -> Vec<Element> {
    let mut figures: Vec<Figure> = Vec::new();
    if scenario
        .findings
        .iter()
        .any(|finding| finding.points.len() > 1)
    {
        figures.extend(forest(catalogue, &rows_of_points(catalogue, scenario)));
    }
    let regions = scenario
        .findings
        .iter()
        .filter_map(|one| region(catalogue, scenario, one));
    figures.extend(regions);
    figures.extend(users(catalogue, scenario));
    figures.extend(factors(catalogue, scenario));
    let mut latencies = latencies(catalogue, scenario);
    let rest = latencies.split_off(latencies.len().min(OPEN_LATENCIES));
    figures.extend(latencies);
    say_once(&mut figures);
    let mut elements: Vec<Element> = figures.into_iter().map(figure).collect();
    if !rest.is_empty() {
        let head = catalogue.text(Message::HeadingPlots);
        let summary = format!(
            "{head} ({})",
            catalogue.numbers().integer(rest.len() as u64)
        );
        let details = element("details").child(element("summary").text(summary));
        let mut rest = rest;
        say_once(&mut rest);
        elements.push(details.children(rest.into_iter().map(figure)));
    }
    elements
}

/// Leaves an explanation out where the plot above it has the same one; the picture keeps it.
fn say_once(figures: &mut [Figure]) {
    let mut earlier = String::new();
    for figure in figures {
        if figure.about == earlier {
            figure.about.clear();
        } else {
            earlier.clone_from(&figure.about);
        }
    }
}

/// Latency plots, those at equal rates first: they are the fair ones.
fn latencies(catalogue: &Catalogue, scenario: &ScenarioResult) -> Vec<Figure> {
    let of = |kind| {
        scenario
            .cases
            .iter()
            .filter_map(move |case| latency(catalogue, scenario, case, kind))
    };
    of(Loop::Open).chain(of(Loop::Closed)).collect()
}

/// Processors, versions and time of a scenario that ran.
fn setting(catalogue: &Catalogue, scenario: &ScenarioResult) -> Option<Element> {
    if scenario.outcome != Outcome::Measured {
        return None;
    }
    let placement = &scenario.placement;
    let placed = if placement.application.is_empty() {
        catalogue.text(Message::FieldNotPinned)
    } else {
        catalogue.text(Message::FieldPlacementText {
            application: &processors(&placement.application),
            others: &processors(&placement.others),
        })
    };
    let mut facts: Facts = vec![(catalogue.text(Message::FieldPlacement), placed)];
    let speed = catalogue.speed(scenario);
    facts.extend(speed.map(|speed| (catalogue.text(Message::FieldSpeed), speed)));
    if !scenario.versions.is_empty() {
        let versions = scenario
            .versions
            .iter()
            .map(|(name, version)| format!("{name} {version}"));
        facts.push((
            catalogue.text(Message::FieldVersions),
            catalogue.joined(versions),
        ));
    }
    let elapsed = catalogue.numbers().duration(scenario.elapsed_s);
    facts.push((catalogue.text(Message::FieldElapsed), elapsed));
    Some(list(facts))
}
