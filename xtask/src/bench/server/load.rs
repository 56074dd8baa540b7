//! The load: requests by wrk where it is installed, else by `corrente load`, which has no TLS and no large bodies;
//! HTTP/2 by h2load; messages over a WebSocket by `corrente load`.
//!
//! Knows no server and no goal.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use super::rows::{Asked, Load, Messages};
use crate::bench::children::pinned;
use crate::bench::place::{OTHER_CPU, Place};
use crate::bench::printed::{Figures, of_corrente, of_echo, of_h2load, of_wrk};
use crate::bench::program::Trouble;
use crate::failure::Failure;
use crate::step::cannot_start;

/// Linux takes no longer argument (`MAX_ARG_STRLEN`, `execve(2)`).
const ARGUMENT_BYTES_MAX: usize = 128 * 1024;

/// What puts a load on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generator {
    Wrk,
    Corrente,
}

impl Generator {
    /// The one of this machine, and what it calls itself.
    pub(super) fn find() -> (Self, String) {
        // It ends with code 1 whatever it is asked.
        let told = Command::new("wrk").arg("-v").output().map(first_words);
        match told {
            Ok(version) if version.starts_with("wrk ") => (Self::Wrk, version),
            _ => (Self::Corrente, "corrente load (no wrk)".to_owned()),
        }
    }

    /// Runs it, or what the load needs instead, for as long as a measurement is.
    pub(super) fn run(self, place: &Place, load: Load, url: &str) -> Result<Figures, Trouble> {
        match load.asked {
            Asked::Streams { at_once } => streams(place, load, at_once, url),
            Asked::Messages(messages) => {
                of_echo(&print(place, &mut echo(place, load, messages, url))?)
                    .map_err(Trouble::Contender)
            }
            Asked::Requests { body_bytes } => {
                let printed = match self {
                    Self::Wrk => of_wrk(&print(place, wrk(place, load, body_bytes)?.arg(url))?),
                    Self::Corrente => {
                        let mut command = corrente(place, load, body_bytes, url)?;
                        of_corrente(&print(place, &mut command)?)
                    }
                };
                printed.map_err(Trouble::Contender)
            }
        }
    }
}

/// Runs a generator; gives what it prints.
fn print(place: &Place, command: &mut Command) -> Result<String, Trouble> {
    let ran = command
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    place.interruption.check()?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&ran.stderr);
    let last = words.lines().last().unwrap_or("the load failed");
    Err(Trouble::Contender(last.to_owned()))
}

/// `wrk debian/4.1.0-3` of what it prints.
fn first_words(output: Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_ascii_whitespace().take(2).collect();
    words.join(" ")
}

fn wrk(place: &Place, load: Load, body_bytes: usize) -> Result<Command, Failure> {
    let mut command = pinned(OTHER_CPU, Path::new("wrk"));
    let [connections, seconds] =
        [u64::from(load.connections), place.length.as_secs()].map(|number| number.to_string());
    command.args(["--latency", "-t", "1", "-c", &connections]);
    command.args(["-d", &format!("{seconds}s"), "--timeout", "10s"]);
    if body_bytes > 0 {
        let path = place.scratch.join(format!("post-{body_bytes}.lua"));
        fs::write(&path, script(body_bytes))
            .map_err(|error| Failure::step(format!("cannot write {}: {error}", path.display())))?;
        command.arg("-s").arg(path);
    }
    Ok(command)
}

/// What makes wrk send a body.
fn script(body_bytes: usize) -> String {
    format!("wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", {body_bytes})\n")
}

fn corrente(place: &Place, load: Load, body_bytes: usize, url: &str) -> Result<Command, Trouble> {
    if url.starts_with("https:") || body_bytes >= ARGUMENT_BYTES_MAX {
        let what = "only wrk can ask for it: install Debian's package wrk";
        return Err(Trouble::Contender(what.to_owned()));
    }
    let mut command = closed_loop(place, load, place.length, url);
    if body_bytes > 0 {
        command.args(["--method", "POST", "--body", &"x".repeat(body_bytes)]);
    }
    Ok(command)
}

fn echo(place: &Place, load: Load, messages: Messages, url: &str) -> Command {
    let mut command = closed_loop(place, load, place.length, &url.replacen("http", "ws", 1));
    command.args(["--message-kind", messages.kind, "--message-bytes"]);
    command.args([
        &messages.bytes.to_string(),
        "--compression",
        messages.compression,
    ]);
    command
}

/// `corrente load` with the load's users, for so long.
pub(super) fn closed_loop(place: &Place, load: Load, length: Duration, url: &str) -> Command {
    let mut command = place.corrente(OTHER_CPU, &["load", url, "--json", "--warm-up", "0"]);
    command.args(["--users", &load.connections.to_string(), "--cpus", "1"]);
    command.args(["--seconds", &length.as_secs_f64().to_string()]);
    command
}

/// Runs h2load, which tells how long requests took in a file only.
fn streams(place: &Place, load: Load, at_once: u32, url: &str) -> Result<Figures, Trouble> {
    if !is_installed(H2LOAD) {
        let what = "h2load is missing: install Debian's package nghttp2-client";
        return Err(Trouble::Contender(what.to_owned()));
    }
    let log = place.scratch.join("h2load.log");
    // It appends to a log of the run before.
    fs::remove_file(&log).ok();
    let mut command = pinned(OTHER_CPU, Path::new(H2LOAD));
    let numbers = [
        u64::from(load.connections),
        u64::from(at_once),
        place.length.as_secs(),
    ];
    let [clients, at_once, seconds] = numbers.map(|number| number.to_string());
    command.args(["-t", "1", "-c", &clients, "-m", &at_once, "-D", &seconds]);
    command.arg("--log-file").arg(&log).arg(url);
    let printed = print(place, &mut command)?;
    let times = fs::read_to_string(&log)
        .map_err(|error| Failure::step(format!("cannot read {}: {error}", log.display())))?;
    of_h2load(&printed, &times).map_err(Trouble::Contender)
}

const H2LOAD: &str = "h2load";

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_long_as_the_row_says() {
        let expected = "wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", 10240)\n";
        assert_eq!(script(10_240), expected);
    }
}
