//! `cargo xtask test`, `check` and `tidy`: what a change must pass, in the order of its price.
//!
//! `check` holds formatting, lints and tidy rules of both languages and needs no build of the
//! extension module; `test` is `check` and every test. CI runs the same two.

use std::process::Command;

use crate::extension;
use crate::failure::Failure;
use crate::python::{Environment, Interpreter};
use crate::step::{Project, step, succeeds};
use crate::tidy::{self, Tree};

/// Formatting, lints and tidy rules.
pub(crate) fn check(project: &Project) -> Result<(), Failure> {
    rust_checks(project)?;
    tidy(project)?;
    let environment = extension::tools(project, &Interpreter::find()?)?;
    python_checks(project, &environment)
}

/// Every check and every test.
pub(crate) fn test(project: &Project) -> Result<(), Failure> {
    check(project)?;
    rust_tests(project)?;
    let environment = extension::develop(project)?;
    python_tests(project, &environment)?;
    println!("every check and every test passed");
    Ok(())
}

/// The tidy rules: all findings, one a line.
pub(crate) fn tidy(project: &Project) -> Result<(), Failure> {
    println!("==> tidy rules");
    let findings = tidy::findings(&Tree::read(&project.root)?);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(Failure::step(format!("tidy rules: {count} findings"))
            .hint("docs/STYLE.md has the rules and their reasons")),
    }
}

fn rust_checks(project: &Project) -> Result<(), Failure> {
    step(
        "rustfmt",
        &mut project.cargo(&["fmt", "--all", "--check"]),
        "cargo fmt --all",
    )?;
    let mut clippy = pinned_to_interpreter(project, &["clippy", "--workspace", "--all-targets"])?;
    step(
        "clippy",
        clippy.args(["--locked", "--quiet", "--", "-D", "warnings"]),
        "",
    )
}

fn rust_tests(project: &Project) -> Result<(), Failure> {
    let nextest = succeeds(&mut project.cargo(&["nextest", "--version"]));
    let runner: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--locked"]
    } else {
        &[
            "test",
            "--workspace",
            "--locked",
            "--lib",
            "--bins",
            "--tests",
        ]
    };
    step(
        "Rust tests",
        &mut pinned_to_interpreter(project, runner)?,
        "",
    )?;
    let documentation = ["test", "--workspace", "--locked", "--doc", "--quiet"];
    step(
        "documentation tests",
        &mut pinned_to_interpreter(project, &documentation)?,
        "",
    )
}

/// Cargo that builds PyO3 for the interpreter that the chores use.
fn pinned_to_interpreter(project: &Project, arguments: &[&str]) -> Result<Command, Failure> {
    let mut command = project.cargo(arguments);
    command.env("PYO3_PYTHON", Interpreter::find()?.path);
    Ok(command)
}

fn python_checks(project: &Project, environment: &Environment) -> Result<(), Failure> {
    let folders = ["python", "tests", "lab/apps", "bench"];
    let mut lint = environment.command(project, "ruff");
    step(
        "ruff check",
        lint.args(["check", "--quiet"]).args(folders),
        "ruff check --fix",
    )?;
    let mut format = environment.command(project, "ruff");
    let format = format.args(["format", "--check", "--quiet"]).args(folders);
    step(
        "ruff format",
        format,
        "ruff format python tests lab/apps bench",
    )?;
    step("mypy", &mut environment.command(project, "mypy"), "")
}

fn python_tests(project: &Project, environment: &Environment) -> Result<(), Failure> {
    let mut stubs = environment.command(project, "python");
    stubs.args(["-m", "mypy.stubtest", "corrente"]);
    stubs.args(["--mypy-config-file", "pyproject.toml"]);
    step(
        "stubs agree with the module",
        &mut stubs,
        "python/corrente/_native.pyi",
    )?;
    step(
        "Python tests",
        &mut environment.command(project, "pytest"),
        "",
    )
}
