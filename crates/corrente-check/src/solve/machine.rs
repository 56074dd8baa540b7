//! The abstract machine: its state, its work list and how operations read and write.
//!
//! An operation runs again when something that it read has grown; sets only grow, so this ends.
//! The order is fixed, so that equal input gives equal output.

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::arguments::{Calling, Partial, Signature, Way};
use super::cells::{CellId, Task};
use super::flags::{Flags, SetId};
use super::heap::{Context, ContextId, Heap, Owner};
use super::instance::{Edge, Instance, InstanceId, NewInstance, Reach};
use super::paths::Lookups;
use super::values::{Data, Value, ValueSet, Values};
use crate::catalogue::Catalogue;
use crate::facts::{Action, BodyKind, Mode, RETURNS, Slot, Span, YIELDS};
use crate::finding::Certainty;
use crate::program::{FunctionId, Program};
use crate::symbols::{Symbol, Symbols};

/// Circumstances in which one function is looked at; beyond, it is looked at once for all others.
const CONTEXTS_MAX: usize = 24;

/// A short function, as decorators are, is looked at in more: so many operations all in all.
const OPERATIONS_MAX: usize = 4_096;

/// The same for what runs once for each class of a hierarchy.
const OPERATIONS_OF_CLASSES_MAX: usize = 4 * OPERATIONS_MAX;

/// Positions whose keys are at hand.
const POSITIONS: usize = 64;

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

/// In which a body is told apart: the body around it, the context, and what is known of its parameters.
type Circumstances = (FunctionId, Option<InstanceId>, ContextId, SetId);

/// The machine.
pub(crate) struct Machine<'a> {
    pub(crate) program: &'a Program,
    pub(crate) symbols: Symbols,
    pub(crate) catalogue: &'a Catalogue,
    pub(super) values: Values,
    pub(super) heap: Heap,
    pub(super) lookups: Lookups,
    pub(super) flags: Flags,
    pub(super) poured: super::contents::Poured,
    pub(crate) instances: Vec<Instance<'a>>,
    numbers: FxHashMap<Circumstances, InstanceId>,
    contexts: FxHashMap<FunctionId, usize>,
    /// Functions with more circumstances than are told apart.
    pub(crate) merged: FxHashSet<FunctionId>,
    /// Methods with more overrides than are followed.
    pub(crate) cut: FxHashSet<(super::heap::ClassId, Symbol)>,
    modules: Vec<InstanceId>,
    /// Which modules only functions import; empty where there is none.
    pub(super) loaded_late: Vec<bool>,
    /// Bodies of modules and classes: they go first.
    early: VecDeque<InstanceId>,
    late: VecDeque<InstanceId>,
    pub(crate) leaves: Vec<Leaf>,
    leaf_numbers: FxHashMap<Leaf, u32>,
    pub(crate) entries: Vec<Entry>,
    /// For a plan only.
    pub(crate) endpoints: Vec<super::endpoints::Endpoint>,
    pub(crate) hooks: Vec<super::hooks::Hook>,
    /// The models whose objects a call is made on, where they are known; None is any.
    pub(super) models: FxHashMap<(InstanceId, Span), Vec<Option<super::heap::ClassId>>>,
    pub(super) routers: super::routers::Routers,
    pub(super) viewsets: Vec<super::endpoints::Registered>,
    pub(super) around: Vec<super::around::Around>,
    /// The methods of HTTP that decorators say functions are for.
    pub(super) verbs: FxHashMap<FunctionId, Vec<String>>,
    /// What constructors' parameters need, and where objects of these classes are needed.
    pub(super) needs: FxHashMap<super::heap::ClassId, ValueSet>,
    pub(super) needed: Vec<(InstanceId, Span, super::heap::ClassId)>,
    entered: FxHashSet<InstanceId>,
    pub(super) partials: Vec<Partial>,
    pub(super) partial_numbers: FxHashMap<(u64, InstanceId, Value), u32>,
    /// What the running operation iterates, as far as it may come to it once more.
    pub(super) iterated: Vec<u32>,
    /// Partials inside one another that it calls.
    pub(super) calling: Calling,
    /// Of functions that were called.
    pub(super) signatures: Vec<Option<Rc<Signature>>>,
    /// The class of the first object that each parameter of a function was seen to get.
    pub(super) first_classes: FxHashMap<(FunctionId, Way, usize), super::heap::ClassId>,
    /// Functions of which something has noted defaults.
    pub(super) with_defaults: Vec<bool>,
    /// Objects of libraries of which a rule asks whether they are given.
    pub(super) asked_for: FxHashSet<Symbol>,
    /// The keys of the first positions of collections.
    pub(super) positions: Vec<Symbol>,
    /// Decorators that lead nowhere are taken to give back what they decorate.
    pub(super) generous: bool,
    /// What is running.
    pub(super) current: Current,
    /// It is followed on behalf of another thread: its calls are not those of the running body.
    pub(super) elsewhere: bool,
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

    pub(super) fn task(&self) -> Task {
        Task {
            instance: self.instance,
            operation: self.operation,
        }
    }
}

impl<'a> Machine<'a> {
    /// A machine with all bodies of modules ready to run.
    pub(crate) fn new(program: &'a Program, symbols: Symbols, catalogue: &'a Catalogue) -> Self {
        let mut symbols = symbols;
        let any = symbols.intern("*");
        let positions = (0..POSITIONS).map(|number| symbols.intern(&format!("#{number}")));
        let positions = positions.collect();
        let asked_for = catalogue.objects_asked_for();
        let asked_for = asked_for.map(|object| symbols.intern(object)).collect();
        let functions = program.functions().count();
        let first = InstanceId(0);
        let current = Current {
            instance: first,
            function: FunctionId(0),
            operation: 0,
            span: Span::default(),
        };
        let flags = Flags::new(program, &mut symbols);
        let mut machine = Self {
            program,
            flags,
            symbols,
            catalogue,
            values: Values::default(),
            heap: Heap::new(any),
            lookups: Lookups::default(),
            poured: super::contents::Poured::default(),
            instances: Vec::new(),
            numbers: FxHashMap::default(),
            contexts: FxHashMap::default(),
            merged: FxHashSet::default(),
            cut: FxHashSet::default(),
            modules: Vec::new(),
            loaded_late: program.loaded_late(),
            early: VecDeque::new(),
            late: VecDeque::new(),
            leaves: Vec::new(),
            leaf_numbers: FxHashMap::default(),
            entries: Vec::new(),
            endpoints: Vec::new(),
            hooks: Vec::new(),
            models: FxHashMap::default(),
            routers: super::routers::Routers::default(),
            viewsets: Vec::new(),
            around: Vec::new(),
            verbs: FxHashMap::default(),
            needs: FxHashMap::default(),
            needed: Vec::new(),
            entered: FxHashSet::default(),
            partials: Vec::new(),
            partial_numbers: FxHashMap::default(),
            iterated: Vec::new(),
            calling: Calling::default(),
            signatures: vec![None; functions],
            first_classes: FxHashMap::default(),
            with_defaults: vec![false; functions],
            asked_for,
            positions,
            generous: false,
            current,
            elsewhere: false,
        };
        machine.begin();
        machine
    }

    fn begin(&mut self) {
        let root = self.heap.root();
        self.modules = vec![InstanceId(0); self.program.modules.len()];
        for module in self.program.import_order() {
            let function = FunctionId(self.program.modules[module as usize].first);
            self.modules[module as usize] = self.instance(function, None, (root, SetId::default()));
        }
    }

    /// Runs until nothing new flows.
    pub(crate) fn run(&mut self) {
        self.settle();
        if !self.generous {
            self.generous = true;
            self.reconsider();
            self.settle();
        }
    }

    /// Generosity changes what decorators and annotations do.
    fn reconsider(&mut self) {
        self.reconsider_overrides();
        for number in 0..self.instances.len() as u32 {
            let instance = InstanceId(number);
            let facts = self.instances[number as usize].facts;
            for (operation, found) in (0..).zip(&facts.operations) {
                let concerned = match &found.action {
                    Action::Declare { .. } => true,
                    Action::Call(call) => call.mode == Mode::Decorator,
                    Action::Special {
                        reflected: Some(_),
                        left,
                        right: Some(right),
                        ..
                    } => {
                        let slots = &self.instances[number as usize].slots;
                        let is_object = |value| self.class_of(value).is_some();
                        slots[*left as usize].is_empty()
                            && slots[*right as usize].iter().any(is_object)
                    }
                    _ => false,
                };
                if concerned {
                    self.wake(Task {
                        instance,
                        operation,
                    });
                }
            }
        }
    }

    fn settle(&mut self) {
        self.wake_readers();
        while let Some(next) = self.early.pop_front().or_else(|| self.late.pop_front()) {
            self.run_body(next);
        }
    }

    fn run_body(&mut self, id: InstanceId) {
        let function = self.instances[id.0 as usize].function;
        let mut from = 0;
        while let Some(operation) = self.instances[id.0 as usize].due.take(from) {
            from = operation + 1;
            self.step(id, function, operation);
            self.wake_readers();
        }
        self.instances[id.0 as usize].queued = false;
    }

    fn step(&mut self, instance: InstanceId, function: FunctionId, operation: u32) {
        let facts = self.instances[instance.0 as usize].facts;
        if self.instances[instance.0 as usize].is_dead(operation) {
            return;
        }
        let found = &facts.operations[operation as usize];
        self.current = Current {
            instance,
            function,
            operation,
            span: found.span,
        };
        self.execute(&found.action);
    }

    fn wake_readers(&mut self) {
        if self.heap.cells.woken.is_empty() {
            return;
        }
        let mut woken = std::mem::take(&mut self.heap.cells.woken);
        for task in woken.drain(..) {
            self.wake(task);
        }
        self.heap.cells.woken = woken;
    }

    fn wake(&mut self, task: Task) {
        self.instances[task.instance.0 as usize]
            .due
            .set(task.operation);
        self.queue(task.instance);
    }

    fn queue(&mut self, id: InstanceId) {
        let instance = &mut self.instances[id.0 as usize];
        if instance.queued {
            return;
        }
        instance.queued = true;
        match instance.facts.kind {
            BodyKind::Module | BodyKind::Class => self.early.push_back(id),
            _ => self.late.push_back(id),
        }
    }

    /// The body `function` inside `outer`, in these circumstances.
    pub(super) fn instance(
        &mut self,
        function: FunctionId,
        outer: Option<InstanceId>,
        (context, constants): (ContextId, SetId),
    ) -> InstanceId {
        let mut context = context;
        if let Some(known) = self.numbers.get(&(function, outer, context, constants)) {
            return *known;
        }
        let root = self.heap.root();
        if context != root {
            let operations = self.program.function(function).operations.len();
            let most = CONTEXTS_MAX.max(self.operations_max(function) / operations.max(1));
            let count = self.contexts.entry(function).or_default();
            if *count >= most {
                context = root;
                self.merged.insert(function);
                if let Some(known) = self.numbers.get(&(function, outer, context, constants)) {
                    return *known;
                }
            }
            *self.contexts.entry(function).or_default() += 1;
        }
        let id = InstanceId(self.instances.len() as u32);
        let program: &'a Program = self.program;
        self.instances.push(Instance::new(&NewInstance {
            function,
            facts: program.function(function),
            outer,
            context,
            constants,
            owner: self.heap.new_owner(),
            class: outer.and_then(|outer| self.instances[outer.0 as usize].class),
        }));
        self.numbers
            .insert((function, outer, context, constants), id);
        self.instances[id.0 as usize].dead = self.dead_operations(id);
        self.queue(id);
        id
    }

    fn operations_max(&self, function: FunctionId) -> usize {
        let name = self.program.function(function).name;
        let name = self.symbols.text(self.program.symbol(function, name));
        if name == "__init_subclass__" {
            // It runs once for each class, and makes things that are that class's own.
            OPERATIONS_OF_CLASSES_MAX
        } else {
            OPERATIONS_MAX
        }
    }

    /// Whether circumstances are mixed up in a body, because there were more than are told apart.
    pub(crate) fn is_merged(&self, instance: InstanceId) -> bool {
        let mut at = Some(instance);
        while let Some(id) = at {
            let body = &self.instances[id.0 as usize];
            if self.merged.contains(&body.function) && self.heap.is_root(body.context) {
                return true;
            }
            at = body.outer;
        }
        false
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
        self.give(self.current.instance, slot, values);
    }

    pub(super) fn add_one(&mut self, slot: Slot, data: Data) {
        let value = self.values.intern(data);
        self.add(slot, &ValueSet::one(value));
    }

    /// Adds to a slot of a body; what uses the slot runs again if that is new.
    pub(super) fn give(&mut self, id: InstanceId, slot: Slot, values: &ValueSet) {
        let instance = &mut self.instances[id.0 as usize];
        if !instance.slots[slot as usize].extend(values) {
            return;
        }
        let users = instance.facts.uses.of(slot);
        for operation in users {
            instance.due.set(*operation);
        }
        if matches!(slot, RETURNS | YIELDS) {
            let readers = instance.readers.tasks();
            self.heap.cells.woken.extend_from_slice(readers);
        }
        if !users.is_empty() {
            self.queue(id);
        }
    }

    /// What another body returns or yields; the running operation runs again when that grows.
    pub(super) fn result(&mut self, instance: InstanceId, slot: Slot) -> ValueSet {
        let reader = self.current.task();
        let other = &mut self.instances[instance.0 as usize];
        other.readers.add(reader);
        other.slots[slot as usize].clone()
    }

    pub(super) fn read_cell(&mut self, cell: CellId) -> ValueSet {
        self.heap.cells.read(cell, self.current.task())
    }

    pub(super) fn read_named(&mut self, owner: Owner, name: Symbol) -> ValueSet {
        let cell = self.heap.cell(owner, name);
        self.read_cell(cell)
    }

    pub(super) fn write_named(&mut self, owner: Owner, name: Symbol, values: &ValueSet) {
        if values.is_empty() {
            return;
        }
        let cell = self.heap.cell(owner, name);
        self.heap.cells.write(cell, values);
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
        if self.elsewhere {
            return;
        }
        let edge = Edge {
            span: self.current.span,
            to,
            certainty,
        };
        self.instances[self.current.instance.0 as usize].note(edge);
    }

    /// Notes that a body runs on the loop's thread.
    pub(super) fn entry(&mut self, instance: InstanceId, reason: String) {
        if self.entered.insert(instance) {
            self.entries.push(Entry { instance, reason });
        }
    }

    pub(super) fn context_of(&self, instance: InstanceId) -> ContextId {
        self.instances[instance.0 as usize].context
    }

    pub(super) fn context(&mut self, context: Context) -> ContextId {
        self.heap.context(context)
    }

    /// Whether a body is that of a generator expression.
    pub(crate) fn is_expression(&self, instance: InstanceId) -> bool {
        let function = self.instances[instance.0 as usize].function;
        self.program.is_expression(function)
    }

    /// A generator expression that is iterated where it stands is no call that anybody sees: what
    /// it calls, the body around it calls. To be done when nothing flows any more.
    pub(crate) fn absorb_expressions(&mut self) {
        // Bodies are made after those around them.
        for number in (0..self.instances.len() as u32).rev() {
            let inner = InstanceId(number);
            let instance = &mut self.instances[number as usize];
            if let Some(outer) = instance.outer
                && self.program.is_expression(instance.function)
            {
                let calls = std::mem::take(&mut instance.edges);
                self.instances[outer.0 as usize].absorb(inner, &calls);
                self.instances[number as usize].edges = calls;
            }
        }
    }

    /// The program's symbol of a name of the running body's module.
    pub(super) fn symbol(&self, name: u32) -> Symbol {
        self.program.symbol(self.current.function, name)
    }

    /// Sets, of variables and of cells, that could take no more.
    pub(crate) fn full_sets(&self) -> usize {
        let slots = self.instances.iter().flat_map(|instance| &instance.slots);
        slots.filter(|set| set.is_full()).count() + self.heap.cells.full()
    }

    /// Collections with more keys than are told apart.
    pub(crate) fn blurred_collections(&self) -> usize {
        self.heap.blurred.len()
    }
}
