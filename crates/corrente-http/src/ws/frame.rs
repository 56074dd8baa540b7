//! The head of a frame (RFC 6455, section 5.2): what it is, how long, with which mask.
//!
//! Everything that a head alone can have wrong is found here; what depends on the frames before it is
//! the decoder's.

use super::violation::Violation;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn of(number: u8) -> Result<Self, Violation> {
        Ok(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => return Err(Violation::Opcode(other)),
        })
    }

    fn number(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    /// The first reserved bit: the message is compressed.
    pub(super) is_compressed: bool,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: u64,
}

/// Bytes of a control frame's payload, at most (section 5.5).
pub(super) const CONTROL_BYTES_MAX: u64 = 125;

const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const OTHER_RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;
/// Lengths that say that the length follows, in two bytes and in eight.
const TWO_BYTES: u8 = 126;
const EIGHT_BYTES: u8 = 127;

impl FrameHead {
    /// Reads a head, and says how many bytes it has; `None` where more are needed.
    pub(super) fn read(input: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let [first, second, rest @ ..] = input else {
            return Ok(None);
        };
        if first & OTHER_RESERVED != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = Opcode::of(first & 0x0f)?;
        let is_final = first & FINAL != 0;
        let is_compressed = first & COMPRESSED != 0;
        let short = second & !MASKED;
        if opcode.is_control() {
            if is_compressed {
                return Err(Violation::ReservedBits);
            }
            if !is_final {
                return Err(Violation::FragmentedControl);
            }
            if u64::from(short) > CONTROL_BYTES_MAX {
                return Err(Violation::LongControl);
            }
        }
        let Some((length, rest)) = length(short, rest)? else {
            return Ok(None);
        };
        let (mask, rest) = if second & MASKED == 0 {
            (None, rest)
        } else {
            let Some((key, rest)) = rest.split_first_chunk::<4>() else {
                return Ok(None);
            };
            (Some(*key), rest)
        };
        let head = Self {
            opcode,
            is_final,
            is_compressed,
            mask,
            length,
        };
        Ok(Some((head, input.len() - rest.len())))
    }

    /// Writes the head.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let first = self.opcode.number() | bit(self.is_final, FINAL);
        out.push(first | bit(self.is_compressed, COMPRESSED));
        let masked = bit(self.mask.is_some(), MASKED);
        if let Ok(short @ 0..TWO_BYTES) = u8::try_from(self.length) {
            out.push(short | masked);
        } else if let Ok(length) = u16::try_from(self.length) {
            out.push(TWO_BYTES | masked);
            out.extend_from_slice(&length.to_be_bytes());
        } else {
            out.push(EIGHT_BYTES | masked);
            out.extend_from_slice(&self.length.to_be_bytes());
        }
        if let Some(key) = self.mask {
            out.extend_from_slice(&key);
        }
    }
}

/// The length, and what follows it.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (length, least, rest) = match short {
        TWO_BYTES => {
            let Some((bytes, rest)) = rest.split_first_chunk::<2>() else {
                return Ok(None);
            };
            (
                u64::from(u16::from_be_bytes(*bytes)),
                u64::from(TWO_BYTES),
                rest,
            )
        }
        EIGHT_BYTES => {
            let Some((bytes, rest)) = rest.split_first_chunk::<8>() else {
                return Ok(None);
            };
            (u64::from_be_bytes(*bytes), u64::from(u16::MAX) + 1, rest)
        }
        _ => (u64::from(short), 0, rest),
    };
    if length < least || length > i64::MAX as u64 {
        return Err(Violation::Length);
    }
    Ok(Some((length, rest)))
}
