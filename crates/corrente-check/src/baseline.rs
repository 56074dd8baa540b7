//! The baseline: findings that are known, so that only new ones fail.
//!
//! A finding is known by its file, function and call, not by its line. What is no longer found is
//! dropped when the baseline is written again: a ratchet.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Report};

const SCHEMA: u32 = 1;

/// A baseline file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Baseline {
    schema: u32,
    known: BTreeSet<String>,
}

/// A baseline file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not the JSON that this program writes.
    #[error("is no baseline: {0}; write it with `--write-baseline`")]
    Format(#[from] serde_json::Error),
    /// It is of another version.
    #[error("is of version {0}, this program knows version {SCHEMA}; write it again")]
    Schema(u32),
}

impl Baseline {
    /// The findings of a report.
    pub fn of(report: &Report) -> Self {
        let known = report
            .findings
            .iter()
            .map(|finding| finding.fingerprint.clone())
            .collect();
        Self {
            schema: SCHEMA,
            known,
        }
    }

    /// Reads a file.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text)?;
        if baseline.schema == SCHEMA {
            Ok(baseline)
        } else {
            Err(BaselineError::Schema(baseline.schema))
        }
    }

    /// The file.
    pub fn write(&self) -> Result<String, BaselineError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Leaves the new findings in a report; gives how many are known.
    pub fn apply(&self, report: &mut Report) -> usize {
        let before = report.findings.len();
        let is_new = |finding: &Finding| !self.known.contains(&finding.fingerprint);
        report.findings.retain(is_new);
        before - report.findings.len()
    }
}
