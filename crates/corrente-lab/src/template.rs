//! `{name}` placeholders in commands, paths and environments.
//!
//! A placeholder without a value is an error that names it, never an empty string. Braces that do
//! not enclose a lower-case name are left alone, as a program's source may hold them.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::scenario::Settings;

/// Values by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    values: BTreeMap<String, String>,
}

impl Values {
    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        self.values.insert(name.to_owned(), value.to_string());
    }

    pub(crate) fn set_settings(&mut self, settings: &Settings) {
        for (name, value) in settings {
            self.set(name, setting_text(value));
        }
    }

    pub(crate) fn set_parameters(&mut self, parameters: &BTreeMap<String, f64>) {
        for (name, value) in parameters {
            self.set(name, value);
        }
    }

    /// `text` with every placeholder replaced, or the name of the first without a value.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, after) = rest.split_at(start);
            filled.push_str(before);
            if let Some(name) = placeholder(after) {
                let value = self.values.get(name).ok_or_else(|| name.to_owned())?;
                filled.push_str(value);
                rest = &after[name.len() + 2..];
            } else {
                filled.push('{');
                rest = &after[1..];
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The same in a contender's environment: `LAB_NAME`.
    pub(crate) fn environment(&self) -> BTreeMap<String, OsString> {
        self.values
            .iter()
            .map(|(name, value)| (format!("LAB_{}", name.to_uppercase()), value.into()))
            .collect()
    }
}

/// A setting as it stands in a command line.
pub(crate) fn setting_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The name at the start of `{name}…`.
fn placeholder(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let named = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    named.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let mut values = Values::default();
        values.set("port", 8000);
        values.set_settings(&Settings::from([(
            "worker_class".to_owned(),
            "gevent".into(),
        )]));
        values.set_parameters(&BTreeMap::from([("latency_ms".to_owned(), 20.0)]));
        values
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(values().fill(text), expected);
    }

    #[test]
    fn fills_what_it_knows() {
        check("127.0.0.1:{port}", Ok("127.0.0.1:8000"));
        check("-k {worker_class} {port}", Ok("-k gevent 8000"));
        check("/x?ms={latency_ms}", Ok("/x?ms=20"));
    }

    #[test]
    fn names_what_it_does_not_know() {
        check("{workers}", Err("workers"));
    }

    #[test]
    fn leaves_other_braces_alone() {
        check("{'a': 1} {} {A}", Ok("{'a': 1} {} {A}"));
    }

    #[test]
    fn the_environment_has_capital_names() {
        assert_eq!(values().environment()["LAB_WORKER_CLASS"], "gevent");
    }
}
