//! What threads did between two sleeps, with the kernel's exact times for it.
//!
//! A sampler that shares a processor with the service runs when the service lets it: short runs are
//! seen too seldom. But a sleeping thread's clocks are exact, so the time of every run from one sleep
//! to the next is known, seen or not. Runs that begin and end in the same places are alike; what was
//! seen of some of them says how all of them are made up. Pure.

use std::collections::{BTreeMap, HashMap};

use super::process::ThreadTimes;
use super::tally::{Awake, Doing, Look, Place};

/// Where a thread slept before a run, and after it.
pub(super) type Ends = (Place, Place);

/// Runs that begin and end in the same places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Alike {
    /// The times of all of them.
    pub(super) times: ThreadTimes,
    /// What was seen of them, nanoseconds.
    pub(super) seen: BTreeMap<Place, Awake>,
}

/// The runs of a process.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    pub(super) alike: BTreeMap<Ends, Alike>,
    open: HashMap<u32, Open>,
    /// The times of all runs of a thread.
    times: HashMap<u32, ThreadTimes>,
}

/// A thread since it was last seen asleep.
#[derive(Debug, Clone)]
struct Open {
    from: Place,
    times: ThreadTimes,
    seen: Vec<(Place, Doing, u64)>,
}

impl Runs {
    /// Takes what a thread was seen doing for some time.
    pub(super) fn add(&mut self, look: &Look, time: u64) {
        if matches!(look.doing, Doing::Running | Doing::Ready)
            && let Some(open) = self.open.get_mut(&look.thread)
        {
            open.seen.push((look.place, look.doing, time));
        }
    }

    /// What was seen of a thread in a framework, up to now, was around an endpoint.
    pub(super) fn hand_over(&mut self, thread: u32, around: Place) {
        let Some(open) = self.open.get_mut(&thread) else {
            return;
        };
        let last = open.seen.iter_mut().rev();
        for (place, ..) in last.take_while(|(place, ..)| *place == Place::Application) {
            *place = around;
        }
    }

    /// A thread that is asleep ends its run, and begins the next.
    pub(super) fn close(&mut self, look: &Look) {
        let Some(times) = look.times else {
            return;
        };
        let next = Open {
            from: look.place,
            times,
            seen: Vec::new(),
        };
        let Some(open) = self.open.insert(look.thread, next) else {
            return;
        };
        let run = times.since(open.times);
        if run == ThreadTimes::default() {
            return;
        }
        self.times.entry(look.thread).or_default().add(run);
        let alike = self.alike.entry((open.from, look.place)).or_default();
        alike.times.add(run);
        for (place, doing, time) in open.seen {
            let awake = alike.seen.entry(place).or_default();
            match doing {
                Doing::Ready => awake.ready += time,
                _ => awake.running += time,
            }
        }
    }

    /// The times of all runs of a thread that were seen to begin and to end.
    pub(super) fn times(&self, thread: u32) -> ThreadTimes {
        self.times.get(&thread).copied().unwrap_or_default()
    }

    /// Takes the runs of another process.
    pub(super) fn merge(&mut self, other: &Self) {
        for (ends, runs) in &other.alike {
            let alike = self.alike.entry(*ends).or_default();
            alike.times.add(runs.times);
            for (place, awake) in &runs.seen {
                let seen = alike.seen.entry(*place).or_default();
                seen.running += awake.running;
                seen.ready += awake.ready;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NameTable;

    fn look(place: Place, doing: Doing, cpu: Option<u64>) -> Look {
        Look {
            thread: 1,
            place,
            doing,
            on_loop: false,
            times: cpu.map(|cpu| ThreadTimes { cpu, run_queue: 0 }),
        }
    }

    #[test]
    fn runs_have_their_exact_times_seen_or_not() {
        let view = Place::Endpoint(NameTable::default().id("view"));
        let mut runs = Runs::default();
        let asleep = |cpu| look(Place::Outside, Doing::Idle, Some(cpu));
        runs.close(&asleep(100));
        // Seen in the middle.
        runs.add(&look(view, Doing::Running, None), 40);
        runs.close(&asleep(150));
        // Not seen.
        runs.close(&asleep(180));
        // It slept on.
        runs.close(&asleep(180));
        let alike = &runs.alike[&(Place::Outside, Place::Outside)];
        assert_eq!(alike.times.cpu, 80);
        assert_eq!(alike.seen.len(), 1);
        assert_eq!(alike.seen[&view].running, 40);
    }
}
