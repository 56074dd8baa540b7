//! Many processes on one core: what they cost one another, which no calibration measures.
//!
//! A process that sleeps while others use its core comes back to cold caches. Calibrations run in up to four
//! processes on a core; the lab has measured sixteen, where requests that wait briefly need up to twice the
//! processor time of one process (docs/BENCHMARKS.md, `bench model`, over `flask-16`). So predictions beyond
//! four are less sure by what was seen, and the report says so.

use corrente_report::prediction::{Assumption, PredictionReport, Reason};

use super::judge::Case;
use super::reading::MS;

/// Processes on a core that predictions have been judged with at no more error than one process has.
const CALIBRATED: f64 = 4.0;
/// Waits from here on leave so few switches that errors were no larger than with one process, milliseconds.
const BRIEF_MS: f64 = 5.0;
/// Relative standard deviation: factors of up to 2.1 were seen (5.0 measured, 2.4 predicted), which is to be
/// within 95 %.
const DEVIATION: f64 = 0.38;

/// What is to be added to the model's own error.
pub(super) fn deviation(case: &Case<'_>) -> f64 {
    let before = &case.deployments.before;
    let is_beyond = per_core(before.processes as f64, before.cores) > CALIBRATED;
    if is_beyond && waits_briefly(case) {
        DEVIATION
    } else {
        0.0
    }
}

/// Said where the present setting, or the one that is advised, is beyond what was calibrated.
pub(super) fn assumed(case: &Case<'_>, report: &PredictionReport) -> Option<Assumption> {
    let before = &case.deployments.before;
    let processes = most_processes(before.processes as f64, &report.judgement.reason);
    let most = per_core(processes, before.cores);
    let is_said = report.before.is_some() && most > CALIBRATED && waits_briefly(case);
    is_said.then_some(Assumption::Crowded { per_core: most })
}

/// The present processes, or those that are advised where they are more.
pub(super) fn most_processes(present: f64, reason: &Reason) -> f64 {
    match reason {
        Reason::BetterSetting { setting, .. } | Reason::BeyondSetting { setting, .. } => {
            present.max(setting.workers as f64)
        }
        _ => present,
    }
}

fn per_core(processes: f64, cores: f64) -> f64 {
    processes / cores
}

/// Whether a request's waits are brief on the average. One that never waits is never switched away from.
fn waits_briefly(case: &Case<'_>) -> bool {
    let waits = case.service.mean(|endpoint| {
        let counts = endpoint.calls.iter().map(|calls| calls.count);
        counts.sum()
    });
    let each = case.service.waiting() / waits / MS;
    each > 0.0 && each < BRIEF_MS
}
