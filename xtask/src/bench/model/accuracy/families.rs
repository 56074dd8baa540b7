//! Families of cases: requests that call in the same way, as their scenario's file says.
//!
//! Knows the file's `calls` tables and nothing else of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// The family of each case of a scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct Families(BTreeMap<String, &'static str>);

impl Families {
    /// Reads a scenario's file.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let failed = |error: String| Failure::step(format!("{}: {error}", file.display()));
        let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        Self::parse(&text).map_err(failed)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let scenario: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| error.message().to_owned())?;
        let cases = scenario.get("case").and_then(toml::Value::as_array);
        let named = |case: &toml::Value| {
            let calls = case.get("calls").and_then(toml::Value::as_table);
            Some((case.get("id")?.as_str()?.to_owned(), family(calls)))
        };
        Ok(Self(
            cases.into_iter().flatten().filter_map(named).collect(),
        ))
    }

    /// The family of a case; cases that the file does not have are of one of their own.
    pub(crate) fn of(&self, case: &str) -> &'static str {
        self.0.get(case).copied().unwrap_or("not in the file")
    }
}

/// The first that fits: what limits a request comes before what it calls.
fn family(calls: Option<&toml::Table>) -> &'static str {
    let field = |name: &str| calls.and_then(|calls| calls.get(name));
    let has = |name: &str| {
        field(name).is_some_and(|value| match value {
            toml::Value::Array(names) => !names.is_empty(),
            toml::Value::Table(entries) => !entries.is_empty(),
            value => value.as_float().is_some_and(|share| share > 0.0),
        })
    };
    let kinds = field("counts").and_then(toml::Value::as_table);
    let calls_for = |kind: &str| kinds.is_some_and(|kinds| kinds.contains_key(kind));
    if has("blocking") || has("serialised") {
        "calls that still block the loop"
    } else if has("servers") {
        "a limited service"
    } else if has("gathered") {
        "calls at once"
    } else if calls_for("sql") {
        "queries"
    } else if has("counts") {
        "calls one after another"
    } else {
        "no calls"
    }
}
