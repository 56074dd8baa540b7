//! How a connection begins and ends, and how long it waits for its client.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use corrente_loop::native::Transport;
use corrente_loop::now;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::talking::Socket;
use super::{Body, Connection, Stage};
use crate::application::Template;
use crate::asgi::scope::Ends;
use crate::asgi::socket;

/// The connection is there.
pub(super) fn begin(
    connection: &Arc<Connection>,
    py: Python<'_>,
    transport: Transport,
) -> PyResult<()> {
    let shared = &connection.shared;
    let ends = ends(py, &transport)?;
    let template = Template::new(py, shared, &ends)?;
    let deadline = now() + shared.times.head.as_secs_f64();
    connection.with(py, |state| {
        state.transport = Some(transport);
        state.template = Some(Arc::new(template));
        state.deadline = deadline;
    })?;
    shared.add(py, connection)
}

/// The connection is gone.
pub(super) fn end(connection: &Arc<Connection>, py: Python<'_>) -> PyResult<()> {
    let (transport, current, socket) = connection.with(py, |state| {
        state.stage = Stage::Ends;
        state.held = Vec::new();
        let current = state.current.take();
        (state.transport.take(), current, state.socket.take())
    })?;
    drop(transport);
    if let Some(socket) = socket {
        socket.handler.get().closed(py, Some(1006), "")?;
    }
    connection.shared.remove(py, connection.number())?;
    if let Some(current) = current {
        if !current.is_answered {
            connection
                .shared
                .counts
                .in_flight
                .fetch_sub(1, Ordering::Relaxed);
        }
        current.handler.gone(py)?;
    }
    Ok(())
}

/// The addresses of both ends, as ASGI has them.
fn ends<'py>(py: Python<'py>, transport: &Transport) -> PyResult<Ends<'py>> {
    let is_secure = !transport.extra(py, "sslcontext")?.is_none();
    let scheme = if is_secure {
        intern!(py, "https")
    } else {
        intern!(py, "http")
    };
    Ok(Ends {
        scheme: scheme.clone(),
        client: pair(&transport.extra(py, "peername")?)?,
        server: pair(&transport.extra(py, "sockname")?)?,
    })
}

/// Host and port of an address. A Unix socket has no port, and its client no name.
fn pair<'py>(address: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = address.py();
    if let Ok(tuple) = address.cast::<PyTuple>()
        && tuple.len() >= 2
    {
        return Ok(PyList::new(py, [tuple.get_item(0)?, tuple.get_item(1)?])?.into_any());
    }
    if address.is_instance_of::<pyo3::types::PyString>() && !address.is_empty()? {
        return Ok(PyList::new(py, [address.clone(), py.None().into_bound(py)])?.into_any());
    }
    Ok(py.None().into_bound(py))
}

/// What a client that took too long was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overdue {
    /// It sent a part of a head.
    Head,
    /// It sent a part of a body.
    Body,
    /// It sent nothing.
    Idle,
    /// It is silent on a WebSocket.
    Talk,
}

impl Connection {
    /// Ends the connection if its client has been waited for long enough.
    pub(crate) fn look(self: &Arc<Self>, py: Python<'_>, now: f64) -> PyResult<()> {
        let overdue = self.with(py, |state| {
            if now < state.deadline || state.stage == Stage::Ends {
                return None;
            }
            state.deadline = f64::INFINITY;
            Some(match &state.current {
                _ if state.socket.as_ref().is_some_and(Socket::is_accepted) => Overdue::Talk,
                Some(_) => Overdue::Body,
                None if state.held.is_empty() => Overdue::Idle,
                None => Overdue::Head,
            })
        })?;
        match overdue {
            None => Ok(()),
            Some(Overdue::Idle) => self.close(py),
            Some(Overdue::Talk) => self.ping(py),
            Some(Overdue::Head | Overdue::Body) => {
                let text = "the client was too slow to send its request";
                self.refuse(py, 408, text)
            }
        }
    }

    /// Ends the connection once the request that is answered, if any, is.
    pub(crate) fn drain(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if let Some((handler, socket::Stage::Open)) = self.talk(py)? {
            // RFC 6455's registry: the service restarts.
            self.leave_talk(py, 1012)?;
            return handler.get().closed(py, Some(1012), "");
        }
        let is_idle = self.with(py, |state| state.current.is_none() && state.held.is_empty())?;
        if is_idle { self.close(py) } else { Ok(()) }
    }

    /// Ends the connection once all is written.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| {
            state.stage = Stage::Ends;
            state.held = Vec::new();
        })?;
        match self.transport(py)? {
            Some(transport) => transport.close(py),
            None => Ok(()),
        }
    }

    /// Ends the connection at once.
    pub(crate) fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| state.stage = Stage::Ends)?;
        match self.transport(py)? {
            Some(transport) => transport.abort(py),
            None => Ok(()),
        }
    }

    /// Sets until when the client is waited for, by what it is about to do.
    pub(super) fn wait_for_client(&self, py: Python<'_>) -> PyResult<()> {
        let times = self.shared.times;
        self.with(py, |state| {
            if state.socket.as_ref().is_some_and(Socket::is_accepted) {
                if state.deadline.is_infinite() || state.is_in_head {
                    state.deadline = now() + times.ping.as_secs_f64();
                }
                return;
            }
            let allowed = match &state.current {
                Some(current) if current.body == Body::Coming => times.body,
                // The application's time is its own.
                Some(_) => {
                    state.deadline = f64::INFINITY;
                    return;
                }
                None if state.held.is_empty() => times.idle,
                // Once for a head: a client that sends byte by byte gains nothing.
                None if state.deadline.is_finite() && state.is_in_head => return,
                None => times.head,
            };
            state.is_in_head = state.current.is_none() && !state.held.is_empty();
            state.deadline = now() + allowed.as_secs_f64();
        })
    }
}
