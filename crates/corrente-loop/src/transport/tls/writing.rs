//! From the protocol to the stream: what a callback writes is encrypted and sent when it returns.
//!
//! Small pieces share a record (each costs 22 bytes and a pass through the cipher), large ones are encrypted where
//! they are. While something waits for the socket, what is written stays as it is and is encrypted when its
//! turn comes: so a slow peer costs no second copy. What `close()` finds unwritten is encrypted at once.

use corrente_driver::outgoing::Outgoing;
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

use super::engine::{Engine, RECORD};
use super::{FAILED, Mode, SECURED, Session, State};
use crate::ffi::bytes::{Chunk, with_content};
use crate::transport::stream::writing::GATHERED_MOST;
use crate::transport::stream::{self, Behind, gather, pass};

/// What is encrypted before it is sent, in bytes.
const BATCH: usize = 128 * 1024;

/// What is to happen with data that were written.
enum Fate {
    /// The session is not open, or over.
    Dropped,
    /// They are flushed anyway: by the loop, or when the handshake ends.
    Waits,
    /// They are sent when the callback that is running returns.
    Gathered,
    Flushed,
}

/// `write(data)`.
pub(super) fn write(
    transport: &Bound<'_, PyAny>,
    session: &Session,
    data: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let chunk = match data.cast_exact::<PyBytes>() {
        Ok(bytes) => Chunk::kept(bytes),
        Err(_) if is_bytes_like(data) => copied(data)?,
        Err(_) => {
            let name = data.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "data: expecting a bytes-like instance, got {name}"
            )));
        }
    };
    if chunk.as_ref().is_empty() {
        return Ok(());
    }
    accept(transport, session, [chunk])
}

/// The same for a protocol in Rust.
pub(crate) fn write_content(transport: &Bound<'_, PyAny>, content: &[u8]) -> PyResult<()> {
    if content.is_empty() {
        return Ok(());
    }
    let session = SECURED.get(transport)?.session.get();
    accept(transport, session, [Chunk::Copied(content.into())])
}

/// `writelines(list_of_data)`.
pub(super) fn write_lines(
    transport: &Bound<'_, PyAny>,
    session: &Session,
    lines: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = transport.py();
    let chunks = lines.try_iter()?.map(|line| {
        let line = line?;
        match line.cast_exact::<PyBytes>() {
            Ok(bytes) => Ok(Chunk::kept(bytes)),
            Err(_) => copied(&line),
        }
    });
    match chunks.collect::<PyResult<Vec<_>>>() {
        Ok(chunks) => accept(transport, session, chunks),
        // As asyncio, which finds out when it encrypts.
        Err(error) if error.is_instance_of::<PyException>(py) => {
            let arguments = (error.into_value(py), FAILED);
            session.tell(py, |machine| {
                machine.call_method1(intern!(py, "_fatal_error"), arguments)
            })
        }
        Err(error) => Err(error),
    }
}

fn is_bytes_like(data: &Bound<'_, PyAny>) -> bool {
    data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyByteArray>()
        || data.is_instance_of::<PyMemoryView>()
}

pub(super) fn copied(data: &Bound<'_, PyAny>) -> PyResult<Chunk> {
    with_content(data, |content| Chunk::Copied(content.into()))
}

fn accept(
    transport: &Bound<'_, PyAny>,
    session: &Session,
    chunks: impl IntoIterator<Item = Chunk>,
) -> PyResult<()> {
    let py = transport.py();
    let fate = session.with(py, |state| {
        if !matches!(state.mode, Mode::Open | Mode::Handshake) {
            return Fate::Dropped;
        }
        for chunk in chunks {
            state.queue.push(chunk, 0);
        }
        state.fate()
    })?;
    match fate {
        Fate::Dropped => transport
            .call_method0(intern!(py, "_tell_dropped_write"))
            .map(drop),
        Fate::Waits => Ok(()),
        Fate::Flushed => session.flush(py),
        Fate::Gathered => match session.stream(py)? {
            Some(stream) if gather(&stream)? => session.with(py, |state| state.is_due = true),
            _ => session.flush(py),
        },
    }
}

impl State {
    fn fate(&self) -> Fate {
        let length = self.queue.len();
        let is_much = length >= GATHERED_MOST || self.writing.are_crossed(length);
        match self.mode {
            Mode::Open if is_much => Fate::Flushed,
            Mode::Open if !self.is_due => Fate::Gathered,
            _ => Fate::Waits,
        }
    }
}

/// Encrypts and sends what can be sent, and tells the protocol if that is not enough, or enough again.
pub(super) fn flush(py: Python<'_>, session: &Session) -> PyResult<()> {
    let (Some(engine), Some(stream)) = (session.engine(py)?, session.stream(py)?) else {
        return Ok(());
    };
    loop {
        let (mode, has_more) = session.with(py, |state| {
            state.is_due = false;
            (state.mode, !state.queue.is_empty())
        })?;
        let may_encrypt = match mode {
            Mode::Open => has_more && !stream::is_blocked(&stream)?,
            // The session's end comes behind it.
            Mode::Flushing => has_more,
            Mode::Closed | Mode::Handshake => false,
        };
        let has_advanced = may_encrypt && encrypt(py, session, &engine)?;
        engine.drain(py, |encrypted, whole| match whole {
            Some(object) => pass(&stream, b"", Behind::Object(object)),
            None => pass(&stream, encrypted, Behind::Nothing),
        })?;
        if !has_advanced {
            break;
        }
    }
    let is_crossed = session.with(py, |state| state.writing.are_crossed(state.queue.len()))?;
    if is_crossed {
        session.tell(py, |machine| {
            machine.call_method0(intern!(py, "_control_app_writing"))
        })?;
    }
    Ok(())
}

/// Encrypts some of the queue; whether it could.
fn encrypt(py: Python<'_>, session: &Session, engine: &Engine) -> PyResult<bool> {
    // OpenSSL may call back (a renegotiation asks for a name's certificate), so the queue is not borrowed.
    let mut queue = session.with(py, |state| std::mem::take(&mut state.queue))?;
    let outcome = records(py, engine, &mut queue);
    session.with(py, |state| state.queue.prepend(queue))?;
    outcome
}

fn records(py: Python<'_>, engine: &Engine, queue: &mut Outgoing<Chunk>) -> PyResult<bool> {
    // Where small pieces are joined; most callbacks write one.
    let mut room = Vec::new();
    let mut encrypted = 0;
    while encrypted < BATCH {
        let Some(first) = queue.first() else {
            break;
        };
        let content = if first.len() >= RECORD || first.len() == queue.len() {
            first
        } else {
            room.resize(RECORD, 0);
            let length = queue.copy_to(&mut room);
            &room[..length]
        };
        let count = engine.write(py, content)?;
        drop(queue.advance(count));
        encrypted += count;
        if count == 0 {
            break;
        }
    }
    Ok(encrypted > 0)
}
