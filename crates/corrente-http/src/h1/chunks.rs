//! A chunked body: sizes, extensions, data (RFC 9112, section 7.1), up to the trailer section.
//!
//! The lines between the data are read byte by byte and not kept: a state and a number remain. The grammar
//! is taken at its word; extensions are checked and thrown away, as no one has a use for them.

use crate::characters::{is_token, is_value};
use crate::{Limits, Rejection};

/// Hexadecimal digits of the largest size that a number of 64 bits holds.
const SIZE_DIGITS_MAX: u8 = 16;

/// Where in the body we are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    /// White space after the size or after an extension: only before `;` (or `=`).
    Blank,
    /// After `;`.
    ExtensionStart,
    ExtensionName,
    /// White space after an extension's name: before `=` or `;`.
    NameBlank,
    /// After `=`.
    ValueStart,
    Value,
    Quoted,
    QuotedPair,
    /// After a value's closing quote.
    QuoteEnd,
    /// The size's line ends.
    LineFeed,
    Data,
    DataReturn,
    DataLineFeed,
}

/// A chunked body that is being read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chunks {
    state: State,
    digits: u8,
    /// Of extensions, beyond those that data have made up for.
    extension_bytes: usize,
    /// Of the chunk's data, what has not come yet.
    left: u64,
    /// Of all chunks whose size is known.
    total: u64,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// More bytes are needed.
    Incomplete,
    /// So many bytes of data come next.
    Data(usize),
    /// The last chunk's line was read; the trailer section comes next.
    Last,
}

impl Chunks {
    /// Reads on; also gives how many bytes of `input` come before the piece.
    pub(super) fn next(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<(usize, Piece), Rejection> {
        for (at, &byte) in input.iter().enumerate() {
            if self.state == State::Data {
                let length = self.left.min((input.len() - at) as u64);
                self.left -= length;
                if self.left == 0 {
                    self.state = State::DataReturn;
                }
                return Ok((at, Piece::Data(length as usize)));
            }
            if self.step(byte, limits)? && self.left == 0 {
                return Ok((at + 1, Piece::Last));
            }
        }
        Ok((input.len(), Piece::Incomplete))
    }

    /// Takes a byte that is no data; says whether a size's line ends with it.
    fn step(&mut self, byte: u8, limits: &Limits) -> Result<bool, Rejection> {
        match self.state {
            State::Size => self.size(byte, limits)?,
            State::LineFeed if byte == b'\n' => {
                self.state = State::Data;
                self.digits = 0;
                // Else a body of many small chunks could carry a thousand times as much of what nobody counts.
                let paid = usize::try_from(self.left).unwrap_or(usize::MAX);
                self.extension_bytes = self.extension_bytes.saturating_sub(paid);
                return Ok(true);
            }
            State::LineFeed => return Err(Rejection::BareCarriageReturn),
            State::Data => {}
            State::DataReturn if byte == b'\r' => self.state = State::DataLineFeed,
            State::DataLineFeed if byte == b'\n' => {
                self.state = State::Size;
                self.left = 0;
            }
            State::DataReturn | State::DataLineFeed => return Err(Rejection::ChunkEnd(byte)),
            _ => {
                self.extension_bytes += 1;
                if self.extension_bytes > limits.max_chunk_extension_bytes {
                    return Err(Rejection::ChunkExtensionTooLong);
                }
                self.state = extension(self.state, byte)?;
            }
        }
        Ok(false)
    }

    /// Takes a byte of the size, or the one after it.
    fn size(&mut self, byte: u8, limits: &Limits) -> Result<(), Rejection> {
        if let Some(digit) = (byte as char).to_digit(16) {
            if self.digits == SIZE_DIGITS_MAX {
                return Err(Rejection::ChunkSizeTooLarge);
            }
            self.digits += 1;
            self.left = self.left << 4 | u64::from(digit);
            return Ok(());
        }
        if self.digits == 0 {
            return Err(Rejection::ChunkSizeByte(byte));
        }
        self.state = match byte {
            b'\r' => State::LineFeed,
            b';' => State::ExtensionStart,
            b' ' | b'\t' => State::Blank,
            b'\n' => return Err(Rejection::BareLineFeed),
            _ => return Err(Rejection::ChunkSizeByte(byte)),
        };
        self.total = self.total.saturating_add(self.left);
        if self.total > limits.max_body_bytes {
            return Err(Rejection::BodyTooLarge);
        }
        Ok(())
    }
}

/// The state after a byte of `*( BWS ";" BWS name [ BWS "=" BWS value ] )`.
fn extension(state: State, byte: u8) -> Result<State, Rejection> {
    Ok(match (state, byte) {
        (State::ExtensionName | State::Value | State::QuoteEnd, b'\r') => State::LineFeed,
        (State::Quoted, b'"') => State::QuoteEnd,
        (State::Quoted, b'\\') => State::QuotedPair,
        (State::Quoted | State::QuotedPair, _) if is_value(byte) => State::Quoted,
        (State::ExtensionStart, _) if is_token(byte) => State::ExtensionName,
        (State::ValueStart, _) if is_token(byte) => State::Value,
        (State::ExtensionName | State::Value, _) if is_token(byte) => state,
        (State::ExtensionName | State::NameBlank, b'=') => State::ValueStart,
        (State::ValueStart, b'"') => State::Quoted,
        (
            State::Blank | State::ExtensionName | State::NameBlank | State::Value | State::QuoteEnd,
            b';',
        ) => State::ExtensionStart,
        (State::ExtensionName, b' ' | b'\t') => State::NameBlank,
        (State::Value | State::QuoteEnd, b' ' | b'\t') => State::Blank,
        (
            State::Blank | State::ExtensionStart | State::NameBlank | State::ValueStart,
            b' ' | b'\t',
        ) => state,
        (_, b'\n') => return Err(Rejection::BareLineFeed),
        _ => return Err(Rejection::ChunkExtension(byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much data so many chunks have, or why they are refused.
    fn read(chunk: &str, times: usize) -> Result<usize, Rejection> {
        let input = chunk.repeat(times);
        let (mut rest, mut data) = (input.as_bytes(), 0);
        let mut chunks = Chunks::default();
        while let (skipped, Piece::Data(length)) = chunks.next(rest, &Limits::default())? {
            data += length;
            rest = &rest[skipped + length..];
        }
        Ok(data)
    }

    #[test]
    fn extensions_are_no_longer_than_the_data_that_they_come_with() {
        assert_eq!(read("a;bc=d\r\n0123456789\r\n", 1000), Ok(10_000));
        let longer = "1;abcdefghi\r\nx\r\n";
        assert_eq!(read(longer, 100), Ok(100));
        let expected = Err(Rejection::ChunkExtensionTooLong);
        assert_eq!(read(longer, 1000), expected);
    }
}
