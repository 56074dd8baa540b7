//! Isotonic regression: the rising series nearest to one that should rise and, by chance, does not.
//!
//! Pool adjacent violators (Barlow, Bartholomew, Bremner and Brunk 1972, "Statistical Inference under
//! Order Restrictions", section 1.2): neighbours in the wrong order share their mean. Invariants:
//! what rises already is unchanged, and of two series the one that lies above stays above.

/// A value that was found, and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// The value.
    pub value: f64,
    /// Above zero; relative to the other weights.
    pub weight: f64,
}

/// Neighbours that share a value.
#[derive(Debug, Clone, Copy)]
struct Pool {
    mean: f64,
    weight: f64,
    size: usize,
}

/// As many values as there are, none below the one before it, with the least squared distance.
pub fn rising(series: &[Weighted]) -> Vec<f64> {
    let mut pools: Vec<Pool> = Vec::new();
    for Weighted { value, weight } in series.iter().copied() {
        let mut last = Pool {
            mean: value,
            weight,
            size: 1,
        };
        while let Some(earlier) = pools.pop_if(|earlier| earlier.mean > last.mean) {
            last = joined(earlier, last);
        }
        pools.push(last);
    }
    let values = pools.iter();
    values
        .flat_map(|pool| std::iter::repeat_n(pool.mean, pool.size))
        .collect()
}

fn joined(one: Pool, other: Pool) -> Pool {
    let weight = one.weight + other.weight;
    Pool {
        mean: (one.mean * one.weight + other.mean * other.weight) / weight,
        weight,
        size: one.size + other.size,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(values: &[f64]) -> Vec<Weighted> {
        let weighted = |value: &f64| Weighted {
            value: *value,
            weight: 1.0,
        };
        values.iter().map(weighted).collect()
    }

    #[test]
    fn neighbours_in_the_wrong_order_share_their_mean() {
        assert_eq!(rising(&series(&[1.0, 3.0, 2.0, 4.0])), [1.0, 2.5, 2.5, 4.0]);
        assert_eq!(rising(&series(&[3.0, 2.0, 1.0])), [2.0, 2.0, 2.0]);
        assert_eq!(rising(&[]), [] as [f64; 0]);
    }

    #[test]
    fn what_counts_more_moves_less() {
        let mut found = series(&[4.0, 1.0]);
        found[1].weight = 2.0;
        assert_eq!(rising(&found), [2.0, 2.0]);
    }

    proptest! {
        #[test]
        fn it_rises_and_keeps_the_sum(values in proptest::collection::vec(-1e3..1e3f64, 0..20)) {
            let found = rising(&series(&values));
            prop_assert_eq!(found.len(), values.len());
            prop_assert!(found.is_sorted());
            let sums = [values.iter().sum::<f64>(), found.iter().sum()];
            prop_assert!((sums[0] - sums[1]).abs() < 1e-6, "{:?}", sums);
        }

        #[test]
        fn what_rises_is_unchanged(mut values in proptest::collection::vec(-1e3..1e3f64, 0..20)) {
            values.sort_unstable_by(f64::total_cmp);
            prop_assert_eq!(rising(&series(&values)), values);
        }

        #[test]
        fn what_lies_above_stays_above(
            pairs in proptest::collection::vec((-1e3..1e3f64, 0.0..1e2f64), 0..20)
        ) {
            let low: Vec<f64> = pairs.iter().map(|(low, _)| *low).collect();
            let high: Vec<f64> = pairs.iter().map(|(low, more)| low + more).collect();
            let both = rising(&series(&low)).into_iter().zip(rising(&series(&high)));
            for (low, high) in both {
                prop_assert!(low <= high + 1e-9, "{low} {high}");
            }
        }
    }
}
