//! What the parent has to tell people about its workers.
//!
//! A notice is a value; who shows it, and where, is not known here. Its text is one English line.

use std::fmt;
use std::time::Duration;

use super::machine::WorkerId;
use super::message::Failure;
use super::process::Exit;

/// How important it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For who looks for something.
    Debug,
    /// For who wants to know.
    Info,
    /// Something is not as it should be, and is being dealt with.
    Warning,
    /// Something is wrong.
    Error,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A worker takes connections.
    Ready(WorkerId),
    /// A worker has ended, as it was told.
    Ended(WorkerId),
    /// A worker has ended without being told.
    Died(WorkerId, Exit),
    /// A worker has ended before it was ready.
    NotReady(WorkerId, Failure),
    /// No worker is started for so long.
    Waiting(Duration),
    /// A worker was not ready in time.
    StartsTooLong(WorkerId, Duration),
    /// A worker's loop does not turn.
    Hangs(WorkerId, Duration),
    /// A worker is replaced, and why.
    Replaces(WorkerId, String),
    /// A worker did not stop in time.
    Kills(WorkerId, Duration),
    /// Something of a worker is not as it should be; it serves on.
    Trouble(WorkerId, String),
    /// All workers are replaced, and why.
    Restarts(String),
    /// Settings have changed, and the new workers go by them: their names.
    Renews(Vec<&'static str>),
    /// Settings have changed for which the server has to be started anew: their names.
    RenewsLater(Vec<&'static str>),
    /// The settings cannot be read again, and why; nothing is replaced.
    KeepsSettings(String),
    /// The new workers do not start, so the old ones stay.
    StaysOld(usize),
    /// Nothing is started until a file changes.
    WaitsForChange,
    /// So many workers are wanted now.
    Wants(usize),
    /// It is stopping, with so much time.
    Stops(Duration),
    /// It is stopping at once.
    StopsNow,
    /// It goes on with fewer files than there are: the limit of what is watched.
    WatchesNoMore(usize),
}

impl Notice {
    /// How important it is.
    pub fn level(&self) -> Level {
        match self {
            Self::Ended(_) => Level::Debug,
            Self::Ready(_)
            | Self::Replaces(..)
            | Self::Restarts(_)
            | Self::Renews(_)
            | Self::Wants(_)
            | Self::Stops(_) => Level::Info,
            Self::Waiting(_)
            | Self::StopsNow
            | Self::Kills(..)
            | Self::Trouble(..)
            | Self::RenewsLater(_)
            | Self::WaitsForChange
            | Self::WatchesNoMore(_) => Level::Warning,
            Self::Died(..)
            | Self::NotReady(..)
            | Self::StartsTooLong(..)
            | Self::Hangs(..)
            | Self::KeepsSettings(_)
            | Self::StaysOld(_) => Level::Error,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(worker) => write!(formatter, "{worker} is ready"),
            Self::Ended(worker) => write!(formatter, "{worker} has ended"),
            Self::Died(worker, exit) => write!(formatter, "{worker} {exit}; it is replaced"),
            Self::NotReady(worker, failure) => {
                write!(formatter, "{worker} cannot serve: {}", failure.text)
            }
            Self::Waiting(pause) => {
                let s = pause.as_secs_f64();
                write!(
                    formatter,
                    "workers end too soon: the next one starts in {s} s"
                )
            }
            Self::StartsTooLong(worker, limit) => {
                let s = limit.as_secs_f64();
                write!(
                    formatter,
                    "{worker} is not ready after {s} s (startup-timeout); it is ended"
                )
            }
            Self::Hangs(worker, limit) => {
                let s = limit.as_secs_f64();
                write!(
                    formatter,
                    "the event loop of {worker} has not turned for {s} s (hang-timeout); it is ended"
                )
            }
            Self::Replaces(worker, why) => write!(formatter, "{worker} is replaced: {why}"),
            Self::Kills(worker, limit) => {
                let s = limit.as_secs_f64();
                write!(
                    formatter,
                    "{worker} still had requests after {s} s (graceful-timeout); it is ended"
                )
            }
            Self::Trouble(worker, text) => write!(formatter, "{worker}: {text}"),
            Self::Restarts(why) => write!(formatter, "all workers are replaced: {why}"),
            Self::Renews(names) => write!(formatter, "changed settings: {}", names.join(", ")),
            Self::RenewsLater(names) => {
                let names = names.join(", ");
                write!(
                    formatter,
                    "changed settings that take effect when the server is started anew: {names}"
                )
            }
            Self::KeepsSettings(why) => write!(
                formatter,
                "the settings stay as they are, and all workers, too: {why}"
            ),
            Self::StaysOld(workers) => write!(
                formatter,
                "the new workers do not start; {workers} that ran before serve on"
            ),
            Self::WaitsForChange => {
                formatter.write_str("the next worker starts when a file has changed")
            }
            Self::Wants(1) => formatter.write_str("1 worker is wanted now"),
            Self::Wants(workers) => write!(formatter, "{workers} workers are wanted now"),
            Self::Stops(limit) => {
                let s = limit.as_secs_f64();
                write!(formatter, "stopping; requests that run have {s} s to end")
            }
            Self::StopsNow => formatter.write_str("stopping at once"),
            Self::WatchesNoMore(limit) => write!(
                formatter,
                "more than {limit} files to watch: changes of the others are not seen; name folders \
                 with --reload-dir"
            ),
        }
    }
}
