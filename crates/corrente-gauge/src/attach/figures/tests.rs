//! Counts and clocks whose figures can be worked out by hand.

use std::rc::Rc;

use super::*;
use crate::attach::tally::{Look, Turn};
use crate::names::NameTable;

const DATABASE: ResourceId = ResourceId(1);

/// A process of one thread that was seen at each place for so many tenths of a second.
fn sampled(seen: &[(u64, Place, Doing)], times: ThreadTimes) -> Sampled {
    let mut tally = Tally::default();
    for (tenths, place, doing) in seen {
        let time = tenths * 100_000_000;
        *tally.seen.entry(*place).or_default() += tenths;
        match doing {
            Doing::Running => tally.awake.entry((1, *place)).or_default().running += time,
            Doing::Idle => {}
            _ => *tally.waiting.entry((*place, *doing)).or_default() += time,
        }
        tally.sampled_ns += time;
    }
    Sampled {
        tally,
        times: BTreeMap::from([(1, times)]),
        cpu_ns: times.cpu,
        observed_ns: 10_000_000_000,
    }
}

#[test]
fn clocks_are_shared_by_samples_and_waits_are_shares_of_time() {
    let mut names = NameTable::default();
    let (slow, quick) = (
        Place::Endpoint(names.id("slow")),
        Place::Endpoint(names.id("quick")),
    );
    let times = ThreadTimes {
        cpu: 4_000_000_000,
        run_queue: 1_000_000_000,
    };
    let process = sampled(
        &[
            (30, slow, Doing::Running),
            (10, quick, Doing::Running),
            (40, slow, Doing::Waiting(DATABASE)),
            (20, Place::Outside, Doing::Idle),
        ],
        times,
    );
    let found = figures(&[process], 10.0);
    let slow = &found.endpoints[&names.id("slow")];
    let quick = &found.endpoints[&names.id("quick")];
    assert!((slow.cpu_ns - 3e9).abs() < 1.0, "{slow:?}");
    assert!((quick.cpu_ns - 1e9).abs() < 1.0);
    assert!((slow.run_queue_ns - 0.75e9).abs() < 1.0);
    assert!((slow.wait_ns - 4e9).abs() < 1.0);
    assert!((slow.resources[&DATABASE].wait_ns - 4e9).abs() < 1.0);
    assert!((quick.wait_ns - 0.0).abs() < 1.0);
    assert!((found.running_by_samples - 0.4).abs() < 1e-9);
    assert!((found.running_by_clock - 0.5).abs() < 1e-9);
}

#[test]
fn a_wait_that_is_nothing_beside_the_rest_is_no_line() {
    let mut names = NameTable::default();
    let place = Place::Endpoint(names.id("view"));
    let times = ThreadTimes {
        cpu: 10_000_000_000,
        run_queue: 0,
    };
    // All of its waiting, and half a percent of its time.
    let seen = [
        (995, place, Doing::Running),
        (5, place, Doing::Waiting(DATABASE)),
    ];
    let found = figures(&[sampled(&seen, times)], 10.0);
    let view = &found.endpoints[&names.id("view")];
    assert!(view.resources.is_empty(), "{view:?}");
    assert!(view.wait_ns > 0.0, "{view:?}");
}

#[test]
fn a_framework_is_shared_out_and_nothing_is_lost() {
    let mut names = NameTable::default();
    let place = Place::Endpoint(names.id("view"));
    let times = ThreadTimes {
        cpu: 3_000_000_000,
        run_queue: 0,
    };
    let process = sampled(
        &[
            (10, place, Doing::Running),
            (10, Place::Application, Doing::Running),
            (10, Place::Outside, Doing::Running),
        ],
        times,
    );
    let found = figures(&[process], 10.0);
    assert!((found.endpoints[&names.id("view")].cpu_ns - 2e9).abs() < 1.0);
    assert!((found.outside_cpu_ns - 1e9).abs() < 1.0);
}

#[test]
fn a_framework_around_an_endpoint_is_that_endpoint_s_and_the_rest_is_shared() {
    let mut names = NameTable::default();
    let (list, page) = (names.id("list"), names.id("page"));
    let times = ThreadTimes {
        cpu: 10_000_000_000,
        run_queue: 0,
    };
    let seen = [
        (10, Place::Endpoint(list), Doing::Running),
        (50, Place::Around(list), Doing::Running),
        (10, Place::Endpoint(page), Doing::Running),
        (14, Place::Application, Doing::Running),
        (16, Place::Outside, Doing::Running),
    ];
    let found = figures(&[sampled(&seen, times)], 10.0);
    // Shared by time, as no request was counted: 6 to 1.
    let check = |name, cpu_ns: f64, shared_ns: f64| {
        let endpoint: &EndpointFigures = &found.endpoints[&name];
        assert!((endpoint.cpu_ns - cpu_ns).abs() < 1.0, "{endpoint:?}");
        assert!(
            (endpoint.shared_cpu_ns - shared_ns).abs() < 1.0,
            "{endpoint:?}"
        );
    };
    check(list, 7.2e9, 1.2e9);
    check(page, 1.2e9, 0.2e9);
    assert!((found.outside_cpu_ns - 1.6e9).abs() < 1.0);
}

#[test]
fn a_framework_around_a_glimpse_is_shared_like_any_other() {
    let mut names = NameTable::default();
    let (view, glimpse) = (names.id("view"), names.id("glimpse"));
    let times = ThreadTimes {
        cpu: 3_000_000_000,
        run_queue: 0,
    };
    let seen = [
        (20, Place::Endpoint(view), Doing::Running),
        (10, Place::Around(glimpse), Doing::Running),
    ];
    let found = figures(&[sampled(&seen, times)], 10.0);
    assert!((found.endpoints[&view].cpu_ns - 3e9).abs() < 1.0);
    // One endpoint was seen, which does not say that there is no other.
    assert!((found.endpoints[&view].shared_cpu_ns - 1e9).abs() < 1.0);
}

#[test]
fn a_sleep_on_a_loop_is_a_blocked_loop() {
    let mut names = NameTable::default();
    let place = Place::Endpoint(names.id("handler"));
    let seen = [
        (10, place, Doing::Waiting(DATABASE)),
        (90, Place::Outside, Doing::Idle),
    ];
    let mut process = sampled(&seen, ThreadTimes::default());
    process.tally.on_loop = process.tally.waiting.clone();
    let found = figures(&[process], 10.0);
    let handler = &found.endpoints[&names.id("handler")];
    assert!(handler.on_loop);
    assert!(handler.requests.is_none());
    assert!((handler.blocked_ns - 1e9).abs() < 1.0, "{handler:?}");
}

#[test]
fn a_glimpse_is_no_endpoint() {
    let mut names = NameTable::default();
    let place = Place::Endpoint(names.id("glimpse"));
    let process = sampled(&[(2, place, Doing::Running)], ThreadTimes::default());
    assert!(figures(&[process], 10.0).endpoints.is_empty());
}

#[test]
fn threads_that_come_and_go_have_what_the_others_leave() {
    let mut names = NameTable::default();
    let place = Place::Endpoint(names.id("view"));
    let times = ThreadTimes {
        cpu: 1_000_000_000,
        run_queue: 0,
    };
    let mut process = sampled(&[(10, Place::Outside, Doing::Running)], times);
    for thread in 100..110 {
        let awake = Awake {
            running: 100_000_000,
            ready: 0,
        };
        process.tally.awake.insert((thread, place), awake);
        *process.tally.seen.entry(place).or_default() += 1;
    }
    process.cpu_ns = 3_000_000_000;
    let found = figures(&[process], 10.0);
    assert!((found.endpoints[&names.id("view")].cpu_ns - 2e9).abs() < 1.0);
    assert!((found.short_lived_cpu_ns - 2e9).abs() < 1.0);
    assert!((found.cpu_ns - 3e9).abs() < 1.0);
}

#[test]
fn the_run_queue_is_where_threads_were_ready() {
    let mut names = NameTable::default();
    let (view, other) = (
        Place::Endpoint(names.id("view")),
        Place::Endpoint(names.id("other")),
    );
    let seen = [(30, view, Doing::Running), (30, other, Doing::Running)];
    let times = ThreadTimes {
        cpu: 6_000_000_000,
        run_queue: 1_000_000_000,
    };
    let mut process = sampled(&seen, times);
    let awake = process.tally.awake.entry((1, view)).or_default();
    awake.ready = 1_000_000_000;
    let found = figures(&[process], 10.0);
    assert!((found.endpoints[&names.id("view")].run_queue_ns - 1e9).abs() < 1.0);
    assert!((found.endpoints[&names.id("other")].cpu_ns - 3e9).abs() < 1.0);
}

#[test]
fn requests_that_only_sleep_where_samples_see_them_are_counted() {
    let mut names = NameTable::default();
    let name = names.id("sleeps");
    let look = |place: Place, doing: Doing| Look {
        thread: 1,
        place,
        doing,
        on_loop: false,
        times: None,
    };
    let mut tally = Tally::default();
    for at_ms in 0..4_000_u64 {
        let seen = if at_ms % 40 < 20 {
            look(Place::Endpoint(name), Doing::Waiting(DATABASE))
        } else {
            look(Place::Outside, Doing::Idle)
        };
        tally.add(Turn::Steady, at_ms * 1_000_000, Some(Rc::from([seen])));
    }
    let process = Sampled {
        tally,
        times: BTreeMap::from([(1, ThreadTimes::default())]),
        cpu_ns: 0,
        observed_ns: 4_000_000_000,
    };
    let found = figures(&[process], 4.0);
    let count = found.endpoints[&name].requests.expect("is counted");
    assert!((count.number - 100.0).abs() < 2.0, "{count:?}");
}

#[test]
fn requests_of_a_view_that_was_not_seen_are_not_another_s() {
    // One view of 0.4 ms, too short for reads a millisecond apart, between frameworks' work of 20 ms.
    let mut names = NameTable::default();
    let name = names.id("short");
    let (mut tally, mut at) = (Tally::default(), 0_u64);
    for number in 0..4_000_u64 {
        at += 1_000_000;
        let place = match number % 40 {
            10 => Place::Endpoint(name),
            20..40 => Place::Application,
            _ => Place::Outside,
        };
        let look = Look {
            thread: 1,
            place,
            doing: Doing::Running,
            on_loop: false,
            times: None,
        };
        tally.add(Turn::Steady, at, Some(Rc::from([look])));
    }
    let times = ThreadTimes {
        cpu: 4_000_000_000,
        run_queue: 0,
    };
    let process = Sampled {
        tally,
        times: BTreeMap::from([(1, times)]),
        cpu_ns: times.cpu,
        observed_ns: 4_000_000_000,
    };
    let found = figures(&[process], 4.0);
    assert_eq!(found.endpoints[&name].requests, None);
}
