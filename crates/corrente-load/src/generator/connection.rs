//! One connection slot: a socket that comes and goes, and the exchange that is under way on it.
//!
//! It must not know time, statistics or other connections. Every verdict comes from a system call,
//! never from an event's flags, so an event meant for a socket that was since replaced does no harm.
//!
//! Key invariant: while an exchange is under way, either the socket is being written and will
//! report when it takes more, or everything is sent and it will report when something arrives.

use std::io::{self, ErrorKind as IoErrorKind};

use mio::{Interest, Registry, Token};

use crate::error::LoadError;
use crate::exchange::{After, Completion, Exchange, Step};
use crate::generator::socket::Socket;
use crate::outcome::ErrorKind;
use crate::peer::Peer;

/// A slot for one connection after another.
#[derive(Debug)]
pub(crate) struct Connection<E> {
    exchange: E,
    socket: Option<Socket>,
    link: Link,
    sent_bytes: usize,
    pub(crate) activity: Activity,
    /// When the current request was due; its latency and its timeout count from here.
    pub(crate) due_ns: u64,
}

/// What the slot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing is asked; the socket may be open.
    Free,
    /// A request is under way.
    Busy,
    /// Waiting before connecting again.
    Resting,
}

/// How far a socket has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The first byte has not been written.
    Connecting,
    /// Connected, and has not completed an exchange.
    Fresh,
    /// Has completed an exchange.
    Proven,
}

/// What an event said about reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Nothing,
    Waiting,
    /// The peer closed or failed: read until the end, no further event will come.
    Ending,
}

impl Input {
    pub(crate) fn of(event: &mio::event::Event) -> Self {
        if event.is_read_closed() || event.is_error() {
            Self::Ending
        } else if event.is_readable() {
            Self::Waiting
        } else {
            Self::Nothing
        }
    }
}

/// Bytes read, and what they led to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) bytes: u64,
    pub(crate) step: Step,
}

impl<E: Exchange> Connection<E> {
    pub(crate) fn new(exchange: E) -> Self {
        Self {
            exchange,
            socket: None,
            link: Link::Connecting,
            sent_bytes: 0,
            activity: Activity::Free,
            due_ns: 0,
        }
    }

    /// Starts an exchange; [`Connection::open`] and [`Connection::send`] carry it out.
    pub(crate) fn begin(&mut self, ticket: u64, due_ns: u64) {
        self.exchange.begin(ticket);
        self.sent_bytes = 0;
        self.due_ns = due_ns;
        self.activity = Activity::Busy;
    }

    /// Makes sure that there is a socket; the inner error is the server's, the outer the machine's.
    pub(crate) fn open(
        &mut self,
        peer: &Peer,
        registry: &Registry,
        token: Token,
    ) -> Result<Result<(), ErrorKind>, LoadError> {
        if self.socket.is_some() {
            return Ok(Ok(()));
        }
        let mut socket = match Socket::connect(peer) {
            Ok(socket) => socket,
            Err(error) => return refused(error).map(Err),
        };
        socket
            .send_at_once()
            .map_err(LoadError::system("set TCP_NODELAY"))?;
        // Both interests once: edge-triggered, a writable socket that is never full stays silent.
        registry
            .register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)
            .map_err(LoadError::system("watch a connection"))?;
        self.socket = Some(socket);
        self.link = Link::Connecting;
        self.exchange.connected();
        Ok(Ok(()))
    }

    /// Writes what is left of the request, as far as the socket takes it.
    ///
    /// Writing is also how a finished connect is noticed: until then the socket takes nothing, and
    /// a failed connect fails the write, so no system call is needed just to ask.
    pub(crate) fn send(&mut self) -> Result<(), ErrorKind> {
        let Some(socket) = &mut self.socket else {
            return Err(ErrorKind::Reset);
        };
        loop {
            let rest = &self.exchange.outgoing()[self.sent_bytes..];
            if rest.is_empty() {
                return Ok(());
            }
            match socket.write(rest) {
                Ok(written) => {
                    self.sent_bytes += written;
                    if self.link == Link::Connecting {
                        self.link = Link::Fresh;
                    }
                }
                Err(error) if error.kind() == IoErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(_) if self.link == Link::Connecting => return Err(ErrorKind::Connect),
                Err(_) => return Err(ErrorKind::Reset),
            }
        }
    }

    /// Reads what has arrived into `buffer`, piece by piece, and hands it to the exchange.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], input: Input) -> Received {
        let mut bytes = 0;
        let step = loop {
            match self.read(buffer) {
                Ok(0) => break self.exchange.end_of_input(),
                Ok(length) => {
                    bytes += length as u64;
                    let step = match self.exchange.receive(&buffer[..length]) {
                        Step::Next => self.send_next(),
                        step => step,
                    };
                    // A short read has emptied the socket (epoll(7)), unless it is about to end.
                    let may_hold_more = length == buffer.len() || input == Input::Ending;
                    if step != Step::More || !may_hold_more {
                        break step;
                    }
                }
                Err(error) if error.kind() == IoErrorKind::WouldBlock => break Step::More,
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(_) if self.link == Link::Connecting => break Step::Failed(ErrorKind::Connect),
                Err(_) => break Step::Failed(ErrorKind::Reset),
            }
        };
        Received {
            bytes,
            step: self.settle(step, input),
        }
    }

    /// Sends the request on a connection that has just been opened.
    fn send_next(&mut self) -> Step {
        self.sent_bytes = 0;
        match self.send() {
            Ok(()) => Step::More,
            Err(kind) => Step::Failed(kind),
        }
    }

    /// Looks at a socket on which nothing was asked; closes it unless it is simply quiet.
    ///
    /// A peer may close an idle connection at any time, but it may not speak first.
    pub(crate) fn inspect_idle(&mut self, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        match self.read(buffer) {
            Err(error)
                if matches!(
                    error.kind(),
                    IoErrorKind::WouldBlock | IoErrorKind::Interrupted
                ) =>
            {
                Ok(())
            }
            Ok(0) | Err(_) => {
                self.close();
                Ok(())
            }
            Ok(_) => {
                self.close();
                Err(ErrorKind::Malformed)
            }
        }
    }

    /// Closes the socket and says how far it had come.
    pub(crate) fn close(&mut self) -> Link {
        self.socket = None;
        std::mem::replace(&mut self.link, Link::Connecting)
    }

    /// After an answer: keeps the connection only if the answer allows it, the peer has not closed
    /// behind it (no further event would say so), and we had sent it all.
    fn settle(&mut self, step: Step, input: Input) -> Step {
        if let Step::Complete(Completion { connection, .. }) = step {
            self.link = Link::Proven;
            let all_is_sent = self.sent_bytes == self.exchange.outgoing().len();
            if connection == After::Close || input == Input::Ending || !all_is_sent {
                self.close();
            }
        }
        step
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.socket {
            Some(socket) => socket.read(buffer),
            None => Err(io::Error::from(IoErrorKind::WouldBlock)),
        }
    }
}

/// Tells a server that cannot be reached from a machine that has run out of something.
fn refused(error: io::Error) -> Result<ErrorKind, LoadError> {
    use rustix::io::Errno;
    match Errno::from_io_error(&error) {
        Some(Errno::ADDRNOTAVAIL) => Ok(ErrorKind::PortsExhausted),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
            Err(LoadError::System {
                action: "open a connection",
                source: error,
            })
        }
        _ => Ok(ErrorKind::Connect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_for_a_refused_connect_are_told_apart() {
        let kind = |errno: rustix::io::Errno| refused(io::Error::from(errno)).ok();
        assert_eq!(
            kind(rustix::io::Errno::ADDRNOTAVAIL),
            Some(ErrorKind::PortsExhausted)
        );
        assert_eq!(
            kind(rustix::io::Errno::NETUNREACH),
            Some(ErrorKind::Connect)
        );
        assert_eq!(kind(rustix::io::Errno::MFILE), None);
    }
}
