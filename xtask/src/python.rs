//! Finding an interpreter, and virtual environments under the target folder.
//!
//! An environment and what is in it carry stamps: small files that hold what they were made from.
//! A stamp that still agrees means that there is nothing to do. Deleting the folder is always safe.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::step::{Project, output, step};

/// The oldest interpreter that Corrente supports: 3.OLDEST.
const OLDEST: u32 = 11;
/// The oldest without a GIL that is looked for by itself: `PyO3` supports no older one.
const OLDEST_FREE: u32 = 14;
/// The newest that is looked for by name; `PYTHON` may name any.
const NEWEST_BY_NAME: u32 = 15;

/// A CPython that was started and asked.
#[derive(Debug, Clone)]
pub(crate) struct Interpreter {
    /// Its executable, as it says itself.
    pub(crate) path: PathBuf,
    /// The second number of its version: 11 for 3.11.
    pub(crate) minor: u32,
    /// Whether its threads take turns.
    lock: Lock,
}

/// The interpreter's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lock {
    /// Built without it.
    Free,
    /// The GIL.
    Held,
}

impl Interpreter {
    /// Asks `program` what it is; `None` where it does not start or is no CPython 3.
    fn ask(program: impl AsRef<Path>) -> Option<Self> {
        const QUESTION: &str = "import sys; v = sys.version_info; \
             print(sys.implementation.name, v[0], v[1], 't' in sys.abiflags, sys.executable)";
        let answer = output(Command::new(program.as_ref()).args(["-c", QUESTION])).ok()?;
        let mut words = answer.splitn(5, ' ');
        if (words.next()?, words.next()?) != ("cpython", "3") {
            return None;
        }
        let minor = words.next()?.parse().ok()?;
        let lock = match words.next()? {
            "True" => Lock::Free,
            _ => Lock::Held,
        };
        Some(Self {
            minor,
            lock,
            path: PathBuf::from(words.next()?),
        })
    }

    /// Its version: `3.14`, and `3.14t` for a free-threaded one.
    pub(crate) fn version(&self) -> String {
        let free = match self.lock {
            Lock::Held => "",
            Lock::Free => "t",
        };
        format!("3.{}{free}", self.minor)
    }

    /// The interpreter to use: `PYTHON`, else `python3` where it is new enough, else the newest
    /// of the versions that a wheel is tested with.
    pub(crate) fn find() -> Result<Self, Failure> {
        if let Some(asked) = env::var_os("PYTHON") {
            let name = asked.to_string_lossy().into_owned();
            return match Self::ask(&asked) {
                Some(found) if found.minor >= OLDEST => Ok(found),
                Some(found) => Err(Failure::step(format!(
                    "PYTHON={name} is Python 3.{}",
                    found.minor
                ))
                .hint(format!("name a CPython 3.{OLDEST} or newer"))),
                None => Err(Failure::step(format!(
                    "PYTHON={name} is no CPython that starts"
                ))),
            };
        }
        ["python3", "python3.13", "python3.12", "python3.11"]
            .iter()
            .filter_map(Self::ask)
            .find(|found| found.minor >= OLDEST)
            .ok_or_else(|| {
                Failure::step(format!("no CPython 3.{OLDEST} or newer was found"))
                    .hint("install one, or name one: PYTHON=/path/to/python cargo xtask …")
            })
    }

    /// The interpreter of a version (`3.13`, `3.14t`) on PATH or managed by pyenv, or the one at a path.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let found = if name.starts_with("3.") {
            Self::all().into_iter().find(|one| one.version() == name)
        } else {
            Self::ask(name).filter(|one| one.minor >= OLDEST)
        };
        found.ok_or_else(|| {
            Failure::step(format!(
                "no CPython 3.{OLDEST} or newer is found as `{name}`"
            ))
            .hint("a version such as 3.13, or the path of an interpreter")
        })
    }

    /// One interpreter for each supported version on PATH or managed by pyenv, oldest first; those without
    /// a GIL before those with one.
    pub(crate) fn all() -> Vec<Self> {
        let mut found = BTreeMap::new();
        let named = (OLDEST..=NEWEST_BY_NAME).map(|minor| format!("python3.{minor}"));
        let free = (OLDEST_FREE..=NEWEST_BY_NAME).map(|minor| format!("python3.{minor}t"));
        let candidates = std::iter::once(PathBuf::from("python3"))
            .chain(named.chain(free).map(PathBuf::from))
            .chain(of_pyenv("bin/python3"));
        for interpreter in candidates.filter_map(Self::ask) {
            let oldest = match interpreter.lock {
                Lock::Held => OLDEST,
                Lock::Free => OLDEST_FREE,
            };
            if interpreter.minor >= oldest {
                let place = (interpreter.lock, interpreter.minor);
                found.entry(place).or_insert(interpreter);
            }
        }
        found.into_values().collect()
    }
}

/// A CPython 2.7 on PATH or managed by pyenv, for programs that were never moved on.
pub(crate) fn two_seven() -> Option<PathBuf> {
    const QUESTION: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
    let is_it = |path: &PathBuf| {
        let answer = output(Command::new(path).args(["-c", QUESTION]));
        answer.is_ok_and(|version| version.trim() == "2.7")
    };
    let on_path = std::iter::once(PathBuf::from("python2.7"));
    on_path.chain(of_pyenv("bin/python2.7")).find(is_it)
}

/// A program of each interpreter under pyenv's folder, if there is one.
fn of_pyenv(program: &str) -> Vec<PathBuf> {
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    let Some(root) = env::var_os("PYENV_ROOT").map(PathBuf::from).or(home) else {
        return Vec::new();
    };
    let Ok(versions) = fs::read_dir(root.join("versions")) else {
        return Vec::new();
    };
    versions
        .flatten()
        .map(|version| version.path().join(program))
        .collect()
}

/// A virtual environment.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The environment `target/venv-PURPOSE-VERSION`, created where it is not there or broken.
    pub(crate) fn prepare(
        project: &Project,
        purpose: &str,
        interpreter: &Interpreter,
    ) -> Result<Self, Failure> {
        let folder = project
            .target
            .join(format!("venv-{purpose}-{}", interpreter.version()));
        let environment = Self { folder };
        let made_with = interpreter.path.to_string_lossy().into_owned();
        if environment.is_stamped("interpreter", &made_with)
            && Interpreter::ask(environment.program("python")).is_some()
        {
            return Ok(environment);
        }
        step(
            &format!("virtual environment {}", environment.folder.display()),
            Command::new(&interpreter.path)
                .args(["-m", "venv", "--clear"])
                .arg(&environment.folder),
            "where venv is missing: on Debian, `apt-get install python3-venv`",
        )?;
        environment.stamp("interpreter", &made_with)?;
        Ok(environment)
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// A command of the environment that runs in the project's folder.
    pub(crate) fn command(&self, project: &Project, program: &str) -> Command {
        let mut command = project.command(self.program(program));
        command
            .env("VIRTUAL_ENV", &self.folder)
            .env_remove("PYTHONHOME")
            .env_remove("PYTHONPATH");
        command
    }

    /// `pip` with `arguments`.
    pub(crate) fn pip(&self, project: &Project, arguments: &[&str]) -> Command {
        let mut command = self.command(project, "python");
        command
            .args(["-m", "pip", "--disable-pip-version-check", "--quiet"])
            .args(arguments);
        command
    }

    /// Whether the stamp `name` holds `content`.
    pub(crate) fn is_stamped(&self, name: &str, content: &str) -> bool {
        fs::read_to_string(self.stamp_path(name)).is_ok_and(|found| found == content)
    }

    /// Writes the stamp `name`.
    pub(crate) fn stamp(&self, name: &str, content: &str) -> Result<(), Failure> {
        let path = self.stamp_path(name);
        fs::write(&path, content)
            .map_err(|error| Failure::step(format!("cannot write {}: {error}", path.display())))
    }

    fn stamp_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.stamp"))
    }
}
