//! The legend of a plot: samples and words in rows that wrap.
//!
//! It knows nothing of what the samples stand for. Invariant: a row is never wider than asked,
//! unless a single entry is; the height is known before anything is drawn.

use super::{Anchor, Point, TEXT, label, shortened, text_width};
use crate::markup::{Element, element};

/// Height of a row, units.
const ROW: f64 = 19.0;
/// Width of a sample, units.
pub(crate) const SAMPLE: f64 = 26.0;

/// Draws a sample whose middle is at a point.
type Sample<'a> = Box<dyn Fn(Point) -> Element + 'a>;

/// Entries in the order in which they are read.
#[derive(Default)]
pub(crate) struct Legend<'a> {
    entries: Vec<(Sample<'a>, String)>,
}

impl std::fmt::Debug for Legend<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.entries.iter().map(|(_, text)| text))
            .finish()
    }
}

impl<'a> Legend<'a> {
    pub(crate) fn push(&mut self, sample: impl Fn(Point) -> Element + 'a, text: impl Into<String>) {
        self.entries.push((Box::new(sample), text.into()));
    }

    /// Places of the entries and the height of all rows.
    fn places(&self, width: f64) -> (Vec<Point>, f64) {
        let mut at = Point { x: 0.0, y: 0.0 };
        let mut places = Vec::new();
        for (_, text) in &self.entries {
            let room = SAMPLE + 6.0 + text_width(text) + 16.0;
            if at.x > 0.0 && at.x + room > width {
                at = Point {
                    x: 0.0,
                    y: at.y + ROW,
                };
            }
            places.push(at);
            at.x += room;
        }
        let height = if places.is_empty() { 0.0 } else { at.y + ROW };
        (places, height)
    }

    /// Height that the legend takes at a width.
    pub(crate) fn height(&self, width: f64) -> f64 {
        self.places(width).1
    }

    /// The legend with its upper left corner at a point.
    pub(crate) fn draw(&self, corner: Point, width: f64) -> Element {
        let (places, _) = self.places(width);
        let mut group = element("g");
        for ((sample, text), place) in self.entries.iter().zip(places) {
            let middle = Point {
                x: corner.x + place.x + SAMPLE / 2.0,
                y: corner.y + place.y + ROW / 2.0,
            };
            let words = Point {
                x: middle.x + SAMPLE / 2.0 + 6.0,
                y: middle.y + TEXT * 0.35,
            };
            let text = shortened(text, width - SAMPLE - 6.0);
            group = group
                .child(sample(middle))
                .child(label(words, Anchor::Start, &text, "words"));
        }
        group
    }
}
