//! `corrente._native.Worker`: what a worker of `corrente serve` is handed by its parent, for Python.
//!
//! Translation only: settings as a dictionary, sockets as numbers, and the channel back. What is done with them is in
//! `python/corrente/_worker.py`.

use std::os::fd::IntoRawFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use corrente_operations::log::{Target, Trouble};
use corrente_operations::settings::{
    AccessLog as LogTarget, ClientCertificates, Interface, Lifespan, Loop, ProxyProtocol,
    RequestId, Settings, Switch, Tls, WorkersAs,
};
use corrente_operations::supervisor::{Channel, Failure, Fault, Handover, Message};
use corrente_server::AccessLog;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::access::{Unopened, opened};

/// A worker, from the moment that it has taken over.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Worker {
    settings: Settings,
    sockets: Mutex<Vec<i32>>,
    channel: Arc<Mutex<Channel>>,
}

#[pymethods]
impl Worker {
    /// Takes over what the parent hands to the process of which this is the channel's number. Once, first of all.
    #[new]
    fn new(number: &str) -> PyResult<Self> {
        let handover = Handover::receive(number)
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let sockets = handover.listeners.into_iter();
        let sockets = sockets.map(|one| one.into_socket().into_raw_fd());
        Ok(Self {
            settings: Settings::from(&handover.values),
            sockets: Mutex::new(sockets.collect()),
            channel: Arc::new(Mutex::new(handover.channel)),
        })
    }

    /// The numbers of the sockets; they are the caller's from now on.
    fn take_sockets(&self) -> Vec<i32> {
        std::mem::take(&mut *held(&self.sockets))
    }

    /// Tells the parent: "ready", "alive", "going" and why, "user", "machine" or "bug" and what failed.
    #[pyo3(signature = (word, text = ""))]
    fn say(&self, word: &str, text: &str) -> PyResult<()> {
        let text = text.to_owned();
        let failed = |fault: Fault, text: String| Message::Failed(Failure { fault, text });
        let message = match word {
            "ready" => Message::Ready,
            "alive" => Message::Alive,
            "going" => Message::Going(text),
            "trouble" => Message::Trouble(text),
            "user" => failed(Fault::User, text),
            "machine" => failed(Fault::Machine, text),
            "bug" => failed(Fault::Bug, text),
            other => {
                let text = format!("a worker does not say '{other}'");
                return Err(PyValueError::new_err(text));
            }
        };
        held(&self.channel).say(&message);
        Ok(())
    }

    /// The access log, where there is to be one. Once.
    fn access_log(&self) -> PyResult<Option<AccessLog>> {
        let logging = &self.settings.logging;
        let (target, name) = match &logging.access {
            LogTarget::Off => return Ok(None),
            LogTarget::Standard => (Target::Standard, "-".to_owned()),
            LogTarget::File(path) => (Target::File(path.clone()), path.display().to_string()),
        };
        let channel = Arc::clone(&self.channel);
        let named = name.clone();
        let report = move |trouble: Trouble| {
            let text = format!("--access-log {named}: {trouble}");
            held(&channel).say(&Message::Trouble(text));
        };
        let log = opened(target, &logging.access_format, report).map_err(|error| match error {
            Unopened::Format(error) => {
                PyValueError::new_err(format!("--access-log-format: {error}"))
            }
            Unopened::Target(error) => PyOSError::new_err(format!("--access-log {name}: {error}")),
        })?;
        Ok(Some(log))
    }

    /// What is served, and how: times in seconds, `None` for no limit.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let made = PyDict::new(py);
        self.add_application(&made)?;
        self.add_limits(&made)?;
        made.set_item("operations", self.operations(py)?)?;
        made.set_item("log_level", &self.settings.logging.level)?;
        made.set_item("log_file", self.settings.logging.file.as_ref())?;
        made.set_item("tls", tls(py, self.settings.tls.as_ref())?)?;
        let logging = &self.settings.logging;
        made.set_item("stall_log", seconds(logging.stall))?;
        let folder = logging.gauge.as_ref();
        let folder = folder.map(|file| file.with_extension(RECORDING_FOLDER));
        made.set_item("gauge_folder", folder)?;
        let web = &self.settings.web;
        made.set_item("health_path", &web.health_path)?;
        made.set_item("ready_path", &web.ready_path)?;
        made.set_item("metrics_path", &web.metrics_path)?;
        Ok(made)
    }
}

impl Worker {
    fn add_application(&self, made: &Bound<'_, PyDict>) -> PyResult<()> {
        let settings = &self.settings;
        let application = &settings.application;
        made.set_item("target", &application.target)?;
        made.set_item("is_factory", application.factory == Switch::On)?;
        let interface = match application.interface {
            Interface::Auto => "auto",
            Interface::Asgi => "asgi",
            Interface::Wsgi => "wsgi",
        };
        made.set_item("interface", interface)?;
        made.set_item("folder", &application.folder)?;
        let mounts = application.mounts.iter();
        let mounts = mounts.map(|mount| (&mount.prefix, &mount.target));
        made.set_item("mounts", mounts.collect::<Vec<_>>())?;
        let folders = application.static_folders.iter();
        let folders = folders.map(|folder| (&folder.prefix, &folder.folder));
        made.set_item("static", folders.collect::<Vec<_>>())?;
        made.set_item("static_max_age", seconds(application.static_max_age))?;
        let lifespan = match application.lifespan {
            Lifespan::Auto => "auto",
            Lifespan::On => "on",
            Lifespan::Off => "off",
        };
        made.set_item("lifespan", lifespan)?;
        made.set_item("root_path", &application.root_path)?;
        let event_loop = match application.event_loop {
            Loop::Corrente => "corrente",
            Loop::Asyncio => "asyncio",
        };
        made.set_item("loop", event_loop)?;
        made.set_item("backlog", settings.sockets.backlog)?;
        made.set_item("threads", settings.processes.threads)?;
        let crew = match settings.processes.workers_as {
            WorkersAs::Processes => None,
            WorkersAs::Threads => Some(corrente_operations::workers(settings)),
        };
        made.set_item("worker_threads", crew)?;
        made.set_item("max_requests", settings.processes.max_requests)?;
        made.set_item(
            "max_requests_jitter",
            settings.processes.max_requests_jitter,
        )?;
        made.set_item("server_name", &settings.web.server_header)
    }

    /// What `Operations` are made with, besides logs and counts.
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let web = &self.settings.web;
        let made = PyDict::new(py);
        made.set_item("trusted_proxies", web.trusted_proxies.join(","))?;
        let proxy_protocol = match web.proxy_protocol {
            ProxyProtocol::Off => "off",
            ProxyProtocol::On => "on",
            ProxyProtocol::Required => "required",
        };
        made.set_item("proxy_protocol", proxy_protocol)?;
        let request_id = match web.request_id {
            RequestId::Off => "off",
            RequestId::Made => "on",
            RequestId::Trusted => "trusted",
        };
        made.set_item("request_id", request_id)?;
        let headers = web.headers.iter();
        let headers = headers.map(|(name, value)| {
            let bytes = |text: &str| PyBytes::new(py, text.as_bytes());
            (bytes(&name.to_lowercase()), bytes(value))
        });
        made.set_item("headers", headers.collect::<Vec<_>>())?;
        made.set_item("date_header", word(web.date_header))?;
        self.add_sockets(&made)?;
        Ok(made)
    }

    fn add_sockets(&self, made: &Bound<'_, PyDict>) -> PyResult<()> {
        let (limits, socket) = (&self.settings.limits, &self.settings.web_socket);
        let requests = limits.connection_requests.unwrap_or(u64::MAX);
        made.set_item("max_connection_requests", requests)?;
        // What has to come within the time for a piece of a body.
        let least = limits.body_rate.zip(self.settings.timeouts.body);
        let least = least.map_or(0, |(rate, time)| (rate as f64 * time.as_secs_f64()) as u64);
        made.set_item("min_body_bytes", least)?;
        made.set_item("ws_max_message_bytes", socket.message_bytes)?;
        made.set_item("ws_max_queue", socket.queue)?;
        made.set_item("ws_deflate", word(socket.deflate))?;
        let pong = socket.ping_timeout.unwrap_or(NEVER);
        made.set_item("pong_timeout", pong.as_secs_f64())
    }

    fn add_limits(&self, made: &Bound<'_, PyDict>) -> PyResult<()> {
        let (times, limits) = (&self.settings.timeouts, &self.settings.limits);
        made.set_item("head_timeout", seconds(times.header))?;
        made.set_item("body_timeout", seconds(times.body))?;
        made.set_item("write_timeout", seconds(times.write))?;
        made.set_item("idle_timeout", seconds(times.idle))?;
        made.set_item("hang_timeout", seconds(times.hang))?;
        made.set_item("graceful_timeout", times.graceful.as_secs_f64())?;
        let ping = self.settings.web_socket.ping_interval;
        made.set_item("ping_interval", seconds(ping))?;
        made.set_item("http2", self.settings.web.http2 == Switch::On)?;
        made.set_item("max_headers", limits.headers)?;
        made.set_item("max_head_bytes", limits.head_bytes)?;
        made.set_item("max_target_bytes", limits.target_bytes)?;
        made.set_item("max_body_bytes", limits.body_bytes)?;
        made.set_item("max_connections", limits.connections)?;
        made.set_item("max_queued", limits.queued_requests)?;
        made.set_item("max_in_flight", limits.concurrent_requests)
    }
}

fn tls<'py>(py: Python<'py>, tls: Option<&Tls>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(tls) = tls else {
        return Ok(None);
    };
    let made = PyDict::new(py);
    made.set_item("certificate", &tls.certificate)?;
    made.set_item("key", &tls.key)?;
    made.set_item("password", &tls.password)?;
    made.set_item("authorities", &tls.authorities)?;
    let client = match tls.client {
        ClientCertificates::None => "none",
        ClientCertificates::Optional => "optional",
        ClientCertificates::Required => "required",
    };
    made.set_item("client", client)?;
    made.set_item("ciphers", &tls.ciphers)?;
    made.set_item("minimum", &tls.minimum)?;
    Ok(Some(made))
}

/// Beside the recording that `corrente serve` makes of it, as `corrente gauge run` has it.
const RECORDING_FOLDER: &str = "recording.d";

/// For no limit of time: longer than any process runs.
const NEVER: Duration = Duration::from_secs(1_000_000_000);

fn word(switch: Switch) -> &'static str {
    match switch {
        Switch::On => "on",
        Switch::Off => "off",
    }
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.map(|time| time.as_secs_f64())
}

fn held<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it was held cannot have left it half done.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
