//! The user's command while it is recorded: how it is started, what it hears, how it ends.
//!
//! Its Python processes find our `sitecustomize` first and the folder in their environment; nothing
//! else about them is changed. Signals go through to it; SIGUSR2 switches recording off and on.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use corrente_gauge::recorder::OFF_FILE;
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use super::witness::{self, Signals};
use super::{Failure, keep, seconds};
use crate::arguments::GaugeRun;
use crate::{Exit, terminal};

/// Tells processes where to write; python/corrente/gauge/_process.py reads it.
const FOLDER_VARIABLE: &str = "CORRENTE_GAUGE_FOLDER";

/// What servers do something on. SIGUSR2 (Gunicorn starts a new binary on it) is ours.
const FORWARDED: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1];

/// Prints the folder of our `sitecustomize`. Asked of the interpreter, which knows where the package
/// is; finding it does not import it.
const WHERE: &str = "import importlib.util, os\n\
    found = importlib.util.find_spec('corrente').submodule_search_locations[0]\n\
    print(os.path.join(os.path.abspath(found), 'gauge', '_site'))";

/// How the command ended.
#[derive(Debug)]
pub(super) struct Recorded {
    status: ExitStatus,
    /// A signal was handed to it, so that it did not end by itself.
    told: bool,
}

impl Recorded {
    /// What to say of a command that failed by itself.
    pub(super) fn failure(&self) -> Option<String> {
        use std::os::unix::process::ExitStatusExt as _;
        if self.told || self.status.success() {
            return None;
        }
        Some(match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended in an unknown way".to_owned(),
        })
    }
}

/// Runs the command with recording on, until it ends.
pub(super) fn record(
    run: &GaugeRun,
    program: &[OsString],
    folder: &Path,
) -> Result<Recorded, Failure> {
    keep::check("--out", &run.out)?;
    let limit = run
        .seconds
        .map(|value| seconds("--seconds", value))
        .transpose()?;
    let site = site(program)?;
    make(folder)?;
    let outcome = start(run, &site, folder).and_then(|child| supervise(child, limit, folder));
    if outcome.is_err() {
        // It is empty: nothing has been started.
        drop(fs::remove_dir(folder));
    }
    outcome
}

fn site(program: &[OsString]) -> Result<PathBuf, Failure> {
    let failed = |reason: String| {
        let line = format!("cannot find the folder of the package corrente: {reason}");
        Failure::new(Exit::Machine, line)
    };
    let Some(python) = program.first() else {
        return Err(failed("no interpreter is known".to_owned()));
    };
    let asked = Command::new(python)
        .args(["-P", "-c", WHERE])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let answer = String::from_utf8_lossy(&asked.stdout);
    let path = PathBuf::from(answer.trim());
    if !path.is_dir() {
        let error = String::from_utf8_lossy(&asked.stderr);
        let last = error.lines().last().unwrap_or("no answer").to_owned();
        return Err(failed(last));
    }
    Ok(path)
}

pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let path = folder.display();
            let line = format!(
                "{path}: is there already: a run is going on, or one was cut off; read it with \
                 `corrente gauge report {path}`, and remove it, or choose another `--out`"
            );
            Failure::new(Exit::Usage, line)
        }
        _ => Failure::new(Exit::Machine, format!("{}: {error}", folder.display())),
    })
}

fn start(run: &GaugeRun, site: &Path, folder: &Path) -> Result<Child, Failure> {
    let machine =
        |what: &str, error: io::Error| Failure::new(Exit::Machine, format!("{what}: {error}"));
    let folder = folder
        .canonicalize()
        .map_err(|error| machine(&folder.display().to_string(), error))?;
    let before = std::env::var_os("PYTHONPATH").filter(|path| !path.is_empty());
    let path =
        std::iter::once(site.to_path_buf()).chain(before.iter().flat_map(std::env::split_paths));
    let path = std::env::join_paths(path)
        .map_err(|error| Failure::new(Exit::Machine, format!("PYTHONPATH: {error}")))?;
    let mut command = Command::new(&run.command[0]);
    command
        .args(&run.command[1..])
        .env("PYTHONPATH", path)
        .env(FOLDER_VARIABLE, folder);
    if run.json {
        // Standard output is for our JSON alone.
        let error = io::stderr().as_fd().try_clone_to_owned();
        let error = error.map_err(|error| machine("standard error", error))?;
        command.stdout(Stdio::from(error));
    }
    command.spawn().map_err(|error| {
        let name = run.command[0].to_string_lossy();
        Failure::new(Exit::Usage, format!("cannot start `{name}`: {error}"))
    })
}

/// What the command is waited with for.
enum Event {
    Ended(io::Result<ExitStatus>),
    Signal(Origin),
    /// A signal has come to all of our process group.
    Group(i32),
}

fn supervise(
    mut child: Child,
    limit: Option<Duration>,
    folder: &Path,
) -> Result<Recorded, Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Machine, format!("cannot wait: {error}"));
    let process = Pid::from_child(&child);
    let (sender, events) = channel();
    listen(sender.clone()).map_err(failed)?;
    let group = sender.clone();
    witness::stand(move |signal| {
        FORWARDED.contains(&signal) && group.send(Event::Group(signal)).is_ok()
    });
    // A limit beyond the clock's range is none.
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    std::thread::spawn(move || {
        // Nobody listens any more only where the command has been waited for already.
        drop(sender.send(Event::Ended(child.wait())));
    });
    attend(process, &events, deadline, folder).map_err(failed)
}

fn listen(sender: Sender<Event>) -> io::Result<()> {
    let all = FORWARDED.into_iter().chain([SIGUSR2]);
    let mut signals = SignalsInfo::with_exfiltrator(all, WithOrigin::default())?;
    std::thread::spawn(move || {
        for origin in &mut signals {
            if sender.send(Event::Signal(origin)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn attend(
    process: Pid,
    events: &Receiver<Event>,
    mut deadline: Option<Instant>,
    folder: &Path,
) -> io::Result<Recorded> {
    let mut told = false;
    let mut signals = Signals::default();
    loop {
        let now = Instant::now();
        for signal in signals.due(now) {
            send(process, signal);
        }
        if deadline.is_some_and(|at| at <= now) {
            deadline = None;
            told = true;
            send(process, SIGTERM);
        }
        match next(
            events,
            [deadline, signals.next()].into_iter().flatten().min(),
        )? {
            Some(Event::Ended(status)) => {
                return Ok(Recorded {
                    status: status?,
                    told,
                });
            }
            Some(Event::Signal(origin)) if origin.signal == SIGUSR2 => switch(folder),
            Some(Event::Signal(origin)) => {
                told |= ends(origin.signal);
                if !came_from_terminal(&origin) {
                    signals.came(origin.signal, Instant::now());
                }
            }
            Some(Event::Group(signal)) if is_in_our_group(process) => {
                signals.heard(signal, Instant::now());
            }
            Some(Event::Group(_)) | None => {}
        }
    }
}

/// The next event; nothing where there is none before this time.
fn next(events: &Receiver<Event>, until: Option<Instant>) -> io::Result<Option<Event>> {
    let event = match until {
        Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
        None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match event {
        Ok(event) => Ok(Some(event)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other(
            "the thread that waits for the command has ended",
        )),
    }
}

/// A command that has left our group hears nothing of what is sent to it.
fn is_in_our_group(process: Pid) -> bool {
    rustix::process::getpgid(Some(process)).is_ok_and(|group| group == rustix::process::getpgrp())
}

fn ends(signal: i32) -> bool {
    matches!(signal, SIGHUP | SIGINT | SIGQUIT | SIGTERM)
}

fn send(process: Pid, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        // It may have ended in the meantime, which the next event says.
        rustix::process::kill_process(process, signal).ok();
    }
}

/// A terminal sends these to all processes in its foreground, the command among them; sent once
/// more, a server would take them for impatience. Then it is the kernel that sends (`SI_KERNEL`,
/// sigaction(2)); of what a process sends with kill(2) the witness knows whether it came to us alone.
fn came_from_terminal(origin: &Origin) -> bool {
    matches!(origin.signal, SIGINT | SIGQUIT) && origin.cause == Cause::Kernel
}

/// Switches recording off, or on again. The processes look once a second.
fn switch(folder: &Path) {
    let file = folder.join(OFF_FILE);
    let (outcome, state) = if file.exists() {
        (fs::remove_file(&file), "on")
    } else {
        (fs::write(&file, ""), "off")
    };
    match outcome {
        Ok(()) => terminal::error(&format!("recording is {state}")),
        Err(error) => terminal::error(&format!("{}: {error}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    fn check(status: i32, told: bool, expected: Option<&str>) {
        let recorded = Recorded {
            status: ExitStatus::from_raw(status),
            told,
        };
        assert_eq!(recorded.failure().as_deref(), expected);
    }

    #[test]
    fn only_a_command_that_fails_by_itself_has_failed() {
        check(0, false, None);
        check(3 << 8, false, Some("ended with exit code 3"));
        check(SIGTERM, false, Some("was ended by signal 15"));
        check(SIGTERM, true, None);
        check(3 << 8, true, None);
    }
}
