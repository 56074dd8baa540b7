//! The contract between an event loop and what tells it that descriptors are ready.
//!
//! 1. Readiness is *level-triggered*: what is ready is reported by every [`Driver::wait`] until it is no
//!    longer, or no longer watched ([`Driver::watch_news`]: when it becomes so).
//! 2. [`Driver::wait`] is called by one thread at a time; all else may be called from any thread.
//! 3. [`Driver::wake`] makes a `wait` that is going on, or else the next one, return at once.
//! 4. A descriptor that is closed leaves by itself, and a descriptor of the same number may come: so
//!    `watch` takes what is there as it finds it.
//! 5. Time is monotonic, in seconds, and what `wait` is told to wait at most is never cut short
//!    without a reason: a timer is never early.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use crate::Descriptor;

/// What a descriptor is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interest {
    /// Nothing.
    #[default]
    None,
    /// That there is something to read.
    Read,
    /// That there is room to write.
    Write,
    /// Both.
    Both,
}

impl Interest {
    /// From the two halves.
    pub fn of(reads: bool, writes: bool) -> Self {
        match (reads, writes) {
            (false, false) => Self::None,
            (true, false) => Self::Read,
            (false, true) => Self::Write,
            (true, true) => Self::Both,
        }
    }

    /// Whether it is watched for something to read.
    pub fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    /// Whether it is watched for room to write.
    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }
}

/// A descriptor that is ready. One that is broken or hung up is ready for whatever it is watched for:
/// who reads or writes then learns why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Which one.
    pub descriptor: Descriptor,
    /// For what.
    pub interest: Interest,
    /// Whether bytes or room are all that has come: no end of the peer's, no error, nothing urgent. Known of what is
    /// watched for news only.
    pub is_plain: bool,
}

/// Tells which descriptors are ready, and the time. See the module for the contract.
pub trait Driver: Debug + Send + Sync {
    /// Watches a descriptor for `to` where it was watched for `from`; [`Interest::None`] stands for
    /// not at all.
    ///
    /// # Errors
    ///
    /// As the kernel says: `EPERM` for a regular file, `EBADF` for what is not open.
    fn watch(&self, descriptor: Descriptor, from: Interest, to: Interest) -> io::Result<()>;

    /// The same, but what is ready is reported once: what is so already, and then whenever something comes. For who
    /// reads or writes until nothing more goes, and does so before each wait.
    ///
    /// # Errors
    ///
    /// As [`Driver::watch`].
    fn watch_news(&self, descriptor: Descriptor, from: Interest, to: Interest) -> io::Result<()>;

    /// Waits until something is ready, somebody wakes it, or `limit` has passed (`None`: for ever),
    /// and appends what is ready: at least one descriptor, and `most` at most; each gets its turn, however few are asked for.
    /// An interrupted wait is an error of kind `Interrupted`.
    ///
    /// # Errors
    ///
    /// As the kernel says.
    fn wait(
        &self,
        limit: Option<Duration>,
        most: usize,
        ready: &mut Vec<Readiness>,
    ) -> io::Result<()>;

    /// Ends a wait; callable from other threads and signal handlers.
    fn wake(&self);

    /// Seconds since some moment in the past.
    fn now(&self) -> f64;
}
