//! What a scenario file tells the model: the shapes of its requests and what calibrates its stacks.
//!
//! The calibration's requests are others than the judged ones: that split is fixed here, in the
//! repository, before anything is measured.

use std::collections::BTreeMap;

use corrente_report::result::Mode;
use serde::Deserialize;

use super::CasePlan;

/// How a scenario's throughput is predicted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionPlan {
    /// Requests of known shape that no verdict is about.
    #[serde(default)]
    pub calibration: Vec<CasePlan>,
    /// Whether these requests do work of their own, as much on both sides: then they tell what a call
    /// costs anywhere, but not what a request does.
    #[serde(default)]
    pub own_work: bool,
    /// One more, without calls, that computes: the same work does not cost the same in every process.
    #[serde(default)]
    pub work: Option<CasePlan>,
    /// More of them, with other waits: for synchronous contenders only, which sleep through each, alone and
    /// where their processes crowd the cores.
    #[serde(default)]
    pub waits: Vec<CasePlan>,
    /// Synchronous contenders that are measured by one user alone, beside the naive rule's: those
    /// whose server or framework is another.
    #[serde(default)]
    pub alone: Vec<String>,
    /// A synchronous contender of many threads, or else of many processes, where there is one: they hardly
    /// sleep, so what its requests cost under load is the best measure of the code's own part.
    #[serde(default)]
    pub warm: Option<String>,
    /// Connections in all processes together, by kind of call; unlimited where absent.
    #[serde(default)]
    pub connections: BTreeMap<String, usize>,
}

impl PredictionPlan {
    /// Every case that calibrates.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &CasePlan> {
        let all = self.calibration.iter().chain(&self.work);
        all.chain(&self.waits)
    }

    /// What both sides are asked in a run of this mode.
    pub(crate) fn of_both_sides(&self, mode: Mode) -> impl Iterator<Item = &CasePlan> {
        let all = self.calibration.iter().chain(&self.work);
        all.filter(move |case| case.measured.included_in(mode))
    }

    /// What those are asked whose processes sleep through each call: synchronous contenders, by one user
    /// alone and where they crowd their cores.
    pub(crate) fn of_sleepers(&self, mode: Mode) -> impl Iterator<Item = &CasePlan> {
        self.of_both_sides(mode).chain(self.of_waits(mode))
    }

    /// What only those are asked.
    pub(crate) fn of_waits(&self, mode: Mode) -> impl Iterator<Item = &CasePlan> {
        let waits = self.waits.iter();
        waits.filter(move |case| case.measured.included_in(mode))
    }
}

/// The calls of a case's requests.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallsPlan {
    /// Calls a request, by kind: `http`, `sql`, or a name of the file's own.
    pub counts: BTreeMap<String, f64>,
    /// The share that an asynchronous contender makes at the same time, 0 to 1.
    pub gathered: f64,
    /// Kinds whose waits block an asynchronous contender's loop.
    pub blocking: Vec<String>,
    /// Kinds that one thread of each asynchronous process makes for all its requests, as
    /// asgiref's `sync_to_async` does.
    pub serialised: Vec<String>,
    /// Calls that are served at once, by kind; no limit where absent.
    pub servers: BTreeMap<String, usize>,
}
