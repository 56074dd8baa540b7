//! The command line of a benchmark of many rows: which of them, how many rounds of what length, on which Python.
//!
//! Rows are named by words that each benchmark understands in its own way; what they measure is not known here. Only
//! whole runs of enough rounds are published.

use std::slice::Iter;
use std::time::Duration;

use super::options::{self, Flag, Outcome, Word};
use crate::failure::Failure;

/// How much one benchmark measures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) bench: &'static str,
    /// Rounds of a whole run, and of a quick one.
    pub(super) rounds: [u32; 2],
    /// The flag of a round's length; its default is that of a whole run.
    pub(super) length: Flag,
    /// What the flag counts in.
    pub(super) unit: Duration,
    /// The length of a quick run's rounds, in the same unit.
    pub(super) quick_length: u32,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Selection<R: 'static> {
    /// In the order of the tables, each once; all of them where none was named.
    pub(super) rows: Vec<&'static R>,
    pub(super) rounds: usize,
    /// Of a run.
    pub(super) length: Duration,
    pub(super) python: Option<String>,
    pub(super) outcome: Outcome,
}

/// A row of a benchmark.
pub(super) trait Named {
    /// By which it can be asked for; no other row of the benchmark has it.
    fn name(&self) -> &'static str;
}

impl Extent {
    fn flags(&self, is_quick: bool) -> [Flag; 2] {
        let rounds = Flag {
            name: "--rounds",
            // One round carries no interval.
            least: 2,
            most: 100,
            default: self.rounds[usize::from(is_quick)],
        };
        let default = if is_quick {
            self.quick_length
        } else {
            self.length.default
        };
        [
            rounds,
            Flag {
                default,
                ..self.length
            },
        ]
    }

    /// Reads the arguments; `named_by` gives the rows that a word means.
    pub(super) fn select<R: Named>(
        &self,
        arguments: &[String],
        all: impl Iterator<Item = &'static R>,
        named_by: impl Fn(&str) -> Vec<&'static R>,
    ) -> Result<Selection<R>, Failure> {
        let bench = self.bench;
        let is_quick = arguments.iter().any(|word| word == "--quick");
        let mut named: Vec<&'static R> = Vec::new();
        let mut python = None;
        let other = |word: &str, rest: &mut Iter<'_, String>| match word {
            "--quick" => Ok(Word::Taken),
            "--python" => {
                let name = rest.next().cloned();
                let missing = || options::usage(bench, "`--python` needs a version or a path");
                python = Some(name.ok_or_else(missing)?);
                Ok(Word::Taken)
            }
            row => {
                let rows = named_by(row);
                let is_row = !rows.is_empty();
                named.extend(rows);
                Ok(if is_row { Word::Taken } else { Word::Unknown })
            }
        };
        let asked = options::parse_with(bench, self.flags(is_quick), arguments, other)?;
        let [rounds, length] = asked.numbers;
        // A median of fewer rounds than a whole run has is not published.
        let is_part = !named.is_empty() || rounds < self.rounds[0];
        if is_part && asked.outcome == Outcome::Write {
            let least = self.rounds[0];
            let what = format!("`--write` publishes all rows, of {least} rounds or more");
            return Err(options::usage(bench, what));
        }
        let is_asked =
            |row: &&'static R| named.is_empty() || named.iter().any(|one| one.name() == row.name());
        Ok(Selection {
            rows: all.filter(is_asked).collect(),
            rounds: rounds as usize,
            length: self.unit * length,
            python,
            outcome: asked.outcome,
        })
    }
}
