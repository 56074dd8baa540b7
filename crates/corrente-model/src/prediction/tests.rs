//! Predictions of services whose answer is known by hand.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::bounds::Limit;
use crate::calibration::Costs;
use crate::least_squares::Estimate;
use crate::service::fixture::{self, deployment};
use crate::service::{Concurrency, Connections, Endpoint};

fn stack(name: &str, request: f64, call: f64) -> Stack {
    let cost = |mean: f64| Estimate {
        mean,
        deviation: mean * 0.03,
    };
    Stack {
        name: name.to_owned(),
        threads: 1,
        costs: Costs {
            request: cost(request),
            calls: BTreeMap::from([("sql".to_owned(), cost(call))]),
            coldness: 0.0,
            work: None,
            scale_deviation: 0.0,
        },
        process_bytes: 50_000_000,
        request_bytes: 50_000,
    }
}

/// The work of whose requests varies a little.
fn service(cpu: f64, count: f64, wait: f64) -> Service {
    let mut service = fixture::service(cpu, count, wait);
    service.endpoints[0].cpu = Law::with_moments(cpu, 0.05);
    service
}

fn ask(service: &Service, workers: usize, cores: f64, users: usize) -> Prediction {
    let loops = Concurrency::Loop { gathered: 0.0 };
    let question = Question {
        service,
        present: None,
        cpu_deviation: 0.02,
        from: &stack("sync", 0.0005, 0.0003),
        to: &stack("async", 0.0003, 0.0004),
        before: &deployment(workers, cores, Concurrency::Threads(1)),
        after: &deployment(cores as usize, cores, loops),
        load: &Load::Closed {
            users,
            think: Law::Constant(0.0),
        },
        model_deviation: 0.04,
        seed: 1,
    };
    predict(&question).expect("a prediction")
}

#[test]
fn many_workers_leave_only_the_cost_of_the_stacks() {
    // Enough workers on both sides: gain = C_s / C_a = 2 ms / 1.9 ms.
    let prediction = ask(&service(0.002, 1.0, 0.005), 20, 1.0, 64);
    assert!(
        (prediction.gain.estimate - 2.0 / 1.9).abs() < 0.04,
        "{:?}",
        prediction.gain
    );
    assert!(prediction.gain.low < 1.05 && prediction.gain.high > 1.05);
    assert_eq!(
        prediction.after.bound.map(|bound| bound.limit),
        Some(Limit::Cores)
    );
}

#[test]
fn few_workers_that_wait_lose_what_the_rule_says() {
    // One worker: 2 ms + 38 ms a request, against 1.9 ms on a loop.
    let prediction = ask(&service(0.002, 1.0, 0.038), 1, 1.0, 64);
    assert!(
        (prediction.gain.estimate / (40.0 / 1.9) - 1.0).abs() < 0.05,
        "{:?}",
        prediction.gain
    );
    assert_eq!(
        prediction.before.bound.map(|bound| bound.limit),
        Some(Limit::Slots)
    );
    assert!(prediction.p99_ratio.high < 1.0);
}

#[test]
fn the_interval_holds_the_estimate_and_the_model_error() {
    let prediction = ask(&service(0.002, 3.0, 0.01), 4, 1.0, 32);
    let Interval {
        estimate,
        low,
        high,
    } = prediction.gain;
    assert!(low < estimate && estimate < high);
    assert!((high / low).ln() > 2.0 * 1.9 * 0.04, "{low} {high}");
}

#[test]
fn no_draw_is_dearer_than_the_request_allows() {
    // All of the request is the stack's, so the costs of both sides can be lower, but not higher.
    let (mut from, mut to) = (stack("sync", 0.001, 0.001), stack("async", 0.001, 0.001));
    for stack in [&mut from, &mut to] {
        stack.costs.scale_deviation = 0.5;
    }
    let before = deployment(20, 1.0, Concurrency::Threads(1));
    let after = deployment(1, 1.0, Concurrency::Loop { gathered: 0.0 });
    let question = Question {
        service: &service(0.002, 1.0, 0.005),
        present: None,
        cpu_deviation: 0.02,
        from: &from,
        to: &to,
        before: &before,
        after: &after,
        load: &Load::Closed {
            users: 64,
            think: Law::Constant(0.0),
        },
        model_deviation: 0.04,
        seed: 1,
    };
    let gain = predict(&question).expect("a prediction").gain;
    assert!((gain.estimate - 1.0).abs() < 0.04, "{gain:?}");
    assert!(gain.low > 0.8, "{gain:?}");
}

#[test]
fn loops_that_are_compared_do_not_gain_by_the_order_of_their_pools() {
    let gain = |connections| {
        let mut both = deployment(1, 1.0, Concurrency::Loop { gathered: 0.0 });
        both.connections = vec![connections];
        let one = stack("async", 0.0, 0.0);
        let question = Question {
            service: &service(0.000_4, 1.0, 0.000_5),
            present: None,
            cpu_deviation: 0.02,
            from: &one,
            to: &one,
            before: &both,
            after: &both,
            load: &Load::Closed {
                users: 100,
                think: Law::Constant(0.0),
            },
            model_deviation: 0.04,
            seed: 1,
        };
        let found = predict(&question).expect("a prediction");
        (found.before.p99, found.gain)
    };
    assert_eq!(
        gain(Connections::Barging(8)),
        gain(Connections::PerProcess(8))
    );
}

#[test]
fn p99_reaches_from_a_fair_pool_to_one_that_is_not() {
    let service = service(0.000_4, 1.0, 0.000_5);
    let before = deployment(2, 1.0, Concurrency::Threads(1));
    let p99 = |connections| {
        let mut after = deployment(1, 1.0, Concurrency::Loop { gathered: 0.0 });
        after.connections = vec![connections];
        let (from, to) = (stack("sync", 0.0, 0.0), stack("async", 0.0, 0.0));
        let question = Question {
            service: &service,
            present: None,
            cpu_deviation: 0.02,
            from: &from,
            to: &to,
            before: &before,
            after: &after,
            load: &Load::Closed {
                users: 100,
                think: Law::Constant(0.0),
            },
            model_deviation: 0.04,
            seed: 1,
        };
        predict(&question).expect("a prediction")
    };
    let fair = p99(Connections::PerProcess(8));
    let unfair = p99(Connections::Barging(8));
    assert_eq!(unfair.gain, fair.gain);
    for (unfair, fair) in [
        (unfair.after.p99, fair.after.p99),
        (unfair.p99_ratio, fair.p99_ratio),
    ] {
        assert_eq!((unfair.estimate, unfair.low), (fair.estimate, fair.low));
        assert!(unfair.high > 2.0 * fair.high, "{unfair:?}, {fair:?}");
    }
}

#[test]
fn a_driver_without_costs_is_no_prediction() {
    let mut service = service(0.002, 1.0, 0.01);
    service.resources[0].kind = "redis".to_owned();
    let one = stack("sync", 0.0, 0.0);
    let before = deployment(1, 1.0, Concurrency::Threads(1));
    let question = Question {
        service: &service,
        present: None,
        cpu_deviation: 0.0,
        from: &one,
        to: &one,
        before: &before,
        after: &before,
        load: &Load::Closed {
            users: 1,
            think: Law::Constant(0.0),
        },
        model_deviation: 0.0,
        seed: 1,
    };
    let message = predict(&question).expect_err("no cost").to_string();
    assert_eq!(
        message,
        "the stack `sync` is not calibrated for `redis` calls"
    );
}

/// An endpoint of any kind: from a tenth of a millisecond to hours of computing, from no call to thousands.
fn any_endpoint() -> impl Strategy<Value = Endpoint> {
    let shape = (-4.0..4.0f64, 0.0..4.0f64, 0.01..1.0f64);
    let calls = (
        prop_oneof![Just(0.0), 0.0..5.0f64, 0.0..3_000.0f64],
        -4.0..1.0f64,
    );
    (shape, calls).prop_map(|((cpu, variation, weight), (count, wait))| {
        let mut endpoint = service(1.0, count, 10_f64.powf(wait)).endpoints.remove(0);
        endpoint.cpu = Law::with_moments(10_f64.powf(cpu), variation);
        endpoint.weight = weight;
        endpoint
    })
}

/// A deployment of up to a thousand workers, or of loops.
fn any_deployment() -> impl Strategy<Value = Deployment> {
    let concurrency = prop_oneof![
        Just(Concurrency::Threads(1)),
        (1..100_usize).prop_map(Concurrency::Threads),
        Just(Concurrency::Loop { gathered: 0.0 }),
        Just(Concurrency::Loop { gathered: 1.0 }),
    ];
    let connections = prop_oneof![
        Just(Connections::Unlimited),
        (1..20_usize).prop_map(Connections::PerProcess),
        (1..20_usize).prop_map(Connections::Barging),
    ];
    let processes = prop_oneof![1..8_usize, 1..1_000_usize];
    (processes, 0.5..16.0f64, concurrency, connections).prop_map(
        |(processes, cores, concurrency, connections)| Deployment {
            connections: vec![connections],
            ..deployment(processes, cores, concurrency)
        },
    )
}

fn any_load() -> impl Strategy<Value = Load> {
    let closed = (1..400_usize).prop_map(|users| Load::Closed {
        users,
        think: Law::Constant(0.0),
    });
    let open = (-3.0..4.0f64).prop_map(|rate| Load::Open {
        rate_per_s: 10_f64.powf(rate),
        connections: 64,
        spacing: Law::Exponential(1.0),
    });
    prop_oneof![closed, open]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_prediction_takes_more_events_than_its_effort(
        endpoints in prop::collection::vec(any_endpoint(), 1..6),
        before in any_deployment(), after in any_deployment(), load in any_load()
    ) {
        let service = Service { endpoints, ..service(1.0, 0.0, 0.0) };
        let question = Question {
            service: &service,
            present: None,
            cpu_deviation: 0.02,
            from: &stack("sync", 0.0005, 0.0003),
            to: &stack("async", 0.0003, 0.0004),
            before: &before,
            after: &after,
            load: &load,
            model_deviation: 0.04,
            seed: 1,
        };
        match predict_with(&question, Effort::of_one_among(100)) {
            Ok(found) => prop_assert!(found.events < 3 * 100_000, "{}", found.events),
            Err(error) => prop_assert!(
                matches!(error, Unpredictable::Endless | Unpredictable::Boundless),
                "{}", error
            ),
        }
    }
}

#[test]
fn what_takes_no_time_has_no_prediction() {
    let mut nothing = service(0.0, 0.0, 0.0);
    nothing.endpoints[0].calls.clear();
    let from = stack("sync", 0.0005, 0.0003);
    let free = stack("async", 0.0, 0.0);
    for to in [&from, &free] {
        let question = Question {
            service: &nothing,
            present: None,
            cpu_deviation: 0.02,
            from: &from,
            to,
            before: &deployment(2, 1.0, Concurrency::Threads(1)),
            after: &deployment(1, 1.0, Concurrency::Loop { gathered: 0.0 }),
            load: &Load::Closed {
                users: 16,
                think: Law::Constant(0.0),
            },
            model_deviation: 0.04,
            seed: 1,
        };
        assert_eq!(predict(&question), Err(Unpredictable::Boundless));
    }
}
