//! The suites: where each comes from, and the environment that it runs in.
//!
//! A suite that is not the interpreter's own comes as a source distribution from `PyPI`, by version and
//! hash. Its environment holds what its lock file names and a build of the present tree. What
//! its tests are is the business of tests/conformance.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::extension;
use crate::failure::Failure;
use crate::python::{Environment, Interpreter};
use crate::step::{Project, step};

/// The folder of run.py and of the lock files, under the project's.
const FOLDER: &str = "tests/conformance";

/// A suite that somebody else wrote.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    /// What its tests are, for a reader of the result.
    pub(super) about: &'static str,
    source: Source,
}

/// Where its tests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The interpreter brings them.
    Interpreter,
    /// In the source distribution of the lock file `NAME-source.txt`; `NAME.txt` locks what they need.
    Distribution,
}

/// Every suite.
pub(super) const SUITES: &[Suite] = &[
    Suite {
        name: "cpython",
        about: "the parts of CPython's own test.test_asyncio that ask nothing but a loop",
        source: Source::Interpreter,
    },
    Suite {
        name: "uvloop",
        about: "uvloop's own tests, by hooks only",
        source: Source::Distribution,
    },
    Suite {
        name: "aiohttp",
        about: "aiohttp's own tests",
        source: Source::Distribution,
    },
    Suite {
        name: "anyio",
        about: "anyio's own tests of its asyncio half, debug mode on",
        source: Source::Distribution,
    },
];

/// What is tested.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Build {
    /// As a user installs it.
    #[default]
    Release,
    /// With the checks of a debug build; made sooner.
    Debug,
}

/// A suite that can be run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Of the interpreter.
    pub(super) version: String,
    pub(super) build: Build,
    environment: Environment,
    source: Option<PathBuf>,
}

impl Suite {
    /// Makes the environment for an interpreter and fetches the tests.
    pub(super) fn prepare(
        &self,
        project: &Project,
        interpreter: &Interpreter,
        build: Build,
    ) -> Result<Prepared, Failure> {
        let purpose = format!("conformance-{}", self.name);
        let (lock, source) = match self.source {
            Source::Interpreter => (None, None),
            Source::Distribution => {
                let lock = format!("{FOLDER}/{}.txt", self.name);
                (
                    Some(lock),
                    Some(Self::fetch(project, interpreter, self.name)?),
                )
            }
        };
        let with_build = match build {
            Build::Release => extension::with_release,
            Build::Debug => extension::with_debug,
        };
        let environment = with_build(project, interpreter, &purpose, lock.as_deref())?;
        Ok(Prepared {
            name: self.name,
            about: self.about,
            version: interpreter.version(),
            build,
            environment,
            source,
        })
    }

    /// The unpacked source distribution; fetched once for each version of it.
    pub(super) fn fetch(
        project: &Project,
        interpreter: &Interpreter,
        name: &str,
    ) -> Result<PathBuf, Failure> {
        let lock = format!("{FOLDER}/{name}-source.txt");
        let folder = project
            .target
            .join("conformance")
            .join(format!("{name}-source"));
        let stamp = folder.join("from.stamp");
        let wanted = text(&project.root.join(&lock))?;
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return root_of(&folder);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        }
        let environment = Environment::prepare(project, "conformance-fetch", interpreter)?;
        // Of this one only: what builds it may come as it is, or pip would build that first, for minutes.
        let source_only = format!("--no-binary={name}");
        let download = [
            "download",
            "--no-deps",
            &source_only,
            "--require-hashes",
            "-r",
            &lock,
        ];
        step(
            &format!("source distribution of {name}"),
            environment
                .pip(project, &download)
                .arg("--dest")
                .arg(&folder),
            "the Python package registry must be reachable",
        )?;
        unpack(project, &environment, &folder)?;
        fs::write(&stamp, wanted).map_err(|error| failed(&stamp, &error))?;
        root_of(&folder)
    }
}

/// Unpacks the only archive in a folder, without links or paths that lead out of it.
fn unpack(project: &Project, environment: &Environment, folder: &Path) -> Result<(), Failure> {
    const UNPACK: &str = "import pathlib, sys, tarfile\n\
         folder = pathlib.Path(sys.argv[1])\n\
         (archive,) = folder.glob('*.tar.gz')\n\
         tarfile.open(archive).extractall(folder, filter='data')\n";
    let mut python = environment.command(project, "python");
    step("unpack it", python.args(["-c", UNPACK]).arg(folder), "")
}

/// The only folder in a folder.
fn root_of(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    let mut folders = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    let missing = || Failure::step(format!("{}: nothing was unpacked", folder.display()));
    folders.next().ok_or_else(missing)
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::step(format!("{}: {error}", path.display()))
}

impl Prepared {
    /// run.py, on one loop; its result and its log go to `out`.
    pub(super) fn command(&self, project: &Project, event_loop: &str, out: &Path) -> Command {
        let mut command = self.environment.command(project, "python");
        command.arg(project.root.join(FOLDER).join("run.py"));
        command
            .args([self.name, "--loop", event_loop, "--out"])
            .arg(out);
        if let Some(source) = &self.source {
            command.arg("--source").arg(source);
        }
        command
    }

    /// The name of the result that it writes.
    pub(super) fn result(&self, event_loop: &str) -> String {
        format!("{}-{}-{event_loop}.json", self.name, self.version)
    }

    /// What the tests came with: a distribution, or the interpreter.
    pub(super) fn origin(&self, python: &str) -> String {
        let folder = self.source.as_deref().and_then(Path::file_name);
        folder.map_or_else(
            || format!("CPython {python}"),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}
