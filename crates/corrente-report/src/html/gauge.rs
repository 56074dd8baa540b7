//! The page of a gauge: the verdict with its reason, then the figures that it rests on.
//!
//! Says what the terminal says, in the same words, with bars for the endpoints' times and the curves
//! of the prediction. Invariant: the verdict comes first and is never without its reason; where
//! nothing was predicted the figures are there all the same.

use super::conditions::list;
use super::tabular::Tabular;
use super::{document, figure, footer, heading};
use crate::catalogue::{Catalogue, Message};
use crate::claim::SEPARATOR;
use crate::gauge::GaugeReport;
use crate::language::Language;
use crate::markup::{Element, element};
use crate::plot::{tail, throughput, times};
use crate::prediction::{EventLoop, Judgement, PredictionReport, Verdict};

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct GaugePage<'a> {
    /// What was recorded.
    pub figures: &'a GaugeReport,
    /// What is predicted from it; absent where there was no request.
    pub prediction: Option<&'a PredictionReport>,
    /// Version of Corrente.
    pub version: &'a str,
    /// Name and version of the recording's format.
    pub schema: &'a str,
}

/// A gauge as one self-contained page.
pub fn gauge_page(page: &GaugePage<'_>, language: Language) -> String {
    let catalogue = Catalogue::new(language);
    let title = page.prediction.map_or_else(
        || catalogue.text(Message::GaugeTitle),
        |report| catalogue.predicted_title(report),
    );
    let main = element("main")
        .child(service(&catalogue, page.figures))
        .children(endpoints(&catalogue, page.figures))
        .children(
            page.prediction
                .into_iter()
                .flat_map(|report| predicted(&catalogue, report)),
        )
        .children(doubts(&catalogue, page.figures));
    let body = element("body")
        .child(header(&catalogue, page, &title))
        .child(main)
        .child(footer(&catalogue, page.version, page.schema));
    document(language, &title, body)
}

/// Title, stacks, verdict and reason; of a loop, what holds it up.
fn header(catalogue: &Catalogue, page: &GaugePage<'_>, title: &str) -> Element {
    let header = element("header").child(element("h1").text(title));
    let Some(report) = page.prediction else {
        let empty = catalogue.text(Message::GaugeEmpty);
        return header.child(element("p").class("warning").text(empty));
    };
    let event_loop = report.event_loop.iter();
    header
        .children(
            catalogue
                .stacks(report)
                .map(|stacks| element("p").class("lead").text(stacks)),
        )
        .children(judgement(catalogue, &report.judgement))
        .children(event_loop.flat_map(|one| blockers(catalogue, one)))
}

fn judgement(catalogue: &Catalogue, judgement: &Judgement) -> [Element; 2] {
    let verdict = catalogue.text(judgement.verdict);
    let line = catalogue.text(Message::PredictVerdict { verdict: &verdict });
    let words = element("span")
        .class(format!("verdict {}", colour(judgement.verdict)))
        .text(line);
    [
        element("p").class("headline").child(words),
        element("p").text(catalogue.reason(&judgement.reason)),
    ]
}

/// The class that colours a verdict; the word says it, too.
const fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Migrate | Verdict::Tune => "confirmed",
        Verdict::Worse => "refuted",
        Verdict::NoGain => "absent",
        Verdict::CannotTell => "inconclusive",
    }
}

fn service(catalogue: &Catalogue, report: &GaugeReport) -> Element {
    let facts = [
        (Message::ColumnServer, catalogue.gauge_server(report)),
        (Message::ColumnRequests, catalogue.gauge_traffic(report)),
    ];
    let facts = facts.map(|(name, text)| (catalogue.text(name), text));
    element("section")
        .child(heading(catalogue, Message::PredictService))
        .child(list(facts.into()))
}

/// Bars, and both tables; nothing where no request was counted.
fn endpoints(catalogue: &Catalogue, report: &GaugeReport) -> Option<Element> {
    if report.endpoints.is_empty() {
        return None;
    }
    let title = catalogue.text(Message::GaugeTitle);
    let calls = catalogue.gauge_calls(report).map(|sheet| {
        let name = catalogue.text(Message::ColumnCalls);
        Tabular::of(&name, sheet).finish()
    });
    let stalls = catalogue.gauge_stalls(report).map(|sheet| {
        let name = catalogue.text(Message::ColumnStalls);
        Tabular::of(&name, sheet).finish()
    });
    let note = catalogue.gauge_read(report);
    let section = element("section")
        .child(element("h2").text(&*title))
        .children(times(catalogue, report).map(figure))
        .child(Tabular::of(&title, catalogue.gauge_endpoints(report)).finish())
        .children(calls)
        .children(stalls)
        .child(element("p").class("note").text(note));
    Some(section)
}

/// The sections of a prediction, those that have something to say.
fn predicted(catalogue: &Catalogue, report: &PredictionReport) -> Vec<Element> {
    let sections = [
        sides(catalogue, report),
        each(catalogue, report),
        assumed(catalogue, report),
    ];
    sections.into_iter().flatten().collect()
}

fn blockers(catalogue: &Catalogue, figures: &EventLoop) -> [Element; 2] {
    let blockers = figures.blockers.iter().map(|one| catalogue.blocker(one));
    [
        element("p").text(catalogue.loop_time(figures)),
        items(blockers),
    ]
}

/// The table of both sides, the gain beside the rule's, and the curves.
fn sides(catalogue: &Catalogue, report: &PredictionReport) -> Option<Element> {
    let sheet = catalogue.predicted_sides(report)?;
    let title = catalogue.text(Message::PredictSides);
    let gain = catalogue.predicted_gain(report).join(SEPARATOR);
    let gathered = catalogue.gathered(report);
    let curves = [throughput(catalogue, report), tail(catalogue, report)];
    let section = element("section")
        .child(element("h2").text(&*title))
        .child(Tabular::of(&title, sheet).finish())
        .child(element("p").text(gain))
        .children(gathered.map(|text| element("p").text(text)))
        .children(curves.into_iter().flatten().map(figure));
    Some(section)
}

/// The endpoints, each by itself, with the reasons of their verdicts.
fn each(catalogue: &Catalogue, report: &PredictionReport) -> Option<Element> {
    // The verdict stands second, where a telephone shows it without scrolling.
    let sheet = catalogue.predicted_endpoints(&report.endpoints)?;
    let sheet = sheet.ordered(&[0, 4, 2, 3, 1]);
    let title = catalogue.text(Message::PredictEach);
    let endpoints = report.endpoints.iter();
    let section = element("section")
        .child(element("h2").text(&*title))
        .child(Tabular::of(&title, sheet).finish())
        .child(items(endpoints.map(|one| catalogue.endpoint_reason(one))));
    Some(section)
}

fn assumed(catalogue: &Catalogue, report: &PredictionReport) -> Option<Element> {
    let assumptions = report.assumptions.iter();
    let texts: Vec<String> = assumptions.map(|one| catalogue.assumption(one)).collect();
    said(catalogue, Message::PredictAssumed, texts)
}

fn doubts(catalogue: &Catalogue, report: &GaugeReport) -> Option<Element> {
    said(catalogue, Message::GaugeDoubts, report.doubts.clone())
}

/// A list under its heading; nothing where there is nothing to say.
fn said(catalogue: &Catalogue, head: Message<'_>, texts: Vec<String>) -> Option<Element> {
    let section = element("section")
        .child(heading(catalogue, head))
        .child(items(texts.iter().cloned()));
    (!texts.is_empty()).then_some(section)
}

fn items(texts: impl Iterator<Item = String>) -> Element {
    let items = texts.map(|text| element("li").text(text));
    element("ul").class("texts").children(items)
}

#[cfg(test)]
mod tests;
