//! `cargo xtask bench model`: how fast the model is, and how far its predictions were off.
//!
//! Speed comes from `examples/speed.rs` of corrente-model. Accuracy comes from a full run of the
//! lab, in which every prediction is made before the asynchronous side of its case has run: this
//! file starts that run, or takes the result of an earlier one, and adds up. Nothing is fitted here.

mod accuracy;

use std::path::{Path, PathBuf};

use corrente_report::result::LabResult;

use self::accuracy::Table;
use super::document::Published;
use super::options::Outcome;
use crate::extension;
use crate::failure::Failure;
use crate::step::{Project, step};

pub(super) const USAGE: &str = "\
cargo xtask bench model [--result RESULT.json] [--write]

  --result FILE   take the accuracy from this result of a full lab run
                  (default: run the scenarios that judge the model in full, about 40 minutes)
  --write         put the figures into docs/BENCHMARKS.md
";

const SPEED: [&str; 7] = [
    "run",
    "--quiet",
    "--release",
    "-p",
    "corrente-model",
    "--example",
    "speed",
];

/// The grid that judges the model, and the two published counter-examples.
const SCENARIOS: [&str; 3] = ["formula", "paterson", "grinberg"];

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    result: Option<PathBuf>,
    outcome: Outcome,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--write" => options.outcome = Outcome::Write,
                "--result" => {
                    let file = words.next();
                    let missing = || Failure::usage("`--result` needs a file".to_owned());
                    options.result = Some(PathBuf::from(file.ok_or_else(missing)?));
                }
                _ => return Err(Failure::usage(format!("bench model knows no `{word}`"))),
            }
        }
        Ok(options)
    }
}

/// Measures the speed, then runs the lab or reads a result, and prints both.
pub(super) fn model(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let published = Published::wanted(options.outcome, &project.root, "model")?;
    let speed = speed(project)?;
    let path = options.result.map_or_else(|| measure(project), Ok)?;
    let result = read(&path)?;
    let tables = result.scenarios.iter().filter_map(Table::of);
    let tables: Vec<String> = tables.map(|table| table.to_string()).collect();
    let text = format!("{}\n{speed}\n{}", conditions(&result), tables.join("\n"));
    println!("{text}");
    published.map_or(Ok(()), |published| published.write(&text))
}

fn speed(project: &Project) -> Result<String, Failure> {
    println!("==> speed of the model");
    let failed = |what: String| Failure::step(format!("the example `speed`: {what}"));
    let output = project
        .cargo(&SPEED)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn measure(project: &Project) -> Result<PathBuf, Failure> {
    let environment = extension::release(project)?;
    let out = project.root.join("target").join("bench-model");
    let mut command = environment.command(project, "corrente");
    command.args(["lab", "run"]).args(SCENARIOS);
    command.args(["--full", "--out"]).arg(&out);
    command.env("CORRENTE_LAB", project.root.join("lab"));
    step(
        "full run of the lab",
        &mut command,
        "the scenarios that judge the model must run",
    )?;
    Ok(out.join("result.json"))
}

fn read(path: &Path) -> Result<LabResult, Failure> {
    let unreadable = |error: String| Failure::usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

fn conditions(result: &LabResult) -> String {
    format!(
        "corrente {} on {} ({} logical processors), {:?} run of {}, seed {}\n",
        result.corrente_version,
        result.machine.cpu,
        result.machine.cores,
        result.mode,
        result.started_at,
        result.seed,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Failure> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Options::parse(&words)
    }

    #[test]
    fn options_in_any_order() {
        let expected = Options {
            result: Some(PathBuf::from("a.json")),
            outcome: Outcome::Write,
        };
        assert_eq!(
            parse(&["--write", "--result", "a.json"]).ok(),
            Some(expected)
        );
        assert!(parse(&["--result"]).is_err());
        assert!(parse(&["--results"]).is_err());
    }
}
