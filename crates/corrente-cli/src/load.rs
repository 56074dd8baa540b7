//! `corrente load`: the generator on its own, for any HTTP/1.1 or echo server.
//!
//! Turns arguments into the generator's plan and its outcome into lines, JSON or HdrHistogram
//! files. Ctrl-C ends the measurement early and prints what there is.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use corrente_load::{
    Arrival, Expect, Header, KeepAlive, LogInterval, Method, Outcome, Peer, Plan, Process, Target,
    Users, interval_log, percentile_text, ping_pong, websocket,
};
use corrente_report::Language;
use corrente_report::number::Numbers;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::{Load, MessageCompression, MessageKind};
use crate::{Exit, lab, terminal};

/// `corrente load`.
pub(crate) fn run(load: &Load) -> Exit {
    let started = SystemTime::now();
    let interrupted = match lab::interruption() {
        Ok(flag) => flag,
        Err(error) => {
            terminal::error(&format!("cannot listen for Ctrl-C: {error}"));
            return Exit::Machine;
        }
    };
    let outcomes = match measure(load, &interrupted) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            terminal::error(&error);
            return Exit::Usage;
        }
    };
    print(load, &outcomes);
    let answered = outcomes.iter().any(|step| step.outcome.completed > 0);
    match export(load, &outcomes, started) {
        Ok(()) if interrupted.load(Ordering::Relaxed) => Exit::Interrupted,
        Ok(()) if !answered => {
            terminal::error(&format!("{}: no right answer", load.url));
            Exit::Incomplete
        }
        Ok(()) => Exit::Done,
        Err(error) => {
            terminal::error(&error);
            Exit::Machine
        }
    }
}

/// One step of the load and what came of it.
struct Step {
    /// Users or rate, as the user wrote it.
    name: String,
    outcome: Outcome,
}

fn measure(load: &Load, interrupted: &AtomicBool) -> Result<Vec<Step>, String> {
    let arrivals = arrivals(load);
    let mut steps = Vec::new();
    for (number, (name, arrival)) in arrivals.iter().enumerate() {
        let bar = bar(load, number, arrivals.len());
        let length = seconds(load.warm_up)? + seconds(load.seconds)?;
        bar.set_length(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        let outcome = apply(load, *arrival, interrupted, &bar)?;
        bar.finish_and_clear();
        steps.push(Step {
            name: name.clone(),
            outcome,
        });
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(steps)
}

fn bar(load: &Load, number: usize, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(0);
    let step = if count > 1 {
        format!("{}/{count} ", number + 1)
    } else {
        String::new()
    };
    let style = ProgressStyle::with_template("{bar:30} {eta} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(format!("{step}{}", load.url));
    bar
}

fn arrivals(load: &Load) -> Vec<(String, Arrival)> {
    if let Some(rate_per_s) = load.rate {
        let process = if load.poisson {
            Process::Poisson
        } else {
            Process::Constant
        };
        let arrival = Arrival::Open {
            rate_per_s,
            process,
            connections_max: CONNECTIONS_MAX,
        };
        return vec![(format!("{rate_per_s}/s"), arrival)];
    }
    let users = if load.ramp.is_empty() {
        &[load.users][..]
    } else {
        &load.ramp
    };
    users
        .iter()
        .map(|users| (format!("{users} users"), Arrival::Closed { users: *users }))
        .collect()
}

/// How the URL of a WebSocket begins.
const WEBSOCKET: &str = "ws://";

/// Connections that the open loop may have at once; requests beyond wait, and the wait counts.
const CONNECTIONS_MAX: usize = 1000;

fn apply(
    load: &Load,
    arrival: Arrival,
    interrupted: &AtomicBool,
    bar: &ProgressBar,
) -> Result<Outcome, String> {
    let show = |progress: corrente_load::Progress| {
        bar.set_position(u64::try_from(progress.elapsed.as_millis()).unwrap_or(0));
    };
    let outcome = match peer(&load.url)? {
        Some(peer) => ping_pong::run(&echo_plan(load, peer, arrival)?, interrupted, show),
        None if load.url.starts_with(WEBSOCKET) => {
            websocket::run(&websocket_plan(load, arrival)?, interrupted, show)
        }
        None => corrente_load::run(&http_plan(load, arrival)?, interrupted, show),
    };
    outcome.map_err(|error| error.to_string())
}

fn http_plan(load: &Load, arrival: Arrival) -> Result<Plan, String> {
    let mut target = Target::parse(&load.url).map_err(|error| error.to_string())?;
    target.request.method = method(&load.method)?;
    target.request.headers = headers(load)?;
    target.request.body = load.body.clone().into_bytes();
    target.request.keep_alive = keep_alive(load);
    Ok(Plan {
        target,
        arrival,
        warm_up: seconds(load.warm_up)?,
        duration: seconds(load.seconds)?,
        timeout: seconds(load.timeout)?,
        seed: load.seed,
        cpus: load.cpus.clone(),
        threads: load.threads,
        expect: Expect::default(),
    })
}

/// The echo server that a URL names; `None` where it names an HTTP server.
fn peer(url: &str) -> Result<Option<Peer>, String> {
    if let Some(path) = url.strip_prefix("unix://") {
        return Ok(Some(Peer::Unix(path.into())));
    }
    let over = |address: &str, of: fn(SocketAddr) -> Peer| {
        // The same look-up as for HTTP, which also names what is wrong with an address.
        let target = Target::parse(&format!("http://{address}/"));
        let address = target.map_err(|error| error.to_string())?.address;
        Ok(Some(of(address)))
    };
    match url.split_once("://") {
        Some(("tcp", address)) => over(address, Peer::Tcp),
        Some(("udp", address)) => over(address, Peer::Udp),
        _ => Ok(None),
    }
}

fn keep_alive(load: &Load) -> KeepAlive {
    if load.no_keep_alive {
        KeepAlive::Close
    } else {
        KeepAlive::Reuse
    }
}

fn echo_plan(load: &Load, peer: Peer, arrival: Arrival) -> Result<ping_pong::Plan, String> {
    Ok(ping_pong::Plan {
        peer,
        message_bytes: load.message_bytes,
        keep_alive: keep_alive(load),
        users: users(load, arrival)?,
    })
}

fn websocket_plan(load: &Load, arrival: Arrival) -> Result<websocket::Plan, String> {
    // The same look-up as for HTTP.
    let url = load.url.replacen(WEBSOCKET, "http://", 1);
    let mut target = Target::parse(&url).map_err(|error| error.to_string())?;
    target.request.headers = headers(load)?;
    Ok(websocket::Plan {
        target,
        message_bytes: load.message_bytes,
        kind: match load.message_kind {
            MessageKind::Text => websocket::Kind::Text,
            MessageKind::Binary => websocket::Kind::Binary,
        },
        compression: match load.compression {
            MessageCompression::Off => websocket::Compression::Off,
            MessageCompression::Deflate => websocket::Compression::Deflate,
        },
        users: users(load, arrival)?,
    })
}

fn users(load: &Load, arrival: Arrival) -> Result<Users, String> {
    let Arrival::Closed { users: count } = arrival else {
        return Err("an echo server is loaded in the closed loop: use --users, not --rate".into());
    };
    Ok(Users {
        count,
        warm_up: seconds(load.warm_up)?,
        duration: seconds(load.seconds)?,
        timeout: seconds(load.timeout)?,
        cpus: load.cpus.clone(),
        seed: load.seed,
    })
}

fn headers(load: &Load) -> Result<Vec<Header>, String> {
    load.headers.iter().map(|text| header(text)).collect()
}

fn seconds(value: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| format!("expected a number of seconds of 0 or more, found {value}"))
}

fn method(name: &str) -> Result<Method, String> {
    const ALL: [Method; 7] = [
        Method::Delete,
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Patch,
        Method::Post,
        Method::Put,
    ];
    let found = ALL
        .into_iter()
        .find(|method| method.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|method| method.name()).collect();
        format!(
            "unknown method `{name}`; expected one of {}",
            names.join(", ")
        )
    })
}

fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| format!("expected a header like `Name: value`, found `{text}`"))?;
    Ok(Header {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    })
}

fn print(load: &Load, steps: &[Step]) {
    if load.json {
        let mut documents: Vec<serde_json::Value> = steps.iter().map(document).collect();
        let document = match documents.len() {
            1 => documents.remove(0),
            _ => documents.into(),
        };
        terminal::data(&document.to_string());
        return;
    }
    for step in steps {
        terminal::data(&lines(step));
    }
}

fn document(step: &Step) -> serde_json::Value {
    let mut document = serde_json::to_value(step.outcome.summary()).unwrap_or_default();
    document["load"] = step.name.clone().into();
    document["schema"] = "corrente.load/1".into();
    document
}

fn lines(step: &Step) -> String {
    let numbers = Numbers::new(Language::En);
    let outcome = &step.outcome;
    let mut lines = vec![
        step.name.clone(),
        format!(
            "  {} requests in {:.1} s: {}/s, {}/s received",
            numbers.integer(outcome.completed),
            outcome.window.as_secs_f64(),
            numbers.quantity(outcome.requests_per_second()),
            numbers.bytes(outcome.bytes_per_second() as u64),
        ),
    ];
    lines.extend(outcome.summary().latency.map(|latency| {
        format!(
            "  latency ms: P50 {:.3}  P90 {:.3}  P99 {:.3}  P99.9 {:.3}  max {:.3}",
            latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p99_9_ms, latency.max_ms
        )
    }));
    let errors = outcome.errors.iter();
    lines.extend(errors.map(|(kind, count)| format!("  errors: {count} {}", name(*kind))));
    let check = &outcome.self_check;
    let saturated = "; SATURATED: these figures are the generator's";
    lines.push(format!(
        "  generator: {} busy, lag P99 {:.3} ms{}",
        numbers.percent(check.busy_share),
        check.lag_at(0.99).as_secs_f64() * 1e3,
        if check.saturated() { saturated } else { "" },
    ));
    lines.join("\n")
}

/// The kind as JSON names it.
fn name(kind: corrente_load::ErrorKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn export(load: &Load, steps: &[Step], started: SystemTime) -> Result<(), String> {
    if let Some(path) = &load.hdr_log {
        let mut start = started;
        let mut intervals = Vec::new();
        for step in steps {
            let window = step.outcome.window;
            intervals.push(LogInterval {
                start,
                window,
                latency: &step.outcome.latency,
                tag: None,
            });
            start += window;
        }
        write(
            path,
            &interval_log(&intervals).map_err(|error| error.to_string())?,
        )?;
    }
    if let (Some(path), Some(last)) = (&load.hgrm, steps.last()) {
        write(path, percentile_text(&last.outcome.latency).as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
