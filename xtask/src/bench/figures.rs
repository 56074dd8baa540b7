//! How figures stand in a result: in the terminal and in the document alike.
//!
//! Pure: numbers in, text out. What they mean stands beside them.

use corrente_model::statistics::Interval;

/// Seed of the bootstrap: the same samples give the same interval.
pub(super) const SEED: u64 = 1;

/// An estimate and its interval: `0.97 [0.95, 0.99]`.
pub(super) fn interval(ratio: Interval, digits: usize) -> String {
    let Interval {
        estimate,
        low,
        high,
    } = ratio;
    format!("{estimate:.digits$} [{low:.digits$}, {high:.digits$}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_as_many_digits_as_its_reader_needs() {
        let ratio = Interval {
            estimate: 0.9704,
            low: 0.95,
            high: 0.9966,
        };
        assert_eq!(interval(ratio, 2), "0.97 [0.95, 1.00]");
        assert_eq!(interval(ratio, 3), "0.970 [0.950, 0.997]");
    }
}
