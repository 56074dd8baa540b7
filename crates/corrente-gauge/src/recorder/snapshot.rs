//! A snapshot: the recording of this process as it stands now.
//!
//! Reads the tables while their threads write on. Each figure is sound by itself; two of them may
//! differ by the requests that ended in between.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use corrente_record::{Endpoint, Interface, Process, Recording, Sampling, Source, Thread};

use super::machine;
use super::state::{About, State, held};
use super::table::Table;
use super::{SAMPLE_ASGI, SAMPLE_WSGI, clock};

/// The recording as it stands.
pub(crate) fn snapshot(state: &State) -> Recording {
    let tables = state.tables();
    let mut recording = Recording::new(state.settings.made_by.clone());
    recording.endpoints = endpoints(state, tables.iter().map(AsRef::as_ref));
    let mut about = held(&state.about).clone();
    enter(&mut recording.endpoints, &about);
    doubts(state, tables.iter().map(AsRef::as_ref), &mut about);
    let sum = |figure: fn(&Table) -> u64| tables.iter().map(|table| figure(table)).sum::<u64>();
    let begins = tables.iter().map(|table| table.first_begin.get());
    let first = begins.filter(|begin| *begin > 0).min().unwrap_or(0);
    let last = tables.iter().map(|table| table.last_end.get()).max();
    let every = tables.iter().map(|table| table.every_max.load(Relaxed));
    let came = sum(|table| table.seen.get()) + state.without_table.load(Relaxed);
    let measured: u64 = recording.endpoints.iter().map(|one| one.requests).sum();
    let mut process = Process {
        host: machine::host(),
        pid: std::process::id(),
        started_unix_ms: state.started_unix_ms,
        source: Source::Recorder,
        observed_ns: clock::monotonic().saturating_sub(state.begun_ns),
        first_request_ns: first.saturating_sub(state.begun_ns),
        active_ns: last.unwrap_or(0).saturating_sub(first),
        python: about.python,
        server: about.server,
        cores: machine::cores(),
        cpu_ns: clock::process_cpu().saturating_sub(state.begun_cpu_ns),
        threads: tables.iter().map(|table| thread(table)).collect(),
        memory: held(&state.memory).clone(),
        // Those that are being answered are in no figure yet.
        requests_seen: came.saturating_sub(state.in_flight()),
        requests_measured: measured,
        sampling: sampling(&recording.endpoints, every.max().unwrap_or(1)),
        watched: about.watched,
        cannot_tell: about.cannot_tell,
        stalls: held(&state.stalls).clone(),
        ..Process::default()
    };
    // A request that ends while this is written may be in one figure and not in the other.
    process.requests_seen = process.requests_seen.max(measured);
    for table in &tables {
        process.in_flight.merge(&table.in_flight.snapshot());
    }
    recording.processes.push(process);
    recording
}

/// Says of which calls all is known that their client computes. Coroutines call other halves of libraries.
fn enter(endpoints: &mut [Endpoint], about: &About) {
    let synchronous = endpoints.iter_mut();
    let synchronous = synchronous.filter(|one| one.interface == Interface::Wsgi);
    for calls in synchronous.flat_map(|one| &mut one.calls) {
        calls.entered = about.entered.contains(&calls.resource.driver);
    }
}

/// A process serves one of the two; should it serve both, the lesser sampling is told.
fn sampling(endpoints: &[Endpoint], requests_every: u32) -> Sampling {
    let coroutines = |one: &Endpoint| one.interface == Interface::Asgi;
    let every = if endpoints.iter().any(coroutines) {
        SAMPLE_ASGI
    } else {
        SAMPLE_WSGI
    };
    Sampling {
        run_queue_every: every,
        switches_every: every,
        requests_every,
    }
}

fn endpoints<'a>(state: &State, tables: impl Iterator<Item = &'a Table>) -> Vec<Endpoint> {
    let mut merged: BTreeMap<usize, Endpoint> = BTreeMap::new();
    // Names and resources are read after the tables' indices exist, so each index has its own.
    let parts: Vec<_> = tables.flat_map(Table::used).collect();
    let (names, resources) = (state.endpoint_names(), state.resources());
    for (index, table) in parts {
        let Some(name) = names.get(index) else {
            continue;
        };
        let part = table.snapshot(name, &resources);
        match merged.get_mut(&index) {
            Some(known) => known.merge(part),
            None => {
                merged.insert(index, part);
            }
        }
    }
    merged.into_values().collect()
}

fn thread(table: &Table) -> Thread {
    let id = table.thread.load(Relaxed);
    let living = (id != 0).then(|| clock::account_of(id)).flatten();
    let cpu = living.map_or(0, |now| now.cpu_ns.saturating_sub(table.cpu_base.get()));
    let queue = living.map_or(0, |now| {
        now.run_queue_ns.saturating_sub(table.run_queue_base.get())
    });
    Thread {
        name: if id == 0 {
            String::new()
        } else {
            machine::thread_name(id)
        },
        cpu_ns: table.cpu_done.get() + cpu,
        request_cpu_ns: table.request_cpu.get(),
        run_queue_ns: table.run_queue_done.get() + queue,
        requests: table.ended.get(),
        steps: table.steps.get(),
        step_wall_ns: table.step_wall.get(),
    }
}

/// What the recorder itself could not do.
fn doubts<'a>(state: &State, tables: impl Iterator<Item = &'a Table>, about: &mut About) {
    let without_table = state.without_table.load(Relaxed);
    if without_table > 0 {
        let detail = format!("{without_table} requests came in more threads than are watched");
        about.doubt("too_many_threads", &detail);
    }
    if state.room.is_full() {
        let detail = "endpoints times threads are more than the recorder has room for: some requests \
                      or calls stand under `(other)`";
        about.doubt("too_many_tables", detail);
    }
    let dropped: u64 = tables.map(|table| table.dropped.get()).sum();
    if dropped > 0 {
        let detail = format!("{dropped} calls or steps were more than a request may note");
        about.doubt("too_many_calls", &detail);
    }
}
