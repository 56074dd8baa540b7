//! What a loop counts of itself: turns, callbacks, bytes, how long it works and waits.
//!
//! Written by the loop's thread with plain stores and read by any; a turn costs a nanosecond more for it.
//! Knows nothing of who reads.

use std::sync::atomic::{AtomicU64, Ordering};

use corrente_driver::histogram::{Counter, Histogram, Seconds};

/// Shorter turns are only counted: to sort each of them would cost a tenth of the shortest ones.
const TURN_LEAST: f64 = 100e-6;

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) turns: Counter,
    pub(crate) callbacks: Counter,
    /// Bytes of streams and of `sock_recv` and its like.
    pub(crate) received: Counter,
    pub(crate) sent: Counter,
    /// Streams that were begun, and those of them that have ended.
    pub(crate) begun: Counter,
    pub(crate) ended: Counter,
    /// Streams that nobody has ended, and nobody has any more: any thread may have been the last.
    pub(crate) lost: AtomicU64,
    /// Seconds of work, up to the last wait.
    pub(crate) worked: Seconds,
    /// Since when it works; 0 while it does not run.
    pub(crate) works_since: Seconds,
    /// Turns of a tenth of a millisecond or more.
    pub(crate) turn: Histogram,
    /// How late timers were, the latest of each turn.
    pub(crate) lag: Histogram,
    /// Stalls, and what they were made of.
    pub(crate) stall: Histogram,
    pub(crate) stall_processor: Seconds,
    pub(crate) stall_queued: Seconds,
    pub(crate) stall_blocked: Seconds,
}

impl Metrics {
    /// So many turns have ended; several only where all of them were short.
    #[inline]
    pub(crate) fn turned(&self, seconds: f64, turns: u32) {
        self.turns.add(u64::from(turns));
        if seconds >= TURN_LEAST {
            self.turn.record(seconds);
        }
    }

    /// Streams that are open.
    pub(crate) fn transports(&self) -> u64 {
        let ended = self.ended.get() + self.lost.load(Ordering::Relaxed);
        self.begun.get().saturating_sub(ended)
    }

    /// The loop begins to run.
    pub(crate) fn enter(&self, now: f64) {
        self.works_since.set(now);
    }

    /// It has worked until then, and waited since.
    pub(crate) fn waited(&self, begin: f64, end: f64) {
        self.worked.add(begin - self.works_since.get());
        self.works_since.set(end);
    }

    /// It runs no more.
    pub(crate) fn leave(&self, now: f64) {
        self.worked.add(now - self.works_since.get());
        self.works_since.set(0.0);
    }

    /// Seconds of work until now.
    pub(crate) fn worked(&self, now: f64) -> f64 {
        let since = self.works_since.get();
        let going_on = if since > 0.0 { now - since } else { 0.0 };
        self.worked.get() + going_on.max(0.0)
    }
}
