//! The abstract machine: bodies in their circumstances, what they hold, and the work list.
//!
//! A body runs again whenever something that it read has grown; sets only grow, so this ends.
//! The order is fixed, so that equal input gives equal output.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::heap::{CellId, Context, ContextId, Heap, Owner};
use super::values::{Data, Value, ValueSet, Values};
use crate::catalogue::Catalogue;
use crate::facts::{BodyKind, RETURNS, Slot, Span, YIELDS};
use crate::finding::Certainty;
use crate::program::{FunctionId, Program};
use crate::symbols::{Symbol, Symbols};

/// A body in its circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceId(pub(crate) u32);

/// Circumstances in which one function is looked at; beyond, it is looked at once for all others.
const CONTEXTS_MAX: u32 = 24;

/// Where a call leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    Body(InstanceId),
    Leaf(u32),
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) span: Span,
    pub(crate) to: Reach,
    pub(crate) certainty: Certainty,
}

/// A blocking call of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Leaf {
    /// The name under which it is found.
    pub(crate) key: Symbol,
    /// Its number in the catalogue.
    pub(crate) rule: u32,
}

/// Why a plain function runs on the loop's thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) instance: InstanceId,
    pub(crate) reason: String,
}

/// A body in its circumstances, and what is known of it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) function: FunctionId,
    pub(crate) outer: Option<InstanceId>,
    pub(crate) context: ContextId,
    /// The owner of its cells.
    pub(crate) owner: Owner,
    /// The class of whose body this is, or in whose body it stands.
    pub(crate) class: Option<super::heap::ClassId>,
    pub(super) slots: Vec<ValueSet>,
    readers: Vec<InstanceId>,
    pub(crate) edges: Vec<Edge>,
    known_edges: FxHashSet<Edge>,
    queued: bool,
}

/// The machine.
pub(crate) struct Machine<'a> {
    pub(crate) program: &'a Program,
    pub(crate) symbols: Symbols,
    pub(crate) catalogue: &'a Catalogue,
    pub(super) values: Values,
    pub(super) heap: Heap,
    pub(crate) instances: Vec<Instance>,
    numbers: FxHashMap<(FunctionId, Option<InstanceId>, ContextId), InstanceId>,
    contexts: FxHashMap<FunctionId, u32>,
    modules: Vec<InstanceId>,
    /// Bodies of modules and classes: they go first.
    early: VecDeque<InstanceId>,
    late: VecDeque<InstanceId>,
    pub(crate) leaves: Vec<Leaf>,
    leaf_numbers: FxHashMap<Leaf, u32>,
    pub(crate) entries: Vec<Entry>,
    /// For a plan only.
    pub(crate) endpoints: Vec<super::endpoints::Endpoint>,
    pub(super) partials: Vec<super::arguments::Partial>,
    pub(super) partial_numbers: FxHashMap<(u64, InstanceId, Value), u32>,
    /// Decorators that lead nowhere are taken to give back what they decorate.
    pub(super) generous: bool,
    /// What is running.
    pub(super) current: Current,
    changed: bool,
}

/// The operation that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current {
    pub(super) instance: InstanceId,
    pub(super) function: FunctionId,
    pub(super) operation: u32,
    pub(super) span: Span,
}

impl Current {
    pub(super) fn site(&self) -> u64 {
        u64::from(self.function.0) << 32 | u64::from(self.operation)
    }
}

impl<'a> Machine<'a> {
    /// A machine with all bodies of modules ready to run.
    pub(crate) fn new(program: &'a Program, symbols: Symbols, catalogue: &'a Catalogue) -> Self {
        let mut symbols = symbols;
        let any = symbols.intern("*");
        let first = InstanceId(0);
        let current = Current {
            instance: first,
            function: FunctionId(0),
            operation: 0,
            span: Span::default(),
        };
        let mut machine = Self {
            program,
            symbols,
            catalogue,
            values: Values::default(),
            heap: Heap::new(any),
            instances: Vec::new(),
            numbers: FxHashMap::default(),
            contexts: FxHashMap::default(),
            modules: Vec::new(),
            early: VecDeque::new(),
            late: VecDeque::new(),
            leaves: Vec::new(),
            leaf_numbers: FxHashMap::default(),
            entries: Vec::new(),
            endpoints: Vec::new(),
            partials: Vec::new(),
            partial_numbers: FxHashMap::default(),
            generous: false,
            current,
            changed: false,
        };
        let root = machine.heap.root();
        for module in 0..machine.program.modules.len() {
            let function = FunctionId(machine.program.modules[module].first);
            let instance = machine.instance(function, None, root);
            machine.modules.push(instance);
        }
        machine
    }

    /// Runs until nothing new flows.
    pub(crate) fn run(&mut self) {
        self.settle();
        self.generous = true;
        for number in 0..self.instances.len() as u32 {
            self.queue(InstanceId(number));
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(next) = self.early.pop_front().or_else(|| self.late.pop_front()) {
            self.instances[next.0 as usize].queued = false;
            self.run_body(next);
            let mut woken: Vec<InstanceId> = self.heap.woken.drain().collect();
            woken.sort_unstable();
            for instance in woken {
                self.queue(instance);
            }
        }
    }

    pub(super) fn queue(&mut self, id: InstanceId) {
        let instance = &mut self.instances[id.0 as usize];
        if instance.queued {
            return;
        }
        instance.queued = true;
        match self.program.function(instance.function).kind {
            BodyKind::Module | BodyKind::Class => self.early.push_back(id),
            _ => self.late.push_back(id),
        }
    }

    fn run_body(&mut self, id: InstanceId) {
        let function = self.instances[id.0 as usize].function;
        let count = self.program.function(function).operations.len() as u32;
        let before = self.results(id);
        loop {
            self.changed = false;
            for operation in 0..count {
                self.step(id, function, operation);
            }
            if !self.changed {
                break;
            }
        }
        if self.results(id) != before {
            let readers = self.instances[id.0 as usize].readers.clone();
            self.heap.woken.extend(readers);
        }
    }

    fn results(&self, id: InstanceId) -> (ValueSet, ValueSet) {
        let slots = &self.instances[id.0 as usize].slots;
        (
            slots[RETURNS as usize].clone(),
            slots[YIELDS as usize].clone(),
        )
    }

    /// The body `function` inside `outer`, in these circumstances.
    pub(super) fn instance(
        &mut self,
        function: FunctionId,
        outer: Option<InstanceId>,
        context: ContextId,
    ) -> InstanceId {
        let mut context = context;
        if let Some(known) = self.numbers.get(&(function, outer, context)) {
            return *known;
        }
        let root = self.heap.root();
        if context != root {
            let count = self.contexts.entry(function).or_default();
            if *count >= CONTEXTS_MAX {
                context = root;
                if let Some(known) = self.numbers.get(&(function, outer, context)) {
                    return *known;
                }
            }
            *self.contexts.entry(function).or_default() += 1;
        }
        let id = InstanceId(self.instances.len() as u32);
        let owner = self.heap.new_owner();
        let slots = self.program.function(function).slots as usize;
        let class = outer.and_then(|outer| self.instances[outer.0 as usize].class);
        self.instances.push(Instance {
            function,
            outer,
            context,
            owner,
            class,
            slots: vec![ValueSet::default(); slots],
            readers: Vec::new(),
            edges: Vec::new(),
            known_edges: FxHashSet::default(),
            queued: false,
        });
        self.numbers.insert((function, outer, context), id);
        self.queue(id);
        id
    }

    pub(super) fn module(&self, number: u32) -> InstanceId {
        self.modules[number as usize]
    }

    /// Whether anything is known of what a slot of a body holds.
    pub(crate) fn is_known(&self, instance: InstanceId, slot: Slot) -> bool {
        !self.instances[instance.0 as usize].slots[slot as usize].is_empty()
    }

    pub(super) fn slot(&self, slot: Slot) -> ValueSet {
        self.instances[self.current.instance.0 as usize].slots[slot as usize].clone()
    }

    /// Adds to a slot of the running body.
    pub(super) fn add(&mut self, slot: Slot, values: &ValueSet) {
        let slots = &mut self.instances[self.current.instance.0 as usize].slots;
        if slots[slot as usize].extend(values) {
            self.changed = true;
        }
    }

    pub(super) fn add_one(&mut self, slot: Slot, data: Data) {
        let value = self.values.intern(data);
        self.add(slot, &ValueSet::one(value));
    }

    /// Adds to a slot of another body, which runs again if that is new.
    pub(super) fn give(&mut self, instance: InstanceId, slot: Slot, values: &ValueSet) {
        if self.instances[instance.0 as usize].slots[slot as usize].extend(values) {
            self.heap.woken.insert(instance);
        }
    }

    /// What another body returns or yields; the running one runs again when that grows.
    pub(super) fn result(&mut self, instance: InstanceId, slot: Slot) -> ValueSet {
        let reader = self.current.instance;
        let other = &mut self.instances[instance.0 as usize];
        if !other.readers.contains(&reader) {
            other.readers.push(reader);
        }
        other.slots[slot as usize].clone()
    }

    pub(super) fn read_cell(&mut self, cell: CellId) -> ValueSet {
        self.heap.read(cell, self.current.instance)
    }

    pub(super) fn read_named(&mut self, owner: Owner, name: Symbol) -> ValueSet {
        let cell = self.heap.cell(owner, name);
        self.read_cell(cell)
    }

    pub(super) fn write_named(&mut self, owner: Owner, name: Symbol, values: &ValueSet) {
        let cell = self.heap.cell(owner, name);
        self.heap.write(cell, values);
    }

    /// Notes that the running body calls a body.
    pub(super) fn edge(&mut self, to: InstanceId, certainty: Certainty) {
        self.note(Reach::Body(to), certainty);
    }

    /// Notes that the running body makes a blocking call.
    pub(super) fn leaf(&mut self, leaf: Leaf) {
        let next = self.leaves.len() as u32;
        let number = *self.leaf_numbers.entry(leaf).or_insert(next);
        if number == next {
            self.leaves.push(leaf);
        }
        self.note(Reach::Leaf(number), Certainty::Certain);
    }

    fn note(&mut self, to: Reach, certainty: Certainty) {
        let edge = Edge {
            span: self.current.span,
            to,
            certainty,
        };
        let instance = &mut self.instances[self.current.instance.0 as usize];
        if instance.known_edges.insert(edge) {
            instance.edges.push(edge);
        }
    }

    /// Notes that a body runs on the loop's thread.
    pub(super) fn entry(&mut self, instance: InstanceId, reason: String) {
        if !self.entries.iter().any(|known| known.instance == instance) {
            self.entries.push(Entry { instance, reason });
        }
    }

    pub(super) fn context_of(&self, instance: InstanceId) -> ContextId {
        self.instances[instance.0 as usize].context
    }

    pub(super) fn context(&mut self, context: Context) -> ContextId {
        self.heap.context(context)
    }

    /// The program's symbol of a name of the running body's module.
    pub(super) fn symbol(&self, name: u32) -> Symbol {
        self.program.symbol(self.current.function, name)
    }

    fn step(&mut self, instance: InstanceId, function: FunctionId, operation: u32) {
        let program: &'a Program = self.program;
        let found = &program.function(function).operations[operation as usize];
        self.current = Current {
            instance,
            function,
            operation,
            span: found.span,
        };
        self.execute(&found.action);
    }
}
