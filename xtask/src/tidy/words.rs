//! Words that must not stand in a tracked file: marks of unfinished work, and names of places that
//! only one machine or one network knows.
//!
//! The words are put together from halves here, so that this file does not find itself.

use super::{Finding, Tree};

/// Marks of unfinished work. An issue is the place for it.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Folders of one machine, and hosts of package registries (name the package, not the host).
const PLACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("deb.debian", ".org"),
];

/// Files that tools write and that name a registry.
const WRITTEN_BY_TOOLS: &[&str] = &["Cargo.lock"];

/// Marks of unfinished work.
pub(super) fn unfinished(tree: &Tree) -> Vec<Finding> {
    find(tree, UNFINISHED, |word| {
        format!("{word}: an issue is the place for unfinished work")
    })
}

/// Places that are not everybody's.
pub(super) fn places(tree: &Tree) -> Vec<Finding> {
    find(tree, PLACES, |word| {
        format!("`{word}` names a place that others do not have")
    })
}

fn find(tree: &Tree, words: &[&str], what: fn(&str) -> String) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree
        .texts()
        .filter(|(path, _)| !WRITTEN_BY_TOOLS.contains(path))
    {
        for (number, line) in (1..).zip(text.lines()) {
            for word in words.iter().filter(|word| holds(line, word)) {
                found.push(Finding::new(path, number, what(word)));
            }
        }
    }
    found
}

/// Whether `line` holds `word` and not as a part of a longer word.
fn holds(line: &str, word: &str) -> bool {
    let part_of_word = |found: Option<char>| found.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        // A path begins a word by itself: `framework/` is none, `{work}/` is none either.
        let begins = if word.starts_with('/') {
            !part_of_word(before) && !matches!(before, Some('.' | '}' | '/'))
        } else {
            !part_of_word(before)
        };
        begins && (word.ends_with('/') || !part_of_word(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Tree) -> Vec<Finding>, text: &str) -> usize {
        rule(&Tree::of(&[("docs/a.md", text)])).len()
    }

    #[test]
    fn marks_of_unfinished_work_are_found() {
        for word in UNFINISHED {
            assert_eq!(found(unfinished, &format!("# {word}: later")), 1, "{word}");
        }
        assert_eq!(found(unfinished, "mkdtemp of XXXXXX, todo, METHODOLOGY"), 0);
    }

    #[test]
    fn places_of_one_machine_are_found() {
        for word in PLACES {
            assert_eq!(found(places, &format!("see {word} there")), 1, "{word}");
        }
        assert_eq!(
            found(
                places,
                concat!("{work}/echo, framework/, PyPI, `..", "/work", "/a`")
            ),
            0
        );
    }

    #[test]
    fn the_lock_file_may_name_its_registry() {
        let text = format!("source = \"{}\"", PLACES[4]);
        assert!(places(&Tree::of(&[("Cargo.lock", &text)])).is_empty());
    }
}
