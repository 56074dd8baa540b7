//! Memory that what comes from the kernel goes through, the same for every read of a thread.
//!
//! It stays in the processor's cache, where a fresh allocation for the largest possible read would not. What is large goes
//! elsewhere ([`Room`]).

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

use corrente_driver::Descriptor;
use corrente_driver::socket::{self, Moved};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::ffi::bytes::Read;

/// What it holds, in bytes: more than any datagram has, and than a message of 64 KiB has with what a protocol puts before it
/// (a WebSocket 14 bytes), so that one read takes all of it.
pub(crate) const SIZE: usize = 68 * 1024;
/// Asyncio's `max_size`: more is read in several turns.
pub(crate) const READ_MOST: usize = 256 * 1024;
/// A large read of less than this is followed by a smaller one.
const BULK_LEAST: usize = SIZE / 4;
/// After a read of this much the next one is not copied: that would cost more than to make a large object shorter.
pub(crate) const UNCOPIED_LEAST: usize = 4 * 1024;

/// Where a read goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Room {
    /// Into the memory that is used again.
    #[default]
    Shared,
    /// Into an object of the same size.
    Own,
    /// Into a large object.
    Bulk,
}

impl Room {
    /// Where the next one goes after one of so many bytes.
    pub(crate) fn after(self, length: usize) -> Self {
        let bulk_least = if self == Self::Bulk { BULK_LEAST } else { SIZE };
        if length >= bulk_least {
            Self::Bulk
        } else if length >= UNCOPIED_LEAST {
            Self::Own
        } else {
            Self::Shared
        }
    }

    /// How much it takes.
    pub(crate) fn bytes(self) -> usize {
        self.own_bytes().unwrap_or(SIZE)
    }

    /// How much it takes, where that is an object of its own.
    pub(crate) fn own_bytes(self) -> Option<usize> {
        match self {
            Self::Shared => None,
            Self::Own => Some(SIZE),
            Self::Bulk => Some(READ_MOST),
        }
    }
}

thread_local! {
    static MEMORY: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends the memory. Whoever asks while it is lent (Python code that a protocol runs, which reads by itself) gets
/// other memory.
fn lend<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    let memory = MEMORY.take();
    let mut memory = memory.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice());
    let result = work(&mut memory);
    MEMORY.set(Some(memory));
    result
}

/// Reads, and lends what has come to `work`. `work` sees nothing at the end of what the peer sends, or where
/// there is nothing now.
pub(crate) fn read_with<R>(
    descriptor: Descriptor,
    work: impl FnOnce(&mut [u8]) -> R,
) -> io::Result<(Moved, R)> {
    lend(|memory| {
        let moved = socket::read(descriptor, memory)?;
        let length = match moved {
            Moved::Bytes(length) => length,
            Moved::Later => 0,
        };
        Ok((moved, work(&mut memory[..length])))
    })
}

/// Reads at most `most` bytes, and no more than [`SIZE`].
pub(crate) fn read(py: Python<'_>, descriptor: Descriptor, most: usize) -> io::Result<Read<'_>> {
    lend(|memory| {
        let room = &mut memory[..most.min(SIZE)];
        Ok(match socket::read(descriptor, room)? {
            Moved::Bytes(0) => Read::End,
            Moved::Bytes(length) => Read::Data(PyBytes::new(py, &room[..length])),
            Moved::Later => Read::Later,
        })
    })
}

/// Reads one datagram.
pub(crate) fn receive(
    py: Python<'_>,
    descriptor: Descriptor,
) -> io::Result<Option<(Bound<'_, PyBytes>, Option<SocketAddr>)>> {
    lend(|memory| {
        let received = socket::receive(descriptor, memory)?;
        Ok(received.map(|(length, from)| (PyBytes::new(py, &memory[..length]), from)))
    })
}
