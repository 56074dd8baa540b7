//! Django's models: on which of them a call is made, so that a plan knows which signals it sends.
//!
//! A library's objects are not told apart, so a value of its own goes along with what the library makes
//! of a model: its manager, its queries, its objects. Only a plan asks.

use super::heap::ClassId;
use super::instance::InstanceId;
use super::machine::Machine;
use super::paths::Callee;
use super::values::{Data, Value, ValueSet};
use crate::facts::Span;

/// What all models inherit from.
const BASE: &str = "django.db.models.Model";

impl Machine<'_> {
    /// What goes along with an attribute that a class has from a library.
    pub(super) fn model(&mut self, class: ClassId) -> ValueSet {
        if self.catalogue.routing.is_empty() {
            return ValueSet::default();
        }
        let bases = self.bases_in_libraries(class);
        let is_model = bases.iter().any(|base| self.symbols.text(*base) == BASE);
        if is_model {
            self.single(Data::Model(class))
        } else {
            ValueSet::default()
        }
    }

    /// Notes on which models the running call is made, if it is a blocking one.
    pub(super) fn note_models(&mut self, callee: &Callee) {
        if self.catalogue.routing.is_empty() || callee.rule.is_none() {
            return;
        }
        let callees = self.running_call().map(|call| self.slot(call.callee));
        let here = (self.current.instance, self.current.span);
        for value in callees.unwrap_or_default().iter() {
            if let Data::Model(class) = self.values.data(value) {
                let known = self.models.entry(here).or_default();
                if !known.contains(&class) {
                    known.push(class);
                }
            }
        }
    }

    /// The models among these, with those that they inherit from; none if one is not known.
    pub(super) fn senders(&mut self, values: &[Value]) -> Vec<ClassId> {
        let mut found = Vec::new();
        for value in values {
            let Data::Class(class) = self.values.data(*value) else {
                return Vec::new();
            };
            found.extend(self.ancestors(class).iter());
        }
        found
    }

    /// Whether a call may be made on an object of one of these models. Where that is not known, it may.
    pub(crate) fn is_of_model(&self, at: InstanceId, span: Span, models: &[ClassId]) -> bool {
        let known = self.models.get(&(at, span));
        known.is_none_or(|known| known.iter().any(|model| models.contains(model)))
    }
}
