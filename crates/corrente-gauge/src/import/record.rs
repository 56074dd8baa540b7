//! Requests from spans as a recording, with what spans cannot know said in it.
//!
//! Wall times and calls are exact as far as the instrumentation saw them. Processor time, run queues
//! and switches are unknown, so those distributions stay empty: wall minus calls is an upper bound of
//! what a request computes, and whoever reads the recording must treat it as one. Pure.

use std::collections::BTreeMap;

use corrente_record::{
    Calls, Distribution, Doubt, ENDPOINTS_MAX, Endpoint, Interface, OTHER, Process, Recording,
    Source,
};

use super::attributes::{Resource, ResourceKind, ServerKind};
use super::gather::{Imported, Request, ResourceUse};

impl Imported {
    /// The recording. `made_by` is name and version of this program.
    pub fn recording(&self, made_by: &str) -> Recording {
        let mut endpoints: BTreeMap<&str, Building> = BTreeMap::new();
        for request in &self.requests {
            let full = endpoints.len() >= ENDPOINTS_MAX;
            let name = if full && !endpoints.contains_key(request.endpoint.as_str()) {
                OTHER
            } else {
                &request.endpoint
            };
            endpoints.entry(name).or_default().add(request);
        }
        let interface = self.interface();
        let mut recording = Recording::new(made_by);
        recording.endpoints = endpoints
            .into_iter()
            .map(|(name, building)| building.endpoint(name, interface))
            .collect();
        let mut by_sender: Vec<Vec<&Request>> = vec![Vec::new(); self.senders.len()];
        for request in &self.requests {
            by_sender[request.sender].push(request);
        }
        recording.processes = (0..)
            .zip(&by_sender)
            .map(|(number, requests)| self.process(number, requests))
            .collect();
        recording
    }

    fn interface(&self) -> Interface {
        let kinds = || self.senders.iter().filter_map(|sender| sender.kind);
        if kinds().any(|kind| kind == ServerKind::Async) {
            Interface::Asgi
        } else {
            Interface::Wsgi
        }
    }

    fn process(&self, number: usize, requests: &[&Request]) -> Process {
        let sender = &self.senders[number];
        let begin = requests
            .iter()
            .map(|request| request.start)
            .min()
            .unwrap_or(0);
        let end = requests
            .iter()
            .map(|request| request.start + request.wall)
            .max();
        let observed_ns = end.unwrap_or(begin) - begin;
        let count = requests.len() as u64;
        Process {
            host: sender.host.clone(),
            // Processes without a number must still differ.
            pid: if sender.pid == 0 {
                number as u32
            } else {
                sender.pid
            },
            started_unix_ms: begin / 1_000_000,
            source: Source::Traces,
            observed_ns,
            active_ns: observed_ns,
            python: sender.python.clone(),
            in_flight: in_flight(requests),
            requests_seen: count,
            requests_measured: count,
            cannot_tell: self.doubts(),
            ..Process::default()
        }
    }

    fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = vec![
            doubt(
                "cpu_time",
                "spans know no CPU time: wall time without calls is its upper bound, and holds waits that no instrumentation saw".to_owned(),
            ),
            doubt(
                "sampled_traces",
                "spans may be a sample of all requests: rates and requests in flight are those of the spans given".to_owned(),
            ),
            doubt("memory", "spans know no memory".to_owned()),
        ];
        if self.senders.iter().all(|sender| sender.kind.is_none()) {
            doubts.push(doubt(
                "interface",
                "the instrumentation does not tell whether the server is WSGI or ASGI".to_owned(),
            ));
        }
        if self.senders.iter().any(|sender| sender.pid == 0) {
            doubts.push(doubt(
                "processes",
                "spans without `process.pid`: worker processes cannot be told apart".to_owned(),
            ));
        }
        if self.calls_without_request > 0 {
            doubts.push(doubt(
                "calls_without_request",
                format!(
                    "{} calls belong to no request among the spans",
                    self.calls_without_request
                ),
            ));
        }
        if self.unusable_spans > 0 {
            doubts.push(doubt(
                "unusable_spans",
                format!("{} spans have no id or no time", self.unusable_spans),
            ));
        }
        doubts
    }
}

fn doubt(code: &str, detail: String) -> Doubt {
    Doubt {
        code: code.to_owned(),
        detail,
    }
}

/// Requests in the process when one arrives, that one included; they come by start.
fn in_flight(requests: &[&Request]) -> Distribution {
    let mut ends: Vec<u64> = requests
        .iter()
        .map(|request| request.start + request.wall)
        .collect();
    ends.sort_unstable();
    let mut distribution = Distribution::default();
    for (begun, request) in (1_u64..).zip(requests) {
        let ended = ends.partition_point(|end| *end <= request.start) as u64;
        distribution.record(begun.saturating_sub(ended).max(1));
    }
    distribution
}

/// An endpoint while requests are added.
#[derive(Debug, Default)]
struct Building {
    requests: u64,
    statuses: BTreeMap<String, u64>,
    wall: Distribution,
    in_calls: Distribution,
    calls: BTreeMap<Resource, Calls>,
}

impl Building {
    fn add(&mut self, request: &Request) {
        self.requests += 1;
        *self.statuses.entry(class(request.status)).or_default() += 1;
        self.wall.record(request.wall);
        if !request.resources.is_empty() {
            self.in_calls.record(request.wait);
        }
        for (resource, used) in &request.resources {
            add_calls(self.calls.entry(resource.clone()).or_default(), used);
        }
    }

    fn endpoint(self, name: &str, interface: Interface) -> Endpoint {
        let calls = self.calls.into_iter().map(|(resource, calls)| Calls {
            resource: corrente_record::Resource {
                kind: kind(resource.kind).to_owned(),
                driver: resource.driver,
                host: resource.host,
            },
            ..calls
        });
        Endpoint {
            name: name.to_owned(),
            interface,
            requests: self.requests,
            statuses: self.statuses,
            wall_ns: self.wall,
            in_calls_ns: self.in_calls,
            calls: calls.collect(),
            ..Endpoint::default()
        }
    }
}

fn add_calls(calls: &mut Calls, used: &ResourceUse) {
    calls.per_request.record(used.calls.len() as u64);
    used.calls
        .iter()
        .for_each(|call| calls.call_ns.record(*call));
    calls.overlapped += used.overlapped;
    for run in &used.runs {
        calls.runs.length.record(run.calls);
        calls.runs.wall_ns += run.wall;
        calls.runs.longest_ns += run.longest;
    }
}

/// `2xx`, or `none` where the spans say nothing.
fn class(status: u16) -> String {
    match status / 100 {
        class @ 1..=5 => format!("{class}xx"),
        _ => "none".to_owned(),
    }
}

fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Database => "database",
        ResourceKind::Cache => "cache",
        ResourceKind::Http => "http",
        ResourceKind::Messaging | ResourceKind::Rpc | ResourceKind::Other => "other",
    }
}
