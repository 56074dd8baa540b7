//! How long a process is off its core between two parts of a request: what makes its caches cold.
//!
//! A request computes, calls, computes. In a call the process sleeps, unless another of its threads
//! computes; and when it could go on, other processes of its core compute first, each a part of a
//! request of its own. Whichever of the two takes longer counts. Means only: nothing is simulated.

use crate::service::{Calls, Concurrency, Deployment, Endpoint};
use crate::simulator::Load;

/// Threads of which one always has something to do: what a busy loop is like.
const NEVER_ASLEEP: usize = 1_000;

/// What a process shares with others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sharing {
    /// Threads of a process, all in use: while one of them computes, the process does not sleep.
    pub threads: usize,
    /// Processes a core that have a request in hand.
    pub processes_a_core: f64,
}

impl Sharing {
    /// A process of so many threads that has its core to itself.
    pub fn alone(threads: usize) -> Self {
        Self {
            threads,
            processes_a_core: 1.0,
        }
    }

    /// The processes of a deployment under a load. An open load that is served at all leaves none
    /// of them behind others for longer than it sleeps, so there each counts as alone.
    pub fn of(deployment: &Deployment, load: &Load) -> Self {
        let threads = match deployment.concurrency {
            Concurrency::Threads(threads) => threads,
            Concurrency::Loop { .. } => NEVER_ASLEEP,
        };
        let in_hand = match load {
            Load::Closed { users, .. } => deployment.processes.min(*users) as f64,
            Load::Open { .. } => return Self::alone(threads),
        };
        Self {
            threads,
            processes_a_core: in_hand / deployment.cores,
        }
    }

    /// Seconds that a process is off its core between two parts of a request of this endpoint, if
    /// each takes `cpu` seconds of processor time; 0 where there are no calls.
    pub(crate) fn off_core(self, endpoint: &Endpoint, cpu: f64) -> f64 {
        let calls: f64 = endpoint.calls.iter().map(|calls| calls.count).sum();
        if calls <= 0.0 {
            return 0.0;
        }
        let waiting: f64 = endpoint.calls.iter().map(Calls::waiting).sum();
        let threads = self.threads as f64;
        let asleep = (waiting - cpu * (threads - 1.0)).max(0.0) / calls / threads;
        // Work, call, work: one part more than there are calls (see `translation`).
        let behind_others = cpu / (calls + 1.0) * (self.processes_a_core - 1.0);
        asleep.max(behind_others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;

    fn endpoint(count: f64, wait: f64) -> Endpoint {
        Endpoint {
            name: "/".to_owned(),
            weight: 1.0,
            cpu: Law::Constant(0.001),
            calls: vec![Calls {
                resource: 0,
                count,
                wait: Law::Constant(wait),
                independent: 0.0,
                blocking: 0.0,
            }],
        }
    }

    fn crowded(processes_a_core: f64) -> Sharing {
        Sharing {
            threads: 1,
            processes_a_core,
        }
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn a_process_alone_sleeps_through_its_calls() {
        let endpoint = endpoint(4.0, 0.005);
        close(Sharing::alone(1).off_core(&endpoint, 0.001), 0.005);
        // Four threads compute 3 of the 20 ms meanwhile, and share the rest.
        close(
            Sharing::alone(4).off_core(&endpoint, 0.001),
            0.017 / 4.0 / 4.0,
        );
    }

    #[test]
    fn short_calls_end_long_before_the_others_have_had_their_turn() {
        // 15 others compute half of 2 ms each, and 0.1 ms of waiting are over by then.
        close(crowded(16.0).off_core(&endpoint(1.0, 0.0001), 0.002), 0.015);
        // Against 50 ms of sleep their turns do not matter.
        close(crowded(16.0).off_core(&endpoint(1.0, 0.05), 0.002), 0.05);
    }

    #[test]
    fn no_more_processes_crowd_a_core_than_there_are_users() {
        let deployment = |concurrency| Deployment {
            cores: 2.0,
            processes: 16,
            concurrency,
            connections: Vec::new(),
        };
        let closed = |users| Load::Closed {
            users,
            think: Law::Constant(0.0),
        };
        let workers = deployment(Concurrency::Threads(1));
        assert_eq!(Sharing::of(&workers, &closed(64)), crowded(8.0));
        assert_eq!(Sharing::of(&workers, &closed(4)), crowded(2.0));
        let loops = deployment(Concurrency::Loop { gathered: 0.0 });
        close(
            Sharing::of(&loops, &closed(2)).off_core(&endpoint(4.0, 0.005), 0.001),
            0.0,
        );
    }
}
