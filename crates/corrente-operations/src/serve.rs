//! `corrente serve` from one end to the other: sockets, workers, until all have ended.
//!
//! [`run`] is the parent; a worker begins with [`crate::supervisor::Handover::receive`]. What people should read goes to an
//! observer, line by line.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::MemfdFlags;

use crate::listen::{self, ListenError, Systemd};
use crate::settings::{Settings, SettingsError, Switch, Values, WorkersAs};
use crate::supervisor::{
    DriverError, Failure, FirstFailure, Level, Machine, Notice, Outcome, Plan, Program, Renewed,
    Supervisor, Watched,
};

/// Why it did not come to serving, or how it ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No application was named.
    #[error(
        "no application: name one, such as `corrente serve shop:app`, or set `app` in corrente.toml"
    )]
    NoApplication,
    /// A socket could not be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The file of the process id cannot be written.
    #[error("--pid-file {}: {error}", path.display())]
    PidFile {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// The parent cannot work.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The first workers do not start.
    #[error("{}", .0.text)]
    Worker(Failure),
}

/// What the parent needs to know.
pub struct Serve<'a> {
    /// The settings.
    pub values: &'a Values,
    /// Reads them once more.
    pub again: &'a dyn Fn() -> Result<Values, SettingsError>,
    /// The command that becomes a worker when [`crate::supervisor::CHANNEL_VARIABLE`] is set.
    pub program: Vec<OsString>,
    /// Sockets of systemd.
    pub systemd: Systemd,
}

impl std::fmt::Debug for Serve<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Serve")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// Serves until it is told to stop.
pub fn run(serve: &Serve<'_>, observer: &mut dyn FnMut(Level, String)) -> Result<(), ServeError> {
    let settings = Settings::from(serve.values);
    let target = settings.application.target.clone();
    let target = target.ok_or(ServeError::NoApplication)?;
    let listeners = listen::open(&settings.sockets, &serve.systemd)?;
    for listener in &listeners {
        listener.hand_down()?;
    }
    let _pid_file = settings
        .processes
        .pid_file
        .as_deref()
        .map(PidFile::write)
        .transpose()?;
    let plan = plan(&settings);
    let scheme = settings.tls.as_ref().map_or("http", |_| "https");
    let places: Vec<String> = listeners
        .iter()
        .map(|listener| listener.endpoint().url(scheme))
        .collect();
    let workers = crew(&settings);
    let own = std::process::id();
    let places = places.join(", ");
    observer(
        Level::Info,
        format!("{target} at {places}, {workers}, process {own}"),
    );
    let program = Program {
        command: serve.program.clone(),
        settings: serve.values.words(),
        board: settings.web.metrics_path.as_ref().and_then(|_| board()),
    };
    let weighs = plan.max_memory_bytes.is_some();
    let mut tell = |notice: &Notice| observer(notice.level(), notice.to_string());
    let mut supervisor = Supervisor::new(Machine::new(plan), program, &listeners, &mut tell)?;
    let mut values = serve.values.clone();
    supervisor.reread_by(Box::new(move || {
        renewed((serve.again)(), &mut values).map_err(|error| error.to_string())
    }));
    if settings.development.reload == Switch::On {
        supervisor.watch(watched(&settings));
    }
    if weighs {
        supervisor.weigh();
    }
    match supervisor.run()? {
        Outcome::Stopped => Ok(()),
        Outcome::Failed(failure) => Err(ServeError::Worker(failure)),
    }
}

/// What follows from settings that were read again, which are in force from now on.
fn renewed(
    read: Result<Values, SettingsError>,
    values: &mut Values,
) -> Result<Renewed, SettingsError> {
    let renewal = read?.renewing(values)?;
    let settings = Settings::from(&renewal.values);
    if settings.application.target.is_none() {
        return Err(ServeError::NoApplication.to_string().into());
    }
    let told: [(_, fn(_) -> _); 2] = [
        (renewal.changed, Notice::Renews),
        (renewal.waiting, Notice::RenewsLater),
    ];
    let told = told.into_iter().filter(|(names, _)| !names.is_empty());
    *values = renewal.values;
    Ok(Renewed {
        plan: plan(&settings),
        settings: values.words(),
        board: settings.web.metrics_path.as_ref().and_then(|_| board()),
        notices: told.map(|(names, notice)| notice(names)).collect(),
    })
}

/// A file in memory on which workers leave their counts for each other. Without it each shows its own alone.
fn board() -> Option<OwnedFd> {
    rustix::fs::memfd_create("corrente-metrics", MemfdFlags::empty()).ok()
}

/// How many workers are wanted.
pub fn workers(settings: &Settings) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    settings.processes.workers.unwrap_or_else(processors)
}

/// How many there are and of which kind, in words.
fn crew(settings: &Settings) -> String {
    let count = match workers(settings) {
        1 => "1 worker".to_owned(),
        several => format!("{several} workers"),
    };
    match settings.processes.workers_as {
        WorkersAs::Processes => count,
        WorkersAs::Threads => format!("{count} as threads"),
    }
}

fn plan(settings: &Settings) -> Plan {
    Plan {
        workers: match settings.processes.workers_as {
            WorkersAs::Processes => workers(settings),
            // One process, which is replaced as a whole: its threads are its own business.
            WorkersAs::Threads => 1,
        },
        startup: settings.timeouts.startup,
        graceful: settings.timeouts.graceful,
        hang: settings
            .timeouts
            .hang
            .filter(|limit| *limit > Duration::ZERO),
        max_lifetime: settings.processes.max_lifetime,
        max_memory_bytes: settings.processes.max_memory_bytes,
        first_failure: match settings.development.reload {
            Switch::On => FirstFailure::WaitForChange,
            Switch::Off => FirstFailure::End,
        },
    }
}

fn watched(settings: &Settings) -> Watched {
    let named = settings.development.folders.clone();
    Watched {
        folders: if named.is_empty() {
            vec![settings.application.folder.clone()]
        } else {
            named
        },
        include: settings.development.include.clone(),
        exclude: settings.development.exclude.clone(),
    }
}

/// The file with the parent's process id; it goes with this value.
#[derive(Debug)]
struct PidFile {
    path: PathBuf,
    text: String,
}

impl PidFile {
    fn write(path: &Path) -> Result<Self, ServeError> {
        let text = format!("{}\n", std::process::id());
        fs::write(path, &text).map_err(|error| ServeError::PidFile {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Another server may have written its own by now.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            fs::remove_file(&self.path).ok();
        }
    }
}
