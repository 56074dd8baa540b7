//! The result document of a lab run: what `result.json` holds and every report is drawn from.
//!
//! The schema is versioned by [`SCHEMA`]; `docs/RESULT_SCHEMA.md` describes it for readers in other
//! languages. It is language-neutral: everything that a person reads is either a [`Text`] in five
//! languages (it comes from a scenario file) or an enum that the catalogue translates.
//! Durations are seconds as `f64` and say so in their names (`_s`, `_ms`), sizes are bytes.
//! Ratios, never absolute rates, carry the conclusions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod finding;
mod known;
mod tail;

pub use finding::{
    Factor, FactorStep, Finding, FindingPoint, Interval, Measure, Published, UNPINNED, Verdict,
};
pub use known::KnownCost;
pub use tail::Tail;

/// The schema's name and version; it changes when a field is removed or changes its meaning.
pub const SCHEMA: &str = "corrente.lab/1";

/// One text in every language of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the languages' ISO 639-1 codes")]
pub struct Text {
    pub en: String,
    pub it: String,
    pub fr: String,
    pub de: String,
    pub zh: String,
}

/// A whole lab run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabResult {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of Corrente that made the run.
    pub corrente_version: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; absent while the run goes on.
    pub finished_at: Option<String>,
    /// How much was measured.
    pub mode: Mode,
    /// Seed of every random choice of the lab itself (order of runs, latencies, bootstrap).
    pub seed: u64,
    /// Scenarios that were asked for; empty: all.
    #[serde(default)]
    pub asked: Vec<String>,
    /// Rounds of every measurement, where they were asked for.
    #[serde(default)]
    pub repeat: Option<u32>,
    /// Where it ran.
    pub machine: Machine,
    /// Prices that the cost figures were made with.
    pub prices: Prices,
    /// One entry a scenario, in the order of the list.
    pub scenarios: Vec<ScenarioResult>,
}

/// How much of each scenario was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Seconds: shows that every part runs; its figures are no evidence.
    Smoke,
    /// Minutes: fewer counts and repeats.
    Quick,
    /// The published counts.
    Full,
}

/// The machine and the interpreter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Processor model as the kernel names it.
    pub cpu: String,
    /// Logical processors that the lab may use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Kernel name and release.
    pub kernel: String,
    /// Whether the processor reports a hypervisor.
    pub virtualised: bool,
    /// Version of the interpreter that ran the contenders.
    pub python: String,
    /// PostgreSQL's own version string, where it was used.
    pub postgres: Option<String>,
}

/// Prices; the defaults and their sources are in the lab's `prices.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// ISO 4217 code.
    pub currency: String,
    /// Price of one vCPU for one hour.
    pub per_vcpu_hour: f64,
    /// Price of one GiB of memory for one hour.
    pub per_gib_hour: f64,
    /// Price of one million requests, where the platform charges by request.
    pub per_million_requests: f64,
    /// Price of one GiB-second, where the platform charges duration (AWS Lambda).
    pub per_gib_second: f64,
    /// Where and when the prices were read.
    pub source: String,
}

/// What became of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// The claim id: file name of the scenario.
    pub name: String,
    /// The claim in one line.
    pub title: Text,
    /// Address of the original.
    pub source: Vec<String>,
    /// Whether it was measured.
    pub outcome: Outcome,
    /// How this setting differs from the original.
    pub differences: Vec<Text>,
    /// Where the published figures contradict each other, or the reader must know something.
    pub remarks: Vec<Text>,
    /// Contenders in the scenario's order; variants of a tuning sweep that lost are in `sweeps`.
    pub contenders: Vec<Contender>,
    /// Load levels or parameter points.
    pub cases: Vec<Case>,
    /// One entry per contender and case.
    pub measurements: Vec<Measurement>,
    /// What the model was told before the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<KnownCost>,
    /// How fast this machine is at the lab's Python work: rounds of `burn` a millisecond
    /// (lab/apps/workload.py); the median of the looks at what the model was told, and in older results
    /// what an application of the scenario measured once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_rounds_per_ms: Option<f64>,
    /// What the tuning of each sync side tried.
    pub sweeps: Vec<Sweep>,
    /// The claims and their verdicts.
    pub findings: Vec<Finding>,
    /// Ratios of P99 that the model predicted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tails: Vec<Tail>,
    /// Share of each factor in a gain in which several things changed at once.
    pub factors: Vec<FactorStep>,
    /// Wall time that the scenario took, seconds.
    pub elapsed_s: f64,
    /// Which processors carried the application, and which everything else. Empty: not pinned.
    pub placement: Placement,
    /// Versions of the packages and programs that took part.
    pub versions: BTreeMap<String, String>,
}

/// Whether a scenario was measured, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Outcome {
    /// Figures are there.
    Measured,
    /// Not run: a part is missing on this machine (`reason` names it).
    NotMeasured {
        /// One line in English naming the part at fault; technical, not translated.
        reason: String,
    },
    /// Broke while running.
    Failed {
        /// One line in English naming the part at fault; technical, not translated.
        reason: String,
    },
}

/// Processors by role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Processors of the application under test.
    pub application: Vec<usize>,
    /// Processors of generator, origin and database.
    pub others: Vec<usize>,
}

/// One stack under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contender {
    /// Identifier within the scenario; a tuned variant is `ID:tuned`.
    pub id: String,
    /// Which side of the comparison it is on.
    pub side: Side,
    /// What it is made of.
    pub stack: Stack,
    /// Worker counts and the like, as started.
    pub settings: BTreeMap<String, String>,
    /// Why it could not be measured (one technical line), where that is so.
    pub missing: Option<String>,
}

/// Side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Processes or threads, one request each.
    Sync,
    /// An event loop.
    Async,
    /// A mark to measure against: a bare server, a step of a factor chain, another language.
    Reference,
}

/// The four things that a migration tends to change at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Application server, e.g. `gunicorn sync`.
    #[serde(default)]
    pub server: String,
    /// Web framework.
    #[serde(default)]
    pub framework: String,
    /// Database driver and HTTP client.
    #[serde(default)]
    pub driver: String,
    /// Concurrency model, e.g. `processes`, `threads`, `asyncio`, `uvloop`.
    #[serde(default)]
    pub concurrency: String,
}

/// A load level or a parameter point of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Identifier within the scenario.
    pub id: String,
    /// Users in the closed loop, tasks or threads of a program; absent where meaningless.
    pub users: Option<u64>,
    /// The point in the scenario's parameter space, e.g. `calls = 3`, `latency_ms = 10`.
    pub parameters: BTreeMap<String, f64>,
}

/// What one contender did in one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Contender id.
    pub contender: String,
    /// Case id.
    pub case: String,
    /// Completed operations (requests, downloads, tasks) a second, median of the rounds.
    pub throughput_per_s: f64,
    /// The same round by round: what the intervals are made from.
    pub throughput_rounds: Vec<f64>,
    /// Latency in the closed loop, milliseconds; absent for programs that have none.
    pub latency: Option<Latency>,
    /// Latency at an open-loop rate equal for all contenders of the case.
    pub open_loop: Option<OpenLoop>,
    /// Operations completed over all rounds.
    pub operations: u64,
    /// Errors by kind over all rounds (`connect`, `timeout`, `status`, `reset`, `malformed`).
    pub errors: BTreeMap<String, u64>,
    /// CPU-seconds of the whole process tree per 1000 operations.
    pub cpu_s_per_1000: f64,
    /// Peak proportional set size of the whole process tree, bytes.
    pub peak_pss_bytes: u64,
    /// Cost of a million operations at the run's prices, on capacity bought by the hour.
    pub cost_per_million: f64,
    /// Further figures that a program reports of itself (e.g. `start_us`, `switch_us`).
    pub extra: BTreeMap<String, f64>,
    /// CPU-seconds of the origin and the database per 1000 operations.
    pub others_cpu_s_per_1000: f64,
    /// Busy share of the generator's thread, 0 to 1.
    pub generator_busy: f64,
    /// Busy share of the processors that carry generator, origin and database, 0 to 1.
    pub others_busy: f64,
    /// Busy share of the application's processors, 0 to 1.
    pub application_busy: f64,
    /// How fast the application's processors were, round by round, in rounds of `burn` a millisecond: the
    /// mean of a look before and one after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speed_rounds: Vec<f64>,
    /// By which share the faster of these two was above the slower one, in the mean of the rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_moved: Option<f64>,
    /// Why this is not to be taken as a result, where that is so.
    pub invalid: Option<Invalid>,
}

/// Why a measurement is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invalid {
    /// The load generator had no headroom.
    GeneratorSaturated,
    /// The processors of origin and database had no headroom.
    OthersSaturated,
    /// The rounds of one contender differ by more than the stated test allows. Before 0.1.0 a processor whose speed moved
    /// was a reason of its own.
    #[serde(alias = "speed-moved")]
    MachineNoisy,
    /// The hypervisor took more than the stated share of the processors.
    ProcessorStolen,
    /// Other programs of the machine used more than the stated share of the application's processors.
    OtherPrograms,
}

/// Percentiles, milliseconds. A percentile that the sample does not carry is absent: at least ten
/// samples must lie beyond it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Number of samples.
    pub samples: u64,
    /// Mean.
    pub mean_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 90th percentile.
    pub p90_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// Largest sample.
    pub max_ms: f64,
    /// Curve for plots: (quantile in 0..1, milliseconds), rising.
    pub curve: Vec<(f64, f64)>,
    /// Per-round P50, for intervals.
    pub p50_rounds_ms: Vec<f64>,
    /// Per-round P99 (of whatever sample the round has), for intervals.
    pub p99_rounds_ms: Vec<f64>,
}

/// Latency at a fixed rate, counted from the intended send time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// Requests a second that were asked for.
    pub rate_per_s: f64,
    /// Requests a second that were completed.
    pub completed_per_s: f64,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
    /// The latencies.
    pub latency: Latency,
}

/// What a tuning sweep tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Contender that was tuned.
    pub contender: String,
    /// Case that it was tuned on.
    pub case: String,
    /// Each setting tried and the operations a second that it made.
    pub tried: Vec<SweepPoint>,
}

/// One setting of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The setting.
    pub settings: BTreeMap<String, String>,
    /// Operations a second; absent where it failed.
    pub throughput_per_s: Option<f64>,
    /// Whether it won.
    pub best: bool,
}

impl ScenarioResult {
    /// The findings that the verdicts at a glance are about: each claim once.
    pub fn claims(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| !finding.is_unpinned())
    }
}
