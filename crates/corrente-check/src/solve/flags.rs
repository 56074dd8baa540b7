//! Flags: a call that gives constants to what a function's tests ask for is looked at by itself.
//!
//! Operations that stand behind a test which does not hold then do not run there. Also what an object's making set
//! an attribute to is given along, wherever nothing sets it later (`fixed`). What a body is given so is part of its
//! circumstances and never changes.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::arguments;
use super::constants::{Constant, Known, View};
use super::heap::ObjectId;
use super::machine::{Current, Machine};
use super::values::{Data, Value};
use super::wanted::Wanted;
use crate::facts::{Action, Argument, ArgumentKind, Call, ParameterKind, Slot};
use crate::origins::Origin;
use crate::program::{FunctionId, Program};
use crate::symbols::{Symbol, Symbols};

/// Sets of constants by which one function is told apart; what is called with more is looked at as if nothing
/// were known.
const SETS_MAX: usize = 8;

/// All that a call gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub(super) given: &'a [arguments::Given],
    pub(super) listed: Listed,
}

/// Whether arguments are those of the running operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// They are all that the source gives there.
    Written,
    /// They are what the source gives there, after what it gave to this partial.
    Through(u32),
    /// They are what is known of a call that something else makes.
    Otherwise,
}

impl<'a> Arguments<'a> {
    /// What is known of a call that something else makes.
    pub(super) fn otherwise(given: &'a [arguments::Given]) -> Self {
        let listed = Listed::Otherwise;
        Self { given, listed }
    }
}

/// What a constant is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// The parameter of this number.
    Parameter(u32),
    /// An attribute of what the function gets first.
    Attribute(Symbol),
    /// What `*args` have at this position.
    Rest(u32),
    /// What `**kwargs` have under this name.
    Option(Symbol),
    /// All that `*args` and `**kwargs` have is listed.
    Whole,
}

/// What is given to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Given {
    Constant(Constant),
    /// Something that is not known.
    Something,
}

/// What a body is given.
pub(super) type Set = Box<[(Key, Given)]>;

/// A set of constants, as its number; the first is the empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SetId(u32);

/// What is known of flags.
#[derive(Debug)]
pub(super) struct Flags {
    pub(super) wanted: Wanted,
    /// Attributes that are always what an object's making set them to.
    pub(super) fixed: FxHashSet<Symbol>,
    sets: Vec<Set>,
    numbers: FxHashMap<Set, SetId>,
    /// The sets by which each function is told apart.
    told_apart: FxHashMap<FunctionId, Vec<SetId>>,
    /// Functions that something gets which is not of the program.
    given_away: FxHashSet<FunctionId>,
    /// Variables of modules.
    pub(super) variables: FxHashMap<(u32, Symbol), Option<Known>>,
    /// What is fixed of objects.
    pub(super) objects: FxHashMap<ObjectId, SetId>,
    /// The attributes that are asked for of objects of a class, by its body.
    pub(super) asked: FxHashMap<FunctionId, Box<[Symbol]>>,
}

impl Flags {
    pub(super) fn new(program: &Program, symbols: &mut Symbols) -> Self {
        let empty: Set = Box::default();
        let wanted = Wanted::of(program, symbols);
        Self {
            fixed: wanted.fixed(program, symbols),
            wanted,
            sets: vec![empty.clone()],
            numbers: std::iter::once((empty, SetId::default())).collect(),
            told_apart: FxHashMap::default(),
            given_away: FxHashSet::default(),
            variables: FxHashMap::default(),
            objects: FxHashMap::default(),
            asked: FxHashMap::default(),
        }
    }

    pub(super) fn set(&self, number: SetId) -> &Set {
        &self.sets[number.0 as usize]
    }

    /// What is given to something, if it is listed.
    pub(super) fn given(&self, number: SetId, wanted: Key) -> Option<Given> {
        let mut set = self.set(number).iter();
        set.find(|(key, _)| *key == wanted).map(|(_, given)| *given)
    }

    pub(super) fn number(&mut self, set: Set) -> SetId {
        let next = SetId(self.sets.len() as u32);
        let number = *self.numbers.entry(set.clone()).or_insert(next);
        if number == next {
            self.sets.push(set);
        }
        number
    }

    /// The set by which a function is told apart when it is given these.
    fn told_apart_by(&mut self, function: FunctionId, set: Set) -> SetId {
        if set.is_empty() {
            return SetId::default();
        }
        let number = self.number(set);
        let known = self.told_apart.entry(function).or_default();
        if known.contains(&number) {
            return number;
        }
        if known.len() >= SETS_MAX {
            return SetId::default();
        }
        known.push(number);
        number
    }

    fn asks_for_nothing(&self, function: FunctionId) -> bool {
        let number = function.0 as usize;
        self.wanted.parameters[number].is_empty() && self.wanted.attributes[number].is_empty()
    }
}

/// What a call gives to a parameter.
#[derive(Debug, Clone, Copy)]
enum GivenTo {
    Slot(View, Slot),
    Constant(Constant),
    Default,
    Unknown,
}

impl From<Given> for GivenTo {
    fn from(given: Given) -> Self {
        match given {
            Given::Constant(constant) => Self::Constant(constant),
            Given::Something => Self::Unknown,
        }
    }
}

/// Arguments as the source writes them, with the bodies in which it does.
#[derive(Debug, Default)]
pub(super) struct Written<'a> {
    parts: SmallVec<[(View, &'a [Argument]); 2]>,
}

impl<'a> Written<'a> {
    /// What a call in a body gives.
    pub(super) fn of(from: View, call: &'a Call) -> Self {
        let mut written = Self::default();
        written.add(from, &call.arguments);
        written
    }

    fn is_one(&self) -> bool {
        self.parts.len() == 1
    }

    fn add(&mut self, from: View, arguments: &'a [Argument]) {
        self.parts.push((from, arguments));
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = (View, &'a Argument)> {
        let parts = self.parts.iter();
        parts.flat_map(|(from, arguments)| arguments.iter().map(|argument| (*from, argument)))
    }
}

impl<'a> Machine<'a> {
    /// The constants that a call gives to what asks for them.
    pub(super) fn constants_given(
        &mut self,
        callee: Value,
        receiver: Option<Value>,
        arguments: Arguments<'_>,
    ) -> SetId {
        let Data::Function { function, outer } = self.values.data(callee) else {
            return SetId::default();
        };
        let passes_on = self.program.function(function).origins.passes_on;
        if self.flags.asks_for_nothing(function) && !passes_on {
            return SetId::default();
        }
        let mut set = Vec::new();
        if let Some(written) = self.written(arguments) {
            let wanted = self.flags.wanted.parameters[function.0 as usize].clone();
            let around = self.view(outer);
            let first = u32::from(receiver.is_some());
            for number in wanted {
                let constant = self.constant_given((function, around), (number, first), &written);
                let given = constant.map(Given::Constant);
                set.extend(given.map(|given| (Key::Parameter(number), given)));
            }
            if passes_on {
                set.extend(self.left_over(function, first, &written));
            }
        }
        if let Some(receiver) = receiver {
            set.extend(self.fixed_of(receiver, function));
        }
        self.flags.told_apart_by(function, set.into_boxed_slice())
    }

    /// What the source gives, if these arguments are no more and no less than that.
    pub(super) fn written(&self, arguments: Arguments<'_>) -> Option<Written<'a>> {
        match arguments.listed {
            Listed::Otherwise => None,
            Listed::Written => {
                let mut written = Written::default();
                self.written_at(self.current, 0, &mut written)?;
                Some(written)
            }
            Listed::Through(number) => {
                let partial = &self.partials[number as usize];
                let mut written = Written::default();
                let given = self.written_at(partial.made, 1, &mut written)?;
                if given != partial.given.len() + 1 {
                    return None;
                }
                self.written_at(self.current, 0, &mut written)?;
                Some(written)
            }
        }
    }

    /// Adds what an operation gives from one argument on; gives the count of all its arguments.
    fn written_at(&self, at: Current, from: usize, written: &mut Written<'a>) -> Option<usize> {
        let program = self.program;
        let operations = &program.function(at.function).operations;
        let Action::Call(call) = &operations[at.operation as usize].action else {
            return None;
        };
        written.add(self.view(at.instance), call.arguments.get(from..)?);
        Some(call.arguments.len())
    }

    /// The constant that a call gives to a parameter of a function, which stands in the body `around`.
    pub(super) fn constant_given(
        &mut self,
        (function, around): (FunctionId, View),
        (number, first): (u32, u32),
        written: &Written<'_>,
    ) -> Option<Constant> {
        match self.given_to((function, number), first, written) {
            GivenTo::Slot(from, slot) => self.constant(from, slot),
            GivenTo::Constant(constant) => Some(constant),
            GivenTo::Default => self.default_of(around, function, number),
            GivenTo::Unknown => None,
        }
    }

    /// What a call gives to a parameter, where positions are counted from `first`.
    fn given_to(
        &self,
        (function, number): (FunctionId, u32),
        first: u32,
        written: &Written<'_>,
    ) -> GivenTo {
        let Some(parameter) = self
            .program
            .function(function)
            .parameters
            .get(number as usize)
        else {
            return GivenTo::Unknown;
        };
        let name = self.program.symbol(function, parameter.name);
        let mut position = first;
        let mut found = GivenTo::Default;
        for (from, argument) in written.arguments() {
            match argument.kind {
                ArgumentKind::Star => {
                    let Some(all) = self.all_of_rest(from, argument.slot) else {
                        return GivenTo::Unknown;
                    };
                    let at = number.checked_sub(position).map(|at| all.get(at as usize));
                    if let (Some(Some(given)), ParameterKind::Positional) = (at, parameter.kind) {
                        found = (*given).into();
                    }
                    position += all.len() as u32;
                }
                ArgumentKind::DoubleStar => match self.option(from, argument.slot, name) {
                    Some(Some(given)) => found = given.into(),
                    Some(None) => {}
                    None if written.is_one() && !matches!(found, GivenTo::Default) => {}
                    None => found = GivenTo::Unknown,
                },
                ArgumentKind::Positional => {
                    if position == number && parameter.kind == ParameterKind::Positional {
                        found = GivenTo::Slot(from, argument.slot);
                    }
                    position += 1;
                }
                // What a partial was given by name, its call may give anew.
                ArgumentKind::Keyword(keyword) => {
                    if self.program.symbol(from.function, keyword) == name {
                        found = GivenTo::Slot(from, argument.slot);
                    }
                }
            }
        }
        found
    }

    /// What a call leaves for `*args` and `**kwargs`, where it says so one by one.
    fn left_over(
        &mut self,
        function: FunctionId,
        first: u32,
        written: &Written<'_>,
    ) -> Vec<(Key, Given)> {
        let program = self.program;
        let parameters = &program.function(function).parameters;
        let positional = parameters
            .iter()
            .filter(|one| one.kind == ParameterKind::Positional);
        let named: Vec<Symbol> = parameters
            .iter()
            .map(|parameter| program.symbol(function, parameter.name))
            .collect();
        let taken = positional.count() as u32;
        let mut position = first;
        let mut found = vec![(Key::Whole, Given::Something)];
        for (from, argument) in written.arguments() {
            let key = match argument.kind {
                ArgumentKind::Star | ArgumentKind::DoubleStar => return Vec::new(),
                ArgumentKind::Positional => {
                    position += 1;
                    (position > taken).then(|| Key::Rest(position - 1 - taken))
                }
                ArgumentKind::Keyword(keyword) => {
                    let name = program.symbol(from.function, keyword);
                    (!named.contains(&name)).then_some(Key::Option(name))
                }
            };
            if let Some(key) = key {
                let constant = self.constant(from, argument.slot);
                found.push((key, constant.map_or(Given::Something, Given::Constant)));
            }
        }
        found.sort_unstable();
        found
    }

    /// All that `*args` have, where a slot holds just these and it is listed.
    fn all_of_rest(&self, from: View, slot: Slot) -> Option<Vec<Given>> {
        let origins = &self.program.function(from.function).origins;
        self.flags.given(from.constants, Key::Whole)?;
        if origins.of(slot) != Some(Origin::Rest) {
            return None;
        }
        let all = (0..).map_while(|at| self.flags.given(from.constants, Key::Rest(at)));
        Some(all.collect())
    }

    /// What `**kwargs` have under a name, if anything, where a slot holds just these and it is listed.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether it is listed"
    )]
    fn option(&self, from: View, slot: Slot, name: Symbol) -> Option<Option<Given>> {
        let origins = &self.program.function(from.function).origins;
        self.flags.given(from.constants, Key::Whole)?;
        let is_all = origins.of(slot) == Some(Origin::Options);
        is_all.then(|| self.flags.given(from.constants, Key::Option(name)))
    }

    fn default_of(&mut self, around: View, function: FunctionId, number: u32) -> Option<Constant> {
        let program = self.program;
        let facts = program.function(around.function);
        let own = function.0 - program.module_of(function).first;
        let made = &facts.origins.made;
        let at = made.binary_search_by_key(&own, |(made, _)| *made).ok()?;
        let Action::Function { defaults, .. } = &facts.operations[made[at].1 as usize].action
        else {
            return None;
        };
        let name = program.function(function).parameters[number as usize].name;
        let mut defaults = defaults.iter();
        let (_, slot) = defaults.find(|(parameter, _)| *parameter == name)?;
        self.constant(around, *slot)
    }

    /// Whether a function runs only as the program calls it, and some call is told apart by what it gives.
    pub(crate) fn is_called_with_constants(&self, function: FunctionId) -> bool {
        self.flags.told_apart.contains_key(&function) && !self.flags.given_away.contains(&function)
    }

    /// Notes functions that something gets which is not of the program: it may call them with anything.
    pub(super) fn note_given_away(&mut self, given: &[arguments::Given]) {
        for value in given.iter().flat_map(|one| one.values.iter()) {
            let function = match self.values.data(value) {
                Data::Bound { callee, .. } => self.values.data(callee),
                other => other,
            };
            if let Data::Function { function, .. } = function {
                self.flags.given_away.insert(function);
            }
        }
    }
}
