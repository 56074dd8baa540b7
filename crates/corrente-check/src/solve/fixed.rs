//! Attributes that are for good what an object's making set them to: `self.wait = wait` in an `__init__`, a field of a
//! dataclass, a class's own constant.
//!
//! Only such attributes count as nothing else in the program sets (`wanted`). What an `__init__` sets follows from the
//! call that makes the object, through the `__init__`s that it calls for its own object.

use super::constants::{Constant, View};
use super::flags::{Arguments, Given, Key, SetId, Written};
use super::heap::{ClassId, ObjectId};
use super::machine::Machine;
use super::values::{Data, Value};
use crate::facts::{Action, ArgumentKind};
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// Classes among the ancestors of one that are looked at.
const ANCESTORS_MAX: usize = 24;

/// `__init__`s that one calls inside one another.
const PARENTS_MAX: u32 = 8;

/// What an `__init__` makes of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    /// Nothing.
    Unset,
    To(Constant),
    /// Something that is not known.
    Unknown,
}

impl Setting {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unset, one) | (one, Self::Unset) => one,
            (one, other) if one == other => one,
            _ => Self::Unknown,
        }
    }
}

impl Machine<'_> {
    /// What is fixed of a receiver, as far as a method of it asks.
    pub(super) fn fixed_of(&mut self, receiver: Value, function: FunctionId) -> Vec<(Key, Given)> {
        let wanted = &self.flags.wanted.attributes[function.0 as usize];
        if wanted.is_empty() {
            return Vec::new();
        }
        let known = match self.values.data(receiver) {
            Data::Object(object) => self.flags.objects.get(&object).copied(),
            _ => None,
        };
        let set = self.flags.set(known.unwrap_or_default());
        let is_wanted = |key: Key| matches!(key, Key::Attribute(name) if wanted.contains(&name));
        let found = set.iter().filter(|(key, _)| is_wanted(*key));
        found.copied().collect()
    }

    /// Notes what is fixed of an object that is made with these arguments.
    pub(super) fn note_fixed(
        &mut self,
        object: ObjectId,
        class: ClassId,
        arguments: Arguments<'_>,
    ) {
        if self.flags.objects.contains_key(&object) {
            return;
        }
        let body = self.heap.classes[class.0 as usize].body;
        let asked = self.asked_of(body);
        let mut set = Vec::new();
        if !asked.is_empty() {
            let order = self.certain_order(body);
            let written = self.written(arguments);
            for name in asked {
                let constant = self.fixed_at_making(&order, name, written.as_ref());
                let given = constant.map(Given::Constant);
                set.extend(given.map(|given| (Key::Attribute(name), given)));
            }
        }
        let set = self.flags.number(set.into_boxed_slice());
        self.flags.objects.insert(object, set);
    }

    /// The attributes that methods of a class, and of those it inherits from, ask for.
    fn asked_of(&mut self, body: FunctionId) -> Box<[Symbol]> {
        if let Some(known) = self.flags.asked.get(&body) {
            return known.clone();
        }
        let mut asked = Vec::new();
        for class in self.certain_order(body) {
            for method in self.program.inside(class) {
                let wanted = &self.flags.wanted.attributes[method.0 as usize];
                asked.extend(wanted.iter().filter(|name| self.flags.fixed.contains(name)));
            }
        }
        asked.sort_unstable();
        asked.dedup();
        let asked = asked.into_boxed_slice();
        self.flags.asked.insert(body, asked.clone());
        asked
    }

    /// A class and those it inherits from, as far as the source says for certain.
    fn certain_order(&mut self, body: FunctionId) -> Vec<FunctionId> {
        let mut order = vec![body];
        let mut next = 0;
        while let Some(class) = order.get(next).copied() {
            next += 1;
            for base in self.certain_bases(class) {
                if !order.contains(&base) && order.len() < ANCESTORS_MAX {
                    order.push(base);
                }
            }
        }
        order
    }

    fn certain_bases(&mut self, class: FunctionId) -> Vec<FunctionId> {
        let program = self.program;
        let Some((around, bases)) = program.bases(class) else {
            return Vec::new();
        };
        let view = View::of(around);
        let bases = bases.iter();
        bases
            .filter_map(|base| self.class_for_certain(view, *base))
            .collect()
    }

    fn fixed_at_making(
        &mut self,
        order: &[FunctionId],
        name: Symbol,
        written: Option<&Written<'_>>,
    ) -> Option<Constant> {
        let setting = match self.initializer(order) {
            Some(at) => self.set_by((order, at), written, (name, PARENTS_MAX)),
            None => self.set_as_field(order, name, written),
        };
        match setting {
            Setting::To(constant) => Some(constant),
            Setting::Unknown => None,
            Setting::Unset => {
                let has = |class: &&FunctionId| self.program.stored(**class, name).next().is_some();
                let class = order.iter().find(has).copied()?;
                self.variable_of_class(class, name)
            }
        }
    }

    /// The `__init__` of the first class of some that has one, and which class that is.
    fn initializer(&mut self, order: &[FunctionId]) -> Option<(usize, FunctionId)> {
        let init = self.symbols.intern("__init__");
        let program = self.program;
        order.iter().enumerate().find_map(|(at, class)| {
            let is_init =
                |one: &FunctionId| program.symbol(*one, program.function(*one).name) == init;
            let found = program.inside(*class).find(is_init)?;
            Some((at, found))
        })
    }

    /// What an `__init__` that is called so makes of an attribute of its object.
    fn set_by(
        &mut self,
        (order, (at, init)): (&[FunctionId], (usize, FunctionId)),
        written: Option<&Written<'_>>,
        (name, depth): (Symbol, u32),
    ) -> Setting {
        let Some(depth) = depth.checked_sub(1) else {
            return Setting::Unknown;
        };
        let program = self.program;
        let around = View::of(order[at]);
        let view = View {
            constants: self.all_given((init, around), written),
            ..View::of(init)
        };
        let facts = program.function(init);
        let dead = self.dead_in(view);
        let runs = |operation: u32| {
            let word = dead
                .as_ref()
                .map_or(0, |dead| dead[operation as usize / 64]);
            word >> (operation % 64) & 1 == 0
        };
        let mut setting = Setting::Unset;
        for set in &facts.origins.set {
            if program.symbol(init, set.name) == name && runs(set.operation) {
                let constant = self.constant(view, set.from);
                setting = setting.and(constant.map_or(Setting::Unknown, Setting::To));
            }
        }
        let rest = &order[at + 1..];
        for parent in &facts.origins.parents {
            let operation = &facts.operations[parent.operation as usize];
            let Action::Call(call) = &operation.action else {
                continue;
            };
            if !runs(parent.operation) {
                continue;
            }
            let inherited = match self.initializer(rest) {
                Some(next) if parent.is_next => {
                    let written = Written::of(view, call);
                    self.set_by((rest, next), Some(&written), (name, depth))
                }
                // Of one that is called by its class's name, nobody looks which it is.
                Some(_) => Setting::Unknown,
                None => Setting::Unset,
            };
            setting = setting.and(inherited);
        }
        setting
    }

    /// All constants that a call gives to an `__init__`.
    fn all_given(
        &mut self,
        (init, around): (FunctionId, View),
        written: Option<&Written<'_>>,
    ) -> SetId {
        let Some(written) = written else {
            return SetId::default();
        };
        let count = self.program.function(init).parameters.len() as u32;
        let mut set = Vec::new();
        for number in 1..count {
            let constant = self.constant_given((init, around), (number, 1), written);
            let given = constant.map(Given::Constant);
            set.extend(given.map(|given| (Key::Parameter(number), given)));
        }
        self.flags.number(set.into_boxed_slice())
    }

    /// What the making of an object without an `__init__` of the program's makes of an attribute.
    fn set_as_field(
        &mut self,
        order: &[FunctionId],
        name: Symbol,
        written: Option<&Written<'_>>,
    ) -> Setting {
        let program = self.program;
        let mut fields = Vec::new();
        for class in order.iter().rev() {
            let own = program.function(*class).fields.iter();
            fields.extend(own.map(|field| program.symbol(*class, *field)));
        }
        let Some(at) = fields.iter().position(|field| *field == name) else {
            return Setting::Unset;
        };
        let Some(written) = written else {
            return Setting::Unknown;
        };
        let mut position = 0;
        let mut otherwise = Setting::Unset;
        for (from, argument) in written.arguments() {
            let is_it = match argument.kind {
                ArgumentKind::Star | ArgumentKind::DoubleStar => {
                    otherwise = Setting::Unknown;
                    false
                }
                ArgumentKind::Positional => {
                    position += 1;
                    position - 1 == at
                }
                ArgumentKind::Keyword(keyword) => program.symbol(from.function, keyword) == name,
            };
            if is_it {
                let constant = self.constant(from, argument.slot);
                return constant.map_or(Setting::Unknown, Setting::To);
            }
        }
        otherwise
    }
}
