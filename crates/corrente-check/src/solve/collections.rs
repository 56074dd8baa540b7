//! Lists, tuples, sets and dicts: what is under which key, and their methods.
//!
//! A literal key has its own cell; what is put under an unknown key may be found under any.

use smallvec::{SmallVec, smallvec};

use super::arguments::{Given, Way};
use super::heap::{OwnedBy, Owner};
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Key, Mode};
use crate::symbols::Symbol;

/// What an empty one of which is filled later.
const MUTABLE: &[&str] = &[
    "builtins.list",
    "builtins.dict",
    "builtins.set",
    "collections.deque",
];

/// The keys that a key may be: mostly one.
type Keys = SmallVec<[Symbol; 4]>;

impl Machine<'_> {
    fn position_key(&mut self, number: i64) -> Symbol {
        let known = usize::try_from(number).ok();
        let known = known.and_then(|number| self.positions.get(number));
        match known {
            Some(key) => *key,
            None => self.symbols.intern(&format!("#{number}")),
        }
    }

    fn key_symbols(&mut self, key: Key) -> Keys {
        match key {
            Key::Text(name) => smallvec![self.symbol(name)],
            Key::Number(number) if number < 0 => smallvec![self.heap.any],
            Key::Number(number) | Key::Part(number) => smallvec![self.position_key(number)],
            Key::Any | Key::Slice => smallvec![self.heap.any],
            Key::Slot(slot) => {
                let values = self.slot(slot);
                self.keys_of(&values)
            }
        }
    }

    fn keys_of(&mut self, values: &ValueSet) -> Keys {
        let mut keys = Keys::new();
        for value in values.iter() {
            match self.values.data(value) {
                Data::Text(text) => keys.push(text),
                Data::Number(number) => keys.push(self.position_key(number)),
                _ => {}
            }
        }
        if keys.is_empty() {
            keys.push(self.heap.any);
        }
        keys
    }

    pub(super) fn put(&mut self, owner: Owner, key: Key, values: &ValueSet) {
        for key in self.key_symbols(key) {
            self.heap.put(owner, key, values);
        }
    }

    pub(super) fn put_named(&mut self, owner: Owner, name: Symbol, values: &ValueSet) {
        self.heap.put(owner, name, values);
    }

    /// What is under a key, or under an unknown one.
    pub(super) fn at_key(&mut self, owner: Owner, key: Key) -> ValueSet {
        match key {
            Key::Slice => return self.part_of(owner),
            Key::Number(number) if number < 0 => return self.counted_from_the_end(owner, number),
            _ => {}
        }
        let keys = self.key_symbols(key);
        self.at_keys(owner, &keys)
    }

    /// `collection[-1]`, where all positions are known.
    fn counted_from_the_end(&mut self, owner: Owner, number: i64) -> ValueSet {
        let everything = self.everything_in(owner);
        let keys = self.heap.contents(owner).keys().to_vec();
        let positions = keys.into_iter().map(|key| {
            let number = self.symbols.text(key).strip_prefix('#');
            number.and_then(|number| number.parse::<i64>().ok())
        });
        let positions: Option<Vec<i64>> = positions.collect();
        let last = positions.and_then(|positions| positions.into_iter().max());
        let Some(position) = last.map(|last| last + 1 + number).filter(|at| *at >= 0) else {
            return everything;
        };
        let key = self.position_key(position);
        self.read_named(owner, key)
    }

    /// What is under a key, made where it was not there.
    pub(super) fn item_of_collection(&mut self, owner: Owner, key: Key) -> ValueSet {
        if let Some(factories) = self.heap.factory(owner) {
            let factories = self.read_cell(factories);
            for factory in factories.iter() {
                let made = self.made_by(owner, factory);
                self.put(owner, Key::Any, &made);
            }
        }
        self.at_key(owner, key)
    }

    /// What a factory gives: a builtin collection is one for all keys, so that it is found again.
    fn made_by(&mut self, owner: Owner, factory: Value) -> ValueSet {
        if let Data::Library(path) = self.values.data(factory)
            && MUTABLE.contains(&self.symbols.text(path))
        {
            let inner = self.heap.owner_of(OwnedBy::Made(owner));
            return self.single(Data::Collection(inner));
        }
        self.invoke(factory, &[], Mode::Plain)
    }

    /// A collection of anything that is in another one.
    fn part_of(&mut self, owner: Owner) -> ValueSet {
        let values = self.everything_in(owner);
        let part = self.collection_here();
        self.put(part, Key::Any, &values);
        self.single(Data::Collection(part))
    }

    fn at_keys(&mut self, owner: Owner, keys: &[Symbol]) -> ValueSet {
        let any = self.heap.any;
        if keys.contains(&any) {
            return self.everything_in(owner);
        }
        let mut values = self.read_named(owner, any);
        for key in keys {
            let set = self.read_named(owner, *key);
            values.extend(&set);
        }
        values
    }

    /// What is under one of these keys, or under an unknown one.
    pub(super) fn at_values(&mut self, owner: Owner, keys: &ValueSet) -> ValueSet {
        let keys = self.keys_of(keys);
        self.at_keys(owner, &keys)
    }

    pub(super) fn at_position(&mut self, owner: Owner, position: usize) -> ValueSet {
        let keys = self.key_symbols(Key::position(position));
        let key = keys.first().copied().unwrap_or(self.heap.any);
        self.read_named(owner, key)
    }

    /// What is under an unknown key.
    pub(super) fn unnumbered(&mut self, owner: Owner) -> ValueSet {
        let any = self.heap.any;
        self.read_named(owner, any)
    }

    pub(super) fn everything_in(&mut self, owner: Owner) -> ValueSet {
        let summary = self.heap.summary(owner);
        self.read_cell(summary)
    }

    pub(super) fn collection_call(
        &mut self,
        owner: Owner,
        method: Symbol,
        given: &[Given],
    ) -> ValueSet {
        let first = given
            .first()
            .map(|given| given.values.clone())
            .unwrap_or_default();
        let second = given
            .get(1)
            .map(|given| given.values.clone())
            .unwrap_or_default();
        match self.symbols.text(method).to_owned().as_str() {
            "append" | "add" | "appendleft" | "put" | "put_nowait" | "set" => {
                self.put(owner, Key::Any, &first);
            }
            "insert" => self.put(owner, Key::Any, &second),
            "extend" | "update" | "extendleft" => self.take_in(owner, given),
            "setdefault" => {
                let keys = self.keys_of(&first);
                for key in &keys {
                    self.heap.put(owner, *key, &second);
                }
                return self.at_keys(owner, &keys);
            }
            "get" | "pop" | "__getitem__" if !given.is_empty() => {
                let mut values = self.at_values(owner, &first);
                values.extend(&second);
                return values;
            }
            "pop" | "popleft" | "get" | "get_nowait" => return self.everything_in(owner),
            "copy" | "values" | "__iter__" => return self.single(Data::Collection(owner)),
            "items" => {
                let values = self.everything_in(owner);
                return self.pairs(&values);
            }
            "connect" => {
                self.put(owner, Key::Any, &first);
                return first;
            }
            "send" | "send_robust" => {
                let receivers = self.everything_in(owner);
                self.run_callable(&receivers, &[]);
            }
            "sort" => {
                let items = self.everything_in(owner);
                self.put_in_order(given, &items);
            }
            "register" => return self.register(owner, method, &first, &second),
            _ => {}
        }
        ValueSet::default()
    }

    /// `dispatcher.register`, with the function, the class, or both.
    fn register(
        &mut self,
        owner: Owner,
        method: Symbol,
        first: &ValueSet,
        second: &ValueSet,
    ) -> ValueSet {
        self.put(owner, Key::Any, second);
        let mut given_back = second.clone();
        for value in first.iter() {
            match self.values.data(value) {
                Data::Class(_) | Data::Library(_) => {
                    let again = self.single(Data::CollectionMethod(owner, method));
                    given_back.extend(&again);
                }
                _ => {
                    self.put(owner, Key::Any, &ValueSet::one(value));
                    given_back.insert(value);
                }
            }
        }
        given_back
    }

    fn take_in(&mut self, owner: Owner, given: &[Given]) {
        for argument in given {
            if let Way::Keyword(name) = argument.way {
                self.put_named(owner, name, &argument.values);
                continue;
            }
            for value in argument.values.iter() {
                if let Data::Collection(other) = self.values.data(value) {
                    self.pour(owner, other);
                } else {
                    let values = self.elements(value, Mode::Plain);
                    self.put(owner, Key::Any, &values);
                }
            }
        }
    }

    /// A collection of pairs whose second part is one of `values`.
    pub(super) fn pairs(&mut self, values: &ValueSet) -> ValueSet {
        let site = self.current.site();
        let instance = self.current.instance;
        let pair = self.heap.owner_of(OwnedBy::Pair(site, instance));
        self.put(pair, Key::Number(1), values);
        let pair = self.single(Data::Collection(pair));
        let owner = self.collection_here();
        self.put(owner, Key::Any, &pair);
        self.single(Data::Collection(owner))
    }
}
