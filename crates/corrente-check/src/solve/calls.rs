//! Calls of every kind of value.
//!
//! A generator's body runs when it is iterated, a coroutine's when it is awaited: calling either
//! gives a value and no edge.

use super::arguments::{Given, OBJECT_DEPTH_MAX, Way};
use super::flags::{Arguments, Listed};
use super::heap::{ClassId, ObjectId};
use super::instance::InstanceId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{BodyKind, Call, Mode, RETURNS};
use crate::finding::Certainty;
use crate::symbols::Symbol;

/// What is called when the fields of an object have their values: of dataclasses, attrs and pydantic.
const AFTER_FIELDS: [&str; 3] = ["__post_init__", "__attrs_post_init__", "model_post_init"];

/// Objects of one class that are made by modules and told apart.
const SINGLES_MAX: usize = 8;

impl Machine<'_> {
    pub(super) fn call(&mut self, call: &Call) {
        let given = self.gather(call);
        let callees = self.slot(call.callee);
        if callees.is_empty() {
            self.note_given_away(&given);
            self.use_up(&given);
            // Whatever it is, `key=` is a function that it calls.
            self.run_key(&given, &ValueSet::default());
        }
        let mut result = ValueSet::default();
        for callee in callees.iter() {
            if call.mode == Mode::Awaited && self.is_never_awaited(callee) {
                continue;
            }
            if let Data::Library(_) = self.values.data(callee) {
                self.note_given_away(&given);
            }
            let arguments = Arguments {
                given: &given,
                listed: Listed::Written,
            };
            let values = self.invoke_with(callee, arguments, call.mode);
            result.extend(&values);
        }
        let unknown = callees.is_empty() || (self.generous && result.is_empty());
        if call.mode == Mode::Decorator && unknown && self.generous {
            result.extend(&given[0].values);
        }
        self.add(call.to, &result);
    }

    /// Whether a callable is a plain function that never returns what can be awaited. Nobody awaits what it
    /// gives: a wrapper that does so is not the one that is put around it.
    fn is_never_awaited(&self, callee: Value) -> bool {
        let function = match self.values.data(callee) {
            Data::Bound { callee, .. } => self.values.data(callee),
            other => other,
        };
        let Data::Function { function, .. } = function else {
            return false;
        };
        let facts = self.program.function(function);
        facts.kind == BodyKind::Function && !facts.gives_awaitable
    }

    /// Calls a value with arguments; gives what comes back.
    pub(super) fn invoke(&mut self, callee: Value, given: &[Given], mode: Mode) -> ValueSet {
        self.invoke_with(callee, Arguments::otherwise(given), mode)
    }

    fn invoke_with(&mut self, callee: Value, arguments: Arguments<'_>, mode: Mode) -> ValueSet {
        let given = arguments.given;
        match self.values.data(callee) {
            Data::Function { .. } => self.enter_function(callee, None, arguments),
            Data::Bound { callee, receiver } => match self.values.data(callee) {
                Data::Function { .. } => self.enter_function(callee, Some(receiver), arguments),
                Data::ManagerMaker(inner) => self.make_manager(inner, Some(receiver), arguments),
                Data::Partial(number) => {
                    let mut all = vec![Given::positional(ValueSet::one(receiver))];
                    all.extend_from_slice(given);
                    self.call_partial(number, Arguments::otherwise(&all), mode)
                }
                _ => ValueSet::default(),
            },
            Data::Class(class) => match self.made_by_metaclass(class, given) {
                Some(made) => made,
                None => self.construct(callee, class, arguments),
            },
            Data::Construct(class) => {
                let callee = self.values.intern(Data::Class(class));
                self.construct(callee, class, arguments)
            }
            Data::Object(_) | Data::Declared(_) | Data::Override(_)
                if mode == Mode::Decorator && self.is_decorating(callee) =>
            {
                self.inside(callee, given)
            }
            Data::Manager(_) => self.inside(callee, given),
            Data::Object(_) | Data::Declared(_) | Data::Override(_) => {
                let name = self.symbols.intern("__call__");
                self.special_method(callee, name, given)
            }
            Data::Library(path) => self.call_of_library(path, given, mode),
            Data::CollectionMethod(owner, method) => self.collection_call(owner, method, given),
            Data::ManagerMaker(inner) => self.make_manager(inner, None, arguments),
            Data::Stepping(body) => self.step_on(body, given),
            Data::Inherent { receiver, method } => self.call_inherent(receiver, method, given),
            Data::PropertySetter(property) => self.with_setter(property, given),
            Data::PropertyDeleter(property) => {
                let functions = given.first().map(|given| given.values.clone());
                let mut found = self.wrapped(&functions.unwrap_or_default(), Data::Deleter);
                found.insert(property);
                found
            }
            // The property beside it decorates.
            Data::Deleter(_) => ValueSet::one(callee),
            Data::Partial(number) => self.call_partial(number, arguments, mode),
            Data::StaticMethod(inner) | Data::ClassMethod(inner) => {
                self.invoke_with(inner, arguments, mode)
            }
            // What its methods give is its own: `router.route(…)`, which then decorates.
            Data::Router(_) | Data::Model(_) if mode != Mode::Decorator => ValueSet::one(callee),
            Data::Dispatcher(owner) => {
                let functions = self.everything_in(owner);
                self.run_callable(&functions, given)
            }
            _ => ValueSet::default(),
        }
    }

    /// Calls a partial, unless it is among what it calls: `self.get = sync_to_async(self.get)`.
    fn call_partial(&mut self, number: u32, arguments: Arguments<'_>, mode: Mode) -> ValueSet {
        if !self.calling.begin(number) {
            return ValueSet::default();
        }
        let (callee, all) = self.filled(number, arguments.given);
        let listed = match arguments.listed {
            Listed::Written => Listed::Through(number),
            Listed::Through(_) | Listed::Otherwise => Listed::Otherwise,
        };
        let all = Arguments {
            given: &all,
            listed,
        };
        let result = self.invoke_with(callee, all, mode);
        self.calling.end();
        result
    }

    /// What a partial calls, with its arguments and these.
    pub(super) fn filled(&mut self, number: u32, given: &[Given]) -> (Value, Vec<Given>) {
        let shape = self.partials[number as usize].shape;
        self.read_cell(shape);
        let partial = &self.partials[number as usize];
        let mut all = partial.given.clone();
        all.extend_from_slice(given);
        (partial.callee, all)
    }

    fn enter_function(
        &mut self,
        callee: Value,
        receiver: Option<Value>,
        arguments: Arguments<'_>,
    ) -> ValueSet {
        let Some(target) = self.target(callee, receiver, arguments) else {
            return ValueSet::default();
        };
        let overridden = receiver
            .is_some_and(|receiver| matches!(self.values.data(receiver), Data::Override(_)));
        let certainty = if overridden {
            Certainty::Probable
        } else {
            Certainty::Certain
        };
        self.run_target(target, certainty)
    }

    fn run_target(&mut self, target: InstanceId, certainty: Certainty) -> ValueSet {
        match self.kind_of(target) {
            BodyKind::Coroutine => self.single(Data::Coroutine(target)),
            BodyKind::Generator | BodyKind::AsyncGenerator => self.single(Data::Generator(target)),
            _ => {
                self.edge(target, certainty);
                self.result(target, RETURNS)
            }
        }
    }

    pub(super) fn kind_of(&self, instance: InstanceId) -> BodyKind {
        self.instances[instance.0 as usize].facts.kind
    }

    fn make_manager(
        &mut self,
        inner: Value,
        receiver: Option<Value>,
        arguments: Arguments<'_>,
    ) -> ValueSet {
        match self.target(inner, receiver, arguments) {
            Some(target) => self.single(Data::Manager(target)),
            None => ValueSet::default(),
        }
    }

    fn with_setter(&mut self, property: Value, given: &[Given]) -> ValueSet {
        let Data::Property { getter, .. } = self.values.data(property) else {
            return ValueSet::default();
        };
        let setters = given
            .first()
            .map(|given| given.values.clone())
            .unwrap_or_default();
        setters
            .iter()
            .map(|setter| {
                self.values.intern(Data::Property {
                    getter,
                    setter: Some(setter),
                })
            })
            .collect()
    }

    /// The bodies that a callable would run, made ready with these arguments but not called here.
    pub(super) fn bodies(&mut self, callee: Value, given: &[Given]) -> Vec<InstanceId> {
        let arguments = Arguments::otherwise(given);
        match self.values.data(callee) {
            Data::Function { .. } => self.target(callee, None, arguments).into_iter().collect(),
            Data::Bound { callee, receiver } => self
                .target(callee, Some(receiver), arguments)
                .into_iter()
                .collect(),
            Data::Partial(number) => {
                let (callee, all) = self.filled(number, given);
                self.bodies(callee, &all)
            }
            Data::Dispatcher(owner) => {
                let functions: Vec<Value> = self.everything_in(owner).iter().collect();
                let functions = functions.into_iter();
                functions.flat_map(|one| self.bodies(one, given)).collect()
            }
            Data::Class(class) => self.bodies_of_making(callee, class, given),
            Data::Object(_) | Data::Declared(_) => {
                let name = self.symbols.intern("__call__");
                let methods = self.attribute_of(callee, name);
                methods
                    .iter()
                    .filter(|method| !matches!(self.values.data(*method), Data::Object(_)))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .flat_map(|method| self.bodies(method, given))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The `__init__` that making an object runs; the object is made all the same.
    fn bodies_of_making(
        &mut self,
        callee: Value,
        class: ClassId,
        given: &[Given],
    ) -> Vec<InstanceId> {
        let before = std::mem::replace(&mut self.elsewhere, true);
        let made = self.construct(callee, class, Arguments::otherwise(given));
        self.elsewhere = before;
        let initialize = self.symbols.intern("__init__");
        let mut found = Vec::new();
        for method in self.look_up(class, initialize).values.iter() {
            for object in made.iter() {
                for bound in self.bind(method, object).iter() {
                    found.extend(self.bodies(bound, given));
                }
            }
        }
        found
    }

    pub(super) fn construct(
        &mut self,
        callee: Value,
        class: ClassId,
        arguments: Arguments<'_>,
    ) -> ValueSet {
        let given = arguments.given;
        if self.is_enumeration(class) {
            return self.member_asked_for(callee, class, given);
        }
        if self.describes_dicts(class) {
            return self.dict(given);
        }
        self.note_made(class);
        let site = self.current.site();
        let maker = self.current.instance;
        let object = self.heap.object(class, site, maker);
        self.note_fixed(object, class, arguments);
        let depth = self.heap.depth(self.context_of(maker)) + 1;
        let body = self.heap.classes[class.0 as usize].body;
        let varies = self.varies(body, given);
        let carries = (varies || self.carries(given)) && depth <= OBJECT_DEPTH_MAX
            || self.is_single(class, object, maker);
        let info = &mut self.heap.objects[object.0 as usize];
        let is_news = carries && !info.carries;
        info.carries |= carries;
        info.depth = depth;
        self.heap.carriers += u32::from(is_news);
        let value = self.values.intern(Data::Object(object));
        let mut result = ValueSet::one(value);
        let new = self.symbols.intern("__new__");
        for maker in self.look_up(class, new).values.iter() {
            if let Data::Function { .. } = self.values.data(maker) {
                let made = self.enter_function(maker, Some(callee), arguments);
                result.extend(&made);
            }
        }
        let initialize = self.symbols.intern("__init__");
        let found = self.look_up(class, initialize);
        for method in found.values.iter() {
            for bound in self.bind(method, value).iter() {
                self.invoke_with(bound, arguments, Mode::Plain);
            }
        }
        if found.class.is_none() {
            self.fill_fields(value, class, given);
            self.run_validators(value, class);
            for after in AFTER_FIELDS {
                let after = self.symbols.intern(after);
                if self.look_up(class, after).class.is_some() {
                    self.special_method(value, after, &[]);
                }
            }
            self.constructors_of_library(class, given);
            self.makes_router(value, class, given);
        }
        result
    }

    /// Whether calling a class gives a plain dict.
    fn describes_dicts(&mut self, class: ClassId) -> bool {
        let bases = self.bases_in_libraries(class);
        let is_typed = |base: &Symbol| {
            let base = self.symbols.text(*base);
            matches!(base, "typing.TypedDict" | "typing_extensions.TypedDict")
        };
        bases.iter().any(is_typed)
    }

    /// Whether a module makes an object, one of few of its class: registries and services are made
    /// so, and what one holds is not what another holds.
    fn is_single(&mut self, class: ClassId, object: ObjectId, maker: InstanceId) -> bool {
        if self.kind_of(maker) != BodyKind::Module {
            return false;
        }
        let singles = &mut self.heap.classes[class.0 as usize].singles;
        if !singles.contains(&object) && singles.len() < SINGLES_MAX {
            singles.push(object);
        }
        singles.contains(&object)
    }

    /// A dataclass or a model: arguments become the fields that the class body annotates.
    fn fill_fields(&mut self, value: Value, class: ClassId, given: &[Given]) {
        let fields = self.fields_of(class);
        let target = ValueSet::one(value);
        let mut position = 0;
        let mut filled = Vec::new();
        for argument in given {
            let field = match argument.way {
                Way::Positional => {
                    position += 1;
                    fields.get(position - 1).copied()
                }
                Way::Keyword(name) => Some(name),
                Way::Star | Way::DoubleStar => {
                    self.fill_from_dicts(value, (class, &fields), &argument.values);
                    filled.clone_from(&fields);
                    None
                }
            };
            if let Some(field) = field {
                self.set_field(&target, class, field, &argument.values);
                filled.push(field);
            }
        }
        self.run_factories(class, &fields, &filled);
    }

    /// The names that a class and its ancestors annotate, the ancestors' first.
    pub(super) fn fields_of(&mut self, class: ClassId) -> Vec<Symbol> {
        let mut fields = Vec::new();
        for ancestor in self.ancestors(class).iter().rev() {
            let body = self.heap.classes[ancestor.0 as usize].body;
            let own = &self.program.function(body).fields;
            fields.extend(own.iter().map(|field| self.program.symbol(body, *field)));
        }
        fields
    }

    /// `Model(**options)`.
    fn fill_from_dicts(
        &mut self,
        value: Value,
        (class, fields): (ClassId, &[Symbol]),
        dicts: &ValueSet,
    ) {
        let target = ValueSet::one(value);
        for dict in dicts.iter() {
            let Data::Collection(owner) = self.values.data(dict) else {
                continue;
            };
            for (name, values) in self.named(owner) {
                if fields.contains(&name) {
                    self.set_field(&target, class, name, &values);
                }
            }
        }
    }

    fn set_field(&mut self, target: &ValueSet, class: ClassId, name: Symbol, values: &ValueSet) {
        if self.program.assigned.contains(&name) {
            self.set_attribute(target, name, values);
        } else {
            // Nothing but the constructor sets it: the class's own cell will do.
            let owner = self.heap.classes[class.0 as usize].owner;
            let callables: ValueSet = values.iter().map(|value| self.unbindable(value)).collect();
            self.write_named(owner, name, &callables);
        }
    }

    /// A value that stays as it is when it is read through an instance.
    fn unbindable(&mut self, value: Value) -> Value {
        match self.values.data(value) {
            Data::Function { .. } => self.values.intern(Data::StaticMethod(value)),
            _ => value,
        }
    }

    /// A class of ours that a library's constructor makes.
    fn constructors_of_library(&mut self, class: ClassId, given: &[Given]) {
        for base in self.bases_in_libraries(class).iter().copied() {
            if !self.symbols.text(base).starts_with("builtins.") {
                self.call_of_library(base, given, Mode::Plain);
            }
        }
    }

    /// Calls a special method of an object, if its class has it.
    pub(super) fn special_method(
        &mut self,
        value: Value,
        name: Symbol,
        given: &[Given],
    ) -> ValueSet {
        let mut result = ValueSet::default();
        let methods: Vec<Value> = self.attribute_of(value, name).iter().collect();
        for method in methods {
            if matches!(
                self.values.data(method),
                Data::Bound { .. } | Data::Library(_)
            ) {
                let values = self.invoke(method, given, Mode::Plain);
                result.extend(&values);
            }
        }
        result
    }
}
