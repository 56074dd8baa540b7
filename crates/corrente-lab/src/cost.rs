//! What a million operations cost, on capacity bought by the hour or paid by the request.
//!
//! Prices come from `lab/prices.toml` or the user's own file; nothing is fetched. By the hour
//! (EC2, Fargate) the processors and the memory are paid whether busy or not; by the request
//! (AWS Lambda) a fee a request and memory for as long as it lasts, waiting included.

use std::path::Path;
use std::time::Duration;

use corrente_report::result::Prices;

use crate::error::LabError;
use crate::files::LabFiles;
use crate::scenario::Pricing;

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Memory of a Lambda function that gets one whole vCPU (AWS Lambda Developer Guide, "Configure
/// Lambda function memory": 1,769 MB).
const FUNCTION_GIB: f64 = 1769.0 / 1024.0;

/// Reads the prices of `file`, or the lab's own.
pub(crate) fn read_prices(files: &LabFiles, file: Option<&Path>) -> Result<Prices, LabError> {
    let own = Path::new("prices.toml");
    let text = match file {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| LabError::input(path, error))?
        }
        None => files.text("prices.toml")?,
    };
    let prices: Prices = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        LabError::input(file.unwrap_or(own), format!("line {line}: {message}"))
    })?;
    let amounts = [
        prices.per_vcpu_hour,
        prices.per_gib_hour,
        prices.per_million_requests,
        prices.per_gib_second,
    ];
    if amounts
        .iter()
        .all(|price| price.is_finite() && *price >= 0.0)
    {
        Ok(prices)
    } else {
        Err(LabError::input(
            file.unwrap_or(own),
            "a price is negative or not a number",
        ))
    }
}

/// Processors that an application has, and the prices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity<'run> {
    /// Processors of the application.
    pub processors: usize,
    /// The prices.
    pub prices: &'run Prices,
}

impl Capacity<'_> {
    /// Cost of a million operations on processors and memory paid by the hour and used to the
    /// full; zero where nothing was completed.
    pub(crate) fn cost_per_million(&self, throughput_per_s: f64, memory_bytes: u64) -> f64 {
        if throughput_per_s <= 0.0 {
            return 0.0;
        }
        let hourly = self.processors as f64 * self.prices.per_vcpu_hour
            + memory_bytes as f64 / GIB * self.prices.per_gib_hour;
        hourly / 3600.0 / throughput_per_s * 1e6
    }

    /// Cost of a million operations at a fee a request and memory for its duration.
    pub(crate) fn cost_per_million_requests(&self, duration: Duration) -> f64 {
        let gib_seconds = duration.as_secs_f64() * FUNCTION_GIB * 1e6;
        self.prices.per_million_requests + gib_seconds * self.prices.per_gib_second
    }

    /// The one that `pricing` names; `None` where it goes by a duration that is not known.
    pub(crate) fn cost(
        &self,
        pricing: Pricing,
        throughput_per_s: f64,
        memory_bytes: u64,
        duration: Option<Duration>,
    ) -> Option<f64> {
        match pricing {
            Pricing::Hourly => Some(self.cost_per_million(throughput_per_s, memory_bytes)),
            Pricing::PerRequest => duration.map(|it| self.cost_per_million_requests(it)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        Prices {
            currency: "USD".to_owned(),
            per_vcpu_hour: 0.036,
            per_gib_hour: 0.0036,
            per_million_requests: 0.2,
            per_gib_second: 0.00001,
            source: "a test".to_owned(),
        }
    }

    #[test]
    fn an_hour_of_one_processor_and_a_gibibyte_is_shared_by_its_requests() {
        let prices = prices();
        let capacity = Capacity {
            processors: 1,
            prices: &prices,
        };
        let cost = capacity.cost_per_million(100.0, 1 << 30);
        assert!((cost - 0.11).abs() < 1e-9, "{cost}");
        assert!(capacity.cost_per_million(0.0, 1 << 30).abs() < f64::EPSILON);
    }

    #[test]
    fn a_function_is_paid_while_it_waits() {
        let prices = prices();
        let capacity = Capacity {
            processors: 1,
            prices: &prices,
        };
        let second = capacity.cost_per_million_requests(Duration::from_secs(1));
        let expected = 0.2 + FUNCTION_GIB * 10.0;
        assert!((second - expected).abs() < 1e-9, "{second}");
    }

    #[test]
    fn a_request_of_unknown_duration_has_no_price() {
        let prices = prices();
        let capacity = Capacity {
            processors: 1,
            prices: &prices,
        };
        let cost = |pricing| capacity.cost(pricing, 100.0, 1 << 30, None);
        assert_eq!(cost(Pricing::PerRequest), None);
        assert!(cost(Pricing::Hourly).is_some());
    }
}
