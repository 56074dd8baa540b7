//! What a slot may hold: abstract values, and small sets of them.
//!
//! Values are numbers into one table, so that sets are lists of numbers. A set that grows beyond
//! [`SET_MAX`] takes no more: such a set comes from code that mixes everything with everything,
//! and more members would only slow it down.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::heap::{ClassId, ObjectId, Owner};
use super::machine::InstanceId;
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// Members of a set.
const SET_MAX: usize = 64;

/// A value, as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Value(u32);

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Data {
    /// A function with the body that surrounds it.
    Function {
        function: FunctionId,
        outer: InstanceId,
    },
    /// A method and what it is bound to.
    Bound {
        callee: Value,
        receiver: Value,
    },
    Class(ClassId),
    /// An instance of a class, by where it was made.
    Object(ObjectId),
    /// Some instance of a class or of its subclasses: what an annotation says.
    Declared(ClassId),
    /// The same, where a subclass overrides what the annotation's class has.
    Override(ClassId),
    Module(u32),
    /// Something of a library, by path; `()` stands for the result of a call.
    Library(Symbol),
    Coroutine(InstanceId),
    Generator(InstanceId),
    /// What a function under `@contextmanager` gives.
    Manager(InstanceId),
    /// A function under `@contextmanager`.
    ManagerMaker(Value),
    Collection(Owner),
    CollectionMethod(Owner, Symbol),
    Text(Symbol),
    Number(i64),
    Property {
        getter: Value,
        setter: Option<Value>,
    },
    /// `property.setter`, to be called with a function.
    PropertySetter(Value),
    StaticMethod(Value),
    ClassMethod(Value),
    Super {
        class: ClassId,
        receiver: Value,
    },
    /// A callable with some arguments given.
    Partial(u32),
}

/// The table of values.
#[derive(Debug, Default)]
pub(crate) struct Values {
    table: Vec<Data>,
    numbers: FxHashMap<Data, Value>,
}

impl Values {
    pub(crate) fn intern(&mut self, data: Data) -> Value {
        if let Some(known) = self.numbers.get(&data) {
            return *known;
        }
        let value = Value(self.table.len() as u32);
        self.table.push(data);
        self.numbers.insert(data, value);
        value
    }

    pub(crate) fn data(&self, value: Value) -> Data {
        self.table[value.0 as usize]
    }
}

/// A set of values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ValueSet(SmallVec<[Value; 2]>);

impl ValueSet {
    pub(crate) fn one(value: Value) -> Self {
        Self(SmallVec::from_slice(&[value]))
    }

    /// Adds a value; whether it is new.
    pub(crate) fn insert(&mut self, value: Value) -> bool {
        match self.0.binary_search(&value) {
            Err(at) if self.0.len() < SET_MAX => {
                self.0.insert(at, value);
                true
            }
            _ => false,
        }
    }

    /// Adds all of another; whether any is new.
    pub(crate) fn extend(&mut self, other: &Self) -> bool {
        if other.0.is_empty() || self.0.len() >= SET_MAX || self.0 == other.0 {
            return false;
        }
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return true;
        }
        let mut grew = false;
        for value in &other.0 {
            grew |= self.insert(*value);
        }
        grew
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Value> for ValueSet {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let mut set = Self::default();
        for value in values {
            set.insert(value);
        }
        set
    }
}
