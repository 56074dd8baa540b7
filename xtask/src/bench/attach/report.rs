//! The comparison as text of at most 80 columns, for the terminal and the document.
//!
//! Pure: two recordings in, text out. Rates are requests over the time in which they were seen; times
//! are means a request. On an event loop requests cannot be counted from outside, so there the CPU
//! time and the time that the loop stood still are compared, for each second of the service.

use serde_json::Value;

use super::watched::Both;
use super::{Kind, Part};

/// Deviation of a figure, at most.
const DEVIATION_MAX: f64 = 0.15;
/// Times below this are too short for a deviation to mean anything: half a millisecond a request, or
/// in a second.
const LEAST_MS: f64 = 0.5;

/// A figure by both ways.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    endpoint: String,
    figure: &'static str,
    run: f64,
    attach: Option<f64>,
}

impl Compared {
    fn deviation(&self) -> Option<f64> {
        Some(self.attach? / self.run - 1.0)
    }

    fn is_kept(&self) -> bool {
        self.deviation()
            .is_some_and(|deviation| deviation.abs() <= DEVIATION_MAX)
    }
}

/// What is compared of a part.
pub(super) fn compare(part: &Part, both: &Both) -> Result<Vec<Compared>, String> {
    let mut compared = Vec::new();
    for (path, _) in part.loads {
        let run = endpoint(&both.run, &format!("GET /{path}"))?;
        let attach = endpoint(&both.attach, &format!("{}:{path}", part.module));
        let figures: &[(&str, Figure)] = match part.kind {
            Kind::Threads => &[("requests/s", rate), ("CPU ms", cpu), ("wait ms", wait)],
            Kind::Loop => &[("CPU ms/s", cpu_share), ("blocked ms/s", blocked_share)],
        };
        for (name, figure) in figures {
            let value = figure(run, &both.run).ok_or_else(|| format!("{path}: no {name}"))?;
            if *name == "requests/s" || value >= LEAST_MS {
                compared.push(Compared {
                    endpoint: (*path).to_owned(),
                    figure: name,
                    run: value,
                    attach: attach
                        .as_ref()
                        .ok()
                        .and_then(|found| figure(found, &both.attach)),
                });
            }
        }
    }
    Ok(compared)
}

type Figure = fn(&Value, &Value) -> Option<f64>;

fn endpoint<'a>(recording: &'a Value, name: &str) -> Result<&'a Value, String> {
    let endpoints = recording["endpoints"].as_array().into_iter().flatten();
    let mut found = endpoints.filter(|endpoint| endpoint["name"] == name);
    found
        .next()
        .ok_or_else(|| format!("no endpoint `{name}` in a recording"))
}

/// Seconds between the first request of any process and the last.
fn active_s(recording: &Value) -> Option<f64> {
    let processes = recording["processes"].as_array()?.iter();
    let times = processes.filter_map(|process| process["active_ns"].as_f64());
    Some(times.fold(0.0, f64::max) / 1e9).filter(|time| *time > 0.0)
}

fn requests(endpoint: &Value) -> Option<f64> {
    endpoint["requests"]
        .as_f64()
        .filter(|requests| *requests > 0.0)
}

fn rate(endpoint: &Value, recording: &Value) -> Option<f64> {
    Some(requests(endpoint)? / active_s(recording)?)
}

fn sum_ms(endpoint: &Value, field: &str) -> Option<f64> {
    Some(endpoint[field]["sum"].as_f64()? / 1e6)
}

/// The mean of a distribution, which may hold some of the requests only.
fn mean_ms(endpoint: &Value, field: &str) -> Option<f64> {
    let count = endpoint[field]["count"]
        .as_f64()
        .filter(|count| *count > 0.0)?;
    Some(sum_ms(endpoint, field)? / count)
}

fn cpu(endpoint: &Value, _: &Value) -> Option<f64> {
    mean_ms(endpoint, "cpu_ns")
}

/// Wall time without CPU and run-queue time.
fn wait(endpoint: &Value, _: &Value) -> Option<f64> {
    let run_queue = mean_ms(endpoint, "run_queue_ns").unwrap_or(0.0);
    let wait = mean_ms(endpoint, "wall_ns")? - cpu(endpoint, endpoint)? - run_queue;
    Some(wait.max(0.0))
}

fn cpu_share(endpoint: &Value, recording: &Value) -> Option<f64> {
    Some(sum_ms(endpoint, "cpu_ns")? / active_s(recording)?)
}

fn blocked_share(endpoint: &Value, recording: &Value) -> Option<f64> {
    Some(sum_ms(endpoint, "blocked_ns")? / active_s(recording)?)
}

/// Table of a part.
pub(super) fn part(part: &Part, compared: &[Compared]) -> String {
    let loads: Vec<String> = part
        .loads
        .iter()
        .map(|(path, rate)| format!("/{path} {rate}/s"))
        .collect();
    let mut lines = vec![
        part.title.to_owned(),
        loads.join(", "),
        String::new(),
        format!(
            "{:<10}{:<14}{:>12}{:>12}{:>12}",
            "", "", "gauge run", "attach", "deviation"
        ),
    ];
    lines.extend(compared.iter().map(row));
    lines.join("\n") + "\n"
}

fn row(compared: &Compared) -> String {
    let attach = compared
        .attach
        .map_or("unknown".to_owned(), |value| format!("{value:.2}"));
    let deviation = compared.deviation().map_or(String::new(), |deviation| {
        format!("{:+.1} %", deviation * 100.0)
    });
    let mark = if compared.is_kept() { "" } else { "  missed" };
    format!(
        "{:<10}{:<14}{:>12.2}{attach:>12}{deviation:>12}{mark}",
        compared.endpoint, compared.figure, compared.run
    )
}

/// How many figures kept to the goal.
pub(super) fn verdict(all: &[Compared]) -> String {
    let kept = all.iter().filter(|compared| compared.is_kept()).count();
    let goal = DEVIATION_MAX * 100.0;
    let word = if kept == all.len() {
        "reached"
    } else {
        "missed"
    };
    format!(
        "{kept} of {} figures within {goal:.0} %; goal all of them: {word}",
        all.len()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recording(name: &str, requests: u64, cpu_ns: u64) -> Value {
        let times = |sum: u64| json!({"count": requests, "sum": sum});
        json!({
            "processes": [{"active_ns": 10_000_000_000_u64}],
            "endpoints": [{
                "name": name,
                "requests": requests,
                "cpu_ns": times(cpu_ns),
                "wall_ns": times(3 * cpu_ns),
            }],
        })
    }

    const PART: Part = Part {
        title: "A part",
        command: "",
        module: "shop",
        kind: Kind::Threads,
        loads: &[("sql", 10)],
    };

    #[test]
    fn figures_of_both_are_compared() {
        let both = Both {
            run: recording("GET /sql", 100, 200_000_000),
            attach: recording("shop:sql", 80, 200_000_000),
        };
        let compared = compare(&PART, &both).expect("both are sound");
        let shown: Vec<_> = compared
            .iter()
            .map(|one| (one.figure, one.run, one.attach))
            .collect();
        assert_eq!(
            shown,
            [
                ("requests/s", 10.0, Some(8.0)),
                ("CPU ms", 2.0, Some(2.5)),
                ("wait ms", 4.0, Some(5.0)),
            ]
        );
        assert_eq!(
            verdict(&compared),
            "0 of 3 figures within 15 %; goal all of them: missed"
        );
    }

    #[test]
    fn an_endpoint_that_was_not_found_is_no_agreement() {
        let both = Both {
            run: recording("GET /sql", 100, 200_000_000),
            attach: recording("shop:other", 100, 200_000_000),
        };
        let compared = compare(&PART, &both).expect("both are sound");
        assert!(compared.iter().all(|one| !one.is_kept()));
        assert!(part(&PART, &compared).contains("unknown"));
    }
}
