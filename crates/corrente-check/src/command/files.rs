//! Python files under a path: found and read.
//!
//! A folder is entered once, whichever links lead to it. What cannot be read, and links that lead
//! nowhere or round in a circle, are told and left out.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use corrente_check::{Fault, Source};

use super::encoding;

/// Folders that hold other people's code or what tools write.
const FOREIGN: &[&str] = &[
    ".git",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".ruff_cache",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
];

/// Bytes of a file; a larger one is data in the shape of Python.
const FILE_BYTES_MAX: u64 = 20_000_000;

/// Folders inside one another.
const DEPTH_MAX: usize = 100;

/// What is left out: whatever has one of the names, and what is at one of the paths.
#[derive(Debug, Default)]
pub(crate) struct Excluded {
    names: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Excluded {
    /// Adds what is written down in `folder`: a name alone stands for any file or folder of that name,
    /// with a `/` it is a path from `folder`.
    pub(crate) fn add(&mut self, folder: &Path, written: &[String]) {
        for one in written {
            let trimmed = one.trim_end_matches('/');
            if trimmed.contains('/') {
                let path = folder.join(trimmed);
                self.paths.push(fs::canonicalize(&path).unwrap_or(path));
            } else {
                self.names.push(trimmed.to_owned());
            }
        }
    }

    /// Whether the file or folder called `name` in `folder`, a real path, is left out.
    fn has(&self, folder: &Path, name: &str) -> bool {
        self.names.iter().any(|one| one == name)
            || !self.paths.is_empty() && self.paths.contains(&folder.join(name))
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) sources: Vec<Source>,
    /// Lines about what was left out.
    pub(crate) skipped: Vec<String>,
    /// Files that Python would not read as they are.
    pub(crate) faults: Vec<Fault>,
    found: Vec<PathBuf>,
    entered: BTreeSet<PathBuf>,
}

/// Reads all Python files under these paths.
pub(crate) fn read(paths: &[PathBuf], excluded: &Excluded) -> Result<Files, String> {
    let mut files = find(paths, excluded)?;
    for path in std::mem::take(&mut files.found) {
        files.file(&path);
    }
    files.sources.sort_by(|a, b| a.path.cmp(&b.path));
    files.sources.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

/// All Python files under these paths.
pub(crate) fn list(paths: &[PathBuf], excluded: &Excluded) -> Result<Vec<PathBuf>, String> {
    Ok(find(paths, excluded)?.found)
}

fn find(paths: &[PathBuf], excluded: &Excluded) -> Result<Files, String> {
    let mut files = Files::default();
    for path in paths {
        let known = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if known.is_dir() {
            files.enter(path, path, excluded, DEPTH_MAX);
        } else {
            files.found.push(path.clone());
        }
    }
    Ok(files)
}

impl Files {
    /// Adds what is wrong with the files themselves to what is wrong in them.
    pub(crate) fn add_faults(&self, faults: &mut Vec<Fault>) {
        faults.extend(self.faults.iter().cloned());
        faults.sort_by(|one, other| one.place.cmp(&other.place));
    }

    fn enter(&mut self, folder: &Path, base: &Path, excluded: &Excluded, depth: usize) {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        if self.leads_upwards(folder, base, &real) || !self.entered.insert(real.clone()) {
            return;
        }
        if depth == 0 {
            self.skipped.push(format!(
                "`{}` is more than {DEPTH_MAX} folders deep: left out",
                told(folder)
            ));
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.skipped
                    .push(format!("`{}` cannot be listed: {error}", told(folder)));
                return;
            }
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        paths.sort();
        for path in paths {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if excluded.has(&real, &name) || FOREIGN.contains(&name.as_str()) {
                continue;
            }
            // Metadata follows links: a link to a file is a file.
            match fs::metadata(&path) {
                Ok(known) if known.is_dir() => {
                    self.enter(&path, base, excluded, depth - 1);
                }
                Ok(known) if known.is_file() && is_python(&path) => self.found.push(path),
                Err(error) if may_be_code(&path) => self.skipped.push(unreadable(&path, &error)),
                _ => {}
            }
        }
    }

    /// Whether it is a link to a folder that it is in itself, or out of what was asked for to one around that.
    fn leads_upwards(&mut self, folder: &Path, base: &Path, real: &Path) -> bool {
        if folder == base || !folder.is_symlink() {
            return false;
        }
        let mut inside = [folder.parent(), Some(base)].into_iter().flatten();
        let is_in = |one: &Path| fs::canonicalize(one).is_ok_and(|one| one.starts_with(real));
        let leads = inside.any(is_in);
        if leads {
            self.skipped.push(format!(
                "`{}` is a link to a folder that it is in: not followed",
                told(folder)
            ));
        }
        leads
    }

    fn file(&mut self, path: &Path) {
        let told = told(path);
        if fs::metadata(path).is_ok_and(|known| known.len() > FILE_BYTES_MAX) {
            self.skipped.push(format!(
                "`{told}` has more than {FILE_BYTES_MAX} bytes: left out"
            ));
            return;
        }
        match fs::read(path) {
            Ok(bytes) => {
                let module = module_name(path);
                let path = told;
                let encoding::Decoded { text, wrong } = encoding::decode(bytes);
                self.faults.extend(wrong.map(|wrong| Fault {
                    place: wrong.place(&path),
                    message: wrong.message(),
                }));
                self.sources.push(Source { path, module, text });
            }
            Err(error) => self.skipped.push(unreadable(path, &error)),
        }
    }
}

/// The file's dotted name: the folders above it with `__init__.py` are its packages.
fn module_name(path: &Path) -> Option<String> {
    let real = fs::canonicalize(path).ok()?;
    let mut parts = vec![real.file_stem()?.to_string_lossy().into_owned()];
    for folder in real.ancestors().skip(1) {
        if !folder.join("__init__.py").is_file() {
            break;
        }
        parts.push(folder.file_name()?.to_string_lossy().into_owned());
    }
    if parts.len() > 1 && parts[0] == "__init__" {
        parts.remove(0);
    }
    parts.reverse();
    Some(parts.join("."))
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

/// Whether what cannot be looked at may be a folder or a file of Python. Editors mark files that are
/// open by links such as `.#shop.py` that lead nowhere.
fn may_be_code(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with(".#") && (is_python(path) || path.extension().is_none())
}

/// A path as people are told it.
fn told(path: &Path) -> String {
    let told = path.strip_prefix(".").unwrap_or(path);
    told.to_string_lossy().replace('\\', "/")
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let what = if path.is_symlink() {
        "is a link that cannot be followed"
    } else {
        "cannot be read"
    };
    format!("`{}` {what}: {error}", told(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_links_is_entered_once() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("a.py"), "x = 1\n").expect("it can be written");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again"))
            .expect("a link can be made");
        let found =
            read(&[folder.path().to_path_buf()], &Excluded::default()).expect("it can be read");
        assert_eq!(found.sources.len(), 1);
    }

    #[test]
    fn a_link_upwards_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).expect("it can be made");
        fs::write(folder.path().join("outside.py"), "x = 1\n").expect("it can be written");
        fs::write(inner.join("a.py"), "x = 1\n").expect("it can be written");
        std::os::unix::fs::symlink(folder.path(), inner.join("up")).expect("a link can be made");
        let found = read(&[inner], &Excluded::default()).expect("it can be read");
        assert_eq!(found.sources.len(), 1);
    }
}
