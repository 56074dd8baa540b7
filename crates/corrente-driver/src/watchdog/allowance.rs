//! How much processor time a watchdog may take: a hundredth of what passes.
//!
//! A look costs microseconds on a quiet machine, and ten times as many where its thread has to be fetched back onto a processor that
//! others want. Whoever looks at fixed times then costs more just where there is least to spare, so naps become longer until the
//! hundredth is kept. Plain data: it reads no clock.

/// The share of time that may be taken.
const SHARE: f64 = 0.01;
/// Seconds of processor time that may be saved, for looks at many stalls at once.
const SAVED: f64 = 0.02;

/// What may be taken, and what was.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Seconds of processor time; below zero where too much was taken.
    left: f64,
    at: f64,
    taken: f64,
}

impl Allowance {
    /// From that moment on, with all that may be saved; the thread has taken so many seconds of processor time before.
    pub(super) fn from(now: f64, taken: f64) -> Self {
        Self {
            left: SAVED,
            at: now,
            taken,
        }
    }

    /// Seconds until what was taken too much is earned again; the thread has taken so many seconds of processor time in all.
    pub(super) fn debt(&mut self, now: f64, taken: f64) -> f64 {
        let earned = (now - self.at) * SHARE;
        self.left = (self.left + earned).min(SAVED) - (taken - self.taken);
        self.at = now;
        self.taken = taken;
        (-self.left / SHARE).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share that a thread takes in ten seconds with looks of this cost, every five milliseconds where nothing is owed.
    fn share(cost: f64) -> f64 {
        let (mut now, mut taken) = (100.0, 0.5);
        let mut allowance = Allowance::from(now, taken);
        while now < 110.0 {
            taken += cost;
            now += allowance.debt(now, taken).max(0.005);
        }
        (taken - 0.5) / 10.0
    }

    #[test]
    fn cheap_looks_are_taken_at_their_times_and_dear_ones_seldom() {
        let close = |cost: f64, expected: f64| {
            let share = share(cost);
            assert!((share - expected).abs() < 2e-4, "{cost}: {share}");
        };
        close(12e-6, 0.0024);
        // The hundredth, and once what was saved.
        close(200e-6, 0.012);
        close(2e-3, 0.012);
    }

    #[test]
    fn no_more_is_saved_than_many_stalls_at_once_need() {
        let mut allowance = Allowance::from(0.0, 0.0);
        assert!(allowance.debt(3600.0, 0.02) <= 0.0);
        let debt = allowance.debt(3600.0, 0.03);
        assert!((debt - 1.0).abs() < 1e-6, "{debt}");
    }
}
