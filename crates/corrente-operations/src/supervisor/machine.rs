//! Decides about workers: events in, actions out, time as an argument.
//!
//! No process, signal or clock is known here, so every rule is tested by plain values. The rules are one
//! comparison, [`Machine::reconcile`]: how many workers there are against how many are wanted, and of
//! which generation. Key invariant: a worker that serves is told to stop only when another one is ready
//! in its place, unless fewer are wanted or all are to stop.

mod rules;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use state::{FirstFailure, Outcome, Plan, WorkerId, WorkerState};

use super::message::{Failure, Message};
use super::notice::Notice;
use super::process::Exit;
use state::{Phase, Worker};

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first one, and whenever the time of [`Machine::wake_at`] has come.
    Tick,
    /// A worker said something.
    Said(WorkerId, Message),
    /// A worker's process has ended, or could not be started.
    Exited(WorkerId, Exit),
    /// A worker holds so many bytes of memory.
    Memory(WorkerId, u64),
    /// SIGTERM, SIGINT: stop in peace; a second one: at once.
    Stop,
    /// SIGQUIT: stop at once.
    StopNow,
    /// SIGHUP: read the settings again and replace all workers.
    Reload,
    /// The settings were read again: what follows from them, and why all workers are replaced.
    Renewed(Plan, String),
    /// A file has changed: replace all workers; why.
    Restart(String),
    /// SIGTTIN: one worker more.
    More,
    /// SIGTTOU: one worker fewer.
    Fewer,
    /// SIGUSR1: open log files again.
    ReopenLogs,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a process.
    Start(WorkerId),
    /// Tell a worker something.
    Tell(WorkerId, Order),
    /// Read the settings again, and say [`Event::Renewed`].
    Reread,
    /// Tell people something.
    Say(Notice),
    /// End.
    End(Outcome),
}

/// What a worker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Take no more connections, finish what runs, end (SIGTERM).
    Stop,
    /// Say where it is and end (SIGABRT: Python's faulthandler shows the stack).
    Abort,
    /// End now (SIGKILL).
    Kill,
    /// Open log files again (SIGUSR1).
    ReopenLogs,
}

/// The state of everything.
#[derive(Debug)]
pub struct Machine {
    plan: Plan,
    /// Workers that are wanted.
    wanted: usize,
    workers: BTreeMap<WorkerId, Worker>,
    next: u64,
    /// A restart makes a new one; workers of an older one are replaced.
    generation: u32,
    phase: Phase,
    /// Whether any worker has ever been ready.
    has_served: bool,
    /// Failures one after the other, for the pause between starts.
    failures: u32,
    last_failure: Duration,
    /// No start before this.
    not_before: Duration,
    /// When it was first told to stop.
    stopped: Duration,
    actions: Vec<Action>,
}

impl Machine {
    /// A machine that has not begun: its first event is a tick.
    pub fn new(plan: Plan) -> Self {
        Self {
            wanted: plan.workers.max(1),
            plan,
            workers: BTreeMap::new(),
            next: 1,
            generation: 0,
            phase: Phase::Running,
            has_served: false,
            failures: 0,
            last_failure: Duration::ZERO,
            not_before: Duration::ZERO,
            stopped: Duration::ZERO,
            actions: Vec::new(),
        }
    }

    /// Takes an event at `now`, counted from any fixed moment; gives what is to be done, in order.
    pub fn step(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match event {
            Event::Said(id, message) => self.hear(now, id, message),
            Event::Exited(id, exit) => self.bury(now, id, exit),
            Event::Memory(id, bytes) => self.weigh(id, bytes),
            Event::Stop => self.stop(now),
            Event::StopNow => self.stop_now(),
            Event::Reload if self.can_restart() => self.actions.push(Action::Reread),
            Event::Reload | Event::Tick => {}
            Event::Renewed(plan, why) => self.renew(now, plan, why),
            Event::Restart(why) => self.restart(now, why),
            Event::More => self.want(self.wanted.saturating_add(1)),
            Event::Fewer => self.want(self.wanted.saturating_sub(1).max(1)),
            Event::ReopenLogs => {
                let all: Vec<WorkerId> = self.workers.keys().copied().collect();
                let tell = |id| Action::Tell(id, Order::ReopenLogs);
                self.actions.extend(all.into_iter().map(tell));
            }
        }
        self.enforce_deadlines(now);
        self.reconcile(now);
        std::mem::take(&mut self.actions)
    }

    /// When the next tick is due; `None` where only an event can change anything.
    pub fn wake_at(&self) -> Option<Duration> {
        let deadlines = self
            .workers
            .values()
            .filter_map(|worker| worker.deadline(&self.plan));
        let start = self.is_short().then_some(self.not_before);
        deadlines.chain(start).min()
    }

    /// The workers that there are, for who wants to know.
    pub fn workers(&self) -> impl Iterator<Item = (WorkerId, WorkerState)> {
        self.workers.iter().map(|(id, worker)| (*id, worker.state))
    }

    fn say(&mut self, notice: Notice) {
        self.actions.push(Action::Say(notice));
    }

    fn tell(&mut self, id: WorkerId, order: Order) {
        self.actions.push(Action::Tell(id, order));
    }

    fn failure_of(&mut self, id: WorkerId) -> Option<Failure> {
        self.workers.get_mut(&id)?.failure.take()
    }
}
