//! Upper bounds of throughput: what limits a deployment, and at how many requests a second.
//!
//! Asymptotic bounds of closed queueing networks (Denning and Buzen 1978; Lazowska and others 1984,
//! "Quantitative System Performance", chapter 5): no resource serves more than its capacity over
//! the demand of a request. docs/ARCHITECTURE.md derives the two lines of a sync and an async
//! service from them; the rule of thumb (`naive`) is their corner.

use crate::service::{Calls, Concurrency, Deployment, Service};

/// What limits throughput.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Requests that clients keep in flight.
    Users,
    /// Workers and threads: each is taken while its request computes and waits.
    Slots,
    /// Processor cores, or processes where these are fewer.
    Cores,
    /// Event loops, where calls block them: a blocked loop serves nobody.
    BlockedLoop,
    /// Connections to a resource.
    Connections(usize),
    /// Calls that a resource serves at once.
    Servers(usize),
}

/// A limit and the throughput at which it binds, in requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// What limits.
    pub limit: Limit,
    /// Requests a second.
    pub rate_per_s: f64,
}

/// All bounds of the service under this deployment with so many requests in flight, the lowest
/// first. What has no limit is left out; a service that costs nothing and waits for nothing has
/// no bounds.
pub fn bounds(service: &Service, deployment: &Deployment, users: f64) -> Vec<Bound> {
    let cpu = service.cpu();
    let (waiting, blocking) = waiting(service, deployment);
    let response = cpu + waiting;
    let processes = deployment.processes as f64;
    let mut found = vec![
        bound(Limit::Users, users, response),
        bound(Limit::Slots, deployment.slots(), response),
        bound(Limit::Cores, processes.min(deployment.cores), cpu),
    ];
    if blocking > 0.0 {
        found.push(bound(Limit::BlockedLoop, processes, cpu + blocking));
    }
    for (number, resource) in service.resources.iter().enumerate() {
        let servers = resource
            .servers
            .map_or(f64::INFINITY, |servers| servers.count as f64);
        found.push(bound(
            Limit::Connections(number),
            deployment.connections_to(number),
            service.waiting_for(number),
        ));
        let served_for = service.served_for(number);
        found.push(bound(Limit::Servers(number), servers, served_for));
    }
    found.retain(|bound| bound.rate_per_s.is_finite());
    found.sort_by(|one, other| one.rate_per_s.total_cmp(&other.rate_per_s));
    found
}

/// The lowest of the bounds.
pub fn lowest(service: &Service, deployment: &Deployment, users: f64) -> Option<Bound> {
    bounds(service, deployment, users).into_iter().next()
}

fn bound(limit: Limit, capacity: f64, demand: f64) -> Bound {
    let rate_per_s = if demand > 0.0 {
        capacity / demand
    } else {
        f64::INFINITY
    };
    Bound { limit, rate_per_s }
}

/// Seconds that a mean request waits from begin to end, and those of them that block a loop.
fn waiting(service: &Service, deployment: &Deployment) -> (f64, f64) {
    let all = service.waiting();
    let of_calls =
        |of: &dyn Fn(&Calls) -> f64| service.mean(|endpoint| endpoint.calls.iter().map(of).sum());
    match deployment.concurrency {
        Concurrency::Threads(_) => (all, 0.0),
        Concurrency::Loop { gathered } => {
            let saved = of_calls(&|calls| saved_by_gathering(calls, gathered));
            (
                all - saved,
                of_calls(&|calls| calls.waiting() * calls.blocking),
            )
        }
    }
}

/// Of the independent calls the share `gathered` is made at once: what does not block takes as
/// long as one of them.
fn saved_by_gathering(calls: &Calls, gathered: f64) -> f64 {
    let together = calls.count * calls.independent * gathered;
    (together - 1.0).max(0.0) * calls.wait.mean() * (1.0 - calls.blocking)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::naive;
    use crate::service::fixture::{deployment, service};
    use crate::service::{Connections, Servers};
    use std::time::Duration;

    const LOOP: Concurrency = Concurrency::Loop { gathered: 0.0 };

    fn lowest_of(service: &Service, deployment: &Deployment) -> (Limit, f64) {
        let bound = lowest(service, deployment, 1e9).expect("a limit");
        (bound.limit, (bound.rate_per_s * 1e6).round() / 1e6)
    }

    #[test]
    fn ten_percent_that_block_cost_nine_tenths_of_a_loop() {
        // Of 80 ms one tenth still blocks: 1 ms of work allows 1000 requests/s, 9 ms of a loop 111.
        let mut service = service(0.001, 20.0, 0.004);
        assert_eq!(
            lowest_of(&service, &deployment(1, 1.0, LOOP)),
            (Limit::Cores, 1000.0)
        );
        service.endpoints[0].calls[0].blocking = 0.1;
        let (limit, rate) = lowest_of(&service, &deployment(1, 1.0, LOOP));
        assert_eq!((limit, rate.round()), (Limit::BlockedLoop, 111.0));
    }

    #[test]
    fn nineteen_workers_with_a_query_of_twenty_milliseconds() {
        // The fork of Paterson's benchmark: worker bound, 676 requests/s were measured.
        let workers = deployment(19, 6.0, Concurrency::Threads(1));
        let (limit, rate) = lowest_of(&service(0.0081, 1.0, 0.02), &workers);
        assert_eq!((limit, rate.round()), (Limit::Slots, 676.0));
    }

    #[test]
    fn a_pool_limits_before_the_cores_do() {
        let mut loops = deployment(2, 2.0, LOOP);
        loops.connections = vec![Connections::PerProcess(5)];
        assert_eq!(
            lowest_of(&service(0.001, 1.0, 0.02), &loops),
            (Limit::Connections(0), 500.0)
        );
    }

    #[test]
    fn a_service_limits_by_what_takes_it_of_a_wait() {
        let loops = deployment(1, 8.0, LOOP);
        let mut service = service(0.0001, 2.0, 0.02);
        service.resources[0].servers = Some(Servers::lanes(4));
        assert_eq!(lowest_of(&service, &loops), (Limit::Servers(0), 100.0));
        // Half a millisecond of each 20 is the database's processors, the rest is the way to it.
        service.resources[0].servers = Some(Servers {
            count: 4,
            taken: Some(0.0005),
        });
        assert_eq!(lowest_of(&service, &loops), (Limit::Servers(0), 4000.0));
        // A call takes a server no longer than it waits.
        service.resources[0].servers = Some(Servers {
            count: 4,
            taken: Some(1.0),
        });
        assert_eq!(lowest_of(&service, &loops), (Limit::Servers(0), 100.0));
    }

    #[test]
    fn independent_calls_made_at_once_shorten_the_wait_only() {
        let gathered = deployment(1, 1.0, Concurrency::Loop { gathered: 1.0 });
        let mut service = service(0.01, 10.0, 0.02);
        service.endpoints[0].calls[0].independent = 1.0;
        let one_user = lowest(&service, &gathered, 1.0).expect("a limit");
        assert!((one_user.rate_per_s - 1.0 / 0.03).abs() < 1e-9);
    }

    #[test]
    fn what_costs_nothing_has_no_bound() {
        assert_eq!(
            lowest(&service(0.0, 0.0, 0.0), &deployment(1, 1.0, LOOP), 10.0),
            None
        );
    }

    proptest! {
        #[test]
        fn the_rule_of_thumb_is_a_corner(cpu_us in 1..100_000_u32, wait_us in 0..1_000_000_u32) {
            let (cpu, wait) = (f64::from(cpu_us) / 1e6, f64::from(wait_us) / 1e6);
            let service = service(cpu, 1.0, wait);
            let rate = |concurrency| {
                lowest(&service, &deployment(1, 1.0, concurrency), 1e9).expect("a limit").rate_per_s
            };
            let gain = rate(LOOP) / rate(Concurrency::Threads(1));
            let wall = Duration::from_micros(u64::from(cpu_us + wait_us));
            let rule = naive::gain(wall, Duration::from_micros(u64::from(cpu_us))).expect("cpu");
            prop_assert!((gain / rule - 1.0).abs() < 1e-6);
        }

        #[test]
        fn more_of_anything_never_lowers_a_bound(
            processes in 1..16_usize, threads in 1..16_usize, cores in 1..16_u8, wait in 0.0..1.0f64
        ) {
            let service = service(0.003, 2.0, wait);
            let rate = |processes, threads, cores| {
                let deployment = deployment(processes, f64::from(cores), Concurrency::Threads(threads));
                lowest(&service, &deployment, 64.0).expect("a limit").rate_per_s
            };
            let base = rate(processes, threads, cores);
            prop_assert!(rate(processes + 1, threads, cores) >= base);
            prop_assert!(rate(processes, threads + 1, cores) >= base);
            prop_assert!(rate(processes, threads, cores + 1) >= base);
        }
    }
}
