//! Builtins and standard functions that pass values on in ways of their own.
//!
//! All else that a library offers is data: see the catalogue.

use super::arguments::{Given, Partial, Way};
use super::decorated::{INSIDE, INSIDE_AWAITED};
use super::heap::{OwnedBy, Owner};
use super::inherent::REFERENT;
use super::machine::Machine;
use super::values::{Data, Gives, Value, ValueSet};
use crate::facts::{Key, Mode, RETURNED};
use crate::symbols::Symbol;

impl Machine<'_> {
    /// What a call gives, if the function is one of those.
    pub(super) fn builtin_call(&mut self, key: &str, given: &[Given]) -> Option<ValueSet> {
        let first = given
            .first()
            .map(|given| given.values.clone())
            .unwrap_or_default();
        let wrapped = match key.strip_prefix("builtins.") {
            Some(name) => return self.python_builtin(name, given, &first),
            None => key,
        };
        match wrapped {
            "functools.cached_property"
            | "django.utils.functional.cached_property"
            | "abc.abstractproperty"
            | "cached_property.cached_property" => {
                Some(self.wrapped(&first, |getter| Data::Property {
                    getter,
                    setter: None,
                }))
            }
            "contextlib.contextmanager" | "contextlib.asynccontextmanager" => {
                Some(self.wrapped(&first, Data::ManagerMaker))
            }
            "functools.singledispatch" | "functools.singledispatchmethod" => {
                Some(self.dispatcher(&first))
            }
            "functools.partial" | "functools.partialmethod" => {
                Some(self.partial(given, Data::Partial))
            }
            "copy.copy" => self.copied(&first, "__copy__"),
            "copy.deepcopy" => self.copied(&first, "__deepcopy__"),
            "weakref.ref" | "weakref.WeakMethod" => Some(self.referring_to(&first)),
            "os.fspath" => Some(self.on_special(&first, "__fspath__")),
            "functools.lru_cache"
            | "functools.cache"
            | "functools.update_wrapper"
            | "asyncio.shield"
            | "weakref.proxy" => (!first.is_empty()).then_some(first),
            "asyncio.create_task"
            | "asyncio.ensure_future"
            | "asyncio.wait_for"
            | "asyncio.TaskGroup.create_task" => {
                let mut values: ValueSet = first
                    .iter()
                    .filter(|value| matches!(self.values.data(*value), Data::Coroutine(_)))
                    .collect();
                let path = self.symbols.intern("asyncio.Task()");
                values.extend(&self.single(Data::Library(path)));
                Some(values)
            }
            "typing.cast" => Some(self.cast(given, &first)),
            "importlib.import_module" => Some(self.imported_by_names(&first)),
            "contextlib.ExitStack.enter_context" | "contextlib.AsyncExitStack.enter_context" => {
                Some(self.enter_all(&first, Mode::Plain))
            }
            "contextlib.AsyncExitStack.enter_async_context" => {
                Some(self.enter_all(&first, Mode::Awaited))
            }
            "collections.deque" | "collections.OrderedDict" | "types.MappingProxyType" => {
                Some(self.gathered(&first))
            }
            other => self.container_of_library(other, given, &first),
        }
    }

    /// What is made by a library's call that keeps values, or finds what was kept.
    fn container_of_library(
        &mut self,
        key: &str,
        given: &[Given],
        first: &ValueSet,
    ) -> Option<ValueSet> {
        match key {
            // A signal is a collection of receivers: `connect` adds one, `send` calls all.
            "django.dispatch.Signal" | "blinker.Signal" => {
                let owner = self.collection_here();
                Some(self.single(Data::Collection(owner)))
            }
            "contextvars.ContextVar" => {
                let owner = self.collection_here();
                for default in given.get(1..).unwrap_or_default() {
                    self.put(owner, Key::Any, &default.values);
                }
                Some(self.single(Data::Collection(owner)))
            }
            "django.dispatch.receiver" => self.connecting(first),
            "types.SimpleNamespace" | "threading.local" => Some(self.namespace(given)),
            "inspect.getmembers" => {
                let any = self.symbols.intern("");
                let members = self.attributes_beginning(first, any);
                Some(self.pairs(&members))
            }
            INSIDE => Some(self.run_inside(given, Mode::Plain)),
            INSIDE_AWAITED => Some(self.run_inside(given, Mode::Awaited)),
            "collections.defaultdict" => Some(self.dict_with_factory(given, first)),
            "types.MethodType" => Some(self.bound_by_hand(given, first)),
            "enum.member" => Some(self.wrapped(first, Data::Bare)),
            "functools.total_ordering" => {
                self.complete_orderings(first);
                Some(first.clone())
            }
            "contextlib.nullcontext" => {
                (!first.is_empty()).then(|| self.wrapped(first, Data::Bare))
            }
            "contextlib.ExitStack.push" | "contextlib.AsyncExitStack.push" => {
                self.on_special(first, "__exit__");
                None
            }
            "contextlib.closing" | "contextlib.aclosing" => {
                (!first.is_empty()).then(|| self.wrapped(first, Data::Closing))
            }
            other => self
                .getter(other, given)
                .or_else(|| self.field(other, given))
                .or_else(|| self.iterator_of_iterators(other, given, first))
                .or_else(|| self.ordering(other, given, first)),
        }
    }

    fn python_builtin(
        &mut self,
        name: &str,
        given: &[Given],
        first: &ValueSet,
    ) -> Option<ValueSet> {
        if let Some(values) = self.reflection(name, given, first) {
            return Some(values);
        }
        let values = match name {
            "staticmethod" => self.wrapped(first, Data::StaticMethod),
            "classmethod" => self.wrapped(first, Data::ClassMethod),
            // Called until it gives the second argument.
            "iter" if given.len() == 2 => {
                self.partial(&given[..1], |number| Data::Lazy(number, Gives::Results))
            }
            "iter" => self.iterators(first),
            "reversed" => {
                self.on_special(first, "__reversed__");
                self.gathered(first)
            }
            "list" | "tuple" | "set" | "frozenset" => self.gathered(first),
            "dir" if !given.is_empty() => self.names_of_object(),
            "object.__new__" => self.new_objects(first),
            RETURNED => self.returned_by(first),
            "sorted" | "min" | "max" => {
                let items = self.all_elements(first);
                self.put_in_order(given, &items);
                self.gathered(first)
            }
            "dict" => self.dict(given),
            "map" => self.partial(given, |number| Data::Lazy(number, Gives::Results)),
            "filter" => self.partial(given, |number| Data::Lazy(number, Gives::Items)),
            "next" => self.all_elements(first),
            "anext" => self.all_elements_of(first, Mode::Awaited),
            "sum" | "any" | "all" | "str.join" => self.consumed(name, first),
            "str.format" | "str.format_map" => {
                for argument in given {
                    self.put_into_text(&argument.values);
                }
                ValueSet::default()
            }
            "enumerate" => {
                let inner = self.all_elements(first);
                self.pairs(&inner)
            }
            "zip" => self.zip(given),
            "len" | "str" | "format" | "repr" | "bool" | "hash" | "int" | "float" | "abs"
            | "round" | "bytes" | "complex" => self.on_special(first, special_of(name)),
            "print" => {
                self.use_up(given);
                for argument in given {
                    self.on_special(&argument.values, special_of(name));
                }
                ValueSet::default()
            }
            "locals" | "vars" | "isinstance" | "issubclass" | "hasattr" | "callable" | "id" => {
                ValueSet::default()
            }
            _ => return None,
        };
        Some(values)
    }

    fn cast(&mut self, given: &[Given], classes: &ValueSet) -> ValueSet {
        let mut values = given
            .get(1)
            .map(|given| given.values.clone())
            .unwrap_or_default();
        for class in classes.iter() {
            values.extend(&self.instance_of(class).into_iter().collect());
        }
        values
    }

    pub(super) fn wrapped(&mut self, values: &ValueSet, wrap: impl Fn(Value) -> Data) -> ValueSet {
        values
            .iter()
            .map(|value| self.values.intern(wrap(value)))
            .collect()
    }

    pub(super) fn texts(&self, values: &ValueSet) -> Vec<String> {
        values
            .iter()
            .filter_map(|value| match self.values.data(value) {
                Data::Text(text) => Some(self.symbols.text(text).to_owned()),
                _ => None,
            })
            .collect()
    }

    /// Calls what an order is found by: `key=`, else the comparisons of the items themselves.
    pub(super) fn put_in_order(&mut self, given: &[Given], items: &ValueSet) {
        if self.run_key(given, items) {
            return;
        }
        for method in ["__lt__", "__gt__"] {
            let method = self.symbols.intern(method);
            for item in items.iter() {
                if let Data::Object(_) | Data::Declared(_) = self.values.data(item) {
                    self.special_method(item, method, &[Given::positional(items.clone())]);
                }
            }
        }
    }

    /// Calls `key=` with items; whether there is one.
    pub(super) fn run_key(&mut self, given: &[Given], items: &ValueSet) -> bool {
        let symbols = &self.symbols;
        let is_key = |way: Way| matches!(way, Way::Keyword(name) if symbols.text(name) == "key");
        let Some(key) = given.iter().find(|argument| is_key(argument.way)) else {
            return false;
        };
        self.run_callable(&key.values, &[Given::positional(items.clone())]);
        true
    }

    /// Weak references to values: each gives its value when it is called.
    fn referring_to(&mut self, values: &ValueSet) -> ValueSet {
        let method = self.symbols.intern(REFERENT);
        self.wrapped(values, |receiver| Data::Inherent { receiver, method })
    }

    /// `types.MethodType(function, object)`.
    fn bound_by_hand(&mut self, given: &[Given], functions: &ValueSet) -> ValueSet {
        let receivers = given.get(1).map(|given| given.values.clone());
        let mut found = ValueSet::default();
        for receiver in receivers.unwrap_or_default().iter() {
            found.extend(&self.wrapped(functions, |callee| Data::Bound { callee, receiver }));
        }
        found
    }

    /// What connects a function to signals of the program's own; none if there are only a library's.
    fn connecting(&mut self, signals: &ValueSet) -> Option<ValueSet> {
        let mut all = ValueSet::default();
        for value in signals.iter() {
            let Data::Collection(listed) = self.values.data(value) else {
                continue;
            };
            // A signal holds its receivers, a list of signals holds those.
            let inside = self.everything_in(listed);
            let is_signal = |one: Value| {
                matches!(
                    self.values.data(one),
                    Data::Collection(_) | Data::Library(_)
                )
            };
            if inside.iter().any(is_signal) {
                all.extend(&inside);
            } else {
                all.insert(value);
            }
        }
        let connect = self.symbols.intern("connect");
        let mut found = ValueSet::default();
        for value in all.iter() {
            if let Data::Collection(owner) = self.values.data(value) {
                found.extend(&self.single(Data::CollectionMethod(owner, connect)));
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// A dict that makes what it has not.
    fn dict_with_factory(&mut self, given: &[Given], factories: &ValueSet) -> ValueSet {
        let made = self.dict(given.get(1..).unwrap_or_default());
        let owner = self.collection_here();
        self.heap.makes(owner, factories);
        made
    }

    pub(super) fn all_elements(&mut self, values: &ValueSet) -> ValueSet {
        self.all_elements_of(values, Mode::Plain)
    }

    fn all_elements_of(&mut self, values: &ValueSet, mode: Mode) -> ValueSet {
        let mut found = ValueSet::default();
        for value in values.iter() {
            let inner = self.elements(value, mode);
            found.extend(&inner);
        }
        found
    }

    /// What makes one of many.
    fn consumed(&mut self, name: &str, values: &ValueSet) -> ValueSet {
        let items = self.all_elements(values);
        match name {
            "sum" => self.added_up(&items),
            "any" | "all" => {
                self.test_each(&items);
                ValueSet::default()
            }
            _ => ValueSet::default(),
        }
    }

    /// A collection of what comes out of values; one that is a collection already stays itself.
    pub(super) fn gathered(&mut self, values: &ValueSet) -> ValueSet {
        let owner = self.collection_here();
        for value in values.iter() {
            if let Data::Collection(other) = self.values.data(value) {
                self.pour(owner, other);
            } else {
                let inner = self.elements(value, Mode::Plain);
                self.put(owner, Key::Any, &inner);
            }
        }
        self.single(Data::Collection(owner))
    }

    /// What is iterated later; a generator does not run before.
    pub(super) fn iterators(&mut self, values: &ValueSet) -> ValueSet {
        let is_lazy = |value: &Value| {
            matches!(
                self.values.data(*value),
                Data::Generator(_) | Data::Lazy(..) | Data::Library(_)
            )
        };
        let (mut lazy, mut others) = (ValueSet::default(), ValueSet::default());
        for value in values.iter() {
            let kind = if is_lazy(&value) {
                &mut lazy
            } else {
                &mut others
            };
            kind.insert(value);
        }
        if !others.is_empty() || lazy.is_empty() {
            lazy.extend(&self.gathered(&others));
        }
        lazy
    }

    pub(super) fn dict(&mut self, given: &[Given]) -> ValueSet {
        let owner = self.collection_here();
        for argument in given {
            match argument.way {
                Way::Keyword(name) => self.put_named(owner, name, &argument.values),
                _ => {
                    for value in argument.values.iter() {
                        if let Data::Collection(other) = self.values.data(value) {
                            self.pour(owner, other);
                        } else {
                            self.take_pairs(owner, value);
                        }
                    }
                }
            }
        }
        self.single(Data::Collection(owner))
    }

    /// Puts the second part of each pair that comes out of a value into a collection.
    fn take_pairs(&mut self, owner: Owner, value: Value) {
        for pair in self.elements(value, Mode::Plain).iter() {
            if let Data::Collection(pair) = self.values.data(pair) {
                let inner = self.at_position(pair, 1);
                self.put(owner, Key::Any, &inner);
            }
        }
    }

    pub(super) fn zip(&mut self, given: &[Given]) -> ValueSet {
        let site = self.current.site();
        let instance = self.current.instance;
        let row = self.heap.owner_of(OwnedBy::Pair(site, instance));
        for (index, argument) in given.iter().enumerate() {
            let inner = self.all_elements(&argument.values);
            self.put(row, Key::position(index), &inner);
        }
        let row = self.single(Data::Collection(row));
        let owner = self.collection_here();
        self.put(owner, Key::Any, &row);
        self.single(Data::Collection(owner))
    }

    fn on_special(&mut self, values: &ValueSet, method: &str) -> ValueSet {
        let method = self.symbols.intern(method);
        for value in values.iter() {
            match self.values.data(value) {
                Data::Object(_) | Data::Declared(_) => {
                    self.ask(value, method, &[]);
                }
                Data::Class(class) => {
                    self.special_of_class(class, method, &[]);
                }
                Data::Library(path) => {
                    self.operator_of_library(path, method);
                }
                Data::Collection(owner) if self.is_shown(method) => self.show_items(owner),
                _ => {}
            }
        }
        ValueSet::default()
    }

    fn is_shown(&self, method: Symbol) -> bool {
        matches!(
            self.symbols.text(method),
            "__str__" | "__repr__" | "__format__"
        )
    }

    /// A collection that is shown asks its items for what they look like.
    fn show_items(&mut self, owner: Owner) {
        let method = self.symbols.intern("__repr__");
        for item in self.everything_in(owner).iter() {
            if self.answers(item, method) {
                self.special_method(item, method, &[]);
            }
        }
    }

    fn enter_all(&mut self, values: &ValueSet, mode: Mode) -> ValueSet {
        let mut found = ValueSet::default();
        for value in values.iter() {
            let inner = self.enter(value, mode);
            found.extend(&inner);
        }
        found
    }

    /// A function that `functools.singledispatch` was given, and those to come.
    fn dispatcher(&mut self, functions: &ValueSet) -> ValueSet {
        let owner = self.collection_here();
        self.put(owner, Key::Any, functions);
        self.single(Data::Dispatcher(owner))
    }

    pub(super) fn partial(&mut self, given: &[Given], make: impl Fn(u32) -> Data) -> ValueSet {
        let Some((first, rest)) = given.split_first() else {
            return ValueSet::default();
        };
        let (site, instance) = (self.current.site(), self.current.instance);
        let mut found = ValueSet::default();
        for callee in first.values.iter() {
            let next = self.partials.len() as u32;
            let number = *self
                .partial_numbers
                .entry((site, instance, callee))
                .or_insert(next);
            if number == next {
                let (shape, results) = (self.heap.cells.add(), self.heap.cells.add());
                self.partials.push(Partial {
                    made: self.current,
                    shape,
                    results,
                    callee,
                    given: rest.to_vec(),
                });
            } else if self.partials[number as usize].given != rest {
                let partial = &mut self.partials[number as usize];
                partial.given = rest.to_vec();
                self.heap.cells.touch(partial.shape);
            }
            found.insert(self.values.intern(make(number)));
        }
        found
    }
}

/// The special method that a builtin function asks.
fn special_of(name: &str) -> &'static str {
    match name {
        "len" => "__len__",
        "repr" => "__repr__",
        "bool" => "__bool__",
        "hash" => "__hash__",
        "int" => "__int__",
        "float" => "__float__",
        "abs" => "__abs__",
        "round" => "__round__",
        "bytes" => "__bytes__",
        "complex" => "__complex__",
        _ => "__str__",
    }
}
