//! What the language calls without a call: iteration, `with`, `await`, operators, items.
//!
//! And the operations that have no better home: attributes, returns, annotations.

use super::arguments::Given;
use super::heap::ClassId;
use super::instance::InstanceId;
use super::machine::Machine;
use super::operators::Asked;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Action, BodyKind, Key, Mode, Passage, RETURNS, Slot, YIELDS};
use crate::finding::Certainty;
use crate::symbols::Symbol;

/// Where classes come from that only say what there is: all others iterate in a way of their own.
pub(super) const INTERFACES: &[&str] = &["abc.", "builtins.object", "collections.abc.", "typing."];

/// The name of what a generator is sent, among its cells.
const SENT: &str = "<sent>";

impl Machine<'_> {
    pub(super) fn execute_deeper(&mut self, action: &Action) {
        match action {
            Action::Attribute { to, base, name } => {
                let base = self.slot(*base);
                let name = self.symbol(*name);
                let values = self.attribute(&base, name);
                self.add(*to, &values);
            }
            Action::SetAttribute {
                base,
                name,
                from,
                way,
            } => {
                let base = self.slot(*base);
                let values = self.slot(*from);
                let name = self.symbol(*name);
                self.set_attribute(&base, name, &values);
                if *way == Passage::Always {
                    self.takes_place(&base, name, &values);
                }
            }
            Action::Item { to, base, key } => self.item(*to, *base, *key),
            Action::SetItem { base, key, from } => self.set_item(*base, *key, *from),
            Action::Call(call) => self.call(call),
            Action::Declare { to, annotation } => self.declare(*to, *annotation),
            other => self.execute_protocol(other),
        }
    }

    fn execute_protocol(&mut self, action: &Action) {
        match action {
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
                let asked = Asked { method, reflected };
                let values = self.operation(asked, &left, right.as_ref());
                self.add(*to, &values);
            }
            Action::Yield { to, from } => {
                let values = self.slot(*from);
                self.add(YIELDS, &values);
                let values = self.sent(*to);
                self.add(*to, &values);
            }
            Action::Return { from } => {
                let values = self.slot(*from);
                self.add(RETURNS, &values);
            }
            _ => {}
        }
    }

    /// What a generator is sent, if it asks for that.
    fn sent(&mut self, to: Slot) -> ValueSet {
        let facts = self.program.function(self.current.function);
        if facts.uses.of(to).is_empty() {
            return ValueSet::default();
        }
        let name = self.symbols.intern(SENT);
        let owner = self.instances[self.current.instance.0 as usize].owner;
        self.read_named(owner, name)
    }

    /// `generator.send(…)`: runs it on.
    pub(super) fn step_on(&mut self, body: InstanceId, given: &[Given]) -> ValueSet {
        let name = self.symbols.intern(SENT);
        let owner = self.instances[body.0 as usize].owner;
        if let Some(sent) = given.first() {
            self.write_named(owner, name, &sent.values);
        }
        let generator = self.values.intern(Data::Generator(body));
        self.elements(generator, Mode::Plain)
    }

    fn item(&mut self, to: Slot, base: Slot, key: Key) {
        for value in self.slot(base).iter() {
            let values = match self.values.data(value) {
                Data::Object(_) | Data::Declared(_) | Data::Generator(_)
                    if matches!(key, Key::Part(_)) =>
                {
                    self.elements(value, Mode::Plain)
                }
                Data::Collection(owner) if matches!(key, Key::Slot(_)) => {
                    self.ask_key(key);
                    self.item_of_collection(owner, key)
                }
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
                Data::Class(class) => self.item_of_class(class, key),
                Data::Model(_) => ValueSet::one(value),
                _ => ValueSet::default(),
            };
            self.add(to, &values);
        }
    }

    /// `Class[key]`: its own word or its metaclass's, else the class itself with its parameters.
    fn item_of_class(&mut self, class: ClassId, key: Key) -> ValueSet {
        if self.is_enumeration(class) {
            return self.single(Data::Declared(class));
        }
        let own = self.values.intern(Data::Class(class));
        let method = self.symbols.intern("__getitem__");
        let asked = [Given::positional(self.key_values(key))];
        if let Some(found) = self.special_of_class(class, method, &asked) {
            return found;
        }
        let hook = self.symbols.intern("__class_getitem__");
        let mut found = ValueSet::default();
        for value in self.look_up(class, hook).values.iter() {
            let callee = match self.values.data(value) {
                Data::ClassMethod(inner) => inner,
                _ => value,
            };
            let receiver = own;
            let bound = self.values.intern(Data::Bound { callee, receiver });
            found.extend(&self.invoke(bound, &asked, Mode::Plain));
        }
        if found.is_empty() {
            found.insert(own);
        }
        found
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
            Key::Number(number) | Key::Part(number) => self.single(Data::Number(number)),
            Key::Slot(slot) => self.slot(slot),
            Key::Any | Key::Slice => ValueSet::default(),
        }
    }

    fn set_item(&mut self, base: Slot, key: Key, from: Slot) {
        let method = self.symbols.intern("__setitem__");
        let values = self.slot(from);
        for value in self.slot(base).iter() {
            match self.values.data(value) {
                Data::Collection(owner) => {
                    self.ask_key(key);
                    self.put(owner, key, &values);
                }
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

    /// What `yield from` gives in the end.
    pub(super) fn returned_by(&mut self, values: &ValueSet) -> ValueSet {
        let mut found = ValueSet::default();
        for value in values.iter() {
            match self.values.data(value) {
                Data::Generator(body) => found.extend(&self.result(body, RETURNS)),
                _ => found.extend(&self.awaited(value)),
            };
        }
        found
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
            Data::Class(class) => self.iterate_class(class),
            Data::Model(_) => ValueSet::one(value),
            _ => ValueSet::default(),
        }
    }

    /// `for member in Enumeration`, or what a metaclass says.
    fn iterate_class(&mut self, class: ClassId) -> ValueSet {
        self.ancestors(class);
        if self.is_enumeration(class) {
            return self.single(Data::Declared(class));
        }
        let begin = self.symbols.intern("__iter__");
        let mut found = ValueSet::default();
        let iterators = self.special_of_class(class, begin, &[]);
        for iterator in iterators.unwrap_or_default().iter() {
            // A class that says it iterates itself would never end.
            if !matches!(self.values.data(iterator), Data::Class(_)) {
                found.extend(&self.elements(iterator, Mode::Plain));
            }
        }
        found
    }

    fn iterate_object(&mut self, value: Value, mode: Mode) -> ValueSet {
        let (begin, next) = if mode == Mode::Awaited {
            ("__aiter__", "__anext__")
        } else {
            ("__iter__", "__next__")
        };
        let (begin, next) = (self.symbols.intern(begin), self.symbols.intern(next));
        let mut result = ValueSet::default();
        if let Some(method) = self.instead_of_iterator(value, begin, next) {
            return self.special_method(value, method, &[]);
        }
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

    /// What is asked for items where a class does not begin an iteration: it is the iterator itself, or a
    /// sequence as they were before there were iterators.
    fn instead_of_iterator(&mut self, value: Value, begin: Symbol, next: Symbol) -> Option<Symbol> {
        if self.answers(value, begin) {
            return None;
        }
        if self.answers(value, next) {
            return Some(next);
        }
        let class = self.class_of(value)?;
        let get = self.symbols.intern("__getitem__");
        let bases = self.libraries_of(class);
        let is_interface = |base: &Symbol| {
            let base = self.symbols.text(*base);
            INTERFACES.iter().any(|module| base.starts_with(module))
        };
        let plain = bases.iter().all(is_interface);
        (plain && self.answers(value, get)).then_some(get)
    }

    /// What `with value as` gives; its end counts too.
    pub(super) fn enter(&mut self, value: Value, mode: Mode) -> ValueSet {
        match self.values.data(value) {
            // `async with` fails for a plain one: whoever writes it means another.
            Data::Manager(body)
                if mode == Mode::Awaited && self.kind_of(body) == BodyKind::Generator =>
            {
                ValueSet::default()
            }
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
            Data::Bare(inner) => ValueSet::one(inner),
            Data::Closing(inner) if matches!(self.values.data(inner), Data::Library(_)) => {
                self.enter(inner, mode)
            }
            Data::Closing(inner) => {
                let close = if mode == Mode::Awaited {
                    "aclose"
                } else {
                    "close"
                };
                let close = self.symbols.intern(close);
                for method in self.attribute_of(inner, close).iter() {
                    self.invoke(method, &[], mode);
                }
                ValueSet::one(inner)
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
