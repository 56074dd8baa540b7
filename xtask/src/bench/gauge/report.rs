//! The benchmark's result as text of at most 80 columns, for the terminal and the document.
//!
//! Pure: samples in, text out. Ratios and differences are taken within a round, as the samples of one
//! round are neighbours in time and share the machine's mood.

use corrente_model::statistics::{Interval, median, paired_ratio};
use serde_json::Value;

use super::{Pair, Totals};
use crate::bench::figures::{self, SEED};
use crate::bench::gunicorn::Sample;

/// What recording may add to the CPU time of a request, and to its part of it.
const REQUEST_US_MAX: f64 = 3.0;
const SHARE_MAX: f64 = 0.02;
/// What it may add to a step of a coroutine.
const STEP_US_MAX: f64 = 1.0;
/// How far the CPU totals may be from the kernel's.
const DEVIATION_MAX: f64 = 0.05;

/// Table and verdicts of a pair of services.
pub(super) fn part(title: &str, pair: &Pair) -> String {
    let of = |samples: &[Sample], value: fn(&Sample) -> f64| -> Vec<f64> {
        samples.iter().map(value).collect()
    };
    let cpu = |samples: &[Sample]| of(samples, Sample::cpu_us);
    let rate = |samples: &[Sample]| of(samples, |sample| sample.requests_per_s);
    let all = [&pair.bare, &pair.control, &pair.off, &pair.on];
    let [bare, control, off, on] = all.map(|samples| cpu(samples));
    let mut lines = vec![title.to_owned(), String::new(), head()];
    lines.push(row("bare", &rate(&pair.bare), &bare));
    lines.push(row("bare again", &rate(&pair.control), &control));
    lines.push(row("switched off", &rate(&pair.off), &off));
    lines.push(row("recorded", &rate(&pair.on), &on));
    lines.push(String::new());
    lines.push(format!(
        "one of {} requests was measured",
        distance(&pair.recordings)
    ));
    if let Some(ratio) = paired_ratio(&control, &bare, SEED) {
        let text = interval(ratio);
        lines.push(format!(
            "bare again / bare, CPU a request: {text}: no difference at all"
        ));
    }
    for (name, without) in [("bare", &bare), ("off", &off)] {
        lines.push(String::new());
        if let Some(ratio) = paired_ratio(&on, without, SEED) {
            let limit = 1.0 + SHARE_MAX;
            let (text, verdict) = (interval(ratio), verdict(ratio.estimate, limit, Some(ratio)));
            lines.push(format!(
                "recorded / {name}, CPU a request: {text}; goal <= {limit:.2}: {verdict}"
            ));
        }
        let added = median(&differences(&on, without)).unwrap_or(f64::NAN);
        let verdict = verdict(added, REQUEST_US_MAX, None);
        lines.push(format!(
            "recorded - {name}: {added:+.1} µs of CPU a request; goal <= {REQUEST_US_MAX:.0}: {verdict}"
        ));
    }
    if let Some(ratio) = paired_ratio(&rate(&pair.on), &rate(&pair.bare), SEED) {
        lines.push(format!("recorded / bare, requests/s: {}", interval(ratio)));
    }
    lines.join("\n") + "\n"
}

fn head() -> String {
    format!("{:<14}{:>14}{:>20}", "", "requests/s", "CPU µs a request")
}

fn row(name: &str, rates: &[f64], cpu: &[f64]) -> String {
    let middle = |values: &[f64]| median(values).unwrap_or(f64::NAN);
    format!("{name:<14}{:>14.0}{:>20.1}", middle(rates), middle(cpu))
}

fn differences(these: &[f64], those: &[f64]) -> Vec<f64> {
    these
        .iter()
        .zip(those)
        .map(|(this, that)| this - that)
        .collect()
}

fn interval(ratio: Interval) -> String {
    figures::interval(ratio, 3)
}

fn verdict(value: f64, limit: f64, interval: Option<Interval>) -> &'static str {
    let straddles = interval.is_some_and(|one| one.low <= limit && limit < one.high);
    match (value <= limit, straddles) {
        (true, false) => "reached",
        (true, true) => "reached (in doubt)",
        (false, false) => "missed",
        (false, true) => "missed (in doubt)",
    }
}

/// Requests that came for each that was measured.
fn distance(recordings: &[Value]) -> String {
    let sum = |field: &str| {
        recordings
            .iter()
            .flat_map(processes)
            .filter_map(|one| one[field].as_f64())
            .sum::<f64>()
    };
    format!("{:.2}", sum("requests_seen") / sum("requests_measured"))
}

fn processes(recording: &Value) -> impl Iterator<Item = &Value> {
    recording["processes"].as_array().into_iter().flatten()
}

/// What the native wrappers cost without a server.
#[derive(Debug)]
pub(super) struct Wrappers {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    limit: Option<f64>,
    bare: Vec<f64>,
    wrapped: Vec<f64>,
    /// Requests that came for each that was measured.
    distance: Option<f64>,
}

impl Wrappers {
    /// Reads what wrappers.py prints, and its recording.
    pub(super) fn read(printed: &str, recording: &str) -> Result<Self, String> {
        let parse = |text: &str| -> Result<Value, String> {
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
        };
        let (printed, recording) = (parse(printed)?, parse(recording)?);
        let list = |name: String| -> Result<Vec<f64>, String> {
            let values = printed[&name]
                .as_array()
                .ok_or_else(|| format!("no `{name}`"))?;
            Ok(values.iter().filter_map(Value::as_f64).collect())
        };
        let row = |name, key: &str, limit| -> Result<Row, String> {
            Ok(Row {
                name,
                limit,
                bare: list(format!("{key}_bare_us"))?,
                wrapped: list(format!("{key}_wrapped_us"))?,
                distance: None,
            })
        };
        let mut rows = vec![
            row("a request of Flask (WSGI)", "wsgi", Some(REQUEST_US_MAX))?,
            row("a request of bare ASGI", "asgi", None)?,
            row("a step of a coroutine", "step", Some(STEP_US_MAX))?,
        ];
        // The chunks are equal, so of the requests that came a third of those to WSGI were wrapped
        // ones: what was measured of them tells how often.
        let measured = recording["endpoints"].as_array().into_iter().flatten();
        let wsgi = measured.filter(|one| one["interface"] == "wsgi");
        let measured: f64 = wsgi.filter_map(|one| one["requests"].as_f64()).sum();
        let came = 2_000.0 * rows[0].wrapped.len() as f64;
        rows[0].distance = (measured > 0.0).then(|| came / measured);
        Ok(Self { rows })
    }
}

/// Table and verdicts of the wrappers.
pub(super) fn wrappers(wrappers: &Wrappers) -> String {
    let mut lines = vec![
        "B. The native wrappers alone, no server: µs of CPU, medians of the rounds".to_owned(),
        String::new(),
        format!("{:<28}{:>10}{:>10}{:>10}", "", "bare", "wrapped", "added"),
    ];
    let mut verdicts = vec![String::new()];
    for row in &wrappers.rows {
        let [bare, wrapped] = [&row.bare, &row.wrapped].map(|values| median(values));
        let added = median(&differences(&row.wrapped, &row.bare)).unwrap_or(f64::NAN);
        let [bare, wrapped] = [bare, wrapped].map(|value| value.unwrap_or(f64::NAN));
        lines.push(format!(
            "{:<28}{bare:>10.2}{wrapped:>10.2}{added:>10.2}",
            row.name
        ));
        if let Some(limit) = row.limit {
            let verdict = verdict(added, limit, None);
            verdicts.push(format!("{}: goal <= {limit:.0}: {verdict}", row.name));
        }
        if let Some(distance) = row.distance {
            let each = added * distance;
            verdicts.push(format!(
                "  one of {distance:.2} was measured: one that is costs at most {each:.2}"
            ));
        }
    }
    lines.extend(verdicts);
    lines.join("\n") + "\n"
}

/// How far the CPU time of a computing service's requests is from the kernel's account of it.
pub(super) fn totals(totals: &Totals) -> String {
    let endpoints = totals.recording["endpoints"]
        .as_array()
        .into_iter()
        .flatten();
    let requests: f64 = endpoints
        .filter_map(|one| one["cpu_ns"]["sum"].as_f64())
        .sum::<f64>()
        / 1e9;
    let threads = processes(&totals.recording)
        .flat_map(|process| process["threads"].as_array().into_iter().flatten())
        .filter_map(|thread| thread["cpu_ns"].as_f64());
    let threads = threads.sum::<f64>() / 1e9;
    let deviation = |seconds: f64| 100.0 * (seconds / totals.kernel_s - 1.0);
    let kernel = totals.kernel_s;
    let verdict = verdict((requests / kernel - 1.0).abs(), DEVIATION_MAX, None);
    [
        "C. CPU totals: a view that computes for 20 ms, Gunicorn gthread with 2 threads".to_owned(),
        String::new(),
        format!("{kernel:.3} s  by the kernel, all threads of all processes, from outside"),
        format!(
            "{threads:.3} s  serving threads, by the recording ({:+.1} %)",
            deviation(threads)
        ),
        format!(
            "{requests:.3} s  requests, by the recording ({:+.1} %)",
            deviation(requests)
        ),
        format!("requests against the kernel; goal <= 5 %: {verdict}"),
    ]
    .join("\n")
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_part_tells_ratio_and_difference() {
        let samples = |cpu_s: f64| {
            vec![
                Sample {
                    requests_per_s: 5_000.0,
                    cpu_s,
                    requests: 10_000.0
                };
                3
            ]
        };
        let pair = Pair {
            bare: samples(2.0),
            control: samples(1.98),
            off: samples(1.96),
            on: samples(2.02),
            recordings: vec![
                json!({"processes": [{"requests_seen": 20, "requests_measured": 10}]}),
            ],
        };
        let text = part("T", &pair);
        for expected in [
            "one of 2.00 requests was measured",
            "bare again / bare, CPU a request: 0.990",
            "recorded / bare, CPU a request: 1.010 [1.010, 1.010]; goal <= 1.02: reached",
            "recorded - bare: +2.0 µs of CPU a request; goal <= 3: reached",
            "recorded - off: +6.0 µs of CPU a request; goal <= 3: missed",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_measured_request_costs_more_than_the_mean_one() {
        let printed = json!({
            "wsgi_bare_us": [50.0], "wsgi_wrapped_us": [52.0],
            "asgi_bare_us": [1.0], "asgi_wrapped_us": [2.0],
            "step_bare_us": [0.5], "step_wrapped_us": [2.5],
        });
        let recording = json!({"endpoints": [{"interface": "wsgi", "requests": 1000}]});
        let read = Wrappers::read(&printed.to_string(), &recording.to_string());
        let text = wrappers(&read.expect("all is there"));
        assert!(
            text.contains("one of 2.00 was measured: one that is costs at most 4.00"),
            "{text}"
        );
        assert!(
            text.contains("a step of a coroutine: goal <= 1: missed"),
            "{text}"
        );
        assert!(Wrappers::read("{}", "{}").is_err());
    }

    #[test]
    fn totals_are_held_against_the_kernel() {
        let recording = json!({
            "processes": [{"threads": [{"cpu_ns": 990_000_000}]}],
            "endpoints": [{"cpu_ns": {"sum": 940_000_000}}],
        });
        let text = totals(&Totals {
            kernel_s: 1.0,
            recording,
        });
        assert!(text.contains("by the recording (-6.0 %)"), "{text}");
        assert!(text.ends_with("missed\n"), "{text}");
    }
}
