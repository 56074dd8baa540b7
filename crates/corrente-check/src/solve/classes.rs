//! Classes: their making, their order of resolution, and what an attribute of theirs is.
//!
//! A class is the running of its body; its attributes are that body's cells.

use super::heap::{ClassId, ClassInfo};
use super::machine::{InstanceId, Machine};
use super::values::{Data, Value, ValueSet};
use crate::facts::{BodyKind, Class, Slot};
use crate::symbols::Symbol;

/// Classes among the ancestors of one; real hierarchies stay far below.
const ANCESTORS_MAX: usize = 60;

/// Descendants of a class that are looked at.
const DESCENDANTS_MAX: usize = 300;

/// What a class has under a name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) values: ValueSet,
    /// The class that has it; none if only a library's class may.
    pub(super) class: Option<ClassId>,
}

impl Machine<'_> {
    pub(super) fn make_class(&mut self, class: &Class) {
        let body = self.program.sibling(self.current.function, class.body);
        let outer = self.current.instance;
        let root = self.heap.root();
        let instance = self.instance(body, Some(outer), root);
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
        self.add_one(class.to, Data::Class(id));
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
        let info = ClassInfo {
            body,
            instance,
            owner,
            declared: self.heap.new_owner(),
            objects: self.heap.new_owner(),
            bases: vec![ValueSet::default(); bases],
            subclasses: Vec::new(),
            shape: self.heap.new_cell(),
        };
        self.heap.classes.push(info);
        id
    }

    fn adopt(&mut self, id: ClassId, bases: &ValueSet) {
        let shape = self.heap.classes[id.0 as usize].shape;
        self.heap.touch(shape);
        for base in bases.iter() {
            if let Data::Class(base) = self.values.data(base) {
                let info = &mut self.heap.classes[base.0 as usize];
                if !info.subclasses.contains(&id) && base != id {
                    info.subclasses.push(id);
                }
                for ancestor in self.ancestors(base) {
                    let shape = self.heap.classes[ancestor.0 as usize].shape;
                    self.heap.touch(shape);
                }
            }
        }
    }

    /// A class and its ancestors, in the order in which attributes are looked up.
    pub(super) fn ancestors(&mut self, class: ClassId) -> Vec<ClassId> {
        let mut guard = Vec::new();
        self.linearize(class, &mut guard)
    }

    fn linearize(&mut self, class: ClassId, guard: &mut Vec<ClassId>) -> Vec<ClassId> {
        let shape = self.heap.classes[class.0 as usize].shape;
        self.read_cell(shape);
        if guard.contains(&class) || guard.len() >= ANCESTORS_MAX {
            return Vec::new();
        }
        guard.push(class);
        let bases = self.bases(class);
        let mut lists: Vec<Vec<ClassId>> = bases
            .iter()
            .map(|base| self.linearize(*base, guard))
            .collect();
        guard.pop();
        lists.push(bases);
        let mut order = vec![class];
        order.extend(merge(lists));
        order.truncate(ANCESTORS_MAX);
        order
    }

    fn bases(&self, class: ClassId) -> Vec<ClassId> {
        let mut bases = Vec::new();
        for set in &self.heap.classes[class.0 as usize].bases {
            for value in set.iter() {
                if let Data::Class(base) = self.values.data(value)
                    && !bases.contains(&base)
                {
                    bases.push(base);
                }
            }
        }
        bases
    }

    /// The library's classes that a class inherits from.
    pub(super) fn bases_in_libraries(&mut self, class: ClassId) -> Vec<Symbol> {
        let mut found = Vec::new();
        for ancestor in self.ancestors(class) {
            for set in &self.heap.classes[ancestor.0 as usize].bases {
                for value in set.iter() {
                    if let Data::Library(path) = self.values.data(value)
                        && !found.contains(&path)
                    {
                        found.push(path);
                    }
                }
            }
        }
        found
    }

    /// A class and all that inherit from it.
    pub(super) fn descendants(&mut self, class: ClassId) -> Vec<ClassId> {
        let mut found = vec![class];
        let mut next = 0;
        while next < found.len() && found.len() < DESCENDANTS_MAX {
            let shape = self.heap.classes[found[next].0 as usize].shape;
            self.read_cell(shape);
            for inner in self.heap.classes[found[next].0 as usize].subclasses.clone() {
                if !found.contains(&inner) {
                    found.push(inner);
                }
            }
            next += 1;
        }
        found
    }

    /// Whether a class body binds a name.
    pub(super) fn binds(&self, class: ClassId, name: Symbol) -> bool {
        let body = self.heap.classes[class.0 as usize].body;
        let facts = self.program.function(body);
        facts
            .cells
            .iter()
            .any(|cell| self.program.symbol(body, *cell) == name)
    }

    /// What a class has under a name, itself or by inheritance.
    pub(super) fn look_up(&mut self, class: ClassId, name: Symbol) -> Found {
        let order = self.ancestors(class);
        self.look_up_in(&order, name)
    }

    pub(super) fn look_up_in(&mut self, order: &[ClassId], name: Symbol) -> Found {
        let mut found = Found::default();
        let assigned = self.program.assigned.contains(&name);
        for class in order {
            let owner = self.heap.classes[class.0 as usize].owner;
            if self.binds(*class, name) {
                let values = self.read_named(owner, name);
                found.values.extend(&values);
                found.class = Some(*class);
                return found;
            }
            if assigned {
                let values = self.read_named(owner, name);
                found.values.extend(&values);
            }
        }
        found
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

    /// Whether a callable is a coroutine function, where that is known.
    pub(super) fn is_coroutine_function(&self, value: Value) -> Option<bool> {
        match self.values.data(value) {
            Data::Function { function, .. } => {
                let kind = self.program.function(function).kind;
                Some(matches!(
                    kind,
                    BodyKind::Coroutine | BodyKind::AsyncGenerator
                ))
            }
            Data::Bound { callee, .. } => self.is_coroutine_function(callee),
            Data::Class(_) => Some(false),
            Data::Library(path) => {
                let key = self.key(path);
                self.catalogue
                    .blocking(self.symbols.text(key))
                    .map(|_| false)
            }
            _ => None,
        }
    }
}

/// C3, as Python merges; where there is no consistent order, first come first served.
fn merge(mut lists: Vec<Vec<ClassId>>) -> Vec<ClassId> {
    let mut order = Vec::new();
    loop {
        lists.retain(|list| !list.is_empty());
        if lists.is_empty() {
            return order;
        }
        let in_tail = |class: &ClassId| lists.iter().any(|list| list[1..].contains(class));
        let good = lists
            .iter()
            .map(|list| list[0])
            .find(|class| !in_tail(class));
        let next = good.unwrap_or(lists[0][0]);
        for list in &mut lists {
            list.retain(|class| *class != next);
        }
        order.push(next);
    }
}
