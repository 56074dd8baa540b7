//! Who takes part: the loops, by the names that the programs know them by, and the floor.
//!
//! The floor is no loop: it is what the kernel or the interpreter costs without one. Which version
//! takes part is asked of the environment; knows nothing of what is measured.

use crate::bench::versions::Versions;

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

    /// Whether it is installed: a loop may have nothing for this version of Python.
    fn is_in(self, versions: &Versions) -> bool {
        matches!(self, Self::Floor | Self::Asyncio) || versions.holds(self.name())
    }

    /// Whether ours has to be better.
    pub(super) fn is_rival(self) -> bool {
        !matches!(self, Self::Floor | Self::Corrente)
    }
}

/// Those of `contenders` that are installed.
pub(super) fn present(
    versions: &Versions,
    contenders: impl IntoIterator<Item = Contender>,
) -> Vec<Contender> {
    let contenders = contenders.into_iter();
    contenders.filter(|one| one.is_in(versions)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_installed_takes_no_part() {
        let text = r#"{"python": "3.13.0", "profiled": "no", "openssl": "OpenSSL 3.0.1",
            "packages": {"uvloop": "0.23.0", "corrente": "0.1.0"}}"#;
        let versions = Versions::read(text).expect("all is there");
        let here = present(&versions, CONTENDERS);
        let here: Vec<&str> = here.into_iter().map(Contender::name).collect();
        assert_eq!(here, ["floor", "asyncio", "uvloop", "corrente"]);
    }
}
