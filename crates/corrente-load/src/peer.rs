//! Where a server listens, and over what: TCP, UDP, or a socket in the file system.
//!
//! It must not know protocols above them, and it does no I/O. HTTP is asked for over TCP only; raw
//! ping-pong goes over all three.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UDP port; a message is one datagram.
    Udp(SocketAddr),
    /// A stream socket with a name in the file system.
    Unix(PathBuf),
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}
