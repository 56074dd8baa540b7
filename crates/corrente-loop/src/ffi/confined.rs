//! State that one thread borrows at a time, found out at run time.
//!
//! With a GIL the flag is a plain bool: a thread that is attached is the only one. Without a GIL it names
//! the thread that has borrowed, and another one waits for the value to come back: not for long, since no
//! Python code runs meanwhile. A second borrow by the same thread, in a callback that runs inside a first
//! one, is refused.

use std::cell::UnsafeCell;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A value that is lent to one borrower at a time.
pub struct Confined<T> {
    lent: Flag,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through `with` and `peek`, which need an attached thread and admit one
// borrower at a time: by the GIL, or without one by the atomic flag.
unsafe impl<T: Send> Sync for Confined<T> {}

impl<T> std::fmt::Debug for Confined<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Confined")
    }
}

impl<T> Confined<T> {
    /// A value that nobody has borrowed.
    pub fn new(value: T) -> Self {
        Self {
            lent: Flag::default(),
            value: UnsafeCell::new(value),
        }
    }

    /// Lends the value to `work`, which must not run Python code (dropping the last reference to
    /// an object does).
    ///
    /// # Errors
    ///
    /// `RuntimeError` where this thread has borrowed it already.
    #[inline]
    pub fn with<R>(&self, py: Python<'_>, work: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        let _back = self.lent.take_in_turn(py).ok_or_else(busy)?;
        // SAFETY: the flag is ours until `_back` is dropped, so this is the only reference.
        let value = unsafe { &mut *self.value.get() };
        Ok(work(value))
    }

    /// The same for the garbage collector, which runs while a thread is attached but may not say so.
    /// `None` where the value is lent, to whomever: it never waits.
    #[inline]
    pub fn peek<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let _back = self.lent.take()?;
        // SAFETY: the flag is ours until `_back` is dropped, so this is the only reference.
        let value = unsafe { &mut *self.value.get() };
        Some(work(value))
    }
}

#[cold]
fn busy() -> PyErr {
    PyRuntimeError::new_err(
        "the event loop is in use by another thread; use call_soon_threadsafe() from there",
    )
}

#[cfg(not(Py_GIL_DISABLED))]
mod flag {
    use std::cell::Cell;

    use pyo3::prelude::*;

    /// Whether a value is lent; only attached threads look, and the GIL lets one of them.
    #[derive(Default)]
    pub(super) struct Flag(Cell<bool>);

    impl Flag {
        #[inline]
        pub(super) fn take(&self) -> Option<Back<'_>> {
            (!self.0.replace(true)).then_some(Back(self))
        }

        /// The same: who has borrowed can only be this thread.
        #[inline]
        pub(super) fn take_in_turn(&self, _py: Python<'_>) -> Option<Back<'_>> {
            self.take()
        }
    }

    /// Gives the value back.
    pub(super) struct Back<'a>(&'a Flag);

    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.0.set(false);
        }
    }
}

#[cfg(Py_GIL_DISABLED)]
mod flag {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use pyo3::prelude::*;

    use crate::ffi::thread::here;

    /// Nobody.
    const FREE: usize = 0;

    /// Looks before a thread that waits lets others run: a borrow is over sooner than that, unless the
    /// system has put its thread to sleep.
    const LOOKS: u32 = 128;

    /// The number of the thread that has borrowed.
    pub(super) struct Flag(AtomicUsize);

    impl Default for Flag {
        fn default() -> Self {
            Self(AtomicUsize::new(FREE))
        }
    }

    impl Flag {
        #[inline]
        pub(super) fn take(&self) -> Option<Back<'_>> {
            self.ask().ok()
        }

        /// Waits while another thread has borrowed; `None` where this one has.
        #[inline]
        pub(super) fn take_in_turn(&self, py: Python<'_>) -> Option<Back<'_>> {
            match self.ask() {
                Ok(back) => Some(back),
                Err(holder) if holder == here() => None,
                Err(_) => Some(self.wait(py)),
            }
        }

        /// The flag, or who has it.
        #[inline]
        fn ask(&self) -> Result<Back<'_>, usize> {
            self.0
                .compare_exchange(FREE, here(), Ordering::Acquire, Ordering::Relaxed)
                .map(|_| Back(self))
        }

        #[cold]
        fn wait(&self, py: Python<'_>) -> Back<'_> {
            let mut looks = 0;
            loop {
                if let Ok(back) = self.ask() {
                    return back;
                }
                looks += 1;
                if looks % LOOKS == 0 {
                    // Detached, so that it does not keep the collector from stopping all threads.
                    py.detach(std::thread::yield_now);
                } else {
                    std::hint::spin_loop();
                }
            }
        }
    }

    /// Gives the value back.
    pub(super) struct Back<'a>(&'a Flag);

    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.0.store(FREE, Ordering::Release);
        }
    }
}

use flag::Flag;
