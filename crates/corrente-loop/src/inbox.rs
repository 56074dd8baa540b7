//! What other threads may touch of a loop: its inbox, what ends its wait, and a few flags.
//!
//! The rest of a loop is confined to the thread that runs it. Key invariant: a callback that is put
//! into the inbox while the loop is about to wait ends that wait. The loop first says that it waits, then
//! looks into the inbox; another thread first fills the inbox, then looks whether the loop waits. It is the same
//! with what stops the loop.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use corrente_driver::Driver;
use pyo3::prelude::*;

use crate::ffi::thread::here;

/// The part of a loop that threads share.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// What ends a wait; gone once the loop is closed.
    driver: Mutex<Option<Arc<dyn Driver>>>,
    /// Handles from other threads, oldest first.
    handles: Mutex<Vec<Py<PyAny>>>,
    is_filled: AtomicBool,
    is_waiting: AtomicBool,
    /// The flags that every call looks at first, together: see [`Flag`].
    flags: AtomicU64,
    /// `threading.get_ident()` of the thread that runs the loop; 0 where none does.
    thread: AtomicU64,
    /// [`here`] of the thread that runs turns; 0 where none does.
    runner: AtomicUsize,
}

/// What a loop is, apart from what it has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Flag {
    Closed = 1,
    Debug = 2,
    Stopping = 4,
    /// Tasks are made by a factory of the user's.
    TaskFactory = 8,
}

impl Inbox {
    pub(crate) fn new(driver: Arc<dyn Driver>) -> Self {
        Self {
            driver: Mutex::new(Some(driver)),
            handles: Mutex::default(),
            is_filled: AtomicBool::new(false),
            is_waiting: AtomicBool::new(false),
            flags: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            runner: AtomicUsize::new(0),
        }
    }

    /// The loop is closed: nothing is to be woken any more.
    pub(crate) fn close(&self) {
        *self.driver.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    #[inline]
    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.flags.load(Ordering::Relaxed) & flag as u64 != 0
    }

    /// None of these.
    #[inline]
    pub(crate) fn is_none_of<const N: usize>(&self, flags: [Flag; N]) -> bool {
        let mask = flags.iter().fold(0, |mask, flag| mask | *flag as u64);
        self.flags.load(Ordering::Relaxed) & mask == 0
    }

    pub(crate) fn set(&self, flag: Flag) {
        // Before the look whether the loop waits: see `begin_wait`.
        self.flags.fetch_or(flag as u64, Ordering::SeqCst);
    }

    pub(crate) fn unset(&self, flag: Flag) {
        self.flags.fetch_and(!(flag as u64), Ordering::Relaxed);
    }

    pub(crate) fn thread(&self) -> Option<u64> {
        let thread = self.thread.load(Ordering::Relaxed);
        (thread != 0).then_some(thread)
    }

    pub(crate) fn set_thread(&self, thread: Option<u64>) {
        self.thread.store(thread.unwrap_or(0), Ordering::Relaxed);
    }

    /// The calling thread runs turns from now on, or none does.
    pub(crate) fn set_running(&self, is_running: bool) {
        let runner = if is_running { here() } else { 0 };
        self.runner.store(runner, Ordering::SeqCst);
    }

    /// Whether the calling thread runs the loop.
    pub(crate) fn is_here(&self) -> bool {
        self.runner.load(Ordering::Relaxed) == here()
    }

    /// Whether another thread than the calling one runs the loop.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let runner = self.runner.load(Ordering::SeqCst);
        runner != 0 && runner != here()
    }

    /// Hands a callback to the loop, from any thread.
    pub(crate) fn put(&self, handle: Py<PyAny>) {
        self.lock().push(handle);
        self.remind();
    }

    /// Has the loop look once more for what there is to do, before it waits.
    pub(crate) fn remind(&self) {
        self.is_filled.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Ends the wait that the loop is in or about to begin.
    pub(crate) fn wake(&self) {
        if self.is_waiting.load(Ordering::SeqCst) {
            let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(driver) = &*driver {
                driver.wake();
            }
        }
    }

    /// Whether something has come since the last time.
    #[inline]
    pub(crate) fn is_filled(&self) -> bool {
        self.is_filled.load(Ordering::Relaxed)
    }

    /// What has come since the last time.
    #[inline]
    pub(crate) fn take(&self) -> Vec<Py<PyAny>> {
        if !self.is_filled() {
            return Vec::new();
        }
        let mut handles = self.lock();
        self.is_filled.store(false, Ordering::SeqCst);
        std::mem::take(&mut *handles)
    }

    /// Shows what waits to be taken to the collector, which must not wait for a lock itself.
    pub(crate) fn show<E>(&self, handle: impl FnMut(&Py<PyAny>) -> Result<(), E>) -> Result<(), E> {
        match self.handles.try_lock() {
            Ok(handles) => handles.iter().try_for_each(handle),
            Err(TryLockError::Poisoned(error)) => error.into_inner().iter().try_for_each(handle),
            // Somebody uses it, and with it the loop.
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }

    /// Says that the loop is about to wait; `false` where it must not, since something has come, or it is to stop.
    pub(crate) fn begin_wait(&self) -> bool {
        self.is_waiting.store(true, Ordering::SeqCst);
        let is_stopping = self.flags.load(Ordering::SeqCst) & Flag::Stopping as u64 != 0;
        let may_wait = !is_stopping && !self.is_filled.load(Ordering::SeqCst);
        if !may_wait {
            self.end_wait();
        }
        may_wait
    }

    pub(crate) fn end_wait(&self) {
        self.is_waiting.store(false, Ordering::SeqCst);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Py<PyAny>>> {
        // Pushing and taking cannot leave a vector half-changed.
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
