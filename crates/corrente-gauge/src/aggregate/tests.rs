//! The figures of recordings that are made by hand.

use corrente_record::{Alone, Process, Runs, Thread};

use super::*;

const MS: u64 = 1_000_000;

fn endpoint(name: &str, wall_ms: u64, cpu_ms: u64) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        requests: 2,
        statuses: [("2xx".to_owned(), 1), ("5xx".to_owned(), 1)].into(),
        wall_ns: Distribution::of([wall_ms * MS, wall_ms * MS]),
        cpu_ns: Distribution::of([cpu_ms * MS, cpu_ms * MS]),
        run_queue_ns: Distribution::of([MS]),
        wait_ns: Distribution::of([(wall_ms - cpu_ms - 1) * MS]),
        voluntary_switches: Distribution::of([3, 5]),
        in_calls_ns: Distribution::of([6 * MS, 6 * MS]),
        alone: Alone {
            requests: 1,
            wall_ns: 9 * MS,
            cpu_ns: 4 * MS,
        },
        calls: vec![Calls {
            per_request: Distribution::of([2, 2]),
            call_ns: Distribution::of([3 * MS; 4]),
            cpu_ns: 4 * MS,
            runs: Runs {
                length: Distribution::of([2, 2]),
                wall_ns: 12 * MS,
                longest_ns: 6 * MS,
            },
            ..Calls::default()
        }],
        ..Endpoint::default()
    }
}

fn recording() -> Recording {
    let mut recording = Recording::new("test");
    recording.endpoints = vec![endpoint("GET /fast", 2, 1), endpoint("GET /slow", 11, 4)];
    recording.processes.push(Process {
        active_ns: 2_000 * MS,
        cpu_ns: 100 * MS,
        requests_seen: 8,
        requests_measured: 4,
        threads: vec![Thread {
            cpu_ns: 60 * MS,
            request_cpu_ns: 10 * MS,
            ..Thread::default()
        }],
        in_flight: Distribution::of([1, 3]),
        ..Process::default()
    });
    recording
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.expect("it is known");
    assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
}

#[test]
fn what_a_client_computes_is_told_where_all_of_it_is_watched() {
    let mut recording = recording();
    let cpu = |recording: &Recording| aggregate(recording).endpoints[0].calls[0].cpu_ms;
    assert_eq!(cpu(&recording), None);
    for endpoint in &mut recording.endpoints {
        endpoint.calls[0].entered = true;
    }
    close(cpu(&recording), 1.0);
}

#[test]
fn figures_at_the_end_of_their_range_are_no_error() {
    let mut recording = recording();
    let first = &mut recording.processes[0];
    (first.cpu_ns, first.active_ns, first.requests_seen) = (u64::MAX, u64::MAX, u64::MAX);
    first.threads[0].cpu_ns = u64::MAX;
    first.threads[0].request_cpu_ns = u64::MAX;
    first.memory.rss_bytes = Some(u64::MAX);
    let other = recording.processes[0].clone();
    recording.processes.push(other);
    let figures = service::figures(&recording);
    assert_eq!(figures.requests, u64::MAX);
}

#[test]
fn an_endpoint_is_computing_and_waiting() {
    let figures = aggregate(&recording());
    let slow = &figures.endpoints[0];
    assert_eq!(slow.name, "GET /slow");
    close(slow.wait_ms, 11.0 - 4.0 - 1.0);
    close(slow.blocking_coefficient, 6.0 / 4.0);
    close(slow.waits, 4.0);
    // Of 6 ms in calls 2 are computing, which explains no waiting.
    close(slow.unexplained_wait_ms, 2.0);
    close(slow.wait_alone_ms, 5.0);
    close(Some(slow.error_share), 0.5);
    // Half of the requests were not measured.
    close(Some(slow.requests), 4.0);
}

#[test]
fn of_calls_that_are_open_together_nobody_knows_what_was_computed_in_them() {
    let mut recording = recording();
    recording.endpoints[1].calls[0].overlapped = 2;
    close(aggregate(&recording).endpoints[0].unexplained_wait_ms, 0.0);
}

#[test]
fn a_request_that_never_slept_did_not_wait() {
    // One in eight is asked how long it stood in line, and it was one that hardly did: the others
    // did not wait for the rest of their time.
    let mut recording = recording();
    recording.endpoints[1].wait_ns = Distribution::of([0]);
    close(aggregate(&recording).endpoints[0].wait_ms, 0.0);
}

#[test]
fn calls_are_told_a_request_and_a_call() {
    let figures = aggregate(&recording());
    let calls = &figures.endpoints[0].calls[0];
    close(Some(calls.calls), 2.0);
    close(calls.wait_ms, 2.0);
    close(Some(calls.wait_per_request_ms), 4.0);
    close(Some(calls.run_share), 1.0);
    close(Some(calls.gather_saves_up_to_ms), 3.0);
}

#[test]
fn the_server_has_its_share_of_the_cpu_time() {
    let service = aggregate(&recording()).service;
    close(service.requests_per_s, 4.0);
    close(Some(service.request_cpu_s), 0.020);
    close(service.server_cpu_ms, 40.0 / 8.0);
    close(service.other_cpu_ms, 40.0 / 8.0);
    close(service.in_flight, 2.0);
    assert_eq!(service.in_flight_max, 3);
    assert_eq!(service.loop_busy_share, None);
}

#[test]
fn nothing_gives_no_figures() {
    let figures = aggregate(&Recording::new("test"));
    assert!(figures.endpoints.is_empty());
    assert_eq!(figures.service.requests_per_s, None);
    assert_eq!(figures.service.server_cpu_ms, None);
}

#[test]
fn where_requests_are_left_out_nobody_knows_how_many_there_were_at_once() {
    let mut recording = recording();
    recording.processes[0].sampling.requests_every = 2;
    assert_eq!(aggregate(&recording).service.in_flight, None);
}

#[test]
fn who_stands_in_line_for_a_processor_does_not_block_the_loop() {
    // 64 requests of 10 ms; one of each endpoint was asked, and stood in line for 4 and 6 ms.
    let endpoint = |queued_ms: u64, blocked_ms: u64| Endpoint {
        interface: Interface::Asgi,
        requests: 64,
        cpu_ns: Distribution::of([10 * MS; 64]),
        run_queue_ns: Distribution::of([queued_ms * MS]),
        blocked_ns: Distribution::of([blocked_ms * MS; 64]),
        ..Endpoint::default()
    };
    let mut recording = recording();
    recording.endpoints = vec![endpoint(4, 25), endpoint(6, 3)];
    let found = aggregate(&recording).endpoints;
    let blocked: Vec<Option<f64>> = found.iter().map(|one| one.blocked_ms).collect();
    assert_eq!(blocked.len(), 2);
    // 5 ms of each 10 that they computed.
    assert!(
        blocked.contains(&Some(20.0)) && blocked.contains(&Some(0.0)),
        "{blocked:?}"
    );
    recording.endpoints[0].run_queue_ns = Distribution::default();
    recording.endpoints[1].run_queue_ns = Distribution::default();
    let unknown = aggregate(&recording).endpoints;
    assert!(unknown.iter().any(|one| one.blocked_ms == Some(25.0)));
}

#[test]
fn where_too_few_were_asked_the_loop_s_thread_tells_how_long_it_stood_in_line() {
    // A loop that computed 1 s and stood in line for 3; one request was asked, and had no line before it.
    let endpoint = |asked: usize| Endpoint {
        interface: Interface::Asgi,
        requests: 100,
        cpu_ns: Distribution::of([10 * MS; 100]),
        run_queue_ns: Distribution::of(vec![0; asked]),
        blocked_ns: Distribution::of([35 * MS; 100]),
        ..Endpoint::default()
    };
    let mut recording = recording();
    recording.processes[0].threads = vec![Thread {
        cpu_ns: 1_000 * MS,
        run_queue_ns: 3_000 * MS,
        steps: 100,
        ..Thread::default()
    }];
    let mut check = |asked: usize, expected: f64| {
        recording.endpoints = vec![endpoint(asked)];
        let found = aggregate(&recording).endpoints.remove(0);
        close(found.blocked_ms, expected);
    };
    check(1, 5.0);
    check(30, 35.0);
}

#[test]
fn waiting_of_requests_that_nobody_asked_is_bounded_not_known() {
    // 7 ms without a processor: asleep, or in line for one.
    let mut recording = recording();
    let unasked = &mut recording.endpoints[1];
    unasked.run_queue_ns = Distribution::default();
    unasked.wait_ns = Distribution::default();
    let found = aggregate(&recording).endpoints.remove(0);
    assert_eq!((found.wait_ms, found.blocking_coefficient), (None, None));
    assert_eq!(found.unexplained_wait_ms, None);
    close(found.wait_at_most_ms, 7.0);
}

/// The recording of another host, or of another time.
fn elsewhere(host: &str, started_unix_ms: u64) -> Recording {
    let mut recording = recording();
    let process = &mut recording.processes[0];
    host.clone_into(&mut process.host);
    process.started_unix_ms = started_unix_ms;
    process.observed_ns = 3_000 * MS;
    process.first_request_ns = 500 * MS;
    recording
}

#[test]
fn rates_of_hosts_add_up_and_rates_of_successive_runs_do_not() {
    let check = |other: Recording, rate: f64, at_once: (usize, usize)| {
        let mut both = elsewhere("a", 1_000_000);
        both.merge(other).expect("they are two processes");
        let service = aggregate(&both).service;
        close(service.requests_per_s, rate);
        assert_eq!((service.processes_at_once, service.hosts_at_once), at_once);
        assert_eq!((service.processes, service.requests), (2, 16));
    };
    // Each alone serves 4 a second.
    check(elsewhere("b", 1_000_000), 8.0, (2, 2));
    check(elsewhere("a", 9_000_000), 4.0, (1, 1));
    check(elsewhere("b", 9_000_000), 4.0, (1, 1));
}

#[test]
fn runs_that_were_started_differently_are_said_to_be_one_mean() {
    let mut both = elsewhere("a", 1_000_000);
    let mut other = elsewhere("a", 9_000_000);
    both.processes[0].server.name = "gunicorn".to_owned();
    other.processes[0].server.name = "gunicorn".to_owned();
    other.processes[0].server.workers = Some(4);
    both.merge(other).expect("they are two processes");
    let doubts = aggregate(&both).service.cannot_tell;
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    assert_eq!(doubts[0].code, "different_settings");
    assert!(
        doubts[0].detail.contains("(gunicorn; gunicorn 4 workers)"),
        "{doubts:?}"
    );
}

#[test]
fn requests_that_could_not_all_be_counted_are_no_rate() {
    let mut recording = recording();
    recording.endpoints.push(Endpoint {
        name: "shop:quick".to_owned(),
        requests: 0,
        ..Endpoint::default()
    });
    // One without any time is one that nobody asked for.
    assert!(!aggregate(&recording).service.requests_are_partial);
    recording.endpoints[2].cpu_ns.sum = 5 * MS;
    let service = aggregate(&recording).service;
    assert!(service.requests_are_partial);
    assert_eq!((service.requests, service.requests_per_s), (8, None));
    assert_eq!((service.server_cpu_ms, service.other_cpu_ms), (None, None));
}
