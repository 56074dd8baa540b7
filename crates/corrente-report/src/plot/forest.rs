//! The forest plot: published ratio or range against the measured intervals, claim by claim.
//!
//! Used three times: over all findings on the page and in the stand-alone picture, and point by
//! point within a scenario. Invariant: every row is drawn, with or without a figure, so that what
//! is missing is seen to be missing.

use super::{Figure, is_positive, ratio_ticks};
use crate::band::Band;
use crate::catalogue::{Catalogue, Message};
use crate::claim::{VERDICTS, mark, printed, sides};
use crate::markup::{Element, element};
use crate::result::{Interval, LabResult, Published, ScenarioResult, Verdict};
use crate::svg::legend::{Legend, SAMPLE};
use crate::svg::marker::{verdict_class, verdict_mark};
use crate::svg::scale::Scale;
use crate::svg::{Anchor, Point, TEXT, label, line, picture, rectangle, shortened};

/// Width of the picture and of its columns, units.
const WIDTH: f64 = 820.0;
const LABELS: f64 = 310.0;
const WORDS: f64 = 122.0;
/// Room of a row with one point, and of every further point.
const ROW: f64 = 36.0;
const FURTHER_POINT: f64 = 7.0;
/// Room of a row without a name of its own: a further case of the claim above it.
const CASE_ROW: f64 = 22.0;
/// Points of one row beyond this share the room of those before.
const SPREAD_POINTS: usize = 7;

/// One line of the plot.
#[derive(Debug)]
pub(crate) struct Row {
    /// Empty where the row belongs to the claim above it.
    name: String,
    terms: String,
    published: Published,
    verdict: Verdict,
    points: Vec<(Interval, Verdict)>,
    measured: String,
}

/// One row a claim, with all of its cases in it.
pub(crate) fn rows_of_result(catalogue: &Catalogue, result: &LabResult) -> Vec<Row> {
    let mut rows = Vec::new();
    for scenario in &result.scenarios {
        for finding in scenario.claims() {
            let points = finding.points.iter();
            rows.push(Row {
                name: format!("{}: {}", scenario.name, sides(finding)),
                terms: catalogue.terms(finding),
                published: finding.published,
                verdict: finding.verdict,
                points: points
                    .filter_map(|point| Some((point.measured?, point.verdict)))
                    .collect(),
                measured: catalogue.measured(finding)[0].clone(),
            });
        }
    }
    rows
}

/// One row a case of each finding of a scenario.
pub(crate) fn rows_of_points(catalogue: &Catalogue, scenario: &ScenarioResult) -> Vec<Row> {
    let mut rows = Vec::new();
    for finding in &scenario.findings {
        for (index, point) in finding.points.iter().enumerate() {
            let estimate = point.measured.map(|interval| interval.estimate);
            let case = catalogue.case_of(scenario, &point.case);
            rows.push(Row {
                name: if index == 0 {
                    catalogue.claim(finding)
                } else {
                    String::new()
                },
                terms: case,
                published: finding.published,
                verdict: point.verdict,
                points: point
                    .measured
                    .map(|interval| (interval, point.verdict))
                    .into_iter()
                    .collect(),
                measured: estimate.map_or_else(String::new, |one| catalogue.numbers().ratio(one)),
            });
        }
    }
    rows
}

impl Row {
    fn height(&self) -> f64 {
        if self.name.is_empty() {
            return CASE_ROW;
        }
        let further = self.points.len().min(SPREAD_POINTS).saturating_sub(1);
        ROW + further as f64 * FURTHER_POINT
    }

    fn figures(&self) -> impl Iterator<Item = f64> {
        let band = Band::from(self.published);
        let ends = self
            .points
            .iter()
            .flat_map(|(one, _)| [one.estimate, one.low, one.high]);
        ends.chain(printed(self.published))
            .chain(band.low)
            .chain(band.high)
    }
}

/// The plot of some rows; `None` where there is none.
pub(crate) fn forest(catalogue: &Catalogue, rows: &[Row]) -> Option<Figure> {
    if rows.is_empty() {
        return None;
    }
    let title = catalogue.text(Message::PlotForest);
    let about = catalogue.text(Message::PlotForestAbout);
    let picture = draw(catalogue, rows, (&title, &about));
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn draw(catalogue: &Catalogue, rows: &[Row], (title, about): (&str, &str)) -> Element {
    let figures = rows
        .iter()
        .flat_map(Row::figures)
        .filter(|figure| is_positive(*figure));
    let scale = Scale::logarithmic(figures.chain([0.8, 1.25]), LABELS, WIDTH - WORDS);
    let top = 8.0;
    let bottom = top + rows.iter().map(Row::height).sum::<f64>();
    let legend = legend(catalogue, rows);
    let below = bottom + 44.0;
    let height = below + legend.height(WIDTH - 12.0) + 4.0;
    let mut group = element("g");
    let mut y = top;
    let mut claims = 0;
    for row in rows {
        claims += usize::from(!row.name.is_empty());
        let room = (y, y + row.height());
        let stripe = if claims.is_multiple_of(2) {
            "bare"
        } else {
            "stripe"
        };
        let backdrop = rectangle(
            Point { x: 0.0, y: room.0 },
            Point {
                x: WIDTH,
                y: room.1,
            },
            stripe,
        );
        group = group
            .child(backdrop)
            .child(row_of(catalogue, row, room, scale));
        y += row.height();
    }
    picture(WIDTH, height, title, about)
        .child(grid(catalogue, scale, (top, bottom)))
        .child(group)
        .child(legend.draw(Point { x: 6.0, y: below }, WIDTH - 12.0))
}

fn grid(catalogue: &Catalogue, scale: Scale, (top, bottom): (f64, f64)) -> Element {
    let mut grid = element("g");
    for (figure, text) in ratio_ticks(catalogue, scale.ticks(8)) {
        let x = scale.at(figure);
        let words = Point {
            x,
            y: bottom + TEXT + 5.0,
        };
        grid = grid
            .child(line(Point { x, y: top }, Point { x, y: bottom }, "grid"))
            .child(label(words, Anchor::Middle, &text, "tick"));
    }
    let one = scale.at(1.0);
    let name = Point {
        x: scale.end(),
        y: bottom + 2.0 * TEXT + 9.0,
    };
    grid.child(line(
        Point { x: one, y: top },
        Point { x: one, y: bottom },
        "axis",
    ))
    .child(label(
        name,
        Anchor::End,
        &catalogue.text(Message::AxisRatio),
        "name",
    ))
}

fn row_of(catalogue: &Catalogue, row: &Row, (top, bottom): (f64, f64), scale: Scale) -> Element {
    let middle = f64::midpoint(top, bottom);
    let inset = if row.name.is_empty() { 2.0 } else { 5.0 };
    element("g")
        .child(band(row, scale, (top + inset, bottom - inset)))
        .children(words(catalogue, row, middle))
        .child(points(row, scale, (top, bottom)))
}

/// Claim and verdict on either side; a further case of a claim takes a single line.
fn words(catalogue: &Catalogue, row: &Row, middle: f64) -> Vec<Element> {
    let room = LABELS - 20.0;
    let left = |dy: f64| Point {
        x: 6.0,
        y: middle + dy,
    };
    let right = |dy: f64| Point {
        x: WIDTH - WORDS + 12.0,
        y: middle + dy,
    };
    let terms = shortened(&row.terms, room);
    let class = format!("words {}", verdict_class(row.verdict));
    if row.name.is_empty() {
        let verdict = format!("{} {}", mark(row.verdict), row.measured);
        return vec![
            label(left(TEXT * 0.35), Anchor::Start, &terms, "tick"),
            label(right(TEXT * 0.35), Anchor::Start, &verdict, &class),
        ];
    }
    let verdict = format!("{} {}", mark(row.verdict), catalogue.text(row.verdict));
    vec![
        label(
            left(-3.0),
            Anchor::Start,
            &shortened(&row.name, room),
            "words",
        ),
        label(left(12.0), Anchor::Start, &terms, "tick"),
        label(right(-3.0), Anchor::Start, &row.measured, "words strong"),
        label(
            right(12.0),
            Anchor::Start,
            &shortened(&verdict, WORDS - 12.0),
            &class,
        ),
    ]
}

/// What counts as confirmed, and the printed figures within it.
fn band(row: &Row, scale: Scale, (top, bottom): (f64, f64)) -> Element {
    let band = Band::from(row.published);
    let low = band.low.map_or_else(|| scale.start(), |low| scale.at(low));
    let high = band.high.map_or_else(|| scale.end(), |high| scale.at(high));
    let corner = Point { x: low, y: top };
    let ticks = printed(row.published).into_iter().map(|figure| {
        let x = scale.at(figure);
        line(Point { x, y: top }, Point { x, y: bottom }, "printed")
    });
    element("g")
        .child(rectangle(corner, Point { x: high, y: bottom }, "band"))
        .children(ticks)
}

/// The measured intervals, spread over the height of the row.
fn points(row: &Row, scale: Scale, (top, bottom): (f64, f64)) -> Element {
    let slots = row.points.len().min(SPREAD_POINTS);
    let step = if slots > 1 {
        (bottom - top - 22.0) / (slots - 1) as f64
    } else {
        0.0
    };
    let first = f64::midpoint(top, bottom) - step * slots.saturating_sub(1) as f64 / 2.0;
    let mut group = element("g");
    for (index, (interval, verdict)) in row.points.iter().enumerate() {
        let y = first + step * (index % SPREAD_POINTS) as f64;
        let at = |figure: f64| Point {
            x: scale.at(figure),
            y,
        };
        let class = format!("stroke {}", verdict_class(*verdict));
        group = group
            .child(line(at(interval.low), at(interval.high), &class))
            .child(verdict_mark(at(interval.estimate), *verdict));
    }
    group
}

fn legend(catalogue: &Catalogue, rows: &[Row]) -> Legend<'static> {
    let mut legend = Legend::default();
    let band = |at: Point| {
        let reach = SAMPLE / 2.0;
        let corner = Point {
            x: at.x - reach,
            y: at.y - 6.0,
        };
        let opposite = Point {
            x: at.x + reach,
            y: at.y + 6.0,
        };
        let tick = line(
            Point {
                x: at.x,
                y: at.y - 6.0,
            },
            Point {
                x: at.x,
                y: at.y + 6.0,
            },
            "printed",
        );
        element("g")
            .child(rectangle(corner, opposite, "band"))
            .child(tick)
    };
    legend.push(band, catalogue.text(Message::LegendPublished));
    for verdict in VERDICTS {
        let is_drawn = |row: &Row| row.points.iter().any(|(_, drawn)| *drawn == verdict);
        if rows.iter().any(is_drawn) {
            legend.push(
                move |at| interval_sample(at, verdict),
                catalogue.text(verdict),
            );
        }
    }
    legend
}

fn interval_sample(at: Point, verdict: Verdict) -> Element {
    let class = format!("stroke {}", verdict_class(verdict));
    let from = Point {
        x: at.x - SAMPLE / 2.0,
        y: at.y,
    };
    let to = Point {
        x: at.x + SAMPLE / 2.0,
        y: at.y,
    };
    element("g")
        .child(line(from, to, &class))
        .child(verdict_mark(at, verdict))
}
