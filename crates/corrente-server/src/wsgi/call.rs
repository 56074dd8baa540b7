//! One request of a WSGI application: its body, `start_response`, and what it yields.
//!
//! PEP 3333, sections "The `start_response()` Callable" and "Handling the Content-Length Header". Key invariant: the state is not
//! borrowed while the application runs.

use std::sync::{Arc, OnceLock};

use corrente_loop::Confined;
use corrente_loop::native::FilePart;
use corrente_loop::quick::{Arguments, Method};
use pyo3::exceptions::PyAssertionError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyString, PyType};

use super::answer::{bytes, close, code, fields, length_of, whole};
use super::remote::{Failed, Inbox, Remote};
use super::wrapper::FileWrapper;
use crate::exchange::{Content, Exchange, Last};
use crate::packed::Packed;

static START_RESPONSE: Method = Method::quick(
    c"start_response",
    c"start_response($self, /, status, headers, exc_info=None)\n--\n\nBegins the response.",
    start_response,
);

static EARLY_HINTS: Method = Method::quick(
    c"early_hints",
    c"early_hints($self, /, headers)\n--\n\nSends `103 Early Hints` with these pairs of strings (RFC 8297).",
    early_hints,
);

/// Larger bodies are kept in a temporary file, in bytes.
const MEMORY_MOST: usize = 1024 * 1024;

/// A request, and what has become of it.
#[pyclass(frozen, freelist = 64, module = "corrente._native")]
pub(crate) struct Call {
    state: Confined<State>,
    /// Where the application runs in a thread: what the loop's thread may touch meanwhile.
    remote: OnceLock<Arc<Remote>>,
}

struct State {
    /// Nothing once the application has it, which may give it something that refers to this.
    environ: Option<Py<PyDict>>,
    /// Nothing once all is over.
    way: Option<Way>,
    body: Vec<u8>,
    /// A temporary file with what came before `body`.
    file: Option<Py<PyAny>>,
    /// What `start_response` was given.
    head: Option<Head>,
    progress: Progress,
    /// What the application returned, and its iterator.
    yields: Option<(Py<PyAny>, Py<PyAny>)>,
}

/// How an answer gets to its client.
#[derive(Clone)]
enum Way {
    /// The application runs in the loop's thread.
    Here(Arc<dyn Exchange>),
    There(Arc<Remote>),
}

/// What `start_response` was given.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) fields: Packed,
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
            remote: OnceLock::new(),
            state: Confined::new(State {
                environ: Some(environ),
                way: Some(Way::Here(exchange)),
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

    /// The application is to run in a thread. Nothing where the client has gone already.
    pub(crate) fn hand_over(
        &self,
        py: Python<'_>,
        inbox: &Arc<Inbox>,
        failed: Failed,
    ) -> PyResult<Option<Arc<Remote>>> {
        let Some(Way::Here(exchange)) = self.state.with(py, |state| state.way.take())? else {
            return Ok(None);
        };
        let remote = Arc::new(Remote::new(inbox, exchange, failed));
        let way = Way::There(Arc::clone(&remote));
        self.state.with(py, |state| state.way = Some(way))?;
        Ok(Some(Arc::clone(self.remote.get_or_init(|| remote))))
    }

    /// There is room for more of the answer; nothing where the application's thread goes on by itself.
    pub(crate) fn room(&self, py: Python<'_>) -> PyResult<Option<Advance>> {
        match self.remote.get() {
            Some(remote) => {
                remote.room();
                Ok(None)
            }
            None => self.advance(py).map(Some),
        }
    }

    /// The client has gone: what the application still yields is not asked for.
    pub(crate) fn gone(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(remote) = self.remote.get() {
            remote.gone();
            return Ok(());
        }
        let (way, yields) = self
            .state
            .with(py, |state| (state.way.take(), state.yields.take()))?;
        drop(way);
        let closed = yields.map_or(Ok(()), |(result, _)| close(result.bind(py)));
        self.close_input(py).and(closed)
    }

    /// The application is over: the temporary file of its body, if it has one, is not needed.
    pub(crate) fn close_input(&self, py: Python<'_>) -> PyResult<()> {
        let file = self.state.with(py, |state| state.file.take())?;
        file.map_or(Ok(()), |file| close(file.bind(py)))
    }

    /// Calls the application: the request is whole.
    pub(crate) fn start(
        slf: &Bound<'_, Self>,
        application: &Bound<'_, PyAny>,
    ) -> PyResult<Advance> {
        let py = slf.py();
        let this = slf.get();
        let environ = this.state.with(py, |state| state.environ.take())?;
        let Some(environ) = environ.map(|environ| environ.into_bound(py)) else {
            return Ok(Advance::Over);
        };
        if let Some(input) = this.input(py)? {
            environ.set_item(intern!(py, "wsgi.input"), input)?;
        }
        let early_hints = EARLY_HINTS.bind(slf.as_any())?;
        environ.set_item(intern!(py, "wsgi.early_hints"), early_hints)?;
        let start_response = START_RESPONSE.bind(slf.as_any())?;
        let result = application.call1((environ, start_response))?;
        if let Some(whole) = whole(&result) {
            // A list has nothing to close.
            return this.send(py, &whole, Last::Yes).map(|()| Advance::Over);
        }
        if let Ok(wrapper) = result.cast::<FileWrapper>()
            && let Some(part) = wrapper.get().part(py)?
        {
            let sent = this.send_file(py, part);
            // What is sent has a descriptor of its own.
            let closed = close(&result);
            return sent.and(closed).map(|()| Advance::Over);
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
        for piece in iterator.cast::<PyIterator>()?.clone() {
            let piece = bytes(&piece?)?;
            if !piece.as_bytes().is_empty() {
                self.send(py, &piece, Last::No)?;
            }
            match self.state.with(py, |state| state.way.clone())? {
                Some(Way::Here(exchange)) if exchange.is_full(py) => return Ok(Advance::Full),
                Some(Way::Here(_)) => {}
                Some(Way::There(remote)) if remote.wait_for_room(py) => {}
                // The client has gone.
                Some(Way::There(_)) | None => return Ok(Advance::Over),
            }
        }
        self.send(py, &PyBytes::new(py, b""), Last::Yes)?;
        Ok(Advance::Over)
    }

    /// A file as the whole body, or, where `write` was called, as its end. No more of it is sent than `Content-Length` says
    /// (PEP 3333, "Optional Platform-Specific File Handling").
    fn send_file(&self, py: Python<'_>, mut part: FilePart) -> PyResult<()> {
        let promised = self.state.with(py, |state| {
            let head = state.head.as_ref();
            head.and_then(|head| length_of(&head.fields))
        })?;
        if let Some(promised) = promised {
            part = part.split(promised);
        }
        self.send_content(py, Content::File(part), Last::Yes)
    }

    fn send(&self, py: Python<'_>, piece: &Bound<'_, PyBytes>, last: Last) -> PyResult<()> {
        self.send_content(py, Content::Bytes(piece.clone().unbind()), last)
    }

    fn send_content(&self, py: Python<'_>, content: Content, last: Last) -> PyResult<()> {
        let (way, head, progress) = self.state.with(py, |state| {
            (state.way.clone(), state.head.take(), state.progress)
        })?;
        let Some(way) = way else {
            return Ok(());
        };
        if head.is_none() && progress == Progress::Nothing {
            return Err(PyAssertionError::new_err(
                "the application sent a body before it called start_response()",
            ));
        }
        match way {
            Way::Here(exchange) => self.send_here(py, &exchange, content, head, last),
            Way::There(remote) => {
                let now = match last {
                    Last::Yes => Progress::Complete,
                    Last::No => Progress::Started,
                };
                self.state.with(py, |state| state.progress = now)?;
                remote.send(py, content, head, last)
            }
        }
    }

    fn send_here(
        &self,
        py: Python<'_>,
        exchange: &Arc<dyn Exchange>,
        content: Content,
        head: Option<Head>,
        last: Last,
    ) -> PyResult<()> {
        if let Some(head) = head {
            exchange.packed_head(py, head.status, head.fields)?;
            self.state
                .with(py, |state| state.progress = Progress::Started)?;
        }
        if content.send(py, &**exchange, last)? == Last::No {
            return Ok(());
        }
        let way = self.state.with(py, |state| {
            state.progress = Progress::Complete;
            state.way.take()
        })?;
        // Where the application has run the loop, its client may have gone.
        match way {
            Some(_) => exchange.complete(py),
            None => Ok(()),
        }
    }

    /// Nothing is sent to who has gone.
    fn hint(&self, py: Python<'_>, fields: Packed) -> PyResult<()> {
        let (way, progress) = self
            .state
            .with(py, |state| (state.way.clone(), state.progress))?;
        if progress != Progress::Nothing {
            let text = "early_hints() was called after the response had begun";
            return Err(PyAssertionError::new_err(text));
        }
        match way {
            Some(Way::Here(exchange)) => exchange.hint(py, &fields),
            Some(Way::There(remote)) => remote.hint(py, fields),
            None => Ok(()),
        }
    }

    /// `wsgi.input`: the body, from its begin; nothing where there is none.
    fn input<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        static BYTES_IO: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let (body, file) = self.state.with(py, |state| {
            let file = state.file.as_ref().map(|file| file.clone_ref(py));
            (std::mem::take(&mut state.body), file)
        })?;
        let Some(file) = file else {
            if body.is_empty() {
                return Ok(None);
            }
            let class = BYTES_IO.import(py, "io", "BytesIO")?;
            return class.call1((PyBytes::new(py, &body),)).map(Some);
        };
        let file = file.into_bound(py);
        file.call_method1("write", (PyBytes::new(py, &body),))?;
        file.call_method1("seek", (0,))?;
        Ok(Some(file))
    }
}

/// PEP 3333's; gives back `write`, which is what calling this object does: most applications have no use for it, so
/// it is not worth a method's object.
fn start_response<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "start_response";
    let (py, this) = (arguments.py(), receiver.cast_exact::<Call>()?.get());
    arguments.at_most(NAME, 3)?;
    let status = arguments.required(NAME, 0, "status")?;
    let headers = arguments.required(NAME, 1, "headers")?;
    let names = [intern!(py, "exc_info")];
    let [exc_info] = arguments.named(NAME, &["status", "headers"], names)?;
    let exc_info = arguments.get(2).or(exc_info);
    let exc_info = exc_info.filter(|given| !given.is_none());
    let (is_started, has_head) = this.state.with(py, |state| {
        (state.progress != Progress::Nothing, state.head.is_some())
    })?;
    match exc_info {
        Some(given) if is_started => return Err(PyErr::from_value(given.get_item(1)?)),
        None if has_head || is_started => {
            let text = "start_response() was called twice without exc_info";
            return Err(PyAssertionError::new_err(text));
        }
        _ => {}
    }
    let head = Head {
        status: code(status.cast::<PyString>()?.to_str()?)?,
        fields: fields(&headers)?,
    };
    let before = this.state.with(py, |state| state.head.replace(head))?;
    drop(before);
    Ok(receiver.clone())
}

/// `wsgi.early_hints`, as Gunicorn has it: what is to be said while the answer is still worked out.
fn early_hints<'py>(
    receiver: &Bound<'py, PyAny>,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, this) = (arguments.py(), receiver.cast_exact::<Call>()?.get());
    let headers = arguments.only("early_hints", "headers")?;
    this.hint(py, fields(&headers)?)?;
    Ok(py.None().into_bound(py))
}

#[pymethods]
impl Call {
    /// `write` of PEP 3333: sends at once.
    fn __call__(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.send(data.py(), &bytes(data)?, Last::No)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let shown = self.state.peek(|state| {
            visit.call(&state.environ)?;
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
            .peek(|state| (state.environ.take(), state.file.take(), state.yields.take()));
        drop(before);
    }
}
