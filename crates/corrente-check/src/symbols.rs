//! Names and dotted paths of the whole program as numbers.
//!
//! One table for a run; equal texts have equal numbers, so that paths compare in one step.

use rustc_hash::FxHashMap;

/// A text of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symbol(pub(crate) u32);

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    texts: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, Symbol>,
}

impl Symbols {
    /// The number of a text, new or known.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let symbol = Symbol(self.texts.len() as u32);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), symbol);
        symbol
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }
}
