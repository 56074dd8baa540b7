//! Bytes that go to the kernel and come from it, without a copy where that is sound.
//!
//! `bytes` objects never change, so a stream may keep one and its address until it is written. Whatever
//! can change (bytearray, memoryview) is copied as far as it was not written at once. What is read
//! goes straight into a new `bytes` object if it is large.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use corrente_driver::Descriptor;
use corrente_driver::socket::{self, Moved};
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi::{self, Py_ssize_t, PyObject};
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyByteArray, PyBytes};

/// What is left of data that a stream was given to write.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// A `bytes` object, kept alive, and where its content is.
    Kept {
        _object: Py<PyBytes>,
        content: *const [u8],
    },
    /// A copy.
    Copied(Box<[u8]>),
}

// SAFETY: the pointer is into a `bytes` object that the value keeps alive; it is only read.
unsafe impl Send for Chunk {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

impl Chunk {
    pub(crate) fn kept(bytes: &Bound<'_, PyBytes>) -> Self {
        Self::Kept {
            content: ptr::from_ref(bytes.as_bytes()),
            _object: bytes.clone().unbind(),
        }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        match self {
            // SAFETY: the content of a `bytes` object neither moves nor changes while it lives.
            Self::Kept { content, .. } => unsafe { &**content },
            Self::Copied(content) => content,
        }
    }
}

/// What a read gave.
#[derive(Debug)]
pub(crate) enum Read<'py> {
    Data(Bound<'py, PyBytes>),
    End,
    Later,
}

/// Reads into a new `bytes` object of at most `size` bytes.
///
/// # Errors
///
/// The kernel's, in the inner result; the interpreter's (no memory) in the outer.
pub(crate) fn read(
    py: Python<'_>,
    descriptor: Descriptor,
    size: usize,
) -> PyResult<io::Result<Read<'_>>> {
    let work = |room: &mut [MaybeUninit<u8>]| {
        let moved = socket::read_uninit(descriptor, room);
        let length = match &moved {
            Ok(Moved::Bytes(length)) => *length,
            Ok(Moved::Later) | Err(_) => 0,
        };
        (length, moved)
    };
    // SAFETY: the kernel tells how many it has written.
    let (bytes, moved) = unsafe { filled(py, size, work) }?;
    Ok(moved.map(|moved| match moved {
        Moved::Bytes(0) => Read::End,
        Moved::Bytes(_) => Read::Data(bytes),
        Moved::Later => Read::Later,
    }))
}

/// A new `bytes` object of at most `size` bytes, filled by `work`, which says how many it has written from the
/// begin on, and something else.
///
/// # Errors
///
/// `MemoryError`.
///
/// # Safety
///
/// `work` tells no more bytes than it has written.
pub(super) unsafe fn filled<R>(
    py: Python<'_>,
    size: usize,
    work: impl FnOnce(&mut [MaybeUninit<u8>]) -> (usize, R),
) -> PyResult<(Bound<'_, PyBytes>, R)> {
    // SAFETY: attached; null as content leaves it to us to fill.
    let mut bytes = unsafe { ffi::PyBytes_FromStringAndSize(ptr::null(), size.cast_signed()) };
    if bytes.is_null() {
        return Err(PyErr::fetch(py));
    }
    // SAFETY: a new `bytes` object.
    let content = unsafe { ffi::PyBytes_AsString(bytes) };
    // SAFETY: it has `size` bytes, which nobody else knows of yet.
    let room = unsafe { std::slice::from_raw_parts_mut(content.cast::<MaybeUninit<u8>>(), size) };
    let (length, other) = work(room);
    // SAFETY: we have the only reference; it is null afterwards if this fails.
    if unsafe { resize(&raw mut bytes, length.min(size).cast_signed()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    // SAFETY: a new reference to a `bytes` object.
    let bytes = unsafe { Bound::from_owned_ptr(py, bytes) };
    // SAFETY: as above.
    Ok((unsafe { bytes.cast_into_unchecked::<PyBytes>() }, other))
}

unsafe extern "C" {
    /// Documented C interface that pyo3-ffi keeps to itself: makes a new `bytes` object shorter in place.
    #[link_name = "_PyBytes_Resize"]
    fn resize(bytes: *mut *mut PyObject, size: Py_ssize_t) -> c_int;
}

/// Reads into the memory of a writable object, as `BufferedProtocol.get_buffer` gives it.
///
/// # Errors
///
/// The kernel's in the inner result; `BufferError` and the like in the outer.
pub(crate) fn read_into(
    descriptor: Descriptor,
    buffer: &Bound<'_, PyAny>,
) -> PyResult<io::Result<Moved>> {
    with_room(buffer, |room| match room.len() {
        0 => Ok(Moved::Bytes(0)),
        _ => socket::read_uninit(descriptor, room),
    })
}

/// Lends the memory of a writable object to `work`, which runs no Python code of a user's.
///
/// # Errors
///
/// `TypeError` where it cannot be written to.
pub(crate) fn with_room<R>(
    buffer: &Bound<'_, PyAny>,
    work: impl FnOnce(&mut [MaybeUninit<u8>]) -> R,
) -> PyResult<R> {
    let view = View::of(buffer, ffi::PyBUF_WRITABLE).map_err(|error| unfit(buffer, error))?;
    if view.0.len == 0 {
        return Ok(work(&mut []));
    }
    let begin = view.0.buf.cast::<MaybeUninit<u8>>();
    // SAFETY: a writable view is `len` bytes in a row, ours until it is released; no Python code runs meanwhile.
    let room = unsafe { std::slice::from_raw_parts_mut(begin, view.0.len as usize) };
    Ok(work(room))
}

/// What `socket.recv_into` raises for what cannot be written to, where the buffer protocol says `BufferError`.
#[cold]
fn unfit(buffer: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = buffer.py();
    match buffer.get_type().name() {
        Ok(name) if error.is_instance_of::<PyBufferError>(py) => PyTypeError::new_err(format!(
            "a read-write bytes-like object is required, not '{name}'"
        )),
        _ => error,
    }
}

/// Lends the content of an object with the buffer protocol to `work`, which runs no Python code.
///
/// # Errors
///
/// `BufferError` where it is not contiguous.
pub(crate) fn with_content<R>(
    object: &Bound<'_, PyAny>,
    work: impl FnOnce(&[u8]) -> R,
) -> PyResult<R> {
    let view = View::of(object, ffi::PyBUF_SIMPLE)?;
    if view.0.len == 0 {
        return Ok(work(&[]));
    }
    // SAFETY: a simple view is `len` bytes in a row, which stay until it is released.
    let content =
        unsafe { std::slice::from_raw_parts(view.0.buf.cast::<u8>(), view.0.len as usize) };
    Ok(work(content))
}

/// The memory of an object, until it is dropped. It is dropped while attached.
struct View(ffi::Py_buffer);

impl View {
    fn of(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<Self> {
        let mut view = MaybeUninit::<ffi::Py_buffer>::uninit();
        // SAFETY: a live object, and room for a view.
        let taken = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), flags) };
        if taken != 0 {
            return Err(PyErr::fetch(object.py()));
        }
        // SAFETY: it was filled.
        Ok(Self(unsafe { view.assume_init() }))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: taken once, and released once.
        unsafe { ffi::PyBuffer_Release(&raw mut self.0) };
    }
}

/// Appends to a bytearray.
///
/// # Errors
///
/// `BufferError` where somebody holds a view of it.
pub(crate) fn extend(array: &Bound<'_, PyByteArray>, content: &[u8]) -> PyResult<()> {
    with_critical_section(array.as_any(), || {
        let before = array.len();
        array.resize(before + content.len())?;
        // SAFETY: nobody else sees the array meanwhile: no Python code runs, and the thread is attached and
        // has locked the array where there is no GIL.
        let room = unsafe { array.as_bytes_mut() };
        room[before..].copy_from_slice(content);
        Ok(())
    })
}

/// Reads behind what a bytearray holds, at most `size` bytes.
///
/// # Errors
///
/// The kernel's in the inner result; `BufferError` in the outer, where somebody holds a view of the array.
pub(crate) fn read_behind(
    descriptor: Descriptor,
    array: &Bound<'_, PyByteArray>,
    size: usize,
) -> PyResult<io::Result<Moved>> {
    with_critical_section(array.as_any(), || {
        let before = array.len();
        array.resize(before + size)?;
        let moved = with_room(array, |room| {
            socket::read_uninit(descriptor, &mut room[before..])
        })?;
        let length = match &moved {
            Ok(Moved::Bytes(length)) => *length,
            Ok(Moved::Later) | Err(_) => 0,
        };
        array.resize(before + length)?;
        Ok(moved)
    })
}

/// Calls a method of an object with one argument.
#[inline]
pub(crate) fn call_method_one<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, pyo3::types::PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let arguments: [*mut PyObject; 2] = [object.as_ptr(), argument.as_ptr()];
    // SAFETY: two live objects, the first of which is the receiver.
    let result = unsafe {
        ffi::PyObject_VectorcallMethod(name.as_ptr(), arguments.as_ptr(), 2, ptr::null_mut())
    };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(object.py(), result) }
}
