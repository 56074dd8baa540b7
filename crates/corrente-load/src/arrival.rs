//! When the requests of an open loop are due: a deterministic, endless schedule.
//!
//! It must not know the clock: times are nanoseconds since the run began, and the caller says what
//! "now" is. The schedule doubles as the queue of requests that wait for a connection: whatever is
//! due and not yet taken *is* the queue, so an overloaded run costs no memory.
//!
//! Key invariant: times never go backwards, and the same seed gives the same times.

use crate::plan::Process;
use crate::random::Random;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// Which part of the whole run's arrivals one generator thread makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// This thread, from 0.
    pub(crate) thread: usize,
    /// How many threads there are.
    pub(crate) threads: usize,
}

/// The due times of one generator thread.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    process: Process,
    share: Share,
    rate_per_s: f64,
    random: Random,
    taken: u64,
    /// Fractional, so that rounding to nanoseconds does not add up.
    next_exact_ns: f64,
}

impl Schedule {
    /// `rate_per_s` is the whole run's rate; the schedule yields this thread's share of it.
    pub(crate) fn new(rate_per_s: f64, process: Process, share: Share, seed: u64) -> Self {
        let mut schedule = Self {
            process,
            share,
            rate_per_s,
            random: Random::stream(seed, share.thread as u64),
            taken: 0,
            next_exact_ns: 0.0,
        };
        schedule.next_exact_ns = schedule.time_after(0.0);
        schedule
    }

    /// When the next request is due.
    pub(crate) fn next_ns(&self) -> u64 {
        self.next_exact_ns as u64
    }

    /// Takes the next request if it is due at `now_ns`, and says when it was due.
    pub(crate) fn take_due(&mut self, now_ns: u64) -> Option<u64> {
        let due_ns = self.next_ns();
        if due_ns > now_ns {
            return None;
        }
        self.taken += 1;
        self.next_exact_ns = self.time_after(self.next_exact_ns);
        Some(due_ns)
    }

    /// Gives up what has been due for longer than `patience_ns`, and says how many that were.
    pub(crate) fn expire(&mut self, now_ns: u64, patience_ns: u64) -> u64 {
        let mut expired = 0;
        while self.next_ns().saturating_add(patience_ns) < now_ns && self.take_due(now_ns).is_some()
        {
            expired += 1;
        }
        expired
    }

    fn time_after(&mut self, previous_exact_ns: f64) -> f64 {
        match self.process {
            // Threads take turns, so that together they are evenly spaced too.
            Process::Constant => {
                let place =
                    self.taken as f64 * self.share.threads as f64 + self.share.thread as f64;
                place * NANOSECONDS_PER_SECOND / self.rate_per_s
            }
            // Poisson processes add up: each thread has its share of the rate.
            Process::Poisson => {
                let mean_gap_ns =
                    NANOSECONDS_PER_SECOND * self.share.threads as f64 / self.rate_per_s;
                previous_exact_ns - (1.0 - self.random.unit()).ln() * mean_gap_ns
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALONE: Share = Share {
        thread: 0,
        threads: 1,
    };

    fn times(mut schedule: Schedule, count: usize) -> Vec<u64> {
        (0..count)
            .filter_map(|_| schedule.take_due(u64::MAX))
            .collect()
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced_without_drift() {
        let schedule = Schedule::new(3.0, Process::Constant, ALONE, 0);
        let times = times(schedule, 3_000_001);
        assert_eq!(times[..4], [0, 333_333_333, 666_666_666, 1_000_000_000]);
        assert_eq!(times[3_000_000], 1_000_000 * 1_000_000_000);
    }

    #[test]
    fn threads_interleave_into_the_whole_rate() {
        let part = |thread| Schedule::new(4.0, Process::Constant, Share { thread, threads: 2 }, 0);
        let mut merged = times(part(0), 2);
        merged.extend(times(part(1), 2));
        merged.sort_unstable();
        assert_eq!(merged, [0, 250_000_000, 500_000_000, 750_000_000]);
    }

    #[test]
    fn same_seed_gives_the_same_poisson_times() {
        let make = |seed| times(Schedule::new(100.0, Process::Poisson, ALONE, seed), 50);
        assert_eq!(make(5), make(5));
        assert_ne!(make(5), make(6));
    }

    #[test]
    fn nothing_is_taken_before_it_is_due() {
        let mut schedule = Schedule::new(1.0, Process::Constant, ALONE, 0);
        assert_eq!(schedule.take_due(0), Some(0));
        assert_eq!(schedule.take_due(999_999_999), None);
        assert_eq!(schedule.take_due(1_000_000_000), Some(1_000_000_000));
    }

    #[test]
    fn what_waited_too_long_is_given_up() {
        let mut schedule = Schedule::new(1000.0, Process::Constant, ALONE, 0);
        assert_eq!(schedule.expire(200_000_000, 200_000_000), 0);
        assert_eq!(schedule.expire(1_000_000_000, 200_000_000), 800);
        assert_eq!(schedule.next_ns(), 800_000_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn poisson_gaps_have_the_asked_mean_and_spread(
            seed: u64,
            rate_per_s in 1.0..100_000.0_f64,
            threads in 1..4_usize,
        ) {
            const COUNT: usize = 20_000;
            let share = Share { thread: threads - 1, threads };
            let times = times(Schedule::new(rate_per_s, Process::Poisson, share, seed), COUNT);
            prop_assert!(times.is_sorted());
            let mean_s = times[COUNT - 1] as f64 / 1e9 / COUNT as f64;
            let expected_s = threads as f64 / rate_per_s;
            // The mean of n exponential gaps has a relative deviation of 1/sqrt(n) = 0.7 %.
            prop_assert!((mean_s / expected_s - 1.0).abs() < 0.05, "{mean_s} {expected_s}");
            let mean_ns = expected_s * 1e9;
            let variance = times.windows(2)
                .map(|pair| ((pair[1] - pair[0]) as f64 / mean_ns - 1.0).powi(2))
                .sum::<f64>() / (COUNT - 1) as f64;
            // A squared coefficient of variation of 1 is what makes it exponential.
            prop_assert!((variance - 1.0).abs() < 0.2, "{variance}");
        }
    }
}
