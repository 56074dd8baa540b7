//! Plots of arbitrary figures: always finite coordinates, never an empty frame.
//!
//! The figures of the richest scenario are replaced by drawn ones; when a plot is drawn at all is
//! asserted case by case.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Loop, Predictor, factors, forest, latency, prediction, region, rows_of_points, users};
use crate::catalogue::Catalogue;
use crate::fixture::fixture;
use crate::language::Language;
use crate::markup::Element;
use crate::result::{Interval, ScenarioResult};

/// A figure of any size, with the awkward ones in it more often than chance would have it.
fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1e3_f64..1e6,
        Just(0.0),
        Just(1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
    ]
}

/// The richest scenario of the fixture with other figures in the place of its own.
fn scenario(figures: &[f64]) -> ScenarioResult {
    let mut next = figures.iter().copied().cycle();
    let mut draw = || next.next().unwrap_or(f64::NAN);
    let mut scenario = fixture().scenarios.swap_remove(0);
    for case in &mut scenario.cases {
        case.parameters
            .values_mut()
            .for_each(|value| *value = draw());
    }
    for one in &mut scenario.measurements {
        one.throughput_per_s = draw();
        one.throughput_rounds = vec![draw(), draw()];
        if let Some(latency) = &mut one.latency {
            latency
                .curve
                .iter_mut()
                .for_each(|point| *point = (point.0, draw()));
        }
    }
    for point in scenario
        .findings
        .iter_mut()
        .flat_map(|finding| &mut finding.points)
    {
        point.naive = Some(draw());
        point.predicted = Some(Interval {
            estimate: draw(),
            low: draw(),
            high: draw(),
        });
        point.measured = Some(Interval {
            estimate: draw(),
            low: draw(),
            high: draw(),
        });
    }
    for step in &mut scenario.factors {
        step.ratio = Some(Interval {
            estimate: draw(),
            low: draw(),
            high: draw(),
        });
        step.share = Some(draw());
    }
    scenario
}

fn pictures(scenario: &ScenarioResult) -> Vec<Element> {
    let catalogue = Catalogue::new(Language::En);
    let mut result = fixture();
    result.scenarios = vec![scenario.clone()];
    let mut figures: Vec<_> = users(&catalogue, scenario);
    figures.extend(factors(&catalogue, scenario));
    figures.extend(forest(&catalogue, &rows_of_points(&catalogue, scenario)));
    figures.extend(prediction(&catalogue, &result, Predictor::Naive));
    figures.extend(prediction(&catalogue, &result, Predictor::Model));
    for case in &scenario.cases {
        figures.extend(latency(&catalogue, scenario, case, Loop::Closed));
        figures.extend(latency(&catalogue, scenario, case, Loop::Open));
    }
    let regions = scenario.findings.iter();
    figures.extend(regions.filter_map(|finding| region(&catalogue, scenario, finding)));
    figures.into_iter().map(|figure| figure.picture).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_picture_holds_a_coordinate_that_is_no_number(
        figures in proptest::collection::vec(figure(), 1..40),
    ) {
        for picture in pictures(&scenario(&figures)) {
            let text = picture.render();
            prop_assert!(!text.contains("NaN") && !text.contains("inf\"") && !text.contains("inf "));
        }
    }
}

#[test]
fn a_scenario_without_figures_has_no_plots() {
    let mut empty = fixture().scenarios.swap_remove(0);
    empty.measurements.clear();
    empty.findings.clear();
    empty.factors.clear();
    assert!(pictures(&empty).is_empty());
}

#[test]
fn the_region_needs_exactly_two_parameters_that_differ() {
    let catalogue = Catalogue::new(Language::En);
    let mut scenario = fixture().scenarios.swap_remove(0);
    let finding = scenario.findings[1].clone();
    assert!(region(&catalogue, &scenario, &finding).is_some());
    for (users, case) in (1..).zip(&mut scenario.cases) {
        case.users = Some(users);
    }
    assert!(
        region(&catalogue, &scenario, &finding).is_none(),
        "three differ"
    );
    for case in &mut scenario.cases {
        case.parameters = BTreeMap::new();
    }
    assert!(
        region(&catalogue, &scenario, &finding).is_none(),
        "one differs"
    );
}

#[test]
fn throughput_over_users_needs_three_levels() {
    let catalogue = Catalogue::new(Language::En);
    let mut scenario = fixture().scenarios.swap_remove(0);
    assert_eq!(users(&catalogue, &scenario).len(), 1);
    scenario
        .cases
        .retain(|case| case.users.is_some_and(|users| users <= 50));
    assert_eq!(users(&catalogue, &scenario).len(), 1);
    scenario
        .cases
        .retain(|case| case.users.is_some_and(|users| users > 1));
    assert!(users(&catalogue, &scenario).is_empty());
}

#[test]
fn factors_without_a_common_contender_make_two_chains() {
    let catalogue = Catalogue::new(Language::En);
    let mut scenario = fixture().scenarios.swap_remove(0);
    assert_eq!(factors(&catalogue, &scenario).len(), 1);
    scenario.factors[1].from = "elsewhere".to_owned();
    assert_eq!(factors(&catalogue, &scenario).len(), 2);
}
