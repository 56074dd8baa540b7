//! From a result to the file, with costs that are known.

use serde_json::json;

use super::*;

const PLAN: &str = r#"
[[prediction.calibration]]
id = "plain"
[[prediction.calibration]]
id = "calls"
calls = { counts = { http = 8 } }
[[prediction.calibration]]
id = "together"
calls = { counts = { gathered_http = 10 }, gathered = 1.0 }
"#;

fn result() -> Value {
    let known = |contender: &str, case: &str, users: u32, cpu: f64| json!({"contender": contender, "case": case, "users": users, "elapsed_s": cpu, "cpu_s": cpu});
    let contender = |id: &str, side: &str, server: &str, framework: &str, driver: &str| {
        json!({"id": id, "side": side, "settings": {"workers": "1"},
               "stack": {"server": server, "framework": framework, "driver": driver}})
    };
    let mut threads = contender("threads", "sync", "gunicorn gthread", "Flask", "Requests");
    threads["settings"] = json!({"workers": "1", "threads": "16"});
    json!({
        "started_at": "2026-01-02T03:04:05Z",
        "machine": {"cpu": "a processor", "python": "3.13.1"},
        "scenarios": [{
            "name": "small",
            "contenders": [
                contender("flask", "sync", "gunicorn sync", "Flask", "Requests"),
                contender("starlette", "async", "uvicorn", "Starlette", "aiohttp"),
                contender("idle", "sync", "gunicorn sync", "Bottle", ""),
                threads,
            ],
            "cases": [{"id": "calls", "users": 16}],
            "measurements": [{"contender": "flask", "case": "calls", "peak_pss_bytes": 5000}],
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
    })
}

fn written() -> String {
    let folder = std::env::temp_dir().join(format!("xtask-calibration-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of our own");
    fs::write(folder.join("small.toml"), PLAN).expect("it can be written");
    let fitted = fitted::contenders(&result(), &folder).expect("the scenario is there");
    fs::remove_dir_all(&folder).ok();
    document(
        &result(),
        &["small"],
        &merged::stacks(&fitted),
        &merged::drivers(&fitted),
    )
}

#[test]
fn known_costs_come_back_and_the_model_reads_them() {
    let text = written();
    let shipped: toml::Table = text.parse().expect("it is TOML");
    let of = |list: &str, name: &str, field: &str| {
        let found = shipped[list]
            .as_array()
            .expect("a list")
            .iter()
            .find(|one| {
                [one.get("framework"), one.get("name")]
                    .into_iter()
                    .flatten()
                    .any(|v| v.as_str() == Some(name))
            });
        found.and_then(|one| one.get(field)?.as_float())
    };
    assert_eq!(of("stack", "Flask", "request_us"), Some(200.0));
    assert_eq!(of("driver", "Requests", "call_us"), Some(500.0));
    assert_eq!(of("stack", "Starlette", "request_us"), Some(50.0));
    assert_eq!(of("driver", "aiohttp", "call_us"), Some(100.0));
    assert_eq!(of("stack", "Bottle", "request_us"), None);
    assert_eq!(of("driver", "aiohttp", "deviation"), Some(0.2));
    assert!(text.contains("process_bytes = 5000"), "{text}");
}

#[test]
fn threads_and_calls_at_once_have_costs_of_their_own() {
    let text = written();
    let threaded = "server = \"gunicorn gthread\"\nframework = \"Flask\"\nside = \"sync\"\n\
                    workers = \"threaded\"\nrequest_us = 300.0";
    assert!(text.contains(threaded), "{text}");
    assert!(text.contains("call_us = 500.0\ndeviation = 0.20\nthreaded_us = 900.0"));
    assert!(text.contains("call_us = 100.0\ndeviation = 0.20\ngathered_us = 200.0"));
}

#[test]
fn the_speed_is_that_of_most_scenarios() {
    let measured = |rounds: f64| json!({"burn_rounds_per_ms": rounds});
    let result = json!({"scenarios": [{}, measured(10.0), measured(30.0), measured(11.0)]});
    assert_eq!(speed(&result), Some(11.0));
}

#[test]
fn a_speed_that_was_not_measured_is_said() {
    assert!(written().contains("# burn_rounds_per_ms: the result does not hold it"));
}
