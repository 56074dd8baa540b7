//! When to read how much, so that sampling keeps to its part of a processor and still sees fairly.
//!
//! All depends on what reading costs on average, never on what the last read showed: one that sees
//! a change costs more, so whoever reads until the share is used up reads until something changes,
//! and counts too many changes. Distances have a random part that keeps them from falling into step
//! with the service. Pure: times come in.

use std::time::Duration;

use super::watched::Effort;

/// The part of one processor that sampling may use.
const SHARE_OF_A_CORE: f64 = 0.20;

/// The part of that which is for bursts.
const SHARE_OF_BURSTS: f64 = 0.15;

/// The part of it that looking may use, where nothing is read.
const SHARE_OF_LOOKS: f64 = 0.25;

/// The shortest distance of two rounds, however cheap they are.
const SHORTEST: Duration = Duration::from_millis(1);

/// CPU time that sampling has cost until now, and when the next burst may begin.
#[derive(Debug)]
pub(super) struct Budget {
    rounds: Duration,
    bursts: Mean,
    /// Of rounds in which nothing was read.
    looks: Mean,
    next_burst: Duration,
    random: fastrand::Rng,
}

/// A sum of times, and of how many.
#[derive(Debug, Default)]
struct Mean {
    sum: Duration,
    number: u32,
}

impl Mean {
    fn add(&mut self, time: Duration) {
        self.sum += time;
        self.number += 1;
    }

    /// The distance at which what costs this much on average keeps to a share of one core.
    fn distance(&self, share: f64) -> Duration {
        (self.sum / self.number.max(1)).div_f64(share)
    }
}

impl Budget {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rounds: Duration::ZERO,
            bursts: Mean::default(),
            looks: Mean::default(),
            next_burst: Duration::ZERO,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// What a round at this time since the start may do to processes that have run.
    pub(super) fn effort(&self, elapsed: Duration) -> Effort {
        if self.rounds < elapsed.mul_f64(SHARE_OF_A_CORE * (1.0 - SHARE_OF_BURSTS)) {
            Effort::Stacks
        } else {
            Effort::Unchanged
        }
    }

    /// Whether a burst may begin at this time since the start.
    pub(super) fn burst_is_due(&self, elapsed: Duration) -> bool {
        elapsed >= self.next_burst
    }

    /// A round that could read has cost this.
    pub(super) fn read(&mut self, work: Duration) {
        self.rounds += work;
    }

    /// A round that only looked has cost this.
    pub(super) fn looked(&mut self, work: Duration) {
        self.rounds += work;
        self.looks.add(work);
    }

    /// A burst that began at this time since the start has cost this.
    pub(super) fn burst(&mut self, began: Duration, work: Duration) {
        self.bursts.add(work);
        let distance = self.bursts.distance(SHARE_OF_A_CORE * SHARE_OF_BURSTS);
        self.next_burst = began + self.about(distance);
    }

    /// How long after a round the next one begins, so that looking alone keeps to its share.
    pub(super) fn rest(&mut self) -> Duration {
        let distance = self.looks.distance(SHARE_OF_A_CORE * SHARE_OF_LOOKS);
        self.about(distance.max(SHORTEST))
    }

    /// A time from half to one and a half times as long.
    fn about(&mut self, time: Duration) -> Duration {
        time.mul_f64(0.5 + self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request every 40 ms.
    const PERIOD: Duration = Duration::from_millis(40);

    /// How long a burst lasts.
    const BURST: Duration = Duration::from_millis(2);

    #[test]
    fn bursts_that_cost_more_when_they_see_a_change_see_no_more_of_them() {
        let mut budget = Budget::new(7);
        let (mut at, mut bursts, mut changes) = (Duration::ZERO, 0, 0);
        while at < Duration::from_secs(400) {
            if budget.burst_is_due(at) {
                let into = at.as_nanos() % PERIOD.as_nanos();
                let sees = into + BURST.as_nanos() > PERIOD.as_nanos();
                bursts += 1;
                changes += u32::from(sees);
                let work = if sees { 500 } else { 50 };
                budget.burst(at, Duration::from_micros(work));
                at += BURST;
            }
            at += budget.rest();
        }
        let share = f64::from(changes) / f64::from(bursts);
        let true_share = BURST.div_duration_f64(PERIOD);
        assert!((share / true_share - 1.0).abs() < 0.05, "{share} {bursts}");
    }

    #[test]
    fn rounds_and_bursts_keep_to_their_shares() {
        let mut budget = Budget::new(7);
        let end = Duration::from_secs(20);
        let (mut at, mut spent) = (Duration::ZERO, Duration::ZERO);
        while at < end {
            let work = Duration::from_micros(400);
            if budget.effort(at) == Effort::Stacks {
                budget.read(work);
                spent += work;
            } else {
                let look = Duration::from_micros(10);
                budget.looked(look);
                spent += look;
            }
            if budget.burst_is_due(at) {
                budget.burst(at, work * 5);
                spent += work * 5;
            }
            at += budget.rest();
        }
        let share = spent.div_duration_f64(end);
        assert!(
            (0.8 * SHARE_OF_A_CORE..1.1 * SHARE_OF_A_CORE).contains(&share),
            "{share}"
        );
    }
}
