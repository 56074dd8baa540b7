//! Which pairs of contenders are predicted, in which cases, and what comes of it.
//!
//! Each pair that a finding about throughput or P99 names, the tuned synchronous sides included. A
//! run and a replay of its result ask the same questions here, so that both have the same answers.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;

use corrente_model::cost_table::{CostTable, Here};
use corrente_model::prediction::{Prediction, Unpredictable};
use corrente_report::result::{Interval, Measure, Side};

use super::costs_shipped::Prices;
use super::{Comparison, Foreseen, Known, Runner};
use crate::scenario::{CasePlan, ContenderPlan, FindingPlan, PredictionPlan, Scenario};
use crate::schedule;

/// What is predicted, by `of`, `over` and case.
pub(crate) type Predictions = BTreeMap<(String, String, String), Foretold>;

/// What the model says of one pair in one case, by where the stacks' costs come from.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Foretold {
    calibrated: Option<Foreseen>,
    shipped: Option<Foreseen>,
}

impl Foretold {
    /// From stacks that were calibrated on this machine.
    pub(crate) fn calibrated(&self, measure: Measure) -> Option<Interval> {
        self.calibrated?.of(measure)
    }

    /// From the costs that are shipped.
    pub(crate) fn shipped(&self, measure: Measure) -> Option<Interval> {
        self.shipped?.of(measure)
    }
}

/// A scenario in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pairs<'run> {
    pub scenario: &'run Scenario,
    /// Contenders as they were started, the tuned ones included.
    pub contenders: &'run [(String, ContenderPlan)],
    pub cases: &'run [CasePlan],
    /// Cores that the application may use.
    pub cores: usize,
    /// Processors of generator, origin and database, where these are others.
    pub others: usize,
    pub seed: u64,
    /// The machine's speed, where it was measured: all that is known is taken to it.
    pub burn_rounds_per_ms: Option<f64>,
    /// What stacks cost where nothing of the asynchronous side was measured; without it that is not
    /// predicted.
    pub costs: Option<&'run CostTable>,
}

impl Known {
    /// Predicts every pair, and says why some are not predicted.
    pub(crate) fn predictions(&self, pairs: &Pairs<'_>) -> (Predictions, Vec<Unpredictable>) {
        let (mut predictions, mut failures) = (Predictions::new(), Vec::new());
        let Some(plan) = &pairs.scenario.prediction else {
            return (predictions, failures);
        };
        let known = self.at(pairs.burn_rounds_per_ms);
        for [of, over] in pairs.named() {
            let Some(compared) = pairs.compared(plan, of, over) else {
                continue;
            };
            for case in pairs.cases {
                let key = (of.to_owned(), over.to_owned(), case.id.clone());
                if predictions.contains_key(&key) {
                    continue;
                }
                let comparison = compared.comparison(pairs, plan, case);
                let (foretold, failure) = known.foretell(&comparison, pairs);
                failures.extend(failure);
                if foretold != Foretold::default() {
                    predictions.insert(key, foretold);
                }
            }
        }
        (predictions, failures)
    }

    /// Both predictions of one case, and why one of them is not made. Side by side, as each takes a
    /// core for some tenths of a second.
    fn foretell(
        &self,
        comparison: &Comparison<'_>,
        pairs: &Pairs<'_>,
    ) -> (Foretold, Option<Unpredictable>) {
        let prices = pairs.prices();
        let (calibrated, shipped) = thread::scope(|scope| {
            let shipped = scope.spawn(|| self.forecast_shipped(comparison, prices?));
            let calibrated = self.forecast(comparison);
            (calibrated, shipped.join())
        });
        let shipped = shipped.unwrap_or_else(|panic| resume_unwind(panic));
        let mut failure = None;
        let mut foreseen = |prediction: Option<Result<Prediction, Unpredictable>>| {
            let prediction = prediction?.map_err(|error| failure = Some(error));
            prediction.ok().as_ref().map(Foreseen::from)
        };
        let foretold = Foretold {
            calibrated: foreseen(calibrated),
            shipped: foreseen(shipped),
        };
        (foretold, failure)
    }
}

/// A pair with all whose measurements tell something of it.
#[derive(Debug)]
struct Compared {
    of: Runner,
    over: Runner,
    measured: Runner,
    warm: Option<Runner>,
}

impl Compared {
    fn comparison<'run>(
        &'run self,
        pairs: &Pairs<'run>,
        plan: &'run PredictionPlan,
        case: &'run CasePlan,
    ) -> Comparison<'run> {
        Comparison {
            plan,
            case,
            of: &self.of,
            over: &self.over,
            measured: &self.measured,
            warm: self.warm.as_ref(),
            cores: pairs.cores,
            others: pairs.others,
            seed: pairs.seed,
        }
    }
}

impl<'run> Pairs<'run> {
    /// The costs as this machine has them. Whichever it is: they are never trusted as its own.
    fn prices(&self) -> Option<Prices<'run>> {
        let table = self.costs?;
        let speed = table.reference.speed(Here {
            processor: "",
            python: "",
            burn_rounds_per_ms: self.burn_rounds_per_ms,
        });
        Some(Prices { table, speed })
    }

    /// `of` and `over` of every pair that a finding names.
    fn named(&self) -> Vec<[&'run str; 2]> {
        let contenders = self.contenders.iter();
        let contenders = contenders.map(|(id, contender)| (id.as_str(), contender.side));
        let sync = about(self.scenario, contenders, Side::Sync);
        let mut named = Vec::new();
        let findings = self.scenario.findings.iter();
        for finding in findings.filter(|finding| is_predicted(finding)) {
            let overs = sync.iter().filter(|id| plain(id) == finding.over);
            named.extend(overs.map(|over| [finding.of.as_str(), *over]));
        }
        named
    }

    /// The contenders of a comparison; `None` where the model knows nothing of one of them.
    fn compared(&self, plan: &PredictionPlan, of: &str, over: &str) -> Option<Compared> {
        let known = schedule::known_alone(self.scenario);
        let naive = self.scenario.naive.as_deref().unwrap_or_default();
        let own = known.iter().find(|id| **id == plain(over)).copied();
        let measured = own.unwrap_or(naive);
        let warm = plan.warm.as_deref().filter(|_| measured == naive);
        Some(Compared {
            of: self.runner(of).filter(|of| of.side == Side::Async)?,
            over: self.runner(over)?,
            measured: self.runner(measured)?,
            warm: warm.and_then(|id| self.runner(id)),
        })
    }

    fn runner(&self, id: &str) -> Option<Runner> {
        let (_, contender) = self.contenders.iter().find(|(one, _)| one == id)?;
        Runner::new(id, contender)
    }
}

/// The contenders of one side that a prediction is about, the tuned ones included.
pub(crate) fn about<'ids>(
    scenario: &Scenario,
    contenders: impl Iterator<Item = (&'ids str, Side)>,
    side: Side,
) -> Vec<&'ids str> {
    let named = |id: &str| {
        let findings = scenario.findings.iter();
        let about = |finding: &FindingPlan| finding.of == id || finding.over == plain(id);
        findings.filter(|finding| is_predicted(finding)).any(about)
    };
    let of_side = contenders.filter(|(_, one)| *one == side);
    of_side.map(|(id, _)| id).filter(|id| named(id)).collect()
}

fn is_predicted(finding: &FindingPlan) -> bool {
    matches!(finding.measure, Measure::Throughput | Measure::P99)
}

/// The contender behind a tuned one.
fn plain(id: &str) -> &str {
    id.strip_suffix(":tuned").unwrap_or(id)
}
