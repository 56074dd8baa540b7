//! docs/conformance: a result file for each suite and version of Python, and a table of them all.
//!
//! The files are JSON of a versioned form (`SCHEMA`; docs/conformance/README.md says what the fields are); the
//! table is made from the files that are there, so a part that is run again changes its own rows only. Messages of
//! failures are not written: they hold paths of this machine. They are in the logs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::expected::{Entry, Known};
use super::servers;
use super::suites::{Build, Prepared, SUITES};
use super::verdict::{Difference, Kind, Run, Verdict};
use crate::bench::conditions;
use crate::failure::Failure;

/// The folder, under the project's.
pub(super) const FOLDER: &str = "docs/conformance";
/// Version of the result files.
pub(super) const SCHEMA: u32 = 1;
/// What stands above the table.
const HEAD: &str = include_str!("document/head.md");

/// A result file.
#[derive(Debug)]
pub(super) struct Document {
    name: String,
    content: Value,
}

impl Document {
    /// Puts together what is known of a suite's two runs: asyncio's first.
    pub(super) fn new(
        prepared: &Prepared,
        runs: &[Run],
        verdict: &Verdict,
        known: &Known,
    ) -> Result<Self, Failure> {
        let python = runs.first().map_or("", |run| &run.python);
        let mut results = Map::new();
        for (event_loop, run) in ["asyncio", "corrente"].iter().zip(runs) {
            results.insert((*event_loop).to_owned(), counts(run));
        }
        let content = json!({
            "schema": SCHEMA,
            "suite": prepared.name,
            "about": prepared.about,
            "origin": prepared.origin(python),
            "python": python,
            "corrente": env!("CARGO_PKG_VERSION"),
            "conditions": conditions(prepared.build)?,
            "limit_s": runs.first().map(|run| run.limit_s),
            "results": results,
            "groups": groups(runs),
            "expected": differences(&verdict.expected),
            "unexpected": differences(&verdict.unexpected),
            "fails_on_both": differences(&verdict.on_both),
            "fails_on_asyncio_only": differences(&verdict.only_asyncio),
            "passes_only_alone": verdict.only_alone,
            "dropped": known.dropped.iter().map(dropped).collect::<Vec<_>>(),
        });
        let name = format!("{}-{}.json", prepared.name, prepared.version);
        Ok(Self { name, content })
    }

    /// Writes it into the project.
    pub(super) fn write(&self, root: &Path) -> Result<(), Failure> {
        let path = root.join(FOLDER).join(&self.name);
        let mut text = serde_json::to_string_pretty(&self.content)
            .map_err(|error| Failure::step(format!("{}: {error}", self.name)))?;
        text.push('\n');
        fs::create_dir_all(root.join(FOLDER)).map_err(|error| cannot_write(FOLDER, &error))?;
        fs::write(path, text).map_err(|error| cannot_write(&self.name, &error))?;
        println!("    written to {FOLDER}/{}", self.name);
        Ok(())
    }
}

fn conditions(build: Build) -> Result<String, Failure> {
    let where_and_when = conditions::describe()?.replace('\n', "; ");
    Ok(match build {
        Build::Release => where_and_when,
        Build::Debug => format!("{where_and_when}; debug build"),
    })
}

fn cannot_write(what: &str, error: &std::io::Error) -> Failure {
    Failure::step(format!("cannot write {what}: {error}"))
}

fn counts(run: &Run) -> Value {
    let count = |kind: Kind| (kind.name().to_owned(), Value::from(run.count(kind)));
    Value::Object(Kind::ALL.into_iter().map(count).collect())
}

/// For each class or file of tests: how many there are, and how many passed on each loop.
fn groups(runs: &[Run]) -> Value {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        for (test, ended) in &run.tests {
            let row = groups
                .entry(group(test))
                .or_insert_with(|| vec![0; runs.len() + 1]);
            row[0] += usize::from(index == 0);
            row[index + 1] += usize::from(ended.kind == Kind::Passed);
        }
    }
    json!(groups)
}

/// As in tests/conformance/supervise.py.
fn group(test: &str) -> &str {
    let file = test.split_once("::").map(|(file, _)| file);
    file.unwrap_or_else(|| test.rsplit_once('.').map_or(test, |(class, _)| class))
}

fn differences(found: &[Difference]) -> Value {
    let one = |one: &Difference| {
        let mut fields = json!({
            "test": one.test,
            "asyncio": one.asyncio.name(),
            "corrente": one.corrente.name(),
        });
        if let (Some(reason), Some(fields)) = (&one.reason, fields.as_object_mut()) {
            fields.insert("reason".to_owned(), Value::from(reason.as_str()));
        }
        fields
    };
    Value::Array(found.iter().map(one).collect())
}

fn dropped(entry: &Entry) -> Value {
    json!({ "tests": entry.tests, "reason": entry.reason })
}

/// Writes the table of all result files that are there.
pub(super) fn write_table(root: &Path) -> Result<(), Failure> {
    let folder = root.join(FOLDER);
    let entries = fs::read_dir(&folder).map_err(|error| cannot_write(FOLDER, &error))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut results = Vec::new();
    for path in paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let failed = |what: String| Failure::step(format!("{}: {what}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        let result: Value =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        results.push(result);
    }
    let path = folder.join("README.md");
    fs::write(&path, table(results)).map_err(|error| cannot_write("the table", &error))
}

/// The whole page: the head, the table, what is expected and why, and the server's suites.
fn table(results: Vec<Value>) -> String {
    let (of_server, mut results): (Vec<Value>, Vec<Value>) =
        results.into_iter().partition(servers::is_of_server);
    results.sort_by_key(|result| {
        let place = SUITES
            .iter()
            .position(|suite| suite.name == text(result, "/suite"));
        (place, minor(text(result, "/python")))
    });
    let mut page = format!(
        "{HEAD}\n| suite | from | Python | asyncio: passed | skipped | not passed | corrente: passed | skipped \
         | not passed | of these expected |\n|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for result in &results {
        page.push_str(&row(result));
    }
    let lists = [
        (
            "Not passed on Corrente's loop, and why",
            "/expected",
            "/test",
        ),
        ("Not run at all, and why", "/dropped", "/tests"),
    ];
    for (title, list, names) in lists {
        page.push_str(&reasons(&results, title, (list, names)));
    }
    page.push_str(&servers::section(&of_server));
    page
}

fn row(result: &Value) -> String {
    let mut cells = vec![
        text(result, "/suite").to_owned(),
        text(result, "/origin").to_owned(),
        text(result, "/python").to_owned(),
    ];
    for event_loop in ["asyncio", "corrente"] {
        let number = |kind: Kind| {
            let pointer = format!("/results/{event_loop}/{}", kind.name());
            result
                .pointer(&pointer)
                .and_then(Value::as_u64)
                .unwrap_or(0)
        };
        let bad = Kind::ALL[2..].iter().map(|kind| number(*kind)).sum();
        for count in [number(Kind::Passed), number(Kind::Skipped), bad] {
            cells.push(count.to_string());
        }
    }
    let expected = result
        .pointer("/expected")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    cells.push(expected.to_string());
    format!("| {} |\n", cells.join(" | "))
}

/// A list of reasons, each with the tests that it is the reason for.
fn reasons(results: &[Value], title: &str, (list, names): (&str, &str)) -> String {
    let mut by_reason: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for result in results {
        for entry in result
            .pointer(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let tests = by_reason
                .entry((text(result, "/suite"), text(entry, "/reason")))
                .or_default();
            tests.extend(strings(entry.pointer(names)));
        }
    }
    if by_reason.is_empty() {
        return String::new();
    }
    let mut page = format!("\n## {title}\n\n");
    for ((suite, reason), mut tests) in by_reason {
        tests.sort();
        tests.dedup();
        let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
        writeln!(page, "- {suite}: {reason}: {}.", tests.join(", "))
            .expect("writing to a string cannot fail");
    }
    page
}

/// The strings of a value that is one, or a list of them.
fn strings(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(one).collect(),
        Some(other) => one(other).into_iter().collect(),
        None => Vec::new(),
    }
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The second number of a version.
fn minor(version: &str) -> u32 {
    let second = version.split('.').nth(1);
    second.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(suite: &str, python: &str) -> Value {
        let counts = |failed: u32| json!({"passed": 8, "skipped": 1, "failed": failed, "hung": 1});
        json!({
            "suite": suite, "origin": "x-1", "python": python,
            "results": {"asyncio": counts(0), "corrente": counts(2)},
            "expected": [{"test": "a.b", "reason": "r"}],
            "dropped": [{"tests": ["c.*", "d.*"], "reason": "q"}],
        })
    }

    #[test]
    fn the_table_is_in_the_order_of_suites_and_versions() {
        let page = table(vec![
            result("uvloop", "3.9.1"),
            result("cpython", "3.13.0"),
            result("cpython", "3.9.0"),
        ]);
        let rows: Vec<&str> = page.lines().filter(|line| line.contains("x-1")).collect();
        let expected = [
            "| cpython | x-1 | 3.9.0 | 8 | 1 | 1 | 8 | 1 | 3 | 1 |",
            "| cpython | x-1 | 3.13.0 | 8 | 1 | 1 | 8 | 1 | 3 | 1 |",
            "| uvloop | x-1 | 3.9.1 | 8 | 1 | 1 | 8 | 1 | 3 | 1 |",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_reason_is_given_once_with_its_tests() {
        let page = table(vec![
            result("cpython", "3.12.0"),
            result("cpython", "3.13.0"),
        ]);
        assert_eq!(page.matches("- cpython: r: `a.b`.").count(), 1, "{page}");
        assert_eq!(
            page.matches("- cpython: q: `c.*`, `d.*`.").count(),
            1,
            "{page}"
        );
    }

    #[test]
    fn a_group_is_a_class_or_a_file() {
        assert_eq!(group("tests.test_a.B.test_c"), "tests.test_a.B");
        assert_eq!(group("tests/test_a.py::test_c[x.y]"), "tests/test_a.py");
    }
}
