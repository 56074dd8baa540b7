//! Who takes part: the servers, by the names that `serving.py` knows them by, and two marks.
//!
//! The floor is a bare epoll server; the framework alone is called without any server. Knows nothing
//! of what is measured.

use crate::bench::versions::Versions;

/// What a server calls an application by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    Asgi,
    Wsgi,
}

impl Interface {
    /// As `directly.py` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Asgi => "asgi",
            Self::Wsgi => "wsgi",
        }
    }
}

/// One line of a table, in the order of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contender {
    Floor,
    FrameworkAlone,
    Uvicorn,
    GranianAsgi,
    GranianWsgi,
    Hypercorn,
    GunicornSync,
    GunicornUvicorn,
    FastpysgiAsgi,
    FastpysgiWsgi,
    SocketifyAsgi,
    SocketifyWsgi,
    Corrente,
}

/// Everyone, in the order of the tables.
pub(super) const CONTENDERS: [Contender; 13] = [
    Contender::Floor,
    Contender::FrameworkAlone,
    Contender::Uvicorn,
    Contender::GranianAsgi,
    Contender::GranianWsgi,
    Contender::Hypercorn,
    Contender::GunicornSync,
    Contender::GunicornUvicorn,
    Contender::FastpysgiAsgi,
    Contender::FastpysgiWsgi,
    Contender::SocketifyAsgi,
    Contender::SocketifyWsgi,
    Contender::Corrente,
];

/// The packages whose versions are told.
pub(super) const PACKAGES: [&str; 12] = [
    "corrente",
    "uvicorn",
    "uvicorn-worker",
    "uvloop",
    "httptools",
    "granian",
    "hypercorn",
    "gunicorn",
    "fastpysgi",
    "socketify",
    "starlette",
    "fastapi",
];

impl Contender {
    /// The name of its line, and what `serving.py` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::FrameworkAlone => "framework alone",
            Self::Uvicorn => "uvicorn",
            Self::GranianAsgi => "granian-asgi",
            Self::GranianWsgi => "granian-wsgi",
            Self::Hypercorn => "hypercorn",
            Self::GunicornSync => "gunicorn-sync",
            Self::GunicornUvicorn => "gunicorn-uvicorn",
            Self::FastpysgiAsgi => "fastpysgi-asgi",
            Self::FastpysgiWsgi => "fastpysgi-wsgi",
            Self::SocketifyAsgi => "socketify-asgi",
            Self::SocketifyWsgi => "socketify-wsgi",
            Self::Corrente => "corrente",
        }
    }

    /// The package that it is, where it is one.
    fn package(self) -> Option<&'static str> {
        match self {
            Self::Floor | Self::FrameworkAlone => None,
            Self::Uvicorn => Some("uvicorn"),
            Self::GranianAsgi | Self::GranianWsgi => Some("granian"),
            Self::Hypercorn => Some("hypercorn"),
            Self::GunicornSync => Some("gunicorn"),
            Self::GunicornUvicorn => Some("uvicorn-worker"),
            Self::FastpysgiAsgi | Self::FastpysgiWsgi => Some("fastpysgi"),
            Self::SocketifyAsgi | Self::SocketifyWsgi => Some("socketify"),
            Self::Corrente => Some("corrente"),
        }
    }

    /// Whether ours has to be better.
    pub(super) fn is_rival(self) -> bool {
        !matches!(self, Self::Floor | Self::FrameworkAlone | Self::Corrente)
    }

    /// Whether it is installed: a server may have nothing for this version of Python.
    pub(super) fn is_in(self, versions: &Versions) -> bool {
        self.package().is_none_or(|name| versions.holds(name))
    }

    /// Whether it calls applications by this interface.
    pub(super) fn speaks(self, interface: Interface) -> bool {
        match self {
            Self::Floor | Self::FrameworkAlone | Self::Corrente => true,
            Self::GranianWsgi | Self::GunicornSync | Self::FastpysgiWsgi | Self::SocketifyWsgi => {
                interface == Interface::Wsgi
            }
            Self::Uvicorn
            | Self::GranianAsgi
            | Self::Hypercorn
            | Self::GunicornUvicorn
            | Self::FastpysgiAsgi
            | Self::SocketifyAsgi => interface == Interface::Asgi,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everyone_has_a_name_and_an_interface() {
        let names: BTreeSet<&str> = CONTENDERS.into_iter().map(Contender::name).collect();
        assert_eq!(names.len(), CONTENDERS.len());
        for contender in CONTENDERS {
            let speaks = [Interface::Asgi, Interface::Wsgi].map(|one| contender.speaks(one));
            assert_eq!(
                speaks == [true, true],
                !contender.is_rival(),
                "{contender:?}"
            );
        }
    }

    #[test]
    fn who_is_not_installed_takes_no_part() {
        let text = r#"{"python": "3.13.0", "profiled": "no", "openssl": "OpenSSL 3.0.1",
            "packages": {"granian": "2.8.7"}}"#;
        let versions = Versions::read(text).expect("all is there");
        let here: Vec<&str> = CONTENDERS
            .into_iter()
            .filter(|contender| contender.is_in(&versions))
            .map(Contender::name)
            .collect();
        let expected = ["floor", "framework alone", "granian-asgi", "granian-wsgi"];
        assert_eq!(here, expected);
    }
}
