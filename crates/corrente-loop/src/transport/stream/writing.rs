//! From the protocol to the socket: when the callback that writes returns, or when the socket takes more.
//!
//! A response is mostly written in pieces, head and body, by one callback. Sent one by one each piece costs
//! a call to the kernel and a segment; so what a callback writes is sent when it returns, in one call. Large
//! pieces, and what is written while no callback runs, are sent at once. Whoever looks (`is_closing`,
//! `get_write_buffer_size`, `close`) is shown what sending at once would have led to.

use std::io;

use corrente_driver::socket::{self, Moved, Sequel};
use pyo3::exceptions::{PyEOFError, PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

use super::queue::Written;
use super::{Life, Pending, State, Stream, Writing, fatal};
use crate::error::os_error;
use crate::ffi::bytes::{Chunk, with_content};
use crate::watched::Side;

/// Asyncio's `LOG_THRESHOLD_FOR_CONNLOST_WRITES`, in which the end of the connection counts as one.
const IGNORED_QUIETLY: u32 = 4;
/// What waits for a callback's return at most, in bytes: more than this is worth a call of its own.
pub(in crate::transport) const GATHERED_MOST: usize = 32 * 1024;
/// What may change is copied to wait: less than this, or behind what waits already. More is worth a call of its own.
const COPIED_MOST: usize = 4 * 1024;
pub(super) const FAILED: &str = "Fatal write error on socket transport";

/// What becomes of data that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// They go, with what waits for the callback to return.
    Go,
    /// The socket takes no more at present: behind what waits for it.
    Behind,
    /// The connection is lost; say so from the sixth time on.
    Ignored { is_told: bool },
}

impl State {
    fn admit(&mut self, method: &str) -> PyResult<Admission> {
        if self.writing == Writing::Ended {
            let text = format!("Cannot call {method}() after write_eof()");
            return Err(PyRuntimeError::new_err(text));
        }
        if self.drained.is_some() {
            let text = format!("unable to {method}; sendfile is in progress");
            return Err(PyRuntimeError::new_err(text));
        }
        if self.life == Life::Lost {
            let is_told = self.ignored >= IGNORED_QUIETLY;
            self.ignored = self.ignored.saturating_add(1);
            return Ok(Admission::Ignored { is_told });
        }
        Ok(match self.pending {
            Pending::Nothing | Pending::Callback => Admission::Go,
            Pending::Socket => Admission::Behind,
        })
    }
}

/// `write(data)`.
pub(super) fn write(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    data: &Bound<'_, PyAny>,
) -> PyResult<()> {
    if let Ok(bytes) = data.cast_exact::<PyBytes>() {
        return write_bytes(transport, stream, bytes, "write");
    }
    let is_bytes_like = data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyByteArray>()
        || data.is_instance_of::<PyMemoryView>();
    if !is_bytes_like {
        let name = data.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "data argument must be a bytes-like object, not '{name}'"
        )));
    }
    write_changing(transport, stream, data)
}

fn write_bytes(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    bytes: &Bound<'_, PyBytes>,
    method: &str,
) -> PyResult<()> {
    let py = transport.py();
    let content = bytes.as_bytes();
    let length = content.len();
    let admission = stream.with(py, |state| state.admit(method))??;
    match admission {
        _ if length == 0 => Ok(()),
        Admission::Ignored { is_told } => ignore(transport, is_told),
        Admission::Behind => keep(transport, stream, Chunk::kept(bytes), 0),
        Admission::Go if may_wait(stream, length) => gather(transport, stream, Chunk::kept(bytes)),
        Admission::Go => {
            let written = match catch_up(transport, stream)? {
                Standing::Lost => return Ok(()),
                Standing::Behind => Ok(0),
                Standing::Free => send_now(stream, content),
            };
            match written {
                Ok(written) if written == length => Ok(()),
                Ok(written) => keep(transport, stream, Chunk::kept(bytes), written),
                Err(error) => fatal(transport, os_error(&error), FAILED),
            }
        }
    }
}

/// Data that may change after the call: what is not written at once is copied.
fn write_changing(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    data: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = transport.py();
    let admission = stream.with(py, |state| state.admit("write"))??;
    if let Admission::Ignored { is_told } = admission {
        return ignore(transport, is_told);
    }
    let length = with_content(data, <[u8]>::len)?;
    if length == 0 {
        return Ok(());
    }
    let is_worth_copying =
        length < COPIED_MOST || stream.with(py, |state| state.pending == Pending::Callback)?;
    if admission == Admission::Go && is_worth_copying && may_wait(stream, length) {
        let copy = with_content(data, |content| content.into())?;
        return gather(transport, stream, Chunk::Copied(copy));
    }
    let standing = catch_up(transport, stream)?;
    if standing == Standing::Lost {
        return Ok(());
    }
    let left = with_content(data, |content| -> io::Result<Box<[u8]>> {
        let written = match standing {
            Standing::Free => send_now(stream, content)?,
            Standing::Behind | Standing::Lost => 0,
        };
        Ok(content[written..].into())
    })?;
    match left {
        Ok(left) => keep(transport, stream, Chunk::Copied(left), 0),
        Err(error) => fatal(transport, os_error(&error), FAILED),
    }
}

/// Whether so much may wait for the callback that is running.
fn may_wait(stream: &Stream, length: usize) -> bool {
    length < GATHERED_MOST && stream.event_loop.get().is_in_callback()
}

/// What the socket takes at once.
pub(super) fn send_now(stream: &Stream, content: &[u8]) -> io::Result<usize> {
    Ok(noted(
        stream,
        socket::write(stream.descriptor, content, Sequel::Nothing)?,
    ))
}

/// Counts what was moved.
pub(super) fn noted(stream: &Stream, moved: Moved) -> usize {
    match moved {
        Moved::Bytes(written) => {
            stream.metrics().sent.add(written as u64);
            written
        }
        Moved::Later => 0,
    }
}

/// Lets a piece wait until the callback returns, with what waits already; too much of it goes now.
fn gather(transport: &Bound<'_, PyAny>, stream: &Stream, chunk: Chunk) -> PyResult<()> {
    let py = transport.py();
    let (is_first, length) = stream.with(py, |state| {
        let is_first = state.pending == Pending::Nothing;
        state.pending = Pending::Callback;
        state.outgoing.push(chunk, 0);
        (is_first, state.outgoing.len())
    })?;
    if length > GATHERED_MOST {
        return flush(transport, stream);
    }
    if is_first {
        stream.event_loop.get().will_flush(transport)?;
    }
    Ok(())
}

/// Writes what waits for the callback to return, if anything does.
pub(super) fn flush(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    let sequel = stream.sequel();
    match stream.with(transport.py(), |state| state.flush(stream, sequel))? {
        Flushed::NotDue => return Ok(()),
        Flushed::All(done) => drop(done),
        Flushed::Failed(error) => return broken(transport, stream, &error),
        Flushed::Rest => {
            write_waiting(transport, stream, sequel)?;
            hold(transport, stream)?;
        }
    }
    stream.wrote(transport.py(), sequel)
}

/// What becomes of more, when what waited for the callback to return has gone as far as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may go at once.
    Free,
    /// It goes behind what waits for the socket.
    Behind,
    /// Nowhere: the connection is lost.
    Lost,
}

/// Writes what waits for the callback to return, so that more may follow it.
pub(super) fn catch_up(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<Standing> {
    flush(transport, stream)?;
    stream.with(transport.py(), |state| match state.pending {
        _ if state.life == Life::Lost => Standing::Lost,
        Pending::Nothing => Standing::Free,
        Pending::Callback | Pending::Socket => Standing::Behind,
    })
}

/// What has become of what waited for the callback to return.
enum Flushed {
    /// Nothing did.
    NotDue,
    /// All of it is written, and nothing follows from that; it was this.
    All(Option<Chunk>),
    /// Something is left, or follows.
    Rest,
    Failed(io::Error),
}

impl State {
    /// The callback has returned. Nearly all write one buffer, which the socket takes: that is done here.
    fn flush(&mut self, stream: &Stream, sequel: Sequel) -> Flushed {
        if self.pending != Pending::Callback {
            return Flushed::NotDue;
        }
        self.pending = Pending::Nothing;
        let is_plain = self.life == Life::Open
            && self.writing == Writing::Open
            && self.drained.is_none()
            && !self.flow.is_paused();
        if !is_plain {
            return Flushed::Rest;
        }
        match self.outgoing.write_only(stream.descriptor, sequel) {
            None => Flushed::Rest,
            Some(Err(error)) => Flushed::Failed(error),
            Some(Ok(Written { bytes, done })) => {
                stream.metrics().sent.add(bytes as u64);
                if self.outgoing.is_empty() {
                    Flushed::All(done.0)
                } else {
                    Flushed::Rest
                }
            }
        }
    }
}

/// `writelines(data)`: all of it in as few calls to the kernel as it takes.
pub(super) fn write_lines(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    lines: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = transport.py();
    let admission = stream.with(py, |state| state.admit("writelines"))??;
    let mut chunks = Vec::new();
    for line in lines.try_iter()? {
        let line = line?;
        chunks.push(match line.cast_exact::<PyBytes>() {
            Ok(bytes) => Chunk::kept(bytes),
            Err(_) => Chunk::Copied(with_content(&line, |content| content.into())?),
        });
    }
    if chunks.is_empty() {
        return Ok(());
    }
    if let Admission::Ignored { is_told } = admission {
        return ignore(transport, is_told);
    }
    let standing = catch_up(transport, stream)?;
    if standing == Standing::Lost {
        return Ok(());
    }
    stream.with(py, |state| {
        for chunk in chunks {
            state.outgoing.push(chunk, 0);
        }
    })?;
    if standing == Standing::Free {
        let sequel = stream.sequel();
        write_waiting(transport, stream, sequel)?;
        stream.wrote(py, sequel)?;
    }
    hold(transport, stream)
}

/// What ends a connection that cannot be written to. A file that has shrunk is nobody's connection's fault: asyncio
/// tells of it, since it is no `OSError`.
pub(super) fn failure(error: &io::Error) -> PyErr {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => PyEOFError::new_err(error.to_string()),
        _ => os_error(error),
    }
}

fn ignore(transport: &Bound<'_, PyAny>, is_told: bool) -> PyResult<()> {
    if is_told {
        transport.call_method0(intern!(transport.py(), "_tell_ignored_write"))?;
    }
    Ok(())
}

/// Keeps what the socket did not take.
fn keep(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    chunk: Chunk,
    written: usize,
) -> PyResult<()> {
    stream.with(transport.py(), |state| state.outgoing.push(chunk, written))?;
    hold(transport, stream)
}

/// If something waits: has the loop say when the socket takes more, and pauses the protocol if it is much.
pub(super) fn hold(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    let py = transport.py();
    let left = stream.with(py, |state| {
        let length = state.outgoing.len();
        let waits = state.life != Life::Lost && length > 0;
        let is_new = waits && state.pending != Pending::Socket;
        if waits {
            state.pending = Pending::Socket;
        }
        waits.then_some((length, is_new))
    })?;
    let Some((length, is_new)) = left else {
        return Ok(());
    };
    if is_new {
        stream.watch(transport, Side::Write)?;
    }
    let signal = stream.with(py, |state| state.flow.grown(length))?;
    stream.signal(transport, signal)
}

/// The socket takes more.
pub(super) fn ready(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    write_waiting(transport, stream, Sequel::Nothing)
}

fn write_waiting(transport: &Bound<'_, PyAny>, stream: &Stream, sequel: Sequel) -> PyResult<()> {
    let py = transport.py();
    let moved = stream.with(py, |state| {
        if state.life == Life::Lost || state.outgoing.is_empty() {
            return None;
        }
        let written = state.outgoing.write(stream.descriptor, sequel);
        Some(written.map(|written| match written {
            Some(Written { bytes, done }) => {
                stream.metrics().sent.add(bytes as u64);
                (done, state.flow.shrunk(state.outgoing.len()))
            }
            None => ((None, Vec::new()), super::Signal::Nothing),
        }))
    })?;
    let (done, signal) = match moved {
        None => return Ok(()),
        Some(Ok(moved)) => moved,
        Some(Err(error)) => return broken(transport, stream, &error),
    };
    drop(done);
    stream.signal(transport, signal)?;
    let is_empty = stream.with(py, |state| state.outgoing.is_empty())?;
    if is_empty {
        all_written(transport, stream)
    } else {
        Ok(())
    }
}

fn all_written(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    let py = transport.py();
    let was_watched = stream.with(py, |state| {
        std::mem::replace(&mut state.pending, Pending::Nothing) == Pending::Socket
    })?;
    if was_watched {
        stream.unwatch(transport, Side::Write)?;
    }
    let (life, writing, drained) = stream.with(py, |state| {
        let life = state.life;
        if life == Life::Closing {
            state.life = Life::Lost;
        }
        let drained = state.drained.as_ref().map(|future| future.clone_ref(py));
        (life, state.writing, drained)
    })?;
    complete(py, drained, Ok(py.None()))?;
    if life == Life::Closing {
        let lost = intern!(py, "_call_connection_lost");
        return transport.call_method1(lost, (py.None(),)).map(drop);
    }
    if writing == Writing::Ended {
        socket::end(stream.descriptor).map_err(|error| os_error(&error))?;
    }
    Ok(())
}

fn broken(transport: &Bound<'_, PyAny>, stream: &Stream, error: &io::Error) -> PyResult<()> {
    let py = transport.py();
    let (dropped, drained) = stream.with(py, |state| {
        state.pending = Pending::Nothing;
        let drained = state.drained.as_ref().map(|future| future.clone_ref(py));
        (state.outgoing.clear(), drained)
    })?;
    drop(dropped);
    stream.unwatch(transport, Side::Write)?;
    fatal(transport, failure(error), FAILED)?;
    complete(py, drained, Err(failure(error)))
}

/// Tells whoever waits until all is written, unless that was given up meanwhile.
fn complete(
    py: Python<'_>,
    drained: Option<Py<PyAny>>,
    outcome: PyResult<Py<PyAny>>,
) -> PyResult<()> {
    let Some(drained) = drained.map(|future| future.into_bound(py)) else {
        return Ok(());
    };
    if drained.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match outcome {
        Ok(result) => drained.call_method1(intern!(py, "set_result"), (result,)),
        Err(error) => drained.call_method1(intern!(py, "set_exception"), (error.into_value(py),)),
    }
    .map(drop)
}

/// `write_eof()`.
pub(super) fn end(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    let is_now = stream.with(transport.py(), |state| {
        if state.life != Life::Open || state.writing == Writing::Ended {
            return false;
        }
        state.writing = Writing::Ended;
        state.outgoing.is_empty()
    })?;
    if is_now {
        socket::end(stream.descriptor).map_err(|error| os_error(&error))?;
    }
    Ok(())
}

/// `close()`: what waits is written first.
pub(super) fn close(transport: &Bound<'_, PyAny>, stream: &Stream) -> PyResult<()> {
    let py = transport.py();
    let life = stream.with(py, |state| {
        if state.life != Life::Open {
            return None;
        }
        state.life = if state.outgoing.is_empty() {
            Life::Lost
        } else {
            Life::Closing
        };
        Some(state.life)
    })?;
    let Some(life) = life else {
        return Ok(());
    };
    stream.unwatch(transport, Side::Read)?;
    if life == Life::Lost {
        stream.unwatch(transport, Side::Write)?;
        stream.lose(transport, None)?;
    }
    Ok(())
}

/// Ends the connection at once; what waits is dropped.
pub(super) fn force_close(
    transport: &Bound<'_, PyAny>,
    stream: &Stream,
    exception: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = transport.py();
    let dropped = stream.with(py, |state| {
        if state.life == Life::Lost {
            return None;
        }
        state.life = Life::Lost;
        Some(state.outgoing.clear())
    })?;
    let Some(dropped) = dropped else {
        return Ok(());
    };
    drop(dropped);
    stream.unwatch(transport, Side::Write)?;
    stream.unwatch(transport, Side::Read)?;
    stream.lose(transport, exception)
}
