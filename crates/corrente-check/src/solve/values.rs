//! What a slot may hold: abstract values, and small sets of them.
//!
//! Values are numbers into one table, so that sets are lists of numbers. A set that grows beyond
//! [`SET_MAX`] takes no more: such a set comes from code that mixes everything with everything,
//! and more members would only slow it down.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::heap::{ClassId, ObjectId, Owner};
use super::instance::InstanceId;
use super::routers::RouterId;
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
    /// A method of a generator that runs it on.
    Stepping(InstanceId),
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
    /// `property.deleter`, to be called with a function.
    PropertyDeleter(Value),
    /// What `del object.name` calls: it stands beside the property.
    Deleter(Value),
    /// `contextlib.closing`: what `with` closes in the end.
    Closing(Value),
    /// Something as it is: what `with` gives of a `nullcontext`, what an `enum.member` stands for.
    Bare(Value),
    /// What `type.__call__` does for a class, under a metaclass's own.
    Construct(ClassId),
    StaticMethod(Value),
    ClassMethod(Value),
    Super {
        class: ClassId,
        receiver: Value,
    },
    /// `functools.singledispatch`: any of the functions in a collection.
    Dispatcher(Owner),
    /// A text of which only the beginning is known.
    Beginning(Symbol),
    /// A callable with some arguments given.
    Partial(u32),
    /// What routes are registered with: goes along with the library's object, for a plan.
    Router(RouterId),
    /// A model of the program's: goes along with what a library makes of it, for a plan. None is any.
    Model(Option<ClassId>),
    /// What makes the value of a field, for each object.
    Factory(Value),
    /// An object that has the attributes which it was given.
    Namespace(Owner),
    /// What a framework finds by calling something: `Depends(function)`.
    Injected(Value),
    /// A method of something that its class's body does not bind: `Class.__subclasses__`, what an abstract base
    /// makes of the methods that a class has, what a weak reference gives.
    Inherent {
        receiver: Value,
        method: Symbol,
    },
    /// `map` or `filter`: calls when it is iterated.
    Lazy(u32, Gives),
}

/// What comes out of `map` or `filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Gives {
    /// What the function gives.
    Results,
    /// What it was given.
    Items,
}

/// The table of values.
#[derive(Debug, Default)]
pub(crate) struct Values {
    table: Vec<Data>,
    numbers: FxHashMap<Data, Value>,
}

#[cfg(test)]
impl Value {
    /// The value of a number.
    pub(super) fn numbered(number: u32) -> Self {
        Self(number)
    }
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

/// A set of values, sorted. Few stand in it, many are shared, so that a copy costs next to nothing.
#[derive(Debug, Clone)]
pub(crate) struct ValueSet(Members);

#[derive(Debug, Clone)]
enum Members {
    Few { count: u8, values: [Value; FEW] },
    Many(Rc<Vec<Value>>),
}

/// Members that fit beside the tag in the two words that a set takes.
const FEW: usize = 3;

impl Default for ValueSet {
    fn default() -> Self {
        Self(Members::Few {
            count: 0,
            values: [Value(0); FEW],
        })
    }
}

impl PartialEq for ValueSet {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

impl ValueSet {
    pub(crate) fn one(value: Value) -> Self {
        Self(Members::Few {
            count: 1,
            values: [value; FEW],
        })
    }

    /// A set of these, which are in order.
    fn of_ordered(members: &[Value]) -> Self {
        if members.len() > FEW {
            return Self(Members::Many(Rc::new(members.to_vec())));
        }
        let mut values = [Value(0); FEW];
        values[..members.len()].copy_from_slice(members);
        let count = members.len() as u8;
        Self(Members::Few { count, values })
    }

    fn members(&self) -> &[Value] {
        match &self.0 {
            Members::Few { count, values } => &values[..usize::from(*count)],
            Members::Many(values) => values,
        }
    }

    /// Adds a value; whether it is new.
    pub(crate) fn insert(&mut self, value: Value) -> bool {
        let members = self.members();
        let Err(at) = members.binary_search(&value) else {
            return false;
        };
        if members.len() >= SET_MAX {
            return false;
        }
        match &mut self.0 {
            Members::Few { count, values } if usize::from(*count) < FEW => {
                values.copy_within(at..FEW - 1, at + 1);
                values[at] = value;
                *count += 1;
            }
            Members::Few { values, .. } => {
                let mut many = values.to_vec();
                many.insert(at, value);
                self.0 = Members::Many(Rc::new(many));
            }
            Members::Many(values) => Rc::make_mut(values).insert(at, value),
        }
        true
    }

    /// Adds all of another; whether any is new.
    pub(crate) fn extend(&mut self, other: &Self) -> bool {
        if other.is_empty() || self.is_full() || self.is_same(other) {
            return false;
        }
        if self.is_empty() {
            self.0.clone_from(&other.0);
            return true;
        }
        let Members::Few { count, values } = &other.0 else {
            return self.merge(other);
        };
        let mut grew = false;
        for value in &values[..usize::from(*count)] {
            // Most often nothing is new.
            if !self.has(*value) {
                grew |= self.insert(*value);
            }
        }
        grew
    }

    /// The same for many at a time: both lists are sorted, so one pass over them will do.
    fn merge(&mut self, other: &Self) -> bool {
        let (own, theirs) = (self.members(), other.members());
        let mut new: SmallVec<[Value; SET_MAX]> = SmallVec::new();
        let mut at = 0;
        for value in theirs {
            while at < own.len() && own[at] < *value {
                at += 1;
            }
            if own.get(at) != Some(value) {
                new.push(*value);
            }
        }
        if new.is_empty() {
            return false;
        }
        if own.len() + new.len() == theirs.len() {
            // All of ours are among theirs: one list for both.
            self.0.clone_from(&other.0);
            return true;
        }
        new.truncate(SET_MAX - own.len());
        self.0 = Members::Many(Rc::new(in_order(own, &new)));
        true
    }

    fn has(&self, value: Value) -> bool {
        match &self.0 {
            Members::Few { count, values } => values[..usize::from(*count)].contains(&value),
            Members::Many(values) => values.binary_search(&value).is_ok(),
        }
    }

    /// Whether both are one and the same shared list.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Members::Many(ours), Members::Many(theirs)) => Rc::ptr_eq(ours, theirs),
            _ => false,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        self.members().iter().copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.members().len()
    }

    /// Whether it takes no more.
    pub(crate) fn is_full(&self) -> bool {
        self.members().len() >= SET_MAX
    }
}

/// Two sorted lists that have nothing in common, as one.
fn in_order(one: &[Value], other: &[Value]) -> Vec<Value> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let mut rest = other;
    for value in one {
        let before = rest.iter().take_while(|new| *new < value).count();
        all.extend_from_slice(&rest[..before]);
        rest = &rest[before..];
        all.push(*value);
    }
    all.extend_from_slice(rest);
    all
}

impl FromIterator<Value> for ValueSet {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        // Mostly they come in order, out of another set: then they are put together at once.
        let mut ordered: SmallVec<[Value; SET_MAX]> = SmallVec::new();
        let mut values = values.into_iter();
        let mut next = values.next();
        while let Some(value) = next
            && ordered.len() < SET_MAX
            && ordered.last().is_none_or(|last| *last < value)
        {
            ordered.push(value);
            next = values.next();
        }
        let mut set = Self::of_ordered(&ordered);
        for value in next.into_iter().chain(values) {
            set.insert(value);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: impl IntoIterator<Item = u32>) -> ValueSet {
        values.into_iter().map(Value).collect()
    }

    #[test]
    fn what_is_new_is_added_in_order() {
        let mut one = set([9, 1, 5, 7]);
        assert!(one.extend(&set([2, 5, 6, 10, 1])));
        assert!(one == set([1, 2, 5, 6, 7, 9, 10]));
        assert!(!one.extend(&set([1, 2, 5, 6])));
    }

    #[test]
    fn a_set_of_what_comes_in_any_order_is_in_order() {
        for given in [
            vec![1, 2, 3, 4, 5],
            vec![1, 4, 5, 2, 2, 3],
            vec![5, 4, 3, 2, 1],
        ] {
            let set: Vec<Value> = set(given).iter().collect();
            assert_eq!(set, [1, 2, 3, 4, 5].map(Value));
        }
        let many = set((0..70).chain([3]));
        assert!(many == set(0..64) && many.is_full());
    }

    #[test]
    fn a_part_of_another_becomes_one_list_with_it() {
        let mut part = set([3, 4]);
        let whole = set(0..10);
        assert!(part.extend(&whole));
        assert!(part.is_same(&whole) && part == whole);
    }

    #[test]
    fn a_full_set_takes_no_more() {
        let mut set_of_many = set(10..60);
        assert!(set_of_many.extend(&set((0..10).chain(100..200))));
        assert!(set_of_many.is_full());
        assert!(!set_of_many.extend(&set([7_000])));
        assert_eq!(set_of_many.iter().next(), Some(Value(0)));
    }
}
