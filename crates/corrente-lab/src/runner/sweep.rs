//! The sweep of a contender's settings: the synchronous side at its best.
//!
//! Each point is measured once, on one case; the fastest stays as `ID:tuned` and is measured in
//! every round like the others, the rest ends.

use corrente_report::result::{Mode, Sweep, SweepPoint};

use super::Stage;
use crate::contender::{settings_text, tuned};
use crate::error::LabError;
use crate::observer::Activity;
use crate::samples::Slice;
use crate::schedule;
use crate::slice::Load;

impl Stage<'_> {
    /// Measures each point of each sweep once; the best stays as `ID:tuned`, the rest ends.
    pub(super) fn tune(&mut self) -> Result<Vec<Sweep>, LabError> {
        if self.run.mode == Mode::Smoke {
            return Ok(Vec::new());
        }
        let mut sweeps = Vec::new();
        for plan in schedule::contenders(self.scenario, self.run.mode) {
            if plan.tune.is_empty() {
                continue;
            }
            let Some(case) = schedule::tune_case(plan, &self.cases).cloned() else {
                continue;
            };
            let mut tried = Vec::new();
            for point in 0..plan.tune.len() {
                let id = schedule::sweep_id(&plan.id, point);
                self.observer.activity(Activity::Tuning { contender: &id });
                let throughput = self.slice(&id, &case, &Load::closed(self.rounds))?;
                tried.push(SweepPoint {
                    settings: settings_text(&tuned(plan, point).settings),
                    throughput_per_s: throughput.as_ref().map(Slice::throughput),
                    best: false,
                });
            }
            self.keep_best(&plan.id, &mut tried);
            sweeps.push(Sweep {
                contender: plan.id.clone(),
                case: case.id,
                tried,
            });
        }
        Ok(sweeps)
    }

    fn keep_best(&mut self, contender: &str, tried: &mut [SweepPoint]) {
        let speed = |point: &SweepPoint| point.throughput_per_s.unwrap_or(-1.0);
        let best = (0..tried.len()).max_by(|a, b| speed(&tried[*a]).total_cmp(&speed(&tried[*b])));
        for (number, point) in tried.iter_mut().enumerate() {
            let id = schedule::sweep_id(contender, number);
            point.best = Some(number) == best;
            if point.best {
                for winner in self
                    .instances
                    .iter_mut()
                    .filter(|instance| instance.id == id)
                {
                    winner.id = format!("{contender}:tuned");
                }
            } else {
                self.instances.retain(|instance| instance.id != id);
            }
        }
    }
}
