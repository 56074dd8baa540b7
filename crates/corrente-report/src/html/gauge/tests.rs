//! The page of a gauge: whole, escaped and self-contained, whatever was predicted.

use super::*;
use crate::fixture::gauge::{blocked, gauge, gauge_of_loop, migration};
use crate::html::tests::{USELESS, check_coordinates, check_nesting, check_self_contained};
use crate::prediction::{Reason, Span};

fn page(
    figures: &GaugeReport,
    prediction: Option<&PredictionReport>,
    language: Language,
) -> String {
    let page = GaugePage {
        figures,
        prediction,
        version: "1.2.3",
        schema: "corrente.recording/1",
    };
    gauge_page(&page, language)
}

/// What the page says, without its styles.
fn body(document: &str) -> &str {
    document
        .split_once("</head>")
        .map_or(document, |(_, body)| body)
}

/// A prediction that too few requests do not allow.
fn impossible() -> PredictionReport {
    PredictionReport {
        judgement: Judgement {
            verdict: Verdict::CannotTell,
            reason: Reason::FewRequests {
                requests: 12,
                more: 188,
            },
        },
        before: None,
        after: None,
        gain: None,
        endpoints: Vec::new(),
        assumptions: Vec::new(),
        curves: None,
        ..migration()
    }
}

#[test]
fn a_migration_in_english() {
    let document = page(&gauge(), Some(&migration()), Language::En);
    insta::assert_snapshot!(body(&document));
}

#[test]
fn a_loop_in_german() {
    let document = page(&gauge_of_loop(), Some(&blocked()), Language::De);
    insta::assert_snapshot!(body(&document));
}

#[test]
fn the_verdict_comes_first() {
    let document = page(&gauge(), Some(&migration()), Language::En);
    let place = |words: &str| document.find(words).expect("it is there");
    assert!(place("Verdict: tune what you have") < place("async would bring 620"));
    assert!(place("async would bring 620") < place("gunicorn 27.0.1 sync · 2 processes"));
    assert!(place("gunicorn 27.0.1") < place("GET /orders"));
}

#[test]
fn without_a_prediction_there_are_figures_and_the_reason() {
    let document = page(&gauge(), Some(&impossible()), Language::En);
    assert!(document.contains("record at least 188 more"));
    assert!(document.contains("GET /health"));
    assert_eq!(document.matches("<svg").count(), 1, "bars and no curves");
}

#[test]
fn without_requests_there_is_a_line() {
    let document = page(&GaugeReport::default(), None, Language::En);
    assert!(document.contains("No request was counted."));
    assert_eq!(document.matches("<svg").count(), 0);
}

#[test]
fn every_language_has_a_whole_page_that_asks_for_nothing() {
    let reports = [Some(migration()), Some(blocked()), Some(impossible()), None];
    for language in Language::ALL {
        for report in &reports {
            let document = page(&gauge_of_loop(), report.as_ref(), language);
            assert!(document.contains(&format!("<html lang=\"{}\">", language.tag())));
            check_nesting(&document);
            check_self_contained(&document);
            let pictures = document.matches("<svg").count();
            assert_eq!(document.matches("<desc>").count(), pictures);
        }
    }
}

#[test]
fn nothing_that_was_recorded_becomes_markup() {
    let hostile = "GET /<script>alert(1)</script>";
    let mut figures = gauge();
    figures.server = hostile.to_owned();
    figures.endpoints[0].name = hostile.to_owned();
    figures.endpoints[0].calls[0].resource = hostile.to_owned();
    figures.doubts = vec![hostile.to_owned()];
    let mut report = migration();
    report.from.framework = hostile.to_owned();
    report.endpoints[0].name = hostile.to_owned();
    let document = page(&figures, Some(&report), Language::En);
    assert!(!document.contains("<script"));
    assert!(document.matches("&lt;script&gt;").count() > 6);
}

/// A gauge and a prediction in which every figure is the same useless one.
fn degenerate(figure: f64) -> (GaugeReport, PredictionReport) {
    let (mut figures, mut report) = (gauge_of_loop(), migration());
    for endpoint in &mut figures.endpoints {
        let times = [
            &mut endpoint.cpu_ms,
            &mut endpoint.wait_ms,
            &mut endpoint.stalls_ms,
        ];
        for time in times {
            *time = Some(figure);
        }
    }
    let span = Span {
        estimate: figure,
        low: figure,
        high: figure,
    };
    report.rate_per_s = Some(figure);
    let curves = report.curves.get_or_insert_default();
    for point in &mut curves.throughput {
        (point.before_per_s, point.after_per_s) = (span, span);
    }
    for point in &mut curves.tail {
        (point.rate_per_s, point.before_ms, point.after_ms) = (figure, Some(span), Some(span));
    }
    (figures, report)
}

#[test]
fn figures_that_are_none_leave_no_trace() {
    for figure in USELESS {
        let (figures, report) = degenerate(figure);
        check_coordinates(&page(&figures, Some(&report), Language::En));
    }
}
