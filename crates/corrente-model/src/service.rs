//! A service as measured: what its endpoints cost and wait for, and how it is deployed.
//!
//! The same service under two deployments, one synchronous and one asynchronous, is what a
//! prediction compares. From both together follow the bounds (`bounds`) and what is simulated
//! (`translation`). Times are seconds.

#[cfg(test)]
pub(crate) mod fixture;

use crate::law::Law;

/// What is measured of a service and the same whatever runs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// What they wait for.
    pub resources: Vec<Resource>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name, a route for instance.
    pub name: String,
    /// How often it is asked, relative to the others.
    pub weight: f64,
    /// Processor time of one request, the server's and the framework's included.
    pub cpu: Law,
    /// What it waits for.
    pub calls: Vec<Calls>,
}

/// The calls that one request makes to one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Calls {
    /// The resource's place in [`Service::resources`].
    pub resource: usize,
    /// Calls a request, on average.
    pub count: f64,
    /// How long one takes, the connection in hand.
    pub wait: Law,
    /// The share that does not depend on one another and could be made at the same time.
    pub independent: f64,
    /// The share of the wait that would still block an event loop.
    pub blocking: f64,
    /// Seconds of processor time that the client library took for one, as measured where the service
    /// runs now; [`Endpoint::cpu`] holds it too. `None` where that is not known.
    pub cpu: Option<f64>,
}

/// Something outside the process that requests wait for.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name, a host for instance.
    pub name: String,
    /// What the driver's cost per call is found under, in a stack's costs.
    pub kind: String,
    /// What serves its calls, where that is known to be limited.
    pub servers: Option<Servers>,
}

/// What serves the calls of a resource: workers, lanes, the processors of a database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Servers {
    /// Calls that are served at once; others stand in line.
    pub count: usize,
    /// Seconds for which a mean call takes one of them; as long as it waits, where that is shorter or
    /// nothing is said. The rest of its wait nobody is taken for: networks, and waking up.
    pub taken: Option<f64>,
}

impl Servers {
    /// So many that are each taken as long as a call waits.
    pub fn lanes(count: usize) -> Self {
        Self { count, taken: None }
    }

    /// The share of a mean wait, in seconds, for which one of them is taken.
    pub fn share_of(self, wait: f64) -> f64 {
        match self.taken {
            Some(taken) if wait > taken => (taken / wait).max(0.0),
            _ => 1.0,
        }
    }
}

/// How a service runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Processor cores that it may use; a container's quota may be a fraction.
    pub cores: f64,
    /// Worker processes, or event loops.
    pub processes: usize,
    /// What runs in a process.
    pub concurrency: Concurrency,
    /// Connections of each resource, in the order of [`Service::resources`].
    pub connections: Vec<Connections>,
}

/// What runs in a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Concurrency {
    /// One request after another in each of so many threads; 1 is a sync worker.
    Threads(usize),
    /// An event loop.
    Loop {
        /// The share of the independent calls that are made at the same time.
        gathered: f64,
    },
}

/// Connections to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// As many as there are calls.
    Unlimited,
    /// So many in each process; who has waited longest gets the next.
    PerProcess(usize),
    /// So many in each process, and whoever asks first gets the next: `asyncio.Queue`, asyncpg's pool
    /// ([`Discipline::Barging`](crate::simulator::Discipline::Barging)).
    Barging(usize),
    /// So many in all.
    InAll(usize),
}

impl Service {
    /// Mean over all requests of what `of` says of an endpoint.
    pub fn mean(&self, of: impl Fn(&Endpoint) -> f64) -> f64 {
        let weight: f64 = self.endpoints.iter().map(|endpoint| endpoint.weight).sum();
        if weight <= 0.0 {
            return 0.0;
        }
        let weighted = self
            .endpoints
            .iter()
            .map(|endpoint| endpoint.weight * of(endpoint));
        weighted.sum::<f64>() / weight
    }

    /// Processor time of a mean request.
    pub fn cpu(&self) -> f64 {
        self.mean(|endpoint| endpoint.cpu.mean())
    }

    /// Time that a mean request waits, its calls one after another.
    pub fn waiting(&self) -> f64 {
        self.mean(|endpoint| endpoint.calls.iter().map(Calls::waiting).sum())
    }

    /// Time that a mean request waits for one resource.
    pub fn waiting_for(&self, resource: usize) -> f64 {
        let calls_of = |endpoint: &Endpoint| {
            let calls = endpoint
                .calls
                .iter()
                .filter(|calls| calls.resource == resource);
            calls.map(Calls::waiting).sum()
        };
        self.mean(calls_of)
    }

    /// Time for which a mean request takes a server of one resource; 0 where there is no limit.
    pub fn served_for(&self, resource: usize) -> f64 {
        let Some(servers) = self.resources[resource].servers else {
            return 0.0;
        };
        let taken = |calls: &Calls| calls.waiting() * servers.share_of(calls.wait.mean());
        self.mean(|endpoint| {
            let calls = endpoint.calls.iter();
            calls
                .filter(|calls| calls.resource == resource)
                .map(taken)
                .sum()
        })
    }

    /// The same service with another mean processor time in each endpoint. What calls take of it is not
    /// known any more.
    #[must_use]
    pub fn with_cpu(&self, cpu: impl Fn(&Endpoint) -> f64) -> Self {
        let mut changed = self.clone();
        for endpoint in &mut changed.endpoints {
            endpoint.cpu = endpoint.cpu.with_mean(cpu(endpoint));
            endpoint.calls.iter_mut().for_each(|calls| calls.cpu = None);
        }
        changed
    }

    /// The same service if all processor times that were measured of it are off by this factor.
    #[must_use]
    pub fn off_by(&self, factor: f64) -> Self {
        let mut changed = self.clone();
        for endpoint in &mut changed.endpoints {
            endpoint.cpu = endpoint.cpu.with_mean(endpoint.cpu.mean() * factor);
            for calls in &mut endpoint.calls {
                calls.cpu = calls.cpu.map(|cpu| cpu * factor);
            }
        }
        changed
    }
}

impl Calls {
    /// Seconds that a request spends in these calls, one after another.
    pub fn waiting(&self) -> f64 {
        self.count * self.wait.mean()
    }
}

/// Drivers whose own pool gives a connection to whoever asks first, by the lab's names. Psycopg's
/// hands it to who has waited longest (`psycopg_pool`, `AsyncConnectionPool._add_to_pool`).
const BARGING: &[&str] = &["asyncpg"];

impl Connections {
    /// So many in each event loop, from the own pool of one of these drivers (`aiohttp, asyncpg`).
    pub fn of_loop(drivers: &str, count: usize) -> Self {
        if drivers.split(", ").any(|driver| BARGING.contains(&driver)) {
            Self::Barging(count)
        } else {
            Self::PerProcess(count)
        }
    }
}

impl Deployment {
    /// Requests that it has in hand at most; infinite for event loops.
    pub fn slots(&self) -> f64 {
        match self.concurrency {
            Concurrency::Threads(threads) => self.processes as f64 * threads as f64,
            Concurrency::Loop { .. } => f64::INFINITY,
        }
    }

    /// The same with pools that give a connection to who has waited longest.
    #[must_use]
    pub fn fair(&self) -> Self {
        let mut fair = self.clone();
        for connections in &mut fair.connections {
            if let Connections::Barging(count) = *connections {
                *connections = Connections::PerProcess(count);
            }
        }
        fair
    }

    /// Connections to one resource in all; infinite where unlimited.
    pub fn connections_to(&self, resource: usize) -> f64 {
        match self.connections.get(resource) {
            None | Some(Connections::Unlimited) => f64::INFINITY,
            Some(Connections::PerProcess(count) | Connections::Barging(count)) => {
                (count * self.processes) as f64
            }
            Some(Connections::InAll(count)) => *count as f64,
        }
    }
}
