//! Contexts that the garbage collector does not see while they wait with their callbacks.
//!
//! Each callback has a copy of the context in which it was scheduled (PEP 567), and nothing else that the collector walks over: of
//! a burst of callbacks it took a quarter. One that is hidden is seen again when its callback runs or is dropped, when the loop has done
//! with a handle that somebody keeps, and when the loop runs no more. Must not know handles. Key invariant: a hidden context is kept
//! alive by a reference of its own, since the interpreter ends none that is hidden.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

/// How many there are: mostly none, and then nothing is looked at.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Hides a new context, which nobody else has yet. Without a GIL it stays visible.
pub(crate) fn hide(context: &Bound<'_, PyAny>) {
    let object = context.as_ptr();
    // SAFETY: a live object.
    if cfg!(Py_GIL_DISABLED) || unsafe { is_hidden(object) } {
        return;
    }
    // SAFETY: a live object.
    if unsafe { ffi::PyContext_CheckExact(object) } == 0 {
        return;
    }
    // SAFETY: a live context, of which the collector knows.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
    // SAFETY: a live object. `reveal` gives this reference back.
    unsafe { ffi::Py_INCREF(object) };
    COUNT.fetch_add(1, Ordering::Relaxed);
}

/// Lets the collector see a context again, if it was hidden.
///
/// # Safety
///
/// Null or a live object; the thread is attached.
#[inline]
pub(super) unsafe fn reveal(object: *mut PyObject) {
    // SAFETY: as this function's.
    if COUNT.load(Ordering::Relaxed) != 0 && unsafe { is_hidden(object) } {
        COUNT.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: a live context, of which the collector does not know.
        unsafe { ffi::PyObject_GC_Track(object.cast()) };
        // SAFETY: the reference that `hide` took.
        unsafe { ffi::Py_DECREF(object) };
    }
}

/// Every context is tracked from its first moment on, but for those that are hidden here.
///
/// # Safety
///
/// Null or a live object.
unsafe fn is_hidden(object: *mut PyObject) -> bool {
    // SAFETY: a live object.
    let is_context = !object.is_null() && unsafe { ffi::PyContext_CheckExact(object) } != 0;
    // SAFETY: as above.
    is_context && unsafe { ffi::PyObject_GC_IsTracked(object) } == 0
}
