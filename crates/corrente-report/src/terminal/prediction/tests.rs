//! Predictions as a reader of each language sees them.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::fixture::gauge::{blocked, migration as report};
use crate::language::Language;
use crate::prediction::{Limit, Reason, Stack};
use crate::terminal::Colour;

fn shown(language: Language, report: &PredictionReport) -> String {
    Terminal::new(language, 80, Colour::Plain).prediction(report)
}

#[test]
fn a_migration_in_english() {
    insta::assert_snapshot!(shown(Language::En, &report()));
}

#[test]
fn a_loop_in_english() {
    insta::assert_snapshot!(shown(Language::En, &blocked()));
}

#[test]
fn no_language_leaves_anything_out_or_is_too_wide() {
    for language in Language::ALL {
        for report in [report(), blocked()] {
            let text = shown(language, &report);
            for line in text.lines() {
                assert!(line.width() <= 80, "{language}: {line}");
            }
            let first = report
                .endpoints
                .iter()
                .map(|one| one.name.as_str())
                .chain(["Flask"]);
            for part in first.filter(|_| report.from != report.to) {
                assert!(
                    text.contains(part),
                    "{language}: {part} is missing in {text}"
                );
            }
        }
    }
}

#[test]
fn a_stack_of_which_nothing_is_known_is_said_to_be_unknown() {
    let mut report = report();
    report.from = Stack::default();
    for language in Language::ALL {
        let text = shown(language, &report);
        let arrow = text.lines().find(|line| line.contains('→'));
        let line = arrow.expect("there is one");
        assert!(!line.starts_with('→'), "{language}: {line}");
        assert!(!line.starts_with(' '), "{language}: {line}");
    }
}

#[test]
fn every_reason_is_a_sentence() {
    let limit = Limit::Connections {
        resource: "database psycopg db:5432".to_owned(),
    };
    let (before_ms, after_ms) = (3.0, 2.0);
    let reasons = [
        Reason::WorkersWait {
            wait_ms: 80.0,
            wall_ms: 82.0,
        },
        Reason::CheaperStack {
            before_ms,
            after_ms,
        },
        Reason::DearerStack {
            before_ms,
            after_ms,
        },
        Reason::BeyondSetting {
            setting: report().before.expect("it is there").setting,
            flags: String::new(),
            throughput_per_s: 190.0,
            async_per_s: report().gain.expect("it is there"),
        },
        Reason::LoopFree { share: 0.01 },
        Reason::SameLimit {
            limit: limit.clone(),
        },
        Reason::NewLimit { limit },
        Reason::Small,
        Reason::FewOfEndpoint {
            endpoint: "GET /".to_owned(),
            more: 3,
        },
        Reason::Wide { more: 4000 },
        Reason::UnsureCosts {
            stack: "Starlette".to_owned(),
        },
        Reason::Greenlets,
        Reason::ThreadPool,
        Reason::NoCpuTimes,
        Reason::Unexplained { share: 0.9 },
        Reason::MixedInterfaces,
        Reason::FreeThreaded,
        Reason::Unpredictable {
            detail: "there are no users".to_owned(),
        },
    ];
    for language in Language::ALL {
        let terminal = Terminal::new(language, 80, Colour::Plain);
        for reason in &reasons {
            let text = terminal.catalogue().reason(reason);
            assert!(text.ends_with(['.', '。']), "{language}: {text}");
        }
    }
}
