//! A part of a scenario that runs as a process of its own: contender, origin or database.
//!
//! Each part is the leader of its own process group, writes to a log file, and is ended with its
//! whole tree when the value is dropped. Knows nothing of what the part is for. What outlives even
//! this is the keeper's business.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::LabError;
use crate::process_tree;

/// How long a part may take to end when asked.
const GRACE: Duration = Duration::from_secs(3);

/// Pace of looking whether a part has ended.
const PACE: Duration = Duration::from_millis(10);

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct PartPlan {
    /// What messages call it.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Added to the lab's own environment.
    pub environment: BTreeMap<String, OsString>,
    /// Working directory.
    pub directory: PathBuf,
    /// Where standard error goes, and standard output unless `output` is set.
    pub log: PathBuf,
    /// Where standard output goes, for a program whose last line is read.
    pub output: Option<PathBuf>,
    /// User and group to run as; the lab's own where absent.
    pub user: Option<(u32, u32)>,
    /// How it is ended.
    pub stop: Stop,
}

/// How a part is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At once: it holds nothing that outlives the run, and a sync server that is asked would first
    /// answer its whole queue.
    Kill,
    /// By this signal, and at once where it takes too long.
    Ask(Signal),
}

/// A running part.
#[derive(Debug)]
pub(crate) struct Part {
    /// What messages call it.
    pub name: String,
    log: PathBuf,
    stop: Stop,
    child: Child,
}

impl Part {
    /// Starts it.
    pub(crate) fn start(plan: &PartPlan) -> Result<Self, LabError> {
        let log = create(&plan.log)?;
        let output = match &plan.output {
            Some(path) => create(path)?,
            None => log
                .try_clone()
                .map_err(|error| LabError::file(&plan.log, &error))?,
        };
        let mut command = Command::new(&plan.command[0]);
        command
            .args(&plan.command[1..])
            .envs(&plan.environment)
            .current_dir(&plan.directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(log)
            .process_group(0);
        if let Some((user, group)) = plan.user {
            command.uid(user).gid(group);
        }
        let child = command.spawn().map_err(|error| LabError::Start {
            part: plan.name.clone(),
            reason: format!(
                "cannot run `{}`: {error}",
                plan.command[0].to_string_lossy()
            ),
        })?;
        Ok(Self {
            name: plan.name.clone(),
            log: plan.log.clone(),
            stop: plan.stop,
            child,
        })
    }

    /// The leader's process id.
    pub(crate) fn root(&self) -> u32 {
        self.child.id()
    }

    /// The leader and its descendants.
    pub(crate) fn processes(&self) -> Vec<u32> {
        process_tree::tree(self.child.id())
    }

    /// Its exit status, once it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The error for a part that ended by itself: its exit and the last line of its log.
    pub(crate) fn failure(&self, status: ExitStatus) -> LabError {
        LabError::Start {
            part: self.name.clone(),
            reason: format!("ended with {status}: {}", last_line(&self.log)),
        }
    }

    /// The last line that it wrote to its log.
    pub(crate) fn last_words(&self) -> String {
        last_line(&self.log)
    }

    /// Ends it: asked first where it asked to be asked, then made to, with all it has started.
    fn end(&mut self) {
        let before = self.processes();
        if let Stop::Ask(signal) = self.stop {
            process_tree::signal(&[self.child.id()], signal);
            let deadline = Instant::now() + GRACE;
            while self.ended().is_none() && Instant::now() < deadline {
                std::thread::sleep(PACE);
            }
        }
        let rest = self.processes();
        process_tree::signal(&rest, Signal::KILL);
        process_tree::signal_group(self.child.id(), Signal::KILL);
        self.child.wait().ok();
        process_tree::reap(before.iter().chain(&rest).copied().collect(), GRACE);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.end();
    }
}

fn create(path: &Path) -> Result<File, LabError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|error| LabError::file(directory, &error))?;
    }
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| LabError::file(path, &error))
}

/// The last line with something on it, cut to a length that fits a message.
pub(crate) fn last_line(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    match line {
        Some(line) => line.chars().take(200).collect(),
        None => "its log is empty".to_owned(),
    }
}
