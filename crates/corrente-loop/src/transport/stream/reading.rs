//! From the socket to the protocol: one read for each time that the loop says there is something.
//!
//! Small reads go through memory that is used again and again and are copied once they are known; after one that was
//! not small, the next ones go straight into a larger `bytes` object, which is then made as short as it has to be.

use std::io;

use corrente_driver::socket::Moved;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Delivery, Life, Reading, Stream, fatal, feeding};
use crate::error::os_error;
use crate::ffi::bytes::{self, Read};
use crate::memory::{self, Room, UNCOPIED_LEAST};
use crate::native::NativeProtocol;
use crate::transport::tls::Session;
use crate::watched::Side;

const READ_FAILED: &str = "Fatal read error on socket transport";
const RECEIVED_FAILED: &str = "Fatal error: protocol.data_received() call failed.";

/// What a read needs to know.
pub(super) struct Plan {
    pub protocol: Py<PyAny>,
    delivery: Delivery,
    session: Option<Py<Session>>,
    pub room: Room,
}

impl Plan {
    /// So much was read: where the next read goes.
    pub(super) fn note(&self, py: Python<'_>, stream: &Stream, length: usize) -> PyResult<()> {
        stream.metrics().received.add(length as u64);
        let room = self.room.after(length);
        if room == self.room {
            return Ok(());
        }
        stream.with(py, |state| state.room = room)
    }
}

/// The socket has something to read, or its end.
pub(super) fn ready(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    let py = transport.py();
    let plan = stream.with(py, |state| {
        let is_wanted = state.life == Life::Open && state.reading == Reading::On;
        let protocol = state.protocol.as_ref().filter(|_| is_wanted)?;
        Some(Plan {
            protocol: protocol.clone_ref(py),
            delivery: state.delivery,
            session: state.session.as_ref().map(|session| session.clone_ref(py)),
            room: state.room,
        })
    })?;
    let Some(plan) = plan else {
        return Ok(());
    };
    if let Some(session) = &plan.session {
        return secured(transport, stream, &plan, session);
    }
    match plan.delivery {
        Delivery::Data => data(transport, stream, &plan),
        Delivery::Buffer => buffer(transport, stream, &plan),
        Delivery::Reader => feeding::ready(transport, stream, &plan),
        Delivery::Native => native(transport, stream, &plan),
    }
}

pub(super) fn data(transport: &Bound<'_, PyAny>, stream: &Stream, plan: &Plan) -> PyResult<()> {
    let py = transport.py();
    let read = match plan.room.own_bytes() {
        Some(size) => bytes::read(py, stream.descriptor, size)?,
        None => memory::read(py, stream.descriptor, memory::SIZE),
    };
    let content = match read {
        Ok(Read::Data(content)) => content,
        Ok(Read::End) => return ended(transport, stream, &plan.protocol),
        Ok(Read::Later) => return Ok(()),
        Err(error) => return failed(transport, &error),
    };
    plan.note(py, stream, content.as_bytes().len())?;
    let name = intern!(py, "data_received");
    match bytes::call_method_one(plan.protocol.bind(py), name, content.as_any()) {
        Ok(_) => Ok(()),
        Err(error) => fatal(transport, error, RECEIVED_FAILED),
    }
}

fn buffer(transport: &Bound<'_, PyAny>, stream: &Stream, plan: &Plan) -> PyResult<()> {
    let py = transport.py();
    let protocol = plan.protocol.bind(py);
    let room = protocol.call_method1(intern!(py, "get_buffer"), (-1,));
    let room = room.and_then(|room| match room.len()? {
        0 => Err(PyRuntimeError::new_err(
            "get_buffer() returned an empty buffer",
        )),
        _ => Ok(room),
    });
    let room = match room {
        Ok(room) => room,
        Err(error) => {
            let message = "Fatal error: protocol.get_buffer() call failed.";
            return fatal(transport, error, message);
        }
    };
    let length = match bytes::read_into(stream.descriptor, &room) {
        Ok(Ok(Moved::Bytes(0))) => return ended(transport, stream, &plan.protocol),
        Ok(Ok(Moved::Bytes(length))) => {
            stream.metrics().received.add(length as u64);
            length
        }
        Ok(Ok(Moved::Later)) => return Ok(()),
        Ok(Err(error)) => return failed(transport, &error),
        Err(error) => return fatal(transport, error, READ_FAILED),
    };
    match protocol.call_method1(intern!(py, "buffer_updated"), (length,)) {
        Ok(_) => Ok(()),
        Err(error) => fatal(
            transport,
            error,
            "Fatal error: protocol.buffer_updated() call failed.",
        ),
    }
}

/// What comes is for a protocol in Rust.
fn native(transport: &Bound<'_, PyAny>, stream: &Stream, plan: &Plan) -> PyResult<()> {
    let py = transport.py();
    let Ok(protocol) = plan.protocol.bind(py).cast_exact::<NativeProtocol>() else {
        return data(transport, stream, plan);
    };
    if let Some(size) = plan.room.own_bytes() {
        let kept = size.min(protocol.get().keeps(py));
        if kept >= UNCOPIED_LEAST {
            return kept_by(transport, stream, plan, kept);
        }
    }
    let moved = memory::read_with(stream.descriptor, |content| {
        if content.is_empty() {
            return Ok(());
        }
        plan.note(py, stream, content.len())?;
        protocol.get().received(py, content)
    });
    match moved {
        Ok((Moved::Bytes(0), _)) => ended(transport, stream, &plan.protocol),
        Ok((_, Ok(()))) => Ok(()),
        Ok((_, Err(error))) => fatal(transport, error, RECEIVED_FAILED),
        Err(error) => failed(transport, &error),
    }
}

/// What comes is for a protocol in Rust that would keep so much of it.
fn kept_by(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    plan: &Plan,
    most: usize,
) -> PyResult<()> {
    let py = transport.py();
    let content = match bytes::read(py, stream.descriptor, most)? {
        Ok(Read::Data(content)) => content,
        Ok(Read::End) => return ended(transport, stream, &plan.protocol),
        Ok(Read::Later) => return Ok(()),
        Err(error) => return failed(transport, &error),
    };
    plan.note(py, stream, content.as_bytes().len())?;
    let protocol = plan.protocol.bind(py).cast_exact::<NativeProtocol>()?;
    let received = protocol.get().received_object(py, &content);
    received.or_else(|error| fatal(transport, error, RECEIVED_FAILED))
}

/// What comes is for a TLS session, which decrypts it.
fn secured(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    plan: &Plan,
    session: &Py<Session>,
) -> PyResult<()> {
    let py = transport.py();
    let session = session.bind(py).get();
    let advanced = match session.receive(py, stream.descriptor) {
        Ok(Ok(Moved::Bytes(0))) => return ended(transport, stream, &plan.protocol),
        Ok(Ok(Moved::Bytes(length))) => {
            stream.metrics().received.add(length as u64);
            session.advance(py)
        }
        Ok(Ok(Moved::Later)) => return Ok(()),
        Ok(Err(error)) => return failed(transport, &error),
        Err(error) => Err(error),
    };
    advanced.or_else(|error| {
        let message = "Fatal error: protocol.buffer_updated() call failed.";
        fatal(transport, error, message)
    })
}

pub(super) fn failed(transport: &Bound<'_, PyAny>, error: &io::Error) -> PyResult<()> {
    fatal(transport, os_error(error), READ_FAILED)
}

/// The peer has ended its side: the protocol says whether the other side stays open.
pub(super) fn ended(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    protocol: &Py<PyAny>,
) -> PyResult<()> {
    let told = stream.tell_debug(transport, "received EOF");
    // Also where the log fails: the kernel would tell of the end for ever.
    told.and(see_to_end(transport, stream, protocol))
}

fn see_to_end(transport: &Bound<'_, PyAny>, stream: &Stream, protocol: &Py<PyAny>) -> PyResult<()> {
    let py = transport.py();
    let answer = protocol
        .call_method0(py, intern!(py, "eof_received"))
        .and_then(|answer| answer.is_truthy(py));
    match answer {
        Ok(true) => {
            stream.with(py, |state| {
                if state.reading == Reading::On {
                    state.reading = Reading::Ended;
                }
            })?;
            stream.unwatch(transport, Side::Read)
        }
        Ok(false) => {
            // What it has written goes now, so that the end of the connection is told from the loop, as ever.
            super::writing::flush(transport, stream)?;
            super::writing::close(transport, stream)
        }
        Err(error) => fatal(
            transport,
            error,
            "Fatal error: protocol.eof_received() call failed.",
        ),
    }
}
