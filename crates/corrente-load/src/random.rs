//! A small seedable source of random numbers (`SplitMix64`) for arrivals and path choice.
//!
//! It must not know time or the machine: the same seed gives the same numbers everywhere, so a
//! run's schedule can be repeated. It is not for secrets.

/// 2^64 divided by the golden ratio: the increment of `SplitMix64` (Steele, Lea, Flood 2014).
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many bits of mantissa an `f64` has.
const MANTISSA_BITS: u32 = 53;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An independent stream for each `(seed, stream)`, for instance one per generator thread.
    pub(crate) fn stream(seed: u64, stream: u64) -> Self {
        Self::new(mix(seed ^ mix(stream.wrapping_add(GOLDEN_GAMMA))))
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        let mantissa = self.next_u64() >> (u64::BITS - MANTISSA_BITS);
        mantissa as f64 / (1_u64 << MANTISSA_BITS) as f64
    }
}

/// The finaliser of `SplitMix64`: every bit of the input changes every bit of the output.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_same_numbers_and_streams_differ() {
        let take = |mut random: Random| (0..8).map(|_| random.next_u64()).collect::<Vec<_>>();
        assert_eq!(take(Random::stream(7, 0)), take(Random::stream(7, 0)));
        assert_ne!(take(Random::stream(7, 0)), take(Random::stream(7, 1)));
        assert_ne!(take(Random::stream(7, 0)), take(Random::stream(8, 0)));
    }

    #[test]
    fn unit_stays_below_one_and_averages_a_half() {
        let mut random = Random::new(1);
        let values: Vec<f64> = (0..100_000).map(|_| random.unit()).collect();
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
    }
}
