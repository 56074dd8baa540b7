//! The simulator against theory: closed-form queues, Little's law, conservation, monotonicity.

use proptest::prelude::*;

use super::*;
use crate::law::Law;

const PLAN: Plan = Plan {
    warm_up: 20_000,
    requests: 400_000,
    events: u64::MAX,
    seed: 1,
};

/// One process without a limit on requests in hand, one core, requests that only compute.
fn one_loop(law: Law) -> System {
    System {
        cores: 1.0,
        core_slice: 0.003,
        core_tick: 0.0,
        processes: 1,
        slots: usize::MAX,
        time_slice: f64::INFINITY,
        intake: Intake::Shared,
        backlog: usize::MAX,
        stations: vec![],
        pools: vec![],
        classes: vec![RequestClass {
            weight: 1.0,
            work: Law::Constant(0.0),
            tracks: vec![vec![Step::Compute(law)]],
        }],
    }
}

fn workers(count: usize, cores: f64, law: Law) -> System {
    System {
        cores,
        processes: count,
        slots: 1,
        ..one_loop(law)
    }
}

fn poisson(rate_per_s: f64) -> Load {
    Load::Open {
        rate_per_s,
        connections: 100,
        spacing: Law::Exponential(1.0),
    }
}

fn users(users: usize, think: f64) -> Load {
    Load::Closed {
        users,
        think: Law::Constant(think),
    }
}

fn run(system: &System, load: &Load) -> Outcome {
    simulate(system, load, PLAN).expect("a valid system")
}

fn assert_near(found: f64, expected: f64, tolerance: f64) {
    let error = found / expected - 1.0;
    assert!(
        error.abs() < tolerance,
        "found {found}, expected {expected} ({error:+.3})"
    );
}

/// The probability that a customer of an M/M/c queue waits (Erlang C), for `load` = lambda / mu.
fn erlang_c(servers: u32, load: f64) -> f64 {
    let mut blocking = 1.0;
    for server in 1..=servers {
        blocking = load * blocking / (f64::from(server) + load * blocking);
    }
    let utilisation = load / f64::from(servers);
    blocking / (1.0 - utilisation * (1.0 - blocking))
}

#[test]
fn one_loop_is_an_m_m_1_queue() {
    // Mean response 1 / (mu - lambda), exponential: P99 is ln(100) times the mean.
    let outcome = run(&one_loop(Law::Exponential(0.01)), &poisson(70.0));
    assert_near(outcome.latency.mean, 1.0 / 30.0, 0.03);
    assert_near(outcome.latency.p99, 100_f64.ln() / 30.0, 0.05);
    assert_near(outcome.cores_busy, 0.7, 0.02);
}

#[test]
fn one_loop_is_an_m_g_1_queue() {
    // Pollaczek and Khinchine: wait = rho / (1 - rho) (1 + cv²) / 2 service times.
    let law = Law::with_moments(0.01, 4.0);
    let outcome = run(&one_loop(law), &poisson(60.0));
    assert_near(outcome.latency.mean, 0.01 * (1.0 + 0.6 / 0.4 * 2.5), 0.05);
}

#[test]
fn workers_on_their_own_cores_are_an_m_m_c_queue() {
    let outcome = run(&workers(4, 4.0, Law::Exponential(0.01)), &poisson(320.0));
    let waiting = erlang_c(4, 3.2) / (400.0 - 320.0);
    assert_near(outcome.latency.mean, 0.01 + waiting, 0.03);
}

#[test]
fn many_workers_on_one_core_share_it() {
    // M/G/1 processor sharing: response = service / (1 - rho), whatever the distribution
    // (Kleinrock 1976, volume 2, section 4.4).
    for law in [Law::Exponential(0.01), Law::with_moments(0.01, 4.0)] {
        let outcome = run(&workers(500, 1.0, law), &poisson(60.0));
        assert_near(outcome.latency.mean, 0.01 / 0.4, 0.04);
    }
}

#[test]
fn time_slices_turn_first_come_into_sharing() {
    let law = Law::with_moments(0.01, 4.0);
    let system = System {
        time_slice: 0.0005,
        ..one_loop(law)
    };
    assert_near(run(&system, &poisson(60.0)).latency.mean, 0.025, 0.05);
}

#[test]
fn a_station_with_few_servers_is_a_queue_too() {
    let mut system = one_loop(Law::Constant(0.0));
    system.stations = vec![Station { servers: 4 }];
    system.classes[0].tracks = vec![vec![Step::Wait(StationId(0), Law::Exponential(0.01))]];
    let outcome = run(&system, &poisson(320.0));
    assert_near(outcome.latency.mean, 0.01 + erlang_c(4, 3.2) / 80.0, 0.03);
}

#[test]
fn a_pool_limits_as_its_permits_do() {
    let mut system = one_loop(Law::Constant(0.0));
    system.stations = vec![Station {
        servers: usize::MAX,
    }];
    system.pools = vec![Pool {
        size: 5,
        scope: Scope::Service,
        discipline: Discipline::Fair,
    }];
    let hold = Step::Wait(StationId(0), Law::Constant(0.01));
    system.classes[0].tracks = vec![vec![
        Step::Acquire(PoolId(0)),
        hold,
        Step::Release(PoolId(0)),
    ]];
    assert_near(run(&system, &users(50, 0.0)).throughput_per_s, 500.0, 0.01);
    system.pools[0].scope = Scope::Process;
    system.processes = 3;
    system.intake = Intake::PerConnection;
    assert_near(run(&system, &users(60, 0.0)).throughput_per_s, 1500.0, 0.01);
}

#[test]
fn a_blocking_wait_stops_the_loop_and_a_wait_does_not() {
    let mut system = one_loop(Law::Constant(0.0));
    system.stations = vec![Station {
        servers: usize::MAX,
    }];
    let compute = Step::Compute(Law::Constant(0.001));
    let law = Law::Constant(0.009);
    system.classes[0].tracks = vec![vec![compute.clone(), Step::Wait(StationId(0), law.clone())]];
    assert_near(run(&system, &users(64, 0.0)).throughput_per_s, 1000.0, 0.01);
    system.classes[0].tracks = vec![vec![compute, Step::Block(StationId(0), law)]];
    let outcome = run(&system, &users(64, 0.0));
    assert_near(outcome.throughput_per_s, 100.0, 0.01);
    assert_near(outcome.cores_busy, 0.1, 0.01);
}

#[test]
fn work_falls_to_its_parts_at_random_and_is_done_whole() {
    let mut system = one_loop(Law::Constant(0.0));
    system.stations = vec![Station {
        servers: usize::MAX,
    }];
    system.classes[0].work = Law::Constant(0.01);
    let wait = |seconds| Step::Wait(StationId(0), Law::Constant(seconds));
    system.classes[0].tracks = vec![vec![
        Step::Part,
        wait(0.001),
        Step::Part,
        wait(0.001),
        Step::Part,
    ]];
    let alone = run(&system, &users(1, 0.0));
    assert_near(alone.latency.p50, 0.012, 0.001);
    assert_near(alone.latency.p999, 0.012, 0.001);
    // The first of three parts is longer than a share s in (1 - s)² of all cases. The other two stand in
    // tracks that nothing runs.
    system.classes[0].tracks[0].truncate(1);
    system.classes[0].tracks.push(vec![Step::Part]);
    system.classes[0].tracks.push(vec![Step::Part]);
    let part = run(&system, &users(1, 0.0));
    assert_near(part.latency.mean, 0.01 / 3.0, 0.01);
    let share = part.latency.p90 / 0.01;
    assert_near(share, 1.0 - 0.1_f64.sqrt(), 0.01);
}

#[test]
fn forked_tracks_wait_together() {
    let mut system = one_loop(Law::Constant(0.0));
    system.stations = vec![Station {
        servers: usize::MAX,
    }];
    let call = vec![
        Step::Compute(Law::Constant(0.001)),
        Step::Wait(StationId(0), Law::Constant(0.05)),
    ];
    let mut tracks = vec![vec![Step::Fork { first: 1, count: 4 }]];
    tracks.extend(std::iter::repeat_n(call, 4));
    system.classes[0].tracks = tracks;
    // The four computations come one after another, the last wait ends 4 + 50 ms after the start.
    assert_near(run(&system, &users(1, 0.0)).latency.p50, 0.054, 0.001);
}

#[test]
fn a_full_backlog_sends_connections_away_and_they_come_again() {
    let system = System {
        backlog: 2,
        ..workers(1, 1.0, Law::Constant(0.01))
    };
    // Users who think leave gaps in the line, so those who were turned away get in at last.
    let outcome = run(&system, &users(20, 0.05));
    assert!(outcome.turned_away > 0);
    assert!(outcome.latency.p50 < 0.031, "{:?}", outcome.latency);
    assert!(outcome.latency.p999 > 1.0, "{:?}", outcome.latency);
}

#[test]
fn the_same_seed_gives_the_same_outcome() {
    let system = workers(3, 2.0, Law::Exponential(0.01));
    let short = Plan {
        warm_up: 100,
        requests: 5_000,
        events: u64::MAX,
        seed: 9,
    };
    let once = simulate(&system, &poisson(100.0), short).expect("valid");
    assert_eq!(
        simulate(&system, &poisson(100.0), short).expect("valid"),
        once
    );
    let other = Plan { seed: 10, ..short };
    assert_ne!(
        simulate(&system, &poisson(100.0), other).expect("valid"),
        once
    );
}

#[test]
fn says_what_is_wrong() {
    let mut system = one_loop(Law::Constant(0.01));
    system.classes[0].tracks = vec![vec![Step::Wait(StationId(3), Law::Constant(0.1))]];
    let message = system
        .check(&users(1, 0.0))
        .expect_err("no such station")
        .to_string();
    assert_eq!(message, "a step waits for station 3, which is not there");
    let nobody = simulate(&one_loop(Law::Constant(0.01)), &users(0, 0.0), PLAN);
    assert_eq!(
        nobody.expect_err("no users").to_string(),
        "there are no users"
    );
}

/// One loop that is nearly always busy, and a pool before its database.
fn pooled(discipline: Discipline) -> System {
    let compute = Step::Compute(Law::Exponential(0.000_1));
    let hold = Step::Wait(StationId(0), Law::Exponential(0.000_5));
    let (take, give_back) = (Step::Acquire(PoolId(0)), Step::Release(PoolId(0)));
    System {
        stations: vec![Station {
            servers: usize::MAX,
        }],
        pools: vec![Pool {
            size: 8,
            scope: Scope::Process,
            discipline,
        }],
        classes: vec![RequestClass {
            weight: 1.0,
            work: Law::Constant(0.0),
            tracks: vec![vec![compute.clone(), take, hold, give_back, compute]],
        }],
        ..one_loop(Law::Constant(0.0))
    }
}

#[test]
fn who_comes_at_the_right_moment_overtakes_where_a_pool_is_not_fair() {
    let [fair, barging] = [Discipline::Fair, Discipline::Barging]
        .map(|discipline| run(&pooled(discipline), &users(100, 0.0)));
    // The loop is the limit of both, and Little's law holds: the mean is the same.
    assert_near(barging.throughput_per_s, fair.throughput_per_s, 0.02);
    assert_near(barging.latency.mean, fair.latency.mean, 0.02);
    // Most are served at once, and those who wait are overtaken again and again.
    assert!(barging.latency.p50 < 0.5 * fair.latency.p50, "{barging:?}");
    assert!(barging.latency.p99 > 3.0 * fair.latency.p99, "{barging:?}");
}

#[test]
fn who_overtakes_does_not_matter_where_nobody_waits() {
    let [fair, barging] = [Discipline::Fair, Discipline::Barging]
        .map(|discipline| run(&pooled(discipline), &poisson(1_500.0)));
    assert_near(barging.latency.p50, fair.latency.p50, 0.03);
    assert_near(barging.latency.p99, fair.latency.p99, 0.05);
}

/// A service of any kind: workers, threads or loops, that computes, waits and computes.
fn any_system() -> impl Strategy<Value = System> {
    let discipline = prop_oneof![Just(Discipline::Fair), Just(Discipline::Barging)];
    let shape = (
        1..5_usize,
        1..9_usize,
        1..4_usize,
        1..6_usize,
        (any::<bool>(), discipline),
    );
    let times = (1e-4..0.02f64, 0.0..0.05f64, 1e-4..0.02f64);
    (shape, times).prop_map(
        |((processes, slots, cores, servers, (shared, discipline)), (before, wait, after))| {
            System {
                cores: cores as f64,
                core_slice: 0.003,
                core_tick: 0.004,
                processes,
                slots,
                time_slice: 0.005,
                intake: if shared {
                    Intake::Shared
                } else {
                    Intake::PerConnection
                },
                backlog: usize::MAX,
                stations: vec![Station { servers }],
                pools: vec![Pool {
                    size: servers,
                    scope: Scope::Process,
                    discipline,
                }],
                classes: vec![RequestClass {
                    weight: 1.0,
                    work: Law::Constant(0.0),
                    tracks: vec![vec![
                        Step::Compute(Law::Exponential(before)),
                        Step::Acquire(PoolId(0)),
                        Step::Wait(StationId(0), Law::Exponential(wait)),
                        Step::Release(PoolId(0)),
                        Step::Compute(Law::Constant(after)),
                    ]],
                }],
            }
        },
    )
}

const SHORT: Plan = Plan {
    warm_up: 500,
    requests: 4_000,
    events: u64::MAX,
    seed: 5,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn users_are_thinking_or_in_flight(system in any_system(), number in 1..30_usize) {
        // The interactive response time law: N = X (R + Z) (Lazowska and others 1984, chapter 3).
        let outcome = simulate(&system, &users(number, 0.01), SHORT).expect("valid");
        let accounted = outcome.throughput_per_s * (outcome.latency.mean + 0.01);
        prop_assert!((accounted / number as f64 - 1.0).abs() < 0.05, "{accounted} of {number}");
    }

    #[test]
    fn in_flight_is_rate_times_latency(system in any_system(), number in 1..30_usize) {
        let outcome = simulate(&system, &users(number, 0.0), SHORT).expect("valid");
        let little = outcome.throughput_per_s * outcome.latency.mean;
        prop_assert!((little / outcome.in_flight - 1.0).abs() < 0.05);
    }

    #[test]
    fn no_more_events_happen_than_are_planned(
        system in any_system(), number in 1..400_usize, events in 1_000..20_000_u64
    ) {
        let plan = Plan { requests: u64::MAX, events, ..SHORT };
        let outcome = simulate(&system, &users(number, 0.0), plan).expect("valid");
        // The last one may set others going: one for each of those that waited, at most.
        prop_assert!(outcome.events >= events && outcome.events <= events + 2 * 400 + 10);
    }

    #[test]
    fn no_bound_is_broken(system in any_system(), number in 1..30_usize) {
        let outcome = simulate(&system, &users(number, 0.0), SHORT).expect("valid");
        prop_assert_eq!(outcome.answered, SHORT.requests);
        prop_assert!(outcome.cores_busy <= 1.0 + 1e-9);
        prop_assert!(outcome.in_flight <= number as f64 + 1e-9);
        prop_assert!(outcome.latency.p50 <= outcome.latency.p99);
    }

    #[test]
    fn another_process_never_costs_throughput(system in any_system()) {
        let system = System { intake: Intake::Shared, ..system };
        let more = System { processes: system.processes + 1, ..system.clone() };
        // Two rates of 4,000 random times each differ by 3 % in one case of six: ten times as many.
        let plan = Plan { requests: 40_000, ..SHORT };
        let [few, many] = [&system, &more].map(|system| {
            simulate(system, &users(20, 0.0), plan).expect("valid").throughput_per_s
        });
        prop_assert!(many > 0.97 * few, "{few} with, {many} with one more");
    }
}
