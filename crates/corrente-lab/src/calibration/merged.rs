//! Contenders of the same stack, put together: one cost each, with how far they lie apart.
//!
//! A cost is the median over the scenarios. Its deviation is the larger of what the fit says and what
//! lies between the scenarios.

use std::collections::BTreeMap;

use corrente_model::cost_table::{DriverCost, Side, StackCost, Workers};
use corrente_model::least_squares::Estimate;
use corrente_model::statistics::{median, relative_spread};

use super::fitted::{Fitted, Memory};

/// The drivers that the lab's contenders name, what they call, and the side that waits for them.
const DRIVERS: &[(&str, &str, Side)] = &[
    ("Requests", "http", Side::Sync),
    ("aiohttp", "http", Side::Async),
    ("HTTPX", "http", Side::Async),
    ("Psycopg 2", "sql", Side::Sync),
    ("Psycopg 3", "sql", Side::Sync),
    ("Psycopg 3 async", "sql", Side::Async),
    ("asyncpg", "sql", Side::Async),
    ("redis", "cache", Side::Sync),
    ("redis async", "cache", Side::Async),
];
/// What scenarios name in place of a framework where a contender is written on the bare interface.
const NO_FRAMEWORK: &str = "none";
/// A relative deviation above this says that the cost is not known; the table has it as this.
const MOST_DEVIATION: f64 = 1.0;

/// Memory that grows by less than this share from few to many users tells nothing of a request's.
const TELLING_GROWTH: f64 = 0.05;

/// A cost as the table has it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    microseconds: f64,
    /// Relative.
    deviation: f64,
}

/// A stack: its side, its framework and server, its processes.
type Key<'a> = (Side, (&'a str, &'a str), Workers);

/// The stacks of all contenders.
pub(super) fn stacks(fitted: &[Fitted]) -> Vec<StackCost> {
    let mut groups: BTreeMap<Key<'_>, Vec<&Fitted>> = BTreeMap::new();
    for one in fitted.iter().filter(|one| is_stack(one)) {
        let names = (one.stack.framework.as_str(), one.stack.server.as_str());
        let key = (one.side, names, one.workers);
        groups.entry(key).or_default().push(one);
    }
    let stack = |((side, (framework, server), workers), group): (Key<'_>, Vec<&Fitted>)| {
        let coldness: Vec<f64> = group.iter().map(|one| one.costs.coldness).collect();
        let memory: Vec<Memory> = group.iter().flat_map(|one| one.memory.clone()).collect();
        let cost = merged(group.iter().map(|one| one.costs.request))?;
        let process = process_bytes(&memory);
        let request = process
            .filter(|_| side == Side::Async)
            .and_then(|base| request_bytes(&memory, base));
        Some(StackCost {
            server: server.to_owned(),
            framework: framework.to_owned(),
            side,
            workers,
            request_us: cost.microseconds,
            deviation: cost.deviation,
            coldness: rounded(median(&coldness)?, 2),
            process_bytes: process.map(|bytes| bytes.round() as u64),
            request_bytes: request.map(|bytes| bytes.round() as u64),
        })
    };
    groups.into_iter().filter_map(stack).collect()
}

/// Whether it tells what a framework costs.
fn is_stack(fitted: &Fitted) -> bool {
    fitted.is_plain && ![NO_FRAMEWORK, ""].contains(&fitted.stack.framework.as_str())
}

/// The drivers of all contenders: those that the lab's kinds of calls go through.
pub(super) fn drivers(fitted: &[Fitted]) -> Vec<DriverCost> {
    let found = DRIVERS.iter().filter_map(|(name, kind, side)| {
        let uses = |one: &&Fitted| one.stack.driver.split(", ").any(|driver| driver == *name);
        let users = fitted.iter().filter(|one| one.side == *side).filter(uses);
        let cost = |workers: Workers, kind: &str| {
            let users = users.clone().filter(|one| one.workers == workers);
            merged(users.filter_map(|one| one.costs.calls.get(kind).copied()))
        };
        let cost_us = |workers, kind: &str| Some(cost(workers, kind)?.microseconds);
        let gathered = format!("gathered_{kind}");
        let call = cost(Workers::Single, kind)?;
        Some(DriverCost {
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
            side: *side,
            call_us: call.microseconds,
            threaded_us: cost_us(Workers::Threaded, kind),
            gathered_us: cost_us(Workers::Single, &gathered).filter(|_| *side == Side::Async),
            deviation: call.deviation,
        })
    });
    found.collect()
}

/// The median, and how far it can be trusted; costs of nothing or less are noise.
fn merged(costs: impl Iterator<Item = Estimate>) -> Option<Cost> {
    let costs: Vec<Estimate> = costs.filter(|cost| cost.mean > 0.0).collect();
    let means: Vec<f64> = costs.iter().map(|cost| cost.mean).collect();
    let relative: Vec<f64> = costs
        .iter()
        .map(|cost| cost.deviation / cost.mean)
        .collect();
    let deviation = median(&relative)?.max(relative_spread(&means).unwrap_or(0.0));
    Some(Cost {
        microseconds: rounded(median(&means)? * 1e6, 1),
        deviation: rounded(deviation.min(MOST_DEVIATION), 2),
    })
}

/// More digits than these would say more than was measured.
fn rounded(value: f64, digits: i32) -> f64 {
    let steps = 10_f64.powi(digits);
    (value * steps).round() / steps
}

/// Memory of a process that has one thread, or the least number of them.
fn process_bytes(memory: &[Memory]) -> Option<f64> {
    let least = memory
        .iter()
        .map(|one| one.threads)
        .fold(f64::INFINITY, f64::min);
    let bytes: Vec<f64> = memory
        .iter()
        .filter(|one| one.threads <= least)
        .map(|one| one.bytes / one.processes)
        .collect();
    median(&bytes)
}

/// Memory of a request more in a loop: the slope over users, where they differ; absent where the
/// measurements do not tell.
fn request_bytes(memory: &[Memory], base: f64) -> Option<f64> {
    let users = |one: &&Memory| one.users / one.processes;
    let most = memory.iter().max_by(|a, b| users(a).total_cmp(&users(b)))?;
    let least = memory.iter().min_by(|a, b| users(a).total_cmp(&users(b)))?;
    let span = users(&most) - users(&least);
    let grown = most.bytes / most.processes - least.bytes / least.processes;
    (span > 0.0 && grown > TELLING_GROWTH * base).then(|| (grown / span).min(base))
}
