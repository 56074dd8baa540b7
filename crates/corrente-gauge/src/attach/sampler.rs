//! Sampling a service for a while: which process to read when.
//!
//! All processes are looked at in rounds; in some rounds one of them is read in a burst. What that may
//! cost is said by [`super::budget`]: where it is used up, a round passes over whatever has changed.
//! That is decided before anybody knows what a process does, so that no state of it is seen more
//! seldom than another. New processes are found once a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::process;
use super::reader::Reader;
use super::tables::Tables;
use super::tally::Turn;
use super::watched::{Asked, Effort, Watched};

/// Reads of a burst.
const BURST: usize = 6;

/// The distance of two reads of a burst, where reading does not take longer.
const CLOSE: Duration = Duration::from_micros(250);

/// Time between two looks for new processes, and calls of the progress callback.
const LOOK: Duration = Duration::from_secs(1);

/// Processes that are read at once; more are not opened.
const MAX_PROCESSES: usize = 256;

/// How often an interpreter is looked for in a process that may still be starting.
const OPENINGS: u32 = 5;

/// All processes of a service.
#[derive(Debug)]
pub(super) struct Sampler {
    root: u32,
    pub(super) watched: Vec<Watched>,
    pub(super) tables: Tables,
    /// How often a process without an interpreter was tried, and what was wrong.
    refused: HashMap<u32, (u32, String)>,
    start: Instant,
    budget: Budget,
    /// The process whose burst was the last.
    turn: usize,
}

impl Sampler {
    /// Opens the processes under `root`.
    pub(super) fn new(root: u32) -> Self {
        process::raise_file_limit();
        let mut sampler = Self {
            root,
            watched: Vec::new(),
            tables: Tables::default(),
            refused: HashMap::new(),
            start: Instant::now(),
            budget: Budget::new(u64::from(root)),
            turn: 0,
        };
        sampler.open_new();
        sampler
    }

    /// What was wrong with the process that cannot be read; the root before its children.
    pub(super) fn refusal(&self) -> Option<(u32, &str)> {
        let first = |pid: u32| {
            self.refused
                .get(&pid)
                .map(|(_, reason)| (pid, reason.as_str()))
        };
        first(self.root).or_else(|| first(*self.refused.keys().min()?))
    }

    fn open_new(&mut self) {
        for pid in process::tree(self.root) {
            let known = self.watched.iter().any(|watched| watched.pid == pid);
            let tried = self.refused.get(&pid).map_or(0, |(tried, _)| *tried);
            if known || tried >= OPENINGS || self.watched.len() >= MAX_PROCESSES {
                continue;
            }
            match Reader::new(pid) {
                Ok(reader) => {
                    self.refused.remove(&pid);
                    self.watched.push(Watched::new(reader));
                }
                Err(reason) => {
                    self.refused.insert(pid, (tried + 1, reason));
                }
            }
        }
    }

    /// Processes whose threads cannot be told apart.
    pub(super) fn cannot_tell_threads(&mut self) -> bool {
        self.watched.iter_mut().any(Watched::cannot_tell_threads)
    }

    /// The first process that runs greenlets, and with which library.
    pub(super) fn greenlets(&self) -> Option<(u32, &'static str)> {
        let mut each = self.watched.iter();
        each.find_map(|watched| Some((watched.pid, watched.greenlets?)))
    }

    /// Samples for `time`, until every process has ended, until it is cancelled, or until it is seen that
    /// nothing can be told. `progress` hears once a second how long it has been and how many reads there were.
    pub(super) fn run(
        &mut self,
        time: Duration,
        cancel: &AtomicBool,
        progress: &mut dyn FnMut(Duration, u64),
    ) {
        let mut next_look = LOOK;
        self.watched.iter_mut().for_each(Watched::look);
        loop {
            let now = self.start.elapsed();
            if now >= time || cancel.load(Ordering::Relaxed) {
                break;
            }
            if now >= next_look {
                self.watched.iter_mut().for_each(Watched::look);
                self.open_new();
                let reads = self.watched.iter().map(|watched| watched.tally.reads).sum();
                progress(now, reads);
                next_look = self.start.elapsed() + LOOK;
                if !self.watched.iter().any(Watched::lives) {
                    break;
                }
            }
            self.round();
            if self.greenlets().is_some() {
                break;
            }
            let next = now + self.budget.rest();
            let left = time.saturating_sub(self.start.elapsed());
            std::thread::sleep(next.saturating_sub(self.start.elapsed()).min(left));
        }
        self.watched.iter_mut().for_each(Watched::finish);
    }

    /// Looks at every process once, and reads one of them several times where bursts have not used
    /// up their share.
    fn round(&mut self) {
        let elapsed = self.start.elapsed();
        let effort = self.budget.effort(elapsed);
        let burst = self.budget.burst_is_due(elapsed);
        let chosen = burst.then(|| self.next_serving()).flatten();
        let before = process::own_cpu();
        for (place, watched) in self.watched.iter_mut().enumerate() {
            let asked = if chosen == Some(place) {
                Asked {
                    turn: Turn::First,
                    effort: Effort::Stacks,
                }
            } else {
                Asked {
                    turn: Turn::Steady,
                    effort,
                }
            };
            watched.read(asked, self.start, &mut self.tables);
        }
        let work = process::own_cpu().saturating_sub(before);
        if effort == Effort::Unchanged && chosen.is_none() {
            self.budget.looked(work);
        } else {
            self.budget.read(work);
        }
        if let Some(place) = chosen {
            let work = self.burst(place);
            self.budget.burst(elapsed, work);
        }
    }

    /// The next process that was ever seen in a request.
    fn next_serving(&mut self) -> Option<usize> {
        let count = self.watched.len();
        let serves = |place: &usize| {
            let watched = &self.watched[*place];
            watched.lives() && watched.tally.saw_application()
        };
        let next = (1..=count)
            .map(|step| (self.turn + step) % count)
            .find(serves);
        self.turn = next.unwrap_or(self.turn);
        next
    }

    /// The further reads of a burst; the result is the CPU time that they took.
    fn burst(&mut self, place: usize) -> Duration {
        let from = process::own_cpu();
        let mut last = Instant::now();
        for _ in 1..BURST {
            std::thread::sleep(CLOSE.saturating_sub(last.elapsed()));
            last = Instant::now();
            let asked = Asked {
                turn: Turn::Further,
                effort: Effort::Stacks,
            };
            self.watched[place].read(asked, self.start, &mut self.tables);
        }
        process::own_cpu().saturating_sub(from)
    }
}
