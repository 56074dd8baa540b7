//! A report for people: each finding with its line of source and the chain that leads to it.
//!
//! Nothing needs colour to be understood.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use crate::Source;
use crate::finding::{Certainty, Finding, Place, Report, SUPPRESSION};

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// No escape sequences.
    Plain,
    /// ANSI's.
    Ansi,
}

/// Characters of a line of source that are shown; generated code has longer ones.
const EXCERPT_MAX: usize = 120;

/// All findings.
pub fn text(report: &Report, sources: &[Source], colour: Colour) -> String {
    let mut text = String::new();
    let mut excerpts = Excerpts::of(sources);
    for finding in &report.findings {
        one(&mut text, finding, &mut excerpts, colour);
        text.push('\n');
    }
    text
}

fn one(text: &mut String, finding: &Finding, excerpts: &mut Excerpts<'_>, colour: Colour) {
    let Place {
        path, line, column, ..
    } = &finding.place;
    let head = paint(colour, "1", &format!("{path}:{line}:{column}"));
    let tone = if finding.certainty == Certainty::Certain {
        "31"
    } else {
        "33"
    };
    let rule = paint(
        colour,
        tone,
        &format!("{}[{}]", finding.certainty.word(), finding.rule),
    );
    put(
        text,
        format_args!("{head}: {rule} {}\n", finding.headline()),
    );
    if let Some(excerpt) = excerpts.at(&finding.place) {
        let width = finding.place.end_column.saturating_sub(*column).max(1) as usize;
        let room = EXCERPT_MAX.saturating_sub(*column as usize).max(1);
        let marks = "^".repeat(width.min(room));
        let indent = " ".repeat(*column as usize - 1);
        put(
            text,
            format_args!("{line:>6} | {excerpt}\n       | {indent}{marks}\n"),
        );
    }
    chain(text, finding);
    if !finding.instead.is_empty() {
        put(
            text,
            format_args!("         instead: {}\n", finding.instead),
        );
    }
}

fn chain(text: &mut String, finding: &Finding) {
    let Some(first) = finding.chain.first() else {
        return;
    };
    put(
        text,
        format_args!(
            "         on the loop: `{}`, {}",
            first.function, finding.entry
        ),
    );
    let others = finding.reached_from - 1;
    if others > 0 {
        put(text, format_args!(" (and {others} more)"));
    }
    text.push('\n');
    if finding.chain.len() > 1 {
        for (step, next) in finding.chain.iter().zip(&finding.chain[1..]) {
            let Place { path, line, .. } = &step.place;
            put(
                text,
                format_args!("         {path}:{line}: calls `{}`\n", next.function),
            );
        }
    }
}

/// One line about the whole.
pub fn summary(report: &Report) -> String {
    let extent = &report.extent;
    let count = |certainty: Certainty| {
        let all = report.findings.iter();
        all.filter(|finding| finding.certainty == certainty && finding.rule != SUPPRESSION)
            .count()
    };
    let all = || report.findings.iter();
    let unexplained = all().filter(|finding| finding.is_unexplained()).count();
    let of_no_rule = all().filter(|finding| finding.is_of_no_rule()).count();
    let mut line = format!(
        "{} on the loop ({} certain, {} probable, {} possible); {}, {}, {} coroutines and callbacks",
        counted(
            report.findings.len() - unexplained - of_no_rule,
            "blocking call"
        ),
        count(Certainty::Certain),
        count(Certainty::Probable),
        count(Certainty::Possible),
        counted(extent.files, "file"),
        counted(extent.lines, "line"),
        extent.entries,
    );
    if !report.suppressed.is_empty() {
        put(
            &mut line,
            format_args!("; {} suppressed", report.suppressed.len()),
        );
    }
    for (count, what) in [
        (unexplained, "without a reason"),
        (of_no_rule, "of no rule"),
    ] {
        if count > 0 {
            put(
                &mut line,
                format_args!("; {} {what}", counted(count, "suppression")),
            );
        }
    }
    line
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Lines of the sources; a file is cut into lines once, however many findings it has.
struct Excerpts<'a> {
    texts: FxHashMap<&'a str, &'a str>,
    lines: FxHashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Excerpts<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let texts = sources.iter().map(|source| (&*source.path, &*source.text));
        Self {
            texts: texts.collect(),
            lines: FxHashMap::default(),
        }
    }

    fn at(&mut self, place: &Place) -> Option<String> {
        let known = self.texts.get_key_value(&*place.path);
        let (path, text) = known.map(|(path, text)| (*path, *text))?;
        let lines = self
            .lines
            .entry(path)
            .or_insert_with(|| text.lines().collect());
        let line = lines.get(place.line as usize - 1)?;
        // A tab is as wide as the mark below it expects, and nothing moves the terminal's cursor.
        let plain = |one: char| if one.is_control() { ' ' } else { one };
        let shown: String = line.chars().take(EXCERPT_MAX).map(plain).collect();
        Some(shown.trim_end().to_owned())
    }
}

fn paint(colour: Colour, code: &str, text: &str) -> String {
    match colour {
        Colour::Plain => text.to_owned(),
        Colour::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    }
}

pub(super) fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("a string takes whatever is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_does_not_talk_to_the_terminal() {
        let sources = [Source {
            path: "a.py".to_owned(),
            module: None,
            text: "\tf('\u{1b}[2J\u{9b}')\n".to_owned(),
        }];
        let place = Place {
            path: "a.py".to_owned(),
            line: 1,
            column: 2,
            end_column: 5,
        };
        let shown = Excerpts::of(&sources).at(&place);
        assert_eq!(shown.as_deref(), Some(" f(' [2J ')"));
    }
}
