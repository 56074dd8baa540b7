//! Frames of a server (RFC 6455, section 5.2): heads are read, payloads pass by.
//!
//! Nothing is kept of a message but its length and its ends, so that 64 KiB cost as little as they can.
//! Key invariant: what is found depends only on the bytes, never on how they were split.

use crate::outcome::ErrorKind;

/// Longest head without a mask.
const HEAD_MAX_BYTES: usize = 10;
/// Longest payload of a control frame (section 5.5).
const CONTROL_MAX_BYTES: u64 = 125;

const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A message of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) is_compressed: bool,
    /// Of the payload as it came.
    pub(super) bytes: u64,
    pub(super) first: u8,
    pub(super) last: u8,
}

/// What the bytes held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No more than has been taken.
    Nothing,
    Message(Received),
    /// [`Reader::answer`] writes what it is answered with.
    Ping,
    Close,
}

/// A frame whose payload is coming.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: u8,
    is_final: bool,
    left: u64,
}

impl Frame {
    fn is_control(self) -> bool {
        self.opcode >= CLOSE
    }
}

/// Reads the frames of one connection.
#[derive(Debug, Default)]
pub(super) struct Reader {
    head: [u8; HEAD_MAX_BYTES],
    head_bytes: usize,
    frame: Option<Frame>,
    message: Option<Received>,
    control: Vec<u8>,
}

impl Reader {
    /// Takes from `bytes` up to the end of what is found.
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> Result<Found, ErrorKind> {
        loop {
            let Some(frame) = self.frame else {
                if !self.take_head(bytes)? {
                    return Ok(Found::Nothing);
                }
                continue;
            };
            let left = usize::try_from(frame.left).unwrap_or(usize::MAX);
            let (piece, rest) = bytes.split_at(left.min(bytes.len()));
            *bytes = rest;
            self.payload(frame, piece);
            let left = frame.left - piece.len() as u64;
            if left > 0 {
                self.frame = Some(Frame { left, ..frame });
                return Ok(Found::Nothing);
            }
            self.frame = None;
            match frame.opcode {
                CLOSE => return Ok(Found::Close),
                PING => return Ok(Found::Ping),
                PONG => {}
                _ if !frame.is_final => {}
                _ => return self.message.take().map(Found::Message).ok_or(MALFORMED),
            }
        }
    }

    /// Writes the answer to the ping that was found last; its mask is zero, which changes nothing.
    pub(super) fn answer(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[FINAL | PONG, MASKED | self.control.len() as u8, 0, 0, 0, 0]);
        out.extend_from_slice(&self.control);
    }

    /// Takes a head, or what there is of it; whether it was all.
    fn take_head(&mut self, bytes: &mut &[u8]) -> Result<bool, ErrorKind> {
        while self.head_bytes < 2 || self.head_bytes < head_bytes(self.head[1]) {
            let Some((first, rest)) = bytes.split_first() else {
                return Ok(false);
            };
            self.head[self.head_bytes] = *first;
            self.head_bytes += 1;
            *bytes = rest;
        }
        self.frame = Some(self.begin()?);
        self.head_bytes = 0;
        Ok(true)
    }

    fn begin(&mut self) -> Result<Frame, ErrorKind> {
        let [flags, length, ..] = self.head;
        let frame = Frame {
            opcode: flags & OPCODE,
            is_final: flags & FINAL != 0,
            left: payload_bytes(self.head),
        };
        let is_compressed = flags & COMPRESSED != 0;
        let is_right = match (frame.opcode, self.message) {
            (TEXT | BINARY, None) => true,
            (CONTINUATION, Some(_)) => !is_compressed,
            (CLOSE | PING | PONG, _) => {
                !is_compressed && frame.is_final && frame.left <= CONTROL_MAX_BYTES
            }
            _ => false,
        };
        if !is_right || flags & RESERVED != 0 || length & MASKED != 0 {
            return Err(MALFORMED);
        }
        if frame.is_control() {
            self.control.clear();
        } else if frame.opcode != CONTINUATION {
            self.message = Some(Received {
                is_compressed,
                bytes: 0,
                first: 0,
                last: 0,
            });
        }
        Ok(frame)
    }

    fn payload(&mut self, frame: Frame, piece: &[u8]) {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return;
        };
        if frame.is_control() {
            self.control.extend_from_slice(piece);
        } else if let Some(message) = &mut self.message {
            if message.bytes == 0 {
                message.first = *first;
            }
            message.last = *last;
            message.bytes += piece.len() as u64;
        }
    }
}

const MALFORMED: ErrorKind = ErrorKind::Malformed;

/// How long a head is, by its second byte.
fn head_bytes(length: u8) -> usize {
    match length & !MASKED {
        126 => 4,
        127 => 10,
        _ => 2,
    }
}

fn payload_bytes(head: [u8; HEAD_MAX_BYTES]) -> u64 {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    match head[1] & !MASKED {
        126 => number(&head[2..4]),
        127 => number(&head[2..10]),
        length => length.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: u64, ends: [u8; 2]) -> Found {
        Found::Message(Received {
            is_compressed: false,
            bytes,
            first: ends[0],
            last: ends[1],
        })
    }

    /// All that is found, however the bytes are cut.
    #[track_caller]
    fn check(bytes: &[u8], expected: &[Found]) {
        for piece_bytes in [1, 2, 3, 7, bytes.len()] {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for mut piece in bytes.chunks(piece_bytes) {
                loop {
                    match reader.take(&mut piece).unwrap() {
                        Found::Nothing => break,
                        one => found.push(one),
                    }
                }
            }
            assert_eq!(found, expected, "{piece_bytes}");
        }
    }

    #[test]
    fn messages_have_three_forms_of_length() {
        check(&[0x81, 2, b'a', b'b'], &[message(2, *b"ab")]);
        check(&[0x82, 0], &[message(0, [0, 0])]);
        let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        check(&long, &[message(256, [7, 7])]);
        let head = [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        let longer = [&head[..], &vec![9; 65_536]].concat();
        check(&longer, &[message(65_536, [9, 9])]);
    }

    #[test]
    fn control_frames_come_between_the_pieces_of_a_message() {
        let bytes = [1, 1, b'x', 0x89, 1, b'!', 0x8a, 0, 0x80, 1, b'y', 0x88, 0];
        check(&bytes, &[Found::Ping, message(2, *b"xy"), Found::Close]);
    }

    #[test]
    fn what_a_server_must_not_send_is_malformed() {
        for bytes in [
            &[0x81, 0x80][..],
            &[0xa1, 0],
            &[0x80, 0],
            &[0x83, 0],
            &[0x09, 0],
            &[0xc9, 0],
            &[0x89, 126, 0, 126],
            &[1, 0, 1, 0],
        ] {
            let found = Reader::default().take(&mut &*bytes);
            assert_eq!(found, Err(ErrorKind::Malformed), "{bytes:?}");
        }
    }
}
