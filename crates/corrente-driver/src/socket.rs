//! Reading from and writing to sockets that do not block.
//!
//! Thin: the kernel's own words, no buffering, no retry but for interruptions. A socket that would block
//! is not an error but [`Moved::Later`]. No signal is raised for a peer that has gone.

use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{
    RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, SocketFlags, acceptfrom_with, getsockname,
    recv, recvfrom, send, sendmsg, sendto, shutdown, sockopt,
};

use crate::Descriptor;

/// What comes behind the bytes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequel {
    /// Nothing that should be waited for.
    Nothing,
    /// More, soon: a segment that has room for it is not sent before 200 ms have passed, unless somebody [pushes](push)
    /// (`MSG_MORE`, send(2); `TCP_CORK`, tcp(7)).
    More,
}

impl Sequel {
    fn flags(self) -> SendFlags {
        match self {
            Self::Nothing => SendFlags::NOSIGNAL,
            Self::More => SendFlags::NOSIGNAL | SendFlags::MORE,
        }
    }
}

/// What a call has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// So many bytes; none read is the end of what the peer sends.
    Bytes(usize),
    /// Nothing now: the socket would block.
    Later,
}

fn moved(call: impl Fn() -> Result<usize, Errno>) -> io::Result<Moved> {
    loop {
        match call() {
            Ok(bytes) => return Ok(Moved::Bytes(bytes)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Moved::Later),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads what has come, at most a buffer's worth.
///
/// # Errors
///
/// As the kernel says: `ECONNRESET` and the like.
pub fn read(descriptor: Descriptor, buffer: &mut [u8]) -> io::Result<Moved> {
    loop {
        match recv(descriptor, &mut *buffer, RecvFlags::empty()) {
            Ok((bytes, _)) => return Ok(Moved::Bytes(bytes)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Moved::Later),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The same into memory that was never written.
///
/// # Errors
///
/// As [`read`].
pub fn read_uninit(descriptor: Descriptor, buffer: &mut [MaybeUninit<u8>]) -> io::Result<Moved> {
    loop {
        match recv(descriptor, &mut *buffer, RecvFlags::empty()) {
            Ok(((filled, _), _)) => return Ok(Moved::Bytes(filled.len())),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Moved::Later),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads one datagram, with where it came from if that is an internet address. `None` where there is none now.
///
/// # Errors
///
/// As the kernel says: `ECONNREFUSED` for an earlier datagram that nobody took.
pub fn receive(
    descriptor: Descriptor,
    buffer: &mut [u8],
) -> io::Result<Option<(usize, Option<SocketAddr>)>> {
    loop {
        match recvfrom(descriptor, &mut *buffer, RecvFlags::empty()) {
            Ok((bytes, _, from)) => {
                let from = from.and_then(|from| SocketAddr::try_from(from).ok());
                return Ok(Some((bytes, from)));
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sends one datagram, to where the socket is connected if no address is given.
///
/// # Errors
///
/// As the kernel says: `EMSGSIZE`, or `ECONNREFUSED` for an earlier datagram that nobody took.
pub fn send_datagram(
    descriptor: Descriptor,
    data: &[u8],
    to: Option<SocketAddr>,
) -> io::Result<Moved> {
    moved(|| match &to {
        Some(to) => sendto(descriptor, data, SendFlags::NOSIGNAL, to),
        None => send(descriptor, data, SendFlags::NOSIGNAL),
    })
}

/// Whether it is a TCP connection's end.
pub fn is_tcp(descriptor: Descriptor) -> bool {
    let protocol = sockopt::socket_protocol(descriptor);
    matches!(protocol, Ok(Some(rustix::net::ipproto::TCP)))
}

/// Takes a connection that waits, with its peer if that is an internet address; it does not block
/// and is closed where a program is started. `None` where none waits, or the peer has gone again.
///
/// # Errors
///
/// As the kernel says: `EMFILE` and the like.
pub fn accept(listening: Descriptor) -> io::Result<Option<(OwnedFd, Option<SocketAddr>)>> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    loop {
        match acceptfrom_with(listening, flags) {
            Ok((connection, peer)) => {
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                return Ok(Some((connection, peer)));
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::CONNABORTED) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether there is something to read or to accept. Much cheaper than an `accept` that finds nothing,
/// for which the kernel first makes a socket.
pub fn is_readable(descriptor: Descriptor) -> bool {
    let mut asked = [PollFd::new(&descriptor, PollFlags::IN)];
    poll(&mut asked, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// Has small writes of a TCP connection sent at once (`TCP_NODELAY`).
///
/// # Errors
///
/// As the kernel says.
pub fn set_no_delay(connection: impl AsFd) -> io::Result<()> {
    Ok(sockopt::set_tcp_nodelay(connection, true)?)
}

/// Writes what the kernel takes.
///
/// # Errors
///
/// As the kernel says: `EPIPE` and the like.
pub fn write(descriptor: Descriptor, data: &[u8], sequel: Sequel) -> io::Result<Moved> {
    moved(|| send(descriptor, data, sequel.flags()))
}

/// How what the kernel holds is sent. To do so ends a cork (`TCP_CORK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// Nobody has set one.
    Plainly,
    /// Somebody may have, and it is his to pull: that is asked first.
    UnlessCorked,
}

/// Has the kernel send what it holds because more was to follow.
pub fn push(descriptor: Descriptor, how: Push) {
    // One that has ended meanwhile holds nothing, and is not corked.
    let is_corked = || sockopt::tcp_cork(descriptor).unwrap_or(false);
    if how == Push::Plainly || !is_corked() {
        sockopt::set_tcp_cork(descriptor, false).ok();
    }
}

/// Writes several buffers in one call.
///
/// # Errors
///
/// As [`write`].
pub fn write_all(
    descriptor: Descriptor,
    buffers: &[IoSlice<'_>],
    sequel: Sequel,
) -> io::Result<Moved> {
    moved(|| {
        let mut nothing = SendAncillaryBuffer::default();
        sendmsg(descriptor, buffers, &mut nothing, sequel.flags())
    })
}

/// Writes from a file, from this place on, at most so many bytes; the kernel copies them, and the file's position stays
/// (`sendfile(2)`). No bytes are the end of the file. The signal for a peer that has gone cannot be kept away here:
/// Python ignores it in the whole process.
///
/// # Errors
///
/// As [`write`]; `EINVAL` for files that the kernel cannot send so.
pub fn send_file(
    descriptor: Descriptor,
    file: &File,
    offset: u64,
    length: usize,
) -> io::Result<Moved> {
    moved(|| sendfile(descriptor, file, Some(&mut offset.clone()), length))
}

/// The address of this end of a connection; `None` where it is none of the internet.
pub fn local_address(connection: impl AsFd) -> Option<SocketAddr> {
    let address = getsockname(connection).ok()?;
    SocketAddr::try_from(address).ok()
}

/// Tells the peer that nothing more will come.
///
/// # Errors
///
/// As the kernel says: `ENOTCONN`.
pub fn end(descriptor: Descriptor) -> io::Result<()> {
    Ok(shutdown(descriptor, Shutdown::Write)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair() -> (UnixStream, UnixStream, Descriptor) {
        let (near, far) = UnixStream::pair().expect("a pair");
        near.set_nonblocking(true).expect("it does not block");
        let descriptor = Descriptor::new(near.as_raw_fd()).expect("open");
        (near, far, descriptor)
    }

    #[test]
    fn what_is_written_comes_in_one_piece() {
        let (_near, mut far, descriptor) = pair();
        let slices = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
        assert_eq!(
            write_all(descriptor, &slices, Sequel::Nothing).expect("it writes"),
            Moved::Bytes(4)
        );
        assert_eq!(
            write(descriptor, b"ef", Sequel::Nothing).expect("it writes"),
            Moved::Bytes(2)
        );
        end(descriptor).expect("it ends");
        let mut text = String::new();
        far.read_to_string(&mut text).expect("it reads");
        assert_eq!(text, "abcdef");
    }

    #[test]
    fn a_connection_knows_its_own_end() {
        let listening = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listening.local_addr().expect("it is bound");
        let near = std::net::TcpStream::connect(address).expect("it listens");
        let far = listening.accept().expect("a connection").0;
        assert_eq!(local_address(&far), Some(address));
        assert_eq!(local_address(&near), near.local_addr().ok());
        let (near, _far, _descriptor) = pair();
        assert_eq!(local_address(&near), None);
    }

    #[test]
    fn an_empty_socket_is_for_later_and_a_closed_one_has_ended() {
        let (_near, far, descriptor) = pair();
        let mut buffer = [0; 8];
        assert_eq!(
            read(descriptor, &mut buffer).expect("it reads"),
            Moved::Later
        );
        drop(far);
        assert_eq!(
            read(descriptor, &mut buffer).expect("it reads"),
            Moved::Bytes(0)
        );
        let error = write(descriptor, b"x", Sequel::Nothing).expect_err("nobody is there");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
