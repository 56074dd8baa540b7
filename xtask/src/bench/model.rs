//! `cargo xtask bench model`: how fast the model is, and how far its predictions were off.
//!
//! Speed comes from `examples/speed.rs` of corrente-model. Accuracy comes from a full run of the
//! lab, in which every prediction is made before the asynchronous side of its case has run: this
//! file starts that run, or takes the result of an earlier one, and adds up. A replay has the
//! predictions of an earlier result made again (`examples/replay.rs` of corrente-lab) from what that
//! result knew before its run. Nothing is fitted here.

pub(super) mod accuracy;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use corrente_report::result::LabResult;

use self::accuracy::{Families, Table};
use super::document::Published;
use super::options::Outcome;
use crate::extension;
use crate::failure::Failure;
use crate::step::{Project, step};

pub(super) const USAGE: &str = "\
cargo xtask bench model [--result RESULT.json [--replay]] [--write]

  --result FILE   take the accuracy from this result of a full lab run
                  (default: run the scenarios that judge the model in full, about 40 minutes)
  --replay        make its predictions again with the present model, from what it knew before its
                  run, and judge those: for changes of the model, and for results that lack some
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

const REPLAY: [&str; 8] = [
    "run",
    "--quiet",
    "--release",
    "-p",
    "corrente-lab",
    "--example",
    "replay",
    "--",
];

/// The grid that judges the model.
const GRID: &str = "formula";
/// It, and the two published counter-examples.
const SCENARIOS: [&str; 3] = [GRID, "paterson", "grinberg"];

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    result: Option<PathBuf>,
    predictions: Predictions,
    outcome: Outcome,
}

/// Which predictions are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Predictions {
    /// Those that the run made.
    #[default]
    Stored,
    /// Those that the present model makes from what was known before the run.
    Replayed,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--write" => options.outcome = Outcome::Write,
                "--replay" => options.predictions = Predictions::Replayed,
                "--result" => {
                    let file = words.next();
                    let missing = || Failure::usage("`--result` needs a file".to_owned());
                    options.result = Some(PathBuf::from(file.ok_or_else(missing)?));
                }
                _ => return Err(Failure::usage(format!("bench model knows no `{word}`"))),
            }
        }
        if options.predictions == Predictions::Replayed && options.result.is_none() {
            let what = "`--replay` needs `--result`: a run makes its own predictions";
            return Err(Failure::usage(what.to_owned()));
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
    let accuracy = match options.predictions {
        Predictions::Stored => accuracy(project, &read(&path)?)?,
        Predictions::Replayed => replayed(project, &path)?,
    };
    let text = format!("{speed}\n{accuracy}");
    println!("{text}");
    published.map_or(Ok(()), |published| published.write(&text))
}

/// The tables of a result under its conditions.
fn accuracy(project: &Project, result: &LabResult) -> Result<String, Failure> {
    let (mut judging, mut others) = (Vec::new(), Vec::new());
    for scenario in &result.scenarios {
        let file = format!("lab/scenarios/{}.toml", scenario.name);
        let families = Families::read(&project.root.join(file))?;
        let place = if SCENARIOS.contains(&scenario.name.as_str()) {
            &mut judging
        } else {
            &mut others
        };
        place.extend(Table::of(scenario, &families));
    }
    let others = Table::together("all other scenarios", others);
    let mut text = format!("{}\n", conditions(result));
    for table in judging.into_iter().chain(others) {
        write!(text, "{table}\n\n").expect("writing to a string cannot fail");
    }
    Ok(format!("{}\n", text.trim_end()))
}

/// The same with the predictions made again; and for the grid once more without the contender of many
/// threads, since a recording of synchronous workers knows no such thing.
fn replayed(project: &Project, path: &Path) -> Result<String, Failure> {
    let about = "\
REPLAY: predictions made after the run, from what was known before it. In place of the shipped costs
each scenario has those that the other scenarios of the run determine.";
    let mut result = replay(project, path, "all")?;
    let all = accuracy(project, &result)?;
    result = replay(project, path, "one-user")?;
    result.scenarios.retain(|scenario| scenario.name == GRID);
    let one_user = accuracy(project, &result)?;
    Ok(format!(
        "{about}\n\n{all}\n\
         The grid once more, of the sync side one user alone only, as a recording of sync workers has it\n\n\
         {one_user}"
    ))
}

fn replay(project: &Project, path: &Path, basis: &str) -> Result<LabResult, Failure> {
    println!("==> replay: {basis}");
    let mut command = project.cargo(&REPLAY);
    let result = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    command.arg(result).arg(project.root.join("lab")).arg(basis);
    let text = output_of(&mut command, "replay")?;
    parse(path, &text)
}

/// What an example prints.
fn output_of(command: &mut Command, example: &str) -> Result<String, Failure> {
    let failed = |what: String| Failure::step(format!("the example `{example}`: {what}"));
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn speed(project: &Project) -> Result<String, Failure> {
    println!("==> speed of the model");
    output_of(&mut project.cargo(&SPEED), "speed")
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

/// The result of a lab's run.
pub(super) fn read(path: &Path) -> Result<LabResult, Failure> {
    let unreadable = |error: String| Failure::usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<LabResult, Failure> {
    let unreadable = |error: String| Failure::usage(format!("{}: {error}", path.display()));
    serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))
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

    fn options(words: &[&str]) -> Result<Options, Failure> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Options::parse(&words)
    }

    #[test]
    fn options_in_any_order() {
        let expected = Options {
            result: Some(PathBuf::from("a.json")),
            predictions: Predictions::Replayed,
            outcome: Outcome::Write,
        };
        assert_eq!(
            options(&["--write", "--replay", "--result", "a.json"]).ok(),
            Some(expected)
        );
        assert!(options(&["--result"]).is_err());
        assert!(options(&["--results"]).is_err());
        assert!(options(&["--replay"]).is_err());
    }
}
