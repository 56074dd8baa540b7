//! Futures of those who wait for something of a request or a WebSocket.
//!
//! Each has its own: a task that is cancelled cancels the future that it waits for.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::answer::Awaited;

/// Who waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<(Awaited, Py<PyAny>)>);

impl Waiting {
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

    /// Whether anybody waits for this.
    pub(super) fn has(&self, awaited: Awaited) -> bool {
        self.0.iter().any(|(waits, _)| *waits == awaited)
    }

    pub(super) fn show(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|(_, future)| visit.call(future))
    }
}

/// Lends those who wait to `work`.
type Lend<'a> = &'a mut dyn FnMut(&mut Waiting);

/// A new future for one more; those who have given up are forgotten, since some ask again and again with a limit of
/// time. `lend` lends the state's.
pub(super) fn wait(
    event_loop: &Py<PyAny>,
    py: Python<'_>,
    awaited: Awaited,
    lend: impl Fn(Lend<'_>) -> PyResult<()>,
) -> PyResult<Py<PyAny>> {
    let mut before = Vec::new();
    lend(&mut |waiting| before = std::mem::take(&mut waiting.0))?;
    let future = event_loop.call_method0(py, intern!(py, "create_future"))?;
    let mut kept = vec![(awaited, future.clone_ref(py))];
    for (awaited, future) in before {
        if !is_done(future.bind(py))? {
            kept.push((awaited, future));
        }
    }
    lend(&mut |waiting| waiting.0.append(&mut kept))?;
    Ok(future)
}

fn is_done(future: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = future.py();
    future.call_method0(intern!(py, "done"))?.is_truthy()
}

/// Has them look again.
pub(super) fn wake(py: Python<'_>, futures: Vec<Py<PyAny>>) -> PyResult<()> {
    for future in futures {
        let future = future.bind(py);
        if !is_done(future)? {
            future.call_method1(intern!(py, "set_result"), (py.None(),))?;
        }
    }
    Ok(())
}
