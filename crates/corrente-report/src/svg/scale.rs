//! Scales: from a figure to a coordinate, and the ticks to print beside it.
//!
//! Linear and logarithmic. It draws nothing. Invariant: any domain, even empty, reversed, of one
//! value or with figures that are none, gives a scale whose coordinates are finite and whose ticks
//! rise and lie within the domain.

/// How figures are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    Linear,
    Logarithmic,
}

/// A mapping from figures to coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    spread: Spread,
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

/// The smallest and the largest figure that a logarithmic scale shows.
const LOGARITHMIC_LIMITS: (f64, f64) = (1e-9, 1e12);
/// The same for a linear scale.
const LINEAR_LIMIT: f64 = 1e15;

impl Scale {
    /// A scale from 0 (or the least figure below it) to a little above the largest figure.
    pub(crate) fn from_zero(figures: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let figures = figures.filter(|figure| figure.is_finite());
        let (low, high) = figures.fold((0.0_f64, 0.0_f64), |(low, high), figure| {
            let figure = figure.clamp(-LINEAR_LIMIT, LINEAR_LIMIT);
            (low.min(figure), high.max(figure))
        });
        let high = if high - low < f64::MIN_POSITIVE * 1e3 {
            low + 1.0
        } else {
            high
        };
        let step = nice_step((high - low) / 4.0);
        let high = (high / step - 1e-9).ceil() * step;
        Self {
            spread: Spread::Linear,
            low,
            high,
            start,
            end,
        }
    }

    /// A logarithmic scale around the figures that are above zero, with a little room.
    pub(crate) fn logarithmic(figures: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (least, most) = LOGARITHMIC_LIMITS;
        let shown = figures.filter(|figure| figure.is_finite() && *figure > 0.0);
        let ends = shown
            .map(|figure| figure.clamp(least, most))
            .map(|figure| (figure, figure))
            .reduce(|(low, high), (figure, _)| (low.min(figure), high.max(figure)));
        let (low, high) = ends.unwrap_or((0.5, 2.0));
        let room = (high / low).powf(0.06).max(1.15);
        Self {
            spread: Spread::Logarithmic,
            low: low / room,
            high: high * room,
            start,
            end,
        }
    }

    /// A linear scale with exactly these ends.
    pub(crate) fn between(low: f64, high: f64, start: f64, end: f64) -> Self {
        let is_usable = low.is_finite() && high.is_finite() && high > low;
        let (low, high) = if is_usable { (low, high) } else { (0.0, 1.0) };
        Self {
            spread: Spread::Linear,
            low,
            high,
            start,
            end,
        }
    }

    /// The coordinate of a figure, held within the scale; a figure that is none goes to the start.
    pub(crate) fn at(&self, figure: f64) -> f64 {
        let (low, high) = (self.spread_out(self.low), self.spread_out(self.high));
        let share = (self.spread_out(figure) - low) / (high - low);
        let share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        self.start + share * (self.end - self.start)
    }

    pub(crate) const fn start(&self) -> f64 {
        self.start
    }

    pub(crate) const fn end(&self) -> f64 {
        self.end
    }

    /// Whether a figure lies within the scale.
    pub(crate) fn holds(&self, figure: f64) -> bool {
        self.low <= figure && figure <= self.high
    }

    /// Figures to print, about `count` of them.
    pub(crate) fn ticks(&self, count: usize) -> Vec<f64> {
        match self.spread {
            Spread::Linear => self.linear_ticks(count),
            Spread::Logarithmic => self.logarithmic_ticks(count),
        }
    }

    fn spread_out(&self, figure: f64) -> f64 {
        match self.spread {
            Spread::Linear => figure,
            Spread::Logarithmic => figure.max(LOGARITHMIC_LIMITS.0 / 10.0).log10(),
        }
    }

    fn linear_ticks(&self, count: usize) -> Vec<f64> {
        let step = nice_step((self.high - self.low) / count.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil();
        let last = (self.high / step + 1e-9).floor();
        let steps = (last - first).clamp(0.0, 100.0) as u32;
        (0..=steps)
            .map(|index| (first + f64::from(index)) * step)
            .collect()
    }

    /// Tries ever finer divisions of a decade, from whole powers of a thousand to every tenth,
    /// and takes the finest that does not crowd.
    fn logarithmic_ticks(&self, count: usize) -> Vec<f64> {
        const MANTISSAS: [&[f64]; 4] = [
            &[1.0],
            &[1.0, 3.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        ];
        let within = |mantissas: &[f64], every: i32| -> Vec<f64> {
            let first = self.low.log10().floor() as i32;
            let last = self.high.log10().ceil() as i32;
            (first..=last)
                .filter(|exponent| exponent.rem_euclid(every) == 0)
                .flat_map(|exponent| mantissas.iter().map(move |one| one * 10f64.powi(exponent)))
                .filter(|figure| self.holds(*figure))
                .collect()
        };
        let coarse = [6, 3, 2]
            .into_iter()
            .map(|every| within(MANTISSAS[0], every));
        let fine = MANTISSAS.into_iter().map(|mantissas| within(mantissas, 1));
        let limit = count.max(2);
        coarse
            .chain(fine)
            .filter(|ticks| ticks.len() <= limit)
            .max_by_key(Vec::len)
            .unwrap_or_default()
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is no smaller than `step`.
fn nice_step(step: f64) -> f64 {
    let step = if step.is_finite() && step > 0.0 {
        step
    } else {
        1.0
    };
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|nice| *nice >= step * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn linear_ticks_are_round() {
        let scale = Scale::from_zero([171.0, 54.0].into_iter(), 0.0, 100.0);
        assert_eq!(scale.ticks(4), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert!((scale.at(100.0) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn logarithmic_ticks_suit_the_span() {
        let narrow = Scale::logarithmic([0.8, 3.0].into_iter(), 0.0, 100.0);
        let ticks: Vec<String> = narrow
            .ticks(8)
            .iter()
            .map(|tick| format!("{tick:.1}"))
            .collect();
        assert_eq!(ticks, ["0.7", "1.0", "1.2", "1.5", "2.0", "3.0"]);
        let wide = Scale::logarithmic([0.01, 1e6].into_iter(), 0.0, 100.0);
        assert!(wide.ticks(8).len() <= 8);
    }

    fn check(scale: Scale, figure: f64) -> Result<(), TestCaseError> {
        let position = scale.at(figure);
        prop_assert!(
            (0.0..=100.0).contains(&position),
            "{} at {}",
            figure,
            position
        );
        for count in [2, 4, 8] {
            let ticks = scale.ticks(count);
            prop_assert!(ticks.iter().all(|tick| tick.is_finite()));
            prop_assert!(ticks.is_sorted(), "{:?}", ticks);
            prop_assert!(ticks.len() <= 2 * count + 2, "{} asked, {:?}", count, ticks);
            for tick in ticks {
                let place = scale.at(tick);
                prop_assert!((-1e-6..=100.000_001).contains(&place), "{}", tick);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_figures_make_a_usable_scale(figures: Vec<f64>, figure: f64) {
            check(Scale::from_zero(figures.iter().copied(), 0.0, 100.0), figure)?;
            check(Scale::logarithmic(figures.iter().copied(), 0.0, 100.0), figure)?;
        }

        #[test]
        fn degenerate_figures_make_a_usable_scale(value in prop_oneof![
            Just(0.0), Just(-0.0), Just(f64::NAN), Just(f64::INFINITY), Just(f64::MAX),
            Just(f64::MIN_POSITIVE), Just(5e-324), Just(-1.0), Just(1.0),
        ]) {
            check(Scale::from_zero([value, value].into_iter(), 0.0, 100.0), value)?;
            check(Scale::logarithmic([value, value].into_iter(), 0.0, 100.0), value)?;
            check(Scale::between(value, value, 0.0, 100.0), value)?;
        }
    }
}
