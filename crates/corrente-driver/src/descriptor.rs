//! A descriptor that somebody else owns.
//!
//! Asyncio's users hand descriptors over as integers. This is the one place where such an integer
//! becomes something that a system call takes.

use std::os::fd::{AsFd, BorrowedFd, RawFd};

/// The number of an open descriptor. It is not closed with this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Descriptor(RawFd);

impl Descriptor {
    /// `None` where the number cannot be one.
    pub fn new(number: RawFd) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> RawFd {
        self.0
    }

    /// Its place in a table of descriptors.
    pub fn index(self) -> usize {
        // Never negative: `new` saw to that.
        self.0 as usize
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the number is not negative, so the niche of `BorrowedFd` holds. That it is open is
        // what the caller of `add_reader` and the like promises, as for Python's `os.read`; should it be
        // closed, the kernel answers EBADF, or another file is read: no memory is touched wrongly.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_are_none() {
        assert_eq!(Descriptor::new(-1), None);
        assert_eq!(Descriptor::new(0).map(Descriptor::index), Some(0));
    }
}
