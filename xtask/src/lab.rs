//! `cargo xtask lab`, `smoke` and `calibration`: the lab, from a checkout, with one command.
//!
//! Builds and installs what has changed, then hands over to `corrente`, which reads the checkout's
//! own `lab/` folder (`CORRENTE_LAB`), so a changed scenario needs no build. The process is replaced,
//! so Ctrl-C, progress bars and the exit code are corrente's own and nothing stands between it and the
//! terminal.

use std::os::unix::process::CommandExt;

use crate::extension;
use crate::failure::Failure;
use crate::step::{Project, cannot_start};

/// Subcommands of `corrente lab` that may be given by name; all else belongs to `run`.
const SUBCOMMANDS: &[&str] = &["run", "list", "report", "compare"];
/// The costs that are shipped.
const COSTS: &str = "crates/corrente-model/data/stacks.toml";

/// Runs the lab; without arguments the whole of it in quick mode.
pub(crate) fn lab(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    hand_over(project, &arguments_for(arguments))
}

/// Runs every scenario for seconds, to see that each can run.
pub(crate) fn smoke(project: &Project) -> Result<(), Failure> {
    hand_over(project, &arguments_for(&["--smoke".to_owned()]))
}

/// Writes the costs that are shipped, from the result of a full run.
pub(crate) fn calibration(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let [result] = arguments else {
        let what = "`calibration` takes the RESULT.json of a lab run";
        return Err(Failure::usage(what));
    };
    let out = project.root.join(COSTS).display().to_string();
    let words = ["gauge", "calibrate", result, "--out", &out];
    hand_over(project, &words.map(str::to_owned))
}

/// The arguments of `corrente` that `cargo xtask lab ARGUMENTS` stands for.
fn arguments_for(arguments: &[String]) -> Vec<String> {
    let quick = ["--quick".to_owned()];
    let (subcommand, rest) = match arguments {
        [] => ("run", &quick[..]),
        [first, rest @ ..] if SUBCOMMANDS.contains(&first.as_str()) => (first.as_str(), rest),
        all => ("run", all),
    };
    let mut words = vec!["lab".to_owned(), subcommand.to_owned()];
    words.extend_from_slice(rest);
    words
}

/// Replaces this process with `corrente ARGUMENTS`; returns only where that fails.
fn hand_over(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let environment = extension::release(project)?;
    let scenarios = project.root.join("lab");
    println!(
        "==> CORRENTE_LAB={} corrente {}",
        scenarios.display(),
        arguments.join(" ")
    );
    let mut command = environment.command(project, "corrente");
    command.args(arguments).env("CORRENTE_LAB", scenarios);
    // A relative --out or --resume means what it says: relative to where the chore was called.
    if let Ok(folder) = std::env::current_dir() {
        command.current_dir(folder);
    }
    let error = command.exec();
    Err(cannot_start(&command, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: &str) {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        assert_eq!(arguments_for(&arguments).join(" "), expected);
    }

    #[test]
    fn arguments_become_those_of_corrente() {
        check(&[], "lab run --quick");
        check(&["json", "--full"], "lab run json --full");
        check(&["run", "json"], "lab run json");
        check(
            &["--smoke", "--lab", "other"],
            "lab run --smoke --lab other",
        );
        check(&["list", "--json"], "lab list --json");
        check(&["report", "result.json"], "lab report result.json");
    }
}
