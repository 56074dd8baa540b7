//! Running a program that does the work itself and reports it on its last line of output.
//!
//! The report is JSON (lab/README.md, "What a program prints"). The program is pinned to the
//! application's processors, watched like a server, and ended when it takes too long.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::LabError;
use crate::part::{Part, PartPlan};
use crate::process_tree;
use crate::samples::{Latencies, Slice};
use crate::watch::{Watched, watch};

/// No program of the lab may run longer than this.
const RUN_LIMIT: Duration = Duration::from_mins(30);

const PACE: Duration = Duration::from_millis(2);

/// The last line of a program's output.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Report {
    operations: u64,
    seconds: f64,
    cpu_seconds: f64,
    #[serde(default)]
    errors: BTreeMap<String, u64>,
    #[serde(default)]
    latencies_ms: Vec<f64>,
    #[serde(default)]
    extra: BTreeMap<String, f64>,
}

/// Where a program and the parts beside it run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'run> {
    pub(crate) application: &'run [usize],
    pub(crate) others: &'run [usize],
    /// Roots of origin and database.
    pub(crate) other_parts: &'run [u32],
}

impl Place<'_> {
    /// Whether the application has processors to itself.
    pub(crate) fn is_apart(self) -> bool {
        !self.application.is_empty()
            && self
                .application
                .iter()
                .all(|one| !self.others.contains(one))
    }
}

/// Runs the program once.
pub(crate) fn run(
    plan: &PartPlan,
    place: Place<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Slice, LabError> {
    if let Some(output) = &plan.output {
        fs::remove_file(output).ok();
    }
    // The child inherits the processors of the thread that starts it.
    let started = std::thread::scope(|scope| {
        let starter = scope.spawn(|| {
            process_tree::pin_this_thread(place.application);
            Part::start(plan)
        });
        starter
            .join()
            .unwrap_or_else(|_| Err(failed(plan, "the starting thread panicked")))
    });
    let mut part = started?;
    let watched = Watched {
        contender: part.root(),
        others: place.other_parts,
        application_processors: place.application,
        other_processors: place.others,
    };
    let (status, usage) = watch(&watched, Duration::ZERO, || {
        wait(&mut part, plan, interrupted)
    });
    let status = status?;
    if !status.success() {
        return Err(part.failure(status));
    }
    let report = read_report(plan)?;
    Ok(Slice {
        operations: report.operations,
        elapsed: Duration::try_from_secs_f64(report.seconds).unwrap_or_default(),
        latencies: histogram(&report.latencies_ms),
        parts: None,
        errors: report
            .errors
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect(),
        cpu: Duration::try_from_secs_f64(report.cpu_seconds).unwrap_or_default(),
        others_cpu: usage.others_cpu,
        peak_pss_bytes: usage.peak_pss_bytes,
        generator_busy: 0.0,
        generator_busy_itself: false,
        generator_late: false,
        others_busy: usage.others_busy,
        application_busy: usage.application_busy,
        apart: place.is_apart(),
        stolen: usage.stolen,
        // A program counts its own work, and leaves out its start.
        foreign: 0.0,
        speed: None,
        extra: report.extra,
    })
}

fn wait(
    part: &mut Part,
    plan: &PartPlan,
    interrupted: &dyn Fn() -> bool,
) -> Result<std::process::ExitStatus, LabError> {
    let deadline = Instant::now() + RUN_LIMIT;
    loop {
        if let Some(status) = part.ended() {
            return Ok(status);
        }
        if interrupted() {
            return Err(LabError::Interrupted);
        }
        if Instant::now() > deadline {
            return Err(failed(plan, &format!("still running after {RUN_LIMIT:?}")));
        }
        std::thread::sleep(PACE);
    }
}

fn read_report(plan: &PartPlan) -> Result<Report, LabError> {
    let output = plan.output.as_deref().unwrap_or(&plan.log);
    let text = fs::read_to_string(output).map_err(|error| LabError::file(output, &error))?;
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let report: Report = serde_json::from_str(line).map_err(|error| {
        failed(
            plan,
            &format!("its last line is no report ({error}): {line:.120}"),
        )
    })?;
    if report.operations == 0 || report.seconds <= 0.0 {
        return Err(failed(plan, "it reports no operations or no time"));
    }
    Ok(report)
}

fn failed(plan: &PartPlan, reason: &str) -> LabError {
    LabError::Start {
        part: plan.name.clone(),
        reason: reason.to_owned(),
    }
}

fn histogram(latencies_ms: &[f64]) -> Option<Latencies> {
    if latencies_ms.is_empty() {
        return None;
    }
    let mut histogram = Latencies::new(3).ok()?;
    for latency in latencies_ms {
        // A histogram that grows by itself refuses nothing.
        histogram.record((latency * 1e6).max(1.0) as u64).ok();
    }
    Some(histogram)
}
