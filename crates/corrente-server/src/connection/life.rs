//! How a connection begins and ends, and how long it waits for its client.
//!
//! Deadlines are looked at by the server once a second, so that a request sets no timer.

use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};

use corrente_loop::native::Transport;
use corrente_loop::now;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use super::pouring::Pouring;
use super::preface::{self, Opening};
use super::resting;
use super::{Awaits, Body, Connection, Parting, Past, Stage};
use crate::application::Templates;
use crate::asgi::scope::Ends;
use crate::shared::{Client, Repose, Shared};
use crate::talk::{self, Socket};

/// How long the first request of a connection is waited for when the server ends, in seconds: more than it takes to
/// cross the world.
const FIRST: f64 = 1.0;

/// How long another request is waited for then, in seconds. One that is on its way when its connection is closed is lost,
/// and clients that are busy ask again within milliseconds; the response tells them that the connection ends.
pub(super) const AGAIN: f64 = 0.5;

/// How long what a client still sends is read and dropped once it is answered, in seconds. A client that is told so
/// early stops within round trips.
const LINGERS: f64 = 2.0;

/// What the client has left unread when it was looked at last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unread {
    bytes: usize,
    /// Until when it has to have read some of it, by the loop's clock in seconds.
    deadline: f64,
}

impl Default for Unread {
    fn default() -> Self {
        Self {
            bytes: 0,
            deadline: f64::INFINITY,
        }
    }
}

impl Unread {
    /// Whether so many bytes were left for so many seconds.
    pub(crate) fn is_stuck(&mut self, bytes: usize, now: f64, allowed: f64) -> bool {
        if self.deadline.is_infinite() || self.bytes != bytes {
            let deadline = now + allowed;
            *self = Self { bytes, deadline };
        }
        now >= self.deadline
    }
}

/// The connection is there.
pub(super) fn begin(
    connection: &Arc<Connection>,
    py: Python<'_>,
    transport: Transport,
) -> PyResult<()> {
    let shared = &connection.shared;
    let template = Templates::of(py, shared, &transport)?;
    let Some(opening) = preface::expected(shared, &template) else {
        let address = &template.peer.text;
        let text = format!("{address} is no trusted proxy: its connections are refused");
        shared.report_once(py, &text)?;
        return transport.abort(py);
    };
    let deadline = now() + shared.times.head.as_secs_f64();
    let is_cut = connection.with(py, |state| {
        state.transport = Some(transport);
        state.template = Some(Arc::new(template));
        state.deadline = state.deadline.min(deadline);
        state.opening = opening;
        state.stage == Stage::Ends
    })?;
    let client: Weak<dyn Client> = connection.me.clone();
    shared.add(py, connection.number(), client)?;
    // The server may have ended since this one was accepted, or woken.
    if is_cut {
        return connection.abort(py);
    }
    if shared.is_draining() {
        return connection.wait_once_more(py);
    }
    Ok(())
}

/// The connection is gone.
pub(super) fn end(connection: &Arc<Connection>, py: Python<'_>) -> PyResult<()> {
    let (transport, current, socket) = connection.with(py, |state| {
        state.stage = Stage::Ends;
        state.held = Vec::new();
        state.pouring = None;
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
            connection.shared.live.counts.over();
        }
        current.handler.gone(py)?;
    }
    connection.over(py)
}

/// The client has ended its side; whether ours stays open. It does for answers to whole requests (RFC 9112, section 9.6,
/// has clients that do so): who streams without an end is told that the client has gone, and may go on.
pub(super) fn half_closed(connection: &Arc<Connection>, py: Python<'_>) -> PyResult<bool> {
    let (is_open, handler) = connection.with(py, |state| {
        let is_talk = state.socket.is_some();
        let current = state.current.as_ref().filter(|_| !is_talk);
        let current = current.filter(|current| {
            let is_behind = !state.held.is_empty();
            current.body == Body::Whole && (!current.is_answered || is_behind)
        });
        state.is_half_closed = current.is_some();
        let handler = current.map(|current| current.handler.clone_ref(py));
        (state.is_half_closed, handler)
    })?;
    if let Some(handler) = handler {
        handler.half_closed(py)?;
    }
    Ok(is_open)
}

/// The addresses of both ends, as ASGI has them.
pub(crate) fn ends<'py>(
    py: Python<'py>,
    shared: &Shared,
    transport: &Transport,
) -> PyResult<Ends<'py>> {
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
        tls: match &shared.describe_tls {
            Some(describe) if is_secure => {
                let session = transport.extra(py, "ssl_object")?;
                Some(describe.bind(py).call1((session,))?)
            }
            _ => None,
        },
    })
}

/// Host and port of an address. A Unix socket has no port, and its client no name.
fn pair<'py>(address: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = address.py();
    if let Ok(tuple) = address.cast::<PyTuple>()
        && tuple.len() >= 2
    {
        let host = unmapped(&tuple.get_item(0)?)?;
        return Ok(PyTuple::new(py, [host, tuple.get_item(1)?])?.into_any());
    }
    if address.is_instance_of::<PyString>() && !address.is_empty()? {
        return Ok(PyTuple::new(py, [address.clone(), py.None().into_bound(py)])?.into_any());
    }
    Ok(py.None().into_bound(py))
}

/// An address of IPv4 as such where a socket for both versions has it as one of IPv6 (RFC 4291, section 2.5.5.2): lists of
/// addresses, in applications and behind logs, have it so.
fn unmapped<'py>(host: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(text) = host.cast::<PyString>() else {
        return Ok(host.clone());
    };
    let rest = text.to_str()?.strip_prefix("::ffff:");
    let plain = rest.filter(|rest| rest.parse::<Ipv4Addr>().is_ok());
    Ok(plain.map_or_else(
        || host.clone(),
        |plain| PyString::new(host.py(), plain).into_any(),
    ))
}

/// What a client that took too long was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overdue {
    /// It sent a part of a head.
    Head,
    /// It sent a part of a body.
    Body,
    /// It sent nothing, or nothing that anybody waits for.
    Idle,
    /// It is silent on a WebSocket.
    Talk,
}

impl Client for Connection {
    fn look(self: Arc<Self>, py: Python<'_>, now: f64) -> PyResult<()> {
        self.look_at(py, now)
    }

    fn drain(self: Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.leave_soon(py)
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.abort(py)
    }

    fn rest(self: Arc<Self>, py: Python<'_>, now: f64) -> PyResult<Repose> {
        resting::rest(&self, py, now)
    }
}

impl Connection {
    /// Ends the connection if its client has been waited for long enough.
    fn look_at(self: &Arc<Self>, py: Python<'_>, now: f64) -> PyResult<()> {
        if self.is_stuck(py, now)? {
            return self.abort(py);
        }
        let overdue = self.with(py, |state| {
            if now < state.deadline || state.stage == Stage::Ends {
                return None;
            }
            state.deadline = f64::INFINITY;
            Some(match &state.current {
                _ if state.opening != Opening::Request => Overdue::Idle,
                _ if state.socket.as_deref().is_some_and(Socket::is_accepted) => Overdue::Talk,
                Some(current) if current.is_answered => Overdue::Idle,
                Some(_) => Overdue::Body,
                None if state.held.is_empty() => Overdue::Idle,
                None => Overdue::Head,
            })
        })?;
        match overdue {
            None => Ok(()),
            Some(Overdue::Idle) => self.close(py),
            Some(Overdue::Talk) => talk::overdue(&**self, py),
            Some(Overdue::Head | Overdue::Body) => {
                let text = "the client was too slow to send its request";
                self.turn_away(py, 408, text)
            }
        }
    }

    /// Whether the client has read nothing for too long, or a connection that lingers has lingered.
    fn is_stuck(&self, py: Python<'_>, now: f64) -> PyResult<bool> {
        let (is_late, watched) = self.with(py, |state| {
            let is_over = state.stage == Stage::Ends;
            let is_watched = state.is_full || is_over;
            let transport = state.transport.as_ref().filter(|_| is_watched);
            (
                is_over && now >= state.deadline,
                transport.map(|transport| transport.clone_ref(py)),
            )
        })?;
        let Some(transport) = watched else {
            self.with(py, |state| state.unread = Unread::default())?;
            return Ok(false);
        };
        let size = intern!(py, "get_write_buffer_size");
        let bytes: usize = transport.object().call_method0(py, size)?.extract(py)?;
        let allowed = self.shared.times.write.as_secs_f64();
        self.with(py, |state| {
            let left = state.pouring.as_deref().map_or(0, Pouring::left);
            let bytes = bytes.saturating_add(left);
            let is_stuck = state.unread.is_stuck(bytes, now, allowed);
            is_late || is_stuck
        })
    }

    /// Ends the connection once the request that is answered, if any, is, and no other is on its way. A client knows that it
    /// may have to repeat a request, unless it is the first (RFC 9112, section 9.3.1); few do.
    fn leave_soon(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if talk::restart(&**self, py)? {
            return Ok(());
        }
        self.wait_once_more(py)
    }

    /// Has a connection on which nothing is asked closed after a while, unless something is asked.
    pub(super) fn wait_once_more(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| {
            let wait = match state.past {
                Past::New => FIRST,
                Past::Used => AGAIN,
            };
            if state.current.is_none() && state.held.is_empty() {
                state.deadline = state.deadline.min(now() + wait);
            }
        })
    }

    /// All that has come is decoded: a client that has ended its side has no more requests.
    pub(super) fn end_half_closed(&self, py: Python<'_>) -> PyResult<()> {
        let is_over = self.with(py, |state| {
            let is_free = state.current.is_none() && state.stage == Stage::Rests;
            state.is_half_closed && is_free
        })?;
        if is_over { self.close(py) } else { Ok(()) }
    }

    /// Ends the connection once all is written.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let parting = self.with(py, |state| {
            state.stage = Stage::Ends;
            state.held = Vec::new();
            state.deadline = f64::INFINITY;
            state.parting
        })?;
        match self.transport(py)? {
            Some(transport) if parting == Parting::Lingering => self.linger(py, &transport),
            Some(transport) => transport.close(py),
            None => Ok(()),
        }
    }

    /// Ends our side; the connection ends when the client has ended its own, or after a while.
    fn linger(&self, py: Python<'_>, transport: &Transport) -> PyResult<()> {
        let object = transport.object().bind(py);
        let can = object.call_method0(intern!(py, "can_write_eof"))?;
        if transport.is_closing(py)? || !can.is_truthy()? {
            return transport.close(py);
        }
        self.unpause(py)?;
        self.with(py, |state| state.deadline = now() + LINGERS)?;
        object.call_method0(intern!(py, "write_eof")).map(drop)
    }

    /// Ends the connection at once.
    pub(crate) fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| state.stage = Stage::Ends)?;
        match self.transport(py)? {
            Some(transport) => transport.abort(py),
            None => Ok(()),
        }
    }

    /// Ends the connection at once, and not as if all had been said: an end of the usual kind would be the end of a
    /// body (RFC 9112, section 8).
    pub(super) fn reset(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(transport) = self.transport(py)?
            && !transport.is_closing(py)?
        {
            let socket = transport.extra(py, "socket")?;
            let names = py.import(intern!(py, "socket"))?;
            let (level, option) = (names.getattr("SOL_SOCKET")?, names.getattr("SO_LINGER")?);
            // It lingers, for no time: socket(7).
            let lingers_not = [1_i32, 0].map(i32::to_ne_bytes).concat();
            socket.call_method1(
                "setsockopt",
                (level, option, PyBytes::new(py, &lingers_not)),
            )?;
        }
        self.abort(py)
    }

    /// Sets until when the client is waited for, by what it is about to do.
    pub(super) fn wait_for_client(&self, py: Python<'_>) -> PyResult<()> {
        let times = self.shared.times;
        let least = self.shared.operations().limits.body_least;
        self.with(py, |state| {
            if state.stage == Stage::Ends {
                return;
            }
            // A WebSocket's deadlines are its own.
            if state.socket.as_deref().is_some_and(Socket::is_accepted) {
                return;
            }
            let (awaits, allowed) = match &state.current {
                Some(current)
                    if current.body == Body::Coming
                        && !state.is_reading_paused
                        && !current.is_held_back =>
                {
                    // Once for so much of a body, so that a client gains nothing by a byte now and then.
                    let is_going_on = state.deadline.is_finite() && state.awaits == Awaits::Body;
                    if is_going_on && state.pace < least {
                        return;
                    }
                    state.pace = 0;
                    (Awaits::Body, times.body)
                }
                // The application's time is its own, and so is the client's that waits for it.
                Some(_) => {
                    state.deadline = f64::INFINITY;
                    state.awaits = Awaits::Other;
                    return;
                }
                None if state.held.is_empty() => (Awaits::Other, times.idle),
                // Once for a head: a client that sends byte by byte gains nothing.
                None if state.deadline.is_finite() && state.awaits == Awaits::Head => return,
                None => (Awaits::Head, times.head),
            };
            state.awaits = awaits;
            state.deadline = now() + allowed.as_secs_f64();
        })
    }
}
