//! Weighted least squares for a handful of unknowns, with the deviation of each.
//!
//! Ordinary theory (Draper and Smith, "Applied Regression Analysis", chapters 5 and 9): the normal
//! equations, solved by elimination with pivoting, which is exact enough below ten unknowns.

/// An estimate and its standard deviation, in the unit of what is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

impl Estimate {
    /// A figure that is known.
    pub fn exact(mean: f64) -> Self {
        Self {
            mean,
            deviation: 0.0,
        }
    }
}

/// One observation: `factors`, one for each unknown, give `value`; its weight is the inverse of
/// its variance, up to a common factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What each unknown is multiplied by.
    pub factors: Vec<f64>,
    /// The sum that was observed.
    pub value: f64,
    /// How much it counts.
    pub weight: f64,
}

/// The weighted sum of squares that estimates leave: which of two fits is the better one.
pub fn squares(observations: &[Observation], estimates: &[Estimate]) -> f64 {
    let means: Vec<f64> = estimates.iter().map(|estimate| estimate.mean).collect();
    weighted_squares(observations, &means)
}

/// The unknowns that fit best. `None` where the observations do not determine them: fewer than
/// there are unknowns, or one that never varies by itself.
///
/// With as many observations as unknowns nothing is left to judge the noise by: the deviations
/// are then zero.
pub fn fit(observations: &[Observation]) -> Option<Vec<Estimate>> {
    let unknowns = observations.first()?.factors.len();
    if observations.len() < unknowns {
        return None;
    }
    let inverse = invert(normal_matrix(observations, unknowns))?;
    let right: Vec<f64> = (0..unknowns)
        .map(|row| {
            observations
                .iter()
                .map(|one| one.weight * one.factors[row] * one.value)
                .sum()
        })
        .collect();
    let means: Vec<f64> = inverse.iter().map(|row| dot(row, &right)).collect();
    let variance = residual_variance(observations, &means);
    let estimates = means.iter().enumerate().map(|(number, mean)| Estimate {
        mean: *mean,
        deviation: (variance * inverse[number][number].max(0.0)).sqrt(),
    });
    Some(estimates.collect())
}

fn normal_matrix(observations: &[Observation], unknowns: usize) -> Vec<Vec<f64>> {
    let cell = |row: usize, column: usize| {
        let products = observations
            .iter()
            .map(|one| one.weight * one.factors[row] * one.factors[column]);
        products.sum()
    };
    (0..unknowns)
        .map(|row| (0..unknowns).map(|column| cell(row, column)).collect())
        .collect()
}

fn residual_variance(observations: &[Observation], means: &[f64]) -> f64 {
    let freedom = observations.len() - means.len();
    if freedom == 0 {
        return 0.0;
    }
    weighted_squares(observations, means) / freedom as f64
}

fn weighted_squares(observations: &[Observation], means: &[f64]) -> f64 {
    let squares = observations.iter().map(|one| {
        let residual = one.value - dot(&one.factors, means);
        one.weight * residual * residual
    });
    squares.sum()
}

/// The inverse by Gauss and Jordan's elimination; `None` where there is none.
fn invert(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    let mut inverse: Vec<Vec<f64>> = (0..size)
        .map(|row| {
            (0..size)
                .map(|column| f64::from(u8::from(row == column)))
                .collect()
        })
        .collect();
    let scale = matrix
        .iter()
        .flatten()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| {
            matrix[*a][column]
                .abs()
                .total_cmp(&matrix[*b][column].abs())
        })?;
        if matrix[pivot][column].abs() <= scale * 1e-13 {
            return None;
        }
        matrix.swap(column, pivot);
        inverse.swap(column, pivot);
        let divisor = matrix[column][column];
        for value in matrix[column].iter_mut().chain(&mut inverse[column]) {
            *value /= divisor;
        }
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row][column];
            subtract(&mut matrix, row, column, factor);
            subtract(&mut inverse, row, column, factor);
        }
    }
    Some(inverse)
}

/// Takes `factor` times one row from another.
fn subtract(matrix: &mut [Vec<f64>], from: usize, other: usize, factor: f64) {
    let taken = matrix[other].clone();
    for (value, taken) in matrix[from].iter_mut().zip(taken) {
        *value -= factor * taken;
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observation(factors: &[f64], value: f64) -> Observation {
        Observation {
            factors: factors.to_vec(),
            value,
            weight: 1.0,
        }
    }

    #[test]
    fn a_line_with_known_errors() {
        // Draper and Smith's way by hand: x 1 2 3 4, y 2 4 5 8: slope 1.9, intercept 0,
        // residual variance 0.35, variance of the slope 0.35 / 5.
        let points = [(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 8.0)];
        let points = points.map(|(x, y)| observation(&[1.0, x], y));
        let line = fit(&points).expect("determined");
        assert!(line[0].mean.abs() < 1e-9 && (line[1].mean - 1.9).abs() < 1e-9);
        assert!(
            (line[1].deviation - (0.35_f64 / 5.0).sqrt()).abs() < 1e-9,
            "{line:?}"
        );
    }

    #[test]
    fn what_never_varies_is_not_determined() {
        let points = [observation(&[1.0, 2.0], 1.0), observation(&[1.0, 2.0], 1.1)];
        assert_eq!(fit(&points), None);
        assert_eq!(fit(&points[..1]), None);
        assert_eq!(fit(&[]), None);
    }

    proptest! {
        #[test]
        fn exact_observations_give_the_truth_back(
            truth in prop::collection::vec(0.1..10.0f64, 1..5), seed: u64
        ) {
            let mut random = fastrand::Rng::with_seed(seed);
            let observations: Vec<Observation> = (0..truth.len() * 3)
                .map(|_| {
                    let factors: Vec<f64> = truth.iter().map(|_| random.f64() * 10.0).collect();
                    Observation { value: dot(&factors, &truth), factors, weight: random.f64() + 0.1 }
                })
                .collect();
            let found = fit(&observations).expect("determined");
            for (found, truth) in found.iter().zip(&truth) {
                prop_assert!((found.mean / truth - 1.0).abs() < 1e-5, "{found:?} {truth}");
            }
        }
    }
}
