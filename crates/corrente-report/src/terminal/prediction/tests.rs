//! Predictions as a reader of each language sees them.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::language::Language;
use crate::prediction::{Blocker, SCHEMA};
use crate::terminal::Colour;

fn span(estimate: f64) -> Span {
    Span {
        estimate,
        low: estimate * 0.8,
        high: estimate * 1.3,
    }
}

fn side(workers: u64, threads: Option<u64>, throughput: f64, limit: Limit) -> Side {
    Side {
        setting: Setting {
            cores: 2.0,
            workers,
            threads,
            pool: threads.is_none().then_some(10),
        },
        throughput_per_s: span(throughput),
        p50_ms: Some(82.0),
        p99_ms: threads.is_none().then(|| span(120.0)),
        cpu_ms: 2.9,
        limit: Some(limit),
        memory_bytes: 2e8,
        cost_per_million: Some(0.031),
    }
}

fn report() -> PredictionReport {
    let setting = Setting {
        cores: 2.0,
        workers: 4,
        threads: Some(16),
        pool: None,
    };
    let better = Judgement {
        verdict: Verdict::Tune,
        reason: Reason::BetterSetting {
            setting,
            throughput_per_s: 603.4,
            async_per_s: span(620.0),
            memory_bytes: 2.5e8,
        },
    };
    PredictionReport {
        schema: SCHEMA,
        judgement: better.clone(),
        from: Stack {
            server: "gunicorn sync".to_owned(),
            framework: "Flask".to_owned(),
            drivers: vec!["Requests".to_owned(), "Psycopg 3".to_owned()],
        },
        to: Stack {
            server: "uvicorn".to_owned(),
            framework: "Starlette".to_owned(),
            drivers: vec!["aiohttp".to_owned(), "Psycopg 3 async".to_owned()],
        },
        requests: 1230,
        users: Some(100),
        rate_per_s: Some(55.5),
        before: Some(side(4, Some(1), 48.0, Limit::Workers)),
        after: Some(side(2, None, 620.0, Limit::Cores)),
        gain: Some(span(12.9)),
        p99_ratio: None,
        naive_gain: Some(28.6),
        gathered_p50_ms: Some(31.0),
        unexplained_share: Some(0.31),
        endpoints: vec![
            Endpoint {
                name: "GET /orders/<int:order>".to_owned(),
                requests: 1200,
                judgement: better,
                gain: Some(span(13.5)),
                naive_gain: Some(30.1),
            },
            Endpoint {
                name: "GET /health".to_owned(),
                requests: 12,
                judgement: Judgement {
                    verdict: Verdict::CannotTell,
                    reason: Reason::FewRequests {
                        requests: 12,
                        more: 18,
                    },
                },
                gain: None,
                naive_gain: Some(1.2),
            },
        ],
        event_loop: None,
        assumptions: vec![
            Assumption::UnexplainedWaiting { share: 0.31 },
            Assumption::UnknownSpeed,
            Assumption::Pool { connections: 10 },
        ],
    }
}

fn blocked() -> PredictionReport {
    PredictionReport {
        judgement: Judgement {
            verdict: Verdict::Tune,
            reason: Reason::Unblock {
                resource: "http http.client api:80".to_owned(),
                share: 0.82,
            },
        },
        to: report().from,
        endpoints: vec![],
        event_loop: Some(EventLoop {
            busy_share: Some(0.4),
            cpu_ms: 1.1,
            blocked_ms: 5.0,
            blockers: vec![
                Blocker {
                    resource: "http http.client api:80".to_owned(),
                    ms: 4.0,
                },
                Blocker {
                    resource: String::new(),
                    ms: 1.0,
                },
            ],
        }),
        ..report()
    }
}

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
            throughput_per_s: 190.0,
            async_per_s: span(315.0),
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
        Reason::FreeThreaded,
        Reason::Unpredictable {
            detail: "there are no users".to_owned(),
        },
    ];
    for language in Language::ALL {
        let terminal = Terminal::new(language, 80, Colour::Plain);
        for reason in &reasons {
            let text = terminal.reason(reason);
            assert!(text.ends_with(['.', '。']), "{language}: {text}");
        }
    }
}
