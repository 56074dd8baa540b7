//! Rules about files: the header, the length, the name, and what is not source at all.
//!
//! A header says what the file is, what it must not know and which invariant it keeps; 3 lines are
//! enough for most and 15 for all. Limits come from measuring well-kept projects: docs/STYLE.md.

use super::exceptions::{LONG_FILES, excepts};
use super::{Finding, Tree};

/// Lines of a source file.
const FILE_LINES: usize = 600;
/// Lines of a Rust file's `//!` header: at least, at most. Tests and benches may be brief.
const HEADER_LINES: std::ops::RangeInclusive<usize> = 3..=15;
const BRIEF_HEADER_LINES: std::ops::RangeInclusive<usize> = 1..=15;
/// Bytes of a file that is not text.
const BLOB_BYTES: u64 = 1_000_000;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

/// Source files without a header of the right length.
pub(super) fn headers(tree: &Tree) -> Vec<Finding> {
    let rust = tree.ending(".rs").filter_map(|(path, text)| {
        let lines = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .count();
        let in_source = path.contains("/src/") && !path.ends_with("/tests.rs");
        let wanted = if in_source {
            HEADER_LINES
        } else {
            BRIEF_HEADER_LINES
        };
        (!wanted.contains(&lines)).then(|| {
            let (least, most) = (wanted.start(), wanted.end());
            let what = format!("has a `//!` header of {lines} lines, not of {least} to {most}");
            Finding::new(path, 1, what)
        })
    });
    let python = tree
        .ending(".py")
        .filter(|(_, text)| !text.trim().is_empty() && !opens_with_docstring(text))
        .map(|(path, _)| Finding::new(path, 1, "opens with no docstring"));
    rust.chain(python).collect()
}

fn opens_with_docstring(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.find(|line| !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("\"\"\"") || line.starts_with("r\"\"\""))
}

/// Source files that are too long, and exceptions that nothing needs.
pub(super) fn lengths(tree: &Tree) -> Vec<Finding> {
    let sources = tree.ending(".rs").chain(tree.ending(".py"));
    let long: Vec<(&str, usize)> = sources
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES)
        .collect();
    let stale = LONG_FILES
        .iter()
        .filter(|exception| tree.text(exception.subject).is_some())
        .filter(|exception| !long.iter().any(|(path, _)| *path == exception.subject))
        .map(|exception| Finding::new(exception.subject, 0, "needs no exception any more"));
    let unexcused = long
        .iter()
        .filter(|(path, _)| !excepts(LONG_FILES, path))
        .map(|(path, lines)| {
            Finding::new(path, 0, format!("has {lines} lines, over {FILE_LINES}"))
        });
    unexcused.chain(stale).collect()
}

/// Source files and folders whose name says nothing.
pub(super) fn names(tree: &Tree) -> Vec<Finding> {
    let sources = tree.ending(".rs").chain(tree.ending(".py"));
    sources
        .filter_map(|(path, _)| {
            let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
            let part = stem.split('/').find(|part| EMPTY_NAMES.contains(part))?;
            Some(Finding::new(
                path,
                0,
                format!("`{part}` does not say what is inside"),
            ))
        })
        .collect()
}

/// Large files that are not text.
pub(super) fn blobs(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|(_, file)| file.text.is_none() && file.bytes > BLOB_BYTES)
        .map(|(path, file)| {
            let what = format!(
                "is a binary file of {} bytes, over {BLOB_BYTES}",
                file.bytes
            );
            Finding::new(path, 0, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)], expected: &[&str]) {
        let found: Vec<String> = rule(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_rust_file_has_a_header() {
        check(
            headers,
            &[("crates/a/src/lib.rs", "//! A.\n//!\n//! More.\n")],
            &[],
        );
        check(headers, &[("crates/a/tests/b.rs", "//! B.\n")], &[]);
        check(
            headers,
            &[("crates/a/src/lib.rs", "//! A.\nuse b;\n")],
            &["crates/a/src/lib.rs:1: has a `//!` header of 1 lines, not of 3 to 15"],
        );
        check(
            headers,
            &[("crates/a/src/lib.rs", &"//! A.\n".repeat(16))],
            &["crates/a/src/lib.rs:1: has a `//!` header of 16 lines, not of 3 to 15"],
        );
    }

    #[test]
    fn a_python_file_has_a_docstring() {
        check(
            headers,
            &[("tests/a.py", "#!/usr/bin/env python3\n\n\"\"\"A.\"\"\"\n")],
            &[],
        );
        check(headers, &[("lab/apps/a/__init__.py", "")], &[]);
        check(
            headers,
            &[("tests/a.py", "import os\n")],
            &["tests/a.py:1: opens with no docstring"],
        );
    }

    #[test]
    fn a_file_is_not_too_long() {
        check(lengths, &[("a.rs", &"x\n".repeat(600))], &[]);
        check(
            lengths,
            &[("a.py", &"x\n".repeat(601))],
            &["a.py: has 601 lines, over 600"],
        );
    }

    #[test]
    fn a_name_says_what_is_inside() {
        check(names, &[("crates/a/src/clock.rs", "")], &[]);
        check(
            names,
            &[("crates/a/src/utils/x.rs", ""), ("tests/helpers.py", "")],
            &[
                "crates/a/src/utils/x.rs: `utils` does not say what is inside",
                "tests/helpers.py: `helpers` does not say what is inside",
            ],
        );
    }

    #[test]
    fn a_large_binary_file_is_found() {
        let mut tree = Tree::default();
        tree.insert("docs/small.png", vec![0; 1_000_000]);
        tree.insert("docs/large.png", vec![0; 1_000_001]);
        let found: Vec<String> = blobs(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["docs/large.png: is a binary file of 1000001 bytes, over 1000000"]
        );
    }
}
