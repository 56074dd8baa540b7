//! Who takes part: the loops, by the names that the programs know them by, and the floor.
//!
//! The floor is no loop: it is what the kernel or the interpreter costs without one. Which version
//! takes part is asked of the environment; knows nothing of what is measured.

use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::step::output;

/// One column of the tables, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contender {
    Floor,
    Asyncio,
    Uvloop,
    Rloop,
    Zloop,
    Zuvloop,
    Aiofastnet,
    Corrente,
}

/// Everyone, in the order of the tables.
pub(super) const CONTENDERS: [Contender; 8] = [
    Contender::Floor,
    Contender::Asyncio,
    Contender::Uvloop,
    Contender::Rloop,
    Contender::Zloop,
    Contender::Zuvloop,
    Contender::Aiofastnet,
    Contender::Corrente,
];

impl Contender {
    /// The name of its column, of its package, and what the programs call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Asyncio => "asyncio",
            Self::Uvloop => "uvloop",
            Self::Rloop => "rloop",
            Self::Zloop => "zloop",
            Self::Zuvloop => "zuvloop",
            Self::Aiofastnet => "aiofastnet",
            Self::Corrente => "corrente",
        }
    }

    /// Whether ours has to be better.
    pub(super) fn is_rival(self) -> bool {
        !matches!(self, Self::Floor | Self::Corrente)
    }
}

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

    fn read(text: &str) -> Option<Self> {
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

    /// Whether a contender is here: a loop may have nothing for this version of Python.
    pub(super) fn has(&self, contender: Contender) -> bool {
        let name = contender.name();
        matches!(contender, Contender::Floor | Contender::Asyncio)
            || self.packages.iter().any(|(package, _)| package == name)
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
    fn versions_are_read_and_tell_who_is_here() {
        let text = r#"{"python": "3.13.0", "profiled": "no", "openssl": "OpenSSL 3.0.1",
            "packages": {"uvloop": "0.23.0", "corrente": "0.1.0"}}"#;
        let versions = Versions::read(text).expect("all is there");
        let here: Vec<&str> = CONTENDERS
            .into_iter()
            .filter(|contender| versions.has(*contender))
            .map(Contender::name)
            .collect();
        assert_eq!(here, ["floor", "asyncio", "uvloop", "corrente"]);
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
