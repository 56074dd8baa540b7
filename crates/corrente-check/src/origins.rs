//! Where what a slot holds comes from, as far as a body alone says and there is one such place.
//!
//! Values say what may be; this says what is for certain: a slot with one origin, a literal or a parameter that
//! nobody sets anew, holds nothing else. Follows from the facts; made where they are made, so that it is done in
//! parallel. What other bodies make of it is the machine's business (`solve/flags`).

use crate::facts::{
    Action, ArgumentKind, Call, FunctionFacts, Guard, Mode, Name, ParameterKind, Slot, Trait, Whole,
};
use crate::uses::each_use;

/// Where something comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Number(i64),
    Text(Name),
    Nothing,
    /// The parameter of this number.
    Parameter(u32),
    /// `*args`, as the body gets them.
    Rest,
    /// `**kwargs`, as the body gets them.
    Options,
    /// A variable of the body that is `hops` bodies further out.
    Variable {
        hops: u32,
        name: Name,
    },
    /// `import module`.
    Module {
        module: Name,
        whole: Whole,
    },
    /// `from module import name`.
    Imported {
        module: Name,
        level: u32,
        name: Name,
    },
    Attribute {
        base: Slot,
        name: Name,
    },
    /// The class of this body.
    Class(u32),
    /// What is true where the slot is not.
    Opposite(Slot),
    /// What this operation calls gives.
    Called(u32),
}

/// What a body hands on: to a function that is called so, by position or by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handed {
    pub(crate) origin: Origin,
    pub(crate) callee: Name,
    pub(crate) way: HandedWay,
}

/// How it is handed on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HandedWay {
    Position(u32),
    Keyword(Name),
}

/// An attribute that a body sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetAttribute {
    pub(crate) name: Name,
    pub(crate) from: Slot,
    pub(crate) operation: u32,
    /// It is set on what the body gets first.
    pub(crate) is_own: bool,
}

/// Where a body calls an `__init__`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) operation: u32,
    /// It is that of the next class in the order of resolution: `super().__init__`.
    pub(crate) is_next: bool,
}

/// What is known of a body's slots.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    /// Of slots that somebody may ask for, in their order.
    known: Box<[(Slot, Origin)]>,
    /// What its guards ask.
    pub(crate) tested: Box<[Origin]>,
    pub(crate) handed: Box<[Handed]>,
    /// Its own variables that others see, and what they are set to.
    pub(crate) stored: Box<[(Name, Slot)]>,
    /// Variables of bodies further out that it sets.
    pub(crate) stored_outside: Box<[Name]>,
    /// The operations that make functions with defaults, by the functions' numbers.
    pub(crate) made: Box<[(u32, u32)]>,
    pub(crate) set: Box<[SetAttribute]>,
    /// It calls something with all of `*args` or `**kwargs`, as it got them.
    pub(crate) passes_on: bool,
    /// Methods that it calls on what it gets first.
    pub(crate) own_called: Box<[Name]>,
    pub(crate) parents: Box<[Parent]>,
}

/// Special methods that change nothing.
const READING: [&str; 4] = ["__bool__", "__contains__", "__eq__", "__format__"];

/// Copies of copies that are followed; each may be of two.
const COPIES_MAX: usize = 8;

impl Origins {
    pub(crate) fn of_body(facts: &FunctionFacts, names: &[Box<str>]) -> Self {
        let written = Written::of(facts, names);
        let mut found = Self::default();
        found.note_operations(facts);
        found.tested = written.tested();
        found.handed = written.handed();
        found.known = written.known();
        found.set = written.set();
        found.passes_on = written.passes_on();
        found.own_called = written.own_called();
        found.parents = written.parents();
        found
    }

    /// Where what a slot holds comes from.
    pub(crate) fn of(&self, slot: Slot) -> Option<Origin> {
        let at = self.known.binary_search_by_key(&slot, |(slot, _)| *slot);
        at.ok().map(|at| self.known[at].1)
    }

    fn note_operations(&mut self, facts: &FunctionFacts) {
        let (mut stored, mut outside, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for (number, operation) in (0..).zip(&facts.operations) {
            match &operation.action {
                Action::Store {
                    hops: 0,
                    name,
                    from,
                } => stored.push((*name, *from)),
                Action::Store { name, .. } => outside.push(*name),
                Action::Function {
                    function, defaults, ..
                } if !defaults.is_empty() => made.push((*function, number)),
                _ => {}
            }
        }
        made.sort_unstable();
        self.stored = stored.into_boxed_slice();
        self.stored_outside = outside.into_boxed_slice();
        self.made = made.into_boxed_slice();
    }
}

/// Leaves out guards of operations that make no difference to what is found: those that only write down literals.
pub(crate) fn keep_guards_that_matter(facts: &mut FunctionFacts, names: &[Box<str>]) {
    let guards = std::mem::take(&mut facts.guards);
    let written = Written::of(facts, names);
    let kept = guards.into_iter().filter(|guard| written.matters(guard));
    let kept = kept.collect();
    facts.guards = kept;
}

/// Which operations write each slot.
struct Written<'a> {
    facts: &'a FunctionFacts,
    names: &'a [Box<str>],
    /// The first two operations that write each slot, and whether there are more.
    writers: Vec<[u32; 3]>,
}

/// No operation.
const NONE: u32 = u32::MAX;

impl<'a> Written<'a> {
    fn of(facts: &'a FunctionFacts, names: &'a [Box<str>]) -> Self {
        let mut writers = vec![[NONE; 3]; facts.slots as usize];
        for (number, operation) in (0..).zip(&facts.operations) {
            let slot = written(&operation.action);
            let known = slot.and_then(|slot| writers.get_mut(slot as usize));
            let free = known.and_then(|known| known.iter_mut().find(|one| **one == NONE));
            if let Some(free) = free {
                *free = number;
            }
        }
        Self {
            facts,
            names,
            writers,
        }
    }

    fn writers(&self, slot: Slot) -> impl Iterator<Item = u32> {
        let known = self.writers.get(slot as usize).copied();
        let known = known.unwrap_or([NONE; 3]).into_iter();
        known.take_while(|number| *number != NONE)
    }

    fn parameter(&self, slot: Slot) -> Option<Origin> {
        let mut parameters = (0..).zip(&self.facts.parameters);
        let (number, found) = parameters.find(|(_, parameter)| parameter.slot == slot)?;
        Some(match found.kind {
            ParameterKind::Positional | ParameterKind::KeywordOnly => Origin::Parameter(number),
            ParameterKind::Star => Origin::Rest,
            ParameterKind::DoubleStar => Origin::Options,
        })
    }

    fn origin(&self, slot: Slot) -> Option<Origin> {
        self.followed(slot, COPIES_MAX)
    }

    fn followed(&self, slot: Slot, copies: usize) -> Option<Origin> {
        let copies = copies.checked_sub(1)?;
        let mut writers = self.writers(slot);
        let Some(first) = writers.next() else {
            return self.parameter(slot);
        };
        let is_parameter = self.facts.parameters.iter().any(|one| one.slot == slot);
        // Where two ways meet, both have to say the same; more are a loop's.
        let second = writers.next();
        if is_parameter || writers.next().is_some() {
            return None;
        }
        let origin = self.written_by(first, copies)?;
        let agrees = second.is_none_or(|second| self.written_by(second, copies) == Some(origin));
        agrees.then_some(origin)
    }

    fn written_by(&self, number: u32, copies: usize) -> Option<Origin> {
        Some(match &self.facts.operations[number as usize].action {
            Action::Copy { from, .. } => return self.followed(*from, copies),
            Action::Filter { from, by, .. } if !matches!(by, Trait::Caught(_)) => {
                return self.followed(*from, copies);
            }
            Action::Call(call) => match (call.mode, &*call.arguments) {
                // What decorates a class or a constant mostly gives it back.
                (Mode::Decorator, [one]) => return self.followed(one.slot, copies),
                _ => Origin::Called(number),
            },
            Action::Number { number, .. } => Origin::Number(*number),
            Action::Text { text, .. } => Origin::Text(*text),
            Action::Nothing { .. } => Origin::Nothing,
            Action::Load { hops, name, .. } => Origin::Variable {
                hops: *hops,
                name: *name,
            },
            Action::Special {
                method,
                left,
                right: None,
                ..
            } if &*self.names[*method as usize] == "__bool__" => Origin::Opposite(*left),
            Action::Import { module, whole, .. } => Origin::Module {
                module: *module,
                whole: *whole,
            },
            Action::ImportFrom {
                module,
                level,
                name,
                ..
            } => Origin::Imported {
                module: *module,
                level: *level,
                name: *name,
            },
            Action::Attribute { base, name, .. } => Origin::Attribute {
                base: *base,
                name: *name,
            },
            Action::Class(class) => Origin::Class(class.body),
            _ => return None,
        })
    }

    /// Whether it makes a difference that operations do not run.
    fn matters(&self, guard: &Guard) -> bool {
        let mut asked = Vec::new();
        guard.test.each_slot(&mut |slot| asked.push(slot));
        let operations = &self.facts.operations[guard.first as usize..guard.end as usize];
        operations.iter().any(|operation| match &operation.action {
            Action::Text { .. }
            | Action::Number { .. }
            | Action::Nothing { .. }
            | Action::Builtin { .. }
            | Action::Collection(_) => false,
            Action::Copy { from, .. }
            | Action::Return { from }
            | Action::Store { from, .. }
            | Action::SetAttribute { from, .. } => !asked.contains(from) && self.may_flow(*from),
            _ => true,
        })
    }

    /// Whether a slot may hold something other than a literal.
    fn may_flow(&self, slot: Slot) -> bool {
        let is_literal = |writer: u32| {
            let action = &self.facts.operations[writer as usize].action;
            matches!(
                action,
                Action::Text { .. }
                    | Action::Number { .. }
                    | Action::Nothing { .. }
                    | Action::Collection(_)
            )
        };
        let mut writers = self.writers(slot).peekable();
        writers.peek().is_none() || !writers.all(is_literal)
    }

    /// What guards ask.
    fn tested(&self) -> Box<[Origin]> {
        let mut slots = Vec::new();
        for guard in &self.facts.guards {
            guard.test.each_slot(&mut |slot| slots.push(slot));
        }
        slots.sort_unstable();
        slots.dedup();
        let origins = slots.into_iter().filter_map(|slot| self.origin(slot));
        origins.map(|origin| self.straight(origin)).collect()
    }

    /// What is asked for when the opposite is.
    fn straight(&self, origin: Origin) -> Origin {
        match origin {
            Origin::Opposite(slot) => self.origin(slot).unwrap_or(origin),
            other => other,
        }
    }

    fn handed(&self) -> Box<[Handed]> {
        let mut found = Vec::new();
        for operation in &self.facts.operations {
            if let Action::Call(call) = &operation.action {
                self.handed_by(call, &mut found);
            }
        }
        found.into_boxed_slice()
    }

    fn handed_by(&self, call: &Call, found: &mut Vec<Handed>) {
        let mut position = 0;
        for argument in &call.arguments {
            let way = match argument.kind {
                ArgumentKind::Positional => HandedWay::Position(position),
                ArgumentKind::Keyword(name) => HandedWay::Keyword(name),
                ArgumentKind::Star | ArgumentKind::DoubleStar => continue,
            };
            position += 1;
            let origin = self.origin(argument.slot);
            let origin = origin.map(|origin| self.straight(origin));
            if let Some(origin) = origin
                && self.may_be_given(origin)
                && let Some(callee) = self.name_of(call.callee)
            {
                found.push(Handed {
                    origin,
                    callee,
                    way,
                });
            }
        }
    }

    fn may_be_given(&self, origin: Origin) -> bool {
        match origin {
            Origin::Parameter(_) | Origin::Variable { .. } => true,
            Origin::Attribute { base, .. } => self.is_first(base),
            _ => false,
        }
    }

    /// Whether a slot holds what the body gets first.
    fn is_first(&self, slot: Slot) -> bool {
        self.origin(slot) == Some(Origin::Parameter(0))
    }

    fn passes_on(&self) -> bool {
        let is_open = |kind| matches!(kind, ParameterKind::Star | ParameterKind::DoubleStar);
        if !self.facts.parameters.iter().any(|one| is_open(one.kind)) {
            return false;
        }
        if self
            .facts
            .operations
            .iter()
            .any(|one| self.may_change_options(&one.action))
        {
            return false;
        }
        let is_all = |slot| matches!(self.origin(slot), Some(Origin::Rest | Origin::Options));
        let mut operations = self.facts.operations.iter();
        operations.any(|operation| match &operation.action {
            Action::Call(call) => call.arguments.iter().any(|argument| match argument.kind {
                ArgumentKind::Star | ArgumentKind::DoubleStar => is_all(argument.slot),
                ArgumentKind::Positional | ArgumentKind::Keyword(_) => false,
            }),
            _ => false,
        })
    }

    /// Whether `**kwargs` may be others after an operation: it is a dict that anybody may change who gets it.
    fn may_change_options(&self, action: &Action) -> bool {
        let is_options = |slot| self.origin(slot) == Some(Origin::Options);
        match action {
            Action::Call(call) => call.arguments.iter().any(|argument| {
                argument.kind != ArgumentKind::DoubleStar && is_options(argument.slot)
            }),
            Action::Copy { .. }
            | Action::Filter { .. }
            | Action::Item { .. }
            | Action::Iterate { .. } => false,
            Action::Attribute { base, name, .. } => {
                let name = &*self.names[*name as usize];
                is_options(*base) && !matches!(name, "get" | "items" | "keys" | "values" | "copy")
            }
            Action::Special { method, .. } if READING.contains(&&*self.names[*method as usize]) => {
                false
            }
            other => {
                let mut is_used = false;
                each_use(other, |slot| is_used |= is_options(slot));
                is_used
            }
        }
    }

    fn set(&self) -> Box<[SetAttribute]> {
        let numbered = (0..).zip(&self.facts.operations);
        let set = numbered.filter_map(|(operation, found)| match found.action {
            Action::SetAttribute {
                base, name, from, ..
            } => Some(SetAttribute {
                name,
                from,
                operation,
                is_own: self.is_first(base),
            }),
            _ => None,
        });
        set.collect()
    }

    /// The methods that are called, with what is asked for them and the number of the operation.
    fn methods_called(&self) -> impl Iterator<Item = (u32, Slot, Name)> {
        let numbered = (0..).zip(&self.facts.operations);
        numbered.filter_map(|(number, operation)| {
            let Action::Call(call) = &operation.action else {
                return None;
            };
            match self.origin(call.callee)? {
                Origin::Attribute { base, name } => Some((number, base, name)),
                _ => None,
            }
        })
    }

    fn own_called(&self) -> Box<[Name]> {
        let own = self
            .methods_called()
            .filter(|(_, base, _)| self.is_first(*base) || self.is_super(*base));
        let mut called: Vec<Name> = own.map(|(_, _, name)| name).collect();
        called.sort_unstable();
        called.dedup();
        called.into_boxed_slice()
    }

    fn parents(&self) -> Box<[Parent]> {
        let called = self.methods_called();
        let made = called.filter(|(_, _, name)| &*self.names[*name as usize] == "__init__");
        let parents = made.map(|(operation, base, _)| Parent {
            operation,
            is_next: self.is_super(base),
        });
        parents.collect()
    }

    /// Whether a slot holds what `super()` gives.
    fn is_super(&self, slot: Slot) -> bool {
        let Some(Origin::Called(number)) = self.origin(slot) else {
            return false;
        };
        let Action::Call(call) = &self.facts.operations[number as usize].action else {
            return false;
        };
        self.writers(call.callee).any(|writer| {
            let action = &self.facts.operations[writer as usize].action;
            matches!(action, Action::Builtin { name, .. } if &*self.names[*name as usize] == "super")
        })
    }

    /// The last name of what a slot holds.
    fn name_of(&self, slot: Slot) -> Option<Name> {
        match self.origin(slot)? {
            Origin::Variable { name, .. }
            | Origin::Imported { name, .. }
            | Origin::Attribute { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Origins of all slots that somebody may ask for.
    fn known(&self) -> Box<[(Slot, Origin)]> {
        let mut needed = self.needed();
        needed.sort_unstable();
        needed.dedup();
        let mut known = Vec::new();
        while let Some(slot) = needed.pop() {
            let Some(origin) = self.origin(slot) else {
                continue;
            };
            if let Origin::Attribute { base: inner, .. } | Origin::Opposite(inner) = origin {
                needed.push(inner);
            }
            known.push((slot, origin));
        }
        known.sort_unstable_by_key(|(slot, _)| *slot);
        known.dedup_by_key(|(slot, _)| *slot);
        known.into_boxed_slice()
    }

    fn needed(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        for guard in &self.facts.guards {
            guard.test.each_slot(&mut |slot| slots.push(slot));
        }
        for operation in &self.facts.operations {
            match &operation.action {
                Action::Call(call) => {
                    slots.extend(call.arguments.iter().map(|argument| argument.slot));
                }
                Action::Function { defaults, .. } => {
                    slots.extend(defaults.iter().map(|(_, slot)| *slot));
                }
                Action::Class(class) => slots.extend(&class.bases),
                Action::Store { from, .. } | Action::SetAttribute { from, .. } => slots.push(*from),
                _ => {}
            }
        }
        slots
    }
}

/// The slot that an operation writes.
fn written(action: &Action) -> Option<Slot> {
    match action {
        Action::Copy { to, .. }
        | Action::Text { to, .. }
        | Action::Number { to, .. }
        | Action::Nothing { to }
        | Action::Builtin { to, .. }
        | Action::Load { to, .. }
        | Action::Attribute { to, .. }
        | Action::Item { to, .. }
        | Action::Function { to, .. }
        | Action::Import { to, .. }
        | Action::ImportFrom { to, .. }
        | Action::Iterate { to, .. }
        | Action::Enter { to, .. }
        | Action::Await { to, .. }
        | Action::Special { to, .. }
        | Action::Yield { to, .. }
        | Action::Filter { to, .. } => Some(*to),
        Action::Call(call) => Some(call.to),
        Action::Class(class) => Some(class.to),
        Action::Collection(made) => Some(made.to),
        // What an annotation says may be, does not make it so.
        Action::Declare { .. }
        | Action::Store { .. }
        | Action::SetAttribute { .. }
        | Action::SetItem { .. }
        | Action::ImportAll { .. }
        | Action::Return { .. } => None,
    }
}
