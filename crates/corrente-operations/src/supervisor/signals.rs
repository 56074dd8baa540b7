//! Signals as events of the parent.
//!
//! The handler writes into a socket, the driver polls it: nothing else happens in a handler. What each
//! signal means is the servers' custom (Gunicorn's, nginx's), so that scripts and units go on to work.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{
    SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use super::machine::Event;

/// Taken, so that they do not end the process; SIGUSR2 and SIGWINCH (Gunicorn's new binary, and its end
/// of workers) do nothing here.
const TAKEN: [i32; 10] = [
    SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
];

/// Signals that have come.
#[derive(Debug)]
pub(super) struct Signals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    /// Whether it was started in a terminal.
    had_terminal: bool,
}

impl Signals {
    pub(super) fn take() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let delivery = SignalDelivery::with_pipe(read, write, SignalOnly, TAKEN)?;
        Ok(Self {
            delivery,
            had_terminal: has_terminal(),
        })
    }

    /// What they mean; that a child has ended is looked at anyway.
    pub(super) fn events(&mut self) -> Vec<Event> {
        let had_terminal = self.had_terminal;
        let pending = self.delivery.pending();
        let meant = pending.filter_map(|signal| match signal {
            // The kernel's, and not an operator's: whoever watched has closed the window.
            SIGHUP if had_terminal && !has_terminal() => Some(Event::Stop),
            signal => meaning(signal),
        });
        meant.collect()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }
}

/// Whether standard error is a terminal; one that was hung up is none any more.
fn has_terminal() -> bool {
    io::stderr().is_terminal()
}

fn meaning(signal: i32) -> Option<Event> {
    match signal {
        SIGTERM | SIGINT => Some(Event::Stop),
        SIGQUIT => Some(Event::StopNow),
        SIGHUP => Some(Event::Reload),
        SIGTTIN => Some(Event::More),
        SIGTTOU => Some(Event::Fewer),
        SIGUSR1 => Some(Event::ReopenLogs),
        _ => None,
    }
}
