//! The kernel's errors as Python's: `OSError` with its number, and so of the right subclass.
//!
//! One function, because every place that talks to the kernel has to tell its errors in the same words
//! as Python's own socket calls.

use std::io;

use pyo3::PyErr;
use pyo3::exceptions::PyOSError;

/// As Python's own socket calls raise it. (PyO3's conversion has the class, but no `errno`.)
pub(crate) fn os_error(error: &io::Error) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(number) => {
            // Rust adds the number to the words, Python puts it before them.
            let words = text.split(" (os error").next().unwrap_or_default();
            PyOSError::new_err((number, words.to_owned()))
        }
        None => PyOSError::new_err(text),
    }
}
