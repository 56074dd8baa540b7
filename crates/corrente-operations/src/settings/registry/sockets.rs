//! Where the server listens.
//!
//! Declarations only; binding is in `listen`.

use super::Entry;
use super::Group::Sockets;
use crate::settings::kind::{Bounds, Kind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        "bind",
        Kind::Addresses,
        Sockets,
        "Where to listen: HOST:PORT, [IPV6]:PORT, :PORT for all, unix:PATH, unix:@NAME, fd://N; may be repeated",
    )
    .for_good()
    .default("127.0.0.1:8000")
    .letter('b')
    .gunicorn(&["--bind"])
    .uvicorn(&["--host", "--port", "--uds"])
    .granian(&["--host", "--port", "--uds"]),
    Entry::new(
        "fd",
        Kind::Descriptors,
        Sockets,
        "Listens on an open descriptor, as fd://N does; sockets of systemd (LISTEN_FDS) are found by themselves",
    )
    .for_good()
    .uvicorn(&["--fd"]),
    Entry::new(
        "backlog",
        Kind::Number(Bounds::new(1, 65_535)),
        Sockets,
        "Connections that may wait to be taken; the kernel cuts it to net.core.somaxconn",
    )
    .for_good()
    .default("2048")
    .gunicorn(&["--backlog"])
    .uvicorn(&["--backlog"])
    .granian(&["--backlog"]),
    Entry::new(
        "unix-permissions",
        Kind::Permissions,
        Sockets,
        "Permissions of Unix sockets; a proxy of the same group may connect by default",
    )
    .for_good()
    .default("660")
    .gunicorn(&["--umask"])
    .granian(&["--uds-permissions"]),
    Entry::new(
        "reuse-port",
        Kind::Switch,
        Sockets,
        "Lets another server listen on the same port (SO_REUSEPORT), to change over between two",
    )
    .for_good()
    .default("off")
    .gunicorn(&["--reuse-port"]),
];
