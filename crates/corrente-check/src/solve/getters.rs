//! Callables that are made of names: `operator.methodcaller`, `attrgetter` and `itemgetter`.
//!
//! Each is a partial: the names come first, the object that it is called with last.

use super::arguments::Given;
use super::machine::Machine;
use super::values::{Data, ValueSet};
use crate::facts::Key;

impl Machine<'_> {
    /// What a call gives, if it makes or calls one of those.
    pub(super) fn getter(&mut self, key: &str, given: &[Given]) -> Option<ValueSet> {
        match key {
            "operator.methodcaller" | "operator.attrgetter" | "operator.itemgetter" => {
                let caller = self.symbols.intern(&format!("{key}.__call__"));
                let caller = self.single(Data::Library(caller));
                let mut all = vec![Given::positional(caller)];
                all.extend_from_slice(given);
                Some(self.partial(&all, Data::Partial))
            }
            "operator.methodcaller.__call__" => Some(self.call_named_method(given)),
            "operator.attrgetter.__call__" => {
                Some(self.each_got(given, |machine, object, names| {
                    machine.attributes_by_path(object, names)
                }))
            }
            "operator.itemgetter.__call__" => {
                Some(self.each_got(given, |machine, object, keys| {
                    machine.items_by_key(object, keys)
                }))
            }
            _ => None,
        }
    }

    fn call_named_method(&mut self, given: &[Given]) -> ValueSet {
        let (Some(names), Some((object, rest))) = (given.first(), given.split_last()) else {
            return ValueSet::default();
        };
        let mut result = ValueSet::default();
        for name in self.texts(&names.values) {
            let name = self.symbols.intern(&name);
            let methods = self.attribute(&object.values, name);
            let values = self.run_callable(&methods, rest.get(1..).unwrap_or_default());
            result.extend(&values);
        }
        result
    }

    /// What is got from the object by one name, or a tuple of that by several.
    fn each_got(
        &mut self,
        given: &[Given],
        get: impl Fn(&mut Self, &ValueSet, &ValueSet) -> ValueSet,
    ) -> ValueSet {
        let Some((object, names)) = given.split_last() else {
            return ValueSet::default();
        };
        if let [only] = names {
            return get(self, &object.values, &only.values);
        }
        let tuple = self.collection_here();
        for (index, name) in names.iter().enumerate() {
            let values = get(self, &object.values, &name.values);
            self.put(tuple, Key::position(index), &values);
        }
        self.single(Data::Collection(tuple))
    }

    /// `attrgetter("a.b")`.
    fn attributes_by_path(&mut self, object: &ValueSet, names: &ValueSet) -> ValueSet {
        let mut found = ValueSet::default();
        for path in self.texts(names) {
            let mut values = object.clone();
            for name in path.split('.') {
                let name = self.symbols.intern(name);
                values = self.attribute(&values, name);
            }
            found.extend(&values);
        }
        found
    }

    fn items_by_key(&mut self, object: &ValueSet, keys: &ValueSet) -> ValueSet {
        let method = self.symbols.intern("__getitem__");
        let mut found = ValueSet::default();
        for value in object.iter() {
            if let Data::Collection(owner) = self.values.data(value) {
                found.extend(&self.at_values(owner, keys));
                continue;
            }
            let methods = self.attribute_of(value, method);
            let asked = [Given::positional(keys.clone())];
            found.extend(&self.run_callable(&methods, &asked));
        }
        found
    }
}
