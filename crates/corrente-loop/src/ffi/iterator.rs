//! What the interpreter calls to go through objects of a class of PyO3's, without PyO3 in between.
//!
//! `await` asks an object for its iterator and that for its next thing, by two functions of its class; PyO3's versions of them
//! look at thread-local memory four times, which is more than an answer takes that is ready. Here the functions of the class are
//! replaced, once. Must not know what is iterated over. Key invariant: what Python sees under `__await__`, `__iter__` and
//! `__next__` does the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::method::panicked;

/// Has `await` and iterations go through objects of a class by `next`, which is a function's name: it has no size and so no
/// state. The objects are iterators of themselves; `None` is the end. To be called before there are any.
pub fn iterate_by<F>(class: &Bound<'_, PyType>, _next: F)
where
    F: Copy + for<'a, 'py> Fn(&'a Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>>,
{
    const { assert!(size_of::<F>() == 0, "it is a plain function") };
    let class = class.as_type_ptr();
    // SAFETY: a live class of which there are no objects, so that nobody uses this function meanwhile.
    unsafe { (*class).tp_iternext = Some(next::<F>) };
    // SAFETY: as above.
    unsafe { (*class).tp_iter = Some(itself) };
    // SAFETY: a live class.
    let asynchronous = unsafe { (*class).tp_as_async };
    if !asynchronous.is_null() {
        // SAFETY: it is a part of the class, of which there are no objects.
        unsafe { (*asynchronous).am_await = Some(itself) };
    }
}

unsafe extern "C" fn itself(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the interpreter passes a live object.
    unsafe { ffi::Py_INCREF(object) };
    object
}

unsafe extern "C" fn next<F>(object: *mut PyObject) -> *mut PyObject
where
    F: Copy + for<'a, 'py> Fn(&'a Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>>,
{
    // SAFETY: the interpreter calls this on attached threads, and the token does not leave this call.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: a live object, for as long as this call.
    let receiver = unsafe { Bound::ref_from_ptr(py, &object) };
    // SAFETY: `F` has no size (`iterate_by` sees to that), so there is nothing to read.
    let function = unsafe { NonNull::<F>::dangling().as_ref() };
    let outcome = catch_unwind(AssertUnwindSafe(|| function(receiver)));
    match outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
        Ok(Some(next)) => next.into_ptr(),
        Ok(None) => ptr::null_mut(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}
