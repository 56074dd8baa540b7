//! The page and the stand-alone picture: self-contained, escaped, complete in five languages.
//!
//! Snapshots hold one scenario and the picture; everything else is asserted over whole pages, for
//! figures that no lab should give and for results that hold nothing.

use super::{page, scenario, summary_svg};
use crate::catalogue::Catalogue;
use crate::fixture::fixture;
use crate::language::Language;
use crate::result::LabResult;

/// Values of an attribute in a document.
fn values<'a>(document: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    document
        .split(&start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

/// Every element is closed in the order in which it was opened.
pub(super) fn check_nesting(document: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in document.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag.split_whitespace().next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !matches!(name, "!DOCTYPE" | "meta") {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Nothing is loaded from anywhere.
pub(super) fn check_self_contained(document: &str) {
    for word in [
        "src=", "@import", "url(", "<link", "<iframe", "<img", "<object", "<script",
    ] {
        assert!(!document.contains(word), "{word}");
    }
}

#[test]
fn body_of_one_scenario() {
    let result = fixture();
    let catalogue = Catalogue::new(Language::En);
    let section = scenario::section(&catalogue, &result.scenarios[2], &result);
    insta::assert_snapshot!(section.render());
}

#[test]
fn picture_of_the_findings() {
    insta::assert_snapshot!(summary_svg(&fixture(), Language::En));
}

#[test]
fn nothing_in_a_result_becomes_markup() {
    let document = page(&fixture(), Language::En);
    assert!(!document.contains("<script"));
    assert!(document.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
    assert!(!document.contains('\u{1b}'));
    let links = values(&document, "href");
    assert!(
        links
            .iter()
            .all(|link| link.starts_with("https://") || link.starts_with('#')),
        "{links:?}"
    );
}

#[test]
fn asks_for_nothing_from_outside() {
    for language in Language::ALL {
        check_self_contained(&page(&fixture(), language));
    }
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let document = page(&fixture(), Language::En);
    let ids = values(&document, "id");
    for link in values(&document, "href")
        .into_iter()
        .filter_map(|link| link.strip_prefix('#'))
    {
        assert!(ids.contains(&link), "{link}");
    }
}

#[test]
fn is_well_formed_in_every_language() {
    for language in Language::ALL {
        let document = page(&fixture(), language);
        assert!(document.contains(&format!("<html lang=\"{}\">", language.tag())));
        check_nesting(&document);
        check_nesting(&summary_svg(&fixture(), language));
    }
}

#[test]
fn every_picture_has_a_title_and_a_description() {
    let document = page(&fixture(), Language::De);
    let pictures = document.matches("<svg").count();
    assert!(pictures > 8, "{pictures}");
    assert_eq!(document.matches("<desc>").count(), pictures);
    assert_eq!(document.matches("role=\"img\"").count(), pictures);
}

/// Every coordinate is a number that a browser can draw.
pub(super) fn check_coordinates(document: &str) {
    for attribute in [
        "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height",
    ] {
        for value in values(document, attribute) {
            let number: f64 = value.parse().unwrap_or(f64::NAN);
            assert!(number.is_finite(), "{attribute} is {value}");
        }
    }
    for path in values(document, "d") {
        assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
    }
    assert!(!document.contains("NaN"));
}

/// Figures that nobody should give.
pub(super) const USELESS: [f64; 9] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    5e-324,
];

/// A result in which every figure is the same useless one.
fn degenerate(figure: f64) -> LabResult {
    let mut result = fixture();
    result.prices.per_vcpu_hour = figure;
    for scenario in &mut result.scenarios {
        for case in &mut scenario.cases {
            case.parameters
                .values_mut()
                .for_each(|value| *value = figure);
        }
        for one in &mut scenario.measurements {
            one.throughput_per_s = figure;
            one.throughput_rounds = vec![figure; 3];
            one.cost_per_million = figure;
            if let Some(latency) = &mut one.latency {
                latency.p50_ms = figure;
                latency
                    .curve
                    .iter_mut()
                    .for_each(|point| *point = (figure, figure));
            }
        }
        for point in scenario
            .findings
            .iter_mut()
            .flat_map(|finding| &mut finding.points)
        {
            point.naive = Some(figure);
            if let Some(interval) = &mut point.measured {
                (interval.estimate, interval.low, interval.high) = (figure, figure, figure);
            }
        }
        for step in &mut scenario.factors {
            step.share = Some(figure);
            if let Some(interval) = &mut step.ratio {
                interval.estimate = figure;
            }
        }
    }
    result
}

#[test]
fn figures_that_are_none_leave_no_trace() {
    for figure in USELESS {
        let result = degenerate(figure);
        for document in [
            page(&result, Language::En),
            summary_svg(&result, Language::En),
        ] {
            check_coordinates(&document);
        }
    }
}

#[test]
fn a_claim_measured_once_more_without_pinning_counts_once() {
    let mut result = fixture();
    let once = rows_of_claims(&result);
    let scenario = &mut result.scenarios[0];
    let mut again = scenario.findings[0].clone();
    again.id.push_str(crate::result::UNPINNED);
    scenario.findings.push(again);
    assert_eq!(rows_of_claims(&result), once);
}

fn rows_of_claims(result: &LabResult) -> usize {
    result
        .scenarios
        .iter()
        .map(|one| one.claims().count())
        .sum()
}

#[test]
fn an_empty_result_is_still_a_page() {
    let mut result = fixture();
    result.scenarios.clear();
    result.finished_at = None;
    for language in Language::ALL {
        check_nesting(&page(&result, language));
        check_nesting(&summary_svg(&result, language));
    }
    for scenario in &mut fixture().scenarios {
        scenario.measurements.clear();
        scenario.cases.clear();
        let one = LabResult {
            scenarios: vec![scenario.clone()],
            ..fixture()
        };
        check_nesting(&page(&one, Language::Fr));
    }
}
