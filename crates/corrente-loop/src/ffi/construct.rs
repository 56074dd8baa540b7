//! Objects of C classes that take their loop by name, made without a dictionary of keywords for each.
//!
//! `Future(loop=loop)` builds a dictionary, reads it and throws it away, since the class has no fast call. Here the
//! dictionary is the caller's, the same each time, and the class's own constructors are called with it.
//! Key invariant: what a class's constructor sees is what a call of the class would show it.

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

/// `class(*arguments, **keywords)`. The constructors may keep the dictionary's values, but not itself.
///
/// # Errors
///
/// The constructors'.
#[inline]
pub fn construct<'py>(
    class: &Bound<'py, PyType>,
    arguments: &Bound<'py, PyTuple>,
    keywords: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let kind: *mut PyTypeObject = class.as_type_ptr();
    let (values, named) = (arguments.as_ptr(), keywords.as_ptr());
    // SAFETY: a live class.
    let new = unsafe { (*kind).tp_new };
    // SAFETY: as above.
    let initialise = unsafe { (*kind).tp_init };
    let (Some(new), Some(initialise)) = (new, initialise) else {
        return class.call(arguments, Some(keywords));
    };
    // SAFETY: the class's own constructor, a tuple, and a dictionary of strings.
    let object: *mut PyObject = unsafe { new(kind, values, named) };
    // SAFETY: a new reference, or null with an exception set.
    let made = unsafe { Bound::from_owned_ptr_or_err(class.py(), object) }?;
    // As a call does: what is no object of the class is not initialised.
    // SAFETY: two live classes.
    if unsafe { ffi::PyType_IsSubtype(made.get_type_ptr(), kind) } == 0 {
        return Ok(made);
    }
    // SAFETY: a new object of the class, and what it was made with.
    if unsafe { initialise(made.as_ptr(), values, named) } < 0 {
        return Err(PyErr::fetch(class.py()));
    }
    Ok(made)
}
