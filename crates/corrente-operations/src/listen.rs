//! Sockets to listen on: made, or given by whoever started us.
//!
//! The parent binds; workers are given the sockets and all take connections from the same queue. What
//! cannot be bound is one line that says by whom the port is taken, where /proc tells. A socket that was
//! handed over is looked at before it is believed to be one.

mod address;
mod error;
mod given;
mod holder;
mod socket;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

pub use address::{Address, Endpoint};
pub use error::ListenError;
pub(crate) use given::SYSTEMD_VARIABLES;
pub use given::{Systemd, adopt};
use rustix::io::FdFlags;
use socket::SocketFile;

use crate::settings::{Sockets, Switch};

/// A socket that connections come to.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    endpoint: Endpoint,
    /// A Unix socket's file, where we made it; it goes with this value.
    file: Option<SocketFile>,
}

impl Listener {
    /// Where it listens, as the kernel says.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its number, which is the same in a worker that inherits it.
    pub fn number(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// The socket alone, for whoever takes connections from it.
    pub fn into_socket(self) -> OwnedFd {
        self.socket
    }

    /// Lets processes that are started from now on have it.
    pub fn hand_down(&self) -> Result<(), ListenError> {
        rustix::io::fcntl_setfd(&self.socket, FdFlags::empty()).map_err(|error| {
            let what = format!("hand down the socket of {}", self.endpoint);
            ListenError::system(what, error)
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Opens every address. Systemd's sockets take the place of the default address, and stand beside those that
/// somebody asked for.
pub fn open(sockets: &Sockets, systemd: &Systemd) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::new();
    for number in systemd.descriptors() {
        adopt_once(&mut listeners, number)?;
    }
    if sockets.asked == Switch::Off && !listeners.is_empty() {
        return Ok(listeners);
    }
    let mut known = BTreeSet::new();
    for address in &sockets.addresses {
        if !known.insert(address.to_string()) {
            return Err(ListenError::Twice(address.clone()));
        }
        if let Address::Descriptor(number) = address {
            adopt_once(&mut listeners, *number)?;
        } else {
            listeners.extend(socket::bind(address, sockets)?);
        }
    }
    Ok(listeners)
}

/// Takes over a descriptor that is not among the listeners yet: `--bind fd://3` names systemd's first one
/// again, and a descriptor has one owner.
fn adopt_once(listeners: &mut Vec<Listener>, number: RawFd) -> Result<(), ListenError> {
    if listeners.iter().all(|known| known.number() != number) {
        listeners.push(adopt(number)?);
    }
    Ok(())
}
