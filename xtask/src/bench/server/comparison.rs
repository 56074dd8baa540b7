//! Ours over another's figures, round by round.
//!
//! Pure. Ratios are taken within a round and carry a bootstrap interval.

use corrente_model::statistics::{Interval, median, paired_ratio};

use super::contender::{CONTENDERS, Contender};
use super::results::Results;
use super::rows::{Against, Row};
use crate::bench::figures::{Better, SEED};

/// A ratio, and over whose figures.
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) ratio: Interval,
}

/// Which figures of a row are good.
pub(super) fn better(row: &Row) -> Better {
    if row.how.is_cost() {
        Better::Less
    } else {
        Better::More
    }
}

/// Ours over what is named.
pub(super) fn compare(row: &Row, against: Against, results: &Results) -> Option<Compared> {
    let values = |one: Contender| Some(results.series(row, one)?.values());
    let ours = values(Contender::Corrente)?;
    let compared = |name: &str, ours: &[f64], theirs: &[f64]| {
        Some(Compared {
            name: name.to_owned(),
            ratio: paired_ratio(ours, theirs, SEED)?,
        })
    };
    match against {
        Against::Named(one) => compared(one.name(), &ours, &values(one)?),
        Against::Best => {
            let best = best_rival(row, results)?;
            compared(best.name(), &ours, &values(best)?)
        }
        Against::BestShare => {
            let best = best_rival(row, results)?;
            let alone = values(Contender::FrameworkAlone)?;
            let [ours, theirs] = [ours, values(best)?].map(|totals| shares(&totals, &alone));
            compared(&format!("{}, share", best.name()), &ours?, &theirs?)
        }
        Against::Beyond(one) => {
            let theirs = values(one)?;
            let base = median(&theirs)?;
            let Compared { name, ratio } = compared(one.name(), &ours, &theirs)?;
            let beyond = |ratio: f64| (ratio - 1.0) * base;
            Some(Compared {
                name,
                ratio: Interval {
                    estimate: beyond(ratio.estimate),
                    low: beyond(ratio.low),
                    high: beyond(ratio.high),
                },
            })
        }
        Against::Count => {
            let least = ours.iter().copied().fold(f64::INFINITY, f64::min);
            let most = ours.iter().copied().fold(0.0, f64::max);
            Some(Compared {
                name: String::new(),
                ratio: Interval {
                    estimate: most,
                    low: least,
                    high: most,
                },
            })
        }
        Against::Itself => compared("alone", &ours, &vec![1.0; ours.len()]),
    }
}

/// What is a server's own of each total. Nothing where it is within the error of measurement, which
/// no ratio can be made of.
fn shares(totals: &[f64], alone: &[f64]) -> Option<Vec<f64>> {
    let pairs = totals.iter().zip(alone);
    let shares: Vec<f64> = pairs.map(|(total, alone)| total - alone).collect();
    shares.iter().all(|share| *share > 0.0).then_some(shares)
}

/// The rival with the best median.
fn best_rival(row: &Row, results: &Results) -> Option<Contender> {
    let rivals = CONTENDERS.into_iter().filter(|one| one.is_rival());
    let measured = rivals.filter_map(|one| {
        let value = median(&results.series(row, one)?.values())?;
        Some((one, if row.how.is_cost() { value } else { -value }))
    });
    let best = measured.min_by(|one, other| one.1.total_cmp(&other.1));
    best.map(|(contender, _)| contender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_what_the_framework_does_not_cost() {
        let found = shares(&[60.0, 62.0], &[50.0, 50.5]).expect("both are there");
        assert!((found[0] - 10.0).abs() < 1e-9 && (found[1] - 11.5).abs() < 1e-9);
        assert_eq!(shares(&[60.0, 50.0], &[50.0, 50.5]), None);
    }
}
