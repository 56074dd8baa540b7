//! Requests that compute for long, or make hundreds of calls: the work of predicting stays what it is.
//!
//! Work is counted in the simulator's events, not in seconds, so that a busy machine fails nothing. Whether the
//! figures are right is not told here, but by the tests of `corrente-model`.

use super::*;

fn shape(cpu_ms: u64, calls: u64) -> Shape {
    Shape {
        cpu_ms,
        calls,
        call_ms: 2,
        ..SHAPE
    }
}

/// Simulated requests that the figures are said to rest on; nothing where they are enough.
fn few(recording: &Recording) -> Option<u64> {
    let report = predicted(recording, &Settings::default());
    assert!(report.gain.is_some(), "{:?}", report.judgement);
    report.assumptions.iter().find_map(|one| match one {
        Assumption::FewSimulated { requests } => Some(*requests),
        _ => None,
    })
}

#[test]
fn requests_that_all_compute_for_long_are_simulated_in_longer_turns() {
    for cpu_ms in [2, 300, 10_000, 1_000_000] {
        assert_eq!(few(&recording(4, shape(cpu_ms, 1))), None, "{cpu_ms} ms");
    }
}

#[test]
fn hundreds_of_calls_are_simulated_in_groups() {
    assert_eq!(few(&recording(4, shape(100, 400))), None);
}

#[test]
fn brief_requests_among_long_ones_rest_on_few_and_it_is_said() {
    let mut both = recording(4, shape(2, 1));
    both.endpoints
        .push(endpoint("GET /report", shape(20_000, 0)));
    let requests = few(&both).expect("each takes thousands of turns");
    assert!((50..1_000).contains(&requests), "{requests}");
}
