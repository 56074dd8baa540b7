//! What a gauge says in words: the service in two lines, the endpoints and their calls as sheets.
//!
//! Shared by the terminal and the page. Invariant: what was not measured is shown as absent; a
//! column that would be empty for every endpoint is left out.

use super::{GaugeCalls, GaugeEndpoint, GaugeReport};
use crate::catalogue::{Catalogue, Message};
use crate::claim::SEPARATOR;
use crate::number::ABSENT;
use crate::sheet::{Kind, Sheet};

/// Savings below this are no reason to change a program.
const SAVING_MS: f64 = 0.05;

impl Catalogue {
    /// What serves: server, processes, memory.
    pub(crate) fn gauge_server(&self, report: &GaugeReport) -> String {
        let mut parts = Vec::new();
        if !report.server.is_empty() {
            parts.push(report.server.clone());
        }
        let count = report.processes;
        parts.push(self.text(Message::GaugeProcesses { count }));
        if let Some(bytes) = report.memory_bytes {
            let memory = self.numbers().bytes(bytes);
            parts.push(self.text(Message::GaugeMemory { memory: &memory }));
        }
        parts.join(SEPARATOR)
    }

    /// So many requests, in words.
    pub(crate) fn requests_in_all(&self, count: u64) -> String {
        let requests = &self.numbers().integer(count);
        self.text(Message::RequestsInAll { count, requests })
    }

    /// What it served: requests, rate, how many at a time, the server's own CPU time.
    pub(crate) fn gauge_traffic(&self, report: &GaugeReport) -> String {
        let numbers = self.numbers();
        let requests = self.requests_in_all(report.requests);
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
        traffic.join(SEPARATOR)
    }

    /// The endpoints, what each costs and waits for.
    pub(crate) fn gauge_endpoints(&self, report: &GaugeReport) -> Sheet {
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
        let mut sheet = Sheet::new(self.gauge_heads(&heads));
        for endpoint in &report.endpoints {
            let mut row = vec![
                endpoint.name.clone(),
                self.numbers().integer(endpoint.requests),
                self.known(endpoint.cpu_ms),
                self.known(endpoint.wait_ms),
                self.known(endpoint.p99_ms),
                self.known(endpoint.blocking),
                self.known(endpoint.waits),
            ];
            if with_stalls {
                row.push(self.known(endpoint.stalls_ms));
            }
            if with_errors {
                row.push(self.numbers().percent(endpoint.error_share));
            }
            sheet.push(row);
        }
        sheet
    }

    /// What the endpoints call; `None` where they call nothing that was watched.
    pub(crate) fn gauge_calls(&self, report: &GaugeReport) -> Option<Sheet> {
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
        let mut sheet = Sheet::new(self.gauge_heads(&heads));
        for endpoint in &report.endpoints {
            for calls in &endpoint.calls {
                let mut row = self.calls_row(endpoint, calls);
                if with_blocking {
                    row.push(self.numbers().percent(calls.blocking_share));
                }
                sheet.push(row);
            }
        }
        (!sheet.rows.is_empty()).then_some(sheet)
    }

    fn calls_row(&self, endpoint: &GaugeEndpoint, calls: &GaugeCalls) -> Vec<String> {
        let saves = calls.gather_saves_ms;
        vec![
            endpoint.name.clone(),
            calls.resource.clone(),
            self.known(Some(calls.calls)),
            self.known(calls.wait_ms),
            self.known((saves >= SAVING_MS).then_some(saves)),
        ]
    }

    /// Where event loops stood still; `None` where no stall is known.
    pub(crate) fn gauge_stalls(&self, report: &GaugeReport) -> Option<Sheet> {
        let heads = [
            Message::ColumnPlace,
            Message::ColumnWaitedIn,
            Message::ColumnCount,
            Message::ColumnStalls,
            Message::ColumnLongestMs,
            Message::ColumnCpuShare,
        ];
        let mut sheet = Sheet::new(self.gauge_heads(&heads));
        for stall in &report.stalls {
            sheet.push(vec![
                stall.place.clone(),
                stall.waited.clone(),
                self.numbers().integer(stall.count),
                self.known(Some(stall.total_ms)),
                self.known(Some(stall.longest_ms)),
                self.numbers().percent(stall.cpu_share),
            ]);
        }
        (!sheet.rows.is_empty()).then_some(sheet)
    }

    fn gauge_heads(&self, heads: &[Message<'_>]) -> Vec<(String, Kind)> {
        let kind = |head: &Message<'_>| match head {
            Message::ColumnEndpoint
            | Message::ColumnResource
            | Message::ColumnPlace
            | Message::ColumnWaitedIn => Kind::Words,
            _ => Kind::Number,
        };
        heads
            .iter()
            .map(|head| (self.text(*head), kind(head)))
            .collect()
    }

    fn known(&self, value: Option<f64>) -> String {
        value.map_or_else(|| ABSENT.to_owned(), |value| self.numbers().quantity(value))
    }
}
