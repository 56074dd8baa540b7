//! When processes served: what ran at the same time adds up, what ran one after the other does not.
//!
//! A service's time is from its first request to its last, as long as any of its processes is there;
//! what lies between two runs is not part of it. Times of several hosts are compared as their clocks
//! have them. Pure. Invariant: no order of the processes, and no figure that a file may hold, changes
//! or breaks what is found.

use std::collections::{BTreeMap, BTreeSet};

use corrente_record::Process;

/// A worker that takes another's place starts within this time, and a process's file may lack its last
/// second: what is closer together is one run. Two runs so close add no more than this to the time.
const GAP_NS: u128 = 5_000_000_000;

/// The time of a service and how much of it there was at once.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Course {
    /// Seconds that processes were observed, overlapping ones once.
    pub(super) observed_s: f64,
    /// Seconds from the first request to the last, over all runs.
    pub(super) active_s: f64,
    /// The most processes that served at the same time.
    pub(super) processes: usize,
    /// The most hosts.
    pub(super) hosts: usize,
}

/// When one process was there and when it served, nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Stay<'a> {
    host: &'a str,
    begin: u128,
    end: u128,
    /// From its first request to the end of its last one.
    active: Option<(u128, u128)>,
}

impl<'a> Stay<'a> {
    fn of(process: &'a Process) -> Self {
        let begin = u128::from(process.started_unix_ms) * 1_000_000;
        // An older file does not say when the first request came: then it is taken to come at once.
        let first = begin + u128::from(process.first_request_ns);
        let last = first + u128::from(process.active_ns);
        Self {
            host: &process.host,
            begin,
            end: last.max(begin + u128::from(process.observed_ns)),
            active: (process.active_ns > 0).then_some((first, last)),
        }
    }
}

/// The course of a service that these processes served.
pub(super) fn course(processes: &[Process]) -> Course {
    let mut stays: Vec<Stay<'_>> = processes.iter().map(Stay::of).collect();
    stays.sort_by_key(|stay| (stay.begin, stay.end));
    let mut course = Course::default();
    let mut run: Vec<Stay<'_>> = Vec::new();
    for stay in stays {
        let end = run.iter().map(|one| one.end).max();
        if end.is_some_and(|end| stay.begin > end.saturating_add(GAP_NS)) {
            course.add(&run);
            run.clear();
        }
        run.push(stay);
    }
    course.add(&run);
    course
}

impl Course {
    /// Adds a run: processes that were there at the same time, or took one another's place.
    fn add(&mut self, run: &[Stay<'_>]) {
        let seconds = |begin: Option<u128>, end: Option<u128>| {
            let time = end.zip(begin).map(|(end, begin)| end - begin);
            time.unwrap_or(0) as f64 / 1e9
        };
        let active = || run.iter().filter_map(|stay| stay.active);
        self.active_s += seconds(
            active().map(|(first, _)| first).min(),
            active().map(|(_, last)| last).max(),
        );
        self.observed_s += seconds(
            run.iter().map(|stay| stay.begin).min(),
            run.iter().map(|stay| stay.end).max(),
        );
        let serving: Vec<Stay<'_>> = (run.iter().filter(|stay| stay.active.is_some()))
            .copied()
            .collect();
        self.processes = self.processes.max(most(&serving, BTreeMap::len));
        let hosts = |here: &BTreeMap<usize, &str>| here.values().collect::<BTreeSet<_>>().len();
        self.hosts = self.hosts.max(most(&serving, hosts));
    }
}

/// The most, by this count, of those that are there at the same time.
fn most<'a>(stays: &[Stay<'a>], count: impl Fn(&BTreeMap<usize, &'a str>) -> usize) -> usize {
    let begins = stays.iter().enumerate().map(|(id, one)| (one.begin, 1, id));
    let ends = stays.iter().enumerate().map(|(id, one)| (one.end, 0, id));
    let mut changes: Vec<(u128, u8, usize)> = begins.chain(ends).collect();
    // Whoever leaves at the moment at which another comes was not there with it.
    changes.sort_unstable();
    let mut here = BTreeMap::new();
    let mut most = 0;
    for (_, change, id) in changes {
        if change == 0 {
            here.remove(&id);
        } else {
            here.insert(id, stays[id].host);
        }
        most = most.max(count(&here));
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// There from `begin` for `seconds`; its first request after `first`, active for `active`.
    fn process(host: &str, begin: u64, seconds: u64, first: u64, active: u64) -> Process {
        Process {
            host: host.to_owned(),
            started_unix_ms: begin * 1_000,
            observed_ns: seconds * SECOND,
            first_request_ns: first * SECOND,
            active_ns: active * SECOND,
            ..Process::default()
        }
    }

    fn check(processes: &[Process], expected: (f64, f64, usize, usize)) {
        let Course {
            observed_s,
            active_s,
            processes: at_once,
            hosts,
        } = course(processes);
        assert_eq!((observed_s, active_s, at_once, hosts), expected);
        let mut turned = processes.to_vec();
        turned.reverse();
        assert_eq!(course(&turned), course(processes));
    }

    #[test]
    fn what_ran_at_the_same_time_is_one_time() {
        check(&[process("a", 100, 60, 5, 50)], (60.0, 50.0, 1, 1));
        let workers = [process("a", 100, 60, 5, 50), process("a", 100, 60, 2, 10)];
        check(&workers, (60.0, 53.0, 2, 1));
        let hosts = [process("a", 100, 60, 0, 60), process("b", 110, 60, 0, 60)];
        check(&hosts, (70.0, 70.0, 2, 2));
    }

    #[test]
    fn what_ran_one_after_the_other_is_two_times() {
        let runs = [process("a", 100, 60, 5, 50), process("a", 1_000, 60, 5, 50)];
        check(&runs, (120.0, 100.0, 1, 1));
        let hosts = [process("a", 100, 60, 5, 50), process("b", 1_000, 60, 5, 50)];
        check(&hosts, (120.0, 100.0, 1, 1));
    }

    #[test]
    fn a_worker_that_takes_the_place_of_another_goes_on_with_its_run() {
        // One request in each of three workers: the time between them is the service's, too.
        let one = |begin| process("a", begin, 10, 9, 1);
        check(&[one(100), one(111), one(122)], (32.0, 23.0, 1, 1));
    }

    #[test]
    fn who_leaves_as_another_comes_was_not_there_with_it() {
        let both = [process("a", 100, 10, 0, 10), process("b", 110, 10, 0, 10)];
        check(&both, (20.0, 20.0, 1, 1));
    }

    #[test]
    fn who_answered_nothing_is_not_counted() {
        let idle = process("b", 100, 60, 0, 0);
        check(&[process("a", 100, 60, 5, 50), idle], (60.0, 50.0, 1, 1));
        check(&[], (0.0, 0.0, 0, 0));
    }

    #[test]
    fn figures_at_the_end_of_their_range_are_no_error() {
        let far = Process {
            started_unix_ms: u64::MAX,
            observed_ns: u64::MAX,
            first_request_ns: u64::MAX,
            active_ns: u64::MAX,
            ..Process::default()
        };
        let found = course(&[far.clone(), process("a", 1, 1, 0, 1), far]);
        assert!(found.active_s.is_finite(), "{found:?}");
    }
}
