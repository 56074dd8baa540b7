//! Endpoints whose requests fail: what they cost is not what the endpoint costs.
//!
//! Failing is a status of 400 or above, or an exception; who went away has not failed. Recordings are made by hand,
//! with statuses as a recorder counts them.

use super::*;

/// Statuses of an endpoint, by class.
fn answered(endpoint: &mut Endpoint, statuses: &[(&str, u64)]) {
    let statuses = statuses.iter();
    endpoint.statuses = statuses
        .map(|(class, count)| ((*class).to_owned(), *count))
        .collect();
}

/// A service that computes, and beside it an endpoint of so many requests that are as dear.
fn with_other(requests: u64, statuses: &[(&str, u64)], exceptions: u64) -> Recording {
    let shape = Shape {
        cpu_ms: 40,
        calls: 0,
        ..SHAPE
    };
    let mut recording = recording(4, shape);
    answered(&mut recording.endpoints[0], &[("2xx", shape.requests)]);
    let mut other = endpoint("GET /other", Shape { requests, ..shape });
    answered(&mut other, statuses);
    other.exceptions = exceptions;
    recording.endpoints.push(other);
    recording
}

/// The verdict on the endpoint that fails or not, with its reason.
fn other(recording: &Recording) -> (Verdict, Reason) {
    let report = predicted(recording, &Settings::default());
    let judged = report.endpoints.into_iter();
    let mut judged = judged.filter(|one| one.name == "GET /other");
    let found = judged.next().expect("it is predicted by itself").judgement;
    (found.verdict, found.reason)
}

#[test]
fn an_endpoint_whose_requests_fail_is_not_predicted() {
    let check = |statuses: &[(&str, u64)], exceptions, share| {
        let found = other(&with_other(100, statuses, exceptions));
        let expected = (Verdict::CannotTell, Reason::Failing { share });
        assert_eq!(found, expected, "{statuses:?}");
    };
    check(&[("4xx", 100)], 0, 1.0);
    check(&[("5xx", 95), ("2xx", 5)], 0, 0.95);
    // A framework that answers with 500 and raises, too, has failed once a request.
    check(&[("5xx", 100)], 100, 1.0);
    // An exception before any answer, and one in the middle of it.
    check(&[("4xx", 50), ("none", 50)], 50, 1.0);
    check(&[("2xx", 100)], 100, 1.0);
}

#[test]
fn an_endpoint_that_mostly_answers_is_predicted() {
    let check = |statuses: &[(&str, u64)], exceptions| {
        let (verdict, reason) = other(&with_other(100, statuses, exceptions));
        assert_eq!(verdict, Verdict::NoGain, "{statuses:?}: {reason:?}");
    };
    check(&[("2xx", 20), ("4xx", 80)], 0);
    check(&[("3xx", 100)], 0);
    // Who went away before the answer, and recordings without statuses.
    check(&[("none", 100)], 0);
    check(&[], 0);
}

#[test]
fn a_service_is_not_predicted_from_requests_that_fail() {
    let judged_whole = |recording: &Recording| {
        let report = predicted(recording, &Settings::default());
        assert_eq!(report.gain.is_some(), !report.endpoints.is_empty());
        report.judgement
    };
    // 100 of 1,100 requests that all take the same time, and 400 of 1,400.
    let little = judged_whole(&with_other(100, &[("4xx", 100)], 0));
    assert_eq!(little.verdict, Verdict::NoGain, "{little:?}");
    let much = judged_whole(&with_other(400, &[("4xx", 400)], 0));
    let reason = Reason::FailingEndpoint {
        endpoint: "GET /other".to_owned(),
        share: 1.0,
    };
    assert_eq!(much, cannot_tell(reason));
}

#[test]
fn few_requests_that_fail_are_no_reason_to_record_more() {
    let mut recording = recording(
        1,
        Shape {
            requests: 5,
            ..SHAPE
        },
    );
    answered(&mut recording.endpoints[0], &[("5xx", 5)]);
    let (verdict, reason) = judged(&recording);
    assert_eq!(verdict, Verdict::CannotTell);
    assert!(
        matches!(reason, Reason::FailingEndpoint { .. }),
        "{reason:?}"
    );
}
