//! SARIF 2.1.0, as code hosts and editors read it.
//!
//! The chain is a code flow; the fingerprint keeps a finding the same when lines move.

use serde_json::{Value, json};

use super::text::put;
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
            "columnKind": "unicodeCodePoints",
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
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level,
        "message": { "text": message },
        "locations": [location(&finding.place)],
        "partialFingerprints": { "corrente/v1": finding.fingerprint },
    });
    // A flow has one location at least (SARIF 2.1.0, 3.37.6).
    if !steps.is_empty() {
        result["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
    }
    result
}

/// A path as a URI reference (RFC 3986, 4.1): bytes that are not unreserved are escaped.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => put(&mut uri, format_args!("%{byte:02X}")),
        }
    }
    uri
}

fn location(place: &Place) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.path) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.end_column.max(place.column),
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::SUPPRESSION;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(uri("src/a.py"), "src/a.py");
        assert_eq!(uri("/a b/é%.py"), "file:///a%20b/%C3%A9%25.py");
    }

    #[test]
    fn what_has_no_chain_has_no_flow() {
        let finding = Finding {
            rule: SUPPRESSION.to_owned(),
            call: String::new(),
            certainty: Certainty::Certain,
            place: Place {
                path: "a.py".to_owned(),
                line: 1,
                column: 1,
                end_column: 2,
            },
            chain: Vec::new(),
            entry: String::new(),
            reached_from: 1,
            instead: String::new(),
            fingerprint: String::new(),
        };
        assert!(result(&finding).get("codeFlows").is_none());
    }
}
