//! Pairs from costs that are made up, so that every figure is known by hand.

use super::*;
use crate::cost_table::Here;
use crate::service::fixture;

const TABLE: &str = r#"
[reference]
cpu = "a processor"
python = "3.13"
date = "2026-01-01"
scenarios = []
burn_rounds_per_ms = 10_000

[[stack]]
server = "gunicorn sync"
framework = "Flask"
side = "sync"
request_us = 200
deviation = 0.2
coldness = 1.0

[[stack]]
server = "gunicorn gthread"
framework = "Flask"
side = "sync"
workers = "threaded"
request_us = 300
deviation = 0.2
coldness = 0.0

[[stack]]
server = "uvicorn"
framework = "Starlette"
side = "async"
request_us = 100
deviation = 0.2
coldness = 0.0

[[driver]]
name = "Requests"
kind = "http"
side = "sync"
call_us = 200
threaded_us = 400
deviation = 0.2

[[driver]]
name = "aiohttp"
kind = "http"
side = "async"
call_us = 50
gathered_us = 90
deviation = 0.2
"#;

const FLASK: Named<'_> = Named {
    server: "gunicorn sync",
    framework: "Flask",
};
const STARLETTE: Named<'_> = Named {
    server: "uvicorn",
    framework: "Starlette",
};
const HTTP: Drivers<'_> = Drivers {
    kind: "http",
    from: "Requests",
    to: "aiohttp",
    calling: Calling::InTurn,
};

const CALLS: &[Drivers<'_>] = &[HTTP];

fn table() -> CostTable {
    CostTable::from_toml(TABLE).expect("well-formed")
}

/// The machine of the table, at this speed.
fn here(burn_rounds_per_ms: Option<f64>) -> Here<'static> {
    Here {
        processor: "a processor",
        python: "3.13",
        burn_rounds_per_ms,
    }
}

/// Four HTTP calls of so many seconds.
fn service(wait: f64) -> Service {
    let mut service = fixture::service(0.004, 4.0, wait);
    "http".clone_into(&mut service.resources[0].kind);
    service
}

fn pair(wait: f64, migration: &Migration<'_>) -> Pair {
    let table = table();
    let speed = table.reference.speed(here(Some(10_000.0)));
    let pair = table.pair(&service(wait), migration, speed);
    pair.expect("every kind has its drivers")
}

fn migration<'a>(from: Named<'a>, threads: usize, drivers: &'a [Drivers<'a>]) -> Migration<'a> {
    Migration {
        from,
        threads,
        to: STARLETTE,
        drivers,
    }
}

/// Microseconds of a request and of a call.
fn costs(stack: &Stack) -> [u64; 2] {
    let call = stack.costs.calls["http"].mean;
    [stack.costs.request.mean, call].map(|seconds| (seconds * 1e6).round() as u64)
}

#[test]
fn what_was_measured_has_its_own_costs() {
    let pair = pair(0.02, &migration(FLASK, 1, CALLS));
    assert_eq!(costs(&pair.from), [200, 200]);
    assert_eq!(costs(&pair.to), [100, 50]);
    assert!(pair.gaps.is_empty());
}

/// The stacks on a machine of this speed, of a service that computes for so many seconds.
fn at(rounds: Option<f64>, cpu: f64) -> Pair {
    let table = table();
    let speed = table.reference.speed(here(rounds));
    let service = service(0.02).with_cpu(|_| cpu);
    let pair = table.pair(&service, &migration(FLASK, 1, CALLS), speed);
    pair.expect("every kind has its drivers")
}

#[test]
fn costs_grow_on_a_slower_machine_and_are_doubted_on_an_unknown_one() {
    let slower = at(Some(2_500.0), 1.0);
    let [request, call] = costs(&slower.to);
    assert!((100..400).contains(&request) && (50..200).contains(&call));
    let doubted = |pair: &Pair| pair.from.costs.scale_deviation > 0.0;
    assert!(doubted(&slower) && doubted(&at(None, 1.0)));
    assert!(!doubted(&at(Some(9_000.0), 1.0)));
    for rounds in [Some(2_500.0), None, Some(9_000.0)] {
        assert_eq!(at(rounds, 1.0).gaps, []);
    }
}

#[test]
fn a_service_says_how_dear_its_stack_can_be() {
    let scaled = at(Some(2_500.0), 1.0);
    // A request and four calls, cold after 20 ms each; measured were four fifths of that.
    let share = scaled.from.share(&service(0.02)).expect("calibrated");
    let measured = at(Some(2_500.0), share * 0.8);
    for (dear, allowed) in [(&scaled.from, &measured.from), (&scaled.to, &measured.to)] {
        let [dear, allowed] = [dear, allowed].map(|stack| stack.costs.request.mean);
        assert!((allowed / dear - 0.8).abs() < 1e-9, "{allowed}, {dear}");
    }
    let [Gap::Lowered { share }] = measured.gaps[..] else {
        panic!("it is not said: {:?}", measured.gaps);
    };
    assert!((share - 0.8).abs() < 1e-9, "{share}");
    // What cannot come from the speed does not: there is a limit, and on this machine none at all.
    let far = at(Some(2_500.0), share * 0.001).to.costs.request.mean;
    let floor = scaled.to.costs.request.mean * (-2.0 * scaled.to.costs.scale_deviation).exp();
    assert!((far / floor - 1.0).abs() < 1e-9, "{far}, {floor}");
    let here = at(Some(10_000.0), 1e-6);
    assert_eq!((costs(&here.to), here.gaps), ([100, 50], vec![]));
}

#[test]
fn a_borrowed_stack_says_nothing_of_the_speed() {
    let waitress = Named {
        server: "waitress",
        framework: "Flask",
    };
    let table = table();
    let speed = table.reference.speed(here(Some(2_500.0)));
    let to = |cpu| {
        let service = service(0.02).with_cpu(|_| cpu);
        let pair = table.pair(&service, &migration(waitress, 1, CALLS), speed);
        costs(&pair.expect("every kind has its drivers").to)
    };
    assert_eq!(to(1e-6), to(1.0));
}

#[test]
fn a_stack_borrows_from_one_of_the_same_framework_and_says_so() {
    let waitress = Named {
        server: "waitress",
        framework: "Flask",
    };
    let pair = pair(0.02, &migration(waitress, 1, CALLS));
    let request = pair.from.costs.request;
    assert_eq!(costs(&pair.from), [200, 200]);
    assert!((request.deviation / request.mean - BORROWED_DEVIATION).abs() < 1e-9);
    let gap = Gap::Stack {
        stack: "Flask, waitress".to_owned(),
        source: "Flask, gunicorn sync".to_owned(),
    };
    assert_eq!(pair.gaps, [gap]);
}

#[test]
fn threads_that_are_busy_pay_for_their_hand_overs_and_those_that_sleep_for_cold_caches() {
    let gthread = Named {
        server: "gunicorn gthread",
        framework: "Flask",
    };
    let asked = migration(gthread, 8, CALLS);
    let busy = pair(0.001, &asked);
    assert_eq!((costs(&busy.from), busy.from.threads), ([300, 400], 8));
    assert!(busy.gaps.is_empty());
    // 124 ms of sleep between the turns of eight threads: 1 ms * (1 + ln 125) against 1.9 ms.
    let idle = pair(1.0, &asked);
    assert_eq!((costs(&idle.from), idle.from.threads), ([200, 200], 8));
    assert_eq!(idle.gaps.len(), 1);
}

#[test]
fn calls_that_start_together_have_a_cost_of_their_own() {
    let together = Drivers {
        calling: Calling::Together,
        ..HTTP
    };
    let pair = pair(0.02, &migration(FLASK, 1, &[together]));
    assert_eq!(costs(&pair.to), [100, 90]);
}

#[test]
fn a_driver_that_stays_costs_what_it_costs_a_busy_process() {
    let stays = Drivers {
        to: "Requests",
        ..HTTP
    };
    let pair = pair(0.02, &migration(FLASK, 1, &[stays]));
    assert_eq!(costs(&pair.to), [100, 400]);
    assert!(pair.gaps.is_empty());
}

#[test]
fn an_unknown_driver_costs_nothing_on_either_side() {
    let unknown = Drivers {
        to: "httpx",
        ..HTTP
    };
    let pair = pair(0.02, &migration(FLASK, 1, &[unknown]));
    assert_eq!((costs(&pair.from)[1], costs(&pair.to)[1]), (0, 0));
    assert_eq!(pair.gaps, [Gap::Driver("Requests".to_owned())]);
}

#[test]
fn a_kind_without_drivers_is_an_error() {
    let table = table();
    let speed = table.reference.speed(here(None));
    let gthread = Named {
        server: "gunicorn gthread",
        framework: "Flask",
    };
    let pair = table.pair(&service(0.02), &migration(gthread, 8, &[]), speed);
    assert_eq!(pair.expect_err("no drivers").kind, "http");
}

#[test]
fn a_driver_that_was_not_measured_is_exchanged_where_the_service_tells_of_its_calls() {
    let urllib3 = Drivers {
        from: "urllib3",
        ..HTTP
    };
    let table = table();
    let speed = table.reference.speed(here(Some(10_000.0)));
    let pair = |cpu| {
        let mut service = service(0.02);
        service.endpoints[0].calls[0].cpu = cpu;
        let drivers = [urllib3];
        let pair = table.pair(&service, &migration(FLASK, 1, &drivers), speed);
        pair.expect("every kind has its drivers")
    };
    let unknown = pair(None);
    assert_eq!([costs(&unknown.from)[1], costs(&unknown.to)[1]], [0, 0]);
    assert_eq!(unknown.gaps, [Gap::Driver("urllib3".to_owned())]);
    // Up to what the dearest of its kind may take is what it takes itself.
    let told = pair(Some(0.0001));
    assert_eq!([costs(&told.from)[1], costs(&told.to)[1]], [200, 50]);
    assert_eq!(told.gaps, []);
}
