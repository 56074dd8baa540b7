//! The plots of a report: each takes figures of the result and gives a picture, or nothing.
//!
//! Between [`crate::svg`], which knows no result, and the page, which knows no coordinates.
//! Invariant: a plot without figures is `None`, never an empty frame; figures that are not finite
//! or, on logarithmic axes, not above zero are left out.

mod curves;
mod factors;
mod forest;
mod latency;
mod prediction;
mod region;
mod times;
mod users;

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::markup::Element;
use crate::result::{Case, Contender, ScenarioResult, Side};
use crate::svg::marker::Look;

pub(crate) use self::curves::{tail, throughput};
pub(crate) use self::factors::factors;
pub(crate) use self::forest::{forest, rows_of_points, rows_of_result};
pub(crate) use self::latency::{Loop, latency};
pub(crate) use self::prediction::{Predictor, prediction};
pub(crate) use self::region::region;
pub(crate) use self::times::times;
pub(crate) use self::users::users;

/// A picture with the words that stand around it.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) title: String,
    /// How to read the plot; the picture's description says the same.
    pub(crate) about: String,
    pub(crate) picture: Element,
}

/// The look of each contender: colour by side, dash and mark by place on that side.
#[derive(Debug)]
pub(crate) struct Looks<'a> {
    by_id: BTreeMap<&'a str, Look>,
}

impl<'a> Looks<'a> {
    pub(crate) fn of(contenders: &'a [Contender]) -> Self {
        let mut places: BTreeMap<Side, usize> = BTreeMap::new();
        let by_id = contenders
            .iter()
            .map(|contender| {
                let place = places.entry(contender.side).or_default();
                *place += 1;
                (contender.id.as_str(), Look::new(contender.side, *place - 1))
            })
            .collect();
        Self { by_id }
    }

    /// The look of a contender; one that the scenario does not list counts as a reference.
    pub(crate) fn look(&self, id: &str) -> Look {
        self.by_id
            .get(id)
            .copied()
            .unwrap_or_else(|| Look::new(Side::Reference, 3))
    }
}

/// Whether a logarithmic axis can show a figure.
fn is_positive(figure: f64) -> bool {
    figure.is_finite() && figure > 0.0
}

/// The parameters of a case with its users among them.
fn parameters(case: &Case) -> BTreeMap<&str, f64> {
    let named = case
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), *value));
    let users = case.users.map(|users| (USERS, users as f64));
    named.chain(users).collect()
}

/// The name under which [`parameters`] lists the users.
const USERS: &str = "users";

/// The case of an id.
fn case_of<'a>(scenario: &'a ScenarioResult, id: &str) -> Option<&'a Case> {
    scenario.cases.iter().find(|case| case.id == id)
}

/// Tick labels for ratios.
fn ratio_ticks(catalogue: &Catalogue, ticks: Vec<f64>) -> Vec<(f64, String)> {
    let label = |tick: f64| {
        let text = catalogue.parameter(tick);
        (tick, format!("{}×", catalogue.without_zeros(&text)))
    };
    ticks.into_iter().map(label).collect()
}

/// Tick labels for plain figures.
fn plain_ticks(catalogue: &Catalogue, ticks: Vec<f64>) -> Vec<(f64, String)> {
    let label = |tick: f64| (tick, catalogue.without_zeros(&catalogue.parameter(tick)));
    ticks.into_iter().map(label).collect()
}

#[cfg(test)]
mod tests;
