//! Which descriptors are watched, and what to call when they are ready.
//!
//! A table by descriptor number. It says what the driver has to watch after a change; it does not ask the
//! driver itself, and calls nothing. Key invariant: the interest of an entry is what the driver was
//! told last, or nothing once it has reported what was to be watched once.

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

/// How long a descriptor is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Span {
    /// Until the driver is told otherwise.
    #[default]
    Lasting,
    /// Until it is ready: only operations wait, which go on once and then ask again.
    Once,
}

/// What the driver was told of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    pub interest: Interest,
    pub span: Span,
}

/// The targets of one descriptor.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    reader: Option<Target>,
    writer: Option<Target>,
    told: Told,
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

    fn wanted(&self) -> Told {
        let mut targets = self.reader.iter().chain(&self.writer);
        let has_any = self.reader.is_some() || self.writer.is_some();
        let are_operations = targets.all(|target| matches!(target, Target::Operation(_)));
        Told {
            interest: Interest::of(self.reader.is_some(), self.writer.is_some()),
            span: if has_any && are_operations {
                Span::Once
            } else {
                Span::Lasting
            },
        }
    }

    /// Notes that the driver is to know what is wanted now.
    fn tell(&mut self, descriptor: Descriptor) -> Option<Change> {
        let (from, to) = (self.told, self.wanted());
        self.told = to;
        // One that is watched once may have been closed since, and be another of its number: it is told each time.
        let is_news = from != to || to.span == Span::Once;
        is_news.then_some(Change {
            descriptor,
            from,
            to,
        })
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Watched(Vec<Entry>);

/// What the driver has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub descriptor: Descriptor,
    pub from: Told,
    pub to: Told,
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
        (before, entry.tell(descriptor))
    }

    /// An operation could not go on: what the driver must know for it to be tried again.
    pub(crate) fn again(&mut self, descriptor: Descriptor) -> Option<Change> {
        let entry = self.0.get_mut(descriptor.index())?;
        // Else the driver tells of it without being asked.
        (entry.told == Told::default())
            .then(|| entry.tell(descriptor))
            .flatten()
    }

    /// The driver has reported a descriptor: what was watched once is no longer.
    pub(crate) fn reported(&mut self, descriptor: Descriptor) -> Option<&Entry> {
        let entry = self.0.get_mut(descriptor.index())?;
        if entry.told.span == Span::Once {
            entry.told = Told::default();
        }
        Some(entry)
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
