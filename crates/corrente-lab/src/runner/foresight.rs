//! The prediction as a part of a run: what is measured for it, and for which pairs it is made.
//!
//! Everything here happens before the first judged measurement of the asynchronous side.

use std::collections::BTreeSet;

use corrente_model::cost_table::shipped;
use corrente_model::naive;
use corrente_report::result::Side;

use super::Stage;
use crate::error::LabError;
use crate::forecast::{Cost, Pairs, Runner, Serving, about, users};
use crate::samples::Slice;
use crate::scenario::{CasePlan, ContenderPlan, PredictionPlan};
use crate::schedule;
use crate::slice::Load;
use crate::speed;
use crate::speedometer::Speed;

/// How often something that the model is to know is measured, until the processor's speed stays what it
/// is meanwhile.
const LOOKS_MAX: u32 = 3;

/// A processor whose speed moved by less than this share stayed what it was. In quiet minutes looks at
/// one processor differ by 1 to 2 %.
const STEADY_MAX: f64 = 0.15;

impl Stage<'_> {
    /// Measures what is known before the run: one user alone, which the naive rule is fed with, a
    /// platform that charges by the request would bill, and the model sees of the synchronous
    /// side; and the calibration's requests. In passes, so that the machine's drift meets all alike.
    pub(super) fn learn(&mut self) -> Result<(), LabError> {
        self.warm_up()?;
        for _ in 0..schedule::passes(self.scenario, self.run.mode) {
            self.learn_alone()?;
            self.learn_warm()?;
            self.calibrate()?;
        }
        for (key, latency) in self.known.latencies_alone() {
            self.alone.insert(key.clone(), latency);
        }
        for (key, cost) in self.known.alone() {
            if self.scenario.naive.as_ref() == Some(&key.0) {
                let gain = naive::gain(cost.elapsed, cost.cpu);
                self.naive.extend(gain.map(|gain| (key.1.clone(), gain)));
            }
        }
        Ok(())
    }

    /// Has each of many workers serve each case, so that one user alone does not meet them as they start.
    fn warm_up(&mut self) -> Result<(), LabError> {
        let warmed = schedule::warmed(self.scenario, self.run.mode);
        for case in self.cases.clone() {
            for (id, workers) in &warmed {
                self.slice(id, &case, &Load::warming(*workers))?;
            }
        }
        Ok(())
    }

    fn learn_alone(&mut self) -> Result<(), LabError> {
        let billed = schedule::billed_alone(self.scenario);
        for case in self.cases.clone() {
            for id in schedule::alone(self.scenario, &billed) {
                self.learn_one(id, &case, &Load::alone(self.rounds), 1)?;
            }
        }
        Ok(())
    }

    /// The contender that is known under load, in each case.
    fn learn_warm(&mut self) -> Result<(), LabError> {
        let plan = self.scenario.prediction.as_ref();
        let Some(id) = plan.and_then(|plan| plan.warm.as_deref()) else {
            return Ok(());
        };
        for case in self.cases.clone() {
            self.learn_one(id, &case, &self.lasting(id, &case), users(&case))?;
        }
        Ok(())
    }

    /// Load that lasts as many requests of a case as a look needs. Requests that wait long stand in a long line before
    /// few workers, which one user alone with the naive rule's contender tells. Loops have no such line.
    fn lasting(&self, id: &str, case: &CasePlan) -> Load {
        let load = Load::calibration(self.rounds);
        let Some(runner) = self.runner(id).filter(|one| one.side != Side::Async) else {
            return load;
        };
        let naive = self.scenario.naive.as_deref().unwrap_or_default();
        let by = Serving {
            cores: self.placement.application.len().max(1),
            workers: runner.workers(),
        };
        let latency = self.known.latency_of(naive, case, by);
        load.for_requests_of(latency.unwrap_or_default())
    }

    /// Under load those whose processes then do not sleep, or crowd their cores; by one user the synchronous ones.
    fn calibrate(&mut self) -> Result<(), LabError> {
        let Some(plan) = &self.scenario.prediction else {
            return Ok(());
        };
        let loaded = self.calibrated_under_load(plan);
        for case in plan.of_sleepers(self.run.mode) {
            for id in schedule::known_alone(self.scenario) {
                self.learn_one(id, case, &Load::alone(self.rounds), 1)?;
            }
        }
        for case in plan.of_both_sides(self.run.mode) {
            for id in &loaded {
                self.learn_one(id, case, &self.lasting(id, case), users(case))?;
            }
        }
        for case in plan.of_waits(self.run.mode) {
            for id in &self.crowded(&loaded) {
                self.learn_one(id, case, &self.lasting(id, case), users(case))?;
            }
        }
        Ok(())
    }

    fn learn_one(
        &mut self,
        id: &str,
        case: &CasePlan,
        load: &Load,
        users: usize,
    ) -> Result<(), LabError> {
        let mut least: Option<Slice> = None;
        for _ in 0..LOOKS_MAX {
            let Some(slice) = self.slice(id, case, load)? else {
                break;
            };
            if least
                .as_ref()
                .is_none_or(|least| moved(&slice) < moved(least))
            {
                least = Some(slice);
            }
            if least
                .as_ref()
                .is_some_and(|least| moved(least) <= STEADY_MAX)
            {
                break;
            }
        }
        if let Some(slice) = least {
            self.known.learn(id, &case.id, cost(&slice, users));
        }
        Ok(())
    }

    /// The speed that all that is known is taken to; else what an application found when it started.
    pub(super) fn reference_speed(&self) -> Option<f64> {
        let written = || speed::written(&self.surroundings.work);
        self.known.speed().or_else(written)
    }

    /// The calibration's requests that a contender is asked, besides its cases.
    pub(super) fn calibrated(&self, id: &str) -> Vec<CasePlan> {
        let Some(plan) = &self.scenario.prediction else {
            return Vec::new();
        };
        let loaded = self.calibrated_under_load(plan);
        let is_crowded = || self.crowded(&loaded).iter().any(|one| one == id);
        if schedule::known_alone(self.scenario).contains(id) || is_crowded() {
            plan.of_sleepers(self.run.mode).cloned().collect()
        } else if loaded.iter().any(|one| one == id) {
            plan.of_both_sides(self.run.mode).cloned().collect()
        } else {
            Vec::new()
        }
    }

    /// The asynchronous contenders of the predictions, the synchronous one of many threads, and those whose
    /// processes crowd their cores.
    fn calibrated_under_load(&self, plan: &PredictionPlan) -> Vec<String> {
        let mut loaded = self.predicted_contenders(Side::Async);
        loaded.extend(plan.warm.clone());
        loaded.extend(self.crowded(&self.predicted_contenders(Side::Sync)));
        let mut seen = BTreeSet::new();
        loaded.retain(|id| seen.insert(id.clone()));
        loaded
    }

    /// Those of these contenders whose processes crowd their cores.
    fn crowded(&self, ids: &[String]) -> Vec<String> {
        let cores = self.placement.application.len().max(1);
        let is_crowded = |id: &&String| {
            let runner = self.runner(id);
            runner.is_some_and(|runner| runner.is_crowded(cores))
        };
        ids.iter().filter(is_crowded).cloned().collect()
    }

    /// A contender as the model sees it.
    fn runner(&self, id: &str) -> Option<Runner> {
        let found = self.instances.iter().find(|instance| instance.id == id)?;
        Runner::new(id, &found.plan)
    }

    /// The contenders of one side that a prediction is about, the tuned ones included.
    fn predicted_contenders(&self, side: Side) -> Vec<String> {
        let instances = self.instances.iter();
        let contenders = instances.map(|instance| (instance.id.as_str(), instance.plan.side));
        let named = about(self.scenario, contenders, side).into_iter();
        named.map(str::to_owned).collect()
    }

    /// Predicts from what is known, before the first judged measurement.
    pub(super) fn predict(&mut self) {
        let contenders: Vec<(String, ContenderPlan)> = self
            .instances
            .iter()
            .map(|instance| (instance.id.clone(), instance.plan.clone()))
            .collect();
        let (predicted, failures) = self.known.predictions(&Pairs {
            scenario: self.scenario,
            contenders: &contenders,
            cases: &self.cases,
            cores: self.placement.application.len().max(1),
            others: self.placement.others.len(),
            seed: self.run.seed,
            burn_rounds_per_ms: self.reference_speed(),
            costs: Some(shipped()),
        });
        self.predicted = predicted;
        for failure in failures {
            let name = &self.scenario.name;
            self.observer
                .warning(&format!("{name}: no prediction: {failure}"));
        }
    }
}

/// By which share the processor's speed moved within a measurement; nothing where that is not known.
fn moved(slice: &Slice) -> f64 {
    slice.speed.map_or(0.0, Speed::moved)
}

fn cost(slice: &Slice, users: usize) -> Cost {
    let operations = slice.operations_by_parts();
    let others = slice.others_cpu + slice.elapsed.mul_f64(slice.generator_busy);
    Cost {
        users,
        elapsed: slice.elapsed.div_f64(operations),
        cpu: slice.cpu.div_f64(operations),
        others: slice.apart.then(|| others.div_f64(operations)),
        speed: slice.speed.map(Speed::mean),
    }
}
