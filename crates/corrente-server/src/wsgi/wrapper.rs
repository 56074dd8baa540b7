//! `wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling"): a file as a body.
//!
//! Where it is a file of Python's own that was opened to read bytes, it is sent without its content passing through
//! Python; anything else that can be read is iterated over. A `fileno()` alone says nothing: that of a `gzip.GzipFile` is
//! the compressed file's.

use pyo3::exceptions::PyStopIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use corrente_loop::native::FilePart;

use crate::file;

/// What is read at once where the application does not say it, in bytes: as in `wsgiref`.
const BLOCK: usize = 8192;

/// What an application returns to have a file sent.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct FileWrapper {
    file: Py<PyAny>,
    block: usize,
}

impl FileWrapper {
    /// What is left of the file, where it is one.
    pub(super) fn part(&self, py: Python<'_>) -> PyResult<Option<FilePart>> {
        let file = self.file.bind(py);
        if !is_plain(&inner(file)?)? {
            return Ok(None);
        }
        // One that is closed, or a pipe: iterating says what there is to be said.
        Ok(file::by_descriptor(file, None, None).ok())
    }
}

/// What a file of `tempfile` wraps; else the file itself.
fn inner<'py>(file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static NAMED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = file.py();
    let named = NAMED.import(py, "tempfile", "_TemporaryFileWrapper")?;
    if file.get_type().is(named) {
        return file.getattr(intern!(py, "file"));
    }
    Ok(file.clone())
}

/// Whether reading it gives the bytes of its descriptor.
fn is_plain(file: &Bound<'_, PyAny>) -> PyResult<bool> {
    static RAW: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static READER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = file.py();
    let raw = RAW.import(py, "io", "FileIO")?;
    let reader = READER.import(py, "io", "BufferedReader")?;
    let class = file.get_type();
    if class.is(raw) {
        return Ok(true);
    }
    Ok(class.is(reader) && file.getattr(intern!(py, "raw"))?.get_type().is(raw))
}

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (filelike, blksize = BLOCK))]
    fn new(filelike: Py<PyAny>, blksize: usize) -> Self {
        Self {
            file: filelike,
            block: blksize,
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let read = intern!(py, "read");
        let data = self.file.bind(py).call_method1(read, (self.block,))?;
        if data.is_truthy()? {
            Ok(data)
        } else {
            Err(PyStopIteration::new_err(()))
        }
    }

    /// Closes the file, where it can be closed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        super::answer::close(self.file.bind(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.file)
    }
}
