//! A running service sampled from outside: no restart, no change to it, and no pause of it.
//!
//! Stacks of all its processes are read for some seconds (`reader`), placed in requests and
//! endpoints by their frames (`stack`, `frame`), and counted (`tally`). The kernel says what sleeping
//! threads wait for (`blocked`, `peer`, `nameless`) and how much processor time each thread had (`process`), the views around which
//! frameworks work whose that is (`around`); from all come times per endpoint (`figures`), and from beginnings and ends seen in pairs of reads how
//! many requests there were (`rate`). What cannot be known that way stands in the recording as such.

mod around;
mod blocked;
mod budget;
mod figures;
mod frame;
mod mark;
mod meaning;
mod nameless;
mod peer;
mod permission;
mod process;
mod rate;
mod reader;
mod record;
mod runs;
mod sampler;
mod stack;
mod tables;
mod tally;
mod watched;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use corrente_record::Recording;

pub(crate) use record::MEANS_ONLY;
use sampler::Sampler;

/// The longest time that a service is sampled.
pub const LONGEST: Duration = Duration::from_hours(1);

/// What to sample, and for how long.
#[derive(Debug, Clone)]
pub struct Target {
    /// The process; its descendants are sampled too.
    pub pid: u32,
    /// How long, at most [`LONGEST`].
    pub time: Duration,
    /// Name and version of this program, for the recording.
    pub made_by: String,
}

/// What a caller shows while it waits.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// How long the service has been sampled.
    pub elapsed: Duration,
    /// How long it will be.
    pub time: Duration,
    /// Reads of stacks so far.
    pub reads: u64,
}

/// What sampling found.
#[derive(Debug, Clone)]
pub struct Attached {
    /// The figures.
    pub recording: Recording,
    /// How it went.
    pub quality: Quality,
    /// Totals by endpoint, those without a number of requests too.
    pub endpoints: Vec<EndpointTotals>,
}

/// How good the samples are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// How long it was.
    pub elapsed: Duration,
    /// Reads that succeeded.
    pub reads: u64,
    /// Reads given up because the stacks changed meanwhile.
    pub torn: u64,
    /// Mean time between two steady reads of a process, seconds.
    pub distance_s: f64,
    /// Mean number of threads running, by samples.
    pub running_by_samples: f64,
    /// The same by the kernel's clocks.
    pub running_by_clock: f64,
    /// CPU time of the service, seconds.
    pub cpu_s: f64,
    /// CPU time of it outside of the application, seconds.
    pub outside_cpu_s: f64,
    /// Requests, whatever their endpoint, with the relative error of the number.
    pub requests: Option<(f64, f64)>,
}

/// Totals of one endpoint over the time sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointTotals {
    /// Its function.
    pub name: String,
    /// Requests, and half of the 95 % interval as a share of them.
    pub requests: Option<(f64, f64)>,
    /// CPU time, seconds.
    pub cpu_s: f64,
    /// Time on a run queue, seconds.
    pub run_queue_s: f64,
    /// Time asleep, seconds.
    pub wait_s: f64,
    /// Of it, waiting for the interpreter lock, seconds.
    pub locked_s: f64,
    /// Asleep on an event loop's thread, seconds.
    pub blocked_s: f64,
}

/// Why a service cannot be sampled, in one line.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// No such process.
    #[error("there is no process {pid}; `ps -ef` lists those there are")]
    NoProcess {
        /// The number that was given.
        pid: u32,
    },
    /// The system does not allow it.
    #[error("process {pid} may not be read: {reason}")]
    Denied {
        /// The process.
        pid: u32,
        /// Why, and what to do.
        reason: String,
    },
    /// No Python, or one that is not known.
    #[error(
        "neither process {pid} (`{program}`) nor a child of it is a Python that can be read: {reason}"
    )]
    NotPython {
        /// The process.
        pid: u32,
        /// Its program.
        program: String,
        /// What was found.
        reason: String,
    },
    /// Threads of an old Python.
    #[error(
        "process {pid} has several threads and a Python before 3.11, whose threads cannot be told apart from outside; use `corrente gauge run`"
    )]
    OldPython {
        /// The process.
        pid: u32,
    },
    /// Many requests in one thread.
    #[error(
        "process {pid} runs {library}, which has many requests in one thread: those that wait are on no stack, so nothing can be told from outside; run the service under threads (`gunicorn -k gthread`) and sample that"
    )]
    Greenlets {
        /// The process.
        pid: u32,
        /// Gevent or eventlet.
        library: &'static str,
    },
    /// In a container, seen from outside.
    #[error(
        "process {pid} is in another PID namespace (a container), where its threads have other numbers; run this inside of the container"
    )]
    OtherNamespace {
        /// The process.
        pid: u32,
    },
    /// Nobody asked the service for anything.
    #[error(
        "no request was seen in {seconds:.0} s ({reads} samples); sample it while it has traffic, or longer with `--seconds`"
    )]
    NoRequests {
        /// How long.
        seconds: f64,
        /// How many reads.
        reads: u64,
    },
    /// The service computed, and nothing of it was seen.
    #[error(
        "no request was seen in {seconds:.0} s ({reads} samples), though the service computed for {cpu_s:.2} s: requests of less than some milliseconds are too short to be seen from outside; use `corrente gauge run`"
    )]
    TooShort {
        /// How long.
        seconds: f64,
        /// How many reads.
        reads: u64,
        /// CPU time of the service, seconds.
        cpu_s: f64,
    },
    /// It went away.
    #[error("process {pid} ended after {seconds:.1} s, before anything could be said of it")]
    Ended {
        /// The process.
        pid: u32,
        /// How long it was sampled.
        seconds: f64,
    },
    /// The caller gave up at once.
    #[error("interrupted")]
    Cancelled,
}

/// Samples a service. When `cancel` becomes true the result is what was seen until then, if that is
/// anything.
pub fn attach(
    target: &Target,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Attached, AttachError> {
    let time = target.time.min(LONGEST);
    let began = SystemTime::now();
    let mut sampler = open(target.pid)?;
    sampler.run(time, cancel, &mut |elapsed, reads| {
        progress(Progress {
            elapsed,
            time,
            reads,
        });
    });
    let about = record::Circumstances {
        host: process::host(),
        began_unix_ms: unix_ms(began),
        made_by: target.made_by.clone(),
    };
    conclude(target, &sampler, cancel, &about)
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Opens the processes, or says why none can be read.
fn open(pid: u32) -> Result<Sampler, AttachError> {
    if !process::lives(pid) {
        return Err(AttachError::NoProcess { pid });
    }
    let mut sampler = Sampler::new(pid);
    if sampler.watched.is_empty() {
        if !process::lives(pid) {
            return Err(AttachError::NoProcess { pid });
        }
        let (refused, reason) = sampler.refusal().unwrap_or((pid, "it has just ended"));
        let may_read = process::memory(refused);
        if may_read.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            return Err(AttachError::Denied {
                pid: refused,
                reason: permission::reason(refused),
            });
        }
        return Err(AttachError::NotPython {
            pid,
            program: process::program(pid),
            reason: reason.to_owned(),
        });
    }
    let mut pids = sampler.watched.iter().map(|watched| watched.pid);
    if let Some(pid) = pids.find(|pid| process::in_other_namespace(*pid)) {
        return Err(AttachError::OtherNamespace { pid });
    }
    if sampler.cannot_tell_threads() {
        return Err(AttachError::OldPython { pid });
    }
    Ok(sampler)
}

fn conclude(
    target: &Target,
    sampler: &Sampler,
    cancel: &AtomicBool,
    about: &record::Circumstances,
) -> Result<Attached, AttachError> {
    if let Some((pid, library)) = sampler.greenlets() {
        return Err(AttachError::Greenlets { pid, library });
    }
    let mut sampled: Vec<figures::Sampled> = sampler
        .watched
        .iter()
        .map(watched::Watched::sampled)
        .collect();
    nameless::settle(&mut sampled, &sampler.tables.resources);
    let elapsed_ns = sampled.iter().map(|one| one.observed_ns).max().unwrap_or(0);
    let elapsed = Duration::from_nanos(elapsed_ns);
    let seconds = elapsed.as_secs_f64();
    let reads = sampled.iter().map(|one| one.tally.reads).sum();
    let found = figures::figures(&sampled, seconds);
    if found.endpoints.is_empty() {
        return Err(if cancel.load(Ordering::Relaxed) {
            AttachError::Cancelled
        } else if !process::lives(target.pid) {
            let pid = target.pid;
            AttachError::Ended { pid, seconds }
        } else {
            unseen(found.cpu_ns / 1e9, seconds, reads)
        });
    }
    let recording = record::recording(&found, &sampler.watched, &sampler.tables, about);
    Ok(Attached {
        recording,
        quality: quality(&sampled, &found, elapsed),
        endpoints: totals(&found, &sampler.tables),
    })
}

/// A service that computes more than this share of the time does something: servers that wait for clients look
/// at their workers or at the clock once a tenth of a second, which is less.
const IDLE: f64 = 0.01;

/// Why no endpoint was seen.
fn unseen(cpu_s: f64, seconds: f64, reads: u64) -> AttachError {
    if cpu_s > IDLE * seconds {
        AttachError::TooShort {
            seconds,
            reads,
            cpu_s,
        }
    } else {
        AttachError::NoRequests { seconds, reads }
    }
}

fn quality(sampled: &[figures::Sampled], found: &figures::Figures, elapsed: Duration) -> Quality {
    let steady = tally::Pace::Steady as usize;
    let pairs = || sampled.iter().map(|one| &one.tally.pairs[steady][0]);
    let exposure: u64 = pairs().map(|pairs| pairs.exposure_ns).sum();
    let reads: u64 = sampled.iter().map(|one| one.tally.reads).sum();
    Quality {
        elapsed,
        reads,
        torn: sampled.iter().map(|one| one.tally.torn).sum(),
        distance_s: exposure as f64 / 1e9 / reads.max(1) as f64,
        running_by_samples: found.running_by_samples,
        running_by_clock: found.running_by_clock,
        cpu_s: found.cpu_ns / 1e9,
        outside_cpu_s: found.outside_cpu_ns / 1e9,
        requests: found
            .requests
            .map(|count| (count.number, count.relative_error)),
    }
}

fn totals(found: &figures::Figures, tables: &tables::Tables) -> Vec<EndpointTotals> {
    let mut totals: Vec<EndpointTotals> = found
        .endpoints
        .iter()
        .map(|(name, figures)| EndpointTotals {
            name: tables.endpoints.name(*name).to_owned(),
            requests: figures
                .requests
                .map(|count| (count.number, count.relative_error)),
            cpu_s: figures.cpu_ns / 1e9,
            run_queue_s: figures.run_queue_ns / 1e9,
            wait_s: figures.wait_ns / 1e9,
            locked_s: figures.locked_ns / 1e9,
            blocked_s: figures.blocked_ns / 1e9,
        })
        .collect();
    totals.sort_by(|a, b| (b.cpu_s + b.wait_s).total_cmp(&(a.cpu_s + a.wait_s)));
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_computes_unseen_is_not_said_to_be_idle() {
        let idle = unseen(0.01, 9.0, 100).to_string();
        assert!(idle.contains("while it has traffic"), "{idle}");
        let busy = unseen(0.61, 9.0, 100).to_string();
        assert!(busy.contains("computed for 0.61 s"), "{busy}");
        assert!(!busy.contains('\n'), "{busy}");
    }
}
