//! Attributes of objects that take the place of what their class has.
//!
//! An object's own attribute hides a method, but not what is set by a property or another descriptor. Sets of values do not
//! say when something was set, so only what is set in any case hides: by `__init__`, but not there; by the body that made the
//! object, after that; by the module that made an object or a class, but not while modules run.

use super::classes::Found;
use super::heap::{ClassId, ObjectId, Settled};
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::BodyKind;
use crate::symbols::Symbol;

impl Machine<'_> {
    /// Whether the objects of a class have these values in place of what the class has.
    pub(super) fn is_replaced(
        &mut self,
        class: ClassId,
        name: Symbol,
        (found, values): (&Found, &ValueSet),
    ) -> bool {
        found.class.is_some()
            && self.is_settled(class, name)
            && self.can_replace(found, values)
            && !self.is_initializing()
    }

    /// Whether values take the place of what a class has, should they be set for sure. What a library makes may be made of
    /// what it replaces: `self.get = library.retry(self.get)`.
    fn can_replace(&mut self, found: &Found, values: &ValueSet) -> bool {
        !found.values.iter().any(|value| self.is_set_by(value)) && !self.are_opaque(values)
    }

    /// Whether something is among these of which only a library knows what it does.
    pub(super) fn are_opaque(&self, values: &ValueSet) -> bool {
        let mut values = values.iter();
        values.any(|value| match self.values.data(value) {
            Data::Library(path) => self.symbols.text(path).ends_with("()"),
            _ => false,
        })
    }

    /// Whether every object of a class has an attribute of its own when its making is over.
    pub(super) fn is_settled(&mut self, class: ClassId, name: Symbol) -> bool {
        if !self.program.assigned.contains(&name) {
            return false;
        }
        let initialize = self.symbols.intern("__init__");
        for ancestor in self.order_of(class).iter() {
            let known = &self.heap.classes[ancestor.0 as usize].known;
            if known.settled.contains(&name) {
                return true;
            }
            if known.names.contains(&initialize) && !known.settled.contains(&initialize) {
                return false;
            }
        }
        false
    }

    /// Whether an attribute of a class is told what is given to its name. A property without a setter refuses it, so what is
    /// set all the same is a cached one.
    fn is_set_by(&mut self, value: Value) -> bool {
        match self.values.data(value) {
            Data::Property { setter, .. } => setter.is_some(),
            Data::Object(_) | Data::Declared(_) => {
                let hook = self.symbols.intern("__set__");
                self.answers(value, hook)
            }
            _ => false,
        }
    }

    /// `base.name` is given something, whenever the running body comes so far.
    pub(super) fn takes_place(&mut self, base: &ValueSet, name: Symbol, values: &ValueSet) {
        let here = self.current.instance;
        let imports = self.kind_of(here) == BodyKind::Module;
        for value in base.iter() {
            match self.values.data(value) {
                Data::Object(object) if self.heap.objects[object.0 as usize].maker == here => {
                    let since = if imports {
                        Settled::Imported
                    } else {
                        Settled::After(here, self.current.operation)
                    };
                    self.heap.settled.entry((object, name)).or_insert(since);
                }
                Data::Class(class) if imports && !values.is_empty() && !self.are_opaque(values) => {
                    self.settle_in_class(class, name, values);
                }
                _ => {}
            }
        }
    }

    fn settle_in_class(&mut self, class: ClassId, name: Symbol, values: &ValueSet) {
        let info = &self.heap.classes[class.0 as usize];
        let made = self.instances[info.instance.0 as usize].outer;
        if made == Some(self.current.instance) && self.binds(class, name) {
            self.replaces(class, name);
            let owner = self.holder(class, name);
            self.write_named(owner, name, values);
        }
    }

    /// Whether an object has something in place of what its class has, since it was given that where it was made.
    pub(super) fn is_hidden(
        &mut self,
        object: ObjectId,
        name: Symbol,
        (found, values): (&Found, &ValueSet),
    ) -> bool {
        if found.class.is_none() {
            return false;
        }
        let hidden = match self.heap.settled.get(&(object, name)) {
            None => return false,
            Some(Settled::Imported) => self.kind_of(self.current.instance) != BodyKind::Module,
            Some(Settled::After(body, operation)) => {
                *body == self.current.instance && *operation < self.current.operation
            }
        };
        hidden && self.can_replace(found, values)
    }

    /// What a class had before its module gave it something else, which a module may still ask for.
    pub(super) fn before_its_replacement(&mut self, class: ClassId, name: Symbol) -> ValueSet {
        let info = &self.heap.classes[class.0 as usize];
        let (owner, replaced) = (info.owner, info.known.replaced.contains(&name));
        if replaced && self.kind_of(self.current.instance) == BodyKind::Module {
            return self.read_named(owner, name);
        }
        ValueSet::default()
    }

    fn is_initializing(&self) -> bool {
        let function = self.current.function;
        let name = self.program.function(function).name;
        self.symbols.text(self.program.symbol(function, name)) == "__init__"
    }
}
