//! The different places of a module's operations, numbered as they come.
//!
//! Two modules that are made of the same operations number their places alike, wherever these are: so
//! what was found of one can be told of the other.

use rustc_hash::FxHashMap;

use crate::facts::{ModuleFacts, Span};

/// Places, each once.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    list: Vec<Span>,
    numbers: FxHashMap<Span, u32>,
}

impl Spans {
    /// Those of all operations of a module.
    pub(crate) fn of(facts: &ModuleFacts) -> Self {
        let mut spans = Self::default();
        let functions = facts.functions.iter();
        for operation in functions.flat_map(|function| &function.operations) {
            spans.number(operation.span);
        }
        spans
    }

    /// The number of a place, new or known.
    pub(crate) fn number(&mut self, span: Span) -> u32 {
        // Operations of one expression often stand at one place.
        if let Some((last, before)) = self.list.split_last()
            && *last == span
        {
            return before.len() as u32;
        }
        let next = self.list.len() as u32;
        let number = *self.numbers.entry(span).or_insert(next);
        if number == next {
            self.list.push(span);
        }
        number
    }

    /// The number of a place that is known.
    pub(crate) fn known(&self, span: Span) -> Option<u32> {
        self.numbers.get(&span).copied()
    }

    /// All of them, by number.
    pub(crate) fn all(&self) -> &[Span] {
        &self.list
    }
}
