//! A bare epoll server: what the kernel and the loopback interface allow, as a limit for loops.
//!
//! One thread, level-triggered epoll, one read and one write a message, no timers, no tasks. It
//! sends back what it gets, over TCP, a Unix socket or UDP, or answers every HTTP request head with
//! one fixed response. Through rustix, so without unsafe. It is a mark to measure against and serves
//! nobody.

mod datagrams;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use rustix::event::epoll;

use crate::error::LabError;

/// Bytes read at once: a whole 100 KiB message fits.
const BUFFER_BYTES: usize = 256 * 1024;

/// Events taken from one `epoll_wait(2)`.
const EVENTS_MAX: usize = 512;

const LISTENER: u64 = u64::MAX;

/// Connections that it may have at once, where the machine allows as many.
const CONNECTIONS_MAX: u64 = 20_000;

/// What the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The bytes that came.
    Echo,
    /// The datagram that came.
    Datagrams,
    /// HTTP/1.1 for every request head, with a body of so many bytes.
    Http {
        /// Of each answer's body.
        body_bytes: usize,
    },
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A port of the loopback interface.
    Port(u16),
    /// A name in the file system; streams only.
    Path(PathBuf),
}

/// Serves until the process ends.
pub fn serve(protocol: Protocol, place: &Place) -> Result<Infallible, LabError> {
    // Where that many are not allowed it serves as many as are.
    corrente_load::raise_descriptor_limit(CONNECTIONS_MAX).ok();
    let served = match (protocol, place) {
        (Protocol::Datagrams, Place::Port(port)) => bound(*port).and_then(|it| datagrams::run(&it)),
        (Protocol::Datagrams, Place::Path(_)) => Err(ErrorKind::Unsupported.into()),
        (_, Place::Port(port)) => listening(*port).and_then(|it| run(&it, protocol)),
        (_, Place::Path(path)) => UnixListener::bind(path)
            .and_then(|it| it.set_nonblocking(true).map(|()| it))
            .and_then(|it| run(&it, protocol)),
    };
    served.map_err(|error| LabError::Start {
        part: "bare epoll server".to_owned(),
        reason: error.to_string(),
    })
}

fn bound(port: u16) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn listening(port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Something that takes connections; each stream is ready for a loop.
trait Listener: AsFd {
    type Stream: Read + Write + AsFd;

    fn next(&self) -> std::io::Result<Self::Stream>;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn next(&self) -> std::io::Result<TcpStream> {
        let (stream, _) = self.accept()?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    fn next(&self) -> std::io::Result<UnixStream> {
        let (stream, _) = self.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

fn run<L: Listener>(listener: &L, protocol: Protocol) -> std::io::Result<Infallible> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let data = epoll::EventData::new_u64(LISTENER);
    epoll::add(&epoll, listener, data, epoll::EventFlags::IN)?;
    let response = match protocol {
        Protocol::Http { body_bytes } => http_response(body_bytes),
        Protocol::Echo | Protocol::Datagrams => Vec::new(),
    };
    let mut connections: HashMap<u64, Connection<L::Stream>> = HashMap::new();
    let mut next = 0;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut events = [MaybeUninit::uninit(); EVENTS_MAX];
    loop {
        let (ready, _) = epoll::wait(&epoll, &mut events, None)?;
        for event in ready.iter() {
            let token = event.data.u64();
            if token == LISTENER {
                while let Ok(stream) = listener.next() {
                    let connection = Connection::new(stream);
                    let data = epoll::EventData::new_u64(next);
                    epoll::add(&epoll, &connection.stream, data, epoll::EventFlags::IN)?;
                    connections.insert(next, connection);
                    next += 1;
                }
                continue;
            }
            let Some(connection) = connections.get_mut(&token) else {
                continue;
            };
            match connection.turn(protocol, &response, &mut buffer) {
                Next::Close => drop(connections.remove(&token)),
                next => {
                    let data = epoll::EventData::new_u64(token);
                    connection.watch(&epoll, data, next)?;
                }
            }
        }
    }
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Write,
    Close,
}

struct Connection<S> {
    stream: S,
    unsent: Vec<u8>,
    watched: Next,
    head_end: HeadEnd,
}

impl<S: Read + Write + AsFd> Connection<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            unsent: Vec::new(),
            watched: Next::Read,
            head_end: HeadEnd::default(),
        }
    }

    /// Does what can be done without waiting and says what it waits for.
    fn turn(&mut self, protocol: Protocol, response: &[u8], buffer: &mut [u8]) -> Next {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            return self.send(&unsent);
        }
        let length = match self.stream.read(buffer) {
            Ok(0) => return Next::Close,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Next::Read,
            Err(_) => return Next::Close,
        };
        match protocol {
            Protocol::Echo | Protocol::Datagrams => self.send(&buffer[..length]),
            Protocol::Http { .. } => match self.head_end.count(&buffer[..length]) {
                0 => Next::Read,
                heads => self.send(&response.repeat(heads)),
            },
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Next {
        match self.stream.write(bytes) {
            Ok(length) if length == bytes.len() => Next::Read,
            Ok(length) => self.keep(&bytes[length..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.keep(bytes),
            Err(_) => Next::Close,
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Next {
        self.unsent.extend_from_slice(bytes);
        Next::Write
    }

    /// Changes the interest only when it changes: a message then costs no `epoll_ctl(2)`.
    fn watch(
        &mut self,
        epoll: &impl AsFd,
        data: epoll::EventData,
        next: Next,
    ) -> std::io::Result<()> {
        if next == self.watched {
            return Ok(());
        }
        self.watched = next;
        let flags = if next == Next::Write {
            epoll::EventFlags::OUT
        } else {
            epoll::EventFlags::IN
        };
        Ok(epoll::modify(epoll, &self.stream, data, flags)?)
    }
}

/// Finds the empty line that ends a request head (RFC 9112, section 2.1), across reads.
#[derive(Debug, Default)]
struct HeadEnd {
    matched: usize,
}

impl HeadEnd {
    /// How many heads end within `bytes`.
    fn count(&mut self, bytes: &[u8]) -> usize {
        const END: &[u8; 4] = b"\r\n\r\n";
        let mut heads = 0;
        for byte in bytes {
            self.matched = match (*byte == END[self.matched], *byte) {
                (true, _) => self.matched + 1,
                (false, b'\r') => 1,
                _ => 0,
            };
            if self.matched == END.len() {
                heads += 1;
                self.matched = 0;
            }
        }
        heads
    }
}

fn http_response(body_bytes: usize) -> Vec<u8> {
    let body = "x".repeat(body_bytes);
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body_bytes}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_heads_across_reads() {
        let mut end = HeadEnd::default();
        assert_eq!(end.count(b"GET / HTTP/1.1\r\nHost: a\r\n\r"), 0);
        assert_eq!(end.count(b"\nGET / HTTP/1.1\r\n\r\n"), 2);
        assert_eq!(end.count(b"\r\r\n\r\n"), 1);
    }

    #[test]
    fn an_answer_has_the_body_that_was_asked_for() {
        let text = String::from_utf8(http_response(13)).expect("is text");
        let (head, body) = text.split_once("\r\n\r\n").expect("has a head");
        assert!(head.ends_with("Content-Length: 13"), "{head}");
        assert_eq!(body, "x".repeat(13));
    }

    #[test]
    fn a_message_larger_than_the_socket_comes_back_whole() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        listener.set_nonblocking(true).expect("is a socket");
        let address = listener.local_addr().expect("is bound");
        // The thread serves until the test process ends.
        std::thread::spawn(move || run(&listener, Protocol::Echo));
        let mut client = TcpStream::connect(address).expect("connects");
        let message: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
        let mut writer = client.try_clone().expect("is a socket");
        let sent = message.clone();
        let writing = std::thread::spawn(move || writer.write_all(&sent));
        let mut back = vec![0; message.len()];
        client.read_exact(&mut back).expect("comes back");
        writing.join().expect("ends").expect("writes");
        assert!(back == message);
    }
}
