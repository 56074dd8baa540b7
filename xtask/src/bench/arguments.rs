//! What several benchmarks take on their command line, and what they say of a wrong one.
//!
//! Numbers have bounds, so that a load ends by itself; a complaint names the benchmark's own help.
//! Which words there are is the benchmark's affair.

use std::ops::RangeInclusive;
use std::slice::Iter;

use super::document::Published;
use crate::failure::Failure;
use crate::step::Project;

/// What becomes of the result besides being printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    #[default]
    Print,
    Write,
}

impl Outcome {
    /// The document, where the result goes into it: one that cannot be changed is better known
    /// before the measurements than after them.
    pub(super) fn document(
        self,
        project: &Project,
        bench: &'static str,
    ) -> Result<Option<Published>, Failure> {
        match self {
            Self::Write => Published::read(&project.root, bench).map(Some),
            Self::Print => Ok(None),
        }
    }
}

/// The words of a benchmark's command line, one after another.
#[derive(Debug)]
pub(super) struct Words<'a> {
    bench: &'static str,
    left: Iter<'a, String>,
}

impl<'a> Words<'a> {
    pub(super) fn new(bench: &'static str, arguments: &'a [String]) -> Self {
        Self {
            bench,
            left: arguments.iter(),
        }
    }

    /// The next word.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        self.left.next().map(String::as_str)
    }

    /// The number that follows `word`.
    pub(super) fn number(
        &mut self,
        word: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<u32, Failure> {
        let value = self.word().and_then(|value| value.parse().ok());
        value.filter(|value| bounds.contains(value)).ok_or_else(|| {
            let (least, most) = bounds.into_inner();
            self.usage(format!("`{word}` needs a number of {least} to {most}"))
        })
    }

    /// The complaint about a word that the benchmark does not know.
    pub(super) fn unknown(&self, word: &str) -> Failure {
        self.usage(format!("`bench {}` has no argument `{word}`", self.bench))
    }

    /// A complaint with the way to the help.
    pub(super) fn usage(&self, what: String) -> Failure {
        Failure::usage(what).hint(format!("see `cargo xtask bench {} --help`", self.bench))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_number_has_bounds_and_the_complaint_names_them() {
        let number = |text: &str| {
            let arguments = words(text);
            let found = Words::new("x", &arguments).number("--rounds", 2..=100);
            found.map_err(|failure| failure.to_string())
        };
        assert_eq!(number("2"), Ok(2));
        assert_eq!(number("100 7"), Ok(100));
        let complaint = "`--rounds` needs a number of 2 to 100\n\
                         hint: see `cargo xtask bench x --help`";
        for wrong in ["1", "101", "many", ""] {
            assert_eq!(number(wrong), Err(complaint.to_owned()), "{wrong}");
        }
    }
}
