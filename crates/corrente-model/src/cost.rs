//! What a deployment costs: from throughput to money.
//!
//! Prices come from the user; the currency is whatever theirs is in.

/// Prices of a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// One core for an hour.
    pub per_core_hour: f64,
    /// One GiB of memory for an hour.
    pub per_gib_hour: f64,
}

/// The cost of a million requests on an instance with so many cores and so much memory that is
/// fully used, at this throughput. `None` where nothing is answered.
pub fn per_million(
    prices: Prices,
    cores: f64,
    memory_bytes: f64,
    throughput_per_s: f64,
) -> Option<f64> {
    if throughput_per_s <= 0.0 || throughput_per_s.is_nan() {
        return None;
    }
    let gib = memory_bytes / f64::from(1_u32 << 30);
    let per_hour = prices.per_core_hour * cores + prices.per_gib_hour * gib;
    Some(per_hour / (throughput_per_s * 3600.0) * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_answers_a_thousand_a_second() {
        let prices = Prices {
            per_core_hour: 0.03,
            per_gib_hour: 0.003,
        };
        let cost = per_million(prices, 2.0, 4.0 * f64::from(1_u32 << 30), 1000.0);
        // 0.072 an hour over 3.6 million requests.
        assert!((cost.expect("answers") - 0.02).abs() < 1e-12);
        assert_eq!(per_million(prices, 2.0, 0.0, 0.0), None);
    }
}
