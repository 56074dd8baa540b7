//! Operators, comparisons and tests: which special method of which side is asked.
//!
//! The other side is asked where this one has no such method, or may decline. What stands in for a method that a class
//! has not is as in Python.

use super::arguments::Given;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Key, Mode};
use crate::symbols::Symbol;

/// Methods, and what takes their place where a class has them not.
const STAND_INS: &[(&str, &str)] = &[
    ("__bool__", "__len__"),
    ("__format__", "__str__"),
    ("__ne__", "__eq__"),
    ("__str__", "__repr__"),
];

/// The comparisons of which `functools.total_ordering` makes those that are missing.
const ORDERINGS: [&str; 4] = ["__lt__", "__le__", "__gt__", "__ge__"];

/// With it a method declines.
const NOT_IMPLEMENTED: &str = "builtins.NotImplemented";

/// The methods that an operation asks: of the left side, and of the right one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) method: Symbol,
    pub(super) reflected: Option<Symbol>,
}

impl Machine<'_> {
    /// An operation of one or two operands.
    pub(super) fn operation(
        &mut self,
        asked: Asked,
        left: &ValueSet,
        right: Option<&ValueSet>,
    ) -> ValueSet {
        let mut values = self.operator(asked.method, left, right);
        if let (Some(reflected), Some(right)) = (asked.reflected, right)
            && self.asks_the_other(asked.method, left, &values)
        {
            // So far something may come that answers itself; a library's flags are flags all the same.
            let others = if left.is_empty() && !self.generous {
                self.of_libraries(right)
            } else {
                right.clone()
            };
            values.extend(&self.operator(reflected, &others, Some(left)));
        }
        values
    }

    fn of_libraries(&self, values: &ValueSet) -> ValueSet {
        let is_library = |value: &Value| matches!(self.values.data(*value), Data::Library(_));
        values.iter().filter(is_library).collect()
    }

    fn asks_the_other(&mut self, method: Symbol, left: &ValueSet, values: &ValueSet) -> bool {
        let declines = values.iter().any(|value| match self.values.data(value) {
            Data::Library(path) => self.symbols.text(path) == NOT_IMPLEMENTED,
            _ => false,
        });
        declines
            || left.is_empty()
            || left.iter().any(|value| {
                let method = self.stand_in(value, method);
                !self.answers(value, method)
            })
    }

    /// Whether an object's class has a method: for whoever looks something up in the class besides.
    pub(super) fn answers(&mut self, value: Value, method: Symbol) -> bool {
        let class = self.class_of(value);
        class.is_some_and(|class| self.place_of(class, method).class.is_some())
    }

    /// What Python asks where a class has not the method that it would ask first.
    fn stand_in(&mut self, value: Value, method: Symbol) -> Symbol {
        let Some(class) = self.class_of(value) else {
            return method;
        };
        let mut method = method;
        for (first, next) in STAND_INS {
            if self.symbols.text(method) == *first && self.look_up(class, method).class.is_none() {
                method = self.symbols.intern(next);
            }
        }
        method
    }

    fn operator(&mut self, method: Symbol, left: &ValueSet, right: Option<&ValueSet>) -> ValueSet {
        let given: Vec<Given> = right
            .map(|values| Given::positional(values.clone()))
            .into_iter()
            .collect();
        let mut result = ValueSet::default();
        for value in left.iter() {
            let values = match self.values.data(value) {
                Data::Object(_) | Data::Declared(_) => self.ask(value, method, &given),
                Data::Class(class) => self
                    .special_of_class(class, method, &given)
                    .unwrap_or_default(),
                Data::Lazy(number, gives) => self.iterate_lazy(number, gives),
                Data::Library(path) => self.operator_of_library(path, method),
                Data::Collection(_) if self.is_membership(method) => self.compare_with(&given),
                Data::Text(_) | Data::Beginning(_) if self.symbols.text(method) == "__mod__" => {
                    self.put_into_text(right.unwrap_or(&ValueSet::default()));
                    ValueSet::default()
                }
                // `a + b` of two lists, `a | b` of two dicts or types.
                Data::Collection(_) => ValueSet::one(value),
                _ => ValueSet::default(),
            };
            result.extend(&values);
        }
        result
    }

    /// Asks a special method of an object, or what stands in for it.
    pub(super) fn ask(&mut self, value: Value, method: Symbol, given: &[Given]) -> ValueSet {
        let method = self.stand_in(value, method);
        if self.is_membership(method) && !self.answers(value, method) {
            // `in` iterates what cannot say.
            self.elements(value, Mode::Plain);
            return self.compare_with(given);
        }
        self.special_method(value, method, given)
    }

    fn is_membership(&self, method: Symbol) -> bool {
        self.symbols.text(method) == "__contains__"
    }

    /// `object in collection`: items are compared with it.
    fn compare_with(&mut self, given: &[Given]) -> ValueSet {
        let method = self.symbols.intern("__eq__");
        for wanted in given.iter().flat_map(|given| given.values.iter()) {
            if self.answers(wanted, method) {
                let other = Given::positional(ValueSet::one(wanted));
                self.special_method(wanted, method, &[other]);
            }
        }
        ValueSet::default()
    }

    /// An object that is the key of a dict is hashed, one that is a list's asked for its number.
    pub(super) fn ask_key(&mut self, key: Key) {
        let Key::Slot(slot) = key else { return };
        for value in self.slot(slot).iter() {
            for method in ["__hash__", "__index__"] {
                let method = self.symbols.intern(method);
                if self.answers(value, method) {
                    self.special_method(value, method, &[]);
                }
            }
        }
    }

    /// `sum`: what comes out of something, added up.
    pub(super) fn added_up(&mut self, items: &ValueSet) -> ValueSet {
        let [method, reflected] = ["__add__", "__radd__"].map(|name| self.symbols.intern(name));
        let mut found = self.operator(reflected, items, Some(items));
        found.extend(&self.operator(method, items, Some(items)));
        found
    }

    /// Asks whether each of these is true.
    pub(super) fn test_each(&mut self, items: &ValueSet) {
        let method = self.symbols.intern("__bool__");
        self.operator(method, items, None);
    }

    /// `functools.total_ordering`: what a class has stands in for what it has not.
    pub(super) fn complete_orderings(&mut self, classes: &ValueSet) {
        let methods = ORDERINGS.map(|name| self.symbols.intern(name));
        for class in classes.iter() {
            let Data::Class(class) = self.values.data(class) else {
                continue;
            };
            let body = self.heap.classes[class.0 as usize].body;
            let cells = &self.program.function(body).cells;
            let names: Vec<Symbol> = cells
                .iter()
                .map(|name| self.program.symbol(body, *name))
                .collect();
            let mut known = ValueSet::default();
            let mut missing = Vec::new();
            for method in methods {
                let found = self.look_up(class, method);
                if names.contains(&method) {
                    known.extend(&found.values);
                } else if found.class.is_none_or(|holder| holder == class) {
                    missing.push(method);
                }
            }
            let owner = self.heap.classes[class.0 as usize].owner;
            for method in missing {
                self.binds_newly(class, method);
                self.write_named(owner, method, &known);
            }
        }
    }
}
