//! Predictions from a table of costs, as `corrente gauge predict` makes them from the shipped one.
//!
//! The synchronous side is measured, and the machine's speed; what its stack and the other one cost
//! is looked up by the names in the scenario's file. Nothing that ran on the asynchronous side goes
//! in, so it need not even be installed.

use corrente_model::calibration::Uncalibrated;
use corrente_model::cost_table::{CostTable, Side, Speed};
use corrente_model::pairing::{Calling, Drivers, Migration, Named, Pair};
use corrente_model::prediction::{Prediction, Unpredictable};
use corrente_model::service::Service;

use super::{Comparison, Known, Runner, Seen, Stacks, ask};
use crate::scenario::CasePlan;

/// A table of costs, and how they are taken from its machine to this one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prices<'run> {
    pub table: &'run CostTable,
    pub speed: Speed,
}

impl Known {
    /// Predicts `of / over` with these costs; `None` where the synchronous side was not
    /// measured.
    pub(crate) fn forecast_shipped(
        &self,
        comparison: &Comparison<'_>,
        prices: Prices<'_>,
    ) -> Option<Result<Prediction, Unpredictable>> {
        // What loads the other processors has to be of the synchronous side, too.
        let seen = self.seen(comparison, comparison.warm)?;
        match stacks(comparison, &seen, prices) {
            Ok(stacks) => ask(comparison, &seen, &stacks),
            Err(missing) => Some(Err(missing.into())),
        }
    }
}

/// The service as one contender shows it.
#[derive(Debug, Clone, Copy)]
struct Shown<'run> {
    contender: &'run Runner,
    /// Threads of a process that are busy meanwhile.
    threads: usize,
    service: &'run Service,
}

fn stacks(
    comparison: &Comparison<'_>,
    seen: &Seen,
    prices: Prices<'_>,
) -> Result<Stacks, Uncalibrated> {
    let pair = |shown: &Shown<'_>| pair(comparison, shown, prices);
    let alone = pair(&Shown {
        contender: comparison.measured,
        threads: 1,
        service: &seen.alone,
    })?;
    let warm = comparison.warm.zip(seen.warm.as_ref());
    let warm = warm.map(|(contender, service)| {
        pair(&Shown {
            contender,
            threads: contender.threads(),
            service,
        })
    });
    Ok(Stacks {
        alone: Some(alone.from),
        warm: warm.transpose()?.map(|pair| pair.from),
        to: alone.to,
        // What both are off by is above all what another machine's costs are.
        alone_to_warm: 1.0,
    })
}

/// The shipped costs of both sides.
fn pair(
    comparison: &Comparison<'_>,
    shown: &Shown<'_>,
    prices: Prices<'_>,
) -> Result<Pair, Uncalibrated> {
    let (from, to) = (shown.contender, comparison.of);
    let migration = Migration {
        from: named(from),
        threads: shown.threads,
        to: named(to),
        drivers: &drivers(comparison.case, [from, to], prices.table),
    };
    prices.table.pair(shown.service, &migration, prices.speed)
}

fn named(runner: &Runner) -> Named<'_> {
    Named {
        server: &runner.stack.server,
        framework: &runner.stack.framework,
    }
}

/// What each kind of a case's calls goes through on both sides.
fn drivers<'run>(
    case: &'run CasePlan,
    [from, to]: [&'run Runner; 2],
    table: &CostTable,
) -> Vec<Drivers<'run>> {
    let driver =
        |runner: &'run Runner, kind, side| driver(&runner.stack.driver, kind, (table, side));
    let calls = &case.calls;
    let of = |kind: &'run String| {
        let present = driver(from, kind, Side::Sync);
        let stays = calls.blocking.contains(kind) || calls.serialised.contains(kind);
        Drivers {
            kind,
            from: present,
            to: if stays {
                present
            } else {
                driver(to, kind, Side::Async)
            },
            calling: if calls.gathered > 0.0 {
                Calling::Together
            } else {
                Calling::InTurn
            },
        }
    };
    calls.counts.keys().map(of).collect()
}

/// A contender's driver for a kind of calls. A kind that is named after another (`gathered_http`)
/// has its drivers. Of drivers none of which is known, the first stands for all.
fn driver<'run>(named: &'run str, kind: &str, (table, side): (&CostTable, Side)) -> &'run str {
    let kind = kind.rsplit('_').next().unwrap_or(kind);
    let mut names = named.split(", ");
    let is_of_kind = |name: &&str| {
        let mut known = table.drivers.iter();
        known.any(|one| one.name == *name && one.kind == kind && one.side == side)
    };
    names
        .clone()
        .find(is_of_kind)
        .or_else(|| names.next())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
