//! Where a recording does not allow a prediction: the first reason, or none.
//!
//! It comes before every prediction. Too little data is a reason too, with how much is missing.

use corrente_record::{Doubt, Interface, Recording, Source};
use corrente_report::prediction::{Assumption, Reason};

use crate::aggregate::{EndpointFigures, Figures};

/// Code of a recording under gevent or eventlet.
pub(super) const GREENLETS: &str = "greenlets";
/// Requests below which nothing is predicted: a mean over fewer moves by 10 % and more from one
/// recording to the next where times vary as an exponential does (1 / √200 = 7 %).
pub(super) const REQUESTS: u64 = 200;
/// The same for one endpoint.
pub(super) const REQUESTS_OF_ENDPOINT: u64 = 30;
/// An endpoint that takes less than this share of the time may have fewer.
const RARE: f64 = 0.05;
/// Waiting that no library explains is said above this share.
pub(super) const UNEXPLAINED: f64 = 0.20;
/// Above this nothing is advised.
pub(super) const UNEXPLAINED_MOST: f64 = 0.50;
/// An endpoint with more failures than this is not what it would be.
pub(super) const FAILING: f64 = 0.90;
/// The same holds for a service in which such endpoints take more than this share of the time.
const FAILING_TIME: f64 = 0.20;
/// A share of the time, or of the computing, in a thread pool that makes the model of a loop wrong.
const POOLED: f64 = 0.20;
/// Simulated requests of which too few are beyond the 99th percentile: ten.
const SIMULATED: u64 = 1_000;
/// What a process's start takes of CPU time in threads that serve nothing, seconds.
const START_S: f64 = 5.0;

/// The first reason against a prediction.
pub(super) fn first(recording: &Recording, figures: &Figures) -> Option<Reason> {
    let noted = |code: &str| noted(&figures.service.cannot_tell, code);
    if noted(GREENLETS) {
        return Some(Reason::Greenlets);
    }
    let recorded = |source| recording.processes.iter().all(|one| one.source == source);
    let computed = figures.endpoints.iter().any(|one| one.cpu.is_some());
    if !recorded(Source::Recorder) || !computed {
        return Some(Reason::NoCpuTimes);
    }
    if recording
        .processes
        .iter()
        .any(|one| one.python.ends_with('t'))
    {
        return Some(Reason::FreeThreaded);
    }
    if are_mixed(figures) {
        return Some(Reason::MixedInterfaces);
    }
    if let Some(reason) = failing(figures).or_else(|| too_few(figures)) {
        return Some(reason);
    }
    (noted("thread_pool") || is_pooled(figures)).then_some(Reason::ThreadPool)
}

/// Said where requests take so many turns to simulate that few were.
pub(super) fn few_simulated(requests: u64) -> Option<Assumption> {
    (requests < SIMULATED).then_some(Assumption::FewSimulated { requests })
}

/// Whether the recording says that this could not be told.
pub(super) fn noted(doubts: &[Doubt], code: &str) -> bool {
    doubts.iter().any(|doubt| doubt.code == code)
}

/// The busiest of the endpoints that fail, where they matter.
fn failing(figures: &Figures) -> Option<Reason> {
    let fails = |one: &&EndpointFigures| one.failed_share > FAILING;
    let all: f64 = figures.endpoints.iter().map(busy).sum();
    let failing: f64 = figures.endpoints.iter().filter(fails).map(busy).sum();
    let first = figures.endpoints.iter().find(fails)?;
    (failing > FAILING_TIME * all).then(|| Reason::FailingEndpoint {
        endpoint: first.name.clone(),
        share: first.failed_share,
    })
}

fn too_few(figures: &Figures) -> Option<Reason> {
    let requests: u64 = figures.endpoints.iter().map(|one| one.measured).sum();
    if requests < REQUESTS {
        let more = REQUESTS - requests;
        return Some(Reason::FewRequests { requests, more });
    }
    let all: f64 = figures.endpoints.iter().map(busy).sum();
    let matters = |one: &&EndpointFigures| busy(one) > RARE * all;
    let line_is_told = !is_line_unknown(figures);
    let missing = |one: &EndpointFigures| {
        let few = REQUESTS_OF_ENDPOINT.saturating_sub(one.measured);
        // Of so many requests hardly ever none is asked how long it stood in line.
        let unasked = if line_is_told && is_unasked(one) {
            REQUESTS_OF_ENDPOINT
        } else {
            0
        };
        few.max(unasked)
    };
    let mut all = figures.endpoints.iter().filter(matters);
    let found = all.find(|one| missing(one) > 0)?;
    Some(Reason::FewOfEndpoint {
        endpoint: found.name.clone(),
        more: missing(found),
    })
}

/// Whether its waiting may be time in line for a processor: none of its requests was asked.
pub(super) fn is_unasked(endpoint: &EndpointFigures) -> bool {
    endpoint.interface == Interface::Wsgi && endpoint.wait_at_most_ms.is_some()
}

/// Whether the kernel told of no request at all how long it stood in line.
pub(super) fn is_line_unknown(figures: &Figures) -> bool {
    figures.endpoints.iter().all(is_unasked)
}

/// Whether a synchronous service and an asynchronous one are in it, and neither is a trifle.
fn are_mixed(figures: &Figures) -> bool {
    let time = |interface| {
        let those = figures
            .endpoints
            .iter()
            .filter(|one| one.interface == interface);
        those.map(busy).sum::<f64>()
    };
    let (wsgi, asgi) = (time(Interface::Wsgi), time(Interface::Asgi));
    wsgi.min(asgi) > RARE * (wsgi + asgi)
}

/// Time that an endpoint's requests take together.
fn busy(endpoint: &EndpointFigures) -> f64 {
    endpoint.requests * endpoint.wall.map_or(0.0, |wall| wall.mean_ms)
}

/// Whether requests are worked on in threads that the model does not have: a pool of a loop, which
/// waits for the interpreter lock while they compute, or threads of a synchronous process that serve
/// nothing themselves and still compute more than all that do.
fn is_pooled(figures: &Figures) -> bool {
    let all: f64 = figures.endpoints.iter().map(busy).sum();
    let sum = |of: fn(&EndpointFigures) -> f64| -> f64 {
        let each = figures.endpoints.iter();
        each.map(|one| one.requests * of(one)).sum()
    };
    let pooled = sum(|one| one.pool_wall_ms);
    let pooled_cpu = sum(|one| one.pool_cpu_ms);
    let cpu = pooled_cpu + sum(|one| one.cpu.map_or(0.0, |cpu| cpu.mean_ms));
    let service = &figures.service;
    let others = service.cpu_s - service.thread_cpu_s - START_S * service.processes as f64;
    let is_beside = pooled > POOLED * all || pooled_cpu > POOLED * cpu;
    is_beside || others > service.thread_cpu_s
}
