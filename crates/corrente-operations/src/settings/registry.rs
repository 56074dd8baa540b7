//! The one table of what can be set.
//!
//! A setting's name is its flag (`--idle-timeout`), its key in a file (`idle-timeout`) and, in capitals,
//! its environment variable (`CORRENTE_IDLE_TIMEOUT`): there is nothing else to remember. Help, files,
//! `--show-config` and the guide to moving from other servers are made from this table or checked
//! against it. A default says in its help where its number comes from, unless it is plain.

mod application;
mod limits;
mod logging;
mod processes;
mod sockets;
mod web;

use super::kind::Kind;

/// A part of the table, with a headline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What is served.
    Application,
    /// Where it listens.
    Sockets,
    /// Processes and their lives.
    Processes,
    /// How long anything may take.
    Timeouts,
    /// How much of anything is taken.
    Limits,
    /// HTTP and what stands before the application.
    Http,
    /// WebSocket.
    WebSocket,
    /// TLS.
    Tls,
    /// Logs and measurements.
    Logging,
    /// Development.
    Development,
}

impl Group {
    /// Its headline.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Sockets => "Sockets",
            Self::Processes => "Processes",
            Self::Timeouts => "Timeouts",
            Self::Limits => "Limits",
            Self::Http => "HTTP",
            Self::WebSocket => "WebSocket",
            Self::Tls => "TLS",
            Self::Logging => "Logs and measurements",
            Self::Development => "Development",
        }
    }
}

/// How long a value is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Until the file is read again (SIGHUP): it is the workers', and these are replaced.
    UntilReload,
    /// As long as the server runs.
    ForGood,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name: words in lower case, joined by hyphens.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its default as one would write it; `None` for nothing.
    pub default: Option<&'static str>,
    /// Where it stands.
    pub group: Group,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// A flag of one letter, for the few that are typed every day.
    pub letter: Option<char>,
    /// Whether it can change while the server runs.
    pub lasts: Lasts,
    /// Flags of Gunicorn that do the same.
    pub gunicorn: &'static [&'static str],
    /// Flags of Uvicorn.
    pub uvicorn: &'static [&'static str],
    /// Flags of Granian.
    pub granian: &'static [&'static str],
}

impl Entry {
    const fn new(name: &'static str, kind: Kind, group: Group, help: &'static str) -> Self {
        Self {
            name,
            kind,
            default: None,
            group,
            help,
            letter: None,
            lasts: Lasts::UntilReload,
            gunicorn: &[],
            uvicorn: &[],
            granian: &[],
        }
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn letter(mut self, letter: char) -> Self {
        self.letter = Some(letter);
        self
    }

    const fn for_good(mut self) -> Self {
        self.lasts = Lasts::ForGood;
        self
    }

    const fn gunicorn(mut self, flags: &'static [&'static str]) -> Self {
        self.gunicorn = flags;
        self
    }

    const fn uvicorn(mut self, flags: &'static [&'static str]) -> Self {
        self.uvicorn = flags;
        self
    }

    const fn granian(mut self, flags: &'static [&'static str]) -> Self {
        self.granian = flags;
        self
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("CORRENTE_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// How it is given on the command line.
    pub fn flag(&self) -> String {
        if self.name == TARGET {
            "TARGET".to_owned()
        } else {
            format!("--{}", self.name)
        }
    }
}

/// The application: the only setting that needs no flag.
pub const TARGET: &str = "app";

/// Every setting, in the order in which people read them.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    const PARTS: [&[Entry]; 6] = [
        application::ENTRIES,
        sockets::ENTRIES,
        processes::ENTRIES,
        limits::ENTRIES,
        web::ENTRIES,
        logging::ENTRIES,
    ];
    PARTS.into_iter().flatten()
}

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.name == name)
}

/// The name that was probably meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.replace('_', "-").to_lowercase();
    let close = entries().map(|entry| (distance(&wanted, entry.name), entry.name));
    close
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min()
        .map(|(_, known)| known)
}

/// Letters to insert, leave out or change (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, letter) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, other) in right.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = change.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        for entry in entries() {
            if let Some(default) = entry.default {
                let read = entry.kind.read(&entry.kind.words(default));
                assert!(read.is_ok(), "{}: {read:?}", entry.name);
            }
        }
    }

    #[test]
    fn names_are_words_and_stand_once() {
        let mut seen = BTreeSet::new();
        for entry in entries() {
            let is_plain = entry
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-');
            assert!(is_plain || entry.name == "http2", "{}", entry.name);
            assert!(seen.insert(entry.name), "{} stands twice", entry.name);
        }
        let letters: Vec<char> = entries().filter_map(|entry| entry.letter).collect();
        let distinct: BTreeSet<&char> = letters.iter().collect();
        assert_eq!(letters.len(), distinct.len());
    }

    #[test]
    fn no_variable_is_one_that_corrente_has_already() {
        for taken in ["CORRENTE_LAB", "CORRENTE_TLS", "CORRENTE_GAUGE_FOLDER"] {
            assert!(entries().all(|entry| entry.variable() != taken));
        }
    }

    #[test]
    fn help_is_one_sentence_without_a_full_stop() {
        for entry in entries() {
            let help = entry.help;
            assert!(
                !help.ends_with('.') && help.len() < 200,
                "{}: {help}",
                entry.name
            );
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_guessed() {
        assert_eq!(nearest("idle_timeout"), Some("idle-timeout"));
        assert_eq!(nearest("workes"), Some("workers"));
        assert_eq!(nearest("frobnicate"), None);
    }
}
