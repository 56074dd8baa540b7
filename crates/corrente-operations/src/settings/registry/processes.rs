//! Workers and their lives, and what is for development only.
//!
//! Declarations only; the rules of replacing are in `supervisor`.

use super::Entry;
use super::Group::{Development, Processes};
use crate::settings::kind::{Bounds, Kind};

const MANY: Bounds = Bounds::new(1, 1_000_000_000);

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        "workers",
        Kind::NumberOrAuto,
        Processes,
        "Workers; `auto` is one for each processor that this process may use",
    )
    .default("1")
    .letter('w')
    .gunicorn(&["--workers"])
    .uvicorn(&["--workers"])
    .granian(&["--workers"]),
    Entry::new(
        "workers-as",
        Kind::Choice(&["processes", "threads"]),
        Processes,
        "What workers are: processes, or on a free-threaded Python threads of one process, each with a loop of its own",
    )
    .for_good()
    .default("processes"),
    Entry::new(
        "threads",
        Kind::Number(Bounds::new(1, 1024)),
        Processes,
        "Threads for WSGI in each worker; with 1 it runs in the loop's own thread",
    )
    .default("1")
    .gunicorn(&["--threads"])
    .granian(&["--blocking-threads"]),
    Entry::new(
        "max-requests",
        Kind::NumberOrOff(MANY),
        Processes,
        "A worker is replaced after so many requests",
    )
    .default("off")
    .gunicorn(&["--max-requests"])
    .uvicorn(&["--limit-max-requests"]),
    Entry::new(
        "max-requests-jitter",
        Kind::Number(Bounds::new(0, 1_000_000_000)),
        Processes,
        "Up to so many requests more, by chance, so that workers do not go together",
    )
    .default("0")
    .gunicorn(&["--max-requests-jitter"])
    .uvicorn(&["--limit-max-requests-jitter"]),
    Entry::new(
        "max-lifetime",
        Kind::DurationOrOff,
        Processes,
        "A worker is replaced when it is this old, give or take a tenth",
    )
    .default("off")
    .granian(&["--workers-lifetime"]),
    Entry::new(
        "max-memory",
        Kind::SizeOrOff,
        Processes,
        "A worker is replaced when it holds more memory (RSS), looked at every 10 s",
    )
    .default("off")
    .granian(&["--workers-max-rss"]),
    Entry::new(
        "pid-file",
        Kind::Text,
        Processes,
        "Writes the process id of the parent into this file, and removes it at the end",
    )
    .for_good()
    .gunicorn(&["--pid"])
    .granian(&["--pid-file"]),
    Entry::new(
        "reload",
        Kind::Switch,
        Development,
        "Replaces the workers when a file changes, looked at every 0.5 s",
    )
    .for_good()
    .default("off")
    .gunicorn(&["--reload"])
    .uvicorn(&["--reload"])
    .granian(&["--reload", "--no-reload"]),
    Entry::new(
        "reload-dir",
        Kind::Texts,
        Development,
        "Folders to watch; without it the folder of the application",
    )
    .for_good()
    .gunicorn(&["--reload-extra-file"])
    .uvicorn(&["--reload-dir"])
    .granian(&["--reload-paths"]),
    Entry::new(
        "reload-include",
        Kind::Texts,
        Development,
        "Names of files to watch; `*` stands for anything",
    )
    .for_good()
    .default("*.py")
    .uvicorn(&["--reload-include"]),
    Entry::new(
        "reload-exclude",
        Kind::Texts,
        Development,
        "Names of files and folders not to watch, besides hidden ones and __pycache__",
    )
    .for_good()
    .uvicorn(&["--reload-exclude"])
    .granian(&[
        "--reload-ignore-dirs",
        "--reload-ignore-patterns",
        "--reload-ignore-paths",
    ]),
];
