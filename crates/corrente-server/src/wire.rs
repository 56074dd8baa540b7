//! What a transport has as its protocol: HTTP/1.1, until the client is known to speak HTTP/2.
//!
//! Under TLS the client and we have agreed on it (ALPN, RFC 7301); without, a client that knows begins with HTTP/2's
//! preface (RFC 9113, section 3.3).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use corrente_http::http2::Preface;
use corrente_loop::native::{Flow, NativeProtocol, Protocol, Transport};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::connection::First;
use crate::connection::resting::Memory;
use crate::http2::Second;
use crate::shared::{Client, Protocols, Shared};

pub(crate) struct Wire {
    shared: Arc<Shared>,
    first: First,
    second: OnceLock<Second>,
    /// The next bytes may be a preface.
    is_open: AtomicBool,
}

impl Wire {
    /// The protocol of a new connection.
    pub(crate) fn protocol(shared: &Arc<Shared>) -> NativeProtocol {
        NativeProtocol::new(Box::new(Self {
            shared: Arc::clone(shared),
            first: First::new(shared),
            second: OnceLock::new(),
            is_open: AtomicBool::new(false),
        }))
    }

    /// The protocol of a connection that has rested, and the connection: it speaks HTTP/1.1.
    pub(crate) fn again(
        shared: &Arc<Shared>,
        memory: &Memory,
    ) -> (NativeProtocol, Weak<dyn Client>) {
        let first = First::again(shared, memory);
        let client = first.client();
        let protocol = NativeProtocol::new(Box::new(Self {
            shared: Arc::clone(shared),
            first,
            second: OnceLock::new(),
            is_open: AtomicBool::new(false),
        }));
        (protocol, client)
    }

    fn current(&self) -> &dyn Protocol {
        match self.second.get() {
            Some(second) => second,
            None => &self.first,
        }
    }

    /// From now on it is HTTP/2.
    fn change(&self) -> &Second {
        self.second.get_or_init(|| Second::new(&self.shared))
    }

    /// Looks whether what has come is a preface, or may become one; whether that is all that is to be done with it.
    fn look(&self, py: Python<'_>, content: &[u8]) -> PyResult<bool> {
        let (preface, all) = self.first.preface(py, content)?;
        self.is_open
            .store(preface == Preface::NeedMore, Ordering::Relaxed);
        if preface == Preface::Http2
            && let Some((transport, template)) = self.first.give_up(py)?
        {
            let second = self.change();
            second.begin(py, transport, template)?;
            second.received(py, &all)?;
            return Ok(true);
        }
        Ok(preface == Preface::NeedMore)
    }
}

/// The TLS session of a connection, or `None`.
fn session<'py>(py: Python<'py>, transport: &Transport) -> PyResult<Bound<'py, PyAny>> {
    if transport.is_plain() {
        return Ok(py.None().into_bound(py));
    }
    transport.extra(py, "ssl_object")
}

impl Protocol for Wire {
    fn made(&self, py: Python<'_>, transport: Transport) -> PyResult<()> {
        if self.shared.protocols == Protocols::Both && !self.first.was_used(py)? {
            let session = session(py, &transport)?;
            if session.is_none() {
                self.is_open.store(true, Ordering::Relaxed);
            } else {
                let agreed = session.call_method0("selected_alpn_protocol")?;
                if agreed.eq("h2")? {
                    return self.change().made(py, transport);
                }
            }
        }
        self.first.made(py, transport)
    }

    fn received(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        if self.is_open.load(Ordering::Relaxed) {
            if self.first.awaits_header(py)? {
                return match self.first.header(py, content)? {
                    Some(rest) if !rest.is_empty() => self.received(py, &rest),
                    _ => Ok(()),
                };
            }
            if self.look(py, content)? {
                return Ok(());
            }
        }
        self.current().received(py, content)
    }

    fn received_lent(&self, py: Python<'_>, content: &mut [u8]) -> PyResult<()> {
        if self.is_open.load(Ordering::Relaxed) {
            return self.received(py, content);
        }
        self.current().received_lent(py, content)
    }

    fn received_object(&self, py: Python<'_>, content: &Bound<'_, PyBytes>) -> PyResult<()> {
        if self.is_open.load(Ordering::Relaxed) {
            return self.received(py, content.as_bytes());
        }
        self.current().received_object(py, content)
    }

    fn keeps(&self, py: Python<'_>) -> usize {
        self.current().keeps(py)
    }

    fn ended(&self, py: Python<'_>) -> PyResult<bool> {
        self.current().ended(py)
    }

    fn lost(&self, py: Python<'_>, exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        self.current().lost(py, exception)
    }

    fn flow(&self, py: Python<'_>, flow: Flow) -> PyResult<()> {
        self.current().flow(py, flow)
    }

    fn request(&self, py: Python<'_>) -> Option<String> {
        self.current().request(py)
    }

    fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        self.current().show(show);
    }

    fn clear(&self) {
        self.current().clear();
    }
}
