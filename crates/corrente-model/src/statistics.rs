//! Intervals for ratios of paired, repeated measurements, and a test for noise.
//!
//! Contenders are measured in rounds: the values of one round are neighbours in time and share the
//! machine's mood, so ratios are taken within a round and the rounds are resampled. Works on
//! logarithms, so that swapping the two sides inverts the estimate and the interval exactly.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Resamples of a bootstrap: enough for the ends of a 95 % interval to be stable to the third
/// digit (Efron and Tibshirani 1993, section 14.3, ask for 1000 or more).
const RESAMPLES: usize = 4000;

/// An estimate and the ends of its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The ratio of `numerators` to `denominators`, paired by position: the geometric mean of the
/// ratios with a bootstrap interval.
///
/// The interval is Hesterberg's expanded percentile interval ("What Teachers Should Know About the
/// Bootstrap", 2015, section 4.4): the plain percentile interval is too narrow for the handful of
/// rounds that a lab run has. `None` with fewer than two usable pairs, as one round carries no
/// interval; pairs with a side that is not positive and finite are not usable.
pub fn paired_ratio(numerators: &[f64], denominators: &[f64], seed: u64) -> Option<Interval> {
    let logarithms: Vec<f64> = numerators
        .iter()
        .zip(denominators)
        .filter(|(numerator, denominator)| usable(**numerator) && usable(**denominator))
        .map(|(numerator, denominator)| (numerator / denominator).ln())
        .collect();
    if logarithms.len() < 2 {
        return None;
    }
    let mut means = resampled_means(&logarithms, seed);
    means.sort_unstable_by(f64::total_cmp);
    let tail = expanded_tail(logarithms.len());
    Some(Interval {
        estimate: mean(&logarithms).exp(),
        low: quantile(&means, tail).exp(),
        high: quantile(&means, 1.0 - tail).exp(),
    })
}

/// The ratio of two shares of failed operations, `failed / total` each, with Katz's logarithmic
/// interval after adding one half to each count, which keeps it finite when nothing failed
/// (Agresti, "Categorical Data Analysis", section 3.1). `None` where nothing failed on either
/// side or nothing was tried: there is no ratio of nothing to nothing.
pub fn share_ratio(numerator: (u64, u64), denominator: (u64, u64)) -> Option<Interval> {
    let ((failed, total), (failed_below, total_below)) = (numerator, denominator);
    if failed + failed_below == 0 || total == 0 || total_below == 0 {
        return None;
    }
    let [a, n, b, m] = [failed, total, failed_below, total_below].map(|count| count as f64 + 0.5);
    let logarithm = ((a / n) / (b / m)).ln();
    let deviation = (1.0 / a - 1.0 / n + 1.0 / b - 1.0 / m).max(0.0).sqrt();
    let reach = normal().inverse_cdf(0.975) * deviation;
    Some(Interval {
        estimate: logarithm.exp(),
        low: (logarithm - reach).exp(),
        high: (logarithm + reach).exp(),
    })
}

/// The median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// Spread relative to the median: 1.4826 times the median absolute deviation over the median,
/// which is the coefficient of variation of a normal sample and ignores a single outlier
/// (Rousseeuw and Croux 1993). `None` of nothing or around zero.
pub fn relative_spread(values: &[f64]) -> Option<f64> {
    let centre = median(values).filter(|centre| *centre != 0.0)?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    Some(1.4826 * median(&deviations)? / centre.abs())
}

fn usable(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn resampled_means(values: &[f64], seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..values.len())
                .map(|_| values[random.usize(..values.len())])
                .sum();
            sum / values.len() as f64
        })
        .collect()
}

/// The percentile that stands for 2.5 % once the interval is widened for `count` values.
fn expanded_tail(count: usize) -> f64 {
    let count = count as f64;
    // Freedom of at least one and fixed location and scale: the distribution always exists.
    let student =
        StudentsT::new(0.0, 1.0, count - 1.0).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975));
    normal().cdf(-student * (count / (count - 1.0)).sqrt())
}

fn normal() -> Normal {
    Normal::standard()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    let weight = position - position.floor();
    sorted[below] * (1.0 - weight) + sorted[above] * weight
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_constant_ratio_has_no_width() {
        let interval = paired_ratio(&[2.0, 4.0, 8.0], &[1.0, 2.0, 4.0], 1).expect("three pairs");
        assert!((interval.low - 2.0).abs() < 1e-12 && (interval.high - 2.0).abs() < 1e-12);
    }

    #[test]
    fn one_round_carries_no_interval() {
        assert_eq!(paired_ratio(&[2.0], &[1.0], 1), None);
        assert_eq!(paired_ratio(&[2.0, 0.0], &[1.0, 1.0], 1), None);
    }

    #[test]
    fn covers_the_truth_about_as_often_as_it_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut noise = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let covered = (0..400)
            .filter(|seed| {
                let numerators: Vec<f64> = (0..5).map(|_| (0.1 * noise()).exp() * 1.4).collect();
                let ones = [1.0; 5];
                let interval = paired_ratio(&numerators, &ones, *seed).expect("five pairs");
                interval.low <= 1.4 && 1.4 <= interval.high
            })
            .count();
        assert!((360..=396).contains(&covered), "covered {covered} of 400");
    }

    #[test]
    fn an_error_free_side_still_has_an_interval() {
        let interval = share_ratio((0, 10_000), (200, 10_000)).expect("some failed");
        assert!(interval.high < 0.05, "{interval:?}");
        assert_eq!(share_ratio((0, 10), (0, 10)), None);
    }

    #[test]
    fn spread_ignores_one_outlier() {
        let spread = relative_spread(&[100.0, 101.0, 99.0, 100.0, 10.0]).expect("has values");
        assert!(spread < 0.02, "{spread}");
    }

    proptest! {
        #[test]
        fn swapping_the_sides_inverts_the_ratio(
            pairs in prop::collection::vec((0.1..1e6f64, 0.1..1e6f64), 2..20), seed: u64
        ) {
            let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let forth = paired_ratio(&a, &b, seed).expect("pairs");
            let back = paired_ratio(&b, &a, seed).expect("pairs");
            prop_assert!((forth.estimate * back.estimate - 1.0).abs() < 1e-9);
            prop_assert!((forth.low * back.high - 1.0).abs() < 1e-6);
            prop_assert!(forth.low <= forth.estimate * (1.0 + 1e-9));
            prop_assert!(forth.estimate <= forth.high * (1.0 + 1e-9));
        }

        #[test]
        fn the_median_lies_within(values in prop::collection::vec(-1e9..1e9f64, 1..50)) {
            let middle = median(&values).expect("values");
            prop_assert!(values.iter().any(|value| *value <= middle));
            prop_assert!(values.iter().any(|value| *value >= middle));
        }
    }
}
