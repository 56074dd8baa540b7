//! How often something happened, from how often it was seen to begin or end.
//!
//! Two reads a short time apart see a stay begin or end with a probability of rate × time, if stays
//! and the gaps between them are longer than that time. So the rate is changes over twice the time
//! between the reads of all pairs; no request has to be recognised. What is too short is lost, and
//! pairs twice as far apart lose twice as much: the two together show the loss and put it right to
//! first order. Steady reads see nearly everything, close ones what is short; the better of both
//! that loses little is used. Where neither does, the answer is that the rate cannot be told. Pure.

use super::tally::{Pace, Pairs, Stay, Tally};

/// Fewer changes than these give no rate: ± 36 % at 95 %.
const MIN_CHANGES: f64 = 30.0;

/// With a larger error than this a number says nothing.
const WORST_ERROR: f64 = 0.4;

/// A stay must last so many times the distance of two reads: one that is shorter than the distance
/// looks as long as that. At 2 an exponential stay loses 21 % before correction, 5 % after it.
const MIN_LENGTHS: f64 = 2.0;

/// The same for gaps: one that is shorter than the distance of two reads looks as long as that.
const MIN_GAP: f64 = 2.0;

/// No number is better known than this: what is lost is put right to first order only.
const LEAST_ERROR: f64 = 0.02;

/// 95 % of a normal distribution.
const TWO_SIDED: f64 = 1.96;

/// So many times their 95 % interval two rates must be apart for the larger to be believed: three
/// standard deviations, since the larger of two estimates is taken and chance works one way only.
const BEYOND_CHANCE: f64 = 3.0 / TWO_SIDED;

/// A rate with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    /// Half of the 95 % interval, as a share of the rate.
    pub(super) relative_error: f64,
}

/// Why there is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRate {
    /// Too few changes were seen.
    TooFew,
    /// Stays are too short for the distance of two reads.
    TooShort,
    /// The next begins too soon after one has ended.
    NoGap,
}

/// Sums over processes.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Stays a second, by pairs near and far.
    rates: [f64; 2],
    /// Changes in near pairs.
    changes: f64,
    /// Variance of the near rate.
    variance: f64,
    /// Mean number of threads in the stay.
    inside: f64,
    /// Mean distance of near pairs that showed a change, seconds.
    distance: f64,
}

/// The rate of `stay` over all processes. `threads` could be in it at once.
///
/// Steady reads are taken for their smaller error, unless close ones show more: then some gaps are
/// short, although the mean gap is not. Calls follow each other closely within a request, so without
/// close pairs nothing is said of them.
pub(super) fn rate(tallies: &[&Tally], stay: Stay, threads: f64) -> Result<Rate, NoRate> {
    let [close, steady] = Pace::ALL.map(|pace| rate_at(tallies, stay, threads, pace));
    match (close, steady) {
        (Ok(close), Ok(steady)) => Ok(if exceeds(close, steady) {
            close
        } else {
            steady
        }),
        (Err(NoRate::TooFew), Ok(steady)) if !matches!(stay, Stay::Wait(..)) => Ok(steady),
        (close, _) => close,
    }
}

/// Whether one rate is larger than another by more than chance. Close reads cost the service more
/// while they last and slow it down, so that a smaller rate of theirs is no objection.
fn exceeds(close: Rate, steady: Rate) -> bool {
    let error = |rate: Rate| rate.per_second * rate.relative_error;
    close.per_second - steady.per_second > BEYOND_CHANCE * error(close).hypot(error(steady))
}

fn rate_at(tallies: &[&Tally], stay: Stay, threads: f64, pace: Pace) -> Result<Rate, NoRate> {
    let sums = sums(tallies, stay, pace);
    if sums.changes < MIN_CHANGES {
        return Err(NoRate::TooFew);
    }
    let [near, far] = sums.rates;
    let corrected = corrected(near, far, sums.variance);
    if sums.inside / corrected < MIN_LENGTHS * sums.distance {
        return Err(NoRate::TooShort);
    }
    if (threads - sums.inside).max(0.0) / corrected < MIN_GAP * sums.distance {
        return Err(NoRate::NoGap);
    }
    let spread = TWO_SIDED * sums.variance.sqrt();
    let relative_error = (spread + (corrected - near).abs() / 2.0) / corrected;
    let relative_error = relative_error.max(LEAST_ERROR);
    if relative_error > WORST_ERROR {
        return Err(NoRate::TooFew);
    }
    Ok(Rate {
        per_second: corrected,
        relative_error,
    })
}

/// Linear extrapolation to a distance of nothing, where the difference is more than chance.
fn corrected(near: f64, far: f64, variance: f64) -> f64 {
    let lost = near - far;
    if lost > TWO_SIDED * variance.sqrt() {
        near + lost
    } else {
        near
    }
}

fn sums(tallies: &[&Tally], stay: Stay, pace: Pace) -> Sums {
    let mut sums = Sums::default();
    for tally in tallies {
        let [near, far] = &tally.pairs[pace as usize];
        let Some(near_rate) = pair_rate(near, stay) else {
            continue;
        };
        let seen = near.changes.get(&stay).copied().unwrap_or_default();
        let changes = seen.count as f64;
        let exposure = near.exposure_ns as f64 / 1e9;
        sums.rates[0] += near_rate;
        sums.rates[1] += pair_rate(far, stay).unwrap_or(near_rate);
        // The number wanted is that of this stretch of time. Of its changes the covered share was
        // seen: the more it is, the more often both ends of a stay are, and the less is left to
        // chance.
        let unseen = 1.0 - tally.coverage(near).powi(2);
        sums.variance += changes.max(1.0) * unseen / (2.0 * exposure).powi(2);
        sums.inside += tally.mean(stay);
        sums.distance += seen.within_ns as f64 / 1e9;
        sums.changes += changes;
    }
    if sums.changes > 0.0 {
        sums.distance /= sums.changes;
    }
    sums
}

fn pair_rate(pairs: &Pairs, stay: Stay) -> Option<f64> {
    (pairs.exposure_ns > 0).then(|| changes(pairs, stay) / 2.0 / (pairs.exposure_ns as f64 / 1e9))
}

fn changes(pairs: &Pairs, stay: Stay) -> f64 {
    pairs.changes.get(&stay).map_or(0, |changes| changes.count) as f64
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::attach::tally::{Doing, Look, Place, Turn};

    /// Length of a stay or a gap of the simulated thread.
    #[derive(Clone, Copy)]
    enum Length {
        Fixed(f64),
        Exponential(f64),
    }

    struct Random(u64);

    impl Random {
        /// From 0 to 1, both excluded (xorshift64*, Vigna 2014).
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
            (bits as f64 + 0.5) / (1_u64 << 53) as f64
        }

        fn length(&mut self, length: Length) -> f64 {
            match length {
                Length::Fixed(seconds) => seconds,
                Length::Exponential(mean) => -mean * self.next().ln(),
            }
        }
    }

    /// A thread in a request or out of it at each of these times, read at this pace: bursts of six
    /// close reads, or all in a row.
    fn reads(tally: &mut Tally, pace: Pace, times: &[f64], inside: impl Fn(f64) -> bool) {
        for (number, at) in times.iter().enumerate() {
            let (place, doing) = if inside(*at) {
                (Place::Application, Doing::Running)
            } else {
                (Place::Outside, Doing::Idle)
            };
            let look = Look {
                thread: 1,
                place,
                doing,
                on_loop: false,
                times: None,
            };
            let turn = match pace {
                Pace::Steady => Turn::Steady,
                Pace::Close if number == 0 => Turn::First,
                Pace::Close => Turn::Further,
            };
            tally.add(turn, (at * 1e9) as u64, Some(Rc::from([look])));
        }
    }

    /// A worker that is in a request for `stay` and out of it for `gap`, read steadily and now and
    /// then in a burst; and the true rate. `distance` is that of steady reads.
    fn simulate(stay: Length, gap: Length, distance: f64) -> (Tally, f64) {
        let mut random = Random(42);
        let mut ends = Vec::new();
        let (mut now, mut stays) = (0.0, 0.0);
        while now < 100.0 {
            let begin = now + random.length(gap);
            now = begin + random.length(stay);
            ends.push((begin, now));
            stays += 1.0;
        }
        let inside = |at: f64| {
            let next = ends.partition_point(|(_, end)| *end <= at);
            ends.get(next).is_some_and(|(begin, _)| *begin <= at)
        };
        let mut tally = Tally::default();
        let mut at = 0.0;
        while at < 99.0 {
            let steady: Vec<f64> = (0..20)
                .map(|_| {
                    at += distance * (0.5 + random.next());
                    at
                })
                .collect();
            reads(&mut tally, Pace::Steady, &steady, inside);
            let burst: Vec<f64> = (1..7).map(|n| at + CLOSE * f64::from(n)).collect();
            reads(&mut tally, Pace::Close, &burst, inside);
            at += 7.0 * CLOSE;
        }
        (tally, stays / now)
    }

    /// Distance of close reads, seconds.
    const CLOSE: f64 = 0.0002;

    fn check(stay: Length, gap: Length, distance: f64) {
        let (tally, truth) = simulate(stay, gap, distance);
        let rate = rate(&[&tally], Stay::Application, 1.0).expect("can be told");
        let error = rate.per_second / truth - 1.0;
        assert!(
            error.abs() < rate.relative_error.max(0.03),
            "{error} {rate:?} {truth}"
        );
        assert!(rate.relative_error < 0.2, "{rate:?}");
    }

    #[test]
    fn the_rate_is_found_for_many_shapes_of_requests() {
        use Length::{Exponential, Fixed};
        check(Fixed(0.002), Fixed(0.001), 0.001);
        check(Exponential(0.002), Exponential(0.002), 0.001);
        check(Exponential(0.010), Fixed(0.001), 0.001);
        check(Fixed(0.020), Exponential(0.030), 0.001);
        check(Fixed(0.020), Exponential(0.030), 0.004);
        check(Exponential(0.001), Exponential(0.001), 0.001);
    }

    #[test]
    fn requests_shorter_than_the_distance_are_not_guessed() {
        let (tally, _) = simulate(Length::Fixed(0.0001), Length::Fixed(0.002), 0.001);
        let found = rate(&[&tally], Stay::Application, 1.0);
        assert_eq!(found, Err(NoRate::TooShort));
    }

    #[test]
    fn requests_without_gaps_are_not_guessed() {
        let (tally, _) = simulate(Length::Fixed(0.003), Length::Fixed(0.00002), 0.001);
        let found = rate(&[&tally], Stay::Application, 1.0);
        assert!(found.is_err(), "{found:?}");
    }

    #[test]
    fn steady_reads_that_contradict_close_ones_are_not_believed() {
        // Five calls in a row with short gaps, then a long one: steady reads see the five as one.
        let inside = |at: f64| at % 0.050 < 0.025 && at % 0.005 < 0.0044;
        let (mut tally, mut at) = (Tally::default(), 0.0);
        while at < 60.0 {
            let steady: Vec<f64> = (0..9).map(|n| at + 0.0023 * f64::from(n)).collect();
            reads(&mut tally, Pace::Steady, &steady, inside);
            at += 0.0217;
            let burst: Vec<f64> = (0..6).map(|n| at + CLOSE * f64::from(n)).collect();
            reads(&mut tally, Pace::Close, &burst, inside);
            at += CLOSE * 6.0;
        }
        let rate = rate(&[&tally], Stay::Application, 1.0).expect("can be told");
        assert!((rate.per_second / 100.0 - 1.0).abs() < 0.15, "{rate:?}");
    }

    #[test]
    fn few_changes_are_no_rate() {
        assert_eq!(
            rate(&[&Tally::default()], Stay::Application, 1.0),
            Err(NoRate::TooFew)
        );
        assert_eq!(rate(&[], Stay::Application, 1.0), Err(NoRate::TooFew));
    }
}
