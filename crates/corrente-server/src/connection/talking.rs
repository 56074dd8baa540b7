//! A connection that has become a WebSocket (RFC 6455): what a [`Carriage`] does with its frames.
//!
//! It carries nothing else any more, so it ends with the WebSocket.

use std::sync::Arc;

use corrente_http::h1;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::{Connection, Stage};
use crate::field::{Field, borrowed};
use crate::shared::Shared;
use crate::talk::{self, Carriage, Lent, Over, Room};

/// Something has come.
pub(super) fn received(
    connection: &Connection,
    py: Python<'_>,
    content: &mut [u8],
) -> PyResult<()> {
    // What came behind the handshake, before it was answered.
    let mut before = connection.with(py, |state| std::mem::take(&mut state.held))?;
    if !before.is_empty() {
        talk::received(connection, py, &mut before)?;
    }
    talk::received(connection, py, content)
}

/// What has come meanwhile is looked at.
pub(super) fn resume(connection: &Connection, py: Python<'_>) -> PyResult<()> {
    let mut before = connection.with(py, |state| std::mem::take(&mut state.held))?;
    talk::resume(connection, py, &mut before)
}

impl Connection {
    /// The client has read what was written: what it sends is heard again, unless the application has enough of it.
    pub(super) fn hear_again(&self, py: Python<'_>) -> PyResult<()> {
        let handler = self.with(py, |state| {
            let socket = state.socket.as_ref().filter(|one| one.is_accepted());
            socket.map(|socket| socket.handler.clone_ref(py))
        })?;
        match handler {
            Some(handler) if !handler.get().has_messages(py)? => self.unpause(py),
            _ => Ok(()),
        }
    }
}

impl Carriage for Connection {
    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn lend<R>(&self, py: Python<'_>, work: impl FnOnce(Lent<'_>) -> R) -> PyResult<Option<R>> {
        self.with(py, |state| {
            let socket = state.socket.as_deref_mut()?;
            Some(work(Lent {
                socket,
                frames: state.output.bytes(),
                deadline: &mut state.deadline,
            }))
        })
    }

    fn switch(
        &self,
        py: Python<'_>,
        agreed: &[(&[u8], &[u8])],
        mut given: Vec<Field>,
    ) -> PyResult<()> {
        self.add_own(py, &mut given)?;
        let fields = agreed.iter().copied().chain(borrowed(py, &given));
        let written = self.with(py, |state| {
            h1::switch(b"websocket", fields, state.output.bytes())
        })?;
        written.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        self.traced(py, |trace| trace.switched(101))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.write_out(py)
    }

    fn flush_before(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        let bytes = self.with(py, |state| state.output.take())?;
        if let Some(transport) = self.transport(py)? {
            transport.write_both(py, &bytes, content)?;
        }
        self.with(py, |state| state.output.give_back(bytes))
    }

    fn heard(&self, py: Python<'_>, room: Room) -> PyResult<()> {
        self.write_out(py)?;
        // Who does not read what pings are answered with could have it gather without an end.
        let (is_full, is_paused) =
            self.with(py, |state| (state.is_full, state.is_reading_paused))?;
        if room == Room::None || is_full {
            self.pause(py)?;
        } else if is_paused {
            self.unpause(py)?;
        }
        self.go_on(py)
    }

    fn resume_soon(&self, py: Python<'_>) -> PyResult<()> {
        self.look_soon(py)
    }

    fn end(&self, py: Python<'_>, _over: Over) -> PyResult<()> {
        self.with(py, |state| {
            state.stage = Stage::Ends;
            state.output.close_after();
        })?;
        self.leave(py)
    }

    fn cut(&self, py: Python<'_>) -> PyResult<()> {
        self.abort(py)
    }
}
