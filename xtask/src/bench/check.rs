//! `cargo xtask bench check`: how long the analysis of named projects takes, and how much memory.
//!
//! Cold, from a warm cache, on the same files once more, after a comment was added and after one edit; beside it what Ruff's ASYNC rules and flake8-async
//! take for the same files, which look at one function at a time. The projects are wheels from `PyPI`
//! without their dependencies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::conditions;
use super::document::Published;
use super::options::{self, Asked};
use crate::failure::Failure;
use crate::python::{Environment, Interpreter};
use crate::step::{Project, cannot_start, output, step};

pub(super) const USAGE: &str = "\
cargo xtask bench check [--write]

  --write       put the result into docs/BENCHMARKS.md

The first run fetches the projects (60 MB) and the other analysers.
";

/// The projects: a name and a version on `PyPI`, smallest first.
const PROJECTS: [(&str, &str); 4] = [
    ("lnbits", "1.6.2"),
    ("open-webui", "0.12.4"),
    ("prefect", "3.9.1"),
    ("homeassistant", "2025.1.4"),
];

const OTHERS: [&str; 3] = ["ruff", "flake8", "flake8-async"];

/// Runs of each figure; the median is shown.
const RUNS: usize = 3;

/// Lines beyond which flake8 takes minutes.
const FLAKE8_LINES_MAX: u64 = 300_000;

/// How often a process is asked for its memory.
const PACE: Duration = Duration::from_millis(2);

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Run {
    seconds: f64,
    memory_mib: f64,
}

/// What is measured with.
struct Bench {
    binary: PathBuf,
    environment: Environment,
    cache: PathBuf,
}

/// Prepares, measures and prints.
pub(super) fn check(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let Asked { outcome, .. } = options::parse("check", [], arguments)?;
    let published = Published::wanted(outcome, &project.root, "check")?;
    let build = ["build", "--release", "-p", "corrente-check"];
    step("corrente-check", &mut project.cargo(&build), "")?;
    let environment = Environment::prepare(project, "bench-check", &Interpreter::find()?)?;
    let mut install = vec!["install"];
    install.extend(OTHERS);
    step("analysers", &mut environment.pip(project, &install), "")?;
    let versions = conditions::versions(project, &environment, &OTHERS)?;
    let bench = Bench {
        binary: project.target.join("release").join("corrente-check"),
        environment,
        cache: project.target.join("bench-check-cache"),
    };
    let mut lines = vec![
        conditions::describe()?,
        versions,
        format!("median of {RUNS} runs; files in the kernel's cache"),
        String::new(),
        HEAD.to_owned(),
    ];
    for (name, version) in PROJECTS {
        let folder = bench.fetched(project, name, version)?;
        let row = bench.row(&format!("{name} {version}"), &folder)?;
        println!("{row}");
        lines.push(row);
    }
    let text = lines.join("\n");
    println!("\n{text}");
    published.map_or(Ok(()), |published| published.write(&text))
}

const HEAD: &str = "\
                           lines   cold s   MiB  warm s  same s  comment s  edit s   ruff s  flake8-async s";

impl Bench {
    /// The project's files, fetched where they are not there.
    fn fetched(&self, project: &Project, name: &str, version: &str) -> Result<PathBuf, Failure> {
        let folder = project
            .target
            .join("bench-check")
            .join(format!("{name}-{version}"));
        if folder.is_dir() {
            return Ok(folder);
        }
        let wanted = format!("{name}=={version}");
        let unfinished = folder.with_extension("unfinished");
        let target = unfinished.to_string_lossy().into_owned();
        let install = [
            "install",
            "--no-deps",
            "--no-compile",
            "--ignore-requires-python",
            "--only-binary",
            ":all:",
            "--target",
            &target,
            &wanted,
        ];
        step(name, &mut self.environment.pip(project, &install), "")?;
        fs::rename(&unfinished, &folder)
            .map_err(|error| Failure::step(format!("{}: {error}", folder.display())))?;
        Ok(folder)
    }

    fn row(&self, name: &str, folder: &Path) -> Result<String, Failure> {
        let lines = self.lines(folder)?;
        let cold = median(|| measured(&mut self.ours(folder, Kept::Nothing)))?;
        drop(fs::remove_dir_all(&self.cache));
        measured(&mut self.ours(folder, Kept::Facts))?;
        let warm = median(|| {
            self.forget_findings();
            measured(&mut self.ours(folder, Kept::Facts))
        })?;
        let same = median(|| measured(&mut self.ours(folder, Kept::Facts)))?;
        let comment = self.edited(folder, |number| format!("# {number}\n"))?;
        let edit = self.edited(folder, |number| {
            format!("\n\ndef edited_{number}():\n    return print\n")
        })?;
        let ruff = median(|| measured(&mut self.other(folder, "ruff")))?;
        let flake8 = if lines > FLAKE8_LINES_MAX {
            "-".to_owned()
        } else {
            format!(
                "{:.2}",
                measured(&mut self.other(folder, "flake8"))?.seconds
            )
        };
        Ok(format!(
            "{name:<22} {lines:>9} {:>8.2} {:>5.0} {:>7.2} {:>7.2} {:>10.2} {:>7.2} {:>8.2} {flake8:>15}",
            cold.seconds,
            cold.memory_mib,
            warm.seconds,
            same.seconds,
            comment.seconds,
            edit.seconds,
            ruff.seconds
        ))
    }

    /// Leaves only the facts of files in the cache.
    fn forget_findings(&self) {
        let entries = fs::read_dir(&self.cache).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.extension().is_some_and(|end| end != "facts") {
                drop(fs::remove_file(path));
            }
        }
    }

    fn lines(&self, folder: &Path) -> Result<u64, Failure> {
        let mut command = self.ours(folder, Kept::Nothing);
        command.arg("--json");
        let told = command
            .stderr(Stdio::null())
            .output()
            .map_err(|error| cannot_start(&command, &error))?;
        let report: Value = serde_json::from_slice(&told.stdout)
            .map_err(|error| Failure::step(format!("corrente-check's JSON: {error}")))?;
        Ok(report["extent"]["lines"].as_u64().unwrap_or_default())
    }

    /// Runs after something was added to one file, each time something else.
    fn edited(&self, folder: &Path, added: impl Fn(u32) -> String) -> Result<Run, Failure> {
        let failed = |error: std::io::Error| Failure::step(format!("editing: {error}"));
        let find = "find . -name '*.py' -size +8k | sort | head -n 200 | tail -n 1";
        let mut search = Command::new("sh");
        let file = folder.join(output(search.current_dir(folder).args(["-c", find]))?);
        let before = fs::read_to_string(&file).map_err(failed)?;
        let mut number = 0;
        let run = median(|| {
            number += 1;
            fs::write(&file, format!("{before}{}", added(number))).map_err(failed)?;
            measured(&mut self.ours(folder, Kept::Facts))
        });
        fs::write(&file, before).map_err(failed)?;
        run
    }

    fn ours(&self, folder: &Path, kept: Kept) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(folder);
        match kept {
            Kept::Nothing => command.arg("--no-cache"),
            Kept::Facts => command.arg("--cache-dir").arg(&self.cache),
        };
        command
    }

    fn other(&self, folder: &Path, name: &str) -> Command {
        let mut command = Command::new(self.environment.program(name));
        match name {
            "ruff" => command.args(["check", "--isolated", "--no-cache", "--select", "ASYNC"]),
            _ => command.args(["--isolated", "--select", "ASYNC"]),
        };
        command.arg(folder);
        command
    }
}

/// What outlives a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nothing,
    Facts,
}

/// Runs a command to its end; 0 and 1 are its ways to say what it found.
fn measured(command: &mut Command) -> Result<Run, Failure> {
    let begun = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let mut memory_mib: f64 = 0.0;
    let status = loop {
        memory_mib = memory_mib.max(peak_mib(child.id()));
        let ended = child.try_wait();
        match ended.map_err(|error| cannot_start(command, &error))? {
            Some(status) => break status,
            None => thread::sleep(PACE),
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    if !matches!(status.code(), Some(0 | 1)) {
        let program = command.get_program().to_string_lossy();
        return Err(Failure::step(format!("{program} failed ({status})")));
    }
    Ok(Run {
        seconds,
        memory_mib,
    })
}

/// The most memory that a process has had so far (`VmHWM`, `proc_pid_status(5)`).
fn peak_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mut words = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .into_iter()
        .flat_map(str::split_ascii_whitespace);
    let kib: f64 = words
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0.0);
    kib / 1024.0
}

/// The run with the middle time, and the most memory of all.
fn median(mut run: impl FnMut() -> Result<Run, Failure>) -> Result<Run, Failure> {
    let mut runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(Run {
        seconds: runs[RUNS / 2].seconds,
        memory_mib: runs.iter().map(|run| run.memory_mib).fold(0.0, f64::max),
    })
}
