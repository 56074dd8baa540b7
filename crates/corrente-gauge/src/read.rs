//! Finding recordings: files, several of them, or the folder of one that is being made.
//!
//! A folder holds a file for each process. Everything that is found is merged into one recording;
//! a file that is none is an error, because leaving it out would make the rest wrong.

use std::fs;
use std::path::{Path, PathBuf};

use corrente_record::Recording;

use crate::GaugeError;

/// Reads and merges all recordings at these paths.
pub fn read(paths: &[PathBuf]) -> Result<Recording, GaugeError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_in(path)?);
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
    merged.ok_or_else(|| GaugeError::Empty {
        path: paths.first().cloned().unwrap_or_default(),
    })
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
    let text = fs::read_to_string(path).map_err(|error| file_error(path, error))?;
    Recording::from_json(&text).map_err(|error| recording_error(path, error))
}

/// Writes a recording as a whole: a reader never sees half of it.
pub fn write(recording: &Recording, path: &Path) -> Result<(), GaugeError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    fs::write(&temporary, recording.to_json())
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| file_error(path, error))
}

fn file_error(path: &Path, error: std::io::Error) -> GaugeError {
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
    }
}
