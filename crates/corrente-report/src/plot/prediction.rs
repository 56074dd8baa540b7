//! What the naive rule, or the model, predicted against what was measured, over a whole run.
//!
//! Both axes are logarithmic and have the same ends, so that the diagonal is where the prediction
//! was right. Invariant: a point has both figures; labels that would lie over one another are left
//! out, never the points.

use super::{Figure, is_positive, ratio_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::claim::VERDICTS;
use crate::markup::{Element, element};
use crate::result::{Finding, FindingPoint, Interval, LabResult, Measure, Verdict};
use crate::svg::frame::{Area, Axis, Frame};
use crate::svg::legend::{Legend, SAMPLE};
use crate::svg::marker::{verdict_class, verdict_mark};
use crate::svg::scale::Scale;
use crate::svg::{Anchor, Point, TEXT, label, line, text_width};

/// Who predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Predictor {
    /// gain = 1 + `T_io` / `T_cpu`.
    Naive,
    /// Corrente's model.
    Model,
}

impl Predictor {
    /// What it said of a throughput ratio.
    fn of(self, finding: &Finding, point: &FindingPoint) -> Option<f64> {
        match self {
            Self::Naive => point.naive,
            Self::Model => (point.predicted)
                .filter(|_| finding.measure == Measure::Throughput)
                .map(|interval| interval.estimate),
        }
    }

    /// Title, description and name of the axis.
    fn texts(self) -> [Message<'static>; 3] {
        match self {
            Self::Naive => [
                Message::PlotPrediction,
                Message::PlotPredictionAbout,
                Message::AxisPredicted,
            ],
            Self::Model => [
                Message::PlotModel,
                Message::PlotModelAbout,
                Message::AxisModel,
            ],
        }
    }
}

/// A finding in one case for which both figures exist.
struct Pair<'a> {
    scenario: &'a str,
    predicted: f64,
    measured: Interval,
    verdict: Verdict,
}

/// The scatter over every scenario; `None` where nothing was predicted.
pub(crate) fn prediction(
    catalogue: &Catalogue,
    result: &LabResult,
    predictor: Predictor,
) -> Option<Figure> {
    let pairs = pairs(result, predictor);
    if pairs.is_empty() {
        return None;
    }
    let [title, about, axis] = predictor.texts().map(|text| catalogue.text(text));
    let picture = draw(catalogue, &pairs, [&title, &about, &axis]);
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn pairs(result: &LabResult, predictor: Predictor) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    for scenario in &result.scenarios {
        let points = (scenario.findings.iter())
            .flat_map(|finding| finding.points.iter().map(move |point| (finding, point)));
        for (finding, point) in points {
            let predicted = predictor.of(finding, point);
            let (Some(predicted), Some(measured)) = (predicted, point.measured) else {
                continue;
            };
            if is_positive(predicted) && is_positive(measured.estimate) {
                pairs.push(Pair {
                    scenario: &scenario.name,
                    predicted,
                    measured,
                    verdict: point.verdict,
                });
            }
        }
    }
    pairs
}

fn draw(
    catalogue: &Catalogue,
    pairs: &[Pair<'_>],
    [title, about, horizontal_name]: [&str; 3],
) -> Element {
    let figures = || {
        let ends = pairs.iter().flat_map(|pair| {
            [
                pair.predicted,
                pair.measured.estimate,
                pair.measured.low,
                pair.measured.high,
            ]
        });
        ends.filter(|figure| is_positive(*figure)).chain([1.0])
    };
    let height = 330.0;
    let axis = |name: String, count, scale: Scale| Axis {
        name,
        ticks: ratio_ticks(catalogue, scale.ticks(count)),
    };
    let sketch = Scale::logarithmic(figures(), height, 0.0);
    let labels = axis(catalogue.text(Message::AxisMeasured), 8, sketch);
    let area = Area::new(labels.label_width() + 8.0, height);
    let vertical = Scale::logarithmic(figures(), area.bottom, area.top);
    let horizontal = Scale::logarithmic(figures(), area.left, area.right);
    let diagonal = line(
        Point {
            x: area.left,
            y: area.bottom,
        },
        Point {
            x: area.right,
            y: area.top,
        },
        "stroke reference dash-1",
    );
    let group = element("g")
        .child(diagonal)
        .children(pairs.iter().map(|pair| mark(pair, horizontal, vertical)))
        .children(names(pairs, horizontal, vertical, area));
    Frame {
        title,
        description: about,
        area,
        horizontal: (horizontal, axis(horizontal_name.to_owned(), 8, horizontal)),
        vertical: (vertical, labels),
        legend: legend(catalogue, pairs),
    }
    .draw(group)
}

fn mark(pair: &Pair<'_>, horizontal: Scale, vertical: Scale) -> Element {
    let x = horizontal.at(pair.predicted);
    let ends = [pair.measured.low, pair.measured.high].map(|end| Point {
        x,
        y: vertical.at(end),
    });
    let class = format!("stroke {}", verdict_class(pair.verdict));
    let at = Point {
        x,
        y: vertical.at(pair.measured.estimate),
    };
    element("g")
        .child(line(ends[0], ends[1], &class))
        .child(verdict_mark(at, pair.verdict))
}

/// The room that a mark or a name takes: from left to right at a height.
struct Room {
    left: f64,
    right: f64,
    y: f64,
}

impl Room {
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && (self.y - other.y).abs() < TEXT
    }
}

/// The scenario's name beside one of its points, where it lies over nothing else.
fn names(pairs: &[Pair<'_>], horizontal: Scale, vertical: Scale, area: Area) -> Vec<Element> {
    let place = |pair: &Pair<'_>| Point {
        x: horizontal.at(pair.predicted),
        y: vertical.at(pair.measured.estimate),
    };
    let marks = pairs.iter().map(place);
    let mut taken: Vec<Room> = marks
        .map(|at| Room {
            left: at.x - 6.0,
            right: at.x + 6.0,
            y: at.y,
        })
        .collect();
    let mut named: Vec<&str> = Vec::new();
    let mut labels = Vec::new();
    for pair in pairs.iter().filter(|pair| !pair.scenario.is_empty()) {
        if named.contains(&pair.scenario) {
            continue;
        }
        let Some(room) = free_room(place(pair), text_width(pair.scenario), area, &taken) else {
            continue;
        };
        named.push(pair.scenario);
        let words = Point {
            x: room.left,
            y: room.y + TEXT * 0.35,
        };
        labels.push(label(words, Anchor::Start, pair.scenario, "words"));
        taken.push(room);
    }
    labels
}

/// Right of the point, left of it, above or below: the first that is free.
fn free_room(at: Point, width: f64, area: Area, taken: &[Room]) -> Option<Room> {
    let from = |left: f64, y: f64| Room {
        left,
        right: left + width,
        y,
    };
    let middle = at.x - width / 2.0;
    let rooms = [
        from(at.x + 10.0, at.y),
        from(at.x - 10.0 - width, at.y),
        from(middle, at.y - 16.0),
        from(middle, at.y + 16.0),
    ];
    let is_free = |room: &Room| {
        let within =
            room.left > area.left && room.right < area.right && room.y + TEXT < area.bottom;
        within && !taken.iter().any(|other| room.meets(other))
    };
    rooms.into_iter().find(is_free)
}

fn legend(catalogue: &Catalogue, pairs: &[Pair<'_>]) -> Legend<'static> {
    let mut legend = Legend::default();
    for verdict in VERDICTS {
        if pairs.iter().any(|pair| pair.verdict == verdict) {
            legend.push(move |at| verdict_mark(at, verdict), catalogue.text(verdict));
        }
    }
    let sample = |at: Point| {
        let from = Point {
            x: at.x - SAMPLE / 2.0,
            y: at.y,
        };
        line(
            from,
            Point {
                x: at.x + SAMPLE / 2.0,
                y: at.y,
            },
            "stroke reference dash-1",
        )
    };
    legend.push(sample, catalogue.text(Message::LegendEqual));
    legend
}
