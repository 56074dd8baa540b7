//! What a watchdog makes of the beats that it sees, and how often it may ask its witness.
//!
//! Plain data: it reads no clock and knows no thread.

use std::time::Duration;

use crate::pulse::is_wait;

/// Stalls that are looked into, a second; more are only counted. A look costs some tens of microseconds.
const LOOKS_PER_SECOND: f64 = 20.0;
/// As many at once.
const LOOKS_AT_ONCE: f64 = 20.0;
/// A stall as long as this is looked into in any case, in seconds: there cannot be many of them.
const LONG: f64 = 0.05;

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sight {
    /// The loop waits.
    Waits,
    /// It does something else than at the last look.
    Works,
    /// It does the same as at the last look; at that moment it would be a stall.
    Stays { until: f64 },
    /// It has done the same for the threshold, since then.
    Stalls { began: f64 },
}

/// Follows the beats.
#[derive(Debug)]
pub(super) struct Follower {
    beat: u64,
    /// When this beat began at the earliest.
    began: f64,
    /// The last look.
    looked: f64,
    /// The first look at this beat.
    pub(super) seen: f64,
    /// The thread's clocks at the first and the second one.
    pub(super) first: Option<Duration>,
    pub(super) queued: Option<Duration>,
    /// The beat that the loop was told of.
    pub(super) noticed: Option<u64>,
    /// Its witness has been asked.
    pub(super) is_witnessed: bool,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            beat: u64::MAX,
            began: 0.0,
            looked: f64::NEG_INFINITY,
            seen: 0.0,
            first: None,
            queued: None,
            noticed: None,
            is_witnessed: false,
        }
    }
}

impl Follower {
    /// A look at the beat and at the time when its turn began.
    pub(super) fn look(&mut self, beat: u64, turn: f64, now: f64, threshold: f64) -> Sight {
        let before = std::mem::replace(&mut self.looked, now);
        let is_new = std::mem::replace(&mut self.beat, beat) != beat;
        if is_wait(beat) {
            return Sight::Waits;
        }
        if is_new {
            // After the last look, since there was another beat; and not before its turn.
            self.began = turn.max(before).min(now);
            self.seen = now;
            self.first = None;
            self.queued = None;
            return Sight::Works;
        }
        let until = self.began + threshold;
        if until <= now {
            Sight::Stalls { began: self.began }
        } else {
            Sight::Stays { until }
        }
    }
}

/// How often the witness may be asked.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
    at: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: LOOKS_AT_ONCE,
            at: f64::NEG_INFINITY,
        }
    }
}

impl Budget {
    /// Whether a stall may be looked into that has lasted so long.
    pub(super) fn allows(&mut self, now: f64, lasted: f64) -> bool {
        let earned = (now - self.at) * LOOKS_PER_SECOND;
        self.at = now;
        self.left = (self.left + earned).min(LOOKS_AT_ONCE);
        if self.left < 1.0 && lasted < LONG {
            return false;
        }
        self.left = (self.left - 1.0).max(0.0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLD: f64 = 0.001;

    fn look(follower: &mut Follower, beat: u64, turn: f64, now: f64) -> Sight {
        follower.look(beat, turn, now, THRESHOLD)
    }

    #[test]
    fn a_beat_that_stays_for_the_threshold_is_a_stall_since_its_turn() {
        let mut follower = Follower::default();
        assert_eq!(look(&mut follower, 1, 0.0, 10.0), Sight::Waits);
        assert_eq!(look(&mut follower, 2, 10.0002, 10.0005), Sight::Works);
        let stays = look(&mut follower, 2, 10.0002, 10.001);
        let Sight::Stays { until } = stays else {
            panic!("{stays:?}");
        };
        assert!((until - 10.0012).abs() < 1e-9);
        let stalls = look(&mut follower, 2, 10.0002, 10.0013);
        assert_eq!(stalls, Sight::Stalls { began: 10.0002 });
        assert_eq!(look(&mut follower, 4, 10.5, 10.5), Sight::Works);
    }

    #[test]
    fn a_callback_late_in_a_long_turn_began_after_the_look_before() {
        let mut follower = Follower::default();
        look(&mut follower, 2, 10.0, 10.0001);
        assert_eq!(look(&mut follower, 8, 10.0, 10.0006), Sight::Works);
        let stalls = look(&mut follower, 8, 10.0, 10.0012);
        assert_eq!(stalls, Sight::Stalls { began: 10.0001 });
    }

    #[test]
    fn a_wait_is_no_stall_however_long_it_is() {
        let mut follower = Follower::default();
        for now in [10.0, 11.0, 12.0] {
            assert_eq!(look(&mut follower, 3, 9.0, now), Sight::Waits);
        }
        // Nor is what follows it.
        assert_eq!(look(&mut follower, 4, 12.9999, 13.0), Sight::Works);
        assert!(matches!(
            look(&mut follower, 4, 12.9999, 13.0001),
            Sight::Stays { .. }
        ));
    }

    #[test]
    fn many_short_stalls_are_not_all_looked_into_and_long_ones_are() {
        let mut budget = Budget::default();
        let short = (0..1000).filter(|number| budget.allows(f64::from(*number) * 0.002, 0.001));
        let short = short.count();
        assert!((50..=62).contains(&short), "{short} in two seconds");
        assert!(budget.allows(2.0, 0.06));
    }
}
