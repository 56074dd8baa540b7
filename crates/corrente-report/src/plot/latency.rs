//! Latency by percentile: one line for each contender of a case.
//!
//! The horizontal axis counts nines (P90 is one, P99 two), the vertical one is logarithmic, so that
//! tails can be read. Invariant: only what the sample carries is drawn; the largest sample is no
//! percentile and is left out.

use super::{Figure, Looks, is_positive, plain_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::markup::element;
use crate::result::{Case, Latency, Measurement, ScenarioResult};
use crate::svg::frame::{Area, Axis, Frame, WIDTH};
use crate::svg::legend::{Legend, SAMPLE};
use crate::svg::marker::Look;
use crate::svg::scale::Scale;
use crate::svg::{Point, line, path};

/// Under which load the latency was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loop {
    /// Each user waits for the answer.
    Closed,
    /// Requests come at one rate for all.
    Open,
}

/// One contender's line: (nines, milliseconds).
struct Series<'a> {
    name: &'a str,
    look: Look,
    points: Vec<(f64, f64)>,
}

/// The plot of one case; `None` where fewer than one contender has a line.
pub(crate) fn latency(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    case: &Case,
    kind: Loop,
) -> Option<Figure> {
    let looks = Looks::of(&scenario.contenders);
    let of_case = || {
        scenario
            .measurements
            .iter()
            .filter(|one| one.case == case.id)
    };
    let series: Vec<Series<'_>> = of_case()
        .filter_map(|one| {
            let points = curve(taken(one, kind)?);
            let look = looks.look(&one.contender);
            (points.len() > 1).then_some(Series {
                name: &one.contender,
                look,
                points,
            })
        })
        .collect();
    if series.is_empty() {
        return None;
    }
    let title = title(catalogue, case, kind, of_case());
    let about = catalogue.text(Message::PlotLatencyAbout);
    let picture = draw(catalogue, &series, &title, &about);
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn taken(measurement: &Measurement, kind: Loop) -> Option<&Latency> {
    match kind {
        Loop::Closed => measurement.latency.as_ref(),
        Loop::Open => measurement.open_loop.as_ref().map(|open| &open.latency),
    }
}

fn title<'a>(
    catalogue: &Catalogue,
    case: &Case,
    kind: Loop,
    mut measurements: impl Iterator<Item = &'a Measurement>,
) -> String {
    let case = catalogue.case(case);
    let rate = measurements
        .find_map(|one| one.open_loop.as_ref())
        .map(|open| open.rate_per_s);
    match (kind, rate) {
        (Loop::Open, Some(rate)) => {
            let rate = catalogue.numbers().quantity(rate);
            catalogue.text(Message::PlotLatencyOpen {
                case: &case,
                rate: &rate,
            })
        }
        _ => catalogue.text(Message::PlotLatency { case: &case }),
    }
}

/// The curve of a sample, or its few percentiles where it has no curve.
fn curve(latency: &Latency) -> Vec<(f64, f64)> {
    let percentiles = [
        (0.5, Some(latency.p50_ms)),
        (0.9, latency.p90_ms),
        (0.99, latency.p99_ms),
        (0.999, latency.p999_ms),
    ];
    let sparse = percentiles
        .into_iter()
        .filter_map(|(quantile, value)| Some((quantile, value?)));
    let points: Vec<(f64, f64)> = if latency.curve.len() > 1 {
        latency.curve.clone()
    } else {
        sparse.collect()
    };
    points
        .into_iter()
        .filter(|(quantile, value)| (0.0..1.0).contains(quantile) && is_positive(*value))
        .map(|(quantile, value)| (-(1.0 - quantile).log10(), value))
        .collect()
}

fn draw(
    catalogue: &Catalogue,
    series: &[Series<'_>],
    title: &str,
    about: &str,
) -> crate::markup::Element {
    let points = || series.iter().flat_map(|series| &series.points);
    let height = 250.0;
    let sketch = Scale::logarithmic(points().map(|(_, value)| *value), height, 0.0);
    let labels = Axis {
        name: catalogue.text(Message::AxisLatency),
        ticks: plain_ticks(catalogue, sketch.ticks(8)),
    };
    let area = Area::new(labels.label_width() + 8.0, height);
    let vertical = Scale::logarithmic(points().map(|(_, value)| *value), area.bottom, area.top);
    let most = points().map(|(nines, _)| *nines).fold(1.0, f64::max);
    let horizontal = Scale::between(0.0, most, area.left, area.right);
    let axis = Axis {
        name: catalogue.text(Message::AxisPercentile),
        ticks: percentile_ticks(catalogue, horizontal),
    };
    let mut figures = element("g");
    let mut legend = Legend::default();
    for one in series {
        let place = |(nines, value): &(f64, f64)| Point {
            x: horizontal.at(*nines),
            y: vertical.at(*value),
        };
        let places: Vec<Point> = one.points.iter().map(place).collect();
        figures = figures.child(path(&places, &one.look.stroke()));
        figures = figures.children(marked(&places).map(|at| one.look.mark(at)));
        legend.push(|at| sample(one.look, at), one.name);
    }
    let frame = Frame {
        title,
        description: about,
        area,
        horizontal: (horizontal, axis),
        vertical: (vertical, labels),
        legend,
    };
    debug_assert!(area.right < WIDTH);
    frame.draw(figures)
}

/// About five points of a line carry its mark; more would hide the line.
fn marked(places: &[Point]) -> impl Iterator<Item = Point> {
    let every = (places.len() / 5).max(1);
    places.iter().copied().skip(every / 2).step_by(every)
}

/// Line and mark of a contender, for the legend.
pub(super) fn sample(look: Look, at: Point) -> crate::markup::Element {
    let from = Point {
        x: at.x - SAMPLE / 2.0,
        y: at.y,
    };
    let to = Point {
        x: at.x + SAMPLE / 2.0,
        y: at.y,
    };
    element("g")
        .child(line(from, to, &look.stroke()))
        .child(look.mark(at))
}

fn percentile_ticks(catalogue: &Catalogue, scale: Scale) -> Vec<(f64, String)> {
    let numbers = catalogue.numbers();
    let tick = |percent: f64, places: usize| {
        (
            -(1.0 - percent / 100.0).log10(),
            format!("P{}", numbers.decimal(percent, places)),
        )
    };
    [
        tick(0.0, 0),
        tick(50.0, 0),
        tick(90.0, 0),
        tick(99.0, 0),
        tick(99.9, 1),
        tick(99.99, 2),
    ]
    .into_iter()
    .filter(|(nines, _)| scale.holds(*nines))
    .collect()
}
