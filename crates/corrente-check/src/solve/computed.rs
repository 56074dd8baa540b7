//! Attributes that code computes: `__getattr__` of classes and of modules, `default_factory` of fields,
//! and what stands in a namespace.
//!
//! `__getattr__` is looked at once for each name that is asked for: what it gives for one name is not
//! what it gives for another.

use super::arguments::{Given, Way};
use super::flags::SetId;
use super::heap::ClassId;
use super::instance::InstanceId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Mode, RETURNS};
use crate::finding::Certainty;
use crate::symbols::Symbol;

/// No operation's site: the name is asked for, wherever that is.
const ASKED_FOR: u64 = (u32::MAX as u64) << 32;

/// What makes a field, and the argument that makes its value.
const FACTORIES: &[(&str, &str)] = &[
    ("attr.Factory", ""),
    ("attr.field", "factory"),
    ("attr.ib", "factory"),
    ("attrs.Factory", ""),
    ("attrs.field", "factory"),
    ("dataclasses.field", "default_factory"),
    ("pydantic.Field", "default_factory"),
];

impl Machine<'_> {
    /// What `__getattr__` gives for a name, of an object or of a module.
    pub(super) fn given_by_hook(
        &mut self,
        hooks: &ValueSet,
        receiver: Option<Value>,
        name: Symbol,
    ) -> ValueSet {
        let mut found = ValueSet::default();
        for hook in hooks.iter() {
            if let Data::Function { function, outer } = self.values.data(hook) {
                let around = match receiver {
                    Some(receiver) => self.context_on(receiver, outer),
                    None => self.heap.root(),
                };
                let context = self.heap.called(ASKED_FOR | u64::from(name.0), around);
                let body = self.instance(function, Some(outer), (context, SetId::default()));
                let text = Given::positional(self.single(Data::Text(name)));
                self.pass(body, receiver, &[text]);
                self.edge(body, Certainty::Certain);
                found.extend(&self.result(body, RETURNS));
            }
        }
        found
    }

    /// What `__getattribute__` gives for a name: it is asked for each, but for the special ones.
    pub(super) fn given_by_asker(&mut self, receiver: Value, name: Symbol) -> ValueSet {
        let hook = self.symbols.intern("__getattribute__");
        let Some(class) = self.class_of(receiver) else {
            return ValueSet::default();
        };
        let is_special = self.symbols.text(name).starts_with("__");
        if is_special || self.place_of(class, hook).class.is_none() {
            return ValueSet::default();
        }
        let found = self.look_up(class, hook);
        self.given_by_hook(&found.values, Some(receiver), name)
    }

    /// What a module's `__getattr__` gives for a name that the module does not bind.
    pub(super) fn given_by_module(&mut self, module: InstanceId, name: Symbol) -> ValueSet {
        let hook = self.symbols.intern("__getattr__");
        let function = self.instances[module.0 as usize].function;
        let bound = &self.program.function(function).cells;
        let binds = |wanted: Symbol| {
            let mut names = bound.iter();
            names.any(|name| self.program.symbol(function, *name) == wanted)
        };
        if !binds(hook) || binds(name) {
            return ValueSet::default();
        }
        let owner = self.instances[module.0 as usize].owner;
        let hooks = self.read_named(owner, hook);
        self.given_by_hook(&hooks, None, name)
    }

    /// A field whose value something makes for each object.
    pub(super) fn field(&mut self, key: &str, given: &[Given]) -> Option<ValueSet> {
        let (_, argument) = FACTORIES.iter().find(|(known, _)| *known == key)?;
        let makers = given.iter().filter(|one| match one.way {
            Way::Keyword(name) => self.symbols.text(name) == *argument,
            Way::Positional => argument.is_empty(),
            Way::Star | Way::DoubleStar => false,
        });
        let makers: Vec<Value> = makers.flat_map(|one| one.values.iter()).collect();
        let made = makers.into_iter();
        let made: ValueSet = made
            .map(|maker| self.values.intern(Data::Factory(maker)))
            .collect();
        (!made.is_empty()).then_some(made)
    }

    /// What a factory's field holds; the objects' making runs it, not whoever reads it.
    pub(super) fn made_for_field(&mut self, maker: Value) -> ValueSet {
        let before = std::mem::replace(&mut self.elsewhere, true);
        let made = self.invoke(maker, &[], Mode::Plain);
        self.elsewhere = before;
        made
    }

    /// An object is made: what makes the values of its fields runs, but for those that are given.
    pub(super) fn run_factories(&mut self, class: ClassId, fields: &[Symbol], filled: &[Symbol]) {
        for field in fields.iter().filter(|field| !filled.contains(field)) {
            for value in self.look_up(class, *field).values.iter() {
                if let Data::Factory(maker) = self.values.data(value) {
                    self.invoke(maker, &[], Mode::Plain);
                }
            }
        }
    }

    /// `SimpleNamespace(name=value)`.
    pub(super) fn namespace(&mut self, given: &[Given]) -> ValueSet {
        let owner = self.collection_here();
        for argument in given {
            if let Way::Keyword(name) = argument.way {
                self.write_named(owner, name, &argument.values);
            }
        }
        self.single(Data::Namespace(owner))
    }

    /// The names of an object, of which any may be meant.
    pub(super) fn names_of_object(&mut self) -> ValueSet {
        let any = self.symbols.intern("");
        let any = self.single(Data::Beginning(any));
        let owner = self.collection_here();
        self.put(owner, crate::facts::Key::Any, &any);
        self.single(Data::Collection(owner))
    }

    /// `object.__new__(cls)`.
    pub(super) fn new_objects(&mut self, classes: &ValueSet) -> ValueSet {
        let classes = classes.iter();
        classes
            .filter_map(|class| self.instance_of(class))
            .collect()
    }
}
