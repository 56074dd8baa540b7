//! `sock_recv`, `sock_recv_into`, `sock_sendall`: one read or one whole write of a user's own socket.
//!
//! Each is tried at once; what cannot go on becomes an [`Operation`] that the loop resumes when the
//! socket is ready, and a future that gets the outcome. The coroutines around it are in python/corrente/_loop.py:
//! they check the socket, and forget an operation whose future was cancelled.
//!
//! Key invariant: an operation whose future is done is watched no more.

use std::io;

use corrente_driver::Descriptor;
use corrente_driver::socket::{self, Moved, Sequel};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use crate::error::os_error;
use crate::event_loop::Loop;
use crate::ffi::bytes::{self, Chunk, Read, read_into, with_content};
use crate::ffi::confined::Confined;
use crate::ffi::method::{Arguments, Method};
use crate::memory::{self, Room};
use crate::watched::Side;

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

pub(crate) static METHODS: [Method; 5] = [
    Method::quick(
        c"_receive",
        c"_receive($self, sock, size, /)\n--\n\nBytes, or a future of them.",
        receive,
    ),
    Method::quick(
        c"_receive_into",
        c"_receive_into($self, sock, buffer, /)\n--\n\nHow many bytes, or a future of that.",
        receive_into,
    ),
    Method::quick(
        c"_send",
        c"_send($self, sock, data, /)\n--\n\nNone when all is written, or a future of that.",
        send,
    ),
    Method::new(
        c"_forget",
        c"_forget($self, sock, future, /)\n--\n\nThe future was cancelled.",
        forget,
    ),
    Method::END,
];

/// `EBADF`.
const NOT_OPEN: i32 = 9;

/// What is left to do.
#[derive(Debug)]
enum Deed {
    Receive(usize),
    ReceiveInto(Py<PyAny>),
    Send { data: Chunk, written: usize },
}

/// A read or a write that waits for its socket.
#[pyclass(frozen, name = "Operation", module = "corrente._native")]
#[derive(Debug)]
pub(crate) struct Operation {
    descriptor: Descriptor,
    side: Side,
    future: Py<PyAny>,
    deed: Confined<Deed>,
}

#[pymethods]
impl Operation {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.future)?;
        let shown = self.deed.peek(|deed| match deed {
            Deed::ReceiveInto(buffer) => visit.call(&*buffer),
            Deed::Receive(_) | Deed::Send { .. } => Ok(()),
        });
        shown.unwrap_or(Ok(()))
    }
}

impl Operation {
    /// What it waits for.
    pub(crate) fn place(&self) -> (Descriptor, Side) {
        (self.descriptor, self.side)
    }
}

/// What an attempt came to.
enum Attempt<'py> {
    Done(Bound<'py, PyAny>),
    /// The same, and nothing is left to read.
    Emptied(Bound<'py, PyAny>),
    Later,
}

impl Deed {
    /// Goes on as far as the socket lets it. The kernel's errors are in the inner result.
    fn attempt<'py>(
        &mut self,
        py: Python<'py>,
        descriptor: Descriptor,
        event_loop: &Loop,
    ) -> PyResult<io::Result<Attempt<'py>>> {
        let metrics = &event_loop.metrics;
        match self {
            // As Python's sockets: the kernel would have it wait for something.
            Self::Receive(0) => Ok(Ok(Attempt::Done(PyBytes::new(py, b"").into_any()))),
            Self::Receive(size) => receive_some(py, descriptor, event_loop, *size),
            Self::ReceiveInto(buffer) => match read_into(descriptor, buffer.bind(py))? {
                Ok(Moved::Bytes(size)) => {
                    metrics.received.add(size as u64);
                    Ok(Ok(Attempt::Done(size.into_pyobject(py)?.into_any())))
                }
                Ok(Moved::Later) => Ok(Ok(Attempt::Later)),
                Err(error) => Ok(Err(error)),
            },
            Self::Send { data, written } => {
                let before = *written;
                let wrote = Self::write(data, written, descriptor);
                metrics.sent.add((*written - before) as u64);
                Ok(wrote.map(|is_done| {
                    if is_done {
                        Attempt::Done(py.None().into_bound(py))
                    } else {
                        Attempt::Later
                    }
                }))
            }
        }
    }

    fn write(data: &Chunk, written: &mut usize, descriptor: Descriptor) -> io::Result<bool> {
        let left = &data.as_ref()[*written..];
        if let Moved::Bytes(bytes) = socket::write(descriptor, left, Sequel::Nothing)? {
            *written += bytes;
        }
        Ok(*written == data.as_ref().len())
    }
}

/// Receives what is there, at most so many bytes: what is large straight into an object.
fn receive_some<'py>(
    py: Python<'py>,
    descriptor: Descriptor,
    event_loop: &Loop,
    size: usize,
) -> PyResult<io::Result<Attempt<'py>>> {
    let room = event_loop
        .state
        .with(py, |state| state.watched.room(descriptor))?;
    let most = size.min(room.bytes());
    let read = match room {
        Room::Shared => memory::read(py, descriptor, most),
        Room::Own | Room::Bulk => bytes::read(py, descriptor, most)?,
    };
    let data = match read {
        Ok(Read::Data(data)) => data,
        Ok(Read::End) => return Ok(Ok(Attempt::Done(PyBytes::new(py, b"").into_any()))),
        Ok(Read::Later) => return Ok(Ok(Attempt::Later)),
        Err(error) => return Ok(Err(error)),
    };
    let length = data.as_bytes().len();
    event_loop.metrics.received.add(length as u64);
    if room != room.after(length) {
        event_loop
            .state
            .with(py, |state| state.watched.read(descriptor, length))?;
    }
    Ok(Ok(if length < most {
        Attempt::Emptied(data.into_any())
    } else {
        Attempt::Done(data.into_any())
    }))
}

fn receive<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let size: isize = arguments.required("sock_recv", 1, "nbytes")?.extract()?;
    let size =
        usize::try_from(size).map_err(|_| PyValueError::new_err("negative buffersize in recv"))?;
    begin(receiver, &arguments, Side::Read, Deed::Receive(size))
}

fn receive_into<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let buffer = arguments.required("sock_recv_into", 1, "buf")?;
    let deed = Deed::ReceiveInto(buffer.to_owned().unbind());
    begin(receiver, &arguments, Side::Read, deed)
}

fn send<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let data = arguments.required("sock_sendall", 1, "data")?;
    let data = match data.cast_exact::<PyBytes>() {
        Ok(bytes) => Chunk::kept(&bytes),
        Err(_) => Chunk::Copied(with_content(&data, |content| content.into())?),
    };
    begin(
        receiver,
        &arguments,
        Side::Write,
        Deed::Send { data, written: 0 },
    )
}

/// Tries; gives back the outcome, or a future of it.
fn begin<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
    side: Side,
    mut deed: Deed,
) -> Answer<'py> {
    let py = receiver.py();
    let event_loop = receiver.cast::<Loop>()?;
    event_loop.get().check_open()?;
    let sock = arguments.required("sock", 0, "sock")?;
    let descriptor = checked(event_loop, &sock)?;
    if let Deed::Send { data, .. } = &deed
        && data.as_ref().is_empty()
    {
        return Ok(py.None().into_bound(py));
    }
    let is_in_vain =
        matches!(deed, Deed::Receive(1..)) && event_loop.get().is_empty(&sock, descriptor)?;
    if !is_in_vain {
        match deed.attempt(py, descriptor, event_loop.get())? {
            Ok(Attempt::Done(outcome)) => return Ok(outcome),
            Ok(Attempt::Emptied(outcome)) => {
                event_loop.get().emptied(py, descriptor)?;
                return Ok(outcome);
            }
            Ok(Attempt::Later) => {}
            Err(error) => return Err(os_error(&error)),
        }
    }
    let future = receiver.call_method0(intern!(py, "create_future"))?;
    let operation = Py::new(
        py,
        Operation {
            descriptor,
            side,
            future: future.clone().unbind(),
            deed: Confined::new(deed),
        },
    )?;
    let this = event_loop.get();
    if this.has_stream(py, descriptor)? {
        // Asyncio has the words for it, with the transport.
        receiver.call_method1(
            intern!(py, "_ensure_fd_no_transport"),
            (descriptor.number(),),
        )?;
        return Err(PyRuntimeError::new_err(format!(
            "File descriptor {} is used by a transport",
            descriptor.number()
        )));
    }
    let before = this.watch_for(&sock, operation)?;
    crate::event_loop::cancel(py, before)?;
    Ok(future)
}

/// The socket of an operation is ready.
pub(crate) fn ready(py: Python<'_>, event_loop: &Loop, operation: &Py<Operation>) -> PyResult<()> {
    let this = operation.get();
    let future = this.future.bind(py);
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return stop(py, event_loop, operation);
    }
    let before = event_loop.metrics.received.get();
    let attempt = this
        .deed
        .with(py, |deed| deed.attempt(py, this.descriptor, event_loop))?;
    let received = event_loop.metrics.received.get() - before;
    event_loop.unanswered.add(received);
    let outcome = match attempt {
        Ok(Ok(Attempt::Later)) => return Ok(()),
        Ok(Ok(Attempt::Done(outcome))) => Ok(outcome),
        Ok(Ok(Attempt::Emptied(outcome))) => {
            event_loop.emptied(py, this.descriptor)?;
            Ok(outcome)
        }
        Ok(Err(error)) => Err(os_error(&error)),
        Err(error) => Err(error),
    };
    stop(py, event_loop, operation)?;
    match outcome {
        Ok(outcome) => future.call_method1(intern!(py, "set_result"), (outcome,)),
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),)),
    }
    .map(drop)
}

/// Watches an operation's socket no more, unless somebody else does by now.
fn stop(py: Python<'_>, event_loop: &Loop, operation: &Py<Operation>) -> PyResult<()> {
    let Operation {
        descriptor, side, ..
    } = operation.get();
    if event_loop.has_operation(py, *descriptor, *side, operation)? {
        drop(event_loop.watch(py, *descriptor, *side, None)?);
    }
    Ok(())
}

fn forget<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let event_loop = receiver.cast::<Loop>()?.get();
    let sock = arguments.required("_forget", 0, "sock")?;
    let future = arguments.required("_forget", 1, "future")?;
    if !event_loop.is_closed() {
        // One that was closed meanwhile does not know its number any more.
        let descriptor = Descriptor::new(fileno(&sock)?);
        let is_its = |operation: &Operation| operation.future.is(future);
        if let Some(operation) = event_loop.operation(py, descriptor, is_its)? {
            stop(py, event_loop, &operation)?;
        }
    }
    Ok(py.None().into_bound(py))
}

fn fileno(sock: &Bound<'_, PyAny>) -> PyResult<i32> {
    sock.call_method0(intern!(sock.py(), "fileno"))?.extract()
}

/// The descriptor of a user's socket, which has to be one that asyncio takes. Python's own class without debug mode
/// always is.
fn checked(event_loop: &Bound<'_, Loop>, sock: &Bound<'_, PyAny>) -> PyResult<Descriptor> {
    static SOCKET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = sock.py();
    let class = SOCKET.import(py, "socket", "socket")?;
    if !sock.get_type().is(class) || event_loop.get().is_debug() {
        event_loop.call_method1(intern!(py, "_check_socket"), (sock,))?;
    }
    // A closed one has the number -1; it is refused in the kernel's words.
    Descriptor::new(fileno(sock)?).ok_or_else(|| os_error(&io::Error::from_raw_os_error(NOT_OPEN)))
}
