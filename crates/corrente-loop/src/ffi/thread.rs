//! Which thread this is, for us and for the interpreter.
//!
//! The numbers are never used as pointers: what is at such an address is read through the kernel (`watch::memory`).

use pyo3::ffi;
use pyo3::prelude::*;

/// The address of the calling thread's `PyThreadState`.
pub(crate) fn state_address(_py: Python<'_>) -> usize {
    // SAFETY: attached, so there is one.
    unsafe { ffi::PyThreadState_Get() }.addr()
}

/// A number of the calling thread, not 0, that no other living thread has.
#[inline]
pub(crate) fn here() -> usize {
    thread_local! {
        static PLACE: u8 = const { 0 };
    }
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}
