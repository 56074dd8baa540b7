//! Cells: places that hold values, and the operations that read them.
//!
//! A cell knows its readers, so that they run again when it grows, and the cells that hold at
//! least what it holds: what an attribute lookup finds in several places is one cell of its own.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::instance::InstanceId;
use super::values::ValueSet;

/// An operation of a body in its circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Task {
    pub(crate) instance: InstanceId,
    pub(crate) operation: u32,
}

impl Task {
    /// In one word, which is hashed in one step.
    fn packed(self) -> u64 {
        u64::from(self.instance.0) << 32 | u64::from(self.operation)
    }
}

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CellId(u32);

/// Readers that are searched one by one; beyond, the list may have some twice.
const LISTED_MAX: usize = 16;

/// Readers that need no memory of their own.
const FEW: usize = 2;

/// Who has to run again when something grows, in the order in which they first came.
///
/// In a long list some may stand more than once, which does no harm: who is woken twice runs once. A set of those
/// that are known would take more memory than the list, and a look into it is a look into memory that is far
/// away; the end of a list is near.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    list: SmallVec<[Task; FEW]>,
}

impl Readers {
    pub(super) fn add(&mut self, task: Task) {
        // An operation often reads one cell several times in a row.
        if self.list.last() == Some(&task) {
            return;
        }
        if self.list.len() <= LISTED_MAX && self.list.contains(&task) {
            return;
        }
        if self.list.len() > LISTED_MAX && self.list.len() == self.list.capacity() {
            self.thin_out();
        }
        self.list.push(task);
    }

    /// Leaves each where it first stands. Where that is most of them, the list becomes twice as long before it is
    /// looked through again.
    fn thin_out(&mut self) {
        let mut known = FxHashSet::default();
        known.reserve(self.list.len());
        self.list.retain(|task| known.insert(task.packed()));
        if self.list.len() > self.list.capacity() / 3 * 2 {
            self.list.reserve(self.list.capacity());
        }
    }

    pub(super) fn tasks(&self) -> &[Task] {
        &self.list
    }
}

#[derive(Debug, Default)]
struct Cell {
    values: ValueSet,
    readers: Readers,
    /// When it last grew.
    grown: Moment,
    width: Width,
}

/// Whether others hold all that a cell holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Width {
    #[default]
    Alone,
    /// Some do: see [`Cells::wider`].
    Shared,
}

/// A moment, counted in growths of cells. The last one that can be counted never passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u32);

/// All cells.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    list: Vec<Cell>,
    /// Cells that hold all that one of them holds.
    wider: FxHashMap<CellId, Vec<CellId>>,
    /// Operations that have to run again.
    pub(super) woken: Vec<Task>,
    now: Moment,
}

impl Cells {
    pub(super) fn add(&mut self) -> CellId {
        self.list.push(Cell::default());
        CellId(self.list.len() as u32 - 1)
    }

    /// A cell that holds what all of `sources` hold, now and later.
    pub(super) fn union(&mut self, sources: &[CellId]) -> CellId {
        if let [only] = sources {
            return *only;
        }
        let union = self.add();
        for source in sources {
            self.wider.entry(*source).or_default().push(union);
            let cell = &mut self.list[source.0 as usize];
            cell.width = Width::Shared;
            let values = cell.values.clone();
            self.list[union.0 as usize].values.extend(&values);
        }
        union
    }

    /// What a cell holds; `reader` runs again when that grows.
    pub(super) fn read(&mut self, cell: CellId, reader: Task) -> ValueSet {
        let cell = &mut self.list[cell.0 as usize];
        cell.readers.add(reader);
        cell.values.clone()
    }

    /// The same, without becoming a reader.
    pub(super) fn peek(&self, cell: CellId) -> &ValueSet {
        &self.list[cell.0 as usize].values
    }

    pub(super) fn write(&mut self, cell: CellId, values: &ValueSet) {
        let mut open = self.extend(cell, values);
        while let Some(next) = open.pop() {
            open.append(&mut self.extend(next, values));
        }
    }

    /// Adds to one cell; gives those that hold all that it holds, if that is new.
    fn extend(&mut self, id: CellId, values: &ValueSet) -> Vec<CellId> {
        let cell = &mut self.list[id.0 as usize];
        if !cell.values.extend(values) {
            return Vec::new();
        }
        self.now.0 = self.now.0.saturating_add(1);
        cell.grown = self.now;
        self.woken.extend_from_slice(cell.readers.tasks());
        if cell.width == Width::Alone {
            return Vec::new();
        }
        self.wider.get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn now(&self) -> Moment {
        self.now
    }

    /// Whether a cell has grown since.
    pub(super) fn has_grown(&self, cell: CellId, since: Moment) -> bool {
        self.list[cell.0 as usize].grown > since || since == Moment(u32::MAX)
    }

    /// Cells that could take no more.
    pub(super) fn full(&self) -> usize {
        self.list
            .iter()
            .filter(|cell| cell.values.is_full())
            .count()
    }

    /// Wakes the readers of a cell.
    pub(super) fn touch(&mut self, cell: CellId) {
        let cell = &self.list[cell.0 as usize];
        self.woken.extend_from_slice(cell.readers.tasks());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(number: u32) -> Task {
        Task {
            instance: InstanceId(number),
            operation: 0,
        }
    }

    #[test]
    fn readers_stay_in_the_order_in_which_they_first_came() {
        let mut readers = Readers::default();
        for round in 0..50 {
            for number in 0..100 {
                readers.add(task((number + round) % 100));
            }
        }
        readers.thin_out();
        let all: Vec<Task> = (0..100).map(task).collect();
        assert_eq!(readers.tasks(), all);
    }

    #[test]
    fn a_list_of_readers_that_come_again_and_again_stays_short() {
        let mut readers = Readers::default();
        for number in 0..100_000 {
            readers.add(task(number % 100));
        }
        assert!(readers.tasks().len() < 300, "{}", readers.tasks().len());
    }
}
