//! A request's scope: a copy of its address', with what differs put in its place.
//!
//! All keys are in the template, so that a copy has room for them and is a copy of memory. What an application may
//! change (`state`, `extensions`) is copied too.

use corrente_http::h1::{Head, Header, Version};
use corrente_http::ws::Handshake;
use corrente_http::{KnownName, Method, Name};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use super::headers::HeaderTable;
use crate::mount::Roots;
use crate::operations::Arrival;
use crate::percent::decoded;
use crate::prototypes::Prototype;
use crate::root::with_root;

/// What all requests have in common that come to one address.
pub(crate) struct Template {
    scope: Py<PyDict>,
    extensions: Py<PyDict>,
    roots: Roots,
    /// What the application's lifespan has left for its requests.
    state: Option<Py<PyDict>>,
}

/// Who talks to whom, in ASGI's words.
pub(crate) struct Ends<'py> {
    pub(crate) scheme: Bound<'py, PyString>,
    /// `(host, port)` of each, or `None`.
    pub(crate) client: Bound<'py, PyAny>,
    pub(crate) server: Bound<'py, PyAny>,
    /// What the extension `tls` says.
    pub(crate) tls: Option<Bound<'py, PyAny>>,
}

impl Template {
    pub(crate) fn new(
        py: Python<'_>,
        ends: &Ends<'_>,
        roots: Roots,
        state: Option<&Py<PyDict>>,
    ) -> PyResult<Self> {
        let scope = PyDict::new(py);
        // Names in programs are interned: a key that is the same object is found without a comparison.
        let set = |key: &str, value: Bound<'_, PyAny>| {
            scope.set_item(PyString::intern(scope.py(), key), value)
        };
        let version = PyDict::new(py);
        version.set_item(intern!(py, "version"), "3.0")?;
        version.set_item(intern!(py, "spec_version"), "2.5")?;
        set("type", intern!(py, "http").clone().into_any())?;
        set("asgi", version.into_any())?;
        set("http_version", intern!(py, "1.1").clone().into_any())?;
        set("server", ends.server.clone())?;
        set("client", py.None().into_bound(py))?;
        set("scheme", ends.scheme.clone().into_any())?;
        set(
            "root_path",
            PyString::new(py, &roots.application).into_any(),
        )?;
        set("method", intern!(py, "GET").clone().into_any())?;
        for later in ["path", "raw_path"] {
            set(later, py.None().into_bound(py))?;
        }
        set("query_string", PyBytes::new(py, b"").into_any())?;
        set("headers", py.None().into_bound(py))?;
        let extensions = PyDict::new(py);
        for known in [
            "http.response.early_hint",
            "http.response.pathsend",
            "http.response.trailers",
            "http.response.zerocopysend",
        ] {
            extensions.set_item(PyString::intern(py, known), PyDict::new(py))?;
        }
        if let Some(tls) = &ends.tls {
            extensions.set_item(intern!(py, "tls"), tls)?;
        }
        set("extensions", extensions.clone().into_any())?;
        if state.is_some() {
            set("state", py.None().into_bound(py))?;
        }
        Ok(Self {
            scope: scope.unbind(),
            extensions: extensions.unbind(),
            roots,
            state: state.map(|state| state.clone_ref(py)),
        })
    }

    /// The scope of a request.
    pub(crate) fn scope<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
        headers: &HeaderTable,
    ) -> PyResult<Bound<'py, PyDict>> {
        let make = || self.scope_of_head(py, arrival, headers);
        let scope = arrival.peer.last.made(py, arrival, make, prototype)?;
        let extensions = self.extensions.bind(py).copy()?;
        scope.set_item(intern!(py, "extensions"), extensions)?;
        if let Some(state) = &self.state {
            scope.set_item(intern!(py, "state"), state.bind(py).copy()?)?;
        }
        believe(&scope, arrival)?;
        Ok(scope)
    }

    /// What of the scope a request's head says, its id, and its client.
    fn scope_of_head<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
        headers: &HeaderTable,
    ) -> PyResult<Bound<'py, PyDict>> {
        let head = arrival.head;
        let scope = self.scope.bind(py).copy()?;
        if head.method() != Method::Get {
            scope.set_item(intern!(py, "method"), method(py, head))?;
        }
        let target = head.target();
        let raw = with_root(target.path, &self.roots.server);
        scope.set_item(intern!(py, "path"), path(py, &raw))?;
        scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, &raw))?;
        if let Some(query) = target.query {
            scope.set_item(intern!(py, "query_string"), PyBytes::new(py, query))?;
        }
        scope.set_item(intern!(py, "headers"), list(py, arrival, headers)?)?;
        let version = match head.version() {
            Version::Http10 => Some(intern!(py, "1.0")),
            Version::Http11 => None,
            Version::Http2 => Some(intern!(py, "2")),
        };
        if let Some(version) = version {
            scope.set_item(intern!(py, "http_version"), version)?;
        }
        if let Some(client) = &arrival.peer.client {
            scope.set_item(intern!(py, "client"), &client.pair)?;
        }
        Ok(scope)
    }

    /// The scope of a WebSocket.
    pub(crate) fn socket<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
        handshake: &Handshake<'_>,
        headers: &HeaderTable,
    ) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.scope(py, arrival, headers)?;
        scope.del_item(intern!(py, "method"))?;
        scope.set_item(intern!(py, "type"), intern!(py, "websocket"))?;
        let scheme = if arrival.scheme() == "https" {
            intern!(py, "wss")
        } else {
            intern!(py, "ws")
        };
        scope.set_item(intern!(py, "scheme"), scheme)?;
        let offered = handshake.protocols().map(String::from_utf8_lossy);
        let subprotocols = PyList::new(py, offered.collect::<Vec<_>>())?;
        scope.set_item(intern!(py, "subprotocols"), subprotocols)?;
        let extensions = PyDict::new(py);
        extensions.set_item("websocket.http.response", PyDict::new(py))?;
        let tls = intern!(py, "tls");
        if let Some(described) = self.extensions.bind(py).get_item(tls)? {
            extensions.set_item(tls, described)?;
        }
        scope.set_item(intern!(py, "extensions"), extensions)?;
        Ok(scope)
    }
}

/// What later scopes are copied from, of one that nobody was given yet.
fn prototype(scope: &Bound<'_, PyDict>) -> PyResult<Prototype> {
    let name = intern!(scope.py(), "headers");
    let headers = scope.as_any().get_item(name)?.cast_into::<PyList>()?;
    Prototype::with_list(scope.copy()?, name, &headers)
}

/// What trusted proxies said takes the place of what the connection says. A client's port that nobody knows is 0.
fn believe(scope: &Bound<'_, PyDict>, arrival: &Arrival<'_>) -> PyResult<()> {
    let py = scope.py();
    if let Some(client) = arrival.told.client {
        let client = (client.address.to_string(), client.port.unwrap_or(0));
        scope.set_item(intern!(py, "client"), client)?;
    }
    if arrival.told.scheme.is_some() {
        scope.set_item(intern!(py, "scheme"), arrival.scheme())?;
    }
    if let Some(server) = arrival.server() {
        scope.set_item(intern!(py, "server"), server)?;
    }
    Ok(())
}

/// The method as text.
pub(crate) fn method<'py>(py: Python<'py>, head: &Head<'_>) -> Bound<'py, PyString> {
    match head.method() {
        Method::Get => intern!(py, "GET").clone(),
        Method::Post => intern!(py, "POST").clone(),
        Method::Head => intern!(py, "HEAD").clone(),
        // A token is ASCII.
        _ => PyString::new(py, &String::from_utf8_lossy(head.method_name())),
    }
}

/// A path as text: UTF-8, and what is none is replaced, as `urllib.parse.unquote` does.
fn path<'py>(py: Python<'py>, path: &[u8]) -> Bound<'py, PyString> {
    PyString::new(py, &String::from_utf8_lossy(&decoded(path)))
}

fn list<'py>(
    py: Python<'py>,
    arrival: &Arrival<'_>,
    headers: &HeaderTable,
) -> PyResult<Bound<'py, PyList>> {
    let head = arrival.head;
    let fields = head.fields();
    let entry = |header| Entry::of(headers, head, header);
    let Some(id) = &arrival.request_id else {
        return PyList::new(py, fields.iter().map(entry));
    };
    let name = Name::Known(KnownName::XRequestId);
    let others = fields.iter().filter(|header| header.name != name);
    let list = PyList::new(py, others.map(entry))?;
    list.append((
        PyBytes::new(py, b"x-request-id"),
        PyBytes::new(py, id.as_bytes()),
    ))?;
    Ok(list)
}

/// A field on its way into a list.
struct Entry<'a> {
    table: &'a HeaderTable,
    name: Name<'a>,
    value: &'a [u8],
}

impl<'a> Entry<'a> {
    fn of(table: &'a HeaderTable, head: &Head<'a>, header: Header<'a>) -> Self {
        Self {
            table,
            name: header.name,
            value: meant(head, &header),
        }
    }
}

impl<'py> IntoPyObject<'py> for Entry<'_> {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        self.table.pair(py, self.name, self.value)
    }
}

/// The value of a field: that of `Host` is the target's, where it names one (RFC 9112, section 3.2.2).
pub(crate) fn meant<'a>(head: &Head<'a>, header: &Header<'a>) -> &'a [u8] {
    if header.name != Name::Known(KnownName::Host) {
        return header.value;
    }
    head.authority().unwrap_or(header.value)
}
