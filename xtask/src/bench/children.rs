//! What every benchmark needs of the processes that it starts: a processor of their own, their turns, a
//! free port, waiting with a limit, and an end at Ctrl-C.
//!
//! How a process is ended is each benchmark's own matter: what [`Guard`] holds is killed, a service that
//! writes a recording is asked to end.

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
/// A process that does not listen, or does not end, by then is stuck.
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

    /// Waits until `done`, or says after [`LIMIT`] that `what` has not come.
    pub(super) fn wait(
        &self,
        what: &str,
        mut done: impl FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            self.check()?;
            if done()? {
                return Ok(());
            }
            if start.elapsed() > LIMIT {
                let limit = LIMIT.as_secs();
                return Err(Failure::step(format!("{what} in {limit} s")));
            }
            thread::sleep(PACE);
        }
    }

    #[cfg(test)]
    pub(super) fn raised() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self(Arc::default())
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

/// A command bound to `cpu` that does not outlive this process, however that ends. Both programs
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

/// The order of a round: each round another contender begins.
pub(super) fn turns(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| (turn + round) % count)
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
    fn waiting_ends_with_what_is_waited_for_and_at_an_interruption() {
        let mut looks = 0;
        let outcome = Interruption::never().wait("it does not come", || {
            looks += 1;
            Ok(looks == 2)
        });
        assert!(outcome.is_ok() && looks == 2);
        let interrupted = Interruption::raised().wait("it does not come", || Ok(true));
        let failure = interrupted.expect_err("it is raised");
        assert_eq!(failure.to_string(), "interrupted; nothing was written");
    }
}
