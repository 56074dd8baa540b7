//! What a recording says of its machine: the processor, and how fast it is at Python work.
//!
//! The speed is measured where the service cannot notice: after it has ended, or after it was
//! watched; never in its process. By the interpreter that the service runs under where that can be
//! told, else by the one that hosts corrente. What cannot be measured is absent.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use corrente_gauge::Recording;
use corrente_lab::{processor, speed};

/// The kernel reads so much of a script's first line (`BINPRM_BUF_SIZE`, execve(2)).
const FIRST_LINE_BYTES: u64 = 256;

/// Notes the machine in every process of a recording that was made on it. The first of the
/// interpreters that can be measured is.
pub(super) fn note(recording: &mut Recording, interpreters: [Option<PathBuf>; 2]) {
    let processor = processor().unwrap_or_default();
    let rounds = interpreters
        .iter()
        .flatten()
        .find_map(|interpreter| speed::burn_rounds_per_ms(interpreter));
    for process in &mut recording.processes {
        process.machine.processor.clone_from(&processor);
        process.machine.burn_rounds_per_ms = rounds;
    }
}

/// The interpreter that a command starts: the command itself, or the one that its script names.
pub(super) fn of_command(command: &OsStr) -> Option<PathBuf> {
    let program = found(command)?;
    if is_python(&program) {
        return Some(program);
    }
    let mut line = String::new();
    let file = File::open(&program).ok()?.take(FIRST_LINE_BYTES);
    BufReader::new(file).read_line(&mut line).ok()?;
    let mut words = line.strip_prefix("#!")?.split_ascii_whitespace();
    let first = Path::new(words.next()?);
    let interpreter = if first.file_name()? == "env" {
        found(OsStr::new(words.next()?))?
    } else {
        first.to_owned()
    };
    is_python(&interpreter).then_some(interpreter)
}

/// The interpreter of a running process. One of another user is not started: it would run with the
/// rights of whoever attaches, root perhaps.
pub(super) fn of_process(pid: u32) -> Option<PathBuf> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let owner = fs::metadata(&folder).ok()?.uid();
    let program = fs::read_link(folder.join("exe")).ok()?;
    let is_ours = owner == rustix::process::geteuid().as_raw();
    (is_ours && is_python(&program)).then_some(program)
}

fn is_python(program: &Path) -> bool {
    let name = program.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("python")
}

/// Where a command is, as the shell finds it.
fn found(command: &OsStr) -> Option<PathBuf> {
    if Path::new(command).components().count() > 1 {
        return std::path::absolute(command).ok();
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(command))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn check(first_line: &str, expected: Option<&str>) {
        let name = format!(
            "corrente-script-{}-{}",
            std::process::id(),
            first_line.len()
        );
        let script = std::env::temp_dir().join(name);
        fs::write(&script, format!("{first_line}\nimport shop\n")).expect("it can be written");
        let found = of_command(script.as_os_str());
        fs::remove_file(&script).expect("it is ours");
        assert_eq!(found.as_deref(), expected.map(Path::new), "{first_line}");
    }

    #[test]
    fn the_interpreter_is_in_the_first_line_of_a_script() {
        check(
            "#!/opt/venv/bin/python3.13",
            Some("/opt/venv/bin/python3.13"),
        );
        check("#! /usr/bin/python -P", Some("/usr/bin/python"));
        check("#!/bin/sh", None);
        check("#!", None);
        check("import shop", None);
    }

    #[test]
    fn a_command_is_found_as_the_shell_finds_it() {
        let python = of_command(OsStr::new("python3")).expect("there is one");
        assert!(python.is_absolute() && is_python(&python), "{python:?}");
        check("#!/usr/bin/env python3", Some(&python.to_string_lossy()));
        assert_eq!(of_command(OsStr::new("no-such-program")), None);
        assert_eq!(of_command(OsStr::new("sh")), None);
    }

    #[test]
    fn the_interpreter_of_a_process_is_told() {
        let mut python = Command::new("python3")
            .args(["-c", "print(flush=True); input()"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        // What is called python3 may be a script that becomes one.
        let mut said = BufReader::new(python.stdout.take().expect("it has one"));
        said.read_line(&mut String::new()).expect("it speaks");
        let found = of_process(python.id());
        let mut stdin = python.stdin.take().expect("it has one");
        stdin.write_all(b"\n").expect("it listens");
        python.wait().expect("it ends");
        assert!(found.is_some_and(|program| is_python(&program)));
        // This test's own process is none.
        assert_eq!(of_process(std::process::id()), None);
    }
}
