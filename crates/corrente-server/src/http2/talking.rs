//! A stream that has become a WebSocket (RFC 8441): what a [`Carriage`] does with its frames.
//!
//! What ends a connection of HTTP/1.1 ends a stream here (section 5): the end of a side is the end of its data, and a
//! reset is a reset. The stream stays until the client has ended its side too, or for a while.

use std::sync::Arc;

use corrente_http::h1::Length;
use corrente_http::http2::{self, Bytes, Ending};
use corrente_loop::now;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::Stream;
use crate::exchange::Exchange as _;
use crate::field::{Field, borrowed};
use crate::shared::Shared;
use crate::talk::{self, Carriage, Lent, Over, Room, Socket};

/// A WebSocket on a stream.
pub(super) struct Talk {
    socket: Socket,
    /// Frames that are written and not given to the connection.
    frames: Vec<u8>,
    /// The client has ended its side.
    has_ended: bool,
}

impl Talk {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            frames: Vec::new(),
            has_ended: false,
        }
    }
}

impl Stream {
    /// Whether the client has asked for a WebSocket on it.
    pub(super) fn is_talk(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |state| state.talk.is_some())
    }

    /// Whether it is one.
    pub(super) fn is_accepted(&self, py: Python<'_>) -> PyResult<bool> {
        let accepted = self.lend(py, |lent| lent.socket.is_accepted())?;
        Ok(accepted == Some(true))
    }

    /// Whether frames wait for the application to take what it has.
    pub(super) fn has_frames(&self, py: Python<'_>) -> PyResult<bool> {
        let waits = self.lend(py, |lent| lent.socket.has_frames())?;
        Ok(waits == Some(true))
    }

    fn is_over(&self, py: Python<'_>) -> PyResult<bool> {
        let over = self.lend(py, |lent| lent.socket.is_over())?;
        Ok(over == Some(true))
    }

    /// Something has come.
    pub(super) fn hear(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        self.with(py, |state| state.body.untaken += content.len())?;
        if self.is_over(py)? {
            return self.taken(py);
        }
        talk::received(self, py, &mut content.to_vec())
    }

    /// The client has ended its side; what came before is heard first.
    pub(super) fn half_closed(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| {
            if let Some(talk) = &mut state.talk {
                talk.has_ended = true;
            }
        })?;
        if self.is_over(py)? {
            return self.leave(py).map(drop);
        }
        if !self.is_accepted(py)? {
            return self.cut(py);
        }
        talk::received(self, py, &mut [])
    }

    fn send_frames(&self, py: Python<'_>, ending: Ending) -> PyResult<()> {
        let frames = self.lend(py, |lent| std::mem::take(lent.frames))?;
        let frames = frames.unwrap_or_default();
        if frames.is_empty() && ending == Ending::More {
            return Ok(());
        }
        self.session.with(py, |state| {
            let frames = Bytes::from(frames);
            state.connection.data(self.id, frames, ending);
        })?;
        self.session.send_soon(py)
    }
}

impl Carriage for Stream {
    fn shared(&self) -> &Arc<Shared> {
        &self.session.shared
    }

    fn lend<R>(&self, py: Python<'_>, work: impl FnOnce(Lent<'_>) -> R) -> PyResult<Option<R>> {
        self.with(py, |state| {
            let talk = state.talk.as_mut()?;
            Some(work(Lent {
                socket: &mut talk.socket,
                frames: &mut talk.frames,
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
        let fields = [agreed, &borrowed(py, &given)].concat();
        let opened = self.open(py, 200, &fields, Length::Unknown)?;
        let head = opened.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        self.with(py, |state| {
            if let Some(trace) = &mut state.trace {
                trace.switched(200);
            }
        })?;
        self.session.with(py, |state| {
            // A stream that is gone is told by itself.
            let _sent = state.connection.accept(self.id, head);
        })?;
        self.session.send_soon(py)
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.send_frames(py, Ending::More)
    }

    fn heard(&self, py: Python<'_>, room: Room) -> PyResult<()> {
        if room == Room::None {
            return self.flush(py);
        }
        let has_ended = self.with(py, |state| {
            let talk = state.talk.as_ref();
            talk.is_some_and(|talk| talk.has_ended)
        })?;
        if !has_ended {
            self.flush(py)?;
            return self.take_more(py);
        }
        self.taken(py)?;
        if !self.is_over(py)? {
            self.send_frames(py, Ending::Last)?;
        }
        self.give_up(py)
    }

    fn resume_soon(&self, py: Python<'_>) -> PyResult<()> {
        let Some(stream) = self.session.stream(py, self.id)? else {
            return Ok(());
        };
        let event_loop = self.session.shared.starter.event_loop();
        event_loop
            .call_method1(py, intern!(py, "call_soon"), (Resumption(stream),))
            .map(drop)
    }

    fn end(&self, py: Python<'_>, over: Over) -> PyResult<()> {
        self.send_frames(py, Ending::Last)?;
        match over {
            // A client that has said so will end its side, too.
            Over::Agreed => {
                let until = now() + self.session.shared.times.close.as_secs_f64();
                self.with(py, |state| state.deadline = until)?;
                self.retire(py).map(drop)
            }
            Over::Broken => self.turn_away(py),
        }
    }

    fn cut(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_over(py)? {
            return self.turn_away(py);
        }
        self.give_up(py)?;
        self.reset(py, http2::CANCEL)
    }
}

impl Stream {
    /// Lets the client send more, unless it does not read what pings are answered with: that could gather without an end.
    fn take_more(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_full(py) {
            return Ok(());
        }
        self.taken(py)
    }

    /// The client has read what was sent: it may send more, unless the application has enough of it.
    pub(super) fn hear_again(&self, py: Python<'_>) -> PyResult<()> {
        let handler = self.lend(py, |lent| {
            let socket = &lent.socket;
            socket.is_accepted().then(|| socket.handler.clone_ref(py))
        })?;
        match handler.flatten() {
            Some(handler) if !handler.get().has_messages(py)? => self.take_more(py),
            _ => Ok(()),
        }
    }

    /// What the client still sends is of no interest.
    fn turn_away(&self, py: Python<'_>) -> PyResult<()> {
        let handler = self.leave(py)?;
        drop(handler);
        self.session
            .with(py, |state| state.connection.ignore(self.id))?;
        self.session.send_soon(py)
    }
}

/// A loop's callback: what has come on a stream is looked at.
#[pyclass(frozen, module = "corrente._native")]
struct Resumption(Arc<Stream>);

#[pymethods]
impl Resumption {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        talk::resume(&*self.0, py, &mut [])
    }
}
