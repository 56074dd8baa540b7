//! State that one thread borrows at a time, found out at run time.
//!
//! With a GIL the flag is a plain bool: a thread that is attached is the only one. Without a GIL it is
//! atomic. A second borrow, by a callback that runs inside a first one or by another thread, is
//! refused; it never waits, so it cannot deadlock.

use std::cell::UnsafeCell;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A value that is lent to one borrower at a time.
pub struct Confined<T> {
    lent: Flag,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through `with`, which needs an attached thread and admits one
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
    /// `RuntimeError` where it is lent already.
    #[inline]
    pub fn with<R>(&self, _py: Python<'_>, work: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        self.peek(work).ok_or_else(busy)
    }

    /// The same for the garbage collector, which runs while a thread is attached but may not say so.
    /// `None` where the value is lent.
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

    /// Whether a value is lent; only attached threads look, and the GIL lets one of them.
    #[derive(Default)]
    pub(super) struct Flag(Cell<bool>);

    impl Flag {
        #[inline]
        pub(super) fn take(&self) -> Option<Back<'_>> {
            (!self.0.replace(true)).then_some(Back(self))
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
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Whether a value is lent.
    #[derive(Default)]
    pub(super) struct Flag(AtomicBool);

    impl Flag {
        #[inline]
        pub(super) fn take(&self) -> Option<Back<'_>> {
            (!self.0.swap(true, Ordering::Acquire)).then_some(Back(self))
        }
    }

    /// Gives the value back.
    pub(super) struct Back<'a>(&'a Flag);

    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.0.store(false, Ordering::Release);
        }
    }
}

use flag::Flag;
