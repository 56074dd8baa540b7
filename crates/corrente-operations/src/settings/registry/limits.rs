//! How long anything may take, and how much of anything is taken.
//!
//! Declarations only. Every limit has a default with a reason; what goes over it is answered with the
//! status that its help names.

use super::Entry;
use super::Group::{Limits, Timeouts, WebSocket};
use crate::settings::kind::{Bounds, Kind};

const COUNT: Bounds = Bounds::new(1, 10_000_000);

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        "header-timeout",
        Kind::DurationOrOff,
        Timeouts,
        "For a whole request head, from its first byte (408)",
    )
    .default("30s")
    .granian(&["--http1-header-read-timeout"]),
    Entry::new(
        "body-timeout",
        Kind::DurationOrOff,
        Timeouts,
        "Between two pieces of a request body that the application waits for (408)",
    )
    .default("60s"),
    Entry::new(
        "write-timeout",
        Kind::DurationOrOff,
        Timeouts,
        "For a client that takes nothing of a response",
    )
    .default("60s"),
    Entry::new(
        "idle-timeout",
        Kind::DurationOrOff,
        Timeouts,
        "For a kept connection between requests, 0 to keep none; longer than the 60 s of usual load balancers",
    )
    .default("75s")
    .gunicorn(&["--keep-alive"])
    .uvicorn(&["--timeout-keep-alive"])
    .granian(&["--http1-keep-alive", "--no-http1-keep-alive"]),
    Entry::new(
        "graceful-timeout",
        Kind::Duration,
        Timeouts,
        "For requests that run when a worker is to stop; then it is ended",
    )
    .default("30s")
    .gunicorn(&["--graceful-timeout"])
    .uvicorn(&["--timeout-graceful-shutdown"])
    .granian(&["--workers-kill-timeout"]),
    Entry::new(
        "startup-timeout",
        Kind::Duration,
        Timeouts,
        "For a worker to import the application and be ready",
    )
    .default("60s"),
    Entry::new(
        "hang-timeout",
        Kind::DurationOrOff,
        Timeouts,
        "For a worker whose event loop does not turn; then it is ended and replaced",
    )
    .default("60s")
    .gunicorn(&["--timeout"])
    .uvicorn(&["--timeout-worker-healthcheck"]),
    Entry::new(
        "max-headers",
        Kind::Number(COUNT),
        Limits,
        "Fields of a request head (431)",
    )
    .default("100")
    .gunicorn(&["--limit-request-fields"]),
    Entry::new(
        "max-head-bytes",
        Kind::Size,
        Limits,
        "A whole request head (431)",
    )
    .default("64KiB")
    .gunicorn(&["--limit-request-field_size", "--http2-max-header-list-size"])
    .uvicorn(&["--h11-max-incomplete-event-size"])
    .granian(&["--http1-buffer-size", "--http2-max-headers-size"]),
    Entry::new(
        "max-target-bytes",
        Kind::Size,
        Limits,
        "A request target (414); RFC 9112 wants 8000 to be taken",
    )
    .default("8KiB")
    .gunicorn(&["--limit-request-line"]),
    Entry::new(
        "max-body-bytes",
        Kind::SizeOrOff,
        Limits,
        "A request body (413); it is handed on in pieces, so this costs no memory",
    )
    .default("1GiB"),
    Entry::new(
        "min-body-rate",
        Kind::SizeOrOff,
        Limits,
        "Bytes a second of a request body, averaged over body-timeout, that a client has to send (408)",
    )
    .default("off"),
    Entry::new(
        "max-connection-requests",
        Kind::NumberOrOff(COUNT),
        Limits,
        "Requests over one connection; then it is closed, and clients spread over the workers anew",
    )
    .default("off"),
    Entry::new(
        "max-concurrent-requests",
        Kind::NumberOrOff(COUNT),
        Limits,
        "Requests that run at once in a worker (503)",
    )
    .default("off")
    .uvicorn(&["--limit-concurrency"]),
    Entry::new(
        "max-queued-requests",
        Kind::Number(COUNT),
        Limits,
        "Requests of a worker that wait for one of its threads for WSGI (503)",
    )
    .default("1024"),
    Entry::new(
        "max-connections",
        Kind::Number(COUNT),
        Limits,
        "Open connections of a worker; what comes then waits in the backlog",
    )
    .default("65536")
    .gunicorn(&["--worker-connections"])
    .granian(&["--backpressure"]),
    Entry::new(
        "ws-max-message-bytes",
        Kind::Size,
        WebSocket,
        "A message, uncompressed (close code 1009)",
    )
    .default("16MiB")
    .gunicorn(&["--websocket-max-message-size"])
    .uvicorn(&["--ws-max-size"]),
    Entry::new(
        "ws-max-queue",
        Kind::Number(COUNT),
        WebSocket,
        "Messages that wait for the application; then the client waits",
    )
    .default("32")
    .uvicorn(&["--ws-max-queue"]),
    Entry::new(
        "ws-ping-interval",
        Kind::DurationOrOff,
        WebSocket,
        "Pings clients that are silent for so long",
    )
    .default("20s")
    .uvicorn(&["--ws-ping-interval"]),
    Entry::new(
        "ws-ping-timeout",
        Kind::DurationOrOff,
        WebSocket,
        "For the answer to a ping; then the connection is closed",
    )
    .default("20s")
    .uvicorn(&["--ws-ping-timeout"]),
    Entry::new(
        "ws-deflate",
        Kind::Switch,
        WebSocket,
        "Compression of messages where the client asks for it (permessage-deflate)",
    )
    .default("on")
    .uvicorn(&["--ws-per-message-deflate"]),
];
