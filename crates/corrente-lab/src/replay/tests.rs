//! The published run, replayed: the scenario with the fewest predictions, and the costs of another.

use super::*;

fn published() -> LabResult {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/evidence/model.json"
    );
    let text = std::fs::read_to_string(path).expect("it is part of the project");
    let mut result: LabResult = serde_json::from_str(&text).expect("a result");
    let other = |name: &str| {
        let mut scenario = result
            .scenarios
            .iter()
            .find(|one| one.name == name)
            .cloned();
        let scenario = scenario.as_mut().expect("it was run");
        scenario.findings.retain(|_| name == "grinberg");
        scenario.clone()
    };
    result.scenarios = vec![other("grinberg"), other("paterson")];
    result
}

#[test]
fn a_stored_result_holds_all_that_its_predictions_need() {
    let published = published();
    let replayed = replay(&published, &LabFiles::Embedded, Basis::All).expect("files are there");
    let points = |result: &LabResult| {
        let findings = result.scenarios[0].findings.clone().into_iter();
        let points =
            findings.filter(|one| !one.is_unpinned() && one.measure == Measure::Throughput);
        points.flat_map(|one| one.points).collect::<Vec<_>>()
    };
    let (before, after) = (points(&published), points(&replayed));
    assert!(!before.is_empty());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.measured, after.measured);
        assert!(
            after.predicted.is_some() && after.shipped.is_some(),
            "{after:?}"
        );
    }
}

#[test]
fn ratios_of_p99_come_from_the_rounds_that_carry_one() {
    let mut published = published();
    published.scenarios[0].tails.clear();
    let tail = |result: &LabResult| {
        let replayed = replay(result, &LabFiles::Embedded, Basis::OneUser);
        replayed.expect("files are there").scenarios[0].tails[0].clone()
    };
    let found = tail(&published);
    let measured = found.measured.expect("thousands of requests");
    assert!(measured.low <= measured.estimate && measured.estimate <= measured.high);
    assert!(found.predicted.is_some() && found.shipped.is_some());
    for one in &mut published.scenarios[0].measurements {
        if let Some(latency) = &mut one.latency {
            latency.p99_ms = None;
        }
    }
    assert_eq!(tail(&published).measured, None);
}

#[test]
fn a_scenario_is_not_predicted_from_costs_that_it_determined_itself() {
    let mut alone = published();
    alone.scenarios.truncate(1);
    let replayed = replay(&alone, &LabFiles::Embedded, Basis::All).expect("files are there");
    let tail = &replayed.scenarios[0].tails[0];
    assert!(
        tail.predicted.is_some() && tail.shipped.is_none(),
        "{tail:?}"
    );
}

#[test]
fn what_work_costs_on_each_side_is_left_out_where_that_is_asked() {
    let files = LabFiles::Embedded.scenarios().expect("files are there");
    let formula = files.into_iter().find(|(name, _)| name == "formula");
    let formula = formula
        .and_then(|(_, read)| read.ok())
        .expect("it can be read");
    let has_work = |basis| {
        known_by(&formula, basis)
            .prediction
            .is_some_and(|plan| plan.work.is_some())
    };
    assert!(has_work(Basis::All) && has_work(Basis::OneUser) && !has_work(Basis::NoWork));
}
