//! Counts of durations by fixed bounds, written by one thread and read by any.
//!
//! The bounds are those of a Prometheus histogram of things that are mostly short: 1, 2 and 5 of each power of
//! ten. Knows no clock. Key invariant: one writer; a reader beside it may see one value less.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The bounds of the counts, in microseconds; longer ones have a count of their own.
pub const BOUNDS_US: [u64; 17] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000, 60_000_000,
];

/// A number that one thread adds to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; by the one writer.
    #[inline]
    pub fn add(&self, number: u64) {
        self.0
            .store(self.0.load(Relaxed).wrapping_add(number), Relaxed);
    }

    /// The sum.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Seconds that one thread adds to.
#[derive(Debug, Default)]
pub struct Seconds(AtomicU64);

impl Seconds {
    /// Adds; by the one writer.
    #[inline]
    pub fn add(&self, seconds: f64) {
        self.0.store((self.get() + seconds).to_bits(), Relaxed);
    }

    /// Sets them; by the one writer.
    pub fn set(&self, seconds: f64) {
        self.0.store(seconds.to_bits(), Relaxed);
    }

    /// Keeps the larger one; by the one writer.
    #[inline]
    pub fn raise(&self, seconds: f64) {
        if seconds > self.get() {
            self.0.store(seconds.to_bits(), Relaxed);
        }
    }

    /// The sum.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

/// The counts.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [Counter; BOUNDS_US.len() + 1],
    sum: Seconds,
    longest: Seconds,
}

impl Histogram {
    /// Adds a duration.
    pub fn record(&self, seconds: f64) {
        let place = BOUNDS_US.partition_point(|bound| (*bound as f64) < seconds * 1e6);
        self.counts[place].add(1);
        self.sum.add(seconds);
        self.longest.raise(seconds);
    }

    /// How many there are up to each bound, the last one being all of them.
    pub fn cumulative(&self) -> Vec<u64> {
        let mut sum = 0;
        let counts = self.counts.iter();
        let sums = counts.map(|count| {
            sum += count.get();
            sum
        });
        sums.collect()
    }

    /// The sum of the durations, in seconds.
    pub fn sum(&self) -> f64 {
        self.sum.get()
    }

    /// The longest duration, in seconds.
    pub fn longest(&self) -> f64 {
        self.longest.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_from_the_first_bound_that_it_does_not_exceed() {
        let histogram = Histogram::default();
        for seconds in [0.001, 0.001_001, 0.05, 90.0] {
            histogram.record(seconds);
        }
        let counts = histogram.cumulative();
        let up_to = |bound: u64| {
            let place = BOUNDS_US.iter().position(|one| *one == bound);
            counts[place.expect("it is a bound")]
        };
        let found = [500, 1_000, 2_000, 20_000, 50_000, 60_000_000].map(up_to);
        assert_eq!(found, [0, 1, 2, 2, 3, 3]);
        assert_eq!(counts.last(), Some(&4));
        assert!((histogram.sum() - 90.052_001).abs() < 1e-9);
        assert!((histogram.longest() - 90.0).abs() < 1e-9);
    }
}
