//! Descriptors that come as numbers.
//!
//! A worker is told the numbers of its channel and its sockets, as systemd tells them too. This is the one
//! place where such a number becomes something that is owned.

use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

/// Takes a descriptor that the process was started with; `None` where there is none of that number. The
/// caller must be the only one who takes it, once, before the process opens anything else by number.
pub(crate) fn adopt(number: RawFd) -> Option<OwnedFd> {
    let known = std::fs::symlink_metadata(format!("/proc/self/fd/{number}"));
    if number < 0 || known.is_err() {
        return None;
    }
    // SAFETY: it is open, as the kernel has just said, and nobody in this process has opened it: the
    // number was handed down by whoever started the process, for us. A second owner could only be
    // a second call with the same number; `listen` and `supervisor` make each call once.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}
