//! The figures behind a scenario's verdicts, folded away: contenders, measurements, tuning, factors.
//!
//! These are absolute figures of one machine and say so. Invariant: what is no result carries its
//! mark and its reason in the same row as its figures.

use std::collections::BTreeMap;

use super::tabular::{Kind, Tabular, plain, stacked};
use crate::catalogue::{Catalogue, Message};
use crate::claim::pairs;
use crate::markup::{Element, element};
use crate::number::ABSENT;
use crate::result::{
    Case, Contender, FactorStep, Latency, Measurement, Prices, ScenarioResult, Sweep, SweepPoint,
};

/// Everything that can be folded out; empty where nothing was measured.
pub(super) fn details(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    prices: &Prices,
) -> Vec<Element> {
    let mut details = Vec::new();
    if !scenario.contenders.is_empty() {
        let table = contenders(catalogue, &scenario.contenders);
        details.push(fold(catalogue, Message::HeadingContenders, vec![table]));
    }
    if !scenario.measurements.is_empty() {
        let absolute = catalogue.text(Message::NoteAbsolute);
        let mut parts = vec![element("p").class("note").text(absolute)];
        for case in &scenario.cases {
            parts.extend(measurements(catalogue, scenario, case, prices));
        }
        details.push(fold(catalogue, Message::HeadingMeasurements, parts));
    }
    if !scenario.sweeps.is_empty() {
        let sweeps = scenario
            .sweeps
            .iter()
            .map(|one| sweep(catalogue, scenario, one))
            .collect();
        details.push(fold(catalogue, Message::HeadingSweep, sweeps));
    }
    if !scenario.factors.is_empty() {
        let table = factors(catalogue, scenario);
        details.push(fold(catalogue, Message::HeadingFactors, vec![table]));
    }
    details
}

fn fold(catalogue: &Catalogue, head: Message<'_>, parts: Vec<Element>) -> Element {
    let summary = element("summary").text(catalogue.text(head));
    element("details").child(summary).children(parts)
}

fn contenders(catalogue: &Catalogue, contenders: &[Contender]) -> Element {
    let text = |message| catalogue.text(message);
    let heads = [
        Message::ColumnContender,
        Message::ColumnSide,
        Message::ColumnServer,
        Message::ColumnFramework,
        Message::ColumnDriver,
        Message::ColumnConcurrency,
        Message::ColumnSettings,
    ];
    let heads = heads.map(|head| (text(head), Kind::Words));
    let mut table = Tabular::new(&text(Message::HeadingContenders), heads);
    for contender in contenders {
        let missing = contender.missing.as_deref();
        let missing = missing.map(|reason| text(Message::ContenderMissing { reason }));
        let stack = &contender.stack;
        table.row([
            stacked(&*contender.id, missing.unwrap_or_default()),
            plain(catalogue.text(contender.side)),
            plain(&*stack.server),
            plain(&*stack.framework),
            plain(&*stack.driver),
            plain(&*stack.concurrency),
            plain(pairs(&contender.settings)),
        ]);
    }
    table.finish()
}

fn measurements(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    case: &Case,
    prices: &Prices,
) -> Vec<Element> {
    let of_case: Vec<&Measurement> = scenario
        .measurements
        .iter()
        .filter(|one| one.case == case.id)
        .collect();
    if of_case.is_empty() {
        return Vec::new();
    }
    let title = catalogue.case(case);
    let mut table = Tabular::new(&title, heads(catalogue, prices));
    for one in of_case {
        table.row(closed_row(catalogue, one));
        if let Some(open) = &one.open_loop {
            let asked = catalogue.numbers().quantity(open.rate_per_s);
            let mut row = vec![
                element("span")
                    .class("under")
                    .text(catalogue.text(Message::AtRate { rate: &asked })),
                plain(catalogue.numbers().quantity(open.completed_per_s)),
            ];
            row.extend(percentiles(catalogue, Some(&open.latency)));
            row.push(errors(catalogue, &open.errors));
            row.resize_with(HEADS, || plain(""));
            table.row(row);
        }
    }
    vec![element("h3").text(title), table.finish()]
}

/// Columns of the table of measurements.
const HEADS: usize = 12;

fn heads(catalogue: &Catalogue, prices: &Prices) -> [(String, Kind); HEADS] {
    let number = |message| (catalogue.text(message), Kind::Number);
    let percentile = |name: &str| (format!("{name}, ms"), Kind::Number);
    [
        (catalogue.text(Message::ColumnContender), Kind::Words),
        number(Message::ColumnRate),
        percentile("P50"),
        percentile("P90"),
        percentile("P99"),
        percentile("P99.9"),
        percentile(&catalogue.text(Message::ColumnMaximum)),
        number(Message::ColumnErrors),
        number(Message::ColumnCpu),
        number(Message::ColumnMemory),
        number(Message::ColumnCost {
            currency: &prices.currency,
        }),
        (catalogue.text(Message::ColumnNote), Kind::Words),
    ]
}

fn closed_row(catalogue: &Catalogue, one: &Measurement) -> Vec<Element> {
    let numbers = catalogue.numbers();
    let reason = one.invalid.map(|reason| catalogue.text(reason));
    let name = if reason.is_some() {
        format!("! {}", one.contender)
    } else {
        one.contender.clone()
    };
    let mut row = vec![
        stacked(name, ""),
        plain(numbers.quantity(one.throughput_per_s)),
    ];
    row.extend(percentiles(catalogue, one.latency.as_ref()));
    row.extend([
        errors(catalogue, &one.errors),
        plain(numbers.quantity(one.cpu_s_per_1000)),
        plain(numbers.bytes(one.peak_pss_bytes)),
        plain(numbers.quantity(one.cost_per_million)),
    ]);
    let further = catalogue.further(one);
    row.push(
        element("span")
            .children(reason.map(|reason| element("span").class("verdict invalid").text(reason)))
            .children((!further.is_empty()).then(|| element("span").class("under").text(further))),
    );
    row
}

/// The count of all errors, and the kinds below it.
fn errors(catalogue: &Catalogue, errors: &BTreeMap<String, u64>) -> Element {
    let total: u64 = errors.values().sum();
    let kinds = if total == 0 {
        String::new()
    } else {
        catalogue.errors(errors)
    };
    let under = (total > 0).then(|| element("span").class("under").text(kinds));
    plain(catalogue.numbers().integer(total)).children(under)
}

fn percentiles(catalogue: &Catalogue, latency: Option<&Latency>) -> Vec<Element> {
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
        .map(|value| plain(catalogue.milliseconds(value)))
        .collect()
}

fn sweep(catalogue: &Catalogue, scenario: &ScenarioResult, sweep: &Sweep) -> Element {
    let case = catalogue.case_of(scenario, &sweep.case);
    let title = catalogue.text(Message::SweepOf {
        contender: &sweep.contender,
        case: &case,
    });
    let mut table = Tabular::new(
        &title,
        [
            (title.clone(), Kind::Words),
            (catalogue.text(Message::ColumnRate), Kind::Number),
            (catalogue.text(Message::ColumnNote), Kind::Words),
        ],
    );
    for point in &sweep.tried {
        table.row(sweep_row(catalogue, point));
    }
    table.finish()
}

fn sweep_row(catalogue: &Catalogue, point: &SweepPoint) -> [Element; 3] {
    let note = match (point.best, point.throughput_per_s) {
        (true, _) => element("b").text(catalogue.text(Message::SweepBest)),
        (false, None) => element("span")
            .class("refuted")
            .text(catalogue.text(Message::SweepFailed)),
        (false, Some(_)) => plain(""),
    };
    [
        plain(pairs(&point.settings)),
        plain(catalogue.milliseconds(point.throughput_per_s)),
        note,
    ]
}

fn factors(catalogue: &Catalogue, scenario: &ScenarioResult) -> Element {
    let text = |message| catalogue.text(message);
    let mut table = Tabular::new(
        &text(Message::HeadingFactors),
        [
            (text(Message::ColumnFactor), Kind::Words),
            (text(Message::ColumnCase), Kind::Words),
            (text(Message::ColumnRatio), Kind::Number),
            (text(Message::ColumnShare), Kind::Number),
        ],
    );
    for step in &scenario.factors {
        table.row(factor_row(catalogue, scenario, step));
    }
    table.finish()
}

fn factor_row(catalogue: &Catalogue, scenario: &ScenarioResult, step: &FactorStep) -> [Element; 4] {
    let share = step
        .share
        .map_or_else(|| ABSENT.to_owned(), |one| catalogue.numbers().percent(one));
    [
        stacked(
            catalogue.text(step.factor),
            format!("{} → {}", step.from, step.to),
        ),
        plain(catalogue.case_of(scenario, &step.case)),
        plain(catalogue.interval(step.ratio)),
        plain(share),
    ]
}
