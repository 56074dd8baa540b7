//! What is measured: the rows, what each asks of which application, and its goals.
//!
//! Data only. A row is a table of its own, a line for each contender. The goals are those that the
//! server was begun with; a ratio is always ours over the other's.

use super::contender::{Contender, Interface, Protocol};

/// A table.
#[derive(Debug)]
pub(super) struct Row {
    /// As on the command line.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) application: Application,
    pub(super) how: How,
    pub(super) goals: &'static [Goal],
}

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Application {
    /// `MODULE:NAME`, a program of `bench/server`.
    pub(super) name: &'static str,
    pub(super) interface: Interface,
    pub(super) protocol: Protocol,
    pub(super) transport: Transport,
    /// Kept by a process of their own; `None` is a server in one process, where it can be.
    pub(super) workers: Option<u32>,
    /// Of ours alone; `{start}` is another number for each server that is started.
    pub(super) options: &'static [&'static str],
    pub(super) mark: Mark,
}

/// What carries the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Plain,
    Tls,
}

/// What stands beside the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Absent,
    /// The bare server, which answers 13 bytes to whatever comes.
    Floor,
    /// The framework without a server.
    FrameworkAlone,
    /// Ours without the options, and nobody else.
    Without,
}

/// How a row is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Processor time of a request under load.
    Served(Load),
    /// The same, of pairs with a setting and without.
    Paired(Load),
    /// Requests that are lost while workers are replaced.
    Reload(Load),
    /// Memory of each of many idle connections.
    IdleMemory,
    /// What is left of the rate beside them.
    IdleRate,
}

/// What a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) path: &'static str,
    pub(super) asked: Asked,
    pub(super) connections: u32,
    /// What `checking.py` calls the answer.
    pub(super) answer: &'static str,
    /// How often it is checked, which warms the server up.
    pub(super) checks: u32,
}

/// What goes over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// One request after another, with so many bytes of body; none is a GET.
    Requests { body_bytes: usize },
    /// So many requests at once, by HTTP/2.
    Streams { at_once: u32 },
    /// One message after another, over a WebSocket.
    Messages(Messages),
}

/// Messages, in the words of `corrente load`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Messages {
    pub(super) kind: &'static str,
    pub(super) bytes: u32,
    pub(super) compression: &'static str,
}

impl Messages {
    /// As `checking.py` has them.
    pub(super) fn name(self) -> String {
        format!("{}-{}-{}", self.kind, self.bytes, self.compression)
    }
}

/// Ours over what `against` says, in what the row measures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub(super) against: Against,
    pub(super) bar: f64,
}

/// What ours is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// The best of all rivals in this row.
    Best,
    Named(Contender),
    /// The difference, not the ratio.
    Beyond(Contender),
    /// The least share of a rival's own: its total less the framework alone, as is ours.
    BestShare,
    /// Nothing: the figure is a ratio itself.
    Itself,
    /// Nothing: the figure is a count, of which the largest is judged.
    Count,
}

impl How {
    /// The unit of the first figure.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Served(_) | Self::Paired(_) => "CPU µs",
            Self::Reload(_) => "lost",
            Self::IdleMemory => "KiB each",
            Self::IdleRate => "of alone",
        }
    }

    /// Whether less of it is better.
    pub(super) fn is_cost(self) -> bool {
        self != Self::IdleRate
    }
}

const fn goal(against: Against, bar: f64) -> Goal {
    Goal { against, bar }
}

const KIB: usize = 1024;
const SMALL: Load = Load {
    path: "/",
    asked: Asked::Requests { body_bytes: 0 },
    connections: 64,
    answer: "hello",
    checks: 300,
};
const JSON: Load = Load {
    answer: "json",
    ..SMALL
};
/// Few connections: what is under way when the time is over is not counted.
const LARGE: Load = Load {
    connections: 8,
    checks: 20,
    ..SMALL
};

const RAW: Application = Application {
    name: "raw_apps:asgi",
    interface: Interface::Asgi,
    protocol: Protocol::Http1,
    transport: Transport::Plain,
    workers: None,
    options: &[],
    mark: Mark::Floor,
};
const RAW_TLS: Application = Application {
    transport: Transport::Tls,
    mark: Mark::Absent,
    ..RAW
};
const RAW_WSGI: Application = Application {
    name: "raw_apps:wsgi",
    interface: Interface::Wsgi,
    ..RAW
};

const RAW_STREAMS: Application = Application {
    protocol: Protocol::Http2,
    mark: Mark::Absent,
    ..RAW
};
const RAW_STREAMS_TLS: Application = Application {
    transport: Transport::Tls,
    ..RAW_STREAMS
};
const WEBSOCKETS: Application = Application {
    name: "websocket_apps:echo",
    protocol: Protocol::WebSocket,
    mark: Mark::Absent,
    ..RAW
};

const RAW_WORKERS: Application = Application {
    workers: Some(2),
    mark: Mark::Absent,
    ..RAW
};

const fn with(options: &'static [&'static str]) -> Application {
    Application {
        workers: Some(1),
        options,
        mark: Mark::Without,
        ..RAW
    }
}

const fn framework(name: &'static str, interface: Interface) -> Application {
    Application {
        name,
        interface,
        protocol: Protocol::Http1,
        transport: Transport::Plain,
        workers: None,
        options: &[],
        mark: Mark::FrameworkAlone,
    }
}

/// Eight clients, as many streams of each.
const STREAMS: Load = Load {
    asked: Asked::Streams { at_once: 8 },
    connections: 8,
    ..SMALL
};

const fn messages(messages: Messages) -> How {
    How::Served(Load {
        asked: Asked::Messages(messages),
        connections: 32,
        answer: "echo",
        // Enough to warm up, and not much of 64 KiB.
        checks: 100,
        ..SMALL
    })
}

/// What people write to each other.
const SMALL_MESSAGE: Messages = Messages {
    kind: "text",
    bytes: 100,
    compression: "off",
};
const LARGE_MESSAGE: Messages = Messages {
    kind: "binary",
    bytes: 64 * 1024,
    compression: "off",
};

const AHEAD: &[Goal] = &[goal(Against::Best, 1.0)];
const HALF_SHARE: &[Goal] = &[goal(Against::BestShare, 0.5)];

/// The load of the rows with idle connections.
pub(super) const IDLE_LOAD: Load = SMALL;

/// All rows, in their order.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "raw-asgi",
        title: "Raw ASGI, 13 bytes, 64 connections",
        application: RAW,
        how: How::Served(SMALL),
        goals: &[
            goal(Against::Best, 0.55),
            goal(Against::Named(Contender::Floor), 1.5),
        ],
    },
    Row {
        name: "raw-wsgi",
        title: "Raw WSGI, 13 bytes, 64 connections",
        application: RAW_WSGI,
        how: How::Served(SMALL),
        goals: &[
            goal(Against::Best, 1.0),
            goal(Against::Named(Contender::Floor), 1.4),
        ],
    },
    Row {
        name: "starlette",
        title: "Starlette, JSON, 64 connections",
        application: framework("with_starlette:app", Interface::Asgi),
        how: How::Served(JSON),
        goals: &[goal(Against::Named(Contender::Uvicorn), 0.6)],
    },
    Row {
        name: "fastapi",
        title: "FastAPI, JSON, 64 connections",
        application: framework("with_fastapi:app", Interface::Asgi),
        how: How::Served(JSON),
        goals: HALF_SHARE,
    },
    Row {
        name: "flask",
        title: "Flask, JSON, 64 connections",
        application: framework("with_flask:app", Interface::Wsgi),
        how: How::Served(JSON),
        goals: HALF_SHARE,
    },
    Row {
        name: "echo",
        title: "Raw ASGI, 10 KiB there and back, 64 connections",
        application: RAW,
        how: How::Served(Load {
            path: "/echo",
            asked: Asked::Requests {
                body_bytes: 10 * KIB,
            },
            answer: "echo",
            ..SMALL
        }),
        goals: AHEAD,
    },
    Row {
        name: "upload",
        title: "Raw ASGI, 1 MiB there, 8 connections",
        application: RAW,
        how: How::Served(Load {
            path: "/upload",
            asked: Asked::Requests {
                body_bytes: KIB * KIB,
            },
            answer: "upload",
            ..LARGE
        }),
        goals: AHEAD,
    },
    Row {
        name: "stream",
        title: "Raw ASGI, 64 chunks of 16 KiB back, 8 connections",
        application: RAW,
        how: How::Served(Load {
            path: "/stream",
            answer: "stream",
            ..LARGE
        }),
        goals: AHEAD,
    },
    Row {
        name: "file",
        title: "Raw ASGI, a file of 50 kB (by pathsend where the server has it), 64 connections",
        application: RAW,
        how: How::Served(Load {
            path: "/file",
            answer: "file",
            ..SMALL
        }),
        goals: AHEAD,
    },
    Row {
        name: "tls",
        title: "Raw ASGI, 13 bytes over TLS, 64 connections",
        application: RAW_TLS,
        how: How::Served(SMALL),
        goals: AHEAD,
    },
    Row {
        name: "http2",
        title: "Raw ASGI, 13 bytes over HTTP/2, by prior knowledge, 8 connections of 8 streams",
        application: RAW_STREAMS,
        how: How::Served(STREAMS),
        goals: AHEAD,
    },
    Row {
        name: "http2-tls",
        title: "The same over TLS, by ALPN",
        application: RAW_STREAMS_TLS,
        how: How::Served(STREAMS),
        goals: AHEAD,
    },
    Row {
        name: "ws-small",
        title: "WebSocket echo, 32 clients, 100 bytes of text",
        application: WEBSOCKETS,
        how: messages(SMALL_MESSAGE),
        goals: AHEAD,
    },
    Row {
        name: "ws-small-deflate",
        title: "The same with permessage-deflate, where the server agrees on it by default",
        application: WEBSOCKETS,
        how: messages(Messages {
            compression: "deflate",
            ..SMALL_MESSAGE
        }),
        goals: AHEAD,
    },
    Row {
        name: "ws-64",
        title: "WebSocket echo, 32 clients, 64 KiB of bytes",
        application: WEBSOCKETS,
        how: messages(LARGE_MESSAGE),
        goals: AHEAD,
    },
    Row {
        name: "ws-64-deflate",
        title: "The same with permessage-deflate, where the server agrees on it by default",
        application: WEBSOCKETS,
        how: messages(Messages {
            compression: "deflate",
            ..LARGE_MESSAGE
        }),
        goals: AHEAD,
    },
    Row {
        name: "idle-memory",
        title: "Memory of the processes, by each of 10,000 idle keep-alive connections",
        application: RAW,
        how: How::IdleMemory,
        goals: AHEAD,
    },
    Row {
        name: "idle-rate",
        title: "Rate of 64 active connections beside 10,000 idle ones, over that without them",
        application: RAW,
        how: How::IdleRate,
        goals: &[goal(Against::Itself, 0.95)],
    },
    Row {
        name: "reload",
        title: "500 users, 2 workers, replaced in the middle: requests that are lost",
        application: RAW_WORKERS,
        how: How::Reload(Load {
            connections: 500,
            ..SMALL
        }),
        goals: &[goal(Against::Count, 0.0)],
    },
    Row {
        name: "gauge",
        title: "Raw ASGI, 13 bytes, 64 connections, with `--gauge FILE`",
        application: with(&["--gauge", "gauge-{start}.json"]),
        how: How::Paired(SMALL),
        goals: &[goal(Against::Named(Contender::Without), 1.02)],
    },
    Row {
        name: "access-log",
        title: "Raw ASGI, 13 bytes, 64 connections, with `--access-log FILE`",
        application: with(&["--access-log", "access-{start}.log"]),
        how: How::Paired(SMALL),
        goals: &[goal(Against::Beyond(Contender::Without), 2.0)],
    },
];

/// The rows that a word of the command line names: one row, or all of a kind.
pub(super) fn named_by(word: &str) -> Vec<&'static Row> {
    let is_meant = |row: &&Row| {
        let kind = row.name.split_once('-').map(|(kind, _)| kind);
        row.name == word || kind == Some(word)
    };
    ROWS.iter().filter(is_meant).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_and_fits_the_line() {
        let names: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        for row in ROWS {
            assert!(row.title.chars().count() <= 80, "{}", row.title);
            assert!(!row.goals.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn a_share_needs_the_framework_alone() {
        for row in ROWS {
            let is_share = row
                .goals
                .iter()
                .any(|goal| goal.against == Against::BestShare);
            assert!(!is_share || row.application.mark == Mark::FrameworkAlone);
        }
    }

    #[test]
    fn a_word_names_a_row_or_a_kind() {
        let names =
            |word: &str| -> Vec<&str> { named_by(word).into_iter().map(|row| row.name).collect() };
        assert_eq!(names("echo"), ["echo"]);
        assert_eq!(names("raw"), ["raw-asgi", "raw-wsgi"]);
        assert_eq!(names("idle"), ["idle-memory", "idle-rate"]);
        assert_eq!(names("http2"), ["http2", "http2-tls"]);
        assert_eq!(names("other"), [""; 0]);
    }
}
