//! docs/BENCHMARKS.md: the section of a benchmark that holds its last published run.
//!
//! It stands between two marks that name the benchmark; everything around them is written by hand
//! and stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::options::Outcome;
use crate::failure::Failure;

/// The document that `--write` changes, under the project's folder.
const DOCUMENT: &str = "docs/BENCHMARKS.md";

/// The document, to put the figures of one benchmark into.
#[derive(Debug)]
pub(super) struct Published {
    path: PathBuf,
    bench: &'static str,
}

impl Published {
    /// Reads it where the result is to be written there: a document that cannot be changed is better
    /// known before the measurements than after them.
    pub(super) fn wanted(
        outcome: Outcome,
        root: &Path,
        bench: &'static str,
    ) -> Result<Option<Self>, Failure> {
        match outcome {
            Outcome::Write => Self::read(root, bench).map(Some),
            Outcome::Print => Ok(None),
        }
    }

    /// Reads it and sees that the benchmark has a section.
    fn read(root: &Path, bench: &'static str) -> Result<Self, Failure> {
        let published = Self {
            path: root.join(DOCUMENT),
            bench,
        };
        published.with("")?;
        Ok(published)
    }

    /// The document as it is now: somebody may have written in it while the benchmark ran.
    fn with(&self, result: &str) -> Result<String, Failure> {
        let text = fs::read_to_string(&self.path)
            .map_err(|error| Failure::step(format!("cannot read {DOCUMENT}: {error}")))?;
        with_section(&text, self.bench, result)
            .map_err(|what| Failure::step(format!("{DOCUMENT}: {what}")))
    }

    /// Puts `result` into the section.
    pub(super) fn write(&self, result: &str) -> Result<(), Failure> {
        fs::write(&self.path, self.with(result)?)
            .map_err(|error| Failure::step(format!("cannot write {DOCUMENT}: {error}")))?;
        println!("written to {DOCUMENT}");
        Ok(())
    }
}

/// Where the section of a benchmark begins and ends.
fn marks(bench: &str) -> [String; 2] {
    ["begin", "end"].map(|place| format!("<!-- bench {bench}: {place} -->"))
}

/// `document` with `text` in the section, as a block that keeps its columns. An error says which
/// mark is missing.
fn with_section(document: &str, bench: &str, text: &str) -> Result<String, String> {
    let missing = |mark: &str| format!("the mark `{mark}` is missing");
    let [begin, end] = &marks(bench);
    let (before, rest) = document.split_once(begin).ok_or_else(|| missing(begin))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| missing(end))?;
    let text = text.trim_end();
    Ok(format!(
        "{before}{begin}\n\n```text\n{text}\n```\n\n{end}{after}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_changes_and_again_to_the_same() {
        let [begin, end] = marks("x");
        let document = format!("# A\n\n{begin}\nold\n{end}\n\n# B\n");
        let once = with_section(&document, "x", "new\n").expect("has marks");
        let expected = format!("# A\n\n{begin}\n\n```text\nnew\n```\n\n{end}\n\n# B\n");
        assert_eq!(once, expected);
        assert_eq!(with_section(&once, "x", "new").expect("has marks"), once);
    }

    #[test]
    fn a_missing_mark_is_named() {
        let [begin, end] = marks("x");
        let missing = with_section(&format!("{begin} x"), "x", "new");
        assert_eq!(missing, Err(format!("the mark `{end}` is missing")));
    }

    #[test]
    fn the_project_has_the_sections() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.expect("xtask lies in the project");
        for bench in [
            "load", "gauge", "attach", "loop", "http", "server", "paterson", "model",
        ] {
            Published::read(root, bench).expect("has both marks");
        }
    }
}
