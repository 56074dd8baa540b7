//! `corrente check`: finds the analyser's program and becomes it.
//!
//! The analyser is a package of its own (`corrente-check`), so that an installation of the loop need not
//! carry it. Its arguments, its output and its exit codes are its own; nothing of it is known here but
//! its name and its version.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::Check;
use crate::terminal;

/// The analyser's program.
const PROGRAM: &str = "corrente-check";

/// What the analyser's help is to call it when it was started from here.
const CALLED: &str = "corrente check";

/// The analyser's own code for "could not run".
const CANNOT_RUN: u8 = 2;

/// `corrente check`. Returns only where the analyser cannot be started.
pub(crate) fn run(check: &Check, program: &[OsString]) -> u8 {
    let interpreter = program.first().map(Path::new);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(analyser) = find(interpreter, &path) else {
        terminal::error(
            "the analyser is not installed here; get it with `pip install 'corrente[check]'`",
        );
        return CANNOT_RUN;
    };
    if let Some(other) = other_version(&analyser) {
        terminal::error(&format!(
            "note: `{}` is of version {other}, corrente of version {}; \
             `pip install 'corrente[check]'` makes them one",
            analyser.display(),
            env!("CARGO_PKG_VERSION"),
        ));
    }
    let error = Command::new(&analyser)
        .arg0(CALLED)
        .args(&check.arguments)
        .exec();
    terminal::error(&format!(
        "`{}` cannot be started: {error}",
        analyser.display()
    ));
    CANNOT_RUN
}

/// Beside the interpreter, where its packages put their scripts; else on PATH.
fn find(interpreter: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    let beside = interpreter.and_then(Path::parent).map(Path::to_path_buf);
    beside
        .into_iter()
        .chain(std::env::split_paths(path))
        .map(|folder| folder.join(PROGRAM))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
}

/// The analyser's version, where it says one and that is not ours.
fn other_version(analyser: &Path) -> Option<String> {
    let output = Command::new(analyser).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.trim().rsplit(' ').next()?.to_owned();
    (version != env!("CARGO_PKG_VERSION")).then_some(version)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn put(folder: &Path, mode: u32) -> PathBuf {
        let file = folder.join(PROGRAM);
        fs::write(&file, "#!/bin/sh\necho corrente-check 0.0.1\n").expect("it can be written");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("it is ours");
        file
    }

    #[test]
    fn the_interpreters_own_goes_before_path() {
        let (beside, on_path) = (folder(), folder());
        let interpreter = beside.path().join("python3");
        let path = on_path.path().as_os_str();
        assert_eq!(find(Some(&interpreter), path), None);
        let second = put(on_path.path(), 0o755);
        assert_eq!(find(Some(&interpreter), path), Some(second));
        let first = put(beside.path(), 0o755);
        assert_eq!(find(Some(&interpreter), path), Some(first));
    }

    #[test]
    fn what_cannot_be_executed_is_passed_over() {
        let folder = folder();
        put(folder.path(), 0o644);
        assert_eq!(find(None, folder.path().as_os_str()), None);
    }

    #[test]
    fn another_version_is_noticed() {
        let folder = folder();
        let file = put(folder.path(), 0o755);
        assert_eq!(other_version(&file).as_deref(), Some("0.0.1"));
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder can be made")
    }
}
