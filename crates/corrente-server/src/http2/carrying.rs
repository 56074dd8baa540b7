//! A stream as what carries a request: what is done in the application's place.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use corrente_http::h1::Length;
use corrente_http::http2;
use pyo3::prelude::*;

use super::Stream;
use crate::application::Handler;
use crate::calling::Carrier;
use crate::exchange::Last;
use crate::shared::Shared;

impl Stream {
    /// The stream as its application's caller knows it.
    pub(super) fn carrier(self: &Arc<Self>) -> Arc<dyn Carrier> {
        Arc::<Self>::clone(self)
    }

    /// The request is none any more; gives back who was to answer it.
    pub(super) fn leave(&self, py: Python<'_>) -> PyResult<Option<Handler>> {
        let (handler, before) = self.with(py, |state| {
            let before = (state.beginning.take(), state.task.take());
            (state.handler.take(), before)
        })?;
        drop(before);
        if handler.is_some() {
            let counts = &self.session.shared.live.counts;
            counts.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
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

    fn refuse(&self, py: Python<'_>, status: u16, text: &str) -> PyResult<()> {
        self.give_up(py)?;
        if self.with(py, |state| state.reply.is_begun())? {
            return self.reset(py, http2::INTERNAL_ERROR);
        }
        self.with(py, |state| {
            state.head = None;
            state.has_trailers = false;
        })?;
        let fields = [(&b"content-type"[..], &b"text/plain; charset=utf-8"[..])];
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
