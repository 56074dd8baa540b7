//! Getting the package `corrente` into a virtual environment.
//!
//! Two ways: `release`, as a user installs it (`pip install .`), for the lab and the smoke run; and
//! `develop`, an editable debug build beside the locked tools, for the tests. The release build is
//! stamped with a hash of everything that it is built from. The analyser is a package of its own beside it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::python::{Environment, Interpreter};
use crate::step::{Project, output, step};

/// What the package is built from, under the project's folder. Not lab/: it is embedded, but a chore
/// has the checkout's own read.
const SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "crates",
    "pyproject.toml",
    "python",
];
/// The lock file of the tools.
const TOOLS: &str = "requirements-dev.txt";
/// The folder of the analyser's package.
pub(crate) const ANALYSER: &str = "packages/check";
/// What a build or a run leaves among them.
const LEFT_BEHIND: &[&str] = &["__pycache__", "so", "pyc", "snap.new"];

/// An environment that holds a release build of the present tree.
pub(crate) fn release(project: &Project) -> Result<Environment, Failure> {
    let environment = Environment::prepare(project, "lab", &Interpreter::find()?)?;
    install_release(project, &environment)?;
    Ok(environment)
}

fn install_release(project: &Project, environment: &Environment) -> Result<(), Failure> {
    let built_from = hash_of_sources(&project.root)?;
    if environment.is_stamped("corrente", &built_from) && environment.program("corrente").is_file()
    {
        return Ok(());
    }
    println!("    the first build takes a few minutes");
    step(
        "release build of corrente",
        environment
            .pip(project, &["install", "--force-reinstall", "."])
            .env("MATURIN_PEP517_ARGS", "--locked"),
        "a C compiler, Rust and access to the package registries are needed",
    )?;
    environment.stamp("corrente", &built_from)
}

/// An environment with the locked servers and frameworks of requirements-dev.txt beside a release
/// build of the present tree: what a service that is recorded has.
pub(crate) fn service(project: &Project) -> Result<Environment, Failure> {
    with_release(project, &Interpreter::find()?, "service", Some(TOOLS))
}

/// An environment `venv-PURPOSE-3.N` with what a lock file names, if one is given, beside a release build of
/// the present tree.
pub(crate) fn with_release(
    project: &Project,
    interpreter: &Interpreter,
    purpose: &str,
    lock: Option<&str>,
) -> Result<Environment, Failure> {
    let environment = Environment::prepare(project, purpose, interpreter)?;
    if let Some(lock) = lock {
        install_locked(project, &environment, lock)?;
    }
    install_release(project, &environment)?;
    Ok(environment)
}

/// The same with a debug build, which is the tree's own: the environment looks into `python/`.
pub(crate) fn with_debug(
    project: &Project,
    interpreter: &Interpreter,
    purpose: &str,
    lock: Option<&str>,
) -> Result<Environment, Failure> {
    // What it prints: the ending of an extension module's name, and the folder of packages.
    const PLACES: &str = "import sysconfig as c; \
         print(c.get_config_var('EXT_SUFFIX'), c.get_path('purelib'))";
    let environment = Environment::prepare(project, &format!("{purpose}-debug"), interpreter)?;
    if let Some(lock) = lock {
        install_locked(project, &environment, lock)?;
    }
    step(
        "debug build of the extension module",
        project
            .cargo(&["build", "--locked", "-p", "corrente-python"])
            .env("PYO3_PYTHON", &interpreter.path),
        "a C compiler and Rust are needed",
    )?;
    let places = output(environment.command(project, "python").args(["-c", PLACES]))?;
    let (suffix, packages) = places.trim().split_once(' ').ok_or_else(|| {
        let said = places.trim();
        Failure::step(format!(
            "{purpose}: Python was asked for two places and said `{said}`"
        ))
    })?;
    let python = project.root.join("python");
    let built = project.target.join("debug").join("lib_native.so");
    let module = python.join("corrente").join(format!("_native{suffix}"));
    let path = Path::new(packages).join("corrente-debug.pth");
    // Not over the one that is there: a process that has loaded it would find another one under its feet.
    let written = module.with_extension("new");
    fs::copy(&built, &written)
        .and_then(|_| fs::rename(&written, &module))
        .and_then(|()| fs::write(&path, format!("{}\n", python.display())))
        .map_err(|error| {
            Failure::step(format!("cannot put {} there: {error}", module.display()))
        })?;
    Ok(environment)
}

/// An environment with the locked tools of requirements-dev.txt.
pub(crate) fn tools(project: &Project, interpreter: &Interpreter) -> Result<Environment, Failure> {
    locked(project, interpreter, "dev", TOOLS)
}

/// An environment `venv-PURPOSE-3.N` with what a lock file names and nothing of ours.
pub(crate) fn locked(
    project: &Project,
    interpreter: &Interpreter,
    purpose: &str,
    lock: &str,
) -> Result<Environment, Failure> {
    let environment = Environment::prepare(project, purpose, interpreter)?;
    install_locked(project, &environment, lock)?;
    Ok(environment)
}

fn install_locked(project: &Project, environment: &Environment, lock: &str) -> Result<(), Failure> {
    let path = project.root.join(lock);
    let locked = fs::read_to_string(&path)
        .map_err(|error| Failure::step(format!("cannot read {}: {error}", path.display())))?;
    if environment.is_stamped("requirements", &locked) {
        return Ok(());
    }
    let install = [
        "install",
        "--require-hashes",
        "--only-binary=:all:",
        "-r",
        lock,
    ];
    step(
        &format!("Python packages, locked by {lock}"),
        &mut environment.pip(project, &install),
        "the Python package registry must be reachable",
    )?;
    environment.stamp("requirements", &locked)
}

/// An environment with the tools and an editable debug build of the present tree.
pub(crate) fn develop(project: &Project) -> Result<Environment, Failure> {
    let environment = tools(project, &Interpreter::find()?)?;
    // Cargo decides what is stale; maturin only copies the library into python/corrente/.
    step(
        "debug build of the extension module",
        environment
            .command(project, "maturin")
            .args(["develop", "--locked", "--quiet"]),
        "",
    )?;
    step(
        "debug build of the analyser",
        environment
            .command(project, "maturin")
            .current_dir(project.root.join(ANALYSER))
            .args(["develop", "--locked", "--quiet"]),
        "",
    )?;
    Ok(environment)
}

/// A hash over the names and the contents of all sources. Not kept beyond the target folder.
fn hash_of_sources(root: &Path) -> Result<String, Failure> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&root.join(source), &mut files)
            .map_err(|error| Failure::step(format!("cannot read {source}: {error}")))?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let content = fs::read(&file)
            .map_err(|error| Failure::step(format!("cannot read {}: {error}", file.display())))?;
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        content.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if LEFT_BEHIND
        .iter()
        .any(|left| name == *left || name.ends_with(&format!(".{left}")))
    {
        return Ok(());
    }
    if path.is_file() {
        files.push(path.to_path_buf());
    } else if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}
