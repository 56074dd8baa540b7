//! What was known before the run, so that a reader can make the model's prediction again.
//!
//! Part of the result document: plain data. Which of it calibrates the model, and how, is in the
//! scenario's file and in the lab.

use serde::{Deserialize, Serialize};

/// What one request cost before the first judged measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownCost {
    /// Contender id.
    pub contender: String,
    /// Case id: one of the judged ones for one user alone, else one of the calibration's.
    pub case: String,
    /// Requests that were in flight.
    pub users: usize,
    /// Seconds for each request: elapsed time over requests.
    pub elapsed_s: f64,
    /// Processor time of the contender's processes for each request, seconds.
    pub cpu_s: f64,
    /// Processor time of the other processors for each request (generator, origin, database), seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_cpu_s: Option<f64>,
    /// How fast the application's processors were meanwhile, in rounds of `burn` a millisecond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_rounds_per_ms: Option<f64>,
}
