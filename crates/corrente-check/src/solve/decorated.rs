//! Context managers as decorators: `ContextDecorator`, and what `@contextmanager` gives.
//!
//! What they decorate runs inside of `with`, whenever it is called.

use super::arguments::{Given, argument};
use super::heap::ClassId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{BodyKind, Mode};

/// What a function that a context manager decorates is called through.
pub(super) const INSIDE: &str = "contextlib.ContextDecorator.__call__";

/// The same, where it is awaited.
pub(super) const INSIDE_AWAITED: &str = "contextlib.AsyncContextDecorator.__call__";

impl Machine<'_> {
    /// What a context manager makes of a function.
    pub(super) fn inside(&mut self, manager: Value, given: &[Given]) -> ValueSet {
        let awaited = match self.values.data(manager) {
            Data::Manager(body) => self.kind_of(body) == BodyKind::AsyncGenerator,
            _ => self.decorates(manager, "contextlib.AsyncContextDecorator"),
        };
        let through = if awaited { INSIDE_AWAITED } else { INSIDE };
        let through = self.symbols.intern(through);
        let through = self.single(Data::Library(through));
        let mut all = vec![
            Given::positional(through),
            Given::positional(ValueSet::one(manager)),
        ];
        all.extend_from_slice(given);
        self.partial(&all, Data::Partial)
    }

    /// Whether an object's class makes context managers that decorate.
    pub(super) fn is_decorating(&mut self, value: Value) -> bool {
        self.decorates(value, "contextlib.ContextDecorator")
            || self.decorates(value, "contextlib.AsyncContextDecorator")
    }

    fn decorates(&mut self, value: Value, base: &str) -> bool {
        let class: Option<ClassId> = self.class_of(value);
        let bases = class.map(|class| self.bases_in_libraries(class));
        let mut bases = bases.iter().flat_map(|bases| bases.iter());
        bases.any(|own| self.symbols.text(*own) == base)
    }

    /// The call of such a function: the manager comes first, then the function, then arguments.
    pub(super) fn run_inside(&mut self, given: &[Given], mode: Mode) -> ValueSet {
        for manager in argument(given, 0).iter() {
            self.enter(manager, mode);
        }
        let rest = given.get(2..).unwrap_or_default();
        self.run_callable(&argument(given, 1), rest)
    }

    /// Whether a value is a function that runs inside of a context manager.
    pub(super) fn runs_inside(&self, value: Value) -> bool {
        let Data::Partial(number) = self.values.data(value) else {
            return false;
        };
        match self.values.data(self.partials[number as usize].callee) {
            Data::Library(path) => [INSIDE, INSIDE_AWAITED].contains(&self.symbols.text(path)),
            _ => false,
        }
    }
}
