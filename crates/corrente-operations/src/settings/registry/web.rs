//! HTTP, what stands before the application, and TLS.
//!
//! Declarations only.

use super::Entry;
use super::Group::{Http, Tls};
use crate::settings::kind::Kind;

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        "http2",
        Kind::Switch,
        Http,
        "HTTP/2, by ALPN with TLS and by prior knowledge without",
    )
    .default("on")
    .gunicorn(&["--http-protocols", "--http2-cleartext"])
    .uvicorn(&["--http2"])
    .granian(&["--http"]),
    Entry::new(
        "trusted-proxies",
        Kind::Networks,
        Http,
        "Peers whose Forwarded and X-Forwarded-* are believed: networks, `unix`, or `*` for all",
    )
    .default("127.0.0.1, ::1, unix")
    .gunicorn(&["--forwarded-allow-ips", "--proxy-allow-from"])
    .uvicorn(&["--forwarded-allow-ips", "--proxy-headers", "--no-proxy-headers"]),
    Entry::new(
        "proxy-protocol",
        Kind::Choice(&["off", "on", "required"]),
        Http,
        "The PROXY protocol (versions 1 and 2) of trusted proxies; `required` refuses who does not speak it",
    )
    .default("off")
    .gunicorn(&["--proxy-protocol"]),
    Entry::new(
        "server-header",
        Kind::Text,
        Http,
        "The Server field of responses; `off` for none",
    )
    .default("corrente")
    .uvicorn(&["--server-header", "--no-server-header"]),
    Entry::new(
        "date-header",
        Kind::Switch,
        Http,
        "The Date field of responses (RFC 9110, section 6.6.1, wants it)",
    )
    .default("on")
    .uvicorn(&["--date-header", "--no-date-header"]),
    Entry::new(
        "header",
        Kind::Fields,
        Http,
        "A field of every response, `Name: value`; may be repeated",
    )
    .uvicorn(&["--header"]),
    Entry::new(
        "request-id",
        Kind::Choice(&["off", "on", "trusted"]),
        Http,
        "X-Request-ID: made where it is missing; `trusted` keeps that of trusted proxies",
    )
    .default("off"),
    Entry::new(
        "health-path",
        Kind::Route,
        Http,
        "Answers 200 as long as the worker's loop turns, without the application",
    ),
    Entry::new(
        "ready-path",
        Kind::Route,
        Http,
        "Answers 200 while the worker takes requests, 503 when it is to stop",
    ),
    Entry::new(
        "metrics-path",
        Kind::Route,
        Http,
        "Answers with Prometheus metrics",
    )
    .granian(&["--metrics", "--no-metrics"]),
    Entry::new(
        "tls-certificate",
        Kind::Text,
        Tls,
        "The file of the certificate chain (PEM); read again when it changes",
    )
    .gunicorn(&["--certfile"])
    .uvicorn(&["--ssl-certfile"])
    .granian(&["--ssl-certificate"]),
    Entry::new(
        "tls-key",
        Kind::Text,
        Tls,
        "The file of the private key (PEM); without it the certificate's file",
    )
    .gunicorn(&["--keyfile"])
    .uvicorn(&["--ssl-keyfile"])
    .granian(&["--ssl-keyfile"]),
    Entry::new(
        "tls-password",
        Kind::Secret,
        Tls,
        "The password of the private key; better in the environment than on the command line",
    )
    .uvicorn(&["--ssl-keyfile-password"])
    .granian(&["--ssl-keyfile-password"]),
    Entry::new(
        "tls-ca",
        Kind::Text,
        Tls,
        "The file of the authorities that sign clients' certificates (PEM)",
    )
    .gunicorn(&["--ca-certs"])
    .uvicorn(&["--ssl-ca-certs"])
    .granian(&["--ssl-ca"]),
    Entry::new(
        "tls-client",
        Kind::Choice(&["none", "optional", "required"]),
        Tls,
        "Whether clients have to show a certificate",
    )
    .default("none")
    .gunicorn(&["--cert-reqs"])
    .uvicorn(&["--ssl-cert-reqs"])
    .granian(&["--ssl-client-verify", "--no-ssl-client-verify"]),
    Entry::new(
        "tls-ciphers",
        Kind::Text,
        Tls,
        "Ciphers of TLS 1.2 in OpenSSL's notation; without it those of Python's ssl",
    )
    .gunicorn(&["--ciphers"])
    .uvicorn(&["--ssl-ciphers"]),
    Entry::new(
        "tls-minimum",
        Kind::Choice(&["1.2", "1.3"]),
        Tls,
        "The lowest version of TLS",
    )
    .default("1.2")
    .gunicorn(&["--ssl-version"])
    .uvicorn(&["--ssl-version"])
    .granian(&["--ssl-protocol-min"]),
];
