//! The state of lowering: bodies under construction, their slots and the current version of each
//! variable.
//!
//! A variable has a new slot with every assignment, so that `work = slow; work = quick; work()`
//! calls one of them only. What inner bodies can see is stored in a cell too, which holds whatever
//! was ever stored.

use ruff_python_ast::Stmt;
use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use super::kinds::KeptAnswers;
use super::narrowing::{Kept, Tested, Within};
use super::scopes::{Place, Scopes};
use super::span_of;
use super::statements::DEPTH_MAX;
use crate::facts::{
    Action, BodyKind, Fault, FunctionFacts, Guard, ModuleFacts, Name, Operation, Parameter,
    ParameterKind, RETURNS, Receiver, Slot, Test, Trait,
};
use crate::origins::Origins;
use crate::uses::Uses;

/// Versions of variables; `None` where no code comes by any more.
pub(super) type Versions = Option<FxHashMap<Name, Slot>>;

/// A loop under construction.
#[derive(Debug, Default)]
pub(super) struct Loop {
    pub(super) breaks: Vec<Versions>,
    pub(super) continues: Vec<Versions>,
}

/// A body under construction.
#[derive(Debug)]
pub(super) struct Frame {
    /// Its number in the facts.
    pub(super) function: u32,
    pub(super) scope: usize,
    pub(super) operations: Vec<Operation>,
    pub(super) slots: u32,
    pub(super) versions: Versions,
    pub(super) loops: Vec<Loop>,
    /// Branches, loops and `try`s around what is being lowered.
    pub(super) branches: u32,
    /// For each `try` around: names with a slot that gets all their versions.
    pub(super) recorders: Vec<FxHashMap<Name, Slot>>,
    pub(super) fields: Vec<Name>,
    /// What a module's or class's body has set.
    pub(super) stores: Vec<(Name, Slot)>,
    /// Targets of comprehensions; they are never cells.
    pub(super) shadows: Vec<Name>,
    /// Tests for coroutine functions that were passed.
    pub(super) tests: Vec<Tested>,
    /// Tests whose answers variables keep.
    pub(super) kept: Vec<Kept>,
    /// Tests that what is being lowered comes by.
    pub(super) within: Vec<Within>,
    /// Of a generator expression: what it was given from the body around it.
    pub(super) passed: Option<Vec<Passed>>,
    pub(super) guards: Vec<Guard>,
    /// Tests that hold up to the end of the statements around, and since which operation.
    pub(super) pending: Vec<(u32, Test)>,
    /// Within a test: what its parts hold, by where they stand.
    pub(super) noted: Option<Vec<(TextRange, Slot)>>,
}

impl Frame {
    /// What a test that was passed says of what a variable holds here.
    fn tested(&self, name: Name) -> Option<Trait> {
        let version = self.versions.as_ref()?.get(&name)?;
        let mut tests = self.tests.iter();
        let here = tests.find(|tested| tested.kept == *version)?;
        Some(here.by)
    }
}

/// A name that a generator expression uses: what it holds outside goes to a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    pub(super) name: Name,
    pub(super) outside: Slot,
    pub(super) inside: Slot,
}

/// Lowers one module.
pub(super) struct Lowering<'a> {
    pub(super) scopes: &'a Scopes,
    facts: &'a mut ModuleFacts,
    numbers: FxHashMap<Box<str>, Name>,
    frames: Vec<Frame>,
    /// For each class around: tests whose answers its objects keep.
    pub(super) answers: Vec<KeptAnswers>,
    /// For each function around: variables whose kind it asks.
    pub(super) chosen_by: Vec<Vec<String>>,
    pub(super) depth: u32,
    told_depth: bool,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(scopes: &'a Scopes, facts: &'a mut ModuleFacts) -> Self {
        Self {
            scopes,
            facts,
            numbers: FxHashMap::default(),
            frames: Vec::new(),
            answers: Vec::new(),
            chosen_by: Vec::new(),
            depth: 0,
            told_depth: false,
        }
    }

    /// Lowers the module's body and all that stands in it.
    pub(super) fn module(mut self, body: &[Stmt]) {
        let name = self.name("<module>");
        self.open(
            0,
            NewBody {
                name,
                kind: BodyKind::Module,
            },
        );
        self.statements(body);
        self.close();
    }

    /// Notes that what stands here is left out: one fault a file will do.
    pub(super) fn too_deep(&mut self, range: TextRange) {
        if std::mem::replace(&mut self.told_depth, true) {
            return;
        }
        self.facts.faults.push(Fault {
            at: range.start().into(),
            message: format!("nested more than {DEPTH_MAX} deep; what is further in is left out"),
        });
    }

    /// Begins a body; what is emitted from now on is its own.
    pub(super) fn open(&mut self, scope: usize, new: NewBody) -> u32 {
        let visible = &self.scopes.list[scope];
        let all = matches!(new.kind, BodyKind::Module | BodyKind::Class);
        let mut cells: Vec<&String> = if all {
            visible.bound.iter().collect()
        } else {
            visible.captured.iter().collect()
        };
        cells.sort();
        let cells = cells.into_iter().map(|name| self.name(name)).collect();
        self.begin(scope, cells, new)
    }

    fn begin(&mut self, scope: usize, cells: Vec<Name>, new: NewBody) -> u32 {
        let function = self.facts.functions.len() as u32;
        self.facts.functions.push(FunctionFacts {
            name: new.name,
            kind: new.kind,
            parent: self.frames.last().map(|frame| frame.function),
            parameters: Vec::new(),
            operations: Vec::new(),
            slots: 2,
            cells,
            fields: Vec::new(),
            settled: Vec::new(),
            gives_awaitable: true,
            receiver: Receiver::Object,
            guards: Vec::new(),
            uses: Uses::default(),
            origins: Origins::default(),
        });
        self.frames.push(Frame {
            function,
            scope,
            operations: Vec::new(),
            slots: 2,
            versions: Some(FxHashMap::default()),
            loops: Vec::new(),
            branches: 0,
            recorders: Vec::new(),
            fields: Vec::new(),
            stores: Vec::new(),
            shadows: Vec::new(),
            tests: Vec::new(),
            kept: Vec::new(),
            within: Vec::new(),
            passed: None,
            guards: Vec::new(),
            pending: Vec::new(),
            noted: None,
        });
        function
    }

    /// Begins the body of a generator expression, which sees the names of the body around it.
    pub(super) fn open_expression(&mut self, new: NewBody) -> u32 {
        let scope = self.frame().scope;
        let function = self.begin(scope, Vec::new(), new);
        self.facts_of(function).receiver = Receiver::Nothing;
        self.frame().passed = Some(Vec::new());
        function
    }

    /// Ends it; gives what has to be given to it.
    pub(super) fn close_expression(&mut self) -> Box<[(Name, Slot)]> {
        let passed = self.frame().passed.take().unwrap_or_default();
        self.close();
        let given = passed.iter().map(|passed| (passed.name, passed.outside));
        given.collect()
    }

    /// Gives a slot of the body around it to the generator expression that is open.
    pub(super) fn pass(&mut self, name: Name, outside: Slot) -> Slot {
        let inside = self.slot();
        let function = self.frame().function;
        self.facts_of(function).parameters.push(Parameter {
            name,
            kind: ParameterKind::KeywordOnly,
            slot: inside,
        });
        let passed = self.frame().passed.get_or_insert_default();
        passed.push(Passed {
            name,
            outside,
            inside,
        });
        inside
    }

    /// What `name` holds in a generator expression: its own target, or what is given to it.
    fn read_passed(&mut self, range: TextRange, name: &str) -> Slot {
        let number = self.name(name);
        let frame = self.frame();
        let own = frame.versions.as_ref().and_then(|known| known.get(&number));
        let mut passed = frame.passed.iter().flatten();
        let known = own.copied().or_else(|| {
            let known = passed.find(|passed| passed.name == number);
            known.map(|passed| passed.inside)
        });
        if let Some(slot) = known {
            return slot;
        }
        let Some(frame) = self.frames.pop() else {
            return RETURNS;
        };
        let outside = self.read(range, name);
        self.frames.push(frame);
        self.pass(number, outside)
    }

    /// A function that is made where a test for coroutine functions has passed is there only if
    /// the test can pass: decorators have a wrapper for either kind.
    pub(super) fn given_by_tests(&mut self, range: TextRange, from: Slot) -> Slot {
        let frame = self.frame();
        let mut tests = frame.tests.iter().rev();
        let here = tests.find(|tested| {
            let mut versions = frame.versions.iter().flatten();
            versions.any(|(_, slot)| *slot == tested.kept)
        });
        let Some(Tested { kept, subject, .. }) = here.copied() else {
            return from;
        };
        let to = self.slot();
        let by = Trait::Given { subject, kept };
        self.emit(range, Action::Filter { to, from, by });
        to
    }

    /// Bodies of generator expressions stand between those that names are looked up in.
    fn hops(&self, hops: u32) -> u32 {
        let mut left = hops;
        let mut all = 0;
        for frame in self.frames.iter().rev().skip(1) {
            if left == 0 {
                break;
            }
            all += 1;
            left -= u32::from(frame.passed.is_none());
        }
        all
    }

    /// Ends the body that was opened last.
    pub(super) fn close(&mut self) {
        self.publish();
        if let Some(frame) = self.frames.pop() {
            let function = &mut self.facts.functions[frame.function as usize];
            function.operations = frame.operations.into_boxed_slice().into_vec();
            function.slots = frame.slots;
            function.fields = frame.fields;
            function.guards = frame.guards;
        }
    }

    /// Stores the last version of each name that a module's or class's body has set.
    fn publish(&mut self) {
        let stores = std::mem::take(&mut self.frame().stores);
        let last = self.frame().versions.clone();
        let mut written: Vec<(Name, Slot)> = stores
            .into_iter()
            .map(|(name, from)| {
                let version = last.as_ref().and_then(|versions| versions.get(&name));
                // Where the body does not end, any version may be seen.
                (name, version.copied().unwrap_or(from))
            })
            .collect();
        written.sort_unstable();
        written.dedup();
        for (name, from) in written {
            self.emit(
                TextRange::default(),
                Action::Store {
                    hops: 0,
                    name,
                    from,
                },
            );
        }
    }

    pub(super) fn facts_of(&mut self, function: u32) -> &mut FunctionFacts {
        &mut self.facts.functions[function as usize]
    }

    pub(super) fn frame(&mut self) -> &mut Frame {
        self.frames
            .last_mut()
            .expect("a module is open from its first statement to its last")
    }

    /// The number of a name.
    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.facts.names.len() as Name;
        self.facts.names.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    pub(super) fn slot(&mut self) -> Slot {
        let frame = self.frame();
        frame.slots += 1;
        frame.slots - 1
    }

    pub(super) fn emit(&mut self, range: TextRange, action: Action) {
        let span = span_of(range);
        self.frame().operations.push(Operation { span, action });
    }

    /// Whether code comes by here.
    pub(super) fn is_live(&mut self) -> bool {
        self.frame().versions.is_some()
    }

    /// What `name` holds here.
    pub(super) fn read(&mut self, range: TextRange, name: &str) -> Slot {
        if self.frame().passed.is_some() {
            return self.read_passed(range, name);
        }
        let number = self.name(name);
        let scopes = self.scopes;
        let frame = self.frame();
        let version = frame
            .versions
            .as_ref()
            .and_then(|known| known.get(&number).copied());
        if let (Some(slot), true) = (version, frame.shadows.contains(&number)) {
            return slot;
        }
        let scope = frame.scope;
        let place = scopes.find(scope, name);
        let is_class = scopes.list[scope].is_class;
        if let (Some(slot), Place::Own) = (version, place)
            && !scopes.list[scope].written_elsewhere.contains(name)
        {
            return slot;
        }
        let to = self.slot();
        let action = match place {
            Place::Own => self.own_cell(to, number, version),
            Place::Outer(hops) => Action::Load {
                to,
                hops: self.hops(hops),
                name: number,
            },
            Place::Builtin => Action::Builtin { to, name: number },
        };
        self.emit(range, action);
        if let (true, None, Place::Own) = (is_class, version, place)
            && let Place::Outer(hops) = scopes.find_outside(scope, name)
        {
            let hops = self.hops(hops);
            let name = number;
            self.emit(range, Action::Load { to, hops, name });
        }
        match place {
            Place::Outer(hops) => {
                let to = self.as_tested_outside(range, number, hops, to);
                self.as_passed_under(range, name, to)
            }
            Place::Own | Place::Builtin => to,
        }
    }

    /// A function that is made where a test has passed finds what passed.
    fn as_tested_outside(&mut self, range: TextRange, name: Name, hops: u32, from: Slot) -> Slot {
        let further = 1 + self.hops(hops) as usize;
        let outside = self.frames.len().checked_sub(further);
        let tested = outside.and_then(|at| self.frames[at].tested(name));
        let Some(by) = tested else { return from };
        let to = self.slot();
        self.emit(range, Action::Filter { to, from, by });
        to
    }

    fn own_cell(&mut self, to: Slot, name: Name, version: Option<Slot>) -> Action {
        if let Some(from) = version {
            self.emit(TextRange::default(), Action::Copy { to, from });
        }
        Action::Load { to, hops: 0, name }
    }

    /// `name` holds what `from` holds, from here on.
    pub(super) fn write(&mut self, range: TextRange, name: &str, from: Slot) {
        self.forget_tests(name);
        let number = self.name(name);
        let scopes = self.scopes;
        let frame = self.frame();
        let scope = frame.scope;
        if frame.shadows.contains(&number) || frame.passed.is_some() {
            self.version(number, from);
            return;
        }
        match scopes.find(scope, name) {
            Place::Outer(hops) => {
                let hops = self.hops(hops);
                self.emit(
                    range,
                    Action::Store {
                        hops,
                        name: number,
                        from,
                    },
                );
            }
            Place::Own | Place::Builtin => {
                self.version(number, from);
                let visible = &scopes.list[scope];
                if visible.is_class || visible.parent.is_none() {
                    // Others run when the body is through: they see the last version.
                    self.frame().stores.push((number, from));
                } else if visible.captured.contains(name) {
                    self.emit(
                        range,
                        Action::Store {
                            hops: 0,
                            name: number,
                            from,
                        },
                    );
                }
            }
        }
    }

    /// A new version of a variable of the body's own.
    pub(super) fn version(&mut self, name: Name, slot: Slot) {
        let frame = self.frame();
        if let Some(versions) = &mut frame.versions {
            versions.insert(name, slot);
        }
        let copies: Vec<Slot> = frame
            .recorders
            .iter()
            .filter_map(|known| known.get(&name).copied())
            .collect();
        for to in copies {
            self.emit(TextRange::default(), Action::Copy { to, from: slot });
        }
    }
}

/// A body that begins.
#[derive(Debug)]
pub(super) struct NewBody {
    pub(super) name: Name,
    pub(super) kind: BodyKind,
}
