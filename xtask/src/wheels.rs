//! `cargo xtask wheels`: a release wheel for each interpreter that is found and a source
//! distribution, each one tried; and the analyser's wheel, which is one for all.
//!
//! Wheels are per CPython version (docs/ARCHITECTURE.md says why). A wheel counts only after
//! an environment of its own interpreter has installed it and has run the command.

use std::fs;
use std::path::{Path, PathBuf};

use crate::extension;
use crate::failure::Failure;
use crate::python::{Environment, Interpreter};
use crate::step::{Project, step};

/// Builds and tries the wheels; they are left in `target/wheels/`.
pub(crate) fn wheels(project: &Project) -> Result<(), Failure> {
    let tools = extension::tools(project, &Interpreter::find()?)?;
    let out = project.target.join("wheels");
    let mut made = Vec::new();
    for interpreter in Interpreter::all() {
        let folder = out.join(interpreter.version());
        empty(&folder)?;
        let mut build = tools.command(project, "maturin");
        build.args(["build", "--release", "--locked", "--quiet", "--interpreter"]);
        build.arg(&interpreter.path).arg("--out").arg(&folder);
        step(
            &format!("wheel for CPython {}", interpreter.version()),
            &mut build,
            "",
        )?;
        let wheel = only_file(&folder)?;
        try_out(project, &interpreter, &wheel, "corrente")?;
        made.push(wheel);
    }
    made.push(analyser(project, &tools, &out.join("check"))?);
    made.push(source_distribution(project, &tools, &out.join("source"))?);
    for path in &made {
        println!("{}", path.display());
    }
    Ok(())
}

/// Builds the analyser's wheel: a plain program, whatever the interpreter.
fn analyser(project: &Project, tools: &Environment, folder: &Path) -> Result<PathBuf, Failure> {
    empty(folder)?;
    let mut build = tools.command(project, "maturin");
    build
        .current_dir(project.root.join(extension::ANALYSER))
        .args(["build", "--release", "--locked", "--quiet", "--out"])
        .arg(folder);
    step("wheel of the analyser", &mut build, "")?;
    let wheel = only_file(folder)?;
    try_out(project, &Interpreter::find()?, &wheel, "corrente-check")?;
    Ok(wheel)
}

/// Builds the source distribution and, from it alone, a wheel that is tried like the others.
fn source_distribution(
    project: &Project,
    tools: &Environment,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    empty(folder)?;
    let mut build = tools.command(project, "maturin");
    step(
        "source distribution",
        build.args(["sdist", "--out"]).arg(folder),
        "",
    )?;
    let archive = only_file(folder)?;
    try_out(project, &Interpreter::find()?, &archive, "corrente")?;
    Ok(archive)
}

/// Installs the archive as a user would and asks its command for its version.
fn try_out(
    project: &Project,
    interpreter: &Interpreter,
    archive: &Path,
    program: &str,
) -> Result<(), Failure> {
    let environment = Environment::prepare(project, "wheel", interpreter)?;
    let archive = archive.to_string_lossy();
    let mut install = environment.pip(project, &["install", "--force-reinstall", &archive]);
    // A source distribution is built elsewhere, but what it depends on may be built already.
    step(
        "install it",
        install.env("CARGO_TARGET_DIR", &project.target),
        "",
    )?;
    step(
        "run it",
        environment.command(project, program).arg("--version"),
        "",
    )
}

/// Makes `folder` an empty folder.
fn empty(folder: &Path) -> Result<(), Failure> {
    let cannot = |error| Failure::step(format!("cannot empty {}: {error}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(cannot)?;
    }
    fs::create_dir_all(folder).map_err(cannot)
}

fn only_file(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .next()
        .ok_or_else(|| Failure::step(format!("maturin left no wheel in {}", folder.display())))
}
