//! What the contenders came to, row by row and round by round, and why one has no figures.
//!
//! Figures of one round are neighbours in time, and ratios are taken within a round: therefore who
//! fails once in a row leaves it with all its figures, and none is ever compared with another round.

use std::collections::BTreeMap;

use super::contender::Contender;
use super::rows::Row;

/// What one contender came to in one round of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// In the unit of the row's family.
    pub(super) value: f64,
    /// Operations a second, where the value is a cost.
    pub(super) per_s: Option<f64>,
}

/// The figures of one contender in a row, a round each.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) values: Vec<f64>,
    pub(super) rates_per_s: Vec<f64>,
}

type Cell = (&'static str, Contender);

/// All figures of a run.
#[derive(Debug, Default)]
pub(super) struct Results {
    series: BTreeMap<Cell, Series>,
    refusals: BTreeMap<Cell, String>,
}

impl Results {
    /// Adds a round.
    pub(super) fn add(&mut self, row: &Row, contender: Contender, figures: Figures) {
        if self.is_out(row, contender) {
            return;
        }
        let series = self.series.entry((row.name, contender)).or_default();
        series.values.push(figures.value);
        series.rates_per_s.extend(figures.per_s);
    }

    /// Takes a contender out of a row.
    pub(super) fn refuse(&mut self, row: &Row, contender: Contender, why: &str) {
        let cell = (row.name, contender);
        self.series.remove(&cell);
        self.refusals.insert(cell, why.to_owned());
    }

    /// Whether a contender is out of a row.
    pub(super) fn is_out(&self, row: &Row, contender: Contender) -> bool {
        self.refusals.contains_key(&(row.name, contender))
    }

    /// The figures of a contender in a row, if it has any.
    pub(super) fn series(&self, row: &Row, contender: Contender) -> Option<&Series> {
        self.series.get(&(row.name, contender))
    }

    /// Why a contender is out of a row.
    pub(super) fn refusal(&self, row: &Row, contender: Contender) -> Option<&str> {
        self.refusals
            .get(&(row.name, contender))
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::FAMILIES;
    use super::*;

    #[test]
    fn who_fails_once_is_out_of_the_row_and_stays_in_others() {
        let [row, other] = [0, 1].map(|index| &FAMILIES[0].rows[index]);
        let mut results = Results::default();
        let figures = Figures {
            value: 1.0,
            per_s: None,
        };
        results.add(row, Contender::Rloop, figures);
        results.add(other, Contender::Rloop, figures);
        results.refuse(row, Contender::Rloop, "it ended");
        results.add(row, Contender::Rloop, figures);
        assert_eq!(results.series(row, Contender::Rloop), None);
        assert_eq!(results.refusal(row, Contender::Rloop), Some("it ended"));
        let left = results.series(other, Contender::Rloop);
        assert_eq!(left.map(|series| series.values.len()), Some(1));
    }
}
