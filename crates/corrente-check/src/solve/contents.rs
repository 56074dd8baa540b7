//! What is in collections: a cell for each key, one for all of them, and how one flows into another.
//!
//! An operation that pours one collection into another once more has only to look at what has grown
//! since: sets only grow, so the rest is there already, and it is a reader of all of it.

use rustc_hash::FxHashMap;

use super::cells::{CellId, Moment, Task};
use super::heap::Owner;
use super::machine::Machine;
use super::values::ValueSet;
use crate::symbols::Symbol;

/// What is in a collection.
#[derive(Debug)]
pub(super) struct Contents {
    /// What it holds, whatever the key.
    pub(super) summary: CellId,
    keys: Vec<Symbol>,
    /// The cell of each key.
    cells: Vec<CellId>,
}

impl Contents {
    pub(super) fn new(summary: CellId) -> Self {
        Self {
            summary,
            keys: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// The cell of a key that it has.
    pub(super) fn cell(&self, key: Symbol) -> Option<CellId> {
        let number = self.keys.iter().position(|known| *known == key)?;
        Some(self.cells[number])
    }

    /// The keys that it is known to have.
    pub(super) fn keys(&self) -> &[Symbol] {
        &self.keys
    }

    /// Notes a new key.
    pub(super) fn add(&mut self, key: Symbol, cell: CellId) {
        self.keys.push(key);
        self.cells.push(cell);
    }

    fn entries(&self) -> impl Iterator<Item = (Symbol, CellId)> + '_ {
        self.keys.iter().copied().zip(self.cells.iter().copied())
    }
}

/// One collection flowing into another by an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pouring {
    by: Task,
    from: Owner,
    into: Owner,
}

/// How far an operation has seen a collection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    keys: usize,
    at: Moment,
}

/// What operations have poured.
pub(super) type Poured = FxHashMap<Pouring, Seen>;

impl Machine<'_> {
    /// All keys that are known, with what is under them.
    pub(super) fn named(&mut self, owner: Owner) -> Vec<(Symbol, ValueSet)> {
        self.named_since(owner, None)
    }

    /// The same, without what an operation that has read all of it has seen.
    fn named_since(&mut self, owner: Owner, seen: Option<Seen>) -> Vec<(Symbol, ValueSet)> {
        let contents = self.heap.contents(owner);
        let summary = contents.summary;
        let entries: Vec<(Symbol, CellId)> = contents.entries().collect();
        self.read_cell(summary);
        let cells = &self.heap.cells;
        let is_new = |number: usize, cell: CellId| {
            seen.is_none_or(|seen| number >= seen.keys || cells.has_grown(cell, seen.at))
        };
        let new = entries.into_iter().enumerate();
        let new: Vec<(Symbol, CellId)> = new
            .filter(|(number, (_, cell))| is_new(*number, *cell))
            .map(|(_, entry)| entry)
            .collect();
        new.into_iter()
            .map(|(key, cell)| (key, self.read_cell(cell)))
            .collect()
    }

    /// Puts all of one collection into another.
    pub(super) fn pour(&mut self, into: Owner, from: Owner) {
        let by = self.current.task();
        let pouring = Pouring { by, from, into };
        let seen = Seen {
            keys: self.heap.contents(from).keys().len(),
            at: self.heap.cells.now(),
        };
        let before = self.poured.insert(pouring, seen);
        for (key, values) in self.named_since(from, before) {
            self.heap.put(into, key, &values);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Catalogue, Source, check};

    /// The lines of blocking calls of a program in which `table` takes in `base` before that is filled.
    fn found(filled: &str) -> Vec<u32> {
        let text = format!(
            "import time\n\
             def slow():\n    time.sleep(1)\n\
             base = {{'do': print}}\n\
             table = {{}}\n\
             def take():\n    table.update(base)\n\
             def fill():\n    {filled}\n\
             take()\nfill()\n\
             async def main():\n    table['do']()\n    table['do more']()\n"
        );
        let source = Source {
            path: "main.py".to_owned(),
            module: None,
            text,
        };
        let catalogue = Catalogue::built_in().expect("the catalogue is sound");
        let report = check(&[source], &catalogue, 1);
        let findings = report.findings.iter();
        findings.map(|finding| finding.place.line).collect()
    }

    #[test]
    fn what_comes_under_a_key_later_flows_on() {
        assert_eq!(found("base['do'] = slow"), [3]);
    }

    #[test]
    fn a_key_that_comes_later_flows_on() {
        assert_eq!(found("base['do more'] = slow"), [3]);
    }

    #[test]
    fn what_does_not_come_does_not_flow() {
        assert_eq!(found("base['do'] = print"), [0; 0]);
    }
}
