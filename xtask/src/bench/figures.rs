//! How figures stand in a result: in the terminal and in the document alike.
//!
//! Pure: numbers in, text out. What they mean stands beside them; whether a goal is reached, and who
//! is ahead, is said in the same words everywhere.

use std::cmp::Ordering;

use corrente_model::statistics::Interval;

/// Seed of the bootstrap: the same samples give the same interval.
pub(super) const SEED: u64 = 1;

/// The columns of a terminal.
pub(super) const WIDTH: usize = 80;
/// A bar carries so much either way: the machine's own error.
const TOLERANCE: f64 = 0.05;

/// Which figures are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
}

/// An estimate and its interval: `0.97 [0.95, 0.99]`.
pub(super) fn interval(ratio: Interval, digits: usize) -> String {
    let Interval {
        estimate,
        low,
        high,
    } = ratio;
    format!("{estimate:.digits$} [{low:.digits$}, {high:.digits$}]")
}

/// A figure with three digits that count.
pub(super) fn shown(value: f64) -> String {
    let digits = match value {
        _ if value >= 99.95 => 0,
        _ if value >= 9.995 => 1,
        _ if value >= 0.0995 => 2,
        0.0 => 0,
        _ => 4,
    };
    format!("{value:.digits$}")
}

/// The bar, and whether it is reached; `?` where the interval holds the bar.
pub(super) fn verdict(ratio: Interval, bar: f64, better: Better) -> String {
    let Interval {
        estimate,
        low,
        high,
    } = ratio;
    let (sign, reached, within) = match better {
        Better::More => (">=", estimate >= bar, estimate >= bar * (1.0 - TOLERANCE)),
        Better::Less => ("<=", estimate <= bar, estimate <= bar * (1.0 + TOLERANCE)),
    };
    let word = match (reached, within) {
        (true, _) => "reached",
        (false, true) => "within 5 %",
        (false, false) => "missed",
    };
    let doubt = if low < bar && bar < high { " ?" } else { "" };
    format!("{sign} {bar:.2}  {word}{doubt}")
}

/// Where a ratio leaves us: ahead (`Greater`), behind (`Less`), or not to be told apart.
pub(super) fn standing(ratio: Interval, better: Better) -> Ordering {
    let (above, below) = (ratio.low > 1.0, ratio.high < 1.0);
    match (better, above, below) {
        (Better::More, true, _) | (Better::Less, _, true) => Ordering::Greater,
        (Better::More, _, true) | (Better::Less, true, _) => Ordering::Less,
        _ => Ordering::Equal,
    }
}

/// A line that a terminal holds.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let kept: String = text.chars().take(WIDTH - 1).collect();
    format!("{kept}…")
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

    #[test]
    fn an_interval_that_holds_the_bar_leaves_doubt() {
        let ratio = Interval {
            estimate: 0.98,
            low: 0.90,
            high: 1.06,
        };
        assert_eq!(verdict(ratio, 1.0, Better::Less), "<= 1.00  reached ?");
    }

    #[test]
    fn a_row_is_won_where_the_whole_interval_is_better() {
        let ratio = |low: f64, high: f64| Interval {
            estimate: f64::midpoint(low, high),
            low,
            high,
        };
        let check = |low, high, better, expected| {
            assert_eq!(standing(ratio(low, high), better), expected, "{low} {high}");
        };
        check(1.01, 1.2, Better::More, Ordering::Greater);
        check(1.01, 1.2, Better::Less, Ordering::Less);
        check(0.8, 0.99, Better::More, Ordering::Less);
        check(0.8, 0.99, Better::Less, Ordering::Greater);
        check(0.9, 1.1, Better::Less, Ordering::Equal);
    }
}
