//! Calibration: what a stack (server, framework, drivers, loop) costs, apart from the user's code.
//!
//! The processor time of a request is that of the code plus the stack's: a part for each request
//! and a part for each call, by kind of driver. Both are fitted to measured requests of known
//! shape. Moving a service from one stack to another exchanges the stack's part and keeps the
//! code's. Costs are seconds on the machine where they were measured; `scaled` takes them to
//! another.

use std::collections::BTreeMap;

use crate::least_squares::{self, Estimate, Observation};
use crate::service::{Endpoint, Service};

/// Shares of busy cores that differ by less say nothing about cold ones.
const LEAST_DIFFERENCE: f64 = 0.2;
/// Twice the time was the most that was seen (docs/BENCHMARKS.md, `bench model`).
const MOST_COLDNESS: f64 = 1.5;

/// What a stack costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Processor time of each request, in seconds.
    pub request: Estimate,
    /// Processor time of each call, in seconds, by kind ([`crate::service::Resource::kind`]).
    pub calls: BTreeMap<String, Estimate>,
    /// Memory of one process.
    pub process_bytes: u64,
    /// Memory of one more request in flight.
    pub request_bytes: u64,
}

/// A measured request of known shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Calls a request, by kind.
    pub calls: BTreeMap<String, f64>,
    /// Processor time of the code itself, in seconds.
    pub work: f64,
    /// Processor time of the whole request, in seconds.
    pub cpu: f64,
}

/// The costs that fit the points best, each point counting by its relative error: the cost of a
/// request first, then by kind in the order of the alphabet. `None` where the points do not
/// determine them.
pub fn fit(points: &[Point]) -> Option<(Estimate, BTreeMap<String, Estimate>)> {
    let mut kinds: Vec<&String> = points.iter().flat_map(|point| point.calls.keys()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let observations: Vec<Observation> = (points.iter().filter(|point| point.cpu > 0.0))
        .map(|point| observation(point, &kinds))
        .collect();
    let mut estimates = least_squares::fit(&observations)?.into_iter();
    let request = estimates.next()?;
    let calls = kinds.into_iter().cloned().zip(estimates).collect();
    Some((request, calls))
}

fn observation(point: &Point, kinds: &[&String]) -> Observation {
    let count = |kind: &&String| point.calls.get(*kind).copied().unwrap_or(0.0);
    Observation {
        factors: std::iter::once(1.0)
            .chain(kinds.iter().map(count))
            .collect(),
        value: point.cpu - point.work,
        weight: 1.0 / (point.cpu * point.cpu),
    }
}

/// By how much a request costs more on a core that is idle otherwise than on a busy one: a core
/// that often sleeps finds its caches cold and its clock low when it wakes. Taken to be linear in
/// the share of the time that the core is idle. Each side is a request's processor time and the
/// share that the cores were busy; `None` where both were about equally busy.
pub fn coldness(idle: (f64, f64), busy: (f64, f64)) -> Option<f64> {
    let ((idle_cpu, idle_share), (busy_cpu, busy_share)) = (idle, busy);
    if busy_share - idle_share < LEAST_DIFFERENCE || busy_cpu <= 0.0 {
        return None;
    }
    // cpu = warm (1 + k (1 - share)) at both points; solved for k.
    let ratio = idle_cpu / busy_cpu;
    let slope = (1.0 - idle_share) - ratio * (1.0 - busy_share);
    (slope > 0.0).then(|| ((ratio - 1.0) / slope).clamp(0.0, MOST_COLDNESS))
}

/// What processor time is multiplied with where the cores are busy for this share of the time.
pub fn cold_factor(coldness: f64, busy_share: f64) -> f64 {
    1.0 + coldness * (1.0 - busy_share.clamp(0.0, 1.0))
}

impl Stack {
    /// Processor time that the stack adds to one request, in seconds. A kind of call that it was
    /// not calibrated for is named.
    pub fn overhead(&self, service: &Service, endpoint: &Endpoint) -> Result<f64, Uncalibrated> {
        let mut total = self.request.mean;
        for calls in &endpoint.calls {
            total += calls.count * self.call(&service.resources[calls.resource].kind)?.mean;
        }
        Ok(total)
    }

    fn call(&self, kind: &str) -> Result<Estimate, Uncalibrated> {
        self.calls.get(kind).copied().ok_or_else(|| Uncalibrated {
            stack: self.name.clone(),
            kind: kind.to_owned(),
        })
    }

    /// The stack on a machine that takes `factor` times as long for the same work.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut stack = self.clone();
        for cost in stack
            .calls
            .values_mut()
            .chain(std::iter::once(&mut stack.request))
        {
            cost.mean *= factor;
            cost.deviation *= factor;
        }
        stack
    }

    /// One of the stacks that the calibration's uncertainty allows; no cost is below zero.
    #[must_use]
    pub fn drawn(&self, random: &mut fastrand::Rng) -> Self {
        let mut stack = self.clone();
        for cost in std::iter::once(&mut stack.request).chain(stack.calls.values_mut()) {
            cost.mean = (cost.mean + cost.deviation * standard_normal(random)).max(0.0);
        }
        stack
    }
}

/// A stack was never measured with this kind of call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncalibrated {
    /// The stack.
    pub stack: String,
    /// The kind of call.
    pub kind: String,
}

/// The service as it would cost on another stack: the code's own part of each endpoint stays, at
/// least nothing; the stack's is exchanged.
///
/// # Errors
///
/// [`Uncalibrated`] where one of the stacks was not measured with a kind of call.
pub fn moved(service: &Service, from: &Stack, to: &Stack) -> Result<Service, Uncalibrated> {
    let mut moved = service.clone();
    for endpoint in &mut moved.endpoints {
        let before = from.overhead(service, endpoint)?;
        let after = to.overhead(service, endpoint)?;
        let code = (endpoint.cpu.mean() - before).max(0.0);
        endpoint.cpu = endpoint.cpu.with_mean(code + after);
    }
    Ok(moved)
}

/// The sum of twelve uniform values less six: normal enough for a 95 % interval.
fn standard_normal(random: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;
    use crate::service::{Calls, Resource};

    fn point(http: f64, sql: f64, work: f64, cpu: f64) -> Point {
        let calls = [("http".to_owned(), http), ("sql".to_owned(), sql)];
        Point {
            calls: calls.into_iter().collect(),
            work,
            cpu,
        }
    }

    fn stack(request: f64, http: f64) -> Stack {
        Stack {
            name: "flask".to_owned(),
            request: Estimate::exact(request),
            calls: BTreeMap::from([("http".to_owned(), Estimate::exact(http))]),
            process_bytes: 0,
            request_bytes: 0,
        }
    }

    fn service(cpu: f64, kind: &str) -> Service {
        let calls = Calls {
            resource: 0,
            count: 3.0,
            wait: Law::Constant(0.02),
            independent: 0.0,
            blocking: 0.0,
        };
        Service {
            endpoints: vec![Endpoint {
                name: "/".to_owned(),
                weight: 1.0,
                cpu: Law::Constant(cpu),
                calls: vec![calls],
            }],
            resources: vec![Resource {
                name: "api".to_owned(),
                kind: kind.to_owned(),
                servers: None,
            }],
        }
    }

    #[test]
    fn known_costs_come_back() {
        // 0.2 ms a request, 0.5 ms an HTTP call, 0.1 ms a query.
        let points = [
            point(0.0, 0.0, 0.0, 0.0002),
            point(1.0, 0.0, 0.001, 0.0017),
            point(10.0, 0.0, 0.0, 0.0052),
            point(0.0, 5.0, 0.0, 0.0007),
        ];
        let (request, calls) = fit(&points).expect("determined");
        assert!((request.mean - 0.0002).abs() < 1e-9);
        assert!((calls["http"].mean - 0.0005).abs() < 1e-9);
        assert!((calls["sql"].mean - 0.0001).abs() < 1e-9);
    }

    #[test]
    fn the_code_stays_and_the_stack_is_exchanged() {
        // Of 8 ms, 0.5 + 3 * 0.5 are the stack's: 6 ms are the code's.
        let moved = moved(
            &service(0.008, "http"),
            &stack(0.0005, 0.0005),
            &stack(0.0001, 0.0003),
        );
        let cpu = moved.expect("calibrated").cpu();
        assert!((cpu - 0.007).abs() < 1e-9, "{cpu}");
    }

    #[test]
    fn cold_cores_are_found_and_corrected() {
        // 2 ms on a busy core, 3 ms on an idle one.
        let at = |share: f64| (0.002 * cold_factor(0.5, share), share);
        let found = coldness(at(0.1), at(0.9)).expect("busy and idle");
        assert!((found - 0.5).abs() < 1e-9, "{found}");
        assert_eq!(coldness(at(0.5), at(0.6)), None);
    }

    #[test]
    fn a_driver_that_was_not_measured_is_named() {
        let error = moved(&service(0.008, "redis"), &stack(0.0, 0.0), &stack(0.0, 0.0));
        assert_eq!(error.expect_err("not measured").kind, "redis");
    }
}
