//! Reads whose times and changes can be counted by hand.

use super::*;
use crate::names::NameTable;

fn look(thread: u32, place: Place, doing: Doing) -> Look {
    Look {
        thread,
        place,
        doing,
        on_loop: false,
        times: None,
    }
}

fn endpoint() -> NameId {
    NameTable::default().id("shop:items")
}

const DATABASE: Doing = Doing::Waiting(ResourceId(1));

/// A tally of steady reads; one without looks is torn.
fn steady(reads: &[(u64, Option<&[Look]>)]) -> Tally {
    let mut tally = Tally::default();
    for (at, looks) in reads {
        tally.add(Turn::Steady, *at, looks.map(Rc::from));
    }
    tally
}

fn changes(tally: &Tally, distance: usize, stay: Stay) -> u64 {
    let pairs = &tally.pairs[Pace::Steady as usize][distance];
    pairs.changes.get(&stay).map_or(0, |changes| changes.count)
}

#[test]
fn a_stay_that_ends_is_counted_once_at_each_level() {
    let name = endpoint();
    let tally = steady(&[
        (0, Some(&[look(1, Place::Endpoint(name), DATABASE)])),
        (100, Some(&[look(1, Place::Endpoint(name), Doing::Running)])),
        (200, Some(&[look(1, Place::Outside, Doing::Idle)])),
    ]);
    assert_eq!(changes(&tally, 0, Stay::Wait(name, ResourceId(1))), 1);
    assert_eq!(changes(&tally, 0, Stay::Endpoint(name)), 1);
    assert_eq!(changes(&tally, 0, Stay::Application), 1);
    assert_eq!(changes(&tally, 1, Stay::Endpoint(name)), 1);
    let exposures = tally.pairs[Pace::Steady as usize]
        .each_ref()
        .map(|pairs| pairs.exposure_ns);
    assert_eq!(exposures, [200, 200]);
}

#[test]
fn waits_that_are_renamed_add_up() {
    let name = endpoint();
    let view = Place::Endpoint(name);
    let nameless = Doing::Waiting(ResourceId(7));
    let mut tally = steady(&[
        (0, Some(&[look(1, view, DATABASE)])),
        (100, Some(&[look(1, view, Doing::Running)])),
        (200, Some(&[look(1, view, nameless)])),
    ]);
    tally.rename(&HashMap::from([(ResourceId(7), ResourceId(1))]));
    assert_eq!(tally.waiting, HashMap::from([((view, DATABASE), 100)]));
    assert_eq!(changes(&tally, 0, Stay::Wait(name, ResourceId(1))), 2);
    assert_eq!(changes(&tally, 0, Stay::Wait(name, ResourceId(7))), 0);
}

#[test]
fn threads_that_come_and_go_begin_and_end_stays() {
    let name = endpoint();
    let inside = [look(7, Place::Endpoint(name), Doing::Running)];
    let tally = steady(&[(0, Some(&inside)), (50, Some(&[])), (100, Some(&inside))]);
    assert_eq!(changes(&tally, 0, Stay::Endpoint(name)), 2);
    assert_eq!(changes(&tally, 1, Stay::Endpoint(name)), 0);
}

#[test]
fn a_torn_read_loses_neither_time_nor_changes() {
    let name = endpoint();
    let inside = [look(1, Place::Endpoint(name), Doing::Running)];
    let tally = steady(&[(0, Some(&inside)), (50, None), (100, Some(&[]))]);
    assert_eq!((tally.reads, tally.torn, tally.sampled_ns), (2, 1, 100));
    assert_eq!(changes(&tally, 0, Stay::Endpoint(name)), 1);
    let awake = tally.awake[&(1, Place::Endpoint(name))];
    assert_eq!(
        awake,
        Awake {
            running: 50,
            ready: 0
        }
    );
}

#[test]
fn reads_of_a_burst_are_pairs_of_their_own() {
    let name = endpoint();
    let inside: Rc<[Look]> = Rc::from([look(1, Place::Endpoint(name), Doing::Running)]);
    let outside: Rc<[Look]> = Rc::from([]);
    let mut tally = Tally::default();
    tally.add(Turn::First, 0, Some(Rc::clone(&inside)));
    tally.add(Turn::Further, 10, Some(Rc::clone(&outside)));
    tally.add(Turn::First, 1_000, Some(Rc::clone(&inside)));
    tally.add(Turn::Further, 1_010, Some(inside));
    let exposure = |pace: Pace| tally.pairs[pace as usize][0].exposure_ns;
    assert_eq!((exposure(Pace::Close), exposure(Pace::Steady)), (20, 1_000));
    let close = &tally.pairs[Pace::Close as usize][0];
    let changes_of_burst = close.changes[&Stay::Endpoint(name)];
    assert_eq!(
        (changes_of_burst.count, changes_of_burst.within_ns),
        (1, 10)
    );
    assert_eq!(changes(&tally, 0, Stay::Endpoint(name)), 0);
}

#[test]
fn steps_of_a_loop_are_no_stays() {
    let name = endpoint();
    let step = Look {
        on_loop: true,
        ..look(1, Place::Endpoint(name), Doing::Running)
    };
    let tally = steady(&[(0, Some(&[step])), (50, Some(&[])), (100, Some(&[step]))]);
    assert!(tally.pairs[Pace::Steady as usize][0].changes.is_empty());
    let on_loop = tally.on_loop.get(&(Place::Endpoint(name), Doing::Running));
    assert_eq!(on_loop, Some(&50));
}

#[test]
fn means_are_numbers_of_threads() {
    let name = endpoint();
    let three = [
        look(1, Place::Endpoint(name), DATABASE),
        look(2, Place::Endpoint(name), Doing::Running),
        look(3, Place::Application, Doing::Running),
    ];
    let one = [look(1, Place::Outside, Doing::Idle)];
    let tally = steady(&[(0, Some(&three)), (10, Some(&one))]);
    let check = |stay: Stay, mean: f64| assert!((tally.mean(stay) - mean).abs() < 1e-9);
    check(Stay::Endpoint(name), 1.0);
    check(Stay::Application, 1.5);
    check(Stay::Wait(name, ResourceId(1)), 0.5);
}

#[test]
fn a_response_of_many_parts_is_one_stay() {
    let name = endpoint();
    let places = [
        (Place::Outside, Doing::Idle),
        (Place::Endpoint(name), DATABASE),
        (Place::Answering, Doing::Running),
        (Place::Endpoint(name), DATABASE),
        (Place::Answering, Doing::Running),
        (Place::Outside, Doing::Idle),
        // One of which no part was seen.
        (Place::Answering, Doing::Running),
        (Place::Outside, Doing::Idle),
    ];
    let looks = places.map(|(place, doing)| [look(1, place, doing)]);
    let reads: Vec<(u64, Option<&[Look]>)> = (looks.iter().enumerate())
        .map(|(number, looks)| (100 * number as u64, Some(looks.as_slice())))
        .collect();
    let tally = steady(&reads);
    assert_eq!(changes(&tally, 0, Stay::Endpoint(name)), 2);
    assert_eq!(changes(&tally, 0, Stay::Application), 4);
    let running = |place| tally.awake.get(&(1, place)).map(|awake| awake.running);
    assert_eq!(running(Place::Around(name)), Some(200));
    assert_eq!(running(Place::Application), Some(100));
    assert_eq!(running(Place::Answering), None);
}

#[test]
fn a_framework_s_time_is_that_of_the_view_that_it_calls() {
    let name = endpoint();
    let at = |place, doing| [look(1, place, doing)];
    let reads = [
        (0, at(Place::Outside, Doing::Idle)),
        (100, at(Place::Application, Doing::Running)),
        (200, at(Place::Application, DATABASE)),
        (300, at(Place::Endpoint(name), Doing::Running)),
        (400, at(Place::Application, Doing::Running)),
        (500, at(Place::Outside, Doing::Idle)),
        // A request that no view was seen of: nobody's.
        (600, at(Place::Application, Doing::Running)),
        (700, at(Place::Outside, Doing::Idle)),
    ];
    let reads: Vec<(u64, Option<&[Look]>)> = (reads.iter())
        .map(|(at, looks)| (*at, Some(looks.as_slice())))
        .collect();
    let tally = steady(&reads);
    let running = |place| {
        tally
            .awake
            .get(&(1, place))
            .map_or(0, |awake| awake.running)
    };
    let waiting = |place| tally.waiting.get(&(place, DATABASE)).copied().unwrap_or(0);
    assert_eq!(running(Place::Around(name)), 200);
    assert_eq!(running(Place::Endpoint(name)), 100);
    assert_eq!(running(Place::Application), 100);
    assert_eq!(waiting(Place::Around(name)), 100);
    assert_eq!(waiting(Place::Application), 0);
    // The stays are those of before: nothing of it changes how requests are counted.
    assert_eq!(changes(&tally, 0, Stay::Application), 4);
    assert_eq!(changes(&tally, 0, Stay::Endpoint(name)), 2);
}
