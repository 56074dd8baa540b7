//! What `corrente serve --show-config` says: each setting, its value, and where it came from.
//!
//! Values in, rows or JSON out; printing is not done here. The JSON is versioned and has every setting,
//! so that programs can compare two servers.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::kind::{Switch, Value};
use super::registry::{Group, entries};
use super::source::{Found, Origin};

/// The version of the JSON; it changes when a field goes or means something else.
const SCHEMA: u32 = 1;

/// One setting, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it belongs.
    pub group: Group,
    /// Its name.
    pub name: &'static str,
    /// Its value as one would write it.
    pub value: String,
    /// Where that was written.
    pub origin: String,
}

pub(super) fn rows(found: &BTreeMap<&'static str, Found>) -> Vec<Row> {
    let known = entries().filter_map(|entry| Some((entry, found.get(entry.name)?)));
    let mut rows: Vec<Row> = known
        .map(|(entry, found)| Row {
            group: entry.group,
            name: entry.name,
            value: found.value.to_string(),
            origin: found.origin.to_string(),
        })
        .collect();
    // Stable: within a group the table's order stays.
    rows.sort_by_key(|row| row.group);
    rows
}

pub(super) fn json(found: &BTreeMap<&'static str, Found>) -> Json {
    let settings: Map<String, Json> = found
        .iter()
        .map(|(name, found)| {
            let setting = json!({ "value": plain(&found.value), "source": source(&found.origin) });
            ((*name).to_owned(), setting)
        })
        .collect();
    json!({ "schema": SCHEMA, "settings": settings })
}

/// Durations are seconds and sizes bytes, so that nobody has to read units.
fn plain(value: &Value) -> Json {
    match value {
        Value::Unset | Value::Off => Json::Null,
        Value::Duration(duration) => json!(duration.as_secs_f64()),
        Value::Number(number) | Value::Bytes(number) => json!(number),
        Value::Switch(switch) => json!(*switch == Switch::On),
        Value::Texts(texts) => json!(texts),
        other => json!(other.to_string()),
    }
}

fn source(origin: &Origin) -> Json {
    match origin {
        Origin::Default => json!({ "kind": "default" }),
        Origin::File(place) => {
            let path = place.path.display().to_string();
            json!({ "kind": "file", "path": path, "table": place.table })
        }
        Origin::Environment(name) => json!({ "kind": "environment", "variable": name }),
        Origin::Flag(flag) => json!({ "kind": "flag", "flag": flag }),
    }
}
