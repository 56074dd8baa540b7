//! Laws of times: how long a piece of work or a wait takes, as a distribution.
//!
//! A law is data: it has a mean and a squared coefficient of variation, can be scaled, and is drawn
//! from with a generator that the caller seeded. Times are seconds, never negative. Means alone do
//! not make percentiles: recorded samples are drawn from as they are (`Samples`).

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

/// The distribution of a time, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant(f64),
    /// Memoryless, with this mean.
    Exponential(f64),
    /// The logarithm is normal: long right tail, as response times of networks have.
    LogNormal {
        /// Half of the times are shorter.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Recorded times, each as likely as the next.
    Samples(Arc<[f64]>),
}

impl Law {
    /// Always `time`.
    pub fn constant(time: Duration) -> Self {
        Self::Constant(time.as_secs_f64())
    }

    /// Recorded times; those that are not finite or negative are left out. `None` if none is left.
    pub fn samples(times: impl IntoIterator<Item = f64>) -> Option<Self> {
        let kept: Arc<[f64]> = times
            .into_iter()
            .filter(|time| time.is_finite() && *time >= 0.0)
            .collect();
        (!kept.is_empty()).then_some(Self::Samples(kept))
    }

    /// A law with this mean, in seconds, and this squared coefficient of variation: constant
    /// without variation, else log-normal, whose variance is mean² (exp(sigma²) - 1).
    pub fn with_moments(mean: f64, squared_variation: f64) -> Self {
        if squared_variation <= 0.0 || mean <= 0.0 {
            return Self::Constant(mean.max(0.0));
        }
        let variance = squared_variation.ln_1p();
        Self::LogNormal {
            median: mean * (-variance / 2.0).exp(),
            sigma: variance.sqrt(),
        }
    }

    /// The mean, in seconds.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(time) => *time,
            Self::Exponential(mean) => *mean,
            Self::LogNormal { median, sigma } => median * (sigma * sigma / 2.0).exp(),
            Self::Samples(times) => times.iter().sum::<f64>() / times.len() as f64,
        }
    }

    /// Variance over squared mean; 0 is constant, 1 is exponential. 0 where the mean is 0.
    pub fn squared_variation(&self) -> f64 {
        match self {
            Self::Constant(_) => 0.0,
            Self::Exponential(_) => 1.0,
            Self::LogNormal { sigma, .. } => (sigma * sigma).exp_m1(),
            Self::Samples(times) => squared_variation_of(times, self.mean()),
        }
    }

    /// The same shape, `factor` times as long.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::Constant(time) => Self::Constant(time * factor),
            Self::Exponential(mean) => Self::Exponential(mean * factor),
            Self::LogNormal { median, sigma } => Self::LogNormal {
                median: median * factor,
                sigma: *sigma,
            },
            Self::Samples(times) => Self::Samples(times.iter().map(|time| time * factor).collect()),
        }
    }

    /// The same shape with another mean, in seconds; constant where there was no shape to keep.
    #[must_use]
    pub fn with_mean(&self, mean: f64) -> Self {
        let present = self.mean();
        if present > 0.0 {
            self.scaled(mean.max(0.0) / present)
        } else {
            Self::Constant(mean.max(0.0))
        }
    }

    /// A time drawn from the law, in seconds.
    pub fn draw(&self, random: &mut fastrand::Rng) -> f64 {
        match self {
            Self::Constant(time) => *time,
            Self::Exponential(mean) => -mean * unit(random).ln(),
            Self::LogNormal { median, sigma } => median * (sigma * normal(random)).exp(),
            Self::Samples(times) => times[random.usize(..times.len())],
        }
    }
}

fn squared_variation_of(times: &[f64], mean: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    let squares: f64 = times.iter().map(|time| (time - mean) * (time - mean)).sum();
    squares / times.len() as f64 / (mean * mean)
}

/// Uniform above 0, up to 1: its logarithm is finite.
fn unit(random: &mut fastrand::Rng) -> f64 {
    1.0 - random.f64()
}

/// A standard normal value (Box and Muller 1958).
fn normal(random: &mut fastrand::Rng) -> f64 {
    (-2.0 * unit(random).ln()).sqrt() * (TAU * random.f64()).cos()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn_mean(law: &Law, count: u32) -> f64 {
        let mut random = fastrand::Rng::with_seed(3);
        (0..count).map(|_| law.draw(&mut random)).sum::<f64>() / f64::from(count)
    }

    #[test]
    fn draws_have_the_mean_that_the_law_states() {
        let laws = [
            Law::Constant(0.2),
            Law::Exponential(0.2),
            Law::with_moments(0.2, 0.5),
            Law::samples([0.1, 0.2, 0.3]).expect("three times"),
        ];
        for law in laws {
            let mean = drawn_mean(&law, 200_000);
            assert!((mean / law.mean() - 1.0).abs() < 0.01, "{law:?}: {mean}");
        }
    }

    #[test]
    fn nothing_recorded_is_no_law() {
        assert_eq!(Law::samples([f64::NAN, -1.0]), None);
    }

    proptest! {
        #[test]
        fn moments_are_those_asked_for(mean in 1e-6..1e3f64, variation in 0.0..9.0f64) {
            let law = Law::with_moments(mean, variation);
            prop_assert!((law.mean() / mean - 1.0).abs() < 1e-9);
            prop_assert!((law.squared_variation() - variation).abs() < 1e-6);
        }

        #[test]
        fn scaling_keeps_the_shape(
            times in prop::collection::vec(1e-6..10.0f64, 1..20), factor in 0.01..100.0f64
        ) {
            let law = Law::samples(times).expect("not empty");
            let scaled = law.scaled(factor);
            prop_assert!((scaled.mean() / law.mean() / factor - 1.0).abs() < 1e-9);
            prop_assert!((scaled.squared_variation() - law.squared_variation()).abs() < 1e-6);
        }
    }
}
