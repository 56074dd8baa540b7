//! Why a chore stopped: what failed, and what to do about it.
//!
//! Every failure is shown as one line, with a second one where there is something to do. The kind
//! decides the exit code; nothing here ends the process.

use std::fmt;
use std::process::ExitCode;

/// A chore's failure.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// A step failed: exit code 1.
    pub(crate) fn step(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: None,
            code: 1,
        }
    }

    /// The chore was called wrongly: exit code 2.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        let hint = Some("`cargo xtask help` lists the chores".to_owned());
        Self {
            what: what.into(),
            hint,
            code: 2,
        }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
