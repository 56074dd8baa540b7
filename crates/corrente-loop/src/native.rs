//! Protocols that are written in Rust, and the transports that they write to.
//!
//! To asyncio a [`NativeProtocol`] is a protocol like any other, so it also runs on other loops. Our own streams
//! hand it what they read where it lies, without a `bytes` object and without a call of Python.
//!
//! Must not know what protocols speak. Key invariant: what a protocol is lent is not used by anybody else while it
//! runs Python code, so nothing that it calls can change it.

mod resting;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

pub use corrente_driver::file::{FilePart, duplicate};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::event_loop::own;
use crate::ffi::bytes::with_content;
use crate::ffi::method::panicked;
use crate::transport::{stream, tls};

pub use resting::{Rest, Rested, Resting, Shelters};

/// What a connection's protocol does, in asyncio's order: `made`, then the others, then `lost`, once.
///
/// The state is the protocol's own; its methods are called by the loop's thread, and may be called while one of
/// them runs Python code.
pub trait Protocol: Send + Sync + 'static {
    /// The connection is there.
    ///
    /// # Errors
    ///
    /// What is raised is for the loop's exception handler.
    fn made(&self, py: Python<'_>, transport: Transport) -> PyResult<()>;

    /// Something has come.
    ///
    /// # Errors
    ///
    /// The connection is closed, and the loop's exception handler told.
    fn received(&self, py: Python<'_>, content: &[u8]) -> PyResult<()>;

    /// Something has come, in memory that may be changed until this returns.
    ///
    /// # Errors
    ///
    /// As `received`.
    fn received_lent(&self, py: Python<'_>, content: &mut [u8]) -> PyResult<()> {
        self.received(py, content)
    }

    /// Something has come in an object of its own, which may be kept: no copy.
    ///
    /// # Errors
    ///
    /// As `received`.
    fn received_object(&self, py: Python<'_>, content: &Bound<'_, PyBytes>) -> PyResult<()> {
        self.received(py, content.as_bytes())
    }

    /// How much of what comes next it would keep, in bytes: so much is read into an object of its own at most.
    fn keeps(&self, _py: Python<'_>) -> usize {
        0
    }

    /// The peer has ended its side; whether the other one stays open.
    ///
    /// # Errors
    ///
    /// As `received`.
    fn ended(&self, py: Python<'_>) -> PyResult<bool>;

    /// The connection is gone.
    ///
    /// # Errors
    ///
    /// As `made`.
    fn lost(&self, py: Python<'_>, exception: Option<Bound<'_, PyAny>>) -> PyResult<()>;

    /// The transport has more to write than it likes, or has no longer.
    ///
    /// # Errors
    ///
    /// As `made`.
    fn flow(&self, py: Python<'_>, flow: Flow) -> PyResult<()>;

    /// What it did when it was called last, for whoever tells of stalls; `None` where it does not say.
    fn request(&self, _py: Python<'_>) -> Option<String> {
        None
    }

    /// Shows the collector what Python objects it refers to.
    fn show(&self, show: &mut dyn FnMut(&Py<PyAny>));

    /// Gives up what it refers to: nobody can reach it any more.
    fn clear(&self);
}

/// Whether callbacks wait in an event loop of ours that were scheduled since its turn began: what begins now would
/// overtake them if it ran at once.
///
/// # Errors
///
/// `RuntimeError` where another thread uses the loop.
pub fn owes_callbacks(event_loop: &Bound<'_, PyAny>) -> PyResult<bool> {
    match own(event_loop) {
        Ok(this) => this.get().owes_callbacks(event_loop.py()),
        Err(_) => Ok(false),
    }
}

/// Whether a protocol should write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Not now: `pause_writing()`.
    Paused,
    /// Again: `resume_writing()`.
    Resumed,
}

/// A protocol in Rust, as asyncio sees it.
#[pyclass(frozen, weakref, name = "NativeProtocol", module = "corrente._native")]
pub struct NativeProtocol {
    protocol: Box<dyn Protocol>,
    /// Whether the transport is another loop's.
    is_elsewhere: AtomicBool,
    /// Whether that has room again, of which the protocol is to be told.
    owes_room: AtomicBool,
}

impl std::fmt::Debug for NativeProtocol {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NativeProtocol")
    }
}

impl NativeProtocol {
    /// Makes it of what it does.
    pub fn new(protocol: Box<dyn Protocol>) -> Self {
        Self {
            protocol,
            is_elsewhere: AtomicBool::new(false),
            owes_room: AtomicBool::new(false),
        }
    }

    /// Something has come; a panic ends the connection, not the loop.
    pub(crate) fn received(&self, py: Python<'_>, content: &mut [u8]) -> PyResult<()> {
        catch_unwind(AssertUnwindSafe(|| {
            self.protocol.received_lent(py, content)
        }))
        .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
    }

    /// The same, in an object of its own.
    pub(crate) fn received_object(
        &self,
        py: Python<'_>,
        content: &Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        catch_unwind(AssertUnwindSafe(|| {
            self.protocol.received_object(py, content)
        }))
        .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
    }

    /// How much of what comes next it would keep, in bytes.
    pub(crate) fn keeps(&self, py: Python<'_>) -> usize {
        self.protocol.keeps(py)
    }
}

#[pymethods]
impl NativeProtocol {
    fn connection_made(&self, transport: &Bound<'_, PyAny>) -> PyResult<()> {
        let made = Transport::of(transport);
        let is_elsewhere = made.family == Family::Foreign;
        self.is_elsewhere.store(is_elsewhere, Ordering::Relaxed);
        self.protocol.made(transport.py(), made)
    }

    fn data_received(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        // A copy, where it may change: the protocol runs Python code while it reads.
        if let Ok(bytes) = data.cast_exact::<PyBytes>() {
            return self.protocol.received_object(data.py(), bytes);
        }
        let copy = with_content(data, <[u8]>::to_vec)?;
        self.protocol.received(data.py(), &copy)
    }

    fn eof_received(&self, py: Python<'_>) -> PyResult<bool> {
        self.protocol.ended(py)
    }

    fn connection_lost(&self, py: Python<'_>, exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        self.owes_room.store(false, Ordering::Relaxed);
        self.protocol.lost(py, exception)
    }

    fn pause_writing(&self, py: Python<'_>) -> PyResult<()> {
        self.owes_room.store(false, Ordering::Relaxed);
        self.protocol.flow(py, Flow::Paused)
    }

    /// Not at once where it is another loop's transport that says so: asyncio's ends a connection twice that is closed
    /// meanwhile, and the second time raises (CPython's issue 156512).
    fn resume_writing(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (this, py) = (slf.get(), slf.py());
        if !this.is_elsewhere.load(Ordering::Relaxed) {
            return this.protocol.flow(py, Flow::Resumed);
        }
        this.owes_room.store(true, Ordering::Relaxed);
        let running = py
            .import(intern!(py, "asyncio"))?
            .call_method0(intern!(py, "get_running_loop"))?;
        let told = slf.getattr(intern!(py, "_has_room"))?;
        running
            .call_method1(intern!(py, "call_soon"), (told,))
            .map(drop)
    }

    /// There was room a moment ago, and it is there still.
    fn _has_room(&self, py: Python<'_>) -> PyResult<()> {
        if self.owes_room.swap(false, Ordering::Relaxed) {
            return self.protocol.flow(py, Flow::Resumed);
        }
        Ok(())
    }

    /// What it did last: see `Protocol::request`.
    fn _request(&self, py: Python<'_>) -> Option<String> {
        self.protocol.request(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let mut outcome = Ok(());
        self.protocol.show(&mut |object| {
            if outcome.is_ok() {
                outcome = visit.call(object);
            }
        });
        outcome
    }

    fn __clear__(&self) {
        self.protocol.clear();
    }
}

/// What a protocol writes to.
#[derive(Debug)]
pub struct Transport {
    object: Py<PyAny>,
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// A stream of ours.
    Stream,
    /// A TLS session of ours.
    Secured,
    /// Another loop's.
    Foreign,
}

impl Transport {
    fn of(object: &Bound<'_, PyAny>) -> Self {
        let family = if stream::is_one(object) {
            Family::Stream
        } else if tls::is_one(object) {
            Family::Secured
        } else {
            Family::Foreign
        };
        Self {
            object: object.clone().unbind(),
            family,
        }
    }

    /// The same transport once more.
    #[must_use]
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            object: self.object.clone_ref(py),
            family: self.family,
        }
    }

    /// Gives it up, without asking whether the thread is attached.
    pub fn drop_ref(self, py: Python<'_>) {
        self.object.drop_ref(py);
    }

    /// What Python calls it.
    pub fn object(&self) -> &Py<PyAny> {
        &self.object
    }

    /// Writes: now, as far as the socket takes it; under TLS when the callback that is running returns.
    ///
    /// # Errors
    ///
    /// What the transport raises. A lost connection is none: what is written to it is dropped.
    #[inline]
    pub fn write(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        let transport = self.object.bind(py);
        match self.family {
            Family::Stream => stream::pass(transport, content, stream::Behind::Nothing),
            Family::Secured => tls::write(transport, content),
            Family::Foreign => self.call(py, PyBytes::new(py, content).as_any()),
        }
    }

    /// The same with a `bytes` object, which is kept where the socket does not take it: no copy.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn write_bytes(&self, py: Python<'_>, bytes: &Bound<'_, PyBytes>) -> PyResult<()> {
        match self.family {
            Family::Stream => {
                stream::pass(self.object.bind(py), b"", stream::Behind::Object(bytes))
            }
            Family::Secured | Family::Foreign => self.call(py, bytes.as_any()),
        }
    }

    /// Writes some content and a `bytes` object behind it, which is kept where the socket does not take it.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn write_before(
        &self,
        py: Python<'_>,
        content: &[u8],
        bytes: &Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        if self.family == Family::Stream {
            let behind = stream::Behind::Object(bytes);
            return stream::pass(self.object.bind(py), content, behind);
        }
        if !content.is_empty() {
            self.write(py, content)?;
        }
        self.write_bytes(py, bytes)
    }

    /// Writes some content and other content behind it, without joining them; what the socket does not take is copied.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn write_both(&self, py: Python<'_>, first: &[u8], second: &[u8]) -> PyResult<()> {
        if self.family == Family::Stream {
            let behind = stream::Behind::Lent(second);
            return stream::pass(self.object.bind(py), first, behind);
        }
        if self.family == Family::Foreign {
            return self.write(py, &[first, second].concat());
        }
        self.write(py, first)?;
        self.write(py, second)
    }

    /// The addresses of the peer and of this end, of a stream of ours that was accepted on an internet address.
    ///
    /// # Errors
    ///
    /// `RuntimeError` where the transport is gone.
    pub fn addresses(&self, py: Python<'_>) -> PyResult<Option<(SocketAddr, SocketAddr)>> {
        match self.family {
            Family::Stream => stream::addresses(self.object.bind(py)),
            Family::Secured | Family::Foreign => Ok(None),
        }
    }

    /// Whether it is known to be no TLS session.
    pub fn is_plain(&self) -> bool {
        self.family == Family::Stream
    }

    /// Whether [`Self::write_file`] sends files.
    pub fn sends_files(&self) -> bool {
        self.family == Family::Stream
    }

    /// Sends some content, if there is any, and behind it a part of a file, which the kernel copies (`sendfile(2)`). Gives the
    /// file back where the transport cannot do so, since it encrypts or is another loop's; the content is written then.
    ///
    /// # Errors
    ///
    /// As [`Self::write`]. A file that ends early ends the connection.
    pub fn write_file(
        &self,
        py: Python<'_>,
        content: &[u8],
        part: FilePart,
    ) -> PyResult<Option<FilePart>> {
        if self.family == Family::Stream {
            return stream::pass_file(self.object.bind(py), content, part).map(|()| None);
        }
        if !content.is_empty() {
            self.write(py, content)?;
        }
        Ok(Some(part))
    }

    fn call(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let write = intern!(py, "write");
        self.object.call_method1(py, write, (data,)).map(drop)
    }

    /// Stops reading: what comes stays with the kernel.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn pause_reading(&self, py: Python<'_>) -> PyResult<()> {
        self.tell(py, intern!(py, "pause_reading"))
    }

    /// Reads again.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn resume_reading(&self, py: Python<'_>) -> PyResult<()> {
        self.tell(py, intern!(py, "resume_reading"))
    }

    /// Whether it is closing or closed.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn is_closing(&self, py: Python<'_>) -> PyResult<bool> {
        let transport = self.object.bind(py);
        if self.family == Family::Stream {
            return stream::is_ending(transport);
        }
        let closing = transport.call_method0(intern!(py, "is_closing"))?;
        closing.is_truthy()
    }

    /// Closes it once all is written.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.tell(py, intern!(py, "close"))
    }

    /// Closes it at once; what waits is dropped.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.tell(py, intern!(py, "abort"))
    }

    fn tell(&self, py: Python<'_>, method: &Bound<'_, pyo3::types::PyString>) -> PyResult<()> {
        self.object.call_method0(py, method).map(drop)
    }

    /// `get_extra_info(name)`.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn extra<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let get = intern!(py, "get_extra_info");
        self.object.bind(py).call_method1(get, (name,))
    }
}
