//! Calls that wait for the network one after another and need not.
//!
//! Only questions are told (`get`, `list`, …): the order of what changes something matters. Two calls
//! can overlap where they stand in the same block, nothing between them may leave it, and the second
//! takes nothing that comes from the first. A call in a loop can, where its rounds take nothing from
//! one another. Databases are left out: a connection does one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{Graph, blocking};
use super::{CallSite, Together, TogetherKind};
use crate::facts::{Action, Call, Key, Name, Slot, Span};
use crate::finding::short;
use crate::program::FunctionId;
use crate::solve::{InstanceId, Reach};
use crate::syntax::{Outline, STACK_BYTES, Statement};

/// Rules whose calls ask another machine.
const NETWORK: &[&str] = &["http", "cloud", "dns"];

/// How calls begin that ask and change nothing.
const QUESTIONS: &[&str] = &[
    "get", "head", "options", "list", "describe", "query", "retrieve", "download", "exists",
    "urlopen", "search", "fetch", "read",
];

/// Libraries whose every call is a question, whatever it is called.
const ASKING: &[&str] = &["openai.", "anthropic.", "cohere.", "ollama."];

/// A call that asks, in a function.
struct Site {
    span: Span,
    call: String,
}

/// All of them, by place.
pub(super) fn find(graph: &Graph<'_, '_>) -> Vec<Together> {
    let mut by_module: BTreeMap<u32, Vec<(FunctionId, Vec<Site>)>> = BTreeMap::new();
    for (function, sites) in sites(graph) {
        let module = graph.machine.program.module_number(function);
        by_module.entry(module).or_default().push((function, sites));
    }
    let mut found = Vec::new();
    for (module, functions) in by_module {
        let outline = outline(&graph.sources[module as usize].text);
        for (function, sites) in functions {
            let body = Body {
                graph,
                function,
                sites,
                outline: &outline,
            };
            found.extend(body.repeated());
            found.extend(body.sequences());
        }
    }
    found
}

/// Deep source needs a deep stack; without a thread for it nothing is told of the file.
fn outline(source: &str) -> Outline {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let started = thread.spawn_scoped(scope, || Outline::of(source));
        started
            .ok()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    })
}

/// For each function that an endpoint needs: its calls of which each way leads to questions only.
fn sites(graph: &Graph<'_, '_>) -> BTreeMap<FunctionId, Vec<Site>> {
    let mut asking: FxHashMap<InstanceId, bool> = FxHashMap::default();
    let mut found: BTreeMap<FunctionId, BTreeMap<Span, (String, bool)>> = BTreeMap::new();
    let bodies: BTreeSet<InstanceId> = graph
        .starts
        .iter()
        .flat_map(|(_, waiting)| waiting.waits.iter().copied())
        .collect();
    for at in &bodies {
        for edge in &graph.machine.instances[at.0 as usize].edges {
            let (call, asks) = match edge.to {
                Reach::Body(to) if bodies.contains(&to) => {
                    let asks = *asking.entry(to).or_insert_with(|| only_asks(graph, to));
                    (graph.machine.program.qualified(graph.function_of(to)), asks)
                }
                Reach::Leaf(leaf) if blocking(graph.machine, *at).any(|one| one.to == edge.to) => {
                    let key = graph
                        .machine
                        .symbols
                        .text(graph.machine.leaves[leaf as usize].key);
                    (short(key).to_owned(), is_question(graph, leaf))
                }
                _ => continue,
            };
            let sites = found.entry(graph.function_of(*at)).or_default();
            let site = sites.entry(edge.span).or_insert((call, true));
            site.1 &= asks;
        }
    }
    let only = found.into_iter().map(|(function, sites)| {
        let asking = sites.into_iter().filter(|(_, (_, asks))| *asks);
        let sites = asking.map(|(span, (call, _))| Site { span, call });
        (function, sites.collect::<Vec<Site>>())
    });
    only.filter(|(_, sites)| !sites.is_empty()).collect()
}

fn only_asks(graph: &Graph<'_, '_>, start: InstanceId) -> bool {
    let mut seen: FxHashSet<InstanceId> = std::iter::once(start).collect();
    let mut queue = vec![start];
    while let Some(at) = queue.pop() {
        for edge in blocking(graph.machine, at) {
            if let Reach::Leaf(leaf) = edge.to
                && !is_question(graph, leaf)
            {
                return false;
            }
        }
        for edge in &graph.machine.instances[at.0 as usize].edges {
            if let Reach::Body(to) = edge.to
                && seen.insert(to)
            {
                queue.push(to);
            }
        }
    }
    true
}

fn is_question(graph: &Graph<'_, '_>, leaf: u32) -> bool {
    let leaf = graph.machine.leaves[leaf as usize];
    let rule = &graph.machine.catalogue.rules[leaf.rule as usize];
    let key = graph.machine.symbols.text(leaf.key);
    let last = key.rsplit('.').next().unwrap_or_default();
    let asks = QUESTIONS.iter().any(|question| last.starts_with(question))
        || ASKING.iter().any(|library| key.starts_with(library));
    NETWORK.contains(&rule.name.as_str()) && asks
}

/// A function with its sites.
struct Body<'b, 'a, 'm> {
    graph: &'b Graph<'a, 'm>,
    function: FunctionId,
    sites: Vec<Site>,
    outline: &'b Outline,
}

impl Body<'_, '_, '_> {
    fn repeated(&self) -> Vec<Together> {
        let flow = self.flow();
        let in_loops = self.sites.iter().filter(|site| {
            let repetition = self.outline.repetition(site.span);
            repetition.is_some_and(|repetition| !repetition.may_leave)
                && !self.feeds(&flow, site, site)
        });
        in_loops
            .map(|site| self.told(TogetherKind::Loop, &[site]))
            .collect()
    }

    fn sequences(&self) -> Vec<Together> {
        let flow = self.flow();
        let mut found = Vec::new();
        let mut group: Vec<&Site> = Vec::new();
        for site in &self.sites {
            let joins = group.last().is_none_or(|last| self.may_follow(last, site))
                && !group.iter().any(|one| self.feeds(&flow, one, site));
            if !joins {
                found.extend(self.sequence(&group));
                group.clear();
            }
            if self.statement(site).is_some() {
                group.push(site);
            }
        }
        found.extend(self.sequence(&group));
        found
    }

    fn sequence(&self, group: &[&Site]) -> Option<Together> {
        (group.len() > 1).then(|| self.told(TogetherKind::Sequence, group))
    }

    fn told(&self, kind: TogetherKind, sites: &[&Site]) -> Together {
        let calls = sites.iter().map(|site| CallSite {
            call: site.call.clone(),
            place: self.graph.place_in(self.function, site.span),
        });
        Together {
            function: self.graph.machine.program.qualified(self.function),
            kind,
            calls: calls.collect(),
        }
    }

    /// The statement of a call that runs whenever its block does.
    fn statement(&self, site: &Site) -> Option<Statement> {
        let statement = self.outline.statement(site.span)?;
        let number = self.graph.machine.program.module_number(self.function);
        let text = &self.graph.sources[number as usize].text;
        let range = statement.span.start as usize..statement.span.end as usize;
        let depends = [" if ", " and ", " or ", "lambda", " for "];
        let text = text.get(range).unwrap_or_default();
        let certain = statement.simple && !depends.iter().any(|word| text.contains(word));
        certain.then_some(statement)
    }

    fn may_follow(&self, first: &Site, second: &Site) -> bool {
        let (Some(a), Some(b)) = (self.statement(first), self.statement(second)) else {
            return false;
        };
        let mut between = self.outline.statements.iter().filter(|one| {
            one.block == a.block && a.span.start <= one.span.start && one.span.start < b.span.start
        });
        a.block == b.block && a.span != b.span && !between.any(|one| one.may_leave)
    }

    /// Whether anything that comes from one call goes into another, its arguments' parts included.
    fn feeds(&self, flow: &Flow, from: &Site, into: &Site) -> bool {
        let sources = self.calls_at(from.span).map(|call| Node::Slot(call.to));
        let reached = flow.from(sources);
        let facts = self.graph.machine.program.function(self.function);
        let mut inside = Flow::default();
        for operation in &facts.operations {
            if into.span.start <= operation.span.start && operation.span.end <= into.span.end {
                inside.add(&operation.action);
            }
        }
        inside.edges.keys().any(|input| reached.contains(input))
    }

    fn calls_at(&self, span: Span) -> impl Iterator<Item = &Call> {
        let facts = self.graph.machine.program.function(self.function);
        let here = facts.operations.iter().filter(move |one| one.span == span);
        here.filter_map(|operation| match &operation.action {
            Action::Call(call) => Some(&**call),
            _ => None,
        })
    }

    fn flow(&self) -> Flow {
        let facts = self.graph.machine.program.function(self.function);
        let mut flow = Flow::default();
        for operation in &facts.operations {
            flow.add(&operation.action);
        }
        flow.add_receivers(facts.operations.iter().map(|operation| &operation.action));
        flow
    }
}

/// What values go through, within a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Slot(Slot),
    Variable(Name),
}

/// What goes where, within a function.
#[derive(Default)]
struct Flow {
    edges: FxHashMap<Node, Vec<Node>>,
}

impl Flow {
    fn add(&mut self, action: &Action) {
        use Node::{Slot as S, Variable};
        match action {
            Action::Copy { to, from }
            | Action::Attribute { to, base: from, .. }
            | Action::Iterate { to, from, .. }
            | Action::Enter { to, from, .. }
            | Action::Await { to, from }
            | Action::Filter { to, from, .. }
            | Action::SetAttribute { base: to, from, .. }
            | Action::Declare {
                to,
                annotation: from,
            } => self.put(S(*from), S(*to)),
            Action::Load { to, name, .. } => self.put(Variable(*name), S(*to)),
            Action::Store { name, from, .. } => self.put(S(*from), Variable(*name)),
            Action::Item { to, base, key } => {
                self.put(S(*base), S(*to));
                self.put_key(*key, *to);
            }
            Action::SetItem { base, key, from } => {
                self.put(S(*from), S(*base));
                self.put_key(*key, *base);
            }
            Action::Call(call) => {
                self.put(S(call.callee), S(call.to));
                for argument in &call.arguments {
                    self.put(S(argument.slot), S(call.to));
                }
            }
            Action::Collection(made) => {
                for slot in made.items.iter().map(|(_, slot)| slot).chain(&made.spread) {
                    self.put(S(*slot), S(made.to));
                }
            }
            Action::Special {
                to, left, right, ..
            } => {
                self.put(S(*left), S(*to));
                if let Some(right) = right {
                    self.put(S(*right), S(*to));
                }
            }
            Action::Function { to, defaults, .. } => {
                for (_, slot) in defaults {
                    self.put(S(*slot), S(*to));
                }
            }
            _ => {}
        }
    }

    /// `items.append(x)` puts `x` into `items`.
    fn add_receivers<'f>(&mut self, actions: impl Iterator<Item = &'f Action> + Clone) {
        let mut bases: FxHashMap<Slot, Slot> = FxHashMap::default();
        for action in actions.clone() {
            if let Action::Attribute { to, base, .. } = action {
                bases.insert(*to, *base);
            }
        }
        for action in actions {
            let Action::Call(call) = action else { continue };
            let Some(base) = bases.get(&call.callee) else {
                continue;
            };
            for argument in &call.arguments {
                self.put(Node::Slot(argument.slot), Node::Slot(*base));
            }
        }
    }

    fn put(&mut self, from: Node, to: Node) {
        self.edges.entry(from).or_default().push(to);
    }

    fn put_key(&mut self, key: Key, to: Slot) {
        if let Key::Slot(from) = key {
            self.put(Node::Slot(from), Node::Slot(to));
        }
    }

    fn from(&self, sources: impl Iterator<Item = Node>) -> FxHashSet<Node> {
        let mut queue: Vec<Node> = sources.collect();
        let mut seen: FxHashSet<Node> = queue.iter().copied().collect();
        while let Some(at) = queue.pop() {
            for next in self.edges.get(&at).into_iter().flatten() {
                if seen.insert(*next) {
                    queue.push(*next);
                }
            }
        }
        seen
    }
}
