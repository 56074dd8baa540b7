//! The messages of a run: made, compressed, framed and masked once, before it begins.
//!
//! Their text looks like the JSON that services send, so that compression finds in it what it finds
//! there. Key invariant: neighbouring messages differ at both ends.

use flate2::{Compress, FlushCompress};

use super::frame::Received;
use super::{Compression, Kind, Plan};
use crate::error::LoadError;
use crate::random::Random;

/// Memory that messages may take in all, as far as two fit.
const KEPT_MAX_BYTES: usize = 4 * 1024 * 1024;
const MESSAGES_MAX: usize = 64;
/// The first bytes and the last go through these letters.
const MARKS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
/// The level that zlib calls its default; it is the server's work that is measured, not this.
const LEVEL: u32 = 6;
/// What ends a message on zlib's side and is not sent (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const MASKED: u8 = 0x80;
const IN_TWO_BYTES: u8 = 0x7e;
const IN_EIGHT_BYTES: u8 = 0x7f;

/// Frames ready to be sent.
#[derive(Debug)]
pub(super) struct Messages {
    frames: Box<[Box<[u8]>]>,
    message_bytes: u64,
}

impl Messages {
    pub(super) fn new(plan: &Plan) -> Result<Self, LoadError> {
        let count = (KEPT_MAX_BYTES / plan.message_bytes).clamp(2, MESSAGES_MAX);
        let frames: Result<_, LoadError> = (0..count).map(|index| frame(plan, index)).collect();
        Ok(Self {
            frames: frames?,
            message_bytes: plan.message_bytes as u64,
        })
    }

    /// Which message a ticket has.
    pub(super) fn pick(&self, ticket: u64) -> usize {
        (ticket % self.frames.len() as u64) as usize
    }

    pub(super) fn frame(&self, index: usize) -> &[u8] {
        &self.frames[index]
    }

    /// Whether a message is, by its length and its ends, the one that was sent.
    pub(super) fn is_echo(&self, index: usize, received: Received) -> bool {
        let mark = mark(index);
        received.bytes == self.message_bytes && [received.first, received.last] == [mark; 2]
    }
}

fn mark(index: usize) -> u8 {
    MARKS[index % MARKS.len()]
}

fn frame(plan: &Plan, index: usize) -> Result<Box<[u8]>, LoadError> {
    let mut random = Random::stream(plan.users.seed, index as u64);
    let text = text(plan.message_bytes, mark(index), &mut random);
    let opcode = match plan.kind {
        Kind::Text => 1,
        Kind::Binary => 2,
    };
    let (flags, payload) = match plan.compression {
        Compression::Off => (FINAL, text),
        Compression::Deflate => (FINAL | COMPRESSED, deflated(&text)?),
    };
    let mut frame = vec![flags | opcode];
    match payload.len() {
        length @ ..126 => frame.push(MASKED | length as u8),
        length @ 126..=0xffff => {
            frame.push(MASKED | IN_TWO_BYTES);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(MASKED | IN_EIGHT_BYTES);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let [a, b, c, d, ..] = random.next_u64().to_le_bytes();
    let mask = [a, b, c, d];
    frame.extend_from_slice(&mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    Ok(frame.into_boxed_slice())
}

/// Records like those of a service, cut to the length, with the mark at both ends.
fn text(length: usize, mark: u8, random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&record(random));
    }
    let mut text = text.into_bytes();
    text.truncate(length);
    text[0] = mark;
    text[length - 1] = mark;
    text
}

fn record(random: &mut Random) -> String {
    let [user, amount] = [10_000, 1_000_000].map(|most| random.next_u64() % most);
    let (whole, cents, is_paid) = (amount / 100, amount % 100, amount % 2 == 0);
    format!(
        r#"{{"user":{user},"name":"customer-{user}","amount":{whole}.{cents:02},"paid":{is_paid}}},"#
    )
}

/// A message of its own, which a server may read whatever came before it (RFC 7692, section 7.2.3.2).
fn deflated(text: &[u8]) -> Result<Vec<u8>, LoadError> {
    let bug = |what: &str| LoadError::Bug {
        rule: format!("zlib compresses a message: {what}"),
    };
    let mut compress = Compress::new(flate2::Compression::new(LEVEL), false);
    // What cannot be compressed grows by five bytes in each 16 KiB at most (zlib's deflateBound).
    let mut out = Vec::with_capacity(text.len() + text.len() / 1024 + 64);
    compress
        .compress_vec(text, &mut out, FlushCompress::Sync)
        .map_err(|error| bug(&error.to_string()))?;
    let is_whole = compress.total_in() == text.len() as u64 && out.ends_with(&TAIL);
    out.truncate(out.len().saturating_sub(TAIL.len()));
    is_whole.then_some(out).ok_or_else(|| bug("it is whole"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flate2::{Decompress, FlushDecompress};

    use super::*;
    use crate::plan::Users;
    use crate::target::Target;

    fn plan(message_bytes: usize, compression: Compression) -> Plan {
        Plan {
            target: Target::parse("http://127.0.0.1:1/").unwrap(),
            message_bytes,
            kind: Kind::Binary,
            compression,
            users: Users {
                count: 1,
                warm_up: Duration::ZERO,
                duration: Duration::from_secs(1),
                timeout: Duration::from_secs(1),
                cpus: Vec::new(),
                seed: 3,
            },
        }
    }

    fn unmasked(frame: &[u8], head_bytes: usize) -> Vec<u8> {
        let (mask, payload) = frame[head_bytes..].split_at(4);
        let bytes = payload.iter().zip(mask.iter().cycle());
        bytes.map(|(byte, mask)| byte ^ mask).collect()
    }

    #[test]
    fn lengths_have_three_forms() {
        for (length, head) in [
            (1, &[0x82, 0x81][..]),
            (125, &[0x82, 0xfd]),
            (126, &[0x82, 0xfe, 0, 126]),
            (65_536, &[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let messages = Messages::new(&plan(length, Compression::Off)).unwrap();
            assert!(messages.frame(1).starts_with(head), "{length}");
            let text = unmasked(messages.frame(1), head.len());
            assert_eq!(text.len(), length);
            assert_eq!([text[0], text[length - 1]], *b"bb");
        }
    }

    #[test]
    fn a_compressed_message_is_the_text() {
        let messages = Messages::new(&plan(10_000, Compression::Deflate)).unwrap();
        let frame = messages.frame(0);
        assert_eq!(frame[..2], [0xc2, 0xfe]);
        let mut payload = unmasked(frame, 4);
        assert!((1000..5000).contains(&payload.len()), "{}", payload.len());
        payload.extend_from_slice(&TAIL);
        let mut text = Vec::with_capacity(10_001);
        let mut inflate = Decompress::new(false);
        let flush = FlushDecompress::Sync;
        inflate.decompress_vec(&payload, &mut text, flush).unwrap();
        assert_eq!(text.len(), 10_000);
        assert!(text.starts_with(br#"a"user":"#));
    }
}
