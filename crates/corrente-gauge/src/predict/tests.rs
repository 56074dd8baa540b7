//! Recordings made by hand whose verdict is known by hand, each verdict once.
//!
//! The service under Gunicorn and Flask computes and calls as its test says; what the stacks cost
//! is what is shipped, so the tests choose figures that no calibration of a real machine turns.

use corrente_record::{
    Alone, Calls, Doubt, Endpoint, Interface, Process, Resource, Runs, Server, Source, Thread,
};
use corrente_report::prediction::Limit;

use super::*;

mod costs;
mod crowded;
mod curves;
mod elastic;
mod failing;
mod line;
mod long;
mod settings;
mod waiting;

const MS: u64 = 1_000_000;

/// What a request of a hand-made service does.
#[derive(Clone, Copy)]
struct Shape {
    requests: u64,
    cpu_ms: u64,
    calls: u64,
    call_ms: u64,
    unexplained_ms: u64,
}

const SHAPE: Shape = Shape {
    requests: 1000,
    cpu_ms: 10,
    calls: 1,
    call_ms: 0,
    unexplained_ms: 0,
};

/// Values around `mean`, so that nothing is suspiciously equal.
fn times(mean: u64, count: u64) -> corrente_record::Distribution {
    let of = |number: u64| mean * MS * (90 + number % 21) / 100;
    corrente_record::Distribution::of((0..count).map(of))
}

fn endpoint(name: &str, shape: Shape) -> Endpoint {
    let Shape {
        requests,
        cpu_ms,
        calls,
        call_ms,
        unexplained_ms,
    } = shape;
    let wait = calls * call_ms + unexplained_ms;
    Endpoint {
        name: name.to_owned(),
        requests,
        wall_ns: times(cpu_ms + wait, requests),
        cpu_ns: times(cpu_ms, requests),
        wait_ns: times(wait, requests),
        in_calls_ns: times(calls * call_ms, requests),
        alone: Alone {
            requests,
            wall_ns: (cpu_ms + wait) * MS * requests,
            cpu_ns: cpu_ms * MS * requests,
        },
        calls: vec![Calls {
            resource: Resource {
                kind: "http".to_owned(),
                driver: "http.client".to_owned(),
                host: "api:80".to_owned(),
            },
            per_request: corrente_record::Distribution::of((0..requests).map(|_| calls)),
            call_ns: times(call_ms, requests * calls),
            ..Calls::default()
        }],
        ..Endpoint::default()
    }
}

/// Gunicorn with sync workers on two cores.
fn recording(workers: u32, shape: Shape) -> Recording {
    let requests = shape.requests;
    let process = |pid| Process {
        host: "a".to_owned(),
        pid,
        active_ns: 100_000 * MS,
        python: "3.11.7".to_owned(),
        server: Server {
            name: "gunicorn".to_owned(),
            version: "27".to_owned(),
            worker: "sync".to_owned(),
            workers: Some(workers),
            threads: Some(1),
        },
        cores: Some(2.0),
        cpu_ns: shape.cpu_ms * MS * requests / u64::from(workers),
        threads: vec![Thread {
            cpu_ns: shape.cpu_ms * MS * requests / u64::from(workers),
            request_cpu_ns: shape.cpu_ms * MS * requests / u64::from(workers),
            ..Thread::default()
        }],
        memory: corrente_record::Memory {
            pss_bytes: Some(50 << 20),
            rss_bytes: None,
        },
        requests_seen: requests / u64::from(workers),
        requests_measured: requests / u64::from(workers),
        watched: ["flask 3.1", "requests 2.34", "http.client"]
            .map(str::to_owned)
            .to_vec(),
        ..Process::default()
    };
    let mut recording = Recording::new("test");
    recording.processes = (0..workers).map(process).collect();
    recording.endpoints = vec![endpoint("GET /", shape)];
    recording
}

fn note(process: &mut Process, code: &str) {
    process.cannot_tell.push(Doubt {
        code: code.to_owned(),
        detail: String::new(),
    });
}

fn predicted(recording: &Recording, settings: &Settings) -> PredictionReport {
    predict(recording, settings).expect("there are requests, and the settings can be")
}

/// The verdict of a recording, and its reason.
fn judged(recording: &Recording) -> (Verdict, Reason) {
    let report = predicted(recording, &Settings::default());
    (report.judgement.verdict, report.judgement.reason)
}

#[test]
fn a_setting_that_brings_the_same_is_preferred() {
    // Two workers wait 400 of 440 ms: 4.5 requests/s, where two cores could do 50. Threads can, and
    // the other stack's few milliseconds less are not sure to matter.
    let shape = Shape {
        cpu_ms: 40,
        call_ms: 400,
        ..SHAPE
    };
    let recording = recording(2, shape);
    let report = predicted(&recording, &Settings::default());
    assert_eq!(report.judgement.verdict, Verdict::Tune, "{report:#?}");
    let Reason::BetterSetting {
        setting,
        flags,
        throughput_per_s,
        ..
    } = report.judgement.reason
    else {
        panic!("{:?}", report.judgement.reason);
    };
    assert!(flags.contains("--threads"), "{flags}");
    let slots = setting.workers * setting.threads.unwrap_or(1);
    assert!(slots >= 20, "{setting:?}");
    assert!(throughput_per_s > 40.0, "{throughput_per_s}");
    let before = report.before.expect("predicted").throughput_per_s;
    assert!(
        before.low < 2.0 / 0.44 && 2.0 / 0.44 < before.high,
        "{before:?}"
    );
    // 1 + 400 / 40.
    assert!((report.naive_gain.expect("computes") - 11.0).abs() < 0.1);
}

#[test]
fn where_no_setting_frees_the_workers_it_is_to_migrate() {
    // A request waits ten seconds: two workers with 64 threads in each serve 13 a second, and the
    // cores could do hundreds. More workers do not fit into the memory.
    let shape = Shape {
        cpu_ms: 2,
        call_ms: 10_000,
        ..SHAPE
    };
    let mut recording = recording(2, shape);
    for process in &mut recording.processes {
        process.server.threads = Some(64);
        process.server.worker = "gthread".to_owned();
        process.memory.pss_bytes = Some(2 << 30);
    }
    let (verdict, reason) = judged(&recording);
    assert_eq!(verdict, Verdict::Migrate, "{reason:?}");
    assert!(matches!(reason, Reason::WorkersWait { .. }), "{reason:?}");
}

#[test]
fn what_a_better_setting_brings_is_said_where_async_brings_more() {
    // Of 12 ms of computing most are ten calls with Requests, which the other stack makes for less.
    let shape = Shape {
        cpu_ms: 12,
        calls: 10,
        call_ms: 20,
        ..SHAPE
    };
    let (verdict, reason) = judged(&recording(2, shape));
    assert_eq!(verdict, Verdict::Migrate, "{reason:?}");
    let Reason::BeyondSetting {
        throughput_per_s,
        async_per_s,
        ..
    } = reason
    else {
        panic!("{reason:?}");
    };
    assert!(throughput_per_s > 120.0 && async_per_s.low > 1.1 * throughput_per_s);
}

#[test]
fn work_gains_nothing() {
    // 40 ms of computing, no waiting: the cores are the limit on both sides.
    let shape = Shape {
        cpu_ms: 40,
        calls: 0,
        ..SHAPE
    };
    let expected = Reason::SameLimit {
        limit: Limit::Cores,
    };
    assert_eq!(judged(&recording(4, shape)), (Verdict::NoGain, expected));
}

#[test]
fn who_stands_in_line_for_a_processor_in_a_call_does_not_wait() {
    // Four calls of SQLite, 5 ms each on a busy machine: the request itself never slept.
    let shape = Shape {
        cpu_ms: 40,
        calls: 4,
        call_ms: 5,
        ..SHAPE
    };
    let mut recording = recording(2, shape);
    recording.endpoints[0].wait_ns = times(0, shape.requests);
    recording.endpoints[0].run_queue_ns = times(20, shape.requests);
    let report = predicted(&recording, &Settings::default());
    let rule = report.naive_gain.expect("it computes");
    assert!((rule - 1.0).abs() < 1e-6, "{rule}");
}

#[test]
fn a_pool_that_is_smaller_makes_it_worse() {
    // 64 workers ask the database at once; the other side has ten connections for each of two loops.
    let mut recording = recording(
        64,
        Shape {
            requests: 6400,
            cpu_ms: 1,
            call_ms: 100,
            ..SHAPE
        },
    );
    recording.endpoints[0].calls[0].resource = Resource {
        kind: "database".to_owned(),
        driver: "psycopg".to_owned(),
        host: "db:5432".to_owned(),
    };
    let (verdict, reason) = judged(&recording);
    let limit = Limit::Connections {
        resource: "database psycopg db:5432".to_owned(),
    };
    assert_eq!(
        (verdict, reason),
        (Verdict::Worse, Reason::NewLimit { limit })
    );
}

#[test]
fn too_little_data_is_no_prediction() {
    let check = |requests, more| {
        let report = predicted(
            &recording(1, Shape { requests, ..SHAPE }),
            &Settings::default(),
        );
        let expected = cannot_tell(Reason::FewRequests { requests, more });
        assert_eq!(report.judgement, expected);
        assert_eq!((report.gain, report.endpoints.len()), (None, 0));
    };
    check(1, 199);
    check(199, 1);
    let mut two = recording(1, SHAPE);
    two.endpoints.push(endpoint(
        "GET /rare",
        Shape {
            requests: 20,
            cpu_ms: 500,
            ..SHAPE
        },
    ));
    let endpoint = "GET /rare".to_owned();
    assert_eq!(
        judged(&two),
        (
            Verdict::CannotTell,
            Reason::FewOfEndpoint { endpoint, more: 10 }
        )
    );
}

#[test]
fn an_endpoint_that_takes_little_time_may_have_few_requests() {
    let mut two = recording(
        4,
        Shape {
            cpu_ms: 40,
            calls: 0,
            ..SHAPE
        },
    );
    two.endpoints.push(endpoint(
        "GET /rare",
        Shape {
            requests: 20,
            calls: 0,
            ..SHAPE
        },
    ));
    let report = predicted(&two, &Settings::default());
    assert_eq!(report.judgement.verdict, Verdict::NoGain);
    let verdicts = report.endpoints.iter().map(|one| one.judgement.verdict);
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [Verdict::NoGain, Verdict::CannotTell]
    );
}

#[test]
fn what_cannot_be_measured_is_not_guessed() {
    let check = |change: fn(&mut Process), expected: Reason| {
        let mut recording = recording(2, SHAPE);
        recording.processes.iter_mut().for_each(change);
        assert_eq!(judged(&recording), (Verdict::CannotTell, expected));
    };
    check(|one| one.source = Source::Sampler, Reason::NoCpuTimes);
    let mut sampled = recording(2, SHAPE);
    sampled.processes[0].source = Source::Sampler;
    let report = predicted(&sampled, &Settings::default());
    assert_eq!(report.from, report.to, "nothing is said to be exchanged");
    check(|one| one.source = Source::Traces, Reason::NoCpuTimes);
    check(|one| one.python.push('t'), Reason::FreeThreaded);
    check(|one| note(one, "greenlets"), Reason::Greenlets);
    check(|one| note(one, "thread_pool"), Reason::ThreadPool);
    check(|one| one.cpu_ns += 100_000 * MS, Reason::ThreadPool);
    // Brief, and most of the computing: whoever runs the loop waits for the interpreter lock.
    let mut pooled = recording(2, SHAPE);
    let computed = pooled.endpoints[0].cpu_ns.sum;
    pooled.endpoints[0].pool_cpu_ns = computed;
    let report = predicted(&pooled, &Settings::default());
    assert_eq!(report.judgement.reason, Reason::ThreadPool);
}

#[test]
fn a_loop_that_is_blocked_is_unblocked_first() {
    let shape = Shape {
        cpu_ms: 2,
        call_ms: 20,
        ..SHAPE
    };
    let mut recording = recording(1, shape);
    recording.processes[0].server.name = "uvicorn".to_owned();
    recording.processes[0].server.worker = "asyncio".to_owned();
    let endpoint = &mut recording.endpoints[0];
    endpoint.interface = Interface::Asgi;
    endpoint.blocked_ns = times(20, 1000);
    endpoint.calls[0].blocking = 1000;
    let report = predicted(&recording, &Settings::default());
    assert_eq!(report.judgement.verdict, Verdict::Tune, "{report:#?}");
    let Reason::Unblock { resource, share } = &report.judgement.reason else {
        panic!("{:?}", report.judgement.reason);
    };
    assert_eq!(resource, "http http.client api:80");
    assert!((share - 20.0 / 22.0).abs() < 0.01, "{share}");
    // One loop of one process: 1 / 22 ms, and 1 / 2 ms once nothing blocks.
    let gain = report.gain.expect("predicted").estimate;
    assert!((gain - 11.0).abs() < 1.0, "{gain}");
}

#[test]
fn a_loop_that_is_free_has_nothing_to_gain() {
    let mut recording = recording(
        1,
        Shape {
            cpu_ms: 2,
            call_ms: 20,
            ..SHAPE
        },
    );
    recording.endpoints[0].interface = Interface::Asgi;
    let (verdict, reason) = judged(&recording);
    assert_eq!(
        (verdict, reason),
        (Verdict::NoGain, Reason::LoopFree { share: 0.0 })
    );
}

#[test]
fn calls_of_one_line_could_be_made_together() {
    let mut recording = recording(
        4,
        Shape {
            calls: 10,
            call_ms: 20,
            ..SHAPE
        },
    );
    recording.endpoints[0].calls[0].runs = Runs {
        length: corrente_record::Distribution::of((0..1000).map(|_| 10)),
        wall_ns: 200 * 1000 * MS,
        longest_ns: 20 * 1000 * MS,
    };
    let report = predicted(&recording, &Settings::default());
    let after = report
        .after
        .expect("predicted")
        .p50_ms
        .expect("it keeps up");
    let together = report.gathered_p50_ms.expect("they are from one line");
    assert!(after > 190.0 && together < 80.0, "{after} {together}");
}

#[test]
fn calls_that_hardly_wait_bring_nothing_together() {
    let shape = Shape {
        calls: 10,
        call_ms: 0,
        ..SHAPE
    };
    let mut recording = recording(4, shape);
    recording.endpoints[0].calls[0].runs.length =
        corrente_record::Distribution::of((0..1000).map(|_| 10));
    let report = predicted(&recording, &Settings::default());
    assert!(report.after.expect("predicted").p50_ms.is_some());
    assert_eq!(report.gathered_p50_ms, None);
}

#[test]
fn settings_come_before_what_was_recorded() {
    let shape = Shape {
        call_ms: 100,
        ..SHAPE
    };
    let settings = Settings {
        cores: Some(4.0),
        workers: Some(8),
        threads: Some(2),
        price: Some(0.04),
        rate: Some(5.0),
        ..Settings::default()
    };
    let report = predicted(&recording(2, shape), &settings);
    let (before, after) = (
        report.before.expect("predicted"),
        report.after.expect("predicted"),
    );
    assert_eq!(
        (before.setting.workers, before.setting.threads),
        (8, Some(2))
    );
    assert_eq!((after.setting.workers, after.setting.cores), (4, 4.0));
    assert!(before.cost_per_million > after.cost_per_million);
    assert_eq!(report.rate_per_s, Some(5.0));
    assert!(before.p99_ms.is_some());
}

#[test]
fn what_cannot_be_is_one_line() {
    let check = |settings: Settings, expected: &str| {
        let error = predict(&recording(2, SHAPE), &settings)
            .expect_err("it cannot be")
            .to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    };
    let settings = Settings::default;
    check(
        Settings {
            cores: Some(0.0),
            ..settings()
        },
        "--cores: expected a number above zero",
    );
    check(
        Settings {
            pool: Some(0),
            ..settings()
        },
        "--pool",
    );
    check(
        Settings {
            workers: Some(1_000_000),
            ..settings()
        },
        "up to 10000",
    );
    check(
        Settings {
            rate: Some(f64::NAN),
            ..settings()
        },
        "--rate",
    );
    check(
        Settings {
            to: Some("twisted".to_owned()),
            ..settings()
        },
        "starlette",
    );
    let nothing = predict(&Recording::new("test"), &settings());
    assert_eq!(nothing, Err(PredictError::NoRequest));
    let mut greenlets = recording(1, SHAPE);
    greenlets.endpoints.clear();
    note(&mut greenlets.processes[0], "greenlets");
    let line = predict(&greenlets, &settings()).expect_err("nothing is recorded");
    assert!(line.to_string().contains("gthread"), "{line}");
}

#[test]
fn a_stack_that_was_not_measured_is_borrowed_and_said() {
    let mut recording = recording(
        4,
        Shape {
            call_ms: 50,
            ..SHAPE
        },
    );
    for process in &mut recording.processes {
        process.server.name = "waitress".to_owned();
        process.watched = vec!["falcon 4.0".to_owned(), "psycopg2 2.9".to_owned()];
    }
    recording.endpoints[0].calls[0].resource.driver = "a driver".to_owned();
    let report = predicted(&recording, &Settings::default());
    assert_eq!(report.from.framework, "Falcon");
    let borrowed = |one: &Assumption| matches!(one, Assumption::BorrowedStack { .. });
    assert!(report.assumptions.iter().any(borrowed), "{report:#?}");
    let driver = "a driver".to_owned();
    let unknown = Assumption::UnknownDriver { driver };
    assert!(report.assumptions.contains(&unknown), "{report:#?}");
}

#[test]
fn only_what_comes_of_few_requests_shrinks_with_more() {
    // A deviation of 25 %, of which 20 % are from sampling and 15 % stay.
    let gain = corrente_model::statistics::Interval {
        estimate: 1.2,
        low: 1.2 * (-1.96_f64 * 0.25).exp(),
        high: 1.2 * (1.96_f64 * 0.25).exp(),
    };
    // Half the variance: 3.1 % in squares, less 2.25 that stay, leaves 0.875 of 4.
    assert_eq!(judge::more_requests(1000, gain, 0.2, 2.0), Some(3572));
    assert_eq!(judge::more_requests(1000, gain, 0.2, 4.0), None);
    assert_eq!(judge::more_requests(1000, gain, 0.0, 2.0), None);
}

#[test]
fn the_same_recording_has_the_same_prediction() {
    let recording = recording(
        2,
        Shape {
            call_ms: 50,
            ..SHAPE
        },
    );
    let once = predicted(&recording, &Settings::default());
    assert_eq!(once, predicted(&recording, &Settings::default()));
}
