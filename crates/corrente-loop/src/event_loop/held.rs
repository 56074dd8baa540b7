//! What tasks have written and the kernel holds back, so that the answers of a turn leave the machine together.
//!
//! A peer on the same machine that waits is woken by each segment, and to wake another processor costs more than to send. So while
//! other callbacks stand behind a task's step in its turn, the kernel is told that more follows ([`Sequel::More`]), and when they have run
//! that nothing does. The bytes are the kernel's from the begin on: what can be asked of a connection is as ever, and who
//! ends or forks the process has sent them. However long a callback behind takes, the kernel holds none for longer than 200 ms (tcp(7),
//! `TCP_CORK`); and after one that took long nothing is held for a while. Key invariant: nothing is held while the loop waits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use corrente_driver::Descriptor;
use corrente_driver::pulse::Pulse;
use corrente_driver::socket::{self, Push, Sequel};
use pyo3::prelude::*;

use crate::ffi::confined::Confined;
use crate::state::Job;

/// Connections whose segments are held at once, at most.
const MOST: usize = 16;
/// Seconds after which they are sent when the callback that runs then has returned.
const LONGEST: f64 = 200e-6;
/// Seconds: behind a callback of this length answers would wait for long.
const LONG: f64 = 1e-3;
/// For so many times its length nothing is held after it: so answers wait behind such at most a twentieth of the time.
const CALM: f64 = 20.0;

/// The connections whose segments are held.
#[derive(Debug)]
pub(crate) struct Held {
    /// Whether what is written now may be held.
    is_open: AtomicBool,
    number: AtomicUsize,
    descriptors: Confined<Vec<(Descriptor, Push)>>,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            is_open: AtomicBool::new(false),
            number: AtomicUsize::new(0),
            descriptors: Confined::new(Vec::new()),
        }
    }
}

impl Held {
    /// What follows what is written now.
    #[inline]
    pub(crate) fn sequel(&self) -> Sequel {
        if self.is_open.load(Relaxed) {
            Sequel::More
        } else {
            Sequel::Nothing
        }
    }

    /// A connection has a segment that is held.
    #[inline]
    pub(crate) fn add(&self, py: Python<'_>, descriptor: Descriptor, push: Push) -> PyResult<()> {
        self.number.store(self.number.load(Relaxed) + 1, Relaxed);
        self.descriptors
            .with(py, |all| all.push((descriptor, push)))
    }

    /// All that is held is sent.
    #[cold]
    pub(crate) fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.number.store(0, Relaxed);
        self.descriptors.with(py, |all| {
            all.drain(..)
                .for_each(|(descriptor, how)| socket::push(descriptor, how));
        })
    }
}

/// For how long it is held, and when nothing is.
#[derive(Debug)]
pub(super) struct Patience {
    /// When the first of what is held was written; infinite where nothing is.
    since: f64,
    /// From when on something may be held.
    calm: f64,
    /// Whether that was so when the turn began, and no callback of it took long.
    is_calm: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            since: f64::INFINITY,
            calm: f64::NEG_INFINITY,
            is_calm: false,
        }
    }
}

impl Patience {
    /// A turn begins, at about this time.
    #[inline]
    pub(super) fn turn(&mut self, now: f64) {
        self.is_calm = now >= self.calm;
    }

    /// A callback of a turn begins, behind which `behind` others stand: what a task's step writes may be held until they have run.
    #[inline]
    pub(super) fn begin(&self, held: &Held, job: &Job, behind: usize) {
        let is_open = behind > 0 && self.is_calm && matches!(job, Job::Handle(_));
        held.is_open.store(is_open, Relaxed);
    }

    /// Callbacks took so many seconds until now.
    #[inline]
    pub(super) fn measured(&mut self, now: f64, took: f64) {
        if took >= LONG {
            self.calm = now + CALM * took;
            self.is_calm = false;
        }
    }

    /// A callback has returned: where nothing is held, that is all there is to it.
    #[inline]
    pub(super) fn done(&mut self, py: Python<'_>, held: &Held, pulse: &Pulse) -> PyResult<()> {
        let number = held.number.load(Relaxed);
        if number == 0 {
            return Ok(());
        }
        let now = pulse.mark();
        self.since = self.since.min(now);
        if number >= MOST || now - self.since >= LONGEST {
            return self.end(py, held);
        }
        Ok(())
    }

    /// The turn has ended, or what is held has waited for long enough.
    #[inline]
    pub(super) fn end(&mut self, py: Python<'_>, held: &Held) -> PyResult<()> {
        self.since = f64::INFINITY;
        held.is_open.store(false, Relaxed);
        if held.number.load(Relaxed) == 0 {
            return Ok(());
        }
        held.release(py)
    }
}
