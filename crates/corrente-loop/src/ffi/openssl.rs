//! OpenSSL as Python's `ssl` uses it: a connection's own `SSL`, read and written without Python in between.
//!
//! No second OpenSSL is linked: the functions are those of the library that the interpreter's `_ssl` was linked
//! with, found by name (`functions`). The `SSL` of an `ssl.SSLObject` is found and proven in `find`; whatever is
//! in doubt is left to Python's own calls. Encrypted bytes go through a `pipe`.
//!
//! The handshake and the end stay Python's calls, and with them every callback of a user's. Here are only
//! `SSL_read` and `SSL_write` of a connection whose handshake is over.

mod find;
mod functions;
mod pipe;

use std::ffi::{CStr, c_int, c_ulong};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use functions::{Functions, Ssl};
use pipe::Pipe;

use super::bytes::{filled, with_room};

/// `SSL_get_error`'s answers.
const FAILED: c_int = 1;
const CLOSED: c_int = 6;
/// `ERR_LIB_SSL`.
const SSL_LIBRARY: c_ulong = 20;

/// The content of a TLS record at most, in bytes (RFC 8446, 5.1).
pub(crate) const RECORD: usize = 16 * 1024;
/// What is decrypted on the stack at most, in bytes: a record, what may be left of one, and a few small ones.
const SMALL: usize = 2 * RECORD + 1024;

/// How a read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All that has come is read.
    Dry,
    /// The memory is full.
    Full,
    /// The peer will send no more (`close_notify`).
    Closed,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Bytes(usize),
    /// Nothing, before more has come.
    Later,
    Closed,
}

/// The `SSL` of an `ssl.SSLObject`, with a pipe of ours on its outer side.
#[derive(Debug)]
pub(crate) struct Native {
    functions: &'static Functions,
    ssl: NonNull<Ssl>,
    pipe: Arc<Pipe>,
    /// Keeps the `SSL` alive.
    object: Py<PyAny>,
    /// Held by a call; one from within a call (by a callback of a user's) comes too early.
    busy: Mutex<()>,
}

// SAFETY: the `SSL` is used by attached threads only and never by two at once: `busy` sees to that.
unsafe impl Send for Native {}
// SAFETY: as above.
unsafe impl Sync for Native {}

impl Native {
    /// Of an `ssl.SSLObject` that is new, where its `SSL` can be found and proven.
    pub(crate) fn of(
        ssl_object: &Bound<'_, PyAny>,
        incoming: &Bound<'_, PyAny>,
        outgoing: &Bound<'_, PyAny>,
    ) -> Option<Self> {
        let proof = find::proof(ssl_object.py())?;
        let object = ssl_object
            .getattr(intern!(ssl_object.py(), "_sslobj"))
            .ok()?;
        let ssl = proof.find(&object, ssl_object, incoming, outgoing)?;
        let pipe = Arc::new(Pipe::default());
        pipe::connect(proof.functions, ssl, &pipe)?;
        Some(Self {
            functions: proof.functions,
            ssl,
            pipe,
            object: object.unbind(),
            busy: Mutex::new(()),
        })
    }

    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.object
    }

    /// What goes to `SSL` and comes from it.
    pub(crate) fn pipe(&self) -> &Pipe {
        &self.pipe
    }

    /// Memory that is not needed any more.
    pub(crate) fn give_back(memory: Vec<u8>) {
        Pipe::give_back(memory);
    }

    /// Decrypts all that has come.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` as Python's own call.
    pub(crate) fn read<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Ending)> {
        // No record becomes longer, and OpenSSL may have kept the begin of one.
        let most = self.pipe.incoming() + RECORD;
        if most > SMALL {
            let work = |room: &mut [MaybeUninit<u8>]| match self.fill(py, room) {
                Ok((count, ending)) => (count, Ok(ending)),
                Err(error) => (0, Err(error)),
            };
            // SAFETY: `fill` tells how many bytes OpenSSL has written.
            let (bytes, ending) = unsafe { filled(py, most, work) }?;
            return Ok((bytes, ending?));
        }
        // Never written as a whole: this reserves, and costs nothing.
        #[expect(
            clippy::large_stack_arrays,
            reason = "two records, of 8 MiB that a thread has"
        )]
        let mut room = [MaybeUninit::uninit(); SMALL];
        let (count, ending) = self.fill(py, &mut room)?;
        // SAFETY: as above.
        let content = unsafe { room[..count].assume_init_ref() };
        Ok((PyBytes::new(py, content), ending))
    }

    /// Decrypts into a writable object, as much as fits; says how much that is.
    ///
    /// # Errors
    ///
    /// As [`Native::read`], and `TypeError` where it is not writable.
    pub(crate) fn read_into(&self, buffer: &Bound<'_, PyAny>) -> PyResult<(usize, Ending)> {
        with_room(buffer, |room| self.fill(buffer.py(), room))?
    }

    /// Reads record after record; all bytes that it tells are written.
    fn fill(&self, py: Python<'_>, room: &mut [MaybeUninit<u8>]) -> PyResult<(usize, Ending)> {
        let mut count = 0;
        while count < room.len() {
            match self.read_record(py, &mut room[count..])? {
                Outcome::Bytes(more) => count += more,
                Outcome::Later => return Ok((count, Ending::Dry)),
                Outcome::Closed => return Ok((count, Ending::Closed)),
            }
            // With room left the record was given whole, so OpenSSL has nothing either.
            if count < room.len() && self.pipe.incoming() == 0 {
                return Ok((count, Ending::Dry));
            }
        }
        Ok((count, Ending::Full))
    }

    /// `SSL_read`.
    fn read_record(&self, py: Python<'_>, room: &mut [MaybeUninit<u8>]) -> PyResult<Outcome> {
        let Ok(_busy) = self.busy.try_lock() else {
            return Ok(Outcome::Later);
        };
        let size = c_int::try_from(room.len()).unwrap_or(c_int::MAX);
        let (ssl, begin) = (self.ssl.as_ptr(), room.as_mut_ptr().cast());
        self.forget_errors();
        // SAFETY: a live `SSL` (`object` keeps it), and memory of this size, ours to be written to.
        let count = unsafe { (self.functions.read)(ssl, begin, size) };
        self.outcome(py, count)
    }

    /// Encrypts; says how much it took, which is nothing while a handshake goes on.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` as Python's own call.
    pub(crate) fn write(&self, py: Python<'_>, content: &[u8]) -> PyResult<usize> {
        let Ok(_busy) = self.busy.try_lock() else {
            return Ok(0);
        };
        let size = c_int::try_from(content.len()).unwrap_or(c_int::MAX);
        let (ssl, begin) = (self.ssl.as_ptr(), content.as_ptr().cast());
        self.forget_errors();
        // SAFETY: a live `SSL` (`object` keeps it), and memory of this size.
        let count = unsafe { (self.functions.write)(ssl, begin, size) };
        Ok(match self.outcome(py, count)? {
            Outcome::Bytes(count) => count,
            Outcome::Later | Outcome::Closed => 0,
        })
    }

    /// Whoever has failed before on this thread may have left an error, by which OpenSSL would judge the next call. Nearly always
    /// there is none, and to clear what is empty walks over places for sixteen.
    fn forget_errors(&self) {
        // SAFETY: OpenSSL's own function; it takes no argument.
        let last = unsafe { (self.functions.last_error)() };
        if last != 0 {
            // SAFETY: as above.
            unsafe { (self.functions.clear_errors)() };
        }
    }

    fn outcome(&self, py: Python<'_>, count: c_int) -> PyResult<Outcome> {
        if count > 0 {
            return Ok(Outcome::Bytes(count as usize));
        }
        // SAFETY: the `SSL` that gave this answer, on the same thread.
        let reason = unsafe { (self.functions.error)(self.ssl.as_ptr(), count) };
        match reason {
            CLOSED => Ok(Outcome::Closed),
            FAILED => Err(self.failure(py)),
            // It wants to read or to write; a pipe never fails (asyncio takes `SSLSyscallError` for "later", too).
            _ => Ok(Outcome::Later),
        }
    }

    /// The last error of OpenSSL's on this thread, as `_ssl` raises it.
    #[cold]
    fn failure(&self, py: Python<'_>) -> PyErr {
        // SAFETY: OpenSSL's own function; it takes no argument.
        let code = unsafe { (self.functions.last_error)() };
        let (library, words) = self.words(code);
        // SAFETY: as above.
        unsafe { (self.functions.clear_errors)() };
        raised(py, library, &words).unwrap_or_else(|error| error)
    }

    fn words(&self, code: c_ulong) -> (&'static str, String) {
        // SAFETY: any number will do.
        let text = unsafe { (self.functions.reason)(code) };
        let words = if text.is_null() {
            "unknown error".to_owned()
        } else {
            // SAFETY: a static text of OpenSSL's.
            let text = unsafe { CStr::from_ptr(text) };
            text.to_string_lossy().into_owned()
        };
        // `ERR_GET_LIB` of OpenSSL 3, and of 1.1.1.
        let is_ssl = [23, 24]
            .iter()
            .any(|bits| (code >> bits) & 0xff == SSL_LIBRARY);
        (if is_ssl { "SSL" } else { "LIB" }, words)
    }
}

fn raised(py: Python<'_>, library: &str, words: &str) -> PyResult<PyErr> {
    let name = words.to_uppercase().replace(' ', "_");
    let text = format!("[{library}: {name}] {words}");
    let class = py.import("ssl")?.getattr("SSLError")?;
    let error = class.call1((FAILED, text))?;
    error.setattr("library", library)?;
    error.setattr("reason", name)?;
    Ok(PyErr::from_value(error))
}
