//! What outlives a run, on disk: for each set of paths that is checked the facts of its files, what was
//! found in them, and the report.
//!
//! A cache is never a reason to fail or to speak: what cannot be read is made anew, what cannot
//! be written is not. It is written whole and renamed, so that no other run sees half of it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use corrente_check::{Report, Source, Store, Updated};
use sha2::{Digest as _, Sha256};

/// Files that are kept: some twenty projects on one machine.
const FILES_MAX: usize = 20;

/// Bytes of all files; the facts of a million lines take some 80 MB.
const BYTES_MAX: u64 = 1 << 30;

const EXTENSION: &str = "facts";

/// What was found, whatever the layout of the files: beside their facts.
const FINDINGS: &str = "findings";

/// The report, for just these files.
const REPORT: &str = "report";

/// The analyser itself: what one found, another might not.
fn analyser() -> Option<String> {
    let program = env::current_exe().and_then(fs::metadata).ok()?;
    let built = program.modified().ok()?;
    Some(format!("{built:?} {}", program.len()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Where what is known of some paths is kept.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    file: PathBuf,
    analyser: String,
}

impl Cache {
    /// The cache in `folder`, else in the user's folder for such things, if there is one.
    pub(crate) fn of(folder: Option<&Path>, paths: &[PathBuf]) -> Option<Self> {
        let folder = folder.map_or_else(default_folder, |folder| Some(folder.to_path_buf()))?;
        let mut digest = Sha256::new();
        for path in paths {
            let real = fs::canonicalize(path).ok()?;
            digest.update(real.as_os_str().as_encoded_bytes());
            digest.update([0]);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let (half, _) = digest.split_at(16);
        let file = folder.join(hexadecimal(half)).with_extension(EXTENSION);
        Some(Self {
            folder,
            file,
            analyser: analyser()?,
        })
    }

    /// What a report follows from: the analyser itself, the catalogues of the user's, all sources.
    pub(crate) fn input(&self, catalogues: &[String], sources: &[Source]) -> String {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(self.analyser.as_bytes());
        for text in catalogues {
            add(text.as_bytes());
        }
        for source in sources {
            add(source.path.as_bytes());
            add(source.module.as_deref().unwrap_or("?").as_bytes());
            add(source.text.as_bytes());
        }
        let digest: [u8; 32] = digest.finalize().into();
        hexadecimal(&digest)
    }

    /// What an earlier run has left.
    pub(crate) fn read(&self) -> Store {
        let facts = fs::read(&self.file).unwrap_or_default();
        let findings = fs::read(self.file.with_extension(FINDINGS)).unwrap_or_default();
        let findings = findings.strip_prefix(self.analyser.as_bytes());
        Store::read(facts, findings.unwrap_or_default().to_vec())
    }

    /// The report of an earlier run of the same analyser on the same input.
    pub(crate) fn report(&self, input: &str) -> Option<Report> {
        let text = fs::read_to_string(self.file.with_extension(REPORT)).ok()?;
        let (of, report) = text.split_once('\n')?;
        (of == input).then(|| serde_json::from_str(report).ok())?
    }

    /// Leaves a report for a later run on the same input.
    pub(crate) fn keep_report(&self, input: &str, report: &Report) {
        if let Ok(text) = serde_json::to_string(report) {
            self.put(REPORT, format!("{input}\n{text}").as_bytes());
        }
    }

    /// Leaves this for a later run.
    pub(crate) fn write(&self, updated: &Updated) {
        if let Some(findings) = &updated.findings {
            self.put(
                FINDINGS,
                &[self.analyser.as_bytes(), findings.as_slice()].concat(),
            );
        }
        if let Some(facts) = &updated.facts
            && self.put(EXTENSION, facts)
        {
            self.thin_out();
        }
    }

    /// Writes a file, as a whole or not at all.
    fn put(&self, extension: &str, bytes: &[u8]) -> bool {
        let unfinished = self.file.with_extension(std::process::id().to_string());
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&unfinished, bytes))
            .and_then(|()| fs::rename(&unfinished, self.file.with_extension(extension)));
        if written.is_err() {
            // It may not have come into being at all.
            drop(fs::remove_file(&unfinished));
        }
        written.is_ok()
    }

    /// Removes the files that were not written for longest, as far as there are too many.
    fn thin_out(&self) {
        let mut count = 0;
        let mut total = 0;
        for (_, length, path) in self.files() {
            count += 1;
            total += length;
            if (count > FILES_MAX || total > BYTES_MAX) && path != self.file {
                // Another run may have removed it already.
                drop(fs::remove_file(path.with_extension(REPORT)));
                drop(fs::remove_file(path.with_extension(FINDINGS)));
                drop(fs::remove_file(path));
            }
        }
    }

    /// All files of the cache, the newest first.
    fn files(&self) -> Vec<(SystemTime, u64, PathBuf)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension() == Some(OsStr::new(EXTENSION)))
            .filter_map(|path| {
                let known = fs::metadata(&path).ok()?;
                Some((known.modified().ok()?, known.len(), path))
            })
            .collect();
        files.sort_by(|a, b| b.cmp(a));
        files
    }
}

/// The folder that the user's system has for caches.
fn default_folder() -> Option<PathBuf> {
    let named = |name: &str| env::var_os(name).map(PathBuf::from);
    let caches = named("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| named("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("corrente").join("check"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bytes: &[u8]) -> Updated {
        Updated {
            facts: Some(bytes.to_vec()),
            findings: None,
        }
    }

    fn cache(folder: &Path) -> Cache {
        Cache::of(Some(&folder.join("cache")), &[folder.to_path_buf()]).expect("it has a folder")
    }

    #[test]
    fn what_is_written_replaces_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let cache = cache(folder.path());
        cache.write(&facts(b"one"));
        cache.write(&facts(b"two"));
        assert_eq!(fs::read(&cache.file).ok(), Some(b"two".to_vec()));
        assert_eq!(cache.files().len(), 1);
        let left = fs::read_dir(&cache.folder).expect("it is there").count();
        assert_eq!(left, 1, "nothing unfinished is left");
    }

    #[test]
    fn old_files_go_when_there_are_many() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let cache = cache(folder.path());
        fs::create_dir_all(&cache.folder).expect("it can be made");
        for number in 0..FILES_MAX + 5 {
            let path = cache.folder.join(number.to_string());
            fs::write(path.with_extension(EXTENSION), b"old").expect("it can be written");
        }
        cache.write(&facts(b"new"));
        assert_eq!(cache.files().len(), FILES_MAX);
        assert!(cache.file.is_file());
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("cache"), b"in the way").expect("it can be written");
        cache(folder.path()).write(&facts(b"new"));
    }
}
