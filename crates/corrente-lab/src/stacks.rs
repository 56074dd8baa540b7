//! The contenders' stacks: a virtual environment of the lab's own, from a locked, hashed file.
//!
//! It lives in the user's cache and is named after the lock and the interpreter, so that it is made
//! once and a changed lock makes a new one. When a package does not install, the rest is installed
//! without it, and only the contenders that need it are left out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::error::LabError;
use crate::files::LabFiles;
use crate::observer::{Activity, Observer};
use crate::part::{Part, PartPlan, Stop, last_line};

/// Pace of looking whether an installer has ended.
const PACE: Duration = Duration::from_millis(50);

/// The installed stacks.
#[derive(Debug, Clone)]
pub(crate) struct Stacks {
    /// The environment's interpreter.
    pub python: PathBuf,
    /// Version of the interpreter.
    pub python_version: String,
    /// Installed distributions, by normalised name.
    pub versions: BTreeMap<String, String>,
    /// Distributions of the lock that did not install, with the reason.
    failed: BTreeMap<String, String>,
}

impl Stacks {
    /// Finds or makes the environment with `python` as its base interpreter.
    pub(crate) fn prepare(
        files: &LabFiles,
        python: &Path,
        interrupted: &dyn Fn() -> bool,
        observer: &mut dyn Observer,
    ) -> Result<Self, LabError> {
        let lock = files.text("requirements.txt")?;
        let version = output_of(python, &["-c", "import sys; print(sys.version.split()[0])"])?;
        let root = cache_directory()?.join(format!("lab-{}", fingerprint(&lock, &version)));
        fs::create_dir_all(&root).map_err(|error| LabError::file(&root, &error))?;
        let guard = root.join("lock");
        let guard = File::create(&guard).map_err(|error| LabError::file(&guard, &error))?;
        // Two runs at once make one environment; where locks are not to be had, both make it.
        rustix::fs::flock(&guard, rustix::fs::FlockOperation::LockExclusive).ok();
        let environment = Environment {
            root,
            python: python.to_owned(),
            interrupted,
        };
        if !environment.complete_mark().exists() {
            let made = environment.make(&lock, observer);
            fs::remove_dir_all(environment.temporary()).ok();
            made?;
        }
        let interpreter = environment.interpreter();
        Ok(Self {
            versions: installed_versions(&interpreter)?,
            failed: environment.failures(),
            python: interpreter,
            python_version: version,
        })
    }

    /// Why a distribution is not there; `None` where it is.
    pub(crate) fn missing(&self, distribution: &str) -> Option<String> {
        let name = normalised(distribution);
        if self.versions.contains_key(&name) {
            return None;
        }
        let reason = self
            .failed
            .get(&name)
            .map_or("is not in lab/requirements.txt", String::as_str);
        Some(format!("`{distribution}` {reason}"))
    }

    /// The directory that holds a package, where it can be imported.
    pub(crate) fn location(&self, package: &str) -> Result<Option<PathBuf>, LabError> {
        let found = package_folder(&self.python, package)?;
        Ok(found.and_then(|found| found.parent().map(Path::to_owned)))
    }

    /// Version of a distribution that is there.
    pub(crate) fn version(&self, distribution: &str) -> Option<&str> {
        self.versions
            .get(&normalised(distribution))
            .map(String::as_str)
    }
}

struct Environment<'run> {
    root: PathBuf,
    python: PathBuf,
    interrupted: &'run dyn Fn() -> bool,
}

impl Environment<'_> {
    fn interpreter(&self) -> PathBuf {
        self.root.join("venv/bin/python")
    }

    fn complete_mark(&self) -> PathBuf {
        self.root.join("complete")
    }

    /// An installer that is killed leaves its temporary files where they can be found.
    fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn log(&self) -> PathBuf {
        self.root.join("install.log")
    }

    fn make(&self, lock: &str, observer: &mut dyn Observer) -> Result<(), LabError> {
        let venv = self.root.join("venv");
        fs::remove_dir_all(&venv).ok();
        fs::remove_file(self.log()).ok();
        observer.activity(Activity::Installing { what: "venv" });
        let made = self.run(&self.python, &["-m", "venv", &venv.to_string_lossy()])?;
        if !made {
            return Err(LabError::Start {
                part: "the contenders' virtual environment".to_owned(),
                reason: format!("`python -m venv` failed: {}", last_line(&self.log())),
            });
        }
        observer.activity(Activity::Installing {
            what: "requirements.txt",
        });
        let failed = if self.install(lock, &[])? {
            BTreeMap::new()
        } else {
            observer.warning("not every package installs; installing them one by one");
            self.install_one_by_one(lock, observer)?
        };
        let mark = serde_json::to_vec(&failed).unwrap_or_default();
        let path = self.complete_mark();
        fs::write(&path, mark).map_err(|error| LabError::file(&path, &error))
    }

    /// One package at a time without its dependencies: the lock names those too.
    fn install_one_by_one(
        &self,
        lock: &str,
        observer: &mut dyn Observer,
    ) -> Result<BTreeMap<String, String>, LabError> {
        let mut failed = BTreeMap::new();
        for (name, entry) in lock_entries(lock) {
            observer.activity(Activity::Installing { what: &name });
            if !self.install(&entry, &["--no-deps"])? {
                let reason = format!("does not install: {}", last_line(&self.log()));
                observer.warning(&format!("`{name}` {reason}"));
                failed.insert(name, reason);
            }
        }
        Ok(failed)
    }

    fn install(&self, requirements: &str, options: &[&str]) -> Result<bool, LabError> {
        let path = self.root.join("requirements.txt");
        fs::write(&path, requirements).map_err(|error| LabError::file(&path, &error))?;
        let path = path.to_string_lossy();
        let fixed = [
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
        ];
        let hashed = ["--require-hashes", "--requirement", &path];
        self.run(
            &self.interpreter(),
            &[&fixed[..], options, &hashed[..]].concat(),
        )
    }

    /// Runs an installer in a process group of its own, so that Ctrl-C reaches the lab alone and an
    /// interrupted package is not taken for one that does not install.
    fn run(&self, program: &Path, arguments: &[&str]) -> Result<bool, LabError> {
        let words = arguments.iter().map(OsString::from);
        let temporary = self.temporary();
        fs::create_dir_all(&temporary).map_err(|error| LabError::file(&temporary, &error))?;
        let mut installer = Part::start(&PartPlan {
            name: "the contenders' installer".to_owned(),
            command: std::iter::once(program.into()).chain(words).collect(),
            environment: BTreeMap::from([("TMPDIR".to_owned(), temporary.into())]),
            directory: self.root.clone(),
            log: self.log(),
            output: None,
            user: None,
            stop: Stop::Kill,
        })?;
        loop {
            if let Some(status) = installer.ended() {
                return Ok(status.success());
            }
            if (self.interrupted)() {
                return Err(LabError::Interrupted);
            }
            std::thread::sleep(PACE);
        }
    }

    fn failures(&self) -> BTreeMap<String, String> {
        let mark = fs::read(self.complete_mark()).unwrap_or_default();
        serde_json::from_slice(&mark).unwrap_or_default()
    }
}

/// `$CORRENTE_CACHE_DIR`, else `corrente` under the XDG cache directory.
fn cache_directory() -> Result<PathBuf, LabError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(own) = variable("CORRENTE_CACHE_DIR") {
        let own = PathBuf::from(own);
        return std::path::absolute(&own).map_err(|error| LabError::file(&own, &error));
    }
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    base.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))
        .map(|base| base.join("corrente"))
        .ok_or_else(|| LabError::Missing {
            reason: "no place for the contenders' stacks: set CORRENTE_CACHE_DIR or HOME"
                .to_owned(),
        })
}

fn fingerprint(lock: &str, version: &str) -> String {
    let digest = Sha256::new()
        .chain_update(lock)
        .chain_update(version)
        .finalize();
    let start = digest
        .iter()
        .take(8)
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{start:016x}")
}

/// Each requirement of a lock with its hashes; a continued line ends with a backslash.
fn lock_entries(lock: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut continued = false;
    for line in lock.lines() {
        let meaning = line.trim();
        if meaning.is_empty() || meaning.starts_with('#') {
            continue;
        }
        match entries.last_mut() {
            Some((_, entry)) if continued => {
                entry.push('\n');
                entry.push_str(line);
            }
            _ => entries.push((entry_name(meaning), line.to_owned())),
        }
        continued = meaning.ends_with('\\');
    }
    entries
}

fn entry_name(line: &str) -> String {
    let name = line
        .split(['=', '<', '>', '!', '~', ';', '[', ' ', '@'])
        .next();
    normalised(name.unwrap_or_default())
}

/// A distribution's name as PEP 503 compares it.
fn normalised(name: &str) -> String {
    let name = name.split('[').next().unwrap_or_default();
    let words: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-").to_lowercase()
}

fn installed_versions(python: &Path) -> Result<BTreeMap<String, String>, LabError> {
    let list = "import importlib.metadata as m, json; \
                print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))";
    let text = output_of(python, &["-c", list])?;
    let found: BTreeMap<String, String> = serde_json::from_str(&text)
        .map_err(|error| LabError::input(python, format!("lists no packages: {error}")))?;
    Ok(found
        .into_iter()
        .map(|(name, version)| (normalised(&name), version))
        .collect())
}

/// A folder under `work` with the package `corrente` of an interpreter in it and nothing else: the
/// contenders' environment has versions of its own of whatever else that interpreter knows.
pub(crate) fn package(python: &Path, work: &Path) -> Result<PathBuf, LabError> {
    let folder = work.join("package");
    fs::create_dir_all(&folder).map_err(|error| LabError::file(&folder, &error))?;
    if let Some(found) = package_folder(python, "corrente")? {
        let link = folder.join("corrente");
        std::os::unix::fs::symlink(found, &link).map_err(|error| LabError::file(&link, &error))?;
    }
    Ok(folder)
}

/// The folder of a package that an interpreter can import; `None` where it cannot.
fn package_folder(python: &Path, package: &str) -> Result<Option<PathBuf>, LabError> {
    let find = format!(
        "import importlib.util as u; s = u.find_spec('{package}'); \
         print(s.submodule_search_locations[0] if s else '')"
    );
    // -P: a folder of that name where the command is started is not the package.
    let found = output_of(python, &["-P", "-c", &find])?;
    Ok((!found.is_empty()).then(|| PathBuf::from(found)))
}

fn output_of(program: &Path, arguments: &[&str]) -> Result<String, LabError> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| LabError::file(program, &error))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().last().unwrap_or("it said nothing").to_owned();
        return Err(LabError::Start {
            part: program.display().to_string(),
            reason: last,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Executables on `PATH` by the names asked for.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// What a program on `PATH` says when asked for its version: the first line of `--version`, or of
/// `version` for those that know only that (Go).
pub(crate) fn program_version(name: &str) -> Option<String> {
    let program = find_program(name)?;
    ["--version", "version"].iter().find_map(|argument| {
        let text = output_of(&program, &[argument]).ok()?;
        text.lines().next().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "# made by a tool\nFlask==3.1.3 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via -r x\npsycopg[binary,pool]==3.3.9 ; python_version >= '3.11' \\\n    --hash=sha256:cc\n";

    #[test]
    fn splits_a_lock_into_its_requirements() {
        let entries = lock_entries(LOCK);
        let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["flask", "psycopg"]);
        assert_eq!(entries[0].1.lines().count(), 3);
        assert!(entries[1].1.ends_with("--hash=sha256:cc"));
    }

    #[test]
    fn names_are_compared_as_pep_503_says() {
        assert_eq!(normalised("Psycopg2_Binary[pool]"), "psycopg2-binary");
        assert_eq!(normalised("a.-_b"), "a-b");
    }

    #[test]
    fn another_interpreter_gets_another_environment() {
        assert_ne!(fingerprint(LOCK, "3.11.7"), fingerprint(LOCK, "3.12.1"));
    }
}
