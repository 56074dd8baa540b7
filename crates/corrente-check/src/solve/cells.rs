//! Cells: places that hold values, and the operations that read them.
//!
//! A cell knows its readers, so that they run again when it grows, and the cells that hold at
//! least what it holds: what an attribute lookup finds in several places is one cell of its own.

use rustc_hash::FxHashSet;

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

/// Readers that are searched one by one; beyond, a set knows them.
const LISTED_MAX: usize = 16;

/// Who has to run again when something grows; each once, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    list: Vec<Task>,
    known: Option<Box<FxHashSet<u64>>>,
}

impl Readers {
    pub(super) fn add(&mut self, task: Task) {
        // An operation often reads one cell several times in a row.
        if self.list.last() == Some(&task) {
            return;
        }
        if let Some(known) = &mut self.known {
            if known.insert(task.packed()) {
                self.list.push(task);
            }
        } else if !self.list.contains(&task) {
            self.list.push(task);
            if self.list.len() > LISTED_MAX {
                self.known = Some(Box::new(
                    self.list.iter().copied().map(Task::packed).collect(),
                ));
            }
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
    /// Cells that hold all that this one holds.
    wider: Vec<CellId>,
    /// When it last grew.
    grown: Moment,
}

/// A moment, counted in growths of cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

/// All cells.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    list: Vec<Cell>,
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
            let cell = &mut self.list[source.0 as usize];
            cell.wider.push(union);
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
        if !self.extend(cell, values) {
            return;
        }
        let mut open = self.list[cell.0 as usize].wider.clone();
        while let Some(next) = open.pop() {
            if self.extend(next, values) {
                open.extend_from_slice(&self.list[next.0 as usize].wider);
            }
        }
    }

    fn extend(&mut self, cell: CellId, values: &ValueSet) -> bool {
        let cell = &mut self.list[cell.0 as usize];
        if !cell.values.extend(values) {
            return false;
        }
        self.now.0 += 1;
        cell.grown = self.now;
        self.woken.extend_from_slice(cell.readers.tasks());
        true
    }

    pub(super) fn now(&self) -> Moment {
        self.now
    }

    /// Whether a cell has grown since.
    pub(super) fn has_grown(&self, cell: CellId, since: Moment) -> bool {
        self.list[cell.0 as usize].grown > since
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
