//! How a connection begins and ends, and how long it waits for its client.
//!
//! Deadlines are looked at by the server once a second, as those of HTTP/1.1 are.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use corrente_http::http2::{self, Connection, Limits, StreamId, WebSockets};
use corrente_loop::Confined;
use corrente_loop::native::{Flow, Protocol, Transport};
use corrente_loop::now;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Counts, Session, Stage, State, Stream};
use crate::application::{Interface, Templates};
use crate::calling::Carrier;
use crate::connection::life::Unread as Watched;
use crate::shared::{Client, Shared};
use crate::talk;

/// How long the answer to a GOAWAY is waited for, in seconds: requests may be on their way.
pub(super) const FIRST: f64 = 1.0;

/// How long what a client still sends is read and dropped after an error, in seconds: were it not, the kernel would
/// reset the connection, and the client could lose the reason.
const LINGERS: f64 = 2.0;

/// What the client has left unread when it was looked at last.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Of the connection.
    transport: Watched,
    /// Of streams, whose windows it does not open.
    streams: HashMap<StreamId, Watched>,
}

/// The connection as its transport's protocol.
pub(crate) struct Second(Arc<Session>);

impl Second {
    /// For a connection on which nothing was read yet.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let limits = Limits {
            max_head_bytes: u32::try_from(shared.limits.max_head_bytes).unwrap_or(u32::MAX),
            ..Limits::default()
        };
        let sockets = if shared.mounts.have(Interface::Asgi) {
            WebSockets::Announced
        } else {
            WebSockets::Unannounced
        };
        Self(Arc::new_cyclic(|me| Session {
            number: shared.number(),
            me: Weak::clone(me),
            shared: Arc::clone(shared),
            state: Confined::new(State::new(limits, sockets)),
        }))
    }

    /// The connection is there, and this is known of it.
    pub(crate) fn begin(
        &self,
        py: Python<'_>,
        transport: Transport,
        template: Arc<Templates>,
    ) -> PyResult<()> {
        let session = &self.0;
        session.with(py, |state| {
            state.transport = Some(transport);
            state.template = Some(template);
        })?;
        let client: Weak<dyn Client> = session.me.clone();
        session.shared.add(py, session.number, client)?;
        // Our settings do not wait for the client's (RFC 9113, section 3.4).
        session.work(py)
    }
}

impl State {
    fn new(limits: Limits, sockets: WebSockets) -> Self {
        Self {
            transport: None,
            template: None,
            connection: Connection::new(limits, sockets),
            streams: HashMap::new(),
            due: Vec::new(),
            stage: Stage::Rests,
            is_full: false,
            is_reading_paused: false,
            deadline: f64::INFINITY,
            is_in_head: false,
            is_leaving: false,
            is_resuming: false,
            unread: Unread::default(),
            counts: Counts::default(),
            name: None,
        }
    }
}

impl Protocol for Second {
    fn made(&self, py: Python<'_>, transport: Transport) -> PyResult<()> {
        let template = Templates::of(py, &self.0.shared, &transport)?;
        self.begin(py, transport, Arc::new(template))
    }

    fn received(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        self.0.received(py, content)
    }

    fn ended(&self, _py: Python<'_>) -> PyResult<bool> {
        // A client that ends its side cannot open windows either.
        Ok(false)
    }

    fn lost(&self, py: Python<'_>, _exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let session = &self.0;
        session.shared.remove(py, session.number)?;
        let transport = session.with(py, |state| {
            state.stage = Stage::Ends;
            state.transport.take()
        })?;
        drop(transport);
        session.give_up_all(py)
    }

    fn request(&self, py: Python<'_>) -> Option<String> {
        let name = self.0.with(py, |state| state.name.clone());
        name.ok().flatten()
    }

    fn flow(&self, py: Python<'_>, flow: Flow) -> PyResult<()> {
        let session = &self.0;
        session.with(py, |state| state.is_full = flow == Flow::Paused)?;
        if flow == Flow::Paused {
            return Ok(());
        }
        session.write_out(py)?;
        for stream in session.streams(py)? {
            stream.room(py)?;
        }
        session.work(py)
    }

    fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        // As with HTTP/1.1: streams refer to the connection unseen, so what is shown must be its only owner's.
        if Arc::strong_count(&self.0) > 1 {
            return;
        }
        let _shown = self.0.state.peek(|state| {
            let transport = state.transport.iter();
            transport.for_each(|transport| show(transport.object()));
        });
    }

    fn clear(&self) {
        let before = self.0.state.peek(|state| {
            let streams = std::mem::take(&mut state.streams);
            (state.transport.take(), streams)
        });
        drop(before);
    }
}

impl Client for Session {
    fn look(self: Arc<Self>, py: Python<'_>, now: f64) -> PyResult<()> {
        if self.is_stuck(py, now)? {
            return self.abort(py);
        }
        self.with(py, |state| state.connection.restart_count())?;
        for stream in self.streams(py)? {
            stream.look(py, now)?;
        }
        for stream in self.unread_streams(py, now)? {
            self.with(py, |state| state.connection.reset(stream, http2::CANCEL))?;
            if let Some(stream) = self.stream(py, stream)? {
                stream.give_up(py)?;
            }
            self.send_soon(py)?;
        }
        let is_overdue = self.with(py, |state| {
            let is_overdue = now >= state.deadline && state.stage != Stage::Ends;
            if is_overdue {
                state.deadline = f64::INFINITY;
            }
            is_overdue
        })?;
        if is_overdue {
            self.break_off(py, http2::NO_ERROR)?;
        }
        Ok(())
    }

    fn drain(self: Arc<Self>, py: Python<'_>) -> PyResult<()> {
        for stream in self.streams(py)? {
            talk::restart(&*stream, py)?;
        }
        self.settle(py)
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| state.stage = Stage::Ends)?;
        match self.transport(py)? {
            Some(transport) => transport.abort(py),
            None => Ok(()),
        }
    }
}

impl Session {
    /// Whether the client has read nothing for too long, or has been sent away for long enough.
    fn is_stuck(&self, py: Python<'_>, now: f64) -> PyResult<bool> {
        let (is_late, watched) = self.with(py, |state| {
            let is_over = state.stage == Stage::Ends;
            let is_watched = state.is_full || is_over;
            let transport = state.transport.as_ref().filter(|_| is_watched);
            let transport = transport.map(|transport| transport.clone_ref(py));
            (is_over && now >= state.deadline, transport)
        })?;
        let Some(transport) = watched else {
            self.with(py, |state| state.unread.transport = Watched::default())?;
            return Ok(false);
        };
        let size = intern!(py, "get_write_buffer_size");
        let bytes: usize = transport.object().call_method0(py, size)?.extract(py)?;
        let allowed = self.shared.times.write.as_secs_f64();
        self.with(py, |state| {
            let is_stuck = state.unread.transport.is_stuck(bytes, now, allowed);
            is_late || is_stuck
        })
    }

    /// Streams whose windows the client has not opened for too long.
    fn unread_streams(&self, py: Python<'_>, now: f64) -> PyResult<Vec<StreamId>> {
        let allowed = self.shared.times.write.as_secs_f64();
        self.with(py, |state| {
            let waiting: HashMap<StreamId, usize> = state.connection.waiting().collect();
            let streams = &mut state.unread.streams;
            streams.retain(|stream, _| waiting.contains_key(stream));
            let stuck = waiting.into_iter().filter(|(stream, bytes)| {
                let watched = streams.entry(*stream).or_default();
                watched.is_stuck(*bytes, now, allowed)
            });
            stuck.map(|(stream, _)| stream).collect()
        })
    }

    /// Ends the connection with this code (RFC 9113, section 7).
    pub(super) fn break_off(self: &Arc<Self>, py: Python<'_>, code: u32) -> PyResult<()> {
        self.with(py, |state| state.connection.break_off(code))?;
        self.broken(py)
    }

    /// The connection is at its end: nothing more happens on its streams.
    pub(super) fn broken(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| {
            state.stage = Stage::Ends;
            state.due.clear();
        })?;
        self.give_up_all(py)?;
        self.write_out(py)?;
        self.close(py)
    }

    fn give_up_all(&self, py: Python<'_>) -> PyResult<()> {
        for stream in self.streams(py)? {
            stream.give_up(py)?;
        }
        Ok(())
    }

    /// Ends our side; the connection ends when the client has ended its own, or after a while.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(transport) = self.transport(py)? else {
            return Ok(());
        };
        let object = transport.object().bind(py);
        let is_closing = object.call_method0(intern!(py, "is_closing"))?;
        let can = object.call_method0(intern!(py, "can_write_eof"))?;
        if is_closing.is_truthy()? || !can.is_truthy()? {
            return transport.close(py);
        }
        let was_paused = self.with(py, |state| {
            state.deadline = now() + LINGERS;
            std::mem::take(&mut state.is_reading_paused)
        })?;
        if was_paused {
            transport.resume_reading(py)?;
        }
        object.call_method0(intern!(py, "write_eof")).map(drop)
    }
}

impl Stream {
    /// Ends the request if its client has been waited for long enough.
    fn look(&self, py: Python<'_>, now: f64) -> PyResult<()> {
        let is_overdue = self.with(py, |state| {
            let is_overdue = now >= state.deadline;
            if is_overdue {
                state.deadline = f64::INFINITY;
            }
            is_overdue
        })?;
        if is_overdue && self.is_accepted(py)? {
            return talk::overdue(self, py);
        }
        if is_overdue {
            let text = "the client was too slow to send its request\n";
            return self.refuse(py, 408, text);
        }
        Ok(())
    }
}
