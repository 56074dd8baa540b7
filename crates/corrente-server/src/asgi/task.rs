//! An application's coroutine becomes a task, whose first step runs at once.
//!
//! CPython's own task: `current_task`, contexts and cancellation are as documented. From Python 3.12 on it can run its
//! first step when it is made (`eager_start`), and most requests need no second one; before that the loop calls it.

use corrente_loop::quick::construct;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

/// How tasks are made for one loop.
#[derive(Debug)]
pub(crate) struct Starter {
    event_loop: Py<PyAny>,
    /// Where tasks can start at once.
    eager: Option<Eager>,
    /// The server's own context, as an argument by name.
    context: Py<PyDict>,
}

/// asyncio's class of tasks, and what is asked of each of them: methods that are found once are called without a look at the
/// class.
#[derive(Debug)]
struct Eager {
    class: Py<PyType>,
    /// Its arguments but for the coroutine. A class in C takes them as a dictionary, which would be made anew for each.
    arguments: Py<PyDict>,
    done: Py<PyAny>,
    exception: Py<PyAny>,
}

impl Eager {
    fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let class = py.import("asyncio")?.getattr("Task")?;
        let arguments = PyDict::new(py);
        arguments.set_item(intern!(py, "loop"), event_loop)?;
        arguments.set_item(intern!(py, "eager_start"), true)?;
        Ok(Self {
            done: class.getattr("done")?.unbind(),
            exception: class.getattr("exception")?.unbind(),
            class: class.cast_into::<PyType>()?.unbind(),
            arguments: arguments.unbind(),
        })
    }
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
            Some(Eager::new(event_loop)?)
        } else {
            None
        };
        let context = PyDict::new(py);
        let own = py.import("contextvars")?.call_method0("copy_context")?;
        context.set_item(intern!(py, "context"), own)?;
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            eager,
            context: context.unbind(),
        })
    }

    /// Has the loop call something in the server's own context. Whoever has it called may be the task of a request, whose
    /// context is no other request's.
    pub(crate) fn call_soon(&self, callback: Bound<'_, PyAny>) -> PyResult<()> {
        let py = callback.py();
        let event_loop = self.event_loop.bind(py);
        let name = intern!(py, "call_soon");
        let called = event_loop.call_method(name, (callback,), Some(self.context.bind(py)));
        called.map(drop)
    }

    /// The task of a coroutine; it may be done already.
    pub(crate) fn start<'py>(&self, coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        if let Some(eager) = &self.eager {
            let arguments = (coroutine,).into_pyobject(py)?;
            return construct(eager.class.bind(py), &arguments, eager.arguments.bind(py));
        }
        let event_loop = self.event_loop.bind(py);
        event_loop.call_method1(intern!(py, "create_task"), (coroutine,))
    }

    /// Whether a task is done.
    pub(crate) fn is_done(&self, task: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = task.py();
        let done = match &self.eager {
            Some(eager) => eager.done.bind(py).call1((task,)),
            None => task.call_method0(intern!(py, "done")),
        };
        done?.is_truthy()
    }

    /// What a task that is done ended with.
    pub(crate) fn failure(&self, task: &Bound<'_, PyAny>) -> Option<PyErr> {
        let py = task.py();
        let exception = match &self.eager {
            Some(eager) => eager.exception.bind(py).call1((task,)),
            None => task.call_method0(intern!(py, "exception")),
        };
        match exception {
            Ok(exception) if exception.is_none() => None,
            Ok(exception) => Some(PyErr::from_value(exception)),
            // It was cancelled.
            Err(error) => Some(error),
        }
    }

    pub(crate) fn event_loop(&self) -> &Py<PyAny> {
        &self.event_loop
    }
}
