//! WebSocket echo end to end: what is opened, echoed, compressed, pinged and refused.
//!
//! It shares the event loop with HTTP, so connecting, timeouts and stopping are tested there.

mod servers;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use corrente_load::websocket::{self, Compression, Kind, Plan};
use corrente_load::{ErrorKind, Outcome, Target, Users};
use servers::{Server, listen};

const ACCEPTED: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Opens every WebSocket with these fields, and writes `prefix` before each echo.
fn echoing(fields: &'static str, prefix: &'static [u8]) -> Server {
    Server::raw(listen(), move |mut stream, _| {
        let mut input = Vec::new();
        while !input.ends_with(b"\r\n\r\n") {
            if read_more(&mut stream, &mut input).is_none() {
                return;
            }
        }
        input.clear();
        let head = format!("HTTP/1.1 101 X\r\n{ACCEPTED}{fields}\r\n");
        stream.write_all(head.as_bytes()).expect("the client reads");
        loop {
            while let Some(frame) = take_frame(&mut input) {
                // Pongs are not echoed.
                if frame[0] & 0x0f == 0x0a {
                    continue;
                }
                let sent = stream.write_all(&[prefix, &frame].concat());
                if sent.is_err() {
                    return;
                }
            }
            if read_more(&mut stream, &mut input).is_none() {
                return;
            }
        }
    })
}

fn read_more(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<()> {
    let mut buffer = vec![0; 65_536];
    let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
    input.extend_from_slice(&buffer[..length]);
    Some(())
}

/// A frame of a client as a server sends it, once all of it has come.
fn take_frame(input: &mut Vec<u8>) -> Option<Vec<u8>> {
    let [_, length, ..] = input[..] else {
        return None;
    };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (head, length) = match length & 0x7f {
        126 => (4, number(input.get(2..4)?)),
        127 => (10, number(input.get(2..10)?)),
        length => (2, usize::from(length)),
    };
    let end = head + 4 + length;
    let (mask, payload) = input.get(head..end)?.split_at(4);
    let bytes = payload.iter().zip(mask.iter().cycle());
    let mut frame = input[..head].to_vec();
    frame[1] &= 0x7f;
    frame.extend(bytes.map(|(byte, mask)| byte ^ mask));
    input.drain(..end);
    Some(frame)
}

fn plan(server: &Server, message_bytes: usize, compression: Compression) -> Plan {
    Plan {
        target: Target::parse(&server.url()).expect("is a URL"),
        message_bytes,
        kind: Kind::Binary,
        compression,
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

fn outcome(server: &Server, message_bytes: usize, compression: Compression) -> Outcome {
    let plan = plan(server, message_bytes, compression);
    websocket::run(&plan, &AtomicBool::new(false), |_| {}).expect("the plan is sound")
}

#[track_caller]
fn check(outcome: &Outcome, expected: Option<ErrorKind>) {
    let kinds: Vec<ErrorKind> = outcome.errors.keys().copied().collect();
    assert_eq!(kinds, Vec::from_iter(expected));
    assert_eq!(outcome.completed > 0, expected.is_none());
}

#[test]
fn echoes_of_any_size_are_counted_on_connections_that_stay() {
    let server = echoing("", b"");
    for message_bytes in [1, 200, 65_536, 1_000_000] {
        let outcome = outcome(&server, message_bytes, Compression::Off);
        check(&outcome, None);
        assert_eq!(outcome.statuses, BTreeMap::new());
        assert_eq!(outcome.latency.len(), outcome.completed);
    }
    assert_eq!(server.seen.connections(), 12);
}

#[test]
fn compressed_echoes_are_counted() {
    let outcome = outcome(&echoing(DEFLATE, b""), 65_536, Compression::Deflate);
    check(&outcome, None);
    let sent = outcome.completed * 65_536;
    assert!(outcome.bytes_received < sent / 2, "{outcome:?}");
}

#[test]
fn a_server_that_declines_compression_fails() {
    let outcome = outcome(&echoing("", b""), 10, Compression::Deflate);
    check(&outcome, Some(ErrorKind::Content));
}

#[test]
fn pings_are_no_echoes() {
    let outcome = outcome(&echoing("", &[0x89, 2, b'h', b'i']), 10, Compression::Off);
    check(&outcome, None);
}

#[test]
fn two_echoes_of_one_message_are_malformed() {
    let outcome = outcome(&echoing("", &[0x81, 1, b'x']), 10, Compression::Off);
    check(&outcome, Some(ErrorKind::Malformed));
}

#[test]
fn an_empty_message_is_refused() {
    let plan = plan(&echoing("", b""), 0, Compression::Off);
    let refused = websocket::run(&plan, &AtomicBool::new(false), |_| {});
    let refusal = refused.expect_err("there is nothing to send").to_string();
    assert!(refusal.contains("message length must be 1 to"), "{refusal}");
}
