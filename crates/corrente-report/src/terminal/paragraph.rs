//! Running text for a terminal: cleaning foreign strings and breaking lines.
//!
//! It knows display columns, no colours and no tables. Invariant: a line is never wider than asked,
//! except where the width is smaller than one character.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::paint::is_mark;

/// Punctuation that must not begin a line in Chinese.
const CLINGING: &str = "，。、；：！？）」』】》”’%％×";

/// Takes out what could steer a terminal: control characters, the marks of [`super::paint`], and
/// the marks that turn the direction of writing.
pub(crate) fn clean(text: &str) -> String {
    let turns =
        |character: char| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .filter(|&character| character == '\n' || !character.is_control())
        .filter(|&character| !is_mark(character) && !turns(character))
        .collect()
}

/// Breaks text into lines; every line but the first begins with `indent`.
pub(super) fn wrap(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for atom in atoms(text) {
        let is_blank = atom.trim().is_empty();
        if line.width() + atom.trim_end().width() > width && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            indent.clone_into(&mut line);
        }
        if is_blank && line.trim().is_empty() {
            continue;
        }
        for piece in pieces(atom, width.saturating_sub(indent.width()).max(1)) {
            if line.width() + piece.trim_end().width() > width && !line.trim().is_empty() {
                lines.push(line.trim_end().to_owned());
                indent.clone_into(&mut line);
            }
            line.push_str(piece);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The stretches of a text that stay together: words, and single characters of Chinese with the
/// punctuation that clings to them.
fn atoms(text: &str) -> Vec<&str> {
    let mut atoms = Vec::new();
    let mut start = 0;
    let mut earlier: Option<char> = None;
    for (index, character) in text.char_indices() {
        let is_wide = |character: char| character.width() == Some(2);
        let may_break = earlier.is_some_and(|earlier| {
            matches!(earlier, ' ' | '\n')
                || ((is_wide(earlier) || is_wide(character)) && !CLINGING.contains(character))
        });
        if may_break && start < index {
            atoms.push(&text[start..index]);
            start = index;
        }
        earlier = Some(character);
    }
    atoms.push(&text[start..]);
    atoms
}

/// Cuts an atom that is wider than a whole line.
fn pieces(atom: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (index, character) in atom.char_indices() {
        let room = character.width().unwrap_or(0);
        if used + room > width && character != ' ' && start < index {
            pieces.push(&atom[start..index]);
            (start, used) = (index, 0);
        }
        used += room;
    }
    pieces.push(&atom[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn breaks_between_words_and_between_chinese_characters() {
        assert_eq!(wrap("one two three", 8, ""), ["one two", "three"]);
        assert_eq!(wrap("one two three", 9, "  "), ["one two", "  three"]);
        assert_eq!(wrap("测量无法判断。", 6, ""), ["测量无", "法判", "断。"]);
        assert_eq!(wrap("", 8, ""), [""]);
    }

    #[test]
    fn takes_out_what_steers_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\u{7}\u{202e}c\u{2061}"), "a[31mbc");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(text in "[a-z 测量，。×]{0,80}", width in 4_usize..40) {
            for line in wrap(&text, width, "  ") {
                prop_assert!(line.width() <= width, "{:?} at {}", line, width);
            }
        }
    }
}
