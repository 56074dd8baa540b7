//! `corrente._native.Recorder`: the recorder of corrente-gauge, as Python calls it.
//!
//! Translation only: what servers, frameworks and drivers do becomes a call of the recorder. The
//! wrappers of applications (`wsgi`, `asgi`) are native because they stand in the path of every
//! request. Invariant: what the wrapped object would have returned or raised is returned or raised.

mod asgi;
mod call_site;
mod step;
mod wait;
mod wsgi;

use std::path::PathBuf;
use std::sync::Arc;

use corrente_gauge::recorder::{self, Call, CallKind, Place, Resource, Server, Settings, Stall};
use corrente_server::{Choice, Sampled};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

pub(crate) use asgi::Asgi;
pub(crate) use wsgi::Wsgi;

/// Records what requests of this process cost, into a file in a folder.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Recorder {
    inner: Arc<corrente_gauge::Recorder>,
}

/// The recorder chooses what it measures.
struct Chosen(Arc<corrente_gauge::Recorder>);

impl Choice for Chosen {
    fn may_measure(&self) -> bool {
        !self.0.passes_over()
    }
}

#[expect(
    clippy::unused_self,
    reason = "for Python these are the recorder's; which request is meant is known to the thread"
)]
#[pymethods]
impl Recorder {
    #[new]
    fn new(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let inner = Arc::new(corrente_gauge::Recorder::new(Settings {
            folder,
            made_by: concat!("corrente ", env!("CARGO_PKG_VERSION")).to_owned(),
        }));
        let version = py.version_info();
        let flags: String = py.import("sys")?.getattr("abiflags")?.extract()?;
        let free_threaded = if flags.contains('t') { "t" } else { "" };
        inner.note(|about| {
            let (major, minor, patch) = (version.major, version.minor, version.patch);
            about.python = format!("{major}.{minor}.{patch}{free_threaded}");
        });
        Ok(Self { inner })
    }

    /// Wraps a WSGI application.
    fn wsgi(&self, app: Py<PyAny>) -> Wsgi {
        Wsgi::new(Arc::clone(&self.inner), app)
    }

    /// Wraps an ASGI application; `prepare` is called once in each thread, while its loop runs.
    #[pyo3(signature = (app, prepare = None))]
    fn asgi(&self, app: Py<PyAny>, prepare: Option<Py<PyAny>>) -> Asgi {
        Asgi::new(Arc::clone(&self.inner), app, prepare)
    }

    /// The application as our own server has it: `measured` is the wrapped one, which gets the requests that are measured.
    fn sampled(&self, application: Py<PyAny>, measured: Py<PyAny>) -> Sampled {
        let choice = Chosen(Arc::clone(&self.inner));
        Sampled::new(application, measured, Arc::new(choice))
    }

    /// Names the endpoint of the request that runs here.
    fn name_endpoint(&self, route: &str) {
        recorder::name_endpoint(route);
    }

    /// Notes that a framework's routes are watched: a request that none of them wants shares a name.
    fn know_routes(&self) {
        self.inner.know_routes();
    }

    /// The number of a resource.
    fn resource(&self, kind: String, driver: String, host: String) -> u16 {
        self.inner.resource(Resource { kind, driver, host })
    }

    /// Notes a driver whose calls are watched where programs enter them: the CPU time within them is
    /// all that it computes for them.
    fn enter(&self, driver: String) {
        self.inner.note(|about| about.enter(driver));
    }

    /// Whether a call that begins here would be noted: in a request, and not within another call.
    fn is_noted(&self) -> bool {
        recorder::is_noted()
    }

    /// The resource of the synchronous call that is open here, or `otherwise`.
    fn open_resource(&self, otherwise: u16) -> u16 {
        recorder::open_resource().unwrap_or(otherwise)
    }

    /// A synchronous call of a resource begins. To be followed by `end_wait`, whatever happens.
    fn begin_wait(&self, py: Python<'_>, resource: u16) {
        recorder::begin_wait_at(call(resource, CallKind::Whole), || call_site::find(py));
    }

    /// The same for a part of a call that counts by itself: connecting, reading a body.
    fn begin_part(&self, resource: u16) {
        recorder::begin_wait(call(resource, CallKind::Part));
    }

    /// The synchronous call has been answered.
    fn end_wait(&self) {
        recorder::end_wait();
    }

    /// Wraps an awaitable that calls a resource.
    fn wait(&self, resource: u16, awaitable: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        wait::wrap(awaitable, |py| whole(py, resource))
    }

    /// The same for a part of a call.
    fn wait_part(&self, resource: u16, awaitable: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        wait::wrap(awaitable, |_| call(resource, CallKind::Part))
    }

    /// Wraps the coroutine of a task, so that it counts for the request that starts it, if any does.
    fn child(&self, coroutine: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        asgi::child(coroutine)
    }

    /// Wraps a function for a pool of threads, so that it counts for the request that gives it.
    fn pooled(&self, function: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Some(request) = recorder::current() else {
            return Ok(function.unbind());
        };
        let py = function.py();
        let function = function.unbind();
        Ok(Py::new(py, Pooled { request, function })?.into_any())
    }

    /// Notes a stall of an event loop: where, in what it waited, and how long it was, in all, on a
    /// processor and queued, in seconds.
    fn stalled(
        &self,
        place: String,
        package: String,
        system_call: String,
        seconds: (f64, f64, f64),
    ) {
        let [wall_ns, cpu_ns, queued_ns] = <[f64; 3]>::from(seconds).map(|one| (one * 1e9) as u64);
        self.inner.stalled(Stall {
            place,
            package,
            system_call,
            count: 1,
            wall_ns,
            cpu_ns,
            queued_ns,
            longest_ns: wall_ns,
        });
    }

    /// Notes a library that is watched.
    fn watch(&self, library: String) {
        self.inner.note(|about| about.watch(library));
    }

    /// Notes something that cannot be told.
    fn doubt(&self, code: &str, detail: &str) {
        self.inner.note(|about| about.doubt(code, detail));
    }

    /// Notes what serves.
    #[pyo3(signature = (name, version, worker, workers = None, threads = None))]
    fn serve(
        &self,
        name: String,
        version: String,
        worker: String,
        workers: Option<u32>,
        threads: Option<u32>,
    ) {
        self.inner.note(|about| {
            about.server = Server {
                name,
                version,
                worker,
                workers,
                threads,
            };
        });
    }

    /// In the child of a fork: starts afresh.
    fn after_fork(&self) {
        self.inner.after_fork();
    }

    /// Begins to write the file, even if no request comes.
    fn start(&self) {
        self.inner.start();
    }

    /// Writes the file now, if it has been begun.
    fn flush(&self, py: Python<'_>) {
        py.detach(|| self.inner.flush());
    }

    /// Writes the file for the last time.
    fn finish(&self, py: Python<'_>) {
        py.detach(|| self.inner.finish());
    }
}

fn whole(py: Python<'_>, resource: u16) -> Call {
    // Finding the place costs more than everything else: only where it is going to be noted.
    let site = if recorder::is_noted() {
        call_site::find(py)
    } else {
        0
    };
    Call {
        site,
        ..call(resource, CallKind::Whole)
    }
}

fn call(resource: u16, kind: CallKind) -> Call {
    Call {
        resource,
        kind,
        site: 0,
    }
}

/// A function that runs in a pool for a request.
#[pyclass(frozen, module = "corrente._native")]
struct Pooled {
    request: Arc<recorder::Request>,
    function: Py<PyAny>,
}

#[pymethods]
impl Pooled {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let entered = recorder::enter(&self.request, Place::Pool);
        let outcome = self.function.call(py, args, kwargs);
        recorder::leave(entered);
        outcome
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.function.getattr(py, name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)
    }
}
