//! Tables that can be read and such that cannot, and what their costs are worth elsewhere.

use super::*;

const TABLE: &str = r#"
[reference]
cpu = "a processor"
python = "3.13.1"
date = "2026-01-02"
scenarios = ["small"]
burn_rounds_per_ms = 20000.0

[[stack]]
server = "gunicorn sync"
framework = "Flask"
side = "sync"
request_us = 200.0
deviation = 0.04
coldness = 0.5

[[stack]]
server = "uvicorn"
framework = "Starlette"
side = "async"
request_us = 50.0
deviation = 0.3
coldness = 0.0
process_bytes = 5000

[[driver]]
name = "aiohttp"
kind = "http"
side = "async"
call_us = 100.0
deviation = 0.0
"#;

fn table() -> CostTable {
    CostTable::from_toml(TABLE).expect("it is one")
}

fn here(processor: &'static str, python: &'static str, rounds: f64) -> Here<'static> {
    Here {
        processor,
        python,
        burn_rounds_per_ms: Some(rounds),
    }
}

#[test]
fn what_is_shipped_can_be_read_and_is_sane() {
    let shipped = shipped();
    for stack in &shipped.stacks {
        let name = format!("{} {}", stack.server, stack.framework);
        assert!((1.0..100_000.0).contains(&stack.request_us), "{name}");
        assert!((LEAST_DEVIATION..=1.0).contains(&stack.deviation), "{name}");
        assert!((0.0..=3.0).contains(&stack.coldness), "{name}");
    }
    for driver in &shipped.drivers {
        let name = &driver.name;
        assert!((1.0..100_000.0).contains(&driver.call_us), "{name}");
        assert!(
            (LEAST_DEVIATION..=1.0).contains(&driver.deviation),
            "{name}"
        );
    }
}

#[test]
fn a_table_comes_back_as_it_went() {
    let again = CostTable::from_toml(&table().to_toml());
    assert_eq!(again, Ok(table()));
}

#[test]
fn what_cannot_be_used_is_one_line() {
    let check = |text: &str, expected: &str| {
        let line = CostTable::from_toml(text)
            .expect_err("it is bad")
            .to_string();
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains('\n'), "{line}");
    };
    let with = |from: &str, to: &str| TABLE.replace(from, to);
    check("{}", "is not a table of costs");
    check("[stack]\n", "is not a table of costs");
    check(
        &with("coldness = 0.0", "warmth = 0.0"),
        "line 23: unknown field `warmth`",
    );
    check(&with("\"async\"", "\"sync\""), "on the side `async`");
    check(
        &with("200.0", "0.0"),
        "stack `Flask, gunicorn sync`: `request_us` cannot be 0",
    );
    check(
        &with("deviation = 0.3", "deviation = nan"),
        "stack `Starlette, uvicorn`: `deviation` cannot be NaN",
    );
    check(
        &with("100.0", "-1.0"),
        "driver `aiohttp`: `call_us` cannot be -1",
    );
}

#[test]
fn costs_follow_the_speed_of_another_machine_in_part() {
    let slower = here("another", "3.13.1", 10_000.0);
    let speed = table().reference.speed(slower);
    assert!((speed.factor - 2_f64.powf(FOLLOWS_SPEED)).abs() < 1e-12);
    assert!((speed.deviation - DOUBT_OF_SPEED * 2_f64.ln()).abs() < 1e-12);
    assert_eq!(speed.basis, Basis::OtherProcessor);
    assert!((speed.times - 2.0).abs() < 1e-12);
    let cost = speed.cost(100.0, 0.04);
    assert!((cost.mean - 0.0001 * speed.factor).abs() < 1e-12);
    assert!((cost.deviation / cost.mean - LEAST_DEVIATION).abs() < 1e-12);
    // Neither nothing of the ratio nor all of it is out of the question.
    let ends = [1.0, 2.0_f64].map(|end| (end / speed.factor).ln().abs());
    assert!(
        ends.iter().all(|end| *end < 1.96 * speed.deviation),
        "{ends:?}"
    );
}

#[test]
fn another_processor_as_fast_is_another_one_all_the_same() {
    let deviation = |here: Here<'_>| table().reference.speed(here).deviation;
    let same = deviation(here("another", "3.13.1", 20_000.0));
    assert!((same - OTHER_PROCESSOR_DEVIATION).abs() < 1e-12);
    let own = deviation(here("a processor", "3.13.1", 16_000.0));
    assert!((own - DOUBT_OF_SPEED * 1.25_f64.ln()).abs() < 1e-12);
}

#[test]
fn what_is_not_known_of_a_machine_makes_costs_less_sure() {
    let unknown = Here {
        burn_rounds_per_ms: None,
        ..here("a processor", "3.13.1", 0.0)
    };
    let speed = table().reference.speed(unknown);
    assert_eq!(
        (speed.factor, speed.deviation, speed.basis),
        (1.0, UNKNOWN_SPEED_DEVIATION, Basis::Unscaled)
    );
}

#[test]
fn costs_of_the_same_machine_are_surer() {
    let check = |here: Here<'_>, measured: f64, expected: (f64, Basis)| {
        let speed = table().reference.speed(here);
        let cost = speed.cost(100.0, measured);
        let found = cost.deviation / cost.mean;
        assert!((found - expected.0).abs() < 1e-9, "{here:?}: {found}");
        assert_eq!(speed.basis, expected.1, "{here:?}");
    };
    let (own, other) = (Basis::Here, Basis::OtherProcessor);
    check(here("a processor", "3.13.9", 19_000.0), 0.04, (0.10, own));
    check(here("a processor", "3.13.1", 19_000.0), 0.15, (0.15, own));
    check(here("another", "3.13.1", 20_000.0), 0.15, (0.20, other));
    check(here("", "3.13.1", 20_000.0), 0.15, (0.20, other));
    let python = (0.20, Basis::OtherPython);
    check(here("a processor", "3.11.7", 20_000.0), 0.15, python);
    let clock = (0.20, Basis::OtherSpeed);
    check(here("a processor", "3.13.1", 16_000.0), 0.15, clock);
}
