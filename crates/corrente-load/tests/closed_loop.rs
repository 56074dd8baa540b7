//! The closed loop end to end over loopback: counts, connection reuse, errors, stopping.
//!
//! Nothing here sleeps to wait for something; servers that delay do so as their behaviour. Times
//! are generous upper bounds, because the machine that runs the tests may be busy.

mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use corrente_load::{
    Arrival, ErrorKind, KeepAlive, LoadError, Outcome, Plan, Progress, Ramp, StatusSet, Summary,
    Target, run,
};
use servers::{Server, listen, sized};

fn plan(url: &str, users: usize) -> Plan {
    Plan {
        warm_up: Duration::from_millis(50),
        duration: Duration::from_millis(200),
        timeout: Duration::from_secs(5),
        ..Plan::new(
            Target::parse(url).expect("the URL is right"),
            Arrival::Closed { users },
        )
    }
}

fn outcome(plan: &Plan) -> Outcome {
    run(plan, &AtomicBool::new(false), |_| {}).expect("the plan is right")
}

fn errors(outcome: &Outcome) -> Vec<ErrorKind> {
    outcome.errors.keys().copied().collect()
}

#[test]
fn counts_what_the_server_answered() {
    let server = Server::answering(|_| sized(200, "hello"));
    let outcome = outcome(&plan(&server.url(), 3));
    assert!(outcome.completed > 0);
    assert!(
        outcome.completed < server.seen.requests(),
        "the warm-up is not counted"
    );
    assert_eq!(outcome.statuses, BTreeMap::from([(200, outcome.completed)]));
    assert_eq!(outcome.latency.len(), outcome.completed);
    assert_eq!(
        outcome.bytes_received,
        outcome.completed * sized(200, "hello").len() as u64
    );
    assert_eq!(outcome.errors, BTreeMap::new());
    assert!(outcome.unfinished <= 3);
    assert_eq!(server.seen.connections(), 3);
    // The window opens at the first turn after the warm-up, so it may be a little short.
    assert!(
        outcome.window >= Duration::from_millis(100),
        "{:?}",
        outcome.window
    );
    let per_second = outcome.completed as f64 / outcome.window.as_secs_f64();
    assert!((outcome.requests_per_second() - per_second).abs() < 1e-6);
}

#[test]
fn the_summary_survives_json() {
    let server = Server::answering(|number| sized(if number % 2 == 0 { 200 } else { 404 }, ""));
    let summary = outcome(&plan(&server.url(), 1)).summary();
    let text = serde_json::to_string(&summary).unwrap();
    assert!(text.contains(r#""errors":{"status":"#), "{text}");
    let read: Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(read.statuses, summary.statuses);
    assert!(read.latency.unwrap().p50_ms > 0.0);
    assert!(read.self_check.cpu_per_request_us.unwrap() > 0.0);
}

#[test]
fn closing_uses_one_connection_per_request() {
    let server = Server::closing(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let mut plan = plan(&server.url(), 2);
    plan.target.request.keep_alive = KeepAlive::Close;
    let outcome = outcome(&plan);
    assert!(outcome.completed > 0);
    assert_eq!(outcome.errors, BTreeMap::new());
    assert!(server.seen.connections() >= outcome.completed);
}

#[test]
fn closing_says_so_even_to_servers_that_would_keep_the_connection() {
    let server = Server::answering(|_| sized(200, ""));
    let mut plan = plan(&server.url(), 1);
    plan.target.request.keep_alive = KeepAlive::Close;
    let outcome = outcome(&plan);
    assert!(outcome.completed > 0);
    assert!(server.seen.connections() >= outcome.completed);
    let heads = server.seen.heads.lock().unwrap();
    assert!(
        heads
            .iter()
            .all(|head| head.contains("\r\nConnection: close\r\n"))
    );
}

#[test]
fn a_server_that_closes_after_each_answer_is_connected_to_again() {
    for answer in [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi".as_slice(),
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ] {
        let server = Server::closing(answer);
        let outcome = outcome(&plan(&server.url(), 2));
        assert!(outcome.completed > 2);
        assert_eq!(outcome.errors, BTreeMap::new());
    }
}

#[test]
fn chunked_answers_and_their_content_are_read() {
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nneed\r\n0\r\n\r\n";
    let text = text.replace("3\r\nneed", "3\r\nnee\r\n3\r\ndle");
    let server = Server::answering(move |_| text.clone().into_bytes());
    let mut plan = plan(&server.url(), 2);
    plan.expect.body_contains = Some(b"needle".to_vec());
    let good = outcome(&plan);
    assert!(good.completed > 0);
    assert_eq!(good.errors, BTreeMap::new());
    assert_eq!(server.seen.connections(), 2);

    plan.expect.body_contains = Some(b"noodle".to_vec());
    let wrong = outcome(&plan);
    assert_eq!(
        (wrong.completed, errors(&wrong)),
        (0, vec![ErrorKind::Content])
    );
}

#[test]
fn large_answers_arrive_in_many_pieces() {
    let body = "0123456789".repeat(100_000);
    let answer = sized(200, &body);
    let length = answer.len() as u64;
    let server = Server::answering(move |_| answer.clone());
    let outcome = outcome(&plan(&server.url(), 2));
    assert!(outcome.completed > 0);
    assert_eq!(outcome.errors, BTreeMap::new());
    assert!(outcome.bytes_received + 2 * length >= outcome.completed * length);
}

#[test]
fn a_wrong_status_is_an_error_and_no_latency() {
    let server = Server::answering(|_| sized(503, "busy"));
    let mut plan = plan(&server.url(), 1);
    let wrong = outcome(&plan);
    assert_eq!((wrong.completed, wrong.latency.len()), (0, 0));
    assert_eq!(wrong.statuses[&503], wrong.errors[&ErrorKind::Status]);
    assert_eq!(server.seen.connections(), 1, "the connection stays in use");
    plan.expect.statuses = StatusSet::only(503);
    assert!(outcome(&plan).completed > 0);
}

#[test]
fn broken_answers_are_told_apart() {
    let surplus = [sized(200, "hi"), b"x".to_vec()].concat();
    for (answer, expected) in [
        (b"SSH-2.0-x\r\n".to_vec(), ErrorKind::Malformed),
        (surplus, ErrorKind::Malformed),
    ] {
        let server = Server::answering(move |_| answer.clone());
        assert_eq!(errors(&outcome(&plan(&server.url(), 1))), [expected]);
    }
    let cut = Server::closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut");
    assert_eq!(errors(&outcome(&plan(&cut.url(), 1))), [ErrorKind::Reset]);
    let silent = Server::closing(b"");
    assert_eq!(
        errors(&outcome(&plan(&silent.url(), 1))),
        [ErrorKind::Reset]
    );
}

#[test]
fn no_answer_is_a_timeout_each_time() {
    let server = Server::answering(|_| Vec::new());
    let mut plan = plan(&server.url(), 2);
    plan.timeout = Duration::from_millis(40);
    let outcome = outcome(&plan);
    assert_eq!(
        (outcome.completed, errors(&outcome)),
        (0, vec![ErrorKind::Timeout])
    );
    // Each of the two users can time out once per 40 ms.
    let count = outcome.errors[&ErrorKind::Timeout];
    let most = 2 * (outcome.window.as_millis() as u64 / 40 + 1);
    assert!((2..=most).contains(&count), "{count} of {most}");
}

#[test]
fn a_refused_connection_is_tried_again_at_a_bounded_pace() {
    let listener = listen();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let outcome = outcome(&plan(&url, 2));
    assert_eq!(
        (outcome.completed, errors(&outcome)),
        (0, vec![ErrorKind::Connect])
    );
    let most = 2 * (outcome.window.as_millis() as u64 / 10 + 1);
    let count = outcome.errors[&ErrorKind::Connect];
    assert!((2..=most).contains(&count), "{count} of {most}");
}

#[test]
fn stopping_returns_what_there_is() {
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let by_server = std::sync::Arc::clone(&stop);
    let server = Server::answering(move |number| {
        by_server.fetch_or(number == 500, Ordering::SeqCst);
        sized(200, "")
    });
    let mut plan = plan(&server.url(), 1);
    plan.warm_up = Duration::ZERO;
    plan.duration = Duration::from_hours(1);
    let begun = Instant::now();
    let outcome = run(&plan, &stop, |_| {}).unwrap();
    assert!(begun.elapsed() < Duration::from_mins(1));
    assert!(outcome.completed >= 499);
    assert!(outcome.window < Duration::from_mins(1));
}

#[test]
fn stopping_in_the_warm_up_gives_an_empty_outcome() {
    let server = Server::answering(|_| sized(200, ""));
    let outcome = run(&plan(&server.url(), 1), &AtomicBool::new(true), |_| {}).unwrap();
    assert_eq!((outcome.completed, outcome.window), (0, Duration::ZERO));
    assert!(outcome.requests_per_second().abs() < f64::EPSILON);
    assert!(!outcome.self_check.saturated());
}

#[test]
fn progress_is_told_while_it_runs() {
    let server = Server::answering(|_| sized(200, ""));
    let mut plan = plan(&server.url(), 1);
    plan.duration = Duration::from_millis(800);
    let mut reports: Vec<Progress> = Vec::new();
    let outcome = run(&plan, &AtomicBool::new(false), |now| reports.push(now)).unwrap();
    assert!(reports.len() >= 2, "{reports:?}");
    assert!(
        reports
            .iter()
            .all(|now| now.total == Duration::from_millis(850))
    );
    assert!(reports.is_sorted_by_key(|now| (now.elapsed, now.completed)));
    assert!(reports.last().unwrap().completed <= outcome.completed);
    assert!(reports.last().unwrap().completed > 0);
}

#[test]
fn threads_share_the_users_and_their_results_are_added() {
    let server = Server::answering(|_| sized(200, ""));
    let mut plan = plan(&server.url(), 3);
    plan.threads = 2;
    let outcome = outcome(&plan);
    assert_eq!(server.seen.connections(), 3);
    assert_eq!(outcome.latency.len(), outcome.completed);
    assert_eq!(outcome.statuses[&200], outcome.completed);
}

#[test]
fn all_paths_are_asked_for() {
    let server = Server::answering(|_| sized(200, ""));
    let mut plan = plan(&server.url(), 2);
    plan.target.request.paths = vec!["/a".into(), "/b?c".into(), "/d".into()];
    outcome(&plan);
    let heads = server.seen.heads.lock().unwrap();
    let paths: BTreeSet<&str> = heads
        .iter()
        .filter_map(|head| head.split(' ').nth(1))
        .collect();
    assert_eq!(paths, BTreeSet::from(["/a", "/b?c", "/d"]));
}

#[test]
fn a_ramp_gives_one_outcome_per_stage() {
    let server = Server::answering(|_| sized(200, ""));
    let ramp = Ramp::of_users(plan(&server.url(), 1), &[1, 4]);
    let outcomes = ramp.run(&AtomicBool::new(false), |_| {}).unwrap();
    assert_eq!(outcomes.len(), 2);
    assert_eq!(server.seen.connections(), 5);
    assert!(ramp.run(&AtomicBool::new(true), |_| {}).unwrap().is_empty());
    let wrong = Ramp::of_users(plan(&server.url(), 1), &[1, 0]);
    assert!(matches!(
        wrong.run(&AtomicBool::new(false), |_| {}),
        Err(LoadError::Setting { .. })
    ));
    assert_eq!(
        server.seen.connections(),
        5,
        "a wrong stage is found before any runs"
    );
}

#[test]
fn ipv6_works_where_the_machine_has_it() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        return;
    };
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let _server = Server::raw(listener, |mut stream, _| {
        use std::io::{Read, Write};
        let mut buffer = [0; 512];
        while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
            if stream.write_all(&sized(200, "")).is_err() {
                return;
            }
        }
    });
    assert!(outcome(&plan(&url, 1)).completed > 0);
}

#[test]
fn what_the_machine_cannot_give_is_an_error() {
    let server = Server::answering(|_| sized(200, ""));
    let mut pinned = plan(&server.url(), 1);
    pinned.cpus = vec![1000];
    let refusal = run(&pinned, &AtomicBool::new(false), |_| {}).unwrap_err();
    assert!(
        matches!(refusal, LoadError::Pinning { cpu: 1000, .. }),
        "{refusal}"
    );
}
