//! The forms of a report: text for people, JSON, SARIF, annotations of GitHub, statistics; and of a plan.
//!
//! Pure: values in, strings out. JSON and SARIF are read by programs and keep their fields.

mod github;
mod plan;
mod sarif;
mod statistics;
mod text;

pub use github::github;
pub use plan::{plan, plan_json};
pub use sarif::sarif;
pub use statistics::statistics;
pub use text::{Colour, summary, text};

use serde_json::json;

use crate::finding::Report;

/// The version of the JSON document; it grows when a field changes its meaning.
const SCHEMA: u32 = 1;

/// The report as JSON.
pub fn json(report: &Report) -> String {
    let document = json!({
        "schema": SCHEMA,
        "findings": report.findings,
        "suppressed": report.suppressed,
        "faults": report.faults,
        "extent": report.extent,
    });
    format!("{document:#}\n")
}
