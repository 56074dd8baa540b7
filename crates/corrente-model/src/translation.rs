//! From a service under a deployment to what the simulator runs.
//!
//! Calls are spread evenly over the processor time of a request: work, call, work, call, work. A
//! mean of 2.4 calls becomes classes with 2 and with 3. A share of blocking is a share of each
//! wait: its first part holds the loop, the rest does not.

use crate::law::Law;
use crate::service::{Calls, Concurrency, Connections, Deployment, Endpoint, Service};
use crate::simulator::{
    Discipline, Intake, Pool, PoolId, RequestClass, Scope, Station, StationId, Step, System, Track,
};

/// How long a process keeps a core that others want, in seconds (Linux: `sched_base_slice_ns`).
const CORE_SLICE: f64 = 0.003;
/// Time between two looks of the kernel whether that has passed, in seconds: `CONFIG_HZ` is 250 in
/// most distributions' kernels.
const CORE_TICK: f64 = 0.004;
/// How long a thread keeps CPython's interpreter lock while another wants it
/// (`sys.getswitchinterval`), in seconds.
const SWITCH_INTERVAL: f64 = 0.005;
/// Connections that wait to be taken: Gunicorn's and Uvicorn's default (`backlog`, 2048).
const BACKLOG: usize = 2048;
/// Classes an endpoint becomes where its numbers of calls are not whole.
const STRATA: usize = 10;

/// What the simulator runs for this service under this deployment.
pub fn system(service: &Service, deployment: &Deployment) -> System {
    let (slots, time_slice, intake) = match deployment.concurrency {
        Concurrency::Threads(threads) => (threads, SWITCH_INTERVAL, Intake::Shared),
        Concurrency::Loop { .. } => (usize::MAX, f64::INFINITY, Intake::PerConnection),
    };
    let unlimited = usize::MAX;
    let servers = service
        .resources
        .iter()
        .map(|resource| resource.servers.unwrap_or(unlimited));
    System {
        cores: deployment.cores,
        core_slice: CORE_SLICE,
        core_tick: CORE_TICK,
        processes: deployment.processes,
        slots,
        time_slice,
        intake,
        backlog: BACKLOG,
        stations: servers.map(|servers| Station { servers }).collect(),
        pools: (0..service.resources.len())
            .map(|number| pool(deployment, number))
            .collect(),
        classes: (service.endpoints.iter())
            .flat_map(|endpoint| classes(endpoint, deployment))
            .collect(),
    }
}

fn pool(deployment: &Deployment, resource: usize) -> Pool {
    let (size, scope, discipline) = match deployment.connections.get(resource) {
        None | Some(Connections::Unlimited) => (usize::MAX, Scope::Service, Discipline::Fair),
        Some(Connections::InAll(size)) => (*size, Scope::Service, Discipline::Fair),
        Some(Connections::PerProcess(size)) => (*size, Scope::Process, Discipline::Fair),
        Some(Connections::Barging(size)) => (*size, Scope::Process, Discipline::Barging),
    };
    Pool {
        size,
        scope,
        discipline,
    }
}

/// One class, or several where a number of calls has a fraction.
fn classes(endpoint: &Endpoint, deployment: &Deployment) -> Vec<RequestClass> {
    let whole = endpoint
        .calls
        .iter()
        .all(|calls| calls.count.fract() == 0.0);
    let strata = if whole { 1 } else { STRATA };
    let class = |stratum: usize| {
        let position = (stratum as f64 + 0.5) / strata as f64;
        RequestClass {
            weight: endpoint.weight / strata as f64,
            tracks: tracks(endpoint, position, deployment.concurrency),
        }
    };
    (0..strata).map(class).collect()
}

/// The whole number of calls of the requests at `position` (0 to 1) of all.
fn count_at(count: f64, position: f64) -> usize {
    let above = f64::from(u8::from(position >= 1.0 - count.fract()));
    (count.floor() + above) as usize
}

/// A request's tracks. Processor time goes in equal parts before each call and after the last.
fn tracks(endpoint: &Endpoint, position: f64, concurrency: Concurrency) -> Vec<Track> {
    let counts: Vec<usize> = (endpoint.calls.iter())
        .map(|calls| count_at(calls.count, position))
        .collect();
    let parts = counts.iter().sum::<usize>() + 1;
    let work = Step::Compute(part_of(&endpoint.cpu, parts));
    let mut main = vec![work.clone()];
    let mut beside = Vec::new();
    for (calls, count) in endpoint.calls.iter().zip(counts) {
        let at_once = at_once(calls, count, concurrency);
        for _ in at_once..count {
            main.extend(call(calls, concurrency));
            main.push(work.clone());
        }
        if at_once > 0 {
            let (first, count) = (1 + beside.len(), at_once);
            main.push(Step::Fork { first, count });
            let mut track = call(calls, concurrency);
            track.push(work.clone());
            beside.extend(std::iter::repeat_n(track, at_once));
        }
    }
    let mut tracks = vec![main];
    tracks.extend(beside);
    tracks
}

/// One of `parts` equal and independent parts, so that their sum has the law's mean and variance.
fn part_of(cpu: &Law, parts: usize) -> Law {
    if parts == 1 {
        return cpu.clone();
    }
    let parts = parts as f64;
    Law::with_moments(cpu.mean() / parts, cpu.squared_variation() * parts)
}

/// How many of the calls are made at the same time; one alone is not.
fn at_once(calls: &Calls, count: usize, concurrency: Concurrency) -> usize {
    let Concurrency::Loop { gathered } = concurrency else {
        return 0;
    };
    let together = (count as f64 * calls.independent * gathered).round() as usize;
    if together < 2 { 0 } else { together }
}

fn call(calls: &Calls, concurrency: Concurrency) -> Vec<Step> {
    let (pool, station) = (PoolId(calls.resource), StationId(calls.resource));
    let mut steps = vec![Step::Acquire(pool)];
    let blocking = calls.blocking;
    match concurrency {
        Concurrency::Loop { .. } if blocking > 0.0 => {
            steps.push(Step::Block(station, calls.wait.scaled(blocking)));
            if blocking < 1.0 {
                steps.push(Step::Wait(station, calls.wait.scaled(1.0 - blocking)));
            }
        }
        _ => steps.push(Step::Wait(station, calls.wait.clone())),
    }
    steps.push(Step::Release(pool));
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bounds::lowest;
    use crate::service::Resource;
    use crate::simulator::{Load, Plan, simulate};

    fn service(cpu: f64, count: f64, wait: f64) -> Service {
        Service {
            endpoints: vec![Endpoint {
                name: "/".to_owned(),
                weight: 1.0,
                cpu: Law::Constant(cpu),
                calls: vec![Calls {
                    resource: 0,
                    count,
                    wait: Law::Constant(wait),
                    independent: 1.0,
                    blocking: 0.0,
                }],
            }],
            resources: vec![Resource {
                name: "db".to_owned(),
                kind: "sql".to_owned(),
                servers: None,
            }],
        }
    }

    fn deployment(processes: usize, concurrency: Concurrency) -> Deployment {
        Deployment {
            cores: 1.0,
            processes,
            concurrency,
            connections: vec![Connections::Unlimited],
        }
    }

    fn throughput(service: &Service, deployment: &Deployment, users: usize) -> f64 {
        let load = Load::Closed {
            users,
            think: Law::Constant(0.0),
        };
        let plan = Plan {
            warm_up: 500,
            requests: 3_000,
            seed: 1,
        };
        simulate(&system(service, deployment), &load, plan)
            .expect("valid")
            .throughput_per_s
    }

    #[test]
    fn a_fraction_of_calls_becomes_a_share_of_requests() {
        let class_counts: Vec<usize> = (0..10)
            .map(|stratum| count_at(2.4, (f64::from(stratum) + 0.5) / 10.0))
            .collect();
        assert_eq!(class_counts.iter().sum::<usize>(), 24);
        assert!(class_counts.iter().all(|count| (2..=3).contains(count)));
    }

    #[test]
    fn a_pool_serves_as_the_driver_s_own_does() {
        let discipline = |drivers| {
            let mut loops = deployment(1, Concurrency::Loop { gathered: 0.0 });
            loops.connections = vec![Connections::of_loop(drivers, 5)];
            let pool = pool(&loops, 0);
            assert_eq!((pool.size, pool.scope), (5, Scope::Process));
            pool.discipline
        };
        assert_eq!(discipline("aiohttp, asyncpg"), Discipline::Barging);
        assert_eq!(discipline("Psycopg 3 async"), Discipline::Fair);
    }

    #[test]
    fn workers_that_wait_miss_one_another_on_a_core() {
        // Each computes 10 of 62 ms: four of them fit into one core, and do not queue for long.
        let four = deployment(4, Concurrency::Threads(1));
        let found = throughput(&service(0.01, 5.0, 0.0104), &four, 64);
        assert!((found / (4.0 / 0.062) - 1.0).abs() < 0.01, "{found}");
    }

    #[test]
    fn gathered_calls_take_as_long_as_one() {
        let service = service(0.011, 10.0, 0.05);
        let sequential = deployment(1, Concurrency::Loop { gathered: 0.0 });
        let gathered = deployment(1, Concurrency::Loop { gathered: 1.0 });
        assert!((1.0 / throughput(&service, &sequential, 1) - 0.511).abs() < 0.002);
        assert!((1.0 / throughput(&service, &gathered, 1) - 0.061).abs() < 0.002);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_simulation_keeps_below_the_bounds_and_comes_near(
            cpu in 1e-4..0.01f64, calls in 0..6_u8, wait in 1e-4..0.05f64,
            processes in 1..5_usize, kind in 0..3_u8, users in 1..40_usize
        ) {
            let concurrency = match kind {
                0 => Concurrency::Threads(1),
                1 => Concurrency::Threads(4),
                _ => Concurrency::Loop { gathered: 0.0 },
            };
            let mut service = service(cpu, f64::from(calls), wait);
            service.endpoints[0].calls[0].blocking = 0.25;
            let deployment = deployment(processes, concurrency);
            let bound = lowest(&service, &deployment, users as f64).expect("a limit").rate_per_s;
            let found = throughput(&service, &deployment, users);
            prop_assert!(found <= bound * 1.01, "{found} above {bound}");
            // Where nothing varies, a closed network reaches at least half of its bound.
            prop_assert!(found >= bound * 0.45, "{found} far below {bound}");
        }
    }
}
