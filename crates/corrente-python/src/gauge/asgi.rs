//! The wrapper of an ASGI application, and of the tasks that its requests start.
//!
//! The application's coroutine is driven step by step; each step is work of the loop's thread for
//! that request. The response is complete with the last part of its body, the request with the end
//! of the coroutine. A `WebSocket` and the lifespan pass untouched.

use std::cell::Cell;
use std::sync::Arc;

use corrente_gauge::recorder::{self, Ending, Place, Recorder, Request};
use pyo3::PyTraverseError;
use pyo3::exceptions::PyException;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::step::{Step, Steps, as_next, as_value};

/// An ASGI application that is recorded.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Asgi {
    recorder: Arc<Recorder>,
    app: Py<PyAny>,
    prepare: Option<Py<PyAny>>,
}

thread_local! {
    static PREPARED: Cell<bool> = const { Cell::new(false) };
}

impl Asgi {
    pub(super) fn new(recorder: Arc<Recorder>, app: Py<PyAny>, prepare: Option<Py<PyAny>>) -> Self {
        Self {
            recorder,
            app,
            prepare,
        }
    }

    /// Calls what wants to be called once in the thread of each loop.
    fn prepare(&self, py: Python<'_>) {
        if let Some(prepare) = &self.prepare
            && !PREPARED.replace(true)
            && let Err(error) = prepare.call0(py)
        {
            self.recorder
                .note(|about| about.doubt("hook_failed", &error.to_string()));
        }
    }
}

#[pymethods]
impl Asgi {
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        scope: Bound<'py, PyAny>,
        receive: Bound<'py, PyAny>,
        send: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.prepare(py);
        let app = self.app.bind(py);
        let begun = if is_http(&scope) {
            self.recorder.begin_asgi()
        } else {
            None
        };
        let Some(request) = begun else {
            return app.call1((scope, receive, send));
        };
        describe(&request, &scope);
        let messages = Messages {
            request: Arc::clone(&request),
            inner: send.unbind(),
        };
        let coroutine = match app.call1((&scope, receive, messages)) {
            Ok(coroutine) => coroutine,
            Err(error) => {
                self.recorder.end(&request, Ending::Raised);
                return Err(error);
            }
        };
        let Some(steps) = Steps::of(&coroutine) else {
            self.recorder.end(&request, Ending::Abandoned);
            return Ok(coroutine);
        };
        let owner = Owner {
            recorder: Arc::clone(&self.recorder),
            scope: scope.unbind(),
        };
        let run = Run {
            request,
            steps,
            owner: Some(owner),
        };
        Ok(Bound::new(py, run)?.into_any())
    }

    /// What somebody asks of the application itself.
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.app.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.prepare)?;
        visit.call(&self.app)
    }
}

fn is_http(scope: &Bound<'_, PyAny>) -> bool {
    let kind = item(scope, intern!(scope.py(), "type"));
    kind.is_some_and(|kind| is_text(&kind, "http"))
}

fn is_text(found: &Bound<'_, PyAny>, expected: &str) -> bool {
    let text = found.cast::<PyString>().ok();
    text.and_then(|text| text.to_str().ok()) == Some(expected)
}

/// An entry of a scope or message, which every server makes as a dictionary.
fn item<'py>(of: &Bound<'py, PyAny>, key: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    of.cast::<PyDict>().ok()?.get_item(key).ok()?
}

fn describe(request: &Request, scope: &Bound<'_, PyAny>) {
    let method = item(scope, intern!(scope.py(), "method"));
    let method = method.and_then(|method| method.cast_into::<PyString>().ok());
    let method = method.as_ref().and_then(|method| method.to_str().ok());
    let method = method.unwrap_or_default();
    let has_body = !matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS");
    let length = if has_body {
        content_length(scope)
    } else {
        None
    };
    request.describe(method, length.unwrap_or(0));
}

fn content_length(scope: &Bound<'_, PyAny>) -> Option<u64> {
    for header in item(scope, intern!(scope.py(), "headers"))?
        .try_iter()
        .ok()?
    {
        let (name, value): (Bound<'_, PyBytes>, Bound<'_, PyBytes>) =
            header.ok()?.extract().ok()?;
        if name.as_bytes() == b"content-length" {
            return std::str::from_utf8(value.as_bytes()).ok()?.parse().ok();
        }
    }
    None
}

/// By the route that Starlette or `FastAPI` has left in the scope, else by the path.
fn name(request: &Request, scope: &Bound<'_, PyAny>) {
    let py = scope.py();
    let route = item(scope, intern!(py, "route")).and_then(|route| {
        let path = route.getattr(intern!(py, "path")).ok()?;
        path.cast_into::<PyString>().ok()
    });
    if let Some(route) = route
        && let Ok(route) = route.to_str()
    {
        request.name(route);
        return;
    }
    let path = item(scope, intern!(py, "path")).and_then(|path| path.cast_into().ok());
    let path = path
        .as_ref()
        .map(|path: &Bound<'_, PyString>| path.to_string_lossy());
    request.name_by_path(path.as_deref().unwrap_or("/"));
}

/// Hears the messages of a response and hands them on.
#[pyclass(frozen, module = "corrente._native")]
struct Messages {
    request: Arc<Request>,
    inner: Py<PyAny>,
}

#[pymethods]
impl Messages {
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        message: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.hear(&message);
        self.inner.bind(py).call1((message,))
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.inner.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.inner)
    }
}

impl Messages {
    fn hear(&self, message: &Bound<'_, PyAny>) {
        let py = message.py();
        let Some(kind) = item(message, intern!(py, "type")) else {
            return;
        };
        if is_text(&kind, "http.response.body") {
            if let Some(body) = item(message, intern!(py, "body")) {
                self.request.sent(body.len().unwrap_or(0));
            }
            let more = item(message, intern!(py, "more_body"));
            if !more.is_some_and(|more| more.is_truthy().unwrap_or(false)) {
                self.request.answered();
            }
        } else if let Some(status) = item(message, intern!(py, "status")) {
            self.request.status(status.extract().unwrap_or(0));
        }
    }
}

/// A coroutine that works for a request: the application's, or that of a task it started.
#[pyclass(frozen, module = "corrente._native")]
struct Run {
    request: Arc<Request>,
    steps: Steps,
    /// The application's coroutine ends the request; a task's does not.
    owner: Option<Owner>,
}

struct Owner {
    recorder: Arc<Recorder>,
    scope: Py<PyAny>,
}

/// Wraps the coroutine of a task for the request that is running here, if there is one.
pub(super) fn child(coroutine: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = coroutine.py();
    let Some(request) = recorder::current() else {
        return Ok(coroutine.unbind());
    };
    let Some(steps) = Steps::of(&coroutine) else {
        return Ok(coroutine.unbind());
    };
    let run = Run {
        request,
        steps,
        owner: None,
    };
    Ok(Py::new(py, run)?.into_any())
}

#[pymethods]
impl Run {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let none = py.None().into_bound(py);
        as_next(py, self.step(py, |steps| steps.send(&none))?)
    }

    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        as_value(self.step(value.py(), |steps| steps.send(value))?)
    }

    #[pyo3(signature = (*exception))]
    fn throw(&self, exception: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        as_value(self.step(exception.py(), |steps| steps.throw(exception))?)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let outcome = self.steps.close(py);
        self.end(py, Ending::Abandoned);
        outcome
    }

    /// `cr_frame`, `__name__` and what else is asked of a coroutine.
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.steps.awaitable.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(owner) = &self.owner {
            visit.call(&owner.scope)?;
        }
        self.steps.traverse(&visit)
    }
}

impl Run {
    fn step(&self, py: Python<'_>, go: impl FnOnce(&Steps) -> PyResult<Step>) -> PyResult<Step> {
        let entered = recorder::enter(&self.request, Place::Step);
        let outcome = go(&self.steps);
        recorder::leave(entered);
        match &outcome {
            Ok(Step::Next(_)) => {}
            Ok(Step::Return(_)) => self.end(py, Ending::Finished),
            // What is no `Exception` (cancelled, the generator's exit) is no fault of the application.
            Err(error) if error.is_instance_of::<PyException>(py) => self.end(py, Ending::Raised),
            Err(_) => self.end(py, Ending::Abandoned),
        }
        outcome
    }

    fn end(&self, py: Python<'_>, ending: Ending) {
        if let Some(owner) = &self.owner
            && !self.request.has_ended()
        {
            if !self.request.is_named() {
                name(&self.request, owner.scope.bind(py));
            }
            owner.recorder.end(&self.request, ending);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Said after `end`, this changes nothing.
        if let Some(owner) = &self.owner {
            owner.recorder.end(&self.request, Ending::Abandoned);
        }
    }
}
