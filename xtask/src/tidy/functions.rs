//! The length of Python functions; clippy's `too_many_lines` does the same for Rust.
//!
//! Python is read by its indentation alone, which is exact enough here: a string that is less
//! indented than its function ends the count early, never late.

use super::exceptions::{LONG_FUNCTIONS, excepts};
use super::{Finding, Tree};

/// Lines of a function, its signature and docstring included.
const FUNCTION_LINES: usize = 70;

/// Functions that are too long, and exceptions that nothing needs.
pub(super) fn lengths(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.ending(".py") {
        for function in functions(text) {
            let subject = format!("{path}::{}", function.name);
            let long = function.lines > FUNCTION_LINES;
            if long && !excepts(LONG_FUNCTIONS, &subject) {
                let Function { name, lines, .. } = function;
                let what = format!("`{name}` has {lines} lines, over {FUNCTION_LINES}");
                found.push(Finding::new(path, function.start, what));
            } else if !long && excepts(LONG_FUNCTIONS, &subject) {
                let what = format!("`{}` needs no exception any more", function.name);
                found.push(Finding::new(path, function.start, what));
            }
        }
    }
    found
}

struct Function<'a> {
    name: &'a str,
    /// Number of the line with `def`.
    start: usize,
    lines: usize,
}

fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter_map(|(index, line)| {
        let code = line.trim_start();
        let code = code.strip_prefix("async ").unwrap_or(code);
        let name = code.strip_prefix("def ")?.split(['(', '[']).next()?;
        Some((index, name))
    });
    starts
        .map(|(index, name)| Function {
            name,
            start: index + 1,
            lines: length(&lines[index..]),
        })
        .collect()
}

/// Lines of the function whose `def` is the first of `lines`, without blank lines after it.
fn length(lines: &[&str]) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = lines.first().map_or(0, |line| indent(line));
    let body = lines.iter().enumerate().skip(1).take_while(|(_, line)| {
        // A signature over several lines closes at the indentation of its `def`.
        line.trim().is_empty() || indent(line) > own || line.trim_start().starts_with(')')
    });
    body.filter(|(_, line)| !line.trim().is_empty())
        .last()
        .map_or(1, |(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        lengths(&Tree::of(&[("a.py", text)]))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_function_may_have_seventy_lines() {
        let body = "    x = 1\n".repeat(69);
        assert!(found(&format!("def f():\n{body}\n\ny = 2\n")).is_empty());
    }

    #[test]
    fn a_longer_one_is_found_whatever_its_signature() {
        let body = "        x = 1\n\n".repeat(35);
        let text = format!("class A:\n    async def f(\n        self,\n    ) -> int:\n{body}");
        assert_eq!(found(&text), ["a.py:2: `f` has 72 lines, over 70"]);
    }
}
