//! What is asked of databases and services: a prediction takes them to answer as fast as before.
//!
//! A recording tells how long calls take under the load that it saw. More throughput means more calls
//! at once, and what answers them may get slower: a database on the same cores surely does. Nothing in
//! a recording tells by how much, so the report says what was taken for granted, in calls at once.

use corrente_report::prediction::{Assumption, PredictionReport, Verdict};

use super::reading::Reading;

/// So many times as many calls at once are beyond what the recording shows.
const BEYOND: f64 = 2.0;
/// Below this many calls at once nothing stands in line.
const ALONE: f64 = 1.0;

/// The resources that far more calls are made of at once than were recorded, where a change is advised.
/// Calls at once are throughput times waiting (Little's law).
pub(super) fn assumed(
    reading: &Reading,
    report: &PredictionReport,
    recorded_per_s: Option<f64>,
) -> Vec<Assumption> {
    let is_advised = matches!(report.judgement.verdict, Verdict::Migrate | Verdict::Tune);
    let (true, Some(before), Some(after)) = (is_advised, recorded_per_s, &report.after) else {
        return Vec::new();
    };
    let service = &reading.service;
    let named = (service.resources.iter().enumerate()).filter(|(_, one)| !one.name.is_empty());
    named
        .filter_map(|(number, one)| {
            let waiting = service.waiting_for(number);
            let recorded = before * waiting;
            let predicted = after.throughput_per_s.estimate * waiting;
            let is_beyond = predicted > ALONE && predicted > BEYOND * recorded;
            is_beyond.then(|| Assumption::Elastic {
                resource: one.name.clone(),
                recorded,
                predicted,
            })
        })
        .collect()
}
