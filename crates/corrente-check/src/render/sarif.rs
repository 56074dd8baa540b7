//! SARIF 2.1.0, as code hosts and editors read it.
//!
//! The chain is a code flow; the fingerprint keeps a finding the same when lines move.

use serde_json::{Value, json};

use crate::catalogue::Catalogue;
use crate::finding::{Certainty, Finding, Place, Report};

/// The report as SARIF.
pub fn sarif(report: &Report, catalogue: &Catalogue, version: &str) -> String {
    let rules: Vec<Value> = catalogue
        .rule_names()
        .into_iter()
        .map(|name| {
            let text = catalogue.explain(name).unwrap_or_default();
            json!({ "id": name, "shortDescription": { "text": text } })
        })
        .collect();
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let document = json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": { "driver": { "name": "corrente-check", "version": version, "rules": rules } },
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn result(finding: &Finding) -> Value {
    let level = match finding.certainty {
        Certainty::Certain => "error",
        Certainty::Probable => "warning",
        Certainty::Possible => "note",
    };
    let steps: Vec<Value> = finding
        .chain
        .iter()
        .map(|step| {
            let mut location = location(&step.place);
            location["message"] = json!({ "text": step.function });
            json!({ "location": location })
        })
        .collect();
    let message = finding.headline();
    json!({
        "ruleId": finding.rule,
        "level": level,
        "message": { "text": message },
        "locations": [location(&finding.place)],
        "partialFingerprints": { "corrente/v1": finding.fingerprint },
        "codeFlows": [{ "threadFlows": [{ "locations": steps }] }],
    })
}

fn location(place: &Place) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": place.path },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.end_column.max(place.column),
            },
        },
    })
}
