//! `cargo xtask calibration RESULT.json`: the costs of stacks that are shipped, from a lab's result.
//!
//! The lab measures requests of known shape before each run (`known` in the result; their shapes
//! are in the scenarios' `[prediction]`). Here the model's own fit takes the costs of each contender
//! from them; those of one stack are put together over the scenarios, and the file is written that
//! `corrente_model::shipped` reads. What a result does not have is left out: nothing is invented.

mod fitted;
mod merged;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use corrente_model::statistics::median;
use serde_json::Value;

use crate::failure::Failure;
use crate::step::Project;
use merged::{Driver, Stack};

/// What is written, in the project's folder.
const FILE: &str = "crates/corrente-model/data/stacks.toml";

/// Writes the file from the result at the only argument.
pub(crate) fn calibration(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let [path] = arguments else {
        return Err(Failure::usage(
            "`calibration` takes the RESULT.json of a lab run",
        ));
    };
    let result = read(Path::new(path))?;
    let scenarios = project.root.join("lab/scenarios");
    let fitted = fitted::contenders(&result, &scenarios)?;
    let (stacks, drivers) = (merged::stacks(&fitted), merged::drivers(&fitted));
    if stacks.is_empty() {
        let what = format!("{path}: no scenario has measured costs of calibration requests");
        return Err(Failure::step(what).hint("run the lab with `cargo xtask lab --full` first"));
    }
    let mut names: Vec<&str> = fitted.iter().map(|one| one.scenario.as_str()).collect();
    names.dedup();
    let text = document(&result, &names, &stacks, &drivers);
    let file = project.root.join(FILE);
    fs::write(&file, text).map_err(|error| Failure::step(format!("{FILE}: {error}")))?;
    println!(
        "{FILE}: {} stacks, {} drivers from {}",
        stacks.len(),
        drivers.len(),
        names.join(", ")
    );
    Ok(())
}

fn read(path: &Path) -> Result<Value, Failure> {
    let failed = |what: String| Failure::step(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(format!("is not JSON: {error}")))
}

/// The text of a field, by its path.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn document(result: &Value, scenarios: &[&str], stacks: &[Stack], drivers: &[Driver]) -> String {
    let mut text = format!(
        "# Costs of stacks and drivers, for services whose other side is not installed.\n\
         # Written by `cargo xtask calibration RESULT.json` from a lab's result; not by hand.\n\
         # Times are processor time; deviations are relative standard deviations, at least 0.20.\n\
         \n[reference]\ncpu = {:?}\npython = {:?}\ndate = {:?}\nscenarios = {scenarios:?}\n",
        text(result, "/machine/cpu"),
        text(result, "/machine/python"),
        day(text(result, "/started_at")),
    );
    match speed(result) {
        Some(rounds) => writeln!(text, "burn_rounds_per_ms = {rounds:.0}"),
        None => writeln!(
            text,
            "# burn_rounds_per_ms: the result does not hold it, so costs\n\
             # are not scaled to another machine and count as less sure."
        ),
    }
    .expect("writing to a string cannot fail");
    text.extend(stacks.iter().map(Stack::to_toml));
    text.extend(drivers.iter().map(Driver::to_toml));
    text
}

/// The machine's speed at the lab's Python work: the median over the scenarios that measured it, as
/// the costs are medians too.
fn speed(result: &Value) -> Option<f64> {
    let scenarios = result.get("scenarios")?.as_array()?.iter();
    let measured = scenarios.filter_map(|scenario| scenario.get("burn_rounds_per_ms")?.as_f64());
    median(&measured.collect::<Vec<_>>())
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or("")
}

#[cfg(test)]
mod tests;
