//! Tables of a page: heads, rows, and the box in which a wide one scrolls.
//!
//! It knows no result. Invariant: every table has heads with a scope and sits in a box of its own
//! that can be reached with the keyboard, so the page itself never scrolls sideways.

use crate::markup::{Element, element};
pub(super) use crate::sheet::Kind;
use crate::sheet::Sheet;

/// A table with as many cells a row as it has heads.
#[derive(Debug)]
pub(super) struct Tabular {
    name: String,
    kinds: Vec<Kind>,
    head: Element,
    bodies: Vec<Element>,
}

impl Tabular {
    /// A table of these columns; the name is read out in place of a caption.
    pub(super) fn new(name: &str, heads: impl IntoIterator<Item = (String, Kind)>) -> Self {
        let mut kinds = Vec::new();
        let mut row = element("tr");
        for (head, kind) in heads {
            row = row.child(of_kind(element("th").with("scope", "col"), kind).text(head));
            kinds.push(kind);
        }
        let head = element("thead").child(row);
        Self {
            name: name.to_owned(),
            kinds,
            head,
            bodies: vec![element("tbody")],
        }
    }

    /// The table of a sheet.
    pub(super) fn of(name: &str, sheet: Sheet) -> Self {
        let mut table = Self::new(name, sheet.heads);
        for row in sheet.rows {
            table.row(row.into_iter().map(plain));
        }
        table
    }

    /// Begins a group of rows under a heading of its own.
    pub(super) fn group(&mut self, heading: Element) {
        let across = self.kinds.len().to_string();
        let row = element("tr").child(heading.with("colspan", across));
        self.bodies.push(element("tbody").child(row));
    }

    /// Adds a row; its first cell names it.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Element>) {
        let mut row = element("tr");
        for (index, (cell, kind)) in cells.into_iter().zip(&self.kinds).enumerate() {
            let place = if index == 0 {
                element("th").with("scope", "row")
            } else {
                element("td")
            };
            row = row.child(of_kind(place, *kind).child(cell));
        }
        if let Some(body) = self.bodies.last_mut() {
            *body = std::mem::replace(body, element("tbody")).child(row);
        }
    }

    /// The table in its box.
    pub(super) fn finish(self) -> Element {
        let bodies = self.bodies.into_iter().filter(|body| !body.is_empty());
        let table = element("table").child(self.head).children(bodies);
        element("div")
            .class("scroll")
            .with("role", "region")
            .with("tabindex", "0")
            .with("aria-label", self.name)
            .child(table)
    }
}

fn of_kind(cell: Element, kind: Kind) -> Element {
    if kind == Kind::Number {
        cell.class("number")
    } else {
        cell
    }
}

/// A cell of plain text.
pub(super) fn plain(text: impl Into<String>) -> Element {
    element("span").text(text)
}

/// A cell of two lines, the first of which leads.
pub(super) fn stacked(first: impl Into<String>, second: impl Into<String>) -> Element {
    let second = second.into();
    let second = (!second.is_empty()).then(|| under(second));
    element("span")
        .child(element("b").text(first))
        .children(second)
}

/// A line that stands below what leads.
pub(super) fn under(text: impl Into<String>) -> Element {
    element("span").class("under").text(text)
}
