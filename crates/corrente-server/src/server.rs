//! `corrente._native.HttpServer`: an application's server in one loop, as Python makes it.
//!
//! `python/corrente/_serve.py` gives it to `loop.create_server`, looks after it once a second, and ends it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use corrente_http::Limits;
use corrente_loop::native::NativeProtocol;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::application::Interface;
use crate::asgi::task::Starter;
use crate::mount::{Mount, Mounts};
use crate::operations::Operations;
use crate::shared::{Gate, Live, Protocols, Shared, Threads, Times};
use crate::wire::Wire;
use crate::wsgi::pool::Pool;
use crate::wsgi::remote::Inbox;

/// Requests at once where nothing else is said.
const MAX_IN_FLIGHT: usize = 10_000;

/// After how many seconds without a request a connection may rest where nothing else is said: those for one page follow each
/// other sooner.
const REST_AFTER: f64 = 0.05;

/// Requests that wait for a thread of WSGI where nothing else is said: more than a thread answers before clients give up.
const MAX_QUEUED: usize = 1024;

/// Serves applications in one event loop: one, or several below prefixes.
#[pyclass(frozen, weakref, module = "corrente._native")]
pub(crate) struct HttpServer {
    shared: Arc<Shared>,
}

#[pymethods]
impl HttpServer {
    /// `report(text, exception)` is told what goes wrong; `describe_tls(session)` says what ASGI's extension `tls` is to say.
    /// Times are in seconds.
    #[new]
    #[pyo3(signature = (application, event_loop, report, *, interface = "asgi", root_path = "", state = None, server_name = "corrente",
        head_timeout = 10.0, body_timeout = 30.0, write_timeout = 30.0, idle_timeout = 75.0, rest_after = REST_AFTER,
        ping_interval = 20.0, close_timeout = 10.0, max_in_flight = MAX_IN_FLIGHT, max_awake = None,
        threads = 1, max_queued = MAX_QUEUED, mounts = Vec::new(),
        max_body_bytes = None, max_headers = None, max_head_bytes = None, max_target_bytes = None, http2 = true,
        operations = None, describe_tls = None))]
    #[expect(clippy::too_many_arguments, reason = "settings, each given by name")]
    fn new(
        application: Py<PyAny>,
        event_loop: &Bound<'_, PyAny>,
        report: Py<PyAny>,
        interface: &str,
        root_path: &str,
        state: Option<Py<PyDict>>,
        server_name: &str,
        head_timeout: f64,
        body_timeout: f64,
        write_timeout: f64,
        idle_timeout: f64,
        rest_after: f64,
        ping_interval: f64,
        close_timeout: f64,
        max_in_flight: usize,
        max_awake: Option<usize>,
        threads: usize,
        max_queued: usize,
        mounts: Vec<Mounted>,
        max_body_bytes: Option<u64>,
        max_headers: Option<usize>,
        max_head_bytes: Option<usize>,
        max_target_bytes: Option<usize>,
        http2: bool,
        operations: Option<Py<Operations>>,
        describe_tls: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let operations = match operations {
            Some(operations) => operations,
            None => Py::new(event_loop.py(), Operations::default())?,
        };
        let mut limits = Limits::default();
        limits.max_body_bytes = max_body_bytes.unwrap_or(limits.max_body_bytes);
        limits.max_headers = max_headers.unwrap_or(limits.max_headers);
        limits.max_head_bytes = max_head_bytes.unwrap_or(limits.max_head_bytes);
        limits.max_target_bytes = max_target_bytes.unwrap_or(limits.max_target_bytes);
        let times = Times {
            head: duration("head_timeout", head_timeout)?,
            body: duration("body_timeout", body_timeout)?,
            write: duration("write_timeout", write_timeout)?,
            idle: duration("idle_timeout", idle_timeout)?,
            rest: duration("rest_after", rest_after)?,
            ping: duration("ping_interval", ping_interval)?,
            close: duration("close_timeout", close_timeout)?,
        };
        let main = mount((String::new(), application, interface.to_owned(), state))?;
        let mounted = mounts.into_iter().map(mount).collect::<PyResult<_>>()?;
        let mounts = Mounts::new(main, mounted, root_path)?;
        let is_threaded = threads > 1 || mounts.are_mixed();
        let shared = Shared {
            mounts,
            starter: Starter::new(event_loop)?,
            report,
            describe_tls,
            server_name: server_name.to_owned(),
            limits,
            times,
            protocols: if http2 {
                Protocols::Both
            } else {
                Protocols::Http1
            },
            max_in_flight,
            max_awake,
            operations,
            threads: is_threaded.then(|| Threads {
                pool: Arc::new(Pool::new(threads, max_queued)),
                inbox: Arc::new(Inbox::new(event_loop.clone().unbind())),
            }),
            live: Live::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// A protocol for a new connection: this is what `loop.create_server` wants as its factory.
    fn __call__(&self) -> NativeProtocol {
        Wire::protocol(&self.shared)
    }

    /// Ends connections whose clients are too slow. To be called now and then: once a second.
    fn look(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.look(py)
    }

    /// Takes no more requests: connections end when what they answer is answered.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.live.is_draining.store(true, Ordering::Relaxed);
        let connections = self.shared.connections(py)?;
        connections
            .into_iter()
            .try_for_each(|connection| connection.drain(py))
    }

    /// Ends all connections at once.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.live.due.clear(py)?;
        let connections = self.shared.connections(py)?;
        connections
            .iter()
            .try_for_each(|connection| connection.abort(py))
    }

    /// Has `full(True)` called when there are `most` connections, and `full(False)` when there is room again. `None`
    /// for no limit.
    #[pyo3(signature = (most, full = None))]
    fn limit_connections(
        &self,
        py: Python<'_>,
        most: usize,
        full: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let gate = full.map(|full| Gate { most, full });
        self.shared.set_gate(py, gate)
    }

    /// Has the threads of WSGI applications end when they have answered what they have.
    fn end_threads(&self) {
        if let Some(threads) = &self.shared.threads {
            threads.pool.end();
        }
    }

    /// Connections that are open.
    #[getter]
    fn connections(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.shared.connections(py)?.len())
    }

    /// Those of them that rest.
    #[getter]
    fn resting(&self) -> usize {
        self.shared.live.counts.resting()
    }

    /// Whether no more requests are taken.
    #[getter]
    fn is_draining(&self) -> bool {
        self.shared.is_draining()
    }

    /// Requests so far.
    #[getter]
    fn requests(&self) -> u64 {
        self.shared.live.counts.requests()
    }

    /// Requests that are being answered.
    #[getter]
    fn in_flight(&self) -> usize {
        self.shared.live.counts.in_flight()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Connections refer to the rest too, so that what is shown here must be its only owner's.
        if Arc::strong_count(&self.shared) > 1 {
            return Ok(());
        }
        for mount in self.shared.mounts.iter() {
            visit.call(&mount.application)?;
        }
        let mut outcome = Ok(());
        let _shown = self.shared.live.shelters.peek(|shelters| {
            shelters.show(&mut |shelter| {
                if outcome.is_ok() {
                    outcome = visit.call(shelter);
                }
            });
        });
        outcome?;
        visit.call(&self.shared.operations)?;
        visit.call(&self.shared.report)
    }
}

/// A prefix, the application below it, its interface, and what its lifespan has left.
type Mounted = (String, Py<PyAny>, String, Option<Py<PyDict>>);

fn mount((prefix, application, interface, state): Mounted) -> PyResult<Mount> {
    Ok(Mount {
        prefix,
        application,
        interface: kind(&interface)?,
        state,
    })
}

fn kind(interface: &str) -> PyResult<Interface> {
    match interface {
        "asgi" => Ok(Interface::Asgi),
        "wsgi" => Ok(Interface::Wsgi),
        "static" => Ok(Interface::Static),
        other => Err(PyValueError::new_err(format!(
            "interface must be 'asgi', 'wsgi' or, of a folder, 'static', not '{other}'"
        ))),
    }
}

pub(crate) fn duration(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{name} must be seconds, not {seconds}")))
}
