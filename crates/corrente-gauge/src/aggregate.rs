//! From a recording to figures: what each endpoint costs and waits for, and what the service does.
//!
//! Pure. Means, quantiles and variations of what was recorded, and what follows from them without a
//! model; predictions are made from these figures and the distributions elsewhere. What is not known
//! is absent, never 0.

mod machine;
mod service;
mod time;

use corrente_record::{Calls, Distribution, Endpoint, Interface, Recording, Resource, Waiting};
use serde::Serialize;

pub use service::{ServiceFigures, StallFigures};

/// Figures of a whole recording.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Name and version of this document.
    pub schema: &'static str,
    /// What the service as a whole does.
    pub service: ServiceFigures,
    /// The endpoints, those that keep the service busiest first.
    pub endpoints: Vec<EndpointFigures>,
}

/// Name and version of the figures as JSON.
pub const SCHEMA: &str = "corrente.gauge/1";

/// A distribution of times in short. Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// The mean.
    pub mean_ms: f64,
    /// Half of them are below.
    pub p50_ms: f64,
    /// Nine in ten are below.
    pub p90_ms: f64,
    /// 99 in 100 are below.
    pub p99_ms: f64,
    /// The largest.
    pub max_ms: f64,
    /// Variance over squared mean.
    pub squared_variation: Option<f64>,
}

impl Summary {
    /// The summary of a distribution of nanoseconds.
    pub fn of(distribution: &Distribution) -> Option<Self> {
        let quantile = |q| distribution.quantile(q).map(|ns| ns / NS_PER_MS);
        Some(Self {
            mean_ms: distribution.mean()? / NS_PER_MS,
            p50_ms: quantile(0.5)?,
            p90_ms: quantile(0.9)?,
            p99_ms: quantile(0.99)?,
            max_ms: distribution.max as f64 / NS_PER_MS,
            squared_variation: distribution.squared_variation(),
        })
    }
}

const NS_PER_MS: f64 = 1e6;

/// Requests whose time in line stands for that of all: of fewer, one that was put aside decides.
const ASKED_ENOUGH: u64 = 30;

/// What an endpoint costs and waits for, a request.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointFigures {
    /// `GET /users/{id}`.
    pub name: String,
    /// How it is called.
    pub interface: Interface,
    /// Requests that came, as far as they can be counted: those that were not measured stand in
    /// proportion.
    pub requests: f64,
    /// Requests behind the other figures.
    pub measured: u64,
    /// Share of responses with a status of 500 and above, or an exception.
    pub error_share: f64,
    /// The same with those of 400 and above, which may be the client's fault.
    pub failed_share: f64,
    /// From the call of the application to the end of the response.
    pub wall: Option<Summary>,
    /// CPU time in the application.
    pub cpu: Option<Summary>,
    /// CPU time between two waits.
    pub segment: Option<Summary>,
    /// Mean time on a run queue: ready, with no processor.
    pub run_queue_ms: Option<f64>,
    /// Mean time neither on a processor nor waiting for one.
    pub wait_ms: Option<f64>,
    /// The most that it can be, where none of the requests was asked how long it stood in line for a
    /// processor: then `wait_ms` is not known.
    pub wait_at_most_ms: Option<f64>,
    /// Waiting over computing (Goetz's blocking coefficient).
    pub blocking_coefficient: Option<f64>,
    /// How often a request sleeps, by the kernel's account (WSGI), or yields to its loop (ASGI).
    pub waits: Option<f64>,
    /// Involuntary switches: how often a request is put aside.
    pub involuntary_switches: Option<f64>,
    /// Mean time with at least one call of a resource open, over all requests.
    pub in_calls_ms: f64,
    /// The part of it without computing, where that can be told.
    #[serde(skip)]
    pub(crate) wait_in_calls_ms: f64,
    /// Waiting that no watched library explains: locks, the GIL, the client, or what is not watched.
    pub unexplained_wait_ms: Option<f64>,
    /// ASGI: mean time that a request holds up its loop asleep: neither computing nor in line for a processor.
    pub blocked_ms: Option<f64>,
    /// ASGI: functions run in a thread pool, and their mean CPU time in all.
    pub pool_calls: f64,
    /// ASGI: their CPU time, a request.
    pub pool_cpu_ms: f64,
    /// ASGI: their wall time, a request.
    pub pool_wall_ms: f64,
    /// Mean waiting of requests that were alone in their process: without the GIL of others.
    pub wait_alone_ms: Option<f64>,
    /// Requests that were alone.
    pub alone: u64,
    /// Mean bytes of a response.
    pub bytes_sent: f64,
    /// What it calls.
    pub calls: Vec<CallFigures>,
}

impl EndpointFigures {
    /// Whether they are the figures of this endpoint: the same name may be served in two ways.
    pub(crate) fn is_of(&self, endpoint: &Endpoint) -> bool {
        (&self.name, self.interface) == (&endpoint.name, endpoint.interface)
    }

    /// The waiting, or the most that it can be where it is not known.
    pub(crate) fn waiting_ms(&self) -> Option<f64> {
        self.wait_ms.or(self.wait_at_most_ms)
    }
}

/// Calls of one resource by an endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct CallFigures {
    /// What is called.
    pub resource: Resource,
    /// Share of requests that call it.
    pub request_share: f64,
    /// Calls a request, over all requests.
    pub calls: f64,
    /// Wall time of a call.
    pub call: Option<Summary>,
    /// Mean waiting in a call: its wall time without CPU time, with what belongs to it.
    pub wait_ms: Option<f64>,
    /// Mean CPU time that the client library takes for a call, with what belongs to it; absent where
    /// only a part of the library is watched.
    pub cpu_ms: Option<f64>,
    /// Waiting in these calls, a request.
    pub wait_per_request_ms: f64,
    /// Share of calls that were open together with another.
    pub overlapped_share: f64,
    /// Share of calls that blocked an event loop.
    pub blocking_share: f64,
    /// Share of calls that follow one another from the same line: candidates for `gather`.
    pub run_share: f64,
    /// What making those together would save a request, **at most**: nothing here proves that they
    /// do not depend on one another.
    pub gather_saves_up_to_ms: f64,
}

/// The figures of a recording.
pub fn aggregate(recording: &Recording) -> Figures {
    let service = service::figures(recording);
    let queued = queued_per_cpu(recording);
    let mut endpoints: Vec<EndpointFigures> = recording
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.requests > 0)
        .map(|endpoint| EndpointFigures {
            blocked_ms: blocked_ms(endpoint, queued),
            ..figures(endpoint, service.requests_per_measured)
        })
        .collect();
    let busy = |one: &EndpointFigures| one.requests * one.wall.map_or(0.0, |wall| wall.mean_ms);
    endpoints.sort_by(|a, b| busy(b).total_cmp(&busy(a)));
    Figures {
        schema: SCHEMA,
        service,
        endpoints,
    }
}

/// All but what the loop's stalls are: that takes the other endpoints, too.
fn figures(endpoint: &Endpoint, requests_per_measured: f64) -> EndpointFigures {
    let measured = endpoint.requests as f64;
    let mean_ms = |distribution: &Distribution| distribution.mean().map(|ns| ns / NS_PER_MS);
    let cpu = mean_ms(&endpoint.cpu_ns);
    let (wait_ms, wait_at_most_ms) = match Waiting::of(endpoint) {
        Some(Waiting::Known(ns)) => (Some(ns / NS_PER_MS), None),
        Some(Waiting::AtMost(ns)) => (None, Some(ns / NS_PER_MS)),
        None => (None, None),
    };
    let pool_cpu_ms = endpoint.pool_cpu_ns as f64 / NS_PER_MS / measured;
    let in_calls_ms = endpoint.in_calls_ns.sum as f64 / NS_PER_MS / measured;
    let wait_in_calls_ms = wait_in_calls_ns(endpoint) / NS_PER_MS / measured;
    let calls: Vec<CallFigures> = endpoint
        .calls
        .iter()
        .map(|calls| call_figures(calls, measured))
        .collect();
    let asgi = endpoint.interface == Interface::Asgi;
    EndpointFigures {
        name: endpoint.name.clone(),
        interface: endpoint.interface,
        requests: measured * requests_per_measured,
        measured: endpoint.requests,
        error_share: bad(endpoint, &["5xx"]) as f64 / measured,
        failed_share: bad(endpoint, &["4xx", "5xx"]) as f64 / measured,
        wall: Summary::of(&endpoint.wall_ns),
        cpu: Summary::of(&endpoint.cpu_ns),
        segment: Summary::of(&endpoint.segment_cpu_ns),
        run_queue_ms: mean_ms(&endpoint.run_queue_ns),
        wait_ms,
        wait_at_most_ms,
        blocking_coefficient: wait_ms
            .zip(cpu.map(|cpu| cpu + pool_cpu_ms).filter(|cpu| *cpu > 0.0))
            .map(|(wait, cpu)| wait / cpu),
        waits: if asgi {
            endpoint.steps.mean().map(|steps| (steps - 1.0).max(0.0))
        } else {
            endpoint.voluntary_switches.mean()
        },
        involuntary_switches: endpoint.involuntary_switches.mean(),
        in_calls_ms,
        wait_in_calls_ms,
        unexplained_wait_ms: wait_ms.map(|wait| (wait - wait_in_calls_ms).max(0.0)),
        blocked_ms: None,
        pool_calls: endpoint.pool_calls as f64 / measured,
        pool_cpu_ms,
        pool_wall_ms: endpoint.pool_wall_ns as f64 / NS_PER_MS / measured,
        wait_alone_ms: wait_alone(endpoint),
        alone: endpoint.alone.requests,
        bytes_sent: endpoint.bytes_sent as f64 / measured,
        calls,
    }
}

/// How long steps of coroutines stood in line for a processor, for each part of a second that they computed.
/// Few requests are asked, so all endpoints are taken together: the busier the processors, the longer
/// whoever computes stands in line, whatever it computes. Where too few were asked the loops' threads tell,
/// all of whose time in line the kernel knows; some of that was outside of steps, so that less is blocked
/// than may be, rather than more.
fn queued_per_cpu(recording: &Recording) -> f64 {
    let per_cpu = |queued: f64, cpu: f64| (cpu > 0.0).then(|| queued / cpu);
    let asked = || {
        let all = recording.endpoints.iter();
        all.filter(|one| one.interface == Interface::Asgi)
    };
    let requests: u64 = asked().map(|one| one.run_queue_ns.count).sum();
    let queued: f64 = asked().map(|one| one.run_queue_ns.sum as f64).sum();
    let cpu = |one: &Endpoint| one.run_queue_ns.count as f64 * one.cpu_ns.mean().unwrap_or(0.0);
    let by_requests = per_cpu(queued, asked().map(cpu).sum());
    let threads = || {
        let all = recording.processes.iter().flat_map(|one| &one.threads);
        all.filter(|thread| thread.steps > 0 && thread.run_queue_ns > 0)
    };
    let queued: f64 = threads().map(|thread| thread.run_queue_ns as f64).sum();
    let by_threads = per_cpu(queued, threads().map(|thread| thread.cpu_ns as f64).sum());
    let known = if requests < ASKED_ENOUGH {
        by_threads.or(by_requests)
    } else {
        by_requests
    };
    known.unwrap_or(0.0)
}

/// The time in which steps neither computed nor, as far as that can be told, stood in line.
fn blocked_ms(endpoint: &Endpoint, queued_per_cpu: f64) -> Option<f64> {
    let queued = endpoint.cpu_ns.mean().unwrap_or(0.0) * queued_per_cpu;
    let blocked = endpoint.blocked_ns.mean()?;
    Some((blocked - queued).max(0.0) / NS_PER_MS)
}

/// Requests that ended in an exception or with a status of these classes. A framework may answer with one and
/// raise as well; an exception without a status is one by itself.
fn bad(endpoint: &Endpoint, classes: &[&str]) -> u64 {
    let with = |class: &&str| endpoint.statuses.get(*class).copied().unwrap_or(0);
    let answered: u64 = classes.iter().map(with).sum();
    let unanswered = with(&"none").min(endpoint.exceptions);
    (answered + unanswered).max(endpoint.exceptions)
}

/// The time with a call open in which nothing of the request computed. Of calls that are open together each has
/// what the request computes meanwhile, so that it cannot be told.
fn wait_in_calls_ns(endpoint: &Endpoint) -> f64 {
    let is_told = endpoint.calls.iter().all(|calls| calls.overlapped == 0);
    let computed: f64 = endpoint.calls.iter().map(|calls| calls.cpu_ns as f64).sum();
    let in_calls = endpoint.in_calls_ns.sum as f64;
    (in_calls - if is_told { computed } else { 0.0 }).max(0.0)
}

fn wait_alone(endpoint: &Endpoint) -> Option<f64> {
    let alone = &endpoint.alone;
    let wait = alone.wall_ns.saturating_sub(alone.cpu_ns) as f64;
    (alone.requests > 0).then(|| wait / NS_PER_MS / alone.requests as f64)
}

fn call_figures(calls: &Calls, requests: f64) -> CallFigures {
    let count = calls.call_ns.count as f64;
    let share = |part: u64| {
        if count > 0.0 {
            part as f64 / count
        } else {
            0.0
        }
    };
    let wall = calls.call_ns.sum.saturating_add(calls.continued_ns);
    let wait_ms = wall.saturating_sub(calls.cpu_ns) as f64 / NS_PER_MS;
    CallFigures {
        resource: calls.resource.clone(),
        request_share: calls.per_request.count as f64 / requests,
        calls: count / requests,
        call: Summary::of(&calls.call_ns),
        wait_ms: (count > 0.0).then(|| wait_ms / count),
        cpu_ms: (count > 0.0 && calls.entered).then(|| calls.cpu_ns as f64 / NS_PER_MS / count),
        wait_per_request_ms: wait_ms / requests,
        overlapped_share: share(calls.overlapped),
        blocking_share: share(calls.blocking),
        run_share: share(calls.runs.length.sum),
        gather_saves_up_to_ms: calls.runs.wall_ns.saturating_sub(calls.runs.longest_ns) as f64
            / NS_PER_MS
            / requests,
    }
}

#[cfg(test)]
mod tests;
