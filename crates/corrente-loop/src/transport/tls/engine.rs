//! What does the cryptography: the `SSLObject` that Python's `ssl` made of the user's context.
//!
//! `Native` asks OpenSSL itself, `Memory` asks Python, which has two memories (`ssl.MemoryBIO`) for what has come and
//! for what is to go. Python is called once for a record; that nothing is left to read is asked of the memories,
//! since `ssl` says it by an exception.

use std::io;

use corrente_driver::Descriptor;
use corrente_driver::socket::Moved;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyMemoryView, PySlice, PyType};

use crate::ffi::openssl::Native;
pub(super) use crate::ffi::openssl::{Ending, RECORD};
use crate::memory;

/// One of the two ways.
#[derive(Debug)]
pub(super) enum Engine {
    Native(Native),
    Memory(Memory),
}

/// An `SSLObject` with its memories.
#[derive(Debug)]
pub(super) struct Memory {
    ssl_object: Py<PyAny>,
    incoming: Py<PyAny>,
    outgoing: Py<PyAny>,
}

impl Engine {
    pub(super) fn show(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Native(native) => visit.call(native.object()),
            Self::Memory(memory) => memory.show(visit),
        }
    }

    /// Takes what a socket has; the kernel's errors are in the inner result.
    pub(super) fn receive(
        &self,
        py: Python<'_>,
        descriptor: Descriptor,
    ) -> PyResult<io::Result<Moved>> {
        let memory = match self {
            Self::Native(native) => return Ok(native.pipe().receive(descriptor)),
            Self::Memory(memory) => memory,
        };
        let read = memory::read_with(descriptor, |content| match content {
            [] => Ok(()),
            content => memory.feed(py, content),
        });
        match read {
            Ok((moved, fed)) => fed.map(|()| Ok(moved)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Takes encrypted bytes.
    pub(super) fn feed(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        match self {
            Self::Native(native) => {
                native.pipe().feed(content);
                Ok(())
            }
            Self::Memory(memory) => memory.feed(py, content),
        }
    }

    /// Encrypted bytes that have come and wait.
    pub(super) fn incoming(&self, py: Python<'_>) -> PyResult<usize> {
        match self {
            Self::Native(native) => Ok(native.pipe().incoming()),
            Self::Memory(memory) => memory.incoming(py),
        }
    }

    /// Encrypted bytes that are to go.
    pub(super) fn outgoing(&self, py: Python<'_>) -> PyResult<usize> {
        match self {
            Self::Native(native) => Ok(native.pipe().outgoing()),
            Self::Memory(memory) => memory.outgoing(py),
        }
    }

    /// Decrypts all that has come.
    pub(super) fn read<'py>(
        &self,
        py: Python<'py>,
        pieces: &mut Vec<Bound<'py, PyBytes>>,
    ) -> PyResult<Ending> {
        let native = match self {
            Self::Native(native) => native,
            Self::Memory(memory) => return memory.read(py, pieces),
        };
        loop {
            let (piece, ending) = native.read(py)?;
            if !piece.as_bytes().is_empty() {
                pieces.push(piece);
            }
            if ending != Ending::Full {
                return Ok(ending);
            }
        }
    }

    /// Decrypts into a buffer of `size` bytes, as much as fits; says how much that is.
    pub(super) fn read_into(
        &self,
        buffer: &Bound<'_, PyAny>,
        size: usize,
    ) -> PyResult<(usize, Ending)> {
        match self {
            Self::Native(native) => native.read_into(buffer),
            Self::Memory(memory) => memory.read_into(buffer, size),
        }
    }

    /// Encrypts; says how much it took, which is nothing while a handshake goes on.
    pub(super) fn write(&self, py: Python<'_>, content: &[u8]) -> PyResult<usize> {
        match self {
            Self::Native(native) => native.write(py, content),
            Self::Memory(memory) => memory.write(py, content),
        }
    }

    /// Hands over what was encrypted, and the object that it is the content of if it is one's.
    pub(super) fn drain(
        &self,
        py: Python<'_>,
        send: impl FnOnce(&[u8], Option<&Bound<'_, PyBytes>>) -> PyResult<()>,
    ) -> PyResult<()> {
        if self.outgoing(py)? == 0 {
            return Ok(());
        }
        match self {
            Self::Native(native) => {
                let encrypted = native.pipe().take();
                let sent = send(&encrypted, None);
                Native::give_back(encrypted);
                sent
            }
            Self::Memory(memory) => {
                let encrypted = memory.outgoing.bind(py);
                let encrypted = encrypted.call_method0(intern!(py, "read"))?;
                let encrypted = encrypted.cast_into::<PyBytes>()?;
                send(encrypted.as_bytes(), Some(&encrypted))
            }
        }
    }
}

impl Memory {
    pub(super) fn of(
        ssl_object: &Bound<'_, PyAny>,
        incoming: &Bound<'_, PyAny>,
        outgoing: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        Ok(Self {
            ssl_object: inner(ssl_object)?.unbind(),
            incoming: incoming.clone().unbind(),
            outgoing: outgoing.clone().unbind(),
        })
    }

    fn show(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.ssl_object)?;
        visit.call(&self.incoming)?;
        visit.call(&self.outgoing)
    }

    fn feed(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        let bytes = PyBytes::new(py, content);
        self.incoming
            .call_method1(py, intern!(py, "write"), (bytes,))
            .map(drop)
    }

    fn incoming(&self, py: Python<'_>) -> PyResult<usize> {
        let pending = self.incoming.getattr(py, intern!(py, "pending"))?;
        pending.extract(py)
    }

    fn outgoing(&self, py: Python<'_>) -> PyResult<usize> {
        let pending = self.outgoing.getattr(py, intern!(py, "pending"))?;
        pending.extract(py)
    }

    /// Whether nothing is left to decrypt, as far as can be told without trying.
    fn is_dry(&self, py: Python<'_>) -> PyResult<bool> {
        if self.incoming(py)? > 0 {
            return Ok(false);
        }
        let decrypted = self.ssl_object.call_method0(py, intern!(py, "pending"))?;
        Ok(decrypted.extract::<usize>(py)? == 0)
    }

    fn read<'py>(
        &self,
        py: Python<'py>,
        pieces: &mut Vec<Bound<'py, PyBytes>>,
    ) -> PyResult<Ending> {
        let ssl_object = self.ssl_object.bind(py);
        loop {
            let piece = match ssl_object.call_method1(intern!(py, "read"), (RECORD,)) {
                Ok(piece) => piece.cast_into::<PyBytes>()?,
                Err(error) if is_for_later(py, &error)? => return Ok(Ending::Dry),
                Err(error) => return Err(error),
            };
            if piece.as_bytes().is_empty() {
                return Ok(Ending::Closed);
            }
            pieces.push(piece);
            if self.is_dry(py)? {
                return Ok(Ending::Dry);
            }
        }
    }

    fn read_into(&self, buffer: &Bound<'_, PyAny>, size: usize) -> PyResult<(usize, Ending)> {
        let py = buffer.py();
        let view = PyMemoryView::from(buffer)?.into_any();
        let outcome = self.fill(&view, size);
        // The protocol may want to make its buffer larger.
        view.call_method0(intern!(py, "release"))?;
        outcome
    }

    fn fill(&self, view: &Bound<'_, PyAny>, size: usize) -> PyResult<(usize, Ending)> {
        let py = view.py();
        let ssl_object = self.ssl_object.bind(py);
        let mut filled = 0;
        while filled < size {
            let rest = match filled {
                0 => view.clone(),
                filled => view.get_item(PySlice::new(
                    py,
                    filled.cast_signed(),
                    size.cast_signed(),
                    1,
                ))?,
            };
            match ssl_object.call_method1(intern!(py, "read"), (size - filled, rest)) {
                Ok(count) => match count.extract::<usize>()? {
                    0 => return Ok((filled, Ending::Closed)),
                    count => filled += count,
                },
                Err(error) if is_for_later(py, &error)? => return Ok((filled, Ending::Dry)),
                Err(error) => return Err(error),
            }
            if filled < size && self.is_dry(py)? {
                return Ok((filled, Ending::Dry));
            }
        }
        Ok((filled, Ending::Full))
    }

    fn write(&self, py: Python<'_>, content: &[u8]) -> PyResult<usize> {
        let bytes = PyBytes::new(py, &content[..content.len().min(RECORD)]);
        let written = self
            .ssl_object
            .call_method1(py, intern!(py, "write"), (bytes,));
        match written {
            Ok(count) => count.extract(py),
            Err(error) if is_for_later(py, &error)? => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// What an `SSLObject` calls itself; a subclass of a user's is called as it is.
fn inner<'py>(ssl_object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static PLAIN: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let plain = PLAIN.import(ssl_object.py(), "ssl", "SSLObject")?;
    if ssl_object.get_type().is(plain) {
        return ssl_object.getattr(intern!(ssl_object.py(), "_sslobj"));
    }
    if ssl_object.is_instance(plain)? {
        return Ok(ssl_object.clone());
    }
    Err(PyTypeError::new_err(format!(
        "expected an ssl.SSLObject, found {}",
        ssl_object.get_type()
    )))
}

/// Asyncio's `SSLAgainErrors`.
fn is_for_later(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    static LATER: PyOnceLock<[Py<PyAny>; 2]> = PyOnceLock::new();
    let later = LATER.get_or_try_init(py, || {
        let ssl = py.import("ssl")?;
        let names = ["SSLWantReadError", "SSLSyscallError"];
        let [read, call] = names.map(|name| ssl.getattr(name).map(Bound::unbind));
        PyResult::Ok([read?, call?])
    })?;
    Ok(later
        .iter()
        .any(|class| error.matches(py, class.bind(py)).unwrap_or(false)))
}
