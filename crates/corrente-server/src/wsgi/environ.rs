//! The `environ` of a request: CGI's variables (RFC 3875), in PEP 3333's strings of bytes.
//!
//! A field whose name has an underscore is left out: `X_Real_Ip` would become the same variable as `X-Real-Ip`, which a
//! proxy may have removed.

use corrente_http::h1::{Head, Version};
use corrente_http::{KnownName, Method, Name};
use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use super::input::Empty;
use super::wrapper::FileWrapper;
use crate::asgi::scope::{Ends, meant, method};
use crate::mount::Roots;
use crate::operations::Arrival;
use crate::peer::Client;
use crate::percent::decoded;
use crate::prototypes::Prototype;
use crate::root::{with_root, without_root};

/// Keys that are added to a template and taken out again: what is made then has room for the variables of a usual
/// request's fields, and so have its copies.
const ROOM: usize = 4;

/// What CGI puts before the name of a field (RFC 3875, section 4.1.18).
const PREFIX: &str = "HTTP_";

/// How many requests an application may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concurrency {
    One,
    /// As many as there are threads.
    Threads,
}

/// What all requests have in common that come to one address.
pub(crate) struct Template {
    environ: Py<PyDict>,
    roots: Roots,
}

impl Template {
    pub(crate) fn new(
        py: Python<'_>,
        ends: &Ends<'_>,
        roots: Roots,
        concurrency: Concurrency,
    ) -> PyResult<Self> {
        let environ = PyDict::new(py);
        // Names in programs are interned: a key that is the same object is found without a comparison.
        let set = |key: &str, value: Bound<'_, PyAny>| {
            environ.set_item(PyString::intern(environ.py(), key), value)
        };
        let text = |text: &str| PyString::new(py, text).into_any();
        set("wsgi.version", (1, 0).into_bound_py_any(py)?)?;
        set("wsgi.url_scheme", ends.scheme.clone().into_any())?;
        set("wsgi.errors", py.import("sys")?.getattr("stderr")?)?;
        let is_threaded = concurrency == Concurrency::Threads;
        set("wsgi.multithread", is_threaded.into_bound_py_any(py)?)?;
        set("wsgi.multiprocess", true.into_bound_py_any(py)?)?;
        set("wsgi.run_once", false.into_bound_py_any(py)?)?;
        // The body ends where it ends, though chunks have no CONTENT_LENGTH.
        set("wsgi.input_terminated", true.into_bound_py_any(py)?)?;
        set("wsgi.file_wrapper", py.get_type::<FileWrapper>().into_any())?;
        set("SCRIPT_NAME", text(&roots.application))?;
        set("SERVER_SOFTWARE", text("corrente"))?;
        let (name, port) = end(&ends.server)?;
        set("SERVER_NAME", name)?;
        set("SERVER_PORT", text(&port))?;
        set("REMOTE_ADDR", text(""))?;
        set("REMOTE_PORT", text(""))?;
        set("REQUEST_METHOD", intern!(py, "GET").clone().into_any())?;
        set("PATH_INFO", text("/"))?;
        set("QUERY_STRING", text(""))?;
        set("RAW_URI", text("/"))?;
        set("SERVER_PROTOCOL", text("HTTP/1.1"))?;
        set("wsgi.input", Empty::the_only(py)?)?;
        // Each request has its own.
        set("wsgi.early_hints", py.None().into_bound(py))?;
        (0..ROOM).try_for_each(|number| environ.set_item(number, py.None()))?;
        (0..ROOM).try_for_each(|number| environ.del_item(number))?;
        Ok(Self {
            environ: environ.unbind(),
            roots,
        })
    }

    /// The variables of a request; its body is empty.
    pub(crate) fn environ<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let make = || self.environ_of_head(py, arrival);
        let keep = |environ: &Bound<'_, PyDict>| environ.copy().map(Prototype::new);
        let environ = arrival.peer.last.made(py, arrival, make, keep)?;
        believe(&environ, arrival)?;
        if let Some(id) = &arrival.request_id {
            environ.set_item(intern!(py, "HTTP_X_REQUEST_ID"), id)?;
        }
        Ok(environ)
    }

    /// What of it a request's head says, and its client.
    fn environ_of_head<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let head = arrival.head;
        let environ = self.environ.bind(py).copy()?;
        let target = head.target();
        if head.method() != Method::Get {
            environ.set_item(intern!(py, "REQUEST_METHOD"), method(py, head))?;
        }
        // Some proxies take the server's root off and some leave it on.
        let path = with_root(target.path, &self.roots.server);
        let path = decoded(&path);
        let path = without_root(&path, &self.roots.application);
        if path != b"/" {
            environ.set_item(intern!(py, "PATH_INFO"), latin(py, path))?;
        }
        if let Some(query) = target.query {
            environ.set_item(intern!(py, "QUERY_STRING"), latin(py, query))?;
        }
        if head.raw_target() != b"/" {
            environ.set_item(intern!(py, "RAW_URI"), latin(py, head.raw_target()))?;
        }
        let version = match head.version() {
            Version::Http10 => Some(intern!(py, "HTTP/1.0")),
            Version::Http11 => None,
            Version::Http2 => Some(intern!(py, "HTTP/2")),
        };
        if let Some(version) = version {
            environ.set_item(intern!(py, "SERVER_PROTOCOL"), version)?;
        }
        add_fields(&environ, head)?;
        if let Some((address, port)) = arrival.peer.client.as_ref().and_then(Client::texts) {
            environ.set_item(intern!(py, "REMOTE_ADDR"), address)?;
            environ.set_item(intern!(py, "REMOTE_PORT"), port)?;
        }
        Ok(environ)
    }
}

/// What trusted proxies said takes the place of what the connection says.
fn believe(environ: &Bound<'_, PyDict>, arrival: &Arrival<'_>) -> PyResult<()> {
    let py = environ.py();
    if let Some(client) = arrival.told.client {
        let port = client.port.map_or(String::new(), |port| port.to_string());
        environ.set_item(intern!(py, "REMOTE_ADDR"), client.address.to_string())?;
        environ.set_item(intern!(py, "REMOTE_PORT"), port)?;
    }
    if arrival.told.scheme.is_some() {
        environ.set_item(intern!(py, "wsgi.url_scheme"), arrival.scheme())?;
    }
    if let Some((name, port)) = arrival.server() {
        environ.set_item(intern!(py, "SERVER_NAME"), name)?;
        environ.set_item(intern!(py, "SERVER_PORT"), port.to_string())?;
    }
    Ok(())
}

/// Host and port of one end, both as text.
fn end<'py>(end: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, String)> {
    let py = end.py();
    if end.is_none() {
        return Ok((PyString::new(py, "").into_any(), String::new()));
    }
    let port = end.get_item(1)?;
    let port = if port.is_none() {
        String::new()
    } else {
        port.str()?.to_string()
    };
    Ok((end.get_item(0)?, port))
}

fn add_fields(environ: &Bound<'_, PyDict>, head: &Head<'_>) -> PyResult<()> {
    let py = environ.py();
    let mut seen = Seen::default();
    for field in head.fields().iter() {
        let Some(variable) = variable(py, field.name) else {
            continue;
        };
        let value = latin(py, meant(head, &field));
        let before = if seen.is_first(field.name) {
            None
        } else {
            environ.get_item(&variable)?
        };
        match before {
            None => environ.set_item(variable, value)?,
            Some(before) => {
                // Cookies are one list (RFC 9113, section 8.2.3), the others RFC 9110's.
                let is_cookie = field.name == Name::Known(KnownName::Cookie);
                let between = if is_cookie { "; " } else { "," };
                environ.set_item(variable, format!("{before}{between}{value}"))?;
            }
        }
    }
    Ok(())
}

/// The known names that a head has had so far: most have each once, and need not be looked for.
#[derive(Debug, Default)]
struct Seen(u128);

impl Seen {
    /// Whether there was none of this name before; `false` also where that is not known.
    fn is_first(&mut self, name: Name<'_>) -> bool {
        let Name::Known(name) = name else {
            return false;
        };
        let bit =
            u32::try_from(name.index()).map_or(0, |place| 1_u128.checked_shl(place).unwrap_or(0));
        let is_first = bit != 0 && self.0 & bit == 0;
        self.0 |= bit;
        is_first
    }
}

/// The variable of a field; `None` where it has to be left out.
///
/// Only the names that we know are interned: CPython 3.12, and any without a GIL, never lets go of what is, and a client may
/// think of any number of names.
fn variable<'py>(py: Python<'py>, name: Name<'_>) -> Option<Bound<'py, PyString>> {
    static KNOWN: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();
    let known = KNOWN.get_or_init(py, || {
        let names = KnownName::ALL.iter().map(|name| match name {
            KnownName::ContentType => "CONTENT_TYPE".to_owned(),
            KnownName::ContentLength => "CONTENT_LENGTH".to_owned(),
            _ => spelled(name.name().as_bytes()),
        });
        names
            .map(|name| PyString::intern(py, &name).unbind())
            .collect()
    });
    match name {
        Name::Known(name) => known.get(name.index()).map(|one| one.bind(py).clone()),
        Name::Other(bytes) if bytes.contains(&b'_') => None,
        Name::Other(bytes) => Some(PyString::new(py, &spelled(bytes))),
    }
}

fn spelled(name: &[u8]) -> String {
    let upper = |byte: &u8| match byte {
        b'-' => '_',
        other => char::from(other.to_ascii_uppercase()),
    };
    let mut spelled = String::with_capacity(PREFIX.len() + name.len());
    spelled.push_str(PREFIX);
    spelled.extend(name.iter().map(upper));
    spelled
}

/// Bytes as the string that PEP 3333 asks for: each a character of the same number.
fn latin<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => PyString::new(py, text),
        _ => PyString::new(
            py,
            &bytes.iter().copied().map(char::from).collect::<String>(),
        ),
    }
}
