//! Futures of those who wait for something of a request or a WebSocket.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::answer::Awaited;

/// Who waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<(Awaited, Py<PyAny>)>);

impl Waiting {
    pub(super) fn add(&mut self, awaited: Awaited, future: Py<PyAny>) {
        self.0.push((awaited, future));
    }

    /// Those who wait for this; they are to be [`wake`]d.
    pub(super) fn take(&mut self, awaited: Awaited) -> Vec<Py<PyAny>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.0).into_iter();
        let (taken, others) = all.partition(|(waits, _)| *waits == awaited);
        self.0 = others;
        let taken: Vec<(Awaited, Py<PyAny>)> = taken;
        taken.into_iter().map(|(_, future)| future).collect()
    }

    pub(super) fn show(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|(_, future)| visit.call(future))
    }
}

/// Has them look again.
pub(super) fn wake(py: Python<'_>, futures: Vec<Py<PyAny>>) -> PyResult<()> {
    for future in futures {
        let future = future.bind(py);
        if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
            future.call_method1(intern!(py, "set_result"), (py.None(),))?;
        }
    }
    Ok(())
}
