//! The result on disk: written whole or not at all, read back to resume.
//!
//! A result is written to a neighbouring file and renamed over the old one (rename(2) is atomic),
//! after each scenario, so that a run cut short loses at most the scenario it was in.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use corrente_report::result::LabResult;

use crate::error::LabError;

/// The result within its directory.
pub const RESULT_FILE: &str = "result.json";

/// Writes `text` to `path`, whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<(), LabError> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(|error| LabError::file(directory, &error))?;
    let failed = |error: std::io::Error| LabError::file(path, &error);
    if path.exists() && !path.is_file() {
        // A pipe or a device is written to, not replaced.
        return fs::write(path, text).map_err(failed);
    }
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).map_err(failed)?;
    file.persist(path)
        .map_err(|error| LabError::file(path, &error.error))?;
    Ok(())
}

/// A result that was written.
#[derive(Debug)]
pub struct Saved {
    /// Where.
    pub path: PathBuf,
    /// Figures that are not in it, as they are no numbers.
    pub left_out: Vec<String>,
}

/// Writes the result into its directory. What cannot be written is no part of it any more.
pub fn save(result: &mut LabResult, directory: &Path) -> Result<Saved, LabError> {
    let path = directory.join(RESULT_FILE);
    let written = corrente_report::json::write(result)
        .map_err(|error| LabError::file(&path, &std::io::Error::other(error.to_string())))?;
    write(&path, &written.document)?;
    *result = written.result;
    Ok(Saved {
        path,
        left_out: written.left_out,
    })
}

/// Reads a result; `path` may be the directory of a run.
pub fn load(path: &Path) -> Result<LabResult, LabError> {
    let path = if path.is_dir() {
        path.join(RESULT_FILE)
    } else {
        path.to_owned()
    };
    let text = fs::read_to_string(&path).map_err(|error| LabError::input(&path, error))?;
    corrente_report::json::parse(&text).map_err(|error| LabError::input(&path, error))
}
