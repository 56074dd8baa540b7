//! Enumerations: members, what they stand for, and the asking for one by its value.
//!
//! Members are not told apart: each is some object of the class.

use super::arguments::Given;
use super::heap::ClassId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::Mode;
use crate::symbols::Symbol;

/// Members whose values are followed.
const MEMBERS_MAX: usize = 64;

impl Machine<'_> {
    /// Whether a class is an enumeration: its attributes are objects of it. For whoever looks something up besides.
    pub(super) fn is_enumeration(&mut self, class: ClassId) -> bool {
        let bases = self.libraries_of(class);
        bases.iter().any(|base| {
            let path = self.symbols.text(*base);
            matches!(
                path.strip_prefix("enum."),
                Some("Enum" | "IntEnum" | "StrEnum" | "Flag" | "IntFlag")
            )
        })
    }

    /// Whether an attribute is a member of an enumeration.
    pub(super) fn is_member(&mut self, class: ClassId, name: Symbol, values: &ValueSet) -> bool {
        let mut values = values.iter();
        let plain = values.all(|value| {
            matches!(
                self.values.data(value),
                Data::Number(_)
                    | Data::Text(_)
                    | Data::Library(_)
                    | Data::Collection(_)
                    | Data::Partial(_)
                    | Data::Bare(_)
            )
        });
        plain && !self.symbols.text(name).starts_with('_') && self.is_enumeration(class)
    }

    /// What the members of an enumeration stand for.
    pub(super) fn member_values(&mut self, class: ClassId) -> ValueSet {
        let mut found = ValueSet::default();
        for ancestor in self.ancestors(class).iter() {
            let info = &self.heap.classes[ancestor.0 as usize];
            let owner = info.owner;
            let public = |name: &&Symbol| !self.symbols.text(**name).starts_with('_');
            let mut names: Vec<Symbol> = info.known.names.iter().filter(public).copied().collect();
            names.sort_unstable();
            for name in names.into_iter().take(MEMBERS_MAX) {
                for value in self.read_named(owner, name).iter() {
                    match self.values.data(value) {
                        Data::Function { .. }
                        | Data::ClassMethod(_)
                        | Data::ManagerMaker(_)
                        | Data::Property { .. }
                        | Data::StaticMethod(_)
                        // Of several numbers nobody knows which.
                        | Data::Number(_) => {}
                        Data::Bare(inner) => {
                            found.insert(inner);
                        }
                        _ => {
                            found.insert(value);
                        }
                    }
                }
            }
        }
        found
    }

    /// `Enumeration(value)`: a member, or what `_missing_` says.
    pub(super) fn member_asked_for(
        &mut self,
        class: Value,
        id: ClassId,
        given: &[Given],
    ) -> ValueSet {
        let mut members = self.single(Data::Declared(id));
        let hook = self.symbols.intern("_missing_");
        for value in self.look_up(id, hook).values.iter() {
            if let Data::ClassMethod(callee) = self.values.data(value) {
                let receiver = class;
                let bound = self.values.intern(Data::Bound { callee, receiver });
                members.extend(&self.invoke(bound, given, Mode::Plain));
            }
        }
        members
    }
}
