//! Memory of dead objects of one class, kept for the next ones.
//!
//! A handle is made and dropped for every callback; taking its memory from here spares the allocator
//! and, more, the garbage collector's count of new objects. Without a GIL nothing is kept.

use std::cell::UnsafeCell;

use pyo3::ffi::PyObject;

/// Objects that are kept at most: as many as a burst of callbacks may need, 15 MB of handles.
const KEPT: usize = 131_072;

/// The dead objects.
pub(super) struct Free(UnsafeCell<Vec<*mut PyObject>>);

// SAFETY: `take` and `keep` are called by attached threads only, of which the GIL lets one run at a
// time, and neither runs Python code; without a GIL they do nothing.
unsafe impl Sync for Free {}

impl Free {
    pub(super) const fn new() -> Self {
        Self(UnsafeCell::new(Vec::new()))
    }

    /// The memory of a dead object, with no reference and all fields null.
    ///
    /// # Safety
    ///
    /// The calling thread is attached.
    #[inline]
    pub(super) unsafe fn take(&self) -> Option<*mut PyObject> {
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        // SAFETY: one thread at a time, and no reference outlives a call.
        let kept = unsafe { &mut *self.0.get() };
        kept.pop()
    }

    /// Keeps the memory of an object; `false` where there is enough.
    ///
    /// # Safety
    ///
    /// The calling thread is attached, and the memory is given away.
    #[inline]
    pub(super) unsafe fn keep(&self, object: *mut PyObject) -> bool {
        if cfg!(Py_GIL_DISABLED) {
            return false;
        }
        // SAFETY: one thread at a time, and no reference outlives a call.
        let kept = unsafe { &mut *self.0.get() };
        let has_room = kept.len() < KEPT;
        if has_room {
            kept.push(object);
        }
        has_room
    }
}
