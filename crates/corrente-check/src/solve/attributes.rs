//! Attributes: reading and setting them on every kind of value.
//!
//! An object seen being made has its own cells. An annotated one stands for all objects of its
//! class and of the classes that inherit from it.

use smallvec::SmallVec;

use super::arguments::Given;
use super::heap::{ClassId, OwnedBy, Owner};
use super::machine::Machine;
use super::validators::{COPIERS, MAKERS};
use super::values::{Data, Value, ValueSet};
use crate::facts::{Key, Mode};
use crate::symbols::Symbol;

impl Machine<'_> {
    pub(super) fn attribute(&mut self, base: &ValueSet, name: Symbol) -> ValueSet {
        let mut found = ValueSet::default();
        for value in base.iter() {
            let values = self.attribute_of(value, name);
            found.extend(&values);
        }
        if base.len() > 1 {
            found.extend(&self.attribute_of_model(base, name));
        }
        found
    }

    /// What `value.name` is.
    pub(super) fn attribute_of(&mut self, value: Value, name: Symbol) -> ValueSet {
        match self.values.data(value) {
            Data::Module(module) => self.module_attribute(module, name),
            Data::Library(path) => {
                let mut values = self.attribute_of_library(path, name);
                values.extend(&self.any_model(path, &values));
                if let Some(owner) = self.shared(path) {
                    values.extend(&self.read_named(owner, name));
                }
                values
            }
            Data::Class(class) => self.class_attribute(class, name),
            Data::Object(_) => {
                let mut values = self.object_attribute(value, name);
                if self.heap.has_askers {
                    values.extend(&self.given_by_asker(value, name));
                }
                values
            }
            Data::Namespace(owner) => self.read_named(owner, name),
            Data::Declared(class) | Data::Override(class) => self.declared_attribute(class, name),
            Data::Super { class, receiver } => self.super_attribute(class, receiver, name),
            Data::Collection(owner) | Data::Dispatcher(owner) => {
                self.single(Data::CollectionMethod(owner, name))
            }
            Data::Generator(body)
                if matches!(
                    self.symbols.text(name),
                    "send" | "throw" | "__next__" | "asend" | "athrow" | "__anext__"
                ) =>
            {
                self.single(Data::Stepping(body))
            }
            Data::Text(_) | Data::Beginning(_)
                if matches!(self.symbols.text(name), "join" | "format" | "format_map") =>
            {
                let method = format!("builtins.str.{}", self.symbols.text(name));
                let method = self.symbols.intern(&method);
                self.single(Data::Library(method))
            }
            Data::Property { .. } if self.symbols.text(name) == "setter" => {
                self.single(Data::PropertySetter(value))
            }
            Data::Property { .. } if self.symbols.text(name) == "deleter" => {
                self.single(Data::PropertyDeleter(value))
            }
            Data::Property { .. }
            | Data::PropertySetter(_)
            | Data::PropertyDeleter(_)
            | Data::Deleter(_)
            | Data::Router(_)
            | Data::Model(_) => ValueSet::one(value),
            _ => ValueSet::default(),
        }
    }

    pub(super) fn single(&mut self, data: Data) -> ValueSet {
        ValueSet::one(self.values.intern(data))
    }

    fn class_attribute(&mut self, class: ClassId, name: Symbol) -> ValueSet {
        let mut found = self.look_up(class, name);
        if found.class.is_some() && self.is_member(class, name, &found.values) {
            return self.single(Data::Declared(class));
        }
        found
            .values
            .extend(&self.before_its_replacement(class, name));
        let receiver = self.values.intern(Data::Class(class));
        let mut values = ValueSet::default();
        for value in found.values.iter() {
            match self.values.data(value) {
                Data::StaticMethod(inner) => {
                    values.insert(inner);
                }
                Data::ClassMethod(callee) => {
                    let bound = Data::Bound { callee, receiver };
                    values.extend(&self.single(bound));
                }
                _ => {
                    values.insert(value);
                }
            }
        }
        if found.class.is_none() {
            values.extend(&self.attribute_of_metaclass(class, name));
            for base in self.bases_in_libraries(class).iter().copied() {
                let inherited = self.attribute_of_library(base, name);
                values.extend(&inherited);
            }
        }
        if found.class.is_none() || self.has_manager(&values) {
            values.extend(&self.model(class));
            values.extend(&self.told_of_class(class, name));
        }
        values
    }

    /// What every class has without its body's doing.
    fn told_of_class(&mut self, class: ClassId, name: Symbol) -> ValueSet {
        match self.symbols.text(name) {
            "__match_args__" => {
                let owner = self.heap.owner_of(OwnedBy::MatchArguments(class));
                for (index, field) in self.fields_of(class).into_iter().enumerate() {
                    let field = self.single(Data::Text(field));
                    self.put(owner, Key::position(index), &field);
                }
                self.single(Data::Collection(owner))
            }
            "__dict__" => {
                let owner = self.heap.classes[class.0 as usize].owner;
                self.single(Data::Collection(owner))
            }
            "__subclasses__" => self.inherent_of_class(class, name),
            text if MAKERS.contains(&text) => {
                if self.is_checked(class) {
                    self.inherent_of_class(class, name)
                } else {
                    ValueSet::default()
                }
            }
            _ => ValueSet::default(),
        }
    }

    fn inherent_of_class(&mut self, class: ClassId, method: Symbol) -> ValueSet {
        let receiver = self.values.intern(Data::Class(class));
        self.single(Data::Inherent { receiver, method })
    }

    fn object_attribute(&mut self, receiver: Value, name: Symbol) -> ValueSet {
        let Data::Object(object) = self.values.data(receiver) else {
            return ValueSet::default();
        };
        let info = self.heap.objects[object.0 as usize];
        let mut values = ValueSet::default();
        if self.program.assigned.contains(&name) {
            let class = &self.heap.classes[info.class.0 as usize];
            let (some, objects) = (class.some, class.objects);
            values = self.read_named(info.owner, name);
            let others = if object == some {
                objects
            } else {
                self.heap.objects[some.0 as usize].owner
            };
            let others = self.read_named(others, name);
            values.extend(&others);
            let declared = self.declared(info.class, name);
            values.extend(&self.not_made_alike(&declared, &values));
        }
        let found = self.look_up(info.class, name);
        let both = (&found, &values);
        if !self.is_replaced(info.class, name, both) && !self.is_hidden(object, name, both) {
            for value in found.values.iter() {
                let bound = self.bind(value, receiver);
                values.extend(&bound);
            }
        }
        if found.class.is_none() && values.is_empty() {
            let inherited = self.inherited(receiver, info.class, name);
            values.extend(&inherited);
        }
        values
    }

    /// Without what the same code made for objects nobody knows: this object has its own.
    fn not_made_alike(&self, declared: &ValueSet, own: &ValueSet) -> ValueSet {
        if declared.is_empty() {
            return ValueSet::default();
        }
        let made = |value: Value| match self.values.data(value) {
            Data::Collection(owner) => self.heap.site_of(owner).map(|(site, at)| (site, None, at)),
            Data::Object(object) => {
                let info = self.heap.objects[object.0 as usize];
                Some((info.site, Some(info.class), info.maker))
            }
            _ => None,
        };
        let own = own
            .iter()
            .filter_map(made)
            .map(|(site, class, _)| (site, class));
        let own: SmallVec<[(u64, Option<ClassId>); 4]> = own.collect();
        if own.is_empty() {
            return declared.clone();
        }
        let is_other = |value: &Value| match made(*value) {
            Some((site, class, maker)) => {
                !self.heap.is_of_anybody(self.context_of(maker)) || !own.contains(&(site, class))
            }
            None => true,
        };
        declared.iter().filter(is_other).collect()
    }

    fn declared_attribute(&mut self, class: ClassId, name: Symbol) -> ValueSet {
        let mut values = ValueSet::default();
        if self.program.assigned.contains(&name) {
            values = self.declared(class, name);
            let seen = self.heap.classes[class.0 as usize].seen;
            let set = self.read_named(seen, name);
            values.extend(&set);
        }
        let receiver = self.values.intern(Data::Declared(class));
        let found = self.look_up(class, name);
        if !self.is_replaced(class, name, (&found, &values)) {
            for value in found.values.iter() {
                let bound = self.bind(value, receiver);
                values.extend(&bound);
            }
        }
        let replaces = !self.are_opaque(&values);
        for inner in self.overrides_in_use(class, name).iter().copied() {
            if replaces && self.is_settled(inner, name) {
                continue;
            }
            let receiver = self.values.intern(Data::Override(inner));
            let owner = self.holder(inner, name);
            for value in self.read_named(owner, name).iter() {
                let bound = self.bind(value, receiver);
                values.extend(&bound);
            }
        }
        if found.class.is_none() && values.is_empty() {
            let inherited = self.inherited(receiver, class, name);
            values.extend(&inherited);
        }
        values
    }

    /// What only a library's class or `__getattr__` can give.
    fn inherited(&mut self, receiver: Value, class: ClassId, name: Symbol) -> ValueSet {
        let mut values = ValueSet::default();
        for base in self.bases_in_libraries(class).iter().copied() {
            if let Some(path) = self.result_path(base) {
                let inherited = self.attribute_of_library(path, name);
                values.extend(&inherited);
            }
        }
        values.extend(&self.router_of_object(receiver, class));
        values.extend(&self.model(class));
        values.extend(&self.told_of_object(receiver, class, name));
        values.extend(&self.inherent(receiver, class, name));
        let is_special = self.symbols.text(name).starts_with("__");
        if values.is_empty() && !is_special && !self.program.assigned.contains(&name) {
            let hook = self.symbols.intern("__getattr__");
            let found = self.look_up(class, hook);
            values.extend(&self.given_by_hook(&found.values, Some(receiver), name));
        }
        values
    }

    /// What an object has without its class's doing.
    fn told_of_object(&mut self, receiver: Value, class: ClassId, name: Symbol) -> ValueSet {
        let is_value = matches!(self.symbols.text(name), "value" | "_value_");
        if is_value && self.is_enumeration(class) {
            return self.member_values(class);
        }
        match self.values.data(receiver) {
            Data::Object(_) | Data::Declared(_)
                if COPIERS.contains(&self.symbols.text(name)) && self.is_checked(class) =>
            {
                self.single(Data::Inherent {
                    receiver,
                    method: name,
                })
            }
            Data::Object(object) if self.symbols.text(name) == "__dict__" => {
                let owner = self.heap.objects[object.0 as usize].owner;
                self.single(Data::Collection(owner))
            }
            _ => ValueSet::default(),
        }
    }

    fn super_attribute(&mut self, class: ClassId, receiver: Value, name: Symbol) -> ValueSet {
        let own = match self.values.data(receiver) {
            Data::Class(own) => own,
            _ => self.class_of(receiver).unwrap_or(class),
        };
        let mut order = self.ancestors(own);
        if let (Data::Class(_), false) = (self.values.data(receiver), order.contains(&class)) {
            // A method of a metaclass.
            if self.symbols.text(name) == "__call__" {
                return self.single(Data::Construct(own));
            }
            order = self.ancestors(class);
        }
        let position = order.iter().position(|known| *known == class);
        let rest = position.map_or(0, |position| position + 1);
        let found = self.look_up_in(&order[rest..], name);
        let mut values = ValueSet::default();
        for value in found.values.iter() {
            let bound = self.bind(value, receiver);
            values.extend(&bound);
        }
        if found.class.is_none() {
            for base in self.bases_in_libraries(class).iter().copied() {
                if let Some(path) = self.result_path(base) {
                    let inherited = self.attribute_of_library(path, name);
                    values.extend(&inherited);
                }
            }
            values.extend(&self.router_of_object(receiver, own));
            if self.symbols.text(name) == "__new__" {
                let new = self.symbols.intern("builtins.object.__new__");
                values.extend(&self.single(Data::Library(new)));
            }
        }
        values
    }

    /// What an attribute of a class is when it is reached through an instance.
    pub(super) fn bind(&mut self, value: Value, receiver: Value) -> ValueSet {
        match self.values.data(value) {
            Data::Function { .. } | Data::ManagerMaker(_) => self.single(Data::Bound {
                callee: value,
                receiver,
            }),
            Data::StaticMethod(inner) => ValueSet::one(inner),
            Data::ClassMethod(callee) => {
                let class = self.class_of(receiver);
                let receiver = match class {
                    Some(class) => self.values.intern(Data::Class(class)),
                    None => receiver,
                };
                self.single(Data::Bound { callee, receiver })
            }
            Data::Property { getter, .. } => {
                let mut values = ValueSet::default();
                for bound in self.bind(getter, receiver).iter() {
                    let result = self.invoke(bound, &[], Mode::Plain);
                    values.extend(&result);
                }
                values
            }
            Data::Object(_) | Data::Declared(_) => self.descriptor(value, receiver),
            Data::Factory(maker) => self.made_for_field(maker),
            Data::Deleter(_) => ValueSet::default(),
            Data::Partial(_) if self.is_handed_off(value) || self.runs_inside(value) => self
                .single(Data::Bound {
                    callee: value,
                    receiver,
                }),
            Data::Dispatcher(owner) => {
                let mut values = ValueSet::default();
                for function in self.everything_in(owner).iter() {
                    values.extend(&self.bind(function, receiver));
                }
                values
            }
            _ => ValueSet::one(value),
        }
    }

    fn descriptor(&mut self, value: Value, receiver: Value) -> ValueSet {
        let Some(class) = self.class_of(value) else {
            return ValueSet::one(value);
        };
        let hook = self.symbols.intern("__get__");
        if self.look_up(class, hook).class.is_none() {
            return ValueSet::one(value);
        }
        let given = Given::positional(ValueSet::one(receiver));
        self.special_method(value, hook, &[given])
    }

    /// Gives `values` to `base.name`.
    pub(super) fn set_attribute(&mut self, base: &ValueSet, name: Symbol, values: &ValueSet) {
        for value in base.iter() {
            match self.values.data(value) {
                Data::Object(object) => {
                    let info = self.heap.objects[object.0 as usize];
                    self.set_by_hook(value, name, values);
                    self.set_by_property(value, info.class, name, values);
                    self.write_named(info.owner, name, values);
                    let objects = self.heap.classes[info.class.0 as usize].objects;
                    self.write_named(objects, name, values);
                    self.note_seen(info.class, name, values);
                }
                Data::Declared(class) | Data::Override(class) => {
                    self.set_by_hook(value, name, values);
                    self.set_by_property(value, class, name, values);
                    let declared: Owner = self.heap.classes[class.0 as usize].declared;
                    self.write_named(declared, name, values);
                    self.note_seen(class, name, values);
                }
                Data::Class(class) => {
                    if !self.program.assigned.contains(&name) {
                        self.binds_newly(class, name);
                    }
                    let owner = self.heap.classes[class.0 as usize].owner;
                    self.write_named(owner, name, values);
                }
                Data::Module(module) => {
                    let instance = self.module(module);
                    let owner = self.instances[instance.0 as usize].owner;
                    self.write_named(owner, name, values);
                }
                Data::Library(path) => {
                    if let Some(owner) = self.shared(path) {
                        self.put_named(owner, name, values);
                    }
                }
                Data::Namespace(owner) => self.write_named(owner, name, values),
                _ => {}
            }
        }
    }

    /// Some object of a class, and so of its ancestors, has these values.
    fn note_seen(&mut self, class: ClassId, name: Symbol, values: &ValueSet) {
        for known in self.ancestors(class).iter() {
            let seen = self.heap.classes[known.0 as usize].seen;
            self.write_named(seen, name, values);
        }
    }

    /// `__setattr__` of the program's own classes.
    fn set_by_hook(&mut self, receiver: Value, name: Symbol, values: &ValueSet) {
        let hook = self.symbols.intern("__setattr__");
        if self.answers(receiver, hook) {
            let name = self.single(Data::Text(name));
            let given = [name, values.clone()].map(Given::positional);
            self.special_method(receiver, hook, &given);
        }
    }

    /// `del base.name`.
    pub(super) fn delete_attribute(&mut self, base: &ValueSet, name: Symbol) {
        let [hook, delete] = ["__delattr__", "__delete__"].map(|name| self.symbols.intern(name));
        for value in base.iter() {
            let Some(class) = self.class_of(value) else {
                continue;
            };
            if self.answers(value, hook) {
                let name = Given::positional(self.single(Data::Text(name)));
                self.special_method(value, hook, &[name]);
            }
            for held in self.look_up(class, name).values.iter() {
                match self.values.data(held) {
                    Data::Deleter(function) => {
                        let bound = self.bind(function, value);
                        self.run_callable(&bound, &[]);
                    }
                    Data::Object(_) => {
                        let given = Given::positional(ValueSet::one(value));
                        self.special_method(held, delete, &[given]);
                    }
                    _ => {}
                }
            }
        }
    }

    fn set_by_property(
        &mut self,
        receiver: Value,
        class: ClassId,
        name: Symbol,
        values: &ValueSet,
    ) {
        let found = self.look_up(class, name);
        for value in found.values.iter() {
            match self.values.data(value) {
                Data::Property {
                    setter: Some(setter),
                    ..
                } => {
                    for bound in self.bind(setter, receiver).iter() {
                        self.invoke(bound, &[Given::positional(values.clone())], Mode::Plain);
                    }
                }
                Data::Object(_) => {
                    let hook = self.symbols.intern("__set__");
                    let given = [ValueSet::one(receiver), values.clone()].map(Given::positional);
                    self.special_method(value, hook, &given);
                }
                _ => {}
            }
        }
    }
}
