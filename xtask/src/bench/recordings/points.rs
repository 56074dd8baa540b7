//! Which points of a lab's result a recording is made of, and for how long.
//!
//! Pure. Those whose requests call one after another, or not at all, and whose asynchronous side kept its
//! processor busy: `gauge predict` says what a service can do, not what so many users ask of it.

use corrente_report::result::{Case, Measurement, ScenarioResult};

use crate::bench::model::accuracy::Families;

/// The asynchronous side of the scenario.
pub(super) const OF: &str = "starlette";
/// Contenders with sync workers, and how many.
const CONTENDERS: [(&str, u32); 3] = [("flask-1", 1), ("flask-4", 4), ("flask-16", 16)];
/// Families of cases that a recording tells all about.
const FAMILIES: [&str; 2] = ["calls one after another", "no calls"];
/// A processor that was busy for this share had nothing to wait for.
const BUSY: f64 = 0.9;
/// Requests of a recording: a fourth above what a prediction needs.
pub(super) const REQUESTS: f64 = 250.0;
/// Seconds of a recording; a point that needs more is left out.
const SECONDS: (f64, f64) = (3.0, 20.0);

/// A point to record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) over: &'static str,
    pub(super) workers: u32,
    pub(super) case: String,
    pub(super) path: String,
    pub(super) users: usize,
    pub(super) seconds: u32,
}

/// The points of a scenario's result, contenders in turn.
pub(super) fn of(scenario: &ScenarioResult, families: &Families) -> Vec<Point> {
    let cases = scenario.cases.iter();
    let told = cases.filter(|case| {
        let measured = measurement(scenario, OF, &case.id);
        FAMILIES.contains(&families.of(&case.id))
            && measured.is_some_and(|one| one.application_busy > BUSY)
    });
    told.flat_map(|case| {
        let over = CONTENDERS.iter();
        over.filter_map(|(over, workers)| point(scenario, case, over, *workers))
    })
    .collect()
}

fn point(
    scenario: &ScenarioResult,
    case: &Case,
    over: &'static str,
    workers: u32,
) -> Option<Point> {
    let rate = measurement(scenario, over, &case.id)?.throughput_per_s;
    let seconds = (REQUESTS / rate).ceil().max(SECONDS.0);
    let of = |name: &str| case.parameters.get(name).copied().unwrap_or(0.0);
    let parameters = ["calls", "latency_ms", "cpu_ms"].map(|name| format!("{name}={}", of(name)));
    (seconds <= SECONDS.1).then_some(Point {
        over,
        workers,
        case: case.id.clone(),
        path: format!("/calls?{}", parameters.join("&")),
        users: usize::try_from(case.users?).ok()?,
        seconds: seconds as u32,
    })
}

fn measurement<'a>(
    scenario: &'a ScenarioResult,
    contender: &str,
    case: &str,
) -> Option<&'a Measurement> {
    let mut all = scenario.measurements.iter();
    all.find(|one| one.contender == contender && one.case == case && one.invalid.is_none())
}
