//! Ours over another's figures, and where that leaves us.
//!
//! Pure. Ratios are taken within a round and carry a bootstrap interval; whether a row is won is said
//! only where the whole interval is on one side of 1.

use corrente_model::statistics::{Interval, median, paired_ratio};

use super::contender::{CONTENDERS, Contender};
use super::results::Results;
use super::rows::{Against, Better, Row};
use crate::bench::figures::SEED;

/// A ratio, and over whose figures.
pub(super) struct Compared {
    pub(super) name: &'static str,
    pub(super) ratio: Interval,
}

/// Ours over what is named, round by round.
pub(super) fn compare(
    row: &Row,
    against: Against,
    better: Better,
    results: &Results,
) -> Option<Compared> {
    let ours = &results.series(row, Contender::Corrente)?.values;
    let over = |contender: Contender| {
        let ratio = paired_ratio(ours, &results.series(row, contender)?.values, SEED)?;
        let name = contender.name();
        Some(Compared { name, ratio })
    };
    match against {
        Against::Named(contender) => over(contender),
        Against::Best => over(best_rival(row, better, results)?),
        Against::Itself => Some(Compared {
            name: "alone",
            ratio: paired_ratio(ours, &vec![1.0; ours.len()], SEED)?,
        }),
    }
}

/// The rival with the best median.
fn best_rival(row: &Row, better: Better, results: &Results) -> Option<Contender> {
    let value = |contender: Contender| median(&results.series(row, contender)?.values);
    let rivals = CONTENDERS.into_iter().filter(|one| one.is_rival());
    let measured = rivals.filter_map(|one| Some((one, value(one)?)));
    let order = |one: &(Contender, f64), other: &(Contender, f64)| match better {
        Better::More => one.1.total_cmp(&other.1),
        Better::Less => other.1.total_cmp(&one.1),
    };
    measured.max_by(order).map(|(contender, _)| contender)
}
