//! Whether somebody else still refers to an object: if nobody does, it may be used again as if it were new.
//!
//! Must not know what it is. Key invariant: where that cannot be known, somebody does.

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

/// Whether so many references to an object are all that there are, and none is weak. Without a GIL another thread may take one
/// at any time: then the answer is no.
#[inline]
pub fn has_only(object: &Bound<'_, PyAny>, references: usize) -> bool {
    if cfg!(Py_GIL_DISABLED) {
        return false;
    }
    let pointer = object.as_ptr();
    // SAFETY: a live object.
    let count = unsafe { ffi::Py_REFCNT(pointer) };
    // SAFETY: a live object, which only an attached thread may use: this one.
    usize::try_from(count) == Ok(references) && !unsafe { is_weakly_referred(pointer) }
}

/// Whether there are weak references to an object.
///
/// # Safety
///
/// The object is live, or has just lost its last reference, and no other thread uses it.
#[inline]
pub(super) unsafe fn is_weakly_referred(object: *mut PyObject) -> bool {
    // SAFETY: an object's class lives as long as the object.
    let class = unsafe { ffi::Py_TYPE(object) };
    // SAFETY: as above.
    let offset = unsafe { (*class).tp_weaklistoffset };
    if offset == 0 {
        return false;
    }
    // SAFETY: objects of the class have the list of their weak references there.
    let place = unsafe { object.byte_offset(offset) }.cast::<*mut PyObject>();
    // SAFETY: as above, and nobody writes to it meanwhile.
    !unsafe { *place }.is_null()
}
