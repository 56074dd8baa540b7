//! Both stacks of a migration from a table of costs: what a service runs on, and where it would go.
//!
//! What was not measured is borrowed from what is most like it, less sure, or is taken to cost the
//! same on both sides. Each such step is a gap, for whoever asked to say so. Names are the lab's:
//! `gunicorn sync`, `Flask`, `Requests`.

use std::collections::BTreeMap;

use crate::calibration::{Costs, Stack, Uncalibrated};
use crate::cost_table::{
    BORROWED_DEVIATION, CostTable, DriverCost, Side, Speed, StackCost, Workers,
};
use crate::least_squares::Estimate;
use crate::service::Service;

/// The framework of the other side where nobody names one.
pub const TO_DEFAULT: &str = "Starlette";
/// Memory of a process where it was not measured; more or less is that of the service.
pub const PROCESS_BYTES: u64 = 40 << 20;
/// Memory of a request in flight where it was not measured: a coroutine, its task and buffers.
pub const REQUEST_BYTES: u64 = 50 << 10;

/// A speed may be off by so many of its standard deviations.
pub(crate) const DOUBTED: f64 = 2.0;
/// Costs that are lowered to more than this share of theirs are as good as they were.
const HARDLY_LOWERED: f64 = 0.99;

/// A server and a framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// The server.
    pub server: &'a str,
    /// The framework; empty where it is not known.
    pub framework: &'a str,
}

/// How the calls of a kind are made on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calling {
    /// One after another.
    InTurn,
    /// All at once.
    Together,
}

/// What the calls of a kind go through on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drivers<'a> {
    /// The kind ([`crate::service::Resource::kind`]).
    pub kind: &'a str,
    /// The present driver; empty where no driver is behind the waiting.
    pub from: &'a str,
    /// The other side's; the same one where it stays, and then it still blocks.
    pub to: &'a str,
    /// How they are made there.
    pub calling: Calling,
}

/// What is exchanged for what.
#[derive(Debug, Clone, Copy)]
pub struct Migration<'a> {
    /// The present stack.
    pub from: Named<'a>,
    /// Threads of each of its processes.
    pub threads: usize,
    /// The other one.
    pub to: Named<'a>,
    /// The drivers of each kind of calls.
    pub drivers: &'a [Drivers<'a>],
}

/// Where a pair has other costs than those that were measured of its stacks. How the speed of the machine
/// changes them is in the [`Speed`] that the pair was asked for with.
#[derive(Debug, Clone, PartialEq)]
pub enum Gap {
    /// A stack has the costs of a similar one.
    Stack {
        /// The stack.
        stack: String,
        /// Whose costs it has.
        source: String,
    },
    /// A driver is taken to cost the same on both sides.
    Driver(String),
    /// The service's requests took less than the stack should take of them: the costs of both sides are
    /// lowered to this share.
    Lowered {
        /// Above 0, below 1.
        share: f64,
    },
}

/// Both stacks with their costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The present stack.
    pub from: Stack,
    /// The other one.
    pub to: Stack,
    /// Where those are not the ones that were measured.
    pub gaps: Vec<Gap>,
}

impl CostTable {
    /// The stacks of a migration of this service, on a machine of this speed.
    ///
    /// # Errors
    ///
    /// [`Uncalibrated`] where the service makes calls of a kind without an entry in the drivers.
    pub fn pair(
        &self,
        service: &Service,
        migration: &Migration<'_>,
        speed: Speed,
    ) -> Result<Pair, Uncalibrated> {
        let costs = TableCosts {
            table: self,
            service,
            speed,
            drivers: migration.drivers,
        };
        let Migration { threads, .. } = *migration;
        let mut gaps = Vec::new();
        let single = costs.stack(migration.from, Side::Sync, Workers::Single);
        let threaded = costs
            .stack(migration.from, Side::Sync, Workers::Threaded)
            .filter(|_| threads > 1);
        let from = dearer(service, threads, single, threaded)?;
        // A similar stack that would have taken more than the request says nothing of the machine's speed.
        let is_borrowed = from.as_ref().is_some_and(|from| from.gap.is_some());
        let to = costs.stack(migration.to, Side::Async, Workers::Single);
        let mut taken = |priced: Option<Priced>, named: Named<'_>| {
            let priced = priced.unwrap_or_else(|| Priced::unknown(named));
            gaps.extend(priced.gap);
            priced.stack
        };
        let (from, to) = (taken(from, migration.from), taken(to, migration.to));
        let factor = if is_borrowed {
            1.0
        } else {
            allowed(&from, service, speed)?
        };
        let (from, to) = (from.scaled(factor), to.scaled(factor));
        for one in migration.drivers {
            let gap = Gap::Driver(one.from.to_owned());
            if costs.call(one).is_none() && !gaps.contains(&gap) {
                gaps.push(gap);
            }
        }
        if factor < HARDLY_LOWERED {
            gaps.push(Gap::Lowered { share: factor });
        }
        Ok(Pair { from, to, gaps })
    }
}

/// The service itself says how dear its stack can be at most: no stack takes more of a request than the
/// request took. So far as the speed of its machine is in doubt, the costs of both sides follow that.
fn allowed(from: &Stack, service: &Service, speed: Speed) -> Result<f64, Uncalibrated> {
    let doubted = (-DOUBTED * speed.deviation).exp();
    Ok(from.most(service)?.clamp(doubted, 1.0))
}

/// A stack with its costs.
#[derive(Debug)]
struct Priced {
    stack: Stack,
    gap: Option<Gap>,
}

impl Priced {
    /// A stack of a side of which the table has nothing.
    fn unknown(named: Named<'_>) -> Self {
        let costs = Costs {
            request: Estimate::exact(0.0),
            calls: BTreeMap::new(),
            coldness: 0.0,
            work: None,
            scale_deviation: 0.0,
        };
        Self {
            stack: Stack {
                name: named.joined(),
                threads: 1,
                costs,
                process_bytes: PROCESS_BYTES,
                request_bytes: REQUEST_BYTES,
            },
            gap: None,
        }
    }
}

/// Which of two measures of a stack holds for a service: costs of busy threads are without the
/// coldness of those that sleep, and costs of a single thread without their hand-overs, so each is
/// too low where the other is right.
fn dearer(
    service: &Service,
    threads: usize,
    single: Option<Priced>,
    threaded: Option<Priced>,
) -> Result<Option<Priced>, Uncalibrated> {
    let with_threads = |mut priced: Priced| {
        priced.stack.threads = threads.max(1);
        priced
    };
    match (single.map(with_threads), threaded.map(with_threads)) {
        (Some(single), Some(threaded)) => {
            let is_busy = threaded.stack.share(service)? > single.stack.share(service)?;
            Ok(Some(if is_busy { threaded } else { single }))
        }
        (single, threaded) => Ok(single.or(threaded)),
    }
}

/// The costs of the table on this machine, for calls through these drivers.
struct TableCosts<'a> {
    table: &'a CostTable,
    service: &'a Service,
    speed: Speed,
    drivers: &'a [Drivers<'a>],
}

impl TableCosts<'_> {
    /// The costs of a stack, or of the one most like it. Of processes of many threads only those of
    /// the same framework are like it.
    fn stack(&self, named: Named<'_>, side: Side, workers: Workers) -> Option<Priced> {
        let (found, is_own) = self.most_like(named, side, workers)?;
        let deviation = if is_own {
            found.deviation
        } else {
            found.deviation.max(BORROWED_DEVIATION)
        };
        let calls = self.drivers.iter().map(|one| {
            let [from, to] = self.call(one).unwrap_or([Call::NONE; 2]);
            let cost = match (side, workers) {
                (Side::Sync, Workers::Single) => from.single,
                (Side::Sync, Workers::Threaded) => from.threaded,
                (Side::Async, _) => to.single,
            };
            (one.kind.to_owned(), cost)
        });
        let costs = Costs {
            request: self.speed.cost(found.request_us, deviation),
            calls: calls.collect(),
            coldness: found.coldness,
            work: None,
            scale_deviation: self.speed.deviation,
        };
        let source = Named {
            server: &found.server,
            framework: &found.framework,
        };
        let gap = Gap::Stack {
            stack: named.joined(),
            source: source.joined(),
        };
        Some(Priced {
            stack: Stack {
                name: named.joined(),
                threads: 1,
                costs,
                process_bytes: found.process_bytes.unwrap_or(PROCESS_BYTES),
                request_bytes: found.request_bytes.unwrap_or(REQUEST_BYTES),
            },
            gap: (!is_own).then_some(gap),
        })
    }

    /// A stack's own entry, or one of the same framework, else of the default of the other side,
    /// else of the same server, else any; and whether it is its own.
    fn most_like(
        &self,
        named: Named<'_>,
        side: Side,
        workers: Workers,
    ) -> Option<(&StackCost, bool)> {
        let stacks = || {
            let all = self.table.stacks.iter();
            all.filter(move |one| one.side == side && one.workers == workers)
        };
        let of = |framework: &str| stacks().find(|one| one.framework == framework);
        let own =
            stacks().find(|one| one.framework == named.framework && one.server == named.server);
        if let Some(own) = own {
            return Some((own, true));
        }
        let same = of(named.framework);
        if workers == Workers::Threaded {
            return same.map(|one| (one, false));
        }
        let borrowed = same
            .or_else(|| of(TO_DEFAULT))
            .or_else(|| stacks().find(|one| one.server == named.server))
            .or_else(|| stacks().next())?;
        Some((borrowed, false))
    }

    /// What a call costs on both sides; `None` where one of them is not known, as a cost on one side
    /// alone would be a gain or a loss out of nothing.
    fn call(&self, drivers: &Drivers<'_>) -> Option<[Call; 2]> {
        if drivers.from.is_empty() {
            return Some([Call::NONE; 2]);
        }
        let find = |name: &str, side| {
            let mut all = self.table.drivers.iter();
            all.find(|one| one.name == name && one.side == side)
        };
        let from = find(drivers.from, Side::Sync).or_else(|| self.told(drivers));
        let from = self.call_through(from?);
        let to = match find(drivers.to, Side::Async) {
            Some(found) if drivers.calling == Calling::Together => {
                let microseconds = found.gathered_us.unwrap_or(found.call_us);
                Call::of(self.speed.cost(microseconds, found.deviation))
            }
            Some(found) => self.call_through(found),
            // It stays and blocks the loop, whose process is as busy as one of many threads.
            None if drivers.from == drivers.to => Call::of(from.threaded),
            None => return None,
        };
        Some([from, to])
    }

    /// A driver that was not measured, whose calls the service itself tells all about: they may take as much
    /// of it as of the dearest of its kind.
    fn told(&self, drivers: &Drivers<'_>) -> Option<&DriverCost> {
        let resources = &self.service.resources;
        let mut calls = (self.service.endpoints.iter().flat_map(|one| &one.calls))
            .filter(|calls| resources[calls.resource].kind == drivers.kind);
        if !calls.all(|calls| calls.cpu.is_some()) {
            return None;
        }
        let all = || self.table.drivers.iter();
        let to = all().find(|one| one.name == drivers.to && one.side == Side::Async)?;
        let alike = all().filter(|one| one.side == Side::Sync && one.kind == to.kind);
        alike.max_by(|one, other| one.call_us.total_cmp(&other.call_us))
    }

    fn call_through(&self, driver: &DriverCost) -> Call {
        let cost = |microseconds| self.speed.cost(microseconds, driver.deviation);
        Call {
            single: cost(driver.call_us),
            threaded: cost(driver.threaded_us.unwrap_or(driver.call_us)),
        }
    }
}

/// What a call costs, by the kind of processes.
#[derive(Debug, Clone, Copy)]
struct Call {
    single: Estimate,
    threaded: Estimate,
}

impl Call {
    const NONE: Self = Self::of(Estimate {
        mean: 0.0,
        deviation: 0.0,
    });

    const fn of(cost: Estimate) -> Self {
        Self {
            single: cost,
            threaded: cost,
        }
    }
}

impl Named<'_> {
    fn joined(&self) -> String {
        let words = [self.framework, self.server];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests;
