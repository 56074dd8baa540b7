//! The figures of a sampled service as a recording, with what sampling cannot know said in it.
//!
//! Samples give totals and estimated numbers, so every distribution here is its mean, that many
//! times. Where requests could not be counted, an endpoint has `requests` 0 and its totals stand in
//! the sums of empty distributions. Pure.

use std::collections::BTreeMap;

use corrente_record::{
    Calls, Distribution, Doubt, Endpoint, Interface, Memory, Process, Recording, Resource, Server,
    Source, Thread,
};

use super::figures::{Count, EndpointFigures, Figures, ResourceFigures};
use super::rate::NoRate;
use super::tables::{ResourceName, Tables};
use super::tally::{Place, Stay};
use super::watched::Watched;
use crate::names::NameId;

/// Disagreement of samples and clocks from which on it is told.
const DISAGREEMENT: f64 = 0.2;

/// Threads running; below this a disagreement is chance.
const HARDLY_RUNNING: f64 = 0.02;

/// Share of the CPU time from which on threads that came and went matter.
const SHORT_LIVED: f64 = 0.05;

/// A thread, the time that it was seen running, and the part of it in the application.
type Running = BTreeMap<u32, (u64, u64)>;

/// An endpoint that nobody could count and that took less than this share of the time has no line of its own.
const LITTLE: f64 = 0.02;

/// Share of an endpoint's CPU time from which on it matters that it may be another's.
const SHARED: f64 = 0.15;

/// Code for times that are means: a percentile of them says nothing.
pub(crate) const MEANS_ONLY: &str = "means_only";

/// Where and when the service was sampled.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    pub(super) host: String,
    pub(super) began_unix_ms: u64,
    pub(super) made_by: String,
}

/// The recording. Only processes that served are in it.
pub(super) fn recording(
    figures: &Figures,
    watched: &[Watched],
    tables: &Tables,
    about: &Circumstances,
) -> Recording {
    let serving: Vec<&Watched> = watched
        .iter()
        .filter(|watched| watched.tally.saw_application())
        .collect();
    let mut recording = Recording::new(&about.made_by);
    let asgi = serving.iter().any(|watched| watched.asgi == Some(true));
    recording.endpoints = figures
        .endpoints
        .iter()
        .map(|(name, found)| endpoint(tables.endpoints.name(*name), found, asgi, tables))
        .collect();
    let requests: u64 = recording.endpoints.iter().map(|one| one.requests).sum();
    let doubts = doubts(figures, tables);
    let shares = shares(&serving);
    for (watched, share) in serving.iter().zip(shares) {
        let requests = (requests as f64 * share).round() as u64;
        recording.processes.push(Process {
            requests_seen: requests,
            requests_measured: requests,
            cannot_tell: doubts.clone(),
            server: server(watched, serving.len()),
            ..process(watched, about)
        });
    }
    recording
}

/// Each process's part of all requests, by the time its threads spent in the application.
fn shares(serving: &[&Watched]) -> Vec<f64> {
    let inside: Vec<f64> = serving
        .iter()
        .map(|watched| watched.tally.mean(Stay::Application))
        .collect();
    let whole: f64 = inside.iter().sum();
    inside.iter().map(|part| part / whole).collect()
}

fn process(watched: &Watched, about: &Circumstances) -> Process {
    let times = watched.times();
    let observed = watched.last.duration_since(watched.began).as_nanos();
    let observed_ns = u64::try_from(observed).unwrap_or(u64::MAX);
    let running = running(watched);
    let threads = times.iter().filter_map(|(thread, times)| {
        let (all, inside) = running.get(thread)?;
        (*inside > 0).then(|| Thread {
            name: watched
                .thread_names
                .get(thread)
                .cloned()
                .unwrap_or_default(),
            cpu_ns: times.cpu,
            request_cpu_ns: (times.cpu as f64 * *inside as f64 / *all as f64) as u64,
            run_queue_ns: times.run_queue,
            ..Thread::default()
        })
    });
    Process {
        host: about.host.clone(),
        pid: watched.pid,
        started_unix_ms: about.began_unix_ms,
        source: Source::Sampler,
        observed_ns,
        // Nobody saw the first request and the last one; there were some before and after.
        active_ns: observed_ns,
        python: watched.python.clone(),
        cores: watched.processors,
        cpu_ns: watched.cpu_ns(),
        threads: threads.collect(),
        memory: Memory {
            pss_bytes: watched.memory.0,
            rss_bytes: watched.memory.1,
        },
        ..Process::default()
    }
}

fn running(watched: &Watched) -> Running {
    let mut running = Running::new();
    for ((thread, place), awake) in &watched.tally.awake {
        let entry = running.entry(*thread).or_default();
        entry.0 += awake.running;
        if *place != Place::Outside {
            entry.1 += awake.running;
        }
    }
    running
}

fn server(watched: &Watched, workers: usize) -> Server {
    let seen = watched.server.clone();
    let worker = seen.as_ref().and_then(|seen| seen.worker.clone());
    let single = watched.asgi == Some(true) || worker.as_deref() == Some("sync");
    let pool = u32::try_from(watched.pool_threads.len()).ok();
    Server {
        name: seen.map(|seen| seen.name.to_owned()).unwrap_or_default(),
        version: String::new(),
        worker: worker.unwrap_or_default(),
        workers: u32::try_from(workers).ok(),
        threads: if single {
            Some(1)
        } else {
            pool.filter(|threads| *threads > 0)
        },
    }
}

fn endpoint(name: &str, found: &EndpointFigures, asgi: bool, tables: &Tables) -> Endpoint {
    let requests = found.requests.map_or(0, whole);
    let wall = found.cpu_ns + found.run_queue_ns + found.wait_ns;
    let in_calls: f64 = found.resources.values().map(|used| used.wait_ns).sum();
    // What a coroutine awaits is not on any stack: the wall time of a request on a loop is unknown.
    let known = if found.on_loop { 0.0 } else { wall };
    Endpoint {
        name: name.to_owned(),
        interface: if asgi {
            Interface::Asgi
        } else {
            Interface::Wsgi
        },
        requests,
        wall_ns: if found.on_loop {
            Distribution::default()
        } else {
            means(known, requests)
        },
        cpu_ns: means(found.cpu_ns, requests),
        run_queue_ns: means(found.run_queue_ns, requests),
        wait_ns: if found.on_loop {
            Distribution::default()
        } else {
            means(found.wait_ns, requests)
        },
        in_calls_ns: means(in_calls, requests),
        blocked_ns: if found.on_loop {
            // The loop stands still while a step sleeps, and while it is ready with no processor.
            means(found.blocked_ns + found.run_queue_ns, requests)
        } else {
            Distribution::default()
        },
        calls: found
            .resources
            .iter()
            .filter_map(|(id, used)| {
                let name = tables.resources.get(id.0 as usize)?;
                Some(calls(name, used, requests))
            })
            .collect(),
        ..Endpoint::default()
    }
}

fn calls(name: &ResourceName, used: &ResourceFigures, requests: u64) -> Calls {
    let number = used.calls.map_or(0, whole);
    let blocking = if used.blocked_ns > 0.0 { number } else { 0 };
    Calls {
        resource: Resource {
            kind: name.kind.to_owned(),
            driver: name.driver.clone(),
            host: name.host.clone(),
        },
        per_request: spread(number, requests),
        call_ns: means(used.wait_ns, number),
        blocking,
        ..Calls::default()
    }
}

fn whole(count: Count) -> u64 {
    count.number.round().max(0.0) as u64
}

/// The mean, `number` times; only the total where there is no number.
fn means(total: f64, number: u64) -> Distribution {
    let mut distribution = Distribution::default();
    if number > 0 {
        distribution.record_many((total / number as f64).round() as u64, number);
    }
    distribution.sum = total.round() as u64;
    distribution
}

/// `total` events over `requests`: each has its part, rounded down or up so that the sum is right.
/// Fewer events than requests are one each for some.
fn spread(total: u64, requests: u64) -> Distribution {
    let mut distribution = Distribution::default();
    if total == 0 || requests == 0 {
        return distribution;
    }
    let (each, more) = (total / requests, total % requests);
    if each > 0 {
        distribution.record_many(each, requests - more);
    }
    distribution.record_many(each + 1, more);
    distribution
}

fn doubts(figures: &Figures, tables: &Tables) -> Vec<Doubt> {
    let mut doubts = vec![
        doubt(
            MEANS_ONLY,
            "sampled from outside: times are means, so percentiles are not known",
        ),
        doubt(
            "endpoints_are_functions",
            "sampled from outside: endpoints are named by their functions, not by their routes",
        ),
    ];
    let all: f64 = figures
        .endpoints
        .values()
        .map(EndpointFigures::total_ns)
        .sum();
    let is_little =
        |found: &EndpointFigures| found.requests.is_none() && found.total_ns() < LITTLE * all;
    let (little, known): (Vec<_>, Vec<_>) =
        (figures.endpoints.iter()).partition(|(_, found)| is_little(found));
    for (name, found) in known {
        let name = tables.endpoints.name(*name);
        doubts.extend(shared(name, found));
        doubts.push(match (found.requests, found.no_count) {
            (Some(count), _) => doubt(
                "requests_estimated",
                &format!(
                    "`{name}`: number of requests estimated from samples, ± {:.0} %",
                    count.relative_error * 100.0
                ),
            ),
            (None, reason) => doubt("requests_unknown", &unknown(name, found, reason)),
        });
    }
    if !little.is_empty() {
        doubts.push(doubt("requests_unknown", &unknown_rest(&little)));
    }
    if figures.short_lived_cpu_ns > SHORT_LIVED * figures.cpu_ns {
        doubts.push(doubt(
            "short_lived_threads",
            "threads that came and went while the service was sampled: their time on a run queue is not known",
        ));
    }
    let (samples, clock) = (figures.running_by_samples, figures.running_by_clock);
    if clock > HARDLY_RUNNING && (samples / clock - 1.0).abs() > DISAGREEMENT {
        doubts.push(doubt(
            "samples_disagree_with_clocks",
            &format!(
                "by samples {samples:.2} threads were running, by the kernel's clocks {clock:.2}"
            ),
        ));
    }
    doubts
}

/// Said of an endpoint whose CPU time is not surely its own.
fn shared(name: &str, found: &EndpointFigures) -> Option<Doubt> {
    let share = found.shared_cpu_ns / found.cpu_ns;
    (share > SHARED).then(|| {
        let percent = share * 100.0;
        doubt(
            "cpu_shared",
            &format!(
                "`{name}`: {percent:.0} % of its CPU time is its share of what frameworks did while no endpoint \
                 was seen, and may be another's"
            ),
        )
    })
}

/// The endpoints that took little, in one line.
fn unknown_rest(little: &[(&NameId, &EndpointFigures)]) -> String {
    let seconds = |of: fn(&EndpointFigures) -> f64| {
        little.iter().map(|(_, found)| of(found)).sum::<f64>() / 1e9
    };
    format!(
        "{} more, of less than {:.0} % of the time each: their requests were not counted; in all they had {:.2} s of CPU and slept {:.2} s",
        little.len(),
        LITTLE * 100.0,
        seconds(|found| found.cpu_ns),
        seconds(|found| found.wait_ns),
    )
}

fn unknown(name: &str, found: &EndpointFigures, reason: Option<NoRate>) -> String {
    let why = match reason {
        _ if found.on_loop => {
            "it runs on an event loop, where requests cannot be told apart from outside"
        }
        Some(NoRate::TooShort) => "its requests are too short to be counted from outside",
        Some(NoRate::NoGap) => {
            "its requests follow each other too closely to be counted from outside"
        }
        Some(NoRate::TooFew) | None => "too few of its requests were seen to count them",
    };
    format!(
        "`{name}`: {why}; in all it had {:.2} s of CPU and slept {:.2} s",
        found.cpu_ns / 1e9,
        found.wait_ns / 1e9
    )
}

fn doubt(code: &str, detail: &str) -> Doubt {
    Doubt {
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn endpoints_that_took_little_share_a_line() {
        let mut tables = Tables::default();
        let mut figures = Figures::default();
        for (name, cpu_ns) in [("shop:page", 9e9), ("shop:a", 1e8), ("shop:b", 1e8)] {
            let found = EndpointFigures {
                cpu_ns,
                ..EndpointFigures::default()
            };
            figures.endpoints.insert(tables.endpoints.id(name), found);
        }
        let doubts = doubts(&figures, &tables);
        let unknown = doubts.iter().filter(|one| one.code == "requests_unknown");
        let lines: Vec<&str> = unknown.map(|one| one.detail.as_str()).collect();
        let [page, rest] = lines[..] else {
            panic!("{lines:?}");
        };
        assert!(page.contains("`shop:page`"), "{page}");
        assert!(
            rest.starts_with("2 more,") && rest.contains("0.20 s of CPU"),
            "{rest}"
        );
    }

    #[test]
    fn cpu_time_that_may_be_another_s_is_said_to_be_that() {
        let said = |shared_cpu_ns| {
            let found = EndpointFigures {
                cpu_ns: 10.0,
                shared_cpu_ns,
                ..EndpointFigures::default()
            };
            shared("shop:page", &found).map(|doubt| doubt.detail)
        };
        assert_eq!(said(1.0), None);
        let detail = said(4.0).expect("it is much");
        assert!(
            detail.starts_with("`shop:page`: 40 % of its CPU"),
            "{detail}"
        );
    }

    #[test]
    fn totals_without_a_number_are_kept() {
        let distribution = means(5_000.4, 0);
        assert_eq!((distribution.count, distribution.sum), (0, 5_000));
        assert_eq!(distribution.mean(), None);
    }

    proptest! {
        #[test]
        fn means_keep_the_total(total in 0_u64..1 << 50, number in 1_u64..1_000_000) {
            let distribution = means(total as f64, number);
            prop_assert_eq!((distribution.count, distribution.sum), (number, total));
        }

        #[test]
        fn events_are_spread_over_requests(total in 0_u64..10_000, requests in 1_u64..3_000) {
            let distribution = spread(total, requests);
            prop_assert_eq!(distribution.sum, total);
            prop_assert!(distribution.count <= requests);
            prop_assert!(distribution.count >= total.min(requests));
        }
    }
}
