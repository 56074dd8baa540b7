//! What can be set, how it is read, and where each value came from.
//!
//! [`entries`] is the one table. [`Values::read`] merges a file, the environment and flags, each stronger
//! than the one before, and checks what settings say together; [`Settings`] is the same with types, for
//! those who use it. A worker is handed the words again and reads them with the same table.

mod kind;
mod registry;
mod renewal;
mod shape;
mod show;
mod source;
mod typed;
mod unit;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use crate::log::Format;
pub use kind::{Bounds, Complaint, Kind, Switch, Value};
pub use registry::{Entry, Group, Lasts, TARGET, entries};
pub use renewal::Renewal;
pub use show::Row;
pub use source::{File, Found, Origin, Place, Sources};

pub use typed::{
    AccessLog, Application, ClientCertificates, Development, Interface, Lifespan, Limits, Logging,
    Loop, Mount, Processes, ProxyProtocol, RequestId, Settings, Sockets, StaticFolder, Timeouts,
    Tls, Web, WebSocket, WorkersAs,
};

/// Lines that say what is wrong with the settings, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines.join("; "))]
pub struct SettingsError {
    /// One for each mistake; never empty.
    pub lines: Vec<String>,
}

impl From<String> for SettingsError {
    fn from(line: String) -> Self {
        Self { lines: vec![line] }
    }
}

/// Every setting's value, with where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    found: BTreeMap<&'static str, Found>,
}

impl Values {
    /// Reads all sources, each stronger than the one before: file, environment, flags.
    pub fn read(sources: &Sources) -> Result<Self, SettingsError> {
        let found = source::read(sources).map_err(|lines| SettingsError { lines })?;
        let values = Self { found };
        let lines = values.contradictions();
        if lines.is_empty() {
            Ok(values)
        } else {
            Err(SettingsError { lines })
        }
    }

    /// Finds the file that [`Sources`] take: `named`, or corrente.toml or pyproject.toml in `folder`.
    pub fn find_file(named: Option<&Path>, folder: &Path) -> Result<Option<File>, SettingsError> {
        source::find_file(named, folder).map_err(Into::into)
    }

    /// Lines about variables of the environment that look like a setting and are none.
    pub fn slips(sources: &Sources) -> Vec<String> {
        source::slips(&sources.environment)
    }

    /// What a worker is told: the words of all settings that are not at their default.
    pub fn words(&self) -> BTreeMap<String, Vec<String>> {
        let set = self.found.iter();
        set.filter(|(_, found)| found.origin != Origin::Default)
            .map(|(name, found)| ((*name).to_owned(), found.words.clone()))
            .collect()
    }

    /// Reads what [`Self::words`] gave.
    pub fn from_words(words: BTreeMap<String, Vec<String>>) -> Result<Self, SettingsError> {
        Self::read(&Sources {
            flags: words,
            ..Sources::default()
        })
    }

    /// One row for each setting, in the order of the table.
    pub fn rows(&self) -> Vec<Row> {
        show::rows(&self.found)
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        show::json(&self.found)
    }

    fn get(&self, name: &str) -> &Found {
        self.found
            .get(name)
            .expect("every name that is asked for stands in the table: a test asks for all")
    }

    fn is_set(&self, name: &str) -> bool {
        !matches!(self.get(name).value, Value::Unset | Value::Off)
    }

    /// What single values cannot show: settings that need or exclude each other.
    fn contradictions(&self) -> Vec<String> {
        let is = |name: &str, word: &str| self.get(name).value == Value::Text(word.to_owned());
        let needs = |wanting: &str, needed: &str| {
            let lacks = self.is_set(wanting) && !self.is_set(needed);
            lacks.then(|| format!("{}: needs `{needed}` to be set, too", self.place(wanting)))
        };
        let mut lines: Vec<String> = [
            needs("tls-key", "tls-certificate"),
            needs("tls-password", "tls-certificate"),
            needs("tls-ca", "tls-certificate"),
            needs("tls-ciphers", "tls-certificate"),
            // It is an average over that time.
            needs("min-body-rate", "body-timeout"),
            needs("static-max-age", "static"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !is("tls-client", "none") && !self.is_set("tls-ca") {
            let place = self.place("tls-client");
            lines.push(format!(
                "{place}: needs `tls-ca`, which says whom to believe"
            ));
        }
        if self.get("max-requests-jitter").value != Value::Number(0) && !self.is_set("max-requests")
        {
            let place = self.place("max-requests-jitter");
            lines.push(format!("{place}: needs `max-requests` to be set, too"));
        }
        if let Value::Text(format) = &self.get("access-log-format").value
            && let Err(error) = Format::read(format)
        {
            lines.push(format!("{}: {error}", self.place("access-log-format")));
        }
        if self.is_set("stall-log") && is("loop", "asyncio") {
            let place = self.place("stall-log");
            lines.push(format!(
                "{place}: not with `loop` asyncio, which has no watchdog"
            ));
        }
        if !is("proxy-protocol", "off") && self.is_set("tls-certificate") {
            // Its header comes before TLS, and asyncio's servers begin with TLS.
            let place = self.place("proxy-protocol");
            lines.push(format!(
                "{place}: not together with `tls-certificate`; have the proxy end TLS"
            ));
        }
        lines.extend(self.prefixes_that_stand_twice());
        lines
    }

    fn prefixes_that_stand_twice(&self) -> Vec<String> {
        let mut seen = BTreeMap::new();
        let mut lines = Vec::new();
        for name in ["mount", "static"] {
            for word in &self.get(name).words {
                let prefix = word.split('=').next().unwrap_or_default();
                let prefix = prefix.trim_end_matches('/');
                if let Some(before) = seen.insert(prefix.to_owned(), word) {
                    let place = self.place(name);
                    lines.push(format!("{place}: `{word}` has the prefix of `{before}`"));
                }
            }
        }
        lines
    }

    fn place(&self, name: &str) -> String {
        match &self.get(name).origin {
            Origin::File(place) => format!("{}: [{}] {name}", place.path.display(), place.table),
            Origin::Default => name.to_owned(),
            origin => origin.to_string(),
        }
    }
}
