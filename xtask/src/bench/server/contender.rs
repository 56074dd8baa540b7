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

/// What a server is spoken to by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.1.
    Http1,
    Http2,
    WebSocket,
}

impl Protocol {
    /// As the programs have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::WebSocket => "websocket",
        }
    }
}

/// One line of a table, in the order of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contender {
    Floor,
    FrameworkAlone,
    /// Ours without the setting that a row is about.
    Without,
    Uvicorn,
    UvicornWsproto,
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
pub(super) const CONTENDERS: [Contender; 15] = [
    Contender::Floor,
    Contender::FrameworkAlone,
    Contender::Without,
    Contender::Uvicorn,
    Contender::UvicornWsproto,
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
pub(super) const PACKAGES: [&str; 14] = [
    "corrente",
    "uvicorn",
    "uvicorn-worker",
    "uvloop",
    "httptools",
    "websockets",
    "wsproto",
    "granian",
    "hypercorn",
    "gunicorn",
    "fastpysgi",
    "socketify",
    "starlette",
    "fastapi",
];

impl Contender {
    /// What `serving.py` calls it.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Without => Self::Corrente.name(),
            other => other.name(),
        }
    }

    /// The name of its line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::FrameworkAlone => "framework alone",
            Self::Without => "without it",
            Self::Uvicorn => "uvicorn",
            Self::UvicornWsproto => "uvicorn-wsproto",
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
            Self::Uvicorn | Self::UvicornWsproto => Some("uvicorn"),
            Self::GranianAsgi | Self::GranianWsgi => Some("granian"),
            Self::Hypercorn => Some("hypercorn"),
            Self::GunicornSync => Some("gunicorn"),
            Self::GunicornUvicorn => Some("uvicorn-worker"),
            Self::FastpysgiAsgi | Self::FastpysgiWsgi => Some("fastpysgi"),
            Self::SocketifyAsgi | Self::SocketifyWsgi => Some("socketify"),
            Self::Corrente | Self::Without => Some("corrente"),
        }
    }

    /// Whether ours has to be better.
    pub(super) fn is_rival(self) -> bool {
        !self.is_mark() && self != Self::Corrente
    }

    /// Whether it only stands beside the servers.
    pub(super) fn is_mark(self) -> bool {
        matches!(self, Self::Floor | Self::FrameworkAlone | Self::Without)
    }

    /// Whether a SIGHUP makes it replace its workers.
    pub(super) fn reloads(self) -> bool {
        matches!(
            self,
            Self::Uvicorn | Self::GranianAsgi | Self::GunicornUvicorn | Self::Corrente
        )
    }

    /// Whether it is installed: a server may have nothing for this version of Python.
    pub(super) fn is_in(self, versions: &Versions) -> bool {
        self.package().is_none_or(|name| versions.holds(name))
    }

    /// Whether it calls applications by this interface and is spoken to by this protocol.
    pub(super) fn speaks(self, interface: Interface, protocol: Protocol) -> bool {
        let other = match self {
            Self::Floor | Self::FrameworkAlone | Self::Without | Self::Corrente => return true,
            Self::GranianWsgi | Self::GunicornSync | Self::FastpysgiWsgi | Self::SocketifyWsgi => {
                return interface == Interface::Wsgi && protocol == Protocol::Http1;
            }
            Self::FastpysgiAsgi => None,
            // What its other rows measure is not WebSocket's affair.
            Self::UvicornWsproto => return protocol == Protocol::WebSocket,
            Self::Uvicorn | Self::GunicornUvicorn | Self::SocketifyAsgi => {
                Some(Protocol::WebSocket)
            }
            Self::GranianAsgi | Self::Hypercorn => Some(protocol),
        };
        let speaks = protocol == Protocol::Http1 || other == Some(protocol);
        interface == Interface::Asgi && speaks
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
            let speaks = [Interface::Asgi, Interface::Wsgi];
            let speaks = speaks.map(|one| contender.speaks(one, Protocol::Http1));
            assert_eq!(
                speaks == [true, true],
                !contender.is_rival(),
                "{contender:?}"
            );
        }
    }

    #[test]
    fn few_speak_more_than_one_protocol() {
        let others = |protocol| {
            let rivals = CONTENDERS.into_iter().filter(|one| one.is_rival());
            let speaking = rivals.filter(|one| one.speaks(Interface::Asgi, protocol));
            speaking.map(Contender::name).collect::<Vec<_>>()
        };
        assert_eq!(others(Protocol::Http2), ["granian-asgi", "hypercorn"]);
        let expected = [
            "uvicorn",
            "uvicorn-wsproto",
            "granian-asgi",
            "hypercorn",
            "gunicorn-uvicorn",
            "socketify-asgi",
        ];
        assert_eq!(others(Protocol::WebSocket), expected);
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
