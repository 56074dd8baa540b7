//! The benchmark's result as text of at most 80 columns, for the terminal and the document.
//!
//! Pure: samples in, text out. Medians over the rounds stand in the table; ratios are taken within
//! a round, as the samples of one round are neighbours in time and share the machine's mood.

use corrente_model::statistics::{Interval, median, paired_ratio, relative_spread};

use super::process::Busy;
use super::tool::Tool;
use super::{Goal, Part};
use crate::bench::figures::{SEED, interval};
use crate::bench::printed::Figures;

/// Requests a second of ours over those of wrk, at least.
const SPEED_MIN: f64 = 0.90;
/// Deviation of ours from another generator, at most.
const DEVIATION_MAX: f64 = 0.05;
/// Spread of the rounds above which the machine was too noisy: as wide as the room that the goal
/// for the speed leaves.
const SPREAD_MAX: f64 = 0.10;
/// CPU that other programs and other machines may take, in processors, for the same reason.
const OTHERS_MAX: f64 = 0.10;

/// One run of one generator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) figures: Figures,
    pub(super) busy: Busy,
}

impl Sample {
    /// CPU time of the generator for a request, microseconds, measured from outside.
    fn cpu_us(&self) -> f64 {
        1e6 * self.busy.generator / self.figures.requests_per_s
    }
}

/// The samples of one generator in one part, a round each.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) tool: Tool,
    pub(super) samples: Vec<Sample>,
}

impl Series {
    fn values(&self, value: fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(value).collect()
    }

    fn middle(&self, value: fn(&Sample) -> f64) -> f64 {
        median(&self.values(value)).unwrap_or(f64::NAN)
    }
}

/// Table and verdict of a part; the first series is ours.
pub(super) fn part(part: &Part, series: &[Series]) -> String {
    let mut lines = vec![
        part.title.to_owned(),
        format!("{}; server: corrente lab {}", part.load_text(), part.server),
        String::new(),
        header(),
    ];
    lines.extend(series.iter().map(row));
    lines.push(String::new());
    if let Some((ours, others)) = series.split_first() {
        let mood = Mood::of(series);
        lines.push(mood_text(mood, series));
        lines.extend(match part.goal {
            Goal::Speed => speed(ours, others, mood),
            Goal::Agreement => agreement(ours, others, mood),
        });
    }
    lines.join("\n") + "\n"
}

/// Whether the rounds agree well enough for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Quiet,
    Noisy,
}

impl Mood {
    fn of(series: &[Series]) -> Self {
        let spreads = series.iter().filter_map(|series| {
            relative_spread(&series.values(|sample| sample.figures.requests_per_s))
        });
        if spreads.fold(0.0, f64::max) > SPREAD_MAX || others(series) > OTHERS_MAX {
            Self::Noisy
        } else {
            Self::Quiet
        }
    }

    /// The word for a goal that is kept where `kept` is not below `least`.
    fn verdict(self, kept: f64, least: f64) -> &'static str {
        match self {
            Self::Noisy => "not judged",
            Self::Quiet if kept >= least => "reached",
            Self::Quiet => "missed",
        }
    }
}

/// What everything but generator and server took, at the generator that suffered most from it.
fn others(series: &[Series]) -> f64 {
    let others = |series: &Series| series.middle(|sample| sample.busy.others);
    series.iter().map(others).fold(0.0, f64::max)
}

fn mood_text(mood: Mood, series: &[Series]) -> String {
    let others = whole_percent(others(series));
    let judgement = match mood {
        Mood::Quiet => "",
        Mood::Noisy => "; NOISY: repeat on a quiet machine",
    };
    format!("other programs and machines: {others} of a CPU{judgement}")
}

fn header() -> String {
    let first = ["", "requests/s", "spread", "P50 ms", "P99 ms"];
    let [name, requests, spread, p50, p99] = first;
    let [cpu, busy, server] = ["CPU µs/request", "busy", "server"];
    format!("{name:<10}{requests:>12}{spread:>9}{p50:>10}{p99:>10}{cpu:>15}{busy:>7}{server:>7}")
}

fn row(series: &Series) -> String {
    let requests = series.values(|sample| sample.figures.requests_per_s);
    format!(
        "{:<10}{:>12}{:>9}{:>10.3}{:>10.3}{:>15.2}{:>7}{:>7}",
        series.tool.name(),
        thousands(median(&requests).unwrap_or(f64::NAN)),
        relative_spread(&requests).map_or_else(String::new, percent),
        series.middle(|sample| sample.figures.p50_ms),
        series.middle(|sample| sample.figures.p99_ms),
        series.middle(Sample::cpu_us),
        whole_percent(series.middle(|sample| sample.busy.generator)),
        whole_percent(series.middle(|sample| sample.busy.server)),
    )
}

fn speed(ours: &Series, others: &[Series], mood: Mood) -> Vec<String> {
    let mut lines = Vec::new();
    for other in others {
        let ratio = |value: fn(&Sample) -> f64| {
            paired_ratio(&ours.values(value), &other.values(value), SEED)
        };
        let name = other.tool.name();
        if let Some(ratio) = ratio(|sample| sample.figures.requests_per_s) {
            let text = interval(ratio, 2);
            let verdict = speed_verdict(ratio, mood);
            lines.push(format!("corrente / {name}, requests/s:  {text}; {verdict}"));
        }
        if let Some(ratio) = ratio(Sample::cpu_us) {
            let text = interval(ratio, 2);
            lines.push(format!("corrente / {name}, CPU/request: {text}"));
        }
    }
    let own: Vec<f64> = ours
        .samples
        .iter()
        .filter_map(|sample| sample.figures.own_cpu_us)
        .collect();
    let own = median(&own)
        .map(|own| format!("corrente's own account of its CPU (self_check): {own:.2} µs/request"));
    lines.extend(own);
    lines
}

fn speed_verdict(ratio: Interval, mood: Mood) -> String {
    let verdict = mood.verdict(ratio.estimate, SPEED_MIN);
    let straddles = ratio.low < SPEED_MIN && SPEED_MIN <= ratio.high;
    let doubt = if mood == Mood::Quiet && straddles {
        " (in doubt)"
    } else {
        ""
    };
    format!("goal >= {SPEED_MIN:.2}: {verdict}{doubt}")
}

fn agreement(ours: &Series, others: &[Series], mood: Mood) -> Vec<String> {
    let mut lines = Vec::new();
    let mut largest = 0.0_f64;
    for other in others {
        let deviation = |value: fn(&Sample) -> f64| ours.middle(value) / other.middle(value) - 1.0;
        let requests = deviation(|sample| sample.figures.requests_per_s);
        let p50 = deviation(|sample| sample.figures.p50_ms);
        largest = largest.max(requests.abs()).max(p50.abs());
        lines.push(format!(
            "corrente against {:<4} requests/s {:+.1} %, P50 {:+.1} %",
            format!("{}:", other.tool.name()),
            100.0 * requests,
            100.0 * p50,
        ));
    }
    let verdict = mood.verdict(-largest, -DEVIATION_MAX);
    lines.push(format!(
        "largest deviation {}; goal <= {}: {verdict}",
        percent(largest),
        whole_percent(DEVIATION_MAX),
    ));
    lines
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn whole_percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A whole number with its thousands apart: `123,456`.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::PARTS;
    use super::*;

    fn series(tool: Tool, rates: &[f64], p50_ms: f64) -> Series {
        let sample = |rate: &f64| Sample {
            figures: Figures {
                requests: 1.0,
                requests_per_s: *rate,
                p50_ms,
                p99_ms: 2.0 * p50_ms,
                failed: 0,
                own_cpu_us: (tool == Tool::Corrente).then_some(5.0),
            },
            busy: Busy {
                generator: 0.6,
                server: 1.0,
                others: 0.0,
            },
        };
        Series {
            tool,
            samples: rates.iter().map(sample).collect(),
        }
    }

    fn check(goal: Goal, series: &[Series], expected: &str) {
        for of_goal in PARTS.iter().filter(|part| part.goal == goal) {
            let text = part(of_goal, series);
            assert!(text.contains(expected), "{text}");
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn the_speed_is_a_ratio_with_its_interval_and_a_verdict() {
        let against_wrk = |ours: [f64; 2], expected: &str| {
            let wrk = series(Tool::Wrk, &[100_000.0, 110_000.0], 0.5);
            check(
                Goal::Speed,
                &[series(Tool::Corrente, &ours, 0.5), wrk],
                expected,
            );
        };
        against_wrk(
            [95_000.0, 104_500.0],
            "requests/s:  0.95 [0.95, 0.95]; goal >= 0.90: reached\n",
        );
        against_wrk([89_000.0, 97_900.0], "goal >= 0.90: missed\n");
        against_wrk([88_000.0, 100_100.0], "missed (in doubt)\n");
        against_wrk([50_000.0, 55_000.0], "CPU/request: 2.00 [2.00, 2.00]\n");
        against_wrk([50_000.0, 55_000.0], "(self_check): 5.00 µs/request\n");
    }

    #[test]
    fn the_largest_deviation_decides_on_agreement() {
        let against_oha = |ours: [f64; 2], p50_ms: f64, expected: &str| {
            let oha = series(Tool::Oha, &[1000.0, 1010.0], 5.0);
            let ours = series(Tool::Corrente, &ours, p50_ms);
            check(Goal::Agreement, &[ours, oha], expected);
        };
        against_oha(
            [1000.0, 1010.0],
            4.9,
            "P50 -2.0 %\nlargest deviation 2.0 %; goal <= 5 %: reached\n",
        );
        against_oha(
            [900.0, 909.0],
            5.0,
            "requests/s -10.0 %, P50 +0.0 %\nlargest deviation 10.0 %; goal <= 5 %: missed\n",
        );
    }

    #[test]
    fn a_noisy_run_is_not_judged() {
        let noisy = || series(Tool::Corrente, &[500.0, 1000.0], 5.0);
        for goal in [Goal::Speed, Goal::Agreement] {
            check(goal, &[noisy(), noisy()], "; NOISY: ");
            check(goal, &[noisy(), noisy()], ": not judged");
        }
        let mut disturbed = series(Tool::Wrk, &[1000.0, 1001.0], 5.0);
        assert_eq!(Mood::of(std::slice::from_ref(&disturbed)), Mood::Quiet);
        for sample in &mut disturbed.samples {
            sample.busy.others = 0.2;
        }
        check(Goal::Speed, &[disturbed], "machines: 20 % of a CPU; NOISY");
    }

    #[test]
    fn thousands_stand_apart() {
        let cases = [(7.0, "7"), (999.6, "1,000"), (1_234_567.0, "1,234,567")];
        for (value, expected) in cases {
            assert_eq!(thousands(value), expected);
        }
    }
}
