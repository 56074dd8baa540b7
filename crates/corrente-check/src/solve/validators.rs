//! Functions that the making of an object calls: validators of pydantic's models, converters and validators
//! of attrs' fields.
//!
//! The class's body registers them while it runs; whoever makes an object of the class, or of one that
//! inherits from it, calls them. What they are given is not followed: it is data.

use super::arguments::{Given, Way};
use super::heap::{ClassId, OwnedBy};
use super::machine::Machine;
use super::values::{Value, ValueSet};
use crate::facts::{BodyKind, Key, Mode};

/// What decorates a validator.
const DECORATORS: &[&str] = &[
    "pydantic.field_validator.__call__",
    "pydantic.model_validator.__call__",
    "pydantic.root_validator",
    "pydantic.root_validator.__call__",
    "pydantic.validator.__call__",
];

/// What makes a field of attrs'.
const FIELDS: &[&str] = &["attr.field", "attr.ib", "attrs.field"];

impl Machine<'_> {
    /// Notes what a call in a class's body registers.
    pub(super) fn takes_validators(&mut self, key: &str, given: &[Given]) {
        if self.kind_of(self.current.instance) != BodyKind::Class {
            return;
        }
        if DECORATORS.contains(&key) {
            let functions = given.first().map(|given| given.values.clone());
            self.register_validators(&functions.unwrap_or_default());
        }
        if FIELDS.contains(&key) {
            for argument in given {
                if let Way::Keyword(name) = argument.way
                    && matches!(self.symbols.text(name), "converter" | "validator")
                {
                    self.register_validators(&argument.values);
                }
            }
        }
    }

    fn register_validators(&mut self, functions: &ValueSet) {
        let owner = self
            .heap
            .owner_of(OwnedBy::Validators(self.current.instance));
        self.put(owner, Key::Any, functions);
    }

    /// Calls what the making of an object of a class calls.
    pub(super) fn run_validators(&mut self, object: Value, class: ClassId) {
        for ancestor in self.ancestors(class).iter() {
            let body = self.heap.classes[ancestor.0 as usize].instance;
            let known = self.heap.owned.get(&OwnedBy::Validators(body)).copied();
            let Some(owner) = known else { continue };
            for validator in self.everything_in(owner).iter() {
                for bound in self.bind(validator, object).iter() {
                    self.invoke(bound, &[], Mode::Plain);
                }
            }
        }
    }
}
