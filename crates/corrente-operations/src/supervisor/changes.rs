//! What has changed among an application's files.
//!
//! Looks at times and sizes, twice a second: that needs no right, works on every file system, in
//! containers and over networks, where the kernel's notices (inotify) do not. Bounded: beyond a
//! number of files it says so and watches those that it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Half a second is what people who type do not notice; 2 000 files cost 1 % of a processor.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);

/// A project of 20 000 files is not meant as a whole.
pub(super) const FILES: usize = 20_000;

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Folders, with all below them.
    pub folders: Vec<PathBuf>,
    /// Names of files that count; `*` stands for anything.
    pub include: Vec<String>,
    /// Names of files and folders that do not.
    pub exclude: Vec<String>,
}

/// The files as they were last seen.
#[derive(Debug)]
pub(super) struct Changes {
    watched: Watched,
    seen: BTreeMap<PathBuf, Stamp>,
    is_full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl Changes {
    pub(super) fn new(watched: Watched) -> Self {
        let (seen, is_full) = look(&watched);
        Self {
            watched,
            seen,
            is_full,
        }
    }

    /// Whether there are more files than are watched.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// The first file that is new, gone or changed since the last look.
    pub(super) fn next(&mut self) -> Option<PathBuf> {
        let (now, is_full) = look(&self.watched);
        let before = std::mem::replace(&mut self.seen, now);
        self.is_full = is_full;
        let changed = self
            .seen
            .iter()
            .find(|(path, stamp)| before.get(*path) != Some(stamp));
        let gone = || before.keys().find(|path| !self.seen.contains_key(*path));
        changed.map(|(path, _)| path).or_else(gone).cloned()
    }
}

fn look(watched: &Watched) -> (BTreeMap<PathBuf, Stamp>, bool) {
    let mut found = BTreeMap::new();
    let mut folders = watched.folders.clone();
    while let Some(folder) = folders.pop() {
        // A folder that has gone in the meantime has no files.
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if is_left_out(&name, &watched.exclude) {
                continue;
            }
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if watched
                .include
                .iter()
                .any(|pattern| matches(pattern, &name))
            {
                if found.len() == FILES {
                    return (found, true);
                }
                if let Some(stamp) = stamp(&entry.path()) {
                    found.insert(entry.path(), stamp);
                }
            }
        }
    }
    (found, false)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some(Stamp {
        modified: metadata.modified().ok(),
        bytes: metadata.len(),
    })
}

fn is_left_out(name: &str, exclude: &[String]) -> bool {
    let known = name.starts_with('.') || name == "__pycache__" || name == "node_modules";
    known || exclude.iter().any(|pattern| matches(pattern, name))
}

/// Whether a name is like a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            let Some(at) = rest.find(middle) else {
                return false;
            };
            rest = &rest[at + middle.len()..];
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.ends_with(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        };
        check("*.py", "app.py", true);
        check("*.py", ".py", true);
        check("*.py", "app.pyc", false);
        check("app.py", "app.py", true);
        check("app.py", "app.pyx", false);
        check("*", "", true);
        check("a*b*c", "aXbYc", true);
        check("a*b*c", "abc", true);
        check("a*b*c", "acb", false);
        check("a*a", "a", false);
        check("test_*", "test_a.py", true);
    }

    #[test]
    fn new_changed_and_removed_files_are_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            fs::create_dir_all(path(name).parent().expect("a folder")).expect("made");
            fs::write(path(name), text).expect("written");
        };
        write("app.py", "1");
        write("tests/test_app.py", "1");
        let mut changes = Changes::new(Watched {
            folders: vec![folder.path().to_owned()],
            include: vec!["*.py".to_owned()],
            exclude: vec!["tests".to_owned()],
        });
        assert_eq!(changes.next(), None);
        write("app.py", "12");
        assert_eq!(changes.next(), Some(path("app.py")));
        assert_eq!(changes.next(), None);
        write("inner/deep.py", "");
        assert_eq!(changes.next(), Some(path("inner/deep.py")));
        fs::remove_file(path("app.py")).expect("removed");
        assert_eq!(changes.next(), Some(path("app.py")));
        for name in [
            "notes.txt",
            "tests/test_app.py",
            "__pycache__/a.py",
            ".venv/a.py",
        ] {
            write(name, "123");
            assert_eq!(changes.next(), None, "{name}");
        }
        assert!(!changes.is_full());
    }
}
