//! The judged measurements: rounds in which every contender of every case has its turn.
//!
//! Also the open loop, at one rate for all, and one case more without pinning. What was known
//! before (`foresight`) is settled by then: nothing here feeds a prediction.

use corrente_report::result::{Mode, Placement, Side};

use super::Stage;
use crate::error::LabError;
use crate::observer::Activity;
use crate::samples::Slice;
use crate::scenario::CasePlan;
use crate::slice::Load;
use crate::{process_tree, schedule};

impl Stage<'_> {
    pub(super) fn measure_rounds(&mut self) -> Result<(), LabError> {
        let turns = self.turns(&self.cases);
        self.measure_turns(&turns)
    }

    /// One case once more with every process on all processors, as most services run.
    pub(super) fn measure_unpinned(&mut self) -> Result<(), LabError> {
        let Some(case) = schedule::unpinned_case(self.scenario, &self.cases) else {
            return Ok(());
        };
        for server in self
            .instances
            .iter()
            .filter_map(|instance| instance.server.as_ref())
        {
            process_tree::pin_tree(server.root(), &self.run.processors);
        }
        self.placement = Placement::default();
        let turns = self.turns(std::slice::from_ref(&case));
        self.measure_turns(&turns)?;
        self.cases.push(case);
        Ok(())
    }

    fn measure_turns(&mut self, turns: &[(String, CasePlan)]) -> Result<(), LabError> {
        for round in 0..self.rounds.rounds {
            for (id, case) in schedule::round(turns, round, self.run.seed) {
                self.observer.activity(Activity::Measuring {
                    contender: &id,
                    case: &case.id,
                });
                if let Some(slice) = self.slice(&id, &case, &Load::closed(self.rounds))? {
                    self.series
                        .entry((id, case.id))
                        .or_default()
                        .rounds
                        .push(slice);
                }
            }
        }
        Ok(())
    }

    /// At one rate for all contenders of a case: a share of what the slowest side can do.
    pub(super) fn measure_open_loop(&mut self) -> Result<(), LabError> {
        for case in self.cases.clone().iter().filter(|case| case.open_loop) {
            let Some(rate) = self.common_rate(case) else {
                continue;
            };
            let mut turns = self.turns(std::slice::from_ref(case));
            turns.retain(|(id, _)| schedule::judged_in_open_loop(self.scenario, id));
            for round in 0..schedule::open_rounds(self.rounds) {
                for (id, case) in schedule::round(&turns, round, self.run.seed) {
                    self.observer.activity(Activity::Measuring {
                        contender: &id,
                        case: &case.id,
                    });
                    let load = Load::open(self.rounds, rate, self.run.seed + u64::from(round));
                    let slice = self.slice(&id, &case, &load)?;
                    if let Some(series) = self.series.get_mut(&(id, case.id)) {
                        series.open_rate_per_s = rate;
                        series.open.extend(slice);
                    }
                }
            }
        }
        Ok(())
    }

    fn common_rate(&self, case: &CasePlan) -> Option<f64> {
        let sides = self
            .instances
            .iter()
            .filter(|instance| instance.side() != Side::Reference);
        let rates = sides.filter_map(|instance| {
            let series = self.series.get(&(instance.id.clone(), case.id.clone()))?;
            corrente_model::statistics::median(&series.per_round(Slice::throughput))
        });
        let slowest = rates.fold(f64::INFINITY, f64::min);
        (slowest.is_finite() && slowest > 0.0).then_some(schedule::OPEN_LOOP_SHARE * slowest)
    }

    /// Who is measured on what.
    fn turns(&self, cases: &[CasePlan]) -> Vec<(String, CasePlan)> {
        let mut turns = Vec::new();
        for case in cases {
            for instance in self.instances.iter().filter(|one| one.takes_part_in(case)) {
                turns.push((instance.id.clone(), case.clone()));
            }
        }
        if self.run.mode == Mode::Smoke {
            schedule::once_each(turns)
        } else {
            turns
        }
    }
}
