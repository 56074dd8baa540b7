//! The costs of each contender of each scenario, fitted to its calibration requests.
//!
//! Synchronous contenders were measured by one user alone, so that they slept through every call;
//! asynchronous ones, and those of many threads, under load, so that they hardly slept. That is what
//! the lab's own predictions are made with (crates/corrente-lab, `forecast`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use corrente_model::calibration::{self, Costs, Point};
use serde_json::Value;

use super::text;
use crate::failure::Failure;

/// One contender's costs.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    pub scenario: String,
    pub server: String,
    pub framework: String,
    /// Names of its drivers.
    pub drivers: Vec<String>,
    pub is_async: bool,
    /// Whether its processes have many threads.
    pub is_threaded: bool,
    pub costs: Costs,
    pub memory: Vec<Memory>,
}

/// Memory of a contender in one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    pub bytes: f64,
    pub processes: f64,
    pub threads: f64,
    pub users: f64,
}

/// Number of calls, by kind, of each calibration request.
type Shapes = BTreeMap<String, BTreeMap<String, f64>>;

/// All contenders whose calibration requests determine their costs.
pub(super) fn contenders(result: &Value, folder: &Path) -> Result<Vec<Fitted>, Failure> {
    let mut found = Vec::new();
    for scenario in list(result, "/scenarios") {
        let name = text(scenario, "/name");
        let file = folder.join(format!("{name}.toml"));
        let plan = fs::read_to_string(&file)
            .map_err(|error| Failure::step(format!("{}: {error}", file.display())))?;
        let shapes =
            shapes(&plan).map_err(|error| Failure::step(format!("{}: {error}", file.display())))?;
        for contender in list(scenario, "/contenders") {
            found.extend(fitted(name, scenario, contender, &shapes));
        }
    }
    Ok(found)
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The shapes of the calibration requests that a scenario file names.
pub(super) fn shapes(plan: &str) -> Result<Shapes, String> {
    let plan: toml::Table = plan
        .parse()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    let Some(prediction) = plan.get("prediction") else {
        return Ok(Shapes::new());
    };
    let cases = ["calibration", "waits"]
        .into_iter()
        .filter_map(|name| prediction.get(name)?.as_array());
    let shape = |case: &toml::Value| {
        let counts = case
            .get("calls")
            .and_then(|calls| calls.get("counts")?.as_table());
        let counts = counts.into_iter().flatten();
        let number = |value: &toml::Value| {
            value
                .as_float()
                .or_else(|| value.as_integer().map(|number| number as f64))
        };
        let counts = counts.filter_map(|(kind, count)| Some((kind.clone(), number(count)?)));
        Some((case.get("id")?.as_str()?.to_owned(), counts.collect()))
    };
    Ok(cases.flatten().filter_map(shape).collect())
}

fn fitted(name: &str, scenario: &Value, contender: &Value, shapes: &Shapes) -> Option<Fitted> {
    let id = text(contender, "/id");
    let is_async = text(contender, "/side") == "async";
    let is_threaded = !is_async && setting(contender, "threads").is_some_and(|count| count > 1.0);
    let load = if is_async || is_threaded {
        Load::Full
    } else {
        Load::OneUser
    };
    let points: Vec<Point> = list(scenario, "/known")
        .iter()
        .filter(|known| text(known, "/contender") == id)
        .filter_map(|known| point(known, shapes, load))
        .collect();
    let costs = calibration::fit(&points)?;
    let drivers = text(contender, "/stack/driver").split(", ");
    Some(Fitted {
        scenario: name.to_owned(),
        server: text(contender, "/stack/server").to_owned(),
        framework: text(contender, "/stack/framework").to_owned(),
        drivers: drivers
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        is_async,
        is_threaded,
        costs,
        memory: memory(scenario, contender),
    })
}

/// The load under which a contender tells its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    OneUser,
    Full,
}

/// What one known cost tells, if it is of a calibration request and of the right load.
fn point(known: &Value, shapes: &Shapes, load: Load) -> Option<Point> {
    let number = |pointer: &str| known.pointer(pointer)?.as_f64();
    let calls = shapes.get(text(known, "/case"))?;
    let alone = number("/users")? <= 1.0;
    if alone != (load == Load::OneUser) {
        return None;
    }
    let (elapsed, cpu) = (number("/elapsed_s")?, number("/cpu_s")?);
    let count: f64 = calls.values().sum();
    let sleeps = alone && count > 0.0;
    Some(Point {
        calls: calls.clone(),
        wait: if sleeps {
            (elapsed - cpu).max(0.0) / count
        } else {
            0.0
        },
        work: 0.0,
        cpu,
    })
}

fn memory(scenario: &Value, contender: &Value) -> Vec<Memory> {
    let id = text(contender, "/id");
    let setting = |name| setting(contender, name);
    let users = |case: &str| {
        let found = list(scenario, "/cases")
            .iter()
            .find(|one| text(one, "/id") == case)?;
        found.pointer("/users")?.as_f64()
    };
    let of = |measurement: &Value| {
        Some(Memory {
            bytes: measurement
                .pointer("/peak_pss_bytes")?
                .as_f64()
                .filter(|bytes| *bytes > 0.0)?,
            processes: setting("workers").unwrap_or(1.0).max(1.0),
            threads: setting("threads").unwrap_or(1.0).max(1.0),
            users: users(text(measurement, "/case"))?,
        })
    };
    let own = list(scenario, "/measurements")
        .iter()
        .filter(|one| text(one, "/contender") == id);
    own.filter_map(of).collect()
}

/// A contender's setting, where it is a number.
fn setting(contender: &Value, name: &str) -> Option<f64> {
    let value = contender.pointer("/settings")?.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
