//! The graph of calls by name: what the suite of call graphs is compared with.
//!
//! A module's body is called as the module is, a function with the bodies around it:
//! `shop.api.Service.run`. Calls of libraries are not in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::BodyKind;
use crate::program::FunctionId;
use crate::solve::{Machine, Reach};

/// Whom each body calls, by name.
pub type CallGraph = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn call_graph(machine: &Machine<'_>) -> CallGraph {
    let mut graph = CallGraph::new();
    for instance in &machine.instances {
        let caller = name(machine, instance.function);
        for edge in &instance.edges {
            if let Reach::Body(to) = edge.to {
                let callee = machine.instances[to.0 as usize].function;
                let kind = machine.program.function(callee).kind;
                if matches!(kind, BodyKind::Module | BodyKind::Class) {
                    // It runs, but nobody calls it.
                    continue;
                }
                let callees = graph.entry(caller.clone()).or_default();
                callees.insert(name(machine, callee));
            }
        }
    }
    graph
}

fn name(machine: &Machine<'_>, function: FunctionId) -> String {
    let module = machine.program.module_of(function);
    if module.first == function.0 {
        return module.name.clone();
    }
    format!("{}.{}", module.name, machine.program.qualified(function))
}
