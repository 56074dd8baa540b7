//! What disturbed a run, for its readers: measurements that are no results, and the processor's speed.
//!
//! Where disturbed measurements leave verdicts open a report says which, and why. Invariant: texts come from the
//! catalogue, and where nothing was disturbed or nothing is known there is none.

use crate::catalogue::{Catalogue, Message};
use crate::claim::{SEPARATOR, extremes};
use crate::result::{Invalid, ScenarioResult};

impl Catalogue {
    /// Which of a scenario's measurements are no results: reason by reason, with the contenders that
    /// have it.
    pub(crate) fn invalid_in(&self, scenario: &ScenarioResult) -> Option<String> {
        let measurements = &scenario.measurements;
        let mut reasons: Vec<(Invalid, Vec<&str>)> = Vec::new();
        let invalid = || {
            measurements
                .iter()
                .filter_map(|one| Some((one.invalid?, one)))
        };
        for (reason, one) in invalid() {
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) if names.contains(&one.contender.as_str()) => {}
                Some((_, names)) => names.push(&one.contender),
                None => reasons.push((reason, vec![&one.contender])),
            }
        }
        let reasons = reasons.into_iter();
        let lines =
            reasons.map(|(reason, names)| format!("{} ({})", self.text(reason), names.join(", ")));
        let reasons = lines.collect::<Vec<_>>().join(SEPARATOR);
        (!reasons.is_empty()).then(|| {
            self.text(Message::InvalidOf {
                count: invalid().count() as u64,
                all: measurements.len() as u64,
                reasons: &reasons,
            })
        })
    }

    /// How fast the application's processors were in a scenario, and how far their speed moved.
    pub(crate) fn speed(&self, scenario: &ScenarioResult) -> Option<String> {
        let rounds = scenario
            .measurements
            .iter()
            .flat_map(|one| &one.speed_rounds);
        let (low, high) = extremes(rounds.copied())?;
        let moves = scenario
            .measurements
            .iter()
            .filter_map(|one| one.speed_moved);
        let (_, moved) = extremes(moves)?;
        let numbers = self.numbers();
        Some(self.text(Message::FieldSpeedText {
            low: &numbers.quantity(low),
            high: &numbers.quantity(high),
            moved: &numbers.percent(moved),
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Catalogue;
    use crate::fixture;
    use crate::language::Language;

    #[test]
    fn a_scenario_says_what_of_it_was_no_result_and_why() {
        let catalogue = Catalogue::new(Language::En);
        let result = fixture::fixture();
        let find = |name: &str| {
            let scenario = result.scenarios.iter().find(|one| one.name == name);
            scenario.expect("the fixture has it")
        };
        assert_eq!(
            catalogue.invalid_in(find("paterson")).as_deref(),
            Some(
                "5 of 6 measurements invalid: load generator saturated (uvicorn-starlette) · \
                 origin or database saturated (sanic) · rounds differ too much (aiohttp) · \
                 hypervisor took processor time (granian-asgi) · other programs used the \
                 processor (hypercorn)"
            )
        );
        assert_eq!(catalogue.invalid_in(find("azure-uvloop")), None);
    }

    #[test]
    fn speeds_are_a_range_and_how_far_they_moved() {
        let catalogue = Catalogue::new(Language::En);
        let result = fixture::fixture();
        let speeds: Vec<String> = result
            .scenarios
            .iter()
            .filter_map(|one| catalogue.speed(one))
            .collect();
        assert_eq!(
            speeds,
            [
                "19,200 to 22,400 rounds of Python work a millisecond; within a measurement it moved by at most 17%"
            ]
        );
    }
}
