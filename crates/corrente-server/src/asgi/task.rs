//! An application's coroutine becomes a task, whose first step runs at once.
//!
//! CPython's own task: `current_task`, contexts and cancellation are as documented. From Python 3.12 on it can run its
//! first step when it is made (`eager_start`), and most requests need no second one; before that the loop calls it.

use corrente_loop::call_named;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// How tasks are made for one loop.
#[derive(Debug)]
pub(crate) struct Starter {
    event_loop: Py<PyAny>,
    /// asyncio's class of tasks and the names of its arguments, where it can start at once.
    eager: Option<(Py<PyAny>, Py<PyTuple>)>,
    /// `True`.
    yes: Py<PyAny>,
}

impl Starter {
    /// For a loop; with a task factory or in debug mode the loop makes the tasks.
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let factory = event_loop.call_method0(intern!(py, "get_task_factory"))?;
        let is_debug = event_loop
            .call_method0(intern!(py, "get_debug"))?
            .is_truthy()?;
        let is_plain = factory.is_none() && !is_debug;
        let can_start = py.version_info() >= (3, 12);
        let eager = if is_plain && can_start {
            let class = py.import("asyncio")?.getattr("Task")?;
            let names = PyTuple::new(py, ["loop", "eager_start"])?;
            Some((class.unbind(), names.unbind()))
        } else {
            None
        };
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            eager,
            yes: true.into_pyobject(py)?.to_owned().into_any().unbind(),
        })
    }

    /// The task of a coroutine; it may be done already.
    pub(crate) fn start<'py>(&self, coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        let event_loop = self.event_loop.bind(py);
        match &self.eager {
            Some((class, names)) => call_named(
                class.bind(py),
                &[coroutine, event_loop, self.yes.bind(py)],
                names.bind(py),
            ),
            None => event_loop.call_method1(intern!(py, "create_task"), (coroutine,)),
        }
    }

    pub(crate) fn event_loop(&self) -> &Py<PyAny> {
        &self.event_loop
    }
}
