//! Many processes on a core: how sure a prediction is that no calibration covers.
//!
//! The interval is to hold what the lab measured, and only where it was measured to be needed.

use super::*;

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
fn an_advised_setting_beyond_what_was_calibrated_is_said_to_be_that() {
    let advised = report(2, 4);
    let workers = match &advised.judgement.reason {
        Reason::BetterSetting { setting, .. } | Reason::BeyondSetting { setting, .. } => {
            setting.workers
        }
        _ => 0,
    };
    assert!(workers > 4, "{:?}", advised.judgement);
    assert!(says(&advised), "{:?}", advised.assumptions);
}
