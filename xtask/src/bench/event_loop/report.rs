//! The benchmark's result as text of at most 80 columns, for the terminal and the document.
//!
//! Pure: figures in, text out. Medians over the rounds stand in the tables; ratios are taken within
//! a round, with a bootstrap interval, and say what is over what. A dash is a contender without
//! figures; the reasons stand below.

use std::cmp::Ordering;

use corrente_model::statistics::median;

use super::comparison::compare;
use super::contender::{CONTENDERS, Contender};
use super::results::{Results, Series};
use super::rows::{Against, Better, FAMILIES, Family, Row};
use crate::bench::figures::{cut, interval, shown, standing, verdict};

/// The least width of a column of figures.
const COLUMN: usize = 9;
/// The tables of all families with a row that was measured, and the reasons for the dashes.
pub(super) fn report(results: &Results) -> String {
    let mut parts: Vec<String> = FAMILIES
        .iter()
        .filter_map(|family| part(family, results))
        .collect();
    parts.extend(standings(results));
    parts.extend(reasons(results));
    parts.join("\n\n") + "\n"
}

fn part(family: &Family, results: &Results) -> Option<String> {
    let rows: Vec<&Row> = family
        .rows
        .iter()
        .filter(|row| {
            CONTENDERS
                .iter()
                .any(|one| results.series(row, *one).is_some())
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        rows: &rows,
        results,
    };
    let mut lines = vec![family.title.to_owned(), String::new()];
    lines.extend(table.lines(|series| median(&series.values)));
    if let Some(title) = family.rate {
        lines.extend([String::new(), title.to_owned(), String::new()]);
        lines.extend(table.lines(|series| median(&series.rates_per_s).map(|rate| rate / 1e3)));
    }
    lines.extend([String::new(), "corrente /".to_owned()]);
    for row in rows {
        lines.extend(judgements(row, family.better, results));
    }
    Some(lines.join("\n"))
}

/// The rows of a family, with what was measured.
struct Table<'a> {
    rows: &'a [&'a Row],
    results: &'a Results,
}

impl Table<'_> {
    /// A heading, and a line for each row, of one figure of each contender that has any.
    fn lines(&self, figure: impl Fn(&Series) -> Option<f64>) -> Vec<String> {
        let has_any = |contender: &Contender| {
            let mut rows = self.rows.iter();
            rows.any(|row| self.results.series(row, *contender).is_some())
        };
        let columns: Vec<Contender> = CONTENDERS.into_iter().filter(has_any).collect();
        let width = |contender: Contender| COLUMN.max(contender.name().len() + 1);
        let cells = |text: &dyn Fn(Contender) -> String| -> String {
            let cell = |one: &Contender| format!("{:>1$}", text(*one), width(*one));
            columns.iter().map(cell).collect()
        };
        let first = self.rows.iter().map(|row| row.title.chars().count());
        let first = first.max().unwrap_or_default();
        let line = |title: &str, rest: String| format!("{title:<first$}{rest}");
        let heading = line("", cells(&|one: Contender| one.name().to_owned()));
        let rows = self.rows.iter().map(|row| {
            let value = |one: Contender| self.results.series(row, one).and_then(&figure);
            let cell = |one: Contender| value(one).map_or_else(|| "–".to_owned(), shown);
            line(row.title, cells(&cell))
        });
        std::iter::once(heading).chain(rows).collect()
    }
}

/// A line for each goal of a row that can be judged.
fn judgements(row: &Row, better: Better, results: &Results) -> Vec<String> {
    let mut title = row.title;
    let mut lines = Vec::new();
    for goal in row.goals {
        let Some(compared) = compare(row, goal.against, better, results) else {
            continue;
        };
        let ratio = interval(compared.ratio, 2);
        let verdict = goal.bar.map(|bar| verdict(compared.ratio, bar, better));
        let verdict = verdict.unwrap_or_default();
        let name = compared.name;
        let line = format!("  {title:<23}{name:<11}{ratio:<21}{verdict}");
        lines.push(line.trim_end().to_owned());
        title = "";
    }
    lines
}

/// In how many rows ours is the best, and each row in which it is not.
fn standings(results: &Results) -> Option<String> {
    let mut counts = [0; 3];
    let mut lines = Vec::new();
    for family in FAMILIES {
        for row in family.rows {
            let Some(compared) = compare(row, Against::Best, family.better, results) else {
                continue;
            };
            let (place, word) = match standing(compared.ratio, family.better) {
                Ordering::Greater => (0, None),
                Ordering::Equal => (1, Some("level")),
                Ordering::Less => (2, Some("behind")),
            };
            counts[place] += 1;
            lines.extend(word.map(|word| {
                let ratio = interval(compared.ratio, 2);
                let name = compared.name;
                format!("  {:<23}{name:<11}{ratio:<21}{word}", row.title)
            }));
        }
    }
    let [ahead, level, behind] = counts;
    let rows = ahead + level + behind;
    (rows > 0).then(|| {
        let what = "corrente against the best of the others:";
        let told = format!(
            "{what} ahead in {ahead} rows of {rows}, level in {level},\nbehind in {behind}"
        );
        std::iter::once(told)
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// Who has no figures where, and why.
fn reasons(results: &Results) -> Option<String> {
    let mut lines = Vec::new();
    for contender in CONTENDERS {
        if contender == Contender::Floor {
            continue;
        }
        let mut told: Option<&str> = None;
        for row in FAMILIES.iter().flat_map(|family| family.rows) {
            let why = results.refusal(row, contender);
            // Rows of one kind fail for one reason.
            if let Some(why) = why.filter(|why| told != Some(*why)) {
                let text = format!("  {}, {}: {why}", contender.name(), row.name);
                lines.push(cut(&text));
            }
            told = why.or(told);
        }
    }
    (!lines.is_empty()).then(|| format!("No figures (–):\n{}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::super::results::Figures;
    use super::super::rows::named_by;
    use super::*;
    use crate::bench::figures::WIDTH;

    fn results(row: &Row, values: &[(Contender, [f64; 3])]) -> Results {
        let mut results = Results::default();
        for (contender, values) in values {
            for value in values {
                let figures = Figures {
                    value: *value,
                    per_s: Some(1e6 / value),
                };
                results.add(row, *contender, figures);
            }
        }
        results
    }

    fn check(name: &str, values: &[(Contender, [f64; 3])], expected: &[&str]) {
        let rows = named_by(name);
        let text = report(&results(rows[0], values));
        for expected in expected {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn a_cost_is_good_where_it_is_small() {
        check(
            "protocol-1",
            &[
                (Contender::Floor, [4.0, 4.2, 4.4]),
                (Contender::Asyncio, [20.0, 21.0, 22.0]),
                (Contender::Uvloop, [5.0, 5.25, 5.5]),
                (Contender::Corrente, [4.8, 5.04, 5.28]),
            ],
            &[
                "                   floor  asyncio   uvloop corrente\n",
                "protocol, 1 KiB     4.20     21.0     5.25     5.04\n",
                "protocol, 1 KiB      238     47.6      190      198\n",
                "uvloop     0.96 [0.96, 0.96]    <= 1.00  reached\n",
                "floor      1.20 [1.20, 1.20]    <= 1.10  missed",
            ],
        );
    }

    #[test]
    fn a_rate_is_good_where_it_is_large() {
        check(
            "call-soon",
            &[
                (Contender::Asyncio, [1.0, 1.0, 1.0]),
                (Contender::Rloop, [5.0, 5.0, 5.0]),
                (Contender::Corrente, [5.8, 5.8, 5.8]),
            ],
            &[
                "rloop      1.16 [1.16, 1.16]    >= 1.20  within 5 %",
                "ahead in 1 rows of 1, level in 0,\nbehind in 0\n",
            ],
        );
    }

    #[test]
    fn a_row_that_is_lost_is_told_again() {
        check(
            "timer-cancel",
            &[
                (Contender::Zloop, [5.0, 5.0, 5.0]),
                (Contender::Corrente, [4.0, 4.0, 4.0]),
            ],
            &[
                "behind in 1\n",
                "timer, cancelled       zloop      0.80 [0.80, 0.80]    behind",
            ],
        );
    }

    #[test]
    fn a_ratio_is_judged_by_itself() {
        check(
            "idle-rate",
            &[(Contender::Corrente, [0.99, 0.99, 0.99])],
            &["alone      0.99 [0.99, 0.99]    >= 0.95  reached"],
        );
    }

    #[test]
    fn a_reason_is_told_once_for_a_kind_and_fits_the_line() {
        let rows = named_by("tls");
        let mut results = results(rows[0], &[(Contender::Corrente, [1.0, 1.0, 1.0])]);
        for row in rows {
            results.refuse(row, Contender::Rloop, &"no TLS here ".repeat(20));
        }
        let text = report(&results);
        assert_eq!(text.matches("rloop, tls-").count(), 1, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
