//! The load generators: where each is found, which version it is, and its command line for a load.
//!
//! wrk comes from Debian and must be there; oha is built into `target/tools` where it is not;
//! corrente is the release build of the present tree. Starts no measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::children::{can_pin, pinned};
use crate::bench::printed::{self, Figures};
use crate::extension;
use crate::failure::Failure;
use crate::step::{Project, cannot_start, output as printed, step};

/// Of the measurement of `corrente load`, seconds that are not counted. The others have no such
/// thing; connecting takes them about a millisecond.
const WARM_UP_S: f64 = 0.3;

/// A load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Corrente,
    Wrk,
    Oha,
}

/// What a generator has to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) connections: usize,
    /// Requests a second in the open loop; closed loop where there is none.
    pub(super) rate_per_s: Option<u32>,
    pub(super) seconds: u32,
    pub(super) cpu: usize,
}

/// The generators of this machine.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) corrente: PathBuf,
    oha: PathBuf,
    /// Name and version of each.
    pub(super) versions: String,
}

impl Tool {
    /// The name of its command.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Corrente => "corrente",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
        }
    }

    /// What its output says.
    pub(super) fn read(self, text: &str) -> Result<Figures, String> {
        match self {
            Self::Corrente => printed::of_corrente(text),
            Self::Wrk => printed::of_wrk(text),
            Self::Oha => printed::of_oha(text),
        }
    }
}

impl Tools {
    /// Finds all of them, builds what is ours and oha.
    pub(super) fn prepare(project: &Project) -> Result<Self, Failure> {
        // First what a person has to install, then what takes minutes.
        let wrk = version_of_wrk()?;
        can_pin()?;
        let oha = oha(project)?;
        let corrente = extension::release(project)?.program("corrente");
        let [ours, theirs] =
            [&corrente, &oha].map(|path| printed(Command::new(path).arg("--version")));
        Ok(Self {
            versions: format!("{}, {wrk}, {}", ours?, theirs?),
            corrente,
            oha,
        })
    }

    /// The command that puts `load` on `url`.
    pub(super) fn command(&self, tool: Tool, load: &Load, url: &str) -> Command {
        let program = match tool {
            Tool::Corrente => &self.corrente,
            Tool::Wrk => Path::new("wrk"),
            Tool::Oha => &self.oha,
        };
        let mut command = pinned(load.cpu, program);
        command.args(options(tool, load)).arg(url);
        command
    }
}

fn options(tool: Tool, load: &Load) -> Vec<String> {
    let Load {
        connections,
        seconds,
        cpu,
        ..
    } = load;
    let text = match (tool, load.rate_per_s) {
        (Tool::Corrente, rate) => {
            let arrival = match rate {
                Some(rate) => format!("--rate {rate}"),
                None => format!("--users {connections}"),
            };
            let length = format!("--seconds {seconds} --warm-up {WARM_UP_S}");
            format!("load --json {arrival} {length} --cpus {cpu}")
        }
        (Tool::Wrk, _) => format!("--latency -t 1 -c {connections} -d {seconds}s"),
        (Tool::Oha, rate) => {
            let arrival = rate.map_or_else(String::new, |rate| {
                format!(" -q {rate} --latency-correction")
            });
            format!("-z {seconds}s -c {connections}{arrival} --no-tui --output-format json")
        }
    };
    text.split(' ').map(str::to_owned).collect()
}

/// The first line of `wrk -v`, without the rest of it: `wrk debian/4.1.0-3`.
fn version_of_wrk() -> Result<String, Failure> {
    let mut command = Command::new("wrk");
    let output = command.arg("-v").output().map_err(|error| {
        cannot_start(&command, &error).hint("install Debian's package wrk: apt-get install wrk")
    })?;
    // It ends with code 1 whatever it is asked.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_ascii_whitespace().take(2).collect();
    if words.first() != Some(&"wrk") {
        return Err(Failure::step("`wrk -v` does not say which wrk it is"));
    }
    Ok(words.join(" "))
}

/// oha, built once into `target/tools`.
fn oha(project: &Project) -> Result<PathBuf, Failure> {
    let root = project.target.join("tools");
    let program = root.join("bin/oha");
    if !program.is_file() {
        step(
            "oha, into target/tools (some minutes)",
            project
                .cargo(&["install", "--locked", "oha", "--root"])
                .arg(&root)
                // Its objects are of no use to our builds; without this they go to a place that
                // cargo cleans up.
                .env_remove("CARGO_TARGET_DIR"),
            "access to the package registry is needed",
        )?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tool: Tool, rate_per_s: Option<u32>, expected: &str) {
        let load = Load {
            connections: 64,
            rate_per_s,
            seconds: 4,
            cpu: 1,
        };
        assert_eq!(options(tool, &load).join(" "), expected);
    }

    #[test]
    fn each_generator_gets_the_same_load() {
        check(
            Tool::Corrente,
            None,
            "load --json --users 64 --seconds 4 --warm-up 0.3 --cpus 1",
        );
        check(Tool::Wrk, None, "--latency -t 1 -c 64 -d 4s");
        check(Tool::Oha, None, "-z 4s -c 64 --no-tui --output-format json");
        check(
            Tool::Corrente,
            Some(2000),
            "load --json --rate 2000 --seconds 4 --warm-up 0.3 --cpus 1",
        );
        check(
            Tool::Oha,
            Some(2000),
            "-z 4s -c 64 -q 2000 --latency-correction --no-tui --output-format json",
        );
    }
}
