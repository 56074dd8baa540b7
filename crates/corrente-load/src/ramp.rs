//! Several loads one after the other against the same target, with one outcome each.
//!
//! It must not know how a run works. Key invariant: stages are independent; each has its own
//! connections and its own warm-up, so an outcome says nothing about the stage before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::LoadError;
use crate::outcome::Outcome;
use crate::plan::{Arrival, Plan};
use crate::run::{Progress, run};

/// A plan that is run once per stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Ramp {
    /// Everything that is the same in all stages; its arrival and duration are replaced.
    pub plan: Plan,
    /// The stages in their order.
    pub stages: Vec<Stage>,
}

/// One step of a ramp.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The load.
    pub arrival: Arrival,
    /// Length of the measured window.
    pub duration: Duration,
}

impl Ramp {
    /// Closed-loop stages of equal length with these numbers of users.
    pub fn of_users(plan: Plan, users: &[usize]) -> Self {
        let duration = plan.duration;
        let stage = |&users| Stage {
            arrival: Arrival::Closed { users },
            duration,
        };
        Self {
            stages: users.iter().map(stage).collect(),
            plan,
        }
    }

    /// Runs the stages and gives one outcome each, fewer if `stop` became true.
    ///
    /// The stage that was under way then is included with what it has.
    pub fn run(
        &self,
        stop: &AtomicBool,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Vec<Outcome>, LoadError> {
        let plans: Vec<Plan> = self
            .stages
            .iter()
            .map(|stage| self.plan_of(stage))
            .collect();
        // A mistake in the last stage should not cost the time of the others.
        plans.iter().try_for_each(|plan| plan.session().map(drop))?;
        let stages = plans.len();
        let mut outcomes = Vec::with_capacity(stages);
        for (stage, plan) in plans.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let in_stage = |now: Progress| {
                progress(Progress {
                    stage,
                    stages,
                    ..now
                });
            };
            outcomes.push(run(plan, stop, in_stage)?);
        }
        Ok(outcomes)
    }

    fn plan_of(&self, stage: &Stage) -> Plan {
        Plan {
            arrival: stage.arrival,
            duration: stage.duration,
            ..self.plan.clone()
        }
    }
}
