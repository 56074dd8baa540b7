//! Methods that a class has from the standard library, and that call methods of its own.
//!
//! A mapping's `get` asks its `__getitem__`, a visitor's `visit` calls what is named for the node. Only what
//! the program's class has itself is called; what the library's own would do is not followed.

use super::arguments::{Given, Way};
use super::flags::Arguments;
use super::heap::{ClassId, OwnedBy};
use super::machine::Machine;
use super::validators::COPIERS;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Key, Mode};
use crate::symbols::Symbol;

/// What a weak reference is called for.
pub(super) const REFERENT: &str = "weakref";

/// A library's base classes, one of their methods, and the methods that it calls. One with a `*` stands for all that
/// begin so.
type Row = (
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

const MAPPINGS: &[&str] = &["Mapping", "MutableMapping", "UserDict"];
const MUTABLE_MAPPINGS: &[&str] = &["MutableMapping", "UserDict"];
const SEQUENCES: &[&str] = &["Sequence", "MutableSequence"];
const MUTABLE_SEQUENCES: &[&str] = &["MutableSequence"];
const SETS: &[&str] = &["Set", "MutableSet"];
const MUTABLE_SETS: &[&str] = &["MutableSet"];
const VISITORS: &[&str] = &["NodeVisitor", "NodeTransformer"];
const ENCODERS: &[&str] = &["JSONEncoder"];
const PARSERS: &[&str] = &["HTMLParser"];

const CALLS: &[Row] = &[
    (MAPPINGS, "get", &["__getitem__"]),
    (MAPPINGS, "__contains__", &["__getitem__"]),
    (MAPPINGS, "values", &["__iter__", "__getitem__"]),
    (MAPPINGS, "items", &["__iter__", "__getitem__"]),
    (MAPPINGS, "keys", &["__iter__"]),
    (MAPPINGS, "__eq__", &["__iter__", "__getitem__"]),
    (MUTABLE_MAPPINGS, "pop", &["__getitem__", "__delitem__"]),
    (
        MUTABLE_MAPPINGS,
        "popitem",
        &["__iter__", "__getitem__", "__delitem__"],
    ),
    (
        MUTABLE_MAPPINGS,
        "clear",
        &["__iter__", "__getitem__", "__delitem__"],
    ),
    (
        MUTABLE_MAPPINGS,
        "setdefault",
        &["__getitem__", "__setitem__"],
    ),
    (MUTABLE_MAPPINGS, "update", &["__setitem__"]),
    (SEQUENCES, "__contains__", &["__getitem__"]),
    (SEQUENCES, "index", &["__len__", "__getitem__"]),
    (SEQUENCES, "count", &["__len__", "__getitem__"]),
    (MUTABLE_SEQUENCES, "append", &["__len__", "insert"]),
    (MUTABLE_SEQUENCES, "extend", &["__len__", "insert"]),
    (MUTABLE_SEQUENCES, "__iadd__", &["__len__", "insert"]),
    (MUTABLE_SEQUENCES, "pop", &["__getitem__", "__delitem__"]),
    (
        MUTABLE_SEQUENCES,
        "remove",
        &["__len__", "__getitem__", "__delitem__"],
    ),
    (
        MUTABLE_SEQUENCES,
        "clear",
        &["__len__", "__getitem__", "__delitem__"],
    ),
    (SETS, "isdisjoint", &["__contains__"]),
    (SETS, "__and__", &["__contains__"]),
    (SETS, "__sub__", &["__iter__", "__contains__"]),
    (SETS, "__or__", &["__iter__"]),
    (SETS, "__le__", &["__len__", "__iter__"]),
    (SETS, "__eq__", &["__len__", "__iter__"]),
    (MUTABLE_SETS, "remove", &["__contains__", "discard"]),
    (MUTABLE_SETS, "pop", &["__iter__", "discard"]),
    (MUTABLE_SETS, "clear", &["__iter__", "discard"]),
    (MUTABLE_SETS, "__ior__", &["add"]),
    (VISITORS, "visit", &["visit_*", "generic_visit"]),
    (VISITORS, "generic_visit", &["visit_*"]),
    (ENCODERS, "encode", &["default"]),
    (ENCODERS, "iterencode", &["default"]),
    (PARSERS, "feed", &["handle_*", "unknown_decl"]),
    (PARSERS, "close", &["handle_*"]),
];

/// Modules whose classes these are.
const MODULES: &[&str] = &[
    "ast",
    "collections",
    "collections.abc",
    "html.parser",
    "json",
    "json.encoder",
    "typing",
];

impl Machine<'_> {
    /// What an object has of a name from the standard library's bases of its class.
    pub(super) fn inherent(&mut self, receiver: Value, class: ClassId, name: Symbol) -> ValueSet {
        let text = self.symbols.text(name);
        if !CALLS.iter().any(|(_, method, _)| *method == text) {
            return ValueSet::default();
        }
        if self.called_by(class, name).is_empty() {
            return ValueSet::default();
        }
        self.single(Data::Inherent {
            receiver,
            method: name,
        })
    }

    /// The names of what a method from a library calls on its object.
    fn called_by(&mut self, class: ClassId, name: Symbol) -> &'static [&'static str] {
        let bases = self.bases_in_libraries(class);
        for base in bases.iter() {
            let Some((module, base)) = self.symbols.text(*base).rsplit_once('.') else {
                continue;
            };
            let text = self.symbols.text(name);
            let mut rows = CALLS.iter();
            let row = rows.find(|(bases, method, _)| *method == text && bases.contains(&base));
            if let (Some((_, _, calls)), true) = (row, MODULES.contains(&module)) {
                return calls;
            }
        }
        &[]
    }

    pub(super) fn call_inherent(
        &mut self,
        receiver: Value,
        method: Symbol,
        given: &[Given],
    ) -> ValueSet {
        match self.symbols.text(method) {
            REFERENT => return ValueSet::one(receiver),
            "__subclasses__" => return self.subclasses(receiver),
            _ => {}
        }
        if let Data::Class(class) = self.values.data(receiver) {
            return self.construct(receiver, class, Arguments::otherwise(&[]));
        }
        if COPIERS.contains(&self.symbols.text(method)) {
            return ValueSet::one(receiver);
        }
        let Some(class) = self.class_of(receiver) else {
            return ValueSet::default();
        };
        let calls = self.called_by(class, method);
        let mut found = ValueSet::default();
        for call in calls {
            found.extend(&self.called_by_base(receiver, call, given));
        }
        self.as_given_by(method, given, found)
    }

    fn called_by_base(&mut self, receiver: Value, call: &str, given: &[Given]) -> ValueSet {
        if let Some(beginning) = call.strip_suffix('*') {
            let beginning = self.symbols.intern(beginning);
            let methods = self.attributes_beginning(&ValueSet::one(receiver), beginning);
            return self.run_callable(&methods, given);
        }
        let call = self.symbols.intern(call);
        if !self.answers(receiver, call) {
            return ValueSet::default();
        }
        if self.symbols.text(call) == "__iter__" {
            self.elements(receiver, Mode::Plain);
            return ValueSet::default();
        }
        self.special_method(receiver, call, given)
    }

    /// `json.dumps(value, cls=Encoder)`: what it cannot encode it asks the encoder for.
    pub(super) fn asked_by_encoder(&mut self, encoders: &ValueSet) {
        for encoder in encoders.iter() {
            self.called_by_base(encoder, "default", &[]);
        }
    }

    /// What comes of what was asked: a collection of it, or that with what was given for want of it.
    fn as_given_by(&mut self, method: Symbol, given: &[Given], found: ValueSet) -> ValueSet {
        let mut found = found;
        match self.symbols.text(method) {
            "values" => {
                let owner = self.collection_here();
                self.put(owner, Key::Any, &found);
                self.single(Data::Collection(owner))
            }
            "items" => self.pairs(&found),
            "get" | "pop" | "setdefault" => {
                let otherwise = given.iter().filter(|one| one.way == Way::Positional).nth(1);
                if let Some(otherwise) = otherwise {
                    found.extend(&otherwise.values);
                }
                found
            }
            _ => found,
        }
    }

    /// `Class.__subclasses__()`.
    fn subclasses(&mut self, class: Value) -> ValueSet {
        let Data::Class(class) = self.values.data(class) else {
            return ValueSet::default();
        };
        let info = &self.heap.classes[class.0 as usize];
        let (kin, subclasses) = (info.kin, info.subclasses.clone());
        self.read_cell(kin);
        let classes = subclasses.into_iter();
        let classes: ValueSet = classes
            .map(|one| self.values.intern(Data::Class(one)))
            .collect();
        let site = self.current.site();
        let owner = self
            .heap
            .owner_of(OwnedBy::Pair(site, self.current.instance));
        self.put(owner, Key::Any, &classes);
        self.single(Data::Collection(owner))
    }

    /// Calls that wait for an order ask the items, as sorting does: heaps, and what is put in its place.
    pub(super) fn ordering(
        &mut self,
        key: &str,
        given: &[Given],
        first: &ValueSet,
    ) -> Option<ValueSet> {
        let (module, function) = key.split_once('.')?;
        let second = given
            .get(1)
            .map(|given| given.values.clone())
            .unwrap_or_default();
        match (module, function) {
            ("heapq", "nlargest" | "nsmallest") => {
                let items = self.all_elements(&second);
                self.put_in_order(given, &items);
                Some(self.gathered(&second))
            }
            ("heapq", "merge") => {
                let all: ValueSet = given.iter().flat_map(|one| one.values.iter()).collect();
                let items = self.all_elements(&all);
                self.put_in_order(given, &items);
                Some(self.gathered(&all))
            }
            ("heapq" | "bisect", _) => {
                let keeps = function.starts_with("insort")
                    || function.contains("push")
                    || function == "heapreplace";
                for value in first.iter().filter(|_| keeps) {
                    if let Data::Collection(owner) = self.values.data(value) {
                        self.put(owner, Key::Any, &second);
                    }
                }
                let mut items = self.all_elements(first);
                items.extend(&second);
                self.put_in_order(given, &items);
                let gives = function.contains("pop") || function == "heapreplace";
                Some(if gives { items } else { ValueSet::default() })
            }
            _ => None,
        }
    }

    /// `copy.copy` and `copy.deepcopy`: an object may say itself how.
    pub(super) fn copied(&mut self, values: &ValueSet, method: &str) -> Option<ValueSet> {
        let method = self.symbols.intern(method);
        let mut found = ValueSet::default();
        for value in values.iter() {
            if self.answers(value, method) {
                let memory = Given::positional(ValueSet::default());
                found.extend(&self.special_method(value, method, &[memory]));
            } else {
                found.insert(value);
            }
        }
        (!values.is_empty()).then_some(found)
    }

    /// `template.format(…)` and `template % …`: objects are asked for their text.
    pub(super) fn put_into_text(&mut self, values: &ValueSet) {
        let format = self.symbols.intern("__format__");
        for value in values.iter() {
            match self.values.data(value) {
                Data::Object(_) | Data::Declared(_) => {
                    self.ask(value, format, &[]);
                }
                Data::Collection(owner) => {
                    for inner in self.everything_in(owner).iter() {
                        if let Data::Object(_) | Data::Declared(_) = self.values.data(inner) {
                            self.ask(inner, format, &[]);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}
