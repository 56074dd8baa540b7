//! TCP ping-pong end to end: good echoes, wrong ones, cut ones, and messages of many pieces.
//!
//! It shares the event loop with HTTP, so connecting, timeouts and stopping are tested there.

mod servers;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use corrente_load::{ErrorKind, LoadError, Outcome, tcp};
use servers::{Server, listen};

/// A server that passes every piece it reads through `change` and sends the result back.
fn echoing(change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Server {
    Server::raw(listen(), move |mut stream, _| {
        let mut buffer = vec![0; 65_536];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let mut piece = buffer[..length].to_vec();
            change(&mut piece);
            if piece.is_empty() || stream.write_all(&piece).is_err() {
                return;
            }
        }
    })
}

fn outcome(server: &Server, message_bytes: usize) -> Result<Outcome, LoadError> {
    let plan = tcp::Plan {
        address: server.address,
        message_bytes,
        users: 3,
        warm_up: Duration::from_millis(20),
        duration: Duration::from_millis(200),
        timeout: Duration::from_secs(5),
        cpus: Vec::new(),
        seed: 1,
    };
    tcp::run(&plan, &AtomicBool::new(false), |_| {})
}

#[test]
fn echoes_of_any_size_are_counted() {
    let server = echoing(|_| {});
    for message_bytes in [1, 100, 1_000_000] {
        let outcome = outcome(&server, message_bytes).unwrap();
        assert!(outcome.completed > 0, "{message_bytes}");
        assert_eq!(outcome.errors, BTreeMap::new(), "{message_bytes}");
        assert_eq!(outcome.latency.len(), outcome.completed);
        let bytes = message_bytes as u64 * outcome.completed;
        assert!(outcome.bytes_received + 3 * message_bytes as u64 >= bytes);
    }
    assert_eq!(server.seen.connections(), 9);
}

#[test]
fn wrong_echoes_are_told_apart() {
    for (change, expected) in [
        (
            (|piece| piece[0] ^= 1) as fn(&mut Vec<u8>),
            ErrorKind::Content,
        ),
        (|piece| piece.push(0), ErrorKind::Malformed),
        (Vec::clear, ErrorKind::Reset),
    ] {
        let outcome = outcome(&echoing(change), 64).unwrap();
        assert_eq!(outcome.completed, 0);
        assert_eq!(
            outcome.errors.keys().copied().collect::<Vec<_>>(),
            [expected]
        );
    }
}

#[test]
fn an_empty_message_is_refused() {
    let refusal = outcome(&echoing(|_| {}), 0).unwrap_err().to_string();
    assert!(refusal.contains("message length must be 1 to"), "{refusal}");
}
