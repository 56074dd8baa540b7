//! Contexts (PEP 567) and calls with keywords, which PyO3 has no fast way to.
//!
//! Each function is one call of the C interface, with its result checked.

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Calls with up to so many arguments allocate nothing.
const FEW: usize = 6;

/// `contextvars.copy_context()`.
#[inline]
pub(crate) fn copy_current(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: attached.
    let context = unsafe { ffi::PyContext_CopyCurrent() };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, context) }
}

/// A copy of a context.
#[inline]
pub(crate) fn copy<'py>(context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a live object; what is no context is an error with an exception set.
    let copy = unsafe { ffi::PyContext_Copy(context.as_ptr()) };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(context.py(), copy) }
}

/// Does `work` in a context.
#[inline]
pub(crate) fn within<R>(
    context: &Bound<'_, PyAny>,
    work: impl FnOnce() -> PyResult<R>,
) -> PyResult<R> {
    let py = context.py();
    // SAFETY: a live object; what is no context is an error with an exception set.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let outcome = work();
    // SAFETY: entered above.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0 {
        return outcome.and(Err(PyErr::fetch(py)));
    }
    outcome
}

/// Calls with the last arguments given by name.
#[inline]
pub(crate) fn call_named<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &[&Bound<'py, PyAny>],
    names: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let positional = arguments.len().saturating_sub(names.len());
    let mut few = [std::ptr::null_mut(); FEW];
    let many: Vec<*mut PyObject>;
    let pointers = if let Some(few) = few.get_mut(..arguments.len()) {
        for (place, argument) in few.iter_mut().zip(arguments) {
            *place = argument.as_ptr();
        }
        &*few
    } else {
        many = arguments.iter().map(|one| one.as_ptr()).collect();
        &many
    };
    // SAFETY: live objects, as many as are said, of which the last have these names.
    let result = unsafe {
        ffi::PyObject_Vectorcall(
            callable.as_ptr(),
            pointers.as_ptr(),
            positional,
            names.as_ptr(),
        )
    };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(callable.py(), result) }
}
