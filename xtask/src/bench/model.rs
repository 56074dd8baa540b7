//! `cargo xtask bench model`: how fast the model is, and how far its predictions were off.
//!
//! Speed comes from `examples/speed.rs` of corrente-model. Accuracy comes from a full run of the
//! lab, in which every prediction is made before the asynchronous side of its case has run: this
//! file starts that run, or takes the result of an earlier one, and adds up. Nothing is fitted here.

mod accuracy;

use std::path::{Path, PathBuf};

use corrente_report::result::LabResult;

use self::accuracy::Table;
use crate::extension;
use crate::failure::Failure;
use crate::step::{Project, step};

const USAGE: &str = "\
cargo xtask bench model [--result RESULT.json]

  --result FILE   take the accuracy from this result of a full lab run
                  (default: run the scenarios below in full, about 35 minutes)
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

/// Measures the speed, then runs the lab or reads a result, and prints both.
pub(super) fn model(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let result = match arguments {
        [] => None,
        [flag, file] if flag == "--result" => Some(PathBuf::from(file)),
        [flag] if flag == "--help" => {
            print!("{USAGE}");
            return Ok(());
        }
        _ => {
            return Err(Failure::usage(
                "bench model takes `--result FILE` or nothing".to_owned(),
            ));
        }
    };
    step(
        "speed of the model",
        &mut project.cargo(&SPEED),
        "the example must build and run",
    )?;
    let path = result.map_or_else(|| measure(project), Ok)?;
    let result = read(&path)?;
    println!("{}", conditions(&result));
    for scenario in &result.scenarios {
        if let Some(table) = Table::of(scenario) {
            println!("{table}");
        }
    }
    Ok(())
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
