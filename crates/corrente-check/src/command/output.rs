//! Standard output and standard error.
//!
//! Colour respects `NO_COLOR` (no-color.org), `TERM=dumb` and whether somebody is looking.

use std::io::{IsTerminal as _, Write as _};

use corrente_check::render::Colour;

/// Data; a reader that has gone away (`| head`) is no error.
pub(crate) fn data(text: &str) {
    let mut output = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    // Nobody is left to tell when standard output is closed.
    drop(write!(output, "{text}{end}").and_then(|()| output.flush()));
}

/// A line about the run.
pub(crate) fn message(line: &str) {
    // The same.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
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
