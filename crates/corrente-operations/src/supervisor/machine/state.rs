//! What is known of workers and of the whole.
//!
//! Values only; the rules are beside it. Times are counted from the same moment as the machine's.

use std::fmt;
use std::time::Duration;

use super::super::message::Failure;

/// What the machine goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Workers that are wanted at first; at least 1.
    pub workers: usize,
    /// For a worker to be ready.
    pub startup: Duration,
    /// For a worker to stop.
    pub graceful: Duration,
    /// For a worker that has said `alive` to say it again.
    pub hang: Option<Duration>,
    /// Age at which a worker is replaced, give or take a tenth.
    pub max_lifetime: Option<Duration>,
    /// Memory above which a worker is replaced.
    pub max_memory_bytes: Option<u64>,
    /// What becomes of a first worker that does not start.
    pub first_failure: FirstFailure,
}

/// What becomes of a first worker that does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstFailure {
    /// Everything ends with its failure: it would be the same the next time.
    End,
    /// Nothing is started until a file changes: somebody is typing.
    WaitForChange,
}

/// A worker's number; none is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u64);

impl fmt::Display for WorkerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "worker {}", self.0)
    }
}

/// Where a worker is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// It imports the application.
    Starting,
    /// It takes connections.
    Serving {
        /// When it was ready.
        since: Duration,
        /// When it was last heard of; `None` until it first says that it is alive.
        alive: Option<Duration>,
    },
    /// It was told to stop, or to say where it hangs.
    Stopping {
        /// When it is killed.
        deadline: Duration,
    },
    /// It was killed; its exit has not been seen yet.
    Killed,
}

/// How everything ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it was told.
    Stopped,
    /// The first workers do not start.
    Failed(Failure),
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) state: WorkerState,
    pub(super) born: Duration,
    pub(super) generation: u32,
    /// It is to be replaced, whatever its generation.
    pub(super) is_leaving: bool,
    /// When it is old.
    pub(super) old_at: Option<Duration>,
    /// What it said before it ended.
    pub(super) failure: Option<Failure>,
}

impl Worker {
    pub(super) fn is_live(&self) -> bool {
        matches!(
            self.state,
            WorkerState::Starting | WorkerState::Serving { .. }
        )
    }

    pub(super) fn is_serving(&self) -> bool {
        matches!(self.state, WorkerState::Serving { .. })
    }

    /// When something has to be done about it if nothing happens.
    pub(super) fn deadline(&self, plan: &Plan) -> Option<Duration> {
        match self.state {
            WorkerState::Starting => Some(self.born + plan.startup),
            WorkerState::Serving { alive, .. } => {
                let hangs = alive.and_then(|alive| Some(alive + plan.hang?));
                let old = self.old_at.filter(|_| !self.is_leaving);
                hangs.into_iter().chain(old).min()
            }
            WorkerState::Stopping { deadline } => Some(deadline),
            WorkerState::Killed => None,
        }
    }
}

/// What the whole is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// Nothing is started until a file changes.
    Held,
    /// It ends when no worker is left.
    Ending(Outcome),
    Ended,
}
