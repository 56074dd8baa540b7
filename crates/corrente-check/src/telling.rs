//! Tells what was found: lines and columns, the order of importance, what comments silence.
//!
//! Needs the sources and their facts, not what values flow: so what an earlier run found can be told
//! again for a program that is made of the same and laid out differently.

use rustc_hash::FxHashMap;

use crate::Source;
use crate::catalogue::Catalogue;
use crate::facts::{ModuleFacts, Span};
use crate::finding::{Extent, Fault, Finding, Place, Report, Step};
use crate::found::{Found, FoundCall, FoundStep};
use crate::suppressions;

/// Files and what they were lowered to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) facts: &'a [&'a ModuleFacts],
}

impl Files<'_> {
    /// The report on what was found in them.
    pub(crate) fn report(self, found: &Found, catalogue: &Catalogue) -> Report {
        let mut calls: Vec<(&FoundCall<Span>, Finding)> = found
            .calls
            .iter()
            .map(|call| (call, self.finding(call)))
            .collect();
        calls.sort_by(|(one, a), (other, b)| {
            let order = (a.certainty, &a.place, &a.call, one.last.at);
            order.cmp(&(b.certainty, &b.place, &b.call, other.last.at))
        });
        let mut findings: Vec<(Finding, u32)> = calls
            .into_iter()
            .map(|(call, finding)| (finding, call.last.module))
            .collect();
        number_fingerprints(&mut findings);
        let mut report = self.sift(findings);
        report.findings.extend(suppressions::wrong(self, catalogue));
        report.faults = self.faults();
        report.extent = Extent {
            lines: self.facts.iter().map(|facts| facts.lines.len()).sum(),
            ..found.extent
        };
        report
    }

    fn finding(self, call: &FoundCall<Span>) -> Finding {
        let place = self.place(&call.last);
        let function = &call.last.function;
        let chain = call.before.iter().chain([&call.last]);
        Finding {
            rule: call.rule.clone(),
            call: call.call.clone(),
            certainty: call.certainty,
            fingerprint: format!("{}:{function}:{}", place.path, call.call),
            place,
            chain: chain.map(|step| self.step(step)).collect(),
            entry: call.entry.clone(),
            reached_from: call.reached_from,
            instead: call.instead.clone(),
        }
    }

    fn step(self, step: &FoundStep<Span>) -> Step {
        Step {
            function: step.function.clone(),
            place: self.place(step),
        }
    }

    fn place(self, step: &FoundStep<Span>) -> Place {
        let module = step.module as usize;
        place(&self.sources[module], self.facts[module], step.at)
    }

    /// Parts what comments silence from the rest.
    fn sift(self, findings: Vec<(Finding, u32)>) -> Report {
        let mut report = Report::default();
        for (finding, module) in findings {
            let pardoned = self.facts[module as usize].pardons.iter().any(|pardon| {
                let named = pardon.rules.is_empty() || pardon.rules.contains(&finding.rule);
                pardon.line == finding.place.line && named
            });
            if pardoned {
                report.suppressed.push(finding);
            } else {
                report.findings.push(finding);
            }
        }
        report
    }

    /// What could not be read.
    pub(crate) fn faults(self) -> Vec<Fault> {
        let files = self.facts.iter().zip(self.sources);
        files
            .flat_map(|(facts, source)| {
                facts.faults.iter().map(|fault| {
                    let (start, end) = (fault.at, fault.at);
                    Fault {
                        place: place(source, facts, Span { start, end }),
                        message: fault.message.clone(),
                    }
                })
            })
            .collect()
    }
}

/// Equal calls in one function are told apart by their order.
pub(crate) fn number_fingerprints(findings: &mut [(Finding, u32)]) {
    let mut seen: FxHashMap<String, usize> = FxHashMap::default();
    for (finding, _) in findings {
        let count = seen.entry(finding.fingerprint.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.fingerprint = format!("{}#{count}", finding.fingerprint);
        }
    }
}

/// A place as people are told it.
pub(crate) fn place(source: &Source, facts: &ModuleFacts, span: Span) -> Place {
    let line = facts
        .lines
        .partition_point(|start| *start <= span.start)
        .max(1);
    let start = facts.lines.get(line - 1).copied().unwrap_or(0);
    let end = facts
        .lines
        .get(line)
        .map_or(source.text.len() as u32, |next| next - 1);
    let characters = |upto: u32| {
        let text = source.text.get(start as usize..upto.min(end) as usize);
        text.map_or(0, |text| text.chars().count()) as u32 + 1
    };
    Place {
        path: source.path.clone(),
        line: line as u32,
        column: characters(span.start),
        end_column: characters(span.end.max(span.start)),
    }
}
