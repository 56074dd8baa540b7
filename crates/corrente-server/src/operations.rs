//! What surrounds requests: whose word about clients counts, how requests are numbered, who is told when they are over.
//!
//! `Operations` is what Python makes of settings; [`Arrival`] is a request as it comes in, with what trusted proxies said
//! of it. Must not know ASGI nor WSGI.

use std::sync::Arc;
use std::time::Duration;

use corrente_http::h1::{Head, Scheme, Version};
use corrente_http::proxy::{Forwarding, Trusted, forwarding};
use corrente_http::ws;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::account::{AccessLog, Log};
use crate::field::Field;
use crate::meter::Meter;
use crate::number::Numbers;
use crate::peer::Peer;
use crate::server::duration;
use crate::trace::Trace;

/// Messages of a WebSocket that wait, where nothing else is said: as other servers have it.
const QUEUE: usize = 32;

/// Where a request's id is sent back.
pub(crate) const REQUEST_ID: &[u8] = b"x-request-id";

/// Seconds after which a client that was told 503 may ask again: what runs now is mostly over then.
pub(crate) const RETRY_AFTER: &[u8] = b"1";

/// For the answer to a ping, where nothing else is said.
const PONG: Duration = Duration::from_secs(20);

/// Whether connections begin with the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    Off,
    /// Those of trusted proxies may.
    Allowed,
    /// All have to, and those of others are ended.
    Required,
}

/// What a server is given besides its application.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Operations {
    log: Option<Arc<dyn Log>>,
    pub(crate) trusted: Trusted,
    pub(crate) proxy_protocol: ProxyProtocol,
    numbers: Numbers,
    meter: Option<Meter>,
    pub(crate) limits: Limits,
    /// Fields of every response, unless the application gives them.
    fields: Vec<Field>,
    pub(crate) dates: Dates,
    own: Option<Own>,
    /// The context variable that holds what a task's request is called.
    name: Option<Py<PyAny>>,
}

/// What is answered in the application's place.
struct Own {
    paths: Vec<String>,
    application: Py<PyAny>,
}

/// Whether responses say when they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Said,
    Left,
}

/// How much clients may want, besides what `corrente-http` limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Requests over one connection.
    pub(crate) connection_requests: u64,
    /// What has to come of a body within the time for a body, in bytes.
    pub(crate) body_least: u64,
    pub(crate) socket: ws::Limits,
    /// Messages of a WebSocket that may wait for the application.
    pub(crate) socket_queue: usize,
    pub(crate) deflate: Deflate,
    /// For the answer to a ping.
    pub(crate) pong: Duration,
}

/// Whether a WebSocket's messages are compressed where the client asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deflate {
    Offered,
    Refused,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connection_requests: u64::MAX,
            body_least: 0,
            socket: ws::Limits::default(),
            socket_queue: QUEUE,
            deflate: Deflate::Offered,
            pong: PONG,
        }
    }
}

impl Default for Operations {
    fn default() -> Self {
        Self {
            log: None,
            trusted: Trusted::default(),
            proxy_protocol: ProxyProtocol::Off,
            numbers: Numbers::default(),
            meter: None,
            limits: Limits::default(),
            fields: Vec::new(),
            dates: Dates::Said,
            own: None,
            name: None,
        }
    }
}

#[pymethods]
impl Operations {
    /// Nothing of it is done where nothing is said.
    #[new]
    #[pyo3(signature = (*, access_log = None, trusted_proxies = "", proxy_protocol = "off", request_id = "off",
        metrics = "off", headers = Vec::new(), date_header = "on", max_connection_requests = u64::MAX,
        min_body_bytes = 0, ws_max_message_bytes = None, ws_max_queue = QUEUE, ws_deflate = "on",
        pong_timeout = 20.0, own_paths = Vec::new(), own = None, request_name = None))]
    #[expect(clippy::too_many_arguments, reason = "settings, each given by name")]
    fn new(
        access_log: Option<&Bound<'_, AccessLog>>,
        trusted_proxies: &str,
        proxy_protocol: &str,
        request_id: &str,
        metrics: &str,
        headers: Vec<(Py<PyBytes>, Py<PyBytes>)>,
        date_header: &str,
        max_connection_requests: u64,
        min_body_bytes: u64,
        ws_max_message_bytes: Option<usize>,
        ws_max_queue: usize,
        ws_deflate: &str,
        pong_timeout: f64,
        own_paths: Vec<String>,
        own: Option<Py<PyAny>>,
        request_name: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let switch = |name: &str, value: &str| match value {
            "on" => Ok(true),
            "off" => Ok(false),
            other => Err(unknown(name, other)),
        };
        let mut socket = ws::Limits::default();
        socket.max_message_bytes = ws_max_message_bytes.unwrap_or(socket.max_message_bytes);
        let is_compressed = switch("ws_deflate", ws_deflate)?;
        let limits = Limits {
            connection_requests: max_connection_requests,
            body_least: min_body_bytes,
            socket,
            socket_queue: ws_max_queue,
            deflate: if is_compressed {
                Deflate::Offered
            } else {
                Deflate::Refused
            },
            pong: duration("pong_timeout", pong_timeout)?,
        };
        let is_dated = switch("date_header", date_header)?;
        let trusted = trusted_proxies.parse::<Trusted>();
        Ok(Self {
            log: access_log.map(|log| log.get().log()),
            trusted: trusted.map_err(|error| PyValueError::new_err(error.to_string()))?,
            proxy_protocol: match proxy_protocol {
                "off" => ProxyProtocol::Off,
                "on" => ProxyProtocol::Allowed,
                "required" => ProxyProtocol::Required,
                other => return Err(unknown("proxy_protocol", other)),
            },
            numbers: Numbers::read(request_id).ok_or_else(|| unknown("request_id", request_id))?,
            meter: switch("metrics", metrics)?.then(Meter::default),
            limits,
            fields: headers,
            dates: if is_dated { Dates::Said } else { Dates::Left },
            own: own.map(|application| Own {
                paths: own_paths,
                application,
            }),
            name: request_name,
        })
    }

    /// What was counted, for `corrente._metrics`; `None` where nothing is.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.meter.as_ref().map(|meter| meter.show(py)).transpose()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(own) = &self.own {
            visit.call(&own.application)?;
        }
        visit.call(&self.name)
    }
}

fn unknown(name: &str, value: &str) -> PyErr {
    PyValueError::new_err(format!("{name} cannot be '{value}'"))
}

/// A request as it comes in.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) head: &'a Head<'a>,
    pub(crate) peer: &'a Peer,
    /// What trusted proxies said.
    pub(crate) told: Forwarding<'a>,
    pub(crate) request_id: Option<String>,
}

impl Operations {
    /// A request with this head, from this peer.
    pub(crate) fn arrival<'a>(&self, head: &'a Head<'a>, peer: &'a Peer) -> Arrival<'a> {
        let told = if peer.is_trusted {
            forwarding(&head.fields(), peer.address, &self.trusted)
        } else {
            Forwarding::default()
        };
        Arrival {
            head,
            peer,
            told,
            request_id: self.numbers.number(head, peer),
        }
    }

    /// What answers a request in the application's place.
    pub(crate) fn own(&self, py: Python<'_>, arrival: &Arrival<'_>) -> Option<Py<PyAny>> {
        let own = self.own.as_ref().filter(|_| self.is_own(arrival))?;
        Some(own.application.clone_ref(py))
    }

    /// Whether there is something that does.
    pub(crate) fn is_own(&self, arrival: &Arrival<'_>) -> bool {
        self.own.as_ref().is_some_and(|own| {
            let path = arrival.head.target().path;
            let mut paths = own.paths.iter();
            paths.any(|known| known.as_bytes() == path)
        })
    }

    /// Whether requests have names for those who tell of stalls.
    pub(crate) fn has_names(&self) -> bool {
        self.name.is_some()
    }

    /// What a request is called where stalls are told.
    pub(crate) fn name(&self, arrival: &Arrival<'_>) -> Option<String> {
        self.name.as_ref()?;
        let method = String::from_utf8_lossy(arrival.head.method_name());
        let path = String::from_utf8_lossy(arrival.head.target().path);
        Some(format!("{method} {path}"))
    }

    /// Says what the request is called that begins now: its task has it from here.
    pub(crate) fn say_name(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        match &self.name {
            Some(variable) => variable
                .call_method1(py, intern!(py, "set"), (name,))
                .map(drop),
            None => Ok(()),
        }
    }

    /// Adds the server's fields to those of the application: what every response has, and the request's id, unless
    /// it gave them.
    pub(crate) fn add_fields(&self, py: Python<'_>, id: Option<&str>, fields: &mut Vec<Field>) {
        for (name, value) in &self.fields {
            if !is_given(py, fields, name.as_bytes(py)) {
                fields.push((name.clone_ref(py), value.clone_ref(py)));
            }
        }
        if let Some(id) = id.filter(|_| !is_given(py, fields, REQUEST_ID)) {
            let value = PyBytes::new(py, id.as_bytes());
            fields.push((PyBytes::new(py, REQUEST_ID).unbind(), value.unbind()));
        }
    }

    /// Whether requests have ids.
    pub(crate) fn gives_ids(&self) -> bool {
        self.numbers.are_given()
    }

    /// Whether responses get fields that the application did not give.
    pub(crate) fn gives_fields(&self) -> bool {
        self.gives_ids() || !self.fields.is_empty()
    }

    /// Whether something is remembered of requests.
    pub(crate) fn is_traced(&self) -> bool {
        self.log.is_some() || self.meter.is_some()
    }

    /// What is remembered of a request; nothing where nobody wants it.
    pub(crate) fn trace(&self, arrival: &Arrival<'_>) -> Option<Box<Trace>> {
        self.is_traced()
            .then(|| Box::new(Trace::of(arrival, self.log.as_deref())))
    }

    /// The same of what came and was no request.
    pub(crate) fn trace_of_refused(&self, peer: &Peer, version: Version) -> Option<Box<Trace>> {
        self.is_traced()
            .then(|| Box::new(Trace::of_refused(peer, version)))
    }

    /// Fields of a response that begins.
    pub(crate) fn response_field(&self, trace: &mut Trace, name: &[u8], value: &[u8]) {
        if let Some(log) = &self.log {
            trace.response_field(&**log, name, value);
        }
    }

    /// A request is over.
    pub(crate) fn over(&self, trace: &Trace) {
        let outcome = trace.outcome();
        if let Some(meter) = &self.meter {
            meter.count(&outcome);
        }
        if let Some(log) = &self.log {
            trace.tell(&**log, &outcome);
        }
    }
}

fn is_given(py: Python<'_>, fields: &[Field], name: &[u8]) -> bool {
    let mut given = fields.iter();
    given.any(|(known, _)| known.as_bytes(py).eq_ignore_ascii_case(name))
}

impl Arrival<'_> {
    /// Whether nothing is known of it but its head and its peer.
    pub(crate) fn is_plain(&self) -> bool {
        self.request_id.is_none() && self.told == Forwarding::default()
    }

    /// What the client speaks to us or to a trusted proxy.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.told.scheme {
            Some(Scheme::Https) => "https",
            Some(Scheme::Http) => "http",
            None => self.peer.scheme,
        }
    }

    /// Host and port that the client asked a trusted proxy for.
    pub(crate) fn server(&self) -> Option<(String, u16)> {
        let host = String::from_utf8_lossy(self.told.host.as_deref()?).into_owned();
        let standard = if self.scheme() == "https" { 443 } else { 80 };
        let otherwise = self.told.port.unwrap_or(standard);
        // An IPv6 address without a port ends with its bracket.
        let parted = host.rsplit_once(':').filter(|_| !host.ends_with(']'));
        Some(match parted {
            Some((name, port)) => (name.to_owned(), port.parse().unwrap_or(otherwise)),
            None => (host, otherwise),
        })
    }
}
