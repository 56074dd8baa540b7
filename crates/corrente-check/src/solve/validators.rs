//! Functions that the making of an object calls: validators of pydantic's models, converters and validators
//! of attrs' fields; and what makes objects of such models beside calling the class.
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

/// What makes an object of a model of pydantic's out of data.
pub(super) const MAKERS: &[&str] = &[
    "from_orm",
    "model_validate",
    "model_validate_json",
    "model_validate_strings",
    "parse_file",
    "parse_obj",
    "parse_raw",
];

/// What gives an object like the one that it is asked of.
pub(super) const COPIERS: &[&str] = &["copy", "model_copy"];

/// The libraries whose models these are.
const CHECKED: &[&str] = &["pydantic.", "pydantic_settings.", "sqlmodel."];

impl Machine<'_> {
    /// Whether a class is a model of pydantic's.
    pub(super) fn is_checked(&mut self, class: ClassId) -> bool {
        let bases = self.bases_in_libraries(class);
        let mut bases = bases.iter().map(|base| self.symbols.text(*base));
        bases.any(|base| CHECKED.iter().any(|library| base.starts_with(library)))
    }

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
