//! What the language calls without a call: iteration, `with`, `await`, operators, items.
//!
//! And the operations that have no better home: attributes, returns, annotations.

use super::arguments::Given;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Action, BodyKind, Key, Mode, RETURNS, Slot, YIELDS};
use crate::finding::Certainty;
use crate::symbols::Symbol;

/// Methods, and what takes their place where a class has them not.
const STAND_INS: &[(&str, &str)] = &[
    ("__bool__", "__len__"),
    ("__format__", "__str__"),
    ("__str__", "__repr__"),
];

impl Machine<'_> {
    pub(super) fn execute_deeper(&mut self, action: &Action) {
        match action {
            Action::Attribute { to, base, name } => {
                let base = self.slot(*base);
                let name = self.symbol(*name);
                let values = self.attribute(&base, name);
                self.add(*to, &values);
            }
            Action::SetAttribute { base, name, from } => {
                let base = self.slot(*base);
                let values = self.slot(*from);
                let name = self.symbol(*name);
                self.set_attribute(&base, name, &values);
            }
            Action::Item { to, base, key } => self.item(*to, *base, *key),
            Action::SetItem { base, key, from } => self.set_item(*base, *key, *from),
            Action::Call(call) => self.call(call),
            Action::Iterate { to, from, mode } => {
                for value in self.slot(*from).iter() {
                    let values = self.elements(value, *mode);
                    self.add(*to, &values);
                }
            }
            Action::Enter { to, from, mode } => {
                for value in self.slot(*from).iter() {
                    let values = self.enter(value, *mode);
                    self.add(*to, &values);
                }
            }
            Action::Await { to, from } => {
                for value in self.slot(*from).iter() {
                    let values = self.awaited(value);
                    self.add(*to, &values);
                }
            }
            Action::Special {
                to,
                method,
                reflected,
                left,
                right,
            } => {
                let method = self.symbol(*method);
                let reflected = reflected.map(|name| self.symbol(name));
                let left = self.slot(*left);
                let right = right.map(|slot| self.slot(slot));
                let values = self.operator(method, &left, right.as_ref());
                self.add(*to, &values);
                if let (Some(reflected), Some(right)) = (reflected, right) {
                    let values = self.operator(reflected, &right, Some(&left));
                    self.add(*to, &values);
                }
            }
            Action::Yield { from } => {
                let values = self.slot(*from);
                self.add(YIELDS, &values);
            }
            Action::Return { from } => {
                let values = self.slot(*from);
                self.add(RETURNS, &values);
            }
            Action::Declare { to, annotation } => self.declare(*to, *annotation),
            _ => {}
        }
    }

    fn item(&mut self, to: Slot, base: Slot, key: Key) {
        for value in self.slot(base).iter() {
            let values = match self.values.data(value) {
                Data::Collection(owner) => self.item_of_collection(owner, key),
                Data::Lazy(number, gives) => self.iterate_lazy(number, gives),
                // A part of a query is a query, which nobody has asked yet.
                Data::Library(_) if matches!(key, Key::Slice) => ValueSet::one(value),
                Data::Library(path) => {
                    let asked = self.key_values(key);
                    let mut values = self.item_of_library(path, asked);
                    if let Some(owner) = self.shared(path) {
                        values.extend(&self.at_key(owner, key));
                    }
                    values
                }
                Data::Object(_) | Data::Declared(_) => {
                    let asked = Given::positional(self.key_values(key));
                    let method = self.asked_for_items(value);
                    self.special_method(value, method, &[asked])
                }
                Data::Class(_) | Data::Model(_) => ValueSet::one(value),
                _ => ValueSet::default(),
            };
            self.add(to, &values);
        }
    }

    /// The method that `object[key]` calls: a dict's subclass may only say what it has not.
    fn asked_for_items(&mut self, value: Value) -> Symbol {
        let [get, missing] = ["__getitem__", "__missing__"].map(|name| self.symbols.intern(name));
        let Some(class) = self.class_of(value) else {
            return get;
        };
        let only_missing = self.look_up(class, get).class.is_none()
            && self.look_up(class, missing).class.is_some();
        if only_missing { missing } else { get }
    }

    /// What a key may be, where it is known.
    fn key_values(&mut self, key: Key) -> ValueSet {
        match key {
            Key::Text(name) => {
                let text = self.symbol(name);
                self.single(Data::Text(text))
            }
            Key::Number(number) => self.single(Data::Number(number)),
            Key::Slot(slot) => self.slot(slot),
            Key::Any | Key::Slice => ValueSet::default(),
        }
    }

    fn set_item(&mut self, base: Slot, key: Key, from: Slot) {
        let method = self.symbols.intern("__setitem__");
        let values = self.slot(from);
        for value in self.slot(base).iter() {
            match self.values.data(value) {
                Data::Collection(owner) => self.put(owner, key, &values),
                Data::Library(path) => {
                    self.operator_of_library(path, method);
                    if let Some(owner) = self.shared(path) {
                        self.put(owner, key, &values);
                    }
                }
                Data::Object(_) | Data::Declared(_) => {
                    let given = [self.key_values(key), values.clone()].map(Given::positional);
                    self.special_method(value, method, &given);
                }
                _ => {}
            }
        }
    }

    /// What comes out of a value one by one.
    pub(super) fn elements(&mut self, value: Value, mode: Mode) -> ValueSet {
        match self.values.data(value) {
            Data::Collection(owner) => self.everything_in(owner),
            Data::Generator(body) => {
                if self.kind_of(body) == BodyKind::Generator || self.is_expression(body) {
                    self.edge(body, Certainty::Certain);
                }
                self.result(body, YIELDS)
            }
            Data::Lazy(number, gives) => self.iterate_lazy(number, gives),
            Data::Library(path) => self.protocol_of_library(path, "__iter__", mode),
            Data::Object(_) | Data::Declared(_) => self.iterate_object(value, mode),
            Data::Model(_) => ValueSet::one(value),
            _ => ValueSet::default(),
        }
    }

    fn iterate_object(&mut self, value: Value, mode: Mode) -> ValueSet {
        let (begin, next) = if mode == Mode::Awaited {
            ("__aiter__", "__anext__")
        } else {
            ("__iter__", "__next__")
        };
        let (begin, next) = (self.symbols.intern(begin), self.symbols.intern(next));
        let mut result = ValueSet::default();
        for iterator in self.special_method(value, begin, &[]).iter() {
            match self.values.data(iterator) {
                Data::Object(_) | Data::Declared(_) => {
                    let values = self.special_method(iterator, next, &[]);
                    for value in values.iter() {
                        let values = self.awaited(value);
                        result.extend(&values);
                    }
                }
                _ => {
                    let values = self.elements(iterator, mode);
                    result.extend(&values);
                }
            }
        }
        result
    }

    /// What `with value as` gives; its end counts too.
    pub(super) fn enter(&mut self, value: Value, mode: Mode) -> ValueSet {
        match self.values.data(value) {
            Data::Manager(body) => {
                if self.kind_of(body) == BodyKind::Generator {
                    self.edge(body, Certainty::Certain);
                }
                self.result(body, YIELDS)
            }
            Data::Library(path) => {
                self.protocol_of_library(path, "__exit__", mode);
                self.protocol_of_library(path, "__enter__", mode)
            }
            Data::Object(_) | Data::Declared(_) => {
                let names = if mode == Mode::Awaited {
                    ["__aenter__", "__aexit__"]
                } else {
                    ["__enter__", "__exit__"]
                };
                let [enter, exit] = names.map(|name| self.symbols.intern(name));
                self.special_method(value, exit, &[]);
                let entered = self.special_method(value, enter, &[]);
                let mut result = ValueSet::default();
                for value in entered.iter() {
                    let values = self.awaited(value);
                    result.extend(&values);
                }
                result
            }
            _ => ValueSet::default(),
        }
    }

    /// What `await value` gives.
    pub(super) fn awaited(&mut self, value: Value) -> ValueSet {
        match self.values.data(value) {
            Data::Coroutine(body) => self.result(body, RETURNS),
            Data::Object(_) | Data::Declared(_) => {
                let name = self.symbols.intern("__await__");
                for iterator in self.special_method(value, name, &[]).iter() {
                    self.elements(iterator, Mode::Plain);
                }
                ValueSet::one(value)
            }
            _ => ValueSet::one(value),
        }
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
                Data::Object(_) | Data::Declared(_) => {
                    let method = self.stand_in(value, method);
                    self.special_method(value, method, &given)
                }
                Data::Lazy(number, gives) => self.iterate_lazy(number, gives),
                Data::Library(path) => self.operator_of_library(path, method),
                // `a + b` of two lists, `a | b` of two dicts or types.
                Data::Collection(_) => ValueSet::one(value),
                _ => ValueSet::default(),
            };
            result.extend(&values);
        }
        result
    }

    /// An annotation counts where no caller is seen: in coroutines, in class bodies, and
    /// elsewhere only if nothing else is known.
    fn declare(&mut self, to: Slot, annotation: Slot) {
        let annotated = self.slot(annotation);
        let injected = self.injected(&annotated, self.current.instance);
        self.add(to, &injected);
        let known = self.slot(to);
        let injected = self.injected_by_annotation(&annotated, &known);
        self.add(to, &injected);
        let kind = self.kind_of(self.current.instance);
        let root = self.heap.root();
        let called = self.context_of(self.current.instance) != root;
        let asynchronous = matches!(kind, BodyKind::Coroutine | BodyKind::AsyncGenerator);
        let early = match kind {
            BodyKind::Class | BodyKind::Module => true,
            _ => asynchronous && !called && to != RETURNS,
        };
        let known = self.slot(to);
        let told = known
            .iter()
            .filter(|value| !self.asks_by_annotation(*value))
            .any(|value| !matches!(self.values.data(value), Data::Library(_) | Data::Model(_)));
        if !early && (!self.generous || told) {
            return;
        }
        let mut values = ValueSet::default();
        for class in annotated.iter() {
            match self.values.data(class) {
                Data::Collection(_) => {
                    values.insert(class);
                }
                _ => {
                    if let Some(instance) = self.instance_of(class) {
                        values.insert(instance);
                    }
                }
            }
        }
        let any = self.any_model_among(&values);
        values.extend(&any);
        self.add(to, &values);
    }
}
