//! Driving a wrapped awaitable, one step at a time.
//!
//! A wrapper takes the place of a coroutine: it is iterated by `await` and by tasks, and hands each
//! step to the iterator of the coroutine. What comes back, a future to wait for, a result or an
//! exception, goes on unchanged.

use pyo3::PyTraverseError;
use pyo3::exceptions::PyStopIteration;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyIterator, PyTuple};

/// An awaitable and the iterator that its steps are made with.
pub(super) struct Steps {
    pub(super) awaitable: Py<PyAny>,
    iterator: Py<PyIterator>,
}

/// What one step gave.
pub(super) enum Step {
    /// Something to wait for.
    Next(Py<PyAny>),
    /// The result: it is over.
    Return(Py<PyAny>),
}

impl Steps {
    /// `None` where the object is none that `await` would take.
    pub(super) fn of(awaitable: &Bound<'_, PyAny>) -> Option<Self> {
        let iterator = awaitable
            .call_method0(intern!(awaitable.py(), "__await__"))
            .ok()?;
        Some(Self {
            awaitable: awaitable.clone().unbind(),
            iterator: iterator.cast_into::<PyIterator>().ok()?.unbind(),
        })
    }

    /// Goes on with a value, which is `None` for all but hand-driven coroutines.
    pub(super) fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<Step> {
        match self.iterator.bind(value.py()).send(value)? {
            PySendResult::Next(next) => Ok(Step::Next(next.unbind())),
            PySendResult::Return(result) => Ok(Step::Return(result.unbind())),
        }
    }

    /// Goes on with an exception.
    pub(super) fn throw(&self, exception: &Bound<'_, PyTuple>) -> PyResult<Step> {
        let py = exception.py();
        let method = self.iterator.bind(py).getattr(intern!(py, "throw"))?;
        match method.call1(exception) {
            Ok(next) => Ok(Step::Next(next.unbind())),
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                let result = error.value(py).getattr(intern!(py, "value"))?;
                Ok(Step::Return(result.unbind()))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.awaitable)?;
        visit.call(&self.iterator)
    }

    /// Ends it where it stands.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let iterator = self.iterator.bind(py);
        iterator.call_method0(intern!(py, "close")).map(drop)
    }
}

/// A step as `__next__` gives it: a result is the value of a `StopIteration`, and none is none.
pub(super) fn as_next(py: Python<'_>, step: Step) -> PyResult<Option<Py<PyAny>>> {
    match step {
        Step::Next(next) => Ok(Some(next)),
        Step::Return(result) if result.is_none(py) => Ok(None),
        Step::Return(result) => Err(PyStopIteration::new_err((result,))),
    }
}

/// A step as the methods `send` and `throw` give it.
pub(super) fn as_value(step: Step) -> PyResult<Py<PyAny>> {
    match step {
        Step::Next(next) => Ok(next),
        Step::Return(result) => Err(PyStopIteration::new_err((result,))),
    }
}
