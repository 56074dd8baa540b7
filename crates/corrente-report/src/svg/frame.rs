//! The frame of a plot with two axes: grid, ticks, names of the axes, legend.
//!
//! It knows scales and words, no figures of its own. Invariant: the room for tick labels is taken
//! from the labels themselves, so no language and no magnitude runs out of the picture.

use super::legend::Legend;
use super::scale::Scale;
use super::{Anchor, Point, TEXT, label, line, picture, text_width};
use crate::markup::{Element, element};

/// Width of a framed plot unless it says otherwise, units.
pub(crate) const WIDTH: f64 = 640.0;
/// Room right of the plotting area: half of the last tick label reaches into it.
const RIGHT: f64 = 18.0;

/// One axis: where its figures lie, which are printed and how, and what it is called.
#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Space that the widest tick label takes.
    pub(crate) fn label_width(&self) -> f64 {
        self.ticks
            .iter()
            .map(|(_, text)| text_width(text))
            .fold(0.0, f64::max)
    }
}

/// The plotting area of a framed plot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Area {
    /// An area that leaves `margin` to the labels of the vertical axis.
    pub(crate) fn new(margin: f64, height: f64) -> Self {
        Self::within(WIDTH, margin, height)
    }

    /// The same in a picture of another width.
    pub(crate) fn within(width: f64, margin: f64, height: f64) -> Self {
        let top = 30.0;
        Self {
            left: margin + 12.0,
            right: width - RIGHT,
            top,
            bottom: top + height,
        }
    }
}

/// What a framed plot is made of.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) area: Area,
    pub(crate) horizontal: (Scale, Axis),
    pub(crate) vertical: (Scale, Axis),
    pub(crate) legend: Legend<'a>,
}

impl Frame<'_> {
    /// The picture with the drawing of the figures inside.
    pub(crate) fn draw(&self, figures: Element) -> Element {
        let Area {
            left,
            right,
            bottom,
            ..
        } = self.area;
        let below = bottom + 44.0;
        let width = right - left;
        let height = below + self.legend.height(width) + 6.0;
        picture(right + RIGHT, height, self.title, self.description)
            .child(self.grid())
            .child(self.names())
            .child(figures)
            .child(self.legend.draw(Point { x: left, y: below }, width))
    }

    fn grid(&self) -> Element {
        let Area {
            left,
            right,
            top,
            bottom,
        } = self.area;
        let mut grid = element("g");
        for (figure, text) in &self.horizontal.1.ticks {
            let x = self.horizontal.0.at(*figure);
            let words = Point {
                x,
                y: bottom + TEXT + 5.0,
            };
            grid = grid
                .child(line(Point { x, y: top }, Point { x, y: bottom }, "grid"))
                .child(label(words, Anchor::Middle, text, "tick"));
        }
        for (figure, text) in &self.vertical.1.ticks {
            let y = self.vertical.0.at(*figure);
            let words = Point {
                x: left - 7.0,
                y: y + TEXT * 0.35,
            };
            grid = grid
                .child(line(Point { x: left, y }, Point { x: right, y }, "grid"))
                .child(label(words, Anchor::End, text, "tick"));
        }
        let corner = Point { x: left, y: bottom };
        grid.child(line(Point { x: left, y: top }, corner, "axis"))
            .child(line(
                corner,
                Point {
                    x: right,
                    y: bottom,
                },
                "axis",
            ))
    }

    /// The vertical axis is named above its upper end: turned text is hard to read.
    fn names(&self) -> Element {
        let Area {
            left,
            right,
            top,
            bottom,
        } = self.area;
        let above = Point {
            x: left.min(12.0),
            y: top - 13.0,
        };
        let below = Point {
            x: right,
            y: bottom + 2.0 * TEXT + 10.0,
        };
        element("g")
            .child(label(above, Anchor::Start, &self.vertical.1.name, "name"))
            .child(label(below, Anchor::End, &self.horizontal.1.name, "name"))
    }
}
