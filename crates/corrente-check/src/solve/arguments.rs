//! How arguments reach parameters, and which arguments tell one call of a function from another.
//!
//! A call that passes functions (or objects that carry some) is looked at on its own; all others
//! of a function are looked at together.

use std::rc::Rc;

use super::cells::CellId;
use super::flags::Arguments;
use super::heap::{Context, ContextId, OwnedBy, Owner};
use super::instance::InstanceId;
use super::machine::{Current, Machine};
use super::values::{Data, Value, ValueSet};
use crate::facts::{ArgumentKind, Call, Key, ParameterKind, Receiver, Slot};
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// Positions of `*args` that are followed one by one.
const POSITIONS_MAX: usize = 16;

/// Objects that are told apart inside one another's making.
pub(super) const OBJECT_DEPTH_MAX: u32 = 2;

/// Objects that a method gets one by one; what it does with more is looked at once for all.
const RECEIVERS_MAX: usize = 8;

/// How an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Way {
    Positional,
    Keyword(Symbol),
    Star,
    DoubleStar,
}

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) way: Way,
    pub(super) values: ValueSet,
}

impl Given {
    pub(super) fn positional(values: ValueSet) -> Self {
        Self {
            way: Way::Positional,
            values,
        }
    }

    fn name(&self) -> Option<Symbol> {
        match self.way {
            Way::Keyword(name) => Some(name),
            Way::Positional | Way::Star | Way::DoubleStar => None,
        }
    }
}

/// The argument at a position. Where none is, those that are given by name: whichever is meant, what is
/// not of the kind that is looked for does no harm.
pub(super) fn argument(given: &[Given], position: usize) -> ValueSet {
    let mut positional = given.iter().filter(|one| one.way == Way::Positional);
    if let Some(found) = positional.nth(position) {
        return found.values.clone();
    }
    let mut all = ValueSet::default();
    for named in given.iter().filter(|one| one.name().is_some()) {
        all.extend(&named.values);
    }
    all
}

/// `functools.partial`: a callable with arguments.
#[derive(Debug)]
pub(crate) struct Partial {
    /// Where it was made.
    pub(super) made: Current,
    /// Wakes its callers when its arguments grow.
    pub(super) shape: CellId,
    /// What came out of it, if it is iterated.
    pub(super) results: CellId,
    pub(super) callee: Value,
    pub(super) given: Vec<Given>,
}

/// Partials that an operation calls inside one another.
#[derive(Debug, Default)]
pub(super) struct Calling {
    numbers: Vec<u32>,
    /// How many were called since the outermost one.
    count: u32,
}

/// Calls of partials inside one that are followed: each may hold many, and itself among them.
const PARTIALS_MAX: u32 = 256;

impl Calling {
    /// Whether a partial is to be called now; whoever begins ends it.
    pub(super) fn begin(&mut self, number: u32) -> bool {
        if self.numbers.is_empty() {
            self.count = 0;
        }
        self.count += 1;
        if self.count > PARTIALS_MAX || self.numbers.contains(&number) {
            return false;
        }
        self.numbers.push(number);
        true
    }

    pub(super) fn end(&mut self) {
        self.numbers.pop();
    }
}

/// What a function takes, copied out of the facts.
#[derive(Debug, Default)]
pub(super) struct Signature {
    positional: Vec<Taking>,
    keyword_only: Vec<Taking>,
    star: Option<Slot>,
    double_star: Option<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Taking {
    name: Symbol,
    slot: Slot,
}

impl Signature {
    fn named(&self) -> impl Iterator<Item = &Taking> {
        self.positional.iter().chain(&self.keyword_only)
    }
}

impl Machine<'_> {
    pub(super) fn gather(&self, call: &Call) -> Vec<Given> {
        call.arguments
            .iter()
            .map(|argument| Given {
                way: match argument.kind {
                    ArgumentKind::Positional => Way::Positional,
                    ArgumentKind::Keyword(name) => Way::Keyword(self.symbol(name)),
                    ArgumentKind::Star => Way::Star,
                    ArgumentKind::DoubleStar => Way::DoubleStar,
                },
                values: self.slot(argument.slot),
            })
            .collect()
    }

    /// Whether a call with these arguments is to be told from others.
    pub(super) fn carries(&mut self, given: &[Given]) -> bool {
        given
            .iter()
            .any(|argument| argument.values.iter().any(|value| self.is_carrier(value)))
    }

    fn is_carrier(&mut self, value: Value) -> bool {
        match self.values.data(value) {
            Data::Function { .. }
            | Data::Bound { .. }
            | Data::Partial(_)
            | Data::Dispatcher(_)
            | Data::Class(_) => true,
            Data::Library(path) if self.symbols.text(path).ends_with("()") => {
                self.asked_for.contains(&path)
            }
            Data::Library(path) => self.callee(path).rule.is_some(),
            Data::Object(object) => {
                let info = self.heap.objects[object.0 as usize];
                let class = &self.heap.classes[info.class.0 as usize];
                info.carries
                    || class.bases.iter().any(|base| {
                        base.iter()
                            .any(|base| matches!(self.values.data(base), Data::Class(_)))
                    })
            }
            Data::Collection(owner) => {
                let Some(inside) = self.heap.peek_unknown(owner) else {
                    return false;
                };
                let carries = inside.iter().any(|inner| {
                    !matches!(self.values.data(inner), Data::Collection(_))
                        && self.is_carrier(inner)
                });
                if !carries {
                    self.heap.note_plain(owner, inside.len());
                }
                carries
            }
            _ => false,
        }
    }

    /// The body that a call of `function` runs, with its arguments given to it.
    pub(super) fn target(
        &mut self,
        callee: Value,
        receiver: Option<Value>,
        arguments: Arguments<'_>,
    ) -> Option<InstanceId> {
        let given = arguments.given;
        let Data::Function { function, outer } = self.values.data(callee) else {
            return None;
        };
        let base = receiver.map(|receiver| self.context_on(receiver, outer));
        let making = receiver.and_then(|receiver| self.making(function, receiver, given));
        let replaces = self.replaces_defaults(callee, receiver, given);
        let context = if let Some(context) = making {
            context
        } else if replaces || self.carries(given) || self.varies(function, given) {
            let site = self.current.site();
            let around = base.unwrap_or_else(|| self.context_of(self.current.instance));
            self.heap.called(site, around)
        } else {
            base.unwrap_or_else(|| self.heap.root())
        };
        let constants = self.constants_given(callee, receiver, arguments);
        let instance = self.instance(function, Some(outer), (context, constants));
        self.instances[instance.0 as usize].is_called = true;
        let own = replaces && self.heap.is_site(self.context_of(instance));
        if !own {
            self.bind_defaults(instance, callee);
        }
        self.pass(instance, receiver, given);
        Some(instance)
    }

    /// An object's `__init__` with objects of ours is looked at for that object alone.
    fn making(
        &mut self,
        function: FunctionId,
        receiver: Value,
        given: &[Given],
    ) -> Option<ContextId> {
        let Data::Object(object) = self.values.data(receiver) else {
            return None;
        };
        let info = self.heap.objects[object.0 as usize];
        let name = self.program.function(function).name;
        let name = self.program.symbol(function, name);
        if self.symbols.text(name) != "__init__" || info.depth > OBJECT_DEPTH_MAX {
            return None;
        }
        let objects = given.iter().any(|argument| {
            let mut values = argument.values.iter();
            values.any(|value| matches!(self.values.data(value), Data::Object(_)))
        });
        (objects || self.carries(given)).then(|| self.context(Context::Object(object)))
    }

    /// Whether a call gives all parameters whose default is a function.
    fn replaces_defaults(
        &mut self,
        callee: Value,
        receiver: Option<Value>,
        given: &[Given],
    ) -> bool {
        let Data::Function { function, .. } = self.values.data(callee) else {
            return false;
        };
        let Some(owner) = self.defaults_of(function, callee) else {
            return false;
        };
        let signature = self.signature(function);
        let mut positional = usize::from(receiver.is_some());
        let mut named = Vec::new();
        for argument in given {
            match argument.way {
                Way::Positional => positional += 1,
                Way::Keyword(name) => named.push(name),
                Way::Star | Way::DoubleStar => return false,
            }
        }
        let mut replaced = false;
        for (position, parameter) in signature.named().enumerate() {
            let is_given = named.contains(&parameter.name)
                || position < positional.min(signature.positional.len());
            let default = self.read_named(owner, parameter.name);
            if !default.iter().any(|value| self.is_carrier(value)) {
                continue;
            }
            if !is_given {
                return false;
            }
            replaced = true;
        }
        replaced
    }

    pub(super) fn context_on(&mut self, receiver: Value, outer: InstanceId) -> ContextId {
        let own = self.instances[outer.0 as usize].class;
        let context = match self.values.data(receiver) {
            Data::Object(object) => {
                let info = self.heap.objects[object.0 as usize];
                if info.carries {
                    Context::Object(object)
                } else {
                    Context::Exact(info.class)
                }
            }
            Data::Class(class) => Context::Exact(class),
            Data::Declared(class) | Data::Override(class) if own != Some(class) => {
                Context::Kin(class)
            }
            _ => Context::Root,
        };
        self.context(context)
    }

    /// The owner of a function's defaults; most functions have none.
    fn defaults_of(&self, function: FunctionId, callee: Value) -> Option<Owner> {
        if !self.with_defaults[function.0 as usize] {
            return None;
        }
        self.heap.owned.get(&OwnedBy::Defaults(callee)).copied()
    }

    fn signature(&mut self, function: FunctionId) -> Rc<Signature> {
        if let Some(known) = &self.signatures[function.0 as usize] {
            return Rc::clone(known);
        }
        let mut signature = Signature::default();
        for parameter in &self.program.function(function).parameters {
            let slot = parameter.slot;
            let name = self.program.symbol(function, parameter.name);
            match parameter.kind {
                ParameterKind::Positional => signature.positional.push(Taking { name, slot }),
                ParameterKind::KeywordOnly => signature.keyword_only.push(Taking { name, slot }),
                ParameterKind::Star => signature.star = Some(slot),
                ParameterKind::DoubleStar => signature.double_star = Some(slot),
            }
        }
        let signature = Rc::new(signature);
        self.signatures[function.0 as usize] = Some(Rc::clone(&signature));
        signature
    }

    pub(super) fn bind_defaults(&mut self, instance: InstanceId, callee: Value) {
        self.bind_by_default(instance, callee, |_, defaults| defaults);
    }

    /// Parameters whose default is injected get what the framework finds for them.
    pub(super) fn bind_injected(&mut self, instance: InstanceId, callee: Value) {
        self.bind_by_default(instance, callee, |machine, defaults| {
            machine.injected(&defaults, instance)
        });
    }

    /// Each parameter with a name gets what `found` makes of its default's values.
    fn bind_by_default(
        &mut self,
        instance: InstanceId,
        callee: Value,
        found: impl Fn(&mut Self, ValueSet) -> ValueSet,
    ) {
        let function = self.instances[instance.0 as usize].function;
        let Some(owner) = self.defaults_of(function, callee) else {
            return;
        };
        for parameter in self.signature(function).named() {
            let defaults = self.read_named(owner, parameter.name);
            let values = found(self, defaults);
            self.give(instance, parameter.slot, &values);
        }
    }

    /// Whoever calls a method, it gets an object of its class.
    pub(super) fn bind_unknown_receiver(&mut self, instance: InstanceId) {
        let outer = self.current.instance;
        let Some(class) = self.instances[outer.0 as usize].class else {
            return;
        };
        if self.heap.classes[class.0 as usize].instance != outer {
            return;
        }
        let function = self.instances[instance.0 as usize].function;
        let data = match self.program.function(function).receiver {
            Receiver::Object => Data::Declared(class),
            Receiver::Class => Data::Class(class),
            Receiver::Nothing => return,
        };
        let first = self.signature(function).positional.first().copied();
        if let Some(first) = first {
            let values = self.single(data);
            self.give(instance, first.slot, &values);
        }
    }

    pub(super) fn pass(&mut self, instance: InstanceId, receiver: Option<Value>, given: &[Given]) {
        let function = self.instances[instance.0 as usize].function;
        let mut passing = Passing {
            instance,
            signature: self.signature(function),
            position: 0,
            uncertain: false,
            named: given.iter().filter_map(Given::name).collect(),
        };
        if let Some(receiver) = receiver {
            let receiver = self.received(instance, receiver);
            self.pass_positional(&mut passing, &ValueSet::one(receiver));
        }
        for argument in given {
            match argument.way {
                Way::Positional => self.pass_positional(&mut passing, &argument.values),
                Way::Keyword(name) => self.pass_keyword(&passing, name, &argument.values),
                Way::Star => self.pass_star(&mut passing, &argument.values),
                Way::DoubleStar => self.pass_double_star(&passing, &argument.values),
            }
        }
    }

    /// What a method gets for its receiver: objects that its body does not tell apart are one.
    fn received(&mut self, instance: InstanceId, receiver: Value) -> Value {
        match self.values.data(receiver) {
            Data::Override(class) => self.values.intern(Data::Declared(class)),
            Data::Object(object) => {
                let class = self.heap.objects[object.0 as usize].class;
                let some = self.heap.classes[class.0 as usize].some;
                let exact = self.heap.is_exact(self.context_of(instance));
                if exact && self.receivers(instance) >= RECEIVERS_MAX {
                    self.values.intern(Data::Object(some))
                } else {
                    receiver
                }
            }
            _ => receiver,
        }
    }

    /// How many values the first parameter has.
    fn receivers(&mut self, instance: InstanceId) -> usize {
        let function = self.instances[instance.0 as usize].function;
        let signature = self.signature(function);
        let slots = &self.instances[instance.0 as usize].slots;
        let first = signature.positional.first();
        first.map_or(0, |first| slots[first.slot as usize].len())
    }

    fn pass_positional(&mut self, passing: &mut Passing, values: &ValueSet) {
        if passing.uncertain {
            self.pass_anywhere(passing, values);
            return;
        }
        let position = passing.position;
        passing.position += 1;
        if let Some(parameter) = passing.signature.positional.get(position) {
            self.give(passing.instance, parameter.slot, values);
        } else if let Some(star) = passing.signature.star {
            let owner = self.heap.owner_of(OwnedBy::Star(passing.instance));
            let key = Key::position(position - passing.signature.positional.len());
            self.put(owner, key, values);
            let collection = self.single(Data::Collection(owner));
            self.give(passing.instance, star, &collection);
        }
    }

    /// After `*args` of unknown length, an argument may be any parameter's.
    fn pass_anywhere(&mut self, passing: &Passing, values: &ValueSet) {
        let open = passing.signature.positional.iter().skip(passing.position);
        for parameter in open {
            self.give(passing.instance, parameter.slot, values);
        }
        if let Some(star) = passing.signature.star {
            let owner = self.heap.owner_of(OwnedBy::Star(passing.instance));
            self.put(owner, Key::Any, values);
            let collection = self.single(Data::Collection(owner));
            self.give(passing.instance, star, &collection);
        }
    }

    fn pass_keyword(&mut self, passing: &Passing, name: Symbol, values: &ValueSet) {
        let named = passing
            .signature
            .named()
            .find(|parameter| parameter.name == name);
        if let Some(parameter) = named {
            self.give(passing.instance, parameter.slot, values);
        } else if let Some(star) = passing.signature.double_star {
            let owner = self.heap.owner_of(OwnedBy::DoubleStar(passing.instance));
            self.put_named(owner, name, values);
            let collection = self.single(Data::Collection(owner));
            self.give(passing.instance, star, &collection);
        }
    }

    fn pass_star(&mut self, passing: &mut Passing, values: &ValueSet) {
        for value in values.iter() {
            let Data::Collection(owner) = self.values.data(value) else {
                let inner = self.elements(value, crate::facts::Mode::Plain);
                self.pass_anywhere(passing, &inner);
                continue;
            };
            let start = passing.position;
            for index in 0..POSITIONS_MAX {
                let inner = self.at_position(owner, index);
                if inner.is_empty() {
                    break;
                }
                self.pass_positional(passing, &inner);
            }
            let rest = self.unnumbered(owner);
            if !rest.is_empty() {
                let position = std::mem::replace(&mut passing.position, start);
                self.pass_anywhere(passing, &rest);
                passing.position = position;
                passing.uncertain = true;
            }
        }
    }

    fn pass_double_star(&mut self, passing: &Passing, values: &ValueSet) {
        for value in values.iter() {
            if let Data::Collection(owner) = self.values.data(value) {
                for (name, inner) in self.named(owner) {
                    if name == self.heap.any {
                        self.pass_under_any_name(passing, &inner);
                    }
                    self.pass_keyword(passing, name, &inner);
                }
            } else {
                let inner = self.items_by_keys(value);
                self.pass_under_any_name(passing, &inner);
            }
        }
    }

    /// `**object`: it is asked for its keys, and for what is under each.
    fn items_by_keys(&mut self, value: Value) -> ValueSet {
        let [keys, get] = ["keys", "__getitem__"].map(|name| self.symbols.intern(name));
        if !self.answers(value, keys) {
            return ValueSet::default();
        }
        let asked = self.special_method(value, keys, &[]);
        let asked = self.all_elements(&asked);
        self.special_method(value, get, &[Given::positional(asked)])
    }

    /// What is under an unknown key may be any parameter's that is not given otherwise. Of such a mixture
    /// only what carries callables is worth following.
    fn pass_under_any_name(&mut self, passing: &Passing, values: &ValueSet) {
        let values = values.iter().filter(|value| self.is_carrier(*value));
        let values: ValueSet = values.collect();
        let open = passing.signature.positional.iter().skip(passing.position);
        for parameter in open.chain(&passing.signature.keyword_only) {
            if !passing.named.contains(&parameter.name) {
                self.give(passing.instance, parameter.slot, &values);
            }
        }
    }
}

#[derive(Debug)]
struct Passing {
    instance: InstanceId,
    signature: Rc<Signature>,
    position: usize,
    uncertain: bool,
    /// What is given by keyword.
    named: Vec<Symbol>,
}
