//! Calibration: what comes back of known costs, and what an exchange of stacks comes to.

use super::*;
use crate::law::Law;
use crate::service::fixture;

fn point(http: f64, sql: f64, work: f64, cpu: f64) -> Point {
    let calls = [("http".to_owned(), http), ("sql".to_owned(), sql)];
    Point {
        calls: calls.into_iter().collect(),
        wait: 0.0,
        work,
        cpu,
    }
}

fn stack(request: f64, http: f64) -> Stack {
    Stack {
        name: "flask".to_owned(),
        threads: 1,
        costs: Costs {
            request: Estimate::exact(request),
            calls: BTreeMap::from([("http".to_owned(), Estimate::exact(http))]),
            coldness: 0.0,
            work: None,
            scale_deviation: 0.0,
        },
        process_bytes: 0,
        request_bytes: 0,
    }
}

/// Three calls of 20 ms each.
fn service(cpu: f64, kind: &str) -> Service {
    let mut service = fixture::service(cpu, 3.0, 0.02);
    kind.clone_into(&mut service.resources[0].kind);
    service
}

#[test]
fn known_costs_come_back() {
    // 0.2 ms a request, 0.5 ms an HTTP call, 0.1 ms a query, 1.1 ms a unit of work.
    let points = [
        point(0.0, 0.0, 0.0, 0.0002),
        point(1.0, 0.0, 2.0, 0.0029),
        point(10.0, 0.0, 0.0, 0.0052),
        point(0.0, 5.0, 0.0, 0.0007),
    ];
    let costs = fit(&points).expect("determined");
    let Costs {
        request,
        calls,
        work,
        ..
    } = costs;
    assert!((work.expect("one point has it").mean - 0.0011).abs() < 1e-9);
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

/// A service whose three calls were measured to take so much each.
fn telling(cpu: f64, each: f64) -> Service {
    let mut service = service(cpu, "http");
    service.endpoints[0].calls[0].cpu = Some(each);
    service
}

#[test]
fn what_calls_were_measured_to_take_is_exchanged_and_not_what_they_take_elsewhere() {
    let cpu = |service: &Service, from: &Stack| {
        let moved = moved(service, from, &stack(0.0001, 0.0003));
        moved.expect("calibrated").cpu()
    };
    // Of 8 ms, 0.5 + 3 * 0.9 are the stack's: 4.8 ms are the code's.
    let (told, from) = (telling(0.008, 0.0009), stack(0.0005, 0.0005));
    assert!((cpu(&told, &from) - 0.0058).abs() < 1e-9);
    // A process that sleeps 20 ms in a call is cold in it already: that was measured, too.
    let mut cold = from.clone();
    cold.costs.coldness = 1.0;
    let own = 0.008 - 0.0027 - 0.0005 * (1.0 + 21.0_f64.ln());
    assert!((cpu(&told, &cold) - (own + 0.001)).abs() < 1e-9);
    // More than twice as much is the work of reading more data, which stays.
    assert!((cpu(&telling(0.020, 0.005), &from) - 0.0175).abs() < 1e-9);
    // A driver that costs nothing known on either side is not exchanged.
    let nothing = stack(0.0005, 0.0);
    assert!((cpu(&told, &nothing) - 0.0085).abs() < 1e-9);
}

#[test]
fn what_is_measured_within_calls_is_no_cost_that_may_be_lowered() {
    // Of 3 ms 2.7 are the calls', so the request's part is 0.3 at most.
    let most = stack(0.0005, 0.0005).most(&telling(0.003, 0.0009));
    assert!((most.expect("calibrated") - 0.6).abs() < 1e-9);
    let nothing_left = stack(0.0005, 0.0005).most(&telling(0.002, 0.0009));
    assert!(nothing_left.expect("calibrated").abs() < 1e-9);
}

#[test]
fn what_calls_were_measured_to_take_is_less_where_processes_sleep_less() {
    let mut stack = stack(0.0005, 0.0005);
    stack.costs.coldness = 1.0;
    let threaded = threaded(&telling(0.010, 0.0009), &stack, 1_000).expect("calibrated");
    // 20 ms of sleep make it 1 + ln 21 times as much, and no sleep once.
    let times = 1.0 / (1.0 + 21.0_f64.ln());
    let less = 0.0027 * (1.0 - times) + 0.0005 * 21.0_f64.ln();
    assert!((threaded.cpu() - (0.010 - less)).abs() < 1e-9);
    let calls = threaded.endpoints[0].calls[0].cpu.expect("still known");
    assert!((calls - 0.0009 * times).abs() < 1e-12);
}

#[test]
fn what_a_request_does_itself_is_told_best_where_the_stack_takes_least() {
    let own = |told: &[(f64, &Stack)]| {
        let services: Vec<Service> = told.iter().map(|(cpu, _)| service(*cpu, "http")).collect();
        let told: Vec<Told<'_>> = (services.iter().zip(told))
            .map(|(service, (_, stack))| Told {
                service,
                stack,
                deviation: 1.0,
            })
            .collect();
        own_part(&told).expect("calibrated")
    };
    // Stacks that take 2 and 4 ms of a request.
    let (light, heavy) = (stack(0.0005, 0.0005), stack(0.001, 0.001));
    assert!((own(&[(0.008, &light)]) - 0.006).abs() < 1e-9);
    assert!((own(&[(0.008, &light), (0.005, &heavy)]) - 0.005).abs() < 1e-9);
    // One that took more than the request did says so, too; below nothing there is nothing.
    assert!((own(&[(0.0025, &light), (0.0035, &heavy)]) - 0.0003).abs() < 1e-9);
    assert!(own(&[(0.0025, &light), (0.001, &heavy)]).abs() < 1e-9);
    // Work that takes twice as long in the second stack's processes.
    let paced = |mut stack: Stack, work: f64| {
        stack.costs.work = Some(Estimate::exact(work));
        stack
    };
    let (light, heavy) = (paced(light, 0.001), paced(heavy, 0.002));
    assert!((own(&[(0.008, &light), (0.012, &heavy)]) - 0.005).abs() < 1e-9);
}

#[test]
fn what_is_known_half_as_well_counts_a_fourth() {
    let stack = stack(0.0005, 0.0005);
    let told = |service, deviation| Told {
        service,
        stack: &stack,
        deviation,
    };
    // 2 ms are the stack's: 6 ms by the one, 1 ms by the other.
    let (one, other) = (service(0.008, "http"), service(0.003, "http"));
    let own = own_part(&[told(&one, 0.03), told(&other, 0.06)]).expect("calibrated");
    assert!((own - 0.005).abs() < 1e-9, "{own}");
}

#[test]
fn work_takes_as_long_as_it_takes_there() {
    let with_work = |work: f64| {
        let mut stack = stack(0.0005, 0.0005);
        stack.costs.work = Some(Estimate::exact(work));
        stack
    };
    let service = service(0.008, "http");
    let cost = |to: &Stack| {
        moved(&service, &with_work(0.010), to)
            .expect("calibrated")
            .cpu()
    };
    // Of 8 ms, 6 are the code's.
    assert!((cost(&with_work(0.009)) - 0.0074).abs() < 1e-9);
    // What was measured on one side alone tells nothing.
    assert!((cost(&stack(0.0005, 0.0005)) - 0.008).abs() < 1e-9);
}

#[test]
fn calls_that_waited_longer_cost_more() {
    let cost = |wait: f64| 0.0005 * (1.0 + 0.8 * (wait / 0.001).ln_1p());
    let calls = |count: f64, wait: f64| Point {
        calls: BTreeMap::from([("http".to_owned(), count)]),
        wait,
        work: 0.0,
        cpu: (1.0 + count) * cost(wait),
    };
    let points = [
        calls(0.0, 0.0),
        calls(8.0, 0.001),
        calls(2.0, 0.02),
        calls(1.0, 0.1),
    ];
    let costs = fit(&points).expect("determined");
    assert!((costs.coldness - 0.8).abs() < 1e-9, "{costs:?}");
    assert!((costs.calls["http"].mean - 0.0005).abs() < 1e-9);
    // Waits that are all alike tell nothing of coldness.
    assert!(fit(&points[..2]).expect("determined").coldness < 1e-9);
}

#[test]
fn the_share_of_a_stack_grows_with_its_calls() {
    let share = stack(0.0005, 0.0003).share(&service(0.008, "http"));
    assert!((share.expect("calibrated") - 0.0014).abs() < 1e-12);
    assert!(stack(0.0, 0.0).share(&service(0.008, "redis")).is_err());
}

#[test]
fn no_stack_takes_more_of_a_request_than_the_request_took() {
    // 0.5 ms and three calls of 0.5 ms.
    let stack = stack(0.0005, 0.0005);
    let most = |cpu| stack.most(&service(cpu, "http")).expect("calibrated");
    assert!((most(0.008) - 4.0).abs() < 1e-9);
    assert!((most(0.001) - 0.5).abs() < 1e-9);
    let mut mixed = service(0.008, "http");
    mixed.endpoints.extend(service(0.001, "http").endpoints);
    assert!((stack.most(&mixed).expect("calibrated") - 0.5).abs() < 1e-9);
    // Half of the requests, but hardly any of the processor time.
    mixed.endpoints[1].cpu = Law::Constant(0.0001);
    assert!((stack.most(&mixed).expect("calibrated") - 4.0).abs() < 1e-9);
    assert!(most(0.0).is_infinite());
}

#[test]
fn more_threads_sleep_less_and_nothing_costs_more_for_it() {
    let mut stack = stack(0.0005, 0.0005);
    stack.costs.coldness = 1.0;
    let cost = |cpu: f64, threads| {
        let threaded = threaded(&service(cpu, "http"), &stack, threads);
        threaded.expect("calibrated").cpu()
    };
    // 2 ms are the stack's, and ln 21 times as much after 20 ms of sleep, which 1000 threads never
    // have.
    assert!((cost(0.010, 1_000) - (0.010 - 0.002 * 21.0_f64.ln())).abs() < 1e-9);
    // A request that took less than the stack alone should have is not dearer elsewhere.
    assert!((cost(0.001, 1) - 0.001).abs() < 1e-12);
    assert!(cost(0.001, 1_000) < 0.001);
}

#[test]
fn a_driver_that_was_not_measured_is_named() {
    let error = moved(&service(0.008, "redis"), &stack(0.0, 0.0), &stack(0.0, 0.0));
    assert_eq!(error.expect_err("not measured").kind, "redis");
}
