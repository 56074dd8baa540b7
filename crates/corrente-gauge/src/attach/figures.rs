//! From counts of samples and the kernel's clocks to what each endpoint costs and waits for.
//!
//! Processor and run-queue times are the kernel's, a thread at a time; samples share them out among
//! the places where the thread was seen running. Times asleep are those between reads. What
//! a framework costs around an endpoint is that endpoint's; where none was seen it is shared by requests
//! where their numbers are known, else by time. Requests are counted by [`super::rate`], or not at all. Pure.

use std::collections::BTreeMap;

use super::process::ThreadTimes;
use super::rate::{NoRate, Rate, rate};
use super::runs::Runs;
use super::tally::{Awake, Doing, Place, ResourceId, Stay, Tally};
use crate::names::NameId;

/// An endpoint seen in fewer reads is a passing glimpse of a stack that changed while it was read.
const MIN_READS: u64 = 3;

/// A resource with less of its endpoint's time than this is a glimpse of another one, a connection
/// that was closed while it was looked up; or a line that says nothing.
const HARDLY_ANY: f64 = 0.01;

/// One endpoint in at least this share of the time in the application is the only one that counts.
const ALMOST_ALL: f64 = 0.95;

/// One process: its samples, and its threads' times while it was sampled.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) tally: Tally,
    pub(super) times: BTreeMap<u32, ThreadTimes>,
    /// CPU time of the process, threads that came and went between two looks included.
    pub(super) cpu_ns: u64,
    /// How long it was sampled, nanoseconds.
    pub(super) observed_ns: u64,
}

/// What an endpoint costs, over the whole time observed.
#[derive(Debug, Clone, Default)]
pub(super) struct EndpointFigures {
    /// Requests, with half of the 95 % interval as a share; or why there is no number.
    pub(super) requests: Option<Count>,
    pub(super) no_count: Option<NoRate>,
    /// It runs, at least in part, on an event loop.
    pub(super) on_loop: bool,
    pub(super) cpu_ns: f64,
    /// Of it, its share of what frameworks did where nobody saw for which endpoint.
    pub(super) shared_cpu_ns: f64,
    pub(super) run_queue_ns: f64,
    /// Asleep for resources and for the interpreter lock.
    pub(super) wait_ns: f64,
    /// Of it, for the interpreter lock.
    pub(super) locked_ns: f64,
    /// Of it, asleep on an event loop's thread: the loop stood still.
    pub(super) blocked_ns: f64,
    pub(super) resources: BTreeMap<ResourceId, ResourceFigures>,
}

impl EndpointFigures {
    /// Adds a share of the times of another, which has no requests of its own.
    fn add(&mut self, other: &Self, share: f64) {
        self.cpu_ns += other.cpu_ns * share;
        self.run_queue_ns += other.run_queue_ns * share;
        self.wait_ns += other.wait_ns * share;
        self.locked_ns += other.locked_ns * share;
        self.blocked_ns += other.blocked_ns * share;
        for (resource, used) in &other.resources {
            let own = self.resources.entry(*resource).or_default();
            own.wait_ns += used.wait_ns * share;
            own.blocked_ns += used.blocked_ns * share;
        }
    }

    /// Time on a processor, ready for one, and asleep.
    pub(super) fn total_ns(&self) -> f64 {
        self.cpu_ns + self.run_queue_ns + self.wait_ns
    }
}

/// What an endpoint waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct ResourceFigures {
    pub(super) wait_ns: f64,
    pub(super) blocked_ns: f64,
    pub(super) calls: Option<Count>,
}

/// An estimated number of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Count {
    pub(super) number: f64,
    pub(super) relative_error: f64,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) endpoints: BTreeMap<NameId, EndpointFigures>,
    /// All requests, endpoints known or not.
    pub(super) requests: Option<Count>,
    /// Time in frameworks for nobody knows which endpoint.
    pub(super) nobodys_ns: f64,
    /// CPU time outside of the application: the server, and what samples could not place.
    pub(super) outside_cpu_ns: f64,
    /// CPU time of all threads.
    pub(super) cpu_ns: f64,
    /// Mean number of threads on a processor or ready for one, by samples; the kernel's clocks say
    /// `cpu_ns` and run-queue time, and the two should agree.
    pub(super) running_by_samples: f64,
    pub(super) running_by_clock: f64,
    /// The part of `cpu_ns` that threads had which came and went between two looks at the clocks.
    pub(super) short_lived_cpu_ns: f64,
}

/// Works the figures out. `seconds` is how long the whole was observed.
pub(super) fn figures(sampled: &[Sampled], seconds: f64) -> Figures {
    let mut endpoints: BTreeMap<NameId, EndpointFigures> = BTreeMap::new();
    let mut around: BTreeMap<NameId, EndpointFigures> = BTreeMap::new();
    let mut framework = EndpointFigures::default();
    let mut figures = Figures::default();
    let mut at = |place: Place, work: &mut dyn FnMut(&mut EndpointFigures)| match place {
        Place::Endpoint(name) => work(endpoints.entry(name).or_default()),
        Place::Around(name) => work(around.entry(name).or_default()),
        Place::Application => work(&mut framework),
        Place::Outside | Place::Answering => {}
    };
    share_runs(sampled, &mut figures, &mut at);
    for process in sampled {
        share_rest(process, &mut figures, &mut at);
        share_waiting(process, &mut at);
    }
    endpoints.retain(|name, _| reads_of(sampled, *name) >= MIN_READS);
    figures.nobodys_ns = framework.total_ns();
    count(sampled, seconds, &mut endpoints, &mut figures);
    for (name, found) in &around {
        // Around a glimpse is a framework like any other.
        let owner = endpoints.get_mut(name).unwrap_or(&mut framework);
        owner.add(found, 1.0);
    }
    share_framework(&framework, &mut endpoints, &figures);
    for endpoint in endpoints.values_mut() {
        let least = endpoint.total_ns() * HARDLY_ANY;
        endpoint.resources.retain(|_, used| used.wait_ns >= least);
    }
    figures.endpoints = endpoints;
    figures
}

type At<'a> = &'a mut dyn FnMut(Place, &mut dyn FnMut(&mut EndpointFigures));

/// Shares the times of runs whose ends were seen: by what was seen of runs between the same ends,
/// else half to each end.
fn share_runs(sampled: &[Sampled], figures: &mut Figures, at: At<'_>) {
    let mut runs = Runs::default();
    for process in sampled {
        runs.merge(&process.tally.runs);
    }
    for ((from, to), alike) in &runs.alike {
        let seen: Vec<(Place, Awake)> = alike
            .seen
            .iter()
            .map(|(place, awake)| (*place, *awake))
            .collect();
        if seen.iter().any(|(_, awake)| awake.running > 0) {
            share(alike.times, &seen, figures, at);
        } else {
            let half = Awake {
                running: 1,
                ready: 0,
            };
            share(alike.times, &[(*from, half), (*to, half)], figures, at);
        }
    }
}

/// Shares what is left of each thread's times by where the thread was seen awake.
fn share_rest(process: &Sampled, figures: &mut Figures, at: At<'_>) {
    let tally = &process.tally;
    let mut seen: BTreeMap<u32, Vec<(Place, Awake)>> = BTreeMap::new();
    for ((thread, place), awake) in &tally.awake {
        seen.entry(*thread).or_default().push((*place, *awake));
    }
    let observed = process.observed_ns.max(1) as f64;
    let mut known = 0;
    for (thread, times) in &process.times {
        known += times.cpu;
        figures.running_by_clock += (times.cpu + times.run_queue) as f64 / observed;
        let places = seen.remove(thread).unwrap_or_default();
        let shared = tally.runs.times(*thread);
        share(times.since(shared), &places, figures, at);
    }
    // What is left in `seen` are threads that came and went between two looks at the clocks, as a
    // server with a thread for each connection has them.
    let places: Vec<(Place, Awake)> = seen.into_values().flatten().collect();
    if !places.is_empty() {
        let left = process.cpu_ns.saturating_sub(known);
        let ready: u64 = places.iter().map(|(_, awake)| awake.ready).sum();
        figures.short_lived_cpu_ns += left as f64;
        figures.running_by_clock += (left + ready) as f64 / observed;
        let times = ThreadTimes {
            cpu: left,
            run_queue: ready,
        };
        share(times, &places, figures, at);
    }
    let awake: u64 = tally
        .awake
        .values()
        .map(|awake| awake.running + awake.ready)
        .sum();
    figures.running_by_samples += awake as f64 / tally.sampled_ns.max(1) as f64;
    for (place, _) in tally.on_loop.keys() {
        at(*place, &mut |endpoint| endpoint.on_loop = true);
    }
}

/// Shares times out by how long threads were seen where.
fn share(times: ThreadTimes, places: &[(Place, Awake)], figures: &mut Figures, at: At<'_>) {
    let cpu = times.cpu as f64;
    figures.cpu_ns += cpu;
    let running: u64 = places.iter().map(|(_, awake)| awake.running).sum();
    if running == 0 {
        figures.outside_cpu_ns += cpu;
        return;
    }
    let queues = run_queues(times, places);
    for ((place, awake), run_queue) in places.iter().zip(queues) {
        let cpu = cpu * awake.running as f64 / running as f64;
        if *place == Place::Outside {
            figures.outside_cpu_ns += cpu;
        }
        at(*place, &mut |endpoint| {
            endpoint.cpu_ns += cpu;
            endpoint.run_queue_ns += run_queue;
        });
    }
}

/// The time on a run queue by place: where threads were awake for longer than they were on a
/// processor.
fn run_queues(times: ThreadTimes, places: &[(Place, Awake)]) -> Vec<f64> {
    let sum = |of: fn(&Awake) -> u64| places.iter().map(|(_, awake)| of(awake)).sum::<u64>() as f64;
    let (running, ready) = (sum(|awake| awake.running), sum(|awake| awake.ready));
    let (cpu, run_queue) = (times.cpu as f64, times.run_queue as f64);
    let excess: Vec<f64> = places
        .iter()
        .map(|(_, awake)| {
            let seen = (awake.running + awake.ready) as f64 / (running + ready).max(1.0);
            let on_processor = cpu * awake.running as f64 / running.max(1.0);
            ((cpu + run_queue) * seen - on_processor).max(0.0)
        })
        .collect();
    let whole: f64 = excess.iter().sum();
    excess
        .iter()
        .map(|part| run_queue * part / whole.max(1.0))
        .collect()
}

/// Adds the time asleep, scaled from the time between reads to the whole time.
fn share_waiting(process: &Sampled, at: At<'_>) {
    let tally = &process.tally;
    let whole = process.observed_ns as f64 / tally.sampled_ns.max(1) as f64;
    for ((place, doing), time) in &tally.waiting {
        let wait = whole * *time as f64;
        at(*place, &mut |endpoint| {
            endpoint.wait_ns += wait;
            match doing {
                Doing::Waiting(resource) => {
                    endpoint.resources.entry(*resource).or_default().wait_ns += wait;
                }
                Doing::Locked => endpoint.locked_ns += wait,
                Doing::Running | Doing::Ready | Doing::Idle => {}
            }
        });
    }
    for ((place, doing), time) in &tally.on_loop {
        let Doing::Waiting(resource) = doing else {
            continue;
        };
        let blocked = whole * *time as f64;
        at(*place, &mut |endpoint| {
            endpoint.blocked_ns += blocked;
            endpoint.resources.entry(*resource).or_default().blocked_ns += blocked;
        });
    }
}

fn reads_of(sampled: &[Sampled], name: NameId) -> u64 {
    let seen = |process: &Sampled| process.tally.seen.get(&Place::Endpoint(name)).copied();
    sampled.iter().filter_map(seen).sum()
}

/// Counts requests and calls where they can be counted.
fn count(
    sampled: &[Sampled],
    seconds: f64,
    endpoints: &mut BTreeMap<NameId, EndpointFigures>,
    figures: &mut Figures,
) {
    let tallies: Vec<&Tally> = sampled.iter().map(|process| &process.tally).collect();
    let threads = threads(sampled);
    let number = |rate: Rate| Count {
        number: rate.per_second * seconds,
        relative_error: rate.relative_error,
    };
    let all = rate(&tallies, Stay::Application, threads).map(number);
    figures.requests = all.ok();
    // What frameworks did for nobody knows whom may be for views that are too short to be seen.
    let views: f64 = endpoints.values().map(EndpointFigures::total_ns).sum();
    let inside = views + figures.nobodys_ns;
    for (name, endpoint) in endpoints.iter_mut() {
        let own = rate(&tallies, Stay::Endpoint(*name), threads).map(number);
        // A view too short to be counted is still counted where it is the only one.
        let only = endpoint.total_ns() > ALMOST_ALL * inside;
        match (own, all) {
            (Ok(count), _) if !endpoint.on_loop => endpoint.requests = Some(count),
            (Err(_), Ok(count)) if only && !endpoint.on_loop => endpoint.requests = Some(count),
            (own, _) => endpoint.no_count = own.err(),
        }
        for (resource, used) in &mut endpoint.resources {
            let stay = Stay::Wait(*name, *resource);
            used.calls = rate(&tallies, stay, threads).map(number).ok();
        }
    }
}

/// Threads that were ever in the application.
fn threads(sampled: &[Sampled]) -> f64 {
    let threads = sampled
        .iter()
        .map(|process| process.tally.in_application.len());
    threads.sum::<usize>() as f64
}

/// Adds to each endpoint its part of what the framework around it costs.
fn share_framework(
    framework: &EndpointFigures,
    endpoints: &mut BTreeMap<NameId, EndpointFigures>,
    figures: &Figures,
) {
    let by_requests = endpoints
        .values()
        .all(|endpoint| endpoint.requests.is_some());
    let weight = |endpoint: &EndpointFigures| match endpoint.requests {
        Some(count) if by_requests => count.number,
        _ => endpoint.total_ns(),
    };
    let known: f64 = endpoints.values().map(weight).sum();
    // Requests that never reached an endpoint (no route, an answer by middleware) keep their part.
    let whole = match figures.requests {
        Some(count) if by_requests => count.number.max(known),
        _ => known,
    };
    if whole <= 0.0 {
        return;
    }
    for endpoint in endpoints.values_mut() {
        let share = weight(endpoint) / whole;
        endpoint.add(framework, share);
        // Of one endpoint, too: a view that is too short to be seen has its part of it.
        endpoint.shared_cpu_ns = framework.cpu_ns * share;
    }
}

#[cfg(test)]
mod tests;
