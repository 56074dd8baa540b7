//! Under which conditions the run was made, and how its figures are to be read.
//!
//! A published number carries its conditions. Invariant: nothing here depends on an outcome, so
//! the same conditions give the same text.

use super::heading;
use crate::catalogue::{Catalogue, Message};
use crate::claim::extremes;
use crate::markup::{Element, element};
use crate::result::{LabResult, Machine, Prices};

/// Names and texts of a list.
pub(super) type Facts = Vec<(String, String)>;

/// Machine, versions, mode, seed, prices, repeats.
pub(super) fn conditions(catalogue: &Catalogue, result: &LabResult) -> Element {
    let mut facts = machine(catalogue, &result.machine);
    facts.extend(run(catalogue, result));
    facts.extend(prices(catalogue, &result.prices));
    element("section")
        .child(heading(catalogue, Message::HeadingConditions))
        .child(list(facts))
}

/// A list of names and texts.
pub(super) fn list(facts: Facts) -> Element {
    let mut list = element("dl");
    for (name, text) in facts {
        list = list
            .child(element("dt").text(name))
            .child(element("dd").text(text));
    }
    list
}

fn machine(catalogue: &Catalogue, machine: &Machine) -> Facts {
    let cores = catalogue.text(Message::FieldCores {
        cores: machine.cores as u64,
    });
    let is_virtual = machine
        .virtualised
        .then(|| catalogue.text(Message::FieldVirtual));
    let processor = [machine.cpu.clone(), cores].into_iter().chain(is_virtual);
    let mut facts = vec![
        (
            catalogue.text(Message::FieldProcessor),
            catalogue.joined(processor),
        ),
        (
            catalogue.text(Message::FieldMemory),
            catalogue.numbers().bytes(machine.memory_bytes),
        ),
        (catalogue.text(Message::FieldKernel), machine.kernel.clone()),
        (catalogue.text(Message::FieldPython), machine.python.clone()),
    ];
    if let Some(version) = &machine.postgres {
        facts.push((catalogue.text(Message::FieldPostgres), version.clone()));
    }
    facts
}

fn run(catalogue: &Catalogue, result: &LabResult) -> Facts {
    let mut facts = vec![(
        catalogue.text(Message::FieldMode),
        catalogue.text(result.mode),
    )];
    if let Some(rounds) = rounds(catalogue, result) {
        facts.push((catalogue.text(Message::FieldRounds), rounds));
    }
    facts.push((catalogue.text(Message::FieldSeed), result.seed.to_string()));
    facts.push((
        catalogue.text(Message::FieldStarted),
        result.started_at.clone(),
    ));
    if let Some(finished) = &result.finished_at {
        facts.push((catalogue.text(Message::FieldFinished), finished.clone()));
    }
    facts
}

/// The least and the most rounds of any measurement.
fn rounds(catalogue: &Catalogue, result: &LabResult) -> Option<String> {
    let measurements = result
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.measurements);
    let (least, most) = extremes(measurements.map(|one| one.throughput_rounds.len() as f64))?;
    let numbers = catalogue.numbers();
    let [least, most] = [least, most].map(|count| numbers.integer(count as u64));
    Some(if least == most {
        least
    } else {
        format!("{least}–{most}")
    })
}

fn prices(catalogue: &Catalogue, prices: &Prices) -> Facts {
    let exact = |price: f64| catalogue.without_zeros(&catalogue.numbers().decimal(price, 8));
    let text = catalogue.text(Message::FieldPricesText {
        vcpu: &exact(prices.per_vcpu_hour),
        gib: &exact(prices.per_gib_hour),
        requests: &exact(prices.per_million_requests),
        second: &exact(prices.per_gib_second),
        currency: &prices.currency,
    });
    vec![
        (catalogue.text(Message::FieldPrices), text),
        (
            catalogue.text(Message::FieldPriceSource),
            prices.source.clone(),
        ),
    ]
}

/// How a verdict is reached and what each figure means.
pub(super) fn reading(catalogue: &Catalogue) -> Element {
    const TEXTS: [Message<'static>; 13] = [
        Message::ReadRatio,
        Message::ReadVerdict,
        Message::ReadDirection,
        Message::ReadInconclusive,
        Message::ReadInvalid,
        Message::ReadNaive,
        Message::ReadModel,
        Message::ReadShipped,
        Message::ReadTuned,
        Message::ReadLatency,
        Message::ReadFactors,
        Message::ReadCost,
        Message::ReadAbsolute,
    ];
    let texts = TEXTS
        .into_iter()
        .map(|text| element("li").text(catalogue.text(text)));
    element("section")
        .child(heading(catalogue, Message::HeadingReading))
        .child(element("ul").class("texts").children(texts))
}
