//! Throughput by number of users, where a scenario raises the load at otherwise equal parameters.
//!
//! Absolute rates: the axis says that they are this machine's. Invariant: a plot needs three
//! different numbers of users at one set of other parameters.

use std::collections::BTreeMap;

use super::latency::sample;
use super::{Figure, Looks, plain_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::claim::{SEPARATOR, extremes};
use crate::markup::{Element, element};
use crate::result::{Case, Measurement, ScenarioResult};
use crate::svg::frame::{Area, Axis, Frame};
use crate::svg::legend::Legend;
use crate::svg::scale::Scale;
use crate::svg::{Point, line, path};

/// Fewer levels than this are read better from the table.
const LEAST_LEVELS: usize = 3;

/// Cases that differ in users only, by rising users.
struct Ladder<'a> {
    parameters: &'a BTreeMap<String, f64>,
    levels: BTreeMap<u64, &'a Case>,
}

/// One plot for each set of other parameters.
pub(crate) fn users(catalogue: &Catalogue, scenario: &ScenarioResult) -> Vec<Figure> {
    ladders(scenario)
        .iter()
        .filter(|ladder| ladder.levels.len() >= LEAST_LEVELS)
        .filter_map(|ladder| figure(catalogue, scenario, ladder))
        .collect()
}

fn ladders(scenario: &ScenarioResult) -> Vec<Ladder<'_>> {
    let mut ladders: Vec<Ladder<'_>> = Vec::new();
    for case in &scenario.cases {
        let Some(users) = case.users else { continue };
        let known = ladders
            .iter()
            .position(|ladder| *ladder.parameters == case.parameters);
        let place = known.unwrap_or_else(|| {
            ladders.push(Ladder {
                parameters: &case.parameters,
                levels: BTreeMap::new(),
            });
            ladders.len() - 1
        });
        ladders[place].levels.insert(users, case);
    }
    ladders
}

fn figure(catalogue: &Catalogue, scenario: &ScenarioResult, ladder: &Ladder<'_>) -> Option<Figure> {
    let shared = catalogue.parameters(ladder.parameters).join(SEPARATOR);
    let shared = if shared.is_empty() {
        shared
    } else {
        format!("({shared})")
    };
    let title = catalogue
        .text(Message::PlotUsers {
            parameters: &shared,
        })
        .trim_end()
        .to_owned();
    let about = catalogue.text(Message::PlotUsersAbout);
    let lines: Vec<(&str, Vec<(u64, &Measurement)>)> = scenario
        .contenders
        .iter()
        .map(|contender| {
            (
                contender.id.as_str(),
                climb(scenario, ladder, &contender.id),
            )
        })
        .filter(|(_, points)| points.len() > 1)
        .collect();
    if lines.is_empty() {
        return None;
    }
    let picture = draw(catalogue, scenario, &lines, (&title, &about));
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn climb<'a>(
    scenario: &'a ScenarioResult,
    ladder: &Ladder<'_>,
    contender: &str,
) -> Vec<(u64, &'a Measurement)> {
    let at = |case: &Case| {
        let is_ours = |one: &&Measurement| one.case == case.id && one.contender == contender;
        scenario
            .measurements
            .iter()
            .find(is_ours)
            .filter(|one| one.throughput_per_s.is_finite())
    };
    ladder
        .levels
        .iter()
        .filter_map(|(users, case)| Some((*users, at(case)?)))
        .collect()
}

fn draw(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    lines: &[(&str, Vec<(u64, &Measurement)>)],
    (title, about): (&str, &str),
) -> Element {
    let looks = Looks::of(&scenario.contenders);
    let points = || lines.iter().flat_map(|(_, points)| points);
    let rates = || points().flat_map(|(_, one)| rounds(one));
    let height = 230.0;
    let labels = Axis {
        name: catalogue.text(Message::AxisThroughput),
        ticks: plain_ticks(catalogue, Scale::from_zero(rates(), height, 0.0).ticks(5)),
    };
    let area = Area::new(labels.label_width() + 8.0, height);
    let vertical = Scale::from_zero(rates(), area.bottom, area.top);
    let counts = points().map(|(users, _)| *users as f64);
    let horizontal = Scale::logarithmic(counts, area.left, area.right);
    let mut levels: Vec<u64> = points().map(|(users, _)| *users).collect();
    levels.sort_unstable();
    levels.dedup();
    let ticks = levels
        .into_iter()
        .map(|users| (users as f64, catalogue.numbers().integer(users)));
    let axis = Axis {
        name: catalogue.text(Message::AxisUsers),
        ticks: ticks.collect(),
    };
    let mut figures = element("g");
    let mut legend = Legend::default();
    for (name, points) in lines {
        let look = looks.look(name);
        let place = |(users, one): &(u64, &Measurement)| Point {
            x: horizontal.at(*users as f64),
            y: vertical.at(one.throughput_per_s),
        };
        let places: Vec<Point> = points.iter().map(place).collect();
        figures = figures
            .children(
                points
                    .iter()
                    .filter_map(|point| span(*point, horizontal, vertical, &look.stroke())),
            )
            .child(path(&places, &look.stroke()))
            .children(places.iter().map(|at| look.mark(*at)));
        legend.push(move |at| sample(look, at), *name);
    }
    Frame {
        title,
        description: about,
        area,
        horizontal: (horizontal, axis),
        vertical: (vertical, labels),
        legend,
    }
    .draw(figures)
}

fn rounds(measurement: &Measurement) -> impl Iterator<Item = f64> {
    let median = std::iter::once(measurement.throughput_per_s);
    measurement.throughput_rounds.iter().copied().chain(median)
}

/// From the slowest to the fastest round.
fn span(
    (users, measurement): (u64, &Measurement),
    horizontal: Scale,
    vertical: Scale,
    class: &str,
) -> Option<Element> {
    let (low, high) = extremes(rounds(measurement))?;
    let x = horizontal.at(users as f64);
    let ends = [low, high].map(|rate| Point {
        x,
        y: vertical.at(rate),
    });
    Some(line(ends[0], ends[1], class))
}
