//! What is taken for granted of databases and services when a change is advised.
//!
//! The advice to serve more requests at once holds only where what they call can take them: that is
//! said whenever the change makes more calls at once than were recorded, and never otherwise.

use super::*;

fn taken_for_granted(workers: u32, shape: Shape) -> Option<Assumption> {
    let report = predicted(&recording(workers, shape), &Settings::default());
    let is_elastic = |one: &Assumption| matches!(one, Assumption::Elastic { .. });
    report.assumptions.into_iter().find(is_elastic)
}

#[test]
fn more_calls_at_once_than_were_recorded_are_said() {
    // 10 requests/s wait 400 ms each: 4 calls at once. Two cores could compute 50 a second.
    let shape = Shape {
        cpu_ms: 40,
        call_ms: 400,
        ..SHAPE
    };
    let Some(Assumption::Elastic {
        resource,
        recorded,
        predicted,
    }) = taken_for_granted(2, shape)
    else {
        panic!("nothing was said of the service that is called");
    };
    assert_eq!(resource, "http http.client api:80");
    assert!((recorded - 4.0).abs() < 0.1, "{recorded}");
    assert!(predicted > 16.0, "{predicted}");
}

#[test]
fn where_no_change_is_advised_nothing_is_asked_of_what_is_called() {
    assert_eq!(taken_for_granted(2, SHAPE), None);
}
