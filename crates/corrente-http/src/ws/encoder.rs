//! The encoder of a WebSocket: messages and control frames in, bytes out.
//!
//! A message is one frame. The caller keeps the order: after a close frame nothing may be sent. Masks of
//! a client come from a seed, as nothing here is random by itself.

use super::decoder::may_be_sent;
use super::deflate::Deflater;
use super::extension::Deflate;
use super::frame::{CONTROL_BYTES_MAX, FrameHead, Opcode};
use super::message::Kind;
use super::{Role, mask};

/// How messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderOptions {
    /// Messages of fewer bytes are not compressed, where compression was agreed at all.
    pub compress_from_bytes: usize,
    /// Of the masks of a client's frames; a server has none.
    pub mask_seed: u64,
}

impl Default for EncoderOptions {
    /// Below 64 bytes compression costs more than it saves.
    fn default() -> Self {
        Self {
            compress_from_bytes: 64,
            mask_seed: 0,
        }
    }
}

/// Encodes what we send.
#[derive(Debug)]
pub struct Encoder {
    role: Role,
    options: EncoderOptions,
    deflater: Option<Deflater>,
    compressed: Vec<u8>,
    random: u64,
}

/// Memory that is kept between messages.
const KEPT_BYTES_MAX: usize = 64 * 1024;

impl Encoder {
    /// For one end of a connection on which so much compression was agreed.
    pub fn new(role: Role, options: EncoderOptions, deflate: Option<&Deflate>) -> Self {
        let deflater = deflate.map(|agreed| match role {
            Role::Server => Deflater::of_server(agreed),
            Role::Client => Deflater::of_client(agreed),
        });
        Self {
            role,
            options,
            deflater,
            compressed: Vec::new(),
            random: options.mask_seed,
        }
    }

    /// Writes a message.
    pub fn message(&mut self, kind: Kind, data: &[u8], out: &mut Vec<u8>) {
        let opcode = opcode(kind);
        let mut compressed = std::mem::take(&mut self.compressed);
        match &mut self.deflater {
            Some(deflater) if data.len() >= self.options.compress_from_bytes => {
                compressed.clear();
                deflater.message(data, &mut compressed);
                self.frame(opcode, true, &compressed, out);
            }
            _ => self.frame(opcode, false, data, out),
        }
        if compressed.capacity() <= KEPT_BYTES_MAX {
            self.compressed = compressed;
        }
    }

    /// Writes what comes before a message of so many bytes that the caller sends from where it is. `false`, and nothing is
    /// written, where [`Encoder::message`] has to be called: it is to be compressed or masked.
    pub fn open_message(&mut self, kind: Kind, length: usize, out: &mut Vec<u8>) -> bool {
        let is_compressed = self.deflater.is_some() && length >= self.options.compress_from_bytes;
        if is_compressed || self.role == Role::Client {
            return false;
        }
        FrameHead {
            opcode: opcode(kind),
            is_final: true,
            is_compressed: false,
            mask: None,
            length: length as u64,
        }
        .write(out);
        true
    }

    /// Writes a ping; what is beyond 125 bytes is cut off.
    pub fn ping(&mut self, data: &[u8], out: &mut Vec<u8>) {
        self.frame(Opcode::Ping, false, within_control(data), out);
    }

    /// Writes a pong; what is beyond 125 bytes is cut off.
    pub fn pong(&mut self, data: &[u8], out: &mut Vec<u8>) {
        self.frame(Opcode::Pong, false, within_control(data), out);
    }

    /// Writes a close frame. A code that must not be sent (1005, 1006, 1015, reserved ones) makes one
    /// without code and reason; a reason that is too long is cut off between characters.
    pub fn close(&mut self, code: u16, reason: &str, out: &mut Vec<u8>) {
        if !may_be_sent(code) {
            self.frame(Opcode::Close, false, b"", out);
            return;
        }
        let end = reason.floor_char_boundary(CONTROL_BYTES_MAX as usize - 2);
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(&reason.as_bytes()[..end]);
        self.frame(Opcode::Close, false, &payload, out);
    }

    fn frame(&mut self, opcode: Opcode, is_compressed: bool, payload: &[u8], out: &mut Vec<u8>) {
        let mask = self.mask();
        let length = payload.len() as u64;
        FrameHead {
            opcode,
            is_final: true,
            is_compressed,
            mask,
            length,
        }
        .write(out);
        let start = out.len();
        out.extend_from_slice(payload);
        if let Some(key) = mask {
            mask::apply(&mut out[start..], key, 0);
        }
    }

    /// The next mask, by splitmix64.
    fn mask(&mut self) -> Option<[u8; 4]> {
        if self.role == Role::Server {
            return None;
        }
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [a, b, c, d, ..] = (mixed ^ (mixed >> 31)).to_le_bytes();
        Some([a, b, c, d])
    }
}

fn opcode(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    }
}

fn within_control(data: &[u8]) -> &[u8] {
    &data[..data.len().min(CONTROL_BYTES_MAX as usize)]
}
