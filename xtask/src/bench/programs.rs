//! The Python programs of a benchmark, in a folder of its own under the target folder.
//!
//! The benchmark's recordings go there too; an earlier run's are removed.

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::step::Project;

/// A program's file name and text.
pub(super) type Program = (&'static str, &'static str);

/// Makes the folder `name` anew and writes the programs into it.
pub(super) fn write(
    project: &Project,
    name: &str,
    programs: &[Program],
) -> Result<PathBuf, Failure> {
    let folder = project.target.join(name);
    let failed = |error: std::io::Error| {
        Failure::step(format!("cannot write into {}: {error}", folder.display()))
    };
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    for (name, text) in programs {
        fs::write(folder.join(name), text).map_err(failed)?;
    }
    Ok(folder)
}
