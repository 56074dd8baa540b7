//! A process while it is sampled: its reader, its clocks, and what its samples showed so far.
//!
//! Clocks are read once a second, so that a thread that ends keeps its last times; stacks when the
//! sampler says so. What the samples mean is said by `meaning`, what they count for by `tally`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Instant;

use super::figures::Sampled;
use super::meaning::Meaning;
use super::process::{self, ThreadTimes};
use super::reader::{Reader, ThreadState};
use super::stack::{ServerSeen, Stage};
use super::tables::Tables;
use super::tally::{Look, Place, Tally, Turn};

/// How often the stacks of a process are passed over while nothing happens but that its threads run.
const PASSED: u32 = 1;

/// What may be done for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Only what costs next to nothing: looking whether anything has run.
    Unchanged,
    /// Reading the stacks.
    Stacks,
}

/// A read that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) turn: Turn,
    pub(super) effort: Effort,
}

/// A process while it is sampled.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) pid: u32,
    /// Nothing once the process has ended.
    reader: Option<Reader>,
    pub(super) python: String,
    pub(super) began: Instant,
    pub(super) last: Instant,
    first_cpu_ns: u64,
    last_cpu_ns: u64,
    first_times: BTreeMap<u32, ThreadTimes>,
    last_times: BTreeMap<u32, ThreadTimes>,
    pub(super) tally: Tally,
    /// How often a run was passed over since the last read.
    passed: u32,
    /// What the last read showed.
    looks: Option<Rc<[Look]>>,
    native_drivers: Vec<&'static str>,
    pub(super) server: Option<ServerSeen>,
    pub(super) asgi: Option<bool>,
    /// The library that runs many requests in one thread of it.
    pub(super) greenlets: Option<&'static str>,
    pub(super) pool_threads: BTreeSet<u32>,
    pub(super) processors: Option<f64>,
    /// Proportional and resident set size, bytes.
    pub(super) memory: (Option<u64>, Option<u64>),
    pub(super) thread_names: BTreeMap<u32, String>,
}

impl Watched {
    pub(super) fn new(reader: Reader) -> Self {
        let pid = reader.pid;
        let now = Instant::now();
        let times = process::thread_times(pid);
        let cpu_ns = process::cpu_ns(pid).unwrap_or(0);
        Self {
            pid,
            python: reader.version(),
            reader: Some(reader),
            began: now,
            last: now,
            first_cpu_ns: cpu_ns,
            last_cpu_ns: cpu_ns,
            first_times: times.clone(),
            last_times: times,
            tally: Tally::default(),
            passed: 0,
            looks: None,
            native_drivers: process::native_drivers(pid),
            server: None,
            asgi: None,
            greenlets: None,
            pool_threads: BTreeSet::new(),
            processors: process::processors(pid),
            memory: process::memory_bytes(pid),
            thread_names: BTreeMap::new(),
        }
    }

    /// Whether it can still be read.
    pub(super) fn lives(&self) -> bool {
        self.reader.is_some()
    }

    /// Whether its threads cannot be told apart.
    pub(super) fn cannot_tell_threads(&mut self) -> bool {
        self.reader
            .as_mut()
            .is_some_and(Reader::cannot_tell_threads)
    }

    /// Times of its threads while it was sampled. A thread that began meanwhile began with nothing.
    pub(super) fn times(&self) -> BTreeMap<u32, ThreadTimes> {
        self.last_times
            .iter()
            .map(|(thread, last)| {
                let first = self.first_times.get(thread).copied().unwrap_or_default();
                (*thread, last.since(first))
            })
            .collect()
    }

    /// CPU time of all its threads while it was sampled: by the threads' clocks, which are finer, or
    /// by the process's, which knows those that came and went.
    pub(super) fn cpu_ns(&self) -> u64 {
        let by_thread: u64 = self.times().values().map(|times| times.cpu).sum();
        by_thread.max(self.last_cpu_ns.saturating_sub(self.first_cpu_ns))
    }

    /// What the figures need.
    pub(super) fn sampled(&self) -> Sampled {
        let observed = self.last.duration_since(self.began).as_nanos();
        Sampled {
            tally: self.tally.clone(),
            times: self.times(),
            cpu_ns: self.cpu_ns(),
            observed_ns: u64::try_from(observed).unwrap_or(u64::MAX),
        }
    }

    /// Reads the clocks of its threads again. Threads that have ended keep their last times.
    pub(super) fn look(&mut self) {
        let times = process::thread_times(self.pid);
        if times.is_empty() || !process::lives(self.pid) {
            self.reader = None;
            return;
        }
        self.last_times.extend(times);
        self.last_cpu_ns = process::cpu_ns(self.pid).unwrap_or(self.last_cpu_ns);
        self.last = Instant::now();
        for thread in self.last_times.keys() {
            if !self.thread_names.contains_key(thread) {
                let name = process::thread_name(self.pid, *thread);
                self.thread_names.insert(*thread, name);
            }
        }
    }

    /// The last look. Memory is read here and when the process is opened, not in between: the kernel
    /// walks the page tables for it and holds up whoever maps memory meanwhile.
    pub(super) fn finish(&mut self) {
        if self.lives() {
            self.look();
        }
        let memory = process::memory_bytes(self.pid);
        if memory.0.or(memory.1).is_some() {
            self.memory = memory;
        }
    }

    /// Reads the process once; or passes it over, where it has changed and may not cost anything.
    pub(super) fn read(&mut self, asked: Asked, start: Instant, tables: &mut Tables) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let at = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let unchanged = reader.unchanged();
        if !unchanged && asked.effort == Effort::Unchanged {
            return;
        }
        // A long run is read now and then, so that what is short is read too.
        if !unchanged && asked.turn == Turn::Steady && self.passed < PASSED && reader.runs_on() {
            self.passed += 1;
            return;
        }
        self.passed = 0;
        let looks = match (unchanged, &self.looks) {
            (true, Some(looks)) => Some(Rc::clone(looks)),
            _ => reader.read().map(|threads| self.looks(&threads, tables)),
        };
        self.looks.clone_from(&looks);
        self.tally.add(asked.turn, at, looks);
    }

    fn looks(&mut self, threads: &[ThreadState], tables: &mut Tables) -> Rc<[Look]> {
        for state in threads {
            self.note(state);
        }
        let Some(reader) = &self.reader else {
            return Rc::from([]);
        };
        let mut meaning = Meaning {
            reader,
            native_drivers: &self.native_drivers,
            tables,
        };
        let owner = threads.iter().find(|thread| thread.owns_lock);
        let mut look = |state: &ThreadState| Look {
            thread: state.thread,
            place: match &state.position.stage {
                Stage::Outside => Place::Outside,
                Stage::Application => Place::Application,
                Stage::Endpoint(name) => Place::Endpoint(meaning.tables.endpoints.id(name)),
                Stage::Answering => Place::Answering,
            },
            doing: meaning.doing(
                state,
                owner.is_some_and(|owner| owner.thread != state.thread),
            ),
            on_loop: state.position.on_loop,
            times: state.times,
        };
        threads.iter().map(&mut look).collect()
    }

    fn note(&mut self, state: &ThreadState) {
        let position = &state.position;
        let more = |seen: &ServerSeen| seen.worker.is_some();
        if let Some(server) = &position.server
            && !self.server.as_ref().is_some_and(more)
        {
            self.server = Some(server.clone());
        }
        self.asgi = self.asgi.or(position.asgi);
        self.greenlets = self.greenlets.or(position.greenlets);
        if position.in_pool {
            self.pool_threads.insert(state.thread);
        }
    }
}
