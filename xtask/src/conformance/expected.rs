//! tests/conformance/expected.toml: what is known of tests that others wrote, each with its reason.
//!
//! Reads and matches names; does not know how a test ended. A reason that is empty is an error, since the file
//! is there for the reasons.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// The file, under the project's folder.
const FILE: &str = "tests/conformance/expected.toml";

/// The whole file, by suite.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Expected(BTreeMap<String, Known>);

/// What is known of one suite.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// Not run at all.
    #[serde(default)]
    pub(super) dropped: Vec<Entry>,
    /// Fails on our loop.
    #[serde(default)]
    pub(super) expected: Vec<Entry>,
}

/// Tests and a reason.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Names; `*` stands for any letters.
    pub(super) tests: Vec<String>,
    pub(super) reason: String,
    /// The versions of Python that are meant; none for all.
    #[serde(default)]
    python: Vec<String>,
}

impl Expected {
    /// Reads the file.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let failed = |what: String| Failure::step(format!("{FILE}: {what}"));
        let text =
            fs::read_to_string(root.join(FILE)).map_err(|error| failed(error.to_string()))?;
        Self::parse(&text).map_err(failed)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let all: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mut entries = all
            .0
            .values()
            .flat_map(|known| known.dropped.iter().chain(&known.expected));
        let bare = entries.find(|entry| entry.reason.trim().is_empty());
        match bare.map(|entry| entry.tests.join(", ")) {
            Some(tests) => Err(format!("{tests} has no reason")),
            None => Ok(all),
        }
    }

    /// What is known of a suite with a version of Python.
    pub(super) fn of(&self, suite: &str, version: &str) -> Known {
        let mut known = self.0.get(suite).cloned().unwrap_or_default();
        let is_meant = |entry: &Entry| {
            entry.python.is_empty() || entry.python.iter().any(|one| one == version)
        };
        known.dropped.retain(is_meant);
        known.expected.retain(is_meant);
        known
    }
}

impl Known {
    /// Why a test is expected to fail; `None` where it is not.
    pub(super) fn reason(&self, test: &str) -> Option<&str> {
        let mut entries = self.expected.iter();
        let entry = entries.find(|entry| entry.tests.iter().any(|name| matches(name, test)))?;
        Some(&entry.reason)
    }
}

/// Whether `pattern` means `name`; `*` stands for any letters, and nothing else is special.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(left) = name.strip_prefix(begin) else {
        return false;
    };
    let starts = left.char_indices().map(|(at, _)| at).chain([left.len()]);
    let mut tails = starts.map(|at| &left[at..]);
    tails.any(|tail| matches(rest, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        };
        check("a.b", "a.b", true);
        check("a.b", "a.bc", false);
        check("a.*", "a.", true);
        check("*.test_x[pyloop]", "m.C.test_x[pyloop]", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b", "a-b-c", false);
    }

    #[test]
    fn an_entry_may_mean_some_versions() {
        let text = "[[s.expected]]\ntests = [\"a.*\"]\nreason = \"r\"\npython = [\"3.11\"]\n";
        let expected = Expected::parse(text).expect("it is right");
        assert_eq!(expected.of("s", "3.11").reason("a.b"), Some("r"));
        assert_eq!(expected.of("s", "3.12").reason("a.b"), None);
        assert_eq!(expected.of("t", "3.11").reason("a.b"), None);
    }

    #[test]
    fn an_entry_without_a_reason_is_an_error() {
        let text = "[[s.dropped]]\ntests = [\"a\"]\nreason = \" \"\n";
        let error = Expected::parse(text).expect_err("it has none");
        assert_eq!(error, "a has no reason");
    }

    #[test]
    fn the_projects_own_file_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        Expected::read(root.expect("xtask lies in the project")).expect("it is right");
    }
}
