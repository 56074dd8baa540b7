//! From what the machine knows to what is found: which blocking calls a coroutine reaches, and how.
//!
//! The search starts at all coroutines and callbacks at once, so the first chain to a call is a
//! shortest one; it takes certain steps before probable ones. A chain never passes through another
//! coroutine: that one is a start of its own. A call is told once, however many chains lead to it.

use std::collections::VecDeque;
use std::collections::hash_map::Entry as Slot;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Action, BodyKind, Span};
use crate::finding::{Certainty, Extent, short};
use crate::found::{Found, FoundCall, FoundStep};
use crate::program::{FunctionId, Module};
use crate::solve::{Edge, InstanceId, Machine, Reach};

/// Bodies that are looked at to count from where a call is reached.
const COUNTED_MAX: usize = 5_000;

/// How the search came to a body.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    from: Option<(InstanceId, Edge)>,
    certainty: Certainty,
    distance: u32,
}

/// Searches.
pub(crate) fn found(machine: &Machine<'_>) -> Found {
    let mut search = Search::new(machine);
    search.run();
    Found {
        calls: search.calls(),
        extent: extent(machine, search.starts.len()),
    }
}

struct Search<'a, 'm> {
    machine: &'a Machine<'m>,
    starts: FxHashMap<InstanceId, String>,
    arrivals: FxHashMap<InstanceId, Arrival>,
    callers: FxHashMap<InstanceId, Vec<InstanceId>>,
    /// Which modules are tests, or cannot be imported, by number.
    left_out: Vec<bool>,
    /// The circumstances of each function.
    bodies: FxHashMap<FunctionId, Vec<InstanceId>>,
}

impl<'a, 'm> Search<'a, 'm> {
    fn new(machine: &'a Machine<'m>) -> Self {
        let left_out = left_out(machine);
        let is_left_out = |function| left_out[machine.program.module_number(function) as usize];
        let mut starts = FxHashMap::default();
        let mut bodies: FxHashMap<FunctionId, Vec<InstanceId>> = FxHashMap::default();
        for (number, instance) in machine.instances.iter().enumerate() {
            let body = InstanceId(number as u32);
            bodies.entry(instance.function).or_default().push(body);
            let facts = machine.program.function(instance.function);
            let reason = match facts.kind {
                BodyKind::Coroutine => "coroutine",
                BodyKind::AsyncGenerator => "async generator",
                _ => continue,
            };
            if !is_left_out(instance.function)
                && !machine.is_expression(body)
                && !runs_as_called_only(machine, body)
            {
                starts.insert(body, reason.to_owned());
            }
        }
        for entry in &machine.entries {
            if is_left_out(machine.instances[entry.instance.0 as usize].function) {
                continue;
            }
            starts
                .entry(entry.instance)
                .or_insert_with(|| entry.reason.clone());
        }
        Self {
            machine,
            starts,
            arrivals: FxHashMap::default(),
            callers: FxHashMap::default(),
            left_out,
            bodies,
        }
    }

    fn run(&mut self) {
        let mut starts: Vec<InstanceId> = self.starts.keys().copied().collect();
        starts.sort_unstable();
        let begin = Arrival {
            from: None,
            certainty: Certainty::Certain,
            distance: 0,
        };
        self.arrivals
            .extend(starts.iter().map(|start| (*start, begin)));
        let mut reached = starts;
        for certainty in [Certainty::Certain, Certainty::Probable, Certainty::Possible] {
            let mut queue: VecDeque<InstanceId> = reached.iter().copied().collect();
            while let Some(at) = queue.pop_front() {
                for next in self.spread(at, certainty) {
                    queue.push_back(next);
                    reached.push(next);
                }
            }
        }
    }

    fn spread(&mut self, at: InstanceId, certainty: Certainty) -> Vec<InstanceId> {
        let arrival = self.arrivals[&at];
        let mut found = Vec::new();
        for edge in &self.machine.instances[at.0 as usize].edges {
            let Reach::Body(to) = edge.to else { continue };
            if self.certainty_of(edge, to) > certainty
                || self.is_start(to)
                || self.is_left_out(to)
                || self.is_of_script(at, edge.span)
            {
                continue;
            }
            let callers = self.callers.entry(to).or_default();
            if callers.last() != Some(&at) {
                callers.push(at);
            }
            if let Slot::Vacant(vacant) = self.arrivals.entry(to) {
                vacant.insert(Arrival {
                    from: Some((at, *edge)),
                    certainty: certainty.max(arrival.certainty),
                    distance: arrival.distance + 1,
                });
                found.push(to);
            }
        }
        found
    }

    /// A body in which circumstances are mixed up may call for others than for this caller.
    fn certainty_of(&self, edge: &Edge, to: InstanceId) -> Certainty {
        if self.machine.is_merged(to) {
            edge.certainty.max(Certainty::Probable)
        } else {
            edge.certainty
        }
    }

    /// Whether a body stands in a test, or where no import leads: a program does not call its tests, whatever
    /// they override.
    fn is_left_out(&self, to: InstanceId) -> bool {
        let function = self.machine.instances[to.0 as usize].function;
        self.left_out[self.machine.program.module_number(function) as usize]
    }

    /// Whether a call stands where only the main program comes by: a chain comes to a module by its import.
    fn is_of_script(&self, at: InstanceId, call: Span) -> bool {
        let program = self.machine.program;
        let function = self.machine.instances[at.0 as usize].function;
        if program.function(function).kind != BodyKind::Module {
            return false;
        }
        let mut scripts = program.module_of(function).facts.scripts.iter();
        scripts.any(|script| (script.start..script.end).contains(&call.start))
    }

    fn is_start(&self, instance: InstanceId) -> bool {
        self.starts.contains_key(&instance)
    }

    /// Each blocking call that was reached, by the nearest and most certain way, in no order.
    fn calls(&self) -> Vec<FoundCall<Span>> {
        let mut best: FxHashMap<(u32, Span, u32), (Certainty, u32, InstanceId)> =
            FxHashMap::default();
        let mut reached: Vec<InstanceId> = self.arrivals.keys().copied().collect();
        reached.sort_unstable();
        for at in reached {
            let instance = &self.machine.instances[at.0 as usize];
            let module = self.machine.program.module_number(instance.function);
            for edge in &instance.edges {
                let Reach::Leaf(leaf) = edge.to else { continue };
                if self.is_of_script(at, edge.span)
                    || self.is_told_already(instance.function, leaf)
                    || self.was_asked_before(instance.function, edge.span, leaf)
                {
                    continue;
                }
                let arrival = self.arrivals[&at];
                let known = best.entry((module, edge.span, leaf));
                let offer = (arrival.certainty, arrival.distance, at);
                known
                    .and_modify(|best| *best = (*best).min(offer))
                    .or_insert(offer);
            }
        }
        let best = best.into_iter();
        best.map(|((_, span, leaf), (_, _, at))| self.call(span, leaf, at))
            .collect()
    }

    /// `open` and `read` of one file in one function are one cause.
    fn is_told_already(&self, function: FunctionId, leaf: u32) -> bool {
        let machine = self.machine;
        let rule = &machine.catalogue.rules[machine.leaves[leaf as usize].rule as usize];
        let bodies = self.bodies.get(&function).map_or(&[][..], Vec::as_slice);
        !rule.after.is_empty()
            && bodies
                .iter()
                .flat_map(|body| &machine.instances[body.0 as usize].edges)
                .any(|edge| match edge.to {
                    Reach::Leaf(other) => {
                        let key = machine.symbols.text(machine.leaves[other as usize].key);
                        rule.after.contains(key)
                    }
                    Reach::Body(_) => false,
                })
    }

    /// A query keeps its rows: a loop over what `if` has asked for already does not wait.
    fn was_asked_before(&self, function: FunctionId, at: Span, leaf: u32) -> bool {
        let machine = self.machine;
        let rule = machine.leaves[leaf as usize].rule;
        if !machine.catalogue.rules[rule as usize].once {
            return false;
        }
        let asked = self.operands(function, at);
        let bodies = self.bodies.get(&function).map_or(&[][..], Vec::as_slice);
        let edges = bodies
            .iter()
            .flat_map(|body| &machine.instances[body.0 as usize].edges);
        let mut before = edges.filter(|edge| {
            edge.span.start < at.start
                && matches!(edge.to, Reach::Leaf(other) if machine.leaves[other as usize].rule == rule)
        });
        before.any(|edge| {
            let earlier = self.operands(function, edge.span);
            earlier.iter().any(|slot| asked.contains(slot))
        })
    }

    /// What the operations at a place ask: the slots of local variables are their values.
    fn operands(&self, function: FunctionId, at: Span) -> Vec<u32> {
        let operations = &self.machine.program.function(function).operations;
        let here = operations.iter().filter(|operation| operation.span == at);
        let asked = here.filter_map(|operation| match &operation.action {
            Action::Iterate { from, .. } => Some(*from),
            Action::Special { left, .. } => Some(*left),
            Action::Call(call) => call.arguments.first().map(|argument| argument.slot),
            _ => None,
        });
        asked.collect()
    }

    fn call(&self, span: Span, leaf: u32, at: InstanceId) -> FoundCall<Span> {
        let machine = self.machine;
        let leaf = machine.leaves[leaf as usize];
        let rule = &machine.catalogue.rules[leaf.rule as usize];
        let mut before = Vec::new();
        let mut start = at;
        while let Some((from, edge)) = self.arrivals[&start].from {
            before.push(self.step(from, edge.span));
            start = from;
        }
        before.reverse();
        FoundCall {
            rule: rule.name.clone(),
            call: short(machine.symbols.text(leaf.key)).to_owned(),
            certainty: rule.certainty.max(self.arrivals[&at].certainty),
            last: self.step(at, span),
            before,
            entry: self.starts.get(&start).cloned().unwrap_or_default(),
            reached_from: self.count(at),
            instead: rule.instead.clone(),
        }
    }

    /// The functions on the loop that reach a body.
    fn count(&self, at: InstanceId) -> usize {
        let mut seen: FxHashSet<InstanceId> = std::iter::once(at).collect();
        let mut queue = vec![at];
        let mut found: FxHashSet<FunctionId> = FxHashSet::default();
        while let Some(next) = queue.pop() {
            if self.is_start(next) {
                found.insert(self.machine.instances[next.0 as usize].function);
            }
            for caller in self.callers.get(&next).into_iter().flatten() {
                if seen.len() < COUNTED_MAX && seen.insert(*caller) {
                    queue.push(*caller);
                }
            }
        }
        found.len().max(1)
    }

    fn step(&self, at: InstanceId, span: Span) -> FoundStep<Span> {
        let function = self.machine.instances[at.0 as usize].function;
        let program = self.machine.program;
        let name = if program.function(function).kind == BodyKind::Module {
            format!("import {}", program.module_of(function).name)
        } else {
            program.qualified(function)
        };
        FoundStep {
            function: name,
            module: self.machine.program.module_number(function),
            at: span,
        }
    }
}

/// Whether a body is there only because the function is, and the program calls it with what it is known to
/// be given: then it runs as it is called.
fn runs_as_called_only(machine: &Machine<'_>, body: InstanceId) -> bool {
    let instance = &machine.instances[body.0 as usize];
    !instance.is_called && machine.is_called_with_constants(instance.function)
}

/// Which modules are tests, or hidden behind a package of their name.
fn left_out(machine: &Machine<'_>) -> Vec<bool> {
    let modules = machine.program.modules.iter();
    let is_out = |module: &Module| module.is_hidden || is_test(machine, FunctionId(module.first));
    modules.map(is_out).collect()
}

/// Tests run on a loop of their own, where a stall stalls nobody.
pub(crate) fn is_test(machine: &Machine<'_>, function: FunctionId) -> bool {
    let program = machine.program;
    let path = program.path_inside(program.module_of(function));
    let file = path.rsplit('/').next().unwrap_or(path);
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    file.starts_with("test_")
        || file.ends_with("_test.py")
        || file == "conftest.py"
        || folders
            .split('/')
            .any(|folder| folder == "tests" || folder == "test")
}

pub(crate) fn extent(machine: &Machine<'_>, starts: usize) -> Extent {
    let modules = &machine.program.modules;
    let mut extent = Extent {
        files: modules.len(),
        lines: modules.iter().map(|module| module.facts.lines.len()).sum(),
        functions: machine.program.functions().count(),
        entries: starts,
        overfull: machine.full_sets(),
        merged: machine.merged.len(),
        blurred: machine.blurred_collections(),
        cut: machine.cut.len(),
        ..Extent::default()
    };
    let mut resolved: FxHashSet<(FunctionId, usize)> = FxHashSet::default();
    let mut calls: FxHashSet<(FunctionId, usize)> = FxHashSet::default();
    for (number, instance) in machine.instances.iter().enumerate() {
        let facts = machine.program.function(instance.function);
        for (index, operation) in facts.operations.iter().enumerate() {
            if let Action::Call(call) = &operation.action {
                calls.insert((instance.function, index));
                if machine.is_known(InstanceId(number as u32), call.callee) {
                    resolved.insert((instance.function, index));
                }
            }
        }
    }
    extent.calls = calls.len();
    extent.unresolved = calls.len() - resolved.len();
    extent
}
