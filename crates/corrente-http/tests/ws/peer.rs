//! A peer that sends frames byte by byte as the tests say, and what a decoder makes of them.

use corrente_http::ws::{Decoder, Deflate, Event, Limits, Role, Violation};

/// A frame of a client: final unless `first` says otherwise, masked.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first, [0x37, 0xfa, 0x21, 0x3d], payload)
}

pub(crate) fn masked(first: u8, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        length @ 126..65536 => {
            frame.push(0xfe);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0xff);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&key);
    frame.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// What was seen, in words: `text`, `binary`, `ping`, `pong` with what they hold, `close`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
    Failed(Violation),
}

pub(crate) fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

/// Feeds `pieces` to a decoder.
pub(crate) fn see<'p>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let step = match decoder.next(&mut buffer) {
                Ok(step) => step,
                Err(violation) => {
                    seen.push(Seen::Failed(violation));
                    return seen;
                }
            };
            let consumed = step.consumed;
            let event = match step.event {
                Event::NeedMore => None,
                Event::Text(text) => Some(Seen::Text(text.to_owned())),
                Event::Binary(bytes) => Some(Seen::Binary(bytes.to_vec())),
                Event::Ping(bytes) => Some(Seen::Ping(bytes.to_vec())),
                Event::Pong(bytes) => Some(Seen::Pong(bytes.to_vec())),
                Event::Close { code, reason } => Some(Seen::Close(code, reason.to_owned())),
            };
            buffer.drain(..consumed);
            let Some(event) = event else {
                break;
            };
            seen.push(event);
        }
    }
    seen
}

pub(crate) fn server(deflate: Option<&Deflate>) -> Decoder {
    Decoder::new(Role::Server, Limits::default(), deflate)
}

/// In one piece and byte by byte, which must not differ.
pub(crate) fn check(input: &[u8], expected: &[Seen]) {
    for size in [input.len().max(1), 1, 3] {
        assert_eq!(
            see(server(None), input.chunks(size)),
            expected,
            "in pieces of {size}"
        );
    }
}
