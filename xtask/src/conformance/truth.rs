//! `cargo xtask conformance truth`: what blocks while projects' own tests run, beside what the analyser finds.
//!
//! The projects come as source distributions from `PyPI`, by version and hash; one lock file has what their
//! tests need. How tests are watched and compared is Python (`tests/conformance/truth.py`), and what is missed
//! stands in `tests/conformance/truth.toml`, each with its reason.

use super::suites::Suite;
use crate::extension;
use crate::failure::Failure;
use crate::python::Interpreter;
use crate::step::{Project, step};

/// What locks the projects and what their tests need.
const LOCK: &str = "tests/conformance/truth.txt";

/// The projects; `NAME-source.txt` locks the source of each.
const PROJECTS: [&str; 5] = [
    "uvicorn",
    "starlette",
    "hypercorn",
    "jupyter_server",
    "aiohttp",
];

/// Runs the projects that are named, or all, and compares; other arguments go to the script.
pub(super) fn truth(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let (named, rest): (Vec<&String>, Vec<&String>) = arguments
        .iter()
        .partition(|word| PROJECTS.contains(&word.as_str()));
    let interpreter = Interpreter::find()?;
    let environment = extension::locked(project, &interpreter, "truth", LOCK)?;
    let build = [
        "build",
        "--release",
        "--locked",
        "--quiet",
        "-p",
        "corrente-check",
    ];
    step(
        "release build of the analyser",
        &mut project.cargo(&build),
        "",
    )?;
    let mut command = environment.command(project, "python");
    command
        .arg("tests/conformance/truth.py")
        .arg(project.target.join("release/corrente-check"))
        .arg("--out")
        .arg(project.target.join("conformance"));
    for name in PROJECTS {
        if named.is_empty() || named.iter().any(|wanted| *wanted == name) {
            let source = Suite::fetch(project, &interpreter, name)?;
            command.arg(format!("{name}={}", source.display()));
        }
    }
    step("tests of others, watched", command.args(rest), "")
}
