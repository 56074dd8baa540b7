//! What a recording holds beyond an earlier state of itself: the last seconds of a service.
//!
//! Everything in a recording but the largest values only grows, so the difference of two states is a
//! recording again. The largest of the values that came later is known within its bucket.

use std::collections::BTreeMap;

use crate::recording::{Alone, Calls, Endpoint, Process, Recording, Runs, Thread};

impl Recording {
    /// What came after `before`, an earlier state of the same recording. Processes that are new since
    /// then are in it as a whole; the others begin at `before`, and `active_ns` is the time between the two states.
    #[must_use]
    pub fn since(mut self, before: &Self) -> Self {
        for process in &mut self.processes {
            let key = |one: &Process| (one.host.clone(), one.pid, one.started_unix_ms);
            if let Some(known) = before.processes.iter().find(|one| key(one) == key(process)) {
                subtract_process(process, known);
            }
        }
        for endpoint in &mut self.endpoints {
            let same =
                |one: &&Endpoint| one.name == endpoint.name && one.interface == endpoint.interface;
            if let Some(known) = before.endpoints.iter().find(same) {
                subtract_endpoint(endpoint, known);
            }
        }
        self.endpoints.retain(|endpoint| endpoint.requests > 0);
        self
    }
}

fn subtract(value: &mut u64, before: u64) {
    *value = value.saturating_sub(before);
}

fn subtract_process(process: &mut Process, before: &Process) {
    subtract(&mut process.observed_ns, before.observed_ns);
    let begun_ms = before.observed_ns / 1_000_000;
    process.started_unix_ms = process.started_unix_ms.saturating_add(begun_ms);
    process.first_request_ns = 0;
    process.active_ns = process.observed_ns;
    subtract(&mut process.cpu_ns, before.cpu_ns);
    subtract(&mut process.requests_seen, before.requests_seen);
    subtract(&mut process.requests_measured, before.requests_measured);
    process.in_flight = process.in_flight.since(&before.in_flight);
    let stalls = std::mem::take(&mut process.stalls).into_iter();
    process.stalls = stalls.filter_map(|one| one.since(&before.stalls)).collect();
    for (thread, before) in process.threads.iter_mut().zip(&before.threads) {
        subtract_thread(thread, before);
    }
}

fn subtract_thread(thread: &mut Thread, before: &Thread) {
    subtract(&mut thread.cpu_ns, before.cpu_ns);
    subtract(&mut thread.request_cpu_ns, before.request_cpu_ns);
    subtract(&mut thread.run_queue_ns, before.run_queue_ns);
    subtract(&mut thread.requests, before.requests);
    subtract(&mut thread.steps, before.steps);
    subtract(&mut thread.step_wall_ns, before.step_wall_ns);
}

fn subtract_endpoint(endpoint: &mut Endpoint, before: &Endpoint) {
    subtract(&mut endpoint.requests, before.requests);
    subtract_counts(&mut endpoint.statuses, &before.statuses);
    subtract(&mut endpoint.exceptions, before.exceptions);
    subtract(&mut endpoint.abandoned, before.abandoned);
    subtract(&mut endpoint.bytes_received, before.bytes_received);
    subtract(&mut endpoint.bytes_sent, before.bytes_sent);
    subtract(&mut endpoint.pool_calls, before.pool_calls);
    subtract(&mut endpoint.pool_wall_ns, before.pool_wall_ns);
    subtract(&mut endpoint.pool_cpu_ns, before.pool_cpu_ns);
    let distributions = [
        (&mut endpoint.wall_ns, &before.wall_ns),
        (&mut endpoint.cpu_ns, &before.cpu_ns),
        (&mut endpoint.segment_cpu_ns, &before.segment_cpu_ns),
        (&mut endpoint.run_queue_ns, &before.run_queue_ns),
        (&mut endpoint.wait_ns, &before.wait_ns),
        (&mut endpoint.voluntary_switches, &before.voluntary_switches),
        (
            &mut endpoint.involuntary_switches,
            &before.involuntary_switches,
        ),
        (&mut endpoint.in_calls_ns, &before.in_calls_ns),
        (&mut endpoint.steps, &before.steps),
        (&mut endpoint.blocked_ns, &before.blocked_ns),
    ];
    for (distribution, before) in distributions {
        *distribution = distribution.since(before);
    }
    subtract_alone(&mut endpoint.alone, &before.alone);
    for calls in &mut endpoint.calls {
        let known = before
            .calls
            .iter()
            .find(|one| one.resource == calls.resource);
        if let Some(known) = known {
            subtract_calls(calls, known);
        }
    }
    endpoint.calls.retain(|calls| !calls.call_ns.is_empty());
}

fn subtract_counts(counts: &mut BTreeMap<String, u64>, before: &BTreeMap<String, u64>) {
    for (name, count) in counts.iter_mut() {
        subtract(count, before.get(name).copied().unwrap_or(0));
    }
    counts.retain(|_, count| *count > 0);
}

fn subtract_alone(alone: &mut Alone, before: &Alone) {
    subtract(&mut alone.requests, before.requests);
    subtract(&mut alone.wall_ns, before.wall_ns);
    subtract(&mut alone.cpu_ns, before.cpu_ns);
}

fn subtract_calls(calls: &mut Calls, before: &Calls) {
    calls.per_request = calls.per_request.since(&before.per_request);
    calls.call_ns = calls.call_ns.since(&before.call_ns);
    subtract(&mut calls.cpu_ns, before.cpu_ns);
    subtract(&mut calls.continued_ns, before.continued_ns);
    subtract(&mut calls.overlapped, before.overlapped);
    subtract(&mut calls.blocking, before.blocking);
    subtract_runs(&mut calls.runs, &before.runs);
}

fn subtract_runs(runs: &mut Runs, before: &Runs) {
    runs.length = runs.length.since(&before.length);
    subtract(&mut runs.wall_ns, before.wall_ns);
    subtract(&mut runs.longest_ns, before.longest_ns);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;

    fn recording(pid: u32, seconds: u64, walls: &[u64]) -> Recording {
        let mut recording = Recording::new("test");
        recording.processes.push(Process {
            pid,
            observed_ns: seconds * 1_000_000_000,
            first_request_ns: 3,
            active_ns: 7,
            requests_seen: walls.len() as u64,
            requests_measured: walls.len() as u64,
            threads: vec![Thread {
                cpu_ns: seconds * 10,
                ..Thread::default()
            }],
            ..Process::default()
        });
        recording.endpoints.push(Endpoint {
            name: "GET /".to_owned(),
            requests: walls.len() as u64,
            statuses: [("2xx".to_owned(), walls.len() as u64)].into(),
            wall_ns: Distribution::of(walls.iter().copied()),
            calls: vec![Calls {
                call_ns: Distribution::of(walls.iter().copied()),
                ..Calls::default()
            }],
            ..Endpoint::default()
        });
        recording
    }

    #[test]
    fn only_what_came_later_is_left() {
        let before = recording(1, 10, &[5_000, 90_000]);
        let later = recording(1, 14, &[5_000, 90_000, 7_000, 8_000]).since(&before);
        let endpoint = &later.endpoints[0];
        assert_eq!((endpoint.requests, endpoint.statuses["2xx"]), (2, 2));
        assert_eq!(endpoint.wall_ns.mean(), Some(7_500.0));
        assert_eq!(endpoint.calls[0].call_ns.count, 2);
        // The largest of all came before; that of the later ones is known within its bucket.
        assert!(
            (8_000..8_250).contains(&endpoint.wall_ns.max),
            "{endpoint:?}"
        );
        let process = &later.processes[0];
        assert_eq!(process.active_ns, 4_000_000_000);
        // Where the first state ends: processes of one window are at the same time.
        assert_eq!(
            (process.started_unix_ms, process.first_request_ns),
            (10_000, 0)
        );
        assert_eq!((process.requests_seen, process.threads[0].cpu_ns), (2, 40));
        assert_eq!(later.validate(), Ok(()));
    }

    #[test]
    fn a_new_process_counts_as_a_whole_and_an_idle_endpoint_not_at_all() {
        let before = recording(1, 10, &[5_000]);
        let mut now = recording(2, 3, &[]);
        now.merge(before.clone()).expect("two processes");
        let later = now.since(&before);
        assert!(later.endpoints.is_empty());
        assert_eq!(later.processes[0].active_ns, 7);
    }
}
