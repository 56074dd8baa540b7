//! Paths into libraries, and what the catalogue says of each: looked up once and kept.
//!
//! A path is written as code would reach it, `requests.Session().get`; without its parentheses it
//! is the key under which the catalogue knows it.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::heap::{OwnedBy, Owner};
use super::machine::Machine;
use super::values::{Data, ValueSet};
use crate::catalogue::{Condition, HandOff, Handler};
use crate::symbols::Symbol;

/// Steps of a path; what goes on longer is a loop over a library's objects.
const STEPS_MAX: usize = 12;

/// First words of the keys that `builtins` knows.
const SPECIAL: &[&str] = &[
    "abc",
    "asyncio",
    "attr",
    "attrs",
    "bisect",
    "blinker",
    "builtins",
    "cached_property",
    "collections",
    "contextlib",
    "contextvars",
    "copy",
    "dataclasses",
    "django",
    "enum",
    "functools",
    "heapq",
    "importlib",
    "inspect",
    "itertools",
    "operator",
    "os",
    "pydantic",
    "threading",
    "types",
    "typing",
    "weakref",
];

/// What makes queues.
const QUEUES: &[&str] = &[
    "asyncio.LifoQueue",
    "asyncio.PriorityQueue",
    "asyncio.Queue",
    "queue.LifoQueue",
    "queue.PriorityQueue",
    "queue.Queue",
    "queue.SimpleQueue",
];

/// What was looked up.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    attributes: FxHashMap<(Symbol, Symbol), ValueSet>,
    /// By the path's number.
    calls: Vec<Option<Rc<Callee>>>,
    methods: FxHashMap<(Symbol, Symbol), Rc<Callee>>,
    /// By the path's number.
    results: Vec<Option<Looked>>,
    shared: FxHashMap<Symbol, Option<Owner>>,
}

/// What calling something gives, if anything.
#[derive(Debug, Clone, Copy)]
struct Looked(Option<Symbol>);

/// Puts something under a symbol's number.
fn put<T>(table: &mut Vec<Option<T>>, symbol: Symbol, what: T) {
    let number = symbol.0 as usize;
    if table.len() <= number {
        table.resize_with(number + 1, || None);
    }
    table[number] = Some(what);
}

/// What the catalogue says of calling something.
#[derive(Debug)]
pub(super) struct Callee {
    pub(super) key: Box<str>,
    /// The rule that calling it breaks.
    pub(super) rule: Option<u32>,
    /// It may be one that passes values on in a way of its own.
    pub(super) is_special: bool,
    /// What it makes keeps values, and gives them to others.
    pub(super) is_queue: bool,
    pub(super) hands_off: Option<HandOff>,
    /// Which argument the loop will call.
    pub(super) callback: Option<usize>,
    /// Which arguments list what the loop will call, by name.
    pub(super) callback_lists: Vec<String>,
    /// Which argument it calls itself.
    pub(super) runs: Option<usize>,
    /// Which argument it will call with something of its own.
    pub(super) handler: Option<Handled>,
    /// Which argument a framework calls for the value of a parameter.
    pub(super) injects: Option<usize>,
    pub(super) neutral: Option<Condition>,
    /// The class of what it gives, where the catalogue says.
    pub(super) typed: Option<Symbol>,
    /// The same with certain arguments.
    pub(super) variants: Vec<(Condition, Symbol)>,
}

/// A function that a framework calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handled {
    /// Which argument it is.
    pub(super) position: usize,
    /// The class of what it is given.
    pub(super) class: Symbol,
    /// Where what it yields is found.
    pub(super) store: Option<Owner>,
}

impl Machine<'_> {
    /// The path of a library's thing under its best-known name.
    pub(super) fn path(&mut self, text: &str) -> Symbol {
        let text = self.catalogue.alias(text).unwrap_or(text);
        self.symbols.intern(text)
    }

    fn key_text(&self, path: Symbol) -> String {
        self.symbols.text(path).replace("()", "")
    }

    /// What calling a path means.
    pub(super) fn callee(&mut self, path: Symbol) -> Rc<Callee> {
        if let Some(Some(known)) = self.lookups.calls.get(path.0 as usize) {
            return Rc::clone(known);
        }
        let mut key = self.key_text(path);
        if self.symbols.text(path).ends_with("()") {
            key.push_str(".__call__");
        }
        let callee = Rc::new(self.consult(key));
        put(&mut self.lookups.calls, path, Rc::clone(&callee));
        callee
    }

    /// What calling a method of what is at a path means.
    pub(super) fn method_of(&mut self, path: Symbol, method: Symbol) -> Rc<Callee> {
        if let Some(known) = self.lookups.methods.get(&(path, method)) {
            return Rc::clone(known);
        }
        let key = format!("{}.{}", self.key_text(path), self.symbols.text(method));
        let callee = Rc::new(self.consult(key));
        self.lookups
            .methods
            .insert((path, method), Rc::clone(&callee));
        callee
    }

    fn consult(&mut self, key: String) -> Callee {
        let key = if is_generated_stub(&key) {
            GENERATED_STUB.to_owned()
        } else {
            key
        };
        let variants = self.catalogue.variants(&key).iter();
        let variants = variants
            .map(|variant| {
                let class = format!("{}()", variant.class);
                (variant.condition.clone(), self.symbols.intern(&class))
            })
            .collect();
        let first = key.split('.').next().unwrap_or_default();
        let catalogue = self.catalogue;
        let handler = catalogue.handler(&key).map(|known| self.handled(known));
        let typed = catalogue.result(&key).map(|class| format!("{class}()"));
        Callee {
            rule: catalogue.blocking(&key),
            is_special: SPECIAL.contains(&first),
            is_queue: QUEUES.contains(&key.as_str()),
            hands_off: catalogue.hands_off(&key),
            callback: catalogue.callback(&key),
            callback_lists: catalogue.callback_lists(&key).to_vec(),
            runs: catalogue.runs(&key),
            handler,
            injects: catalogue.injects(&key),
            neutral: catalogue.neutral(&key).cloned(),
            typed: typed.map(|class| self.symbols.intern(&class)),
            variants,
            key: key.into(),
        }
    }

    fn handled(&mut self, known: &Handler) -> Handled {
        let store = (!known.store.is_empty()).then(|| {
            let store = self.symbols.intern(&known.store);
            self.heap.owner_of(OwnedBy::Shared(store))
        });
        Handled {
            position: known.position,
            class: self.symbols.intern(&format!("{}()", known.class)),
            store,
        }
    }

    /// Where a framework keeps what is set at a path, for all who ask.
    pub(super) fn shared(&mut self, path: Symbol) -> Option<Owner> {
        if let Some(known) = self.lookups.shared.get(&path) {
            return *known;
        }
        let store = self.catalogue.shared(&self.key_text(path));
        let owner = store.map(|store| {
            let store = self.symbols.intern(store);
            self.heap.owner_of(OwnedBy::Shared(store))
        });
        self.lookups.shared.insert(path, owner);
        owner
    }

    /// What calling a path gives.
    pub(super) fn result_path(&mut self, path: Symbol) -> Option<Symbol> {
        if let Some(Some(known)) = self.lookups.results.get(path.0 as usize) {
            return known.0;
        }
        let result = self.callee(path).typed.or_else(|| {
            let text = self.symbols.text(path);
            let made = (steps(text) < STEPS_MAX).then(|| format!("{text}()"));
            made.map(|text| self.symbols.intern(&text))
        });
        put(&mut self.lookups.results, path, Looked(result));
        result
    }

    pub(super) fn attribute_of_library(&mut self, path: Symbol, name: Symbol) -> ValueSet {
        if let Some(related) = self.related(path, name) {
            return related;
        }
        if let Some(known) = self.lookups.attributes.get(&(path, name)) {
            return known.clone();
        }
        let found = self.look_up_in_library(path, name);
        self.lookups.attributes.insert((path, name), found.clone());
        found
    }

    fn look_up_in_library(&mut self, path: Symbol, name: Symbol) -> ValueSet {
        let base = self.symbols.text(path);
        if steps(base) >= STEPS_MAX {
            return ValueSet::default();
        }
        let full = format!("{base}.{}", self.symbols.text(name));
        if let Some(module) = self.program.absolute(&full) {
            return self.single(Data::Module(module));
        }
        let key = full.replace("()", "");
        if let Some(class) = self.catalogue.attribute(&key) {
            let class = self.symbols.intern(&format!("{class}()"));
            return self.single(Data::Library(class));
        }
        // An alias is of a module's or class's name, so it never hides a call.
        let path = if full.contains("()") {
            self.symbols.intern(&full)
        } else {
            self.path(&full)
        };
        self.single(Data::Library(path))
    }
}

/// The catalogue's name for all classes that the compiler of gRPC makes.
const GENERATED_STUB: &str = "grpc.GeneratedStub";

/// Whether it is `greeter_pb2_grpc.GreeterStub`.
fn is_generated_stub(key: &str) -> bool {
    let parts = key.rsplit_once('.');
    parts.is_some_and(|(module, class)| module.ends_with("_pb2_grpc") && class.ends_with("Stub"))
}

fn steps(path: &str) -> usize {
    path.matches(['.', '(']).count()
}
