//! Throughput by number of users, where a scenario raises the load at otherwise equal parameters.
//!
//! Absolute rates: the axis says that they are this machine's. Invariant: a plot needs three
//! different numbers of users at one set of other parameters.

use std::collections::{BTreeMap, BTreeSet};

use super::latency::sample;
use super::{Figure, Looks, plain_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::claim::{SEPARATOR, extremes};
use crate::markup::{Element, element};
use crate::result::{Case, Measurement, ScenarioResult};
use crate::svg::frame::{Area, Axis, Frame};
use crate::svg::legend::Legend;
use crate::svg::marker::Look;
use crate::svg::scale::Scale;
use crate::svg::{Point, line, path};

/// Fewer levels than this are read better from the table.
const LEAST_LEVELS: usize = 3;

/// Cases that differ in users only, by rising users.
struct Ladder<'a> {
    parameters: &'a BTreeMap<String, f64>,
    levels: BTreeMap<u64, &'a Case>,
}

/// One contender's measurements by rising users.
struct Climb<'a> {
    contender: &'a str,
    points: Vec<(u64, &'a Measurement)>,
}

/// The two scales of the plot.
#[derive(Clone, Copy)]
struct Scales {
    users: Scale,
    rate: Scale,
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
    let climbs: Vec<Climb<'_>> = scenario
        .contenders
        .iter()
        .map(|contender| climb(scenario, ladder, &contender.id))
        .filter(|climb| climb.points.len() > 1)
        .collect();
    if climbs.is_empty() {
        return None;
    }
    let picture = draw(catalogue, scenario, &climbs, (&title, &about));
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn climb<'a>(scenario: &'a ScenarioResult, ladder: &Ladder<'_>, contender: &'a str) -> Climb<'a> {
    let at = |case: &Case| {
        let is_ours = |one: &&Measurement| one.case == case.id && one.contender == contender;
        scenario
            .measurements
            .iter()
            .find(is_ours)
            .filter(|one| one.throughput_per_s.is_finite())
    };
    let points = ladder
        .levels
        .iter()
        .filter_map(|(users, case)| Some((*users, at(case)?)));
    Climb {
        contender,
        points: points.collect(),
    }
}

fn draw(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    climbs: &[Climb<'_>],
    (title, about): (&str, &str),
) -> Element {
    let points = || climbs.iter().flat_map(|climb| &climb.points);
    let rates = || points().flat_map(|(_, one)| rounds(one));
    let height = 230.0;
    let labels = Axis {
        name: catalogue.text(Message::AxisThroughput),
        ticks: plain_ticks(catalogue, Scale::from_zero(rates(), height, 0.0).ticks(5)),
    };
    let area = Area::new(labels.label_width() + 8.0, height);
    let counts = points().map(|(users, _)| *users as f64);
    let scales = Scales {
        users: Scale::logarithmic(counts, area.left, area.right),
        rate: Scale::from_zero(rates(), area.bottom, area.top),
    };
    let looks = Looks::of(&scenario.contenders);
    let mut figures = element("g");
    let mut legend = Legend::default();
    for climb in climbs {
        let look = looks.look(climb.contender);
        figures = figures.child(line_of(climb, scales, look));
        legend.push(move |at| sample(look, at), climb.contender);
    }
    let horizontal = (scales.users, axis_of_users(catalogue, climbs));
    let vertical = (scales.rate, labels);
    Frame {
        title,
        description: about,
        area,
        horizontal,
        vertical,
        legend,
    }
    .draw(figures)
}

fn axis_of_users(catalogue: &Catalogue, climbs: &[Climb<'_>]) -> Axis {
    let levels: BTreeSet<u64> = climbs
        .iter()
        .flat_map(|climb| &climb.points)
        .map(|(users, _)| *users)
        .collect();
    let ticks = levels
        .into_iter()
        .map(|users| (users as f64, catalogue.numbers().integer(users)));
    Axis {
        name: catalogue.text(Message::AxisUsers),
        ticks: ticks.collect(),
    }
}

/// One contender's line with its marks and the span of the rounds at each.
fn line_of(climb: &Climb<'_>, scales: Scales, look: Look) -> Element {
    let place = |(users, one): &(u64, &Measurement)| Point {
        x: scales.users.at(*users as f64),
        y: scales.rate.at(one.throughput_per_s),
    };
    let places: Vec<Point> = climb.points.iter().map(place).collect();
    let spans = climb
        .points
        .iter()
        .filter_map(|point| span(*point, scales, &look.stroke()));
    element("g")
        .children(spans)
        .child(path(&places, &look.stroke()))
        .children(places.iter().map(|at| look.mark(*at)))
}

fn rounds(measurement: &Measurement) -> impl Iterator<Item = f64> {
    let median = std::iter::once(measurement.throughput_per_s);
    measurement.throughput_rounds.iter().copied().chain(median)
}

/// From the slowest to the fastest round.
fn span((users, measurement): (u64, &Measurement), scales: Scales, class: &str) -> Option<Element> {
    let (low, high) = extremes(rounds(measurement))?;
    let x = scales.users.at(users as f64);
    let ends = [low, high].map(|rate| Point {
        x,
        y: scales.rate.at(rate),
    });
    Some(line(ends[0], ends[1], class))
}
