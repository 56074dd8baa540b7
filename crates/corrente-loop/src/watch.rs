//! The watchdog of a loop: how it is started, and what it sees of a thread that stalls.
//!
//! The thread and its timing are `corrente_driver::watchdog`. What it sees is read through the kernel: the
//! Python stack from memory (`stack`), the system call, and the library that makes it (`library`).
//!
//! Key invariant: the watchdog's thread never touches an object of Python and never takes the GIL.

mod layout;
mod library;
mod memory;
mod position;
mod stack;

use std::sync::{Arc, Mutex};
use std::thread::Thread;
use std::time::Duration;

use corrente_driver::histogram::Seconds;
use corrente_driver::pulse::{Pulse, Subject, Watcher};
use corrente_driver::thread::{CallReader, QueueClock, own_number};
use corrente_driver::watchdog::{Ledger, SHORT, Watch, Watchdog, Witness};
use pyo3::prelude::*;

use crate::ffi::confined::Confined;
use crate::ffi::thread::state_address;
use layout::Layout;
use memory::Memory;
pub(crate) use stack::Frame;

/// How long a stall is at least, if nobody says.
pub(crate) const THRESHOLD: Duration = Duration::from_millis(1);

/// What was seen of a thread that stalls.
#[derive(Debug, Clone)]
pub(crate) struct Testimony {
    /// Innermost first; nothing where it could not be read.
    pub(crate) frames: Vec<Frame>,
    /// The system call that it waited in.
    pub(crate) system_call: Option<String>,
    /// The library that made that call.
    pub(crate) shared_library: Option<String>,
}

/// Reads what a thread does.
#[derive(Debug)]
struct Reader {
    /// Opened by the watchdog's thread, whose descriptors are its own.
    memory: Option<Memory>,
    layout: Option<Layout>,
    /// Of this thread; opened as the memory is.
    calls: Option<(u32, CallReader)>,
}

impl Reader {
    /// The calls of a thread: nearly always the same one.
    fn calls(&mut self, thread: u32) -> &CallReader {
        let known = self.calls.take().filter(|(known, _)| *known == thread);
        let known = known.unwrap_or_else(|| (thread, CallReader::of(thread)));
        &self.calls.insert(known).1
    }
}

impl Witness for Reader {
    type Testimony = Testimony;

    fn look(&mut self, subject: Subject) -> Testimony {
        // First the call: a thread that still waits when its stack has been read has waited all the time.
        let call = self.calls(subject.thread).now();
        if self.memory.is_none() {
            self.memory = Memory::own().ok();
        }
        let memory = self.memory.as_ref();
        let frames = memory.zip(self.layout).and_then(|(memory, layout)| {
            // It may have changed while it was read: once more.
            let read = || stack::read(memory, subject.key, layout);
            read().or_else(read)
        });
        Testimony {
            frames: frames.unwrap_or_default(),
            shared_library: call
                .zip(memory)
                .and_then(|(call, memory)| library::waited_in(memory, call.stack)),
            system_call: call.map(|call| call.name()),
        }
    }

    fn says_enough(testimony: &Testimony) -> bool {
        !testimony.frames.is_empty()
    }
}

/// Whether stacks can be read: not of a version that is not known, nor in a sandbox that hides memory.
pub(crate) fn reads_stacks(py: Python<'_>) -> bool {
    stack::layout(py).is_some()
}

/// Whether a loop is to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Watched,
    Unwatched,
}

/// A loop's watchdog.
#[derive(Debug)]
pub(crate) struct Guard {
    watch: Arc<Watch<Testimony>>,
    watchdog: Confined<(Wish, Option<Watchdog>)>,
    /// What wakes it.
    bell: Mutex<Option<Thread>>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            watch: Arc::new(Watch::new(THRESHOLD)),
            watchdog: Confined::new((Wish::Watched, None)),
            bell: Mutex::default(),
        }
    }
}

impl Guard {
    #[inline]
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.watch.pulse
    }

    /// Seconds; infinite while nobody watches.
    #[inline]
    pub(crate) fn threshold(&self) -> f64 {
        self.watch.threshold()
    }

    /// Seconds that the loop has waited.
    #[inline]
    pub(crate) fn waited(&self) -> &Seconds {
        &self.watch.waited
    }

    /// The clocks of the loop's thread.
    pub(crate) fn ledger(&self) -> Ledger {
        let thread = self.watch.pulse.subject().thread;
        self.watch.ledger(&QueueClock::of(thread))
    }

    /// The stall that goes on: since when, the clocks before, and what is seen of it. For any thread.
    pub(crate) fn peek(&self) -> Option<(f64, Ledger, Testimony)> {
        self.watch.peek(Testimony::clone)
    }

    /// A wait of the loop has ended.
    #[inline]
    pub(crate) fn wait_ended(&self, now: f64) {
        if self.watch.pulse.end_wait(now) == Watcher::Rests {
            self.ring();
        }
    }

    #[cold]
    fn ring(&self) {
        // Nobody holds it for long; but in the child of a fork it may be held for ever.
        if let Ok(bell) = self.bell.try_lock()
            && let Some(thread) = &*bell
        {
            thread.unpark();
        }
    }

    /// This thread runs the loop from now on.
    pub(crate) fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.watch.pulse.enter(Subject {
            thread: own_number(),
            key: state_address(py),
        });
        self.watch.note(self.ledger());
        self.start(py)
    }

    /// Starts the watchdog, if there is to be one. A loop that cannot be watched, for want of a thread, runs all
    /// the same.
    pub(crate) fn start(&self, py: Python<'_>) -> PyResult<()> {
        let layout = stack::layout(py);
        self.watchdog.with(py, |(wish, watchdog)| {
            if watchdog.as_ref().is_some_and(|one| !one.is_here()) {
                // A fork has left it behind.
                *watchdog = None;
            }
            if *wish == Wish::Watched && watchdog.is_none() {
                let reader = Reader {
                    memory: None,
                    layout,
                    calls: None,
                };
                *watchdog = Watchdog::start(Arc::clone(&self.watch), reader).ok();
            }
            if let Ok(mut bell) = self.bell.try_lock() {
                *bell = watchdog.as_ref().and_then(Watchdog::thread);
            }
        })
    }

    /// Watches with this threshold from now on; without one not at all.
    pub(crate) fn set(&self, py: Python<'_>, threshold: Option<Duration>) -> PyResult<()> {
        let wish = match threshold {
            Some(_) => Wish::Watched,
            None => Wish::Unwatched,
        };
        self.watch.set_threshold(threshold);
        self.watchdog.with(py, |(before, _)| *before = wish)?;
        match wish {
            Wish::Watched if self.is_entered() => self.start(py),
            Wish::Watched => Ok(()),
            Wish::Unwatched => self.end(py),
        }
    }

    fn is_entered(&self) -> bool {
        self.watch.pulse.subject().thread != 0
    }

    /// Ends the watchdog.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        let watchdog = self.watchdog.with(py, |(_, watchdog)| watchdog.take())?;
        if let Some(watchdog) = watchdog {
            watchdog.end();
        }
        Ok(())
    }

    /// A stall of so many seconds has ended: the clocks before it, and what was seen of it. To tell of it is no part of it.
    pub(crate) fn take(&self, lasted: f64) -> Option<(Ledger, Option<Testimony>)> {
        let taken = self.watch.take();
        self.watch.pulse.begin();
        // It has slept longer and longer while the stall went on. Not woken before there is another beat,
        // or it would sleep on.
        if lasted > SHORT.as_secs_f64() {
            self.ring();
        }
        taken
    }
}
