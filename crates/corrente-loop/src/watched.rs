//! Which descriptors are watched, and what to call when they are ready.
//!
//! A table by descriptor number. It says what the driver has to watch after a change; it does not ask the
//! driver itself, and calls nothing. Key invariant: the interest of an entry is what the driver was
//! told last.
//!
//! After an operation on a socket mostly comes another one, which tries before it waits: so the driver goes on watching
//! for news ([`Span::Kept`]) until it reports some for which nobody waits. A socket that was closed meanwhile has left
//! the driver, and its number may be another's: so it is remembered whose socket it was.

use corrente_driver::{Descriptor, Interest, Readiness};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use crate::memory::Room;
use crate::native::Rest;
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
    /// Wake a connection that rests.
    Rest(Py<Rest>),
}

/// How long a descriptor is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Span {
    /// Until the driver is told otherwise.
    #[default]
    Lasting,
    /// For operations: told when something comes, and beyond their ends until it comes for nobody.
    Kept,
}

/// What the driver was told of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    pub interest: Interest,
    pub span: Span,
}

impl Told {
    /// Whether the driver, told this, tells what another one asks for.
    fn keeps(self, other: Self) -> bool {
        let covers = |wants: fn(Interest) -> bool| wants(self.interest) || !wants(other.interest);
        let is_alike = other.span == Span::Kept || other.interest == Interest::None;
        self.span == Span::Kept && is_alike && covers(Interest::reads) && covers(Interest::writes)
    }
}

/// What is known of what a socket has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stock {
    /// Nothing: an attempt tells.
    #[default]
    Unknown,
    /// Whatever a read leaves behind will be news: one that takes less than it could has taken all.
    Known,
    /// All was taken, and no news have come since: an attempt would be in vain.
    Empty,
}

/// The targets of one descriptor.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    reader: Option<Target>,
    writer: Option<Target>,
    told: Told,
    stock: Stock,
    /// See [`Watched::trust`]; of others a read may end where something else is still to be read.
    tells_all: bool,
    /// Where the next read of an operation goes.
    room: Room,
}

impl Entry {
    pub(crate) fn target(&self, side: Side) -> Option<&Target> {
        match side {
            Side::Read => self.reader.as_ref(),
            Side::Write => self.writer.as_ref(),
        }
    }

    /// The stream that it is watched for.
    fn stream(&self) -> Option<&Py<PyAny>> {
        let mut targets = self.reader.iter().chain(&self.writer);
        targets.find_map(|target| match target {
            Target::Stream(stream) => Some(stream),
            Target::Handle(_) | Target::Operation(_) | Target::Rest(_) => None,
        })
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
                Span::Kept
            } else {
                Span::Lasting
            },
        }
    }

    /// Notes that the driver is to know what is wanted now.
    fn tell(&mut self, descriptor: Descriptor) -> Option<Change> {
        let (from, to) = (self.told, self.wanted());
        self.told = to;
        let is_told_of_news = self.tells_all && to.span == Span::Kept && to.interest.reads();
        self.stock = if is_told_of_news {
            Stock::Known
        } else {
            Stock::Unknown
        };
        (from != to).then_some(Change {
            descriptor,
            from,
            to,
        })
    }

    /// The driver has reported something. What came together with the peer's end or with an error is reported once:
    /// from then on each attempt has to be made.
    fn heard(&mut self, event: Readiness) {
        if event.interest.reads() && self.stock != Stock::Unknown {
            self.stock = if event.is_plain {
                Stock::Known
            } else {
                Stock::Unknown
            };
        }
    }

    /// Whether the driver has reported a side for which nobody waits.
    fn is_surplus(&self, interest: Interest) -> bool {
        let is_idle = (interest.reads() && self.reader.is_none())
            || (interest.writes() && self.writer.is_none());
        self.told.span == Span::Kept && is_idle
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    entries: Vec<Entry>,
    /// Whose the last target was: weak references, of which a socket has one.
    sockets: Vec<Option<Py<PyAny>>>,
    /// Streams that are open and watched on neither side: weak references, too. Nobody else would find them by
    /// their descriptors.
    unwatched: Vec<Option<Py<PyAny>>>,
}

/// The weak reference to a socket or a stream. A socket that cannot be referred to so is taken for another one each time.
pub(crate) fn weakly(socket: &Bound<'_, PyAny>) -> Option<Py<PyAny>> {
    let reference = PyWeakrefReference::new(socket).ok()?;
    Some(reference.into_any().unbind())
}

/// How a stream is known to the loop.
#[derive(Debug)]
pub(crate) enum Known {
    /// It is watched.
    Watched(Py<PyAny>),
    /// By a weak reference.
    Weakly(Py<PyAny>),
}

/// Whether two weak references are those of one socket.
fn is_one(known: Option<&Py<PyAny>>, socket: Option<&Py<PyAny>>) -> bool {
    matches!((known, socket), (Some(one), Some(other)) if one.is(other))
}

/// What the driver has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub descriptor: Descriptor,
    pub from: Told,
    pub to: Told,
}

impl Watched {
    pub(crate) fn get(&self, descriptor: Descriptor) -> Option<&Entry> {
        self.entries.get(descriptor.index())
    }

    /// Sets or removes a target; gives back the one that was there, and what the driver must know. Who watches a number for
    /// anything but an operation has the socket: whose it was before is forgotten.
    pub(crate) fn set(
        &mut self,
        descriptor: Descriptor,
        side: Side,
        target: Option<Target>,
    ) -> (Option<Target>, Option<Change>) {
        let index = descriptor.index();
        if index >= self.entries.len() {
            if target.is_none() {
                return (None, None);
            }
            self.entries.resize_with(index + 1, Entry::default);
        }
        let is_anothers = !matches!(target, Some(Target::Operation(_)) | None);
        if let Some(known) = self.sockets.get_mut(index).filter(|_| is_anothers) {
            // A weak reference without a callback runs no Python code when it goes.
            *known = None;
        }
        if matches!(target, Some(Target::Stream(_))) {
            self.forget(descriptor);
        }
        let entry = &mut self.entries[index];
        let before = std::mem::replace(entry.place(side), target);
        if entry.told.keeps(entry.wanted()) {
            return (before, None);
        }
        (before, entry.tell(descriptor))
    }

    /// Whether a descriptor is watched for a stream.
    pub(crate) fn has_stream(&self, descriptor: Descriptor) -> bool {
        self.get(descriptor).and_then(Entry::stream).is_some()
    }

    /// The stream of a descriptor.
    pub(crate) fn stream(&self, py: Python<'_>, descriptor: Descriptor) -> Option<Known> {
        let index = descriptor.index();
        let watched = self.entries.get(index).and_then(Entry::stream);
        let watched = watched.map(|stream| Known::Watched(stream.clone_ref(py)));
        watched.or_else(|| {
            let reference = self.unwatched.get(index)?.as_ref()?;
            Some(Known::Weakly(reference.clone_ref(py)))
        })
    }

    /// All streams.
    pub(crate) fn streams(&self, py: Python<'_>) -> Vec<Known> {
        let most = self.entries.len().max(self.unwatched.len());
        let numbers = (0..most).filter_map(|index| Descriptor::new(i32::try_from(index).ok()?));
        numbers
            .filter_map(|descriptor| self.stream(py, descriptor))
            .collect()
    }

    /// A stream is watched no more, or not yet: it is found by this weak reference.
    /// `reference` is exchanged for the one before it.
    pub(crate) fn remember(&mut self, descriptor: Descriptor, reference: &mut Option<Py<PyAny>>) {
        let index = descriptor.index();
        if index >= self.unwatched.len() {
            self.unwatched.resize_with(index + 1, || None);
        }
        std::mem::swap(&mut self.unwatched[index], reference);
    }

    /// No stream is found by a weak reference; gives it back.
    pub(crate) fn forget(&mut self, descriptor: Descriptor) -> Option<Py<PyAny>> {
        self.unwatched.get_mut(descriptor.index())?.take()
    }

    /// The next target is of this socket; `socket` is exchanged for the one before it. Whether that was another one, of which
    /// nothing that is known holds any more.
    pub(crate) fn meet(&mut self, descriptor: Descriptor, socket: &mut Option<Py<PyAny>>) -> bool {
        let index = descriptor.index();
        if index >= self.sockets.len() {
            self.sockets.resize_with(index + 1, || None);
        }
        let known = &mut self.sockets[index];
        let is_same = is_one(known.as_ref(), socket.as_ref());
        std::mem::swap(known, socket);
        if is_same {
            return false;
        }
        if index >= self.entries.len() {
            self.entries.resize_with(index + 1, Entry::default);
        }
        let entry = &mut self.entries[index];
        entry.tells_all = false;
        entry.stock = Stock::Unknown;
        if entry.told.span == Span::Kept {
            entry.told = Told::default();
        }
        true
    }

    /// The driver tells of each byte that the socket gets which was met last, and a read that takes less than it could has
    /// taken all.
    pub(crate) fn trust(&mut self, descriptor: Descriptor) {
        if let Some(entry) = self.entries.get_mut(descriptor.index()) {
            entry.tells_all = true;
        }
    }

    /// What the socket that was met there is watched as: one that was closed knows its number no more.
    pub(crate) fn met_as(&self, socket: Option<&Py<PyAny>>) -> Option<Descriptor> {
        let is_it = |known: &Option<Py<PyAny>>| is_one(known.as_ref(), socket);
        let index = self.sockets.iter().position(is_it)?;
        Descriptor::new(i32::try_from(index).ok()?)
    }

    /// Gives back whose socket it was, if nobody waits for it any more.
    pub(crate) fn part(&mut self, descriptor: Descriptor) -> Option<Py<PyAny>> {
        let is_free = self
            .get(descriptor)
            .is_none_or(|entry| entry.told == Told::default());
        let known = self.sockets.get_mut(descriptor.index());
        known.filter(|_| is_free).and_then(Option::take)
    }

    /// Where the next read of an operation goes: as large as the last one says, whichever socket's that was.
    pub(crate) fn room(&self, descriptor: Descriptor) -> Room {
        self.get(descriptor)
            .map_or(Room::Shared, |entry| entry.room)
    }

    /// A read of an operation has brought so many bytes.
    pub(crate) fn read(&mut self, descriptor: Descriptor, length: usize) {
        if let Some(entry) = self.entries.get_mut(descriptor.index()) {
            entry.room = entry.room.after(length);
        }
    }

    /// A read took less than it could have.
    pub(crate) fn emptied(&mut self, descriptor: Descriptor) {
        if let Some(entry) = self.entries.get_mut(descriptor.index())
            && entry.stock == Stock::Known
        {
            entry.stock = Stock::Empty;
        }
    }

    /// Whether there is nothing to read until there are news, if it is the socket that was met last.
    pub(crate) fn is_empty(&self, descriptor: Descriptor) -> bool {
        let entry = self.get(descriptor);
        entry.is_some_and(|entry| entry.stock == Stock::Empty)
    }

    /// Whether the socket that was met last is this one.
    pub(crate) fn is_met(&self, descriptor: Descriptor, socket: Option<&Py<PyAny>>) -> bool {
        let known = self.sockets.get(descriptor.index());
        is_one(known.and_then(Option::as_ref), socket)
    }

    /// The driver has reported a descriptor; and what it must know, if nobody waits for that.
    pub(crate) fn reported(&mut self, event: Readiness) -> Option<(&Entry, Option<Change>)> {
        let entry = self.entries.get_mut(event.descriptor.index())?;
        entry.heard(event);
        let is_surplus = entry.is_surplus(event.interest);
        let change = is_surplus.then(|| entry.tell(event.descriptor)).flatten();
        Some((entry, change))
    }

    /// The driver refused a change: what was there before is there again.
    pub(crate) fn undo(
        &mut self,
        change: Change,
        side: Side,
        before: Option<Target>,
    ) -> Option<Target> {
        let entry = self.entries.get_mut(change.descriptor.index())?;
        entry.told = change.from;
        entry.stock = Stock::Unknown;
        std::mem::replace(entry.place(side), before)
    }

    /// All targets; the table is empty afterwards.
    pub(crate) fn clear(&mut self) -> Vec<Target> {
        // A weak reference without a callback runs no Python code when it goes.
        self.sockets.clear();
        self.unwatched.clear();
        let entries = std::mem::take(&mut self.entries).into_iter();
        entries
            .flat_map(|entry| [entry.reader, entry.writer])
            .flatten()
            .collect()
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.entries
            .iter()
            .flat_map(|entry| [&entry.reader, &entry.writer])
            .flatten()
    }
}
