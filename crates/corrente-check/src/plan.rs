//! The plan of a migration: what has to become asynchronous, endpoint by endpoint, in which order.
//!
//! Plain data for whoever shows it. `graph` finds the functions that wait, `together` the calls that
//! need not wait for one another, `measured` joins a recording, `order` says where to begin.

mod graph;
mod hooks;
mod measured;
mod order;
mod together;

use serde::Serialize;

use crate::finding::{Certainty, Extent, Place};
use crate::solve::{Inherited, Machine};
use crate::telling::Files;
use crate::{Source, reach};

use graph::Graph;
pub use measured::{Measured, Recorded, RecordingFault};

/// Version of the JSON of a plan.
const SCHEMA: &str = "corrente.plan/1";

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Name and version of the format.
    pub schema: &'static str,
    /// Endpoints that wait in blocking calls, in the order of work.
    pub endpoints: Vec<EndpointPlan>,
    /// Endpoints that nothing known blocks.
    pub free: Vec<FreeEndpoint>,
    /// What waits beside endpoints: hooks, middleware, signals.
    pub hooks: Vec<HookPlan>,
    /// Classes with handlers that wait in the framework's own code.
    pub inherited: Vec<InheritedPlan>,
    /// Functions that have to become asynchronous and that code outside of all endpoints calls too.
    pub shared: Vec<Shared>,
    /// Calls that need not wait for one another.
    pub together: Vec<Together>,
    /// The whole change.
    pub size: Size,
    /// Endpoints of the recording that no endpoint of the code was found for.
    pub unknown_in_recording: Vec<String>,
    /// Files that could not be read as a whole.
    pub faults: Vec<crate::finding::Fault>,
    /// What was looked at.
    pub extent: Extent,
}

/// An endpoint that waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointPlan {
    /// Its framework.
    pub framework: String,
    /// Its route, with the prefixes that are in sight.
    pub route: Option<String>,
    /// Methods of HTTP; none where they are not known.
    pub methods: Vec<String>,
    /// The function.
    pub function: String,
    /// Where it is.
    pub place: Place,
    /// Functions that have to become asynchronous, itself first.
    pub functions: Vec<FunctionPlan>,
    /// What it waits in.
    pub calls: Vec<BlockingCall>,
    /// It renders a template: what that asks for is not seen.
    pub renders: bool,
    /// What waits beside it, by number in the plan's list.
    pub hooks: Vec<usize>,
    /// The change for this endpoint alone.
    pub size: Size,
    /// Functions that no endpoint before it in the order has changed already.
    pub new_functions: usize,
    /// What a recording says of it.
    pub measured: Option<Measured>,
}

/// An endpoint that nothing known blocks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FreeEndpoint {
    /// Its route.
    pub route: Option<String>,
    /// The function.
    pub function: String,
    /// Where it is.
    pub place: Place,
    /// It is a coroutine already.
    pub asynchronous: bool,
    /// It renders a template: what that asks for is not seen.
    pub renders: bool,
    /// What waits beside it, by number in the plan's list.
    pub hooks: Vec<usize>,
}

/// A function that runs beside endpoints and waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HookPlan {
    /// Its framework.
    pub framework: String,
    /// What it is: `middleware`, `signal post_save`.
    pub kind: String,
    /// The function.
    pub function: String,
    /// Where it is.
    pub place: Place,
    /// Endpoints that it touches.
    pub endpoints: usize,
    /// Functions that have to become asynchronous, itself first.
    pub functions: Vec<FunctionPlan>,
    /// What it waits in.
    pub calls: Vec<BlockingCall>,
    /// The change for it alone.
    pub size: Size,
}

/// A class with handlers that the framework has written, and that wait there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InheritedPlan {
    /// Its framework.
    pub framework: String,
    /// The class.
    pub class: String,
    /// Where it is.
    pub place: Place,
    /// The framework's class that has the handlers.
    pub base: String,
    /// The handlers.
    pub handlers: Vec<String>,
    /// What takes their place.
    pub instead: String,
}

/// A function that has to become asynchronous.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionPlan {
    /// Its name, with the class that it is a method of.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Endpoints that need it so.
    pub endpoints: usize,
    /// Why `async def` alone will not do.
    pub obstacle: Option<&'static str>,
}

/// A call in which an endpoint waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockingCall {
    /// What is called.
    pub call: String,
    /// The rule.
    pub rule: String,
    /// How certain it is that it blocks.
    pub certainty: Certainty,
    /// Where.
    pub place: Place,
    /// In which function.
    pub function: String,
    /// What to call instead.
    pub instead: String,
}

/// Size of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Functions that become `async def`.
    pub functions: usize,
    /// Lines to touch: their `def` lines, and calls that are awaited or replaced.
    pub lines: usize,
}

/// A function that both worlds need.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shared {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Who calls it outside of all endpoints.
    pub callers: Vec<Caller>,
}

/// A function that calls another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Caller {
    /// The call.
    pub place: Place,
    /// The function that makes it.
    pub name: String,
}

/// Calls that need not wait for one another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Together {
    /// The function.
    pub function: String,
    /// One after another, or one call again and again.
    pub kind: TogetherKind,
    /// The calls.
    pub calls: Vec<CallSite>,
}

/// How calls that could overlap stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TogetherKind {
    /// One after another, and no one takes what another gave.
    Sequence,
    /// In a loop whose rounds do not take what others gave.
    Loop,
}

/// A call and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallSite {
    /// What is called.
    pub call: String,
    /// Where.
    pub place: Place,
}

/// Makes a plan of what the machine knows.
pub(crate) fn make(
    machine: &Machine<'_>,
    inherited: &[Inherited],
    sources: &[Source],
    recorded: Option<&Recorded>,
) -> Plan {
    let graph = Graph::of(machine, sources);
    let facts = &machine.program.facts();
    let (mut endpoints, free) = graph.endpoints();
    let unknown_in_recording = recorded.map_or_else(Vec::new, |recorded| {
        measured::join(recorded, &mut endpoints, &free)
    });
    Plan {
        schema: SCHEMA,
        endpoints: order::ordered(endpoints),
        free,
        hooks: graph.hook_plans(),
        inherited: inherited.iter().map(|one| graph.inherited(one)).collect(),
        shared: graph.shared(),
        together: together::find(&graph),
        size: graph.size(),
        unknown_in_recording,
        faults: Files { sources, facts }.faults(),
        extent: reach::extent(machine, graph.starts.len()),
    }
}
