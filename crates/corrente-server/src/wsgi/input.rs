//! `wsgi.input` where there is no body: one object for all requests, which has nothing to change.
//!
//! A body that there is, is an `io.BytesIO` or a temporary file; most requests have none. The methods are those of a file
//! that is open for reading and at its end.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList};

/// A file with nothing in it.
#[pyclass(frozen, name = "EmptyBody", module = "corrente._native")]
pub(crate) struct Empty;

impl Empty {
    /// The one that all requests have.
    pub(super) fn the_only(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        static ONLY: PyOnceLock<Py<Empty>> = PyOnceLock::new();
        let only = ONLY.get_or_try_init(py, || Py::new(py, Self))?;
        Ok(only.bind(py).clone().into_any())
    }
}

#[expect(
    clippy::unused_self,
    reason = "the methods of a file; this one has no state"
)]
#[pymethods]
impl Empty {
    #[pyo3(signature = (_size = None, /))]
    fn read<'py>(&self, py: Python<'py>, _size: Option<isize>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, b"")
    }

    #[pyo3(signature = (_size = None, /))]
    fn read1<'py>(&self, py: Python<'py>, _size: Option<isize>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, b"")
    }

    #[pyo3(signature = (_size = None, /))]
    fn readline<'py>(&self, py: Python<'py>, _size: Option<isize>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, b"")
    }

    #[pyo3(signature = (_hint = None, /))]
    fn readlines<'py>(&self, py: Python<'py>, _hint: Option<isize>) -> Bound<'py, PyList> {
        PyList::empty(py)
    }

    fn readinto(&self, _buffer: &Bound<'_, PyAny>) -> usize {
        0
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }

    #[pyo3(signature = (_offset, _whence = 0, /))]
    fn seek(&self, _offset: isize, _whence: i32) -> usize {
        0
    }

    fn tell(&self) -> usize {
        0
    }

    fn readable(&self) -> bool {
        true
    }

    fn seekable(&self) -> bool {
        true
    }

    fn writable(&self) -> bool {
        false
    }

    fn flush(&self) {}

    /// Others have it too: it stays open.
    fn close(&self) {}

    #[getter]
    fn closed(&self) -> bool {
        false
    }
}
