//! `cargo xtask conformance check`: other analysers beside ours on our programs.
//!
//! The others come locked (`tests/conformance/analysers.txt`) into an environment of their own; ours is
//! built from the present tree. How they are run and compared is Python
//! (`tests/conformance/analysers.py`); `docs/guide/check.md` has the figures.

use crate::extension;
use crate::failure::Failure;
use crate::python::Interpreter;
use crate::step::{Project, step};

/// What locks the other analysers.
const LOCK: &str = "tests/conformance/analysers.txt";

/// The programs that everybody may read; those that were set aside stay aside.
const PROGRAMS: &str = "crates/corrente-check/tests/programs";

/// Compares them; arguments go to the script.
pub(super) fn compare(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let environment = extension::locked(project, &Interpreter::find()?, "analysers", LOCK)?;
    step(
        "release build of the analyser",
        &mut project.cargo(&[
            "build",
            "--release",
            "--locked",
            "--quiet",
            "-p",
            "corrente-check",
        ]),
        "",
    )?;
    let ours = project.target.join("release/corrente-check");
    let mut command = environment.command(project, "python");
    command
        .args(["tests/conformance/analysers.py", PROGRAMS])
        .arg(format!("corrente-check={}", ours.display()));
    for other in ["ruff", "flake8-async", "hydroid"] {
        command.arg(format!("{other}={}", environment.program(other).display()));
    }
    step("analysers side by side", command.args(arguments), "")
}
