//! A TLS session: what Python tells it and asks it, beside what goes through it.
//!
//! Only `corrente._tls` calls these methods; they follow the names of asyncio's `SSLProtocol`.

use std::io;
use std::sync::Arc;

use corrente_driver::Descriptor;
use corrente_driver::socket::Moved;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::engine::{Engine, Memory};
use super::{Mode, State, reading, settle, writing};
use crate::ffi::bytes::with_content;
use crate::ffi::confined::Confined;
use crate::ffi::openssl::Native;
use crate::memory;
use crate::transport::stream::methods::delivery;

/// What encrypts and decrypts for one connection.
#[pyclass(frozen, name = "Session", module = "corrente._native")]
#[derive(Debug)]
pub(crate) struct Session {
    state: Confined<State>,
}

impl Session {
    pub(super) fn with<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut State) -> R,
    ) -> PyResult<R> {
        self.state.with(py, work)
    }

    /// What does the cryptography, until the connection is lost.
    pub(super) fn engine(&self, py: Python<'_>) -> PyResult<Option<Arc<Engine>>> {
        self.with(py, |state| state.engine.clone())
    }

    pub(super) fn mode(&self, py: Python<'_>) -> PyResult<Mode> {
        self.with(py, |state| state.mode)
    }

    pub(super) fn stream<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.with(py, |state| {
            state.stream.as_ref().map(|one| one.bind(py).clone())
        })
    }

    /// Tells asyncio's half something; nothing where the connection is lost.
    pub(super) fn tell<'py>(
        &self,
        py: Python<'py>,
        call: impl FnOnce(Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let machine = self.with(py, |state| {
            state.machine.as_ref().map(|one| one.bind(py).clone())
        })?;
        machine.map_or(Ok(()), |machine| call(machine).map(drop))
    }

    /// Takes what the stream has read. Runs no Python code of a user's.
    pub(crate) fn feed(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        match self.engine(py)? {
            Some(engine) if !content.is_empty() => engine.feed(py, content),
            _ => Ok(()),
        }
    }

    /// Takes what the socket of its stream has; the kernel's errors are in the inner result.
    pub(crate) fn receive(
        &self,
        py: Python<'_>,
        descriptor: Descriptor,
    ) -> PyResult<io::Result<Moved>> {
        match self.engine(py)? {
            Some(engine) => engine.receive(py, descriptor),
            // The connection is lost, and what comes is nobody's.
            None => Ok(memory::read_with(descriptor, |_| ()).map(|(moved, ())| moved)),
        }
    }

    /// Something was fed: goes on with whatever is going on.
    pub(crate) fn advance(&self, py: Python<'_>) -> PyResult<()> {
        reading::advance(py, self)
    }

    /// Encrypts and sends what can be sent.
    pub(crate) fn flush(&self, py: Python<'_>) -> PyResult<()> {
        settle(py, self, writing::flush(py, self))
    }
}

#[pymethods]
impl Session {
    #[new]
    fn new() -> Self {
        Self {
            state: Confined::new(State::default()),
        }
    }

    /// The objects of Python's `ssl` that it works with. Gives back whether OpenSSL is asked without them.
    fn attach(
        &self,
        ssl_object: &Bound<'_, PyAny>,
        incoming: &Bound<'_, PyAny>,
        outgoing: &Bound<'_, PyAny>,
        way: &str,
    ) -> PyResult<bool> {
        let native = (way == "native").then(|| Native::of(ssl_object, incoming, outgoing));
        let engine = match native.flatten() {
            Some(native) => Engine::Native(native),
            None => Engine::Memory(Memory::of(ssl_object, incoming, outgoing)?),
        };
        let is_native = matches!(engine, Engine::Native(_));
        let before = self.with(ssl_object.py(), |state| {
            state.engine.replace(Arc::new(engine))
        })?;
        drop(before);
        Ok(is_native)
    }

    /// The stream is there.
    fn begin(&self, py: Python<'_>, machine: Py<PyAny>, stream: &Bound<'_, PyAny>) -> PyResult<()> {
        let stream = stream.clone().unbind();
        let before = self.with(py, |state| {
            (state.machine.replace(machine), state.stream.replace(stream))
        })?;
        drop(before);
        Ok(())
    }

    /// The stream is gone, and with it what waits to be written.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let before = self.with(py, std::mem::take)?;
        drop(before);
        Ok(())
    }

    /// The name of asyncio's `SSLProtocolState`.
    fn set_mode(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, |state| state.mode = Mode::named(name))
    }

    fn set_protocol(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let delivery = delivery(protocol)?;
        let before = self.with(protocol.py(), |state| {
            state.delivery = delivery;
            state.protocol.replace(protocol.clone().unbind())
        })?;
        drop(before);
        Ok(())
    }

    #[setter]
    fn is_reading_paused(&self, py: Python<'_>, is_paused: bool) -> PyResult<()> {
        self.with(py, |state| state.is_reading_paused = is_paused)
    }

    /// Whether the protocol was told to stop writing.
    #[setter]
    fn is_writing_paused(&self, py: Python<'_>, is_paused: bool) -> PyResult<()> {
        self.with(py, |state| state.writing.is_above = is_paused)
    }

    /// Whether the stream was told to stop reading.
    #[setter]
    fn is_stream_paused(&self, py: Python<'_>, is_paused: bool) -> PyResult<()> {
        self.with(py, |state| state.reading.is_above = is_paused)
    }

    fn set_write_marks(&self, py: Python<'_>, high: usize, low: usize) -> PyResult<()> {
        self.with(py, |state| {
            (state.writing.high, state.writing.low) = (high, low);
        })
    }

    fn set_read_marks(&self, py: Python<'_>, high: usize, low: usize) -> PyResult<()> {
        self.with(py, |state| {
            (state.reading.high, state.reading.low) = (high, low);
        })
    }

    /// Adds to what is to be encrypted.
    fn append(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let chunk = writing::copied(data)?;
        self.with(data.py(), |state| state.queue.push(chunk, 0))
    }

    /// Takes encrypted bytes that were read elsewhere.
    #[pyo3(name = "feed")]
    fn feed_object(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        with_content(data, |content| self.feed(data.py(), content))?
    }

    /// Decrypts what has come and gives it to the protocol.
    fn read(&self, py: Python<'_>) -> PyResult<()> {
        reading::read(py, self)
    }

    /// Encrypts what was written and sends it.
    #[pyo3(name = "flush")]
    fn flush_now(&self, py: Python<'_>) -> PyResult<()> {
        self.flush(py)
    }

    /// Bytes that wait to be decrypted.
    fn incoming(&self, py: Python<'_>) -> PyResult<usize> {
        self.engine(py)?.map_or(Ok(0), |engine| engine.incoming(py))
    }

    /// Bytes that wait to be encrypted or sent.
    fn outgoing(&self, py: Python<'_>) -> PyResult<usize> {
        let queued = self.with(py, |state| state.queue.len())?;
        let encrypted = self
            .engine(py)?
            .map_or(Ok(0), |engine| engine.outgoing(py))?;
        Ok(queued + encrypted)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let shown = self.state.peek(|state| {
            if let Some(engine) = &state.engine {
                engine.show(&visit)?;
            }
            let others = state.machine.iter().chain(&state.stream);
            others
                .chain(&state.protocol)
                .try_for_each(|one| visit.call(one))
        });
        shown.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let before = self.state.peek(std::mem::take);
        drop(before);
    }
}
