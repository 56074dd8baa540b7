//! Adding up what samples showed: how long threads were where, and how often that changed.
//!
//! A process is read again and again, mostly at a steady pace, now and then in a burst of reads that
//! are close together. The time between two reads counts half for what the first showed and half
//! for what the second did. How often a thread was in a place at one read and not at the next gives
//! the rate at which such stays end ([`super::rate`]). A read that failed makes the time between its
//! neighbours longer, no more: failing is likelier while something happens. Pure: times come in with
//! the reads.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::around::{Around, Found};
use super::process::ThreadTimes;
use super::runs::Runs;
use crate::names::NameId;

/// Pairs are of neighbours and of reads with one between.
const DISTANCES: usize = 2;

/// Reads farther apart than this say nothing of the time between them.
const LONGEST_NS: u64 = 250_000_000;

/// How close together reads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// As close as they can be, in bursts.
    Close,
    /// Spread over the whole time.
    Steady,
}

impl Pace {
    /// Both, the closer first.
    pub(super) const ALL: [Self; 2] = [Self::Close, Self::Steady];
}

/// What a read belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// One of the steady reads.
    Steady,
    /// A steady read with which a burst begins.
    First,
    /// A further read of a burst.
    Further,
}

/// Where a thread is, with the endpoint's name as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// Idle, or in the server.
    Outside,
    /// In a framework, nobody knows for which endpoint.
    Application,
    /// In a framework, before or after this endpoint.
    Around(NameId),
    /// In an endpoint.
    Endpoint(NameId),
    /// In the server, which sends a response: nobody has looked up yet whose.
    Answering,
}

/// What a thread does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Doing {
    /// On a processor, or put aside by another thread.
    Running,
    /// Woken, and not on a processor yet.
    Ready,
    /// Asleep, for this resource.
    Waiting(ResourceId),
    /// Asleep, until another thread gives up the interpreter lock.
    Locked,
    /// Asleep with nothing to do.
    Idle,
}

/// A resource in the sampler's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ResourceId(pub(super) u32);

/// One thread at one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) thread: u32,
    pub(super) place: Place,
    pub(super) doing: Doing,
    pub(super) on_loop: bool,
    /// Its times, where it is asleep.
    pub(super) times: Option<ThreadTimes>,
}

/// A stay whose ends are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stay {
    /// In the application, wherever there.
    Application,
    /// In an endpoint.
    Endpoint(NameId),
    /// Waiting for a resource within an endpoint.
    Wait(NameId, ResourceId),
}

/// Pairs of reads and what changed between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    /// Time between the reads of all pairs.
    pub(super) exposure_ns: u64,
    /// Beginnings and ends seen.
    pub(super) changes: HashMap<Stay, Changes>,
}

/// Beginnings and ends of one stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) count: u64,
    /// Time between the reads that showed them.
    pub(super) within_ns: u64,
}

/// Time not asleep, nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Awake {
    pub(super) running: u64,
    pub(super) ready: u64,
}

impl Changes {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.within_ns += other.within_ns;
    }
}

/// A read: when it began, and what each thread did.
type Read = (u64, Rc<[Look]>);

/// What the samples of one process showed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Reads that succeeded.
    pub(super) reads: u64,
    /// Reads that did not, because the stacks changed while they were read.
    pub(super) torn: u64,
    /// The time between the reads, nanoseconds.
    pub(super) sampled_ns: u64,
    /// Time that threads were not asleep, by thread and place.
    pub(super) awake: HashMap<(u32, Place), Awake>,
    /// Time that threads were waiting.
    pub(super) waiting: HashMap<(Place, Doing), u64>,
    /// Of these and the running ones, threads of event loops.
    pub(super) on_loop: HashMap<(Place, Doing), u64>,
    /// In how many reads a thread was there.
    pub(super) seen: HashMap<Place, u64>,
    /// Threads that were ever in the application, awake or asleep.
    pub(super) in_application: BTreeSet<u32>,
    /// By pace: pairs of neighbouring reads, and of those with one between.
    pub(super) pairs: [[Pairs; DISTANCES]; 2],
    /// What threads did between two sleeps.
    pub(super) runs: Runs,
    around: Around,
    last: Option<Read>,
    /// By pace: the last read and the one before it.
    chains: [[Option<Read>; DISTANCES]; 2],
}

impl Tally {
    /// Takes a read; nothing stands for one that failed.
    pub(super) fn add(&mut self, turn: Turn, at_ns: u64, looks: Option<Rc<[Look]>>) {
        if turn == Turn::First {
            self.chains[Pace::Close as usize] = [None, None];
        }
        let Some(looks) = looks else {
            self.torn += 1;
            return;
        };
        self.reads += 1;
        let looks = self.around.answering(looks);
        for look in looks.iter() {
            *self.seen.entry(look.place).or_default() += 1;
            if look.place != Place::Outside {
                self.in_application.insert(look.thread);
            }
        }
        let read = (at_ns, looks);
        self.add_time(&read);
        read.1.iter().for_each(|look| self.runs.close(look));
        if turn != Turn::Further {
            self.link(Pace::Steady, &read);
        }
        if turn != Turn::Steady {
            self.link(Pace::Close, &read);
        }
    }

    /// Shares the time since the last read between that one and this.
    fn add_time(&mut self, read: &Read) {
        let last = self.last.replace(read.clone());
        let Some((before, looks)) = last else {
            return;
        };
        let time = read.0.saturating_sub(before);
        if time <= LONGEST_NS {
            self.sampled_ns += time;
            self.add_looks(&looks, time / 2);
            self.add_looks(&read.1, time - time / 2);
        } else {
            self.around.forget();
        }
        self.around.keep(&read.1);
    }

    fn add_looks(&mut self, looks: &[Look], time: u64) {
        for look in looks {
            if let Some(found) = self.around.follow(look, time) {
                self.hand_over(look.thread, &found);
            }
            let look = &Look {
                place: self.around.place(look),
                ..*look
            };
            match look.doing {
                Doing::Running => self.awake(look).running += time,
                Doing::Ready => self.awake(look).ready += time,
                Doing::Waiting(_) | Doing::Locked => {
                    *self.waiting.entry((look.place, look.doing)).or_default() += time;
                }
                Doing::Idle => {}
            }
            self.runs.add(look, time);
            if look.on_loop && look.doing != Doing::Idle {
                *self.on_loop.entry((look.place, look.doing)).or_default() += time;
            }
        }
    }

    /// Gives an endpoint what a thread did in the framework before it was seen in it.
    fn hand_over(&mut self, thread: u32, found: &Found) {
        let around = Place::Around(found.view);
        for (doing, time) in &found.before {
            let mut taken = Awake::default();
            match doing {
                Doing::Running => taken.running = *time,
                Doing::Ready => taken.ready = *time,
                Doing::Waiting(_) | Doing::Locked => {
                    let nobodys = self
                        .waiting
                        .entry((Place::Application, *doing))
                        .or_default();
                    *nobodys = nobodys.saturating_sub(*time);
                    *self.waiting.entry((around, *doing)).or_default() += time;
                }
                Doing::Idle => {}
            }
            let nobodys = self.awake.entry((thread, Place::Application)).or_default();
            nobodys.running = nobodys.running.saturating_sub(taken.running);
            nobodys.ready = nobodys.ready.saturating_sub(taken.ready);
            let own = self.awake.entry((thread, around)).or_default();
            own.running += taken.running;
            own.ready += taken.ready;
        }
        self.runs.hand_over(thread, around);
    }

    fn awake(&mut self, look: &Look) -> &mut Awake {
        self.awake.entry((look.thread, look.place)).or_default()
    }

    /// Pairs a read with those before it at the same pace.
    fn link(&mut self, pace: Pace, read: &Read) {
        let chain = &mut self.chains[pace as usize];
        for (pairs, before) in self.pairs[pace as usize].iter_mut().zip(chain.iter()) {
            let Some((at, looks)) = before else {
                continue;
            };
            let time = read.0.saturating_sub(*at);
            if time <= LONGEST_NS {
                pairs.add(time, looks, &read.1);
            }
        }
        chain.rotate_right(1);
        chain[0] = Some(read.clone());
    }

    /// Counts waits for some resources as waits for others.
    pub(super) fn rename(&mut self, owners: &HashMap<ResourceId, ResourceId>) {
        let owner = |resource: ResourceId| owners.get(&resource).copied().unwrap_or(resource);
        let doing = |doing: Doing| match doing {
            Doing::Waiting(resource) => Doing::Waiting(owner(resource)),
            other => other,
        };
        for times in [&mut self.waiting, &mut self.on_loop] {
            for ((place, before), time) in std::mem::take(times) {
                *times.entry((place, doing(before))).or_default() += time;
            }
        }
        for pairs in self.pairs.iter_mut().flatten() {
            for (stay, seen) in std::mem::take(&mut pairs.changes) {
                let stay = match stay {
                    Stay::Wait(name, resource) => Stay::Wait(name, owner(resource)),
                    other => other,
                };
                pairs.changes.entry(stay).or_default().add(seen);
            }
        }
    }

    /// Mean number of threads in a stay.
    pub(super) fn mean(&self, stay: Stay) -> f64 {
        let running = self.awake.iter().map(|((_, place), awake)| {
            let time = awake.running + awake.ready;
            (*place, Doing::Running, time)
        });
        let waiting = self
            .waiting
            .iter()
            .map(|((place, doing), ns)| (*place, *doing, *ns));
        let inside: u64 = running
            .chain(waiting)
            .filter(|(place, doing, _)| is_in(stay, *place, *doing))
            .map(|(.., ns)| ns)
            .sum();
        inside as f64 / self.sampled_ns.max(1) as f64
    }

    /// The part of the time that lies between the reads of these pairs.
    pub(super) fn coverage(&self, pairs: &Pairs) -> f64 {
        (pairs.exposure_ns as f64 / self.sampled_ns.max(1) as f64).min(1.0)
    }

    /// Whether any thread was ever in the application.
    pub(super) fn saw_application(&self) -> bool {
        self.seen.keys().any(|place| *place != Place::Outside)
    }
}

impl Pairs {
    fn add(&mut self, time_ns: u64, before: &Rc<[Look]>, after: &Rc<[Look]>) {
        self.exposure_ns += time_ns;
        if Rc::ptr_eq(before, after) {
            return;
        }
        let mut stays_after: HashMap<u32, Stays> = after
            .iter()
            .map(|look| (look.thread, Stays::of(look)))
            .collect();
        for look in before.iter() {
            // A thread that has gone is in no stay any more.
            let then = stays_after.remove(&look.thread).unwrap_or_default();
            self.compare(time_ns, &Stays::of(look), &then);
        }
        for new in stays_after.values() {
            self.compare(time_ns, &Stays::default(), new);
        }
    }

    fn compare(&mut self, time_ns: u64, before: &Stays, after: &Stays) {
        let mut changed = |stay: Option<Stay>| {
            if let Some(stay) = stay {
                self.changes.entry(stay).or_default().add(Changes {
                    count: 1,
                    within_ns: time_ns,
                });
            }
        };
        for (then, now) in before.0.iter().zip(&after.0) {
            if then != now {
                changed(*then);
                changed(*now);
            }
        }
    }
}

/// The stays that one thread is in, from the widest to the narrowest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stays([Option<Stay>; 3]);

impl Stays {
    /// A loop's thread is in none: it leaves a request at every `await`, and its stays are steps.
    fn of(look: &Look) -> Self {
        if look.on_loop {
            return Self::default();
        }
        let application = (look.place != Place::Outside).then_some(Stay::Application);
        match (look.place, look.doing) {
            (Place::Endpoint(name), Doing::Waiting(resource)) => Self([
                application,
                Some(Stay::Endpoint(name)),
                Some(Stay::Wait(name, resource)),
            ]),
            // Between two parts of a response it is sent: the endpoint is not left.
            (Place::Endpoint(name) | Place::Around(name), _) => {
                Self([application, Some(Stay::Endpoint(name)), None])
            }
            _ => Self([application, None, None]),
        }
    }
}

fn is_in(stay: Stay, place: Place, doing: Doing) -> bool {
    match stay {
        Stay::Application => place != Place::Outside,
        Stay::Endpoint(name) => place == Place::Endpoint(name),
        Stay::Wait(name, resource) => {
            place == Place::Endpoint(name) && doing == Doing::Waiting(resource)
        }
    }
}

#[cfg(test)]
mod tests;
