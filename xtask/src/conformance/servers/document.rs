//! docs/conformance: a result file for each suite of the server, and its part of the page.
//!
//! The files are JSON of the same versioned form as those of the loop's suites, as far as they have the same fields;
//! what tells them apart is `servers`. Messages of failures are not written: they are in the logs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::verdict::{Kind, Missed, OURS, Run, Verdict};
use super::{SUITES, Suite, failed};
use crate::bench::conditions;
use crate::conformance::document::{FOLDER, SCHEMA, text};
use crate::failure::Failure;

/// What stands above the tables.
const HEAD: &str = include_str!("document/head.md");

/// Whether a result file is one of the server's.
pub(crate) fn is_of_server(result: &Value) -> bool {
    result.get("servers").is_some()
}

/// Writes a suite's result into the project.
pub(super) fn write(
    root: &Path,
    suite: &Suite,
    run: &Run,
    verdict: &Verdict,
) -> Result<(), Failure> {
    let content = json!({
        "schema": SCHEMA,
        "suite": suite.name,
        "about": suite.about,
        "origin": run.origin,
        "python": run.python,
        "corrente": env!("CARGO_PKG_VERSION"),
        "conditions": conditions::describe()?.replace('\n', "; "),
        "versions": run.versions,
        "servers": counts(run),
        "groups": groups(run),
        "expected": verdict.expected.iter().map(missed).collect::<Vec<_>>(),
        "unexpected": verdict.unexpected.iter().map(missed).collect::<Vec<_>>(),
        "not_passed_by_others": others(run),
        "left_out": run.left_out,
    });
    let path = root
        .join(FOLDER)
        .join(format!("server-{}.json", suite.name));
    let json = serde_json::to_string_pretty(&content)
        .map_err(|error| Failure::step(format!("{}: {error}", suite.name)))?;
    fs::write(&path, json + "\n").map_err(|error| failed(&path, &error))?;
    println!("    written to {FOLDER}/server-{}.json", suite.name);
    Ok(())
}

fn counts(run: &Run) -> Value {
    let of_server = |server: &String| {
        let count = |kind: Kind| (kind.name().to_owned(), Value::from(run.count(server, kind)));
        let counts: Map<String, Value> = Kind::ALL.into_iter().map(count).collect();
        (server.clone(), Value::Object(counts))
    };
    Value::Object(run.servers.keys().map(of_server).collect())
}

/// For each group how many tests there are, and how many each server passed.
fn groups(run: &Run) -> Value {
    let mut groups: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (server, tests) in &run.servers {
        for ended in tests.values() {
            let row = groups.entry(&ended.group).or_default();
            if server == OURS {
                *row.entry("all").or_default() += 1;
            }
            *row.entry(server).or_default() += usize::from(ended.kind.is_good());
        }
    }
    json!(groups)
}

fn missed(one: &Missed) -> Value {
    json!({ "test": one.test, "kind": one.kind.name(), "reason": one.reason })
}

/// The names of the tests that another server does not pass.
fn others(run: &Run) -> Value {
    let servers = run.servers.iter().filter(|(server, _)| *server != OURS);
    let bad = servers.map(|(server, tests)| {
        let bad = tests.iter().filter(|(_, ended)| !ended.kind.is_good());
        let names = bad.map(|(test, _)| Value::from(test.as_str()));
        (server.clone(), Value::Array(names.collect()))
    });
    Value::Object(bad.collect())
}

/// The server's part of the page; nothing where there are no results.
pub(crate) fn section(results: &[Value]) -> String {
    if results.is_empty() {
        return String::new();
    }
    let mut page = format!("\n{HEAD}");
    for suite in &SUITES {
        let same = |result: &&Value| text(result, "/suite") == suite.name;
        if let Some(result) = results.iter().find(same) {
            page.push_str(&of_suite(suite, result));
        }
    }
    page
}

fn of_suite(suite: &Suite, result: &Value) -> String {
    let mut page = format!(
        "\n### {}\n\n{}. From {}; Python {}; {}.\n\n",
        suite.name,
        suite.about,
        text(result, "/origin"),
        text(result, "/python"),
        versions(result),
    );
    let servers = keys(result, "/servers");
    page.push_str(&table_row(suite.groups, "all", &servers));
    page.push_str(&"|---".repeat(servers.len() + 2));
    page.push_str("|\n");
    let mut sums = vec![0; servers.len() + 1];
    for group in keys(result, "/groups") {
        let cells: Vec<u64> = std::iter::once("all")
            .chain(servers.iter().map(String::as_str))
            .map(|column| number(result, &["groups", &group, column]))
            .collect();
        for (sum, cell) in sums.iter_mut().zip(&cells) {
            *sum += cell;
        }
        page.push_str(&numbers_row(&group, &cells));
    }
    page.push_str(&numbers_row("**all**", &sums));
    page.push_str(&reasons(result));
    page
}

/// What is not passed and why; what is left out and why.
fn reasons(result: &Value) -> String {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in result["expected"].as_array().into_iter().flatten() {
        let tests = by_reason.entry(text(one, "/reason").to_owned());
        tests.or_default().push(text(one, "/test").to_owned());
    }
    for (test, reason) in result["left_out"].as_object().into_iter().flatten() {
        let reason = format!("left out, {}", reason.as_str().unwrap_or_default());
        by_reason.entry(reason).or_default().push(test.clone());
    }
    let mut page = String::new();
    for (reason, tests) in by_reason {
        let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
        write!(page, "\n- {reason}: {}.", tests.join(", "))
            .expect("writing to a string cannot fail");
    }
    if !page.is_empty() {
        page.push('\n');
    }
    page
}

fn versions(result: &Value) -> String {
    let versions = result["versions"].as_object().into_iter().flatten();
    let told =
        versions.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?")));
    told.collect::<Vec<_>>().join(", ")
}

fn keys(result: &Value, pointer: &str) -> Vec<String> {
    let object = result.pointer(pointer).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect()
}

/// A number some levels down; names may hold what a JSON pointer would have to escape.
fn number(result: &Value, names: &[&str]) -> u64 {
    let found = names.iter().fold(result, |value, name| &value[*name]);
    found.as_u64().unwrap_or(0)
}

fn table_row(first: &str, second: &str, rest: &[String]) -> String {
    format!("| {first} | {second} | {} |\n", rest.join(" | "))
}

fn numbers_row(name: &str, cells: &[u64]) -> String {
    let cells: Vec<String> = cells.iter().map(u64::to_string).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_a_table_of_groups_and_servers() {
        let result = json!({
            "suite": "http1", "origin": "x", "python": "3.13.0", "versions": {"uvicorn": "1"},
            "servers": {"corrente": {}, "uvicorn": {}},
            "groups": {
                "RFC 9112, 3/4": {"all": 3, "corrente": 3, "uvicorn": 1},
                "RFC 9112, 5": {"all": 2, "corrente": 1, "uvicorn": 2},
            },
            "expected": [{"test": "a", "kind": "failed", "reason": "r"}],
            "left_out": {"b": "q"},
        });
        let page = section(&[result]);
        for line in [
            "| section | all | corrente | uvicorn |",
            "| RFC 9112, 3/4 | 3 | 3 | 1 |",
            "| **all** | 5 | 4 | 3 |",
            "- r: `a`.",
            "- left out, q: `b`.",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        assert_eq!(section(&[]), "");
    }
}
