//! Small servers for the end-to-end tests: a thread per connection, on a port the system picks.
//!
//! They must not know the generator. A server's behaviour is a closure that is called with each
//! connection; what it saw is counted in [`Seen`]. Threads end with their connection, the accepting
//! one with the test process.

#![allow(dead_code, reason = "each test file uses its own part of this module")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) heads: Mutex<Vec<String>>,
}

impl Seen {
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A listening server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
}

impl Server {
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Calls `behave` on a thread of its own with every connection.
    pub(crate) fn raw(
        listener: TcpListener,
        behave: impl Fn(TcpStream, &Seen) + Send + Sync + 'static,
    ) -> Self {
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let seen = Arc::new(Seen::default());
        let (behave, counts) = (Arc::new(behave), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counts.connections.fetch_add(1, Ordering::SeqCst);
                let (behave, counts) = (Arc::clone(&behave), Arc::clone(&counts));
                thread::spawn(move || behave(stream, &counts));
            }
        });
        Self { address, seen }
    }

    /// Answers every request with what `answer` makes of its number, from 1.
    pub(crate) fn answering(answer: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::raw(listen(), move |mut stream, seen| {
            stream.set_nodelay(true).expect("TCP_NODELAY can be set");
            while let Some(head) = read_head(&mut stream) {
                let number = seen.requests.fetch_add(1, Ordering::SeqCst) + 1;
                seen.heads.lock().expect("no holder panics").push(head);
                if stream.write_all(&answer(number)).is_err() {
                    return;
                }
            }
        })
    }

    /// Answers the first request of each connection and closes.
    pub(crate) fn closing(answer: &'static [u8]) -> Self {
        Self::raw(listen(), move |mut stream, seen| {
            if read_head(&mut stream).is_some() {
                seen.requests.fetch_add(1, Ordering::SeqCst);
                // The client may be gone already.
                stream.write_all(answer).ok();
            }
        })
    }
}

pub(crate) fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("loopback has a free port")
}

/// A complete answer with a sized body.
pub(crate) fn sized(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one request, answers it, and after `pause` says something nobody asked for.
pub(crate) fn speak_unasked(mut stream: TcpStream, pause: Duration) {
    if read_head(&mut stream).is_some() && stream.write_all(&sized(200, "")).is_ok() {
        thread::sleep(pause);
        // The client may be gone already.
        stream.write_all(b"x").ok();
        read_head(&mut stream);
    }
}

/// The next request's head, if the client has not closed.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(length) if length > 0 => head.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}
