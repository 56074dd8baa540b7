//! Ping-pong end to end: good echoes, wrong ones, cut ones, messages of many pieces, and all peers.
//!
//! It shares the event loop with HTTP, so connecting, timeouts and stopping are tested there.

mod servers;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use corrente_load::{ErrorKind, KeepAlive, LoadError, Outcome, Peer, Users, ping_pong};
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

fn plan(peer: Peer, message_bytes: usize) -> ping_pong::Plan {
    ping_pong::Plan {
        peer,
        message_bytes,
        keep_alive: KeepAlive::Reuse,
        users: Users {
            count: 3,
            warm_up: Duration::from_millis(20),
            duration: Duration::from_millis(200),
            timeout: Duration::from_secs(5),
            cpus: Vec::new(),
            seed: 1,
        },
    }
}

fn run(plan: &ping_pong::Plan) -> Result<Outcome, LoadError> {
    ping_pong::run(plan, &AtomicBool::new(false), |_| {})
}

fn outcome(server: &Server, message_bytes: usize) -> Result<Outcome, LoadError> {
    run(&plan(server.address.into(), message_bytes))
}

fn check_good(outcome: &Outcome) {
    assert!(outcome.completed > 0);
    assert_eq!(outcome.errors, BTreeMap::new());
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

#[test]
fn each_message_may_have_its_own_connection() {
    let server = echoing(|_| {});
    let mut plan = plan(server.address.into(), 100);
    plan.keep_alive = KeepAlive::Close;
    let outcome = run(&plan).unwrap();
    check_good(&outcome);
    assert!(server.seen.connections() >= outcome.completed);
}

#[test]
fn datagrams_come_back_whole_and_have_a_longest() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = Peer::Udp(socket.local_addr().unwrap());
    // The thread serves until the test process ends.
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(&buffer[..length], from).ok();
        }
    });
    check_good(&run(&plan(peer.clone(), 1024)).unwrap());
    let refusal = run(&plan(peer, 65_508)).unwrap_err().to_string();
    assert!(refusal.contains("must be 1 to 65507 bytes"), "{refusal}");
}

#[test]
fn a_socket_with_a_name_is_a_peer_too() {
    let path = std::env::temp_dir().join(format!("corrente-load-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = vec![0; 65_536];
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    let outcome = run(&plan(Peer::Unix(path.clone()), 100_000));
    std::fs::remove_file(path).unwrap();
    check_good(&outcome.unwrap());
}
