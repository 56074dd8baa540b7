//! From requests to applications: calls them, and hears how they end.
//!
//! ASGI's run as tasks, WSGI's as far as there is room for what they say. What they raise is told to the server's log
//! and, where nothing was written yet, to the client as 500. What carries the request is a [`Carrier`]: a connection of
//! HTTP/1.1, or a stream of HTTP/2.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;

use crate::application::{Beginning, Given, Handler};
use crate::asgi::channel::Channel;
use crate::asgi::request::{ClientDisconnectedError, Progress, Request};
use crate::asgi::socket::{self, WebSocket};
use crate::exchange::Line;
use crate::folder::Fetch;
use crate::sampled::Sampled;
use crate::shared::{Shared, Threads};
use crate::wsgi::call::{self, Advance, Call};
use crate::wsgi::pool::{Job, Taken};

/// What carries one request, its answer, and what is said in the application's place.
pub(crate) trait Carrier: Line {
    fn shared(&self) -> &Arc<Shared>;

    /// Keeps the task of a request, since a loop keeps its tasks weakly.
    fn keep_task(&self, py: Python<'_>, handler: &Py<PyAny>, task: Py<PyAny>) -> PyResult<()>;

    /// Whether this request is still to be answered.
    fn awaits(&self, py: Python<'_>, handler: &Py<PyAny>) -> PyResult<bool>;

    /// The request that begins is called so, for whoever tells of stalls.
    fn note_name(&self, py: Python<'_>, name: &str) -> PyResult<()>;

    /// Answers in the application's place.
    fn refuse(&self, py: Python<'_>, status: u16, text: &str) -> PyResult<()>;

    /// Ends the request without an answer: nobody waits for one.
    fn abandon(&self, py: Python<'_>) -> PyResult<()>;

    /// The application could not answer: 500, or, where some of its answer is written, an end before its end.
    fn fail(&self, py: Python<'_>) -> PyResult<()>;
}

impl dyn Carrier {
    /// The application gets its request, now or after those that go on.
    pub(crate) fn start(self: &Arc<Self>, py: Python<'_>, beginning: Beginning) -> PyResult<()> {
        match self.shared().live.due.admit(py, self, beginning)? {
            Some(beginning) => self.begin(py, beginning),
            None => Ok(()),
        }
    }

    /// The application gets its request.
    pub(crate) fn begin(self: &Arc<Self>, py: Python<'_>, beginning: Beginning) -> PyResult<()> {
        let shared = self.shared();
        let in_flight = shared.live.counts.in_flight();
        // A probe must not take a busy worker for a dead one.
        if in_flight > shared.max_in_flight && beginning.own.is_none() {
            return self.refuse(
                py,
                503,
                "the server has as many requests as it takes at once\n",
            );
        }
        if let Some(name) = &beginning.name {
            shared.operations().say_name(py, name)?;
            self.note_name(py, name)?;
        }
        let Some(mount) = shared.mounts.at(beginning.mount) else {
            return Ok(());
        };
        let own = beginning.own.as_ref();
        let application = own.unwrap_or(&mount.application).bind(py);
        let application = Sampled::next(application);
        match beginning.handler {
            Handler::Asgi(request) => {
                let Some(given) = beginning.given else {
                    return Ok(());
                };
                self.start_task(application, request.as_any(), &given)?;
                given.scope.drop_ref(py);
                let channel = Channel {
                    request,
                    receive: given.receive,
                    send: given.send,
                };
                shared.live.channels.close(py, channel)
            }
            Handler::Socket(socket) => match &beginning.given {
                Some(given) => self.start_task(application, socket.as_any(), given),
                None => Ok(()),
            },
            Handler::Static(fetch) => self.fetch(py, &fetch),
            Handler::Wsgi(call) => {
                // The server's own answers wait for no thread.
                if let Some(threads) = &shared.threads
                    && own.is_none()
                {
                    return self.hand_over(application, threads, call);
                }
                let advanced = Call::start(call.bind(py), application);
                self.advanced(py, &call, advanced)
            }
        }
    }

    /// A static file is sent; nobody is called.
    fn fetch(self: &Arc<Self>, py: Python<'_>, fetch: &Py<Fetch>) -> PyResult<()> {
        let Err(error) = fetch.get().answer(py, &**self) else {
            return Ok(());
        };
        let text = "a static file could not be sent";
        self.shared().report(py, text, Some(error))?;
        if self.awaits(py, fetch.as_any())? {
            return self.fail(py);
        }
        Ok(())
    }

    /// A WSGI application is to run in a thread.
    fn hand_over(
        self: &Arc<Self>,
        application: &Bound<'_, PyAny>,
        threads: &Threads,
        call: Py<Call>,
    ) -> PyResult<()> {
        let py = application.py();
        let connection = Arc::clone(self);
        let failed = move |py: Python<'_>, error: PyErr, progress: call::Progress| {
            connection.wsgi_failed(py, error, progress)
        };
        let handed = call.get().hand_over(py, &threads.inbox, Box::new(failed))?;
        let Some(remote) = handed else {
            return Ok(());
        };
        let job = Job {
            application: application.clone().unbind(),
            call,
            remote,
        };
        match threads.pool.submit(py, job)? {
            Taken::Yes => Ok(()),
            Taken::No => {
                let text = "as many requests wait for a thread as the server lets wait\n";
                self.refuse(py, 503, text)
            }
        }
    }

    /// The application's first step; most need no second one.
    fn start_task(
        self: &Arc<Self>,
        application: &Bound<'_, PyAny>,
        handler: &Py<PyAny>,
        given: &Given,
    ) -> PyResult<()> {
        let (py, shared) = (application.py(), self.shared());
        let task = application
            .call1((&given.scope, &given.receive, &given.send))
            .and_then(|coroutine| shared.starter.start(&coroutine));
        let task = match task {
            Ok(task) => task,
            Err(error) if ends_program(py, &error) => return Err(error),
            Err(error) => return self.ended(py, handler, Some(error)),
        };
        if shared.starter.is_done(&task)? {
            return self.ended(py, handler, shared.starter.failure(&task));
        }
        let kept = task.clone().unbind();
        let done = Done {
            carrier: Arc::clone(self),
            handler: handler.clone_ref(py),
        };
        task.call_method1(intern!(py, "add_done_callback"), (done,))?;
        self.keep_task(py, handler, kept)
    }

    /// What was written has been read: the application may go on.
    pub(crate) fn has_room(self: &Arc<Self>, py: Python<'_>, handler: &Handler) -> PyResult<()> {
        match handler {
            Handler::Asgi(request) => request.get().room(py),
            Handler::Socket(socket) => socket.get().room(py),
            // What is left of a file goes by itself.
            Handler::Static(_) => Ok(()),
            Handler::Wsgi(call) => {
                let advanced = call.get().room(py).transpose();
                advanced.map_or(Ok(()), |advanced| self.advanced(py, call, advanced))
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
        self.wsgi_failed(py, error, call.get().progress(py)?)
    }

    /// A WSGI application raised an exception when its answer was so far.
    fn wsgi_failed(
        self: &Arc<Self>,
        py: Python<'_>,
        error: PyErr,
        progress: call::Progress,
    ) -> PyResult<()> {
        let text = "the application raised an exception";
        self.shared().report(py, text, Some(error))?;
        match progress {
            call::Progress::Complete => Ok(()),
            call::Progress::Nothing | call::Progress::Started => self.fail(py),
        }
    }

    /// The application has returned.
    fn ended(
        self: &Arc<Self>,
        py: Python<'_>,
        handler: &Py<PyAny>,
        error: Option<PyErr>,
    ) -> PyResult<()> {
        let handler = handler.bind(py);
        match (
            handler.cast_exact::<Request>(),
            handler.cast_exact::<WebSocket>(),
        ) {
            (Ok(request), _) => self.request_ended(request, error),
            (_, Ok(socket)) => self.talk_ended(py, socket.get(), error),
            _ => Ok(()),
        }
    }

    fn talk_ended(
        self: &Arc<Self>,
        py: Python<'_>,
        socket: &WebSocket,
        error: Option<PyErr>,
    ) -> PyResult<()> {
        let stage = socket.stage(py)?;
        let is_over = matches!(stage, socket::Stage::Closed(..));
        let is_failure = match error {
            Some(error) if is_over && error.is_instance_of::<ClientDisconnectedError>(py) => false,
            Some(error) => {
                let text = "the application raised an exception";
                self.shared().report(py, text, Some(error))?;
                true
            }
            None => false,
        };
        match stage {
            socket::Stage::Open => {
                let code = if is_failure { 1011 } else { 1000 };
                // The application has returned: the WebSocket is closed for it.
                self.close(py, code, "")?;
                socket.closed(py, Some(code), "")
            }
            socket::Stage::Closed(..) => Ok(()),
            socket::Stage::New | socket::Stage::Connecting | socket::Stage::Denied => {
                if !is_failure {
                    let text = "the application returned without accepting the WebSocket";
                    self.shared().report(py, text, None)?;
                }
                self.fail(py)
            }
        }
    }

    fn request_ended(
        self: &Arc<Self>,
        request: &Bound<'_, Request>,
        error: Option<PyErr>,
    ) -> PyResult<()> {
        let py = request.py();
        let progress = request.get().progress(py)?;
        let is_current = self.awaits(py, request.as_any().as_unbound())?;
        let shared = self.shared();
        match (progress, error) {
            (Progress::Complete, None) => return Ok(()),
            (_, Some(error))
                if error.is_instance_of::<ClientDisconnectedError>(py) && !is_current =>
            {
                return Ok(());
            }
            (_, Some(error)) => {
                shared.report(py, "the application raised an exception", Some(error))?;
            }
            // The client has gone, and so has the application.
            (_, None) if !is_current => return Ok(()),
            (_, None) if request.get().is_half_closed(py)? => return self.abandon(py),
            (Progress::Nothing, None) => {
                shared.report(py, "the application returned without a response", None)?;
            }
            (Progress::Started, None) => {
                let text = "the application returned before its response was complete";
                shared.report(py, text, None)?;
            }
        }
        // What is left of a complete one is the server's, such as a file that is still being sent.
        if !is_current || progress == Progress::Complete {
            return Ok(());
        }
        self.fail(py)
    }
}

fn ends_program(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<pyo3::exceptions::PySystemExit>(py)
        || error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py)
}

/// A task's callback: the application has returned.
#[pyclass(frozen, module = "corrente._native")]
struct Done {
    carrier: Arc<dyn Carrier>,
    handler: Py<PyAny>,
}

#[pymethods]
impl Done {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let starter = &self.carrier.shared().starter;
        self.carrier
            .ended(task.py(), &self.handler, starter.failure(task))
    }
}
