//! Descriptors that Python gives up.
//!
//! A socket object that was told to `detach()` does not close its descriptor any more: whoever told it to owns it.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

/// The descriptor of a socket object, which is closed from now on as far as the object knows.
///
/// # Errors
///
/// `ValueError` where it is closed already.
pub(crate) fn detached(socket: &Bound<'_, PyAny>) -> PyResult<OwnedFd> {
    let number: RawFd = socket
        .call_method0(intern!(socket.py(), "detach"))?
        .extract()?;
    if number < 0 {
        return Err(PyValueError::new_err("the socket is closed"));
    }
    // SAFETY: `detach()` has made the object forget the number, so that nobody else closes it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
