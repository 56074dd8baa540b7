//! What a gauge says in words: the service in two lines, the endpoints and their calls as sheets.
//!
//! Shared by the terminal and the page. Invariant: what was not measured is shown as absent; a
//! column that would be empty for every endpoint is left out.

use super::{GaugeCalls, GaugeEndpoint, GaugeReport};
use crate::catalogue::{Catalogue, Message};
use crate::claim::SEPARATOR;
use crate::number::ABSENT;
use crate::sheet::{Kind, Sheet};

/// Times below a microsecond, and what follows from them, are the clocks' own: shown as nothing.
const LEAST: f64 = 0.001;
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
        let (requests, time) = (&requests, &time);
        let rate = report.requests_per_s.map(|rate| numbers.quantity(rate));
        let mut traffic = vec![if report.requests_are_partial {
            self.text(Message::GaugeTrafficPart { requests, time })
        } else {
            let rate = rate.as_deref().unwrap_or(ABSENT);
            self.text(Message::GaugeTraffic {
                requests,
                time,
                rate,
            })
        }];
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
        let endpoints = report.endpoints.as_slice();
        let numbers = self.numbers();
        let with_errors = endpoints.iter().any(|one| one.error_share > 0.0);
        let errors = |one: &GaugeEndpoint| with_errors.then(|| numbers.percent(one.error_share));
        let known = |of: fn(&GaugeEndpoint) -> Option<f64>| {
            let values = endpoints.iter().map(of);
            values.map(|value| Some(self.figure(value?))).collect()
        };
        let requests = endpoints.iter().map(|one| numbers.integer(one.requests));
        self.gauge_sheet([
            (
                Message::ColumnEndpoint,
                endpoints.iter().map(|one| Some(one.name.clone())).collect(),
            ),
            (Message::ColumnRequests, requests.map(Some).collect()),
            (Message::ColumnCpuMs, known(|one| one.cpu_ms)),
            (
                Message::ColumnWaitMs,
                endpoints.iter().map(|one| self.waiting(one)).collect(),
            ),
            (Message::ColumnP99Ms, known(|one| one.p99_ms)),
            (Message::ColumnBlocking, known(|one| one.blocking)),
            (Message::ColumnWaits, known(|one| one.waits)),
            (Message::ColumnStalls, known(|one| one.stalls_ms)),
            (
                Message::ColumnErrors,
                endpoints.iter().map(errors).collect(),
            ),
        ])
    }

    fn waiting(&self, endpoint: &GaugeEndpoint) -> Option<String> {
        let figure = |value| self.figure(value);
        let at_most = endpoint
            .wait_at_most_ms
            .map(|most| format!("≤ {}", figure(most)));
        endpoint.wait_ms.map(figure).or(at_most)
    }

    /// How the tables are to be read: what is said of a column only where it is there.
    pub(crate) fn gauge_read(&self, report: &GaugeReport) -> String {
        let endpoints = || report.endpoints.iter();
        let calls = || endpoints().flat_map(|one| &one.calls);
        let is_bound = |one: &GaugeEndpoint| one.wait_ms.is_none() && one.wait_at_most_ms.is_some();
        let said = [
            (Message::GaugeRead, true),
            (
                Message::GaugeReadBlocking,
                endpoints().any(|one| one.blocking.is_some()),
            ),
            (
                Message::GaugeReadCalls,
                calls().any(|one| one.wait_ms.is_some()),
            ),
            (
                Message::GaugeReadTogether,
                calls().any(|one| one.gather_saves_ms >= SAVING_MS),
            ),
            (Message::GaugeAtMost, endpoints().any(is_bound)),
        ];
        let known = said.into_iter().filter(|(_, is_there)| *is_there);
        let sentences: Vec<String> = known.map(|(message, _)| self.text(message)).collect();
        sentences.join(" ")
    }

    /// What the endpoints call; `None` where they call nothing that was watched.
    pub(crate) fn gauge_calls(&self, report: &GaugeReport) -> Option<Sheet> {
        let endpoints = report.endpoints.iter();
        let named = endpoints.flat_map(|one| one.calls.iter().map(move |calls| (&one.name, calls)));
        let rows: Vec<(&String, &GaugeCalls)> = named.collect();
        let numbers = self.numbers();
        let with_blocking = rows.iter().any(|(_, calls)| calls.blocking_share > 0.0);
        let words = |of: &dyn Fn(&(&String, &GaugeCalls)) -> String| {
            rows.iter().map(|row| Some(of(row))).collect()
        };
        let known = |of: fn(&GaugeCalls) -> Option<f64>| {
            let values = rows.iter().map(|(_, calls)| of(calls));
            values.map(|value| Some(self.figure(value?))).collect()
        };
        let blocking = rows
            .iter()
            .map(|(_, calls)| with_blocking.then(|| numbers.percent(calls.blocking_share)));
        let saves = |calls: &GaugeCalls| Some(calls.gather_saves_ms).filter(|ms| *ms >= SAVING_MS);
        let sheet = self.gauge_sheet([
            (Message::ColumnEndpoint, words(&|(name, _)| (*name).clone())),
            (
                Message::ColumnResource,
                words(&|(_, calls)| calls.resource.clone()),
            ),
            (Message::ColumnCalls, known(|calls| calls.calls)),
            (Message::ColumnCallWait, known(|calls| calls.wait_ms)),
            (Message::ColumnGather, known(saves)),
            (Message::ColumnBlockingCalls, blocking.collect()),
        ]);
        (!rows.is_empty()).then_some(sheet)
    }

    /// A sheet of those columns of which something is known.
    fn gauge_sheet<const N: usize>(
        &self,
        columns: [(Message<'_>, Vec<Option<String>>); N],
    ) -> Sheet {
        let known = columns
            .into_iter()
            .filter(|(_, cells)| cells.iter().any(Option::is_some));
        let (heads, cells): (Vec<Message<'_>>, Vec<Vec<Option<String>>>) = known.unzip();
        let mut sheet = Sheet::new(self.gauge_heads(&heads));
        for row in 0..cells.first().map_or(0, Vec::len) {
            let cell = |column: &Vec<Option<String>>| column.get(row).cloned().flatten();
            let cells = cells.iter().map(cell);
            sheet.push(
                cells
                    .map(|cell| cell.unwrap_or_else(|| ABSENT.to_owned()))
                    .collect(),
            );
        }
        sheet
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
        value.map_or_else(|| ABSENT.to_owned(), |value| self.figure(value))
    }

    fn figure(&self, value: f64) -> String {
        let known = if value.abs() < LEAST { 0.0 } else { value };
        self.numbers().quantity(known)
    }
}
