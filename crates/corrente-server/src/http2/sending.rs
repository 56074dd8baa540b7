//! When what is to be sent is sent, and what becomes of the connection then.
//!
//! While it looks at what has come, all that is answered is gathered and sent in one piece.

use std::sync::Arc;

use corrente_loop::now;
use pyo3::prelude::*;

use super::{Session, Stage};
use crate::application::Interface;

impl Session {
    /// Sends what is to be sent, unless more is being gathered. A WSGI application may block before it yields its next
    /// piece, and this one must not wait for that (PEP 3333, "Buffering and Streaming").
    pub(super) fn send_soon(&self, py: Python<'_>) -> PyResult<()> {
        let is_wsgi = self.shared.mounts.have(Interface::Wsgi);
        if self.with(py, |state| state.stage == Stage::Works)? && !is_wsgi {
            return Ok(());
        }
        self.settle(py)
    }

    /// Sends what is to be sent, and does what is due after it.
    pub(super) fn settle(&self, py: Python<'_>) -> PyResult<()> {
        let is_draining = self.shared.is_draining();
        self.with(py, |state| {
            if is_draining && !state.is_leaving {
                state.is_leaving = true;
                state.connection.shut_down();
            }
        })?;
        self.write_out(py)?;
        let (is_over, has_news) = self.with(py, |state| {
            let is_free = state.stage == Stage::Rests;
            let is_over = is_free && state.connection.is_closed();
            if is_over {
                state.stage = Stage::Ends;
            }
            (is_over, is_free && state.connection.has_news())
        })?;
        if is_over {
            return self.close(py);
        }
        if has_news {
            self.resume_soon(py)?;
        }
        self.pace(py)?;
        self.wait_for_client(py)
    }

    /// Writes as much as the transport likes.
    pub(super) fn write_out(&self, py: Python<'_>) -> PyResult<()> {
        loop {
            let (bytes, transport) = self.with(py, |state| {
                if state.is_full && state.stage != Stage::Ends {
                    return (Vec::new(), None);
                }
                // What it ends with is seen when it is looked at next.
                let _ended = state.connection.flush();
                let transport = state.transport.as_ref();
                let transport = transport.map(|transport| transport.clone_ref(py));
                (state.connection.take_output(), transport)
            })?;
            let Some(transport) = transport.filter(|_| !bytes.is_empty()) else {
                return Ok(());
            };
            transport.write(py, &bytes)?;
            self.with(py, |state| state.connection.give_back(bytes))?;
        }
    }

    /// Has what is new looked at: not now, since this is an application's own stack.
    fn resume_soon(&self, py: Python<'_>) -> PyResult<()> {
        let Some(session) = self.me.upgrade() else {
            return Ok(());
        };
        if self.with(py, |state| std::mem::replace(&mut state.is_resuming, true))? {
            return Ok(());
        }
        let resumption = Bound::new(py, Resumption(session))?;
        self.shared.starter.call_soon(resumption.into_any())
    }

    /// Sets until when the client is waited for, by what it is about to do.
    pub(super) fn wait_for_client(&self, py: Python<'_>) -> PyResult<()> {
        let times = self.shared.times;
        let now = now();
        self.with(py, |state| {
            if state.stage == Stage::Ends {
                return;
            }
            let was_in_head =
                std::mem::replace(&mut state.is_in_head, state.connection.is_within_head());
            // Once for a head: a client that sends byte by byte gains nothing.
            if was_in_head && state.is_in_head {
                return;
            }
            state.deadline = if state.is_in_head {
                now + times.head.as_secs_f64()
            } else if !state.streams.is_empty() {
                // Its requests have deadlines of their own.
                f64::INFINITY
            } else if state.is_leaving {
                now + super::life::FIRST
            } else {
                now + times.idle.as_secs_f64()
            };
        })
    }
}

/// A loop's callback: what is new on a connection is looked at.
#[pyclass(frozen, module = "corrente._native")]
struct Resumption(Arc<Session>);

#[pymethods]
impl Resumption {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |state| state.is_resuming = false)?;
        self.0.work(py)
    }
}
