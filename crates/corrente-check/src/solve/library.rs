//! Calls of libraries, and what the language calls of their objects: the catalogue's word on them.
//!
//! What a path is, and what the catalogue says of it, is `paths`' business.

use super::arguments::{Given, Way, argument};
use super::heap::Owner;
use super::instance::InstanceId;
use super::machine::{Leaf, Machine};
use super::paths::Callee;
use super::values::{Data, Gives, Value, ValueSet};
use crate::catalogue::{Condition, Wanted};
use crate::facts::{Mode, YIELDS};
use crate::symbols::Symbol;

/// Its function is given an item second.
const REDUCE: &str = "functools.reduce";

impl Machine<'_> {
    pub(super) fn item_of_library(&mut self, path: Symbol, key: ValueSet) -> ValueSet {
        let method = self.symbols.intern("__getitem__");
        let callee = self.method_of(path, method);
        let given = [Given::positional(key)];
        self.blocks(&callee, &given, Mode::Plain);
        let typed = self.variant(&callee, &given).or(callee.typed);
        self.single(Data::Library(typed.unwrap_or(path)))
    }

    /// What a call gives with just these arguments.
    fn variant(&self, callee: &Callee, given: &[Given]) -> Option<Symbol> {
        let mut variants = callee.variants.iter();
        let found = variants.find(|(condition, _)| self.holds(condition, given));
        found.map(|(_, class)| *class)
    }

    pub(super) fn operator_of_library(&mut self, path: Symbol, method: Symbol) -> ValueSet {
        let callee = self.method_of(path, method);
        self.blocks(&callee, &[], Mode::Plain);
        match callee.typed {
            Some(path) => self.single(Data::Library(path)),
            None => ValueSet::default(),
        }
    }

    /// Iteration or `with` over a library's object.
    pub(super) fn protocol_of_library(
        &mut self,
        path: Symbol,
        method: &str,
        mode: Mode,
    ) -> ValueSet {
        let name = self.symbols.intern(method);
        let callee = self.method_of(path, name);
        self.blocks(&callee, &[], mode);
        match callee.typed {
            Some(path) => self.single(Data::Library(path)),
            None if method == "__enter__" => self.single(Data::Library(path)),
            None => ValueSet::default(),
        }
    }

    /// Notes a blocking call, if it is one.
    fn blocks(&mut self, callee: &Callee, given: &[Given], mode: Mode) {
        let Some(rule) = callee.rule.filter(|_| mode != Mode::Awaited) else {
            return;
        };
        let known = &self.catalogue.rules[rule as usize];
        let holds = |condition| self.holds(condition, given);
        if known.unless.iter().any(holds) || !known.when.is_empty() && !known.when.iter().any(holds)
        {
            return;
        }
        let key = self.symbols.intern(&callee.key);
        self.leaf(Leaf { key, rule });
    }

    fn holds(&self, condition: &Condition, given: &[Given]) -> bool {
        let mut position = 0;
        given.iter().any(|argument| {
            let named = match argument.way {
                Way::Positional => {
                    position += 1;
                    condition.position == Some(position - 1)
                }
                Way::Keyword(name) => self.symbols.text(name) == condition.name,
                Way::Star | Way::DoubleStar => false,
            };
            named
                && (condition.wanted == Wanted::Given
                    || argument
                        .values
                        .iter()
                        .any(|value| self.meets(value, condition)))
        })
    }

    fn meets(&self, value: Value, condition: &Condition) -> bool {
        match (&condition.wanted, self.values.data(value)) {
            (Wanted::Number(wanted), Data::Number(number)) => number == *wanted,
            (Wanted::Something, Data::Number(number)) => number != 0,
            (Wanted::Something | Wanted::Given, _) => true,
            (Wanted::Word(wanted), Data::Text(text) | Data::Library(text)) => {
                self.symbols.text(text) == wanted
            }
            (Wanted::Number(_) | Wanted::Word(_), _) => false,
        }
    }

    pub(super) fn call_of_library(
        &mut self,
        path: Symbol,
        given: &[Given],
        mode: Mode,
    ) -> ValueSet {
        let callee = self.callee(path);
        if callee.is_special {
            self.takes_validators(&callee.key, given);
            self.notes_relation(&callee.key, given);
        }
        if callee.is_special
            && let Some(values) = self.builtin_call(&callee.key, given)
        {
            return values;
        }
        self.blocks(&callee, given, mode);
        self.note_models(&callee);
        let neutral = callee.neutral.as_ref();
        if neutral.is_some_and(|condition| self.holds(condition, given)) {
            return self.elsewhere();
        }
        self.takes_callbacks(&callee, given);
        self.takes_handlers(&callee, given);
        let router = self.takes_routes(&callee.key, given);
        if let Some(hand_off) = callee.hands_off {
            return self.hand_off(path, hand_off, given);
        }
        self.use_up(given);
        let mut result = self.runs_arguments(&callee, given);
        result.extend(&self.injection(callee.injects, given));
        result.extend(&router);
        if mode == Mode::Decorator && !self.symbols.text(path).starts_with("corrente.") {
            result.extend(&given[0].values);
        }
        let given_back = match self.variant(&callee, given) {
            Some(class) => Some(class),
            None => self.result_path(path),
        };
        if let Some(path) = given_back {
            let value = self.single(Data::Library(path));
            result.extend(&value);
        }
        result.extend(&self.models_given(path, &result, given));
        if callee.is_queue {
            // A collection goes along with the library's object, which may wait.
            let owner = self.collection_here();
            result.extend(&self.single(Data::Collection(owner)));
        }
        result
    }

    /// Functions that the loop will call.
    fn takes_callbacks(&mut self, callee: &Callee, given: &[Given]) {
        let mut called = match callee.callback {
            Some(position) => argument(given, position),
            None => ValueSet::default(),
        };
        for name in &callee.callback_lists {
            let lists: ValueSet = self.named_argument(given, name).into_iter().collect();
            called.extend(&self.all_elements(&lists));
        }
        if called.is_empty() {
            return;
        }
        let reason = format!("given to `{}`", crate::finding::short(&callee.key));
        let positional = |one: &&Given| one.way == Way::Positional;
        let rest = callee.callback.map_or(usize::MAX, |position| position + 1);
        let rest: Vec<Given> = given
            .iter()
            .filter(positional)
            .skip(rest)
            .cloned()
            .collect();
        for value in called.iter() {
            for body in self.bodies(value, &rest) {
                self.entry(body, reason.clone());
            }
            if self.is_of_library(value) {
                // No body of the program's runs it: it is told where it is given.
                self.invoke(value, &rest, Mode::Plain);
            }
        }
    }

    /// Whether a callable is a function of a library's, with or without arguments.
    fn is_of_library(&self, value: Value) -> bool {
        match self.values.data(value) {
            Data::Library(_) => true,
            Data::Partial(number) => {
                let callee = self.partials[number as usize].callee;
                matches!(self.values.data(callee), Data::Library(_)) && !self.is_handed_off(value)
            }
            _ => false,
        }
    }

    /// Functions that a framework will call, with something of its own.
    fn takes_handlers(&mut self, callee: &Callee, given: &[Given]) {
        let Some(handled) = callee.handler else {
            return;
        };
        let object = Given::positional(self.single(Data::Library(handled.class)));
        for value in argument(given, handled.position).iter() {
            let function = match self.values.data(value) {
                // Entered by the framework, a lifespan runs at once.
                Data::ManagerMaker(function) => function,
                _ => value,
            };
            for body in self.bodies(function, std::slice::from_ref(&object)) {
                if let Some(store) = handled.store {
                    self.keep_yielded(body, store);
                }
            }
        }
    }

    /// What a body yields by keys is found in a store.
    fn keep_yielded(&mut self, body: InstanceId, store: Owner) {
        for yielded in self.result(body, YIELDS).iter() {
            if let Data::Collection(owner) = self.values.data(yielded) {
                self.pour(store, owner);
            }
        }
    }

    /// Functions that the library calls there and then.
    fn runs_arguments(&mut self, callee: &Callee, given: &[Given]) -> ValueSet {
        let mut result = ValueSet::default();
        let Some(position) = callee.runs else {
            return result;
        };
        let callables: Vec<Value> = argument(given, position).iter().collect();
        let mut rest: Vec<Given> = self.passed_on(given, position);
        if &*callee.key == REDUCE {
            rest = folded(&rest, given.get(2));
        }
        for value in callables {
            let values = self.invoke(value, &rest, Mode::Plain);
            if let Data::Class(_) = self.values.data(value) {
                self.asked_by_encoder(&values);
            }
            result.extend(&values);
        }
        result
    }

    /// What `map` or `filter` gives when it is iterated: its function is called now.
    pub(super) fn iterate_lazy(&mut self, number: u32, gives: Gives) -> ValueSet {
        let results = self.partials[number as usize].results;
        if self.iterated.contains(&number) {
            // `rows = filter(test, rows)` in a loop: what comes out of it goes into it.
            return self.read_cell(results);
        }
        let is_outermost = self.iterated.is_empty();
        self.iterated.push(number);
        let values = self.iterate_once(number, gives);
        self.heap.cells.write(results, &values);
        if is_outermost {
            self.iterated.clear();
        }
        values
    }

    fn iterate_once(&mut self, number: u32, gives: Gives) -> ValueSet {
        let (callee, given) = self.filled(number, &[]);
        let rest = self.items_of_each(&given);
        let made = self.partials[number as usize].made;
        let here = self.current.span;
        if made.function == self.current.function {
            // The call stands where the function is named.
            self.current.span = made.span;
        }
        let results = self.invoke(callee, &rest, Mode::Plain);
        self.current.span = here;
        match gives {
            Gives::Results => results,
            Gives::Items => rest
                .into_iter()
                .next()
                .map(|given| given.values)
                .unwrap_or_default(),
        }
    }

    /// Something that is not followed may iterate what it is given.
    pub(super) fn use_up(&mut self, given: &[Given]) {
        for argument in given {
            for value in argument.values.iter() {
                match self.values.data(value) {
                    Data::Lazy(number, gives) => {
                        self.iterate_lazy(number, gives);
                    }
                    Data::Generator(body)
                        if argument.way == Way::Star || self.is_expression(body) =>
                    {
                        self.elements(value, Mode::Plain);
                    }
                    _ => {}
                }
            }
        }
    }

    /// The same arguments, each one item of what was given.
    fn passed_on(&mut self, given: &[Given], position: usize) -> Vec<Given> {
        let after = given.get(position + 1..).unwrap_or_default();
        self.items_of_each(after)
    }

    fn items_of_each(&mut self, given: &[Given]) -> Vec<Given> {
        let mut rest = Vec::new();
        for argument in given {
            if argument.way != Way::Positional {
                continue;
            }
            let mut inner = ValueSet::default();
            for value in argument.values.iter() {
                if let Data::Collection(_) | Data::Generator(_) | Data::Lazy(..) =
                    self.values.data(value)
                {
                    let values = self.elements(value, Mode::Plain);
                    inner.extend(&values);
                } else {
                    inner.insert(value);
                }
            }
            rest.push(Given::positional(inner));
        }
        rest
    }

    /// Enters methods that a framework's loop calls: those of `Protocol` classes and the like.
    pub(crate) fn framework_methods(&mut self) {
        for number in 0..self.heap.classes.len() as u32 {
            let class = super::heap::ClassId(number);
            for base in self.bases_in_libraries(class).iter().copied() {
                let base = self.symbols.text(base).to_owned();
                for method in self.catalogue.methods_of(&base).to_vec() {
                    for body in self.framework_method(class, &method, &[]) {
                        let reason = format!("called by `{}`", crate::finding::short(&base));
                        self.entry(body, reason);
                    }
                }
                if let Some(handler) = self.catalogue.handler_class(&base) {
                    let object = self.symbols.intern(&format!("{}()", handler.class));
                    let object = Given::positional(self.single(Data::Library(object)));
                    for method in &handler.methods {
                        self.framework_method(class, method, std::slice::from_ref(&object));
                    }
                }
            }
        }
    }

    /// The bodies of a method that a framework calls with these arguments.
    fn framework_method(
        &mut self,
        class: super::heap::ClassId,
        method: &str,
        given: &[Given],
    ) -> Vec<InstanceId> {
        let name = self.symbols.intern(method);
        if !self.binds(class, name) {
            return Vec::new();
        }
        let receiver = self.values.intern(Data::Declared(class));
        let mut found = Vec::new();
        // Nothing runs here whose calls these could be.
        let before = std::mem::replace(&mut self.elsewhere, true);
        for value in self.look_up(class, name).values.iter() {
            for bound in self.bind(value, receiver).iter() {
                found.extend(self.bodies(bound, given));
            }
        }
        self.elsewhere = before;
        found
    }

    pub(super) fn run_callable(&mut self, values: &ValueSet, given: &[Given]) -> ValueSet {
        let mut result = ValueSet::default();
        for value in values.iter() {
            let found = self.invoke(value, given, Mode::Plain);
            result.extend(&found);
        }
        result
    }
}

/// What `reduce` calls its function with: what came so far, at first the initial value or an item, and an item.
fn folded(rest: &[Given], initial: Option<&Given>) -> Vec<Given> {
    let items = rest.first().map(|given| given.values.clone());
    let items = items.unwrap_or_default();
    let begun = initial.map_or_else(|| items.clone(), |given| given.values.clone());
    vec![Given::positional(begun), Given::positional(items)]
}
