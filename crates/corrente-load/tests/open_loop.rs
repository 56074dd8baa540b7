//! The open loop end to end: the rate is kept, and a slow server cannot hide behind it.
//!
//! The central test is the stall: a closed loop would see one slow request, an open loop sees every
//! request that should have been sent meanwhile (coordinated omission).

mod servers;

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use corrente_load::{Arrival, ErrorKind, Outcome, Plan, Process, Target, run};
use servers::{Server, listen, sized};

fn plan(url: &str, rate_per_s: f64, connections_max: usize) -> Plan {
    let arrival = Arrival::Open {
        rate_per_s,
        process: Process::Constant,
        connections_max,
    };
    Plan {
        warm_up: Duration::from_millis(100),
        duration: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        ..Plan::new(Target::parse(url).expect("the URL is right"), arrival)
    }
}

fn outcome(plan: &Plan) -> Outcome {
    run(plan, &AtomicBool::new(false), |_| {}).expect("the plan is right")
}

#[test]
fn the_rate_is_kept_by_either_process() {
    let server = Server::answering(|_| sized(200, ""));
    for process in [Process::Constant, Process::Poisson] {
        let mut plan = plan(&server.url(), 500.0, 8);
        plan.arrival = Arrival::Open {
            rate_per_s: 500.0,
            process,
            connections_max: 8,
        };
        plan.threads = 2;
        let outcome = outcome(&plan);
        // Poisson's deviation is sqrt(500) = 22; six of them is certain enough.
        let rate = outcome.requests_per_second();
        assert!((365.0..635.0).contains(&rate), "{process:?} {rate}");
        assert_eq!(outcome.errors_total(), 0);
        assert!(!outcome.self_check.lag.is_empty());
    }
    assert!(server.seen.connections() <= 16);
}

#[test]
fn a_stall_is_seen_by_every_request_that_was_due_meanwhile() {
    const STALL: Duration = Duration::from_millis(400);
    let server = Server::answering(|number| {
        if number == 60 {
            thread::sleep(STALL);
        }
        sized(200, "")
    });
    let outcome = outcome(&plan(&server.url(), 200.0, 1));
    let milliseconds = 1_000_000_u64;
    assert!(
        outcome.latency.max() >= 390 * milliseconds,
        "{}",
        outcome.latency.max()
    );
    assert!(outcome.latency.value_at_quantile(0.99) >= 300 * milliseconds);
    // 200/s for the 300 ms in which the remaining stall was above 100 ms: 60 requests.
    let slow = outcome.latency.count_between(100 * milliseconds, u64::MAX);
    assert!(slow >= 40, "{slow}");
    assert!(
        outcome.self_check.queued >= 60,
        "{}",
        outcome.self_check.queued
    );
    assert_eq!(outcome.errors_total(), 0);
}

#[test]
fn more_than_the_server_can_do_stays_unfinished_or_times_out() {
    let server = Server::answering(|_| {
        thread::sleep(Duration::from_millis(20));
        sized(200, "")
    });
    let slow = outcome(&plan(&server.url(), 400.0, 2));
    assert!(slow.requests_per_second() <= 110.0);
    assert!(slow.unfinished >= 200, "{}", slow.unfinished);

    let mut impatient = plan(&server.url(), 400.0, 2);
    impatient.timeout = Duration::from_millis(200);
    let outcome = outcome(&impatient);
    assert!(
        outcome.errors[&ErrorKind::Timeout] >= 100,
        "{:?}",
        outcome.errors
    );
    // What was answered was answered within the timeout, give or take a scan's pace.
    assert!(
        outcome.latency.max() < 400_000_000,
        "{}",
        outcome.latency.max()
    );
}

#[test]
fn a_refusing_server_costs_one_error_per_attempt() {
    let listener = listen();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let outcome = outcome(&plan(&url, 100.0, 4));
    let count = outcome.errors[&ErrorKind::Connect];
    assert_eq!(outcome.completed, 0);
    assert!((80..=110).contains(&count), "{count}");
}

#[test]
fn connections_the_server_closes_while_idle_are_replaced_without_errors() {
    // Answers and closes at once, without announcing it: the next request is due 20 ms later.
    let server = Server::closing(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let outcome = outcome(&plan(&server.url(), 50.0, 1));
    assert!(outcome.completed >= 40, "{}", outcome.completed);
    assert_eq!(outcome.errors_total(), 0, "{:?}", outcome.errors);
}

#[test]
fn a_server_that_speaks_unasked_is_malformed() {
    let server = Server::answering(|number| {
        if number == 1 {
            [sized(200, ""), sized(200, "")].concat()
        } else {
            sized(200, "")
        }
    });
    let mut plan = plan(&server.url(), 100.0, 1);
    plan.warm_up = Duration::ZERO;
    let outcome = outcome(&plan);
    assert_eq!(
        outcome.errors.into_iter().collect::<Vec<_>>(),
        [(ErrorKind::Malformed, 1)]
    );
}

#[test]
fn a_server_that_speaks_on_an_idle_connection_is_malformed() {
    // Requests are 500 ms apart, so the connection has long been idle when the server speaks.
    let server = Server::raw(listen(), |stream, _| {
        servers::speak_unasked(stream, Duration::from_millis(50));
    });
    let mut plan = plan(&server.url(), 2.0, 1);
    plan.warm_up = Duration::ZERO;
    let outcome = outcome(&plan);
    assert_eq!(outcome.completed, 2);
    assert_eq!(
        outcome.errors.keys().copied().collect::<Vec<_>>(),
        [ErrorKind::Malformed]
    );
}
