//! A thread that looks into a loop's thread while that stays in one callback: a stall.
//!
//! The loop measures its stalls itself, when they have ended; this is for what cannot be known then. While the
//! loop works, the watchdog looks at its [`Pulse`] every five milliseconds; while the loop waits, it rests. If one
//! thing has run for the threshold, the [`Witness`] looks into the thread, and the loop finds its word when the
//! callback has returned. A long stall is looked into again, since it may be something else that lasts than what
//! it began with. Each look also notes the thread's clocks, from which the loop knows of what a
//! stall was made ([`Ledger`]).
//!
//! Neither side ever waits for the other's lock: the loop must not stall for its watchdog, and in the child of a
//! fork the lock may be held for ever. Key invariant: a word is kept only if the stall was still going on
//! when the witness had spoken.

mod allowance;
mod follower;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use allowance::Allowance;
pub use follower::Budget;
use follower::{Follower, Sight};

use crate::epoll::monotonic;
use crate::histogram::Seconds;
use crate::pulse::{Pulse, Subject};
use crate::thread::{QueueClock, own_number, processor_time, without_signals};

/// Between two looks at a loop that works. Each costs up to twelve microseconds, on the slow machine where that
/// was measured: a quarter of a percent. Where they cost more they become fewer ([`Allowance`]).
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// A stall that goes on is looked at ever more seldom, up to this.
const LONGEST_NAP: Duration = Duration::from_millis(100);
/// In a stall no longer than this the watchdog sleeps no longer than beside a loop that works: nobody has to wake it.
pub const SHORT: Duration = BETWEEN_LOOKS.saturating_mul(STALL_PER_NAP);
/// How much longer than the nap after a look a stall has lasted by then.
const STALL_PER_NAP: u32 = 2;

/// Looks into a thread that stalls.
pub trait Witness: Send + 'static {
    /// What it has seen.
    type Testimony: Send + 'static;

    /// Looks, on the watchdog's thread; quickly, and without stopping the other one.
    fn look(&mut self, subject: Subject) -> Self::Testimony;

    /// Whether a word says enough to take the place of an earlier one about the same stall.
    fn says_enough(testimony: &Self::Testimony) -> bool;
}

/// The clocks of a loop's thread at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ledger {
    /// The moment, in seconds of the loop's clock.
    pub at: f64,
    /// Time on a processor until then.
    pub processor: Duration,
    /// Time on a run queue until then.
    pub queued: Duration,
    /// Seconds that the loop had waited until then.
    pub waited: f64,
}

/// What the watchdog tells the loop.
#[derive(Debug)]
struct Desk<T> {
    /// At the last look before the stall that goes on, or at an early one in it.
    ledger: Ledger,
    /// The word of the witness, and the beat that it is about.
    testimony: Option<(u64, T)>,
}

/// What a loop and its watchdog share.
#[derive(Debug)]
pub struct Watch<T> {
    /// The loop's pulse.
    pub pulse: Pulse,
    /// Seconds that the loop has waited, for whoever makes a [`Ledger`].
    pub waited: Seconds,
    /// Bits of seconds; infinite while nobody watches.
    threshold: AtomicU64,
    desk: Mutex<Desk<T>>,
}

impl<T> Watch<T> {
    /// With a threshold.
    pub fn new(threshold: Duration) -> Self {
        Self {
            pulse: Pulse::default(),
            waited: Seconds::default(),
            threshold: AtomicU64::new(threshold.as_secs_f64().to_bits()),
            desk: Mutex::new(Desk {
                ledger: Ledger::default(),
                testimony: None,
            }),
        }
    }

    /// How long a stall is at least, in seconds.
    #[inline]
    pub fn threshold(&self) -> f64 {
        f64::from_bits(self.threshold.load(Ordering::Relaxed))
    }

    /// Sets how long a stall is at least; without one there is none.
    pub fn set_threshold(&self, threshold: Option<Duration>) {
        let seconds = threshold.map_or(f64::INFINITY, |threshold| threshold.as_secs_f64());
        self.threshold.store(seconds.to_bits(), Ordering::Relaxed);
    }

    /// The clocks of the thread that beats, now.
    pub fn ledger(&self, queue: &QueueClock) -> Ledger {
        Ledger {
            at: monotonic(),
            processor: processor_time(self.pulse.subject().thread),
            queued: queue.time(),
            waited: self.waited.get(),
        }
    }

    /// Notes the clocks, if nobody else is about to.
    pub fn note(&self, ledger: Ledger) {
        if let Some(mut desk) = self.lock() {
            desk.ledger = ledger;
        }
    }

    /// For the loop's thread, when a stall ends: the clocks before it, and what was seen of it.
    pub fn take(&self) -> Option<(Ledger, Option<T>)> {
        let mut desk = self.lock()?;
        let testimony = desk.testimony.take();
        let testimony = testimony.filter(|(beat, _)| *beat == self.pulse.beat());
        Some((desk.ledger, testimony.map(|(_, testimony)| testimony)))
    }

    /// For any thread: since when the stall lasts that goes on, the clocks before it, and what was seen of it.
    pub fn peek<R>(&self, work: impl FnOnce(&T) -> R) -> Option<(f64, Ledger, R)> {
        let desk = self.lock()?;
        let (beat, testimony) = desk.testimony.as_ref()?;
        let began = self.pulse.mark();
        (*beat == self.pulse.beat()).then(|| (began, desk.ledger, work(testimony)))
    }

    fn lock(&self) -> Option<MutexGuard<'_, Desk<T>>> {
        match self.desk.try_lock() {
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
            queue: None,
        };
        // Fifteen bytes, as the kernel keeps.
        let builder = thread::Builder::new().name("corrente-watch".to_owned());
        let spawn = || {
            builder.spawn(move || {
                crate::descriptor::have_own_table();
                round.run();
            })
        };
        Ok(Self {
            is_over,
            // A handler would find none of the descriptors that it knows, as that which wakes a loop.
            thread: Some(without_signals(spawn)?),
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
        if self.is_here()
            && let Some(handle) = self.thread.take()
        {
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
        if !self.is_here() {
            // The thread is the parent's: there is none to be detached from.
            std::mem::forget(self.thread.take());
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
    /// The clock of this thread.
    queue: Option<(u32, QueueClock)>,
}

impl<W: Witness> Round<W> {
    fn run(mut self) {
        let own = own_number();
        let taken = || processor_time(own).as_secs_f64();
        let mut allowance = Allowance::from(monotonic(), taken());
        while !self.is_over.load(Ordering::Acquire) {
            let pulse = &self.watch.pulse;
            let (beat, mark) = (pulse.beat(), pulse.mark());
            let now = monotonic();
            let threshold = self.watch.threshold();
            let sight = if pulse.beat() == beat {
                self.follower.look(beat, mark, now, threshold)
            } else {
                // The mark may be of another beat; and what goes on cannot be for long.
                Sight::Works
            };
            let nap = match sight {
                Sight::Rests => self.rest(threshold),
                Sight::Works => {
                    self.note();
                    BETWEEN_LOOKS.as_secs_f64()
                }
                Sight::Stays { until } => {
                    self.note();
                    until - now
                }
                Sight::Stalls => self.stalled(beat, mark, now),
            };
            let nap = nap.max(allowance.debt(monotonic(), taken()));
            if let Some(nap) = Duration::try_from_secs_f64(nap)
                .ok()
                .filter(|nap| !nap.is_zero())
            {
                thread::park_timeout(nap.min(BETWEEN_LOOKS.max(LONGEST_NAP)));
            }
        }
    }

    /// Notes the clocks.
    fn note(&mut self) {
        let thread = self.watch.pulse.subject().thread;
        if self
            .queue
            .as_ref()
            .is_none_or(|(known, _)| *known != thread)
        {
            self.queue = Some((thread, QueueClock::of(thread)));
        }
        if let Some((_, queue)) = &self.queue {
            self.watch.note(self.watch.ledger(queue));
        }
    }

    /// The loop waits: so does the watchdog. The first thing that the loop does then is looked at as soon as it
    /// would be a stall: of a loop that has little to do, it is mostly the only one.
    fn rest(&mut self, threshold: f64) -> f64 {
        let is_over = &self.is_over;
        self.watch.pulse.rest(|| {
            if !is_over.load(Ordering::Acquire) {
                thread::park();
            }
        });
        self.note();
        threshold.min(BETWEEN_LOOKS.as_secs_f64())
    }

    /// A stall goes on; says how long to leave it alone.
    fn stalled(&mut self, beat: u64, mark: f64, now: f64) -> f64 {
        let lasted = now - mark;
        if self.follower.noticed != Some(beat) {
            self.follower.noticed = Some(beat);
            self.follower.witnessed_after = None;
            self.watch.pulse.notice(beat);
        }
        if self.follower.is_due(lasted) && self.budget.allows(now, lasted) {
            self.witness(beat, lasted);
        }
        // The loop wakes the watchdog when such a stall has ended, unless it was short.
        let nap = lasted / f64::from(STALL_PER_NAP);
        nap.clamp(BETWEEN_LOOKS.as_secs_f64(), LONGEST_NAP.as_secs_f64())
    }

    /// Asks the witness, and keeps its word while the stall goes on. Where somebody else is at the desk, it is asked again
    /// the next time.
    fn witness(&mut self, beat: u64, lasted: f64) {
        let testimony = self.witness.look(self.watch.pulse.subject());
        let Some(mut desk) = self.watch.lock() else {
            return;
        };
        let is_first = self.follower.witnessed_after.is_none();
        self.follower.witnessed_after = Some(lasted);
        if self.watch.pulse.beat() == beat && (is_first || W::says_enough(&testimony)) {
            desk.testimony = Some((beat, testimony));
        }
    }
}

#[cfg(test)]
mod tests;
