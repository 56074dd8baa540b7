//! Raw frames that no client should send, and floods: the connection ends, and nobody panics.

use corrente_http::http2::{Connection, Event, Limits, PREFACE, Preface, WebSockets};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;

/// `GET http://a/` by indices of the static table (RFC 7541, appendix A), `:authority` literal.
const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What comes of these frames after a proper beginning: events, or the error.
fn send(frames: &[Vec<u8>]) -> Result<Vec<Event>, String> {
    let mut connection = Connection::new(Limits::default(), WebSockets::Announced);
    let mut events = Vec::new();
    let beginning = [&PREFACE[..], &frame(SETTINGS, 0, 0, b"")].concat();
    for input in std::iter::once(&beginning).chain(frames) {
        connection.receive(input);
        while let Some(event) = connection.next_event().map_err(|error| error.to_string())? {
            events.push(event);
        }
        connection.take_output();
    }
    Ok(events)
}

#[test]
fn the_preface_is_known_by_its_bytes() {
    for length in 0..PREFACE.len() {
        assert_eq!(Preface::of(&PREFACE[..length]), Preface::NeedMore);
    }
    assert_eq!(
        Preface::of(&[PREFACE, &b"more"[..]].concat()),
        Preface::Http2
    );
    assert_eq!(Preface::of(b"POST"), Preface::Other);
    assert_eq!(Preface::of(b"GET / HTTP/1.1"), Preface::Other);
}

#[test]
fn a_request_in_raw_frames() {
    let events = send(&[frame(HEADERS, 0x5, 1, GET)]).expect("is valid");
    assert!(
        matches!(
            &events[..],
            [Event::Request {
                stream: 1,
                is_ended: true,
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn frames_that_break_the_protocol_end_the_connection() {
    let bad = [
        ("data on stream 0", frame(DATA, 0, 0, b"x")),
        ("data on an idle stream", frame(DATA, 0, 1, b"x")),
        ("headers on an even stream", frame(HEADERS, 0x5, 2, GET)),
        ("settings of a wrong length", frame(SETTINGS, 0, 0, b"x")),
        ("settings on a stream", frame(SETTINGS, 0, 1, b"")),
        ("a ping of a wrong length", frame(PING, 0, 0, b"x")),
        ("a window of zero", frame(WINDOW, 0, 0, &[0; 4])),
        (
            "a continuation of nothing",
            frame(CONTINUATION, 0x4, 1, GET),
        ),
        ("a reset of an idle stream", frame(RESET, 0, 1, &[0; 4])),
        (
            "a frame that is too large",
            frame(PING, 0, 0, &vec![0; 20_000]),
        ),
        (
            "no field block",
            frame(HEADERS, 0x5, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
    ];
    for (what, input) in bad {
        let result = send(&[input]);
        assert!(result.is_err(), "{what}: {result:?}");
    }
}

#[test]
fn another_protocol_ends_the_connection() {
    let mut connection = Connection::new(Limits::default(), WebSockets::Announced);
    connection.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(connection.next_event().is_err());
    assert!(matches!(connection.next_event(), Ok(None)));
}

/// CVE-2023-44487.
#[test]
fn rapid_resets_end_the_connection() {
    let flood: Vec<u8> = (0..2000)
        .flat_map(|number: u32| {
            let stream = number * 2 + 1;
            [
                frame(HEADERS, 0x5, stream, GET),
                frame(RESET, 0, stream, &[0, 0, 0, 8]),
            ]
            .concat()
        })
        .collect();
    let result = send(&[flood]);
    assert!(
        result.is_err(),
        "{} events",
        result.map_or(0, |events| events.len())
    );
}

/// CVE-2024-27316.
#[test]
fn continuations_without_an_end_end_the_connection() {
    let mut flood = frame(HEADERS, 0, 1, GET);
    for _ in 0..100_000 {
        flood.extend(frame(CONTINUATION, 0, 1, &[0x40, 1, b'a', 1, b'b']));
    }
    assert!(send(&[flood]).is_err());
}

#[test]
fn frames_may_come_byte_by_byte() {
    let input = frame(HEADERS, 0x5, 1, GET);
    let pieces: Vec<Vec<u8>> = input.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(send(&pieces).map(|events| events.len()), Ok(1));
}
