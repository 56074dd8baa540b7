//! A message that comes in pieces: unmasked, decompressed, checked, and put together.
//!
//! Its memory is kept for the next one. Key invariant: it never holds more than the limit, nor text that
//! cannot become UTF-8.

use super::deflate::Inflater;
use super::utf8::Utf8;
use super::violation::Violation;

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, in UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// Memory that is kept between messages.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// The message that is coming.
#[derive(Debug)]
pub(super) struct Assembly {
    /// `None` between messages.
    pub(super) kind: Option<Kind>,
    pub(super) is_compressed: bool,
    bytes: Vec<u8>,
    text: Utf8,
    inflater: Option<Inflater>,
    most: usize,
}

impl Assembly {
    pub(super) fn new(inflater: Option<Inflater>, most: usize) -> Self {
        Self {
            kind: None,
            is_compressed: false,
            bytes: Vec::new(),
            text: Utf8::default(),
            inflater,
            most,
        }
    }

    /// Whether messages may be compressed.
    pub(super) fn inflates(&self) -> bool {
        self.inflater.is_some()
    }

    /// A message begins.
    pub(super) fn begin(&mut self, kind: Kind, is_compressed: bool) {
        if self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.text = Utf8::default();
        self.kind = Some(kind);
        self.is_compressed = is_compressed;
    }

    /// Whether so many bytes more, as they come, are within the limit.
    pub(super) fn check_room(&self, length: u64) -> Result<(), Violation> {
        let room = self.most.saturating_sub(if self.is_compressed {
            0
        } else {
            self.bytes.len()
        });
        if length > room as u64 {
            Err(Violation::TooLarge)
        } else {
            Ok(())
        }
    }

    /// Adds a piece, unmasked.
    pub(super) fn add(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let before = self.bytes.len();
        match &mut self.inflater {
            Some(inflater) if self.is_compressed => {
                inflater.take(piece, &mut self.bytes, self.most)?;
            }
            _ => self.bytes.extend_from_slice(piece),
        }
        self.check_text(before)
    }

    /// Ends the message and gives it; whether a character is missing at its end is for the taker to see.
    pub(super) fn end(&mut self) -> Result<(Kind, &[u8]), Violation> {
        let before = self.bytes.len();
        if let Some(inflater) = self.inflater.as_mut().filter(|_| self.is_compressed) {
            inflater.end(&mut self.bytes, self.most)?;
        }
        self.check_text(before)?;
        let kind = self.kind.take().unwrap_or(Kind::Binary);
        Ok((kind, &self.bytes))
    }

    fn check_text(&mut self, from: usize) -> Result<(), Violation> {
        if self.kind != Some(Kind::Text) {
            return Ok(());
        }
        self.text
            .take(&self.bytes[from..])
            .map_err(|_| Violation::Text)
    }
}
