//! The project's folders, and running one tool as a step of a chore.
//!
//! A step is announced, timed and, where it fails, named with its whole command line. Its output
//! goes straight to the terminal. Nothing here knows what a tool does.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::failure::Failure;

/// Where the project is and where it builds.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target folder; virtual environments and wheels are beside its builds.
    pub(crate) target: PathBuf,
}

impl Project {
    /// The project that this chore belongs to.
    pub(crate) fn here() -> Result<Self, Failure> {
        // Cargo says where the package is; a build from another checkout may share the binary.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().unwrap_or(&manifest).to_path_buf();
        if !root.join("Cargo.toml").is_file() {
            return Err(
                Failure::step(format!("{} is not there any more", root.display()))
                    .hint("run `cargo xtask` in the project's folder"),
            );
        }
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        // A relative CARGO_TARGET_DIR is relative to where cargo was started.
        let target = std::path::absolute(&target)
            .map_err(|error| Failure::step(format!("{}: {error}", target.display())))?;
        fs::create_dir_all(&target).map_err(|error| {
            Failure::step(format!("cannot create {}: {error}", target.display()))
        })?;
        Ok(Self { root, target })
    }

    /// A command that runs in the project's folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Cargo with `arguments`: the one that started this chore.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments);
        command
    }
}

/// Runs `command` as the step `name`; `hint` says what to do where it fails.
pub(crate) fn step(name: &str, command: &mut Command, hint: &str) -> Result<(), Failure> {
    println!("==> {name}");
    let start = Instant::now();
    let status = command
        .status()
        .map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        println!("    {name}: {:.1} s", start.elapsed().as_secs_f64());
        return Ok(());
    }
    let failure = Failure::step(format!("{name} failed ({status}): {}", line(command)));
    Err(if hint.is_empty() {
        failure
    } else {
        failure.hint(hint)
    })
}

/// What `command` prints, trimmed; its standard error goes to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.lines().last().unwrap_or_default();
        return Err(Failure::step(format!(
            "{} ({}): {last}",
            line(command),
            output.status
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether `command` starts and succeeds; prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

pub(crate) fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => Failure::step(format!("`{program}` is not installed")),
        _ => Failure::step(format!("cannot start `{program}`: {error}")),
    }
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_its_command_and_what_to_do() {
        let failure = step("listing", Command::new("false").arg("x"), "try again");
        let text = failure.expect_err("`false` fails").to_string();
        assert!(text.starts_with("listing failed"), "{text}");
        assert!(text.ends_with("false x\nhint: try again"), "{text}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = step("listing", &mut Command::new("no-such-program"), "");
        let text = failure.expect_err("it is not there").to_string();
        assert_eq!(text, "`no-such-program` is not installed");
    }
}
