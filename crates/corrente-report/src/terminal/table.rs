//! A table for a terminal: columns, cells, and one look for all of them.
//!
//! The layout is comfy-table's, which measures display columns; this adds the look and the paint.
//! It knows nothing of results. Invariant: cells are cleaned here, so no caller can forget it.

use comfy_table::presets::NOTHING;
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Layout, Width,
};
use unicode_width::UnicodeWidthStr;

use super::Terminal;
use super::paint::{Colour, Paint};
use super::paragraph::clean;
use crate::catalogue::Message;
use crate::sheet::{Kind, Sheet};

/// Side of a column that its cells lean on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One cell; line breaks are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    paint: Option<Paint>,
}

impl Cell {
    pub(crate) fn painted(text: impl Into<String>, paint: impl Into<Paint>) -> Self {
        Self {
            text: text.into(),
            paint: Some(paint.into()),
        }
    }

    fn render(&self, colour: Colour) -> String {
        let text = clean(&self.text);
        self.paint
            .map_or_else(|| text.clone(), |paint| colour.mark(paint, &text))
    }

    /// Width of the widest line.
    fn width(&self) -> usize {
        clean(&self.text)
            .lines()
            .map(UnicodeWidthStr::width)
            .max()
            .unwrap_or(0)
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            paint: None,
        }
    }
}

/// Columns and rows.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heads: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl From<Sheet> for Table {
    fn from(sheet: Sheet) -> Self {
        let align = |kind| match kind {
            Kind::Words => Align::Left,
            Kind::Number => Align::Right,
        };
        let heads = sheet.heads.into_iter();
        let mut table = Self::new(heads.map(|(head, kind)| (head, align(kind))));
        for row in sheet.rows {
            table.push(row.into_iter().map(Cell::from).collect());
        }
        table
    }
}

/// Columns of blank between two cells.
const GAP: u16 = 2;

impl Table {
    pub(crate) fn new(heads: impl IntoIterator<Item = (String, Align)>) -> Self {
        Self {
            heads: heads.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// Paints the last cell of each row, from the first on.
    pub(super) fn paint_last(&mut self, paints: impl Iterator<Item = Paint>) {
        for (row, paint) in self.rows.iter_mut().zip(paints) {
            if let Some(cell) = row.last_mut() {
                cell.paint = Some(paint);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row of nothing, to set groups apart.
    pub(crate) fn push_gap(&mut self) {
        if !self.rows.is_empty() {
            self.rows.push(vec![Cell::default(); self.heads.len()]);
        }
    }

    pub(super) fn render(&self, width: usize, colour: Colour) -> String {
        let mut layout = Layout::new();
        let rule = LineStyle::none().fill('─').junction('─');
        layout.load_style(NOTHING.header_separator(rule));
        layout.set_content_arrangement(ContentArrangement::Dynamic);
        layout.set_width(width as u16);
        let heads = self
            .heads
            .iter()
            .map(|(head, _)| colour.mark(Paint::Strong, &clean(head)));
        layout.set_header(heads.collect::<Vec<_>>());
        for row in &self.rows {
            layout.add_row(
                row.iter()
                    .map(|cell| cell.render(colour))
                    .collect::<Vec<_>>(),
            );
        }
        self.arrange(&mut layout, width);
        let lines: Vec<String> = layout
            .lines()
            .map(|line| colour.finish(line.trim_end()))
            .collect();
        format!("{}\n", lines.join("\n"))
    }

    /// What is left for the first column, or all that it asks for where that is less than is readable.
    fn room(&self, width: usize) -> usize {
        let gaps = self.heads.len().saturating_sub(1) * usize::from(GAP);
        let others: usize = (1..self.heads.len())
            .map(|index| self.body_width(index))
            .sum();
        let left = width.saturating_sub(others + gaps);
        if left >= self.body_width(0) {
            left.max(READABLE_FIRST)
        } else {
            left
        }
    }

    /// The first column gives way; the others keep the width of their content where that fits.
    fn arrange(&self, layout: &mut Layout, width: usize) {
        let last = self.heads.len().saturating_sub(1);
        let gaps = last * usize::from(GAP);
        let contents: Vec<usize> = (0..self.heads.len())
            .map(|index| self.body_width(index))
            .collect();
        let others: usize = contents.iter().skip(1).sum();
        let keeps_others = others + gaps + SMALLEST_FIRST <= width;
        for (index, column) in layout.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { GAP }));
            if let Some((_, Align::Right)) = self.heads.get(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if keeps_others && index > 0 {
                let padded = contents[index] + if index == last { 0 } else { usize::from(GAP) };
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded as u16)));
            }
        }
    }

    /// Width that a column's cells ask for; of a head, only its longest word.
    fn body_width(&self, index: usize) -> usize {
        let cells = self
            .rows
            .iter()
            .filter_map(|row| row.get(index))
            .map(Cell::width)
            .max();
        let head = self.heads.get(index).map_or(0, |(head, _)| {
            head.split_whitespace()
                .map(UnicodeWidthStr::width)
                .max()
                .unwrap_or(0)
        });
        cells.unwrap_or(0).max(head)
    }
}

impl Terminal {
    /// A sheet without as many of the columns to spare as its first column needs to be read, and the heads of
    /// those that it lost.
    pub(super) fn fitted(&self, sheet: Sheet, spare: &[Message<'_>]) -> (Sheet, Vec<String>) {
        let mut sheet = sheet;
        let mut left_out = Vec::new();
        for head in spare.iter().map(|head| self.text(*head)) {
            if Table::from(sheet.clone()).room(self.width) >= READABLE_FIRST {
                break;
            }
            let Some(place) = sheet.heads.iter().position(|(known, _)| *known == head) else {
                continue;
            };
            let others: Vec<usize> = (0..sheet.heads.len()).filter(|one| *one != place).collect();
            sheet = sheet.ordered(&others);
            left_out.push(head);
        }
        (sheet, left_out)
    }
}

/// With this many columns a method and a route of three parts stand on one line or two.
const READABLE_FIRST: usize = 24;

/// The least that the first column is left with before the others have to break as well.
const SMALLEST_FIRST: usize = 16;
