//! A non-blocking socket to a peer of any kind, as one type.
//!
//! It must not know exchanges. Reading and writing are the kernel's own calls; over UDP each is a
//! datagram, so a caller that leaves room for the longest gets whole messages.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::event::Source;
use mio::net::{TcpStream, UdpSocket, UnixStream};
use mio::{Interest, Registry, Token};

use crate::peer::Peer;

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Unix(UnixStream),
}

impl Socket {
    /// Begins to connect; a datagram socket is connected at once, to nobody in particular.
    pub(super) fn connect(peer: &Peer) -> io::Result<Self> {
        match peer {
            Peer::Tcp(address) => TcpStream::connect(*address).map(Self::Tcp),
            Peer::Udp(address) => {
                let any = match address {
                    SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                    SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
                };
                let socket = UdpSocket::bind(any)?;
                socket.connect(*address)?;
                Ok(Self::Udp(socket))
            }
            Peer::Unix(path) => UnixStream::connect(path).map(Self::Unix),
        }
    }

    /// Makes every write go out at once: a request is one write, and waiting for more to send
    /// (Nagle) would only add latency. Only TCP waits.
    pub(super) fn send_at_once(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
            Self::Udp(_) | Self::Unix(_) => Ok(()),
        }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Udp(socket) => socket.recv(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Udp(socket) => socket.send(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Udp(socket) => socket,
            Self::Unix(stream) => stream,
        }
    }
}

impl Source for Socket {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.source().register(registry, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.source().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}
