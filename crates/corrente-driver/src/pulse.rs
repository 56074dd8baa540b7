//! What the thread of a loop says of itself, for a watchdog to look at: a counter of what it does.
//!
//! The loop writes plain words of memory and reads no clock for it, so it costs a nanosecond a callback.
//! A counter that stays is a stall; an odd one is a wait. Only the wait's end is a synchronised write: by it a
//! loop that goes on after a long wait knows whether its watchdog is to be woken.
//!
//! Key invariant: one thread beats, and a beat is never used twice.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// No beat: even after centuries at a billion a second.
const NEVER: u64 = u64::MAX;

/// The pulse of a loop. Alone in its lines of the processor's cache: the watchdog reads, the loop writes.
#[derive(Debug)]
#[repr(align(128))]
pub struct Pulse {
    /// Changes with everything that the loop begins; odd while it waits.
    beat: AtomicU64,
    /// When the loop last read its clock: bits of seconds.
    turn: AtomicU64,
    /// The beat in which the watchdog has seen a stall.
    noticed: AtomicU64,
    /// The watchdog rests, and has to be woken.
    is_unseen: AtomicBool,
    /// The kernel's number of the loop's thread.
    thread: AtomicU32,
    /// What else somebody needs to know to look into that thread.
    key: AtomicUsize,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            beat: AtomicU64::new(1),
            turn: AtomicU64::new(f64::NEG_INFINITY.to_bits()),
            noticed: AtomicU64::new(NEVER),
            is_unseen: AtomicBool::new(false),
            thread: AtomicU32::new(0),
            key: AtomicUsize::new(0),
        }
    }
}

/// The thread that beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The kernel's number of it.
    pub thread: u32,
    /// What was told with it.
    pub key: usize,
}

/// Whether a watchdog has to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watcher {
    /// It looks by itself.
    Looks,
    /// It rests.
    Rests,
}

impl Pulse {
    /// This thread beats from now on.
    pub fn enter(&self, subject: Subject) {
        self.thread.store(subject.thread, Ordering::Relaxed);
        self.key.store(subject.key, Ordering::Release);
    }

    /// The thread that beats.
    pub fn subject(&self) -> Subject {
        Subject {
            key: self.key.load(Ordering::Acquire),
            thread: self.thread.load(Ordering::Relaxed),
        }
    }

    /// The loop begins something else.
    #[inline]
    pub fn begin(&self) {
        let next = (self.beat.load(Ordering::Relaxed) | 1) + 1;
        self.beat.store(next, Ordering::Relaxed);
    }

    /// The loop has read its clock, and begins a turn.
    #[inline]
    pub fn begin_turn(&self, now: f64) {
        self.turn.store(now.to_bits(), Ordering::Relaxed);
        self.begin();
    }

    /// The loop begins to wait.
    #[inline]
    pub fn begin_wait(&self) {
        let next = self.beat.load(Ordering::Relaxed) | 1;
        self.beat.store(next, Ordering::Relaxed);
    }

    /// The wait has ended.
    #[inline]
    pub fn end_wait(&self, now: f64) -> Watcher {
        self.turn.store(now.to_bits(), Ordering::Relaxed);
        let next = (self.beat.load(Ordering::Relaxed) | 1) + 1;
        // Pairs with `rest`: either the watchdog sees this beat, or this sees that it rests.
        self.beat.store(next, Ordering::SeqCst);
        if self.is_unseen.load(Ordering::SeqCst) {
            Watcher::Rests
        } else {
            Watcher::Looks
        }
    }

    /// Whether what the loop does now has been noticed as a stall.
    #[inline]
    pub fn is_noticed(&self) -> bool {
        self.noticed.load(Ordering::Relaxed) == self.beat.load(Ordering::Relaxed)
    }

    /// The beat.
    pub fn beat(&self) -> u64 {
        self.beat.load(Ordering::SeqCst)
    }

    /// When the turn began, in seconds of the loop's clock.
    pub fn turn(&self) -> f64 {
        f64::from_bits(self.turn.load(Ordering::Relaxed))
    }

    /// Tells the loop that it has stalled in this beat.
    pub(crate) fn notice(&self, beat: u64) {
        self.noticed.store(beat, Ordering::Release);
    }

    /// Whether the watchdog rests.
    #[cfg(test)]
    pub(crate) fn is_resting(&self) -> bool {
        self.is_unseen.load(Ordering::SeqCst)
    }

    /// Rests while the loop waits: `sleep` is called if it does, and is to be ended when it does not any more.
    pub(crate) fn rest(&self, sleep: impl FnOnce()) {
        self.is_unseen.store(true, Ordering::SeqCst);
        if is_wait(self.beat()) {
            sleep();
        }
        self.is_unseen.store(false, Ordering::SeqCst);
    }
}

/// Whether the loop waits in this beat.
pub(crate) fn is_wait(beat: u64) -> bool {
    beat % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_odd_and_no_beat_comes_twice() {
        let pulse = Pulse::default();
        let mut beats = vec![pulse.beat()];
        assert!(is_wait(beats[0]), "nothing runs yet");
        for _ in 0..3 {
            pulse.begin_turn(1.0);
            pulse.begin();
            beats.push(pulse.beat());
            assert!(!is_wait(pulse.beat()));
            pulse.begin_wait();
            beats.push(pulse.beat());
            assert!(is_wait(pulse.beat()));
            assert_eq!(pulse.end_wait(2.0), Watcher::Looks);
            beats.push(pulse.beat());
        }
        assert!(beats.is_sorted_by(|one, next| one < next), "{beats:?}");
    }

    #[test]
    fn a_stall_is_noticed_in_its_beat_alone() {
        let pulse = Pulse::default();
        pulse.begin();
        assert!(!pulse.is_noticed());
        pulse.notice(pulse.beat());
        assert!(pulse.is_noticed());
        pulse.begin();
        assert!(!pulse.is_noticed());
    }

    #[test]
    fn who_rests_is_to_be_woken_and_nobody_rests_beside_a_loop_that_works() {
        let pulse = Pulse::default();
        let mut watcher = Watcher::Looks;
        pulse.rest(|| watcher = pulse.end_wait(1.0));
        assert_eq!(watcher, Watcher::Rests);
        let mut has_slept = false;
        pulse.rest(|| has_slept = true);
        assert!(!has_slept);
    }
}
