//! Runs a plan: starts the generator threads, reports progress, merges what they measured.
//!
//! It must not know protocols or sockets. The calling thread only waits, and wakes a few times per
//! second for the progress callback. Key invariants: no thread outlives the call, and a generator
//! thread that panics becomes an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use crate::arrival::{Schedule, Share};
use crate::error::LoadError;
use crate::exchange::{Exchange, Session};
use crate::generator::clock::Clock;
use crate::generator::{Assignment, Generator, Pace, Signals, Tickets};
use crate::http::{HttpExchange, HttpWork};
use crate::limits::{RESERVED_DESCRIPTORS, pin, raise_descriptor_limit};
use crate::outcome::Outcome;
use crate::plan::{Arrival, Plan};

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);
/// Descriptors of each generator thread besides its connections: epoll, timer, `/proc`.
const DESCRIPTORS_PER_THREAD: u64 = 4;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage of a ramp, from 0.
    pub stage: usize,
    /// How many stages there are; 1 without a ramp.
    pub stages: usize,
    /// Time since this stage began, warm-up included.
    pub elapsed: Duration,
    /// Planned length of this stage, warm-up included.
    pub total: Duration,
    /// Good answers of this stage so far, without the warm-up.
    pub completed: u64,
}

/// Runs the plan and blocks until it is done.
///
/// When `stop` becomes true it returns within about 50 ms with what it has. `progress` is called on
/// the calling thread, four times per second.
pub fn run(
    plan: &Plan,
    stop: &AtomicBool,
    progress: impl FnMut(Progress) + Send,
) -> Result<Outcome, LoadError> {
    let session = plan.session()?;
    let work = Arc::new(HttpWork::new(plan));
    run_session(
        &session,
        || HttpExchange::new(Arc::clone(&work)),
        stop,
        progress,
    )
}

/// Runs a session of any protocol; `make` makes the exchange of one connection.
pub(crate) fn run_session<E: Exchange>(
    session: &Session,
    make: impl Fn() -> E + Sync,
    stop: &AtomicBool,
    progress: impl FnMut(Progress),
) -> Result<Outcome, LoadError> {
    let for_threads = session.threads as u64 * DESCRIPTORS_PER_THREAD;
    let connections = session.arrival.connections() as u64;
    raise_descriptor_limit(connections + for_threads + RESERVED_DESCRIPTORS)?;
    let crew = Crew {
        session,
        clock: Clock::start(),
        stop,
        abandon: AtomicBool::new(false),
        completed: (0..session.threads).map(|_| AtomicU64::new(0)).collect(),
    };
    scope(|scope| {
        let (alive, all_gone) = channel();
        let threads: Result<Vec<_>, _> = (0..session.threads)
            .map(|thread| crew.spawn(scope, thread, &make, alive.clone()))
            .collect();
        if threads.is_err() {
            crew.abandon.store(true, Ordering::Relaxed);
        }
        drop(alive);
        crew.report_until(&all_gone, progress);
        merge(threads?)
    })
}

/// Held by a generator thread; when the last one is dropped, all threads are done.
type Alive = std::sync::mpsc::Sender<std::convert::Infallible>;

/// What the generator threads of one run share.
#[derive(Debug)]
struct Crew<'run> {
    session: &'run Session,
    clock: Clock,
    stop: &'run AtomicBool,
    abandon: AtomicBool,
    completed: Vec<AtomicU64>,
}

impl Crew<'_> {
    fn spawn<'scope, E: Exchange>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        thread: usize,
        make: &'scope (impl Fn() -> E + Sync),
        alive: Alive,
    ) -> Result<ScopedJoinHandle<'scope, Result<Outcome, LoadError>>, LoadError> {
        let body = move || {
            let outcome = self.generate(thread, make);
            if outcome.is_err() {
                self.abandon.store(true, Ordering::Relaxed);
            }
            drop(alive);
            outcome
        };
        Builder::new()
            .name(format!("corrente-load-{thread}"))
            .spawn_scoped(scope, body)
            .map_err(LoadError::system("start a generator thread"))
    }

    fn generate<E: Exchange>(
        &self,
        thread: usize,
        make: &impl Fn() -> E,
    ) -> Result<Outcome, LoadError> {
        let cpus = &self.session.cpus;
        if !cpus.is_empty() {
            pin(thread, cpus[thread % cpus.len()])?;
        }
        let signals = Signals {
            stop: self.stop,
            abandon: &self.abandon,
            completed: &self.completed[thread],
        };
        Generator::new(self.assignment(thread), make)?.run(&signals)
    }

    fn assignment(&self, thread: usize) -> Assignment {
        let session = self.session;
        let share = Share {
            thread,
            threads: session.threads,
        };
        let window_start_ns = nanoseconds(session.warm_up);
        Assignment {
            peer: session.peer.clone(),
            connections: part(session.arrival.connections(), share),
            pace: match session.arrival {
                Arrival::Closed { .. } => Pace::Closed,
                Arrival::Open {
                    rate_per_s,
                    process,
                    ..
                } => Pace::Open(Schedule::new(rate_per_s, process, share, session.seed)),
            },
            tickets: Tickets {
                next: thread as u64,
                step: session.threads as u64,
            },
            clock: self.clock,
            window_start_ns,
            window_end_ns: window_start_ns + nanoseconds(session.duration),
            timeout_ns: nanoseconds(session.timeout),
        }
    }

    fn report_until(
        &self,
        all_gone: &Receiver<std::convert::Infallible>,
        mut progress: impl FnMut(Progress),
    ) {
        let total = self.session.warm_up + self.session.duration;
        while all_gone.recv_timeout(PROGRESS_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            let elapsed = Duration::from_nanos(self.clock.now_ns()).min(total);
            let completed = self
                .completed
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .sum();
            progress(Progress {
                stage: 0,
                stages: 1,
                elapsed,
                total,
                completed,
            });
        }
    }
}

/// Spreads `whole` over the threads as evenly as it goes.
fn part(whole: usize, share: Share) -> usize {
    whole / share.threads + usize::from(share.thread < whole % share.threads)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn merge(
    threads: Vec<ScopedJoinHandle<'_, Result<Outcome, LoadError>>>,
) -> Result<Outcome, LoadError> {
    let mut merged: Option<Outcome> = None;
    let mut failure = None;
    // Every thread is joined, also after a failure, so that no panic is left unseen.
    for thread in threads {
        let panicked = |_| LoadError::Bug {
            rule: "generator threads do not panic".to_owned(),
        };
        match (thread.join().map_err(panicked).flatten(), &mut merged) {
            (Ok(outcome), None) => merged = Some(outcome),
            (Ok(outcome), Some(merged)) => merged.merge(&outcome)?,
            (Err(error), _) => failure = failure.or(Some(error)),
        }
    }
    let no_thread = || LoadError::Bug {
        rule: "a run has at least one thread".to_owned(),
    };
    failure.map_or_else(|| merged.ok_or_else(no_thread), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_spread_evenly_and_none_is_lost() {
        for (whole, threads) in [(1, 1), (7, 3), (64, 5), (3, 3)] {
            let parts: Vec<usize> = (0..threads)
                .map(|thread| part(whole, Share { thread, threads }))
                .collect();
            assert_eq!(parts.iter().sum::<usize>(), whole);
            assert!(
                parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1,
                "{parts:?}"
            );
        }
    }
}
