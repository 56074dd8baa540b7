//! Forecasts without anything of the asynchronous side.
//!
//! What the stacks cost is what is shipped, so the requests compute so much that no calibration of a
//! real machine turns the answers.

use std::time::Duration;

use corrente_model::cost_table::{Here, shipped};

use super::*;
use crate::forecast::Cost;
use crate::scenario::{CasePlan, ContenderPlan, PredictionPlan};

/// The shipped costs, on a machine of which nothing is known.
fn prices() -> Prices<'static> {
    let anywhere = Here {
        processor: "",
        python: "",
        burn_rounds_per_ms: None,
    };
    Prices {
        table: shipped(),
        speed: shipped().reference.speed(anywhere),
    }
}

fn runner(id: &str, text: &str) -> Runner {
    let contender: ContenderPlan = toml::from_str(text).expect("a contender");
    Runner::new(id, &contender).expect("the model knows it")
}

fn flask() -> Runner {
    runner(
        "flask",
        r#"
id = "flask"
side = "sync"
command = []
stack = { server = "gunicorn sync", framework = "Flask", driver = "Requests, Psycopg 3" }
settings = { workers = 4 }
"#,
    )
}

fn starlette() -> Runner {
    runner(
        "starlette",
        r#"
id = "starlette"
side = "async"
command = []
stack = { server = "uvicorn", framework = "Starlette", driver = "aiohttp, Psycopg 3 async" }
"#,
    )
}

fn case(calls: &str) -> CasePlan {
    let text = format!("id = \"judged\"\ndriver = \"http\"\nusers = 64\ncalls = {calls}");
    toml::from_str(&text).expect("a case")
}

/// The gain in a case whose requests compute for 200 ms and take `elapsed_ms` by one user alone.
fn gain(case: &CasePlan, elapsed_ms: u64) -> f64 {
    let mut known = Known::default();
    let cost = Cost {
        users: 1,
        elapsed: Duration::from_millis(elapsed_ms),
        cpu: Duration::from_millis(200),
        others: None,
        speed: None,
    };
    known.learn("flask", "judged", cost);
    let (of, over) = (starlette(), flask());
    let comparison = Comparison {
        plan: &PredictionPlan::default(),
        case,
        of: &of,
        over: &over,
        measured: &over,
        warm: None,
        cores: 1,
        others: 1,
        seed: 1,
    };
    let prediction = known.forecast_shipped(&comparison, prices());
    let prediction = prediction.expect("the synchronous side is known");
    prediction.expect("there are costs").gain.estimate
}

#[test]
fn the_asynchronous_side_need_not_have_run() {
    let found = gain(&case("{ counts = {} }"), 200);
    assert!((found - 1.0).abs() < 0.05, "{found}");
    // Four workers hold a request for 4.2 s, of which a loop needs 0.2.
    let found = gain(&case("{ counts = { http = 2 } }"), 4_200);
    assert!((found / (4.2 / 4.0 / 0.2) - 1.0).abs() < 0.1, "{found}");
}

#[test]
fn what_was_not_measured_is_not_foretold() {
    let (of, over) = (starlette(), flask());
    let comparison = Comparison {
        plan: &PredictionPlan::default(),
        case: &case("{ counts = {} }"),
        of: &of,
        over: &over,
        measured: &over,
        warm: None,
        cores: 1,
        others: 1,
        seed: 1,
    };
    let prediction = Known::default().forecast_shipped(&comparison, prices());
    assert!(prediction.is_none());
}

#[test]
fn each_kind_of_calls_has_the_driver_of_its_kind() {
    let (from, to) = (flask(), starlette());
    let check = |calls: &str, expected: &[(&str, &str, Calling)]| {
        let case = case(calls);
        let found = drivers(&case, [&from, &to], shipped());
        let found = found.iter().map(|one| (one.from, one.to, one.calling));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    };
    let turn = Calling::InTurn;
    check(
        "{ counts = { http = 1, sql = 1 } }",
        &[
            ("Requests", "aiohttp", turn),
            ("Psycopg 3", "Psycopg 3 async", turn),
        ],
    );
    check(
        "{ counts = { gathered_http = 4 }, gathered = 1.0 }",
        &[("Requests", "aiohttp", Calling::Together)],
    );
    // What still blocks has kept its driver.
    check(
        "{ counts = { blocking_http = 1 }, blocking = [\"blocking_http\"] }",
        &[("Requests", "Requests", turn)],
    );
}
