//! Ratios of P99 that were predicted, whether a claim is about them or not.
//!
//! Part of the result document: plain data. The model predicts P99 with every throughput ratio; here
//! is what it said, beside what was then measured.

use serde::{Deserialize, Serialize};

use super::Interval;

/// The ratio of P99 latencies of two contenders in one case, in the closed loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// Contender in the numerator.
    pub of: String,
    /// Contender in the denominator.
    pub over: String,
    /// Case id.
    pub case: String,
    /// `of / over`; absent where a side is missing or invalid, or its sample carries no P99.
    pub measured: Option<Interval>,
    /// What the model predicted before the run, from stacks that were calibrated on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Interval>,
    /// The same from the costs that come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped: Option<Interval>,
}
