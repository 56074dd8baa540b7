//! Marks and strokes that can be told apart without colour: by shape, by dash, by both.
//!
//! It knows sides and verdicts as roles, no figures. Invariant: two contenders of one side never
//! share both dash and shape until there are more of them than combinations.

use super::{Point, line, path};
use crate::markup::{Element, element};
use crate::result::{Side, Verdict};

/// Half the size of a mark, units.
const REACH: f64 = 4.2;

/// The look of one contender in a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    side: Side,
    /// Place among the contenders of the same side.
    place: usize,
}

impl Look {
    pub(crate) const fn new(side: Side, place: usize) -> Self {
        Self { side, place }
    }

    /// The class that colours what belongs to the contender.
    pub(crate) const fn side_class(self) -> &'static str {
        match self.side {
            Side::Sync => "sync",
            Side::Async => "async",
            Side::Reference => "reference",
        }
    }

    /// The class of the line: colour by side, dash by place.
    pub(crate) fn stroke(self) -> String {
        format!("stroke {} dash-{}", self.side_class(), self.place % 4)
    }

    /// The mark of the contender: filled for sync, hollow for async, so that grey print tells them
    /// apart as well.
    pub(crate) fn mark(self, at: Point) -> Element {
        let filling = if self.side == Side::Async {
            "hollow"
        } else {
            "filled"
        };
        let class = format!("mark {filling} {}", self.side_class());
        match self.place % 4 {
            0 => circle(at, &class),
            1 => square(at, &class),
            2 => diamond(at, &class),
            _ => triangle(at, &class),
        }
    }
}

/// The mark of a verdict; its shape alone says which.
pub(crate) fn verdict_mark(at: Point, verdict: Verdict) -> Element {
    match verdict {
        Verdict::Confirmed => circle(at, "mark filled confirmed"),
        Verdict::Refuted => diamond(at, "mark filled refuted"),
        Verdict::Inconclusive => circle(at, "mark hollow inconclusive"),
        Verdict::Invalid => cross(at, "stroke invalid"),
        Verdict::NotMeasured => square(at, "mark hollow absent"),
    }
}

/// The class that colours a verdict.
pub(crate) const fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Refuted => "refuted",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Invalid => "invalid",
        Verdict::NotMeasured => "absent",
    }
}

fn circle(at: Point, class: &str) -> Element {
    element("circle")
        .at("cx", at.x)
        .at("cy", at.y)
        .at("r", REACH)
        .class(class)
}

fn square(at: Point, class: &str) -> Element {
    let reach = REACH * 0.9;
    super::rectangle(
        Point {
            x: at.x - reach,
            y: at.y - reach,
        },
        Point {
            x: at.x + reach,
            y: at.y + reach,
        },
        class,
    )
}

fn diamond(at: Point, class: &str) -> Element {
    let reach = REACH * 1.25;
    polygon(
        at,
        &[(0.0, -reach), (reach, 0.0), (0.0, reach), (-reach, 0.0)],
        class,
    )
}

fn triangle(at: Point, class: &str) -> Element {
    let reach = REACH * 1.15;
    polygon(
        at,
        &[(0.0, -reach), (reach, reach * 0.8), (-reach, reach * 0.8)],
        class,
    )
}

fn polygon(at: Point, corners: &[(f64, f64)], class: &str) -> Element {
    let mut points: Vec<Point> = corners
        .iter()
        .map(|(x, y)| Point {
            x: at.x + x,
            y: at.y + y,
        })
        .collect();
    points.extend(points.first().copied());
    path(&points, class)
}

fn cross(at: Point, class: &str) -> Element {
    let arm = |x: f64| {
        let from = Point {
            x: at.x - x,
            y: at.y - REACH,
        };
        line(
            from,
            Point {
                x: at.x + x,
                y: at.y + REACH,
            },
            class,
        )
    };
    element("g").child(arm(REACH)).child(arm(-REACH))
}
