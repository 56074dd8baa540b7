//! Counts: findings by rule and by call, and what could not be resolved.
//!
//! A plain table of text; `--json` has the same figures for programs.

use std::collections::BTreeMap;

use crate::finding::Report;

/// The counts of a report.
pub fn statistics(report: &Report) -> String {
    let mut by_call: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for finding in &report.findings {
        *by_call.entry((&finding.rule, &finding.call)).or_default() += 1;
    }
    let mut rows: Vec<((&str, &str), usize)> = by_call.into_iter().collect();
    rows.sort_by(|(a, first), (b, second)| second.cmp(first).then(a.cmp(b)));
    let mut lines: Vec<String> = rows
        .iter()
        .map(|((rule, call), count)| format!("{count:>6}  {rule:<12} {call}"))
        .collect();
    let extent = &report.extent;
    let share = 100.0 * extent.unresolved as f64 / extent.calls.max(1) as f64;
    lines.push(format!(
        "{:>6}  functions; {} calls, of which {} ({share:.0} %) lead to nothing that is known",
        extent.functions, extent.calls, extent.unresolved
    ));
    let given_up = [
        (
            extent.overfull,
            "sets of values are full: what else flows there is not followed",
        ),
        (
            extent.merged,
            "functions have more circumstances than are told apart: the rest are taken as one",
        ),
        (
            extent.blurred,
            "collections have more keys than are told apart: the rest are taken as one",
        ),
        (extent.cut, "methods have more overrides than are followed"),
    ];
    for (count, words) in given_up {
        lines.push(format!("{count:>6}  {words}"));
    }
    lines.join("\n") + "\n"
}
