//! The benchmark's result as text of at most 80 columns, for the terminal and the document.
//!
//! Pure: figures in, text out. A table for each row, a line for each contender; medians over the
//! rounds stand in it, ratios below are taken within a round and say what is over what. Who has no
//! figures stands at the end, with the reason.

use std::cmp::Ordering;

use corrente_model::statistics::median;

use super::comparison::{better, compare};
use super::contender::{CONTENDERS, Contender};
use super::results::Results;
use super::rows::{Against, ROWS, Row};
use crate::bench::figures::{cut, interval, shown, standing, verdict};

/// The tables of all rows that were measured, who is ahead, and the reasons for what is absent.
pub(super) fn report(results: &Results) -> String {
    let mut parts: Vec<String> = ROWS.iter().filter_map(|row| part(row, results)).collect();
    parts.extend(standings(results));
    parts.extend(reasons(results));
    parts.join("\n\n") + "\n"
}

fn part(row: &Row, results: &Results) -> Option<String> {
    let lines = CONTENDERS
        .into_iter()
        .filter_map(|one| line(row, one, results));
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return None;
    }
    let heading = format!(
        "{:<19}{:>11}{:>13}{:>10}",
        row.name,
        row.how.unit(),
        "thousand/s",
        "P99 ms"
    );
    let mut text = vec![row.title.to_owned(), String::new(), heading];
    text.extend(lines);
    let judged = judgements(row, results);
    if !judged.is_empty() {
        text.push(String::new());
        text.extend(judged);
    }
    Some(text.join("\n"))
}

fn line(row: &Row, contender: Contender, results: &Results) -> Option<String> {
    let series = results.series(row, contender)?;
    let shown_or_dash = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), shown);
    let rate = median(&series.rates_per_s()).map(|rate| rate / 1e3);
    let text = format!(
        "  {:<17}{:>11}{:>13}{:>10}",
        contender.name(),
        shown_or_dash(median(&series.values())),
        shown_or_dash(rate),
        shown_or_dash(median(&series.p99s_ms())),
    );
    Some(text)
}

/// A line for each goal of a row that can be judged.
fn judgements(row: &Row, results: &Results) -> Vec<String> {
    let judged = row.goals.iter().filter_map(|goal| {
        let compared = compare(row, goal.against, results)?;
        let ratio = interval(compared.ratio, 2);
        let verdict = verdict(compared.ratio, goal.bar, better(row));
        let label = match goal.against {
            Against::Beyond(_) => format!("corrente - {}, µs", compared.name),
            Against::Count => "corrente, the most of a round".to_owned(),
            _ => format!("corrente / {}", compared.name),
        };
        Some(format!("  {label:<34}{ratio:<21}{verdict}"))
    });
    judged.collect()
}

/// In how many rows ours is the best, and each row in which it is not.
fn standings(results: &Results) -> Option<String> {
    let mut counts = [0; 3];
    let mut lines = Vec::new();
    for row in ROWS {
        let Some(compared) = compare(row, Against::Best, results) else {
            continue;
        };
        let (place, word) = match standing(compared.ratio, better(row)) {
            Ordering::Greater => (0, None),
            Ordering::Equal => (1, Some("level")),
            Ordering::Less => (2, Some("behind")),
        };
        counts[place] += 1;
        let ratio = interval(compared.ratio, 2);
        let name = compared.name;
        lines.extend(word.map(|word| format!("  {:<16}{name:<18}{ratio:<21}{word}", row.name)));
    }
    let [ahead, level, behind] = counts;
    let rows = ahead + level + behind;
    (rows > 0).then(|| {
        let told = format!(
            "corrente against the best of the others: ahead in {ahead} rows of {rows}, level in \
             {level},\nbehind in {behind}"
        );
        lines.insert(0, told);
        lines.join("\n")
    })
}

/// Who has no figures where, and why.
fn reasons(results: &Results) -> Option<String> {
    let mut lines = Vec::new();
    for contender in CONTENDERS {
        let mut told: Option<&str> = None;
        for row in ROWS {
            let why = results.refusal(row, contender);
            // Rows of one server fail for one reason.
            if let Some(why) = why.filter(|why| told != Some(*why)) {
                lines.push(cut(&format!("  {}, {}: {why}", contender.name(), row.name)));
            }
            told = why.or(told);
        }
    }
    (!lines.is_empty()).then(|| format!("No figures:\n{}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::super::results::Figures;
    use super::super::rows::named_by;
    use super::*;
    use crate::bench::figures::WIDTH;

    fn results(name: &str, values: &[(Contender, f64)]) -> Results {
        let mut results = Results::default();
        for (contender, value) in values {
            for factor in [0.9, 1.0, 1.1] {
                let figures = Figures {
                    value: value * factor,
                    per_s: Some(1e6 / value),
                    p99_ms: Some(2.5),
                };
                results.note(named_by(name)[0], *contender, Ok(figures));
            }
        }
        results
    }

    #[track_caller]
    fn check(results: &Results, expected: &[&str]) {
        let text = report(results);
        for expected in expected {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn a_row_is_a_table_with_its_goals() {
        let values = [
            (Contender::Floor, 5.0),
            (Contender::Uvicorn, 20.0),
            (Contender::FastpysgiAsgi, 15.0),
            (Contender::Corrente, 7.0),
        ];
        check(
            &results("raw-asgi", &values),
            &[
                "raw-asgi                CPU µs   thousand/s    P99 ms\n",
                "  fastpysgi-asgi          15.0         66.7      2.50\n",
                "  corrente / fastpysgi-asgi         0.47 [0.47, 0.47]    <= 0.55  reached",
                "  corrente / floor                  1.40 [1.40, 1.40]    <= 1.50  reached",
                "ahead in 1 rows of 1, level in 0,\nbehind in 0",
            ],
        );
    }

    #[test]
    fn a_server_is_judged_by_its_own_share() {
        let values = [
            (Contender::FrameworkAlone, 40.0),
            (Contender::GranianAsgi, 60.0),
            (Contender::Corrente, 48.0),
        ];
        check(
            &results("fastapi", &values),
            &["corrente / granian-asgi, share    0.40 [0.40, 0.40]    <= 0.50  reached"],
        );
    }

    #[test]
    fn a_row_that_is_lost_is_told_again() {
        let values = [(Contender::FastpysgiWsgi, 7.0), (Contender::Corrente, 8.0)];
        check(
            &results("raw-wsgi", &values),
            &[
                "behind in 1\n",
                "  raw-wsgi        fastpysgi-wsgi    1.14 [1.14, 1.14]    behind",
            ],
        );
    }

    #[test]
    fn a_ratio_is_good_where_it_is_large() {
        let values = [(Contender::Uvicorn, 0.8), (Contender::Corrente, 0.97)];
        check(
            &results("idle-rate", &values),
            &["corrente / alone ", ">= 0.95  reached ?"],
        );
    }

    #[test]
    fn a_reason_is_told_once_and_fits_the_line() {
        let mut results = results("echo", &[(Contender::Corrente, 7.0)]);
        for row in &ROWS[..2] {
            results.note(row, Contender::Hypercorn, Err("no such thing ".repeat(20)));
        }
        check(&results, &["  hypercorn, raw-asgi: no such"]);
        assert_eq!(report(&results).matches("hypercorn,").count(), 1);
    }
}
