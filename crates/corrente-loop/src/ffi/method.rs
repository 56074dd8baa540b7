//! Methods that take their arguments as the interpreter has them: no tuple, no dictionary, no copy.
//!
//! PyO3 makes a tuple of `*args` and parses keywords into options, which for `call_soon` costs as much as
//! the call itself. Here a method is a plain function over [`Arguments`]; a panic in it becomes a
//! `RuntimeError`.

use std::ffi::{CStr, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use pyo3::Borrowed;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi::{self, Py_ssize_t, PyMethodDef, PyMethodDefPointer, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

/// The arguments of one call.
#[derive(Clone, Copy)]
pub struct Arguments<'a, 'py> {
    py: Python<'py>,
    /// The positional ones, then those that were given by name.
    values: &'a [*mut PyObject],
    positional: usize,
    names: Option<Borrowed<'a, 'py, PyTuple>>,
}

impl std::fmt::Debug for Arguments<'_, '_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Arguments")
    }
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// The token of the thread that calls.
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// How many were given by position.
    pub(crate) fn len(&self) -> usize {
        self.positional
    }

    /// The argument at a position.
    #[inline]
    pub fn get(&self, position: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        if position < self.positional {
            self.value(position)
        } else {
            None
        }
    }

    /// The argument at a position, or of that name.
    ///
    /// # Errors
    ///
    /// `TypeError` in Python's words where it is missing.
    #[inline]
    pub fn required(
        &self,
        function: &str,
        position: usize,
        name: &str,
    ) -> PyResult<Borrowed<'a, 'py, PyAny>> {
        let given = self.get(position).or_else(|| self.of_name(name));
        given.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "{function}() missing 1 required positional argument: '{name}'"
            ))
        })
    }

    /// The argument of a function that has one.
    ///
    /// # Errors
    ///
    /// `TypeError` where it is missing, or is not the only one.
    #[inline]
    pub fn only(&self, function: &str, name: &str) -> PyResult<Borrowed<'a, 'py, PyAny>> {
        let given = self.required(function, 0, name)?;
        self.at_most(function, 1).map(|()| given)
    }

    /// There are no more than so many.
    ///
    /// # Errors
    ///
    /// `TypeError` where there are.
    #[inline]
    pub fn at_most(&self, function: &str, most: usize) -> PyResult<()> {
        let given = self.values.len();
        if given <= most {
            return Ok(());
        }
        let arguments = if most == 1 { "argument" } else { "arguments" };
        let text = format!("{function}() takes at most {most} {arguments} ({given} given)");
        Err(PyTypeError::new_err(text))
    }

    #[cold]
    fn of_name(&self, text: &str) -> Option<Borrowed<'a, 'py, PyAny>> {
        let mut names = self.names?.iter();
        let place = names.position(|name| name.to_string() == text)?;
        self.value(self.positional + place)
    }

    /// The positional arguments from a position on.
    #[inline]
    pub(crate) fn rest(&self, from: usize) -> PyResult<Bound<'py, PyTuple>> {
        let given = self.values.get(from..self.positional).unwrap_or_default();
        // SAFETY: the pointer and the length are a slice's, of objects that the caller of this method keeps alive.
        let tuple = unsafe { tuple_of(given) };
        // SAFETY: a new reference to a tuple, or null with an exception set.
        let tuple = unsafe { Bound::from_owned_ptr_or_err(self.py, tuple) }?;
        // SAFETY: `tuple_of` makes tuples.
        Ok(unsafe { tuple.cast_into_unchecked() })
    }

    /// What was given by these names, beside those that are `required` and may be given by position.
    ///
    /// # Errors
    ///
    /// `TypeError` in Python's words where another name was given, or something twice.
    #[inline]
    pub fn named<const N: usize>(
        &self,
        function: &str,
        required: &[&str],
        names: [&Bound<'py, PyString>; N],
    ) -> PyResult<[Option<Borrowed<'a, 'py, PyAny>>; N]> {
        let mut found = [None; N];
        let Some(given) = self.names else {
            return Ok(found);
        };
        for (place, name) in given.iter_borrowed().enumerate() {
            // Names in source code are interned, and so are ours: the pointers are equal.
            let known = names.iter().position(|known| known.is(&*name));
            let known = known.or_else(|| {
                let equal =
                    |known: &&Bound<'py, PyString>| known.as_any().eq(&*name).unwrap_or(false);
                names.iter().position(equal)
            });
            match known {
                Some(known) => found[known] = self.value(self.positional + place),
                None => self.check_name(function, required, &name.to_string())?,
            }
        }
        Ok(found)
    }

    /// One that is required may be given by name, if it was not given by position.
    #[cold]
    fn check_name(&self, function: &str, required: &[&str], name: &str) -> PyResult<()> {
        let what = match required.iter().position(|one| *one == name) {
            Some(place) if place >= self.positional => return Ok(()),
            Some(_) => "multiple values for argument",
            None => "an unexpected keyword argument",
        };
        Err(PyTypeError::new_err(format!(
            "{function}() got {what} '{name}'"
        )))
    }

    /// How many were given by name.
    #[inline]
    pub(crate) fn keyword_count(&self) -> usize {
        self.values.len() - self.positional
    }

    /// What was given by this interned name, as names in source code are.
    #[inline]
    pub(crate) fn keyword(&self, name: &Bound<'py, PyString>) -> Option<Borrowed<'a, 'py, PyAny>> {
        let place = self.names?.iter().position(|one| one.is(name))?;
        self.value(self.positional + place)
    }

    /// All that was given by name.
    pub(crate) fn keywords(
        &self,
    ) -> impl Iterator<Item = (Bound<'py, PyAny>, Borrowed<'a, 'py, PyAny>)> {
        let given = self
            .names
            .into_iter()
            .flat_map(|names| names.iter().enumerate().collect::<Vec<_>>());
        given.filter_map(|(place, name)| Some((name, self.value(self.positional + place)?)))
    }

    #[inline]
    fn value(&self, place: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        let pointer = *self.values.get(place)?;
        // SAFETY: the interpreter passes live objects, which outlive the call, that is `'a`.
        Some(unsafe { Borrowed::from_ptr(self.py, pointer) })
    }
}

/// # Safety
///
/// Attached, and every element is a live object.
unsafe fn tuple_of(objects: &[*mut PyObject]) -> *mut PyObject {
    // SAFETY: attached, by this function's contract.
    let tuple = unsafe { ffi::PyTuple_New(objects.len().cast_signed()) };
    if tuple.is_null() {
        return tuple;
    }
    for (place, object) in objects.iter().enumerate() {
        // SAFETY: a live object, by this function's contract.
        unsafe { ffi::Py_INCREF(*object) };
        // SAFETY: the tuple is new and has this many places; it takes the reference.
        unsafe { ffi::PyTuple_SET_ITEM(tuple, place.cast_signed(), *object) };
    }
    tuple
}

/// A method for a class, or of one object.
#[repr(transparent)]
pub struct Method(PyMethodDef);

impl std::fmt::Debug for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Method")
    }
}

// SAFETY: it points to static text and to a function.
unsafe impl Sync for Method {}

impl Method {
    /// A method that calls `function`, which is a function's name: it has no size and so no state.
    pub(crate) const fn new<F>(name: &'static CStr, doc: &'static CStr, _function: F) -> Self
    where
        F: Copy
            + for<'a, 'py> Fn(
                &'a Bound<'py, PyAny>,
                Arguments<'a, 'py>,
            ) -> PyResult<Bound<'py, PyAny>>,
    {
        const { assert!(size_of::<F>() == 0, "a method is a plain function") };
        Self::called_by(name, doc, trampoline::<F>)
    }

    /// The same for a method that is called for every callback: PyO3 is not told that the thread is attached, which
    /// would cost three looks at thread-local memory. `Py`s that such a method drops without the token (those of
    /// an error) are given up later, if nothing else has told PyO3 so.
    pub const fn quick<F>(name: &'static CStr, doc: &'static CStr, _function: F) -> Self
    where
        F: Copy
            + for<'a, 'py> Fn(
                &'a Bound<'py, PyAny>,
                Arguments<'a, 'py>,
            ) -> PyResult<Bound<'py, PyAny>>,
    {
        const { assert!(size_of::<F>() == 0, "a method is a plain function") };
        Self::called_by(name, doc, quick_trampoline::<F>)
    }

    const fn called_by(
        name: &'static CStr,
        doc: &'static CStr,
        trampoline: ffi::PyCFunctionFastWithKeywords,
    ) -> Self {
        let function = PyMethodDefPointer {
            PyCFunctionFastWithKeywords: trampoline,
        };
        Self::defined(name, doc, function, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)
    }

    /// A method that takes no arguments: the interpreter refuses them.
    pub(crate) const fn alone<F>(name: &'static CStr, doc: &'static CStr, _function: F) -> Self
    where
        F: Copy
            + for<'a, 'py> Fn(
                &'a Bound<'py, PyAny>,
                Arguments<'a, 'py>,
            ) -> PyResult<Bound<'py, PyAny>>,
    {
        const { assert!(size_of::<F>() == 0, "a method is a plain function") };
        let function = PyMethodDefPointer {
            PyCFunction: alone_trampoline::<F>,
        };
        Self::defined(name, doc, function, ffi::METH_NOARGS)
    }

    /// The same for one that is [quick](Method::quick).
    pub(crate) const fn quick_alone<F>(
        name: &'static CStr,
        doc: &'static CStr,
        _function: F,
    ) -> Self
    where
        F: Copy
            + for<'a, 'py> Fn(
                &'a Bound<'py, PyAny>,
                Arguments<'a, 'py>,
            ) -> PyResult<Bound<'py, PyAny>>,
    {
        const { assert!(size_of::<F>() == 0, "a method is a plain function") };
        let function = PyMethodDefPointer {
            PyCFunction: quick_alone_trampoline::<F>,
        };
        Self::defined(name, doc, function, ffi::METH_NOARGS)
    }

    const fn defined(
        name: &'static CStr,
        doc: &'static CStr,
        function: PyMethodDefPointer,
        flags: c_int,
    ) -> Self {
        Self(PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: function,
            ml_flags: flags,
            ml_doc: doc.as_ptr(),
        })
    }

    /// What ends a list of methods for the interpreter.
    pub(crate) const END: Self = Self(PyMethodDef::zeroed());

    pub(super) fn definition(&'static self) -> *mut PyMethodDef {
        (&raw const self.0).cast_mut()
    }

    /// The method as one of an object, which it keeps alive.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it.
    pub fn bind<'py>(&'static self, receiver: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let nothing = std::ptr::null_mut();
        // SAFETY: the definition is static, and the receiver lives; there is no module.
        let method =
            unsafe { ffi::PyCFunction_NewEx(self.definition(), receiver.as_ptr(), nothing) };
        // SAFETY: a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(receiver.py(), method) }
    }

    /// Adds methods to a class that exists.
    pub(crate) fn attach(methods: &'static [Self], class: &Bound<'_, PyType>) -> PyResult<()> {
        for method in methods.iter().filter(|method| !method.0.ml_name.is_null()) {
            // SAFETY: the class lives, and the definition is static.
            let descriptor =
                unsafe { ffi::PyDescr_NewMethod(class.as_type_ptr(), method.definition()) };
            // SAFETY: a new reference, or null with an exception set.
            let descriptor = unsafe { Bound::from_owned_ptr_or_err(class.py(), descriptor) }?;
            // SAFETY: the name is static and ends with a zero.
            let name = unsafe { CStr::from_ptr(method.0.ml_name) };
            class.setattr(
                PyString::new(class.py(), &name.to_string_lossy()),
                descriptor,
            )?;
        }
        Ok(())
    }
}

/// What the interpreter calls for a method.
unsafe extern "C" fn trampoline<F>(
    receiver: *mut PyObject,
    values: *const *mut PyObject,
    count: Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject
where
    F: Copy
        + for<'a, 'py> Fn(&'a Bound<'py, PyAny>, Arguments<'a, 'py>) -> PyResult<Bound<'py, PyAny>>,
{
    // Attached already; this tells PyO3 so.
    Python::attach(|py| {
        // SAFETY: the interpreter's own call of a method.
        unsafe { call::<F>(py, receiver, values, count, names) }
    })
}

/// What the interpreter calls for a [quick](Method::quick) method.
unsafe extern "C" fn quick_trampoline<F>(
    receiver: *mut PyObject,
    values: *const *mut PyObject,
    count: Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject
where
    F: Copy
        + for<'a, 'py> Fn(&'a Bound<'py, PyAny>, Arguments<'a, 'py>) -> PyResult<Bound<'py, PyAny>>,
{
    // SAFETY: the interpreter calls methods on attached threads, and the token does not leave this call.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the interpreter's own call of a method.
    unsafe { call::<F>(py, receiver, values, count, names) }
}

/// What the interpreter calls for a method [without arguments](Method::alone).
unsafe extern "C" fn alone_trampoline<F>(
    receiver: *mut PyObject,
    _nothing: *mut PyObject,
) -> *mut PyObject
where
    F: Copy
        + for<'a, 'py> Fn(&'a Bound<'py, PyAny>, Arguments<'a, 'py>) -> PyResult<Bound<'py, PyAny>>,
{
    // Attached already; this tells PyO3 so.
    Python::attach(|py| {
        // SAFETY: the interpreter's own call of a method; there are no arguments.
        unsafe { call::<F>(py, receiver, std::ptr::null(), 0, std::ptr::null_mut()) }
    })
}

/// The same for a [quick](Method::quick_alone) one.
unsafe extern "C" fn quick_alone_trampoline<F>(
    receiver: *mut PyObject,
    _nothing: *mut PyObject,
) -> *mut PyObject
where
    F: Copy
        + for<'a, 'py> Fn(&'a Bound<'py, PyAny>, Arguments<'a, 'py>) -> PyResult<Bound<'py, PyAny>>,
{
    // SAFETY: the interpreter calls methods on attached threads, and the token does not leave this call.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the interpreter's own call of a method; there are no arguments.
    unsafe { call::<F>(py, receiver, std::ptr::null(), 0, std::ptr::null_mut()) }
}

/// # Safety
///
/// The arguments are those of the interpreter's call of a method, and `F` has no size.
#[inline]
unsafe fn call<F>(
    py: Python<'_>,
    receiver: *mut PyObject,
    values: *const *mut PyObject,
    count: Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject
where
    F: Copy
        + for<'a, 'py> Fn(&'a Bound<'py, PyAny>, Arguments<'a, 'py>) -> PyResult<Bound<'py, PyAny>>,
{
    // SAFETY: the interpreter calls a method with its receiver, which lives as long as the call.
    let receiver = unsafe { Bound::ref_from_ptr(py, &receiver) };
    // SAFETY: these are the arguments of that call.
    let arguments = unsafe { arguments(py, values, count, names) };
    // SAFETY: `F` has no size (`Method::new` sees to that), so there is nothing to read.
    let function = unsafe { NonNull::<F>::dangling().as_ref() };
    let outcome = catch_unwind(AssertUnwindSafe(|| function(receiver, arguments)));
    match outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
        Ok(result) => result.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

/// # Safety
///
/// They are what the interpreter passes to a fast-call method, and live for `'a`.
#[inline]
unsafe fn arguments<'a>(
    py: Python<'_>,
    values: *const *mut PyObject,
    count: Py_ssize_t,
    names: *mut PyObject,
) -> Arguments<'a, '_> {
    let positional = count as usize;
    // SAFETY: null or a tuple of strings.
    let names = unsafe { Borrowed::from_ptr_or_opt(py, names) };
    // SAFETY: as above.
    let names = names.map(|names| unsafe { names.cast_unchecked::<PyTuple>() });
    let named = names.map_or(0, |names| names.len());
    let values = if positional + named == 0 {
        &[]
    } else {
        // SAFETY: the interpreter passes this many values, the named ones last.
        unsafe { std::slice::from_raw_parts(values, positional + named) }
    };
    Arguments {
        py,
        values,
        positional,
        names,
    }
}

#[cold]
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without a message");
    PyRuntimeError::new_err(format!("a bug in Corrente, please report it: {text}"))
}
