//! What a watchdog makes of the beats that it sees, and how often it may ask its witness.
//!
//! Plain data: it reads no clock and knows no thread.

use crate::pulse::is_wait;

/// Stalls that are looked into, a second; more are only counted. A look costs some tens of microseconds.
const LOOKS_PER_SECOND: f64 = 20.0;
/// As many at once.
const LOOKS_AT_ONCE: f64 = 20.0;
/// A stall as long as this is looked into in any case, in seconds: there cannot be many of them. It is looked into
/// again each time that it has lasted twice as long: the last word is then about the second half of it.
const LONG: f64 = 0.05;
/// Seconds: one that lasts is looked into again this often at least, so that what it became is told soon after.
const SELDOM: f64 = 1.0;
/// What has run for this share of the threshold is looked at again when it would be a stall.
const SUSPICIOUS: f64 = 0.25;

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sight {
    /// The loop has waited since the last look.
    Rests,
    /// It works, or has since the last look.
    Works,
    /// It has done one thing for a while; at that moment it would be a stall.
    Stays { until: f64 },
    /// It has done one thing for the threshold.
    Stalls,
}

/// Follows the beats.
#[derive(Debug)]
pub(super) struct Follower {
    beat: u64,
    /// The beat that the loop was told of.
    pub(super) noticed: Option<u64>,
    /// How long it had gone on, in seconds, when its witness was asked last.
    pub(super) witnessed_after: Option<f64>,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            beat: u64::MAX,
            noticed: None,
            witnessed_after: None,
        }
    }
}

impl Follower {
    /// A look at the beat and at the time since when it goes on.
    pub(super) fn look(&mut self, beat: u64, mark: f64, now: f64, threshold: f64) -> Sight {
        let is_new = std::mem::replace(&mut self.beat, beat) != beat;
        let lasted = now - mark;
        if is_wait(beat) {
            return if is_new { Sight::Works } else { Sight::Rests };
        }
        if lasted >= threshold {
            Sight::Stalls
        } else if lasted >= threshold * SUSPICIOUS {
            Sight::Stays {
                until: mark + threshold,
            }
        } else {
            Sight::Works
        }
    }

    /// Whether the witness is to be asked about a stall that has lasted so long.
    pub(super) fn is_due(&self, lasted: f64) -> bool {
        self.witnessed_after
            .is_none_or(|before| lasted >= LONG && lasted >= (2.0 * before).min(before + SELDOM))
    }
}

/// How often something may be done that is not to be done each time.
#[derive(Debug)]
pub struct Budget {
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
    pub fn allows(&mut self, now: f64, lasted: f64) -> bool {
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

    fn look(follower: &mut Follower, beat: u64, mark: f64, now: f64) -> Sight {
        follower.look(beat, mark, now, THRESHOLD)
    }

    #[test]
    fn what_goes_on_for_the_threshold_is_a_stall() {
        let mut follower = Follower::default();
        assert_eq!(look(&mut follower, 2, 10.0, 10.0002), Sight::Works);
        let stays = look(&mut follower, 2, 10.0, 10.0005);
        let Sight::Stays { until } = stays else {
            panic!("{stays:?}");
        };
        assert!((until - 10.001).abs() < 1e-9);
        assert_eq!(look(&mut follower, 2, 10.0, 10.0011), Sight::Stalls);
        assert_eq!(look(&mut follower, 4, 10.5, 10.5), Sight::Works);
    }

    #[test]
    fn a_wait_is_no_stall_however_long_it_is() {
        let mut follower = Follower::default();
        assert_eq!(look(&mut follower, 3, 9.0, 10.0), Sight::Works);
        for now in [11.0, 12.0] {
            assert_eq!(look(&mut follower, 3, 9.0, now), Sight::Rests);
        }
        // Another one: it has worked in between.
        assert_eq!(look(&mut follower, 5, 12.5, 13.0), Sight::Works);
    }

    #[test]
    fn a_long_stall_is_due_again_when_it_has_lasted_twice_as_long_or_a_second_longer() {
        let mut follower = Follower::default();
        let mut due = Vec::new();
        for tick in 1..4_000 {
            let lasted = f64::from(tick) / 1000.0;
            if follower.is_due(lasted) {
                follower.witnessed_after = Some(lasted);
                due.push(tick);
            }
        }
        assert_eq!(due, [1, 50, 100, 200, 400, 800, 1_600, 2_600, 3_600]);
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
