//! What is served: the application, how it is found, and what stands beside it.
//!
//! Declarations only; what they mean is in the modules that use them.

use super::Entry;
use super::Group::Application;
use crate::settings::kind::Kind;

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new("app", Kind::Target, Application, "The application to serve"),
    Entry::new(
        "factory",
        Kind::Switch,
        Application,
        "The attribute is a function without arguments that makes the application",
    )
    .default("off")
    .uvicorn(&["--factory"])
    .granian(&["--factory", "--no-factory"]),
    Entry::new(
        "interface",
        Kind::Choice(&["auto", "asgi", "wsgi"]),
        Application,
        "How the application is called; `auto` looks at its signature",
    )
    .default("auto")
    .gunicorn(&["--worker-class"])
    .uvicorn(&["--interface"])
    .granian(&["--interface"]),
    Entry::new(
        "app-dir",
        Kind::Text,
        Application,
        "The folder in which modules are looked for first",
    )
    .default(".")
    .gunicorn(&["--chdir", "--pythonpath"])
    .uvicorn(&["--app-dir"])
    .granian(&["--working-dir"]),
    Entry::new(
        "lifespan",
        Kind::Choice(&["auto", "on", "off"]),
        Application,
        "ASGI's lifespan; `auto` goes on without it where the application refuses it",
    )
    .default("auto")
    .gunicorn(&["--asgi-lifespan"])
    .uvicorn(&["--lifespan"]),
    Entry::new(
        "mount",
        Kind::Mounts,
        Application,
        "Serves another application, of either kind, below a prefix",
    ),
    Entry::new(
        "static",
        Kind::StaticFolders,
        Application,
        "Serves the files of a folder below a prefix, with ranges, ETags and `.br`, `.zst`, `.gz` beside them",
    )
    .granian(&["--static-path-route", "--static-path-mount"]),
    Entry::new(
        "static-max-age",
        Kind::DurationOrOff,
        Application,
        "How long clients may keep a static file without asking again",
    )
    .default("off")
    .granian(&["--static-path-expires"]),
    Entry::new(
        "root-path",
        Kind::Route,
        Application,
        "The path below which a proxy shows the application (ASGI's `root_path`, WSGI's `SCRIPT_NAME`)",
    )
    .gunicorn(&["--root-path"])
    .uvicorn(&["--root-path"])
    .granian(&["--url-path-prefix"]),
    Entry::new(
        "loop",
        Kind::Choice(&["corrente", "asyncio"]),
        Application,
        "The event loop; on `asyncio` requests go a longer way, to tell whose fault something is",
    )
    .default("corrente")
    .gunicorn(&["--asgi-loop"])
    .uvicorn(&["--loop"])
    .granian(&["--loop"]),
];
