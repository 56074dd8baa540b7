//! A plan for people, within 80 columns.
//!
//! Endpoints in the order of work, each with what has to change; then what concerns several of them.

use std::collections::BTreeMap;

use super::text::put;
use crate::finding::{Certainty, Place};
use crate::plan::{
    BlockingCall, EndpointPlan, FunctionPlan, InheritedPlan, Measured, Plan, Shared, Together,
    TogetherKind,
};

/// Columns of the text.
const WIDTH: usize = 80;

/// Functions and calls of an endpoint that are shown; `--json` has all.
const SHOWN_MAX: usize = 12;

/// Names in one line.
const FEW_MAX: usize = 3;

/// The plan as JSON.
pub fn plan_json(plan: &Plan) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(plan)? + "\n")
}

/// The plan as text.
pub fn plan(plan: &Plan) -> String {
    let mut page = Page::default();
    head(&mut page, plan);
    for (number, endpoint) in (1..).zip(&plan.endpoints) {
        page.line(0, "");
        one(&mut page, number, endpoint);
        notes(&mut page, plan, endpoint);
    }
    hooks(&mut page, plan);
    inherited(&mut page, &plan.inherited);
    together(&mut page, &plan.together);
    shared(&mut page, &plan.shared);
    if !plan.unknown_in_recording.is_empty() {
        page.title("In the recording, but not found in the code");
        for name in &plan.unknown_in_recording {
            page.line(2, name);
        }
    }
    page.text
}

fn head(page: &mut Page, plan: &Plan) {
    let waiting = plan.endpoints.len();
    if waiting + plan.free.len() == 0 {
        page.line(
            0,
            "no endpoint of Flask, Django, FastAPI, Falcon or Bottle was found; \
             name the folder with the application",
        );
        return;
    }
    let asynchronous = plan.free.iter().filter(|one| one.asynchronous).count();
    let mut line = format!(
        "{} of {} endpoints wait in blocking calls",
        waiting,
        waiting + plan.free.len()
    );
    if asynchronous > 0 {
        put(
            &mut line,
            format_args!("; {asynchronous} are asynchronous already"),
        );
    }
    page.line(0, &line);
    if plan.free.len() > asynchronous {
        let others = plan.free.len() - asynchronous;
        let words = "nothing that is known blocks the other";
        page.line(
            0,
            &format!("{words} {others}; see what the plan does not see"),
        );
    }
    let renders = plan.free.iter().filter(|one| one.renders).count()
        + plan.endpoints.iter().filter(|one| one.renders).count();
    if renders > 0 {
        let words = "render a template; what is asked for there is not seen";
        page.line(0, &format!("{renders} {words}"));
    }
    page.line(
        0,
        &format!(
            "the whole change: {}, {}",
            counted(plan.size.functions, "function"),
            counted(plan.size.lines, "line"),
        ),
    );
}

fn one(page: &mut Page, number: usize, endpoint: &EndpointPlan) {
    page.line(0, &format!("{number}. {}", name_of(endpoint)));
    page.line(
        3,
        &format!("`{}`  {}", endpoint.function, at(&endpoint.place)),
    );
    if let Some(measured) = &endpoint.measured {
        page.line(3, &measured_line(measured));
    }
    page.line(
        3,
        &format!(
            "change {} ({} not yet changed above), {}",
            counted(endpoint.size.functions, "function"),
            endpoint.new_functions,
            counted(endpoint.size.lines, "line"),
        ),
    );
    for function in endpoint.functions.iter().take(SHOWN_MAX) {
        page.line(5, &function_line(function));
    }
    page.more(5, endpoint.functions.len());
    waits(page, &endpoint.calls);
}

/// What else an endpoint needs.
fn notes(page: &mut Page, plan: &Plan, endpoint: &EndpointPlan) {
    let beside: Vec<String> = endpoint
        .hooks
        .iter()
        .filter_map(|number| plan.hooks.get(*number))
        .map(|hook| format!("`{}`", hook.function))
        .collect();
    if !beside.is_empty() {
        let few = beside.iter().take(FEW_MAX).cloned().collect::<Vec<_>>();
        let more = beside.len().saturating_sub(FEW_MAX);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        page.line(
            3,
            &format!("runs beside it and waits: {}{rest}", few.join(", ")),
        );
    }
    if endpoint.renders {
        page.line(3, "renders a template: what that asks for is not seen");
    }
}

/// What runs beside endpoints and waits.
fn hooks(page: &mut Page, plan: &Plan) {
    if plan.hooks.is_empty() {
        return;
    }
    page.title("Beside endpoints: hooks, middleware and signals that wait");
    for hook in &plan.hooks {
        let endpoints = counted(hook.endpoints, "endpoint");
        let place = at(&hook.place);
        page.line(
            2,
            &format!(
                "{place}  `{}`: {}, beside {endpoints}",
                hook.function, hook.kind
            ),
        );
        for function in hook.functions.iter().skip(1).take(SHOWN_MAX) {
            page.line(5, &function_line(function));
        }
        waits(page, &hook.calls);
    }
    let free = plan.free.iter().filter(|one| !one.hooks.is_empty()).count();
    if free > 0 {
        page.line(
            2,
            &format!(
                "{} that wait in nothing else are among these",
                counted(free, "endpoint")
            ),
        );
    }
}

/// Handlers of the framework's own.
fn inherited(page: &mut Page, all: &[InheritedPlan]) {
    if all.is_empty() {
        return;
    }
    page.title("Wait in the framework's own code: handlers that these classes inherit");
    for one in all {
        page.line(
            2,
            &format!(
                "{}  `{}`: {}",
                at(&one.place),
                one.class,
                one.handlers.join(", ")
            ),
        );
        page.line(5, &format!("of `{}`; instead: {}", one.base, one.instead));
    }
}

/// Calls by what takes their place.
fn waits(page: &mut Page, calls: &[BlockingCall]) {
    let mut by_instead: BTreeMap<&str, Vec<&BlockingCall>> = BTreeMap::new();
    for call in calls.iter().take(SHOWN_MAX) {
        by_instead.entry(&call.instead).or_default().push(call);
    }
    for (instead, calls) in by_instead {
        let instead = if instead.is_empty() {
            "await asyncio.to_thread(…)"
        } else {
            instead
        };
        page.line(3, &format!("waits in these; instead: {instead}"));
        for call in calls {
            page.line(5, &call_line(call));
        }
    }
    page.more(5, calls.len());
}

fn name_of(endpoint: &EndpointPlan) -> String {
    let methods = endpoint.methods.join(" ");
    let route = endpoint.route.as_deref().unwrap_or("(no route in sight)");
    let gap = if methods.is_empty() { "" } else { " " };
    let route = if route.is_empty() { "\"\"" } else { route };
    format!("{methods}{gap}{route}  [{}]", endpoint.framework)
}

fn measured_line(measured: &Measured) -> String {
    // Only where the waiting is not known there is a bound.
    let (most, wait_ms) = match (measured.wait_ms, measured.wait_at_most_ms) {
        (None, Some(bound)) => ("at most ", bound),
        (known, _) => ("", known.unwrap_or_default()),
    };
    let computing =
        (measured.cpu_ms).map_or_else(String::new, |ms| format!(", {} computing", duration(ms)));
    format!(
        "measured: {most}{} a request waiting{computing}; {}, {most}{} waited in all",
        duration(wait_ms),
        counted(measured.requests as usize, "request"),
        duration(measured.waited_ms),
    )
}

fn duration(ms: f64) -> String {
    if ms >= 10_000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else if ms >= 100.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{ms:.1} ms")
    }
}

fn function_line(function: &FunctionPlan) -> String {
    let mut line = format!("{}  `{}`", at(&function.place), function.name);
    if function.endpoints > 1 {
        put(
            &mut line,
            format_args!(", for {} endpoints", function.endpoints),
        );
    }
    if let Some(obstacle) = function.obstacle {
        put(
            &mut line,
            format_args!("; not by `async def` alone: {obstacle}"),
        );
    }
    line
}

fn call_line(call: &BlockingCall) -> String {
    let mut line = format!("{}  `{}`", at(&call.place), call.call);
    if call.certainty != Certainty::Certain {
        put(&mut line, format_args!(" ({})", call.certainty.word()));
    }
    line
}

fn together(page: &mut Page, all: &[Together]) {
    if all.is_empty() {
        return;
    }
    page.title("Need not wait for one another (asyncio.gather), if their order does not matter");
    for one in all {
        let kind = match one.kind {
            TogetherKind::Sequence => "one after another",
            TogetherKind::Loop => "in a loop; set a limit",
        };
        page.line(2, &format!("`{}`: {kind}", one.function));
        for call in &one.calls {
            page.line(5, &format!("{}  `{}`", at(&call.place), call.call));
        }
    }
}

fn shared(page: &mut Page, all: &[Shared]) {
    if all.is_empty() {
        return;
    }
    page.title("Also called by code outside of all endpoints: keep a synchronous version");
    for one in all {
        page.line(2, &format!("{}  `{}`", at(&one.place), one.name));
        for caller in &one.callers {
            page.line(5, &format!("by `{}`  {}", caller.name, at(&caller.place)));
        }
    }
}

fn at(place: &Place) -> String {
    format!("{}:{}", place.path, place.line)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// A line; what does not fit goes on below, further in.
    fn line(&mut self, indent: usize, words: &str) {
        let mut width = 0;
        for word in words.split(' ') {
            let length = word.chars().count();
            if width == 0 {
                self.text.push_str(&" ".repeat(indent));
                width = indent;
            } else if width + 1 + length > WIDTH {
                self.text.push('\n');
                self.text.push_str(&" ".repeat(indent + 2));
                width = indent + 2;
            } else {
                self.text.push(' ');
                width += 1;
            }
            self.text.push_str(word);
            width += length;
        }
        self.text.push('\n');
    }

    fn title(&mut self, words: &str) {
        self.text.push('\n');
        self.line(0, words);
    }

    fn more(&mut self, indent: usize, count: usize) {
        if count > SHOWN_MAX {
            self.line(indent, &format!("and {} more", count - SHOWN_MAX));
        }
    }
}
