//! Who is at the other end of a connection, as far as it is known without a request.
//!
//! Worked out once for a connection.

use std::net::{IpAddr, SocketAddr};

use corrente_http::proxy::Trusted;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::application::Interface;
use crate::asgi::scope::Ends;
use crate::prototypes::Last;
use crate::shared::Shared;

/// The other end of a connection.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// None on a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// The address as text; empty on a Unix socket.
    pub(crate) text: String,
    /// What it says about clients is believed.
    pub(crate) is_trusted: bool,
    /// `http`, or `https` where the connection is TLS.
    pub(crate) scheme: &'static str,
    /// None on a Unix socket.
    pub(crate) client: Option<Client>,
    /// What was made of its last request's head.
    pub(crate) last: Last,
}

/// The other end, as applications are told of it.
#[derive(Debug)]
pub(crate) struct Client {
    /// ASGI's: host and port.
    pub(crate) pair: Py<PyAny>,
    /// WSGI's: both as text, where an application of that interface is there.
    texts: Option<(Py<PyAny>, Py<PyString>)>,
}

impl Client {
    /// Of a host, and a port or `None`.
    fn new(pair: &Bound<'_, PyAny>, shared: &Shared) -> PyResult<Self> {
        let texts = if shared.mounts.have(Interface::Wsgi) {
            let port = pair.get_item(1)?;
            let port = if port.is_none() {
                PyString::new(pair.py(), "")
            } else {
                port.str()?
            };
            Some((pair.get_item(0)?.unbind(), port.unbind()))
        } else {
            None
        };
        Ok(Self {
            pair: pair.clone().unbind(),
            texts,
        })
    }

    /// WSGI's host and port.
    pub(crate) fn texts(&self) -> Option<&(Py<PyAny>, Py<PyString>)> {
        self.texts.as_ref()
    }
}

impl Peer {
    /// The client's end of a connection.
    pub(crate) fn new(ends: &Ends<'_>, shared: &Shared) -> PyResult<Self> {
        let scheme = if ends.scheme.to_str()? == "https" {
            "https"
        } else {
            "http"
        };
        if ends.client.is_none() {
            return Ok(Self {
                is_trusted: trusted(shared).trusts(None),
                scheme,
                ..Self::default()
            });
        }
        let text = ends.client.get_item(0)?.extract::<String>()?;
        // A zone, as in `fe80::1%eth0`, is no part of the address.
        let bare = text.split('%').next().unwrap_or_default();
        let address = bare.parse().ok();
        Ok(Self {
            address,
            is_trusted: trusted(shared).trusts(address),
            scheme,
            text,
            client: Some(Client::new(&ends.client, shared)?),
            last: Last::default(),
        })
    }

    /// The same of an address, without TLS.
    pub(crate) fn of(py: Python<'_>, address: SocketAddr, shared: &Shared) -> PyResult<Self> {
        let text = address.ip().to_string();
        let pair: Bound<'_, PyTuple> = (text.as_str(), address.port()).into_pyobject(py)?;
        Ok(Self {
            address: Some(address.ip()),
            is_trusted: trusted(shared).trusts(Some(address.ip())),
            scheme: "http",
            text,
            client: Some(Client::new(pair.as_any(), shared)?),
            last: Last::default(),
        })
    }
}

fn trusted(shared: &Shared) -> &Trusted {
    &shared.operations().trusted
}
