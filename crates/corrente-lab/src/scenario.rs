//! A scenario file: what is measured, with which contenders, and how the claim is judged.
//!
//! This module knows the TOML of `lab/scenarios/NAME.toml` (described in lab/README.md) and
//! nothing of how a scenario is run. A [`Scenario`] that it returns is consistent: every contender
//! and case that a finding, a factor or a sweep names exists (see `check`).

use std::collections::BTreeMap;
use std::time::Duration;

use corrente_report::result::{Factor, Measure, Mode, Published, Side, Stack, Text, UNPINNED};
use serde::Deserialize;

mod check;
mod prediction;

pub use check::ScenarioError;
pub use prediction::{CallsPlan, PredictionPlan};

/// A checked scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// File name without the ending.
    #[serde(skip)]
    pub name: String,
    /// Claim id in `published.toml`.
    pub claim: String,
    /// Place in the list.
    pub order: u32,
    /// Addresses of the originals.
    pub sources: Vec<String>,
    /// The claim in one line.
    pub title: Text,
    /// The sync contender whose `T_io` and `T_cpu` feed the naive rule.
    #[serde(default)]
    pub naive: Option<String>,
    /// How throughput is predicted from it; not at all where absent.
    #[serde(default)]
    pub prediction: Option<PredictionPlan>,
    /// How the setting differs from the original.
    #[serde(default)]
    pub differences: Vec<Text>,
    /// Contradictions, and what the reader must know.
    #[serde(default)]
    pub remarks: Vec<Text>,
    /// Database and origin.
    #[serde(default)]
    pub parts: Parts,
    /// Processors by role.
    #[serde(default)]
    pub placement: PlacementPlan,
    /// Rounds of a quick run.
    #[serde(default = "Rounds::quick")]
    pub quick: Rounds,
    /// Rounds of a full run.
    #[serde(default = "Rounds::full")]
    pub full: Rounds,
    /// Environment of every contender.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The stacks under test.
    #[serde(rename = "contender")]
    pub contenders: Vec<ContenderPlan>,
    /// Load levels and parameter points.
    #[serde(rename = "case")]
    pub cases: Vec<CasePlan>,
    /// What is judged.
    #[serde(rename = "finding", default)]
    pub findings: Vec<FindingPlan>,
    /// Chains of single changes.
    #[serde(rename = "factor", default)]
    pub factors: Vec<FactorPlan>,
}

/// The real parts that a scenario needs beside its contenders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// Whether a PostgreSQL is needed.
    #[serde(default)]
    pub postgres: bool,
    /// The "third-party API", where there is one.
    #[serde(default)]
    pub origin: Option<OriginPlan>,
}

/// How the origin behaves unless a call asks otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OriginPlan {
    /// Median latency, milliseconds.
    pub median_ms: f64,
    /// Shape of the log-normal latency; 0 is a fixed latency.
    pub sigma: f64,
    /// Share of calls answered 500, 0 to 1.
    pub error_rate: f64,
    /// Calls at once beyond which one is answered 503; 0 is no limit.
    pub concurrency_limit: usize,
    /// Size of the answer.
    pub body_bytes: usize,
}

impl Default for OriginPlan {
    fn default() -> Self {
        Self {
            median_ms: 10.0,
            sigma: 0.0,
            error_rate: 0.0,
            concurrency_limit: 0,
            body_bytes: 200,
        }
    }
}

/// Indices into the processors that the lab may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementPlan {
    /// Processors of the application under test.
    pub application: Vec<usize>,
    /// Processors of generator, origin and database.
    pub others: Vec<usize>,
}

impl Default for PlacementPlan {
    fn default() -> Self {
        Self {
            application: vec![0],
            others: vec![1],
        }
    }
}

/// How often and how long is measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounds {
    /// Each round measures every contender of every case once.
    pub rounds: u32,
    /// Length of one measurement, seconds.
    pub seconds: f64,
    /// Load before it that is not counted, seconds.
    pub warm_up: f64,
    /// Rounds of the open loop, three at most where absent.
    #[serde(default)]
    pub open_rounds: Option<u32>,
}

impl Rounds {
    fn quick() -> Self {
        Self {
            rounds: 5,
            seconds: 1.0,
            warm_up: 0.3,
            open_rounds: None,
        }
    }

    fn full() -> Self {
        Self {
            rounds: 7,
            seconds: 4.0,
            warm_up: 1.0,
            open_rounds: None,
        }
    }

    /// One measurement's length.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The uncounted load before it.
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up)
    }
}

/// Values of `{name}` placeholders: a number, a word or a yes/no.
pub type Settings = BTreeMap<String, toml::Value>;

/// The shortest run that includes a contender or a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// Quick runs and full ones.
    #[default]
    Quick,
    /// Full runs only.
    Full,
}

impl Measured {
    /// Whether a run of this mode includes what carries this mark.
    pub fn included_in(self, mode: Mode) -> bool {
        self == Self::Quick || mode == Mode::Full
    }
}

/// One stack under test.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContenderPlan {
    /// Identifier within the scenario.
    pub id: String,
    /// Side of the comparison.
    pub side: Side,
    /// What it is made of.
    #[serde(default)]
    pub stack: Stack,
    /// Distributions whose versions are printed.
    #[serde(default)]
    pub requires: Vec<String>,
    /// An executable that must be on PATH.
    #[serde(default)]
    pub program: Option<String>,
    /// Run once before, in the scratch directory.
    #[serde(default)]
    pub build: Vec<String>,
    /// How it is started.
    pub command: Vec<String>,
    /// Worker counts and the like.
    #[serde(default)]
    pub settings: Settings,
    /// Settings to sweep; the best becomes the contender `ID:tuned`.
    #[serde(default)]
    pub tune: Vec<TunePlan>,
    /// Case that it is tuned on; the first case where absent.
    #[serde(default)]
    pub tune_case: Option<String>,
    /// Added to the scenario's environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Cases that it takes part in; all where absent.
    #[serde(default)]
    pub cases: Option<Vec<String>>,
    /// The shortest run that includes it.
    #[serde(default)]
    pub measured: Measured,
}

impl ContenderPlan {
    /// Whether it takes part in a case.
    pub fn takes_part_in(&self, case: &str) -> bool {
        let case = declared_case(case);
        self.cases
            .as_ref()
            .is_none_or(|cases| cases.iter().any(|name| name == case))
    }
}

/// The case of the file that a measured case stands for.
pub fn declared_case(id: &str) -> &str {
    id.strip_suffix(UNPINNED).unwrap_or(id)
}

/// One point of a tuning sweep.
#[derive(Debug, Clone, Deserialize)]
pub struct TunePlan {
    /// Replaces the contender's command line.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// Replace the contender's settings of the same names.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What kind of load a case applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// HTTP/1.1 requests to a server.
    Http,
    /// Messages that a server sends back.
    Tcp,
    /// A program that does the work and reports.
    Program,
}

/// One load level or parameter point.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePlan {
    /// Identifier within the scenario.
    pub id: String,
    /// Kind of load.
    pub driver: Driver,
    /// Request target, for HTTP.
    #[serde(default)]
    pub path: String,
    /// Users in the closed loop.
    #[serde(default)]
    pub users: Option<usize>,
    /// Whether connections are reused; reported as published, so a word in the file, not a mode.
    #[serde(default = "yes")]
    pub keep_alive: bool,
    /// Whether it is also measured at one open-loop rate for all contenders.
    #[serde(default)]
    pub open_loop: bool,
    /// Message size, for TCP.
    #[serde(default)]
    pub message_bytes: usize,
    /// What every contender's answer must contain.
    #[serde(default)]
    pub expect: String,
    /// The point in the scenario's parameter space.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// What its requests call, for the prediction.
    #[serde(default)]
    pub calls: CallsPlan,
    /// The shortest run that includes it.
    #[serde(default)]
    pub measured: Measured,
    /// What a quick run changes.
    #[serde(default)]
    pub quick: CaseChanges,
}

fn yes() -> bool {
    true
}

impl CasePlan {
    /// The case as a run of this mode measures it.
    #[must_use]
    pub fn for_mode(&self, mode: Mode) -> Self {
        let mut case = self.clone();
        if mode != Mode::Full {
            case.users = self.quick.users.or(self.users);
            case.parameters.extend(self.quick.parameters.clone());
        }
        case
    }
}

/// Smaller counts of a quick run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseChanges {
    /// Users instead of the published count.
    #[serde(default)]
    pub users: Option<usize>,
    /// Parameters instead of the published ones.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
}

/// How capacity is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pricing {
    /// Processors and memory by the hour.
    #[default]
    Hourly,
    /// A fee a request and memory by the second of its duration, as AWS Lambda does.
    PerRequest,
}

/// A ratio and what was published of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingPlan {
    /// Identifier within the scenario.
    pub id: String,
    /// What is compared.
    pub measure: Measure,
    /// Contender in the numerator.
    pub of: String,
    /// Contender in the denominator.
    pub over: String,
    /// Cases that it is judged on; all where absent.
    #[serde(default)]
    pub cases: Option<Vec<String>>,
    /// What was published.
    pub published: Published,
    /// How the numerator is paid for.
    #[serde(default)]
    pub of_pricing: Pricing,
    /// How the denominator is paid for.
    #[serde(default)]
    pub over_pricing: Pricing,
}

/// One step of a chain in which a single thing changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorPlan {
    /// What changes.
    pub factor: Factor,
    /// Contender before.
    pub from: String,
    /// Contender after.
    pub to: String,
    /// Case that the step is measured on.
    pub case: String,
}
