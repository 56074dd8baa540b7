//! Accuracy of predictions whose errors are known by hand.

use super::*;

fn around(estimate: f64) -> Interval {
    Interval {
        estimate,
        low: estimate * 0.9,
        high: estimate * 1.1,
    }
}

fn point(measured: f64) -> Point {
    Point {
        of: "starlette".to_owned(),
        over: "flask".to_owned(),
        case: "a".to_owned(),
        groups: vec!["over flask".to_owned()],
        measured: around(measured),
        naive: None,
        calibrated: None,
        shipped: None,
    }
}

#[test]
fn errors_have_no_sign_and_are_sorted() {
    let text = spread(vec![-0.2, 0.05, 0.1]);
    assert!(
        text.starts_with("median  10.0 %   90th percentile  20.0 %"),
        "{text}"
    );
}

#[test]
fn ratios_near_one_have_no_side() {
    let points = [(1.05, 0.9), (1.3, 1.2), (0.8, 1.01)].map(|(measured, predicted)| Point {
        shipped: Some(around(predicted)),
        ..point(measured)
    });
    // The interval of 1.05 reaches below 1, and that of 0.8 ends at 0.88.
    assert_eq!(
        Sides::of(&predicted_by(Source::Shipped, &points)).to_string(),
        "1 of 2 that differ from 1 by more than 10 %, 1 of 2 whose interval excludes 1"
    );
    assert!(predicted_by(Source::Calibrated, &points).is_empty());
}

#[test]
fn a_measurement_may_lie_outside_of_the_prediction() {
    let one = point(1.0);
    let judged = |predicted| Judged {
        point: &one,
        predicted: around(predicted),
    };
    assert!(judged(1.05).is_within());
    assert!(!judged(1.2).is_within());
}

#[test]
fn what_a_request_calls_is_its_family() {
    let families = Families::parse(
        r#"
[[case]]
id = "computes"
calls = { counts = {} }
[[case]]
id = "calls"
calls = { counts = { http = 5 } }
[[case]]
id = "gathers"
calls = { counts = { gathered_http = 5 }, gathered = 1.0 }
[[case]]
id = "queries"
calls = { counts = { sql = 1 } }
[[case]]
id = "blocks"
calls = { counts = { http = 1, blocking_http = 1 }, blocking = ["blocking_http"] }
[[case]]
id = "queues"
calls = { counts = { http = 1 }, servers = { http = 4 } }
"#,
    )
    .expect("well-formed");
    let expected = [
        ("computes", "no calls"),
        ("calls", "calls one after another"),
        ("gathers", "calls at once"),
        ("queries", "queries"),
        ("blocks", "calls that still block the loop"),
        ("queues", "a limited service"),
        ("unknown", "not in the file"),
    ];
    for (case, family) in expected {
        assert_eq!(families.of(case), family, "{case}");
    }
}

#[test]
fn both_sources_and_every_family_are_in_the_table() {
    let table = Table {
        name: "grid".to_owned(),
        gains: vec![Point {
            calibrated: Some(around(2.2)),
            shipped: Some(around(1.5)),
            naive: Some(4.0),
            ..point(2.0)
        }],
        tails: vec![Point {
            calibrated: Some(around(0.5)),
            shipped: Some(around(1.2)),
            ..point(0.5)
        }],
        left_out: 3,
    };
    let text = table.to_string();
    let lines = [
        "grid: 1 points (3 without a measurement)",
        "  error of the naive rule  median 100.0 %",
        "  stacks calibrated on the machine (1 points)",
        "    error of the gain      median  10.0 %",
        "  a table of costs, nothing of the async side (1 points)",
        "    error of the gain      median  25.0 %",
        "    right side of 1, P99:  0 of 1 that differ",
        "    P99  +140 %  starlette / flask, a: predicted 1.20, measured 0.50 [0.45, 0.55]",
        "  over flask",
    ];
    for line in lines {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn scenarios_together_are_grouped_by_scenario() {
    let table = |name: &str, of: &[f64]| Table {
        name: name.to_owned(),
        gains: of.iter().map(|measured| point(*measured)).collect(),
        tails: Vec::new(),
        left_out: 1,
    };
    let tables = vec![table("one", &[1.0, 2.0]), table("two", &[3.0])];
    let together = Table::together("both", tables).expect("there are points");
    let text = together.to_string();
    assert!(text.starts_with("both: 3 points (2 without"), "{text}");
    for (name, points) in [("one", 2), ("two", 1)] {
        assert!(
            text.contains(&format!("  {name:<36} {points:>6}")),
            "{text}"
        );
    }
    assert!(Table::together("none", Vec::new()).is_none());
}
