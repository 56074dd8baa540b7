//! The rules: what each event means, and what follows from the number of workers.
//!
//! A rule changes the state and notes actions; which workers are started and stopped is decided in
//! `reconcile` alone.

use std::time::Duration;

use super::super::message::{Failure, Fault, Message};
use super::super::notice::Notice;
use super::super::process::Exit;
use super::state::{FirstFailure, Outcome, Phase, Plan, Worker, WorkerId, WorkerState};
use super::{Action, Machine, Order};

/// A worker that dies younger than this is a failure that makes the next start wait.
const TOO_SOON: Duration = Duration::from_secs(10);

/// Failures further apart than this have nothing to do with each other.
const FORGOTTEN: Duration = Duration::from_mins(1);

/// The first pause between starts; it doubles. Gunicorn has none and fills the log of a service that
/// cannot start with thousands of tracebacks.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A worker ends requests at its own deadline; it is killed so much later, or it would be killed while it does.
const MARGIN: Duration = Duration::from_secs(1);

/// Two wishes to stop within this time are one: timeout(1) and managers of processes signal the command and its group, which
/// is the command once more. A person takes longer.
const SAME_WISH: Duration = Duration::from_millis(100);

/// For a worker that hangs to say where.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Machine {
    pub(super) fn hear(&mut self, now: Duration, id: WorkerId, message: Message) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        match message {
            Message::Ready if worker.state == WorkerState::Starting => {
                let alive = None;
                worker.state = WorkerState::Serving { since: now, alive };
                self.has_served = true;
                self.say(Notice::Ready(id));
            }
            Message::Alive => {
                if let WorkerState::Serving { alive, .. } = &mut worker.state {
                    *alive = Some(now);
                }
            }
            Message::Going(why) => self.replace(id, why),
            Message::Trouble(text) => self.say(Notice::Trouble(id, text)),
            Message::Failed(failure) => worker.failure = Some(failure),
            Message::Ready => {}
        }
    }

    /// Marks a worker as one to be replaced; it serves until then.
    fn replace(&mut self, id: WorkerId, why: String) {
        let worker = self.workers.get_mut(&id);
        if let Some(worker) = worker.filter(|worker| worker.is_serving() && !worker.is_leaving) {
            worker.is_leaving = true;
            self.say(Notice::Replaces(id, why));
        }
    }

    pub(super) fn weigh(&mut self, id: WorkerId, bytes: u64) {
        let limit = self.plan.max_memory_bytes;
        if limit.is_some_and(|limit| bytes > limit) {
            let mib = bytes / (1024 * 1024);
            self.replace(id, format!("it holds {mib} MiB (max-memory)"));
        }
    }

    /// A worker has ended.
    pub(super) fn bury(&mut self, now: Duration, id: WorkerId, exit: Exit) {
        let failure = self.failure_of(id);
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        let was_told = worker.is_leaving || matches!(self.phase, Phase::Ending(_));
        match worker.state {
            WorkerState::Serving { since, .. } if !was_told => {
                self.say(Notice::Died(id, exit));
                if now.saturating_sub(since) < TOO_SOON {
                    self.count_failure(now);
                }
            }
            WorkerState::Starting | WorkerState::Killed if failure.is_some() || !was_told => {
                let is_start = worker.state == WorkerState::Starting || failure.is_some();
                if is_start {
                    let failure = failure.unwrap_or_else(|| unexplained(exit));
                    self.mourn(now, id, worker.generation, failure);
                }
            }
            _ => self.say(Notice::Ended(id)),
        }
    }

    /// A worker has ended before it was ready.
    fn mourn(&mut self, now: Duration, id: WorkerId, generation: u32, failure: Failure) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        if !self.has_served && self.plan.first_failure == FirstFailure::End {
            self.end(Outcome::Failed(failure));
            return;
        }
        self.say(Notice::NotReady(id, failure));
        self.count_failure(now);
        if generation == self.generation && self.has_outdated() {
            self.stay_with_the_old();
        } else if self.plan.first_failure == FirstFailure::WaitForChange {
            self.phase = Phase::Held;
            self.say(Notice::WaitsForChange);
        }
    }

    fn stay_with_the_old(&mut self) {
        let generation = self.generation;
        let old = self
            .workers
            .values_mut()
            .filter(|worker| worker.is_serving());
        let mut count = 0;
        for worker in old.filter(|worker| worker.generation < generation) {
            worker.generation = generation;
            count += 1;
        }
        self.say(Notice::StaysOld(count));
    }

    fn has_outdated(&self) -> bool {
        let mut serving = self.workers.values().filter(|worker| worker.is_serving());
        serving.any(|worker| worker.generation < self.generation)
    }

    fn count_failure(&mut self, now: Duration) {
        if now.saturating_sub(self.last_failure) > FORGOTTEN {
            self.failures = 0;
        }
        self.last_failure = now;
        // The first one is replaced at once: it may have been killed by hand.
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let pause = if self.failures == 0 {
            Duration::ZERO
        } else {
            doubled.min(LONGEST_PAUSE)
        };
        self.failures += 1;
        self.not_before = now + pause;
        if !pause.is_zero() {
            self.say(Notice::Waiting(pause));
        }
    }

    pub(super) fn want(&mut self, wanted: usize) {
        if self.can_restart() && wanted != self.wanted {
            self.wanted = wanted;
            self.say(Notice::Wants(wanted));
        }
    }

    pub(super) fn can_restart(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Held)
    }

    /// Goes by another plan, and so do the workers that replace all. Who has asked for more or fewer of them keeps that, unless
    /// the plan wants another number than before.
    pub(super) fn renew(&mut self, now: Duration, plan: Plan, why: String) {
        let before = std::mem::replace(&mut self.plan, plan);
        if self.plan.workers != before.workers {
            self.want(self.plan.workers.max(1));
        }
        self.restart(now, why);
    }

    pub(super) fn restart(&mut self, now: Duration, why: String) {
        if self.can_restart() {
            self.phase = Phase::Running;
            self.generation += 1;
            self.failures = 0;
            self.not_before = now;
            self.say(Notice::Restarts(why));
        }
    }

    pub(super) fn stop(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Ending(_) | Phase::Ended) {
            if now.saturating_sub(self.stopped) >= SAME_WISH {
                self.stop_now();
            }
            return;
        }
        self.stopped = now;
        self.say(Notice::Stops(self.plan.graceful));
        self.phase = Phase::Ending(Outcome::Stopped);
        let live: Vec<WorkerId> = self.ids(Worker::is_live);
        for id in live {
            self.dismiss(now, id);
        }
    }

    pub(super) fn stop_now(&mut self) {
        if self.phase == Phase::Ended {
            return;
        }
        self.say(Notice::StopsNow);
        let outcome = match &self.phase {
            Phase::Ending(outcome) => outcome.clone(),
            _ => Outcome::Stopped,
        };
        self.end(outcome);
    }

    /// Kills what is left, and ends when it is gone.
    fn end(&mut self, outcome: Outcome) {
        self.phase = Phase::Ending(outcome);
        for id in self.ids(|worker| worker.state != WorkerState::Killed) {
            self.kill(id);
        }
    }

    fn kill(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.state = WorkerState::Killed;
            self.tell(id, Order::Kill);
        }
    }

    fn dismiss(&mut self, now: Duration, id: WorkerId) {
        let deadline = now + self.plan.graceful + MARGIN;
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.state = WorkerState::Stopping { deadline };
            worker.is_leaving = true;
            self.tell(id, Order::Stop);
        }
    }

    fn ids(&self, wanted: impl Fn(&Worker) -> bool) -> Vec<WorkerId> {
        let found = self.workers.iter().filter(|(_, worker)| wanted(worker));
        found.map(|(id, _)| *id).collect()
    }

    /// What is due now.
    pub(super) fn enforce_deadlines(&mut self, now: Duration) {
        let plan = self.plan.clone();
        for id in self.ids(|worker| worker.deadline(&plan).is_some_and(|at| at <= now)) {
            let Some(worker) = self.workers.get_mut(&id) else {
                continue;
            };
            match worker.state {
                WorkerState::Starting => {
                    let s = plan.startup.as_secs_f64();
                    let text = format!("it was not ready after {s} s (startup-timeout)");
                    let fault = Fault::User;
                    worker.failure.get_or_insert(Failure { fault, text });
                    self.say(Notice::StartsTooLong(id, plan.startup));
                    self.kill(id);
                }
                WorkerState::Serving { alive, .. } => {
                    let limit = plan.hang.unwrap_or_default();
                    if alive.is_some_and(|alive| plan.hang.is_some() && alive + limit <= now) {
                        worker.state = WorkerState::Stopping {
                            deadline: now + LAST_WORDS,
                        };
                        self.say(Notice::Hangs(id, limit));
                        self.tell(id, Order::Abort);
                    } else {
                        self.replace(id, "it is old enough (max-lifetime)".to_owned());
                    }
                }
                WorkerState::Stopping { .. } => {
                    // One that hangs was told of already.
                    if worker.is_leaving {
                        self.say(Notice::Kills(id, plan.graceful));
                    }
                    self.kill(id);
                }
                WorkerState::Killed => {}
            }
        }
    }

    /// Whether fewer workers live than are wanted, or one is to be replaced and nobody starts yet.
    pub(super) fn is_short(&self) -> bool {
        // After failures one is tried at a time, not all.
        let is_careful = self.failures > 1 && !self.starts_none();
        if self.phase != Phase::Running || is_careful {
            return false;
        }
        // What its failure means is known when its exit has been seen.
        let is_unknown =
            |worker: &Worker| worker.state == WorkerState::Killed && worker.failure.is_some();
        let workers = self.workers.values();
        let live = workers
            .filter(|worker| worker.is_live() || is_unknown(worker))
            .count();
        live < self.wanted || (live == self.wanted && self.starts_none() && self.has_leaving())
    }

    fn starts_none(&self) -> bool {
        let mut workers = self.workers.values();
        !workers.any(|worker| worker.state == WorkerState::Starting)
    }

    fn has_leaving(&self) -> bool {
        let mut serving = self.workers.values().filter(|worker| worker.is_serving());
        serving.any(|worker| worker.is_leaving) || self.has_outdated()
    }

    /// Starts what is missing and dismisses what is too much. One at a time is replaced, so that there is
    /// never more than one worker too many.
    pub(super) fn reconcile(&mut self, now: Duration) {
        if let Phase::Ending(outcome) = &self.phase {
            if self.workers.is_empty() {
                let outcome = outcome.clone();
                self.phase = Phase::Ended;
                self.actions.push(Action::End(outcome));
            }
            return;
        }
        let mut serving = self.ids(Worker::is_serving);
        while serving.len() > self.wanted {
            let generation = self.generation;
            let leaves = |id: &WorkerId| {
                let worker = self.workers.get(id);
                worker.is_some_and(|worker| worker.is_leaving || worker.generation < generation)
            };
            // The oldest of those that leave, else the youngest of all.
            let at = serving.iter().position(leaves).unwrap_or(serving.len() - 1);
            let id = serving.remove(at);
            self.dismiss(now, id);
        }
        while self.is_short() && now >= self.not_before {
            self.start(now);
        }
    }

    fn start(&mut self, now: Duration) {
        let id = WorkerId(self.next);
        self.next += 1;
        // Spread by the golden ratio, so that workers that began together do not grow old together.
        let fraction = (id.0 as f64 * 0.618_033_988_75).fract();
        let spread = |lifetime: Duration| lifetime.mul_f64(0.9 + 0.2 * fraction);
        let worker = Worker {
            state: WorkerState::Starting,
            born: now,
            generation: self.generation,
            is_leaving: false,
            old_at: self
                .plan
                .max_lifetime
                .map(|lifetime| now + spread(lifetime)),
            failure: None,
        };
        self.workers.insert(id, worker);
        self.actions.push(Action::Start(id));
    }
}

/// What to say of a worker that ended without a word.
fn unexplained(exit: Exit) -> Failure {
    let (fault, end) = match exit {
        Exit::NotStarted(_) => (Fault::Machine, ""),
        _ => (Fault::User, " before it was ready"),
    };
    let text = format!("a worker {exit}{end}");
    Failure { fault, text }
}
