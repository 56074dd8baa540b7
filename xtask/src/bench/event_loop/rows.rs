//! What is measured: the rows of the tables, how each is measured, and its goal.
//!
//! Data only. A family is a table: its rows have one unit, and either more or less of it is better.
//! The goals are those that the loop was begun with; a ratio is always ours over the other's.

use super::contender::Contender;
pub(super) use crate::bench::figures::Better;

/// A table.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    /// What the table holds, with its unit.
    pub(super) title: &'static str,
    pub(super) better: Better,
    /// What the second table holds, where there is one: thousands a second.
    pub(super) rate: Option<&'static str>,
    pub(super) rows: &'static [Row],
}

/// A line of a table.
#[derive(Debug)]
pub(super) struct Row {
    /// As on the command line.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) how: How,
    pub(super) goals: &'static [Goal],
}

/// Ours over what `against` says: at least or at most `bar`, as the family has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub(super) against: Against,
    /// `None` where the ratio is shown and nothing was set.
    pub(super) bar: Option<f64>,
}

/// What ours is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// The best of all rivals in this row.
    Best,
    Named(Contender),
    /// Nothing: the figure is a ratio itself.
    Itself,
}

/// How a row is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum How {
    /// Operations of the process itself, told in so many a second.
    Within { unit_per_s: f64 },
    /// A server under load.
    Served { server: Server, load: Load },
    /// Bytes of memory for each of many idle connections, in KiB.
    IdleMemory,
    /// What is left of the rate when they are there.
    IdleRate,
    /// A client that asks, of this kind of `clients.py`.
    Asking { kind: &'static str },
}

/// A program that serves, and what serves the same without a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) program: &'static str,
    pub(super) kind: &'static str,
    pub(super) floor: Bare,
}

/// A server without a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    Absent,
    /// `corrente lab serve-echo`.
    Tcp,
    Unix,
    Udp,
    /// `bare_tls.c`.
    Tls,
}

/// What a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// Messages of so many bytes, on connections that stay.
    Messages(u32),
    /// A connection for each message.
    Connections(u32),
    /// Messages that only `ping_pong.py` can send, of its kind.
    PingPong(&'static str, u32),
    /// Requests.
    Http,
}

const fn best(bar: f64) -> Goal {
    Goal {
        against: Against::Best,
        bar: Some(bar),
    }
}

const fn named(contender: Contender, bar: f64) -> Goal {
    Goal {
        against: Against::Named(contender),
        bar: Some(bar),
    }
}

const fn floor(bar: f64) -> Goal {
    named(Contender::Floor, bar)
}

/// Shown for the reader; a floor of the interpreter is not reached by a loop.
const FLOOR: Goal = Goal {
    against: Against::Named(Contender::Floor),
    bar: None,
};

const FAST: &[Goal] = &[best(1.2), FLOOR];
const NO_WORSE: &[Goal] = &[best(1.0), FLOOR];

const fn echo(kind: &'static str, bare: Bare) -> Server {
    Server {
        program: "echo.py",
        kind,
        floor: bare,
    }
}

const fn row(name: &'static str, title: &'static str, how: How, goals: &'static [Goal]) -> Row {
    Row {
        name,
        title,
        how,
        goals,
    }
}

const fn serving(server: Server, load: Load) -> How {
    How::Served { server, load }
}

const KIB: u32 = 1024;
const PROTOCOL: Server = echo("protocol", Bare::Tcp);
const BUFFERED: Server = echo("buffered", Bare::Tcp);
const STREAMS: Server = echo("streams", Bare::Tcp);
const SOCKETS: Server = echo("sockets", Bare::Tcp);
const UNIX: Server = echo("unix", Bare::Unix);
const UNIX_BUFFERED: Server = echo("unix-buffered", Bare::Unix);
const DATAGRAMS: Server = echo("datagrams", Bare::Udp);
const TLS: Server = echo("tls", Bare::Tls);

const fn application(kind: &'static str) -> Server {
    Server {
        program: "applications.py",
        kind,
        floor: Bare::Absent,
    }
}

/// As little as a server without a loop, and less than every rival.
const LIKE_BARE: &[Goal] = &[best(1.0), floor(1.10)];
/// 1.3 times as good, in processor time: 1 / 1.3.
const STREAMS_GOALS: &[Goal] = &[named(Contender::Uvloop, 0.77), floor(1.4)];
const SOCKETS_GOALS: &[Goal] = &[named(Contender::Rloop, 0.77), floor(1.5)];
/// 1.1 times as good as the best: 1 / 1.1.
const TLS_GOALS: &[Goal] = &[best(0.91), FLOOR];
/// The first where the loop is a fifth of the work or more, the second everywhere.
const APPLICATION: &[Goal] = &[
    named(Contender::Uvloop, 0.91),
    named(Contender::Uvloop, 1.0),
];
const IDLE_MEMORY: &[Goal] = &[named(Contender::Uvloop, 1.0)];
const IDLE_RATE: &[Goal] = &[Goal {
    against: Against::Itself,
    bar: Some(0.95),
}];

const MILLIONS: How = How::Within { unit_per_s: 1e6 };
const THOUSANDS: How = How::Within { unit_per_s: 1e3 };

/// The server of the rows with idle connections.
pub(super) const IDLE_SERVER: Server = PROTOCOL;
/// What the active connections send meanwhile.
pub(super) const IDLE_LOAD: Load = Load::Messages(KIB);

/// All tables, in their order.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "scheduling",
        title: "Scheduling, millions a second (more is better), one process on CPU 0",
        better: Better::More,
        rate: None,
        rows: &[
            row("call-soon", "call_soon, burst", MILLIONS, FAST),
            row("chain", "ready chain", MILLIONS, FAST),
            row("chain-idle", "ready chain, 250 idle", MILLIONS, FAST),
            row("timer-cancel", "timer, cancelled", MILLIONS, FAST),
            row("due-timers", "timers due together", MILLIONS, FAST),
            row("sleep-0", "sleep(0)", MILLIONS, FAST),
            row("create-task", "create_task, awaited", MILLIONS, FAST),
            row("threadsafe", "thread-safe calls", MILLIONS, FAST),
        ],
    },
    Family {
        name: "waits",
        title: "Short waits, thousands a second (more is better), one process on CPU 0",
        better: Better::More,
        rate: None,
        rows: &[
            row("executor", "run_in_executor", THOUSANDS, NO_WORSE),
            row("getaddrinfo", "getaddrinfo, literal", THOUSANDS, NO_WORSE),
            row("subprocess", "spawn and wait", THOUSANDS, NO_WORSE),
        ],
    },
    Family {
        name: "echo",
        title: "Echo, µs of server CPU a message (less is better), 50 connections",
        better: Better::Less,
        rate: Some("The same, thousands of messages a second"),
        rows: &[
            row(
                "protocol-1",
                "protocol, 1 KiB",
                serving(PROTOCOL, Load::Messages(KIB)),
                LIKE_BARE,
            ),
            row(
                "protocol-10",
                "protocol, 10 KiB",
                serving(PROTOCOL, Load::Messages(10 * KIB)),
                LIKE_BARE,
            ),
            row(
                "protocol-100",
                "protocol, 100 KiB",
                serving(PROTOCOL, Load::Messages(100 * KIB)),
                LIKE_BARE,
            ),
            row(
                "buffered-1",
                "buffered, 1 KiB",
                serving(BUFFERED, Load::Messages(KIB)),
                LIKE_BARE,
            ),
            row(
                "buffered-10",
                "buffered, 10 KiB",
                serving(BUFFERED, Load::Messages(10 * KIB)),
                LIKE_BARE,
            ),
            row(
                "buffered-100",
                "buffered, 100 KiB",
                serving(BUFFERED, Load::Messages(100 * KIB)),
                LIKE_BARE,
            ),
            row(
                "streams-1",
                "streams, 1 KiB",
                serving(STREAMS, Load::Messages(KIB)),
                STREAMS_GOALS,
            ),
            row(
                "streams-10",
                "streams, 10 KiB",
                serving(STREAMS, Load::Messages(10 * KIB)),
                STREAMS_GOALS,
            ),
            row(
                "streams-100",
                "streams, 100 KiB",
                serving(STREAMS, Load::Messages(100 * KIB)),
                STREAMS_GOALS,
            ),
            row(
                "sockets-1",
                "sock_recv, 1 KiB",
                serving(SOCKETS, Load::Messages(KIB)),
                SOCKETS_GOALS,
            ),
            row(
                "sockets-10",
                "sock_recv, 10 KiB",
                serving(SOCKETS, Load::Messages(10 * KIB)),
                SOCKETS_GOALS,
            ),
            row(
                "sockets-100",
                "sock_recv, 100 KiB",
                serving(SOCKETS, Load::Messages(100 * KIB)),
                SOCKETS_GOALS,
            ),
            row(
                "unix-1",
                "Unix, 1 KiB",
                serving(UNIX, Load::Messages(KIB)),
                LIKE_BARE,
            ),
            row(
                "unix-10",
                "Unix, 10 KiB",
                serving(UNIX, Load::Messages(10 * KIB)),
                LIKE_BARE,
            ),
            row(
                "unix-100",
                "Unix, 100 KiB",
                serving(UNIX, Load::Messages(100 * KIB)),
                LIKE_BARE,
            ),
            row(
                "unix-buffered-1",
                "Unix buffered, 1 KiB",
                serving(UNIX_BUFFERED, Load::Messages(KIB)),
                LIKE_BARE,
            ),
            row(
                "unix-buffered-10",
                "Unix buffered, 10 KiB",
                serving(UNIX_BUFFERED, Load::Messages(10 * KIB)),
                LIKE_BARE,
            ),
            row(
                "unix-buffered-100",
                "Unix buffered, 100 KiB",
                serving(UNIX_BUFFERED, Load::Messages(100 * KIB)),
                LIKE_BARE,
            ),
            row(
                "datagrams",
                "UDP, 1 KiB",
                serving(DATAGRAMS, Load::Messages(KIB)),
                NO_WORSE,
            ),
            row(
                "accept",
                "a connection each",
                serving(PROTOCOL, Load::Connections(KIB)),
                NO_WORSE,
            ),
        ],
    },
    Family {
        name: "tls",
        title: "TLS echo, µs of server CPU a message (less is better), 50 connections",
        better: Better::Less,
        rate: Some("The same, thousands of messages a second"),
        rows: &[
            row(
                "tls-1",
                "TLS, 1 KiB",
                serving(TLS, Load::PingPong("tls", KIB)),
                TLS_GOALS,
            ),
            row(
                "tls-10",
                "TLS, 10 KiB",
                serving(TLS, Load::PingPong("tls", 10 * KIB)),
                TLS_GOALS,
            ),
            row(
                "tls-100",
                "TLS, 100 KiB",
                serving(TLS, Load::PingPong("tls", 100 * KIB)),
                TLS_GOALS,
            ),
        ],
    },
    Family {
        name: "memory",
        title: "10,000 idle connections: KiB each (less is better)",
        better: Better::Less,
        rate: None,
        rows: &[row(
            "idle-memory",
            "memory a connection",
            How::IdleMemory,
            IDLE_MEMORY,
        )],
    },
    Family {
        name: "idle",
        title: "50 active of 10,050 connections: rate over that of 50 alone",
        better: Better::More,
        rate: None,
        rows: &[row(
            "idle-rate",
            "rate that is left",
            How::IdleRate,
            IDLE_RATE,
        )],
    },
    Family {
        name: "applications",
        title: "Applications, µs of CPU a request (less is better)",
        better: Better::Less,
        rate: Some("The same, thousands of requests a second"),
        rows: &[
            row(
                "uvicorn",
                "Uvicorn, plain text",
                serving(application("uvicorn"), Load::Http),
                APPLICATION,
            ),
            row(
                "aiohttp",
                "aiohttp, server",
                serving(application("aiohttp"), Load::Http),
                APPLICATION,
            ),
            row(
                "websockets",
                "websockets, 1 KiB",
                serving(application("websockets"), Load::PingPong("websocket", KIB)),
                APPLICATION,
            ),
            row(
                "aiohttp-client",
                "aiohttp, client",
                How::Asking { kind: "aiohttp" },
                APPLICATION,
            ),
            row(
                "asyncpg",
                "asyncpg, client",
                How::Asking { kind: "asyncpg" },
                APPLICATION,
            ),
        ],
    },
];

/// The rows that a word of the command line names: one row, all of a kind, or a whole table.
pub(super) fn named_by(word: &str) -> Vec<&'static Row> {
    let all = FAMILIES
        .iter()
        .flat_map(|family| family.rows.iter().map(move |row| (family, row)));
    let is_meant = |family: &Family, row: &Row| {
        let kind = row.name.rsplit_once('-').map(|(kind, _)| kind);
        family.name == word || row.name == word || kind == Some(word)
    };
    all.filter(|(family, row)| is_meant(family, row))
        .map(|(_, row)| row)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_and_fits_the_table() {
        let rows: Vec<&Row> = FAMILIES.iter().flat_map(|family| family.rows).collect();
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows.len());
        for row in rows {
            assert!(row.title.chars().count() <= 22, "{}", row.title);
            assert!(!row.goals.is_empty(), "{}", row.name);
        }
        for family in FAMILIES {
            assert!(family.title.chars().count() <= 80, "{}", family.title);
        }
    }

    #[test]
    fn a_word_names_a_row_a_kind_or_a_table() {
        let names =
            |word: &str| -> Vec<&str> { named_by(word).into_iter().map(|row| row.name).collect() };
        assert_eq!(names("protocol-10"), ["protocol-10"]);
        assert_eq!(names("unix"), ["unix-1", "unix-10", "unix-100"]);
        assert_eq!(names("waits"), ["executor", "getaddrinfo", "subprocess"]);
        assert_eq!(names("other"), [""; 0]);
    }
}
