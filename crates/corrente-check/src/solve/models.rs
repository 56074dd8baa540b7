//! Models of databases: on which of them a call is made, so that what a database gives has the methods of its
//! class, and, of Django's, so that a plan knows which signals it sends.
//!
//! A library's objects are not told apart, so a value of its own goes along with what the library makes
//! of a model: its manager, its queries, its objects. Methods that the model has itself are found by it.

use super::arguments::{Given, Way};
use super::heap::ClassId;
use super::instance::InstanceId;
use super::machine::Machine;
use super::paths::Callee;
use super::values::{Data, Value, ValueSet};
use crate::facts::Span;
use crate::symbols::Symbol;

/// Fields that tie one model to another.
const RELATIONS: &[&str] = &[
    "django.db.models.ForeignKey",
    "django.db.models.ManyToManyField",
];

/// What a manager inherits from.
const QUERY: &str = "django.db.models.QuerySet";

/// What all models inherit from.
const BASE: &str = "django.db.models.Model";

/// What models of other libraries inherit from. What these give of a model are its objects.
const BASES: &[&str] = &[
    "beanie.Document",
    "flask_sqlalchemy.SQLAlchemy().Model",
    "mongoengine.Document",
    "peewee.Model",
    "sqlalchemy.ext.declarative.declarative_base()",
    "sqlalchemy.orm.DeclarativeBase",
    "sqlalchemy.orm.MappedAsDataclass",
    "sqlalchemy.orm.declarative_base()",
    "sqlmodel.SQLModel",
    "tortoise.models.Model",
];

/// Libraries whose functions are given the model that they are about: `select(Model)`, `session.get(Model, 1)`.
const TOLD: &[&str] = &["sqlalchemy.", "sqlmodel."];

/// An object of a model, as a library gives it.
const OBJECT: &str = "django.db.models.Model()";

/// What a library makes of models: of what it makes of these in turn, the model is the same.
const MADE: &[&str] = &[OBJECT, MANAGER];

/// A query, and what begins one.
const MANAGER: &str = "django.db.models.QuerySet()";

impl Machine<'_> {
    /// What goes along with an attribute that a class has from a library.
    pub(super) fn model(&mut self, class: ClassId) -> ValueSet {
        let bases = self.bases_in_libraries(class);
        let is_model = bases.iter().any(|base| {
            let base = self.symbols.text(*base);
            base == BASE || BASES.contains(&base)
        });
        if is_model {
            self.single(Data::Model(Some(class)))
        } else {
            ValueSet::default()
        }
    }

    /// Whether a manager is among these, which answers for the model that it stands in.
    pub(super) fn has_manager(&mut self, values: &ValueSet) -> bool {
        self.has_library(values, MANAGER)
            || values.iter().any(|value| {
                // A manager of the program's own.
                self.class_of(value).is_some_and(|class| {
                    let bases = self.bases_in_libraries(class);
                    bases.iter().any(|base| self.symbols.text(*base) == QUERY)
                })
            })
    }

    /// Notes the name under which the objects that a model is tied to find those of the model.
    pub(super) fn notes_relation(&mut self, key: &str, given: &[Given]) {
        if !RELATIONS.contains(&key) {
            return;
        }
        for argument in given {
            let Way::Keyword(name) = argument.way else {
                continue;
            };
            if self.symbols.text(name) != "related_name" {
                continue;
            }
            for value in argument.values.iter() {
                if let Data::Text(name) = self.values.data(value) {
                    self.heap.related.insert(name);
                }
            }
        }
    }

    /// The manager of what is tied to an object of a model of Django's: `author.books`, `author.book_set`.
    pub(super) fn related(&mut self, path: Symbol, name: Symbol) -> Option<ValueSet> {
        let is_object = self.symbols.text(path) == OBJECT;
        let is_tied =
            || self.heap.related.contains(&name) || self.symbols.text(name).ends_with("_set");
        if !is_object || !is_tied() {
            return None;
        }
        let manager = self.symbols.intern(MANAGER);
        Some(self.single(Data::Library(manager)))
    }

    fn has_library(&self, values: &ValueSet, wanted: &str) -> bool {
        values.iter().any(|value| match self.values.data(value) {
            Data::Library(path) => self.symbols.text(path) == wanted,
            _ => false,
        })
    }

    fn has_any_library(&self, values: &ValueSet) -> bool {
        let mut values = values.iter();
        values.any(|value| matches!(self.values.data(value), Data::Library(_)))
    }

    /// Whether a model is not one of Django's.
    fn is_of_another_library(&mut self, class: ClassId) -> bool {
        let bases = self.bases_in_libraries(class);
        let mut bases = bases.iter();
        bases.any(|base| BASES.contains(&self.symbols.text(*base)))
    }

    fn model_of(&self, value: Value) -> Option<ClassId> {
        match self.values.data(value) {
            Data::Model(class) => class,
            _ => None,
        }
    }

    /// Goes along with objects of models among these: nobody knows of which.
    pub(super) fn any_model_among(&mut self, values: &ValueSet) -> ValueSet {
        if self.catalogue.routing.is_empty() {
            return ValueSet::default();
        }
        if self.is_made(values) {
            self.single(Data::Model(None))
        } else {
            ValueSet::default()
        }
    }

    /// The same, if `from`, whose they are, is not itself made of a model.
    pub(super) fn any_model(&mut self, from: Symbol, values: &ValueSet) -> ValueSet {
        if self.catalogue.routing.is_empty() {
            return ValueSet::default();
        }
        if self.is_of_made(from) {
            return ValueSet::default();
        }
        self.any_model_among(values)
    }

    /// Whether something is among these that a library makes of models.
    fn is_made(&self, values: &ValueSet) -> bool {
        values.iter().any(|value| match self.values.data(value) {
            Data::Library(path) => MADE.contains(&self.symbols.text(path)),
            _ => false,
        })
    }

    fn is_of_made(&self, path: Symbol) -> bool {
        let text = self.symbols.text(path);
        MADE.iter().any(|made| text.starts_with(made))
    }

    /// What an attribute of an object is that a library gave, of a model of the program's: what the model's
    /// own code makes of it.
    pub(super) fn attribute_of_model(&mut self, objects: &ValueSet, name: Symbol) -> ValueSet {
        let mut found = ValueSet::default();
        let models = objects.iter().filter_map(|value| self.model_of(value));
        let models: Vec<ClassId> = models.collect();
        if models.is_empty() {
            return found;
        }
        let is_object = self.has_library(objects, OBJECT);
        for class in models {
            let is_other = self.is_of_another_library(class) && self.has_any_library(objects);
            if !is_object && !is_other {
                continue;
            }
            let receiver = self.values.intern(Data::Declared(class));
            for value in self.look_up(class, name).values.iter() {
                match self.values.data(value) {
                    Data::Function { .. }
                    | Data::Property { .. }
                    | Data::StaticMethod(_)
                    | Data::ClassMethod(_) => found.extend(&self.bind(value, receiver)),
                    // What it is tied to.
                    Data::Library(path) if self.symbols.text(path) == MANAGER => {
                        found.insert(value)
                    }
                    _ => false,
                };
            }
        }
        found
    }

    /// The models that a call gives objects of: those that it is given, as `get_object_or_404` is.
    pub(super) fn models_given(
        &mut self,
        path: Symbol,
        values: &ValueSet,
        given: &[Given],
    ) -> ValueSet {
        let any = self.any_model(path, values);
        let mut found = ValueSet::default();
        if self.is_made(values) && !self.is_of_made(path) {
            let first = given.first().map(|argument| argument.values.clone());
            for value in first.unwrap_or_default().iter() {
                match self.values.data(value) {
                    Data::Class(class) => found.extend(&self.model(class)),
                    Data::Model(_) => found.insert(value),
                    _ => false,
                };
            }
        }
        if TOLD
            .iter()
            .any(|library| self.symbols.text(path).starts_with(library))
        {
            for value in given.iter().flat_map(|argument| argument.values.iter()) {
                match self.values.data(value) {
                    Data::Class(class) if self.is_of_another_library(class) => {
                        found.extend(&self.model(class));
                    }
                    Data::Model(Some(_)) => {
                        found.insert(value);
                    }
                    _ => {}
                }
            }
        }
        if found.is_empty() { any } else { found }
    }

    /// Notes on which models the running call is made, if it is a blocking one. Something of a library's
    /// that is no such call may be one of any model.
    pub(super) fn note_models(&mut self, callee: &Callee) {
        if self.catalogue.routing.is_empty() || callee.rule.is_none() {
            return;
        }
        let callees = self.running_call().map(|call| self.slot(call.callee));
        let here = (self.current.instance, self.current.span);
        let callees = callees.unwrap_or_default();
        let mut found: Vec<Option<ClassId>> = Vec::new();
        for value in callees.iter() {
            if let Data::Model(class) = self.values.data(value) {
                found.push(class);
            }
        }
        let has_other = !found.is_empty() && self.has_other(&callees, &found);
        if has_other {
            found.push(None);
        }
        for class in found {
            let known = self.models.entry(here).or_default();
            if !known.contains(&class) {
                known.push(class);
            }
        }
    }

    /// Whether there is a call of a library's among these that is not known to block, and not one of
    /// these models' other bases either.
    fn has_other(&mut self, callees: &ValueSet, models: &[Option<ClassId>]) -> bool {
        let mut bases = Vec::new();
        for class in models.iter().flatten() {
            bases.extend(self.bases_in_libraries(*class).iter().copied());
        }
        callees.iter().any(|value| {
            let Data::Library(path) = self.values.data(value) else {
                return false;
            };
            let text = self.symbols.text(path).to_owned();
            let is_of_base = bases
                .iter()
                .any(|base| text.starts_with(self.symbols.text(*base)));
            !is_of_base && self.callee(path).rule.is_none()
        })
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
        known.is_none_or(|known| {
            let mut known = known.iter();
            known.any(|one| one.is_none_or(|model| models.contains(&model)))
        })
    }
}
