//! What all threads of a process share: names, tables, and what is known of the process.
//!
//! Threads come here when they are new and when they meet a new name; on the path of a request
//! there are two counters and nothing else. A fork makes a new state: the child has none of the
//! parent's requests, threads or files.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use corrente_record::{
    Doubt, ENDPOINTS_MAX, Memory, NO_ROUTE, OTHER, RESOURCES_MAX, Resource, Server, Stall,
    trim_name,
};

use super::Settings;
use super::clock;
use super::request::Method;
use super::table::{Room, Table};
use super::writer::Writer;

/// Index of the endpoint that stands for all names beyond the limit.
pub(crate) const OTHER_INDEX: u16 = 0;
/// Index of the endpoint of requests that no route wanted.
pub(crate) const NO_ROUTE_INDEX: u16 = 1;

/// Threads at once that record; requests in any more are counted as not measured. A table takes
/// about 15 KiB for each endpoint that the thread serves.
const TABLES_MAX: usize = 256;

/// Different doubts that a recording keeps.
const DOUBTS_MAX: usize = 50;

/// Watched libraries that a recording names.
const WATCHED_MAX: usize = 100;

/// Shared by the threads of one process since it began or was forked.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    /// Tells this state from any other of this process or of the one that it was forked from.
    pub(crate) generation: u64,
    pub(crate) begun_ns: u64,
    pub(crate) begun_cpu_ns: u64,
    pub(crate) started_unix_ms: u64,
    pub(crate) on: AtomicBool,
    /// Of before a fork: this process has none of the threads that may hold its locks.
    pub(crate) relic: AtomicBool,
    arrivals: AtomicU64,
    in_flight: AtomicU64,
    /// Some requests are not measured, so that nobody knows which others are in the process.
    sampled: AtomicBool,
    pub(super) room: Room,
    /// Requests in threads that got no table.
    pub(crate) without_table: AtomicU64,
    routes_known: AtomicBool,
    names: Mutex<Names>,
    pub(super) resources: Mutex<Vec<Resource>>,
    tables: Mutex<Tables>,
    pub(crate) about: Mutex<About>,
    pub(crate) memory: Mutex<Memory>,
    pub(crate) stalls: Mutex<Vec<Stall>>,
    pub(crate) writer: Mutex<Writer>,
    /// Held while the file is written.
    pub(crate) file: Mutex<()>,
}

/// Endpoints by method and route.
#[derive(Debug)]
struct Names {
    index: HashMap<(Method, String), u16>,
    list: Vec<String>,
}

#[derive(Debug, Default)]
struct Tables {
    all: Vec<Arc<Table>>,
    free: Vec<Arc<Table>>,
}

/// What hooks have found out about the process.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Version of the interpreter.
    pub python: String,
    /// What serves.
    pub server: Server,
    /// Libraries that are watched.
    pub watched: Vec<String>,
    /// Drivers whose calls are watched where the program enters them.
    pub entered: Vec<String>,
    /// What cannot be told.
    pub cannot_tell: Vec<Doubt>,
}

impl About {
    /// Notes a watched library once.
    pub fn watch(&mut self, library: String) {
        if self.watched.len() < WATCHED_MAX && !self.watched.contains(&library) {
            self.watched.push(library);
        }
    }

    /// Notes a driver whose calls are watched where the program enters them.
    pub fn enter(&mut self, driver: String) {
        if self.entered.len() < WATCHED_MAX && !self.entered.contains(&driver) {
            self.entered.push(driver);
        }
    }

    /// Notes a doubt once.
    pub fn doubt(&mut self, code: &str, detail: &str) {
        let doubt = Doubt {
            code: code.to_owned(),
            detail: trim_name(detail),
        };
        if self.cannot_tell.len() < DOUBTS_MAX && !self.cannot_tell.contains(&doubt) {
            self.cannot_tell.push(doubt);
        }
    }
}

impl State {
    pub(crate) fn new(settings: Settings, generation: u64) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let server_names = vec![OTHER.to_owned(), NO_ROUTE.to_owned()];
        Self {
            settings,
            generation,
            begun_ns: clock::monotonic(),
            begun_cpu_ns: clock::process_cpu(),
            started_unix_ms: since_1970.map_or(0, |since| since.as_millis() as u64),
            on: AtomicBool::new(true),
            relic: AtomicBool::new(false),
            arrivals: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            sampled: AtomicBool::new(false),
            room: Room::default(),
            without_table: AtomicU64::new(0),
            routes_known: AtomicBool::new(false),
            names: Mutex::new(Names {
                index: HashMap::new(),
                list: server_names,
            }),
            resources: Mutex::new(vec![Resource {
                kind: "other".to_owned(),
                driver: OTHER.to_owned(),
                host: String::new(),
            }]),
            tables: Mutex::default(),
            about: Mutex::default(),
            memory: Mutex::default(),
            stalls: Mutex::default(),
            writer: Mutex::default(),
            file: Mutex::default(),
        }
    }

    /// Counts a request in; gives how many have come, and how many are here now.
    pub(super) fn arrived(&self) -> (u64, u64) {
        let in_flight = self.in_flight.fetch_add(1, Relaxed) + 1;
        (self.arrivals.fetch_add(1, Relaxed) + 1, in_flight)
    }

    /// Counts a request out; gives how many have come until now.
    pub(super) fn left(&self) -> u64 {
        self.in_flight.fetch_sub(1, Relaxed);
        self.arrivals.load(Relaxed)
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Notes that not every request is measured from now on.
    pub(super) fn sample(&self) {
        self.sampled.store(true, Relaxed);
    }

    pub(super) fn is_sampled(&self) -> bool {
        self.sampled.load(Relaxed)
    }

    /// Notes that a framework's routes are watched: what they do not name, none of them wanted.
    pub(super) fn know_routes(&self) {
        self.routes_known.store(true, Relaxed);
    }

    pub(super) fn knows_routes(&self) -> bool {
        self.routes_known.load(Relaxed)
    }

    /// The index of an endpoint's name.
    pub(super) fn endpoint(&self, method: Method, route: &str) -> u16 {
        let mut names = held(&self.names);
        let key = (method, trim_name(route));
        if let Some(known) = names.index.get(&key) {
            return *known;
        }
        if names.index.len() >= ENDPOINTS_MAX {
            return OTHER_INDEX;
        }
        let index = names.list.len() as u16;
        names.list.push(format!("{} {}", method.name(), key.1));
        names.index.insert(key, index);
        index
    }

    pub(crate) fn endpoint_names(&self) -> Vec<String> {
        held(&self.names).list.clone()
    }

    /// The index of a resource.
    pub(super) fn resource(&self, resource: Resource) -> u16 {
        let mut resources = held(&self.resources);
        let resource = Resource {
            kind: trim_name(&resource.kind),
            driver: trim_name(&resource.driver),
            host: trim_name(&resource.host),
        };
        if let Some(known) = resources.iter().position(|known| *known == resource) {
            return known as u16;
        }
        if resources.len() > RESOURCES_MAX {
            return OTHER_INDEX;
        }
        resources.push(resource);
        (resources.len() - 1) as u16
    }

    pub(crate) fn resources(&self) -> Vec<Resource> {
        held(&self.resources).clone()
    }

    /// A table for a new thread: one that another has left, or a new one within the limit.
    pub(super) fn take_table(&self) -> Option<Arc<Table>> {
        let mut tables = held(&self.tables);
        if let Some(free) = tables.free.pop() {
            return Some(free);
        }
        if tables.all.len() >= TABLES_MAX {
            return None;
        }
        let table = Arc::new(Table::default());
        tables.all.push(Arc::clone(&table));
        Some(table)
    }

    pub(super) fn leave_table(&self, table: Arc<Table>) {
        held(&self.tables).free.push(table);
    }

    pub(crate) fn tables(&self) -> Vec<Arc<Table>> {
        held(&self.tables).all.clone()
    }
}

/// Locks; what a panic may have left half-done is counts, never a broken structure.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
