//! Calibration: what a stack (server, framework, drivers, loop) costs, apart from the user's code.
//!
//! The processor time of a request is that of the code plus the stack's: a part for each request
//! and a part for each call, by kind of driver. Both are fitted to measured requests of known
//! shape. Moving a service from one stack to another exchanges the stack's part and keeps the
//! code's. Costs are seconds on the machine where they were measured; `scaled` takes them to
//! another. Where the service itself tells what its calls took ([`Calls::cpu`]), that is the stack's part
//! of them, and not what such calls took elsewhere.
//!
//! A process that sleeps wakes to cold caches: the longer a call waited, the more processor time
//! follows it (measured: docs/BENCHMARKS.md, `bench model`). A sync worker sleeps through each of
//! its calls; a loop under load hardly sleeps. So a stack has a coldness: its costs grow by that
//! share for each unit of ln(1 + wait / 1 ms).

use std::collections::BTreeMap;

use crate::least_squares::{self, Estimate, Observation};
use crate::service::{Calls, Endpoint, Service};

/// The wait after which caches begin to be cold, in seconds.
const COLD_AFTER: f64 = 0.001;
/// Values of the coldness that are tried, and their distance.
const COLDNESS_TRIED: (u32, f64) = (60, 0.05);
/// An endpoint tells how dear its stack can be at most if it has this share of the processor time: static files
/// and health checks often bypass a part of the stack.
const TELLING_SHARE: f64 = 0.05;
/// A call that took more than so many times what its driver was measured to take had more data to read: what
/// is beyond that stays with the code. Up to twice was seen where sixteen processes share a core and have
/// cold caches (docs/BENCHMARKS.md, `bench model`).
const EXCHANGED_MOST: f64 = 2.0;
/// No stack's part of a request is known to be less than this, in seconds.
const LEAST_PART: f64 = 1e-9;
/// Coldness needs requests whose waits, as logarithms, are at least this far apart.
const COLDNESS_SPREAD: f64 = 1.0;

/// What a stack costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Threads of a process, all in use, under which a service was measured on it: 1 for a sync
    /// worker, and for a loop, whose costs are those of a busy one.
    pub threads: usize,
    /// What it costs in processor time.
    pub costs: Costs,
    /// Memory of one process.
    pub process_bytes: u64,
    /// Memory of one more request in flight.
    pub request_bytes: u64,
}

/// Processor time of a stack, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// Of each request.
    pub request: Estimate,
    /// Of each call, by kind ([`crate::service::Resource::kind`]).
    pub calls: BTreeMap<String, Estimate>,
    /// The share by which they grow with each unit of ln(1 + wait / 1 ms).
    pub coldness: f64,
    /// Of a unit of the code's own work: the same code does not cost the same in every process. `None`
    /// where no request was measured that has any.
    pub work: Option<Estimate>,
    /// Relative standard deviation of a factor that all costs of both sides have in common: how fast
    /// this machine is against the one where they were measured.
    pub scale_deviation: f64,
}

/// A measured request of known shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Calls a request, by kind.
    pub calls: BTreeMap<String, f64>,
    /// How long the process sleeps in a call, in seconds; 0 for a loop that is busy.
    pub wait: f64,
    /// The code's own work, in a unit that all points of all stacks share; 0 where there is none.
    pub work: f64,
    /// Processor time of the whole request, in seconds.
    pub cpu: f64,
}

/// The costs that fit the points best, each point counting by its relative error. `None` where the
/// points do not determine them.
pub fn fit(points: &[Point]) -> Option<Costs> {
    let points: Vec<&Point> = points.iter().filter(|point| point.cpu > 0.0).collect();
    let unknowns = Unknowns::of(&points);
    let tried = if tells_coldness(&points, unknowns.count()) {
        COLDNESS_TRIED.0
    } else {
        0
    };
    let fits = (0..=tried).filter_map(|step| {
        let coldness = f64::from(step) * COLDNESS_TRIED.1;
        let observations: Vec<Observation> = points
            .iter()
            .map(|point| unknowns.observation(point, coldness))
            .collect();
        let estimates = least_squares::fit(&observations)?;
        Some((
            least_squares::squares(&observations, &estimates),
            coldness,
            estimates,
        ))
    });
    let (_, coldness, estimates) = fits.min_by(|one, other| one.0.total_cmp(&other.0))?;
    let mut estimates = estimates.into_iter();
    let request = estimates.next()?;
    let kinds = unknowns.kinds.into_iter().cloned();
    let calls = kinds.zip(estimates.by_ref()).collect();
    Some(Costs {
        request,
        calls,
        coldness,
        work: estimates.next(),
        scale_deviation: 0.0,
    })
}

/// Whether there are points enough, of waits different enough, to tell coldness from cost.
fn tells_coldness(points: &[&Point], unknowns: usize) -> bool {
    let waits = points
        .iter()
        .filter(|point| point.wait > 0.0)
        .map(|point| growth(point.wait));
    let (least, most) = waits.fold((f64::INFINITY, 0.0_f64), |(least, most), wait| {
        (least.min(wait), most.max(wait))
    });
    points.len() > unknowns && most - least >= COLDNESS_SPREAD
}

/// What a fit looks for: the cost of a request, of each kind of call, and of work where a point has any.
#[derive(Debug)]
struct Unknowns<'a> {
    kinds: Vec<&'a String>,
    has_work: bool,
}

impl<'a> Unknowns<'a> {
    fn of(points: &[&'a Point]) -> Self {
        let mut kinds: Vec<&String> = points.iter().flat_map(|point| point.calls.keys()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            kinds,
            has_work: points.iter().any(|point| point.work > 0.0),
        }
    }

    fn count(&self) -> usize {
        1 + self.kinds.len() + usize::from(self.has_work)
    }

    fn observation(&self, point: &Point, coldness: f64) -> Observation {
        let count = |kind: &&String| point.calls.get(*kind).copied().unwrap_or(0.0);
        let cold = 1.0 + coldness * growth(point.wait);
        let counts = std::iter::once(1.0).chain(self.kinds.iter().map(count));
        let work = self.has_work.then_some(point.work);
        Observation {
            factors: counts.map(|count| count * cold).chain(work).collect(),
            value: point.cpu,
            weight: 1.0 / (point.cpu * point.cpu),
        }
    }
}

fn growth(wait: f64) -> f64 {
    (wait / COLD_AFTER).ln_1p()
}

impl Stack {
    /// Processor time of the stack in a mean request of a service that was measured on it, in
    /// seconds.
    ///
    /// # Errors
    ///
    /// [`Uncalibrated`] where the stack was not measured with a kind of call.
    pub fn share(&self, service: &Service) -> Result<f64, Uncalibrated> {
        let (mut total, mut weight) = (0.0, 0.0);
        for endpoint in &service.endpoints {
            total += endpoint.weight * self.taken(service, endpoint)?.in_all();
            weight += endpoint.weight;
        }
        Ok(if weight > 0.0 { total / weight } else { 0.0 })
    }

    /// The greatest factor on the stack's costs that leaves none of the service's endpoints with less
    /// than nothing of its own, as far as they are measured on it; infinite where it costs nothing.
    /// Endpoints that hardly matter do not count; what their calls were measured to take is no cost of
    /// the stack's.
    ///
    /// # Errors
    ///
    /// [`Uncalibrated`] where the stack was not measured with a kind of call.
    pub fn most(&self, service: &Service) -> Result<f64, Uncalibrated> {
        let cpu = |endpoint: &Endpoint| endpoint.weight * endpoint.cpu.mean();
        let total: f64 = service.endpoints.iter().map(cpu).sum();
        let mut most = f64::INFINITY;
        for endpoint in &service.endpoints {
            let taken = self.taken(service, endpoint)?;
            let is_telling = cpu(endpoint) > 0.0 && cpu(endpoint) >= TELLING_SHARE * total;
            if taken.reckoned > 0.0 && is_telling {
                let left = (endpoint.cpu.mean() - taken.measured).max(0.0);
                most = most.min(left / taken.reckoned);
            }
        }
        Ok(most)
    }

    /// Processor time that the stack takes of one request of a service that was measured on it. A kind of
    /// call that it was not calibrated for is named.
    fn taken(&self, service: &Service, endpoint: &Endpoint) -> Result<Taken, Uncalibrated> {
        let cold = self.cold(endpoint, self.threads);
        let mut taken = Taken {
            measured: 0.0,
            reckoned: self.costs.request.mean * cold,
        };
        for calls in &endpoint.calls {
            let reckoned = self.call(&service.resources[calls.resource].kind)?.mean * cold;
            match calls.cpu {
                Some(cpu) => taken.measured += calls.count * cpu.min(EXCHANGED_MOST * reckoned),
                None => taken.reckoned += calls.count * reckoned,
            }
        }
        Ok(taken)
    }

    /// Processor time that the stack would add to one request of a service that is moved to it, in
    /// seconds. A kind of call that it was not calibrated for is named.
    fn added(&self, service: &Service, endpoint: &Endpoint) -> Result<f64, Uncalibrated> {
        let mut total = self.costs.request.mean;
        for calls in &endpoint.calls {
            total += calls.count * self.call(&service.resources[calls.resource].kind)?.mean;
        }
        Ok(total * self.cold(endpoint, self.threads))
    }

    /// How many times as much it costs in processes of so many threads, all in use, as where caches are warm.
    fn cold(&self, endpoint: &Endpoint, threads: usize) -> f64 {
        1.0 + self.costs.coldness * growth(sleep(endpoint, threads))
    }

    fn call(&self, kind: &str) -> Result<Estimate, Uncalibrated> {
        self.costs
            .calls
            .get(kind)
            .copied()
            .ok_or_else(|| Uncalibrated {
                stack: self.name.clone(),
                kind: kind.to_owned(),
            })
    }

    /// The stack on a machine that takes `factor` times as long for the same work.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        self.with_costs(|cost| Estimate {
            mean: cost.mean * factor,
            deviation: cost.deviation * factor,
        })
    }

    /// One of the stacks that the calibration's uncertainty allows; no cost is below zero.
    #[must_use]
    pub fn drawn(&self, random: &mut fastrand::Rng) -> Self {
        self.with_costs(|cost| Estimate {
            mean: (cost.mean + cost.deviation * standard_normal(random)).max(0.0),
            deviation: cost.deviation,
        })
    }

    fn with_costs(&self, mut change: impl FnMut(Estimate) -> Estimate) -> Self {
        let mut stack = self.clone();
        let costs = &mut stack.costs;
        let stacks = std::iter::once(&mut costs.request).chain(costs.calls.values_mut());
        for cost in stacks.chain(&mut costs.work) {
            *cost = change(*cost);
        }
        stack
    }
}

/// What a stack takes of a request that was measured on it, in seconds.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// Within calls, as the service itself tells.
    measured: f64,
    /// The rest, by the stack's costs.
    reckoned: f64,
}

impl Taken {
    fn in_all(self) -> f64 {
        self.measured + self.reckoned
    }
}

/// How many times as long the code's own work takes in processes of the one as in those of the other;
/// as long where that was not measured in both.
fn pace(from: &Stack, to: &Stack) -> f64 {
    let work = |stack: &Stack| stack.costs.work.map(|cost| cost.mean);
    match (work(from), work(to)) {
        (Some(before), Some(after)) if before > 0.0 && after > 0.0 => after / before,
        _ => 1.0,
    }
}

/// How long a process of so many threads, all in use, sleeps in a mean call, in seconds: the wait
/// less what the other threads compute meanwhile, divided among the threads.
fn sleep(endpoint: &Endpoint, threads: usize) -> f64 {
    let count: f64 = endpoint.calls.iter().map(|calls| calls.count).sum();
    let waiting: f64 = endpoint.calls.iter().map(Calls::waiting).sum();
    if count <= 0.0 {
        return 0.0;
    }
    let computing = endpoint.cpu.mean() * (threads - 1) as f64;
    (waiting - computing).max(0.0) / count / threads as f64
}

/// A stack was never measured with this kind of call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncalibrated {
    /// The stack.
    pub stack: String,
    /// The kind of call.
    pub kind: String,
}

/// A service as it was measured on a stack.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What its requests cost there.
    pub service: &'a Service,
    /// What the stack takes of them.
    pub stack: &'a Stack,
    /// By which share that may be off, above zero; of several, only their proportion matters.
    pub deviation: f64,
}

/// The code's own part of a mean request, in seconds, where the same service was measured on several
/// stacks. Each tells it as a difference: what the request took less what the stack takes. That is off by
/// as much as the stack's part is, which is a share of it; so each counts by the inverse of the square of
/// that part and that share (the weights of least variance). Taken to the first stack's pace, and not below zero.
///
/// # Errors
///
/// [`Uncalibrated`] where one of the stacks was not measured with a kind of call.
pub fn own_part(told: &[Told<'_>]) -> Result<f64, Uncalibrated> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for one in told {
        let overhead = one.stack.share(one.service)?;
        let pace = told
            .first()
            .map_or(1.0, |first| pace(one.stack, first.stack));
        let weight = (overhead * pace * one.deviation).max(LEAST_PART).powi(-2);
        sum += weight * (one.service.cpu() - overhead) * pace;
        weights += weight;
    }
    Ok((sum / weights).max(0.0))
}

/// The service as it would cost on another stack: the code's own part of each endpoint stays, at
/// least nothing, and takes as long as work takes there; the stack's is exchanged.
///
/// # Errors
///
/// [`Uncalibrated`] where one of the stacks was not measured with a kind of call.
pub fn moved(service: &Service, from: &Stack, to: &Stack) -> Result<Service, Uncalibrated> {
    let mut moved = service.clone();
    let pace = pace(from, to);
    for endpoint in &mut moved.endpoints {
        let code = (endpoint.cpu.mean() - from.taken(service, endpoint)?.in_all()).max(0.0);
        let cpu = code * pace + to.added(service, endpoint)?;
        endpoint.cpu = endpoint.cpu.with_mean(cpu);
        // It was measured where the service came from.
        endpoint.calls.iter_mut().for_each(|calls| calls.cpu = None);
    }
    Ok(moved)
}

/// The service as it costs in processes of so many threads, measured in processes of others: a
/// process of many threads hardly sleeps while one of them waits.
///
/// # Errors
///
/// [`Uncalibrated`] where the stack was not measured with a kind of call.
pub fn threaded(service: &Service, stack: &Stack, threads: usize) -> Result<Service, Uncalibrated> {
    let mut threaded = service.clone();
    for endpoint in &mut threaded.endpoints {
        let before = stack.taken(service, endpoint)?.in_all();
        let times = stack.cold(endpoint, threads) / stack.cold(endpoint, stack.threads);
        let measured = endpoint.cpu.mean();
        // The stack cannot have taken more of a request than the request took.
        let possible = if before > measured {
            measured / before
        } else {
            1.0
        };
        let cpu = measured + possible * before * (times - 1.0);
        endpoint.cpu = endpoint.cpu.with_mean(cpu);
        for calls in &mut endpoint.calls {
            calls.cpu = calls.cpu.map(|cpu| cpu * times);
        }
    }
    Ok(threaded)
}

/// The sum of twelve uniform values less six: normal enough for a 95 % interval.
pub(crate) fn standard_normal(random: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests;
