//! Curves of recordings made by hand: where they begin and end, and what limits them in between.
//!
//! What a curve must be is computed by hand from two workers, their waiting and their computing; the
//! figures of the report, which other tests hold, are its ends.

use corrente_report::prediction::{Curves, Side, Span, TailPoint};

use super::*;

/// The prediction of a recording with its curves.
fn drawn(recording: &Recording) -> PredictionReport {
    let settings = Settings {
        detail: Detail::Curves,
        ..Settings::default()
    };
    predicted(recording, &settings)
}

fn curves(report: &PredictionReport) -> &Curves {
    report.curves.as_ref().expect("they were asked for")
}

/// Two workers wait 400 of 440 ms.
fn waits() -> Recording {
    recording(
        2,
        Shape {
            cpu_ms: 40,
            call_ms: 400,
            ..SHAPE
        },
    )
}

#[test]
fn throughput_rises_from_one_user_to_the_figures_of_the_report() {
    let report = drawn(&waits());
    let points = &curves(&report).throughput;
    assert!(points.len() >= 7, "{points:#?}");
    assert!(points.is_sorted_by(|one, other| one.users < other.users));
    let (first, last) = (points[0], points[points.len() - 1]);
    // One user has an answer each 440 ms, whatever serves it.
    let alone = |span: Span| (span.estimate * 0.44 - 1.0).abs() < 0.1;
    assert!(alone(first.before_per_s), "{first:?}");
    let before = report.before.as_ref().expect("predicted").throughput_per_s;
    let after = report.after.as_ref().expect("predicted").throughput_per_s;
    assert_eq!(Some(last.users), report.users);
    assert_eq!((last.before_per_s, last.after_per_s), (before, after));
    // Two workers are full with two users; loops go on until the cores are.
    for point in points.iter().filter(|point| point.users > 2) {
        assert!((point.before_per_s.estimate / before.estimate - 1.0).abs() < 0.1);
        assert!(point.before_per_s.low < point.before_per_s.estimate);
        assert!(point.before_per_s.estimate < point.before_per_s.high);
    }
    let rises = |one: f64, other: f64| one < other * 1.05;
    assert!(
        points
            .is_sorted_by(|one, other| rises(one.after_per_s.estimate, other.after_per_s.estimate))
    );
}

#[test]
fn the_tail_ends_where_a_side_cannot_keep_up() {
    let report = drawn(&waits());
    let points = &curves(&report).tail;
    let most = report.before.as_ref().expect("predicted").throughput_per_s;
    for point in points {
        let keeps_up = point.rate_per_s < 0.95 * most.estimate;
        assert_eq!(point.before_ms.is_some(), keeps_up, "{point:?}");
        assert!(point.after_ms.is_some(), "{point:?}");
    }
    assert!(points.is_sorted_by(|one, other| one.rate_per_s < other.rate_per_s));
    let before: Vec<f64> = (points.iter())
        .filter_map(|point| point.before_ms)
        .map(|span| span.estimate)
        .collect();
    assert!(before.is_sorted(), "{before:?}");
    // Both workers taken, a request waits for another one's 440 ms.
    assert!(before.len() >= 4 && before[0] > 430.0, "{before:?}");
    assert!(before[before.len() - 1] > 2.0 * before[0], "{before:?}");
}

#[test]
fn what_the_report_has_is_a_point_of_the_curve() {
    let settings = Settings {
        rate: Some(2.0),
        detail: Detail::Curves,
        ..Settings::default()
    };
    let report = predicted(&waits(), &settings);
    let points = &curves(&report).tail;
    let at_rate = |point: &&TailPoint| Some(point.rate_per_s) == report.rate_per_s;
    let found: Vec<_> = points.iter().filter(at_rate).collect();
    assert_eq!(found.len(), 1);
    let p99 = |side: Option<&Side>| side?.p99_ms;
    let reported = [p99(report.before.as_ref()), p99(report.after.as_ref())];
    assert_eq!([found[0].before_ms, found[0].after_ms], reported);
}

#[test]
fn who_does_not_ask_has_no_curves_and_the_same_figures() {
    let report = predicted(&waits(), &Settings::default());
    assert_eq!(report.curves, None);
    let with = PredictionReport {
        curves: None,
        ..drawn(&waits())
    };
    assert_eq!(report, with);
}

#[test]
fn where_nothing_is_predicted_there_is_no_curve() {
    let report = drawn(&recording(
        1,
        Shape {
            requests: 20,
            ..SHAPE
        },
    ));
    assert_eq!(report.judgement.verdict, Verdict::CannotTell);
    assert_eq!(report.curves, None);
}

#[test]
fn a_loop_has_a_curve_of_throughput_alone() {
    let shape = Shape {
        cpu_ms: 2,
        call_ms: 20,
        ..SHAPE
    };
    let mut recording = recording(1, shape);
    let endpoint = &mut recording.endpoints[0];
    endpoint.interface = Interface::Asgi;
    endpoint.blocked_ns = times(20, 1000);
    endpoint.calls[0].blocking = 1000;
    let report = drawn(&recording);
    let Curves { throughput, tail } = curves(&report);
    assert!(tail.is_empty());
    // Blocked, one user fills the loop: 1 / 22 ms. Free, it takes eleven.
    let estimates = throughput
        .iter()
        .map(|point| (point.before_per_s.estimate, point.after_per_s.estimate));
    for (before, after) in estimates {
        assert!((before * 0.022 - 1.0).abs() < 0.1, "{before}");
        assert!(after > 0.9 * before, "{after}");
    }
    let last = throughput[throughput.len() - 1].after_per_s.estimate;
    assert!((last * 0.002 - 1.0).abs() < 0.1, "{last}");
}
