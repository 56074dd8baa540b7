//! The wrapper of an awaitable that calls a resource: notes how long it takes.
//!
//! The call opens with the first step and closes with the result, an exception or the end of the
//! wrapper. Its steps are steps of the request's coroutine, whose clocks run anyway.

use std::sync::{Mutex, PoisonError};

use corrente_gauge::recorder::{self, Call, OpenCall};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::step::{Step, Steps, as_next, as_value};

/// An awaitable call.
#[pyclass(frozen, module = "corrente._native")]
struct Wait {
    steps: Steps,
    phase: Mutex<Phase>,
}

enum Phase {
    /// Not begun.
    New(Call),
    /// Begun; without a value where no request was running.
    Open(Option<OpenCall>),
}

/// Wraps the awaitable if a request is running here, and gives it back as it is if none is.
pub(super) fn wrap(
    awaitable: Bound<'_, PyAny>,
    call: impl FnOnce(Python<'_>) -> Call,
) -> PyResult<Py<PyAny>> {
    let py = awaitable.py();
    if recorder::current().is_none() {
        return Ok(awaitable.unbind());
    }
    let Some(steps) = Steps::of(&awaitable) else {
        return Ok(awaitable.unbind());
    };
    let phase = Mutex::new(Phase::New(call(py)));
    Ok(Py::new(py, Wait { steps, phase })?.into_any())
}

#[pymethods]
impl Wait {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let none = py.None().into_bound(py);
        as_next(py, self.step(|steps| steps.send(&none))?)
    }

    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        as_value(self.step(|steps| steps.send(value))?)
    }

    #[pyo3(signature = (*exception))]
    fn throw(&self, exception: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        as_value(self.step(|steps| steps.throw(exception))?)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let outcome = self.steps.close(py);
        self.closed();
        outcome
    }

    /// `cr_frame`, `__name__` and what else is asked of a coroutine.
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.steps.awaitable.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.steps.traverse(&visit)
    }
}

impl Wait {
    fn step(&self, go: impl FnOnce(&Steps) -> PyResult<Step>) -> PyResult<Step> {
        self.opened();
        let outcome = go(&self.steps);
        if !matches!(outcome, Ok(Step::Next(_))) {
            self.closed();
        }
        outcome
    }

    fn opened(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Phase::New(call) = &*phase {
            *phase = Phase::Open(recorder::begin_async_wait(*call));
        }
    }

    fn closed(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Phase::Open(open) = &mut *phase
            && let Some(call) = open.take()
        {
            call.close_async();
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.closed();
    }
}
