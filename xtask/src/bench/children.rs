//! What every benchmark needs of the processes that it starts: a free port, waiting with a limit, and
//! an end at Ctrl-C.
//!
//! How a process is ended is each benchmark's own matter: a generator is killed, a service that writes
//! a recording is asked to end.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

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
