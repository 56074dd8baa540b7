//! Contenders of the same stack, put together: one cost each, with how far they lie apart.
//!
//! A cost is the median over the scenarios. Its deviation is the largest of what the fit says, what
//! lies between the scenarios, and the least that any shipped cost is given.

use std::collections::BTreeMap;

use corrente_model::least_squares::Estimate;
use corrente_model::shipped::LEAST_DEVIATION;
use corrente_model::statistics::{median, relative_spread};

use super::fitted::{Fitted, Memory};

/// The drivers that the lab's contenders name, what they call, and whether a loop waits for them.
const DRIVERS: &[(&str, &str, bool)] = &[
    ("Requests", "http", false),
    ("aiohttp", "http", true),
    ("HTTPX", "http", true),
    ("Psycopg 2", "sql", false),
    ("Psycopg 3", "sql", false),
    ("Psycopg 3 async", "sql", true),
    ("asyncpg", "sql", true),
    ("redis", "cache", false),
    ("redis async", "cache", true),
];
/// A relative deviation above this says that the cost is not known; the file has it as this.
const MOST_DEVIATION: f64 = 1.0;

/// Memory that grows by less than this share from few to many users tells nothing of a request's.
const TELLING_GROWTH: f64 = 0.05;

/// A server with a framework.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stack {
    pub server: String,
    pub framework: String,
    pub is_async: bool,
    pub is_threaded: bool,
    pub request: Estimate,
    pub coldness: f64,
    pub process_bytes: Option<f64>,
    pub request_bytes: Option<f64>,
}

/// A driver.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Driver {
    pub name: String,
    pub kind: String,
    pub is_async: bool,
    pub call: Estimate,
    /// In processes of many threads.
    pub threaded: Option<Estimate>,
    /// Of calls that are started at once.
    pub gathered: Option<Estimate>,
}

/// The stacks of all contenders.
pub(super) fn stacks(fitted: &[Fitted]) -> Vec<Stack> {
    let mut groups: BTreeMap<([bool; 2], [&str; 2]), Vec<&Fitted>> = BTreeMap::new();
    for one in fitted.iter().filter(|one| !one.framework.is_empty()) {
        let kind = [one.is_async, one.is_threaded];
        let names = [one.framework.as_str(), one.server.as_str()];
        groups.entry((kind, names)).or_default().push(one);
    }
    let stack = |((kind, names), group): (([bool; 2], [&str; 2]), Vec<&Fitted>)| {
        let ([is_async, is_threaded], [framework, server]) = (kind, names);
        let coldness: Vec<f64> = group.iter().map(|one| one.costs.coldness).collect();
        let memory: Vec<Memory> = group.iter().flat_map(|one| one.memory.clone()).collect();
        let process_bytes = process_bytes(&memory);
        Some(Stack {
            server: str::to_owned(server),
            framework: str::to_owned(framework),
            is_async,
            is_threaded,
            request: merged(group.iter().map(|one| one.costs.request))?,
            coldness: median(&coldness)?,
            process_bytes,
            request_bytes: process_bytes.and_then(|base| request_bytes(&memory, base, is_async)),
        })
    };
    groups.into_iter().filter_map(stack).collect()
}

/// The drivers of all contenders: those that the lab's kinds of calls go through.
pub(super) fn drivers(fitted: &[Fitted]) -> Vec<Driver> {
    let found = DRIVERS.iter().filter_map(|(name, kind, is_async)| {
        let users = fitted.iter().filter(|one| {
            one.is_async == *is_async && one.drivers.iter().any(|driver| driver == name)
        });
        let (threaded, single): (Vec<&Fitted>, Vec<&Fitted>) =
            users.partition(|one| one.is_threaded);
        let cost = |users: &[&Fitted], kind: &str| {
            let costs = users
                .iter()
                .filter_map(|one| one.costs.calls.get(kind).copied());
            merged(costs)
        };
        Some(Driver {
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
            is_async: *is_async,
            call: cost(&single, kind)?,
            threaded: cost(&threaded, kind),
            gathered: cost(&single, &format!("gathered_{kind}")).filter(|_| *is_async),
        })
    });
    found.collect()
}

/// The median with its relative deviation as an absolute one; costs of nothing or less are noise.
fn merged(costs: impl Iterator<Item = Estimate>) -> Option<Estimate> {
    let costs: Vec<Estimate> = costs.filter(|cost| cost.mean > 0.0).collect();
    let means: Vec<f64> = costs.iter().map(|cost| cost.mean).collect();
    let relative: Vec<f64> = costs
        .iter()
        .map(|cost| cost.deviation / cost.mean)
        .collect();
    let mean = median(&means)?;
    let deviation = median(&relative)?
        .max(relative_spread(&means).unwrap_or(0.0))
        .clamp(LEAST_DEVIATION, MOST_DEVIATION);
    Some(Estimate {
        mean,
        deviation: mean * deviation,
    })
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

/// Memory of a request more: in a loop the slope over users, where they differ; absent where the
/// measurements do not tell.
fn request_bytes(memory: &[Memory], base: f64, is_async: bool) -> Option<f64> {
    if !is_async {
        return None;
    }
    let users = |one: &&Memory| one.users / one.processes;
    let most = memory.iter().max_by(|a, b| users(a).total_cmp(&users(b)))?;
    let least = memory.iter().min_by(|a, b| users(a).total_cmp(&users(b)))?;
    let span = users(&most) - users(&least);
    let grown = most.bytes / most.processes - least.bytes / least.processes;
    (span > 0.0 && grown > TELLING_GROWTH * base).then(|| (grown / span).min(base))
}

impl Stack {
    pub(super) fn to_toml(&self) -> String {
        let mut text = format!(
            "\n[[stack]]\nserver = {:?}\nframework = {:?}\nside = {:?}\n{}request_us = {:.1}\n\
             deviation = {:.2}\ncoldness = {:.2}\n",
            self.server,
            self.framework,
            side(self.is_async),
            if self.is_threaded {
                "workers = \"threaded\"\n"
            } else {
                ""
            },
            self.request.mean * 1e6,
            self.request.deviation / self.request.mean,
            self.coldness,
        );
        let memory = [
            ("process_bytes", self.process_bytes),
            ("request_bytes", self.request_bytes),
        ];
        for (name, bytes) in memory {
            text.extend(bytes.map(|bytes| format!("{name} = {bytes:.0}\n")));
        }
        text
    }
}

impl Driver {
    pub(super) fn to_toml(&self) -> String {
        let mut text = format!(
            "\n[[driver]]\nname = {:?}\nkind = {:?}\nside = {:?}\ncall_us = {:.1}\ndeviation = {:.2}\n",
            self.name,
            self.kind,
            side(self.is_async),
            self.call.mean * 1e6,
            self.call.deviation / self.call.mean,
        );
        let others = [
            ("threaded_us", self.threaded),
            ("gathered_us", self.gathered),
        ];
        for (name, cost) in others {
            text.extend(cost.map(|cost| format!("{name} = {:.1}\n", cost.mean * 1e6)));
        }
        text
    }
}

fn side(is_async: bool) -> &'static str {
    if is_async { "async" } else { "sync" }
}
