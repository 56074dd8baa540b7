//! `cargo xtask bench paterson`: Paterson's request by async stacks on Corrente, against sync ones.
//!
//! The lab measures it, with its own programs and a scenario that only this benchmark has; here the lab
//! is given that scenario, and its result is read. What is said of it is in `report`.

mod report;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::slice::Iter;

use serde_json::Value;

use super::conditions;
use super::document::Published;
use super::options::{self, Asked, Word};
use super::programs;
use crate::extension;
use crate::failure::Failure;
use crate::step::{Project, step};

pub(super) const USAGE: &str = "\
cargo xtask bench paterson [--quick] [--write]

  --quick       1 minute instead of 5
  --write       put the result into docs/BENCHMARKS.md
";

/// The name of the benchmark, of its scenario, and of the claim that it is about.
const NAME: &str = "paterson";
/// The lab's folder, and what is replaced in it.
const LAB: &str = "lab";
const SCENARIOS: &str = "scenarios";

/// Runs the scenario and prints what came of it.
pub(super) fn paterson(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let mut extent = "--full";
    let other = |word: &str, _: &mut Iter<'_, String>| {
        if word != "--quick" {
            return Ok(Word::Unknown);
        }
        extent = "--quick";
        Ok(Word::Taken)
    };
    let Asked { outcome, .. } = options::parse_with(NAME, [], arguments, other)?;
    if outcome == options::Outcome::Write && extent == "--quick" {
        return Err(options::usage(NAME, "`--write` publishes no quick run"));
    }
    conditions::two_processors()?;
    let published = Published::wanted(outcome, &project.root, NAME)?;
    let environment = extension::release(project)?;
    let folder = programs::write(project, "bench-paterson", &[])?;
    let lab = lay_out(project, &folder)?;
    let out = folder.join("result");
    let mut command = environment.command(project, "corrente");
    command
        .args(["lab", "run", NAME, extent, "--out"])
        .arg(&out);
    command.arg("--lab").arg(&lab);
    step("the lab", &mut command, "")?;
    let result = read(&out.join("result.json"))?;
    let text = report::report(&result).map_err(Failure::step)?;
    let text = format!("{}\n\n{text}", conditions::describe()?);
    println!("\n{text}");
    published.map_or(Ok(()), |published| published.write(&text))
}

/// Makes a folder like the lab's, with our scenario as its only one.
fn lay_out(project: &Project, folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| {
        Failure::step(format!("cannot lay out {}: {error}", folder.display()))
    };
    let lab = folder.join(LAB);
    let scenarios = lab.join(SCENARIOS);
    fs::create_dir_all(&scenarios).map_err(failed)?;
    for entry in fs::read_dir(project.root.join(LAB)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() != SCENARIOS {
            symlink(entry.path(), lab.join(entry.file_name())).map_err(failed)?;
        }
    }
    let ours = project.root.join("bench/paterson/paterson.toml");
    let target = scenarios.join("paterson.toml");
    fs::copy(ours, target).map_err(failed)?;
    Ok(lab)
}

fn read(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::step(format!("cannot read {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::step(format!("{}: {error}", path.display())))
}
