//! The two stacks: what the service runs on, its natural other side, and what both cost.
//!
//! From the recorded server and the libraries that were watched follow the framework and the
//! drivers; the table of costs (`corrente_model::cost_table`) says what they take. What was not
//! measured is borrowed from what is most like it, less sure, or is taken to cost the same on both
//! sides; each such step becomes an assumption of the report.

use std::collections::BTreeMap;

use corrente_model::calibration::{Costs, Stack as Calibrated};
use corrente_model::cost_table::{
    BORROWED_DEVIATION, CostTable, DriverCost, Here, Side, Speed, StackCost, shipped,
};
use corrente_model::least_squares::Estimate;
use corrente_report::prediction::{Assumption, Stack};

use super::present;
use super::reading::{Reading, UNEXPLAINED};
use super::{PredictError, Settings};
use crate::aggregate::Figures;

/// Memory of a process more or less is that of the service: the service's own is recorded.
const PROCESS_BYTES: u64 = 40 << 20;
/// Memory of a request in flight where it was not measured: a coroutine, its task and buffers.
const REQUEST_BYTES: u64 = 50 << 10;

/// Framework, as recorded libraries tell it (the first that is found counts: Quart imports Flask,
/// `FastAPI` Starlette), and its other side.
const FRAMEWORKS: &[(&str, &str, &str)] = &[
    ("quart", "Quart", "Quart"),
    ("fastapi", "FastAPI", "FastAPI"),
    ("django", "Django", "Django ASGI"),
    ("falcon", "Falcon", "Falcon ASGI"),
    ("flask", "Flask", "Starlette"),
    ("starlette", "Starlette", "Starlette"),
];
/// The other side of a framework that is not known.
const TO_DEFAULT: &str = "Starlette";
/// The server of the other side, with uvloop.
const TO_SERVER: &str = "uvicorn";

/// Recorded driver, the name of its costs, and its other side. `http.client` with Requests above it
/// is told apart by what was watched.
const DRIVERS: &[(&str, &str, &str)] = &[
    ("requests", "Requests", "aiohttp"),
    ("http.client", "http.client", "aiohttp"),
    ("httpx", "HTTPX", "HTTPX async"),
    ("psycopg", "Psycopg 3", "Psycopg 3 async"),
    ("psycopg2", "Psycopg 2", "asyncpg"),
    ("asyncpg", "asyncpg", "asyncpg"),
    ("sqlite3", "sqlite3", "aiosqlite"),
    ("pymysql", "PyMySQL", "asyncmy"),
    ("mysqlclient", "mysqlclient", "asyncmy"),
    ("redis", "redis", "redis.asyncio"),
    ("pymemcache", "pymemcache", "aiomcache"),
];

/// Both stacks with their costs.
#[derive(Debug)]
pub(super) struct Pair {
    pub from: Calibrated,
    pub to: Calibrated,
    pub from_name: Stack,
    pub to_name: Stack,
    pub assumptions: Vec<Assumption>,
}

/// The stack of a synchronous service and its other side.
pub(super) fn pair(
    figures: &Figures,
    reading: &Reading,
    settings: &Settings,
) -> Result<Pair, PredictError> {
    let table = match &settings.costs {
        Some(own) => own,
        None => shipped(),
    };
    let speed = table.reference.speed(here(figures));
    let (framework, natural) = framework(figures);
    let wanted = match &settings.to {
        Some(name) => asked_for(table, name)?,
        None => natural.to_owned(),
    };
    let mut builder = Builder {
        table,
        speed,
        assumptions: Vec::new(),
    };
    let mut from = builder.stack(&server(figures), &framework, Side::Sync);
    let mut to = builder.stack(TO_SERVER, &wanted, Side::Async);
    let mut names = (Vec::new(), Vec::new());
    for resource in &reading.service.resources {
        let (sync, other) = builder.calls(resource.kind.as_str(), figures, &mut names);
        from.costs.calls.insert(resource.kind.clone(), sync);
        to.costs.calls.insert(resource.kind.clone(), other);
    }
    from.threads = present::threads(figures).max(1);
    own_memory(figures, &mut from, &mut to);
    if speed.deviation > 0.0 {
        builder.assumptions.push(Assumption::UnknownSpeed);
    }
    let named = |server: &str, framework: &str, drivers| Stack {
        server: server.to_owned(),
        framework: framework.to_owned(),
        drivers,
    };
    Ok(Pair {
        from_name: named(&server(figures), &framework, names.0),
        to_name: named(TO_SERVER, &wanted, names.1),
        from,
        to,
        assumptions: builder.assumptions,
    })
}

/// The machine that was recorded on.
fn here(figures: &Figures) -> Here<'_> {
    let service = &figures.service;
    Here {
        processor: &service.machine.processor,
        python: &service.python,
        burn_rounds_per_ms: service.machine.burn_rounds_per_ms,
    }
}

/// A service that stays where it is: nothing is exchanged, so nothing has to be known.
pub(super) fn unmoved(figures: &Figures, reading: &Reading) -> Pair {
    let kinds = reading.service.resources.iter().map(|one| one.kind.clone());
    let nothing = Estimate::exact(0.0);
    let mut stack = Calibrated {
        name: String::new(),
        threads: 1,
        costs: Costs {
            request: nothing,
            calls: kinds.map(|kind| (kind, nothing)).collect(),
            coldness: 0.0,
        },
        process_bytes: PROCESS_BYTES,
        request_bytes: REQUEST_BYTES,
    };
    if let Some(bytes) = figures.service.memory_bytes {
        stack.process_bytes = bytes as u64;
    }
    let name = Stack {
        server: server(figures),
        framework: framework(figures).0,
        drivers: Vec::new(),
    };
    Pair {
        from: stack.clone(),
        to: stack,
        from_name: name.clone(),
        to_name: name,
        assumptions: Vec::new(),
    }
}

/// The server in the lab's words.
fn server(figures: &Figures) -> String {
    let server = &figures.service.server;
    match (server.name.as_str(), server.worker.as_str()) {
        ("granian", "threads") => "Granian WSGI".to_owned(),
        ("granian", _) => "Granian ASGI".to_owned(),
        ("gunicorn", worker) => format!("gunicorn {worker}"),
        (name, _) => name.to_owned(),
    }
}

/// The framework and its other side; without a name where none was watched.
fn framework(figures: &Figures) -> (String, &'static str) {
    let library = |name: &str| watches(figures, name);
    let found = FRAMEWORKS.iter().find(|(name, ..)| library(name));
    found.map_or((String::new(), TO_DEFAULT), |(_, own, other)| {
        ((*own).to_owned(), *other)
    })
}

/// Whether a library was watched, whatever its version.
fn watches(figures: &Figures, name: &str) -> bool {
    let first = |entry: &String| entry.split(' ').next() == Some(name);
    figures.service.watched.iter().any(first)
}

/// The framework that `--to` names: as it is written, or with hyphens, in any case.
fn asked_for(table: &CostTable, name: &str) -> Result<String, PredictError> {
    let plain = |name: &str| name.to_lowercase().replace('-', " ");
    let mut known: Vec<&str> = (table.stacks.iter())
        .filter(|stack| stack.side == Side::Async)
        .map(|stack| stack.framework.as_str())
        .collect();
    known.dedup();
    let found = known.iter().find(|one| plain(one) == plain(name));
    found
        .map(|one| (*one).to_owned())
        .ok_or_else(|| PredictError::UnknownStack {
            name: name.to_owned(),
            known: known
                .iter()
                .map(|one| plain(one).replace(' ', "-"))
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// The service's memory is recorded; the other side has it too, with what its stack has more.
fn own_memory(figures: &Figures, from: &mut Calibrated, to: &mut Calibrated) {
    let Some(recorded) = figures.service.memory_bytes.map(|bytes| bytes as u64) else {
        return;
    };
    let more = to.process_bytes.saturating_sub(from.process_bytes);
    from.process_bytes = recorded;
    to.process_bytes = recorded + more;
}

struct Builder<'a> {
    table: &'a CostTable,
    speed: Speed,
    assumptions: Vec<Assumption>,
}

impl Builder<'_> {
    /// The costs of a stack, or of the one most like it: of the same framework, else the default of
    /// the other side, else of the same server.
    fn stack(&mut self, server: &str, framework: &str, side: Side) -> Calibrated {
        let of_side = || self.table.stacks.iter().filter(move |one| one.side == side);
        let same = |one: &&StackCost| one.framework == framework && one.server == server;
        let similar = |one: &&StackCost| one.framework == framework;
        let exact = of_side().find(same);
        let default = |one: &&StackCost| one.framework == TO_DEFAULT;
        let beside = |one: &&StackCost| one.server == server;
        let borrowed = || {
            let like = of_side().find(similar).or_else(|| of_side().find(default));
            like.or_else(|| of_side().find(beside))
                .or_else(|| of_side().next())
        };
        let Some(found) = exact.or_else(borrowed) else {
            return calibrated(server, Estimate::exact(0.0), 0.0);
        };
        let deviation = if exact.is_some() {
            found.deviation
        } else {
            self.assumptions.push(Assumption::BorrowedStack {
                stack: join(framework, server),
                source: join(&found.framework, &found.server),
            });
            found.deviation.max(BORROWED_DEVIATION)
        };
        let request = self.speed.cost(found.request_us, deviation);
        let mut stack = calibrated(&join(framework, server), request, found.coldness);
        stack.process_bytes = found.process_bytes.unwrap_or(PROCESS_BYTES);
        stack.request_bytes = found.request_bytes.unwrap_or(REQUEST_BYTES);
        stack
    }

    /// What a call costs on each side, and the drivers' names.
    fn calls(
        &mut self,
        driver: &str,
        figures: &Figures,
        names: &mut (Vec<String>, Vec<String>),
    ) -> (Estimate, Estimate) {
        let nothing = (Estimate::exact(0.0), Estimate::exact(0.0));
        if driver == UNEXPLAINED {
            return nothing;
        }
        let is_requests = driver == "http.client" && watches(figures, "requests");
        let key = if is_requests { "requests" } else { driver };
        let known = DRIVERS.iter().find(|(name, ..)| *name == key);
        let (sync, other) = known.map_or((driver, driver), |(_, sync, other)| (*sync, *other));
        add(&mut names.0, sync);
        add(&mut names.1, other);
        let cost = |name: &str, side| {
            let found = self
                .table
                .drivers
                .iter()
                .find(|one| one.name == name && one.side == side);
            found.map(|one: &DriverCost| self.speed.cost(one.call_us, one.deviation))
        };
        // A cost on one side alone would be a gain or a loss out of nothing.
        if let (Some(before), Some(after)) = (cost(sync, Side::Sync), cost(other, Side::Async)) {
            return (before, after);
        }
        let unknown = Assumption::UnknownDriver {
            driver: sync.to_owned(),
        };
        if !self.assumptions.contains(&unknown) {
            self.assumptions.push(unknown);
        }
        nothing
    }
}

fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|one| one == name) {
        names.push(name.to_owned());
    }
}

fn calibrated(name: &str, request: Estimate, coldness: f64) -> Calibrated {
    Calibrated {
        name: name.to_owned(),
        threads: 1,
        costs: Costs {
            request,
            calls: BTreeMap::new(),
            coldness,
        },
        process_bytes: PROCESS_BYTES,
        request_bytes: REQUEST_BYTES,
    }
}

fn join(framework: &str, server: &str) -> String {
    let words: Vec<&str> = [framework, server]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    words.join(", ")
}
