//! Classes: their making, their order of resolution, and what an attribute of theirs is.
//!
//! A class is the running of its body; its attributes are that body's cells.

use rustc_hash::FxHashSet;

use super::arguments::{Given, Way};
use super::flags::SetId;
use super::heap::{ClassId, ClassInfo};
use super::instance::InstanceId;
use super::lineage::Known;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::{Action, BodyKind, Class, Kinds, Mode, Slot};
use crate::finding::Certainty;
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// No operation's site: some object of a class is made here.
const ANYWHERE: u64 = u64::MAX;

/// What a class has under a name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) values: ValueSet,
    /// The class that has it; none if only a library's class may.
    pub(super) class: Option<ClassId>,
}

/// Partials and bound methods inside one another that are looked through; they may go round.
const WRAPPED_MAX: usize = 8;

impl Machine<'_> {
    pub(super) fn make_class(&mut self, class: &Class) {
        let body = self.program.sibling(self.current.function, class.body);
        let outer = self.current.instance;
        let root = self.heap.root();
        let instance = self.instance(body, Some(outer), (root, SetId::default()));
        let id = match self.class_of_body(instance) {
            Some(known) => known,
            None => self.new_class(instance, class.bases.len()),
        };
        for (position, slot) in class.bases.iter().enumerate() {
            let bases = self.slot(*slot);
            if self.heap.classes[id.0 as usize].bases[position].extend(&bases) {
                self.adopt(id, &bases);
            }
        }
        let keywords = self.class_keywords(id, class);
        self.tell_parents(id, &keywords);
        self.tell_metaclass(id);
        if self.kind_of(outer) != BodyKind::Module || self.is_late(self.current.function) {
            self.edge(instance, Certainty::Certain);
        }
        self.add_one(class.to, Data::Class(id));
    }

    /// What is given by name beside the bases; a metaclass is noted.
    fn class_keywords(&mut self, id: ClassId, class: &Class) -> Vec<Given> {
        let mut given = Vec::new();
        for (name, slot) in &class.keywords {
            let name = self.symbol(*name);
            let values = self.slot(*slot);
            if self.symbols.text(name) == "metaclass" {
                self.note_metaclass(id, &values);
            } else {
                let way = Way::Keyword(name);
                given.push(Given { way, values });
            }
        }
        given
    }

    /// A class that is made calls `__init_subclass__` of its ancestors.
    fn tell_parents(&mut self, id: ClassId, given: &[Given]) {
        let hook = self.symbols.intern("__init_subclass__");
        let ancestors = self.ancestors(id);
        let Some((_, parents)) = ancestors.split_first() else {
            return;
        };
        let receiver = self.values.intern(Data::Class(id));
        for value in self.look_up_in(parents, hook).values.iter() {
            let callee = match self.values.data(value) {
                Data::ClassMethod(inner) => inner,
                _ => value,
            };
            let bound = self.values.intern(Data::Bound { callee, receiver });
            self.invoke(bound, given, Mode::Plain);
        }
    }

    fn class_of_body(&self, instance: InstanceId) -> Option<ClassId> {
        let class = self.instances[instance.0 as usize].class?;
        (self.heap.classes[class.0 as usize].instance == instance).then_some(class)
    }

    fn new_class(&mut self, instance: InstanceId, bases: usize) -> ClassId {
        let id = ClassId(self.heap.classes.len() as u32);
        let (body, owner) = {
            let body = &mut self.instances[instance.0 as usize];
            body.class = Some(id);
            (body.function, body.owner)
        };
        let facts = self.program.function(body);
        let names = facts.cells.iter();
        let names = names.map(|name| self.program.symbol(body, *name)).collect();
        let names: FxHashSet<Symbol> = names;
        self.heap.has_askers |= names.contains(&self.symbols.intern("__getattribute__"));
        let some = self.heap.object(id, ANYWHERE, instance);
        self.heap.objects[some.0 as usize].depth = u32::MAX;
        let info = ClassInfo {
            body,
            some,
            singles: Vec::new(),
            objects: self.heap.new_owner(),
            instance,
            owner,
            replacements: self.heap.new_owner(),
            declared: self.heap.new_owner(),
            seen: self.heap.new_owner(),
            is_made: false,
            bases: vec![ValueSet::default(); bases],
            subclasses: Vec::new(),
            metaclass: None,
            shape: self.heap.cells.add(),
            kin: self.heap.cells.add(),
            known: Known::of(names, self.methods_in(body), self.settled_in(body)),
        };
        self.heap.classes.push(info);
        id
    }

    /// What the `__init__` of a class body settles.
    fn settled_in(&self, body: FunctionId) -> FxHashSet<Symbol> {
        let names = self.functions_in(body).flat_map(|function| {
            let settled = self.program.function(function).settled.iter();
            settled.map(move |name| self.program.symbol(function, *name))
        });
        names.collect()
    }

    /// The methods that a class body defines, without the special ones.
    fn methods_in(&self, body: FunctionId) -> FxHashSet<Symbol> {
        let names = self.functions_in(body).map(|function| {
            let name = self.program.function(function).name;
            self.program.symbol(function, name)
        });
        names
            .filter(|name| !self.symbols.text(*name).starts_with("__"))
            .collect()
    }

    fn functions_in(&self, body: FunctionId) -> impl Iterator<Item = FunctionId> {
        let operations = self.program.function(body).operations.iter();
        operations.filter_map(move |operation| match operation.action {
            Action::Function { function, .. } => Some(self.program.sibling(body, function)),
            _ => None,
        })
    }

    /// Whether a class body binds a name.
    pub(super) fn binds(&self, class: ClassId, name: Symbol) -> bool {
        self.heap.classes[class.0 as usize]
            .known
            .names
            .contains(&name)
    }

    /// What a class has under a name, itself or by inheritance.
    pub(super) fn look_up(&mut self, class: ClassId, name: Symbol) -> Found {
        let place = self.place_of(class, name);
        Found {
            values: self.read_cell(place.cell),
            class: place.class,
        }
    }

    /// What the first of these classes that has it has under a name.
    pub(super) fn look_up_in(&mut self, order: &[ClassId], name: Symbol) -> Found {
        let (cells, class) = self.search(order, name);
        let mut values = ValueSet::default();
        for cell in cells {
            let found = self.read_cell(cell);
            values.extend(&found);
        }
        Found { values, class }
    }

    /// The classes in a slot, those in collections of classes too.
    pub(super) fn classes_in(&mut self, slot: Slot) -> Vec<Value> {
        let mut found = Vec::new();
        for value in self.slot(slot).iter() {
            match self.values.data(value) {
                Data::Collection(owner) => {
                    let inner = self.everything_in(owner);
                    found.extend(inner.iter());
                }
                _ => found.push(value),
            }
        }
        found
    }

    /// Some instance of what a class value stands for.
    pub(super) fn instance_of(&mut self, class: Value) -> Option<Value> {
        match self.values.data(class) {
            Data::Class(id) => Some(self.values.intern(Data::Declared(id))),
            Data::Library(path) => {
                let text = self.symbols.text(path);
                let plain = text.starts_with("builtins.") || text.starts_with("typing.");
                if plain || text.ends_with("()") {
                    return None;
                }
                let path = self.result_path(path);
                path.map(|path| self.values.intern(Data::Library(path)))
            }
            _ => None,
        }
    }

    pub(super) fn class_of(&self, value: Value) -> Option<ClassId> {
        match self.values.data(value) {
            Data::Object(object) => Some(self.heap.objects[object.0 as usize].class),
            Data::Declared(class) | Data::Override(class) => Some(class),
            _ => None,
        }
    }

    /// Whether a value may be an instance of one of these classes.
    pub(super) fn may_be(&mut self, value: Value, classes: &[Value]) -> bool {
        let Some(class) = self.class_of(value) else {
            return !self.is_other_library(value, classes);
        };
        let declared = matches!(self.values.data(value), Data::Declared(_));
        classes
            .iter()
            .any(|wanted| match self.values.data(*wanted) {
                Data::Class(wanted) => {
                    self.ancestors(class).contains(&wanted)
                        || declared && self.ancestors(wanted).contains(&class)
                }
                Data::Library(path) => self.bases_in_libraries(class).contains(&path),
                _ => true,
            })
    }

    /// A library's object of another class, as far as its path says.
    fn is_other_library(&self, value: Value, classes: &[Value]) -> bool {
        let Data::Library(path) = self.values.data(value) else {
            return false;
        };
        let Some(class) = self.symbols.text(path).strip_suffix("()") else {
            return false;
        };
        let is_class = class
            .rsplit('.')
            .next()
            .is_some_and(|last| last.starts_with(|first: char| first.is_ascii_uppercase()));
        is_class
            && classes
                .iter()
                .all(|wanted| match self.values.data(*wanted) {
                    Data::Library(wanted) => self.symbols.text(wanted) != class,
                    Data::Class(_) => true,
                    _ => false,
                })
    }

    /// Whether a value is an instance of one of these classes for sure.
    pub(super) fn must_be(&mut self, value: Value, classes: &[Value]) -> bool {
        let Some(class) = self.class_of(value) else {
            return false;
        };
        let ancestors = self.ancestors(class);
        classes.iter().any(|wanted| {
            matches!(self.values.data(*wanted), Data::Class(wanted) if ancestors.contains(&wanted))
        })
    }

    /// Which kind of function a callable is, where that is known; `partial` is asked what it calls.
    pub(super) fn kind_of_function(&mut self, value: Value) -> Option<Kinds> {
        let mut asked = value;
        for _ in 0..WRAPPED_MAX {
            asked = match self.values.data(asked) {
                Data::Function { function, .. } => {
                    return Some(Kinds::of(self.program.function(function).kind));
                }
                Data::Class(_) => return Some(Kinds::PLAIN),
                Data::Library(path) => return self.callee(path).rule.map(|_| Kinds::PLAIN),
                Data::Bound { callee, .. } => callee,
                Data::Partial(_) if self.is_handed_off(asked) => return Some(Kinds::COROUTINE),
                Data::Partial(_) if self.runs_inside(asked) => return None,
                Data::Partial(number) => self.partials[number as usize].callee,
                _ => return None,
            };
        }
        None
    }
}
