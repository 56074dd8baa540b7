//! A descriptor that somebody else owns.
//!
//! Asyncio's users hand descriptors over as integers. This is the one place where such an integer
//! becomes something that a system call takes.

use std::ffi::{c_long, c_uint};
use std::os::fd::{AsFd, BorrowedFd, RawFd};

unsafe extern "C" {
    // Not `close_range` itself: a library in C that is older than it would not load this one.
    fn syscall(number: c_long, ...) -> c_long;
}

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

/// Gives the calling thread a table of descriptors of its own, an empty one (`close_range(2)`,
/// `CLOSE_RANGE_UNSHARE`); the process goes on with the table that it has.
///
/// While threads share a table, the kernel counts references to an open file in every call that uses
/// it (`fdget` in Linux' fs/file.c): 5 % of an echo server's time, for a thread that hardly ever runs. A kernel
/// that cannot do it (before 5.9, or by a sandbox' rule) leaves the thread as it is.
pub(crate) fn have_own_table() {
    /// The same number on every architecture of Linux.
    const CLOSE_RANGE: c_long = 436;
    const UNSHARE: c_uint = 2;
    // SAFETY: takes numbers, touches no memory. The descriptors that it closes are this thread's copies,
    // which nobody has: it has just begun, and opens what it needs.
    unsafe { syscall(CLOSE_RANGE, 0 as c_uint, c_uint::MAX, UNSHARE) };
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_thread_with_a_table_of_its_own_has_nothing_open() {
        let (near, _far) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let number = near.as_raw_fd();
        let path = move || format!("/proc/thread-self/fd/{number}");
        let is_open = move || std::fs::symlink_metadata(path()).is_ok();
        let before_and_after = std::thread::spawn(move || {
            let before = is_open();
            have_own_table();
            (before, is_open())
        });
        let before_and_after = before_and_after.join().expect("it ends");
        assert_eq!(before_and_after, (true, false));
        assert!(is_open(), "the process keeps its own");
    }

    #[test]
    fn negative_numbers_are_none() {
        assert_eq!(Descriptor::new(-1), None);
        assert_eq!(Descriptor::new(0).map(Descriptor::index), Some(0));
    }
}
