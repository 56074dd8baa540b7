//! The parent's time: what has passed while it ran.
//!
//! A container that is paused, a virtual machine that is moved, Ctrl-Z: parent and workers stand still together, and time goes
//! on. A worker that could not say that it lives does not hang, so what the parent slept through does not count. It must wait
//! in short pieces for that: of a long one nobody can tell when it stood still.

use std::time::{Duration, Instant};

/// A wait is no longer, where there is something to be done at its end. Workers say that they live once a second, so it wakes
/// nobody more often.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Who comes back from a wait later than this after its end did not run: a busy machine is not as slow.
const LATE: Duration = Duration::from_secs(1);

/// A clock that counts from when it was made.
#[derive(Debug)]
pub(super) struct Clock {
    begun: Instant,
    /// What does not count.
    slept: Duration,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            slept: Duration::ZERO,
        }
    }

    /// What it shows.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed().saturating_sub(self.slept)
    }

    /// When it will show this.
    pub(super) fn instant(&self, shown: Duration) -> Instant {
        self.begun + self.slept + shown
    }

    /// A wait of `asked` at most took so long.
    pub(super) fn waited(&mut self, asked: Duration, took: Duration) {
        let late = took.saturating_sub(asked);
        if late > LATE {
            self.slept += late;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_nobody_ran_in_does_not_count() {
        let mut clock = Clock::new();
        let at = clock.instant(Duration::from_mins(1));
        // Events end a wait early, and a busy machine a little late.
        clock.waited(LONGEST_WAIT, Duration::from_millis(10));
        clock.waited(LONGEST_WAIT, LONGEST_WAIT + LATE);
        assert_eq!(clock.instant(Duration::from_mins(1)), at);
        clock.waited(LONGEST_WAIT, LONGEST_WAIT + Duration::from_secs(100));
        let later = clock.instant(Duration::from_mins(1));
        assert_eq!(later - at, Duration::from_secs(100));
        assert_eq!(clock.now(), Duration::ZERO);
    }
}
