//! Descriptors that Python gives up.
//!
//! A stream that was told to `_rest()` does not close its descriptor any more, nor does its socket object: whoever told it to owns it.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

/// The descriptor of a stream, which is closed from now on as far as the stream knows, and its server.
///
/// # Errors
///
/// `ValueError` where it is closed already.
pub(crate) fn given_up(stream: &Bound<'_, PyAny>) -> PyResult<(OwnedFd, Py<PyAny>)> {
    let given_up = stream.call_method0(intern!(stream.py(), "_rest"))?;
    let (number, server): (RawFd, Py<PyAny>) = given_up.extract()?;
    if number < 0 {
        return Err(PyValueError::new_err("the connection is closed"));
    }
    // SAFETY: `_rest()` has made the stream and its socket object forget the number, so that nobody else closes it.
    Ok((unsafe { OwnedFd::from_raw_fd(number) }, server))
}
