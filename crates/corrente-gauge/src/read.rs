//! Finding recordings: files, several of them, or the folder of one that is being made.
//!
//! A folder holds a file for each process. Everything that is found is merged into one recording;
//! a file that is none is an error, because leaving it out would make the rest wrong.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use corrente_record::{Doubt, Recording};

use crate::GaugeError;
use crate::recorder::FILES_MAX;

/// The largest file that is read. A recorder keeps 60 MiB of names and figures at most, in all of a
/// service each is there once, and a process adds some ten KiB: what is larger is something else.
const BYTES_MAX: u64 = 256 << 20;

/// Reads and merges all recordings at these paths.
pub fn read(paths: &[PathBuf]) -> Result<Recording, GaugeError> {
    let mut files = Vec::new();
    let mut is_full = false;
    for path in paths {
        if path.is_dir() {
            let found = files_in(path)?;
            is_full |= found.len() > FILES_MAX;
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    let mut merged: Option<Recording> = None;
    for file in &files {
        let one = read_file(file)?;
        match &mut merged {
            None => merged = Some(one),
            Some(all) => all
                .merge(one)
                .map_err(|error| recording_error(file, error))?,
        }
    }
    let mut merged = merged.ok_or_else(|| GaugeError::Empty {
        path: paths.first().cloned().unwrap_or_default(),
    })?;
    if is_full && let Some(last) = merged.processes.last_mut() {
        last.cannot_tell.push(Doubt {
            code: "too_many_processes".to_owned(),
            detail: format!(
                "there were more than {FILES_MAX} processes: those that came later are not recorded"
            ),
        });
    }
    Ok(merged)
}

/// The recordings in a folder, by name; it must hold at least one.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, GaugeError> {
    let entries = fs::read_dir(folder).map_err(|error| file_error(folder, error))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(GaugeError::Empty {
            path: folder.to_owned(),
        });
    }
    Ok(files)
}

fn read_file(path: &Path) -> Result<Recording, GaugeError> {
    let text = read_text(path, BYTES_MAX)?;
    Recording::from_json(&text).map_err(|error| recording_error(path, error))
}

/// The text of a file of so many bytes at most.
fn read_text(path: &Path, bytes_max: u64) -> Result<String, GaugeError> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|error| file_error(path, error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(GaugeError::TooLarge {
            path: path.to_owned(),
            mib_max: bytes_max >> 20,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let what = format!("no text at byte {at}");
        recording_error(path, corrente_record::RecordError::Unreadable(what))
    })
}

/// Writes a recording as a whole: a reader never sees half of it.
pub fn write(recording: &Recording, path: &Path) -> Result<(), GaugeError> {
    replace(path, &recording.to_json()).map_err(|error| file_error(path, error))
}

/// Puts a whole file in the place of another; one that cannot be put there leaves nothing.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let replaced = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // What went wrong first is what is told.
        drop(fs::remove_file(&temporary));
    }
    replaced
}

fn file_error(path: &Path, error: io::Error) -> GaugeError {
    GaugeError::File {
        path: path.to_owned(),
        error,
    }
}

fn recording_error(path: &Path, error: corrente_record::RecordError) -> GaugeError {
    GaugeError::Recording {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use corrente_record::Process;

    fn one(pid: u32) -> Recording {
        let mut recording = Recording::new("test");
        recording.processes.push(Process {
            host: "a".to_owned(),
            pid,
            ..Process::default()
        });
        recording
    }

    #[test]
    fn a_folder_and_a_file_are_merged() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let inner = folder.path().join("a.recording.d");
        fs::create_dir(&inner).expect("it is new");
        write(&one(1), &inner.join("1.json")).expect("it can be written");
        write(&one(2), &inner.join("2.json")).expect("it can be written");
        fs::write(inner.join("3.new"), "half of a fi").expect("it can be written");
        write(&one(3), &folder.path().join("b.json")).expect("it can be written");
        let merged = read(&[inner, folder.path().join("b.json")]).expect("all are sound");
        assert_eq!(merged.processes.len(), 3);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let taken = folder.path().join("a.json");
        fs::create_dir(&taken).expect("it is new");
        let error = write(&one(1), &taken).expect_err("a folder is in the way");
        assert!(error.to_string().contains("a.json"), "{error}");
        let left = fs::read_dir(folder.path()).expect("it is there").flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["a.json"]);
    }

    #[test]
    fn a_folder_that_took_no_more_processes_is_said_to_be_full() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let said = |files: std::ops::Range<usize>| {
            for pid in files {
                let path = folder.path().join(format!("{pid}.json"));
                write(&one(pid as u32), &path).expect("it can be written");
            }
            let merged = read(&[folder.path().to_owned()]).expect("all are sound");
            let doubts = merged.processes.iter().flat_map(|one| &one.cannot_tell);
            doubts.map(|doubt| doubt.code.clone()).collect::<Vec<_>>()
        };
        assert_eq!(said(0..FILES_MAX), [] as [&str; 0]);
        assert_eq!(said(FILES_MAX..FILES_MAX + 1), ["too_many_processes"]);
    }

    #[test]
    fn a_file_without_end_is_not_read_to_it() {
        let error = read_text(Path::new("/dev/zero"), 1 << 20).expect_err("it has no end");
        let line = error.to_string();
        assert!(line.contains("larger than 1 MiB"), "{line}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.json");
        fs::write(&path, "1234").expect("it can be written");
        assert_eq!(read_text(&path, 4).expect("it is short enough"), "1234");
        assert!(read_text(&path, 3).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let check = |path: &Path, expected: &str| {
            let error = read(&[path.to_owned()]).expect_err("it is bad").to_string();
            assert!(
                error.contains(expected) && error.contains(&*path.to_string_lossy()),
                "{error}"
            );
            assert!(!error.contains('\n'), "{error}");
        };
        check(folder.path(), "holds no recording");
        check(&folder.path().join("none.json"), "No such file");
        let half = folder.path().join("half.json");
        fs::write(&half, &one(1).to_json()[..40]).expect("it can be written");
        check(&half, "is not a recording");
        let binary = folder.path().join("binary.json");
        fs::write(&binary, b"ab\xff").expect("it can be written");
        check(&binary, "is not a recording: no text at byte 2");
    }
}
