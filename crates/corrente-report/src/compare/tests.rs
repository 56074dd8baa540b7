//! A run against another of itself: what changed, what did not, what is missing.
//!
//! The second run is the fixture on another machine; the snapshots show what a reader sees. What
//! must hold for any pair of runs is asserted beside them.

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::fixture::fixture;
use crate::language::Language;
use crate::result::{Mode, Verdict};
use crate::terminal::Colour;

/// The fixture, rerun on another machine: faster, one verdict another, one scenario gone.
fn rerun() -> LabResult {
    let mut result = fixture();
    result.started_at = "2026-03-08T09:00:00Z".to_owned();
    result.mode = Mode::Full;
    result.machine.cpu = "Intel Xeon Platinum 8488C".to_owned();
    result.machine.python = "CPython 3.14.0".to_owned();
    result.scenarios.pop();
    let scenario = &mut result.scenarios[0];
    for measurement in &mut scenario.measurements {
        measurement.throughput_per_s *= 1.25;
    }
    scenario.findings[0].verdict = Verdict::Inconclusive;
    if let Some(measured) = &mut scenario.findings[0].points[0].measured {
        measured.estimate = 1.7;
        measured.low = 1.5;
        measured.high = 1.9;
    }
    result
}

#[test]
fn comparison_in_english() {
    let terminal = Terminal::new(Language::En, 80, Colour::Plain);
    insta::assert_snapshot!(terminal.comparison(&fixture(), &rerun()));
}

#[test]
fn comparison_in_german() {
    let terminal = Terminal::new(Language::De, 80, Colour::Plain);
    insta::assert_snapshot!(terminal.comparison(&fixture(), &rerun()));
}

#[test]
fn a_run_compared_with_itself_differs_in_nothing() {
    let result = fixture();
    let comparison = Comparison::new(&result, &result);
    assert!(comparison.findings.iter().all(|pair| !pair.is_changed()));
    assert!(
        comparison
            .measurements
            .iter()
            .all(|pair| (pair.change() - 1.0).abs() < 1e-12)
    );
    assert!(comparison.only_first.is_empty() && comparison.only_second.is_empty());
    let text = Terminal::new(Language::En, 80, Colour::Plain).comparison(&result, &result);
    assert!(text.contains("no verdict changed"), "{text}");
    assert!(
        !text.contains("machines differ") && !text.contains("modes differ"),
        "{text}"
    );
}

#[test]
fn runs_without_anything_in_common_say_so() {
    let (first, mut second) = (fixture(), fixture());
    second.scenarios.clear();
    let text = Terminal::new(Language::En, 80, Colour::Plain).comparison(&first, &second);
    assert!(text.contains("no scenario in common"), "{text}");
    assert!(text.contains("only in A: super"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for language in Language::ALL {
        let terminal = Terminal::new(language, 80, Colour::Plain);
        for line in terminal.comparison(&fixture(), &rerun()).lines() {
            assert!(line.width() <= 80, "{language}: {line}");
        }
    }
}
