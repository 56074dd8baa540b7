//! Drawing with SVG: pictures, scales, axes, text. Knows no result and no language.
//!
//! A picture is a tree of [`crate::markup`] elements in its own coordinates, `width` by `height`
//! units; the page scales it. Colours are CSS variables, so a picture follows the page from light
//! to dark. Invariant: every coordinate goes through [`crate::markup::Element::at`] or
//! [`path`], which let no number through that is not finite.

pub(crate) mod frame;
pub(crate) mod legend;
pub(crate) mod marker;
pub(crate) mod scale;

use unicode_width::UnicodeWidthStr;

use crate::markup::{Element, coordinate, element};

/// Size of the text in a picture, units.
pub(crate) const TEXT: f64 = 12.0;

/// Pictures wider than this keep more of their width on a narrow screen, to stay readable.
const WIDE: f64 = 700.0;
/// Pictures narrower than this fit on a telephone as they are, and are enlarged elsewhere.
const NARROW: f64 = 500.0;
/// Width of a picture that fits on a telephone.
pub(crate) const TELEPHONE: f64 = 440.0;

/// Where text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A point in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// A picture with its name and description for those who cannot see it.
pub(crate) fn picture(width: f64, height: f64, title: &str, description: &str) -> Element {
    let view = format!("0 0 {} {}", coordinate(width), coordinate(height));
    element("svg")
        .with("xmlns", "http://www.w3.org/2000/svg")
        .with("viewBox", view)
        .at("width", width)
        .at("height", height)
        .with("role", "img")
        .class(match width {
            width if width > WIDE => "plot wide",
            width if width < NARROW => "plot narrow",
            _ => "plot",
        })
        .child(element("title").text(title))
        .child(element("desc").text(description))
}

/// A straight line.
pub(crate) fn line(from: Point, to: Point, class: &str) -> Element {
    element("line")
        .at("x1", from.x)
        .at("y1", from.y)
        .at("x2", to.x)
        .at("y2", to.y)
        .class(class)
}

/// A rectangle between two corners, given in any order.
pub(crate) fn rectangle(corner: Point, opposite: Point, class: &str) -> Element {
    element("rect")
        .at("x", corner.x.min(opposite.x))
        .at("y", corner.y.min(opposite.y))
        .at("width", (opposite.x - corner.x).abs())
        .at("height", (opposite.y - corner.y).abs())
        .class(class)
}

/// Text whose baseline begins, is centred or ends at a point.
pub(crate) fn label(at: Point, anchor: Anchor, text: &str, class: &str) -> Element {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    element("text")
        .at("x", at.x)
        .at("y", at.y)
        .with("text-anchor", anchor)
        .class(class)
        .text(text)
}

/// A path through points; nothing where there are fewer than two.
pub(crate) fn path(points: &[Point], class: &str) -> Element {
    let mut data = String::new();
    for (index, point) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        data.push(command);
        data.push_str(&coordinate(point.x));
        data.push(' ');
        data.push_str(&coordinate(point.y));
    }
    if points.len() < 2 {
        data.clear();
    }
    element("path").with("d", data).class(class)
}

/// Width that a text is likely to take: the fonts are the reader's, so this is an estimate.
pub(crate) fn text_width(text: &str) -> f64 {
    let columns = text.width() as f64;
    let wide = text
        .chars()
        .filter(|character| *character >= '\u{2e80}')
        .count() as f64;
    // A wide character fills one em in two columns; a narrow one half an em and a little more.
    ((columns - 2.0 * wide) * 0.56 + wide) * TEXT
}

/// A text cut to a width, with an ellipsis in place of the rest.
pub(crate) fn shortened(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if text_width(&kept) + TEXT > width {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}
