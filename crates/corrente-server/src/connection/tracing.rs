//! What is remembered of the request that is answered, for the log and the counts: begun, told, ended.
//!
//! All of it is nothing where nobody wants it.

use corrente_http::h1::Version;
use pyo3::prelude::*;

use super::Connection;
use crate::field::Field;
use crate::trace::Trace;

impl Connection {
    /// Adds the server's fields to those of the application.
    pub(super) fn add_own(&self, py: Python<'_>, fields: &mut Vec<Field>) -> PyResult<()> {
        let operations = self.shared.operations();
        if !operations.gives_fields() {
            return Ok(());
        }
        let id = self.with(py, |state| state.request_id.clone())?;
        operations.add_fields(py, id.as_deref(), fields);
        Ok(())
    }

    /// Tells the request's trace.
    #[inline]
    pub(super) fn traced(&self, py: Python<'_>, work: impl FnOnce(&mut Trace)) -> PyResult<()> {
        if !self.shared.operations().is_traced() {
            return Ok(());
        }
        self.with(py, |state| {
            if let Some(trace) = &mut state.trace {
                work(trace);
            }
        })
    }

    /// The server answers in the application's place, unless some of an answer is written.
    pub(super) fn trace_refusal(&self, py: Python<'_>, status: u16, bytes: usize) -> PyResult<()> {
        let operations = self.shared.operations();
        if !operations.is_traced() {
            return Ok(());
        }
        self.with(py, |state| {
            if state.trace.is_none() && state.current.is_none() {
                let peer = state.template.as_ref().map(|template| &template.peer);
                state.trace =
                    peer.and_then(|peer| operations.trace_of_refused(peer, Version::Http11));
            }
            if let Some(trace) = &mut state.trace
                && !state.output.is_begun()
            {
                trace.answered(status);
                trace.sent(bytes);
            }
        })
    }

    /// The request is over.
    #[inline]
    pub(super) fn over(&self, py: Python<'_>) -> PyResult<()> {
        let operations = self.shared.operations();
        if !operations.is_traced() {
            return Ok(());
        }
        if let Some(trace) = self.with(py, |state| state.trace.take())? {
            operations.over(&trace);
        }
        Ok(())
    }
}
