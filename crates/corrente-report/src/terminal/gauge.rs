//! The tables of a gauge: the service in two lines, its endpoints, and what they call.
//!
//! Invariant: what was not measured is shown as absent, and what could not be told stands below the
//! tables, whoever forgot to ask for it.

use super::{Align, Table, Terminal};
use crate::catalogue::Message;
use crate::gauge::{GaugeEndpoint, GaugeReport};
use crate::number::ABSENT;

/// Savings below this are no reason to change a program.
const SAVING_MS: f64 = 0.05;

impl Terminal {
    /// A gauge's tables.
    pub fn gauge(&self, report: &GaugeReport) -> String {
        let mut text = self
            .heading(&self.text(Message::GaugeTitle))
            .trim_start()
            .to_owned();
        text.push_str(&self.gauge_service(report));
        if report.endpoints.is_empty() {
            text.push_str(&self.paragraph(&self.text(Message::GaugeEmpty)));
        } else {
            text.push('\n');
            text.push_str(&self.table(&self.gauge_endpoints(report)));
            text.push_str(&self.gauge_calls(report));
            text.push('\n');
            text.push_str(&self.paragraph(&self.text(Message::GaugeRead)));
        }
        if !report.doubts.is_empty() {
            text.push_str(&self.heading(&self.text(Message::GaugeDoubts)));
            text.extend(report.doubts.iter().map(|doubt| self.item(doubt)));
        }
        text
    }

    fn gauge_service(&self, report: &GaugeReport) -> String {
        let numbers = self.catalogue().numbers();
        let mut parts = Vec::new();
        if !report.server.is_empty() {
            parts.push(report.server.clone());
        }
        let count = report.processes;
        parts.push(self.text(Message::GaugeProcesses { count }));
        if let Some(bytes) = report.memory_bytes {
            let memory = numbers.bytes(bytes);
            parts.push(self.text(Message::GaugeMemory { memory: &memory }));
        }
        let requests = numbers.integer(report.requests);
        let time = numbers.duration(report.active_s);
        let rate = report.requests_per_s.map(|rate| numbers.quantity(rate));
        let mut traffic = vec![self.text(Message::GaugeTraffic {
            requests: &requests,
            time: &time,
            rate: rate.as_deref().unwrap_or(ABSENT),
        })];
        if let Some(mean) = report.in_flight {
            let mean = numbers.quantity(mean);
            traffic.push(self.text(Message::GaugeInFlight { mean: &mean }));
        }
        if let Some(time) = report.server_cpu_ms {
            let time = numbers.quantity(time);
            traffic.push(self.text(Message::GaugeServerCpu { time: &time }));
        }
        if let Some(share) = report.loop_busy_share {
            let share = numbers.percent(share);
            traffic.push(self.text(Message::GaugeLoop { share: &share }));
        }
        self.paragraph(&parts.join(" · ")) + &self.paragraph(&traffic.join(" · "))
    }

    fn gauge_endpoints(&self, report: &GaugeReport) -> Table {
        let stalls = |endpoint: &GaugeEndpoint| endpoint.stalls_ms.is_some();
        let with_stalls = report.endpoints.iter().any(stalls);
        let with_errors = report.endpoints.iter().any(|one| one.error_share > 0.0);
        let mut heads = vec![
            Message::ColumnEndpoint,
            Message::ColumnRequests,
            Message::ColumnCpuMs,
            Message::ColumnWaitMs,
            Message::ColumnP99Ms,
            Message::ColumnBlocking,
            Message::ColumnWaits,
        ];
        if with_stalls {
            heads.push(Message::ColumnStalls);
        }
        if with_errors {
            heads.push(Message::ColumnErrors);
        }
        let mut table = Table::new(self.gauge_heads(&heads));
        for endpoint in &report.endpoints {
            let mut row = vec![
                endpoint.name.clone(),
                self.catalogue().numbers().integer(endpoint.requests),
                self.quantity(endpoint.cpu_ms),
                self.quantity(endpoint.wait_ms),
                self.quantity(endpoint.p99_ms),
                self.quantity(endpoint.blocking),
                self.quantity(endpoint.waits),
            ];
            if with_stalls {
                row.push(self.quantity(endpoint.stalls_ms));
            }
            if with_errors {
                row.push(self.catalogue().numbers().percent(endpoint.error_share));
            }
            table.push(row.into_iter().map(Into::into).collect());
        }
        table
    }

    /// What the endpoints call; nothing where they call nothing that was watched.
    fn gauge_calls(&self, report: &GaugeReport) -> String {
        let all = || report.endpoints.iter().flat_map(|one| &one.calls);
        let with_blocking = all().any(|calls| calls.blocking_share > 0.0);
        let mut heads = vec![
            Message::ColumnEndpoint,
            Message::ColumnResource,
            Message::ColumnCalls,
            Message::ColumnCallWait,
            Message::ColumnGather,
        ];
        if with_blocking {
            heads.push(Message::ColumnBlockingCalls);
        }
        let mut table = Table::new(self.gauge_heads(&heads));
        for endpoint in &report.endpoints {
            for calls in &endpoint.calls {
                let saves = calls.gather_saves_ms;
                let mut row = vec![
                    endpoint.name.clone(),
                    calls.resource.clone(),
                    self.quantity(Some(calls.calls)),
                    self.quantity(calls.wait_ms),
                    self.quantity((saves >= SAVING_MS).then_some(saves)),
                ];
                if with_blocking {
                    row.push(self.catalogue().numbers().percent(calls.blocking_share));
                }
                table.push(row.into_iter().map(Into::into).collect());
            }
        }
        if table.is_empty() {
            return String::new();
        }
        format!("\n{}", self.table(&table))
    }

    fn gauge_heads(&self, heads: &[Message<'_>]) -> Vec<(String, Align)> {
        let align = |head: &Message<'_>| match head {
            Message::ColumnEndpoint | Message::ColumnResource => Align::Left,
            _ => Align::Right,
        };
        heads
            .iter()
            .map(|head| (self.text(*head), align(head)))
            .collect()
    }

    fn quantity(&self, value: Option<f64>) -> String {
        let numbers = self.catalogue().numbers();
        value.map_or_else(|| ABSENT.to_owned(), |value| numbers.quantity(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gauge::GaugeCalls;
    use crate::language::Language;
    use crate::terminal::Colour;

    fn report() -> GaugeReport {
        GaugeReport {
            server: "gunicorn 27.0.1 sync".to_owned(),
            processes: 2,
            requests: 12_345,
            requests_per_s: Some(205.75),
            active_s: 60.0,
            in_flight: Some(1.0),
            server_cpu_ms: Some(0.21),
            loop_busy_share: Some(0.42),
            memory_bytes: Some(40 << 20),
            endpoints: vec![
                GaugeEndpoint {
                    name: "GET /orders/<int:order>".to_owned(),
                    requests: 12_000,
                    error_share: 0.005,
                    cpu_ms: Some(1.25),
                    wait_ms: Some(20.5),
                    p99_ms: Some(48.0),
                    blocking: Some(16.4),
                    waits: Some(5.0),
                    stalls_ms: None,
                    calls: vec![GaugeCalls {
                        resource: "database psycopg db:5432".to_owned(),
                        calls: 5.0,
                        wait_ms: Some(4.1),
                        blocking_share: 0.25,
                        gather_saves_ms: 12.3,
                    }],
                },
                GaugeEndpoint {
                    name: "GET /health".to_owned(),
                    requests: 345,
                    cpu_ms: Some(0.05),
                    ..GaugeEndpoint::default()
                },
            ],
            doubts: vec!["hook_failed: redis.client: no attribute `Redis`".to_owned()],
        }
    }

    #[test]
    fn the_tables_in_english() {
        let terminal = Terminal::new(Language::En, 100, Colour::Plain);
        insta::assert_snapshot!(terminal.gauge(&report()));
    }

    #[test]
    fn no_language_leaves_anything_out() {
        for language in Language::ALL {
            let text = Terminal::new(language, 100, Colour::Plain).gauge(&report());
            for part in ["GET /health", "psycopg", "hook_failed", "gunicorn"] {
                assert!(
                    text.contains(part),
                    "{language}: {part} is missing in {text}"
                );
            }
        }
    }

    #[test]
    fn without_requests_there_is_a_line_and_no_table() {
        let text = Terminal::new(Language::En, 80, Colour::Plain).gauge(&GaugeReport::default());
        assert!(text.contains("No request"), "{text}");
        assert!(!text.contains('─'), "{text}");
    }
}
