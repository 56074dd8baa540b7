//! From a result to a table, with costs that are known by hand.

use corrente_model::cost_table::Workers;
use serde_json::{Value, json};

use super::*;

const SCENARIO: &str = r#"
claim = "small"
order = 1
sources = []
title = { en = "", it = "", fr = "", de = "", zh = "" }
contender = []
case = []

[[prediction.calibration]]
id = "plain"
driver = "http"

[[prediction.calibration]]
id = "calls"
driver = "http"
calls = { counts = { http = 8 } }

[[prediction.calibration]]
id = "together"
driver = "http"
calls = { counts = { gathered_http = 10 }, gathered = 1.0 }
"#;

fn scenario() -> Scenario {
    Scenario {
        name: "small".to_owned(),
        ..toml::from_str(SCENARIO).expect("a scenario")
    }
}

fn contender(id: &str, side: &str, [server, framework, driver]: [&str; 3]) -> Value {
    json!({
        "id": id, "side": side, "settings": {"workers": "2"},
        "stack": {"server": server, "framework": framework, "driver": driver},
    })
}

fn known(contender: &str, case: &str, users: u32, cpu_s: f64) -> Value {
    json!({"contender": contender, "case": case, "users": users, "elapsed_s": cpu_s, "cpu_s": cpu_s})
}

fn measurement() -> Value {
    json!({
        "contender": "flask", "case": "judged", "peak_pss_bytes": 10_000,
        "throughput_per_s": 1.0, "throughput_rounds": [], "operations": 1, "errors": {},
        "cpu_s_per_1000": 1.0, "cost_per_million": 1.0, "extra": {},
        "others_cpu_s_per_1000": 0.0, "generator_busy": 0.0, "others_busy": 0.0,
        "application_busy": 0.0,
    })
}

/// Sync: 200 µs a request and 500 µs a call, in threads 300 and 900. Async: 50 and 100, of calls at
/// once 200.
fn result() -> LabResult {
    let mut threads = contender("threads", "sync", ["gunicorn gthread", "Flask", "Requests"]);
    threads["settings"]["threads"] = json!("16");
    let text = json!({"en": "", "it": "", "fr": "", "de": "", "zh": ""});
    let document = json!({
        "schema": corrente_report::result::SCHEMA,
        "corrente_version": "0", "started_at": "2026-01-02T03:04:05Z", "mode": "quick", "seed": 1,
        "machine": {
            "cpu": "a processor", "cores": 2, "memory_bytes": 1, "kernel": "", "virtualised": true,
            "python": "3.13.1",
        },
        "prices": {
            "currency": "USD", "per_vcpu_hour": 0.0, "per_gib_hour": 0.0,
            "per_million_requests": 0.0, "per_gib_second": 0.0, "source": "",
        },
        "scenarios": [{
            "name": "small", "title": text, "source": [], "outcome": {"state": "measured"},
            "differences": [], "remarks": [], "sweeps": [], "findings": [], "factors": [],
            "elapsed_s": 1.0, "placement": {"application": [], "others": []}, "versions": {},
            "burn_rounds_per_ms": 20_000.4,
            "contenders": [
                contender("flask", "sync", ["gunicorn sync", "Flask", "Requests"]),
                contender("starlette", "async", ["uvicorn", "Starlette", "aiohttp"]),
                contender("idle", "sync", ["gunicorn sync", "Bottle", ""]),
                threads,
            ],
            "cases": [{"id": "judged", "users": 16, "parameters": {}}],
            "measurements": [measurement()],
            "known": [
                known("flask", "plain", 1, 0.0002),
                known("flask", "calls", 1, 0.0042),
                known("flask", "calls", 32, 0.9),
                known("starlette", "plain", 32, 0.00005),
                known("starlette", "calls", 32, 0.00085),
                known("starlette", "together", 16, 0.00205),
                known("threads", "plain", 32, 0.0003),
                known("threads", "calls", 32, 0.0075),
                known("flask", "judged", 1, 0.5),
            ],
        }],
    });
    serde_json::from_value(document).expect("a result")
}

#[test]
fn known_costs_come_back() {
    let table = table(&result(), &[scenario()]);
    let stacks: Vec<_> = table
        .stacks
        .iter()
        .map(|one| (one.server.as_str(), one.request_us, one.process_bytes))
        .collect();
    // What was not calibrated is left out.
    let expected = [
        ("gunicorn gthread", 300.0, None),
        ("gunicorn sync", 200.0, Some(5_000)),
        ("uvicorn", 50.0, None),
    ];
    assert_eq!(stacks, expected);
    let drivers: Vec<_> = table
        .drivers
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                [Some(one.call_us), one.threaded_us, one.gathered_us],
            )
        })
        .collect();
    let expected = [
        ("Requests", [Some(500.0), Some(900.0), None]),
        ("aiohttp", [Some(100.0), None, Some(200.0)]),
    ];
    assert_eq!(drivers, expected);
    let threaded = table
        .stacks
        .iter()
        .filter(|one| one.workers == Workers::Threaded);
    assert_eq!(threaded.count(), 1);
    assert_eq!(
        table.reference,
        Reference {
            cpu: "a processor".to_owned(),
            python: "3.13.1".to_owned(),
            date: "2026-01-02".to_owned(),
            scenarios: vec!["small".to_owned()],
            burn_rounds_per_ms: Some(20_000.0),
        }
    );
    assert_eq!(CostTable::from_toml(&table.to_toml()), Ok(table));
}

#[test]
fn scenarios_that_lie_apart_make_a_cost_less_sure() {
    let mut result = result();
    let mut again = result.scenarios[0].clone();
    again.name = "again".to_owned();
    for known in &mut again.known {
        known.cpu_s *= 1.5;
    }
    result.scenarios.push(again);
    let second = Scenario {
        name: "again".to_owned(),
        ..scenario()
    };
    let table = table(&result, &[scenario(), second]);
    let flask = &table.stacks[1];
    // Between 200 and 300; 1.4826 times 50 over 250.
    assert_eq!((flask.request_us, flask.deviation), (250.0, 0.3));
}

#[test]
fn requests_that_do_work_of_their_own_tell_of_drivers_alone() {
    let text = SCENARIO.replace("case = []", "case = []\nprediction.own_work = true");
    let scenario = Scenario {
        name: "small".to_owned(),
        ..toml::from_str(&text).expect("a scenario")
    };
    let table = table(&result(), &[scenario]);
    assert!(table.stacks.is_empty());
    assert_eq!(table.drivers.len(), 2);
}

#[test]
fn a_result_that_determines_nothing_says_so() {
    let line = |result: &LabResult| {
        let error = cost_table(result, &LabFiles::Embedded).expect_err("it has no table");
        error.to_string()
    };
    // The lab that is built in has no scenario of that name.
    assert!(line(&result()).contains("corrente lab run paterson"));
    let mut one_side = result();
    one_side.scenarios[0].name = "grinberg".to_owned();
    one_side.scenarios[0].known = ["calibrate-plain", "calibrate-queries"]
        .map(|case| corrente_report::result::KnownCost {
            contender: "flask".to_owned(),
            case: case.to_owned(),
            users: 1,
            elapsed_s: 0.1,
            cpu_s: 0.001,
            others_cpu_s: None,
            burn_rounds_per_ms: None,
        })
        .to_vec();
    assert!(
        line(&one_side).contains("on the side `async`"),
        "{}",
        line(&one_side)
    );
}
