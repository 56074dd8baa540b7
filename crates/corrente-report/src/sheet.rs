//! A table in words, before it is set: heads, what a column holds, and rows.
//!
//! What the terminal and a page both show is put together once, as a sheet; how it looks is theirs.
//! It knows no catalogue and no report. Invariant: a row has as many cells as there are heads.

/// What a column holds: words lean on the left, numbers on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Words,
    Number,
}

/// Heads and rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    pub(crate) heads: Vec<(String, Kind)>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A sheet without rows.
    pub(crate) fn new(heads: impl IntoIterator<Item = (String, Kind)>) -> Self {
        Self {
            heads: heads.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// The same columns in another order, by their places; one that is not named is left out.
    pub(crate) fn ordered(&self, places: &[usize]) -> Self {
        let pick = |row: &Vec<String>| {
            let cells = places.iter().filter_map(|place| row.get(*place));
            cells.cloned().collect()
        };
        let heads = places.iter().filter_map(|place| self.heads.get(*place));
        Self {
            heads: heads.cloned().collect(),
            rows: self.rows.iter().map(pick).collect(),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.heads.len());
        self.rows.push(row);
    }
}
