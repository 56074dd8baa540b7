//! Time in line for a processor that nobody measured, and endpoints that share a name.
//!
//! What is not known is not taken for waiting, and what belongs to another endpoint not for its own.

use super::*;

/// Two endpoints of 10 ms of work; `unasked` of them had no request that was asked for its time in line.
fn unasked(shapes: [Shape; 2], unasked: usize) -> Recording {
    let mut two = recording(4, shapes[0]);
    two.endpoints.push(endpoint("GET /other", shapes[1]));
    for one in two.endpoints.iter_mut().rev().take(unasked) {
        one.wait_ns = corrente_record::Distribution::default();
        one.run_queue_ns = corrente_record::Distribution::default();
    }
    two
}

const WAITS: Shape = Shape {
    call_ms: 30,
    ..SHAPE
};
const RARE: Shape = Shape {
    requests: 40,
    ..WAITS
};

#[test]
fn an_endpoint_that_matters_and_was_not_asked_needs_more_requests() {
    let (verdict, reason) = judged(&unasked([WAITS, WAITS], 1));
    let expected = Reason::FewOfEndpoint {
        endpoint: "GET /other".to_owned(),
        more: 30,
    };
    assert_eq!((verdict, reason), (Verdict::CannotTell, expected));
}

#[test]
fn a_rare_one_has_no_verdict_of_its_own() {
    let report = predicted(&unasked([WAITS, RARE], 1), &Settings::default());
    assert!(report.gain.is_some(), "{:?}", report.judgement);
    let rare = &report.endpoints[1];
    let expected = Reason::FewRequests {
        requests: 40,
        more: 30,
    };
    assert_eq!((&rare.judgement.reason, rare.gain), (&expected, None));
}

#[test]
fn a_kernel_that_does_not_tell_is_said_not_to() {
    let said = |report: &PredictionReport| report.assumptions.contains(&Assumption::LineUnknown);
    let silent = predicted(&unasked([WAITS, WAITS], 2), &Settings::default());
    assert!(silent.gain.is_some() && said(&silent), "{silent:#?}");
    let told = predicted(&unasked([WAITS, WAITS], 0), &Settings::default());
    assert!(!said(&told), "{:?}", told.assumptions);
}

/// The same name served in two ways: about 10 ms of work here, always 3 there. Each as a service of its own.
fn of_one_name() -> Vec<corrente_model::service::Service> {
    let mut both = recording(1, SHAPE);
    let mut other = endpoint("GET /", Shape { cpu_ms: 3, ..SHAPE });
    other.interface = Interface::Asgi;
    other.cpu_ns = corrente_record::Distribution::of([3 * MS; 1000]);
    both.endpoints.push(other);
    let figures = aggregate::aggregate(&both);
    let reading = Reading::new(&both, &figures);
    let each = figures.endpoints.iter();
    each.filter_map(|known| reading.alone(known)).collect()
}

#[test]
fn endpoints_of_one_name_are_each_alone() {
    let found = of_one_name();
    assert_eq!(found.len(), 2);
    for (alone, cpu_ms) in found.iter().zip([10.0, 3.0]) {
        let deviation = alone.cpu() * 1e3 / cpu_ms - 1.0;
        assert!(deviation.abs() < 0.02, "{} s, {cpu_ms} ms", alone.cpu());
    }
}

#[test]
fn endpoints_of_one_name_vary_as_their_own_requests_did() {
    let spreads: Vec<bool> = of_one_name()
        .iter()
        .map(|alone| match &alone.endpoints[0].cpu {
            corrente_model::law::Law::Samples(times) => times
                .iter()
                .any(|time| (time / times[0] - 1.0).abs() > 0.05),
            _ => false,
        })
        .collect();
    assert_eq!(spreads, [true, false]);
}

#[test]
fn a_synchronous_and_an_asynchronous_service_are_two() {
    let mut both = recording(1, SHAPE);
    both.endpoints.push(endpoint("GET /other", SHAPE));
    both.endpoints[1].interface = Interface::Asgi;
    assert_eq!(
        judged(&both),
        (Verdict::CannotTell, Reason::MixedInterfaces)
    );
    // A trifle of the other kind is none.
    both.endpoints[1] = endpoint(
        "GET /other",
        Shape {
            requests: 3,
            ..SHAPE
        },
    );
    both.endpoints[1].interface = Interface::Asgi;
    assert_ne!(judged(&both).1, Reason::MixedInterfaces);
}
