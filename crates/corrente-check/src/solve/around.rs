//! What runs around an endpoint beside what it calls: decorators that a class lists for its views, classes
//! that grant permission, hooks that stand at a method. For a plan only.
//!
//! Where it is written is known by name, from the catalogue. What it waits in, the endpoint waits in: it
//! is noted as a call at the endpoint's definition, when nothing flows any more.

use super::arguments::Given;
use super::heap::ClassId;
use super::instance::{Edge, InstanceId, Reach};
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::Mode;
use crate::finding::Certainty;
use crate::program::FunctionId;

/// A function that runs around all handlers of a class, or around one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    place: Surrounded,
    callable: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surrounded {
    Handler(FunctionId),
    Class(ClassId),
}

impl Machine<'_> {
    /// Notes what a decorator says of what it decorates: what runs around it, what it is for.
    pub(super) fn takes_around(&mut self, key: &str, given: &[Given]) {
        let catalogue = self.catalogue;
        let routing = &catalogue.routing;
        let (rule, verbs) = (routing.decorates_around(key), routing.verbs(key));
        if rule.is_none() && verbs.is_none() {
            return;
        }
        let decorated = given.first().map(|first| first.values.clone());
        let decorated = decorated.unwrap_or_default();
        if let Some(rule) = rule {
            let listed = self.given_first_to_maker();
            let callables = self.callables_among(&listed, &rule.methods);
            self.note_around(&decorated, &callables);
        }
        if let Some(verbs) = verbs {
            let mut verbs = verbs.to_vec();
            if verbs.is_empty() {
                let listed = self.given_first_to_maker();
                let texts = listed.iter().filter_map(|value| self.text_of(value));
                verbs.extend(texts.map(|text| text.to_uppercase()));
                verbs.sort_unstable();
            }
            for value in decorated.iter() {
                if let Data::Function { function, .. } = self.values.data(value) {
                    self.verbs.insert(function, verbs.clone());
                }
            }
        }
    }

    /// The first argument of the call that made the decorator that is called, or what that lists.
    fn given_first_to_maker(&mut self) -> ValueSet {
        let maker = self
            .running_call()
            .and_then(|call| self.maker_of(call.callee));
        let first = maker.and_then(|maker| maker.arguments.first());
        let values = first.map(|first| self.slot(first.slot)).unwrap_or_default();
        self.flattened(&values, 1)
    }

    /// These, and in place of classes their methods with these names.
    fn callables_among(&mut self, values: &ValueSet, methods: &[String]) -> Vec<Value> {
        let mut found = Vec::new();
        for value in values.iter() {
            match self.values.data(value) {
                Data::Class(class) if !methods.is_empty() => {
                    let object = self.values.intern(Data::Declared(class));
                    found.extend(self.methods_named(class, object, methods));
                }
                _ => found.push(value),
            }
        }
        found
    }

    fn note_around(&mut self, decorated: &ValueSet, callables: &[Value]) {
        for value in decorated.iter() {
            let place = match self.values.data(value) {
                Data::Function { function, .. } => Surrounded::Handler(function),
                Data::Class(class) => Surrounded::Class(class),
                _ => continue,
            };
            for callable in callables {
                let new = Around {
                    place,
                    callable: *callable,
                };
                if !self.around.contains(&new) {
                    self.around.push(new);
                }
            }
        }
    }

    /// Endpoints wait for what runs around them.
    pub(crate) fn surroundings(&mut self) {
        let mut endpoints = std::mem::take(&mut self.endpoints);
        for endpoint in &mut endpoints {
            let at = endpoint.instance;
            let instance = &self.instances[at.0 as usize];
            let (function, class) = (instance.function, instance.class);
            if endpoint.methods.is_empty()
                && let Some(verbs) = self.verbs.get(&function)
            {
                endpoint.methods.clone_from(verbs);
            }
            let is_here = |place: Surrounded| match place {
                Surrounded::Handler(known) => known == function,
                Surrounded::Class(known) => Some(known) == class,
            };
            let known = self.around.iter().filter(|one| is_here(one.place));
            let mut found: Vec<Value> = known.map(|one| one.callable).collect();
            if let Some(class) = class {
                found.extend(self.listed_around(class));
            }
            for callable in found {
                self.runs_around(callable, at);
            }
        }
        self.endpoints = endpoints;
    }

    /// What the lists of a class name: of decorators what they give, of other classes their methods.
    fn listed_around(&mut self, class: ClassId) -> Vec<Value> {
        let catalogue = self.catalogue;
        let mut found = Vec::new();
        for base in self.bases_in_libraries(class).iter().copied() {
            let base = self.symbols.text(base).replace("()", "");
            let Some(rule) = catalogue.routing.around(&base) else {
                continue;
            };
            for list in &rule.lists {
                let list = self.symbols.intern(list);
                let lists = self.look_up(class, list).values;
                let listed = self.flattened(&lists, 1);
                let callables = self.callables_among(&listed, &rule.methods);
                if rule.methods.is_empty() {
                    let given = callables.into_iter();
                    let given = given.map(|one| self.decorated_by(one));
                    found.extend(given.flat_map(|values| values.iter().collect::<Vec<_>>()));
                } else {
                    found.extend(callables);
                }
            }
        }
        found
    }

    /// What a decorator gives, once it has run. It is given nothing that is followed: the handler is an
    /// endpoint of its own, and no question of the decorator's.
    fn decorated_by(&mut self, decorator: Value) -> ValueSet {
        let view = self.elsewhere();
        let before = std::mem::replace(&mut self.elsewhere, true);
        let given = self.invoke(decorator, &[Given::positional(view)], Mode::Plain);
        self.elsewhere = before;
        given
    }

    fn runs_around(&mut self, callable: Value, endpoint: InstanceId) {
        let function = self.instances[endpoint.0 as usize].function;
        let span = self.program.definition(function);
        for body in self.bodies(callable, &[]) {
            let edge = Edge {
                span,
                to: Reach::Body(body),
                certainty: Certainty::Certain,
            };
            self.instances[endpoint.0 as usize].note(edge);
        }
    }
}
