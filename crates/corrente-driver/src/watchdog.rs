//! A thread that sees when a loop's thread stays in one callback: a stall.
//!
//! While the loop works, the watchdog looks at its [`Pulse`] every half threshold; while the loop waits, it
//! rests. A beat that stays for the threshold is noticed: the [`Witness`] looks into the thread, and the loop
//! finds a [`Notice`] when the callback has returned. What the loop does with it is its own business.
//!
//! Neither side ever waits for the other's lock: the loop must not stall for its watchdog, and in the child of a
//! fork the lock may be held for ever. Key invariant: the witness's word is kept only if the stall was still
//! going on when it had spoken.

mod follower;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use follower::{Budget, Follower, Sight};

use crate::epoll::monotonic;
use crate::pulse::{Pulse, Subject};
use crate::thread::{processor_time, queued_time};

/// Looks at a loop that waits before the watchdog rests, and has to be woken when the loop goes on.
const LOOKS_BEFORE_REST: u32 = 3;
/// A stall that goes on is looked at ever more seldom, up to this.
const LONGEST_NAP: Duration = Duration::from_millis(100);

/// Looks into a thread that stalls.
pub trait Witness: Send + 'static {
    /// What it has seen.
    type Testimony: Send + 'static;

    /// Looks, on the watchdog's thread; quickly, and without stopping the other one.
    fn look(&mut self, subject: Subject) -> Self::Testimony;
}

/// A stall that the watchdog has noticed.
#[derive(Debug)]
pub struct Notice<T> {
    /// The beat that stays.
    beat: u64,
    /// When it began, in seconds of the loop's clock. Of several callbacks in one turn that is known to half
    /// the threshold, else exactly.
    pub began: f64,
    /// When it was first looked at.
    pub seen: f64,
    /// Processor time of the thread then.
    pub processor: Duration,
    /// Its time on a run queue, soon after that.
    pub queued: Duration,
    /// What the witness saw; `None` where it was too late, or was asked too often.
    pub testimony: Option<T>,
}

/// What a loop and its watchdog share.
#[derive(Debug)]
pub struct Watch<T> {
    /// The loop's pulse.
    pub pulse: Pulse,
    threshold_ns: AtomicU64,
    notice: Mutex<Option<Notice<T>>>,
}

impl<T> Watch<T> {
    /// With a threshold.
    pub fn new(threshold: Duration) -> Self {
        let watch = Self {
            pulse: Pulse::default(),
            threshold_ns: AtomicU64::default(),
            notice: Mutex::new(None),
        };
        watch.set_threshold(threshold);
        watch
    }

    /// How long a stall is at least.
    pub fn threshold(&self) -> Duration {
        Duration::from_nanos(self.threshold_ns.load(Ordering::Relaxed))
    }

    /// Sets how long a stall is at least.
    pub fn set_threshold(&self, threshold: Duration) {
        let nanoseconds = u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX);
        self.threshold_ns.store(nanoseconds, Ordering::Relaxed);
    }

    /// The stall of the beat that is ending; for the loop's thread.
    pub fn take(&self) -> Option<Notice<T>> {
        let notice = self.lock()?.take();
        notice.filter(|notice| notice.beat == self.pulse.beat())
    }

    fn lock(&self) -> Option<MutexGuard<'_, Option<Notice<T>>>> {
        match self.notice.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// The running thread. It ends when this is dropped, or is ended.
#[derive(Debug)]
pub struct Watchdog {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Of the process that has the thread: the child of a fork has not.
    process: u32,
}

impl Watchdog {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// Where the kernel gives no thread.
    pub fn start<W: Witness>(watch: Arc<Watch<W::Testimony>>, witness: W) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let round = Round {
            watch,
            witness,
            is_over: Arc::clone(&is_over),
            follower: Follower::default(),
            budget: Budget::default(),
            waits: 0,
        };
        // Fifteen bytes, as the kernel keeps.
        let builder = thread::Builder::new().name("corrente-watch".to_owned());
        Ok(Self {
            is_over,
            thread: Some(builder.spawn(move || round.run())?),
            process: std::process::id(),
        })
    }

    /// What wakes it.
    pub fn thread(&self) -> Option<Thread> {
        self.thread.as_ref().map(|handle| handle.thread().clone())
    }

    /// Whether it watches in this process: after a fork it does not in the child.
    pub fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// Ends it, and waits until it has ended: not for long, it is never in the middle of anything.
    pub fn end(mut self) {
        self.tell();
        if let Some(handle) = self.thread.take().filter(|_| self.is_here()) {
            // A panic of the witness has ended it before; there is nothing left to tell.
            handle.join().ok();
        }
    }

    fn tell(&self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(handle) = &self.thread
            && self.is_here()
        {
            handle.thread().unpark();
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.tell();
        if let Some(handle) = self.thread.take().filter(|_| !self.is_here()) {
            // The thread is the parent's: there is none to be detached from.
            std::mem::forget(handle);
        }
    }
}

/// What the thread has.
struct Round<W: Witness> {
    watch: Arc<Watch<W::Testimony>>,
    witness: W,
    is_over: Arc<AtomicBool>,
    follower: Follower,
    budget: Budget,
    /// Looks since the loop last worked.
    waits: u32,
}

impl<W: Witness> Round<W> {
    fn run(mut self) {
        while !self.is_over.load(Ordering::Acquire) {
            let pulse = &self.watch.pulse;
            // In this order: a turn is never later than the beat that is seen with it.
            let (turn, beat) = (pulse.turn(), pulse.beat());
            let now = monotonic();
            let threshold = self.watch.threshold().as_secs_f64();
            let sight = self.follower.look(beat, turn, now, threshold);
            let nap = match sight {
                Sight::Waits => self.waited(threshold),
                Sight::Works => {
                    self.follower.first = Some(processor_time(pulse.subject().thread));
                    threshold / 2.0
                }
                Sight::Stays { until } => {
                    let thread = pulse.subject().thread;
                    self.follower
                        .queued
                        .get_or_insert_with(|| queued_time(thread));
                    until - now
                }
                Sight::Stalls { began } => self.stalled(beat, began, now),
            };
            if sight != Sight::Waits {
                self.waits = 0;
            }
            if let Some(nap) = Duration::try_from_secs_f64(nap)
                .ok()
                .filter(|nap| !nap.is_zero())
            {
                thread::park_timeout(nap);
            }
        }
    }

    /// The loop waits: some looks later the watchdog does, too.
    fn waited(&mut self, threshold: f64) -> f64 {
        self.waits += 1;
        if self.waits < LOOKS_BEFORE_REST {
            return threshold / 2.0;
        }
        let is_over = &self.is_over;
        self.watch.pulse.rest(|| {
            if !is_over.load(Ordering::Acquire) {
                thread::park();
            }
        });
        0.0
    }

    /// A stall goes on; says how long to leave it alone.
    fn stalled(&mut self, beat: u64, began: f64, now: f64) -> f64 {
        let lasted = now - began;
        if self.follower.noticed != Some(beat) {
            self.follower.noticed = Some(beat);
            self.follower.is_witnessed = false;
            self.tell(beat, began);
        }
        if !self.follower.is_witnessed && self.budget.allows(now, lasted) {
            self.follower.is_witnessed = true;
            let testimony = self.witness.look(self.watch.pulse.subject());
            self.testify(beat, testimony);
        }
        // The loop wakes the watchdog when such a stall has ended.
        (lasted / 2.0).min(LONGEST_NAP.as_secs_f64())
    }

    fn tell(&mut self, beat: u64, began: f64) {
        let thread = self.watch.pulse.subject().thread;
        let queued = *self.follower.queued.get_or_insert_with(|| queued_time(thread));
        let notice = Notice {
            beat,
            began,
            seen: self.follower.seen,
            processor: self.follower.first.unwrap_or_default(),
            queued,
            testimony: None,
        };
        if let Some(mut slot) = self.watch.lock() {
            *slot = Some(notice);
            self.watch.pulse.notice(beat);
        }
    }

    fn testify(&self, beat: u64, testimony: W::Testimony) {
        let Some(mut slot) = self.watch.lock() else {
            return;
        };
        if let Some(notice) = slot.as_mut().filter(|notice| notice.beat == beat)
            && self.watch.pulse.beat() == beat
        {
            notice.testimony = Some(testimony);
        }
    }
}

#[cfg(test)]
mod tests;
