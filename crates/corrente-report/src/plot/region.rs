//! Where a claim holds: a grid over two parameters with the measured ratio in each cell.
//!
//! Drawn where the cases of a finding differ in exactly two parameters (users count as one).
//! Invariant: the ratio and the verdict's mark are printed in the cell, the shade only repeats
//! which side of 1 the ratio lies on and how far.

use std::collections::BTreeSet;

use super::{Figure, USERS, case_of, is_positive, parameters};
use crate::catalogue::{Catalogue, Message};
use crate::claim::mark;
use crate::markup::{Element, element};
use crate::result::{Finding, FindingPoint, ScenarioResult, Verdict};
use crate::svg::legend::{Legend, SAMPLE};
use crate::svg::marker::verdict_class;
use crate::svg::{Anchor, Point, TEXT, label, picture, rectangle, text_width};

const WIDTH: f64 = 640.0;
const CELL_HEIGHT: f64 = 48.0;
const WIDEST_CELL: f64 = 120.0;
/// Fewer points than this are read better from the table.
const LEAST_POINTS: usize = 4;

/// Values of the two parameters, rising, and the points over them.
struct Grid<'a> {
    names: [&'a str; 2],
    columns: Vec<f64>,
    rows: Vec<f64>,
    cells: Vec<([f64; 2], &'a FindingPoint)>,
}

/// The map of a finding; `None` where its cases do not span a grid.
pub(crate) fn region(
    catalogue: &Catalogue,
    scenario: &ScenarioResult,
    finding: &Finding,
) -> Option<Figure> {
    let grid = grid(scenario, finding)?;
    let title = catalogue.text(Message::PlotRegion {
        claim: &catalogue.claim(finding),
    });
    let about = catalogue.text(Message::PlotRegionAbout);
    let picture = draw(catalogue, &grid, (&title, &about));
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn grid<'a>(scenario: &'a ScenarioResult, finding: &'a Finding) -> Option<Grid<'a>> {
    let points: Vec<_> = finding
        .points
        .iter()
        .filter_map(|point| Some((parameters(case_of(scenario, &point.case)?), point)))
        .collect();
    if points.len() < LEAST_POINTS {
        return None;
    }
    let names: BTreeSet<&str> = points
        .iter()
        .flat_map(|(point, _)| point.keys().copied())
        .collect();
    let values = |name: &str| -> Vec<f64> {
        let mut values: Vec<f64> = points
            .iter()
            .filter_map(|(point, _)| point.get(name).copied())
            .collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let differing: Vec<&str> = names
        .into_iter()
        .filter(|name| values(name).len() > 1)
        .collect();
    let [first, second] = differing.as_slice() else {
        return None;
    };
    let cell = |(point, figure): &(std::collections::BTreeMap<&str, f64>, &'a FindingPoint)| {
        Some(([*point.get(first)?, *point.get(second)?], *figure))
    };
    Some(Grid {
        names: [first, second],
        columns: values(first),
        rows: values(second),
        cells: points.iter().filter_map(cell).collect(),
    })
}

fn draw(catalogue: &Catalogue, grid: &Grid<'_>, (title, about): (&str, &str)) -> Element {
    let rows = grid.rows.iter().map(|row| catalogue.parameter(*row));
    let margin = rows.map(|text| text_width(&text)).fold(30.0, f64::max) + 16.0;
    let cell = ((WIDTH - margin - 8.0) / grid.columns.len() as f64).min(WIDEST_CELL);
    let top = 30.0;
    let bottom = top + CELL_HEIGHT * grid.rows.len() as f64;
    let legend = legend(catalogue);
    let height = bottom + 44.0 + legend.height(WIDTH - 12.0) + 4.0;
    let limit = strongest(grid);
    let mut group = element("g");
    for ([column, row], point) in &grid.cells {
        let place = |values: &[f64], value: f64| {
            values.iter().position(|one| one.total_cmp(&value).is_eq())
        };
        let (Some(x), Some(y)) = (place(&grid.columns, *column), place(&grid.rows, *row)) else {
            continue;
        };
        let corner = Point {
            x: margin + cell * x as f64,
            y: bottom - CELL_HEIGHT * (y + 1) as f64,
        };
        group = group.child(draw_cell(catalogue, point, corner, cell, limit));
    }
    picture(WIDTH, height, title, about)
        .child(group)
        .child(axes(catalogue, grid, (margin, cell, bottom)))
        .child(legend.draw(
            Point {
                x: 6.0,
                y: bottom + 44.0,
            },
            WIDTH - 12.0,
        ))
}

fn axes(
    catalogue: &Catalogue,
    grid: &Grid<'_>,
    (margin, cell, bottom): (f64, f64, f64),
) -> Element {
    let name = |name: &str| match name {
        USERS => catalogue.text(Message::AxisUsers),
        name => name.to_owned(),
    };
    let mut axes = element("g");
    for (index, value) in grid.columns.iter().enumerate() {
        let at = Point {
            x: margin + cell * (index as f64 + 0.5),
            y: bottom + TEXT + 4.0,
        };
        axes = axes.child(label(
            at,
            Anchor::Middle,
            &catalogue.parameter(*value),
            "tick",
        ));
    }
    for (index, value) in grid.rows.iter().enumerate() {
        let y = bottom - CELL_HEIGHT * (index as f64 + 0.5) + TEXT * 0.35;
        let at = Point { x: margin - 8.0, y };
        axes = axes.child(label(at, Anchor::End, &catalogue.parameter(*value), "tick"));
    }
    let right = margin + cell * grid.columns.len() as f64;
    let below = Point {
        x: right,
        y: bottom + 2.0 * TEXT + 9.0,
    };
    axes.child(label(below, Anchor::End, &name(grid.names[0]), "name"))
        .child(label(
            Point { x: 6.0, y: 18.0 },
            Anchor::Start,
            &name(grid.names[1]),
            "name",
        ))
}

/// The largest distance of any ratio from 1, as a logarithm: the darkest shade.
fn strongest(grid: &Grid<'_>) -> f64 {
    grid.cells
        .iter()
        .filter_map(|(_, point)| point.measured)
        .map(|interval| interval.estimate)
        .filter(|estimate| is_positive(*estimate))
        .map(|estimate| estimate.ln().abs())
        .fold(0.1, f64::max)
}

fn draw_cell(
    catalogue: &Catalogue,
    point: &FindingPoint,
    corner: Point,
    width: f64,
    limit: f64,
) -> Element {
    let estimate = point
        .measured
        .map(|one| one.estimate)
        .filter(|one| is_positive(*one));
    let opposite = Point {
        x: corner.x + width,
        y: corner.y + CELL_HEIGHT,
    };
    let middle = |dy: f64| Point {
        x: corner.x + width / 2.0,
        y: corner.y + CELL_HEIGHT / 2.0 + dy,
    };
    let shade = estimate.map(|estimate| {
        let class = if estimate >= 1.0 {
            "shade async"
        } else {
            "shade sync"
        };
        let strength = 0.08 + 0.37 * estimate.ln().abs() / limit;
        rectangle(corner, opposite, class).at("fill-opacity", strength)
    });
    let ratio = estimate.map_or_else(
        || crate::number::ABSENT.to_owned(),
        |estimate| catalogue.numbers().ratio(estimate),
    );
    let class = format!("words strong {}", verdict_class(point.verdict));
    element("g")
        .children(shade)
        .child(rectangle(corner, opposite, "cell"))
        .child(label(middle(-3.0), Anchor::Middle, &ratio, "words strong"))
        .child(label(
            middle(14.0),
            Anchor::Middle,
            mark(point.verdict),
            &class,
        ))
}

fn legend(catalogue: &Catalogue) -> Legend<'static> {
    let mut legend = Legend::default();
    let shade = |class: &'static str| {
        move |at: Point| {
            let corner = Point {
                x: at.x - SAMPLE / 2.0,
                y: at.y - 6.0,
            };
            let opposite = Point {
                x: at.x + SAMPLE / 2.0,
                y: at.y + 6.0,
            };
            rectangle(corner, opposite, class).at("fill-opacity", 0.4)
        }
    };
    legend.push(shade("shade async"), catalogue.text(Message::LegendMore));
    legend.push(shade("shade sync"), catalogue.text(Message::LegendLess));
    for verdict in [Verdict::Confirmed, Verdict::Refuted, Verdict::Inconclusive] {
        let class = format!("words strong {}", verdict_class(verdict));
        let sample = move |at: Point| {
            let at = Point {
                x: at.x,
                y: at.y + TEXT * 0.35,
            };
            label(at, Anchor::Middle, mark(verdict), &class)
        };
        legend.push(sample, catalogue.text(verdict));
    }
    legend
}
