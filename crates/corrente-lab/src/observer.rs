//! What a run tells while it goes on. The lab prints nothing; whoever listens may.
//!
//! One trait, no state: the command line shows it as a progress bar, a test hears nothing.

use std::path::Path;
use std::time::Duration;

use corrente_report::result::ScenarioResult;

/// What the lab is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity<'run> {
    /// Making the virtual environment of the contenders (first run only).
    Installing {
        /// `venv`, the lock, or one package.
        what: &'run str,
    },
    /// Starting database and origin.
    SettingUp {
        /// The scenario.
        scenario: &'run str,
    },
    /// Starting a contender and checking its answers.
    Starting {
        /// The contender.
        contender: &'run str,
    },
    /// Trying a setting.
    Tuning {
        /// The contender with that setting.
        contender: &'run str,
    },
    /// Measuring.
    Measuring {
        /// The contender.
        contender: &'run str,
        /// The case.
        case: &'run str,
    },
}

/// Hears what a run does. Every method may be left out.
pub trait Observer {
    /// The run begins: so many scenarios, expected to take so long together.
    fn begins(&mut self, _scenarios: usize, _expected: Duration) {}
    /// A scenario begins.
    fn scenario(&mut self, _name: &str) {}
    /// What happens now.
    fn activity(&mut self, _activity: Activity<'_>) {}
    /// So much of the expected time is done.
    fn advanced(&mut self, _expected: Duration) {}
    /// Something to know that does not stop the run: one line.
    fn warning(&mut self, _line: &str) {}
    /// A scenario has ended; it was expected to take so long.
    fn finished(&mut self, _scenario: &ScenarioResult, _expected: Duration) {}
    /// The result so far was written.
    fn saved(&mut self, _path: &Path) {}
}
