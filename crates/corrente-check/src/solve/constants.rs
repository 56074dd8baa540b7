//! What is known not to be anything else: literals, constants of modules and classes, members of enumerations, and
//! what parameters are in the circumstances of a body.
//!
//! Follows slots to their one origin (`origins`), never through values: what may be does not say what is not.
//! Nothing here depends on what has flowed so far, so the order of work makes no difference.

use super::flags::{Given, Key, SetId};
use super::instance::InstanceId;
use super::machine::Machine;
use crate::facts::{BodyKind, Name, PROSE, Slot, Test, Whole};
use crate::origins::Origin;
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// Origins of origins that are followed.
const STEPS_MAX: u32 = 12;

/// What is known not to be anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Constant {
    Nothing,
    Number(i64),
    Text(Symbol),
    /// A member of the enumeration with this body.
    Member(FunctionId, Symbol),
}

/// What the origin of something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Constant(Constant),
    Class(FunctionId),
    Module(u32),
}

/// A body, and what is known of its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) function: FunctionId,
    pub(super) constants: SetId,
    /// The body around it, where that one's circumstances are known.
    pub(super) outer: Option<InstanceId>,
}

impl View {
    /// A body of whose circumstances nothing is known.
    pub(super) fn of(function: FunctionId) -> Self {
        Self {
            function,
            constants: SetId::default(),
            outer: None,
        }
    }
}

impl Machine<'_> {
    pub(super) fn view(&self, body: InstanceId) -> View {
        let instance = &self.instances[body.0 as usize];
        View {
            function: instance.function,
            constants: instance.constants,
            outer: instance.outer,
        }
    }

    /// What a slot of a body holds for certain.
    pub(super) fn constant(&mut self, view: View, slot: Slot) -> Option<Constant> {
        match self.known(view, slot, STEPS_MAX)? {
            Known::Constant(constant) => Some(constant),
            Known::Class(_) | Known::Module(_) => None,
        }
    }

    /// The class of the program that a slot of a body holds for certain.
    pub(super) fn class_for_certain(&mut self, view: View, slot: Slot) -> Option<FunctionId> {
        match self.known(view, slot, STEPS_MAX)? {
            Known::Class(class) => Some(class),
            Known::Constant(_) | Known::Module(_) => None,
        }
    }

    fn known(&mut self, view: View, slot: Slot, steps: u32) -> Option<Known> {
        let steps = steps.checked_sub(1)?;
        let program = self.program;
        let function = view.function;
        let constant = |constant| Some(Known::Constant(constant));
        match program.function(function).origins.of(slot)? {
            Origin::Number(number) => constant(Constant::Number(number)),
            Origin::Text(text) => constant(Constant::Text(program.symbol(function, text))),
            Origin::Nothing => constant(Constant::Nothing),
            Origin::Parameter(number) => self.given_constant(view, Key::Parameter(number)),
            Origin::Opposite(inner) => {
                let inner = self.known(view, inner, steps)?;
                let is_true = self.is_true(inner)?;
                constant(Constant::Number(i64::from(!is_true)))
            }
            Origin::Class(class) => Some(Known::Class(program.sibling(function, class))),
            Origin::Variable { hops, name } => self.variable(view, (hops, name), steps),
            Origin::Module { module, whole } => {
                let name = self.symbols.text(program.symbol(function, module));
                let is_part = whole == Whole::First && name.contains('.');
                let found = program.find(function, name).filter(|_| !is_part);
                found.map(Known::Module)
            }
            Origin::Imported {
                module,
                level,
                name,
            } => {
                let module = self.symbols.text(program.symbol(function, module));
                let source = program.source(function, module, level);
                let module = program.find(function, &source)?;
                self.variable_of_module(module, program.symbol(function, name), steps)
            }
            Origin::Attribute { base, name } => {
                self.known_attribute(view, (base, program.symbol(function, name)), steps)
            }
            Origin::Called(_) | Origin::Rest | Origin::Options => None,
        }
    }

    fn given_constant(&self, view: View, wanted: Key) -> Option<Known> {
        match self.flags.given(view.constants, wanted)? {
            Given::Constant(constant) => Some(Known::Constant(constant)),
            Given::Something => None,
        }
    }

    fn known_attribute(
        &mut self,
        view: View,
        (base, name): (Slot, Symbol),
        steps: u32,
    ) -> Option<Known> {
        let origins = &self.program.function(view.function).origins;
        if origins.of(base) == Some(Origin::Parameter(0)) {
            return self.given_constant(view, Key::Attribute(name));
        }
        match self.known(view, base, steps)? {
            Known::Module(module) => self.variable_of_module(module, name, steps),
            Known::Class(class) => self.variable_of_class(class, name).map(Known::Constant),
            Known::Constant(_) => None,
        }
    }

    /// A variable of the body that is so many further out.
    fn variable(&mut self, view: View, (hops, name): (u32, Name), steps: u32) -> Option<Known> {
        let program = self.program;
        let function = program.further_out(view.function, hops)?;
        let facts = program.function(function);
        if facts.kind == BodyKind::Module {
            let module = program.module_number(function);
            let symbol = program.symbol(view.function, name);
            return self.variable_of_module(module, symbol, steps);
        }
        if program.sets_from_inside(function, name) {
            return None;
        }
        let mut around = view;
        for _ in 0..hops {
            around = self.view(around.outer?);
        }
        let stored = facts.origins.stored.iter();
        let mut stored = stored.filter(|(stored, _)| *stored == name);
        match (stored.next(), stored.next()) {
            (Some((_, slot)), None) => self.known(around, *slot, steps),
            _ => None,
        }
    }

    /// A variable of a module that nobody sets but its own body, once.
    fn variable_of_module(&mut self, module: u32, name: Symbol, steps: u32) -> Option<Known> {
        if let Some(known) = self.flags.variables.get(&(module, name)) {
            return *known;
        }
        // One that is made of itself is not known.
        self.flags.variables.insert((module, name), None);
        let known = self.stored_in_module(module, name, steps);
        self.flags.variables.insert((module, name), known);
        known
    }

    fn stored_in_module(&mut self, module: u32, name: Symbol, steps: u32) -> Option<Known> {
        let program = self.program;
        let function = FunctionId(program.modules[module as usize].first);
        let mut stored = program.stored(function, name);
        let Some((variable, slot)) = stored.next() else {
            let text = self.symbols.text(name);
            return program.submodule(module, text).map(Known::Module);
        };
        let is_set_elsewhere = stored.next().is_some()
            || program.assigned.contains(&name)
            || program.sets_from_inside(function, variable);
        if is_set_elsewhere {
            return None;
        }
        self.known(View::of(function), slot, steps)
    }

    /// An attribute that a class's body sets: a member of an enumeration, or a constant.
    pub(super) fn variable_of_class(
        &mut self,
        class: FunctionId,
        name: Symbol,
    ) -> Option<Constant> {
        let program = self.program;
        let mut stored = program.stored(class, name);
        let (Some((_, slot)), None) = (stored.next(), stored.next()) else {
            return None;
        };
        if program.assigned.contains(&name) {
            return None;
        }
        if program.is_enumeration(class) {
            return Some(Constant::Member(class, name));
        }
        match program.function(class).origins.of(slot)? {
            Origin::Number(number) => Some(Constant::Number(number)),
            Origin::Text(text) => Some(Constant::Text(program.symbol(class, text))),
            Origin::Nothing => Some(Constant::Nothing),
            _ => None,
        }
    }

    /// Whether a test holds in a body; none where that is not known.
    pub(super) fn test_holds(&mut self, view: View, test: &Test) -> Option<bool> {
        match test {
            Test::True(slot) => {
                let known = self.known(view, *slot, STEPS_MAX)?;
                self.is_true(known)
            }
            Test::Equal(one, other) => {
                let one = self.constant(view, *one)?;
                let other = self.constant(view, *other)?;
                self.are_equal(one, other)
            }
            Test::Not(inner) => self.test_holds(view, inner).map(|holds| !holds),
            Test::All(parts) => self.has(view, parts, false).map(|found| !found),
            Test::Any(parts) => self.has(view, parts, true),
            Test::Other => None,
        }
    }

    /// Whether some part holds, or does not, as is wanted; none where only such as are not known may.
    fn has(&mut self, view: View, parts: &[Test], wanted: bool) -> Option<bool> {
        let mut all_known = true;
        for part in parts {
            match self.test_holds(view, part) {
                Some(holds) if holds == wanted => return Some(true),
                Some(_) => {}
                None => all_known = false,
            }
        }
        all_known.then_some(false)
    }

    fn is_true(&self, known: Known) -> Option<bool> {
        match known {
            Known::Constant(Constant::Nothing) => Some(false),
            Known::Constant(Constant::Number(number)) => Some(number != 0),
            Known::Constant(Constant::Text(text)) => Some(!self.symbols.text(text).is_empty()),
            Known::Constant(Constant::Member(..)) => None,
            Known::Class(_) | Known::Module(_) => Some(true),
        }
    }

    fn are_equal(&self, one: Constant, other: Constant) -> Option<bool> {
        match (one, other) {
            (Constant::Text(one), Constant::Text(other)) if one == other => {
                // Texts for people are not told apart.
                (self.symbols.text(one) != PROSE).then_some(true)
            }
            (Constant::Member(class, one), Constant::Member(other_class, other)) => {
                (class == other_class).then_some(one == other)
            }
            (Constant::Member(..), Constant::Nothing)
            | (Constant::Nothing, Constant::Member(..)) => Some(false),
            (Constant::Member(..), _) | (_, Constant::Member(..)) => None,
            _ => Some(one == other),
        }
    }

    /// The operations of a body that never run, a bit each; none where all may.
    pub(super) fn dead_operations(&mut self, body: InstanceId) -> Option<Box<[u64]>> {
        let view = self.view(body);
        self.dead_in(view)
    }

    pub(super) fn dead_in(&mut self, view: View) -> Option<Box<[u64]>> {
        let program = self.program;
        let facts = program.function(view.function);
        let mut dead: Option<Box<[u64]>> = None;
        for guard in &facts.guards {
            if self.test_holds(view, &guard.test) != Some(false) {
                continue;
            }
            let words = facts.operations.len().div_ceil(64);
            let dead = dead.get_or_insert_with(|| vec![0; words].into_boxed_slice());
            for operation in guard.first..guard.end.min(facts.operations.len() as u32) {
                dead[operation as usize / 64] |= 1 << (operation % 64);
            }
        }
        dead
    }
}
