//! Logs and measurements.
//!
//! Declarations only; the atoms of the format are in `log`.

use super::Entry;
use super::Group::Logging;
use crate::settings::kind::Kind;

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        "access-log",
        Kind::Text,
        Logging,
        "Where requests are logged: a file, `-` for standard output, or `off`",
    )
    .default("off")
    .gunicorn(&["--access-logfile"])
    .uvicorn(&["--access-log", "--no-access-log"])
    .granian(&["--access-log", "--no-access-log"]),
    Entry::new(
        "access-log-format",
        Kind::Text,
        Logging,
        "`common`, `combined`, `json`, or a format string with Gunicorn's atoms",
    )
    .default("combined")
    .gunicorn(&["--access-logformat"])
    .granian(&["--access-log-fmt"]),
    Entry::new(
        "log-level",
        Kind::Choice(&["debug", "info", "warning", "error"]),
        Logging,
        "The least important of the server's own messages that is shown",
    )
    .default("info")
    .gunicorn(&["--log-level"])
    .uvicorn(&["--log-level"])
    .granian(&["--log-level"]),
    Entry::new(
        "log-file",
        Kind::Text,
        Logging,
        "Where the server's own messages go: a file, or `-` for standard error",
    )
    .default("-")
    .gunicorn(&["--error-logfile", "--log-file"]),
    Entry::new(
        "stall-log",
        Kind::DurationOrOff,
        Logging,
        "Tells of whatever holds up a worker's event loop for so long (1 ms or more), with request and stack",
    )
    .default("off"),
    Entry::new(
        "gauge",
        Kind::Text,
        Logging,
        "Records what endpoints cost and wait for into this file, for `corrente gauge report`",
    )
    .for_good(),
];
