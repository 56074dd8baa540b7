//! What is sent in the application's place, when what was gathered is sent, and what becomes of the connection then.
//!
//! Refusals end the connection: what the client sends behind them is read and dropped for a moment, since a reset could
//! overtake them.

use std::sync::Arc;

use corrente_http::Rejection;
use corrente_http::h1::ResponseError;
use corrente_http::ws::HandshakeError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::incoming;
use super::output::{Always, Encoded, Output, Refusal};
use super::{Body, Connection, Parting, Past, Stage};
use crate::operations::{Dates, REQUEST_ID, RETRY_AFTER};
use crate::shared::Writing;
use crate::talk::Socket;

/// What may wait in memory behind a request that is answered, in bytes; more is left to the kernel.
const HELD_MOST: usize = 64 * 1024;

/// What is gathered of a response while its connection works, in bytes: beyond it the socket has to say whether there
/// is room for more.
const GATHERED_MOST: usize = 64 * 1024;

impl Connection {
    /// The request that is answered now is none any more: its application is told that the client has gone.
    pub(super) fn give_up(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let current = self.with(py, |state| state.current.take())?;
        if let Some(current) = current {
            if !current.is_answered {
                self.shared.live.counts.over();
            }
            current.handler.gone(py)?;
        }
        self.over(py)
    }

    /// Ends the connection within a response. What the application has sent of it still goes out; that it is not all a
    /// client knows by its length or by the chunk that is missing, and where it has neither by a reset.
    pub(super) fn break_off(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let is_whole_at_end = self.with(py, |state| {
            let current = state.current.as_ref();
            if current.is_some_and(|current| current.body == Body::Coming) {
                state.parting = Parting::Lingering;
            }
            state.output.is_whole_at_end()
        })?;
        self.give_up(py)?;
        if is_whole_at_end {
            return self.reset(py);
        }
        self.write_out(py)?;
        self.close(py)
    }

    /// Answers in the application's place; the connection ends after it.
    pub(super) fn turn_away(
        self: &Arc<Self>,
        py: Python<'_>,
        status: u16,
        text: &str,
    ) -> PyResult<()> {
        self.with(py, |state| {
            let current = state.current.as_ref();
            let is_sending = current.is_some_and(|current| current.body == Body::Coming);
            // Who was too slow has had its time.
            if is_sending && status != 408 {
                state.parting = Parting::Lingering;
            }
        })?;
        self.trace_refusal(py, status, text.len())?;
        self.give_up(py)?;
        if self.with(py, |state| state.output.is_whole_at_end())? {
            return self.reset(py);
        }
        let id = self.with(py, |state| state.request_id.clone())?;
        let mut fields = Vec::new();
        if let Some(id) = &id {
            fields.push((REQUEST_ID, id.as_bytes()));
        }
        if status == 503 {
            fields.push((b"retry-after", RETRY_AFTER));
        }
        self.write(py, |output, always| {
            if output.is_begun() {
                output.close_after();
            } else {
                let refusal = Refusal {
                    status,
                    text,
                    fields: &fields,
                };
                output.refuse(refusal, always);
            }
        })?;
        self.end_after_output(py)
    }

    /// What has come is no request.
    pub(super) fn reject(self: &Arc<Self>, py: Python<'_>, rejection: Rejection) -> PyResult<()> {
        self.with(py, |state| state.parting = Parting::Lingering)?;
        self.trace_refusal(py, rejection.status(), 0)?;
        self.give_up(py)?;
        self.write(py, |output, always| {
            if output.is_begun() {
                output.close_after();
            } else {
                output.reject(rejection, always.date);
            }
        })?;
        self.end_after_output(py)
    }

    pub(super) fn end_after_output(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| state.stage = Stage::Ends)?;
        self.settle(py)
    }

    /// Lends what is to be written, and what is written with every head.
    pub(super) fn write<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Output, Always<'_>) -> R,
    ) -> PyResult<R> {
        let shared = &self.shared;
        let dates = shared.operations().dates;
        shared.live.writing.with(py, |Writing { date, heads }| {
            let always = Always {
                date: match dates {
                    Dates::Said => date.now(),
                    Dates::Left => b"",
                },
                server: &shared.server_name,
                heads,
            };
            self.with(py, |state| work(&mut state.output, always))
        })?
    }

    /// Sends what is to be written, and does what is due after it.
    pub(super) fn settle(&self, py: Python<'_>) -> PyResult<()> {
        self.write_out(py)?;
        self.go_on(py)
    }

    /// Does what is due when all is written.
    pub(super) fn go_on(&self, py: Python<'_>) -> PyResult<()> {
        let is_draining = self.shared.is_draining();
        let (is_over, is_free, is_much, is_unread, is_last) = self.with(py, |state| {
            let is_ended = state.is_half_closed && state.held.is_empty();
            let is_over = state.output.closes() || state.stage == Stage::Ends || is_ended;
            let is_free = state.current.is_none();
            let is_answered = state.current.as_ref().is_none_or(|one| one.is_answered);
            let is_talk = state.socket.as_deref().is_some_and(Socket::is_accepted);
            let is_unread = state.is_reading_paused && is_answered && !is_talk;
            let is_much = state.held.len() > HELD_MOST;
            let is_last = is_free && is_draining && state.past == Past::Used;
            (is_over && is_free, is_free, is_much, is_unread, is_last)
        })?;
        if is_over {
            return self.close(py);
        }
        if is_unread {
            self.unpause(py)?;
        }
        if is_much && !is_free {
            self.pause(py)?;
        }
        self.wait_for_client(py)?;
        // Its response began before the server was told to end, and does not say so.
        if is_last {
            self.wait_once_more(py)?;
        }
        Ok(())
    }

    /// Has what waits looked at: not now, since this is the application's own stack.
    pub(super) fn look_soon(&self, py: Python<'_>) -> PyResult<()> {
        let Some(connection) = self.me.upgrade() else {
            return Ok(());
        };
        let resumption = Bound::new(py, Resumption(connection))?;
        self.shared.starter.call_soon(resumption.into_any())
    }

    /// Answers a request for a WebSocket that is none.
    pub(super) fn refuse_upgrade(
        self: &Arc<Self>,
        py: Python<'_>,
        refusal: HandshakeError,
    ) -> PyResult<()> {
        let text = format!("{refusal}\n");
        self.with(py, |state| state.parting = Parting::Lingering)?;
        self.trace_refusal(py, refusal.status(), text.len())?;
        self.over(py)?;
        self.write(py, |output, always| {
            let version: (&[u8], &[u8]) = (b"sec-websocket-version", b"13");
            let is_version = refusal.status() == 426;
            let refused = Refusal {
                status: refusal.status(),
                text: &text,
                fields: if is_version { &[version] } else { &[] },
            };
            output.refuse(refused, always);
        })?;
        self.end_after_output(py)
    }

    /// The request was taken over: the connection has no HTTP any more.
    pub(super) fn leave(&self, py: Python<'_>) -> PyResult<()> {
        let current = self.with(py, |state| state.current.take())?;
        if current.is_some_and(|current| !current.is_answered) {
            self.shared.live.counts.over();
        }
        self.over(py)
    }

    pub(super) fn write_out(&self, py: Python<'_>) -> PyResult<()> {
        let (bytes, transport) = self.with(py, |state| {
            let transport = state.transport.as_ref();
            let transport = transport.map(|transport| transport.clone_ref(py));
            (state.output.take(), transport)
        })?;
        if let Some(transport) = transport {
            if !bytes.is_empty() {
                transport.write(py, &bytes)?;
            }
            transport.drop_ref(py);
        }
        self.with(py, |state| state.output.give_back(bytes))
    }

    /// Sends what is to be written, and behind it an object that is too large to be copied.
    pub(super) fn write_before(
        &self,
        py: Python<'_>,
        content: &Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        let bytes = self.with(py, |state| state.output.take())?;
        if let Some(transport) = self.transport(py)? {
            transport.write_before(py, &bytes, content)?;
        }
        self.with(py, |state| state.output.give_back(bytes))
    }

    /// Leaves what comes to the kernel.
    pub(super) fn pause(&self, py: Python<'_>) -> PyResult<()> {
        let is_new = self.with(py, |state| {
            !std::mem::replace(&mut state.is_reading_paused, true)
        })?;
        match self.transport(py)? {
            Some(transport) if is_new => transport.pause_reading(py),
            _ => Ok(()),
        }
    }

    pub(super) fn unpause(&self, py: Python<'_>) -> PyResult<()> {
        let was_paused = self.with(py, |state| std::mem::take(&mut state.is_reading_paused))?;
        match self.transport(py)? {
            Some(transport) if was_paused => {
                transport.resume_reading(py)?;
                self.wait_for_client(py)
            }
            _ => Ok(()),
        }
    }

    /// Whether what is gathered goes out now, or later together with other things. A WSGI application may block
    /// before it yields its next piece, and this one must not wait for that (PEP 3333, "Buffering and Streaming").
    pub(super) fn is_to_be_written(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |state| {
            let current = state.current.as_ref();
            let is_wsgi = current.is_some_and(|current| current.handler.is_wsgi());
            is_wsgi || state.stage != Stage::Works || state.output.length() > GATHERED_MOST
        })
    }

    /// The application did not answer as it should: it is told, and the connection ends.
    pub(super) fn checked<T>(&self, py: Python<'_>, encoded: Encoded<T>) -> PyResult<T> {
        encoded.map_err(|error| {
            let is_promised = matches!(
                error,
                ResponseError::TooMuch { .. } | ResponseError::TooLittle { .. }
            );
            let ended = if is_promised { self.abort(py) } else { Ok(()) };
            ended
                .err()
                .unwrap_or_else(|| PyRuntimeError::new_err(error.to_string()))
        })
    }
}

/// A loop's callback: what is behind a request is looked at.
#[pyclass(frozen, module = "corrente._native")]
struct Resumption(Arc<Connection>);

#[pymethods]
impl Resumption {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        incoming::resume(&self.0, py)
    }
}
