//! The keeper: a process around a lab run that leaves nothing behind, however the run ends.
//!
//! `corrente lab run` starts as the keeper. It makes the run's scratch directory, starts itself
//! once more as the worker that does the run, and waits. Because it is a subreaper
//! (`PR_SET_CHILD_SUBREAPER(2const)`), every orphan of the run becomes its child. When the worker
//! has ended, by itself, by Ctrl-C or by SIGKILL, the keeper kills all its remaining descendants
//! and removes the directory. Should the keeper itself be killed, the worker gets SIGTERM
//! (`PR_SET_PDEATHSIG(2const)`) and cleans up in the same way.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::LabError;
use crate::process_tree;

/// The worker finds its scratch directory here; the variable's presence makes it a worker.
pub const WORK_VARIABLE: &str = "CORRENTE_LAB_WORK";

/// The process id of the keeper, for the worker.
const KEEPER_VARIABLE: &str = "CORRENTE_LAB_KEEPER";

/// How long killed processes may take to disappear before the keeper gives up waiting for them.
const KILL_DEADLINE: Duration = Duration::from_secs(10);

const PACE: Duration = Duration::from_millis(20);

/// What the worker came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerEnd {
    /// It exited with this code.
    Exited(u8),
    /// This signal killed it.
    Killed(i32),
}

/// Runs `command` as the worker and cleans up behind it. `interrupted` is set by the caller's
/// signal handlers; it is passed on, as a signal to the keeper alone does not reach the worker.
pub fn keep(command: &[OsString], interrupted: &AtomicBool) -> Result<WorkerEnd, LabError> {
    let scratch = Scratch::create()?;
    become_subreaper();
    let mut worker = Command::new(&command[0])
        .args(&command[1..])
        .env(WORK_VARIABLE, &scratch.path)
        .env(KEEPER_VARIABLE, std::process::id().to_string())
        .spawn()
        .map_err(|error| LabError::Start {
            part: "the lab's worker".to_owned(),
            reason: error.to_string(),
        })?;
    let mut told = false;
    let status = loop {
        if let Some(status) = worker.try_wait().map_err(|error| LabError::Start {
            part: "the lab's worker".to_owned(),
            reason: format!("cannot wait for it: {error}"),
        })? {
            break status;
        }
        if interrupted.load(Ordering::Relaxed) && !told {
            process_tree::signal(&[worker.id()], Signal::TERM);
            told = true;
        }
        std::thread::sleep(PACE);
    };
    kill_descendants();
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => WorkerEnd::Exited(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, signal) => WorkerEnd::Killed(signal.unwrap_or(0)),
    })
}

/// The worker's end of the bargain: outlive neither the keeper nor, as a subreaper, its own parts.
#[derive(Debug)]
pub struct Worker {
    /// The scratch directory of this run.
    pub work: PathBuf,
}

impl Worker {
    /// The worker that this process is, where a keeper started it.
    pub fn from_environment() -> Option<Self> {
        let work = PathBuf::from(std::env::var_os(WORK_VARIABLE)?);
        become_subreaper();
        // Without this the run is still cleaned up by a keeper that lives.
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM)).ok();
        if !keeper_lives() {
            process_tree::signal(&[std::process::id()], Signal::TERM);
        }
        Some(Self { work })
    }
}

/// Whether the keeper is still there: it may have died before the worker asked to hear of it.
fn keeper_lives() -> bool {
    let keeper = std::env::var(KEEPER_VARIABLE)
        .ok()
        .and_then(|text| text.parse::<i32>().ok());
    let parent = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get());
    keeper.is_none() || keeper == parent
}

impl Drop for Worker {
    fn drop(&mut self) {
        kill_descendants();
        remove(&self.work);
    }
}

struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn create() -> Result<Self, LabError> {
        let directory = tempfile::Builder::new()
            .prefix("corrente-lab-")
            .tempdir()
            .map_err(|error| LabError::file(&std::env::temp_dir(), &error))?;
        open_folder(directory.path())?;
        Ok(Self {
            path: directory.keep(),
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Makes a folder of the run's, if it is not there, that others can read, whatever the umask: a database that
/// runs as another user has to get through it to its own.
pub(crate) fn open_folder(path: &Path) -> Result<(), LabError> {
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::create_dir_all(path)
        .and_then(|()| std::fs::set_permissions(path, open))
        .map_err(|error| LabError::file(path, &error))
}

fn become_subreaper() {
    // Refused only by kernels before 3.4; orphans would then go to init and outlive a SIGKILL.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
}

fn remove(path: &Path) {
    // The worker and the keeper both try; the second finds nothing.
    std::fs::remove_dir_all(path).ok();
}

/// Kills every descendant of this process until there is none.
fn kill_descendants() {
    let own = std::process::id();
    let deadline = Instant::now() + KILL_DEADLINE;
    loop {
        let rest: Vec<u32> = process_tree::tree(own)
            .into_iter()
            .filter(|process| *process != own)
            .collect();
        if rest.is_empty() || Instant::now() > deadline {
            return;
        }
        process_tree::signal(&rest, Signal::KILL);
        reap();
        std::thread::sleep(PACE);
    }
}

/// Takes the exit statuses of dead children, orphans included, so that they leave the table.
fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::DirBuilderExt as _;

    use super::*;

    #[test]
    fn others_get_through_a_folder_whatever_the_umask() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("closed");
        let mut closed = std::fs::DirBuilder::new();
        closed.mode(0o700).create(&path).expect("it is new");
        open_folder(&path).expect("it is ours");
        let mode = std::fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o755);
    }
}
