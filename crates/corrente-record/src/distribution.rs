//! A distribution of one quantity: a sparse histogram with the exact sum and sum of squares beside it.
//!
//! The quantity and its unit are told by the name of the field that holds it (`wall_ns`). The
//! histogram answers quantiles within 1/32; mean and variation are exact. Distributions add up.

use serde::{Deserialize, Serialize};

use crate::buckets;

/// So many times what its buckets can hold a sum may be: one that was written beside the recorder, or
/// rounded, is a little off.
const SUM_SLACK: u128 = 2;

/// Values of one quantity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many values.
    #[serde(default)]
    pub count: u64,
    /// Their sum.
    #[serde(default)]
    pub sum: u64,
    /// The sum of their squares.
    #[serde(default)]
    pub sum_of_squares: f64,
    /// The largest.
    #[serde(default)]
    pub max: u64,
    /// Bucket and count, by bucket; empty buckets are left out. docs/RECORDING.md has the layout.
    #[serde(default)]
    pub buckets: Vec<(u16, u64)>,
}

impl Distribution {
    /// The distribution of these values.
    pub fn of(values: impl IntoIterator<Item = u64>) -> Self {
        let mut distribution = Self::default();
        for value in values {
            distribution.record(value);
        }
        distribution
    }

    /// Adds one value.
    pub fn record(&mut self, value: u64) {
        self.record_many(value, 1);
    }

    /// Adds the same value several times.
    pub fn record_many(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        self.count += times;
        self.sum = self.sum.saturating_add(value.saturating_mul(times));
        self.sum_of_squares += (value as f64).powi(2) * times as f64;
        self.max = self.max.max(value);
        let bucket = buckets::index(value) as u16;
        match self.buckets.binary_search_by_key(&bucket, |entry| entry.0) {
            Ok(at) => self.buckets[at].1 += times,
            Err(at) => self.buckets.insert(at, (bucket, times)),
        }
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        // JSON has no infinity.
        self.sum_of_squares = (self.sum_of_squares + other.sum_of_squares).min(f64::MAX);
        self.max = self.max.max(other.max);
        for &(bucket, count) in &other.buckets {
            match self.buckets.binary_search_by_key(&bucket, |entry| entry.0) {
                Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(count),
                Err(at) => self.buckets.insert(at, (bucket, count)),
            }
        }
    }

    /// The values that came after `before`, an earlier state of this distribution.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let was = |bucket: u16| {
            let at = before
                .buckets
                .binary_search_by_key(&bucket, |entry| entry.0);
            at.map_or(0, |at| before.buckets[at].1)
        };
        let left = self
            .buckets
            .iter()
            .map(|&(bucket, count)| (bucket, count.saturating_sub(was(bucket))));
        let buckets: Vec<_> = left.filter(|(_, count)| *count > 0).collect();
        let last = buckets
            .last()
            .map(|(bucket, _)| buckets::bounds(usize::from(*bucket)).1 - 1);
        let max = if self.max > before.max {
            self.max
        } else {
            last.unwrap_or(0).min(self.max)
        };
        Self {
            count: buckets.iter().map(|(_, count)| count).sum(),
            sum: self.sum.saturating_sub(before.sum),
            // Rounding must not leave less than nothing.
            sum_of_squares: (self.sum_of_squares - before.sum_of_squares).max(0.0),
            max,
            buckets,
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The squared coefficient of variation: variance over squared mean. 0 for equal values, 1 for
    /// an exponential distribution; what queueing formulas ask for.
    pub fn squared_variation(&self) -> Option<f64> {
        let mean = self.mean().filter(|mean| *mean > 0.0)?;
        let mean_square = self.sum_of_squares / self.count as f64;
        // Rounding must not make a variance negative.
        Some((mean_square / (mean * mean) - 1.0).max(0.0))
    }

    /// The value that the share `q` (0 to 1) of all values does not exceed, within 1/32.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let wanted = (q.clamp(0.0, 1.0) * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0_u64;
        for (middle, count) in self.middles() {
            seen = seen.saturating_add(count);
            if seen >= wanted {
                return Some(middle);
            }
        }
        None
    }

    /// The middle of each bucket with its count, ascending; no middle is above the maximum, where the
    /// maximum is told.
    pub fn middles(&self) -> impl Iterator<Item = (f64, u64)> {
        let max = self.max;
        self.buckets.iter().map(move |&(bucket, count)| {
            let (from, to) = buckets::bounds(usize::from(bucket));
            // A bucket of one integer has that integer for its middle.
            let middle = from as f64 + (to - from - 1) as f64 / 2.0;
            // A maximum below what was counted is none: a file may lack it.
            (middle.min(max.max(from) as f64), count)
        })
    }

    /// What is wrong with the figures, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let mut counted = 0_u64;
        let mut before = None;
        for &(bucket, count) in &self.buckets {
            if usize::from(bucket) >= buckets::BUCKETS {
                let last = buckets::BUCKETS - 1;
                return Some(format!("bucket {bucket} is beyond the last one, {last}"));
            }
            if before.is_some_and(|before| before >= bucket) {
                return Some(format!("bucket {bucket} is out of order"));
            }
            before = Some(bucket);
            counted = counted.saturating_add(count);
        }
        if counted != self.count {
            let count = self.count;
            return Some(format!(
                "the buckets hold {counted} values, `count` says {count}"
            ));
        }
        let finite = self.sum_of_squares.is_finite() && self.sum_of_squares >= 0.0;
        if !finite {
            return Some("`sum_of_squares` is not a number of 0 or more".to_owned());
        }
        self.fault_of_sum()
    }

    /// A sum that its values cannot have. Without values there may be one: seen from outside, a time has no
    /// number of requests.
    fn fault_of_sum(&self) -> Option<String> {
        let last = buckets::BUCKETS - 1;
        let each = self.buckets.iter().map(|&(bucket, count)| {
            let end = buckets::bounds(usize::from(bucket)).1;
            // The last bucket has no end but the largest value.
            let most = if usize::from(bucket) == last {
                end.max(self.max)
            } else {
                end
            };
            u128::from(most) * u128::from(count)
        });
        let most = each.fold(0, u128::saturating_add).saturating_mul(SUM_SLACK);
        let sum = self.sum;
        (self.count > 0 && u128::from(sum) > most).then(|| {
            format!(
                "`sum` is {sum}, which {} values in these buckets cannot be together",
                self.count
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mean_and_variation_are_exact() {
        let equal = Distribution::of([5_000, 5_000, 5_000]);
        assert_eq!(equal.mean(), Some(5_000.0));
        assert_eq!(equal.squared_variation(), Some(0.0));
        let mixed = Distribution::of([0, 2_000]);
        assert_eq!(mixed.mean(), Some(1_000.0));
        assert_eq!(mixed.squared_variation(), Some(1.0));
    }

    #[test]
    fn nothing_has_no_figures() {
        let nothing = Distribution::default();
        assert_eq!(nothing.mean(), None);
        assert_eq!(nothing.squared_variation(), None);
        assert_eq!(nothing.quantile(0.5), None);
        assert_eq!(Distribution::of([0]).squared_variation(), None);
    }

    #[test]
    fn a_maximum_that_is_missing_makes_no_value_zero() {
        let text = r#"{"count":2,"sum":200,"sum_of_squares":20000.0,"buckets":[[82,2]]}"#;
        let read: Distribution = serde_json::from_str(text).expect("it has the format");
        assert_eq!(read.fault(), None);
        assert!((read.quantile(0.5).expect("two values") - 100.0).abs() <= 100.0 / 32.0);
    }

    #[test]
    fn the_json_is_that_of_the_format() {
        let json = serde_json::to_string(&Distribution::of([1, 1, 100])).expect("it is plain data");
        assert_eq!(
            json,
            r#"{"count":3,"sum":102,"sum_of_squares":10002.0,"max":100,"buckets":[[1,2],[82,1]]}"#
        );
    }

    #[test]
    fn faults_are_found() {
        let good = Distribution::of([7, 9]);
        assert_eq!(good.fault(), None);
        let check = |change: fn(&mut Distribution), expected: &str| {
            let mut bad = good.clone();
            change(&mut bad);
            let fault = bad.fault().unwrap_or_default();
            assert!(fault.contains(expected), "{fault}");
        };
        check(|bad| bad.count = 3, "the buckets hold 2 values");
        check(|bad| bad.buckets.reverse(), "out of order");
        check(|bad| bad.buckets[1].0 = 9_999, "beyond the last one");
        check(|bad| bad.sum_of_squares = f64::NAN, "sum_of_squares");
        check(
            |bad| bad.sum = u64::MAX,
            "`sum` is 18446744073709551615, which 2 values in these buckets cannot be together",
        );
    }

    #[test]
    fn a_sum_without_values_and_one_of_long_times_are_no_faults() {
        let outside = Distribution {
            sum: 5_000_000_000,
            ..Distribution::default()
        };
        assert_eq!(outside.fault(), None);
        // Ten days share the last bucket with 73 minutes.
        let days = Distribution::of([864_000_000_000_000, 5_000_000_000_000]);
        assert_eq!(days.fault(), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_within_a_thirty_second(
            mut values in prop::collection::vec(0_u64..1 << 41, 1..200),
            q in 0.0_f64..=1.0,
        ) {
            let distribution = Distribution::of(values.iter().copied());
            values.sort_unstable();
            let rank = (q * values.len() as f64).ceil().max(1.0) as usize;
            let exact = values[rank - 1] as f64;
            let found = distribution.quantile(q).expect("there are values");
            prop_assert!((found - exact).abs() <= exact / 32.0, "{} for {}", found, exact);
        }

        #[test]
        fn what_came_later_is_what_was_merged(
            first in prop::collection::vec(0_u64..1 << 20, 0..50),
            second in prop::collection::vec(0_u64..1 << 20, 1..50),
        ) {
            let before = Distribution::of(first);
            let added = Distribution::of(second);
            let mut now = before.clone();
            now.merge(&added);
            let later = now.since(&before);
            prop_assert_eq!(&later.buckets, &added.buckets);
            prop_assert_eq!((later.count, later.sum), (added.count, added.sum));
            prop_assert!(later.max >= added.max && later.max - added.max <= added.max / 32 + 1);
        }

        #[test]
        fn merging_is_recording_together(
            first in prop::collection::vec(0_u64..1 << 40, 0..50),
            second in prop::collection::vec(0_u64..1 << 40, 0..50),
        ) {
            let together = Distribution::of(first.iter().chain(&second).copied());
            let mut merged = Distribution::of(first);
            merged.merge(&Distribution::of(second));
            prop_assert_eq!(merged.fault(), None);
            prop_assert_eq!(together.fault(), None);
            prop_assert_eq!(&merged.buckets, &together.buckets);
            prop_assert_eq!((merged.count, merged.sum, merged.max),
                (together.count, together.sum, together.max));
        }
    }
}
