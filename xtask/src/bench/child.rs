//! Children of a benchmark: bound to a processor, waited for with a limit, gone when it is over.
//!
//! Every wait ends at Ctrl-C too. A child dies with the chore that started it, however that ends.
//! Knows no program's options or output.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::step::output;

/// How often something is looked for that is waited for: seldom enough to cost a run nothing.
pub(super) const PACE: Duration = Duration::from_millis(20);
/// What has not happened by then does not happen.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// Raised by Ctrl-C and SIGTERM.
#[derive(Debug, Clone)]
pub(super) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .map_err(|error| Failure::step(format!("cannot listen for Ctrl-C: {error}")))?;
        }
        Ok(Self(flag))
    }

    /// An error once it has been raised.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Failure::step("interrupted; nothing was written"));
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(flag: &Arc<AtomicBool>) -> Self {
        Self(Arc::clone(flag))
    }
}

/// A child that is killed and waited for when it goes out of scope.
#[derive(Debug)]
pub(super) struct Guard(pub(super) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only where it has ended and was waited for already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// `program` bound to `cpu` that does not outlive this process, however that ends. Both programs
/// replace themselves by what they start, so it keeps the process id of the child.
pub(super) fn pinned(cpu: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &cpu.to_string()]);
    command
        .args(["setpriv", "--pdeathsig", "KILL"])
        .arg(program);
    command
}

/// Whether [`pinned`] can work here.
pub(super) fn can_pin() -> Result<(), Failure> {
    for program in ["taskset", "setpriv"] {
        output(Command::new(program).arg("--version"))
            .map_err(|failure| failure.hint("install Debian's package util-linux"))?;
    }
    Ok(())
}

/// An error where there is only one processor.
pub(super) fn two_processors() -> Result<(), Failure> {
    match thread::available_parallelism() {
        Ok(count) if count.get() < 2 => Err(Failure::step(
            "this benchmark needs CPU 0 and CPU 1, but may use only one processor",
        )),
        // Where the count is unknown, taskset will say what it cannot bind to.
        _ => Ok(()),
    }
}

/// The order of a round: each round another one begins.
pub(super) fn turns(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| (turn + round) % count)
}

/// Waits until `done`; `what` is what the service has to do, for the complaint.
pub(super) fn wait(
    what: &str,
    interruption: &Interruption,
    mut done: impl FnMut() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let start = Instant::now();
    while !done()? {
        interruption.check()?;
        if start.elapsed() > LIMIT {
            let limit = LIMIT.as_secs();
            return Err(Failure::step(format!(
                "the service does not {what} in {limit} s"
            )));
        }
        thread::sleep(PACE);
    }
    Ok(())
}

/// Reads a pipe to its end beside the run, so that a full pipe stops nobody.
pub(super) fn collect(pipe: Option<impl Read + Send + 'static>) -> Option<JoinHandle<String>> {
    let mut pipe = pipe?;
    Some(thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is what there is.
        pipe.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
    }))
}

/// What a pipe held, once it has ended.
pub(super) fn joined(reader: Option<JoinHandle<String>>) -> String {
    reader
        .and_then(|reader| reader.join().ok())
        .unwrap_or_default()
}

/// A port that was free a moment ago: the kernel does not give it out again at once.
pub(super) fn free_port() -> Result<u16, Failure> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port());
    port.map_err(|error| Failure::step(format!("no free port on loopback: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_gone_when_its_guard_is() {
        let child = Command::new("sleep").arg("60").spawn().expect("starts");
        let process = child.id();
        drop(Guard(child));
        assert!(!Path::new(&format!("/proc/{process}")).exists());
    }

    #[test]
    fn every_contender_begins_in_its_turn() {
        let first: Vec<usize> = (0..4).filter_map(|round| turns(round, 3).next()).collect();
        assert_eq!(first, [0, 1, 2, 0]);
        let order: Vec<usize> = turns(1, 3).collect();
        assert_eq!(order, [1, 2, 0]);
    }

    #[test]
    fn waiting_ends_when_it_is_done_and_at_an_interruption() {
        let flag = Arc::new(AtomicBool::new(false));
        let interruption = Interruption::of(&flag);
        let mut looks = 0;
        let waited = wait("count", &interruption, || {
            looks += 1;
            Ok(looks == 2)
        });
        assert!(waited.is_ok());
        flag.store(true, Ordering::Relaxed);
        let failure = wait("end", &interruption, || Ok(false)).expect_err("interrupted");
        assert_eq!(failure.to_string(), "interrupted; nothing was written");
    }
}
