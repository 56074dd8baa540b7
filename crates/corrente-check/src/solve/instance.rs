//! Bodies in their circumstances: what they hold, which of their operations are due, whom they call.
//!
//! One function has as many of these as there are circumstances in which it is told apart.

use rustc_hash::FxHashSet;

use super::cells::Readers;
use super::flags::SetId;
use super::heap::{ClassId, ContextId, Owner};
use super::values::ValueSet;
use crate::facts::{FunctionFacts, Span};
use crate::finding::Certainty;
use crate::program::FunctionId;

/// A body in its circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceId(pub(crate) u32);

/// Where a call leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    Body(InstanceId),
    Leaf(u32),
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) span: Span,
    pub(crate) to: Reach,
    pub(crate) certainty: Certainty,
}

/// Edges that are searched one by one; beyond, a set knows them.
const LISTED_MAX: usize = 16;

/// A body in its circumstances, and what is known of it.
#[derive(Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) function: FunctionId,
    pub(super) facts: &'a FunctionFacts,
    pub(crate) outer: Option<InstanceId>,
    pub(crate) context: ContextId,
    /// What its parameters are for certain.
    pub(crate) constants: SetId,
    /// Something calls it: it is not only there because the function is.
    pub(crate) is_called: bool,
    /// Operations that never run with these constants, a bit each.
    pub(super) dead: Option<Box<[u64]>>,
    /// The owner of its cells.
    pub(crate) owner: Owner,
    /// The class of whose body this is, or in whose body it stands.
    pub(crate) class: Option<ClassId>,
    pub(super) slots: Box<[ValueSet]>,
    /// Who uses what it returns or yields.
    pub(super) readers: Readers,
    pub(super) due: Due,
    /// It is in the queue, or runs.
    pub(super) queued: bool,
    pub(crate) edges: Vec<Edge>,
    known_edges: Option<Box<FxHashSet<Edge>>>,
}

/// What a body is made of.
#[derive(Debug)]
pub(super) struct NewInstance<'a> {
    pub(super) function: FunctionId,
    pub(super) facts: &'a FunctionFacts,
    pub(super) outer: Option<InstanceId>,
    pub(super) context: ContextId,
    pub(super) constants: SetId,
    pub(super) owner: Owner,
    pub(super) class: Option<ClassId>,
}

impl<'a> Instance<'a> {
    /// A body of which every operation is due.
    pub(super) fn new(new: &NewInstance<'a>) -> Self {
        Self {
            function: new.function,
            facts: new.facts,
            outer: new.outer,
            context: new.context,
            constants: new.constants,
            is_called: false,
            dead: None,
            owner: new.owner,
            class: new.class,
            slots: vec![ValueSet::default(); new.facts.slots as usize].into_boxed_slice(),
            readers: Readers::default(),
            due: Due::all(new.facts.operations.len()),
            queued: false,
            edges: Vec::new(),
            known_edges: None,
        }
    }

    /// Whether an operation never runs.
    pub(super) fn is_dead(&self, operation: u32) -> bool {
        let dead = self.dead.as_ref();
        dead.is_some_and(|dead| dead[operation as usize / 64] >> (operation % 64) & 1 == 1)
    }

    /// Makes the calls of another body its own, if it calls that.
    pub(super) fn absorb(&mut self, other: InstanceId, calls: &[Edge]) {
        let before = self.edges.len();
        self.edges.retain(|edge| edge.to != Reach::Body(other));
        if self.edges.len() == before {
            return;
        }
        self.known_edges = None;
        for edge in calls {
            self.note(*edge);
        }
    }

    /// Notes a call.
    pub(super) fn note(&mut self, edge: Edge) {
        if let Some(known) = &mut self.known_edges {
            if known.insert(edge) {
                self.edges.push(edge);
            }
        } else if !self.edges.contains(&edge) {
            self.edges.push(edge);
            if self.edges.len() > LISTED_MAX {
                self.known_edges = Some(Box::new(self.edges.iter().copied().collect()));
            }
        }
    }
}

/// Which operations of a body have to run, a bit each.
#[derive(Debug)]
pub(super) struct Due(Box<[u64]>);

impl Due {
    fn all(operations: usize) -> Self {
        let mut words = vec![u64::MAX; operations.div_ceil(64)];
        if let (Some(last), rest @ 1..) = (words.last_mut(), operations % 64) {
            *last = (1 << rest) - 1;
        }
        Self(words.into_boxed_slice())
    }

    pub(super) fn set(&mut self, operation: u32) {
        self.0[operation as usize / 64] |= 1 << (operation % 64);
    }

    /// The next operation at or after `from`, else the first; it is not due any more.
    pub(super) fn take(&mut self, from: u32) -> Option<u32> {
        let start = from as usize / 64;
        let ahead = self
            .0
            .get(start)
            .map(|word| word & (u64::MAX << (from % 64)));
        if let Some(word) = ahead.filter(|word| *word != 0) {
            return Some(self.clear(start, word));
        }
        let behind = 0..self.0.len().min(start + 1);
        let mut order = (start + 1..self.0.len()).chain(behind);
        let found = order.find(|number| self.0[*number] != 0)?;
        Some(self.clear(found, self.0[found]))
    }

    fn clear(&mut self, number: usize, word: u64) -> u32 {
        let bit = word.trailing_zeros();
        self.0[number] &= !(1 << bit);
        number as u32 * 64 + bit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_come_in_order_and_around() {
        let mut due = Due::all(130);
        let mut from = 0;
        let mut taken = Vec::new();
        while let Some(operation) = due.take(from) {
            taken.push(operation);
            from = operation + 1;
        }
        assert_eq!(taken, (0..130).collect::<Vec<_>>());
        due.set(3);
        due.set(129);
        assert_eq!(due.take(128), Some(129));
        assert_eq!(due.take(130), Some(3));
        assert_eq!(due.take(4), None);
    }

    #[test]
    fn a_body_without_operations_has_nothing_to_do() {
        assert_eq!(Due::all(0).take(0), None);
        assert_eq!(Due::all(64).take(63), Some(63));
    }
}
