//! Findings: what was claimed, what was measured and predicted of it, and the verdict.
//!
//! Part of the result document: plain data, read by other programs. How a verdict comes about is
//! known to the lab alone.

use serde::{Deserialize, Serialize};

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Operations a second.
    Throughput,
    /// Median latency.
    P50,
    /// 99th percentile of latency.
    P99,
    /// Median latency at equal open-loop rates.
    OpenP50,
    /// 99th percentile of latency at equal open-loop rates.
    OpenP99,
    /// Share of operations that failed.
    Errors,
    /// CPU-seconds an operation.
    Cpu,
    /// Peak memory.
    Memory,
    /// Cost an operation.
    Cost,
    /// Share of time that the application's processors idle.
    Idle,
    /// Time an operation or a whole job takes: the inverse of throughput.
    Time,
    /// Memory of one task or thread.
    UnitMemory,
    /// Time to start one task or thread.
    Start,
    /// Time of one switch between tasks or threads.
    Switch,
}

/// A claim, what was measured for it, and the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Identifier within the scenario.
    pub id: String,
    /// What is compared.
    pub measure: Measure,
    /// Contender in the numerator.
    pub of: String,
    /// Contender in the denominator.
    pub over: String,
    /// Whether the sync side of this comparison was tuned.
    pub tuned: bool,
    /// What was published.
    pub published: Published,
    /// The whole claim's verdict: confirmed or refuted only where every case agrees.
    pub verdict: Verdict,
    /// Case by case.
    pub points: Vec<FindingPoint>,
}

/// What a case measured without pinning, and a finding about it, has behind its id.
pub const UNPINNED: &str = ":unpinned";

impl Finding {
    /// Whether it was measured with every process on all processors: once more, beside the placement
    /// that the verdict is about.
    pub fn is_unpinned(&self) -> bool {
        self.id.ends_with(UNPINNED)
    }
}

/// The figure or direction that was published, as a ratio `of / over`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published {
    /// One ratio.
    Ratio(f64),
    /// A range of ratios.
    Range(f64, f64),
    /// No smaller than this.
    AtLeast(f64),
    /// No larger than this.
    AtMost(f64),
    /// Larger, by an amount that was not printed.
    Higher,
    /// Smaller, by an amount that was not printed.
    Lower,
}

/// A measured ratio in one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingPoint {
    /// Case id.
    pub case: String,
    /// `of / over`; absent where a side is missing or invalid.
    pub measured: Option<Interval>,
    /// What `gain = 1 + T_io / T_cpu` says of the throughput ratio, from the sync side at one user
    /// before the run.
    pub naive: Option<f64>,
    /// What the model predicted for the ratio before the run, from stacks that were calibrated on
    /// this machine: throughput and P99 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Interval>,
    /// The same from the costs of stacks that come with the program: nothing of the asynchronous side
    /// was measured for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped: Option<Interval>,
    /// The verdict at this point.
    pub verdict: Verdict,
}

/// An estimate and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What the evidence says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies within the published ratio divided or multiplied by 1.25 (for a
    /// direction: at least 5 % on the claimed side).
    Confirmed,
    /// The whole interval lies outside.
    Refuted,
    /// Anything else.
    Inconclusive,
    /// Saturated or noisy: no result.
    Invalid,
    /// A side could not be had.
    NotMeasured,
}

/// One step from the sync to the async stack in which a single thing changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorStep {
    /// What changed.
    pub factor: Factor,
    /// Contender before.
    pub from: String,
    /// Contender after.
    pub to: String,
    /// Case id.
    pub case: String,
    /// Throughput after over before.
    pub ratio: Option<Interval>,
    /// ln(ratio) / ln(product of all ratios of the chain): shares of a chain add up to 1.
    /// Absent where the product is within 5 % of 1, as shares of nothing mean nothing.
    pub share: Option<f64>,
}

/// The things that a migration changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// Application server.
    Server,
    /// Web framework.
    Framework,
    /// Database driver or HTTP client.
    Driver,
    /// Processes or threads to an event loop.
    Concurrency,
    /// Calls of one request made at once.
    Gather,
    /// The event loop's implementation.
    Loop,
    /// Worker and thread counts.
    Tuning,
}
