//! Who inherits from whom, and what follows from it: orders of resolution, kin, places to look.
//!
//! All of it is worked out once and forgotten when a base or a subclass becomes known; two cells of
//! each class wake whoever relied on it.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::cells::CellId;
use super::heap::{ClassId, Owner};
use super::machine::Machine;
use super::protocols::INTERFACES;
use super::values::{Data, ValueSet};
use crate::symbols::Symbol;

/// Classes among the ancestors of one; real hierarchies stay far below.
const ANCESTORS_MAX: usize = 60;

/// Descendants of a class that are looked at.
const DESCENDANTS_MAX: usize = 300;

/// Overriding methods of a class's kin that are followed: as many as a set of values takes.
const OVERRIDES_MAX: usize = 64;

/// What was worked out about a class.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The names that its body binds.
    pub(super) names: FxHashSet<Symbol>,
    /// The methods that its body defines, without the special ones.
    pub(super) methods: FxHashSet<Symbol>,
    /// What its objects have in any case: see `FunctionFacts::settled`.
    pub(super) settled: FxHashSet<Symbol>,
    /// The names that its module gives something else.
    pub(super) replaced: FxHashSet<Symbol>,
    order: Option<Rc<[ClassId]>>,
    libraries: Option<Rc<[Symbol]>>,
    look_ups: FxHashMap<Symbol, LookUp>,
    declared: FxHashMap<Symbol, CellId>,
    kin: Option<Rc<[ClassId]>>,
    overrides: FxHashMap<Symbol, Rc<[ClassId]>>,
    /// Those of the overrides that objects made in sight have.
    used: FxHashMap<Symbol, Rc<[ClassId]>>,
}

impl Known {
    /// Of a class whose body binds these names and defines these methods, and whose `__init__` settles those.
    pub(super) fn of(
        names: FxHashSet<Symbol>,
        methods: FxHashSet<Symbol>,
        settled: FxHashSet<Symbol>,
    ) -> Self {
        Self {
            names,
            methods,
            settled,
            ..Self::default()
        }
    }
}

/// Where a class has a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookUp {
    /// What it has there; whoever reads it is woken when it may be found elsewhere, too.
    pub(super) cell: CellId,
    /// The class that has it; none if only a library's class may.
    pub(super) class: Option<ClassId>,
}

impl Machine<'_> {
    /// Notes bases of a class.
    pub(super) fn adopt(&mut self, id: ClassId, bases: &ValueSet) {
        for base in bases.iter() {
            if let Data::Class(base) = self.values.data(base) {
                let info = &mut self.heap.classes[base.0 as usize];
                if !info.subclasses.contains(&id) && base != id {
                    info.subclasses.push(id);
                }
            }
        }
        self.heap.carriers += 1;
        self.forget_orders(id);
        for outer in self.order_of(id).iter() {
            let info = &mut self.heap.classes[outer.0 as usize];
            info.known.kin = None;
            info.known.overrides.clear();
            info.known.used.clear();
            let kin = info.kin;
            self.heap.cells.touch(kin);
        }
    }

    /// What was worked out for a class and those that inherit from it holds no more.
    pub(super) fn forget_orders(&mut self, id: ClassId) {
        for inner in self.kin_of(id).iter() {
            let info = &mut self.heap.classes[inner.0 as usize];
            info.known.order = None;
            info.known.libraries = None;
            info.known.declared.clear();
            let shape = info.shape;
            let mut found: Vec<(Symbol, LookUp)> = info.known.look_ups.drain().collect();
            found.sort_unstable_by_key(|(name, _)| *name);
            self.heap.cells.touch(shape);
            for (_, look_up) in found {
                self.heap.cells.touch(look_up.cell);
            }
        }
    }

    /// A class has a name that nothing in its body binds: `setattr(Class, "name", …)`.
    pub(super) fn binds_newly(&mut self, class: ClassId, name: Symbol) {
        let known = &mut self.heap.classes[class.0 as usize].known;
        if known.names.insert(name) {
            self.forget_name(class, name);
        }
    }

    /// What a class's body binds is no more what the class has: `Class.name = …`, where the class was made.
    pub(super) fn replaces(&mut self, class: ClassId, name: Symbol) {
        let known = &mut self.heap.classes[class.0 as usize].known;
        if known.replaced.insert(name) {
            self.forget_name(class, name);
        }
    }

    /// What was worked out about a name of a class and those that inherit from it holds no more.
    fn forget_name(&mut self, class: ClassId, name: Symbol) {
        for inner in self.kin_of(class).iter() {
            let info = &mut self.heap.classes[inner.0 as usize];
            let (shape, found) = (info.shape, info.known.look_ups.remove(&name));
            self.heap.cells.touch(shape);
            if let Some(found) = found {
                self.heap.cells.touch(found.cell);
            }
        }
        for outer in self.order_of(class).iter() {
            let info = &mut self.heap.classes[outer.0 as usize];
            info.known.overrides.remove(&name);
            info.known.used.remove(&name);
            let kin = info.kin;
            self.heap.cells.touch(kin);
        }
    }

    /// The owner of the cell with what a class itself has under a name.
    pub(super) fn holder(&self, class: ClassId, name: Symbol) -> Owner {
        let info = &self.heap.classes[class.0 as usize];
        if info.known.replaced.contains(&name) {
            info.replacements
        } else {
            info.owner
        }
    }

    /// A class and its ancestors, in the order in which attributes are looked up.
    pub(super) fn ancestors(&mut self, class: ClassId) -> Rc<[ClassId]> {
        let shape = self.heap.classes[class.0 as usize].shape;
        self.read_cell(shape);
        self.order_of(class)
    }

    /// The same, for whoever reads what a look-up found besides.
    pub(super) fn order_of(&mut self, class: ClassId) -> Rc<[ClassId]> {
        if let Some(order) = &self.heap.classes[class.0 as usize].known.order {
            return Rc::clone(order);
        }
        let mut path = Vec::new();
        let order: Rc<[ClassId]> = self.linearize(class, &mut path).into();
        self.heap.classes[class.0 as usize].known.order = Some(Rc::clone(&order));
        order
    }

    fn linearize(&self, class: ClassId, path: &mut Vec<ClassId>) -> Vec<ClassId> {
        if let Some(order) = &self.heap.classes[class.0 as usize].known.order {
            return order.to_vec();
        }
        if path.contains(&class) || path.len() >= ANCESTORS_MAX {
            return Vec::new();
        }
        path.push(class);
        let bases = self.bases(class);
        let mut lists: Vec<Vec<ClassId>> = bases
            .iter()
            .map(|base| self.linearize(*base, path))
            .collect();
        path.pop();
        lists.push(bases);
        let mut order = vec![class];
        order.extend(merge(lists));
        order.truncate(ANCESTORS_MAX);
        order
    }

    /// Methods of objects whose names begin so: it may be any of them.
    pub(super) fn attributes_beginning(&mut self, base: &ValueSet, text: Symbol) -> ValueSet {
        let mut values = ValueSet::default();
        for value in base.iter() {
            let Some(class) = self.class_of(value) else {
                continue;
            };
            let receiver = self.values.intern(Data::Override(class));
            for name in self.names_beginning(class, text) {
                values.extend(&self.attribute_of(receiver, name));
                for method in self.look_up(class, name).values.iter() {
                    values.extend(&self.bind(method, receiver));
                }
            }
        }
        values
    }

    fn names_beginning(&mut self, class: ClassId, text: Symbol) -> Vec<Symbol> {
        let kin = self.heap.classes[class.0 as usize].kin;
        self.read_cell(kin);
        let mut classes = self.ancestors(class).to_vec();
        classes.extend(self.kin_of(class).iter());
        let beginning = self.symbols.text(text);
        let known = classes
            .iter()
            .flat_map(|class| &self.heap.classes[class.0 as usize].known.names);
        let mut names: Vec<Symbol> = known
            .filter(|name| self.symbols.text(**name).starts_with(beginning))
            .copied()
            .collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(OVERRIDES_MAX);
        names
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
    pub(super) fn bases_in_libraries(&mut self, class: ClassId) -> Rc<[Symbol]> {
        self.ancestors(class);
        self.libraries_of(class)
    }

    /// The same, for whoever looks something up in the class besides.
    pub(super) fn libraries_of(&mut self, class: ClassId) -> Rc<[Symbol]> {
        let order = self.order_of(class);
        if let Some(known) = &self.heap.classes[class.0 as usize].known.libraries {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        for ancestor in order.iter() {
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
        let found: Rc<[Symbol]> = found.into();
        self.heap.classes[class.0 as usize].known.libraries = Some(Rc::clone(&found));
        found
    }

    /// A class and all that inherit from it.
    fn kin_of(&mut self, class: ClassId) -> Rc<[ClassId]> {
        if let Some(kin) = &self.heap.classes[class.0 as usize].known.kin {
            return Rc::clone(kin);
        }
        let mut found = vec![class];
        let mut seen: FxHashSet<ClassId> = std::iter::once(class).collect();
        let mut next = 0;
        while next < found.len() && found.len() < DESCENDANTS_MAX {
            let inner = &self.heap.classes[found[next].0 as usize].subclasses;
            found.extend(inner.iter().filter(|inner| seen.insert(**inner)));
            next += 1;
        }
        let kin: Rc<[ClassId]> = found.into();
        self.heap.classes[class.0 as usize].known.kin = Some(Rc::clone(&kin));
        kin
    }

    /// The classes that inherit from a class and bind a name of their own.
    pub(super) fn overrides(&mut self, class: ClassId, name: Symbol) -> Rc<[ClassId]> {
        let cell = self.heap.classes[class.0 as usize].kin;
        self.read_cell(cell);
        if let Some(known) = self.heap.classes[class.0 as usize]
            .known
            .overrides
            .get(&name)
        {
            return Rc::clone(known);
        }
        let kin = self.kin_of(class);
        let found: Rc<[ClassId]> = kin
            .iter()
            .skip(1)
            .filter(|inner| self.binds(**inner, name))
            .take(OVERRIDES_MAX)
            .copied()
            .collect();
        if kin.len() >= DESCENDANTS_MAX || found.len() == OVERRIDES_MAX {
            self.cut.insert((class, name));
        }
        let known = &mut self.heap.classes[class.0 as usize].known;
        known.overrides.insert(name, Rc::clone(&found));
        found
    }

    /// Somebody makes an object of a class.
    pub(super) fn note_made(&mut self, class: ClassId) {
        let info = &mut self.heap.classes[class.0 as usize];
        if std::mem::replace(&mut info.is_made, true) {
            return;
        }
        for outer in self.order_of(class).iter() {
            let info = &mut self.heap.classes[outer.0 as usize];
            info.known.used.clear();
            let kin = info.kin;
            self.heap.cells.touch(kin);
        }
    }

    /// Which of a class's overrides an object that is only declared may have: where objects of some of its kin are
    /// made in sight, those of the others are nobody's. A library may make what inherits from it.
    pub(super) fn overrides_in_use(&mut self, class: ClassId, name: Symbol) -> Rc<[ClassId]> {
        let all = self.overrides(class, name);
        if all.is_empty() {
            return all;
        }
        let known = &self.heap.classes[class.0 as usize].known;
        if let Some(known) = known.used.get(&name) {
            return Rc::clone(known);
        }
        let used = all.iter().copied().filter(|one| self.is_in_use(*one));
        let used: Rc<[ClassId]> = used.collect();
        let is_decided = !used.is_empty() || !self.generous || self.is_in_use(class);
        let used = if is_decided { used } else { all };
        let known = &mut self.heap.classes[class.0 as usize].known;
        known.used.insert(name, Rc::clone(&used));
        used
    }

    /// Overrides that were left out so far, for want of a maker, may be those of objects that nobody makes.
    pub(super) fn reconsider_overrides(&mut self) {
        for number in 0..self.heap.classes.len() as u32 {
            let class = ClassId(number);
            let known = &self.heap.classes[number as usize].known;
            let was_empty = known.used.values().any(|used| used.is_empty());
            if was_empty && !self.is_in_use(class) {
                let info = &mut self.heap.classes[number as usize];
                info.known.used.clear();
                let kin = info.kin;
                self.heap.cells.touch(kin);
            }
        }
    }

    /// Whether objects of a class, or of one that inherits from it, are made in sight or by a library.
    fn is_in_use(&mut self, class: ClassId) -> bool {
        let kin = self.kin_of(class);
        kin.iter()
            .any(|one| self.heap.classes[one.0 as usize].is_made)
            || self.is_of_framework(class)
    }

    fn is_of_framework(&mut self, class: ClassId) -> bool {
        let bases = self.libraries_of(class);
        bases.iter().any(|base| {
            let base = self.symbols.text(*base);
            !INTERFACES.iter().any(|module| base.starts_with(module))
        })
    }

    /// Where a class has a name, itself or by inheritance: for whoever then reads the cell.
    pub(super) fn place_of(&mut self, class: ClassId, name: Symbol) -> LookUp {
        if let Some(known) = self.heap.classes[class.0 as usize]
            .known
            .look_ups
            .get(&name)
        {
            return *known;
        }
        let order = self.order_of(class);
        let (cells, binding) = self.search(&order, name);
        let found = LookUp {
            cell: self.heap.cells.union(&cells),
            class: binding,
        };
        let known = &mut self.heap.classes[class.0 as usize].known;
        known.look_ups.insert(name, found);
        found
    }

    /// Where the first of these classes that binds a name has it, and where it is set before.
    pub(super) fn search(
        &mut self,
        order: &[ClassId],
        name: Symbol,
    ) -> (Vec<CellId>, Option<ClassId>) {
        let assigned = self.program.assigned.contains(&name);
        let mut cells = Vec::new();
        for class in order {
            let binds = self.binds(*class, name);
            if binds || assigned {
                let owner = self.holder(*class, name);
                cells.push(self.heap.cell(owner, name));
            }
            if binds {
                return (cells, Some(*class));
            }
        }
        (cells, None)
    }

    /// What is set, under a name, on objects of a class and its ancestors that nobody saw made.
    pub(super) fn declared(&mut self, class: ClassId, name: Symbol) -> ValueSet {
        let order = self.ancestors(class);
        let info = &self.heap.classes[class.0 as usize];
        let cell = if let Some(known) = info.known.declared.get(&name) {
            *known
        } else {
            let owners = order
                .iter()
                .map(|class| self.heap.classes[class.0 as usize].declared);
            let owners: Vec<_> = owners.collect();
            let cells: Vec<CellId> = owners
                .into_iter()
                .map(|owner| self.heap.cell(owner, name))
                .collect();
            let union = self.heap.cells.union(&cells);
            let known = &mut self.heap.classes[class.0 as usize].known;
            known.declared.insert(name, union);
            union
        };
        self.read_cell(cell)
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
