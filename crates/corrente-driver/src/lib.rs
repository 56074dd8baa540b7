//! What an event loop stands on: which descriptors are ready, what time it is, which timers are
//! due, what is left to write.
//!
//! A [`Driver`] is asked to watch descriptors and to wait; [`epoll::Epoll`] asks the kernel,
//! [`simulated::Simulated`] follows a script in virtual time, for tests. [`timers::Timers`] and
//! [`outgoing::Outgoing`] are plain data structures: no clock, no descriptor. [`file::FilePart`] is a part of a file
//! that goes to a socket.
//!
//! [`watchdog::Watchdog`] sees when the thread of a loop stays in one callback, by the loop's
//! [`pulse::Pulse`]; [`thread`] asks the kernel what that thread does meanwhile.
//!
//! Knows no Python and no protocol. Key invariant: a driver never keeps a descriptor open or
//! closes one; it belongs to whoever asked for it to be watched.

pub mod burst;
mod descriptor;
mod driver;
pub mod epoll;
pub mod file;
pub mod histogram;
pub mod outgoing;
pub mod portion;
pub mod pulse;
pub mod simulated;
pub mod socket;
pub mod thread;
pub mod timers;
pub mod watchdog;

pub use descriptor::Descriptor;
pub use driver::{Driver, Interest, Readiness};
