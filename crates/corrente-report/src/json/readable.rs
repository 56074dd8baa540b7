//! What of a result a reader would take, where one of its figures is none.
//!
//! `serde_json` writes a number that is not finite as `null`. Where that is not allowed, the smallest part
//! around it that may be absent is left out, and named by its path; the rest stays as it is. A figure that
//! may be absent itself is so without a word. It must not know what the figures mean.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::result::LabResult;

/// A result that reads back, and the paths of the figures that kept it from doing so.
#[derive(Debug)]
pub(super) struct Readable {
    pub(super) result: LabResult,
    pub(super) left_out: Vec<String>,
}

/// Leaves out of a document what no reader would take.
///
/// # Errors
///
/// What keeps it from being read, where no part can be left out.
pub(super) fn readable(mut document: Value) -> Result<Readable, serde_json::Error> {
    let mut left_out = Vec::new();
    loop {
        let error = match read(&document) {
            Ok(result) => return Ok(Readable { result, left_out }),
            Err(error) => error,
        };
        let steps = steps(error.path());
        let Some(rest) = without(&document, &steps) else {
            return Err(error.into_inner());
        };
        left_out.push(error.path().to_string());
        document = rest;
    }
}

fn read(document: &Value) -> Result<LabResult, serde_path_to_error::Error<serde_json::Error>> {
    serde_path_to_error::deserialize(document)
}

fn steps(path: &Path) -> Vec<String> {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    };
    path.iter().map_while(step).collect()
}

/// The document without the smallest part around a place that is not missed where it was.
fn without(document: &Value, steps: &[String]) -> Option<Value> {
    (1..=steps.len()).rev().find_map(|depth| {
        let (last, around) = steps[..depth].split_last()?;
        let mut rest = document.clone();
        remove(rest.pointer_mut(&pointer(around))?, last)?;
        let is_missed = read(&rest).is_err_and(|error| self::steps(error.path()) == around);
        (!is_missed).then_some(rest)
    })
}

/// Removes a field, or an entry of a list; not a number of one, as others stand beside it by position.
fn remove(container: &mut Value, step: &str) -> Option<()> {
    match container {
        Value::Object(fields) => fields.remove(step).map(drop),
        Value::Array(entries) => {
            let index: usize = step.parse().ok()?;
            let is_whole = entries.get(index)?.is_object();
            is_whole.then(|| drop(entries.remove(index)))
        }
        _ => None,
    }
}

/// A JSON pointer (RFC 6901, section 3, says what is escaped).
fn pointer(steps: &[String]) -> String {
    let escaped = steps
        .iter()
        .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
    escaped.collect()
}
