//! The `environ` of a request: CGI's variables (RFC 3875), in PEP 3333's strings of bytes.
//!
//! A field whose name has an underscore is left out: `X_Real_Ip` would become the same variable as `X-Real-Ip`, which a
//! proxy may have removed.

use corrente_http::h1::{Head, Version};
use corrente_http::{KnownName, Name};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::asgi::scope::{Ends, meant};
use crate::operations::Arrival;
use crate::percent::decoded;
use crate::root::without_root;

/// What all requests of a connection have in common.
pub(crate) struct Template {
    environ: Py<PyDict>,
    root: String,
}

impl Template {
    pub(crate) fn new(py: Python<'_>, ends: &Ends<'_>, root_path: &str) -> PyResult<Self> {
        let environ = PyDict::new(py);
        environ.set_item("wsgi.version", (1, 0))?;
        environ.set_item("wsgi.url_scheme", &ends.scheme)?;
        environ.set_item("wsgi.errors", py.import("sys")?.getattr("stderr")?)?;
        environ.set_item("wsgi.multithread", false)?;
        environ.set_item("wsgi.multiprocess", true)?;
        environ.set_item("wsgi.run_once", false)?;
        // The body ends where it ends, though chunks have no CONTENT_LENGTH.
        environ.set_item("wsgi.input_terminated", true)?;
        let wrapper = py.import("wsgiref.util")?.getattr("FileWrapper")?;
        environ.set_item("wsgi.file_wrapper", wrapper)?;
        environ.set_item("SCRIPT_NAME", root_path)?;
        environ.set_item("SERVER_SOFTWARE", "corrente")?;
        let (name, port) = end(&ends.server)?;
        environ.set_item("SERVER_NAME", name)?;
        environ.set_item("SERVER_PORT", port)?;
        let (address, port) = end(&ends.client)?;
        environ.set_item("REMOTE_ADDR", address)?;
        environ.set_item("REMOTE_PORT", port)?;
        for later in ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "RAW_URI"] {
            environ.set_item(later, "")?;
        }
        environ.set_item("SERVER_PROTOCOL", "HTTP/1.1")?;
        environ.set_item("wsgi.input", py.None())?;
        Ok(Self {
            environ: environ.unbind(),
            root: root_path.to_owned(),
        })
    }

    /// The variables of a request, but for its body.
    pub(crate) fn environ<'py>(
        &self,
        py: Python<'py>,
        arrival: &Arrival<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let head = arrival.head;
        let environ = self.environ.bind(py).copy()?;
        let target = head.target();
        let method = latin(py, head.method_name());
        environ.set_item(intern!(py, "REQUEST_METHOD"), method)?;
        let path = latin(py, &decoded(without_root(target.path, &self.root)));
        environ.set_item(intern!(py, "PATH_INFO"), path)?;
        let query = latin(py, target.query.unwrap_or_default());
        environ.set_item(intern!(py, "QUERY_STRING"), query)?;
        environ.set_item(intern!(py, "RAW_URI"), latin(py, head.raw_target()))?;
        let version = match head.version() {
            Version::Http10 => Some(intern!(py, "HTTP/1.0")),
            Version::Http11 => None,
            Version::Http2 => Some(intern!(py, "HTTP/2")),
        };
        if let Some(version) = version {
            environ.set_item(intern!(py, "SERVER_PROTOCOL"), version)?;
        }
        add_fields(&environ, head)?;
        believe(&environ, arrival)?;
        if let Some(id) = &arrival.request_id {
            environ.set_item(intern!(py, "HTTP_X_REQUEST_ID"), id)?;
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
    for field in head.fields().iter() {
        let Some(variable) = variable(py, field.name) else {
            continue;
        };
        let value = latin(py, meant(head, &field));
        match environ.get_item(&variable)? {
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

/// The variable of a field; `None` where it has to be left out.
fn variable<'py>(py: Python<'py>, name: Name<'_>) -> Option<Bound<'py, PyString>> {
    static KNOWN: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();
    let known = KNOWN.get_or_init(py, || {
        let names = KnownName::ALL.iter();
        let variables = names.map(|name| spelled(py, name.name().as_bytes()).unbind());
        variables.collect()
    });
    match name {
        Name::Known(name) => known.get(name.index()).map(|one| one.bind(py).clone()),
        Name::Other(bytes) if bytes.contains(&b'_') => None,
        Name::Other(bytes) => Some(spelled(py, bytes)),
    }
}

fn spelled<'py>(py: Python<'py>, name: &[u8]) -> Bound<'py, PyString> {
    let upper = |byte: &u8| match byte {
        b'-' => '_',
        other => char::from(other.to_ascii_uppercase()),
    };
    let spelled: String = name.iter().map(upper).collect();
    match &*spelled {
        "CONTENT_TYPE" | "CONTENT_LENGTH" => PyString::intern(py, &spelled),
        _ => PyString::intern(py, &format!("HTTP_{spelled}")),
    }
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
