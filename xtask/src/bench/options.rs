//! The command line of a benchmark: numbers with bounds and defaults, and whether to publish.
//!
//! Each benchmark has flags of its own; a word that is none of them, or a number beyond its bounds, is
//! refused in one line. What the numbers mean is not known here.

use std::slice::Iter;

use crate::failure::Failure;

/// A flag that takes a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) least: u32,
    pub(super) most: u32,
    pub(super) default: u32,
}

/// What becomes of the result besides being printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    #[default]
    Print,
    Write,
}

/// Whether a benchmark knows a word that is no flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Taken,
    Unknown,
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<const FLAGS: usize> {
    /// In the order of the flags.
    pub(super) numbers: [u32; FLAGS],
    pub(super) outcome: Outcome,
}

/// The arguments of the benchmark `bench`, which has these flags and `--write`.
pub(super) fn parse<const FLAGS: usize>(
    bench: &str,
    flags: [Flag; FLAGS],
    arguments: &[String],
) -> Result<Asked<FLAGS>, Failure> {
    parse_with(bench, flags, arguments, |_, _| Ok(Word::Unknown))
}

/// The same for a benchmark with other words: `other` is given each, and takes what belongs to it from those
/// that follow.
pub(super) fn parse_with<const FLAGS: usize>(
    bench: &str,
    flags: [Flag; FLAGS],
    arguments: &[String],
    mut other: impl FnMut(&str, &mut Iter<'_, String>) -> Result<Word, Failure>,
) -> Result<Asked<FLAGS>, Failure> {
    let mut asked = Asked {
        numbers: flags.map(|flag| flag.default),
        outcome: Outcome::Print,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--write" {
            asked.outcome = Outcome::Write;
            continue;
        }
        let Some(place) = flags.iter().position(|flag| flag.name == word) else {
            match other(word, &mut words)? {
                Word::Taken => continue,
                Word::Unknown => {
                    let what = format!("`bench {bench}` has no argument `{word}`");
                    return Err(usage(bench, what));
                }
            }
        };
        let Flag { least, most, .. } = flags[place];
        let value = words.next().and_then(|value| value.parse().ok());
        asked.numbers[place] = value
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| {
                let what = format!("`{word}` needs a number of {least} to {most}");
                usage(bench, what)
            })?;
    }
    Ok(asked)
}

/// A complaint about the command line of `bench`, with the way to its help.
pub(super) fn usage(bench: &str, what: impl Into<String>) -> Failure {
    Failure::usage(what).hint(format!("see `cargo xtask bench {bench} --help`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [Flag; 2] = [
        Flag {
            name: "--rounds",
            least: 2,
            most: 100,
            default: 7,
        },
        Flag {
            name: "--seconds",
            least: 2,
            most: 60,
            default: 4,
        },
    ];

    fn check(arguments: &str, expected: Result<([u32; 2], Outcome), &str>) {
        let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        let found = parse("load", FLAGS, &words).map_err(|failure| failure.to_string());
        let found = found.map(|asked| (asked.numbers, asked.outcome));
        let hint = "\nhint: see `cargo xtask bench load --help`";
        assert_eq!(found, expected.map_err(|what| format!("{what}{hint}")));
    }

    #[test]
    fn arguments_have_bounds_and_defaults() {
        check("", Ok(([7, 4], Outcome::Print)));
        check(
            "--rounds 2 --write --seconds 3",
            Ok(([2, 3], Outcome::Write)),
        );
        check("--rounds 1", Err("`--rounds` needs a number of 2 to 100"));
        check("--seconds", Err("`--seconds` needs a number of 2 to 60"));
        check("fast", Err("`bench load` has no argument `fast`"));
    }
}
