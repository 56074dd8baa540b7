//! From the stream to the protocol: what has come is decrypted, and given in one piece.
//!
//! As asyncio's `SSLProtocol._do_read`: all records that are there are read first, then `data_received` is
//! called once; a buffered protocol's buffer is filled as far as the records go.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::engine::{Ending, Engine};
use super::{Mode, Session, settle, writing};
use crate::ffi::bytes::call_method_one;
use crate::native::NativeProtocol;
use crate::transport::stream::Delivery;
use crate::transport::stream::feeding::feed;

/// The protocol, and how it takes what is read.
struct Receiver<'py> {
    protocol: Bound<'py, PyAny>,
    delivery: Delivery,
}

/// Something has come.
pub(super) fn advance(py: Python<'_>, session: &Session) -> PyResult<()> {
    match session.mode(py)? {
        Mode::Open => settle(py, session, exchange(py, session)),
        Mode::Closed | Mode::Handshake | Mode::Flushing => {
            session.tell(py, |machine| machine.call_method0(intern!(py, "_advance")))
        }
    }
}

/// Reads, and writes what that led to.
fn exchange(py: Python<'_>, session: &Session) -> PyResult<()> {
    if !session.with(py, |state| state.is_reading_paused)? {
        read(py, session)?;
        writing::flush(py, session)?;
    }
    let left = session
        .engine(py)?
        .map_or(Ok(0), |engine| engine.incoming(py))?;
    let is_crossed = session.with(py, |state| state.reading.are_crossed(left))?;
    if is_crossed {
        session.tell(py, |machine| {
            machine.call_method0(intern!(py, "_control_ssl_reading"))
        })?;
    }
    Ok(())
}

/// Decrypts what has come and gives it to the protocol.
pub(super) fn read(py: Python<'_>, session: &Session) -> PyResult<()> {
    let receiver = session.with(py, |state| {
        state.protocol.as_ref().map(|protocol| Receiver {
            protocol: protocol.bind(py).clone(),
            delivery: state.delivery,
        })
    })?;
    let (Some(receiver), Some(engine)) = (receiver, session.engine(py)?) else {
        return Ok(());
    };
    let ending = match receiver.delivery {
        Delivery::Buffer => receiver.fill(py, &engine)?,
        Delivery::Data | Delivery::Reader | Delivery::Native => receiver.receive(py, &engine)?,
    };
    match ending {
        Ending::Dry => Ok(()),
        Ending::Full => session.tell(py, |machine| machine.call_method0(intern!(py, "_read_on"))),
        Ending::Closed => session.tell(py, |machine| {
            machine.call_method0(intern!(py, "_peer_closed"))
        }),
    }
}

impl<'py> Receiver<'py> {
    fn receive(&self, py: Python<'py>, engine: &Engine) -> PyResult<Ending> {
        let mut pieces = Vec::new();
        let ending = engine.read(py, &mut pieces)?;
        if pieces.is_empty() || self.delivery == Delivery::Reader && feed(&self.protocol, &pieces)?
        {
            return Ok(ending);
        }
        let data = joined(py, pieces)?;
        if self.delivery == Delivery::Native
            && let Ok(protocol) = self.protocol.cast_exact::<NativeProtocol>()
        {
            protocol.get().received_object(py, &data)?;
            return Ok(ending);
        }
        let name = intern!(py, "data_received");
        call_method_one(&self.protocol, name, data.as_any())?;
        Ok(ending)
    }

    fn fill(&self, py: Python<'py>, engine: &Engine) -> PyResult<Ending> {
        let left = engine.incoming(py)?;
        let name = intern!(py, "get_buffer");
        let room = self.protocol.call_method1(name, (left,))?;
        let size = room.len()?;
        if size == 0 {
            let text = "get_buffer() returned an empty buffer";
            return Err(PyRuntimeError::new_err(text));
        }
        let (count, ending) = engine.read_into(&room, size)?;
        if count > 0 {
            self.protocol
                .call_method1(intern!(py, "buffer_updated"), (count,))?;
        }
        Ok(ending)
    }
}

/// One piece of several.
fn joined<'py>(
    py: Python<'py>,
    mut pieces: Vec<Bound<'py, PyBytes>>,
) -> PyResult<Bound<'py, PyBytes>> {
    if let [_] = &*pieces
        && let Some(only) = pieces.pop()
    {
        return Ok(only);
    }
    let length = pieces.iter().map(|piece| piece.as_bytes().len()).sum();
    PyBytes::new_with(py, length, |mut room| {
        for piece in &pieces {
            let (here, rest) = room.split_at_mut(piece.as_bytes().len());
            here.copy_from_slice(piece.as_bytes());
            room = rest;
        }
        Ok(())
    })
}
