//! Files that applications want sent: by their path, or as something that is open.
//!
//! Opened and looked at in the loop's thread: on a local disk that is microseconds. Only regular files are sent; whatever
//! else it is, the application is told, as Python's own `open()` would. Knows no protocol.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use corrente_loop::native::{FilePart, duplicate};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use rustix::fs::OFlags;
use rustix::io::Errno;

/// What an application is told that does not wait for `send()`.
pub(crate) const IN_THE_WAY: &str =
    "a file is still being sent: await send() before the next message";

/// The whole of a file.
pub(crate) fn by_path(path: &Bound<'_, PyAny>) -> PyResult<FilePart> {
    let name: PathBuf = path.extract()?;
    // What is no file at all may keep whoever opens it waiting.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(name);
    let found = opened.and_then(|file| {
        let length = regular(&file)?;
        Ok(FilePart::new(file, 0, length))
    });
    found.map_err(|error| raised(&error, Some(path)))
}

/// Some of what is open: `file` is a descriptor's number or has a `fileno()`. Without an offset it is sent from where it
/// stands, and then stands behind what is sent; without a count to its end.
pub(crate) fn by_descriptor(
    file: &Bound<'_, PyAny>,
    offset: Option<u64>,
    count: Option<u64>,
) -> PyResult<FilePart> {
    let number = number(file)?;
    let duplicated = duplicate(number).and_then(|copy| {
        let length = regular(&copy)?;
        Ok((copy, length))
    });
    let (copy, length) = duplicated.map_err(|error| raised(&error, None))?;
    let begin = match offset {
        Some(offset) => offset,
        None => position(file, number)?,
    };
    let rest = length.saturating_sub(begin);
    let count = count.map_or(rest, |count| count.min(rest));
    if offset.is_none() {
        put(file, number, begin + count)?;
    }
    Ok(FilePart::new(copy, begin, count))
}

/// The length of a file; an error where it is none.
fn regular(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !metadata.is_file() {
        let text = "only regular files can be sent";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(metadata.len())
}

fn number(file: &Bound<'_, PyAny>) -> PyResult<i32> {
    if let Ok(number) = file.extract::<i32>() {
        return Ok(number);
    }
    if let Some(fileno) = file.getattr_opt(intern!(file.py(), "fileno"))? {
        return fileno.call0()?.extract();
    }
    let name = file.get_type().name()?;
    let text = format!("'file' must be a file or a descriptor's number, not '{name}'");
    Err(PyTypeError::new_err(text))
}

/// Where it stands. A file of Python's has a buffer, and so stands elsewhere than its descriptor.
fn position(file: &Bound<'_, PyAny>, number: i32) -> PyResult<u64> {
    let py = file.py();
    match file.getattr_opt(intern!(py, "tell"))? {
        Some(tell) => tell.call0()?.extract(),
        None => seek(py, number, 0, "SEEK_CUR")?.extract(),
    }
}

fn put(file: &Bound<'_, PyAny>, number: i32, place: u64) -> PyResult<()> {
    let py = file.py();
    match file.getattr_opt(intern!(py, "seek"))? {
        Some(seek) => seek.call1((place,)).map(drop),
        None => seek(py, number, place, "SEEK_SET").map(drop),
    }
}

fn seek<'py>(py: Python<'py>, number: i32, place: u64, from: &str) -> PyResult<Bound<'py, PyAny>> {
    let os = py.import("os")?;
    let from = os.getattr(from)?;
    os.call_method1(intern!(py, "lseek"), (number, place, from))
}

/// As Python raises it: of the right class, with its number and the path.
pub(crate) fn raised(error: &io::Error, path: Option<&Bound<'_, PyAny>>) -> PyErr {
    let text = error.to_string();
    // Rust adds the number to the words, Python puts it before them.
    let words = text.split(" (os error").next().unwrap_or_default();
    match (error.raw_os_error(), path) {
        (Some(number), Some(path)) => {
            let arguments = (number, words.to_owned(), path.clone().unbind());
            PyOSError::new_err(arguments)
        }
        (Some(number), None) => PyOSError::new_err((number, words.to_owned())),
        (None, _) => PyOSError::new_err(text),
    }
}
