//! Predictions with the user's own costs, and on a machine whose speed is known.
//!
//! The costs are round figures, so that the gain of each is known by hand.

use corrente_model::cost_table::Here;

use super::*;

/// Costs on a machine of 20,000 rounds a millisecond; the other side takes `request_us` a request.
fn costs(request_us: f64) -> CostTable {
    costs_of(request_us, 100.0)
}

/// The same with calls that take as long on both sides.
fn costs_of(request_us: f64, call_us: f64) -> CostTable {
    let stack = |framework: &str, server: &str, side: &str, request_us: f64| {
        format!(
            "[[stack]]\nserver = {server:?}\nframework = {framework:?}\nside = {side:?}\n\
             request_us = {request_us:?}\ndeviation = 0.05\ncoldness = 0.0\n"
        )
    };
    let driver = |name: &str, side: &str| {
        format!(
            "[[driver]]\nname = {name:?}\nkind = \"http\"\nside = {side:?}\n\
             call_us = {call_us:?}\ndeviation = 0.05\n"
        )
    };
    let reference = "[reference]\ncpu = \"a processor\"\npython = \"3.11.7\"\n\
                     date = \"2026-01-02\"\nscenarios = [\"formula\"]\n\
                     burn_rounds_per_ms = 20000.0\n";
    let text = [
        reference.to_owned(),
        stack("Flask", "gunicorn sync", "sync", 5_000.0),
        stack("Starlette", "uvicorn", "async", request_us),
        driver("Requests", "sync"),
        driver("aiohttp", "async"),
    ];
    CostTable::from_toml(&text.concat()).expect("it is one")
}

/// Workers enough that the cores are what limits: 10 ms of CPU time, half of it the stack's.
fn measured(processor: &str, rounds: Option<f64>) -> Recording {
    measured_as(SHAPE, processor, rounds)
}

fn measured_as(shape: Shape, processor: &str, rounds: Option<f64>) -> Recording {
    let mut recording = recording(4, shape);
    for process in &mut recording.processes {
        process.machine.processor = processor.to_owned();
        process.machine.burn_rounds_per_ms = rounds;
    }
    recording
}

fn with(costs: CostTable) -> Settings {
    Settings {
        costs: Some(costs),
        ..Settings::default()
    }
}

fn gain(recording: &Recording, settings: &Settings) -> Span {
    predicted(recording, settings)
        .gain
        .expect("it is predicted")
}

#[test]
fn what_a_service_tells_of_its_calls_comes_before_what_such_calls_take_elsewhere() {
    let gain_of = |entered, call_ms: u64| {
        let mut recording = measured("a processor", Some(20_000.0));
        let requests = recording.endpoints[0].requests;
        let calls = &mut recording.endpoints[0].calls[0];
        calls.resource.driver = "requests".to_owned();
        (calls.entered, calls.cpu_ns) = (entered, call_ms * MS * requests);
        gain(&recording, &with(costs_of(1_000.0, 2_000.0))).estimate
    };
    // Of 10 ms 5 are the stack's and 2 or 4 the call's; there it is 1 and 2, and what the code does itself.
    // Of 9 ms in a call the half is reading, which stays.
    for (entered, call_ms, expected) in [
        (false, 4, 10.0 / 6.0),
        (true, 2, 10.0 / 6.0),
        (true, 4, 10.0 / 4.0),
        (true, 9, 10.0 / 4.0),
    ] {
        let found = gain_of(entered, call_ms);
        assert!((found / expected - 1.0).abs() < 0.1, "{found}, {expected}");
    }
}

#[test]
fn the_users_costs_take_the_place_of_the_shipped_ones() {
    let recording = measured("a processor", Some(20_000.0));
    // 10 ms become 5 and 1, or 5 and 25.
    for (request_us, expected) in [(1_000.0, 10.0 / 6.0), (25_000.0, 10.0 / 30.0)] {
        let found = gain(&recording, &with(costs(request_us))).estimate;
        assert!((found / expected - 1.0).abs() < 0.1, "{found}, {expected}");
    }
    let elsewhere = Settings {
        to: Some("sanic".to_owned()),
        ..with(costs(1_000.0))
    };
    let error = predict(&recording, &elsewhere).expect_err("Sanic was not measured");
    assert!(
        error.to_string().ends_with("expected one of starlette"),
        "{error}"
    );
}

#[test]
fn costs_of_another_machine_are_scaled_in_part_and_that_is_said() {
    let recording = measured("another", Some(10_000.0));
    let table = costs(1_000.0);
    let speed = table.reference.speed(Here {
        processor: "another",
        python: "3.11.7",
        burn_rounds_per_ms: Some(10_000.0),
    });
    // Of 10 ms 5.1 are the stack's there, and 1.1 the other's.
    let expected = 10.0 / (10.0 - (5.1 - 1.1) * speed.factor);
    let found = gain(&recording, &with(table.clone())).estimate;
    assert!((found / expected - 1.0).abs() < 0.1, "{found}, {expected}");
    let said = Assumption::OtherMachine {
        processor: "a processor".to_owned(),
        doubt: speed.doubt(),
    };
    let report = predicted(&recording, &with(table));
    assert!(
        report.assumptions.contains(&said),
        "{:?}",
        report.assumptions
    );
}

#[test]
fn costs_of_the_same_processor_are_not_said_to_be_another_machines() {
    let said = |python: &str, rounds: f64| {
        let mut recording = measured("a processor", Some(rounds));
        for process in &mut recording.processes {
            python.clone_into(&mut process.python);
        }
        predicted(&recording, &with(costs(1_000.0))).assumptions
    };
    let slower = said("3.11.7", 10_000.0);
    let expected = |one: &Assumption| {
        matches!(one, Assumption::OtherSpeed { processor, times, .. }
            if processor == "a processor" && (*times - 2.0).abs() < 1e-9)
    };
    assert!(slower.iter().any(expected), "{slower:?}");
    let newer = said("3.13.1", 20_000.0);
    let expected = |one: &Assumption| {
        matches!(one, Assumption::OtherPython { processor, python, .. }
            if processor == "a processor" && python == "3.11.7")
    };
    assert!(newer.iter().any(expected), "{newer:?}");
    let another = |one: &Assumption| matches!(one, Assumption::OtherMachine { .. });
    assert!(!slower.iter().chain(&newer).any(another));
}

#[test]
fn costs_that_are_lowered_are_said_to_be() {
    // On a machine half as fast the stack should take 5.1 ms * √2; the requests took 6 ms in all.
    let shape = |cpu_ms| Shape { cpu_ms, ..SHAPE };
    let lowered = |recording: &Recording| {
        let report = predicted(recording, &with(costs(1_000.0)));
        report.assumptions.iter().find_map(|one| match one {
            Assumption::LoweredCosts { share } => Some(*share),
            _ => None,
        })
    };
    let share = lowered(&measured_as(shape(6), "another", Some(10_000.0)));
    let expected = 6.0 / (5.1 * 2_f64.sqrt());
    let found = share.expect("it is said");
    assert!((found - expected).abs() < 0.01, "{found}, {expected}");
    assert_eq!(
        lowered(&measured_as(shape(10), "another", Some(10_000.0))),
        None
    );
}

#[test]
fn the_interval_holds_whatever_part_of_a_speed_costs_follow() {
    for (rounds, ratio) in [(10_000.0, 2.0_f64), (40_000.0, 0.5)] {
        for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
            // 5 ms are the code's, 5.1 the stack's on the table's machine: the rest follows.
            let factor = ratio.powf(part);
            let cpu_ms = (5.0 + 5.1 * factor).round();
            let truth = cpu_ms / (cpu_ms - (5.1 - 1.1) * factor);
            let shape = Shape {
                cpu_ms: cpu_ms as u64,
                ..SHAPE
            };
            let recording = measured_as(shape, "another", Some(rounds));
            let Span { low, high, .. } = gain(&recording, &with(costs(1_000.0)));
            let at = format!("{ratio} to the power of {part}: {truth}, [{low}, {high}]");
            assert!(low < truth && truth < high, "{at}");
        }
    }
}

#[test]
fn an_unknown_speed_is_said_and_widens_the_interval() {
    let settings = with(costs(1_000.0));
    let said = |recording: &Recording| {
        let report = predicted(recording, &settings);
        report.assumptions.contains(&Assumption::UnknownSpeed)
    };
    let [unknown, elsewhere, here] = [
        measured("a processor", None),
        measured("another", Some(20_000.0)),
        measured("a processor", Some(20_000.0)),
    ];
    assert_eq!(
        [&unknown, &elsewhere, &here].map(said),
        [true, false, false]
    );
    let width = |recording: &Recording| {
        let span = gain(recording, &settings);
        span.high / span.low
    };
    let widths = [&unknown, &elsewhere, &here].map(width);
    assert!(
        widths.is_sorted_by(|wide, narrow| wide > narrow),
        "{widths:?}"
    );
}
