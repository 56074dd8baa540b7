//! The lab's result of this benchmark as text: a table, the goals, and where the processor time goes.
//!
//! Pure. Layers are differences between what was measured: what a query costs more than none, and a
//! framework more than none. What is not in the result is an error that names it.

use corrente_model::statistics::{Interval, paired_ratio};
use serde_json::Value;

use crate::bench::figures::{Better, SEED, interval, shown, verdict};

const QUERY: &str = "query";
const NO_QUERY: &str = "no-query";
const RAW: &str = "asgi-corrente";
const STARLETTE: &str = "starlette-corrente";

/// A finding of the scenario, and what it has to come to.
struct Goal {
    finding: &'static str,
    title: &'static str,
    bar: f64,
    better: Better,
}

/// The note under ratios that the lab does not judge itself.
const LATE: &str = "\
  ~ The generator shares its processor with PostgreSQL and was late: more than
    a millisecond with one send of a hundred. Its delay is in both sides, so the
    ratio is nearer to 1 than it would be without.";

const fn at_least(finding: &'static str, title: &'static str, bar: f64) -> Goal {
    Goal {
        finding,
        title,
        bar,
        better: Better::More,
    }
}

const fn at_most(finding: &'static str, title: &'static str) -> Goal {
    Goal {
        finding,
        title,
        bar: 1.0,
        better: Better::Less,
    }
}

const RATES: &[Goal] = &[
    at_least("raw-throughput", "raw ASGI / gunicorn-falcon", 2.5),
    at_least("starlette-throughput", "starlette / gunicorn-falcon", 2.0),
    at_least("raw-throughput-native", "raw ASGI / granian-falcon", 1.0),
];
const FULL_LOAD: &[Goal] = &[
    at_most("raw-p99", "raw ASGI / gunicorn-falcon"),
    at_most("raw-p99-native", "raw ASGI / granian-falcon"),
    at_most("starlette-p99", "starlette / gunicorn-falcon"),
];
const EQUAL_RATES: &[Goal] = &[
    at_most("raw-open-p99", "raw ASGI / gunicorn-falcon"),
    at_most("raw-open-p99-native", "raw ASGI / granian-falcon"),
    at_most("starlette-open-p99", "starlette / gunicorn-falcon"),
    at_most("starlette-open-p99-native", "starlette / granian-falcon"),
];

/// The text; an error says what the result lacks.
pub(super) fn report(result: &Value) -> Result<String, String> {
    let scenario = &result["scenarios"][0];
    let parts = [
        versions(scenario),
        table(scenario)?,
        goals("Requests a second", RATES, scenario),
        goals(
            "P99 with 100 users, each waiting for its answer",
            FULL_LOAD,
            scenario,
        ),
        goals("P99 at the same rate for all", EQUAL_RATES, scenario),
        layers(scenario)?,
    ];
    Ok(parts.join("\n\n") + "\n")
}

fn versions(scenario: &Value) -> String {
    let versions = scenario["versions"].as_object().into_iter().flatten();
    let words: Vec<String> = versions
        .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?")))
        .collect();
    // Four to a line fit the width.
    let lines: Vec<String> = words.chunks(4).map(|line| line.join(", ")).collect();
    lines.join("\n")
}

fn table(scenario: &Value) -> Result<String, String> {
    let mut lines = vec![
        "One row of PostgreSQL as JSON, 100 users; µs of processor time a request".to_owned(),
        String::new(),
        format!(
            "{:<20}{:>11}{:>9}{:>14}{:>10}{:>12}",
            "", "thousand/s", "P99 ms", "P99, same rate", "its CPU", "database's"
        ),
    ];
    for measured in all(scenario, QUERY) {
        let contender = measured["contender"].as_str().unwrap_or("?");
        let figures = [
            number(measured, "/throughput_per_s").map(|rate| rate / 1e3),
            number(measured, "/latency/p99_ms"),
            number(measured, "/open_loop/latency/p99_ms"),
            number(measured, "/cpu_s_per_1000").map(|cpu_s| cpu_s * 1e3),
            number(measured, "/others_cpu_s_per_1000").map(|cpu_s| cpu_s * 1e3),
        ];
        let [rate, p99, open, own, database] =
            figures.map(|figure| figure.map_or_else(|| "–".to_owned(), shown));
        lines.push(format!(
            "  {contender:<18}{rate:>11}{p99:>9}{open:>14}{own:>10}{database:>12}"
        ));
        if !measured["invalid"].is_null() {
            lines.push(format!("    no evidence: {}", measured["invalid"]));
        }
    }
    let rate = all(scenario, QUERY).find_map(|one| number(one, "/open_loop/rate_per_s"));
    let rate = rate.ok_or("the result has no open loop")?;
    lines.push(format!("The same rate is {rate:.0} requests a second."));
    Ok(lines.join("\n"))
}

fn goals(title: &str, goals: &[Goal], scenario: &Value) -> String {
    let judged = goals.iter().map(|goal| {
        let judged = finding(scenario, goal.finding).map(|ratio| (ratio, ""));
        let late = || Some((at_equal_rates(scenario, goal.finding)?, " ~"));
        let Some((ratio, mark)) = judged.or_else(late) else {
            return format!("  {:<32}not measured", goal.title);
        };
        let verdict = verdict(ratio, goal.bar, goal.better);
        format!(
            "  {:<32}{:<22}{verdict}{mark}",
            goal.title,
            interval(ratio, 2)
        )
    });
    let mut lines: Vec<String> = judged.collect();
    if lines.iter().any(|line| line.ends_with('~')) {
        lines.push(LATE.to_owned());
    }
    format!("{title}\n{}", lines.join("\n"))
}

/// Where the time of a request of ours goes.
fn layers(scenario: &Value) -> Result<String, String> {
    let own = |contender: &str, case: &str| {
        let found = all(scenario, case).find(|one| one["contender"] == contender);
        let cpu_s = found.and_then(|one| number(one, "/cpu_s_per_1000"));
        cpu_s
            .map(|cpu_s| cpu_s * 1e3)
            .ok_or_else(|| format!("the result has no {contender} in {case}"))
    };
    let [raw, raw_query] = [own(RAW, NO_QUERY)?, own(RAW, QUERY)?];
    let [starlette, starlette_query] = [own(STARLETTE, NO_QUERY)?, own(STARLETTE, QUERY)?];
    let database = all(scenario, QUERY).find(|one| one["contender"] == RAW);
    let database = database.and_then(|one| number(one, "/others_cpu_s_per_1000"));
    let rows = [
        ("server, loop, JSON, and the kernel's part of HTTP", raw),
        ("Starlette", starlette - raw),
        (
            "asyncpg, its pool, and the kernel's part of it",
            raw_query - raw,
        ),
        ("the same below Starlette", starlette_query - starlette),
        (
            "PostgreSQL, on the other processor",
            database.unwrap_or_default() * 1e3,
        ),
    ];
    let lines = rows.map(|(layer, cpu_us)| format!("  {layer:<54}{:>8}", format!("{cpu_us:.1}")));
    Ok(format!("Where it goes, µs a request\n{}", lines.join("\n")))
}

/// The measurements of a case.
fn all<'a>(scenario: &'a Value, case: &'a str) -> impl Iterator<Item = &'a Value> {
    let measured = scenario["measurements"].as_array().into_iter().flatten();
    measured.filter(move |one| one["case"] == case)
}

fn number(value: &Value, path: &str) -> Option<f64> {
    value.pointer(path).and_then(Value::as_f64)
}

/// The ratio of P99 at equal rates, paired by round, where the lab has none because its generator was
/// late. None where a side is no evidence.
fn at_equal_rates(scenario: &Value, id: &str) -> Option<Interval> {
    let mut findings = scenario["findings"].as_array()?.iter();
    let found = findings.find(|finding| finding["id"] == id && finding["measure"] == "open-p99")?;
    let rounds = |side: &str| {
        let measured = all(scenario, QUERY).find(|one| one["contender"] == found[side])?;
        let rounds = measured.pointer("/open_loop/latency/p99_rounds_ms")?;
        let rounds = rounds.as_array()?.iter().map(Value::as_f64);
        let rounds: Option<Vec<f64>> = rounds.collect();
        rounds.filter(|_| measured["invalid"].is_null())
    };
    paired_ratio(&rounds("of")?, &rounds("over")?, SEED)
}

fn finding(scenario: &Value, id: &str) -> Option<Interval> {
    let mut findings = scenario["findings"].as_array()?.iter();
    let found = findings.find(|finding| finding["id"] == id)?;
    let measured = found.pointer("/points/0/measured")?;
    Some(Interval {
        estimate: number(measured, "/estimate")?,
        low: number(measured, "/low")?,
        high: number(measured, "/high")?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::figures::WIDTH;

    fn measured(contender: &str, case: &str, cpu_s: f64) -> Value {
        json!({
            "contender": contender, "case": case, "throughput_per_s": 14_200.0,
            "latency": {"p99_ms": 9.5}, "cpu_s_per_1000": cpu_s, "others_cpu_s_per_1000": 0.03,
            "open_loop": {"rate_per_s": 4000.0, "latency": {"p99_ms": 1.25}},
        })
    }

    #[test]
    fn a_result_is_a_table_goals_and_layers() {
        let mut disturbed = measured("gunicorn-falcon", QUERY, 0.2);
        disturbed["invalid"] = "machine_noisy".into();
        let scenario = json!({
            "versions": {"PostgreSQL": "18.6", "asyncpg": "0.32.0"},
            "measurements": [
                disturbed, measured(RAW, QUERY, 0.06), measured(RAW, NO_QUERY, 0.015),
                measured(STARLETTE, QUERY, 0.075), measured(STARLETTE, NO_QUERY, 0.027),
            ],
            "findings": [{"id": "raw-throughput", "points": [
                {"measured": {"estimate": 2.6, "low": 2.55, "high": 2.7}}]}],
        });
        let text = report(&json!({"scenarios": [scenario]})).expect("all is there");
        for expected in [
            "PostgreSQL 18.6, asyncpg 0.32.0\n",
            "  asgi-corrente            14.2     9.50          1.25      60.0        30.0\n",
            "    no evidence: \"machine_noisy\"\n",
            "The same rate is 4000 requests a second.",
            "  raw ASGI / gunicorn-falcon      2.60 [2.55, 2.70]     >= 2.50  reached\n",
            "  starlette / gunicorn-falcon     not measured\n",
            "  Starlette                                                 12.0\n",
            "  asyncpg, its pool, and the kernel's part of it            45.0\n",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn a_late_generator_leaves_a_ratio_with_its_mark() {
        let side = |contender: &str, rounds: [f64; 3]| {
            let mut measured = measured(contender, QUERY, 0.06);
            measured["open_loop"]["latency"]["p99_rounds_ms"] = json!(rounds);
            measured
        };
        let judged = |disturbed: bool| {
            let mut over = side("gunicorn-falcon", [4.0, 4.2, 3.8]);
            if disturbed {
                over["invalid"] = "other-programs".into();
            }
            let scenario = json!({
                "measurements": [side(RAW, [2.0, 2.1, 1.9]), over],
                "findings": [{"id": "raw-open-p99", "measure": "open-p99", "of": RAW,
                    "over": "gunicorn-falcon", "points": [{"measured": null}]}],
            });
            goals("P99 at the same rate for all", EQUAL_RATES, &scenario)
        };
        let line = "  raw ASGI / gunicorn-falcon      0.50 [0.50, 0.50]     <= 1.00  reached ~\n";
        assert!(judged(false).contains(line), "{}", judged(false));
        assert!(judged(false).ends_with(LATE));
        assert!(!judged(true).contains('~'), "{}", judged(true));
    }

    #[test]
    fn what_is_missing_is_named() {
        let scenario = json!({"measurements": [measured(RAW, QUERY, 0.06)]});
        let missing = report(&json!({"scenarios": [scenario]}));
        let expected = "the result has no asgi-corrente in no-query".to_owned();
        assert_eq!(missing, Err(expected));
    }
}
