//! What the analysis says: findings, their chains and how certain they are.
//!
//! Plain data for whoever shows it; the order of findings is the order of importance.

use serde::{Deserialize, Serialize};

/// How certain a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The call blocks, and the chain was followed step by step.
    Certain,
    /// The call mostly blocks, or an override is taken that may not be the one in use.
    #[default]
    Probable,
    /// The call blocks for large data only, or briefly: advice.
    Possible,
}

impl Certainty {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Probable => "probable",
            Self::Possible => "possible",
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file, as it was given.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Column after the last character, where it is on the same line.
    pub end_column: u32,
}

/// A step of a chain: a body and the call that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The function, with the class that it is a method of.
    pub function: String,
    /// The call.
    pub place: Place,
}

/// A blocking call on the loop's thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// What is called.
    pub call: String,
    /// How certain it is.
    pub certainty: Certainty,
    /// Where the call stands.
    pub place: Place,
    /// From the coroutine to the call, which is the last step.
    pub chain: Vec<Step>,
    /// Why the first function of the chain runs on the loop's thread.
    pub entry: String,
    /// Coroutines and callbacks that reach the call, this one included.
    pub reached_from: usize,
    /// What to call instead.
    pub instead: String,
    /// What stays the same when lines move: for baselines.
    pub fingerprint: String,
}

/// The rule of comments that silence findings and are wrong themselves.
pub(crate) const SUPPRESSION: &str = "suppression";

/// What is told of such a comment that does not say why; of any other, what it says.
pub(crate) const UNEXPLAINED: &str = "# corrente: ignore";

impl Finding {
    /// What is wrong, in a line.
    pub fn headline(&self) -> String {
        match (&*self.rule, &*self.call) {
            (SUPPRESSION, UNEXPLAINED) => format!("`{UNEXPLAINED}` gives no reason"),
            (SUPPRESSION, comment) => format!("`{comment}` names no rule"),
            (_, call) => format!("`{call}` blocks the event loop"),
        }
    }

    /// Whether it is about a comment that gives no reason, not about a call.
    pub(crate) fn is_unexplained(&self) -> bool {
        self.rule == SUPPRESSION && self.call == UNEXPLAINED
    }

    /// Whether it is about a comment that names no rule.
    pub(crate) fn is_of_no_rule(&self) -> bool {
        self.rule == SUPPRESSION && self.call != UNEXPLAINED
    }
}

/// A file that could not be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

/// What came out of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The findings: certain ones first, then by place.
    pub findings: Vec<Finding>,
    /// Those that a comment silences.
    pub suppressed: Vec<Finding>,
    /// Files with faults.
    pub faults: Vec<Fault>,
    /// What was looked at.
    pub extent: Extent,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Files.
    pub files: usize,
    /// Lines.
    pub lines: usize,
    /// Functions.
    pub functions: usize,
    /// Coroutines, async generators and callbacks of the loop.
    pub entries: usize,
    /// Calls.
    pub calls: usize,
    /// Calls of which nothing is known: no function, class or library.
    pub unresolved: usize,
    /// Places that could hold more than is followed: sets of values that are full.
    pub overfull: usize,
    /// Functions that are called in more circumstances than are told apart: the rest are taken as one.
    pub merged: usize,
    /// Collections with more keys than are told apart: the rest are taken as one.
    pub blurred: usize,
    /// Methods that more classes override than are followed.
    pub cut: usize,
}

/// A key of the catalogue as people write it.
pub(crate) fn short(key: &str) -> &str {
    key.strip_prefix("builtins.").unwrap_or(key)
}
