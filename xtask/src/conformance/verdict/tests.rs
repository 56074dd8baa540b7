//! Comparing two runs of a suite.

use super::*;
use crate::conformance::expected::Expected;

fn run(tests: &[(&str, Kind)]) -> Run {
    let ended = |kind: Kind| Ended {
        kind,
        detail: String::new(),
        only_alone: false,
    };
    let tests = tests
        .iter()
        .map(|(test, kind)| ((*test).to_owned(), ended(*kind)));
    Run {
        python: "3.12.1".to_owned(),
        limit_s: 30.0,
        tests: tests.collect(),
    }
}

fn known(text: &str) -> Known {
    let expected: Expected = toml::from_str(text).expect("the test's own text is right");
    expected.of("s", "3.12")
}

fn names(found: &[Difference]) -> Vec<&str> {
    found.iter().map(|one| one.test.as_str()).collect()
}

#[test]
fn a_failure_of_ours_alone_must_be_expected() {
    let asyncio = run(&[
        ("a", Kind::Passed),
        ("b", Kind::Passed),
        ("c", Kind::Passed),
    ]);
    let corrente = run(&[("a", Kind::Passed), ("b", Kind::Hung), ("c", Kind::Failed)]);
    let known = known("[[s.expected]]\ntests = [\"c\"]\nreason = \"r\"\n");
    let verdict = Verdict::of(&asyncio, &corrente, &known);
    assert_eq!(names(&verdict.unexpected), ["b"]);
    assert_eq!(names(&verdict.expected), ["c"]);
    assert_eq!(verdict.surprises(), 1);
}

#[test]
fn what_fails_on_asyncio_too_says_nothing() {
    let asyncio = run(&[("a", Kind::Failed), ("b", Kind::Failed)]);
    let corrente = run(&[("a", Kind::Crashed), ("b", Kind::Passed)]);
    let verdict = Verdict::of(&asyncio, &corrente, &Known::default());
    assert_eq!(names(&verdict.on_both), ["a"]);
    assert_eq!(names(&verdict.only_asyncio), ["b"]);
    assert_eq!(verdict.surprises(), 0);
}

#[test]
fn skipping_what_asyncio_runs_is_a_difference() {
    let asyncio = run(&[("a", Kind::Passed), ("b", Kind::Skipped)]);
    let corrente = run(&[("a", Kind::Skipped), ("b", Kind::Skipped)]);
    let verdict = Verdict::of(&asyncio, &corrente, &Known::default());
    assert_eq!(names(&verdict.unexpected), ["a"]);
}

#[test]
fn an_expectation_that_no_test_needs_is_told() {
    let both = run(&[("a", Kind::Passed)]);
    let known = known("[[s.expected]]\ntests = [\"a\", \"gone.*\"]\nreason = \"r\"\n");
    let verdict = Verdict::of(&both, &both, &known);
    assert_eq!(verdict.not_needed, ["a", "gone.*"]);
    assert_eq!(verdict.surprises(), 2);
}

#[test]
fn what_run_py_writes_is_read() {
    let text = r#"{"schema": 1, "suite": "s", "loop": "asyncio", "python": "3.12.1", "limit_s": 30.0,
        "tests": {"a": {"kind": "passed"}, "b": {"kind": "not run", "detail": "exit code 1"},
                  "c": {"kind": "passed", "detail": "with others: x", "only_alone": true}}}"#;
    let run: Run = serde_json::from_str(text).expect("it is right");
    assert_eq!(run.count(Kind::Passed), 2);
    assert_eq!(run.tests["b"].kind, Kind::NotRun);
    assert!(run.tests["c"].only_alone);
}
