//! What is measured, how often and in which order: the plan of a run, before anything starts.
//!
//! Pure. Orders rotate from round to round and are shuffled once by the seed, so that no contender
//! is always measured after the same neighbour.

use std::collections::BTreeSet;
use std::time::Duration;

use corrente_report::result::{Measure, Mode, Side, UNPINNED};

use crate::contender::tuned;
use crate::forecast::Runner;
use crate::scenario::{CasePlan, ContenderPlan, Pricing, Rounds, Scenario};
use crate::slice::Load;

/// Open-loop rates are this share of what the slowest side completes in the closed loop.
pub(crate) const OPEN_LOOP_SHARE: f64 = 0.7;

/// Open-loop measurements of a run whose scenario does not say how many.
const OPEN_ROUNDS_MAX: u32 = 3;

/// Time that starting the parts of a scenario takes, for the estimate of the time left.
const START_EXPECTED: Duration = Duration::from_secs(5);

/// The rounds of a scenario in a run of this mode.
pub(crate) fn rounds(scenario: &Scenario, mode: Mode, repeat: Option<u32>) -> Rounds {
    let mut rounds = match mode {
        Mode::Smoke => Rounds {
            rounds: 1,
            warm_up: 0.1,
            ..scenario.quick
        },
        Mode::Quick => scenario.quick,
        Mode::Full => scenario.full,
    };
    rounds.rounds = repeat.unwrap_or(rounds.rounds);
    rounds
}

/// Open-loop rounds.
pub(crate) fn open_rounds(rounds: Rounds) -> u32 {
    let default = rounds.rounds.min(OPEN_ROUNDS_MAX);
    rounds.open_rounds.unwrap_or(default)
}

/// The cases that a run of this mode measures.
pub(crate) fn cases(scenario: &Scenario, mode: Mode) -> Vec<CasePlan> {
    scenario
        .cases
        .iter()
        .filter(|case| case.measured.included_in(mode))
        .map(|case| case.for_mode(mode))
        .collect()
}

/// The contenders that a run of this mode includes.
pub(crate) fn contenders(scenario: &Scenario, mode: Mode) -> impl Iterator<Item = &ContenderPlan> {
    scenario
        .contenders
        .iter()
        .filter(move |contender| contender.measured.included_in(mode))
}

/// Every contender, with the points of its sweep. A smoke run takes one point unseen.
pub(crate) fn instances(scenario: &Scenario, mode: Mode) -> Vec<(String, ContenderPlan)> {
    let mut instances = Vec::new();
    for contender in contenders(scenario, mode) {
        instances.push((contender.id.clone(), contender.clone()));
        let points = if mode == Mode::Smoke {
            1
        } else {
            contender.tune.len()
        };
        for point in 0..points.min(contender.tune.len()) {
            let id = match mode {
                Mode::Smoke => format!("{}:tuned", contender.id),
                _ => sweep_id(&contender.id, point),
            };
            instances.push((id, tuned(contender, point)));
        }
    }
    instances
}

/// What a point of a sweep is called until the best is known.
pub(crate) fn sweep_id(contender: &str, point: usize) -> String {
    format!("{contender}:tune-{point}")
}

/// The case that a contender is tuned on.
pub(crate) fn tune_case<'cases>(
    contender: &ContenderPlan,
    cases: &'cases [CasePlan],
) -> Option<&'cases CasePlan> {
    let named = contender.tune_case.as_ref();
    cases
        .iter()
        .find(|case| Some(&case.id) == named)
        .or_else(|| cases.iter().find(|case| contender.takes_part_in(&case.id)))
}

/// Contenders whose requests alone are timed because a platform would charge for their duration.
pub(crate) fn billed_alone(scenario: &Scenario) -> BTreeSet<&str> {
    scenario
        .findings
        .iter()
        .flat_map(|finding| {
            [
                (&finding.of, finding.of_pricing),
                (&finding.over, finding.over_pricing),
            ]
        })
        .filter(|(_, pricing)| *pricing == Pricing::PerRequest)
        .map(|(id, _)| id.as_str())
        .collect()
}

/// The contenders that are measured alone: those, the naive rule's and the model's.
pub(crate) fn alone<'ids>(
    scenario: &'ids Scenario,
    billed: &BTreeSet<&'ids str>,
) -> BTreeSet<&'ids str> {
    scenario
        .naive
        .as_deref()
        .into_iter()
        .chain(billed.iter().copied())
        .chain(known_alone(scenario))
        .collect()
}

/// The contenders that the model knows by one user alone.
pub(crate) fn known_alone(scenario: &Scenario) -> BTreeSet<&str> {
    let plan = scenario.prediction.iter();
    let named = plan.flat_map(|plan| plan.alone.iter().map(String::as_str));
    named.chain(scenario.naive.as_deref()).collect()
}

/// The contenders that are measured alone and have several workers, with how many: the first requests of
/// each worker import and connect, which is no part of what a request costs.
pub(crate) fn warmed(scenario: &Scenario, mode: Mode) -> Vec<(&str, usize)> {
    let billed = billed_alone(scenario);
    let alone = alone(scenario, &billed);
    contenders(scenario, mode)
        .filter(|one| alone.contains(one.id.as_str()))
        .filter_map(|one| Some((one.id.as_str(), Runner::new(&one.id, one)?.workers())))
        .filter(|(_, workers)| *workers > 1)
        .collect()
}

/// How often what is known before the run is measured.
pub(crate) fn passes(scenario: &Scenario, mode: Mode) -> u32 {
    match (mode, &scenario.prediction) {
        (Mode::Full, Some(_)) => 3,
        _ => 1,
    }
}

/// How long the calibration of a scenario's predictions takes in one pass.
fn calibration_expected(scenario: &Scenario, mode: Mode, rounds: Rounds) -> Duration {
    let Some(plan) = &scenario.prediction else {
        return Duration::ZERO;
    };
    let count = |number: usize| u32::try_from(number).unwrap_or(0);
    // How many cores there are is not known yet: on one the most contenders are crowded.
    let is_crowded =
        |one: &ContenderPlan| Runner::new(&one.id, one).is_some_and(|runner| runner.is_crowded(1));
    let looped = contenders(scenario, mode).filter(|one| one.side == Side::Async);
    let crowded = contenders(scenario, mode).filter(|one| is_crowded(one));
    let (looped, crowded) = (looped.count(), crowded.count());
    let both = plan.of_both_sides(mode).count();
    let sleepers = plan.of_sleepers(mode).count();
    let alone = sleepers * known_alone(scenario).len();
    let warm = plan
        .warm
        .as_ref()
        .map_or(0, |_| cases(scenario, mode).len() + both);
    Load::calibration(rounds).expected() * count(both * looped + sleepers * crowded + warm)
        + Load::alone(rounds).expected() * count(alone)
}

/// Whether anything is judged by what a contender does in the open loop.
pub(crate) fn judged_in_open_loop(scenario: &Scenario, id: &str) -> bool {
    let plain = id.strip_suffix(":tuned").unwrap_or(id);
    scenario
        .findings
        .iter()
        .filter(|finding| matches!(finding.measure, Measure::OpenP50 | Measure::OpenP99))
        .any(|finding| finding.of == id || finding.over == id || finding.over == plain)
}

/// The turns of a round: shuffled once by the seed, then rotated by the round.
pub(crate) fn round<T: Clone>(turns: &[T], round: u32, seed: u64) -> Vec<T> {
    let mut order = turns.to_vec();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    if !order.is_empty() {
        let places = round as usize % order.len();
        order.rotate_left(places);
    }
    order
}

/// The first case of each contender: enough to see it run.
pub(crate) fn once_each(turns: Vec<(String, CasePlan)>) -> Vec<(String, CasePlan)> {
    let mut seen = BTreeSet::new();
    turns
        .into_iter()
        .filter(|(id, _)| seen.insert(id.clone()))
        .collect()
}

/// The case that a full run also measures without pinning: the first that is judged.
pub(crate) fn unpinned_case(scenario: &Scenario, cases: &[CasePlan]) -> Option<CasePlan> {
    let judged = scenario
        .findings
        .first()
        .and_then(|finding| finding.cases.as_ref()?.first());
    let case = cases
        .iter()
        .find(|case| Some(&case.id) == judged)
        .or_else(|| cases.first());
    case.map(|case| CasePlan {
        id: format!("{}{UNPINNED}", case.id),
        open_loop: false,
        ..case.clone()
    })
}

/// How long a scenario is expected to take.
pub(crate) fn expected(scenario: &Scenario, mode: Mode, repeat: Option<u32>) -> Duration {
    let rounds = rounds(scenario, mode, repeat);
    let mut cases = cases(scenario, mode);
    cases.extend(unpinned_case(scenario, &cases).filter(|_| mode == Mode::Full));
    let closed = Load::closed(rounds).expected();
    let mut sum = START_EXPECTED;
    sum += calibration_expected(scenario, mode, rounds) * passes(scenario, mode);
    let sides = |case: &CasePlan| -> u32 {
        contenders(scenario, mode)
            .filter(|contender| contender.takes_part_in(&case.id))
            .map(|contender| if contender.tune.is_empty() { 1 } else { 2 })
            .sum()
    };
    for case in &cases {
        sum += closed * sides(case) * rounds.rounds;
        let alone = alone(scenario, &billed_alone(scenario)).len();
        let alone = u32::try_from(alone).unwrap_or(0) * passes(scenario, mode);
        sum += Load::alone(rounds).expected() * alone;
        let warmed = warmed(scenario, mode).into_iter();
        sum += warmed
            .map(|(_, workers)| Load::warming(workers).expected())
            .sum::<Duration>();
        if case.open_loop {
            let judged = contenders(scenario, mode)
                .filter(|contender| judged_in_open_loop(scenario, &contender.id))
                .map(|contender| if contender.tune.is_empty() { 1 } else { 2 })
                .sum::<u32>();
            sum += Load::open(rounds, 1.0, 0).expected() * judged * open_rounds(rounds);
        }
    }
    if mode != Mode::Smoke {
        let points: usize = contenders(scenario, mode).map(|one| one.tune.len()).sum();
        sum += closed * u32::try_from(points).unwrap_or(0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_has_every_turn_in_another_order() {
        let turns = ["a", "b", "c"];
        let (first, second) = (round(&turns, 0, 1), round(&turns, 1, 1));
        assert_ne!(first, second);
        for mut order in [first, second] {
            order.sort_unstable();
            assert_eq!(order, turns);
        }
        assert_eq!(round(&turns, 3, 1), round(&turns, 0, 1));
    }

    #[test]
    fn of_who_is_measured_alone_those_with_several_workers_are_warmed() {
        let scenarios = crate::files::LabFiles::Embedded.scenarios();
        let warmed = |name: &str| {
            let found = scenarios.iter().flatten().find(|(one, _)| one == name);
            let scenario = found
                .and_then(|(_, one)| one.as_ref().ok())
                .expect("is there");
            let all = warmed(scenario, Mode::Full).into_iter();
            all.map(|(id, workers)| (id.to_owned(), workers))
                .collect::<Vec<_>>()
        };
        assert_eq!(warmed("grinberg"), [("flask-19".to_owned(), 19)]);
        assert_eq!(warmed("formula"), []);
    }

    #[test]
    fn no_turns_make_an_empty_round() {
        assert!(round::<u8>(&[], 5, 1).is_empty());
    }
}
