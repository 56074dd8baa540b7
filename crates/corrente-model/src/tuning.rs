//! The honest rival of a migration: the same synchronous service with better settings.
//!
//! Looks for the smallest change (workers, threads, connections) whose throughput comes near a
//! target, within a limit of memory. The bounds rank the candidates, the simulator confirms.

use crate::bounds;
use crate::calibration::Stack;
use crate::service::{Concurrency, Connections, Deployment, Service};
use crate::simulator::{self, Invalid, Load, Plan};
use crate::translation;

/// Threads that a worker may be given: beyond 64 the interpreter lock's hand-overs cost more than
/// waiting saves (Beazley 2010, "Understanding the Python GIL").
const THREADS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Factors for the number of workers and of connections.
const FACTORS: [usize; 5] = [1, 2, 3, 4, 8];
/// Simulated before one says that it suffices: enough for a few percent.
const REQUESTS: u64 = 4_000;
/// Events that this may take: where requests take many, fewer of them are simulated.
const EVENTS: u64 = 60_000;
/// Candidates that are simulated at most.
const MOST_SIMULATED: usize = 6;

/// A better setting of the synchronous service.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The deployment.
    pub deployment: Deployment,
    /// Its throughput, in requests a second, simulated.
    pub throughput_per_s: f64,
    /// Its memory.
    pub memory_bytes: f64,
}

/// What the setting must reach and may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Requests a second.
    pub throughput_per_s: f64,
    /// Memory.
    pub memory_bytes: f64,
    /// Processes that the server can have.
    pub processes: usize,
    /// Threads that each of them can have.
    pub threads: usize,
}

/// The smallest setting that reaches the target; `None` where none of those tried does.
///
/// # Errors
///
/// [`Invalid`] where the service cannot be simulated.
pub fn smallest(
    service: &Service,
    stack: &Stack,
    present: &Deployment,
    load: &Load,
    target: Target,
) -> Result<Option<Setting>, Invalid> {
    let users = users_of(load);
    let mut candidates: Vec<(f64, Deployment)> = candidates(present)
        .into_iter()
        .map(|deployment| (memory(stack, &deployment), deployment))
        .filter(|(memory_bytes, deployment)| {
            let bound = bounds::lowest(service, deployment, users);
            *memory_bytes <= target.memory_bytes
                && deployment.processes <= target.processes
                && deployment.slots() <= deployment.processes as f64 * target.threads as f64
                && bound.is_none_or(|bound| bound.rate_per_s >= target.throughput_per_s)
        })
        .collect();
    candidates.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (memory_bytes, deployment) in candidates.into_iter().take(MOST_SIMULATED) {
        let throughput_per_s = throughput(service, &deployment, load)?;
        if throughput_per_s >= target.throughput_per_s {
            return Ok(Some(Setting {
                deployment,
                throughput_per_s,
                memory_bytes,
            }));
        }
    }
    Ok(None)
}

fn throughput(service: &Service, deployment: &Deployment, load: &Load) -> Result<f64, Invalid> {
    let plan = Plan {
        warm_up: REQUESTS / 4,
        requests: REQUESTS,
        events: EVENTS,
        seed: 1,
    };
    let outcome = simulator::simulate(&translation::system(service, deployment), load, plan)?;
    Ok(outcome.throughput_per_s)
}

/// Every setting once: connections without a limit stay without one, whatever the factor.
fn candidates(present: &Deployment) -> Vec<Deployment> {
    let mut found = Vec::new();
    for workers in FACTORS {
        for threads in THREADS {
            for connections in FACTORS {
                found.push(Deployment {
                    cores: present.cores,
                    processes: present.processes * workers,
                    concurrency: Concurrency::Threads(threads),
                    connections: scaled(&present.connections, connections),
                });
            }
        }
    }
    found.dedup();
    found
}

fn scaled(connections: &[Connections], factor: usize) -> Vec<Connections> {
    let scale = |connections: &Connections| match connections {
        Connections::Unlimited => Connections::Unlimited,
        Connections::PerProcess(count) => Connections::PerProcess(count * factor),
        Connections::Barging(count) => Connections::Barging(count * factor),
        Connections::InAll(count) => Connections::InAll(count * factor),
    };
    connections.iter().map(scale).collect()
}

/// Memory when every slot is taken.
fn memory(stack: &Stack, deployment: &Deployment) -> f64 {
    let slots = deployment.slots();
    let requests = if slots.is_finite() { slots } else { 0.0 };
    deployment.processes as f64 * stack.process_bytes as f64 + requests * stack.request_bytes as f64
}

fn users_of(load: &Load) -> f64 {
    match load {
        Load::Closed { users, .. } => *users as f64,
        Load::Open { .. } => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::calibration::Costs;
    use crate::law::Law;
    use crate::least_squares::Estimate;
    use crate::service::fixture;

    /// One call, whose time varies.
    fn service(cpu: f64, wait: f64) -> Service {
        let mut service = fixture::service(cpu, 1.0, wait);
        service.endpoints[0].calls[0].wait = Law::Exponential(wait);
        service
    }

    fn one_worker(connections: Connections) -> Deployment {
        Deployment {
            cores: 1.0,
            processes: 1,
            concurrency: Concurrency::Threads(1),
            connections: vec![connections],
        }
    }

    fn setting(throughput_per_s: f64) -> Option<Setting> {
        let stack = Stack {
            name: "sync".to_owned(),
            threads: 1,
            costs: Costs {
                request: Estimate::exact(0.0),
                calls: BTreeMap::new(),
                coldness: 0.0,
                work: None,
                scale_deviation: 0.0,
            },
            process_bytes: 50 << 20,
            request_bytes: 1 << 20,
        };
        let target = Target {
            throughput_per_s,
            memory_bytes: 1e9,
            processes: usize::MAX,
            threads: 1,
        };
        let load = Load::Closed {
            users: 64,
            think: Law::Constant(0.0),
        };
        let present = one_worker(Connections::Unlimited);
        smallest(&service(0.01, 0.03), &stack, &present, &load, target)
            .expect("it can be simulated")
    }

    #[test]
    fn a_setting_is_tried_once() {
        let of = |connections| candidates(&one_worker(connections)).len();
        assert_eq!(of(Connections::Unlimited), FACTORS.len() * THREADS.len());
        assert_eq!(
            of(Connections::PerProcess(4)),
            FACTORS.len().pow(2) * THREADS.len()
        );
    }

    #[test]
    fn the_smallest_that_reaches_the_target_is_found_and_none_beyond_the_core() {
        // A worker alone makes 25 requests/s; two or three more meet it on the core.
        let found = setting(60.0).expect("workers bring it");
        assert_eq!(found.deployment.processes, 3);
        assert!(found.throughput_per_s >= 60.0);
        // Four are just short of what eight reach: their bound is not.
        assert_eq!(
            setting(85.0)
                .expect("workers bring it")
                .deployment
                .processes,
            8
        );
        assert_eq!(setting(101.0), None);
    }
}
