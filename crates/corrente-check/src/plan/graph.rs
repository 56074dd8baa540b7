//! Which functions wait: from each endpoint down to the blocking calls, and back up.
//!
//! A function has to become asynchronous for an endpoint when the endpoint reaches it and it reaches
//! a blocking call. Advice about large data ([`Certainty::Possible`]) makes nobody asynchronous.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::hooks::Beside;
use super::{BlockingCall, Caller, EndpointPlan, FreeEndpoint, FunctionPlan, Shared, Size};
use crate::facts::{BodyKind, Span};
use crate::finding::{Certainty, Place, short};
use crate::program::FunctionId;
use crate::solve::{Edge, Endpoint, InstanceId, Machine, Reach};
use crate::{Source, reach, telling};

/// Callers outside of all endpoints that are told of one function.
const CALLERS_MAX: usize = 5;

/// Methods that Python calls itself and does not await.
const SPECIAL: &str = "Python calls it and does not await it";

/// The rule of calls that render a template.
const TEMPLATE: &str = "template";

/// What an endpoint reaches.
pub(super) struct Waiting {
    /// All bodies.
    pub(super) reached: FxHashSet<InstanceId>,
    /// Those that reach a blocking call.
    pub(super) waits: FxHashSet<InstanceId>,
}

/// Functions and calls, seen from endpoints.
pub(super) struct Graph<'a, 'm> {
    pub(super) machine: &'a Machine<'m>,
    pub(super) sources: &'a [Source],
    /// Endpoints, one for each function and route.
    pub(super) starts: Vec<(&'a Endpoint, Waiting)>,
    /// What runs beside them and waits.
    pub(super) beside: Vec<Beside<'a>>,
    /// Endpoints that need a function to be asynchronous.
    needed: FxHashMap<FunctionId, usize>,
}

impl<'a, 'm> Graph<'a, 'm> {
    pub(super) fn of(machine: &'a Machine<'m>, sources: &'a [Source]) -> Self {
        let mut seen = FxHashSet::default();
        let mut starts = Vec::new();
        for endpoint in &machine.endpoints {
            let function = machine.instances[endpoint.instance.0 as usize].function;
            let is_new = seen.insert((function, &endpoint.route, &endpoint.methods));
            if is_new && !reach::is_test(machine, function) {
                starts.push((endpoint, waiting(machine, endpoint.instance)));
            }
        }
        let beside = Beside::all(machine, &starts);
        let needed = needed(machine, &starts, &beside);
        Self {
            machine,
            sources,
            starts,
            beside,
            needed,
        }
    }

    /// Those that wait, and those that do not.
    pub(super) fn endpoints(&self) -> (Vec<EndpointPlan>, Vec<FreeEndpoint>) {
        let mut plans = Vec::new();
        let mut free = Vec::new();
        for (number, (endpoint, waiting)) in self.starts.iter().enumerate() {
            let function = self.function_of(endpoint.instance);
            let kind = self.machine.program.function(function).kind;
            let asynchronous = matches!(kind, BodyKind::Coroutine | BodyKind::AsyncGenerator);
            if asynchronous || waiting.waits.is_empty() {
                free.push(FreeEndpoint {
                    route: endpoint.route.clone(),
                    function: self.machine.program.qualified(function),
                    place: self.place_of(function),
                    asynchronous,
                    renders: renders(self.machine, waiting),
                    hooks: self.hooks_of(number),
                });
            } else {
                let mut plan = self.endpoint(endpoint, waiting);
                plan.hooks = self.hooks_of(number);
                plans.push(plan);
            }
        }
        (plans, free)
    }

    fn endpoint(&self, endpoint: &Endpoint, waiting: &Waiting) -> EndpointPlan {
        let own = self.function_of(endpoint.instance);
        let all = self.functions_with(own, waiting);
        EndpointPlan {
            framework: endpoint.framework.clone(),
            route: endpoint.route.clone(),
            methods: endpoint.methods.clone(),
            function: self.machine.program.qualified(own),
            place: self.place_of(own),
            functions: all.iter().map(|function| self.planned(*function)).collect(),
            calls: self.calls(waiting),
            renders: renders(self.machine, waiting),
            hooks: Vec::new(),
            size: self.size_of(std::iter::once(waiting)),
            new_functions: all.len(),
            measured: None,
        }
    }

    /// The functions that wait, this one first.
    pub(super) fn functions_with(&self, own: FunctionId, waiting: &Waiting) -> Vec<FunctionId> {
        let mut all: Vec<FunctionId> = functions(self.machine, &waiting.waits)
            .into_iter()
            .filter(|function| *function != own)
            .collect();
        all.insert(0, own);
        all
    }

    pub(super) fn planned(&self, function: FunctionId) -> FunctionPlan {
        FunctionPlan {
            name: self.machine.program.qualified(function),
            place: self.place_of(function),
            endpoints: self.needed.get(&function).copied().unwrap_or_default(),
            obstacle: self.obstacle(function),
        }
    }

    fn obstacle(&self, function: FunctionId) -> Option<&'static str> {
        let name = self.machine.program.qualified(function);
        let last = name.rsplit('.').next().unwrap_or_default();
        match self.machine.program.function(function).kind {
            BodyKind::Module | BodyKind::Class => Some("it runs when it is imported"),
            _ if last == "<lambda>" => Some("a lambda cannot await"),
            _ if last == "__call__" || last == "__enter__" || last == "__exit__" => None,
            _ if last.starts_with("__") && last.ends_with("__") => Some(SPECIAL),
            _ => None,
        }
    }

    pub(super) fn calls(&self, waiting: &Waiting) -> Vec<BlockingCall> {
        let mut found: BTreeMap<(Place, String), BlockingCall> = BTreeMap::new();
        for at in &waiting.waits {
            for edge in blocking(self.machine, *at) {
                let Reach::Leaf(leaf) = edge.to else { continue };
                let leaf = self.machine.leaves[leaf as usize];
                let rule = &self.machine.catalogue.rules[leaf.rule as usize];
                let call = short(self.machine.symbols.text(leaf.key)).to_owned();
                let place = self.place(*at, edge.span);
                let key = (place.clone(), call.clone());
                found.entry(key).or_insert_with(|| BlockingCall {
                    call,
                    rule: rule.name.clone(),
                    certainty: rule.certainty.max(edge.certainty),
                    place,
                    function: self.machine.program.qualified(self.function_of(*at)),
                    instead: rule.instead.clone(),
                });
            }
        }
        found.into_values().collect()
    }

    /// The change for all endpoints.
    pub(super) fn size(&self) -> Size {
        let beside = self.beside.iter().map(|one| &one.waiting);
        self.size_of(self.starts.iter().map(|(_, waiting)| waiting).chain(beside))
    }

    pub(super) fn size_of<'w>(&self, all: impl Iterator<Item = &'w Waiting>) -> Size {
        let mut changed: BTreeSet<FunctionId> = BTreeSet::new();
        let mut lines: BTreeSet<(String, u32)> = BTreeSet::new();
        for waiting in all {
            changed.extend(functions(self.machine, &waiting.waits));
            for at in &waiting.waits {
                for edge in &self.machine.instances[at.0 as usize].edges {
                    let counts = match edge.to {
                        Reach::Body(to) => waiting.waits.contains(&to),
                        Reach::Leaf(_) => is_blocking(self.machine, edge),
                    };
                    if counts {
                        let place = self.place(*at, edge.span);
                        lines.insert((place.path, place.line));
                    }
                }
            }
        }
        for function in &changed {
            let place = self.place_of(*function);
            lines.insert((place.path, place.line));
        }
        Size {
            functions: changed.len(),
            lines: lines.len(),
        }
    }

    /// Functions that wait and that code outside of all endpoints calls.
    pub(super) fn shared(&self) -> Vec<Shared> {
        let mut inside: FxHashSet<FunctionId> = FxHashSet::default();
        for (_, waiting) in &self.starts {
            inside.extend(functions(self.machine, &waiting.reached));
        }
        for one in &self.beside {
            inside.extend(functions(self.machine, &one.waiting.reached));
        }
        let mut callers: BTreeMap<FunctionId, BTreeSet<Caller>> = BTreeMap::new();
        for (number, instance) in self.machine.instances.iter().enumerate() {
            let caller = instance.function;
            if inside.contains(&caller) || reach::is_test(self.machine, caller) {
                continue;
            }
            for edge in &instance.edges {
                let Reach::Body(to) = edge.to else { continue };
                let called = self.function_of(to);
                if self.needed.contains_key(&called) {
                    callers.entry(called).or_default().insert(Caller {
                        place: self.place(InstanceId(number as u32), edge.span),
                        name: self.machine.program.qualified(caller),
                    });
                }
            }
        }
        let shared = callers.into_iter().map(|(function, callers)| Shared {
            name: self.machine.program.qualified(function),
            place: self.place_of(function),
            callers: callers.into_iter().take(CALLERS_MAX).collect(),
        });
        shared.collect()
    }

    pub(super) fn function_of(&self, instance: InstanceId) -> FunctionId {
        self.machine.instances[instance.0 as usize].function
    }

    pub(super) fn place(&self, at: InstanceId, span: Span) -> Place {
        self.place_in(self.function_of(at), span)
    }

    pub(super) fn place_in(&self, function: FunctionId, span: Span) -> Place {
        let number = self.machine.program.module_number(function);
        let module = &self.machine.program.modules[number as usize];
        telling::place(&self.sources[number as usize], &module.facts, span)
    }

    /// Where a function's name stands.
    pub(super) fn place_of(&self, function: FunctionId) -> Place {
        let span = self.machine.program.definition(function);
        self.place_in(function, span)
    }
}

/// Endpoints that need each function to be asynchronous.
fn needed(
    machine: &Machine<'_>,
    starts: &[(&Endpoint, Waiting)],
    beside: &[Beside<'_>],
) -> FxHashMap<FunctionId, usize> {
    let mut needed: FxHashMap<FunctionId, usize> = FxHashMap::default();
    for (number, (_, waiting)) in starts.iter().enumerate() {
        let mut all = functions(machine, &waiting.waits);
        for one in beside.iter().filter(|one| one.touched.contains(&number)) {
            all.extend(functions(machine, &one.waiting.waits));
        }
        for function in all {
            *needed.entry(function).or_default() += 1;
        }
    }
    needed
}

/// Whether what an endpoint reaches renders a template.
pub(super) fn renders(machine: &Machine<'_>, waiting: &Waiting) -> bool {
    let edges = waiting
        .reached
        .iter()
        .flat_map(|at| &machine.instances[at.0 as usize].edges);
    let mut leaves = edges.filter_map(|edge| match edge.to {
        Reach::Leaf(leaf) => Some(machine.leaves[leaf as usize].rule),
        Reach::Body(_) => None,
    });
    leaves.any(|rule| machine.catalogue.rules[rule as usize].name == TEMPLATE)
}

/// From where a search begins to what it reaches.
pub(super) fn waiting(machine: &Machine<'_>, start: InstanceId) -> Waiting {
    let mut reached: FxHashSet<InstanceId> = std::iter::once(start).collect();
    let mut callers: FxHashMap<InstanceId, Vec<InstanceId>> = FxHashMap::default();
    let mut queue = vec![start];
    let mut blocked = Vec::new();
    while let Some(at) = queue.pop() {
        if blocking(machine, at).next().is_some() {
            blocked.push(at);
        }
        for edge in &machine.instances[at.0 as usize].edges {
            let Reach::Body(to) = edge.to else { continue };
            callers.entry(to).or_default().push(at);
            if reached.insert(to) {
                queue.push(to);
            }
        }
    }
    let mut waits: FxHashSet<InstanceId> = FxHashSet::default();
    while let Some(at) = blocked.pop() {
        if waits.insert(at) {
            blocked.extend(callers.get(&at).into_iter().flatten());
        }
    }
    Waiting { reached, waits }
}

/// The blocking calls that a body makes itself.
pub(super) fn blocking<'a>(
    machine: &'a Machine<'_>,
    at: InstanceId,
) -> impl Iterator<Item = &'a Edge> {
    let edges = machine.instances[at.0 as usize].edges.iter();
    edges.filter(|edge| is_blocking(machine, edge))
}

fn is_blocking(machine: &Machine<'_>, edge: &Edge) -> bool {
    let Reach::Leaf(leaf) = edge.to else {
        return false;
    };
    let rule = machine.leaves[leaf as usize].rule;
    machine.catalogue.rules[rule as usize].certainty < Certainty::Possible
}

fn functions(machine: &Machine<'_>, bodies: &FxHashSet<InstanceId>) -> BTreeSet<FunctionId> {
    let functions = bodies.iter();
    functions
        .map(|body| machine.instances[body.0 as usize].function)
        .collect()
}
