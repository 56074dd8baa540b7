//! What waits to be written to a stream's socket: bytes, and files between them, in order.
//!
//! Bytes go several buffers at once, files by the kernel. Key invariant: what stands behind a file goes when all of the
//! file has gone.

use std::collections::VecDeque;
use std::io;

use corrente_driver::Descriptor;
use corrente_driver::file::FilePart;
use corrente_driver::outgoing::Outgoing;
use corrente_driver::socket::{self, Moved, Sequel};

use crate::ffi::bytes::Chunk;

/// What one call sends of a file at most, in bytes: other connections have their turn after it.
pub(super) const SENT_MOST: u64 = 1024 * 1024;

/// Bytes and files, oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Outgoing<Chunk>,
    /// Files, each with the bytes behind it.
    files: VecDeque<(FilePart, Outgoing<Chunk>)>,
}

/// What a call to the kernel has moved.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) bytes: usize,
    /// Buffers that are done: they are Python's, and so not to be dropped while anything is borrowed.
    pub(super) done: (Option<Chunk>, Vec<Chunk>),
}

impl Queue {
    /// Bytes that wait, those of files included.
    pub(super) fn len(&self) -> usize {
        let files = self.files.iter().map(|(part, behind)| {
            let left = usize::try_from(part.left()).unwrap_or(usize::MAX);
            left.saturating_add(behind.len())
        });
        files.fold(self.bytes.len(), usize::saturating_add)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.files.is_empty()
    }

    /// Adds a buffer, of which the first `written` bytes are written already.
    pub(super) fn push(&mut self, chunk: Chunk, written: usize) {
        match self.files.back_mut() {
            Some((_, behind)) => behind.push(chunk, written),
            None => self.bytes.push(chunk, written),
        }
    }

    /// Adds what is left of a file.
    pub(super) fn push_file(&mut self, part: FilePart) {
        if part.left() > 0 {
            self.files.push_back((part, Outgoing::default()));
        }
    }

    /// Writes what the socket takes of the only buffer; `None` where none waits, or something besides it.
    pub(super) fn write_only(
        &mut self,
        descriptor: Descriptor,
        sequel: Sequel,
    ) -> Option<io::Result<Written>> {
        let only = self.bytes.only().filter(|_| self.files.is_empty())?;
        let moved = socket::write(descriptor, only, sequel);
        Some(moved.map(|moved| {
            let bytes = match moved {
                Moved::Bytes(bytes) => bytes,
                Moved::Later => 0,
            };
            let done = self.bytes.advance(bytes);
            Written { bytes, done }
        }))
    }

    /// Writes what the socket takes of what is next; `None` where it takes nothing.
    pub(super) fn write(
        &mut self,
        descriptor: Descriptor,
        sequel: Sequel,
    ) -> io::Result<Option<Written>> {
        if self.bytes.is_empty()
            && let Some((part, _)) = self.files.front_mut()
        {
            let moved = part.write(descriptor, SENT_MOST)?;
            if part.left() == 0
                && let Some((_, behind)) = self.files.pop_front()
            {
                self.bytes = behind;
            }
            return Ok(match moved {
                Moved::Bytes(bytes) => Some(Written {
                    bytes,
                    done: (None, Vec::new()),
                }),
                Moved::Later => None,
            });
        }
        let moved = match self.bytes.only() {
            Some(one) => socket::write(descriptor, one, sequel),
            None => socket::write_all(descriptor, &self.bytes.slices(), sequel),
        };
        Ok(match moved? {
            Moved::Bytes(bytes) => Some(Written {
                bytes,
                done: self.bytes.advance(bytes),
            }),
            Moved::Later => None,
        })
    }

    /// Gives up what is left; the buffers are to be dropped when nothing is borrowed.
    pub(super) fn clear(&mut self) -> Vec<Chunk> {
        let mut dropped = self.bytes.clear();
        for (_, mut behind) in self.files.drain(..) {
            dropped.append(&mut behind.clear());
        }
        dropped
    }
}
