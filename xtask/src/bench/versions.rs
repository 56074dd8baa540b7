//! What a benchmark's environment holds: the interpreter, how it was built, and versions of packages.
//!
//! Asked of `bench/loop/versions.py`, once, before anything is measured. Knows no contender.

use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::step::output;

/// Whether an interpreter was built with a profile of itself (PGO).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profiled {
    Yes,
    No,
    Unknown,
}

/// What the environment holds.
#[derive(Debug)]
pub(super) struct Versions {
    python: String,
    profiled: Profiled,
    openssl: String,
    /// Names and versions, in the order of the alphabet.
    packages: Vec<(String, String)>,
}

impl Versions {
    /// Asks the program of that name.
    pub(super) fn ask(command: &mut Command) -> Result<Self, Failure> {
        let text = output(command)?;
        Self::read(&text).ok_or_else(|| Failure::step(format!("versions.py printed `{text}`")))
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let told: Value = serde_json::from_str(text).ok()?;
        let word = |name: &str| told[name].as_str().map(str::to_owned);
        let packages = told["packages"].as_object()?.iter();
        Some(Self {
            python: word("python")?,
            profiled: match told["profiled"].as_str()? {
                "yes" => Profiled::Yes,
                "no" => Profiled::No,
                _ => Profiled::Unknown,
            },
            openssl: word("openssl")?,
            packages: packages
                .filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned())))
                .collect(),
        })
    }

    /// Whether a package is here.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.packages.iter().any(|(package, _)| package == name)
    }

    /// The interpreter and the packages, in lines.
    pub(super) fn describe(&self) -> String {
        let profiled = match self.profiled {
            Profiled::Yes => "built with PGO",
            Profiled::No => "built WITHOUT PGO",
            Profiled::Unknown => "whether built with PGO is unknown",
        };
        let packages = self.packages.iter();
        let packages: Vec<String> = packages
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let rows: Vec<String> = packages.chunks(5).map(|row| row.join(", ")).collect();
        format!(
            "CPython {}, {profiled}; {}\n{}",
            self.python,
            self.openssl,
            rows.join(",\n")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_told() {
        let text = r#"{"python": "3.13.0", "profiled": "no", "openssl": "OpenSSL 3.0.1",
            "packages": {"uvloop": "0.23.0", "corrente": "0.1.0"}}"#;
        let versions = Versions::read(text).expect("all is there");
        assert!(versions.holds("uvloop") && !versions.holds("rloop"));
        let described = versions.describe();
        assert!(
            described.contains("CPython 3.13.0, built WITHOUT PGO"),
            "{described}"
        );
        assert!(
            described.ends_with("corrente 0.1.0, uvloop 0.23.0"),
            "{described}"
        );
        assert!(Versions::read("{}").is_none());
    }
}
