//! What can go wrong in the lab, in one line each that names the part at fault.
//!
//! [`LabError::fault`] says whose move it is, which the command line turns into an exit code.
//! Messages are English and technical; the report's catalogue does not translate them.

use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::ScenarioError;

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller asked for something that does not exist or cannot be read.
    Input,
    /// A part of this machine does not work.
    Machine,
    /// The run was stopped from outside.
    Interrupted,
}

/// An error of the lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A name that no scenario has.
    #[error("unknown scenario `{name}`; `corrente lab list` shows the {known} there are")]
    UnknownScenario {
        /// The name.
        name: String,
        /// How many there are.
        known: usize,
    },
    /// A scenario file that cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A file that the caller named cannot be used.
    #[error("{}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        message: String,
    },
    /// A file or directory that the lab itself needs.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// A part did not start.
    #[error("{part} did not start: {reason}")]
    Start {
        /// Contender, origin, database.
        part: String,
        /// What it or the system said.
        reason: String,
    },
    /// A part is not on this machine.
    #[error("{reason}")]
    Missing {
        /// `X not found`, and how to have it.
        reason: String,
    },
    /// A server could not be reached.
    #[error("{part} did not answer: {reason}")]
    NoAnswer {
        /// The server.
        part: String,
        /// What the system said.
        reason: String,
    },
    /// A contender gave another answer than its scenario expects.
    #[error("{part} answered wrongly to {request}: {found}")]
    Answer {
        /// The contender.
        part: String,
        /// The request.
        request: String,
        /// What was expected and what came.
        found: String,
    },
    /// The load generator could not run.
    #[error("load generator: {0}")]
    Load(String),
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl LabError {
    /// A file that the lab needs could not be used.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        let error = io::Error::new(error.kind(), error.to_string());
        Self::File {
            path: path.to_owned(),
            error,
        }
    }

    /// A file that the caller named could not be used.
    pub(crate) fn input(path: &Path, message: impl ToString) -> Self {
        Self::Input {
            path: path.to_owned(),
            message: message.to_string(),
        }
    }

    /// Whose move it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownScenario { .. } | Self::Scenario(_) | Self::Input { .. } => Fault::Input,
            Self::Interrupted => Fault::Interrupted,
            _ => Fault::Machine,
        }
    }
}
