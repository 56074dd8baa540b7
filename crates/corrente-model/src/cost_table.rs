//! What stacks and drivers cost, as the lab measured them: one table comes with the program, and
//! users make their own (`corrente gauge calibrate`).
//!
//! For a service whose asynchronous side is not installed, and so cannot be calibrated where it
//! runs. Nothing in a table is written by hand. `speed` takes its costs from the machine where they
//! were measured to the service's, and says how far they can be trusted there: no cost of another
//! machine is sure to better than [`LEAST_DEVIATION`].

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::least_squares::Estimate;

/// Relative standard deviation of a cost from another machine, at least: versions, options and
/// processors differ.
pub const LEAST_DEVIATION: f64 = 0.20;
/// The same where it was measured on this one: versions and options still differ.
const LEAST_DEVIATION_HERE: f64 = 0.10;
/// What it becomes where a cost is taken from a similar stack or driver, not from this one.
pub const BORROWED_DEVIATION: f64 = 0.40;
/// How far all costs may be off where the speed of one of the two machines is not known: that is the
/// spread of a core's speed over common cloud machines of the last years.
const UNKNOWN_SPEED_DEVIATION: f64 = 0.25;
/// Speeds that differ by less can be of the same machine: over a day of lab runs on one, the figure
/// moved by up to 16 %.
const SAME_SPEED: f64 = 0.20;

/// The part of a ratio of speeds, as a logarithm, by which costs follow it, and how far that may be off (a
/// standard deviation). `burn` is arithmetic; a request is the kernel's work, allocations and cold caches
/// as well. Between the AMD EPYC of the shipped costs and an Intel Xeon, 1.87 apart by `burn`, twelve
/// calibrating requests followed by 0.11 (uWSGI with Falcon) to 0.84, half on the average, with a
/// deviation of 0.23 (docs/BENCHMARKS.md, `bench model`). That neither nothing nor all of it can be
/// excluded elsewhere is what the wider one says.
const FOLLOWS_SPEED: f64 = 0.5;
const DOUBT_OF_SPEED: f64 = 0.3;
/// How far all costs may be off at least on another processor or interpreter, at equal `burn` as well: the part
/// of a cost that does not follow `burn` differs there all the same. Chosen: between the two processors above
/// it came to 0.23 * ln 1.87 = 0.14 for a single request.
const OTHER_PROCESSOR_DEVIATION: f64 = 0.10;

/// The first lines of a file.
const ABOUT: &str = "\
# Costs of stacks and drivers, for services whose other side is not installed.
# Written by `corrente gauge calibrate RESULT.json` from a lab's result; not by hand.
# Times are processor time; deviations are relative standard deviations.
";

/// The costs of one run of the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostTable {
    /// Where it was measured.
    pub reference: Reference,
    /// Stacks without drivers.
    #[serde(rename = "stack", default)]
    pub stacks: Vec<StackCost>,
    /// Drivers.
    #[serde(rename = "driver", default)]
    pub drivers: Vec<DriverCost>,
}

/// The machine and the run that the costs come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_rounds_per_ms: Option<f64>,
}

/// Which side of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// A thread or process for each request.
    Sync,
    /// An event loop.
    Async,
}

/// In what kind of processes a cost was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workers {
    /// One request after another, or an event loop.
    #[default]
    Single,
    /// Many threads, all in use, which hand the interpreter lock over to one another.
    Threaded,
}

impl Workers {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn is_single(&self) -> bool {
        *self == Self::Single
    }
}

/// A server with a framework.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackCost {
    /// The server in the lab's words: `gunicorn sync`.
    pub server: String,
    /// The framework: `Flask`.
    pub framework: String,
    /// Its side.
    pub side: Side,
    /// Its processes.
    #[serde(default, skip_serializing_if = "Workers::is_single")]
    pub workers: Workers,
    /// Processor time of a request without calls, in microseconds.
    pub request_us: f64,
    /// Its relative standard deviation.
    pub deviation: f64,
    /// See [`crate::calibration::Costs::coldness`].
    pub coldness: f64,
    /// Memory of a process without the service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_bytes: Option<u64>,
    /// Memory of one more request in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_bytes: Option<u64>,
}

/// A driver of databases or other services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverCost {
    /// Its name: `Requests`.
    pub name: String,
    /// `http`, `sql` or `cache`.
    pub kind: String,
    /// The side that it is made for.
    pub side: Side,
    /// Processor time of a call, in microseconds.
    pub call_us: f64,
    /// The same in processes of many threads, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threaded_us: Option<f64>,
    /// The same of one of many calls that a request starts at once, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gathered_us: Option<f64>,
    /// Its relative standard deviation.
    pub deviation: f64,
}

/// What is shipped with this version.
pub fn shipped() -> &'static CostTable {
    static SHIPPED: LazyLock<CostTable> = LazyLock::new(|| {
        let text = include_str!("../data/stacks.toml");
        let mut table = CostTable::from_toml(text)
            .expect("the file is part of the program, and a test reads it");
        // They are of another machine than the user's, whatever the two are called.
        let stacks = table.stacks.iter_mut().map(|one| &mut one.deviation);
        let drivers = table.drivers.iter_mut().map(|one| &mut one.deviation);
        for deviation in stacks.chain(drivers) {
            *deviation = deviation.max(LEAST_DEVIATION);
        }
        table
    });
    &SHIPPED
}

/// What is wrong with a table, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTable(String);

impl fmt::Display for BadTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BadTable {}

impl CostTable {
    /// Reads a table and checks it.
    ///
    /// # Errors
    ///
    /// [`BadTable`] where it is none, has a field that is not known, or cannot be used.
    pub fn from_toml(text: &str) -> Result<Self, BadTable> {
        let table: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            let message = error.message().lines().next().unwrap_or_default();
            BadTable(format!("is not a table of costs: line {line}: {message}"))
        })?;
        table.check()?;
        Ok(table)
    }

    /// The table as a file.
    pub fn to_toml(&self) -> String {
        // Fails only where memory is beyond TOML's 2^63 bytes; a reader refuses an empty table.
        let figures = toml::to_string(self).unwrap_or_default();
        format!("{ABOUT}\n{figures}")
    }

    /// Whether a prediction can be made with it.
    ///
    /// # Errors
    ///
    /// [`BadTable`] where a side has no stack, or a figure cannot be.
    pub fn check(&self) -> Result<(), BadTable> {
        for (side, name) in [(Side::Sync, "sync"), (Side::Async, "async")] {
            if !self.stacks.iter().any(|stack| stack.side == side) {
                let what = format!("has no costs of a stack on the side `{name}`");
                return Err(BadTable(what));
            }
        }
        let can_be = |field: &str, value: f64| {
            value.is_finite() && (value > 0.0 || (value >= 0.0 && !field.ends_with("_us")))
        };
        match self
            .figures()
            .find(|(_, field, value)| !can_be(field, *value))
        {
            Some((of, field, value)) => Err(BadTable(format!("{of}: `{field}` cannot be {value}"))),
            None => Ok(()),
        }
    }

    /// All figures that predictions are made with: of what, field, value.
    fn figures(&self) -> impl Iterator<Item = (String, &'static str, f64)> {
        let stacks = self.stacks.iter().flat_map(|stack| {
            let of = format!("stack `{}, {}`", stack.framework, stack.server);
            [
                (of.clone(), "request_us", stack.request_us),
                (of.clone(), "deviation", stack.deviation),
                (of, "coldness", stack.coldness),
            ]
        });
        let drivers = self.drivers.iter().flat_map(|driver| {
            let of = format!("driver `{}`", driver.name);
            let calls = [
                ("call_us", Some(driver.call_us)),
                ("threaded_us", driver.threaded_us),
                ("gathered_us", driver.gathered_us),
                ("deviation", Some(driver.deviation)),
            ];
            calls
                .into_iter()
                .filter_map(move |(field, value)| Some((of.clone(), field, value?)))
        });
        stacks.chain(drivers)
    }
}

/// The machine that costs are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Here<'a> {
    /// Model of its processor; empty where it is not known.
    pub processor: &'a str,
    /// Version of the service's interpreter: `3.13.1`.
    pub python: &'a str,
    /// Rounds of the lab's `burn` loop a millisecond.
    pub burn_rounds_per_ms: Option<f64>,
}

/// How much longer the same work takes here, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Factor on costs.
    pub factor: f64,
    /// Its relative standard deviation: all costs are off by the same.
    pub deviation: f64,
    /// What it rests on.
    pub basis: Basis,
    /// How many times as fast at Python work it was where costs were measured; 1 where that is not known.
    pub times: f64,
    /// The least relative standard deviation of a cost by itself.
    least: f64,
}

/// Where costs come from, as seen from here. All but the first and the last are scaled by how fast both
/// sides are at Python work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// They were measured on this machine, or on one that cannot be told from it.
    Here,
    /// On the same processor with the same interpreter, when it was faster or slower.
    OtherSpeed,
    /// On the same processor with another interpreter.
    OtherPython,
    /// On another processor, or it is not known which one this is.
    OtherProcessor,
    /// The speed of one of the two is not known, so nothing is scaled.
    Unscaled,
}

impl Reference {
    /// From there to here: what was measured on the same kind of machine, with the same interpreter,
    /// follows its speed; of another one a part of the ratio, as costs are not arithmetic alone. Where
    /// the speed of either is not known the factor is 1, and less sure.
    pub fn speed(&self, here: Here<'_>) -> Speed {
        let positive = |rounds: &f64| rounds.is_finite() && *rounds > 0.0;
        let there = self.burn_rounds_per_ms.filter(positive);
        let Some((there, rounds)) = there.zip(here.burn_rounds_per_ms.filter(positive)) else {
            return Speed {
                factor: 1.0,
                deviation: UNKNOWN_SPEED_DEVIATION,
                basis: Basis::Unscaled,
                times: 1.0,
                least: LEAST_DEVIATION,
            };
        };
        let times = there / rounds;
        let basis = self.basis(here, times);
        let least = match basis {
            Basis::Here => {
                return Speed {
                    factor: times,
                    deviation: 0.0,
                    basis,
                    times,
                    least: LEAST_DEVIATION_HERE,
                };
            }
            Basis::OtherSpeed => 0.0,
            _ => OTHER_PROCESSOR_DEVIATION,
        };
        Speed {
            factor: times.powf(FOLLOWS_SPEED),
            deviation: (DOUBT_OF_SPEED * times.ln().abs()).max(least),
            basis,
            times,
            least: LEAST_DEVIATION,
        }
    }

    /// What differs between there and here, where the former was so many times as fast.
    fn basis(&self, here: Here<'_>, times: f64) -> Basis {
        if here.processor.is_empty() || here.processor != self.cpu {
            Basis::OtherProcessor
        } else if minor(here.python) != minor(&self.python) {
            Basis::OtherPython
        } else if (times - 1.0).abs() < SAME_SPEED {
            Basis::Here
        } else {
            Basis::OtherSpeed
        }
    }
}

/// `3.13` of `3.13.1`.
fn minor(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(minor, _)| minor)
}

impl Speed {
    /// The factor by which a cost may be off at most, in 95 of 100.
    pub fn doubt(self) -> f64 {
        (1.96 * self.deviation.hypot(self.least)).exp()
    }

    /// A cost of the table on this machine, in seconds; how sure the factor is comes on top.
    pub fn cost(self, microseconds: f64, deviation: f64) -> Estimate {
        let mean = microseconds / 1e6 * self.factor;
        Estimate {
            mean,
            deviation: mean * deviation.max(self.least),
        }
    }
}

#[cfg(test)]
mod tests;
