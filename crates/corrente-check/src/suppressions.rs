//! Comments that silence findings and are wrong themselves: they say no reason, or name no rule.
//!
//! A misspelt rule silences nothing, and where nothing is to be silenced yet nobody would notice. So
//! each is a finding at the comment, in every form of the report. Knows the comments and the names of
//! the rules, not what was found.

use crate::catalogue::Catalogue;
use crate::facts::Pardon;
use crate::finding::{Certainty, Finding, Place, SUPPRESSION, UNEXPLAINED};
use crate::telling::{Files, number_fingerprints};

/// Edits that still make one name a misspelling of another: a name has seven letters or so.
const EDITS_MAX: usize = 2;

/// Comments that do not say why, or name what is no rule.
pub(crate) fn wrong(files: Files<'_>, catalogue: &Catalogue) -> Vec<Finding> {
    let mut found: Vec<(Finding, u32)> = Vec::new();
    for ((facts, source), number) in files.facts.iter().zip(files.sources).zip(0..) {
        for pardon in &facts.pardons {
            let here = |told| (finding(&source.path, pardon, told), number);
            let named = pardon.rules.iter();
            let unknown = named.filter(|rule| !catalogue.has_rule(rule));
            found.extend(unknown.map(|rule| here(Told::of_no_rule(rule, catalogue))));
            if pardon.reason.is_empty() {
                found.push(here(Told::unexplained()));
            }
        }
    }
    number_fingerprints(&mut found);
    found.into_iter().map(|(finding, _)| finding).collect()
}

/// What is told of a comment.
struct Told {
    call: String,
    instead: String,
    /// What tells it apart from others in the same file.
    mark: String,
}

impl Told {
    fn unexplained() -> Self {
        Self {
            call: UNEXPLAINED.to_owned(),
            instead: "`# corrente: ignore[rule] why it may block here`".to_owned(),
            mark: SUPPRESSION.to_owned(),
        }
    }

    fn of_no_rule(rule: &str, catalogue: &Catalogue) -> Self {
        let known = catalogue.rule_names();
        let all = known.join(", ");
        Self {
            call: format!("{UNEXPLAINED}[{rule}]"),
            instead: match nearest(rule, &known) {
                Some(meant) => format!("`{meant}`? There are {all}"),
                None => format!("one of {all}"),
            },
            mark: format!("{SUPPRESSION}:{rule}"),
        }
    }
}

fn finding(path: &str, pardon: &Pardon, told: Told) -> Finding {
    Finding {
        rule: SUPPRESSION.to_owned(),
        call: told.call,
        certainty: Certainty::Certain,
        fingerprint: format!("{path}:{}", told.mark),
        place: Place {
            path: path.to_owned(),
            line: pardon.line,
            column: pardon.column,
            end_column: pardon.end_column,
        },
        chain: Vec::new(),
        entry: String::new(),
        reached_from: 1,
        instead: told.instead,
    }
}

/// The name that is probably meant; upper and lower case are not told apart.
fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let written = written.to_lowercase();
    let apart = |name: &&&str| edits(&written, name);
    let near = known.iter().filter(|name| apart(name) <= EDITS_MAX);
    near.min_by_key(apart).copied()
}

/// Letters to put in, leave out or change, to make one of the other (Levenshtein's distance).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, against) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *against);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_rule_has_a_nearest_one() {
        let known = ["file", "future", "http", "sleep"];
        assert_eq!(nearest("slep", &known), Some("sleep"));
        assert_eq!(nearest("HTTPS", &known), Some("http"));
        assert_eq!(nearest("blocking", &known), None);
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("sleep", "sleep"), 0);
    }
}
