//! The memory of this process, read through the kernel: what is not there is an error, not a crash.
//!
//! The stack of a thread that runs may change while it is read. So nothing here is believed: every
//! address may be wrong and every length too large.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The memory.
#[derive(Debug)]
pub(super) struct Memory(File);

impl Memory {
    /// Of the process that asks: after a fork it is still the parent's.
    pub(super) fn own() -> io::Result<Self> {
        File::open("/proc/self/mem").map(Self)
    }

    /// As many bytes as there are at an address, up to the buffer's length.
    pub(super) fn some(&self, address: usize, buffer: &mut [u8]) -> usize {
        // An address that is none is an error, and so nothing.
        self.0.read_at(buffer, address as u64).unwrap_or(0)
    }

    /// `N` bytes.
    pub(super) fn bytes<const N: usize>(&self, address: usize) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        (self.some(address, &mut bytes) == N).then_some(bytes)
    }

    /// `length` bytes.
    pub(super) fn many(&self, address: usize, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        (self.some(address, &mut bytes) == length).then_some(bytes)
    }

    /// A pointer.
    pub(super) fn pointer(&self, address: usize) -> Option<usize> {
        self.bytes(address).map(usize::from_ne_bytes)
    }
}

/// A pointer within bytes.
pub(super) fn pointer_in(bytes: &[u8], offset: usize) -> Option<usize> {
    let bytes = bytes.get(offset..offset + size_of::<usize>())?;
    Some(usize::from_ne_bytes(bytes.try_into().ok()?))
}

/// A number of 32 bits within bytes.
pub(super) fn number_in(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..offset + size_of::<u32>())?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}
