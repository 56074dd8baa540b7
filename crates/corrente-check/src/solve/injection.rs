//! Values that a framework finds for parameters: `FastAPI` calls what `Depends` names, and gives what comes back.
//!
//! The value flows to the parameter, whoever calls. That the function waits for it is noted for a plan
//! only: a coroutine on the loop is a start by itself, and a plain dependency runs in a thread.

use super::arguments::{Given, Way, argument};
use super::heap::ClassId;
use super::instance::{Edge, InstanceId, Reach};
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Mode, Span};
use crate::finding::Certainty;

/// What makes an object ready.
const CONSTRUCTOR: &str = "__init__";

impl Machine<'_> {
    /// What a call like `Depends(function)` gives.
    pub(super) fn injection(&mut self, position: Option<usize>, given: &[Given]) -> ValueSet {
        let Some(position) = position else {
            return ValueSet::default();
        };
        if !self.catalogue.routing.is_empty() && self.names_nothing(given) {
            // The annotation of the parameter says what is called. Values come by the annotation anyway.
            let nothing = self.values.intern(Data::Number(0));
            return self.single(Data::Injected(nothing));
        }
        argument(given, position)
            .iter()
            .filter(|value| !matches!(self.values.data(*value), Data::Number(_) | Data::Text(_)))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|value| self.values.intern(Data::Injected(value)))
            .collect()
    }

    /// Whether only options are given, as in `Depends()` or `Depends(use_cache=False)`.
    fn names_nothing(&self, given: &[Given]) -> bool {
        let is_option = |one: &Given| match one.way {
            Way::Keyword(name) => self.symbols.text(name) != "dependency",
            Way::Positional | Way::Star | Way::DoubleStar => false,
        };
        given.iter().all(is_option)
    }

    /// Whether a value is that of `Depends()`.
    pub(super) fn asks_by_annotation(&self, value: Value) -> bool {
        match self.values.data(value) {
            Data::Injected(inner) => matches!(self.values.data(inner), Data::Number(_)),
            _ => false,
        }
    }

    /// What a framework makes of an annotation's classes, where a parameter asks for that.
    pub(super) fn injected_by_annotation(
        &mut self,
        annotated: &ValueSet,
        known: &ValueSet,
    ) -> ValueSet {
        let mut given = annotated.iter().chain(known.iter());
        if self.catalogue.routing.is_empty() || !given.any(|value| self.asks_by_annotation(value)) {
            return ValueSet::default();
        }
        let classes = annotated
            .iter()
            .filter(|value| matches!(self.values.data(*value), Data::Class(_)));
        let classes: Vec<Value> = classes.collect();
        let injected = classes
            .into_iter()
            .map(|class| self.values.intern(Data::Injected(class)));
        let injected: ValueSet = injected.collect();
        self.injected(&injected, self.current.instance)
    }

    /// What those among the values that are injected stand for; `instance` has it called.
    pub(super) fn injected(&mut self, values: &ValueSet, instance: InstanceId) -> ValueSet {
        let mut found = ValueSet::default();
        for value in values.iter() {
            if let Data::Injected(callable) = self.values.data(value) {
                self.note_dependency(callable, instance, self.current.span);
                found.extend(&self.given_by_framework(callable));
            }
        }
        found
    }

    fn given_by_framework(&mut self, callable: Value) -> ValueSet {
        let before = std::mem::replace(&mut self.elsewhere, true);
        let made = self.invoke(callable, &[], Mode::Plain);
        let mut found = ValueSet::default();
        for value in made.iter() {
            let inner = match self.values.data(value) {
                Data::Generator(_) => self.elements(value, Mode::Plain),
                _ => self.awaited(value),
            };
            found.extend(&inner);
        }
        self.elsewhere = before;
        found
    }

    /// Endpoints wait for what is listed where they, or routers around them, are registered: for a plan.
    pub(crate) fn listed_dependencies(&mut self) {
        let endpoints = std::mem::take(&mut self.endpoints);
        for endpoint in &endpoints {
            let mut listed = self.dependencies_of(&endpoint.owners);
            listed.extend(&endpoint.dependencies);
            let function = self.instances[endpoint.instance.0 as usize].function;
            let span = self.program.definition(function);
            for callable in self.injected_in(&listed) {
                self.note_dependency(callable, endpoint.instance, span);
            }
        }
        self.endpoints = endpoints;
        self.note_constructions();
    }

    /// What a framework calls for the values that lists hold.
    fn injected_in(&self, lists: &[Value]) -> Vec<Value> {
        let mut found = Vec::new();
        for list in lists {
            let Data::Collection(owner) = self.values.data(*list) else {
                continue;
            };
            for value in self.heap.peek_all(owner).iter() {
                if let Data::Injected(callable) = self.values.data(value) {
                    found.push(callable);
                }
            }
        }
        found
    }

    /// An endpoint waits for what its dependencies wait for. What a constructor's parameters need, who needs
    /// the object waits for: the framework finds it before it calls the constructor.
    fn note_dependency(&mut self, callable: Value, instance: InstanceId, span: Span) {
        if self.catalogue.routing.is_empty() {
            return;
        }
        if let Some(class) = self.constructed_by(instance) {
            self.needs.entry(class).or_default().insert(callable);
            return;
        }
        if let Data::Class(class) = self.values.data(callable) {
            self.needed.push((instance, span, class));
            return;
        }
        self.note_calls(callable, instance, span);
    }

    /// Whoever needs an object of a class waits for what its constructor is given, and for that itself.
    fn note_constructions(&mut self) {
        for (instance, span, class) in std::mem::take(&mut self.needed) {
            let mut seen = vec![class];
            let mut at = 0;
            while let Some(class) = seen.get(at).copied() {
                at += 1;
                let object = self.values.intern(Data::Declared(class));
                let mut callables = self.methods_named(class, object, &[CONSTRUCTOR]);
                callables.extend(self.needs.get(&class).into_iter().flat_map(ValueSet::iter));
                for callable in callables {
                    match self.values.data(callable) {
                        Data::Class(inner) if seen.contains(&inner) => {}
                        Data::Class(inner) => seen.push(inner),
                        _ => self.note_calls(callable, instance, span),
                    }
                }
            }
        }
    }

    /// The class whose constructor a body is.
    fn constructed_by(&self, instance: InstanceId) -> Option<ClassId> {
        let body = &self.instances[instance.0 as usize];
        let name = self.program.function(body.function).name;
        let name = self.program.symbol(body.function, name);
        body.class
            .filter(|_| self.symbols.text(name) == CONSTRUCTOR)
    }

    fn note_calls(&mut self, callable: Value, instance: InstanceId, span: Span) {
        for body in self.bodies(callable, &[]) {
            let edge = Edge {
                span,
                to: Reach::Body(body),
                certainty: Certainty::Certain,
            };
            self.instances[instance.0 as usize].note(edge);
        }
    }
}
