//! The load: by wrk where it is installed, else by `corrente load`, which has no TLS and no large bodies.
//!
//! Knows no server and no goal.

use std::fs;
use std::process::{Command, Output};

use super::rows::Load;
use crate::bench::children::pinned;
use crate::bench::place::{OTHER_CPU, Place};
use crate::bench::printed::{Figures, of_corrente, of_wrk};
use crate::bench::program::Trouble;
use crate::failure::Failure;
use crate::step::cannot_start;
use std::path::Path;

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

    /// Runs it for as long as a measurement is.
    pub(super) fn run(self, place: &Place, load: Load, url: &str) -> Result<Figures, Trouble> {
        let mut command = match self {
            Self::Wrk => wrk(place, load)?,
            Self::Corrente => corrente(place, load, url)?,
        };
        command.arg(url);
        let ran = command
            .output()
            .map_err(|error| cannot_start(&command, &error))?;
        place.interruption.check()?;
        if !ran.status.success() {
            let words = String::from_utf8_lossy(&ran.stderr);
            let last = words.lines().last().unwrap_or("the load failed");
            return Err(Trouble::Contender(last.to_owned()));
        }
        let text = String::from_utf8_lossy(&ran.stdout);
        let read = match self {
            Self::Wrk => of_wrk(&text),
            Self::Corrente => of_corrente(&text),
        };
        read.map_err(Trouble::Contender)
    }
}

/// `wrk debian/4.1.0-3` of what it prints.
fn first_words(output: Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_ascii_whitespace().take(2).collect();
    words.join(" ")
}

fn wrk(place: &Place, load: Load) -> Result<Command, Failure> {
    let mut command = pinned(OTHER_CPU, Path::new("wrk"));
    let [connections, seconds] =
        [u64::from(load.connections), place.length.as_secs()].map(|number| number.to_string());
    command.args(["--latency", "-t", "1", "-c", &connections]);
    command.args(["-d", &format!("{seconds}s"), "--timeout", "10s"]);
    if load.body_bytes > 0 {
        let path = place.scratch.join(format!("post-{}.lua", load.body_bytes));
        fs::write(&path, script(load.body_bytes))
            .map_err(|error| Failure::step(format!("cannot write {}: {error}", path.display())))?;
        command.arg("-s").arg(path);
    }
    Ok(command)
}

/// What makes wrk send a body.
fn script(body_bytes: usize) -> String {
    format!("wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", {body_bytes})\n")
}

fn corrente(place: &Place, load: Load, url: &str) -> Result<Command, Trouble> {
    if url.starts_with("https:") || load.body_bytes >= ARGUMENT_BYTES_MAX {
        let what = "only wrk can ask for it: install Debian's package wrk";
        return Err(Trouble::Contender(what.to_owned()));
    }
    let mut command = place.corrente(OTHER_CPU, &["load", "--json", "--warm-up", "0"]);
    command.args(["--users", &load.connections.to_string(), "--cpus", "1"]);
    command.args(["--seconds", &place.length.as_secs_f64().to_string()]);
    if load.body_bytes > 0 {
        command.args(["--method", "POST", "--body", &"x".repeat(load.body_bytes)]);
    }
    Ok(command)
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
