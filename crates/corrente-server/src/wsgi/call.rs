//! One request of a WSGI application: its body, `start_response`, and what it yields.
//!
//! PEP 3333, sections "The `start_response()` Callable" and "Handling the Content-Length Header". Key invariant: the state is not
//! borrowed while the application runs.

use std::sync::Arc;

use corrente_loop::Confined;
use pyo3::exceptions::{PyAssertionError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::exchange::{Exchange, Last};

/// Larger bodies are kept in a temporary file, in bytes.
const MEMORY_MOST: usize = 1024 * 1024;

/// A request, and what has become of it.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Call {
    environ: Py<PyDict>,
    state: Confined<State>,
}

struct State {
    exchange: Option<Arc<dyn Exchange>>,
    body: Vec<u8>,
    /// A temporary file with what came before `body`.
    file: Option<Py<PyAny>>,
    /// What `start_response` was given.
    head: Option<Head>,
    progress: Progress,
    /// What the application returned, and its iterator.
    yields: Option<(Py<PyAny>, Py<PyAny>)>,
}

struct Head {
    status: u16,
    fields: Py<PyList>,
}

/// How far the response has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing was sent.
    Nothing,
    Started,
    Complete,
}

/// Whether the application has more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    /// There is no room for more; it goes on when there is.
    Full,
    Over,
}

impl Call {
    pub(crate) fn new(environ: Py<PyDict>, exchange: Arc<dyn Exchange>) -> Self {
        Self {
            environ,
            state: Confined::new(State {
                exchange: Some(exchange),
                body: Vec::new(),
                file: None,
                head: None,
                progress: Progress::Nothing,
                yields: None,
            }),
        }
    }

    pub(crate) fn progress(&self, py: Python<'_>) -> PyResult<Progress> {
        self.state.with(py, |state| state.progress)
    }

    /// Some of the body has come.
    pub(crate) fn put(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        let (full, file) = self.state.with(py, |state| {
            state.body.extend_from_slice(content);
            let is_much = state.body.len() > MEMORY_MOST;
            let full = is_much.then(|| std::mem::take(&mut state.body));
            (full, state.file.as_ref().map(|file| file.clone_ref(py)))
        })?;
        let Some(full) = full else {
            return Ok(());
        };
        let file = match file {
            Some(file) => file,
            None => self.file(py)?,
        };
        let bytes = PyBytes::new(py, &full);
        file.call_method1(py, intern!(py, "write"), (bytes,))
            .map(drop)
    }

    fn file(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let made = py.import("tempfile")?.call_method0("TemporaryFile")?;
        let file = made.clone().unbind();
        let before = self.state.with(py, |state| state.file.replace(file))?;
        drop(before);
        Ok(made.unbind())
    }

    /// The client has gone: what the application still yields is not asked for.
    pub(crate) fn gone(&self, py: Python<'_>) -> PyResult<()> {
        let (exchange, yields) = self
            .state
            .with(py, |state| (state.exchange.take(), state.yields.take()))?;
        drop(exchange);
        yields.map_or(Ok(()), |(result, _)| close(result.bind(py)))
    }

    /// Calls the application: the request is whole.
    pub(crate) fn start(
        slf: &Bound<'_, Self>,
        application: &Bound<'_, PyAny>,
    ) -> PyResult<Advance> {
        let py = slf.py();
        let this = slf.get();
        let environ = this.environ.bind(py);
        environ.set_item(intern!(py, "wsgi.input"), this.input(py)?)?;
        let start_response = slf.getattr(intern!(py, "start_response"))?;
        let result = application.call1((environ, start_response))?;
        if let Some(only) = only(&result) {
            let sent = this.send(py, &only, Last::Yes);
            return sent.and(close(&result)).map(|()| Advance::Over);
        }
        let iterator = result.try_iter()?.into_any().unbind();
        let yields = (result.unbind(), iterator);
        let before = this.state.with(py, |state| state.yields.replace(yields))?;
        drop(before);
        this.advance(py)
    }

    /// Sends what the application yields, as far as there is room.
    pub(crate) fn advance(&self, py: Python<'_>) -> PyResult<Advance> {
        let yields = self.state.with(py, |state| {
            let yields = state.yields.as_ref();
            yields.map(|(result, iterator)| (result.clone_ref(py), iterator.clone_ref(py)))
        })?;
        let Some((result, iterator)) = yields else {
            return Ok(Advance::Over);
        };
        let sent = self.send_all(py, iterator.bind(py));
        if matches!(sent, Ok(Advance::Full)) {
            return sent;
        }
        let before = self.state.with(py, |state| state.yields.take())?;
        drop(before);
        let closed = close(result.bind(py));
        sent.and_then(|advance| closed.map(|()| advance))
    }

    fn send_all(&self, py: Python<'_>, iterator: &Bound<'_, PyAny>) -> PyResult<Advance> {
        for piece in iterator.try_iter()? {
            let piece = bytes(&piece?)?;
            if !piece.as_bytes().is_empty() {
                self.send(py, &piece, Last::No)?;
            }
            let exchange = self.state.with(py, |state| state.exchange.clone())?;
            match exchange {
                Some(exchange) if exchange.is_full(py) => return Ok(Advance::Full),
                Some(_) => {}
                // The client has gone.
                None => return Ok(Advance::Over),
            }
        }
        self.send(py, &PyBytes::new(py, b""), Last::Yes)?;
        Ok(Advance::Over)
    }

    fn send(&self, py: Python<'_>, piece: &Bound<'_, PyBytes>, last: Last) -> PyResult<()> {
        let (exchange, head, progress) = self.state.with(py, |state| {
            (state.exchange.clone(), state.head.take(), state.progress)
        })?;
        let Some(exchange) = exchange else {
            return Ok(());
        };
        match head {
            Some(head) => {
                let fields = head.fields.bind(py).as_any();
                exchange.head(py, head.status, Some(fields), Last::Yes)?;
                self.state
                    .with(py, |state| state.progress = Progress::Started)?;
            }
            None if progress == Progress::Nothing => {
                return Err(PyAssertionError::new_err(
                    "the application sent a body before it called start_response()",
                ));
            }
            None => {}
        }
        if exchange.body(py, piece, last)? == Last::Yes {
            let exchange = self.state.with(py, |state| {
                state.progress = Progress::Complete;
                state.exchange.take()
            })?;
            if let Some(exchange) = exchange {
                exchange.complete(py)?;
            }
        }
        Ok(())
    }

    /// `wsgi.input`: the body, from its begin.
    fn input<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (body, file) = self.state.with(py, |state| {
            (std::mem::take(&mut state.body), state.file.take())
        })?;
        let body = PyBytes::new(py, &body);
        let Some(file) = file else {
            return py
                .import(intern!(py, "io"))?
                .call_method1("BytesIO", (body,));
        };
        let file = file.into_bound(py);
        file.call_method1("write", (body,))?;
        file.call_method1("seek", (0,))?;
        Ok(file)
    }
}

#[pymethods]
impl Call {
    /// PEP 3333's; gives back `write`.
    #[pyo3(signature = (status, headers, exc_info = None))]
    fn start_response<'py>(
        slf: &Bound<'py, Self>,
        status: &Bound<'py, PyString>,
        headers: &Bound<'py, PyAny>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let is_started = this.progress(py)? != Progress::Nothing;
        let exc_info = exc_info.filter(|given| !given.is_none());
        let is_repeated = this.state.with(py, |state| state.head.is_some())? || is_started;
        match exc_info {
            Some(given) if is_started => return Err(PyErr::from_value(given.get_item(1)?)),
            None if is_repeated => {
                let text = "start_response() was called twice without exc_info";
                return Err(PyAssertionError::new_err(text));
            }
            _ => {}
        }
        let head = Head {
            status: code(&status.to_string())?,
            fields: fields(headers)?.unbind(),
        };
        let before = this.state.with(py, |state| state.head.replace(head))?;
        drop(before);
        slf.getattr(intern!(py, "_write"))
    }

    /// What `start_response` gives back: sends at once.
    fn _write(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.send(data.py(), &bytes(data)?, Last::No)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.environ)?;
        let shown = self.state.peek(|state| {
            visit.call(&state.file)?;
            match &state.yields {
                Some((result, iterator)) => {
                    visit.call(result)?;
                    visit.call(iterator)
                }
                None => Ok(()),
            }
        });
        shown.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let before = self
            .state
            .peek(|state| (state.file.take(), state.yields.take(), state.head.take()));
        drop(before);
    }
}

/// The one piece of a body that is a list of one: its length is known.
fn only<'py>(result: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    let piece = match (result.cast::<PyList>(), result.cast::<PyTuple>()) {
        (Ok(list), _) if list.len() == 1 => list.get_item(0).ok()?,
        (_, Ok(tuple)) if tuple.len() == 1 => tuple.get_item(0).ok()?,
        _ => return None,
    };
    piece.cast_into::<PyBytes>().ok()
}

fn bytes<'py>(piece: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let name = piece.get_type().name()?;
    piece
        .cast::<PyBytes>()
        .cloned()
        .map_err(|_| PyTypeError::new_err(format!("a WSGI application yields bytes, not '{name}'")))
}

/// The number of a status like `200 OK`.
fn code(status: &str) -> PyResult<u16> {
    let digits = status.split(' ').next().unwrap_or_default();
    let is_code = digits.len() == 3 && status.len() > 3;
    let code = digits.parse().ok().filter(|_| is_code);
    code.ok_or_else(|| {
        let text = format!("status must be like '200 OK', not '{status}'");
        PyValueError::new_err(text)
    })
}

/// Headers as pairs of `bytes`, from pairs of native strings.
fn fields<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = headers.py();
    let headers = headers
        .cast::<PyList>()
        .map_err(|_| PyTypeError::new_err("headers must be a list of pairs of strings"))?;
    let fields = PyList::empty(py);
    for pair in headers.iter() {
        let (name, value) = pair.extract::<(Bound<'py, PyString>, Bound<'py, PyString>)>()?;
        fields.append((latin(&name)?, latin(&value)?))?;
    }
    Ok(fields)
}

fn latin<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    let py = text.py();
    let text = text.to_str()?;
    if text.is_ascii() {
        return Ok(PyBytes::new(py, text.as_bytes()));
    }
    let bytes = text.chars().map(|one| u8::try_from(u32::from(one)).ok());
    let bytes: Option<Vec<u8>> = bytes.collect();
    match bytes {
        Some(bytes) => Ok(PyBytes::new(py, &bytes)),
        None => Err(PyRuntimeError::new_err(format!(
            "a header has characters that are not Latin-1: {text:?}"
        ))),
    }
}

/// PEP 3333: `close()` is called, however the request ended.
fn close(result: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = result.py();
    match result.getattr_opt(intern!(py, "close"))? {
        Some(close) => close.call0().map(drop),
        None => Ok(()),
    }
}
