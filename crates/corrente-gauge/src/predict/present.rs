//! How the service is deployed, and how it would be.
//!
//! What the user says counts; else what was recorded; else a default, and then the report says so.
//! The other side gets a loop for each core, as Uvicorn's and Granian's own guides recommend.

use corrente_model::cost_table::Side;
use corrente_model::service::{Concurrency, Connections, Deployment};
use corrente_record::Resource;
use corrente_report::prediction::Setting;

use super::Settings;
use super::pair;
use super::reading::Reading;
use crate::aggregate::Figures;

/// Connections of a process to a database where nobody says otherwise: the default of asyncpg's
/// pool (`max_size`).
const POOL: usize = 10;
/// Threads of a server that starts one for each request.
const THREADS_UNLIMITED: usize = 256;

/// Both deployments.
#[derive(Debug)]
pub(super) struct Deployments {
    pub before: Deployment,
    pub after: Deployment,
    /// Connections of each process, on each side.
    pub pool_before: Option<u64>,
    pub pool_after: Option<u64>,
    /// The connections of the other side, where they are a default.
    pub assumed_pool: Option<u64>,
    pub cores_assumed: bool,
}

impl Deployments {
    /// Threads of a process now.
    pub(super) fn threads(&self) -> usize {
        match self.before.concurrency {
            Concurrency::Threads(threads) => threads,
            Concurrency::Loop { .. } => 1,
        }
    }

    pub(super) fn before_setting(&self) -> Setting {
        setting(&self.before, self.pool_before)
    }

    pub(super) fn after_setting(&self) -> Setting {
        setting(&self.after, self.pool_after)
    }
}

/// A deployment as a report has it.
pub(super) fn setting(deployment: &Deployment, pool: Option<u64>) -> Setting {
    Setting {
        cores: deployment.cores,
        workers: deployment.processes as u64,
        threads: match deployment.concurrency {
            Concurrency::Threads(threads) => Some(threads as u64),
            Concurrency::Loop { .. } => None,
        },
        pool,
    }
}

/// The deployments of a synchronous service and of what would take its place.
pub(super) fn deployments(
    figures: &Figures,
    reading: &Reading,
    settings: &Settings,
) -> Deployments {
    let cores = cores(figures, settings);
    let threads = settings.threads.unwrap_or_else(|| threads(figures));
    let has_database = databases(reading).any(|database| database.is_some());
    let assumed = settings.pool.is_none() && has_database;
    let pool_after = has_database.then(|| settings.pool.unwrap_or(POOL));
    let pool_before = settings.pool.filter(|_| has_database);
    let before = Deployment {
        cores,
        processes: settings.workers.unwrap_or_else(|| workers(figures)),
        concurrency: Concurrency::Threads(threads.max(1)),
        connections: connections(reading, pool_before, Side::Sync),
    };
    let after = Deployment {
        cores,
        processes: loops(cores),
        concurrency: Concurrency::Loop { gathered: 0.0 },
        connections: connections(reading, pool_after, Side::Async),
    };
    Deployments {
        before,
        after,
        pool_before: pool_before.map(|pool| pool as u64),
        pool_after: pool_after.map(|pool| pool as u64),
        assumed_pool: assumed.then_some(POOL as u64),
        cores_assumed: settings.cores.is_none(),
    }
}

/// The deployment of a service that is asynchronous already.
pub(super) fn looped(figures: &Figures, reading: &Reading, settings: &Settings) -> Deployment {
    Deployment {
        cores: cores(figures, settings),
        processes: settings.workers.unwrap_or_else(|| workers(figures)),
        concurrency: Concurrency::Loop { gathered: 0.0 },
        connections: connections_by(reading, settings.pool, Connections::of_loop),
    }
}

fn cores(figures: &Figures, settings: &Settings) -> f64 {
    settings.cores.or(figures.service.cores).unwrap_or(1.0)
}

/// One for each core, and for a part of one.
fn loops(cores: f64) -> usize {
    (cores.ceil() as usize).max(1)
}

/// Worker processes of one host: what the server was told, else those that served.
fn workers(figures: &Figures) -> usize {
    let service = &figures.service;
    let served = service
        .processes_at_once
        .div_ceil(service.hosts_at_once.max(1));
    let told = service.server.workers.map(|workers| workers as usize);
    told.unwrap_or(served).max(1)
}

pub(super) fn threads(figures: &Figures) -> usize {
    let server = &figures.service.server;
    match server.threads {
        Some(threads) => threads as usize,
        None if server.worker == "threads" => THREADS_UNLIMITED,
        None => figures.service.threads.max(1),
    }
}

/// Each resource that is a database.
fn databases(reading: &Reading) -> impl Iterator<Item = Option<&Resource>> {
    let resources = reading.resources.iter();
    resources.map(|one| one.as_ref().filter(|one| one.kind == "database"))
}

/// As many to each database as one process may have, in the order that the pool of each side of a migration
/// serves.
fn connections(reading: &Reading, pool: Option<usize>, side: Side) -> Vec<Connections> {
    connections_by(reading, pool, |driver, pool| match side {
        Side::Async => Connections::of_loop(pair::awaited(driver), pool),
        Side::Sync => Connections::PerProcess(pool),
    })
}

/// As many to each database as one process may have, from the pool that `of` says of its driver.
fn connections_by(
    reading: &Reading,
    pool: Option<usize>,
    of: impl Fn(&str, usize) -> Connections,
) -> Vec<Connections> {
    let of = |database: Option<&Resource>| match (pool, database) {
        (Some(pool), Some(database)) => of(&database.driver, pool),
        _ => Connections::Unlimited,
    };
    databases(reading).map(of).collect()
}
