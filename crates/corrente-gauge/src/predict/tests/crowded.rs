//! Many processes on a core: how sure a prediction is that no calibration covers.
//!
//! The interval is to hold what the lab measured, and only where it was measured to be needed.

use corrente_report::prediction::Setting;

use super::*;
use crate::predict::crowded::most_processes;

/// Sixteen or four workers on one core, with a call that waits so long.
fn report(workers: u32, call_ms: u64) -> PredictionReport {
    let shape = Shape {
        cpu_ms: 1,
        call_ms,
        ..SHAPE
    };
    let settings = Settings {
        cores: Some(1.0),
        ..Settings::default()
    };
    predicted(&recording(workers, shape), &settings)
}

/// By what factor the gain may be off, upwards.
fn doubt(report: &PredictionReport) -> f64 {
    let gain = report.gain.expect("it is predicted");
    gain.high / gain.estimate
}

fn says(report: &PredictionReport) -> bool {
    let is_it = |one: &Assumption| matches!(one, Assumption::Crowded { .. });
    report.assumptions.iter().any(is_it)
}

#[test]
fn sixteen_processes_on_a_core_with_brief_waits_may_be_off_by_what_was_measured() {
    let (many, few) = (report(16, 2), report(4, 2));
    // Twice the processor time of one process, which is what the lab measured, is within it.
    assert!(doubt(&many) > 2.0, "{:?}", many.gain);
    assert!(doubt(&few) < 2.0, "{:?}", few.gain);
    assert!(says(&many), "{:?}", many.assumptions);
    assert!(!says(&few), "{:?}", few.assumptions);
}

#[test]
fn long_waits_are_as_sure_in_many_processes() {
    let many = report(16, 50);
    assert!(doubt(&many) < 2.0, "{:?}", many.gain);
    assert!(!says(&many), "{:?}", many.assumptions);
}

#[test]
fn an_advised_setting_counts_with_as_many_processes_as_it_has() {
    let advised = |workers: u64| Reason::BeyondSetting {
        setting: Setting {
            cores: 1.0,
            workers,
            threads: Some(1),
            pool: None,
        },
        flags: String::new(),
        throughput_per_s: 100.0,
        async_per_s: Span {
            estimate: 100.0,
            low: 90.0,
            high: 110.0,
        },
    };
    let check = |reason: &Reason, expected: f64| {
        let found = most_processes(2.0, reason);
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    };
    check(&advised(9), 9.0);
    check(&advised(1), 2.0);
    check(&Reason::Small, 2.0);
}
