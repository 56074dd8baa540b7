//! Reports for a terminal: tables and paragraphs of a given width, plain or in colour.
//!
//! It knows no stream and does not ask what the terminal can do: width and colour come in.
//! Invariant: no line is wider than the width asked for (at least [`NARROWEST`] columns), and every
//! string of the result is freed of control characters before it is shown.

mod detail;
mod gauge;
mod paint;
mod paragraph;
mod prediction;
mod summary;
mod table;

use unicode_width::UnicodeWidthStr as _;

use crate::catalogue::{Catalogue, Message};
use crate::language::Language;

pub use self::paint::Colour;
pub(crate) use self::paint::Paint;
pub(crate) use self::paragraph::clean;
pub(crate) use self::table::{Align, Cell, Table};

/// Below this, tables cannot be set; narrower terminals get lines of this width.
pub const NARROWEST: usize = 60;

/// Writes reports for one terminal.
#[derive(Debug)]
pub struct Terminal {
    catalogue: Catalogue,
    width: usize,
    colour: Colour,
}

impl Terminal {
    /// A terminal of `width` columns.
    pub fn new(language: Language, width: usize, colour: Colour) -> Self {
        let width = width.clamp(NARROWEST, usize::from(u16::MAX));
        Self {
            catalogue: Catalogue::new(language),
            width,
            colour,
        }
    }

    /// The texts of this terminal's language.
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) fn text<'a>(&self, message: impl Into<Message<'a>>) -> String {
        self.catalogue.text(message)
    }

    /// A heading with an empty line before it.
    pub(crate) fn heading(&self, text: &str) -> String {
        let lines = paragraph::wrap(&clean(text), self.width, "");
        let painted: Vec<String> = lines
            .iter()
            .map(|line| self.colour.apply(Paint::Strong, line))
            .collect();
        format!("\n{}\n", painted.join("\n"))
    }

    /// A paragraph, wrapped.
    pub(crate) fn paragraph(&self, text: &str) -> String {
        let lines = paragraph::wrap(&clean(text), self.width, "");
        format!("{}\n", lines.join("\n"))
    }

    /// A paragraph behind a bullet.
    pub(crate) fn item(&self, text: &str) -> String {
        let lines = paragraph::wrap(&clean(text), self.width - 2, "");
        format!("• {}\n", lines.join("\n  "))
    }

    /// Names in a column, each with its text wrapped beside it.
    pub fn entries<'text>(
        &self,
        entries: impl IntoIterator<Item = (&'text str, &'text str)>,
    ) -> String {
        let entries: Vec<(&str, &str)> = entries.into_iter().collect();
        let column = entries
            .iter()
            .map(|(name, _)| name.width())
            .max()
            .unwrap_or(0)
            + 2;
        let indent = " ".repeat(column);
        let mut lines = Vec::new();
        for (name, text) in entries {
            let line = format!("{name}{}{}", " ".repeat(column - name.width()), clean(text));
            lines.extend(paragraph::wrap(&line, self.width, &indent));
        }
        lines.join("\n")
    }

    /// A table set to this terminal's width.
    pub(crate) fn table(&self, table: &Table) -> String {
        table.render(self.width, self.colour)
    }
}

#[cfg(test)]
mod tests;
