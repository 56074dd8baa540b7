//! Whether a server answers rightly, before anything is measured.
//!
//! A stream echoes a long message byte for byte; a datagram comes back whole; HTTP gives the text
//! that every application has. What only `ping_pong.py` speaks, that compares whole.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use crate::bench::children::LIMIT;

/// Longer than any message that is measured, and than what a socket takes at once.
const STREAM_BYTES: usize = 700_000;
const DATAGRAM_BYTES: usize = 1400;
/// What the applications answer.
const HELLO: &str = "Hello, world!";

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(u16),
    Udp(u16),
    Unix(PathBuf),
}

impl Address {
    /// As the load generator wants it.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Tcp(port) => format!("tcp://127.0.0.1:{port}"),
            Self::Udp(port) => format!("udp://127.0.0.1:{port}"),
            Self::Unix(path) => format!("unix://{}", path.display()),
        }
    }
}

/// Whether a message comes back as it was.
pub(super) fn echo(address: &Address) -> io::Result<bool> {
    match address {
        Address::Tcp(port) => tcp(*port),
        Address::Udp(port) => datagram(*port),
        Address::Unix(path) => unix(path),
    }
}

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

fn tcp(port: u16) -> io::Result<bool> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    comes_back(stream.try_clone()?, stream)
}

fn unix(path: &Path) -> io::Result<bool> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    comes_back(stream.try_clone()?, stream)
}

fn comes_back(mut writer: impl Write + Send + 'static, mut reader: impl Read) -> io::Result<bool> {
    let sent = message(STREAM_BYTES);
    // Beside reading: neither side's socket holds the whole message.
    let writing = thread::spawn(move || writer.write_all(&message(STREAM_BYTES)));
    let mut back = vec![0; STREAM_BYTES];
    reader.read_exact(&mut back)?;
    let written = writing.join();
    written.map_err(|_| io::Error::other("the writer panicked"))??;
    Ok(back == sent)
}

fn datagram(port: u16) -> io::Result<bool> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    let sent = message(DATAGRAM_BYTES);
    socket.send(&sent)?;
    let mut back = vec![0; 2 * DATAGRAM_BYTES];
    let length = socket.recv(&mut back)?;
    Ok(back[..length] == sent)
}

/// Whether a request is answered with the applications' text.
pub(super) fn http(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let end = format!("\r\n\r\n{HELLO}");
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    // What is wrong never ends so, and runs into the limit.
    while !text.ends_with(end.as_bytes()) {
        match stream.read(&mut piece)? {
            0 => return Ok(false),
            length => text.extend_from_slice(&piece[..length]),
        }
    }
    Ok(text.starts_with(b"HTTP/1.1 200 "))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn serve(answer: impl Fn(&mut [u8]) + Send + 'static) -> Address {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        let port = listener.local_addr().expect("is bound").port();
        // The thread serves until the test process ends.
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                answer(&mut buffer[..length]);
                if stream.write_all(&buffer[..length]).is_err() {
                    return;
                }
            }
        });
        Address::Tcp(port)
    }

    #[test]
    fn an_echo_is_right_only_if_all_of_it_is() {
        assert!(echo(&serve(|_| {})).expect("answers"));
        let wrong = serve(|bytes| bytes[0] = bytes[0].wrapping_add(1));
        assert!(!echo(&wrong).expect("answers"));
    }
}
