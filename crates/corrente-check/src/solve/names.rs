//! Operations on names: variables, imports, and what is written down as it is.
//!
//! A module's attribute is a cell of its body; a name that a module does not bind may be a module
//! inside the package, and else belongs to a library.

use super::flags::SetId;
use super::heap::{OwnedBy, Owner};
use super::instance::InstanceId;
use super::machine::Machine;
use super::values::{Data, ValueSet};
use crate::facts::{Action, BEGINNING, Key, Name, Slot, Trait, Whole};
use crate::symbols::Symbol;

/// Names of a module that `import *` takes; a module with more is generated.
const NAMES_MAX: usize = 5_000;

/// What `setblocking(False)` is for.
const SOCKETS: [&str; 2] = ["socket.datagram()", "socket.socket()"];

/// What can be asked whether waiting for it would take long.
const WAITED_FOR: [&str; 13] = [
    "concurrent.futures.Future()",
    "multiprocessing.Event()",
    "multiprocessing.JoinableQueue()",
    "multiprocessing.Process()",
    "multiprocessing.Queue()",
    "multiprocessing.pool.AsyncResult()",
    "queue.LifoQueue()",
    "queue.PriorityQueue()",
    "queue.Queue()",
    "queue.SimpleQueue()",
    "subprocess.Popen()",
    "threading.Event()",
    "threading.Thread()",
];

impl Machine<'_> {
    pub(super) fn execute(&mut self, action: &Action) {
        match action {
            Action::Copy { to, from } => {
                let values = self.slot(*from);
                self.add(*to, &values);
            }
            Action::Text { to, text } => {
                let text = self.symbol(*text);
                let beginning = self.symbols.text(text).strip_suffix(BEGINNING);
                let data = match beginning.map(str::to_owned) {
                    Some(beginning) => Data::Beginning(self.symbols.intern(&beginning)),
                    None => Data::Text(text),
                };
                self.add_one(*to, data);
            }
            Action::Nothing { .. } => {}
            Action::Number { to, number } => self.add_one(*to, Data::Number(*number)),
            Action::Builtin { to, name } => self.builtin(*to, *name),
            Action::Load { to, hops, name } => self.load(*to, *hops, *name),
            Action::Store { hops, name, from } => {
                let owner = self.outer(*hops);
                let values = self.slot(*from);
                let name = self.symbol(*name);
                self.write_named(owner, name, &values);
            }
            Action::Function {
                to,
                function,
                defaults,
            } => {
                self.make_function(*to, *function, defaults);
            }
            Action::Class(class) => self.make_class(class),
            Action::Import { to, module, whole } => self.import(*to, *module, *whole),
            Action::ImportFrom {
                to,
                module,
                level,
                name,
            } => {
                let module = self.symbol(*module);
                let source = self.source(module, *level);
                let name = self.symbol(*name);
                self.loads_member(&source, name);
                let values = self.member(&source, name);
                self.add(*to, &values);
            }
            Action::ImportAll { module, level } => {
                let module = self.symbol(*module);
                let source = self.source(module, *level);
                self.import_all(&source);
            }
            Action::Collection(made) => self.collection(made.to, &made.items, &made.spread),
            Action::Filter { to, from, by } => self.filter(*to, *from, *by),
            other => self.execute_deeper(other),
        }
    }

    fn builtin(&mut self, to: Slot, name: Name) {
        let name = self.symbol(name);
        let path = format!("builtins.{}", self.symbols.text(name));
        let path = self.symbols.intern(&path);
        self.add_one(to, Data::Library(path));
    }

    /// The owner of the cells of the body so many further out.
    fn outer(&self, hops: u32) -> Owner {
        let mut at = self.current.instance;
        for _ in 0..hops {
            at = self.instances[at.0 as usize].outer.unwrap_or(at);
        }
        self.instances[at.0 as usize].owner
    }

    fn load(&mut self, to: Slot, hops: u32, name: Name) {
        let owner = self.outer(hops);
        let symbol = self.symbol(name);
        let values = self.read_named(owner, symbol);
        if values.is_empty() && !self.binds_cell(hops, symbol) {
            // A name of `import *`, or a builtin one that stands beside such an import.
            self.builtin(to, name);
        }
        self.add(to, &values);
    }

    /// Whether the body so many further out binds a name itself.
    fn binds_cell(&self, hops: u32, name: Symbol) -> bool {
        let mut at = self.current.instance;
        for _ in 0..hops {
            at = self.instances[at.0 as usize].outer.unwrap_or(at);
        }
        let function = self.instances[at.0 as usize].function;
        let cells = &self.program.function(function).cells;
        let mut names = cells
            .iter()
            .map(|cell| self.program.symbol(function, *cell));
        names.any(|bound| bound == name)
    }

    fn source(&self, module: Symbol, level: u32) -> String {
        let text = self.symbols.text(module);
        self.program.source(self.current.function, text, level)
    }

    fn import(&mut self, to: Slot, module: Name, whole: Whole) {
        let symbol = self.symbol(module);
        let full = self.symbols.text(symbol).to_owned();
        let wanted = match whole {
            Whole::Last => full.as_str(),
            Whole::First => full.split('.').next().unwrap_or(&full),
        };
        self.loads(&full);
        let values = self.module_value(wanted);
        self.add(to, &values);
    }

    /// The module that is called `name`, ours or a library's.
    pub(super) fn module_value(&mut self, name: &str) -> ValueSet {
        let data = match self.program.find(self.current.function, name) {
            Some(module) => Data::Module(module),
            None => Data::Library(self.path(name)),
        };
        ValueSet::one(self.values.intern(data))
    }

    /// `from source import name`.
    fn member(&mut self, source: &str, name: Symbol) -> ValueSet {
        let found = self.program.find(self.current.function, source);
        let text = self.symbols.text(name).to_owned();
        let Some(module) = found else {
            let full = format!("{source}.{text}");
            return self.module_value(full.trim_start_matches('.'));
        };
        self.module_attribute(module, name)
    }

    /// An attribute of one of our modules.
    pub(super) fn module_attribute(&mut self, module: u32, name: Symbol) -> ValueSet {
        let instance = self.module(module);
        let owner = self.instances[instance.0 as usize].owner;
        let mut values = self.read_named(owner, name);
        if values.is_empty() {
            let text = self.symbols.text(name).to_owned();
            if let Some(inner) = self.program.submodule(module, &text) {
                let value = self.values.intern(Data::Module(inner));
                values.insert(value);
            } else {
                values = self.given_by_module(instance, name);
            }
        }
        values
    }

    fn import_all(&mut self, source: &str) {
        self.loads(source);
        let first = self.program.find(self.current.function, source);
        let mut seen: Vec<u32> = first.into_iter().collect();
        let mut next = 0;
        while let Some(module) = seen.get(next).copied() {
            next += 1;
            self.take_names(module);
            // Names that it has by such an import of its own are its names, too.
            for further in self.program.star_imports(module) {
                if !seen.contains(&further) {
                    seen.push(further);
                }
            }
        }
    }

    /// The names of a module become the running body's.
    fn take_names(&mut self, module: u32) {
        let from = self.module(module);
        let function = self.instances[from.0 as usize].function;
        let program = self.program;
        let owner = self.instances[from.0 as usize].owner;
        let own = self.instances[self.current.instance.0 as usize].owner;
        for name in program.function(function).cells.iter().take(NAMES_MAX) {
            let symbol = program.symbol(function, *name);
            if !self.symbols.text(symbol).starts_with('_') {
                let values = self.read_named(owner, symbol);
                self.write_named(own, symbol, &values);
            }
        }
    }

    fn make_function(&mut self, to: Slot, number: u32, defaults: &[(Name, Slot)]) {
        let function = self.program.sibling(self.current.function, number);
        let outer = self.current.instance;
        let value = self.values.intern(Data::Function { function, outer });
        if !defaults.is_empty() {
            self.with_defaults[function.0 as usize] = true;
            let owner = self.heap.owner_of(OwnedBy::Defaults(value));
            for (name, slot) in defaults {
                let values = self.slot(*slot);
                let name = self.symbol(*name);
                self.write_named(owner, name, &values);
            }
        }
        let root = self.heap.root();
        let instance = self.instance(function, Some(outer), (root, SetId::default()));
        self.bind_defaults(instance, value);
        if !defaults.is_empty() {
            self.bind_injected(instance, value);
        }
        self.bind_unknown_receiver(instance);
        self.add(to, &ValueSet::one(value));
    }

    fn collection(&mut self, to: Slot, items: &[(Key, Slot)], spread: &[Slot]) {
        let owner = self.collection_here();
        for (key, slot) in items {
            let values = self.slot(*slot);
            self.put(owner, *key, &values);
        }
        for slot in spread {
            for value in self.slot(*slot).iter() {
                if let Data::Collection(other) = self.values.data(value) {
                    self.pour(owner, other);
                } else {
                    let values = self.elements(value, crate::facts::Mode::Plain);
                    self.put(owner, Key::Any, &values);
                }
            }
        }
        self.add_one(to, Data::Collection(owner));
    }

    /// The collection that the running operation makes.
    pub(super) fn collection_here(&mut self) -> Owner {
        let site = self.current.site();
        let instance: InstanceId = self.current.instance;
        self.heap.owner_of(OwnedBy::Site(site, instance))
    }

    fn filter(&mut self, to: Slot, from: Slot, by: Trait) {
        let classes = match by {
            Trait::Instance(slot) | Trait::NotInstance(slot) => self.classes_in(slot),
            Trait::Function(_) | Trait::Any => Vec::new(),
            Trait::Unblocked => return self.replace(to, from, (&SOCKETS, "socket.unblocked()")),
            Trait::Ready => return self.replace(to, from, (&WAITED_FOR, "corrente.ready()")),
            Trait::Caught(slot) => return self.catch(to, slot),
            Trait::Given { subject, kept } => {
                if self.slot(subject).is_empty() || !self.slot(kept).is_empty() {
                    let values = self.slot(from);
                    self.add(to, &values);
                }
                return;
            }
        };
        let values = self.slot(from);
        let mut kept: ValueSet = values
            .iter()
            .filter(|value| match by {
                Trait::Function(kinds) => {
                    let kind = self.kind_of_function(*value);
                    kind.is_none_or(|kind| kinds.has(kind))
                }
                Trait::Instance(_) => self.may_be(*value, &classes),
                Trait::NotInstance(_) => !self.must_be(*value, &classes),
                Trait::Unblocked
                | Trait::Ready
                | Trait::Any
                | Trait::Caught(_)
                | Trait::Given { .. } => true,
            })
            .collect();
        if let (Trait::Instance(_), true) = (by, kept.is_empty()) {
            kept = classes
                .iter()
                .filter_map(|class| self.instance_of(*class))
                .collect();
        }
        self.add(to, &kept);
    }

    /// Some exception of a class of the program's.
    fn catch(&mut self, to: Slot, classes: Slot) {
        let classes = self.classes_in(classes).into_iter();
        let ours = classes.filter(|class| matches!(self.values.data(*class), Data::Class(_)));
        let ours: Vec<_> = ours.collect();
        let caught = ours.into_iter();
        let caught = caught.filter_map(|class| self.instance_of(class)).collect();
        self.add(to, &caught);
    }

    /// Objects of these library's classes are something that does not wait from here on.
    fn replace(&mut self, to: Slot, from: Slot, (waiting, free): (&[&str], &str)) {
        let free = self.symbols.intern(free);
        let values = self.slot(from);
        let kept = values.iter().map(|value| match self.values.data(value) {
            Data::Library(path) if waiting.contains(&self.symbols.text(path)) => {
                self.values.intern(Data::Library(free))
            }
            _ => value,
        });
        let kept = kept.collect();
        self.add(to, &kept);
    }
}
