//! The table of raw requests, `tests/http/requests`, against the decoder: in one piece and byte by byte.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use crate::observe::{Field, Outcome, Request, observe};
use corrente_http::Limits;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    section: String,
    bytes: String,
    fill: Option<Fill>,
    #[serde(default)]
    requests: Vec<Expected>,
    status: Option<u16>,
    connection: Option<Connection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    mark: String,
    with: String,
    times: usize,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Connection {
    Keep,
    Close,
    Waits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    method: String,
    target: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    trailers: Vec<(String, String)>,
    #[serde(default)]
    partial: bool,
    path: Option<String>,
    host: Option<String>,
    fields: Option<Vec<(String, String)>>,
    expects_continue: Option<bool>,
    upgrade: Option<String>,
}

fn cases() -> Vec<Case> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../../tests/http/requests");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).expect("the table is part of the project") {
        let path = entry.expect("its folder can be read").path();
        let text = fs::read_to_string(&path).expect("a file of it can be read");
        let file: File =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        cases.extend(file.case);
    }
    cases
}

/// Every character is one byte.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |c: char| u8::try_from(u32::from(c)).expect("characters of the table are bytes");
    text.chars().map(byte).collect()
}

impl Case {
    fn filled(&self, text: &str) -> Vec<u8> {
        let filled = self.fill.as_ref().map(|fill| {
            let with = fill.with.repeat(fill.times);
            text.replace(&fill.mark, &with)
        });
        bytes(filled.as_deref().unwrap_or(text))
    }

    /// What differs from the table.
    fn fault(&self, outcome: &Outcome) -> Option<String> {
        let status = outcome.rejection.map(corrente_http::Rejection::status);
        if status != self.status {
            return Some(format!("{:?} in {outcome:?}", outcome.rejection));
        }
        let mut seen: Vec<&Request> = outcome.requests.iter().collect();
        let is_partial = |last: &&Request| !last.is_complete;
        if status.is_some() && seen.last().is_some_and(is_partial) && !self.ends_partial() {
            seen.pop();
        }
        if seen.len() != self.requests.len() {
            return Some(format!("{seen:?}"));
        }
        let pairs = self.requests.iter().zip(&seen);
        if let Some((_, found)) = pairs
            .into_iter()
            .find(|(wanted, found)| !self.fits(wanted, found))
        {
            return Some(format!("{found:?}"));
        }
        let keeps = seen
            .last()
            .is_some_and(|last| last.is_complete && last.keeps_alive);
        match self.connection.as_ref()? {
            Connection::Keep if keeps && outcome.is_idle => None,
            Connection::Close if !keeps && outcome.is_idle => None,
            Connection::Waits if !outcome.is_idle || seen.is_empty() => None,
            expected => Some(format!("connection not {expected:?}: {outcome:?}")),
        }
    }

    fn ends_partial(&self) -> bool {
        self.requests.last().is_some_and(|last| last.partial)
    }

    fn fits(&self, wanted: &Expected, found: &Request) -> bool {
        let pairs = |fields: &[(String, String)]| -> Vec<Field> {
            fields
                .iter()
                .map(|(name, value)| (bytes(name), bytes(value)))
                .collect()
        };
        let optional = |wanted: &Option<String>, found: &Option<Vec<u8>>| {
            let wanted = wanted
                .as_deref()
                .map(|text| Some(bytes(text)).filter(|v| !v.is_empty()));
            wanted.is_none_or(|wanted| wanted == *found)
        };
        found.method == self.filled(&wanted.method)
            && found.target == self.filled(&wanted.target)
            && found.body == bytes(&wanted.body)
            && found.trailers == pairs(&wanted.trailers)
            && found.is_complete != wanted.partial
            && wanted
                .path
                .as_ref()
                .is_none_or(|path| found.path == bytes(path))
            && optional(&wanted.host, &found.host)
            && optional(&wanted.upgrade, &found.upgrade)
            && wanted
                .expects_continue
                .is_none_or(|expects| expects == found.expects_continue)
            && wanted
                .fields
                .as_ref()
                .is_none_or(|fields| found.fields[1..] == pairs(fields))
    }
}

#[test]
fn every_request_is_taken_or_turned_away_as_the_standard_says() {
    let mut faults = Vec::new();
    for case in cases() {
        let input = case.filled(&case.bytes);
        let whole = observe(Limits::default(), [input.as_slice()]);
        let bytewise = observe(Limits::default(), input.chunks(1));
        for outcome in [whole, bytewise] {
            if let Some(fault) = case.fault(&outcome) {
                let fault: String = fault.chars().take(500).collect();
                faults.push(format!("{} ({}): {fault}", case.name, case.section));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn the_table_is_whole() {
    let cases = cases();
    assert!(cases.len() >= 200, "{}", cases.len());
    let names: HashSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name is there twice");
    for case in &cases {
        assert!(
            case.status.is_some() != case.connection.is_some(),
            "{}",
            case.name
        );
        assert!(case.section.starts_with("RFC "), "{}", case.name);
    }
}
