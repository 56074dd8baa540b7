//! Waiting that no watched library explains, and waiting that is for the interpreter lock.
//!
//! Of waiting for nobody knows what, figures are given and no advice.

use super::*;

#[test]
fn waiting_that_nothing_explains_is_said() {
    let shape = Shape {
        call_ms: 30,
        unexplained_ms: 70,
        ..SHAPE
    };
    let report = predicted(&recording(4, shape), &Settings::default());
    let share = report.unexplained_share.expect("it waits");
    assert!((share - 0.7).abs() < 0.01, "{share}");
    let said = |one: &Assumption| matches!(one, Assumption::UnexplainedWaiting { .. });
    assert!(report.assumptions.iter().any(said));
}

#[test]
fn nothing_is_advised_of_waiting_that_may_be_for_a_lock() {
    // 10 ms of work and 400 of waiting, in calls or for nobody knows what.
    let judged_of = |call_ms, unexplained_ms| {
        let shape = Shape {
            call_ms,
            unexplained_ms,
            ..SHAPE
        };
        let report = predicted(&recording(2, shape), &Settings::default());
        assert!(
            report.gain.is_some_and(|gain| gain.low > 2.0),
            "{report:#?}"
        );
        (
            report.judgement.verdict,
            report.endpoints[0].judgement.verdict,
        )
    };
    let (whole, endpoint) = judged_of(0, 400);
    assert_eq!(
        (whole, endpoint),
        (Verdict::CannotTell, Verdict::CannotTell)
    );
    let (whole, endpoint) = judged_of(300, 100);
    let advice = [Verdict::Migrate, Verdict::Tune];
    assert!(
        advice.contains(&whole) && advice.contains(&endpoint),
        "{whole:?}"
    );
}

#[test]
fn of_a_service_that_does_not_wait_nothing_is_said_of_its_waiting() {
    let mut recording = recording(4, SHAPE);
    // A few microseconds of ten milliseconds.
    recording.endpoints[0].wait_ns = corrente_record::Distribution::of([5_000; 1000]);
    recording.endpoints[0].wall_ns = corrente_record::Distribution::of([10_005_000; 1000]);
    recording.endpoints[0].cpu_ns = corrente_record::Distribution::of([10_000_000; 1000]);
    let report = predicted(&recording, &Settings::default());
    assert_eq!(report.unexplained_share, None);
    let said = |one: &Assumption| matches!(one, Assumption::UnexplainedWaiting { .. });
    assert!(!report.assumptions.iter().any(said), "{report:#?}");
}

/// A service of one worker that computes for so many µs a request and waits for so many, for nobody knows what.
fn briefly(cpu_us: u64, wait_us: u64) -> Recording {
    let mut recording = recording(2, SHAPE);
    let of = |us: u64| corrente_record::Distribution::of([us * 1_000; 1000]);
    let endpoint = &mut recording.endpoints[0];
    endpoint.calls.clear();
    endpoint.in_calls_ns = of(0);
    endpoint.wait_ns = of(wait_us);
    endpoint.wall_ns = of(cpu_us + wait_us);
    endpoint.cpu_ns = of(cpu_us);
    endpoint.alone.wall_ns = (cpu_us + wait_us) * 1_000_000;
    endpoint.alone.cpu_ns = cpu_us * 1_000_000;
    for process in &mut recording.processes {
        process.cpu_ns = cpu_us * 500_000;
        process.threads[0].cpu_ns = cpu_us * 500_000;
        process.threads[0].request_cpu_ns = cpu_us * 500_000;
    }
    recording
}

#[test]
fn waiting_of_microseconds_is_no_reason_for_anything() {
    // Flask and Gunicorn are nearly all of it; the worker is taken a little longer than it computes.
    let (verdict, reason) = judged(&briefly(250, 4));
    assert_eq!(verdict, Verdict::Migrate, "{reason:?}");
    assert!(matches!(reason, Reason::CheaperStack { .. }), "{reason:?}");
    // Where it is more than half of a request, nobody can tell.
    let (verdict, reason) = judged(&briefly(250, 300));
    assert_eq!(verdict, Verdict::CannotTell);
    assert!(matches!(reason, Reason::Unexplained { .. }), "{reason:?}");
}

#[test]
fn with_threads_waiting_is_that_of_requests_that_were_alone() {
    // Together they take 100 ms, alone 20: the rest is waiting for the interpreter lock.
    let mut recording = recording(
        1,
        Shape {
            cpu_ms: 10,
            call_ms: 90,
            ..SHAPE
        },
    );
    let alone = &mut recording.endpoints[0].alone;
    alone.wall_ns = alone.requests * 20 * MS;
    let reading = Reading::new(&recording, &aggregate::aggregate(&recording));
    assert!((reading.service.waiting() - 0.010).abs() < 1e-4);
}
