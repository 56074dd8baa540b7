//! How a suite for the server went, and what nobody expected of it. Pure.
//!
//! Each test that ours does not pass must be expected, with a reason, and each expectation must still be needed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::conformance::expected::{Known, matches};

/// The name of ours among the servers.
pub(super) const OURS: &str = "corrente";

/// What a suite's script writes.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) python: String,
    /// Where the suite comes from.
    pub(super) origin: String,
    /// Of servers, and of frameworks where they are what differs.
    pub(super) versions: BTreeMap<String, String>,
    /// For each server how each test ended.
    pub(super) servers: BTreeMap<String, BTreeMap<String, Ended>>,
    /// Tests that make no sense over a socket, and why.
    #[serde(default)]
    pub(super) left_out: BTreeMap<String, String>,
}

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Ended {
    pub(super) group: String,
    pub(super) kind: Kind,
    #[serde(default)]
    detail: String,
}

/// The ways to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Passed,
    /// The suite has no opinion.
    Informational,
    /// Allowed, but not what the suite would have.
    NonStrict,
    Failed,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [
        Self::Passed,
        Self::Informational,
        Self::NonStrict,
        Self::Failed,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Informational => "informational",
            Self::NonStrict => "non-strict",
            Self::Failed => "failed",
        }
    }

    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Informational)
    }
}

/// A test that ours does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) test: String,
    pub(super) kind: Kind,
    pub(super) detail: String,
    /// Why that is expected.
    pub(super) reason: Option<String>,
}

/// What came of a suite.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) unexpected: Vec<Missed>,
    pub(super) expected: Vec<Missed>,
    /// Expectations that no test needs.
    pub(super) not_needed: Vec<String>,
    /// A line for each server.
    counts: Vec<String>,
}

impl Run {
    pub(super) fn count(&self, server: &str, kind: Kind) -> usize {
        let tests = self.servers.get(server).into_iter().flatten();
        tests.filter(|(_, ended)| ended.kind == kind).count()
    }

    fn told(&self, server: &str) -> String {
        let counts = Kind::ALL.map(|kind| format!("{} {}", self.count(server, kind), kind.name()));
        format!("{server}: {}", counts.join(", "))
    }
}

impl Verdict {
    /// Judges what ours did.
    pub(super) fn of(run: &Run, known: &Known) -> Self {
        let mut verdict = Self {
            counts: run.servers.keys().map(|server| run.told(server)).collect(),
            ..Self::default()
        };
        for (test, ended) in run.servers.get(OURS).into_iter().flatten() {
            if ended.kind.is_good() {
                continue;
            }
            let missed = Missed {
                test: test.clone(),
                kind: ended.kind,
                detail: ended.detail.clone(),
                reason: known.reason(test).map(str::to_owned),
            };
            match missed.reason {
                Some(_) => verdict.expected.push(missed),
                None => verdict.unexpected.push(missed),
            }
        }
        let is_needed =
            |name: &&String| verdict.expected.iter().any(|one| matches(name, &one.test));
        let names = known.expected.iter().flat_map(|entry| &entry.tests);
        verdict.not_needed = names.filter(|name| !is_needed(name)).cloned().collect();
        verdict
    }

    /// How many results nobody expected.
    pub(super) fn surprises(&self) -> usize {
        self.unexpected.len() + self.not_needed.len()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.unexpected {
            writeln!(
                formatter,
                "    {}: {}: {}",
                one.kind.name(),
                one.test,
                one.detail
            )?;
        }
        for name in &self.not_needed {
            writeln!(formatter, "    expected, but it does not fail: {name}")?;
        }
        for counts in &self.counts {
            writeln!(formatter, "    {counts}")?;
        }
        let (unexpected, expected) = (self.unexpected.len(), self.expected.len());
        writeln!(
            formatter,
            "    not passed by ours: {unexpected} unexpected, {expected} expected"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::expected::Expected;

    fn run(tests: &[(&str, &str)]) -> Run {
        let tests: serde_json::Map<String, serde_json::Value> = tests
            .iter()
            .map(|(test, kind)| {
                let ended = serde_json::json!({"group": "g", "kind": kind, "detail": "d"});
                ((*test).to_owned(), ended)
            })
            .collect();
        let text = serde_json::json!({
            "python": "3.13.0", "origin": "x-1", "versions": {}, "servers": {OURS: tests},
        });
        serde_json::from_value(text).expect("all is there")
    }

    fn known(tests: &str) -> Known {
        let text = format!("[[s.expected]]\ntests = [{tests}]\nreason = \"r\"\n");
        let expected = Expected::parse(&text).expect("it is right");
        expected.of("s", "3.13")
    }

    #[test]
    fn what_is_not_passed_has_to_be_expected() {
        let run = run(&[
            ("a", "passed"),
            ("b", "informational"),
            ("c", "non-strict"),
            ("d", "failed"),
        ]);
        let verdict = Verdict::of(&run, &known("\"c\""));
        let names = |list: &[Missed]| -> Vec<String> {
            list.iter().map(|missed| missed.test.clone()).collect()
        };
        assert_eq!(names(&verdict.expected), ["c"]);
        assert_eq!(names(&verdict.unexpected), ["d"]);
        assert_eq!(verdict.surprises(), 1);
    }

    #[test]
    fn an_expectation_that_nothing_needs_is_a_surprise() {
        let verdict = Verdict::of(&run(&[("a", "passed")]), &known("\"a\", \"b*\""));
        assert_eq!(verdict.not_needed, ["a", "b*"]);
        assert_eq!(verdict.surprises(), 2);
    }
}
