//! Standard output and standard error: lines, width and colour.
//!
//! The one place that asks the terminal what it can do. Colour respects `NO_COLOR`
//! (no-color.org), `TERM=dumb` and whether somebody is looking.

use std::io::{IsTerminal as _, Write as _};

use corrente_report::terminal::Colour;

/// Width where the terminal does not tell.
const WIDTH_DEFAULT: usize = 80;

/// Nothing is laid out wider than this: long lines are hard to read.
const WIDTH_MAX: usize = 140;

/// One line for people. Who read them may have gone, or the disk be full to which they go: no service and no run ends for that, which
/// `eprintln!` would see to by a panic.
pub(crate) fn note(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// One line about something that went wrong.
pub(crate) fn error(line: &str) {
    note(&format!("corrente: {}", harmless(line)));
}

/// A text that steers no terminal: it may hold what a file or a peer said.
fn harmless(text: &str) -> String {
    let steers = |character: char| character.is_control() && character != '\n';
    text.replace(steers, " ")
}

/// Data; a reader that has gone away (`| head`) is no error.
pub(crate) fn data(text: &str) {
    let mut output = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    // Nobody is left to tell when standard output is closed.
    drop(write!(output, "{text}{end}").and_then(|()| output.flush()));
}

/// Columns of standard output.
pub(crate) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let columns = size
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0);
    columns.unwrap_or(WIDTH_DEFAULT).min(WIDTH_MAX)
}

/// Lines of standard output that a text may have, so that nothing scrolls.
pub(crate) fn height() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let rows = size.map(|size| usize::from(size.ws_row));
    rows.filter(|rows| *rows > 1)
        .map_or(usize::MAX, |rows| rows - 1)
}

/// Whether standard output takes colour.
pub(crate) fn colour() -> Colour {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if set("NO_COLOR") || dumb || !std::io::stdout().is_terminal() {
        Colour::Plain
    } else {
        Colour::Ansi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_does_not_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\rc\u{9b}d"), "a [2Jb c d");
        assert_eq!(harmless("one\ntwo"), "one\ntwo");
    }
}
