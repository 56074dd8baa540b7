//! What a reader sees in a terminal: snapshots, widths, colours, hostile strings.
//!
//! Widths and colours are checked over every language and the whole fixture; the snapshots are
//! there to be read.

use unicode_width::UnicodeWidthStr;

use super::{Colour, Terminal};
use crate::fixture::fixture;
use crate::language::Language;

fn whole_report(terminal: &Terminal) -> String {
    let result = fixture();
    let mut text = terminal.summary(&result);
    for scenario in &result.scenarios {
        text.push('\n');
        text.push_str(&terminal.detail(scenario, &result.prices));
    }
    text
}

#[test]
fn summary_in_english() {
    insta::assert_snapshot!(Terminal::new(Language::En, 80, Colour::Plain).summary(&fixture()));
}

#[test]
fn summary_in_chinese() {
    insta::assert_snapshot!(Terminal::new(Language::Zh, 80, Colour::Plain).summary(&fixture()));
}

#[test]
fn details_in_english() {
    insta::assert_snapshot!(whole_report(&Terminal::new(
        Language::En,
        80,
        Colour::Plain
    )));
}

#[test]
fn details_in_chinese() {
    let result = fixture();
    let terminal = Terminal::new(Language::Zh, 80, Colour::Plain);
    insta::assert_snapshot!(terminal.detail(&result.scenarios[0], &result.prices));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for language in Language::ALL {
        for width in [60, 80, 120] {
            let text = whole_report(&Terminal::new(language, width, Colour::Plain));
            for line in text.lines() {
                assert!(line.width() <= width, "{language} at {width}: {line}");
            }
        }
    }
}

#[test]
fn plain_text_holds_no_escape_even_where_the_result_does() {
    let text = whole_report(&Terminal::new(Language::En, 80, Colour::Plain));
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains("<script>"), "markup is plain text here");
}

#[test]
fn colour_adds_nothing_but_escapes() {
    for language in Language::ALL {
        let plain = whole_report(&Terminal::new(language, 80, Colour::Plain));
        let coloured = whole_report(&Terminal::new(language, 80, Colour::Ansi));
        assert_ne!(plain, coloured);
        let mut stripped = coloured;
        for code in ["0", "1", "2", "31", "32", "33"] {
            stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(stripped, plain, "{language}");
    }
}

#[test]
fn entries_stand_beside_their_names() {
    let terminal = Terminal::new(Language::En, 60, Colour::Plain);
    let long = "word ".repeat(20);
    let text = terminal.entries([("a", "short"), ("longer", long.as_str())]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "a       short");
    assert!(lines[1].starts_with("longer  word"));
    assert!(lines[2].starts_with("        word"));
    assert!(lines.iter().all(|line| line.width() <= 60));
}
