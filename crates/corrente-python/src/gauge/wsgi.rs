//! The wrapper of a WSGI application (PEP 3333).
//!
//! A request lasts from the call of the application until its response is closed. Lists and tuples
//! end with the call: servers treat them specially and never close them, so they pass untouched, as
//! do file wrappers, which servers hand to the kernel. `write()` is not counted.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use corrente_gauge::recorder::{Ending, Recorder, Request};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyString, PyTuple, PyType};

/// A WSGI application that is recorded.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Wsgi {
    recorder: Arc<Recorder>,
    app: Py<PyAny>,
    /// The last type of a response, and whether it has a length: asking one that has none makes an
    /// exception each time, and an application answers with one type.
    last: Mutex<Option<(Py<PyType>, Length)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known,
    None,
}

impl Wsgi {
    pub(super) fn new(recorder: Arc<Recorder>, app: Py<PyAny>) -> Self {
        Self {
            recorder,
            app,
            last: Mutex::new(None),
        }
    }
}

#[pymethods]
impl Wsgi {
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        environ: Bound<'py, PyAny>,
        start_response: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let app = self.app.bind(py);
        let Some(request) = self.recorder.begin_wsgi() else {
            return app.call1((environ, start_response));
        };
        describe(&request, &environ);
        let start = StartResponse {
            request: Arc::clone(&request),
            inner: start_response.unbind(),
        };
        let outcome = app.call1((&environ, start));
        if !request.is_named() {
            name(&request, &environ);
        }
        match outcome {
            Ok(response) => self.respond(request, &environ, response),
            Err(error) => {
                self.recorder.end(&request, Ending::Raised);
                Err(error)
            }
        }
    }

    /// What somebody asks of the application itself.
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.app.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.app)
    }
}

impl Wsgi {
    /// Hands the response on; the request ends with it.
    fn respond<'py>(
        &self,
        request: Arc<Request>,
        environ: &Bound<'py, PyAny>,
        response: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = response.py();
        if passes_untouched(&response, environ) {
            request.sent(bytes_in(&response));
            self.recorder.end(&request, Ending::Finished);
            return Ok(response);
        }
        request.returned();
        let length = self.length_of(&response);
        let body = Body {
            recorder: Arc::clone(&self.recorder),
            request,
            response: response.unbind(),
            iterator: OnceLock::new(),
        };
        // Servers take the length of a response where it has one, so the wrapper has one only then.
        if length == Length::Known {
            Ok(Bound::new(py, SizedBody(body))?.into_any())
        } else {
            Ok(Bound::new(py, PlainBody(body))?.into_any())
        }
    }
}

impl Wsgi {
    fn length_of(&self, response: &Bound<'_, PyAny>) -> Length {
        let kind = response.get_type();
        let lock = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, length)) = &*lock()
            && kind.is(known)
        {
            return *length;
        }
        let found = if kind
            .hasattr(intern!(response.py(), "__len__"))
            .unwrap_or(false)
        {
            Length::Known
        } else {
            Length::None
        };
        // The type that was there is let go after the lock: that may run code of anybody.
        let before = lock().replace((kind.unbind(), found));
        drop(before);
        found
    }
}

fn describe(request: &Request, environ: &Bound<'_, PyAny>) {
    let Ok(environ) = environ.cast::<PyDict>() else {
        return;
    };
    let py = environ.py();
    let method = text(environ, intern!(py, "REQUEST_METHOD"));
    let length = text(environ, intern!(py, "CONTENT_LENGTH"));
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let method = method.as_ref().and_then(|method| method.to_str().ok());
    request.describe(method.unwrap_or_default(), length.unwrap_or(0));
}

fn text<'py>(
    environ: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyString>> {
    environ.get_item(key).ok()??.cast_into().ok()
}

/// By the route that Werkzeug has left in the environment (Flask does), else by the path.
fn name(request: &Request, environ: &Bound<'_, PyAny>) {
    let Ok(environ) = environ.cast::<PyDict>() else {
        return;
    };
    let py = environ.py();
    let rule = || {
        let found = environ.get_item(intern!(py, "werkzeug.request")).ok()??;
        let rule = found.getattr(intern!(py, "url_rule")).ok()?;
        let rule = rule.getattr(intern!(py, "rule")).ok()?;
        rule.cast_into::<PyString>().ok()
    };
    if let Some(rule) = rule()
        && let Ok(rule) = rule.to_str()
    {
        request.name(rule);
        return;
    }
    let path = text(environ, intern!(py, "PATH_INFO"));
    // WSGI's paths are bytes in Latin-1 clothes; a name made of them is as good as any.
    let path = path.as_ref().map(|path| path.to_string_lossy());
    request.name_by_path(path.as_deref().unwrap_or("/"));
}

fn passes_untouched(response: &Bound<'_, PyAny>, environ: &Bound<'_, PyAny>) -> bool {
    if response.is_exact_instance_of::<PyList>() || response.is_exact_instance_of::<PyTuple>() {
        return true;
    }
    let key = intern!(response.py(), "wsgi.file_wrapper");
    environ
        .cast::<PyDict>()
        .ok()
        .and_then(|environ| environ.get_item(key).ok().flatten())
        // What is no class raises here, and then nobody can ask whether a response is one of it.
        .is_some_and(|wrapper| response.is_instance(&wrapper).unwrap_or(false))
}

fn bytes_in(response: &Bound<'_, PyAny>) -> usize {
    if let Ok(list) = response.cast::<PyList>() {
        list.iter().map(|chunk| bytes_of(&chunk)).sum()
    } else if let Ok(tuple) = response.cast::<PyTuple>() {
        tuple.iter().map(|chunk| bytes_of(&chunk)).sum()
    } else {
        0
    }
}

fn bytes_of(chunk: &Bound<'_, PyAny>) -> usize {
    chunk
        .cast::<PyBytes>()
        .map_or(0, |bytes| bytes.as_bytes().len())
}

/// Hears the status and hands it on.
#[pyclass(frozen, module = "corrente._native")]
struct StartResponse {
    request: Arc<Request>,
    inner: Py<PyAny>,
}

#[pymethods]
impl StartResponse {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let status = args.get_item(0).ok();
        let status = status.as_ref().and_then(|one| one.cast::<PyString>().ok());
        let code = status.and_then(|status| status.to_str().ok()?.get(..3)?.parse().ok());
        if let Some(code) = code {
            self.request.status(code);
        }
        self.inner.call(py, args, kwargs)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.inner)
    }
}

/// A response that is being read.
struct Body {
    recorder: Arc<Recorder>,
    request: Arc<Request>,
    response: Py<PyAny>,
    iterator: OnceLock<Py<PyIterator>>,
}

impl Body {
    fn begin(&self, py: Python<'_>) -> PyResult<()> {
        if self.iterator.get().is_none() {
            let iterator = self.response.bind(py).try_iter()?.unbind();
            // Whoever was first has made one; the response itself decides what a second one means.
            self.iterator.get_or_init(|| iterator);
        }
        Ok(())
    }

    fn next(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.begin(py)?;
        let Some(iterator) = self.iterator.get() else {
            return Ok(None);
        };
        match iterator.bind(py).clone().next() {
            Some(Ok(chunk)) => {
                self.request.sent(bytes_of(&chunk));
                Ok(Some(chunk.unbind()))
            }
            Some(Err(error)) => {
                self.recorder.end(&self.request, Ending::Raised);
                Err(error)
            }
            None => {
                self.request.answered();
                Ok(None)
            }
        }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let response = self.response.bind(py);
        let outcome = match response.getattr_opt(intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        };
        let ending = if outcome.is_ok() {
            Ending::Finished
        } else {
            Ending::Raised
        };
        self.recorder.end(&self.request, ending);
        outcome
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Said after `close`, this changes nothing.
        self.recorder.end(&self.request, Ending::Abandoned);
    }
}

/// A response without a length.
#[pyclass(frozen, module = "corrente._native")]
struct PlainBody(Body);

#[pymethods]
impl PlainBody {
    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().0.begin(slf.py())?;
        Ok(slf)
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.0.next(py)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.0.response.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0.response)
    }
}

/// A response with a length.
#[pyclass(frozen, module = "corrente._native")]
struct SizedBody(Body);

#[pymethods]
impl SizedBody {
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.0.response.bind(py).len()
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().0.begin(slf.py())?;
        Ok(slf)
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.0.next(py)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.0.response.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0.response)
    }
}
