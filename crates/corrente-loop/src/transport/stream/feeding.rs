//! Reading for `asyncio.StreamReader`: what comes goes straight into the reader's buffer.
//!
//! A `StreamReaderProtocol` does nothing with data but hand them to its reader, which appends them to a
//! bytearray, wakes whoever waits, and pauses the transport when it has twice its limit. This does the
//! same without making a `bytes` object and without four Python calls. It is done only for asyncio's
//! exact classes with their own methods; a subclass or a patched method is called as ever.
//!
//! Source: `asyncio.streams.StreamReader.feed_data`, alike from Python 3.11 to 3.14.

use corrente_driver::socket::Moved;
use pyo3::exceptions::PyNotImplementedError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyWeakrefReference};

use super::reading::{self, Plan};
use super::{Stream, fatal};
use crate::ffi::bytes::{call_method_one, extend, read_behind};
use crate::memory;

/// The classes and methods as they were when they were first needed.
struct Known {
    protocol: Py<PyAny>,
    reader: Py<PyAny>,
    data_received: Py<PyAny>,
    feed_data: Py<PyAny>,
}

static KNOWN: PyOnceLock<Known> = PyOnceLock::new();

fn known(py: Python<'_>) -> PyResult<&Known> {
    KNOWN.get_or_try_init(py, || {
        let streams = py.import("asyncio.streams")?;
        let protocol = streams.getattr("StreamReaderProtocol")?;
        let reader = streams.getattr("StreamReader")?;
        Ok(Known {
            data_received: protocol.getattr("data_received")?.unbind(),
            feed_data: reader.getattr("feed_data")?.unbind(),
            protocol: protocol.unbind(),
            reader: reader.unbind(),
        })
    })
}

/// Whether a protocol's data can go straight to its reader.
pub(super) fn is_possible(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = protocol.py();
    let known = known(py)?;
    if !protocol.get_type().is(&known.protocol) {
        return Ok(false);
    }
    let data_received = known.protocol.getattr(py, intern!(py, "data_received"))?;
    let feed_data = known.reader.getattr(py, intern!(py, "feed_data"))?;
    let is_untouched = data_received.is(&known.data_received) && feed_data.is(&known.feed_data);
    Ok(is_untouched && reader(protocol)?.is_some())
}

/// The protocol's reader, if it is alive and of asyncio's own class.
fn reader<'py>(protocol: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = protocol.py();
    let weak = protocol.getattr(intern!(py, "_stream_reader_wr"))?;
    let reader = match weak.cast_exact::<PyWeakrefReference>() {
        Ok(weak) => weak.upgrade(),
        Err(_) => None,
    };
    let known = known(py)?;
    Ok(reader.filter(|reader| reader.get_type().is(&known.reader)))
}

/// The socket has something for a reader.
pub(super) fn ready(transport: &Bound<'_, PyAny>, stream: &Stream, plan: &Plan) -> PyResult<()> {
    let py = transport.py();
    let protocol = plan.protocol.bind(py);
    let Some(reader) = reader(protocol)? else {
        return reading::data(transport, stream, plan);
    };
    let buffer = reader.getattr(intern!(py, "_buffer"))?;
    let Ok(buffer) = buffer.cast_exact::<PyByteArray>() else {
        return reading::data(transport, stream, plan);
    };
    let read = if let Some(size) = plan.room.own_bytes() {
        read_behind(stream.descriptor, buffer, size)
    } else {
        match memory::read_with(stream.descriptor, |content| extend(buffer, content)) {
            Ok((moved, appended)) => appended.map(|()| Ok(moved)),
            Err(error) => Ok(Err(error)),
        }
    };
    let fed = match read {
        Ok(Ok(Moved::Bytes(0))) => return reading::ended(transport, stream, &plan.protocol),
        Ok(Ok(Moved::Bytes(length))) => plan
            .note(py, stream, length)
            .map(|()| stream.event_loop.get().unanswered.add(length as u64))
            .and_then(|()| wake(&reader))
            .and_then(|()| limit(&reader, buffer)),
        Ok(Ok(Moved::Later)) => Ok(()),
        Ok(Err(error)) => return reading::failed(transport, &error),
        Err(error) => Err(error),
    };
    fed.or_else(|error| {
        let message = "Fatal error: protocol.data_received() call failed.";
        fatal(transport, error, message)
    })
}

/// Hands data to a protocol's reader; `false` where it has none that is alive.
pub(in crate::transport) fn feed(
    protocol: &Bound<'_, PyAny>,
    pieces: &[Bound<'_, PyBytes>],
) -> PyResult<bool> {
    let Some(reader) = reader(protocol)? else {
        return Ok(false);
    };
    let buffer = reader.getattr(intern!(protocol.py(), "_buffer"))?;
    let Ok(buffer) = buffer.cast_exact::<PyByteArray>() else {
        return Ok(false);
    };
    for piece in pieces {
        extend(buffer, piece.as_bytes())?;
    }
    wake(&reader)?;
    limit(&reader, buffer)?;
    Ok(true)
}

/// `StreamReader._wakeup_waiter`.
fn wake(reader: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = reader.py();
    let name = intern!(py, "_waiter");
    let waiter = reader.getattr(name)?;
    if waiter.is_none() {
        return Ok(());
    }
    reader.setattr(name, py.None())?;
    let none = py.None().into_bound(py);
    match call_method_one(&waiter, intern!(py, "set_result"), &none) {
        Ok(_) => Ok(()),
        // Asyncio asks first, but few are.
        Err(_) if waiter.call_method0(intern!(py, "cancelled"))?.is_truthy()? => Ok(()),
        Err(error) => Err(error),
    }
}

/// Pauses the transport where the reader has more than it likes.
fn limit(reader: &Bound<'_, PyAny>, buffer: &Bound<'_, PyByteArray>) -> PyResult<()> {
    let py = reader.py();
    let length = buffer.len();
    let limit: usize = reader.getattr(intern!(py, "_limit"))?.extract()?;
    if length <= limit.saturating_mul(2) || reader.getattr(intern!(py, "_paused"))?.is_truthy()? {
        return Ok(());
    }
    let own = reader.getattr(intern!(py, "_transport"))?;
    if own.is_none() {
        return Ok(());
    }
    match own.call_method0(intern!(py, "pause_reading")) {
        Ok(_) => reader.setattr(intern!(py, "_paused"), true),
        // As asyncio does: one that cannot pause is not asked again.
        Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {
            reader.setattr(intern!(py, "_transport"), py.None())
        }
        Err(error) => Err(error),
    }
}
