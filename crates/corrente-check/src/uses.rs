//! Which operations of a body use a slot: they run again when it grows.
//!
//! Follows from the facts; made where they are made, so that it is done in parallel.

use crate::facts::{Action, FunctionFacts, Key, Slot, Trait};

/// The users of each slot, one list after the other.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// Where each slot's list ends.
    ends: Box<[u32]>,
    operations: Box<[u32]>,
}

impl Uses {
    pub(crate) fn of_body(facts: &FunctionFacts, names: &[Box<str>]) -> Self {
        let mut pairs: Vec<(Slot, u32)> = Vec::with_capacity(facts.operations.len() * 2);
        let first = facts.parameters.first().map(|parameter| parameter.slot);
        let mut parents: Vec<Slot> = Vec::new();
        for (number, operation) in (0..).zip(&facts.operations) {
            each_use(&operation.action, |slot| pairs.push((slot, number)));
            match &operation.action {
                Action::Builtin { to, name } if &*names[*name as usize] == "super" => {
                    parents.push(*to);
                }
                // `super()` reads the first parameter.
                Action::Call(call) if parents.contains(&call.callee) => {
                    pairs.extend(first.map(|slot| (slot, number)));
                }
                _ => {}
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut ends = Vec::with_capacity(facts.slots as usize);
        let mut end = 0;
        for slot in 0..facts.slots {
            while pairs.get(end).is_some_and(|(used, _)| *used == slot) {
                end += 1;
            }
            ends.push(end as u32);
        }
        Self {
            ends: ends.into_boxed_slice(),
            operations: pairs.into_iter().map(|(_, number)| number).collect(),
        }
    }

    /// The operations that use a slot.
    pub(crate) fn of(&self, slot: Slot) -> &[u32] {
        let slot = slot as usize;
        let start = slot.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.operations[start as usize..self.ends[slot] as usize]
    }
}

/// The slots that an operation reads.
pub(crate) fn each_use(action: &Action, mut found: impl FnMut(Slot)) {
    match action {
        Action::Copy { from, .. }
        | Action::Store { from, .. }
        | Action::Iterate { from, .. }
        | Action::Enter { from, .. }
        | Action::Await { from, .. }
        | Action::Yield { from, .. }
        | Action::Return { from } => found(*from),
        Action::Attribute { base, .. } => found(*base),
        Action::SetAttribute { base, from, .. } => [*base, *from].into_iter().for_each(found),
        Action::Declare { annotation, .. } => found(*annotation),
        Action::Special { left, right, .. } => {
            found(*left);
            right.iter().copied().for_each(found);
        }
        Action::Item { base, key, .. } => {
            found(*base);
            in_key(*key).into_iter().for_each(found);
        }
        Action::SetItem { base, key, from } => {
            [*base, *from].into_iter().for_each(&mut found);
            in_key(*key).into_iter().for_each(found);
        }
        Action::Filter { from, by, .. } => {
            found(*from);
            match by {
                Trait::Instance(slot) | Trait::NotInstance(slot) | Trait::Caught(slot) => {
                    found(*slot);
                }
                Trait::Given { subject, kept } => [*subject, *kept].into_iter().for_each(found),
                Trait::Function(_) | Trait::Unblocked | Trait::Ready | Trait::Any => {}
            }
        }
        Action::Text { .. }
        | Action::Number { .. }
        | Action::Nothing { .. }
        | Action::Builtin { .. }
        | Action::Load { .. }
        | Action::Import { .. }
        | Action::ImportFrom { .. }
        | Action::ImportAll { .. } => {}
        several => in_several(several, found),
    }
}

fn in_several(action: &Action, mut found: impl FnMut(Slot)) {
    match action {
        Action::Call(call) => {
            found(call.callee);
            call.arguments
                .iter()
                .for_each(|argument| found(argument.slot));
        }
        Action::Function { defaults, .. } => defaults.iter().for_each(|(_, slot)| found(*slot)),
        Action::Class(class) => {
            class.bases.iter().copied().for_each(&mut found);
            class.keywords.iter().for_each(|(_, slot)| found(*slot));
        }
        Action::Collection(made) => {
            for (key, slot) in &made.items {
                found(*slot);
                in_key(*key).into_iter().for_each(&mut found);
            }
            made.spread.iter().copied().for_each(found);
        }
        _ => {}
    }
}

fn in_key(key: Key) -> Option<Slot> {
    match key {
        Key::Slot(slot) => Some(slot),
        Key::Text(_) | Key::Number(_) | Key::Part(_) | Key::Slice | Key::Any => None,
    }
}
