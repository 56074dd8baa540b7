//! What Autobahn's suite needs: a CPython 2.7, and its packages in a folder of their own.
//!
//! The suite was never moved to Python 3. Its packages come from `PyPI` by version and hash; some are compiled.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::failed;
use crate::failure::Failure;
use crate::python;
use crate::step::{Project, step};

/// Why it may not be run.
pub(super) const NO_PYTHON: &str = "Autobahn's suite needs CPython 2.7, and there is no `python2.7` on PATH nor under pyenv's \
                                    folder";
/// What to do about it.
pub(super) const HINT: &str = "`pyenv install 2.7.18`, for example";

/// What locks its packages.
const LOCK: &str = "tests/conformance/autobahn.txt";

/// Installs it; gives the arguments for its script, or `None` where there is no Python for it.
pub(super) fn prepare(project: &Project) -> Result<Option<Vec<String>>, Failure> {
    let Some(python) = python::two_seven() else {
        return Ok(None);
    };
    let folder = packages(project, &python)?;
    Ok(Some(vec![
        format!("--python2={}", python.display()),
        format!("--packages={}", folder.display()),
    ]))
}

/// The folder of the packages; filled once for each content of the lock file.
fn packages(project: &Project, python: &PathBuf) -> Result<PathBuf, Failure> {
    let folder = project.target.join("conformance/autobahn-packages");
    let stamp = folder.join("from.stamp");
    let lock = project.root.join(LOCK);
    let wanted = fs::read_to_string(&lock).map_err(|error| failed(&lock, &error))?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--quiet"])
        .args(["install", "--no-deps", "--require-hashes", "-r"])
        .arg(&lock)
        .arg("--target")
        .arg(&folder);
    step(
        "Autobahn's suite and what it needs, for CPython 2.7",
        &mut pip,
        "pip for Python 2.7, a C compiler and the Python package registry are needed",
    )?;
    fs::write(&stamp, wanted).map_err(|error| failed(&stamp, &error))?;
    Ok(folder)
}
