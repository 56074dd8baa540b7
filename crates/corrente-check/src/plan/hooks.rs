//! What waits beside endpoints: hooks, middleware, signals, and handlers that the framework has written.
//!
//! A hook is told once, with the number of endpoints that it touches: what a middleware waits in is
//! no reason to begin with one endpoint rather than another.

use std::collections::BTreeSet;

use super::graph::{Graph, Waiting, renders, waiting};
use super::{HookPlan, InheritedPlan};
use crate::reach;
use crate::solve::{
    ClassId, Edge, Endpoint, Hook, HookReach, Inherited, InstanceId, Machine, Reach,
};

/// A hook that waits, and the endpoints that it touches, by number.
pub(super) struct Beside<'a> {
    hook: &'a Hook,
    pub(super) waiting: Waiting,
    pub(super) touched: BTreeSet<usize>,
}

impl<'a> Beside<'a> {
    /// All that wait and touch an endpoint.
    pub(super) fn all(machine: &'a Machine<'_>, starts: &[(&Endpoint, Waiting)]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for hook in &machine.hooks {
            let function = machine.instances[hook.instance.0 as usize].function;
            let waiting = waiting(machine, hook.instance);
            if reach::is_test(machine, function) || waiting.waits.is_empty() {
                continue;
            }
            let touched: BTreeSet<usize> = (0..)
                .zip(starts)
                .filter(|(_, (endpoint, waiting))| touches(machine, hook, endpoint, waiting))
                .map(|(number, _)| number)
                .collect();
            let is_same = |one: &Self| {
                let other = machine.instances[one.hook.instance.0 as usize].function;
                other == function && one.hook.kind == hook.kind
            };
            match found.iter_mut().find(|one| is_same(one)) {
                Some(known) => known.touched.extend(touched),
                None if touched.is_empty() => {}
                None => found.push(Self {
                    hook,
                    waiting,
                    touched,
                }),
            }
        }
        found
    }
}

fn touches(machine: &Machine<'_>, hook: &Hook, endpoint: &Endpoint, waiting: &Waiting) -> bool {
    if hook.framework != endpoint.framework {
        return false;
    }
    match &hook.reach {
        HookReach::All => true,
        HookReach::Rendering => renders(machine, waiting),
        HookReach::Routers(routers) => endpoint.owners.iter().any(|owner| {
            let mut outer = routers.iter();
            outer.any(|router| machine.is_inside(*owner, *router))
        }),
        HookReach::Calling { calls, models } => calls_one(machine, waiting, calls, models),
    }
}

/// Whether an endpoint reaches a call of one of these names, on one of these models if there are any.
fn calls_one(machine: &Machine<'_>, waiting: &Waiting, names: &[&str], models: &[ClassId]) -> bool {
    let is_one = |at: InstanceId, edge: &Edge| {
        let Reach::Leaf(leaf) = edge.to else {
            return false;
        };
        let key = machine.symbols.text(machine.leaves[leaf as usize].key);
        names.contains(&key.rsplit('.').next().unwrap_or(key))
            && (models.is_empty() || machine.is_of_model(at, edge.span, models))
    };
    waiting.reached.iter().any(|at| {
        let edges = &machine.instances[at.0 as usize].edges;
        edges.iter().any(|edge| is_one(*at, edge))
    })
}

impl Graph<'_, '_> {
    /// The hooks that touch an endpoint, by number in the plan's list.
    pub(super) fn hooks_of(&self, endpoint: usize) -> Vec<usize> {
        let all = self.beside.iter().enumerate();
        all.filter(|(_, one)| one.touched.contains(&endpoint))
            .map(|(number, _)| number)
            .collect()
    }

    pub(super) fn hook_plans(&self) -> Vec<HookPlan> {
        self.beside.iter().map(|one| self.hook(one)).collect()
    }

    fn hook(&self, one: &Beside<'_>) -> HookPlan {
        let own = self.function_of(one.hook.instance);
        let all = self.functions_with(own, &one.waiting);
        HookPlan {
            framework: one.hook.framework.clone(),
            kind: one.hook.kind.clone(),
            function: self.machine.program.qualified(own),
            place: self.place_of(own),
            endpoints: one.touched.len(),
            functions: all.iter().map(|function| self.planned(*function)).collect(),
            calls: self.calls(&one.waiting),
            size: self.size_of(std::iter::once(&one.waiting)),
        }
    }

    pub(super) fn inherited(&self, one: &Inherited) -> InheritedPlan {
        let body = self.machine.class_body(one.class);
        let place = self.place_of(body);
        InheritedPlan {
            framework: one.framework.clone(),
            class: self.machine.program.qualified(body),
            place,
            base: one.base.clone(),
            handlers: one.methods.clone(),
            instead: one.instead.clone(),
        }
    }
}
