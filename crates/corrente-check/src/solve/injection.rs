//! Values that a framework finds for parameters: `FastAPI` calls what `Depends` names, and gives what comes back.
//!
//! The value flows to the parameter, whoever calls. That the function waits for it is noted for a plan
//! only: a coroutine on the loop is a start by itself, and a plain dependency runs in a thread.

use super::arguments::{Given, argument};
use super::instance::{Edge, InstanceId, Reach};
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Mode, Span};
use crate::finding::Certainty;

impl Machine<'_> {
    /// What a call like `Depends(function)` gives.
    pub(super) fn injection(&mut self, position: Option<usize>, given: &[Given]) -> ValueSet {
        let Some(position) = position else {
            return ValueSet::default();
        };
        argument(given, position)
            .iter()
            .filter(|value| !matches!(self.values.data(*value), Data::Number(_) | Data::Text(_)))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|value| self.values.intern(Data::Injected(value)))
            .collect()
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

    /// An endpoint waits for what its dependencies wait for.
    fn note_dependency(&mut self, callable: Value, instance: InstanceId, span: Span) {
        if self.catalogue.routing.is_empty() {
            return;
        }
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
