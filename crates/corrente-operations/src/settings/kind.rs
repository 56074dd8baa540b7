//! What a setting can be: its type with its unit, and how its text is read.
//!
//! One text has one meaning, whether it stands in a file, in the environment or on the command line:
//! they all come through [`Kind::read`]. A complaint says what was expected and what was found; who
//! wrote it is said by the caller, who knows.

use std::fmt;
use std::time::Duration;

use super::shape;
use super::unit;

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is never shown.
    Secret,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `on` or `off`.
    Switch,
    /// A whole number within these bounds.
    Number(Bounds),
    /// A whole number within these bounds, or `off`.
    NumberOrOff(Bounds),
    /// A whole number from 1 on, or `auto`.
    NumberOrAuto,
    /// A duration: `30s`, `1.5s`, `500ms`, `5m`, `2h`, `1d`; without a unit seconds.
    Duration,
    /// A duration, or `off`.
    DurationOrOff,
    /// A size: `64KiB`, `10MB`; without a unit bytes.
    Size,
    /// A size, or `off`.
    SizeOrOff,
    /// Permissions of a file, octal.
    Permissions,
    /// `MODULE:ATTRIBUTE`.
    Target,
    /// A path of a URL, with a leading slash.
    Route,
    /// Addresses to listen on.
    Addresses,
    /// Numbers of open descriptors.
    Descriptors,
    /// Networks: `10.0.0.0/8`, an address, `unix`, `*`.
    Networks,
    /// `PREFIX=MODULE:ATTRIBUTE`.
    Mounts,
    /// `PREFIX=FOLDER`.
    StaticFolders,
    /// Fields of a response, `Name: value`.
    Fields,
    /// Texts of any kind.
    Texts,
}

/// The least and the greatest number that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub least: u64,
    /// The greatest.
    pub most: u64,
}

impl Bounds {
    /// From `least` to `most`, both included.
    pub const fn new(least: u64, most: u64) -> Self {
        Self { least, most }
    }
}

/// What a setting is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Unset,
    /// `off`, of something that can be.
    Off,
    /// `auto`.
    Auto,
    /// A text.
    Text(String),
    /// A text that is never shown.
    Secret(String),
    /// A number.
    Number(u64),
    /// Permissions of a file.
    Permissions(u32),
    /// A duration.
    Duration(Duration),
    /// A number of bytes.
    Bytes(u64),
    /// `on` or `off`.
    Switch(Switch),
    /// Several texts.
    Texts(Vec<String>),
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// `on`.
    On,
    /// `off`.
    Off,
}

/// What was expected instead of what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`")]
pub struct Complaint {
    /// What would have been right.
    pub expected: String,
    /// What stood there.
    pub found: String,
}

impl Complaint {
    pub(super) fn new(expected: impl Into<String>, found: &str) -> Self {
        Self {
            expected: expected.into(),
            // Whatever was written, the complaint stays one line.
            found: found.replace(char::is_control, "\u{FFFD}"),
        }
    }
}

impl Kind {
    /// Whether it may be given several times.
    pub fn is_list(self) -> bool {
        matches!(
            self,
            Self::Addresses
                | Self::Descriptors
                | Self::Networks
                | Self::Mounts
                | Self::StaticFolders
                | Self::Fields
                | Self::Texts
        )
    }

    /// The words of a text that holds all of them, as an environment variable does. Lists are separated by
    /// commas, fields by ends of lines: they may have commas inside.
    pub fn words(self, text: &str) -> Vec<String> {
        if !self.is_list() {
            return vec![text.to_owned()];
        }
        let separator = if self == Self::Fields { '\n' } else { ',' };
        let words = text.split(separator).map(str::trim);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Reads what a source says. A list takes any number of words, everything else one.
    pub fn read(self, words: &[String]) -> Result<Value, Complaint> {
        if self.is_list() {
            for word in words {
                self.check_item(word)?;
            }
            return Ok(Value::Texts(words.to_vec()));
        }
        match words {
            [word] => self.read_one(word),
            several => Err(Complaint::new("one value", &several.join(", "))),
        }
    }

    fn read_one(self, word: &str) -> Result<Value, Complaint> {
        let is_off = word == "off";
        match self {
            Self::Secret => Ok(Value::Secret(word.to_owned())),
            Self::Choice(words) => shape::choice(words, word).map(text),
            Self::Switch => shape::switch(word).map(Value::Switch),
            Self::NumberOrOff(_) | Self::DurationOrOff | Self::SizeOrOff if is_off => {
                Ok(Value::Off)
            }
            Self::Number(bounds) => shape::number(bounds, word, "").map(Value::Number),
            Self::NumberOrOff(bounds) => {
                shape::number(bounds, word, " or `off`").map(Value::Number)
            }
            Self::NumberOrAuto if word == "auto" => Ok(Value::Auto),
            Self::NumberOrAuto => {
                shape::number(Bounds::new(1, 1024), word, " or `auto`").map(Value::Number)
            }
            Self::Duration | Self::DurationOrOff => unit::duration(word).map(Value::Duration),
            Self::Size | Self::SizeOrOff => unit::size(word).map(Value::Bytes),
            Self::Permissions => shape::permissions(word).map(Value::Permissions),
            Self::Target => shape::target(word).map(|()| text(word)),
            Self::Route => shape::route(word).map(|()| text(word)),
            _ => Ok(text(word)),
        }
    }

    fn check_item(self, word: &str) -> Result<(), Complaint> {
        match self {
            Self::Addresses => shape::address(word),
            Self::Descriptors => shape::number(Bounds::new(0, 65_535), word, "").map(drop),
            Self::Networks => shape::network(word),
            Self::Mounts => {
                shape::pair(word, "`PREFIX=MODULE:ATTRIBUTE`").and_then(|(_, to)| shape::target(to))
            }
            Self::StaticFolders => shape::pair(word, "`PREFIX=FOLDER`").map(drop),
            Self::Fields => shape::field(word),
            _ => Ok(()),
        }
    }

    /// The word that stands for the value in a help text.
    pub fn value_name(self) -> &'static str {
        match self {
            Self::Text | Self::Secret | Self::Texts => "TEXT",
            Self::Choice(_) => "WORD",
            Self::Switch => "on|off",
            Self::Number(_) => "N",
            Self::NumberOrOff(_) => "N|off",
            Self::NumberOrAuto => "N|auto",
            Self::Duration => "TIME",
            Self::DurationOrOff => "TIME|off",
            Self::Size => "BYTES",
            Self::SizeOrOff => "BYTES|off",
            Self::Permissions => "OCTAL",
            Self::Target => "MODULE:ATTRIBUTE",
            Self::Route => "/PATH",
            Self::Addresses => "ADDRESS",
            Self::Descriptors => "FD",
            Self::Networks => "NETWORK",
            Self::Mounts => "PREFIX=TARGET",
            Self::StaticFolders => "PREFIX=DIR",
            Self::Fields => "FIELD",
        }
    }
}

fn text(word: impl Into<String>) -> Value {
    Value::Text(word.into())
}

impl fmt::Display for Value {
    /// As one would write it into a file; a secret is covered.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => formatter.write_str("-"),
            Self::Off | Self::Switch(Switch::Off) => formatter.write_str("off"),
            Self::Auto => formatter.write_str("auto"),
            Self::Text(text) => formatter.write_str(text),
            Self::Secret(_) => formatter.write_str("(hidden)"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Permissions(mode) => write!(formatter, "{mode:o}"),
            Self::Duration(duration) => formatter.write_str(&unit::write_duration(*duration)),
            Self::Bytes(bytes) => formatter.write_str(&unit::write_size(*bytes)),
            Self::Switch(Switch::On) => formatter.write_str("on"),
            Self::Texts(texts) if texts.is_empty() => formatter.write_str("-"),
            Self::Texts(texts) => formatter.write_str(&texts.join(", ")),
        }
    }
}
