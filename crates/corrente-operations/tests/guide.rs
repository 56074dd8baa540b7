//! The tables of docs/guide/move-from.md: made from the table of settings, so that they cannot drift.
//!
//! `CORRENTE_WRITE_GUIDE=1 cargo test -p corrente-operations --test guide` writes them anew. Every flag of
//! the versions below has to stand in one of them; tests/flags has what their `--help` lists.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use corrente_operations::settings::{Entry, entries};

/// Flags without a setting of ours, by server, with what to do.
const WITHOUT: &[(&str, &[(&str, &str)])] = &[
    ("gunicorn", GUNICORN),
    ("uvicorn", UVICORN),
    ("granian", GRANIAN),
];

const GUNICORN: &[(&str, &str)] = &[
    (
        "--config",
        "`--config`, a TOML file; Python in it (hooks) is not read: lifespan does what they do",
    ),
    ("--check-config --print-config", "`--show-config`"),
    (
        "--preload",
        "none: workers are started anew, not forked; modules are read from cached bytecode",
    ),
    (
        "--daemon --user --group --initgroups --name --env",
        "the service manager's business (systemd, a container)",
    ),
    (
        "--worker-tmp-dir",
        "not needed: workers are watched by a socket",
    ),
    ("--no-sendfile", "none"),
    ("--spew --paste --paster --paste-global", "none"),
    (
        "--control-socket --control-socket-mode --no-control-socket",
        "none: signals, and `--metrics-path`",
    ),
    (
        "--dirty-app --dirty-graceful-timeout --dirty-threads --dirty-timeout --dirty-workers",
        "none",
    ),
    (
        "--reload-engine",
        "none: files' times are looked at twice a second",
    ),
    (
        "--log-config --log-config-json --logger-class --capture-output --enable-stdio-inheritance",
        "none: the application configures `logging`; a worker's output is the terminal's",
    ),
    (
        "--log-syslog --log-syslog-facility --log-syslog-prefix --log-syslog-to --disable-redirect-access-to-syslog",
        "none: standard output to journald",
    ),
    (
        "--statsd-host --statsd-prefix --dogstatsd-tags --enable-backlog-metric",
        "`--metrics-path`, Prometheus",
    ),
    (
        "--do-handshake-on-connect --suppress-ragged-eofs",
        "none: Python's `ssl` defaults",
    ),
    (
        "--permit-obsolete-folding --strip-header-spaces --permit-unconventional-http-method --permit-unconventional-http-version --casefold-http-method --header-map",
        "none: framing is strict",
    ),
    (
        "--forwarder-headers",
        "none: `Forwarded` and `X-Forwarded-*` of `--trusted-proxies`",
    ),
    (
        "--http-parser --http2-initial-window-size --http2-max-concurrent-streams --http2-max-frame-size",
        "none",
    ),
    ("--protocol --uwsgi-allow-from", "none: HTTP only"),
    ("--asgi-disconnect-grace-period", "none"),
];

const UVICORN: &[(&str, &str)] = &[
    (
        "--env-file",
        "the shell, systemd or the container sets the environment",
    ),
    (
        "--log-config --use-colors --no-use-colors",
        "none: the application configures `logging`",
    ),
    ("--http --ws", "none: there is one implementation of each"),
    ("--reload-delay", "none: twice a second"),
    ("--reset-contextvars", "none"),
];

const GRANIAN: &[(&str, &str)] = &[
    (
        "--env-files",
        "the shell, systemd or the container sets the environment",
    ),
    (
        "--blocking-threads-idle-timeout --runtime-blocking-threads --runtime-mode --runtime-threads --task-impl",
        "none: a worker is one thread",
    ),
    (
        "--http1-pipeline-flush --no-http1-pipeline-flush",
        "none: pipelined responses always go together",
    ),
    (
        "--http2-adaptive-window --no-http2-adaptive-window --http2-initial-connection-window-size --http2-initial-stream-window-size --http2-keep-alive-interval --http2-keep-alive-timeout --http2-max-concurrent-streams --http2-max-frame-size --http2-max-send-buffer-size",
        "none",
    ),
    (
        "--log --no-log --log-config",
        "`--log-level`; the application configures `logging`",
    ),
    (
        "--metrics-address --metrics-port --metrics-scrape-interval",
        "`--metrics-path`, on the same port",
    ),
    ("--process-name", "the service manager's business"),
    (
        "--reload-ignore-worker-failure --no-reload-ignore-worker-failure",
        "always: a worker that does not start waits for the next change",
    ),
    ("--reload-tick", "none: twice a second"),
    (
        "--respawn-failed-workers --no-respawn-failed-workers --respawn-interval",
        "always, at once, and ever more slowly if it goes on",
    ),
    ("--rss-sample-interval --rss-samples", "none: every 10 s"),
    ("--ssl-crl", "none"),
    ("--static-path-dir-to-file", "none: a folder's `index.html`"),
    ("--ws --no-ws", "none: always on"),
];

fn equivalents<'e>(server: &str, entry: &'e Entry) -> &'e [&'static str] {
    match server {
        "gunicorn" => entry.gunicorn,
        "uvicorn" => entry.uvicorn,
        _ => entry.granian,
    }
}

fn table(server: &str) -> String {
    let mut text = format!("| {server} | `corrente serve` |\n|---|---|\n");
    let quoted = |flags: &[&str]| {
        let flags: Vec<String> = flags.iter().map(|flag| format!("`{flag}`")).collect();
        flags.join(", ")
    };
    for entry in entries() {
        let flags = equivalents(server, entry);
        if !flags.is_empty() {
            let default = entry
                .default
                .map_or(String::new(), |text| format!(" (default `{text}`)"));
            let flag = entry.flag();
            writeln!(text, "| {} | `{flag}`{default} |", quoted(flags)).expect("memory");
        }
    }
    let (_, without) = WITHOUT
        .iter()
        .find(|(known, _)| *known == server)
        .expect("known");
    for (flags, advice) in *without {
        let flags: Vec<&str> = flags.split(' ').collect();
        writeln!(text, "| {} | {advice} |", quoted(&flags)).expect("memory");
    }
    text
}

fn guide() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/move-from.md")
}

#[test]
fn the_guide_has_the_tables_as_they_are() {
    let before = fs::read_to_string(guide()).expect("the guide is there");
    let mut now = before.clone();
    for (server, _) in WITHOUT {
        let begin = format!("<!-- {server} -->\n");
        let end = format!("<!-- end of {server} -->");
        let start = now.find(&begin).expect("a mark") + begin.len();
        let stop = now.find(&end).expect("a mark");
        now.replace_range(start..stop, &table(server));
    }
    if std::env::var_os("CORRENTE_WRITE_GUIDE").is_some() {
        fs::write(guide(), now).expect("written");
    } else {
        assert!(
            before == now,
            "docs/guide/move-from.md is stale: see the head of this file"
        );
    }
}

#[test]
fn every_flag_of_theirs_has_an_answer() {
    for (server, without) in WITHOUT {
        let path = format!("{}/tests/flags/{server}.txt", env!("CARGO_MANIFEST_DIR"));
        let listed = fs::read_to_string(path).expect("the list is there");
        let listed: BTreeSet<&str> = listed.lines().collect();
        let mut answered: BTreeSet<&str> = entries()
            .flat_map(|entry| equivalents(server, entry))
            .copied()
            .collect();
        answered.extend(without.iter().flat_map(|(flags, _)| flags.split(' ')));
        let open: Vec<&&str> = listed.difference(&answered).collect();
        assert!(open.is_empty(), "{server}: no answer for {open:?}");
        let unknown: Vec<&&str> = answered.difference(&listed).collect();
        assert!(unknown.is_empty(), "{server} has no {unknown:?}");
    }
}
