//! What is in collections: a cell for each key, one for all of them, and how one flows into another.
//!
//! An operation that pours one collection into another once more has only to look at what has grown
//! since: sets only grow, so the rest is there already, and it is a reader of all of it.

use rustc_hash::FxHashMap;

use super::cells::{CellId, Cells, Moment, Task};
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
    /// When it was last seen to hold nothing that carries callables.
    plain: Option<Plain>,
}

/// How much a collection held, and what could be told apart, when it held nothing that carries callables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) members: usize,
    pub(super) carriers: u32,
}

impl Contents {
    pub(super) fn new(summary: CellId) -> Self {
        Self {
            summary,
            keys: Vec::new(),
            cells: Vec::new(),
            plain: None,
        }
    }

    /// Whether it was seen to hold nothing that carries callables, and has not changed since.
    pub(super) fn is_plain(&self, now: Plain) -> bool {
        self.plain == Some(now)
    }

    /// Notes that it holds nothing that carries callables.
    pub(super) fn note_plain(&mut self, now: Plain) {
        self.plain = Some(now);
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

    /// The keys that are new or under which something is new for who has seen so much.
    pub(super) fn entries_since(&self, seen: Option<Seen>, cells: &Cells) -> Vec<(Symbol, CellId)> {
        let entries = self.keys.iter().copied().zip(self.cells.iter().copied());
        let Some(seen) = seen else {
            return entries.collect();
        };
        let new = entries.enumerate();
        new.filter(|(number, (_, cell))| *number >= seen.keys || cells.has_grown(*cell, seen.at))
            .map(|(_, entry)| entry)
            .collect()
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
        let summary = self.heap.summary(owner);
        self.read_cell(summary);
        self.heap
            .entries_since(owner, seen)
            .into_iter()
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
    use super::super::heap::Heap;
    use super::super::values::{Value, ValueSet};
    use crate::symbols::Symbol;
    use crate::{Catalogue, Source, check};

    #[test]
    fn a_collection_is_asked_again_for_what_it_carries_when_anything_may_be_new() {
        let mut heap = Heap::new(Symbol(0));
        let owner = heap.new_owner();
        let put = |heap: &mut Heap, values: [u32; 1]| {
            let values: ValueSet = values.into_iter().map(Value::numbered).collect();
            heap.put(owner, Symbol(1), &values);
        };
        put(&mut heap, [1]);
        assert!(heap.peek_unknown(owner).is_some(), "nobody has looked");
        heap.note_plain(owner, 1);
        assert!(heap.peek_unknown(owner).is_none(), "nothing has changed");
        put(&mut heap, [1]);
        assert!(heap.peek_unknown(owner).is_none(), "it holds the same");
        put(&mut heap, [2]);
        assert!(heap.peek_unknown(owner).is_some(), "it holds more");
        heap.note_plain(owner, 2);
        heap.carriers += 1;
        assert!(heap.peek_unknown(owner).is_some(), "an object is another");
    }

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
