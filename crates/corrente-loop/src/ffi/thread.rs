//! Which thread this is, for the interpreter.
//!
//! The number is never used as a pointer: what is at that address is read through the kernel (`watch::memory`).

use pyo3::ffi;
use pyo3::prelude::*;

/// The address of the calling thread's `PyThreadState`.
pub(crate) fn state_address(_py: Python<'_>) -> usize {
    // SAFETY: attached, so there is one.
    unsafe { ffi::PyThreadState_Get() }.addr()
}
