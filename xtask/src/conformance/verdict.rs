//! How a suite went on two loops, compared with what is known of it. Pure.
//!
//! Asyncio's own loop on the same machine is the measure: what fails there too says nothing of ours. Of the rest,
//! each test that ours does not pass must be expected, and each expectation must still be needed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::expected::{Known, matches};

/// A suite on one loop, as run.py writes it.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) python: String,
    pub(super) limit_s: f64,
    pub(super) tests: BTreeMap<String, Ended>,
}

/// How one test ended.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ended {
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) detail: String,
    /// It failed in a process together with others.
    #[serde(default)]
    pub(super) only_alone: bool,
}

/// The ways to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Passed,
    Skipped,
    Failed,
    Hung,
    Crashed,
    #[serde(rename = "not run")]
    NotRun,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Passed,
        Self::Skipped,
        Self::Failed,
        Self::Hung,
        Self::Crashed,
        Self::NotRun,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Hung => "hung",
            Self::Crashed => "crashed",
            Self::NotRun => "not run",
        }
    }

    fn is_bad(self) -> bool {
        !matches!(self, Self::Passed | Self::Skipped)
    }
}

impl Run {
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.tests
            .values()
            .filter(|ended| ended.kind == kind)
            .count()
    }
}

/// A test that did not pass on both loops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) test: String,
    pub(super) asyncio: Kind,
    pub(super) corrente: Kind,
    pub(super) detail: String,
    /// Why that is expected.
    pub(super) reason: Option<String>,
}

/// What came of a suite.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Not passed on ours, passed on asyncio's, and nobody has said why.
    pub(super) unexpected: Vec<Difference>,
    pub(super) expected: Vec<Difference>,
    /// Asyncio's loop does not pass it either.
    pub(super) on_both: Vec<Difference>,
    /// Passed on ours alone.
    pub(super) only_asyncio: Vec<Difference>,
    /// Expectations that no test needs.
    pub(super) not_needed: Vec<String>,
    /// Passed on ours alone in its process, but not together with others.
    pub(super) only_alone: Vec<String>,
}

impl Verdict {
    /// Compares two runs.
    pub(super) fn of(asyncio: &Run, corrente: &Run, known: &Known) -> Self {
        let mut verdict = Self::default();
        for (test, ours) in &corrente.tests {
            let theirs = asyncio
                .tests
                .get(test)
                .map_or(Kind::NotRun, |ended| ended.kind);
            verdict.add(Difference {
                test: test.clone(),
                asyncio: theirs,
                corrente: ours.kind,
                detail: ours.detail.clone(),
                reason: known.reason(test).map(str::to_owned),
            });
            if ours.only_alone {
                verdict.only_alone.push(test.clone());
            }
        }
        let failed = || verdict.expected.iter().chain(&verdict.on_both);
        let fails = |name: &&String| failed().any(|one| matches(name, &one.test));
        let names = known.expected.iter().flat_map(|entry| &entry.tests);
        verdict.not_needed = names.filter(|name| !fails(name)).cloned().collect();
        verdict
    }

    fn add(&mut self, found: Difference) {
        let list = match (found.asyncio.is_bad(), found.corrente) {
            (true, ours) if ours.is_bad() => &mut self.on_both,
            (true, _) => &mut self.only_asyncio,
            (false, Kind::Passed) => return,
            // Skipped on both: it asks for something that this machine does not have.
            (false, Kind::Skipped) if found.asyncio == Kind::Skipped => return,
            (false, _) if found.reason.is_some() => &mut self.expected,
            (false, _) => &mut self.unexpected,
        };
        list.push(found);
    }

    /// How many results nobody expected.
    pub(super) fn surprises(&self) -> usize {
        self.unexpected.len() + self.not_needed.len()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.unexpected {
            let (kind, test, detail) = (one.corrente.name(), &one.test, &one.detail);
            writeln!(formatter, "    {kind}: {test}: {detail}")?;
        }
        for name in &self.not_needed {
            writeln!(formatter, "    expected, but it does not fail: {name}")?;
        }
        for test in &self.only_alone {
            writeln!(formatter, "    passed alone, not with others: {test}")?;
        }
        writeln!(
            formatter,
            "    not passed on corrente: {} unexpected, {} expected, {} on asyncio too; on asyncio alone: {}",
            self.unexpected.len(),
            self.expected.len(),
            self.on_both.len(),
            self.only_asyncio.len()
        )
    }
}

#[cfg(test)]
mod tests;
