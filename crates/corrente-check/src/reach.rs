//! From what the machine knows to findings: which blocking calls a coroutine reaches, and how.
//!
//! The search starts at all coroutines and callbacks at once, so the first chain to a call is a
//! shortest one; it takes certain steps before probable ones. A chain never passes through another
//! coroutine: that one is a start of its own. A call is told once, however many chains lead to it.

use std::collections::VecDeque;
use std::collections::hash_map::Entry as Slot;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::Source;
use crate::facts::{Action, BodyKind, ModuleFacts, Span};
use crate::finding::{Certainty, Extent, Fault, Finding, Place, Report, SUPPRESSION, Step, short};
use crate::program::FunctionId;
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

/// Makes the report.
pub(crate) fn report(machine: &Machine<'_>, sources: &[Source]) -> Report {
    let mut search = Search::new(machine, sources);
    search.run();
    let mut report = search.findings();
    report.findings.extend(without_reason(machine, sources));
    report.faults = faults(machine, sources);
    report.extent = extent(machine, search.starts.len());
    report
}

struct Search<'a, 'm> {
    machine: &'a Machine<'m>,
    sources: &'a [Source],
    starts: FxHashMap<InstanceId, String>,
    arrivals: FxHashMap<InstanceId, Arrival>,
    callers: FxHashMap<InstanceId, Vec<InstanceId>>,
    /// The circumstances of each function.
    bodies: FxHashMap<FunctionId, Vec<InstanceId>>,
}

impl<'a, 'm> Search<'a, 'm> {
    fn new(machine: &'a Machine<'m>, sources: &'a [Source]) -> Self {
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
            if !is_test(machine, instance.function) && !machine.is_expression(body) {
                starts.insert(body, reason.to_owned());
            }
        }
        for entry in &machine.entries {
            starts
                .entry(entry.instance)
                .or_insert_with(|| entry.reason.clone());
        }
        Self {
            machine,
            sources,
            starts,
            arrivals: FxHashMap::default(),
            callers: FxHashMap::default(),
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
            if self.certainty_of(edge, to) > certainty || self.is_start(to) {
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

    fn is_start(&self, instance: InstanceId) -> bool {
        self.starts.contains_key(&instance)
    }

    fn findings(&self) -> Report {
        let mut best: FxHashMap<(u32, Span, u32), (Certainty, u32, InstanceId)> =
            FxHashMap::default();
        let mut reached: Vec<InstanceId> = self.arrivals.keys().copied().collect();
        reached.sort_unstable();
        for at in reached {
            let instance = &self.machine.instances[at.0 as usize];
            let module = self.machine.program.module_number(instance.function);
            for edge in &instance.edges {
                let Reach::Leaf(leaf) = edge.to else { continue };
                if self.is_told_already(instance.function, leaf) {
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
        let mut findings: Vec<(Finding, u32)> = best
            .into_iter()
            .map(|((module, span, leaf), (_, _, at))| (self.finding(span, leaf, at), module))
            .collect();
        findings.sort_by(|(a, _), (b, _)| {
            (a.certainty, &a.place, &a.call).cmp(&(b.certainty, &b.place, &b.call))
        });
        number_fingerprints(&mut findings);
        self.sift(findings)
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

    fn finding(&self, span: Span, leaf: u32, at: InstanceId) -> Finding {
        let machine = self.machine;
        let leaf = machine.leaves[leaf as usize];
        let rule = &machine.catalogue.rules[leaf.rule as usize];
        let mut chain = vec![self.step(at, span)];
        let mut start = at;
        while let Some((from, edge)) = self.arrivals[&start].from {
            chain.push(self.step(from, edge.span));
            start = from;
        }
        chain.reverse();
        let place = self.place(at, span);
        let function = machine
            .program
            .qualified(machine.instances[at.0 as usize].function);
        let call = short(machine.symbols.text(leaf.key)).to_owned();
        Finding {
            rule: rule.name.clone(),
            certainty: rule.certainty.max(self.arrivals[&at].certainty),
            fingerprint: format!("{}:{function}:{call}", place.path),
            place,
            chain,
            entry: self.starts.get(&start).cloned().unwrap_or_default(),
            reached_from: self.count(at),
            instead: rule.instead.clone(),
            call,
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

    fn step(&self, at: InstanceId, span: Span) -> Step {
        let function = self.machine.instances[at.0 as usize].function;
        Step {
            function: self.machine.program.qualified(function),
            place: self.place(at, span),
        }
    }

    fn place(&self, at: InstanceId, span: Span) -> Place {
        let function = self.machine.instances[at.0 as usize].function;
        let number = self.machine.program.module_number(function);
        let module = &self.machine.program.modules[number as usize];
        place(&self.sources[number as usize], &module.facts, span)
    }

    fn sift(&self, findings: Vec<(Finding, u32)>) -> Report {
        let mut report = Report::default();
        for (finding, module) in findings {
            let pardons = &self.machine.program.modules[module as usize].facts.pardons;
            let pardoned = pardons.iter().any(|pardon| {
                let named = pardon.rules.is_empty() || pardon.rules.contains(&finding.rule);
                pardon.line == finding.place.line && named
            });
            if pardoned {
                report.suppressed.push(finding);
            } else {
                report.findings.push(finding);
            }
        }
        report
    }
}

/// Comments that silence findings and do not say why.
fn without_reason(machine: &Machine<'_>, sources: &[Source]) -> Vec<Finding> {
    let mut found: Vec<(Finding, u32)> = Vec::new();
    for ((module, source), number) in machine.program.modules.iter().zip(sources).zip(0..) {
        let pardons = module.facts.pardons.iter();
        for pardon in pardons.filter(|pardon| pardon.reason.is_empty()) {
            let place = Place {
                path: source.path.clone(),
                line: pardon.line,
                column: pardon.column,
                end_column: pardon.end_column,
            };
            let finding = Finding {
                rule: SUPPRESSION.to_owned(),
                call: "# corrente: ignore".to_owned(),
                certainty: Certainty::Certain,
                fingerprint: format!("{}:{SUPPRESSION}", place.path),
                place,
                chain: Vec::new(),
                entry: String::new(),
                reached_from: 1,
                instead: "`# corrente: ignore[rule] why it may block here`".to_owned(),
            };
            found.push((finding, number));
        }
    }
    number_fingerprints(&mut found);
    found.into_iter().map(|(finding, _)| finding).collect()
}

/// Equal calls in one function are told apart by their order.
fn number_fingerprints(findings: &mut [(Finding, u32)]) {
    let mut seen: FxHashMap<String, usize> = FxHashMap::default();
    for (finding, _) in findings {
        let count = seen.entry(finding.fingerprint.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.fingerprint = format!("{}#{count}", finding.fingerprint);
        }
    }
}

pub(crate) fn place(source: &Source, facts: &ModuleFacts, span: Span) -> Place {
    let line = facts
        .lines
        .partition_point(|start| *start <= span.start)
        .max(1);
    let start = facts.lines.get(line - 1).copied().unwrap_or(0);
    let end = facts
        .lines
        .get(line)
        .map_or(source.text.len() as u32, |next| next - 1);
    let characters = |upto: u32| {
        let text = source.text.get(start as usize..upto.min(end) as usize);
        text.map_or(0, |text| text.chars().count()) as u32 + 1
    };
    Place {
        path: source.path.clone(),
        line: line as u32,
        column: characters(span.start),
        end_column: characters(span.end.max(span.start)),
    }
}

/// Tests run on a loop of their own, where a stall stalls nobody.
pub(crate) fn is_test(machine: &Machine<'_>, function: FunctionId) -> bool {
    let path = &machine.program.module_of(function).path;
    let file = path.rsplit('/').next().unwrap_or(path);
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    file.starts_with("test_")
        || file.ends_with("_test.py")
        || file == "conftest.py"
        || folders
            .split('/')
            .any(|folder| folder == "tests" || folder == "test")
}

pub(crate) fn faults(machine: &Machine<'_>, sources: &[Source]) -> Vec<Fault> {
    let modules = machine.program.modules.iter().zip(sources);
    modules
        .flat_map(|(module, source)| {
            module.facts.faults.iter().map(|fault| Fault {
                place: place(
                    source,
                    &module.facts,
                    Span {
                        start: fault.at,
                        end: fault.at,
                    },
                ),
                message: fault.message.clone(),
            })
        })
        .collect()
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
