//! The messages that `receive()` gives.
//!
//! Made by copying one that is there, which is cheaper than making one.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};

use crate::exchange::Last;

/// `http.request` with some of the body.
pub(super) fn request(
    py: Python<'_>,
    body: Option<Bound<'_, PyBytes>>,
    last: Last,
) -> PyResult<Py<PyAny>> {
    static EMPTY: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let empty = EMPTY.get_or_try_init(py, || {
        let made = PyDict::new(py);
        made.set_item("type", intern!(py, "http.request"))?;
        made.set_item("body", PyBytes::new(py, b""))?;
        made.set_item("more_body", false)?;
        PyResult::Ok(made.unbind())
    })?;
    let message = empty.bind(py).copy()?;
    if let Some(body) = body {
        message.set_item(intern!(py, "body"), body)?;
    }
    if last == Last::No {
        message.set_item(intern!(py, "more_body"), true)?;
    }
    Ok(message.into_any().unbind())
}

/// `http.disconnect`.
pub(super) fn disconnect(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?;
    Ok(message.into_any().unbind())
}
