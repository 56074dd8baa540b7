//! Which thread runs a callback that another thread handed over, and waiting until it has run.
//!
//! It is a part of a handle's memory. Key invariant, as of CPython 3.14's `_ThreadSafeHandle`: who asks from another
//! thread gets no answer while the callback runs. The loop first says that it runs, then looks whether the handle
//! is cancelled; another thread first cancels it, then looks whether it runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, PoisonError};

use pyo3::prelude::*;

use super::thread::here;

/// For whoever waits for any handle: that is rare, and short.
static WAITING: Mutex<()> = Mutex::new(());
static HAS_RUN: Condvar = Condvar::new();

/// All zero while nobody runs it and nobody waits.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// [`here`] of the thread that runs it; 0 where none does.
    thread: AtomicUsize,
    is_awaited: AtomicBool,
}

/// While this lives the callback runs.
pub(super) struct Run<'a>(&'a Running);

impl Running {
    pub(super) fn begin(&self) -> Run<'_> {
        self.thread.store(here(), Ordering::SeqCst);
        fence(Ordering::SeqCst);
        Run(self)
    }

    /// Waits while another thread runs it.
    pub(super) fn wait(&self, py: Python<'_>) {
        fence(Ordering::SeqCst);
        if self.is_elsewhere() {
            py.detach(|| self.block());
        }
    }

    fn is_elsewhere(&self) -> bool {
        let thread = self.thread.load(Ordering::SeqCst);
        thread != 0 && thread != here()
    }

    fn block(&self) {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_awaited.store(true, Ordering::SeqCst);
        while self.is_elsewhere() {
            waiting = HAS_RUN
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.0.thread.store(0, Ordering::SeqCst);
        if self.0.is_awaited.load(Ordering::SeqCst) {
            // Who has seen that it runs is waiting once the lock is to be had.
            drop(WAITING.lock().unwrap_or_else(PoisonError::into_inner));
            HAS_RUN.notify_all();
        }
    }
}
