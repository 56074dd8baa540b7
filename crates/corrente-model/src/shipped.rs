//! The costs that come with the program: of stacks and drivers, as the lab measured them.
//!
//! For a service whose asynchronous side is not installed, and so cannot be calibrated where it
//! runs. `cargo xtask calibration` writes the file from a lab's result; nothing in it is written by
//! hand. It was measured on another machine: `speed` takes costs from there to here, and no cost
//! is trusted to better than [`LEAST_DEVIATION`].

use std::sync::LazyLock;

use serde::Deserialize;

use crate::least_squares::Estimate;

/// Relative standard deviation of a shipped cost, at least: versions, options and processors differ.
pub const LEAST_DEVIATION: f64 = 0.20;
/// What it becomes where a cost is taken from a similar stack or driver, not from this one.
pub const BORROWED_DEVIATION: f64 = 0.40;
/// Added (in squares) where the speed of one of the two machines is not known: that is the spread
/// of a core's speed over common cloud machines of the last years.
const UNKNOWN_SPEED_DEVIATION: f64 = 0.25;

/// All that is shipped.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipped {
    /// Where it was measured.
    pub reference: Reference,
    /// Stacks without drivers.
    #[serde(rename = "stack", default)]
    pub stacks: Vec<ShippedStack>,
    /// Drivers.
    #[serde(rename = "driver", default)]
    pub drivers: Vec<ShippedDriver>,
}

/// The machine and the run that the costs come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Its processor.
    pub cpu: String,
    /// Its interpreter.
    pub python: String,
    /// The day.
    pub date: String,
    /// The lab's scenarios that were fitted.
    pub scenarios: Vec<String>,
    /// Rounds of the lab's `burn` loop a millisecond there; absent where the result has no such
    /// figure.
    #[serde(default)]
    pub burn_rounds_per_ms: Option<f64>,
}

/// In what kind of processes a cost was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workers {
    /// One request after another, or an event loop.
    #[default]
    Single,
    /// Many threads, all in use, which hand the interpreter lock over to one another.
    Threaded,
}

/// Which side of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// A thread or process for each request.
    Sync,
    /// An event loop.
    Async,
}

/// A server with a framework.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippedStack {
    /// The server in the lab's words: `gunicorn sync`.
    pub server: String,
    /// The framework: `Flask`.
    pub framework: String,
    /// Its side.
    pub side: Side,
    /// Its processes.
    #[serde(default)]
    pub workers: Workers,
    /// Processor time of a request without calls, in microseconds.
    pub request_us: f64,
    /// Its relative standard deviation.
    pub deviation: f64,
    /// See [`crate::calibration::Costs::coldness`].
    pub coldness: f64,
    /// Memory of a process without the service's own.
    #[serde(default)]
    pub process_bytes: Option<u64>,
    /// Memory of one more request in flight.
    #[serde(default)]
    pub request_bytes: Option<u64>,
}

/// A driver of databases or other services.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippedDriver {
    /// Its name: `Requests`.
    pub name: String,
    /// `http`, `sql` or `cache`.
    pub kind: String,
    /// The side that it is made for.
    pub side: Side,
    /// Processor time of a call, in microseconds.
    pub call_us: f64,
    /// The same in processes of many threads, where that was measured.
    #[serde(default)]
    pub threaded_us: Option<f64>,
    /// The same of one of many calls that a request starts at once, where that was measured.
    #[serde(default)]
    pub gathered_us: Option<f64>,
    /// Its relative standard deviation.
    pub deviation: f64,
}

/// What is shipped with this version.
pub fn shipped() -> &'static Shipped {
    static SHIPPED: LazyLock<Shipped> = LazyLock::new(|| {
        let text = include_str!("../data/stacks.toml");
        toml::from_str(text).expect("the file is part of the program, and a test reads it")
    });
    &SHIPPED
}

/// How much longer the same work takes here, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Factor on costs.
    pub factor: f64,
    /// Relative standard deviation that this adds.
    pub deviation: f64,
}

impl Reference {
    /// From there to a machine that makes so many rounds of `burn` a millisecond; where either
    /// figure is not known the factor is 1, and less sure.
    pub fn speed(&self, burn_rounds_per_ms: Option<f64>) -> Speed {
        let positive = |rounds: &f64| rounds.is_finite() && *rounds > 0.0;
        let there = self.burn_rounds_per_ms.filter(positive);
        match (there, burn_rounds_per_ms.filter(positive)) {
            (Some(there), Some(here)) => Speed {
                factor: there / here,
                deviation: 0.0,
            },
            _ => Speed {
                factor: 1.0,
                deviation: UNKNOWN_SPEED_DEVIATION,
            },
        }
    }
}

impl Speed {
    /// A shipped cost on this machine, in seconds.
    pub fn cost(self, microseconds: f64, deviation: f64) -> Estimate {
        let mean = microseconds / 1e6 * self.factor;
        let relative = deviation.max(LEAST_DEVIATION).hypot(self.deviation);
        Estimate {
            mean,
            deviation: mean * relative,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_can_be_read_and_is_sane() {
        let shipped = shipped();
        assert!(shipped.stacks.iter().any(|stack| stack.side == Side::Sync));
        assert!(shipped.stacks.iter().any(|stack| stack.side == Side::Async));
        for stack in &shipped.stacks {
            let name = format!("{} {}", stack.server, stack.framework);
            assert!((1.0..100_000.0).contains(&stack.request_us), "{name}");
            assert!((LEAST_DEVIATION..=1.0).contains(&stack.deviation), "{name}");
            assert!((0.0..=3.0).contains(&stack.coldness), "{name}");
        }
        for driver in &shipped.drivers {
            let costs = [
                Some(driver.call_us),
                driver.threaded_us,
                driver.gathered_us,
            ];
            for cost in costs.into_iter().flatten() {
                assert!((1.0..100_000.0).contains(&cost), "{}", driver.name);
            }
            assert!(
                (LEAST_DEVIATION..=1.0).contains(&driver.deviation),
                "{}",
                driver.name
            );
        }
    }

    #[test]
    fn costs_grow_on_a_slower_machine() {
        let reference = Reference {
            burn_rounds_per_ms: Some(20_000.0),
            ..shipped().reference.clone()
        };
        let cost = reference.speed(Some(10_000.0)).cost(100.0, 0.2);
        assert!((cost.mean - 0.0002).abs() < 1e-12);
        assert!((cost.deviation - 0.00004).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_known_of_a_machine_makes_costs_less_sure() {
        let speed = shipped().reference.speed(None);
        let cost = speed.cost(100.0, 0.0);
        assert!((cost.mean - 0.0001).abs() < 1e-12);
        assert!((cost.deviation / cost.mean - 0.2_f64.hypot(0.25)).abs() < 1e-9);
    }
}
