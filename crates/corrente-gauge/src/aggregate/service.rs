//! Figures of the service as a whole: its processes, its traffic, and its CPU time by the kernel.
//!
//! The CPU time outside of requests (parsing, accepting, writing) is what a server adds to each of
//! them; a throughput that forgets it is too high.

use std::collections::BTreeSet;

use corrente_record::{Distribution, Doubt, Endpoint, Machine, Process, Recording, Server, Stall};
use serde::Serialize;

use super::{NS_PER_MS, time};

/// What the service does.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceFigures {
    /// What serves, as the first process says.
    pub server: Server,
    /// Its interpreter.
    pub python: String,
    /// Processes that served requests.
    pub processes: usize,
    /// The most of them that served at the same time: fewer where a worker took another's place, or
    /// where one run came after the other.
    pub processes_at_once: usize,
    /// Different hosts.
    pub hosts: usize,
    /// The most of them that served at the same time.
    pub hosts_at_once: usize,
    /// Threads that requests ran in, the most of any process.
    pub threads: usize,
    /// Processors that a process may use.
    pub cores: Option<f64>,
    /// The machine: the processor, where all have the same, and the mean speed.
    pub machine: Machine,
    /// How long it was observed, seconds: what ran at the same time counts once.
    pub observed_s: f64,
    /// From the first request to the last, seconds; of several runs one after the other the sum.
    pub active_s: f64,
    /// Requests that came.
    pub requests: u64,
    /// Others came, which nobody could count: rates, and times a request of all, are not known.
    pub requests_are_partial: bool,
    /// Requests that came for each that was measured.
    pub requests_per_measured: f64,
    /// Requests a second between the first and the last.
    pub requests_per_s: Option<f64>,
    /// Requests in a process when one arrives, that one included: mean.
    pub in_flight: Option<f64>,
    /// The most.
    pub in_flight_max: u64,
    /// CPU time of the processes, seconds.
    pub cpu_s: f64,
    /// CPU time of the threads that serve, by the kernel, seconds.
    pub thread_cpu_s: f64,
    /// The part of it that the endpoints account for, seconds.
    pub request_cpu_s: f64,
    /// CPU time of the serving threads outside of requests, a request: what the server itself takes.
    pub server_cpu_ms: Option<f64>,
    /// CPU time of other threads of the processes, a request.
    pub other_cpu_ms: Option<f64>,
    /// Share of the active time that a serving thread is busy with steps of coroutines.
    pub loop_busy_share: Option<f64>,
    /// Memory of a process (PSS), mean, bytes.
    pub memory_bytes: Option<f64>,
    /// Libraries that were watched.
    pub watched: Vec<String>,
    /// Where event loops stood still, in all processes, the longest together first.
    pub stalls: Vec<StallFigures>,
    /// What could not be told.
    pub cannot_tell: Vec<Doubt>,
}

/// The stalls of event loops in one place of the program.
#[derive(Debug, Clone, Serialize)]
pub struct StallFigures {
    /// End of the file's path, line, function.
    pub place: String,
    /// The package that was called, or the library in C that waited.
    pub package: String,
    /// What it waited in.
    pub system_call: String,
    /// How many there were.
    pub count: u64,
    /// How long they were together.
    pub total_ms: f64,
    /// Of it, on a processor.
    pub cpu_ms: f64,
    /// Of it, asleep in the kernel.
    pub blocked_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

impl From<Stall> for StallFigures {
    fn from(stall: Stall) -> Self {
        let ms = |ns: u64| ns as f64 / NS_PER_MS;
        Self {
            count: stall.count,
            total_ms: ms(stall.wall_ns),
            cpu_ms: ms(stall.cpu_ns),
            blocked_ms: ms(stall.blocked_ns()),
            longest_ms: ms(stall.longest_ns),
            place: stall.place,
            package: stall.package,
            system_call: stall.system_call,
        }
    }
}

fn stalls(processes: &[Process]) -> Vec<StallFigures> {
    let mut all: Vec<Stall> = Vec::new();
    for stall in processes.iter().flat_map(|process| &process.stalls) {
        stall.clone().add_to(&mut all);
    }
    all.sort_by_key(|stall| std::cmp::Reverse(stall.wall_ns));
    all.into_iter().map(StallFigures::from).collect()
}

pub(super) fn figures(recording: &Recording) -> ServiceFigures {
    let processes = &recording.processes;
    let first = processes.first().cloned().unwrap_or_default();
    let sum = |figure: fn(&Process) -> u64| total(processes.iter().map(figure));
    let requests = sum(|process| process.requests_seen);
    let measured = sum(|process| process.requests_measured);
    let cpu = sum(|process| process.cpu_ns);
    let thread_cpu = sum(|process| total(process.threads.iter().map(|thread| thread.cpu_ns)));
    let request_cpu = sum(request_cpu);
    let mut in_flight = Distribution::default();
    for one in processes {
        in_flight.merge(&one.in_flight);
    }
    let course = time::course(processes);
    let active_s = course.active_s;
    // Spans know no CPU time at all, and a process without any is none.
    let is_partial = recording.endpoints.iter().any(is_uncounted);
    let is_known = requests > 0 && cpu > 0 && !is_partial;
    let a_request = |ns: u64| is_known.then(|| ns as f64 / NS_PER_MS / requests as f64);
    let hosts: BTreeSet<&str> = processes.iter().map(|one| one.host.as_str()).collect();
    // Only measured requests are in it; the others cost the same, and are not the server's.
    let factor = if measured > 0 {
        requests as f64 / measured as f64
    } else {
        1.0
    };
    let request_cpu = (request_cpu as f64 * factor) as u64;
    ServiceFigures {
        server: first.server,
        python: first.python,
        processes: processes.len(),
        processes_at_once: course.processes,
        hosts: hosts.len(),
        hosts_at_once: course.hosts,
        threads: processes
            .iter()
            .map(|one| one.threads.len())
            .max()
            .unwrap_or(0),
        cores: first.cores,
        machine: super::machine::machine(processes),
        observed_s: course.observed_s,
        active_s,
        requests,
        requests_are_partial: is_partial,
        requests_per_measured: factor,
        requests_per_s: (active_s > 0.0 && !is_partial).then(|| requests as f64 / active_s),
        // Beside a request that is left out nobody counts the others.
        in_flight: in_flight
            .mean()
            .filter(|_| !processes.iter().any(is_sampled)),
        in_flight_max: in_flight.max,
        cpu_s: cpu as f64 / 1e9,
        thread_cpu_s: thread_cpu as f64 / 1e9,
        request_cpu_s: request_cpu as f64 / 1e9,
        server_cpu_ms: a_request(thread_cpu.saturating_sub(request_cpu)),
        other_cpu_ms: a_request(cpu.saturating_sub(thread_cpu)),
        loop_busy_share: loop_busy(processes).map(|share| share * factor),
        memory_bytes: memory(processes),
        watched: union(processes, |process| &process.watched),
        stalls: stalls(processes),
        cannot_tell: (union(processes, |process| &process.cannot_tell).into_iter())
            .chain(settings_differ(processes))
            .collect(),
    }
}

/// Said where processes that served were not started alike: their figures are one mean of several services.
fn settings_differ(processes: &[Process]) -> Option<Doubt> {
    let mut different: Vec<&Server> = Vec::new();
    for process in processes.iter().filter(|one| one.requests_seen > 0) {
        if !different.contains(&&process.server) {
            different.push(&process.server);
        }
    }
    let named: Vec<String> = different.iter().map(|server| setting(server)).collect();
    (named.len() > 1).then(|| Doubt {
        code: "different_settings".to_owned(),
        detail: format!(
            "not all processes were started alike ({}): the figures are of all of them together, and a \
             prediction takes the first setting for the present one",
            named.join("; ")
        ),
    })
}

/// A server with its setting, as far as it is known.
fn setting(server: &Server) -> String {
    let count = |number: Option<u32>, what: &str| number.map(|number| format!("{number} {what}"));
    let words = [
        Some(server.name.clone()),
        Some(server.version.clone()),
        Some(server.worker.clone()),
        count(server.workers, "workers"),
        count(server.threads, "threads"),
    ];
    let known: Vec<String> = (words.into_iter().flatten())
        .filter(|word| !word.is_empty())
        .collect();
    if known.is_empty() {
        "unknown".to_owned()
    } else {
        known.join(" ")
    }
}

/// Whether an endpoint took time, and nobody could tell in how many requests: seen from outside.
fn is_uncounted(endpoint: &Endpoint) -> bool {
    let took = |times: &Distribution| times.is_empty() && times.sum > 0;
    endpoint.requests == 0 && (took(&endpoint.cpu_ns) || took(&endpoint.wait_ns))
}

fn is_sampled(process: &Process) -> bool {
    process.sampling.requests_every > 1
}

fn request_cpu(process: &Process) -> u64 {
    total(process.threads.iter().map(|thread| thread.request_cpu_ns))
}

/// The sum of figures that a file may hold: one beyond the range stays at its end.
fn total(figures: impl Iterator<Item = u64>) -> u64 {
    figures.fold(0, u64::saturating_add)
}

/// Of the threads that run steps of coroutines.
fn loop_busy(processes: &[Process]) -> Option<f64> {
    let mut busy = 0.0;
    let mut active = 0.0;
    for process in processes {
        for thread in process.threads.iter().filter(|thread| thread.steps > 0) {
            busy += thread.step_wall_ns as f64;
            active += process.active_ns as f64;
        }
    }
    (active > 0.0).then(|| busy / active)
}

fn memory(processes: &[Process]) -> Option<f64> {
    let known: Vec<u64> = processes
        .iter()
        .filter_map(|process| process.memory.pss_bytes.or(process.memory.rss_bytes))
        .collect();
    let sum = total(known.iter().copied());
    (!known.is_empty()).then(|| sum as f64 / known.len() as f64)
}

/// All different entries, in the order in which they come.
fn union<T: Clone + PartialEq>(processes: &[Process], of: fn(&Process) -> &Vec<T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for entry in processes.iter().flat_map(of) {
        if !all.contains(entry) {
            all.push(entry.clone());
        }
    }
    all
}
