//! What the contenders came to, row by row and round by round, and why one has no figures.
//!
//! Ratios are taken within a round: therefore who fails once in a row leaves it with all its
//! figures, and none is ever compared with another round.

use std::collections::BTreeMap;

use super::contender::Contender;
use super::rows::Row;

/// What one contender came to in one round of a row.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// In the unit of the row.
    pub(super) value: f64,
    pub(super) per_s: Option<f64>,
    pub(super) p99_ms: Option<f64>,
}

/// The figures of one contender in a row, a round each.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Series(Vec<Figures>);

impl Series {
    pub(super) fn values(&self) -> Vec<f64> {
        self.0.iter().map(|round| round.value).collect()
    }

    pub(super) fn rates_per_s(&self) -> Vec<f64> {
        self.0.iter().filter_map(|round| round.per_s).collect()
    }

    pub(super) fn p99s_ms(&self) -> Vec<f64> {
        self.0.iter().filter_map(|round| round.p99_ms).collect()
    }
}

type Cell = (&'static str, Contender);

/// All figures of a run.
#[derive(Debug, Default)]
pub(super) struct Results {
    series: BTreeMap<Cell, Series>,
    refusals: BTreeMap<Cell, String>,
}

impl Results {
    /// Adds a round, or takes the contender out of the row.
    pub(super) fn note(
        &mut self,
        row: &Row,
        contender: Contender,
        measured: Result<Figures, String>,
    ) {
        match measured {
            Ok(_) if self.is_out(row, contender) => {}
            Ok(figures) => {
                let series = self.series.entry((row.name, contender)).or_default();
                series.0.push(figures);
            }
            Err(why) => {
                self.series.remove(&(row.name, contender));
                self.refusals.insert((row.name, contender), why);
            }
        }
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
        let why = self.refusals.get(&(row.name, contender));
        why.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::ROWS;
    use super::*;

    #[test]
    fn who_fails_once_is_out_of_the_row_and_stays_in_others() {
        let [row, other] = [0, 1].map(|index| &ROWS[index]);
        let mut results = Results::default();
        let uvicorn = Contender::Uvicorn;
        results.note(row, uvicorn, Ok(Figures::default()));
        results.note(other, uvicorn, Ok(Figures::default()));
        results.note(row, uvicorn, Err("it ended".to_owned()));
        results.note(row, uvicorn, Ok(Figures::default()));
        assert_eq!(results.series(row, uvicorn), None);
        assert_eq!(results.refusal(row, uvicorn), Some("it ended"));
        let left = results.series(other, uvicorn);
        assert_eq!(left.map(|series| series.values().len()), Some(1));
    }
}
