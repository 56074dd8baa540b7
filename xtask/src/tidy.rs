//! The tidy rules: what docs/STYLE.md and docs/ARCHITECTURE.md ask for and no linter checks.
//!
//! A rule is a function from a [`Tree`] (the project's files, read once) to findings; it does no
//! I/O, so each is tested on a small tree that breaks it. Exceptions stand in [`exceptions`], each
//! with its reason; one that is not needed any more is a finding too.

use std::fmt;

pub(crate) use tree::Tree;

mod crates;
mod exceptions;
mod files;
mod functions;
mod tree;
mod words;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 where the whole file is meant.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(formatter, "{}: {}", self.path, self.what),
            line => write!(formatter, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// What every rule finds, in the order of the paths.
pub(crate) fn findings(tree: &Tree) -> Vec<Finding> {
    const RULES: &[fn(&Tree) -> Vec<Finding>] = &[
        crates::directions,
        crates::inherited_lints,
        crates::no_unsafe,
        crates::no_lint_escapes,
        files::headers,
        files::lengths,
        files::names,
        files::blobs,
        functions::lengths,
        words::unfinished,
        words::places,
    ];
    let mut found: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_project_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask is in the project");
        let tree = Tree::read(root).expect("the project can be read");
        let found = findings(&tree);
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}
