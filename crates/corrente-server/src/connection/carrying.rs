//! A connection as what carries a request: what is done in the application's place.
//!
//! Refusals end the connection; a stream of HTTP/2 does the same for itself alone.

use std::sync::Arc;

use pyo3::prelude::*;

use super::Connection;
use crate::calling::Carrier;
use crate::shared::Shared;

impl Connection {
    /// The connection as its application's caller knows it.
    pub(super) fn carrier(self: &Arc<Self>) -> Arc<dyn Carrier> {
        Arc::<Self>::clone(self)
    }
}

impl Carrier for Connection {
    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn keep_task(&self, py: Python<'_>, handler: &Py<PyAny>, task: Py<PyAny>) -> PyResult<()> {
        self.with(py, |state| {
            if let Some(current) = &mut state.current
                && current.handler.object().is(handler)
            {
                current.task = Some(task);
            }
        })
    }

    fn awaits(&self, py: Python<'_>, handler: &Py<PyAny>) -> PyResult<bool> {
        self.with(py, |state| {
            let current = state.current.as_ref();
            current
                .is_some_and(|current| current.handler.object().is(handler) && !current.is_answered)
        })
    }

    fn note_name(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, |state| state.name = Some(name.to_owned()))
    }

    fn refuse(&self, py: Python<'_>, status: u16, text: &str) -> PyResult<()> {
        let me = self.me.upgrade();
        me.map_or(Ok(()), |me| Self::turn_away(&me, py, status, text))
    }

    fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(me) = self.me.upgrade() {
            me.give_up(py)?;
        }
        self.abort(py)
    }

    fn fail(&self, py: Python<'_>) -> PyResult<()> {
        let Some(me) = self.me.upgrade() else {
            return Ok(());
        };
        if self.with(py, |state| state.output.is_begun())? {
            return me.break_off(py);
        }
        me.turn_away(py, 500, "Internal Server Error\n")
    }
}
