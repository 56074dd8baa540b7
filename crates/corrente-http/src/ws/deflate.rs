//! Compressed messages (RFC 7692, section 7.2): DEFLATE without a header, cut at an empty block.
//!
//! The streams go on from message to message unless it was agreed that they do not. Output is bounded
//! while it is made: a message of a few bytes can be one of gigabytes.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::extension::Deflate;
use super::violation::Violation;

/// What ends each message and is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Room that is made for output, at least.
const ROOM_BYTES: usize = 4096;
/// The most that one byte of DEFLATE can become is some 1032; more room at once is never of use.
const ROOM_BYTES_MAX: usize = 256 * 1024;

/// Whether a stream begins anew with each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Kept,
    Dropped,
}

/// Decompresses the messages of a connection.
#[derive(Debug)]
pub(super) struct Inflater {
    stream: Decompress,
    context: Context,
}

impl Inflater {
    /// For messages from the client where `of_client`, else from the server.
    pub(super) fn new(resets: bool) -> Self {
        let context = if resets {
            Context::Dropped
        } else {
            Context::Kept
        };
        Self {
            stream: Decompress::new(false),
            context,
        }
    }

    /// Adds what `input` becomes to `out`, which must not get longer than `most`.
    pub(super) fn take(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<(), Violation> {
        loop {
            // One byte more than is allowed shows that it is too much.
            let wanted = input
                .len()
                .saturating_mul(4)
                .clamp(ROOM_BYTES, ROOM_BYTES_MAX);
            let room = wanted.min((most + 1).saturating_sub(out.len()));
            out.reserve(room);
            let (read, written) = (self.stream.total_in(), out.len());
            let status = self
                .stream
                .decompress_vec(input, out, FlushDecompress::Sync)
                .map_err(|_| Violation::Compression)?;
            input = &input[(self.stream.total_in() - read) as usize..];
            if out.len() > most {
                return Err(Violation::TooLarge);
            }
            if status == Status::StreamEnd {
                // A last block within a message (section 7.2.3.4): what follows begins a stream.
                self.stream.reset(false);
            } else if input.is_empty() && out.len() < out.capacity() {
                return Ok(());
            } else if out.len() == written && self.stream.total_in() == read {
                return Err(Violation::Compression);
            }
        }
    }

    /// Ends a message.
    pub(super) fn end(&mut self, out: &mut Vec<u8>, most: usize) -> Result<(), Violation> {
        self.take(&TAIL, out, most)?;
        if self.context == Context::Dropped {
            self.stream.reset(false);
        }
        Ok(())
    }
}

/// Compresses the messages of a connection.
#[derive(Debug)]
pub(super) struct Deflater {
    stream: Compress,
    context: Context,
}

impl Deflater {
    /// For the messages of the server, as it was agreed.
    pub(super) fn of_server(agreed: &Deflate) -> Self {
        Self::new(
            agreed.level,
            agreed.server_window_bits,
            agreed.server_resets,
        )
    }

    /// For the messages of the client, as it was agreed.
    pub(super) fn of_client(agreed: &Deflate) -> Self {
        Self::new(
            agreed.level,
            agreed.client_window_bits,
            agreed.client_resets,
        )
    }

    fn new(level: u32, window_bits: u8, resets: bool) -> Self {
        let context = if resets {
            Context::Dropped
        } else {
            Context::Kept
        };
        // A raw stream has a window of 9 bits at least; the negotiation agrees to no smaller one.
        let bits = window_bits.clamp(9, 15);
        let stream = Compress::new_with_window_bits(Compression::new(level), false, bits);
        Self { stream, context }
    }

    /// Appends the compressed message to `out`.
    pub(super) fn message(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        loop {
            out.reserve((input.len() / 2).clamp(ROOM_BYTES, ROOM_BYTES_MAX));
            let read = self.stream.total_in();
            // It fails only when a stream has ended, which none does without `Finish`.
            let done = self
                .stream
                .compress_vec(input, out, FlushCompress::Sync)
                .is_err();
            input = &input[(self.stream.total_in() - read) as usize..];
            if done || (input.is_empty() && out.len() < out.capacity()) {
                break;
            }
        }
        if out[start..].ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if out.len() == start {
            // An empty message is an empty block (section 7.2.3.6).
            out.push(0);
        }
        if self.context == Context::Dropped {
            self.stream.reset();
        }
    }
}
