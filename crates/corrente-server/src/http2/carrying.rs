//! A stream as what carries a request: what is done in the application's place.
//!
//! A request is counted as going on as long as its stream has a handler; `leave` takes it, once.

use std::sync::Arc;

use corrente_http::h1::{Length, Version};
use corrente_http::http2;
use pyo3::prelude::*;

use super::Stream;
use crate::application::Handler;
use crate::calling::Carrier;
use crate::exchange::Last;
use crate::operations::{REQUEST_ID, RETRY_AFTER};
use crate::shared::Shared;

impl Stream {
    /// The stream as its application's caller knows it.
    pub(super) fn carrier(self: &Arc<Self>) -> Arc<dyn Carrier> {
        Arc::<Self>::clone(self)
    }

    /// The request is none any more; gives back who was to answer it.
    pub(super) fn retire(&self, py: Python<'_>) -> PyResult<Option<Handler>> {
        let (handler, before) = self.with(py, |state| {
            let before = (state.beginning.take(), state.task.take());
            state.pouring = None;
            (state.handler.take(), before)
        })?;
        drop(before);
        if handler.is_some() {
            self.session.shared.live.counts.over();
        }
        if let Some(trace) = self.with(py, |state| state.trace.take())? {
            self.session.shared.operations().over(&trace);
        }
        Ok(handler)
    }

    /// The same, and what still comes on the stream is nobody's.
    pub(super) fn leave(&self, py: Python<'_>) -> PyResult<Option<Handler>> {
        let handler = self.retire(py)?;
        let talk = self.with(py, |state| state.talk.take())?;
        drop(talk);
        let stream = self
            .session
            .with(py, |state| state.streams.remove(&self.id))?;
        drop(stream);
        Ok(handler)
    }

    /// The client has gone, or the server gives up: the application is told.
    pub(super) fn give_up(&self, py: Python<'_>) -> PyResult<()> {
        let handler = self.leave(py)?;
        handler.map_or(Ok(()), |handler| handler.gone(py))
    }

    /// The server answers in the application's place; gives back the request's id.
    fn trace_refusal(&self, py: Python<'_>, status: u16, bytes: usize) -> PyResult<Option<String>> {
        let operations = self.session.shared.operations();
        let template = self.session.with(py, |state| state.template.clone())?;
        self.with(py, |state| {
            if state.trace.is_none() && state.handler.is_none() {
                let peer = template.as_ref().map(|template| &template.peer);
                let trace = peer.map(|peer| operations.trace_of_refused(peer, Version::Http2));
                state.trace = trace.flatten();
            }
            if let Some(trace) = &mut state.trace
                && !state.reply.is_begun()
            {
                trace.answered(status);
                trace.sent(bytes);
            }
            state.request_id.clone()
        })
    }

    /// Breaks the stream off, with this code, behind what was sent on it.
    pub(super) fn reset(&self, py: Python<'_>, code: u32) -> PyResult<()> {
        self.session.write_out(py)?;
        self.session
            .with(py, |state| state.connection.reset(self.id, code))?;
        self.session.send_soon(py)
    }
}

impl Carrier for Stream {
    fn shared(&self) -> &Arc<Shared> {
        &self.session.shared
    }

    fn keep_task(&self, py: Python<'_>, handler: &Py<PyAny>, task: Py<PyAny>) -> PyResult<()> {
        self.with(py, |state| {
            let current = state.handler.as_ref();
            if current.is_some_and(|current| current.object().is(handler)) {
                state.task = Some(task);
            }
        })
    }

    fn awaits(&self, py: Python<'_>, handler: &Py<PyAny>) -> PyResult<bool> {
        self.with(py, |state| {
            let current = state.handler.as_ref();
            current.is_some_and(|current| current.object().is(handler))
        })
    }

    fn note_name(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.session
            .with(py, |state| state.name = Some(name.to_owned()))
    }

    fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        self.give_up(py)?;
        self.reset(py, http2::CANCEL)
    }

    fn refuse(&self, py: Python<'_>, status: u16, text: &str) -> PyResult<()> {
        let id = self.trace_refusal(py, status, text.len())?;
        self.give_up(py)?;
        if self.with(py, |state| state.reply.is_begun())? {
            return self.reset(py, http2::INTERNAL_ERROR);
        }
        self.with(py, |state| {
            state.head = None;
            state.has_trailers = false;
        })?;
        let mut fields = vec![(&b"content-type"[..], &b"text/plain; charset=utf-8"[..])];
        if let Some(id) = &id {
            fields.push((REQUEST_ID, id.as_bytes()));
        }
        if status == 503 {
            fields.push((b"retry-after", RETRY_AFTER));
        }
        if status == 426 {
            fields.push((b"sec-websocket-version", b"13"));
        }
        let length = Length::Known(text.len() as u64);
        let opened = self.open(py, status, &fields, length)?;
        // Statuses and texts are ours and right; were they not, the stream ends all the same.
        let sent = match opened {
            Ok(head) => self.send(py, Some(head), text.as_bytes(), Last::Yes)?,
            Err(error) => Err(error),
        };
        if sent.is_err() {
            return self.reset(py, http2::INTERNAL_ERROR);
        }
        self.session.send_soon(py)
    }

    fn fail(&self, py: Python<'_>) -> PyResult<()> {
        if self.with(py, |state| state.reply.is_begun())? {
            self.give_up(py)?;
            return self.reset(py, http2::INTERNAL_ERROR);
        }
        self.refuse(py, 500, "Internal Server Error\n")
    }
}
