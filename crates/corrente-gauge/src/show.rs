//! The figures as a report shows them.
//!
//! A translation of [`Figures`] into the values of `corrente-report`, which sets the tables. What is
//! shown of a recording is decided here; how it looks, there.

use corrente_report::gauge::{GaugeCalls, GaugeEndpoint, GaugeReport, GaugeStall};

use crate::aggregate::{CallFigures, EndpointFigures, Figures, StallFigures};

/// Places of stalls that a report shows; `--json` has all.
const STALLS_SHOWN: usize = 8;

impl From<&Figures> for GaugeReport {
    fn from(figures: &Figures) -> Self {
        let service = &figures.service;
        let server = &service.server;
        let words = [&server.name, &server.version, &server.worker];
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        let doubts = service.cannot_tell.iter();
        Self {
            server: words.join(" ").trim().to_owned(),
            processes: service.processes as u64,
            requests: service.requests,
            requests_per_s: service.requests_per_s,
            active_s: service.active_s,
            in_flight: service.in_flight,
            server_cpu_ms: service.server_cpu_ms,
            loop_busy_share: service.loop_busy_share,
            memory_bytes: service.memory_bytes.map(|bytes| bytes as u64),
            endpoints: figures.endpoints.iter().map(endpoint).collect(),
            stalls: service
                .stalls
                .iter()
                .take(STALLS_SHOWN)
                .map(stall)
                .collect(),
            doubts: doubts
                .map(|doubt| format!("{}: {}", doubt.code, doubt.detail))
                .collect(),
        }
    }
}

fn endpoint(figures: &EndpointFigures) -> GaugeEndpoint {
    GaugeEndpoint {
        name: figures.name.clone(),
        requests: figures.requests.round() as u64,
        error_share: figures.error_share,
        cpu_ms: figures.cpu.map(|cpu| cpu.mean_ms + figures.pool_cpu_ms),
        wait_ms: figures.wait_ms,
        p99_ms: figures.wall.map(|wall| wall.p99_ms),
        blocking: figures.blocking_coefficient,
        waits: figures.waits,
        stalls_ms: figures.blocked_ms,
        calls: figures.calls.iter().map(calls).collect(),
    }
}

fn calls(figures: &CallFigures) -> GaugeCalls {
    let resource = &figures.resource;
    GaugeCalls {
        resource: format!("{} {} {}", resource.kind, resource.driver, resource.host)
            .trim()
            .to_owned(),
        calls: figures.calls,
        wait_ms: figures.wait_ms,
        blocking_share: figures.blocking_share,
        gather_saves_ms: figures.gather_saves_up_to_ms,
    }
}

fn stall(figures: &StallFigures) -> GaugeStall {
    let waited = [&figures.package, &figures.system_call];
    let known: Vec<&str> = waited
        .into_iter()
        .map(String::as_str)
        .filter(|one| !one.is_empty())
        .collect();
    GaugeStall {
        place: figures.place.clone(),
        waited: known.join(", "),
        count: figures.count,
        total_ms: figures.total_ms,
        cpu_share: if figures.total_ms > 0.0 {
            figures.cpu_ms / figures.total_ms
        } else {
            0.0
        },
        longest_ms: figures.longest_ms,
    }
}
