//! From a service under a deployment to what the simulator runs.
//!
//! Work and calls take turns in a request: work, call, work, call, work. How its processor time falls to
//! these parts is chance: what is recorded is the time of the whole request. A mean of 2.4 calls becomes
//! classes with 2 and with 3. A share of blocking is a share of each wait: its first part holds the loop,
//! the rest does not. What would take many events and change nothing is put together: turns of requests that
//! all compute for long, and calls of a request that makes hundreds.

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
/// Turns that the work between two calls takes, where it would take more: who shares a core in an eighth of
/// their work each gets on as who shares it in hundredths.
const TURNS: f64 = 8.0;
/// Endpoints with a smaller share of the requests than this move no percentile that is told.
const RARE: f64 = 0.005;
/// Calls to a resource that are simulated one by one; of more, several are one that takes as long.
const CALLS: usize = 64;
/// Calls that are made at the same time at most.
const GATHERED: usize = 1024;
/// Connections that wait to be taken: Gunicorn's and Uvicorn's default (`backlog`, 2048).
const BACKLOG: usize = 2048;

/// What the simulator runs for this service under this deployment.
pub fn system(service: &Service, deployment: &Deployment) -> System {
    with_turns(service, deployment, longer_turns(service))
}

/// So many times as long as they are turns may be: as the request that computes least between two calls
/// allows. Where times vary, short ones are shorter than the mean.
fn longer_turns(service: &Service) -> f64 {
    let weight: f64 = service
        .endpoints
        .iter()
        .map(|endpoint| endpoint.weight)
        .sum();
    let computing = service
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.weight > RARE * weight && endpoint.cpu.mean() > 0.0);
    let part = |endpoint: &Endpoint| {
        let calls: f64 = endpoint.calls.iter().map(|calls| calls.count).sum();
        let short = endpoint.cpu.mean() / (1.0 + endpoint.cpu.squared_variation());
        short / (1.0 + calls.min(CALLS as f64))
    };
    let least = computing.map(part).fold(f64::INFINITY, f64::min);
    let longer = least / (TURNS * (CORE_SLICE + CORE_TICK / 2.0));
    if longer.is_finite() {
        longer.max(1.0)
    } else {
        1.0
    }
}

/// The same with turns that are so many times as long.
fn with_turns(service: &Service, deployment: &Deployment, longer: f64) -> System {
    let (slots, time_slice, intake) = match deployment.concurrency {
        Concurrency::Threads(threads) => (threads, longer * SWITCH_INTERVAL, Intake::Shared),
        Concurrency::Loop { .. } => (usize::MAX, f64::INFINITY, Intake::PerConnection),
    };
    let unlimited = Station {
        servers: usize::MAX,
    };
    let stations = (service.resources.iter()).map(|resource| match resource.servers {
        Some(servers) => Station {
            servers: servers.count,
        },
        None => unlimited,
    });
    System {
        cores: deployment.cores,
        core_slice: longer * CORE_SLICE,
        core_tick: longer * CORE_TICK,
        processes: deployment.processes,
        slots,
        time_slice,
        intake,
        backlog: BACKLOG,
        // The last one is the way to all of them.
        stations: stations.chain([unlimited]).collect(),
        pools: (0..service.resources.len())
            .map(|number| pool(deployment, number))
            .collect(),
        classes: (service.endpoints.iter())
            .flat_map(|endpoint| classes(service, endpoint, deployment))
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

/// One class, or several where a number of calls has a fraction: in each of them no number changes.
fn classes(service: &Service, endpoint: &Endpoint, deployment: &Deployment) -> Vec<RequestClass> {
    let begins = endpoint
        .calls
        .iter()
        .map(|calls| begin_of_more(calls.count));
    let mut ends: Vec<f64> = begins.chain([1.0]).collect();
    ends.sort_unstable_by(f64::total_cmp);
    ends.dedup();
    let begins = std::iter::once(0.0).chain(ends.clone());
    let class = |(begin, end): (f64, f64)| RequestClass {
        weight: endpoint.weight * (end - begin),
        work: endpoint.cpu.clone(),
        tracks: Tracks {
            service,
            endpoint,
            concurrency: deployment.concurrency,
        }
        .at(f64::midpoint(begin, end)),
    };
    begins.zip(ends).map(class).collect()
}

/// From where on, of all requests from 0 to 1, they make one call more than the whole number.
fn begin_of_more(count: f64) -> f64 {
    1.0 - count.fract()
}

/// The whole number of calls of the requests at `position` (0 to 1) of all.
fn count_at(count: f64, position: f64) -> usize {
    let above = f64::from(u8::from(position >= begin_of_more(count)));
    (count.floor() + above) as usize
}

/// What the tracks of an endpoint's requests are made from.
#[derive(Debug, Clone, Copy)]
struct Tracks<'a> {
    service: &'a Service,
    endpoint: &'a Endpoint,
    concurrency: Concurrency,
}

impl Tracks<'_> {
    /// The tracks of the requests at `position` (0 to 1) of all. A part of the processor time goes before
    /// each call and after the last.
    fn at(self, position: f64) -> Vec<Track> {
        let mut main = vec![Step::Part];
        let mut beside = Vec::new();
        for calls in &self.endpoint.calls {
            let count = count_at(calls.count, position);
            let at_once = at_once(calls, count, self.concurrency);
            for size in groups(count - at_once) {
                main.extend(self.call(calls, size));
                main.push(Step::Part);
            }
            if at_once > 0 {
                let (first, count) = (1 + beside.len(), at_once);
                main.push(Step::Fork { first, count });
                let mut track = self.call(calls, 1);
                track.push(Step::Part);
                beside.extend(std::iter::repeat_n(track, at_once));
            }
        }
        let mut tracks = vec![main];
        tracks.extend(beside);
        tracks
    }

    /// So many calls in turn: on the way to what serves them, and there. Of a part of the wait that is known
    /// by its mean only the least is presumed with an exponential law (Jaynes 1957: the greatest entropy).
    fn call(self, calls: &Calls, size: usize) -> Vec<Step> {
        let (pool, station) = (PoolId(calls.resource), StationId(calls.resource));
        let way = StationId(self.service.resources.len());
        let wait = &of_sum(&calls.wait, size);
        let mut steps = vec![Step::Acquire(pool)];
        match self.service.resources[calls.resource].servers {
            Some(servers) if servers.taken.is_some() => {
                let served = servers.share_of(calls.wait.mean());
                let law = of_sum(&Law::Exponential(calls.wait.mean() * served), size);
                steps.extend(self.wait(way, &wait.scaled(1.0 - served), calls.blocking));
                steps.extend(self.wait(station, &law, calls.blocking));
            }
            _ => steps.extend(self.wait(station, wait, calls.blocking)),
        }
        steps.push(Step::Release(pool));
        steps
    }

    /// A wait, of which this share would block a loop.
    fn wait(self, station: StationId, wait: &Law, blocking: f64) -> Vec<Step> {
        match self.concurrency {
            Concurrency::Loop { .. } if blocking > 0.0 => {
                let mut steps = vec![Step::Block(station, wait.scaled(blocking))];
                if blocking < 1.0 {
                    steps.push(Step::Wait(station, wait.scaled(1.0 - blocking)));
                }
                steps
            }
            _ => vec![Step::Wait(station, wait.clone())],
        }
    }
}

/// How many of the calls are made at the same time; one alone is not.
fn at_once(calls: &Calls, count: usize, concurrency: Concurrency) -> usize {
    let Concurrency::Loop { gathered } = concurrency else {
        return 0;
    };
    let together = (count as f64 * calls.independent * gathered).round() as usize;
    if together < 2 {
        0
    } else {
        together.min(GATHERED)
    }
}

/// How many calls of so many are one each: [`CALLS`] groups at most.
fn groups(count: usize) -> impl Iterator<Item = usize> {
    let size = count.div_ceil(CALLS).max(1);
    (0..count)
        .step_by(size)
        .map(move |begin| size.min(count - begin))
}

/// The law of the sum of so many times: of hundreds only mean and variance matter (the central limit theorem).
fn of_sum(law: &Law, count: usize) -> Law {
    if count < 2 {
        return law.clone();
    }
    let count = count as f64;
    Law::with_moments(law.mean() * count, law.squared_variation() / count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bounds::lowest;
    use crate::service::{Servers, fixture};
    use crate::simulator::{Load, Outcome, Plan, simulate};

    /// Whose calls do not depend on one another.
    fn service(cpu: f64, count: f64, wait: f64) -> Service {
        let mut service = fixture::service(cpu, count, wait);
        service.endpoints[0].calls[0].independent = 1.0;
        service
    }

    fn deployment(processes: usize, concurrency: Concurrency) -> Deployment {
        fixture::deployment(processes, 1.0, concurrency)
    }

    fn throughput(service: &Service, deployment: &Deployment, users: usize) -> f64 {
        let load = Load::Closed {
            users,
            think: Law::Constant(0.0),
        };
        let plan = Plan {
            warm_up: 500,
            requests: 3_000,
            events: u64::MAX,
            seed: 1,
        };
        simulate(&system(service, deployment), &load, plan)
            .expect("valid")
            .throughput_per_s
    }

    /// Calls to each resource in a class.
    fn calls_of(class: &RequestClass, resource: usize) -> f64 {
        let steps = class.tracks.iter().flatten();
        let is_call =
            |step: &&Step| matches!(step, Step::Wait(StationId(at), _) if *at == resource);
        steps.filter(is_call).count() as f64
    }

    #[test]
    fn a_fraction_of_calls_becomes_a_share_of_requests() {
        let mut service = service(0.01, 2.4, 0.01);
        let mut endpoint = service.endpoints.remove(0);
        service.resources = vec![service.resources[0].clone(); 4];
        let calls = |resource, count| Calls {
            resource,
            count,
            ..endpoint.calls[0].clone()
        };
        // A call of one request in a thousand may be the one that takes a second.
        endpoint.calls = [2.4, 0.001, 3.0, 0.999]
            .into_iter()
            .enumerate()
            .map(|(resource, count)| calls(resource, count))
            .collect();
        let classes = classes(&service, &endpoint, &deployment(1, Concurrency::Threads(1)));
        for calls in &endpoint.calls {
            let each = classes.iter();
            let mean: f64 = each
                .map(|class| class.weight * calls_of(class, calls.resource))
                .sum();
            assert!(
                (mean - calls.count).abs() < 1e-12,
                "{mean} of {}",
                calls.count
            );
        }
        let weights: f64 = classes.iter().map(|class| class.weight).sum();
        assert!((weights - 1.0).abs() < 1e-12 && classes.len() == 4);
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

    /// Requests a second of so many workers that each compute on one core and wait: exact mean value
    /// analysis of a core that is shared and a delay (Reiser and Lavenberg 1980).
    fn by_mean_values(workers: usize, cpu: f64, waiting: f64) -> f64 {
        let (mut rate, mut at_core) = (0.0, 0.0);
        for number in 1..=workers {
            let at_core_each = cpu * (1.0 + at_core);
            rate = number as f64 / (at_core_each + waiting);
            at_core = rate * at_core_each;
        }
        rate
    }

    #[test]
    fn workers_meet_one_another_on_a_core() {
        // Times that never vary would let all of them miss one another for ever: 4 / 62 ms.
        let four = deployment(4, Concurrency::Threads(1));
        for (cpu, calls, wait) in [(0.01, 5.0, 0.0104), (0.02, 20.0, 0.003), (0.01, 1.0, 0.02)] {
            let found = throughput(&service(cpu, calls, wait), &four, 64);
            let expected = by_mean_values(4, cpu, calls * wait);
            assert!(
                (found / expected - 1.0).abs() < 0.04,
                "{found}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_database_that_is_busy_makes_all_wait() {
        // Of 1 ms of a query 0.4 ms are the database's one processor: a core that computes and a processor
        // that answers are two queues, the way between them none.
        let mut service = service(0.0004, 1.0, 0.001);
        service.resources[0].servers = Some(Servers {
            count: 1,
            taken: Some(0.0004),
        });
        let alone = throughput(&service, &deployment(1, Concurrency::Threads(1)), 1);
        assert!((alone * 0.0014 - 1.0).abs() < 0.01, "{alone}");
        // Four workers meet there, too: without that only the core would hold them up.
        let four = deployment(4, Concurrency::Threads(1));
        let with_line = throughput(&service, &four, 64);
        service.resources[0].servers = None;
        let without = throughput(&service, &four, 64);
        let expected = by_mean_values(4, 0.0004, 0.001);
        assert!(
            (without / expected - 1.0).abs() < 0.1,
            "{without}, {expected}"
        );
        assert!(
            with_line < 0.93 * without,
            "{with_line} with a line, {without} without"
        );
    }

    #[test]
    fn gathered_calls_take_as_long_as_one() {
        let service = service(0.011, 10.0, 0.05);
        let sequential = deployment(1, Concurrency::Loop { gathered: 0.0 });
        let gathered = deployment(1, Concurrency::Loop { gathered: 1.0 });
        assert!((1.0 / throughput(&service, &sequential, 1) - 0.511).abs() < 0.002);
        assert!((1.0 / throughput(&service, &gathered, 1) - 0.061).abs() < 0.002);
    }

    fn outcome(system: &System, load: &Load) -> Outcome {
        let plan = Plan {
            warm_up: 2_000,
            requests: 30_000,
            events: u64::MAX,
            seed: 1,
        };
        simulate(system, load, plan).expect("valid")
    }

    #[test]
    fn longer_turns_change_no_percentile_of_requests_that_compute_for_long() {
        let mut service = service(0.3, 2.0, 0.05);
        service.endpoints[0].cpu = Law::with_moments(0.3, 0.3);
        assert!((longer_turns(&service) - 0.3 / 1.3 / 3.0 / 0.04).abs() < 1e-9);
        let mut deployment = deployment(12, Concurrency::Threads(1));
        deployment.cores = 2.0;
        let closed = Load::Closed {
            users: 24,
            think: Law::Constant(0.0),
        };
        let open = Load::Open {
            rate_per_s: 5.0,
            connections: 64,
            spacing: Law::Exponential(1.0),
        };
        for load in [closed, open] {
            let whole = outcome(&with_turns(&service, &deployment, 1.0), &load);
            let longer = outcome(&system(&service, &deployment), &load);
            assert!(longer.events * 4 < whole.events * 3, "{longer:?}");
            for (found, expected) in [
                (longer.throughput_per_s, whole.throughput_per_s),
                (longer.latency.p50, whole.latency.p50),
                (longer.latency.p99, whole.latency.p99),
            ] {
                assert!(
                    (found / expected - 1.0).abs() < 0.04,
                    "{longer:?} {whole:?}"
                );
            }
        }
    }

    #[test]
    fn who_computes_briefly_keeps_turns_as_short_as_they_are() {
        let mut both = service(10.0, 0.0, 0.0);
        assert!(longer_turns(&both) > 100.0);
        both.endpoints.push(Endpoint {
            cpu: Law::Constant(0.002),
            ..both.endpoints[0].clone()
        });
        assert!(longer_turns(&both) <= 1.0);
        // One in a thousand moves no P99.
        both.endpoints[1].weight = 0.001;
        assert!(longer_turns(&both) > 100.0);
        both.endpoints[0].cpu = Law::Constant(0.0);
        both.endpoints[1].cpu = Law::Constant(f64::INFINITY);
        assert!(longer_turns(&both) <= 1.0);
    }

    #[test]
    fn hundreds_of_calls_take_as_long_in_groups() {
        assert_eq!(groups(64).collect::<Vec<_>>(), [1; 64]);
        assert_eq!(groups(129).sum::<usize>(), 129);
        assert!(groups(1_000_000).count() <= CALLS && groups(0).count() == 0);
        let mut service = service(0.05, 300.0, 0.001);
        service.endpoints[0].calls[0].wait = Law::Exponential(0.001);
        let alone = outcome(
            &system(&service, &deployment(1, Concurrency::Threads(1))),
            &Load::Closed {
                users: 1,
                think: Law::Constant(0.0),
            },
        );
        assert!((alone.latency.mean / 0.35 - 1.0).abs() < 0.01, "{alone:?}");
        // 300 waits of an exponential law have a standard deviation of √300 ms together.
        let p99 = 0.35 + 2.326 * 300.0_f64.sqrt() * 0.001;
        assert!((alone.latency.p99 / p99 - 1.0).abs() < 0.02, "{alone:?}");
        let four = throughput(&service, &deployment(4, Concurrency::Threads(1)), 64);
        let expected = by_mean_values(4, 0.05, 0.3);
        assert!(
            (four / expected - 1.0).abs() < 0.04,
            "{four}, expected {expected}"
        );
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
