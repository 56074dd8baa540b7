//! Builtins that ask and set by name: `getattr`, `setattr`, `vars`, `super`, `type`, `property`.
//!
//! Names are texts that are known where the call stands, or the beginnings of such.

use super::arguments::{Given, Way};
use super::machine::Machine;
use super::values::{Data, ValueSet};

impl Machine<'_> {
    /// What a call gives, if the function is one of those.
    pub(super) fn reflection(
        &mut self,
        name: &str,
        given: &[Given],
        first: &ValueSet,
    ) -> Option<ValueSet> {
        match name {
            "super" => Some(self.super_value(given)),
            "type" if given.len() == 1 => Some(self.types_of(first)),
            "getattr" => Some(self.getattr(given, first)),
            "setattr" | "delattr" => {
                self.change(name, given, first);
                Some(ValueSet::default())
            }
            "globals" => Some(self.names_of_module()),
            "vars" if given.len() == 1 => {
                let name = self.symbols.intern("__dict__");
                Some(self.attribute(first, name))
            }
            "property" => Some(self.property(given)),
            _ => None,
        }
    }

    fn types_of(&mut self, values: &ValueSet) -> ValueSet {
        let classes = values.iter().filter_map(|value| self.class_of(value));
        let classes: Vec<_> = classes.collect();
        classes
            .into_iter()
            .map(|class| self.values.intern(Data::Class(class)))
            .collect()
    }

    /// `setattr(object, name, value)` or `delattr(object, name)`.
    fn change(&mut self, function: &str, given: &[Given], objects: &ValueSet) {
        let names = given.get(1).map(|given| self.texts(&given.values));
        let values = given.get(2).map(|given| given.values.clone());
        let values = values.unwrap_or_default();
        for name in names.unwrap_or_default() {
            let name = self.symbols.intern(&name);
            if function == "setattr" {
                self.set_attribute(objects, name, &values);
            } else {
                self.delete_attribute(objects, name);
            }
        }
    }

    /// `property(fget, fset, fdel)`.
    fn property(&mut self, given: &[Given]) -> ValueSet {
        let [getters, setters, deleters] = ["fget", "fset", "fdel"].map(|name| {
            let known =
                |way: Way| matches!(way, Way::Keyword(key) if self.symbols.text(key) == name);
            let found = given.iter().find(|one| known(one.way));
            found.map(|one| one.values.clone())
        });
        let positional = |position: usize| {
            let found = given.get(position);
            let found = found.filter(|one| one.way == Way::Positional);
            found.map(|one| one.values.clone())
        };
        let getters = getters.or_else(|| positional(0)).unwrap_or_default();
        let setters = setters.or_else(|| positional(1)).unwrap_or_default();
        let deleters = deleters.or_else(|| positional(2)).unwrap_or_default();
        let mut found = self.wrapped(&deleters, Data::Deleter);
        for setter in setters.iter() {
            let setter = Some(setter);
            found.extend(&self.wrapped(&getters, |getter| Data::Property { getter, setter }));
        }
        if setters.is_empty() {
            let setter = None;
            found.extend(&self.wrapped(&getters, |getter| Data::Property { getter, setter }));
        }
        found
    }

    fn super_value(&mut self, given: &[Given]) -> ValueSet {
        if let [classes, receivers] = given {
            let found = self.super_of(&classes.values, &receivers.values);
            if !found.is_empty() {
                return found;
            }
        }
        let here = &self.instances[self.current.instance.0 as usize];
        let Some(class) = here.class else {
            return ValueSet::default();
        };
        let parameters = &self.program.function(self.current.function).parameters;
        let Some(first) = parameters.first().map(|parameter| parameter.slot) else {
            return ValueSet::default();
        };
        let receivers = self.slot(first);
        self.wrapped(&receivers, |receiver| Data::Super { class, receiver })
    }

    /// `super(Class, object)`.
    fn super_of(&mut self, classes: &ValueSet, receivers: &ValueSet) -> ValueSet {
        let mut found = ValueSet::default();
        for class in classes.iter() {
            if let Data::Class(class) = self.values.data(class) {
                found.extend(&self.wrapped(receivers, |receiver| Data::Super { class, receiver }));
            }
        }
        found
    }

    fn getattr(&mut self, given: &[Given], first: &ValueSet) -> ValueSet {
        let names = given
            .get(1)
            .map(|given| self.texts(&given.values))
            .unwrap_or_default();
        let mut values = given
            .get(2)
            .map(|given| given.values.clone())
            .unwrap_or_default();
        for name in names {
            let name = self.symbols.intern(&name);
            let found = self.attribute(first, name);
            values.extend(&found);
        }
        let beginnings = given.get(1).map(|given| given.values.clone());
        for value in beginnings.unwrap_or_default().iter() {
            if let Data::Beginning(text) = self.values.data(value) {
                let found = self.attributes_beginning(first, text);
                values.extend(&found);
            }
        }
        values
    }
}
