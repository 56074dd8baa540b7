//! Colour for terminals, kept out of the way of everything that measures width.
//!
//! Tables are laid out with marks of no width where a colour begins and ends; [`Colour::finish`]
//! turns the marks into escape sequences afterwards. Invariant: no colour runs over a line's end,
//! and a plain report holds neither marks nor escapes.

use crate::result::Verdict;

/// Whether reports are coloured. Meaning never rests on colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Text only.
    Plain,
    /// ANSI escape sequences of the sixteen-colour set, which every theme maps to readable tones.
    Ansi,
}

/// A role that text plays; the terminal's theme decides what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Strong,
    Faint,
    Good,
    Bad,
    Unsure,
}

const RESET: &str = "\u{1b}[0m";

/// Ends a painted stretch: U+2060 WORD JOINER, which takes no room.
const END: char = '\u{2060}';

const PAINTS: [Paint; 5] = [
    Paint::Strong,
    Paint::Faint,
    Paint::Good,
    Paint::Bad,
    Paint::Unsure,
];

impl Paint {
    /// Begins a painted stretch: an invisible character that takes no room.
    const fn mark(self) -> char {
        match self {
            Self::Strong => '\u{2061}',
            Self::Faint => '\u{2062}',
            Self::Good => '\u{2063}',
            Self::Bad => '\u{2064}',
            Self::Unsure => '\u{206a}',
        }
    }

    const fn escape(self) -> &'static str {
        match self {
            Self::Strong => "\u{1b}[1m",
            Self::Faint => "\u{1b}[2m",
            Self::Good => "\u{1b}[32m",
            Self::Bad => "\u{1b}[31m",
            Self::Unsure => "\u{1b}[33m",
        }
    }
}

impl From<Verdict> for Paint {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Confirmed => Self::Good,
            Verdict::Refuted => Self::Bad,
            Verdict::Inconclusive | Verdict::Invalid => Self::Unsure,
            Verdict::NotMeasured => Self::Faint,
        }
    }
}

/// Whether a character is one of the marks; such characters are taken out of foreign text.
pub(super) fn is_mark(character: char) -> bool {
    character == END || PAINTS.iter().any(|paint| paint.mark() == character)
}

impl Colour {
    /// Text in a paint, ready to be shown.
    pub(super) fn apply(self, paint: Paint, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("{}{text}{RESET}", paint.escape()),
        }
    }

    /// Text in a paint, to be laid out first. Each word carries its own marks, so that a cell may
    /// be broken between words without colouring its neighbours.
    pub(super) fn mark(self, paint: Paint, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => {
                let mark = |word: &str| match word {
                    "" => String::new(),
                    word => format!("{}{word}{END}", paint.mark()),
                };
                let line = |line: &str| line.split(' ').map(mark).collect::<Vec<_>>().join(" ");
                text.split('\n').map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// Turns the marks of a laid-out text into escape sequences.
    pub(super) fn finish(self, text: &str) -> String {
        if self == Self::Plain {
            return text.to_owned();
        }
        let mut finished = String::with_capacity(text.len() * 2);
        let mut is_open = false;
        for character in text.chars() {
            let paint = PAINTS.into_iter().find(|paint| paint.mark() == character);
            if let Some(paint) = paint {
                finished.push_str(paint.escape());
                is_open = true;
            } else if character == END || (character == '\n' && is_open) {
                finished.push_str(RESET);
                is_open = false;
            }
            if character != END && paint.is_none() {
                finished.push(character);
            }
        }
        finished
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthChar;

    use super::*;

    #[test]
    fn marks_take_no_room() {
        for paint in PAINTS {
            assert_eq!(paint.mark().width().unwrap_or(0), 0, "{paint:?}");
        }
        assert_eq!(END.width().unwrap_or(0), 0);
    }

    #[test]
    fn no_colour_runs_over_the_end_of_a_line() {
        let broken = format!("{}half\nother half{END}", Paint::Bad.mark());
        assert_eq!(
            Colour::Ansi.finish(&broken),
            "\u{1b}[31mhalf\u{1b}[0m\nother half\u{1b}[0m"
        );
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(
            Colour::Plain.finish(&Colour::Plain.mark(Paint::Good, "✓ yes")),
            "✓ yes"
        );
        let coloured = Colour::Ansi.finish(&Colour::Ansi.mark(Paint::Good, "✓ yes"));
        assert_eq!(coloured, "\u{1b}[32m✓\u{1b}[0m \u{1b}[32myes\u{1b}[0m");
    }
}
