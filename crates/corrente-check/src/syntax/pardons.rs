//! Comments that silence findings: `# corrente: ignore[rule] reason`.
//!
//! Found by their text alone: the words inside a string literal would count too, which does no
//! harm where no finding is on that line.

use crate::facts::Pardon;

const MARK: &str = "corrente: ignore";

/// All such comments of a source.
pub(super) fn read(source: &str) -> Vec<Pardon> {
    if !source.contains(MARK) {
        return Vec::new();
    }
    (1..)
        .zip(source.lines())
        .filter_map(|(line, text)| {
            let (before, _) = text.split_once(MARK)?;
            let (before, _) = before.rsplit_once('#')?;
            let comment = text[before.len()..].trim_end();
            let (_, rest) = comment.split_once(MARK)?;
            let column = before.chars().count() as u32 + 1;
            let (rules, reason) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            {
                Some((rules, reason)) => (split(rules), reason),
                None => (Vec::new(), rest),
            };
            Some(Pardon {
                line,
                column,
                end_column: column + comment.chars().count() as u32,
                rules,
                reason: reason.trim_matches([' ', ':', '-']).to_owned(),
            })
        })
        .collect()
}

fn split(rules: &str) -> Vec<String> {
    rules
        .split(',')
        .map(|rule| rule.trim().to_owned())
        .filter(|rule| !rule.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_reason_are_read() {
        let found = read("x = 1\ny()  # corrente: ignore[sleep, http] it must wait\n");
        assert_eq!(
            found,
            [Pardon {
                line: 2,
                column: 6,
                end_column: 50,
                rules: vec!["sleep".to_owned(), "http".to_owned()],
                reason: "it must wait".to_owned(),
            }]
        );
    }

    #[test]
    fn without_rules_it_silences_all() {
        let found = read("y()  # corrente: ignore\n");
        assert_eq!(found.first().map(|pardon| pardon.rules.len()), Some(0));
        assert!(read("y()  # corrente is nice\n").is_empty());
    }
}
