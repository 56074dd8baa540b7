//! From a recording to a prediction: what async would bring to this service, and what to do.
//!
//! `reading` makes a service of the model out of what was recorded, `present` its deployment and the
//! one that it would have, `pair` the two stacks with their costs, `judge` asks the model and words
//! the answer (a setting in its server's own `flags`), `latency` adds percentiles, `curves` what lies
//! between, `elastic` what is asked of databases, `crowded` how sure many processes on a core are. `event_loop` does so for a service that is asynchronous already. `doubts` come
//! first: where a recording does not allow a prediction, there is none.
//!
//! Pure and deterministic: the same recording and settings give the same document.

mod crowded;
mod curves;
mod doubts;
mod elastic;
mod event_loop;
mod flags;
mod judge;
mod latency;
mod pair;
mod present;
mod reading;

pub use corrente_model::cost_table::{BadTable, CostTable};
use corrente_model::prediction::Effort;
use corrente_record::{Interface, Recording};
use corrente_report::prediction::{
    Assumption, Endpoint, Judgement, PredictionReport, Reason, SCHEMA, Span, Verdict,
};
use thiserror::Error;

use crate::aggregate::{self, Figures};
use judge::Case;
use pair::Pair;
use present::Deployments;
use reading::Reading;

/// Endpoints that are predicted by themselves: those that keep the service busiest.
const ENDPOINTS: usize = 12;
/// Workers, threads, connections, cores and prices beyond this are mistakes; the simulator has a
/// place for each.
const MOST: f64 = 10_000.0;
/// The same for a rate, requests a second.
const MOST_PER_SECOND: f64 = 10_000_000.0;

/// How much is predicted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// The figures.
    #[default]
    Figures,
    /// Curves too, which take about as long again.
    Curves,
}

/// What the user asks for; what is absent is taken from the recording, or is a default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Processor cores that the service may use.
    pub cores: Option<f64>,
    /// Worker processes now.
    pub workers: Option<usize>,
    /// Threads of each now.
    pub threads: Option<usize>,
    /// Connections of each process to a database, on both sides.
    pub pool: Option<usize>,
    /// Requests a second for the latency.
    pub rate: Option<f64>,
    /// Price of a core for an hour, its memory included.
    pub price: Option<f64>,
    /// Framework of the other side.
    pub to: Option<String>,
    /// Costs of stacks and drivers in place of the shipped ones.
    pub costs: Option<CostTable>,
    /// Whether curves are wanted.
    pub detail: Detail,
}

/// What is wrong with what was asked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PredictError {
    /// Nothing was recorded.
    #[error("no request is recorded: there is nothing to predict from")]
    NoRequest,
    /// Nothing could be recorded.
    #[error(
        "gevent and eventlet run many requests in one thread, so none is recorded and nothing is predicted: record the service under threads (`gunicorn -k gthread`)"
    )]
    Greenlets,
    /// A setting cannot be.
    #[error("--{flag}: expected a number above zero, up to {most}, found {found}")]
    Setting {
        /// The flag.
        flag: &'static str,
        /// The largest that is taken.
        most: u64,
        /// What it was given.
        found: String,
    },
    /// The other side is not known.
    #[error("--to: there are no costs of `{name}`; expected one of {known}")]
    UnknownStack {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// Predicts what the recorded service would do on the other side.
///
/// # Errors
///
/// [`PredictError`] where nothing was recorded or a setting cannot be.
pub fn predict(
    recording: &Recording,
    settings: &Settings,
) -> Result<PredictionReport, PredictError> {
    check(settings)?;
    let figures = aggregate::aggregate(recording);
    if figures.endpoints.is_empty() {
        let doubts = &figures.service.cannot_tell;
        return Err(if doubts::noted(doubts, doubts::GREENLETS) {
            PredictError::Greenlets
        } else {
            PredictError::NoRequest
        });
    }
    let is_async = figures.endpoints[0].interface == Interface::Asgi;
    let reading = Reading::new(recording, &figures);
    let pair = if is_async {
        pair::unmoved(&figures, &reading)
    } else {
        pair::pair(&figures, &reading, settings)?
    };
    let mut report = empty(&figures, &pair);
    report.unexplained_share = reading.unexplained_share;
    if let Some(reason) = doubts::first(recording, &figures) {
        if reason == Reason::NoCpuTimes {
            // Who looks from outside does not see what the service runs on.
            report.to = report.from.clone();
        }
        report.judgement = cannot_tell(reason);
        report.event_loop = is_async.then(|| event_loop::figures(&figures, &reading));
        return Ok(report);
    }
    if is_async {
        event_loop::predict(&mut report, &figures, &reading, settings);
    } else {
        migration(&mut report, &figures, &reading, &pair, settings);
    }
    Ok(report)
}

fn check(settings: &Settings) -> Result<(), PredictError> {
    let whole = |number: Option<usize>| number.map(|number| number as f64);
    let flags = [
        ("cores", settings.cores),
        ("workers", whole(settings.workers)),
        ("threads", whole(settings.threads)),
        ("pool", whole(settings.pool)),
        ("rate", settings.rate),
        ("price", settings.price),
    ];
    for (flag, value) in flags {
        let most = if flag == "rate" {
            MOST_PER_SECOND
        } else {
            MOST
        };
        let can_be = |value: &f64| *value > 0.0 && *value <= most;
        if let Some(value) = value.filter(|value| !can_be(value)) {
            let found = value.to_string();
            let most = most as u64;
            return Err(PredictError::Setting { flag, most, found });
        }
    }
    Ok(())
}

fn empty(figures: &Figures, pair: &Pair) -> PredictionReport {
    PredictionReport {
        schema: SCHEMA,
        judgement: cannot_tell(Reason::NoCpuTimes),
        from: pair.from_name.clone(),
        to: pair.to_name.clone(),
        requests: figures.service.requests,
        users: None,
        rate_per_s: None,
        before: None,
        after: None,
        gain: None,
        p99_ratio: None,
        naive_gain: None,
        gathered_p50_ms: None,
        unexplained_share: None,
        endpoints: Vec::new(),
        event_loop: None,
        assumptions: Vec::new(),
        curves: None,
    }
}

fn cannot_tell(reason: Reason) -> Judgement {
    Judgement {
        verdict: Verdict::CannotTell,
        reason,
    }
}

fn span(interval: corrente_model::statistics::Interval) -> Span {
    Span {
        estimate: interval.estimate,
        low: interval.low,
        high: interval.high,
    }
}

/// A synchronous service: the whole of it, then its endpoints.
fn migration(
    report: &mut PredictionReport,
    figures: &Figures,
    reading: &Reading,
    pair: &Pair,
    settings: &Settings,
) {
    let deployments = present::deployments(figures, reading, settings);
    report.assumptions = assumptions(figures, reading, pair, &deployments);
    let case = Case {
        service: &reading.service,
        pair,
        deployments: &deployments,
        cpu_deviation: reading.cpu_deviation,
        sampling_deviation: reading.sampling_deviation,
        requests: figures.service.requests,
        line_is_unknown: doubts::is_line_unknown(figures),
    };
    judge::whole(&case, figures, settings, report);
    let hosts = figures.service.hosts_at_once.max(1) as f64;
    let recorded_per_s = figures.service.requests_per_s.map(|rate| rate / hosts);
    let elastic = elastic::assumed(reading, report, recorded_per_s);
    report.assumptions.extend(elastic);
    report.assumptions.extend(crowded::assumed(&case, report));
    if settings.detail == Detail::Curves {
        report.curves = curves::of_migration(&case, report);
    }
    report.endpoints = endpoints(figures, reading, &case);
}

/// The endpoints, each as a service of its own; side by side, as each takes its time.
fn endpoints(figures: &Figures, reading: &Reading, case: &Case<'_>) -> Vec<Endpoint> {
    let endpoints = &figures.endpoints[..figures.endpoints.len().min(ENDPOINTS)];
    let effort = Effort::of_one_among(endpoints.len());
    std::thread::scope(|scope| {
        let started: Vec<_> = (endpoints.iter())
            .map(|endpoint| scope.spawn(move || judge::endpoint(endpoint, reading, case, effort)))
            .collect();
        let ended = started.into_iter().filter_map(|thread| thread.join().ok());
        ended.collect()
    })
}

fn assumptions(
    figures: &Figures,
    reading: &Reading,
    pair: &Pair,
    deployments: &Deployments,
) -> Vec<Assumption> {
    let mut found = Vec::new();
    if let Some(share) = reading
        .unexplained_share
        .filter(|share| *share > doubts::UNEXPLAINED)
    {
        found.push(Assumption::UnexplainedWaiting { share });
    }
    if reading.never_alone && deployments.threads() > 1 {
        found.push(Assumption::NeverAlone);
    }
    if doubts::is_line_unknown(figures) {
        found.push(Assumption::LineUnknown);
    }
    found.extend(pair.assumptions.iter().cloned());
    if let Some(connections) = deployments.assumed_pool {
        found.push(Assumption::Pool { connections });
    }
    if figures.service.cores.is_none() && deployments.cores_assumed {
        let cores = deployments.before.cores;
        found.push(Assumption::Cores { cores });
    }
    found
}

#[cfg(test)]
mod tests;
