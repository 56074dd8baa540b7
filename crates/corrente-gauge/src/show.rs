//! The figures as a report shows them.
//!
//! A translation of [`Figures`] into the values of `corrente-report`, which sets the tables. What is
//! shown of a recording is decided here; how it looks, there.

use corrente_report::gauge::{GaugeCalls, GaugeEndpoint, GaugeReport, GaugeStall};

use crate::aggregate::{CallFigures, EndpointFigures, Figures, StallFigures};
use crate::attach::MEANS_ONLY;

/// Places of stalls that a report shows; `--json` has all.
const STALLS_SHOWN: usize = 8;

impl From<&Figures> for GaugeReport {
    fn from(figures: &Figures) -> Self {
        let service = &figures.service;
        let server = &service.server;
        let words = [&server.name, &server.version, &server.worker];
        let doubts = service.cannot_tell.iter();
        let is_of_means = doubts.clone().any(|doubt| doubt.code == MEANS_ONLY);
        let shown = |one: &EndpointFigures| GaugeEndpoint {
            p99_ms: one.wall.filter(|_| !is_of_means).map(|wall| wall.p99_ms),
            ..endpoint(one)
        };
        Self {
            server: joined(words, " "),
            processes: service.processes as u64,
            requests: service.requests,
            requests_are_partial: service.requests_are_partial,
            requests_per_s: service.requests_per_s,
            active_s: service.active_s,
            in_flight: service.in_flight,
            server_cpu_ms: service.server_cpu_ms,
            loop_busy_share: service.loop_busy_share,
            memory_bytes: service.memory_bytes.map(|bytes| bytes as u64),
            endpoints: figures.endpoints.iter().map(shown).collect(),
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

/// Words without those that are not known.
fn joined<const N: usize>(words: [&String; N], separator: &str) -> String {
    let known = words.into_iter().map(String::as_str);
    let known: Vec<&str> = known.filter(|word| !word.is_empty()).collect();
    known.join(separator)
}

/// An endpoint without its percentile.
fn endpoint(figures: &EndpointFigures) -> GaugeEndpoint {
    GaugeEndpoint {
        name: figures.name.clone(),
        requests: figures.requests.round() as u64,
        error_share: figures.error_share,
        cpu_ms: figures.cpu.map(|cpu| cpu.mean_ms + figures.pool_cpu_ms),
        wait_ms: figures.wait_ms,
        wait_at_most_ms: figures.wait_at_most_ms,
        p99_ms: None,
        blocking: figures.blocking_coefficient,
        waits: figures.waits,
        stalls_ms: figures.blocked_ms,
        calls: figures.calls.iter().map(calls).collect(),
    }
}

fn calls(figures: &CallFigures) -> GaugeCalls {
    let resource = &figures.resource;
    GaugeCalls {
        resource: joined([&resource.kind, &resource.driver, &resource.host], " "),
        // Samples from outside may show waiting whose calls nobody could count.
        calls: figures.call.map(|_| figures.calls),
        wait_ms: figures.wait_ms,
        blocking_share: figures.blocking_share,
        gather_saves_ms: figures.gather_saves_up_to_ms,
    }
}

fn stall(figures: &StallFigures) -> GaugeStall {
    GaugeStall {
        place: figures.place.clone(),
        waited: joined([&figures.package, &figures.system_call], ", "),
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

#[cfg(test)]
mod tests {
    use corrente_record::{Calls, Distribution, Doubt, Endpoint, Process, Recording};

    use super::*;
    use crate::aggregate;

    fn shown(codes: &[&str]) -> GaugeReport {
        let mut recording = Recording::new("test");
        let doubts = codes.iter().map(|code| Doubt {
            code: (*code).to_owned(),
            detail: String::new(),
        });
        recording.processes.push(Process {
            cannot_tell: doubts.collect(),
            ..Process::default()
        });
        recording.processes[0].server.name = "gunicorn".to_owned();
        recording.processes[0].server.worker = "sync".to_owned();
        let mut uncounted = Calls::default();
        uncounted.call_ns.sum = 5_000_000;
        recording.endpoints.push(Endpoint {
            requests: 2,
            wall_ns: Distribution::of([7_000_000, 7_000_000]),
            calls: vec![uncounted],
            ..Endpoint::default()
        });
        GaugeReport::from(&aggregate(&recording))
    }

    #[test]
    fn a_mean_is_no_percentile() {
        assert!(shown(&[]).endpoints[0].p99_ms.is_some());
        assert_eq!(shown(&[MEANS_ONLY]).endpoints[0].p99_ms, None);
    }

    #[test]
    fn what_is_not_known_is_neither_nothing_nor_a_gap() {
        let shown = shown(&[]);
        assert_eq!(shown.endpoints[0].calls[0].calls, None);
        assert_eq!(shown.server, "gunicorn sync");
    }
}
