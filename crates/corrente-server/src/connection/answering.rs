//! From the application's answer to bytes, and what becomes of the connection after it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use corrente_http::Rejection;
use corrente_http::h1::{Length, ResponseError};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::incoming;
use super::output::{Always, COPIED_MOST, Encoded, Field, Output};
use super::{Body, Connection, Parting, Past, Stage};
use crate::application::{Beginning, Handler, Interface};
use crate::asgi::request::{ClientDisconnected, Progress, Request};
use crate::exchange::{Exchange, Last};
use crate::wsgi::call::{self, Advance, Call};

/// What may wait in memory behind a request that is answered, in bytes; more is left to the kernel.
const HELD_MOST: usize = 64 * 1024;

/// What is gathered of a response while its connection works, in bytes: beyond it the socket has to say whether there
/// is room for more.
const GATHERED_MOST: usize = 64 * 1024;

impl Connection {
    /// The application gets its request.
    pub(super) fn start(self: &Arc<Self>, py: Python<'_>, beginning: Beginning) -> PyResult<()> {
        let shared = &self.shared;
        if shared.counts.in_flight.load(Ordering::Relaxed) > shared.max_in_flight {
            return self.refuse(
                py,
                503,
                "the server has as many requests as it takes at once\n",
            );
        }
        match beginning.handler {
            Handler::Asgi(request) => self.start_task(py, &request, beginning.scope),
            Handler::Wsgi(call) => {
                let advanced = Call::start(call.bind(py), shared.application.bind(py));
                self.advanced(py, &call, advanced)
            }
        }
    }

    fn start_task(
        self: &Arc<Self>,
        py: Python<'_>,
        request: &Py<Request>,
        scope: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let shared = &self.shared;
        let receive = request.getattr(py, intern!(py, "receive"))?;
        let send = request.getattr(py, intern!(py, "send"))?;
        let application = shared.application.bind(py);
        let task = application
            .call1((scope, receive, send))
            .and_then(|coroutine| shared.starter.start(&coroutine));
        let task = match task {
            Ok(task) => task,
            Err(error) if ends_program(py, &error) => return Err(error),
            Err(error) => return self.ended(py, request, Some(error)),
        };
        if task.call_method0(intern!(py, "done"))?.is_truthy()? {
            return self.ended(py, request, failure(&task));
        }
        let kept = task.clone().unbind();
        let done = Done {
            connection: Arc::clone(self),
            request: request.clone_ref(py),
        };
        task.call_method1(intern!(py, "add_done_callback"), (done,))?;
        self.with(py, |state| {
            if let Some(current) = &mut state.current
                && current.handler.object().is(request)
            {
                current.task = Some(kept);
            }
        })
    }

    /// What was written has been read: the application may go on.
    pub(super) fn has_room(self: &Arc<Self>, py: Python<'_>, handler: &Handler) -> PyResult<()> {
        match handler {
            Handler::Asgi(request) => request.get().room(py),
            Handler::Wsgi(call) => {
                let advanced = call.get().advance(py);
                self.advanced(py, call, advanced)
            }
        }
    }

    /// A WSGI application has said what it had to say, or as much as there was room for.
    fn advanced(
        self: &Arc<Self>,
        py: Python<'_>,
        call: &Py<Call>,
        advanced: PyResult<Advance>,
    ) -> PyResult<()> {
        let is_full = matches!(advanced, Ok(Advance::Full));
        if !is_full {
            call.get().close_input(py)?;
        }
        let error = match advanced {
            Ok(_) => return Ok(()),
            Err(error) if ends_program(py, &error) => return Err(error),
            Err(error) => error,
        };
        let text = "the application raised an exception";
        self.shared.report(py, text, Some(error))?;
        match call.get().progress(py)? {
            call::Progress::Complete => Ok(()),
            call::Progress::Nothing | call::Progress::Started => self.fail(py),
        }
    }

    /// The application could not answer: 500, or, where some of its answer is written, an end before its end.
    fn fail(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if self.with(py, |state| state.output.is_begun())? {
            self.give_up(py)?;
            return self.abort(py);
        }
        self.refuse(py, 500, "Internal Server Error\n")
    }

    /// The application has returned.
    fn ended(
        self: &Arc<Self>,
        py: Python<'_>,
        request: &Py<Request>,
        error: Option<PyErr>,
    ) -> PyResult<()> {
        let progress = request.get().progress(py)?;
        let is_current = self.with(py, |state| {
            let current = state.current.as_ref();
            current
                .is_some_and(|current| current.handler.object().is(request) && !current.is_answered)
        })?;
        let shared = &self.shared;
        match (progress, error) {
            (Progress::Complete, None) => return Ok(()),
            (_, Some(error)) if error.is_instance_of::<ClientDisconnected>(py) && !is_current => {
                return Ok(());
            }
            (_, Some(error)) => {
                shared.report(py, "the application raised an exception", Some(error))?;
            }
            // The client has gone, and so has the application.
            (_, None) if !is_current => return Ok(()),
            (Progress::Nothing, None) => {
                shared.report(py, "the application returned without a response", None)?;
            }
            (Progress::Started, None) => {
                let text = "the application returned before its response was complete";
                shared.report(py, text, None)?;
            }
        }
        if !is_current {
            return Ok(());
        }
        self.fail(py)
    }

    /// The request that is answered now is none any more: its application is told that the client has gone.
    fn give_up(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let current = self.with(py, |state| state.current.take())?;
        if let Some(current) = current {
            if !current.is_answered {
                self.shared.counts.in_flight.fetch_sub(1, Ordering::Relaxed);
            }
            current.handler.gone(py)?;
        }
        Ok(())
    }

    /// Answers in the application's place; the connection ends after it.
    pub(super) fn refuse(
        self: &Arc<Self>,
        py: Python<'_>,
        status: u16,
        text: &str,
    ) -> PyResult<()> {
        self.with(py, |state| {
            let current = state.current.as_ref();
            let is_sending = current.is_some_and(|current| current.body == Body::Coming);
            // Who was too slow has had its time.
            if is_sending && status != 408 {
                state.parting = Parting::Lingering;
            }
        })?;
        self.give_up(py)?;
        self.write(py, |output, always| {
            if output.is_begun() {
                output.close_after();
            } else {
                output.refuse(status, text, always);
            }
        })?;
        self.end_after_output(py)
    }

    /// What has come is no request.
    pub(super) fn reject(self: &Arc<Self>, py: Python<'_>, rejection: Rejection) -> PyResult<()> {
        self.with(py, |state| state.parting = Parting::Lingering)?;
        self.give_up(py)?;
        self.write(py, |output, always| {
            if output.is_begun() {
                output.close_after();
            } else {
                output.reject(rejection, always.date);
            }
        })?;
        self.end_after_output(py)
    }

    fn end_after_output(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| state.stage = Stage::Ends)?;
        self.settle(py)
    }

    /// Lends what is to be written, and what is written with every head.
    fn write<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Output, Always<'_>) -> R,
    ) -> PyResult<R> {
        let shared = &self.shared;
        shared.date.with(py, |date| {
            let always = Always {
                date: date.now(),
                server: &shared.server_name,
            };
            self.with(py, |state| work(&mut state.output, always))
        })?
    }

    /// Sends what is to be written, and does what is due after it.
    pub(super) fn settle(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.write_out(py)?;
        let is_draining = self.shared.is_draining();
        let (is_over, is_free, is_much, is_unread) = self.with(py, |state| {
            let is_over = state.output.closes() || state.stage == Stage::Ends;
            let is_free = state.current.is_none();
            let is_answered = state.current.as_ref().is_none_or(|one| one.is_answered);
            let is_unread = state.is_reading_paused && is_answered;
            let is_much = state.held.len() > HELD_MOST;
            let is_done =
                is_free && is_draining && state.past == Past::Used && state.held.is_empty();
            (is_over && is_free || is_done, is_free, is_much, is_unread)
        })?;
        if is_over {
            return self.close(py);
        }
        if is_unread {
            self.unpause(py)?;
        }
        if is_much && !is_free {
            self.pause(py)?;
        }
        self.wait_for_client(py)
    }

    fn write_out(&self, py: Python<'_>) -> PyResult<()> {
        let (bytes, transport) = self.with(py, |state| {
            let transport = state.transport.as_ref();
            let transport = transport.map(|transport| transport.clone_ref(py));
            (state.output.take(), transport)
        })?;
        if let Some(transport) = transport
            && !bytes.is_empty()
        {
            transport.write(py, &bytes)?;
        }
        self.with(py, |state| state.output.give_back(bytes))
    }

    /// Leaves what comes to the kernel.
    pub(super) fn pause(&self, py: Python<'_>) -> PyResult<()> {
        let is_new = self.with(py, |state| {
            !std::mem::replace(&mut state.is_reading_paused, true)
        })?;
        match self.transport(py)? {
            Some(transport) if is_new => transport.pause_reading(py),
            _ => Ok(()),
        }
    }

    pub(super) fn unpause(&self, py: Python<'_>) -> PyResult<()> {
        let was_paused = self.with(py, |state| std::mem::take(&mut state.is_reading_paused))?;
        match self.transport(py)? {
            Some(transport) if was_paused => {
                transport.resume_reading(py)?;
                self.wait_for_client(py)
            }
            _ => Ok(()),
        }
    }

    /// Whether what is gathered goes out now, or later together with other things. A WSGI application may block
    /// before it yields its next piece, and this one must not wait for that (PEP 3333, "Buffering and Streaming").
    fn is_to_be_written(&self, py: Python<'_>) -> PyResult<bool> {
        let is_wsgi = self.shared.interface == Interface::Wsgi;
        self.with(py, |state| {
            is_wsgi || state.stage != Stage::Works || state.output.length() > GATHERED_MOST
        })
    }

    /// The application did not answer as it should: it is told, and the connection ends.
    fn checked<T>(&self, py: Python<'_>, encoded: Encoded<T>) -> PyResult<T> {
        encoded.map_err(|error| {
            let is_promised = matches!(
                error,
                ResponseError::TooMuch { .. } | ResponseError::TooLittle { .. }
            );
            let ended = if is_promised { self.abort(py) } else { Ok(()) };
            ended
                .err()
                .unwrap_or_else(|| PyRuntimeError::new_err(error.to_string()))
        })
    }
}

impl Exchange for Connection {
    fn head(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        trailers: Last,
    ) -> PyResult<()> {
        let fields = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        let is_draining = self.shared.is_draining();
        self.with(py, |state| {
            let current = state.current.as_ref();
            // What comes next could be the body as well as a request (RFC 9110, section 10.1.1).
            let is_held_back = current.is_some_and(|current| current.is_held_back);
            if is_draining || is_held_back {
                state.output.close_after();
            }
            state.output.head(status, fields, trailers);
        })
    }

    fn body(&self, py: Python<'_>, content: &Bound<'_, PyBytes>, last: Last) -> PyResult<Last> {
        let bytes = content.as_bytes();
        let length = match last {
            Last::Yes => Length::Known(bytes.len() as u64),
            Last::No => Length::Unknown,
        };
        let (encoded, last) = self.write(py, |output, always| {
            let last = if output.has_trailers() {
                Last::No
            } else {
                last
            };
            let encoded = output.open(py, length, always).and_then(|()| {
                if bytes.len() > COPIED_MOST {
                    return output.open_data(bytes.len());
                }
                output.data(bytes).map(|()| false)
            });
            (encoded, last)
        })?;
        if self.checked(py, encoded)? {
            self.write_out(py)?;
            if let Some(transport) = self.transport(py)? {
                transport.write_bytes(py, content)?;
            }
            self.with(py, |state| state.output.close_data())?;
        }
        if last == Last::Yes {
            let finished = self.with(py, |state| state.output.finish(&[]))?;
            self.checked(py, finished)?;
        } else if self.is_to_be_written(py)? {
            self.write_out(py)?;
        }
        Ok(last)
    }

    fn file(&self, py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Last> {
        let path: std::path::PathBuf = path.extract()?;
        // Small files are read at once; what is larger is to be sent by the kernel, which is not done yet.
        let content = py.detach(|| std::fs::read(&path))?;
        self.body(py, &PyBytes::new(py, &content), Last::Yes)
    }

    fn trailers(
        &self,
        py: Python<'_>,
        headers: Option<&Bound<'_, PyAny>>,
        last: Last,
    ) -> PyResult<Last> {
        let fields = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        let mut all = self.with(py, |state| state.output.take_trailers())?;
        all.extend(fields);
        if last == Last::No {
            self.with(py, |state| state.output.keep_trailers(all))?;
            return Ok(Last::No);
        }
        let borrowed: Vec<(&[u8], &[u8])> = all
            .iter()
            .map(|(name, value)| (name.as_bytes(py), value.as_bytes(py)))
            .collect();
        let finished = self.with(py, |state| state.output.finish(&borrowed))?;
        self.checked(py, finished)?;
        Ok(Last::Yes)
    }

    fn hint(&self, py: Python<'_>, links: &Bound<'_, PyAny>) -> PyResult<()> {
        let links = links
            .try_iter()?
            .map(|link| Ok(link?.cast_into::<PyBytes>()?))
            .collect::<PyResult<Vec<_>>>()?;
        let fields: Vec<(&[u8], &[u8])> = links
            .iter()
            .map(|link| (b"link".as_slice(), link.as_bytes()))
            .collect();
        let written = self.with(py, |state| state.output.interim(103, &fields))?;
        self.checked(py, written)?;
        self.write_out(py)
    }

    fn continues(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| {
            if let Some(current) = &mut state.current {
                current.is_held_back = false;
            }
            // Within a response it would be a part of it.
            if !state.output.is_begun() {
                state.output.continues();
            }
        })?;
        self.write_out(py)?;
        self.wait_for_client(py)
    }

    fn want(&self, py: Python<'_>) -> PyResult<()> {
        self.unpause(py)
    }

    fn complete(&self, py: Python<'_>) -> PyResult<()> {
        let Some(connection) = self.me.upgrade() else {
            return Ok(());
        };
        self.shared.counts.in_flight.fetch_sub(1, Ordering::Relaxed);
        let (over, is_working, has_more) = self.with(py, |state| {
            let mut over = None;
            if let Some(current) = &mut state.current {
                current.is_answered = true;
                if current.body == Body::Whole {
                    over = state.current.take();
                }
            }
            if state.output.closes() {
                state.stage = Stage::Ends;
                if over.is_none() {
                    over = state.current.take();
                    state.parting = Parting::Lingering;
                }
                return (over, false, false);
            }
            let is_working = state.stage == Stage::Works;
            (over, is_working, !state.held.is_empty())
        })?;
        drop(over);
        if is_working {
            return Ok(());
        }
        connection.settle(py)?;
        self.unpause(py)?;
        if has_more {
            // Not now: this is the application's own stack.
            let event_loop = self.shared.starter.event_loop();
            let resumption = Resumption(connection);
            event_loop.call_method1(py, intern!(py, "call_soon"), (resumption,))?;
        }
        Ok(())
    }

    fn is_full(&self, py: Python<'_>) -> bool {
        let looked = self.with(py, |state| {
            let transport = state.transport.as_ref()?;
            // Where some is written already, and more is to come, the client may have gone meanwhile: this is known
            // when the loop goes on.
            let is_going_on = state.output.is_begun();
            let watched = is_going_on.then(|| transport.clone_ref(py));
            Some((state.is_full, watched))
        });
        match looked {
            Ok(Some((false, Some(transport)))) => {
                let closing = transport
                    .object()
                    .call_method0(py, intern!(py, "is_closing"));
                closing.is_ok_and(|closing| closing.is_truthy(py).unwrap_or(false))
            }
            Ok(Some((is_full, _))) => is_full,
            Ok(None) | Err(_) => false,
        }
    }
}

/// Headers as pairs of `bytes`.
fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    if let Ok(list) = headers.cast::<PyList>() {
        return list.iter().map(|pair| field(&pair)).collect();
    }
    headers.try_iter()?.map(|pair| field(&pair?)).collect()
}

fn field(pair: &Bound<'_, PyAny>) -> PyResult<Field> {
    let wrong = || {
        let text = format!("a header must be a pair of bytes, not {pair}");
        PyTypeError::new_err(text)
    };
    let bytes = |object: Bound<'_, PyAny>| {
        let bytes = object.cast_into::<PyBytes>();
        bytes.map(Bound::unbind).map_err(|_| wrong())
    };
    if let Ok(tuple) = pair.cast::<PyTuple>() {
        let (name, value) = tuple.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        return Ok((bytes(name)?, bytes(value)?));
    }
    if pair.len()? != 2 {
        return Err(wrong());
    }
    Ok((bytes(pair.get_item(0)?)?, bytes(pair.get_item(1)?)?))
}

/// What a task that is done ended with.
fn failure(task: &Bound<'_, PyAny>) -> Option<PyErr> {
    match task.call_method0(intern!(task.py(), "exception")) {
        Ok(exception) if exception.is_none() => None,
        Ok(exception) => Some(PyErr::from_value(exception)),
        // It was cancelled.
        Err(error) => Some(error),
    }
}

fn ends_program(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<pyo3::exceptions::PySystemExit>(py)
        || error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py)
}

/// A task's callback: the application has returned.
#[pyclass(frozen, module = "corrente._native")]
struct Done {
    connection: Arc<Connection>,
    request: Py<Request>,
}

#[pymethods]
impl Done {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.connection
            .ended(task.py(), &self.request, failure(task))
    }
}

/// A loop's callback: what is behind a request is looked at.
#[pyclass(frozen, module = "corrente._native")]
struct Resumption(Arc<Connection>);

#[pymethods]
impl Resumption {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        incoming::resume(&self.0, py)
    }
}
