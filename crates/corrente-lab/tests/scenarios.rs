//! The scenario files that ship with the lab: all there, all readable, in five languages.
//!
//! Whether a scenario runs is `cargo xtask smoke`'s business; this looks at the files only.

use std::collections::BTreeSet;

use corrente_lab::files::LabFiles;
use corrente_lab::scenario::Scenario;
use corrente_report::result::Text;

fn scenarios() -> Vec<Scenario> {
    let read = LabFiles::Embedded
        .scenarios()
        .expect("the files are embedded");
    read.into_iter()
        .map(|(name, scenario)| scenario.unwrap_or_else(|error| panic!("{name}: {error}")))
        .collect()
}

#[test]
fn every_published_claim_has_its_scenario() {
    let published = LabFiles::Embedded
        .text("published.toml")
        .expect("is embedded");
    let published: toml::Table = toml::from_str(&published).expect("is TOML");
    let claims = published["claim"].as_array().expect("is a list");
    let claims: BTreeSet<&str> = claims
        .iter()
        .filter_map(|claim| claim.get("id")?.as_str())
        .collect();
    let scenarios = scenarios();
    let names: BTreeSet<&str> = scenarios.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(claims.len(), 15);
    assert!(claims.is_subset(&names), "{claims:?} in {names:?}");
    // Grinberg changed Paterson's benchmark: the same claim, put to another test.
    for scenario in scenarios.iter().filter(|one| one.name != one.claim) {
        assert_eq!(
            (&*scenario.name, &*scenario.claim),
            ("grinberg", "paterson")
        );
    }
}

#[test]
fn every_text_is_there_in_five_languages() {
    for scenario in scenarios() {
        let texts = std::iter::once(&scenario.title)
            .chain(&scenario.differences)
            .chain(&scenario.remarks);
        for Text { en, it, fr, de, zh } in texts {
            for text in [en, it, fr, de, zh] {
                assert!(
                    !text.trim().is_empty(),
                    "{}: an empty text beside `{en}`",
                    scenario.name
                );
            }
            let distinct = BTreeSet::from([it, fr, de, zh]);
            assert_eq!(
                distinct.len(),
                4,
                "{}: a text stands untranslated: `{en}`",
                scenario.name
            );
        }
        assert!(
            !scenario.differences.is_empty(),
            "{}: no difference is named",
            scenario.name
        );
        assert!(
            !scenario.findings.is_empty(),
            "{}: nothing is judged",
            scenario.name
        );
    }
}

#[test]
fn every_sync_side_of_a_service_is_tuned() {
    use corrente_lab::scenario::{Driver, Measured};
    use corrente_report::result::Side;
    // In `formula` the number of processes is what is studied: its sync contenders are a sweep.
    // `grinberg` rebuilds a set-up whose number of processes is the point.
    for scenario in scenarios()
        .into_iter()
        .filter(|scenario| !["formula", "grinberg"].contains(&&*scenario.name))
    {
        let judged: BTreeSet<&str> = scenario
            .findings
            .iter()
            .map(|finding| finding.over.as_str())
            .collect();
        for contender in &scenario.contenders {
            let serves = scenario
                .cases
                .iter()
                .any(|case| case.driver == Driver::Http && contender.takes_part_in(&case.id));
            let in_quick_runs = contender.measured == Measured::Quick;
            let judged = judged.contains(contender.id.as_str());
            if contender.side == Side::Sync && serves && in_quick_runs && judged {
                assert!(
                    !contender.tune.is_empty(),
                    "{}: {}",
                    scenario.name,
                    contender.id
                );
            }
        }
    }
}
