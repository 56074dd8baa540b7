//! A folder of a benchmark's own under the target folder, with its programs in it.
//!
//! What an earlier run left there is removed first. Knows nothing of what the programs do.

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::step::Project;

/// The name of a program and its text.
pub(super) type Program = (&'static str, &'static str);

/// Makes the folder `name` and writes the programs into it.
pub(super) fn lay_out(
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
