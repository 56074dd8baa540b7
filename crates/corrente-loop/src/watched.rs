//! Which descriptors are watched, and what to call when they are ready.
//!
//! A table by descriptor number. It says what the driver has to watch after a change; it does not ask the
//! driver itself, and calls nothing. Key invariant: the interest of an entry is what the driver was
//! told last.

use corrente_driver::{Descriptor, Interest};
use pyo3::prelude::*;

use crate::operation::Operation;

/// One side of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Read,
    Write,
}

/// What to do when a side is ready.
#[derive(Debug)]
pub(crate) enum Target {
    /// Call it.
    Handle(Py<PyAny>),
    /// Let a stream of ours read or write.
    Stream(Py<PyAny>),
    /// Go on with what `sock_recv` and the like began.
    Operation(Py<Operation>),
}

/// The targets of one descriptor.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    reader: Option<Target>,
    writer: Option<Target>,
    /// What the driver was told.
    told: Interest,
}

impl Entry {
    pub(crate) fn target(&self, side: Side) -> Option<&Target> {
        match side {
            Side::Read => self.reader.as_ref(),
            Side::Write => self.writer.as_ref(),
        }
    }

    fn place(&mut self, side: Side) -> &mut Option<Target> {
        match side {
            Side::Read => &mut self.reader,
            Side::Write => &mut self.writer,
        }
    }

    fn wanted(&self) -> Interest {
        Interest::of(self.reader.is_some(), self.writer.is_some())
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Watched(Vec<Entry>);

/// What the driver has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub descriptor: Descriptor,
    pub from: Interest,
    pub to: Interest,
}

impl Watched {
    pub(crate) fn get(&self, descriptor: Descriptor) -> Option<&Entry> {
        self.0.get(descriptor.index())
    }

    /// Sets or removes a target; gives back the one that was there, and what the driver must know.
    pub(crate) fn set(
        &mut self,
        descriptor: Descriptor,
        side: Side,
        target: Option<Target>,
    ) -> (Option<Target>, Option<Change>) {
        let index = descriptor.index();
        if index >= self.0.len() {
            if target.is_none() {
                return (None, None);
            }
            self.0.resize_with(index + 1, Entry::default);
        }
        let entry = &mut self.0[index];
        let before = std::mem::replace(entry.place(side), target);
        let change = Change {
            descriptor,
            from: entry.told,
            to: entry.wanted(),
        };
        entry.told = change.to;
        (before, (change.from != change.to).then_some(change))
    }

    /// The driver refused a change: what was there before is there again.
    pub(crate) fn undo(
        &mut self,
        change: Change,
        side: Side,
        before: Option<Target>,
    ) -> Option<Target> {
        let entry = self.0.get_mut(change.descriptor.index())?;
        entry.told = change.from;
        std::mem::replace(entry.place(side), before)
    }

    /// All targets; the table is empty afterwards.
    pub(crate) fn clear(&mut self) -> Vec<Target> {
        let entries = std::mem::take(&mut self.0).into_iter();
        entries
            .flat_map(|entry| [entry.reader, entry.writer])
            .flatten()
            .collect()
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.0
            .iter()
            .flat_map(|entry| [&entry.reader, &entry.writer])
            .flatten()
    }
}
