//! The two stacks: what the service runs on, its natural other side, and what both cost.
//!
//! From the recorded server and the libraries that were watched follow the framework and the
//! drivers; the table of costs says what they take (`corrente_model::pairing`). What was not measured
//! of them becomes an assumption of the report.

use corrente_model::calibration::{Costs, Stack as Calibrated};
use corrente_model::cost_table::{Basis, CostTable, Here, Reference, Side, Speed, shipped};
use corrente_model::least_squares::Estimate;
use corrente_model::pairing::{
    Calling, Drivers, Gap, Migration, Named, PROCESS_BYTES, REQUEST_BYTES, TO_DEFAULT,
};
use corrente_report::prediction::{Assumption, Stack};

use super::present;
use super::reading::Reading;
use super::{PredictError, Settings};
use crate::aggregate::Figures;

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
/// The server of the other side, with uvloop.
const TO_SERVER: &str = "uvicorn";

/// Recorded driver, the name of its costs, and its other side. In recordings from before Requests and
/// urllib3 were watched themselves their calls are those of `http.client`: that Requests was there tells.
const DRIVERS: &[(&str, &str, &str)] = &[
    ("requests", "Requests", "aiohttp"),
    ("urllib3", "urllib3", "aiohttp"),
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
    let kinds = kinds(reading, figures);
    let server = server(figures);
    let migration = Migration {
        from: Named {
            server: &server,
            framework: &framework,
        },
        threads: present::threads(figures),
        to: Named {
            server: TO_SERVER,
            framework: &wanted,
        },
        drivers: &kinds,
    };
    let found = table
        .pair(&reading.service, &migration, speed)
        .expect("the drivers are those of the service's own kinds of calls");
    let (mut from, mut to) = (found.from, found.to);
    own_memory(figures, &mut from, &mut to);
    let named = |named: Named<'_>, of: fn(&Drivers<'_>) -> String| Stack {
        server: named.server.to_owned(),
        framework: named.framework.to_owned(),
        drivers: once_each(kinds.iter().map(of)),
    };
    Ok(Pair {
        from_name: named(migration.from, |one| one.from.to_owned()),
        to_name: named(migration.to, |one| one.to.to_owned()),
        from,
        to,
        assumptions: elsewhere(&table.reference, speed)
            .into_iter()
            .chain(found.gaps.into_iter().map(assumption))
            .collect(),
    })
}

/// What the calls to each resource go through now, and would on the other side; nothing where no
/// call explains the waiting.
fn kinds<'a>(reading: &'a Reading, figures: &Figures) -> Vec<Drivers<'a>> {
    let has_below = watches(figures, "requests") && !watches(figures, "urllib3");
    let drivers = |kind: &'a str| {
        let is_requests = kind == "http.client" && has_below;
        let key = if is_requests { "requests" } else { kind };
        let known = DRIVERS.iter().find(|(name, ..)| *name == key);
        let (from, to) = known.map_or((kind, kind), |(_, sync, other)| (*sync, *other));
        Drivers {
            kind,
            from,
            to,
            calling: Calling::InTurn,
        }
    };
    let resources = reading.service.resources.iter();
    resources.map(|one| drivers(&one.kind)).collect()
}

/// The driver of an event loop in place of a recorded one, by the name of its costs.
pub(super) fn awaited(driver: &str) -> &str {
    let known = DRIVERS.iter().find(|(name, ..)| *name == driver);
    known.map_or(driver, |(.., other)| other)
}

/// Where the costs come from, as the report says it; nothing where that is here.
fn elsewhere(reference: &Reference, speed: Speed) -> Option<Assumption> {
    let (processor, doubt) = (reference.cpu.clone(), speed.doubt());
    match speed.basis {
        Basis::Here => None,
        Basis::OtherSpeed => Some(Assumption::OtherSpeed {
            processor,
            times: speed.times,
            doubt,
        }),
        Basis::OtherPython => Some(Assumption::OtherPython {
            processor,
            python: reference.python.clone(),
            doubt,
        }),
        Basis::OtherProcessor => Some(Assumption::OtherMachine { processor, doubt }),
        Basis::Unscaled => Some(Assumption::UnknownSpeed),
    }
}

/// Costs that are not those that were measured, as the report says it.
fn assumption(gap: Gap) -> Assumption {
    match gap {
        Gap::Stack { stack, source } => Assumption::BorrowedStack { stack, source },
        Gap::Driver(driver) => Assumption::UnknownDriver { driver },
        Gap::Lowered { share } => Assumption::LoweredCosts { share },
    }
}

/// Names without those that stand there already, and without empty ones.
fn once_each(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
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
            work: None,
            scale_deviation: 0.0,
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
