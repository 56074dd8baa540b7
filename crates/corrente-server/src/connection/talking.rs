//! A connection that has become a WebSocket: frames in, messages to the application, and back.
//!
//! Answers pings and close frames by itself. RFC 6455, sections 5.5 and 7.

use std::sync::Arc;

use corrente_http::h1::{self, ResponseError};
use corrente_http::ws::{Decoder, Deflate, Encoder, EncoderOptions, Event, Kind, Role, Violation};
use corrente_loop::now;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Connection, Stage};
use crate::asgi::socket::{self, Waits, WebSocket};
use crate::exchange::{Line, Message};
use crate::field::fields;

/// What may wait for the application, in bytes; more is left to the kernel.
const WAITING_MOST: usize = 64 * 1024;

/// What the client said when it asked for a WebSocket.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) accept_key: String,
    pub(crate) deflate: Option<Deflate>,
}

/// A WebSocket, from the request for it on.
pub(super) struct Socket {
    pub(super) handler: Py<WebSocket>,
    asked: Asked,
    /// Once it is accepted; lent out while it works.
    decoder: Option<Box<Decoder>>,
    encoder: Option<Encoder>,
    closing: Closing,
    /// The client has broken the rules, which is still to be said.
    broken: Option<Violation>,
    /// A ping was sent, and nothing has come since.
    awaits_pong: bool,
}

/// How far the closing handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Not,
    /// We have sent a close frame, and wait for the client's.
    Ours,
    Done,
}

impl Socket {
    pub(super) fn new(handler: Py<WebSocket>, asked: Asked) -> Self {
        Self {
            handler,
            asked,
            decoder: None,
            encoder: None,
            closing: Closing::Not,
            broken: None,
            awaits_pong: false,
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.encoder.is_some()
    }
}

/// What a frame led to, for the application.
enum Heard {
    Nothing,
    /// So much waits for it now.
    Message(Waits),
    Closed,
}

/// Something has come.
pub(super) fn received(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &[u8],
) -> PyResult<()> {
    let interval = connection.shared.times.ping.as_secs_f64();
    let lent = connection.with(py, |state| {
        state.held.extend_from_slice(content);
        let socket = state.socket.as_mut()?;
        if std::mem::take(&mut socket.awaits_pong) && socket.closing == Closing::Not {
            state.deadline = now() + interval;
        }
        let decoder = socket.decoder.take()?;
        let broken = socket.broken.take();
        Some((
            decoder,
            socket.handler.clone_ref(py),
            std::mem::take(&mut state.held),
            broken,
        ))
    })?;
    let Some((mut decoder, handler, mut held, broken)) = lent else {
        return Ok(());
    };
    if let Some(violation) = broken {
        connection.break_talk(py, handler.get(), violation)?;
        return connection.settle(py);
    }
    let heard = connection.hear(py, &mut decoder, handler.get(), &mut held);
    connection.with(py, |state| {
        if let Some(socket) = &mut state.socket {
            socket.decoder = Some(decoder);
        }
    })?;
    connection.keep(py, held)?;
    heard?;
    connection.settle(py)
}

impl Connection {
    /// Hears frame after frame; what is left of the input are parts of one.
    fn hear(
        self: &Arc<Self>,
        py: Python<'_>,
        decoder: &mut Decoder,
        handler: &WebSocket,
        held: &mut Vec<u8>,
    ) -> PyResult<()> {
        let mut used = 0;
        let mut has_put = false;
        let ended = loop {
            let step = match decoder.next(&mut held[used..]) {
                Ok(step) => step,
                // The application may answer first what came together with it.
                Err(violation) if has_put => break self.break_soon(py, violation),
                Err(violation) => break self.break_talk(py, handler, violation),
            };
            let (consumed, is_last) = (step.consumed, matches!(step.event, Event::NeedMore));
            match self.take(py, handler, step.event) {
                Ok(Heard::Message(waiting)) if self.is_much(waiting) => {
                    // The rest of what has come is heard when the application has taken this.
                    used += consumed;
                    self.pause(py)?;
                    break Ok(());
                }
                Ok(Heard::Message(_)) => has_put = true,
                Ok(Heard::Nothing) => {}
                Ok(Heard::Closed) => break Ok(()),
                Err(error) => break Err(error),
            }
            used += consumed;
            if is_last {
                break Ok(());
            }
        };
        held.drain(..used.min(held.len()));
        ended
    }

    /// The client has broken the rules: it is told, and the application, and nothing more is heard.
    fn break_talk(
        self: &Arc<Self>,
        py: Python<'_>,
        handler: &WebSocket,
        violation: Violation,
    ) -> PyResult<()> {
        self.end_talk(py, violation.close_code(), &violation.to_string())?;
        handler.closed(py, Some(1006), "")
    }

    /// The same, after the application's next step.
    fn break_soon(&self, py: Python<'_>, violation: Violation) -> PyResult<()> {
        self.with(py, |state| {
            if let Some(socket) = &mut state.socket {
                socket.broken = Some(violation);
            }
        })?;
        self.resume_soon(py)
    }

    /// Whether more would be too much.
    fn is_much(&self, waiting: Waits) -> bool {
        let queue = self.shared.operations().limits.socket_queue;
        waiting.bytes > WAITING_MOST || waiting.messages >= queue
    }

    fn take(
        self: &Arc<Self>,
        py: Python<'_>,
        handler: &WebSocket,
        event: Event<'_>,
    ) -> PyResult<Heard> {
        match event {
            Event::NeedMore | Event::Pong(_) => Ok(Heard::Nothing),
            Event::Text(text) => handler.put(py, Message::Text(text)).map(Heard::Message),
            Event::Binary(bytes) => handler.put(py, Message::Binary(bytes)).map(Heard::Message),
            Event::Ping(content) => {
                self.say(py, |encoder, bytes| encoder.pong(content, bytes))?;
                Ok(Heard::Nothing)
            }
            Event::Close { code, reason } => {
                self.end_talk(py, code, "")?;
                handler.closed(py, Some(code), reason)?;
                Ok(Heard::Closed)
            }
        }
    }

    /// Writes with the encoder, where there is one.
    fn say(&self, py: Python<'_>, work: impl FnOnce(&mut Encoder, &mut Vec<u8>)) -> PyResult<()> {
        self.with(py, |state| {
            let encoder = state.socket.as_mut().and_then(|one| one.encoder.as_mut());
            if let Some(encoder) = encoder {
                work(encoder, state.output.bytes());
            }
        })
    }

    /// Sends a close frame, unless one was sent; the connection ends after it.
    fn end_talk(self: &Arc<Self>, py: Python<'_>, code: u16, reason: &str) -> PyResult<()> {
        self.with(py, |state| {
            state.stage = Stage::Ends;
            let Some(socket) = &mut state.socket else {
                return;
            };
            if socket.closing == Closing::Not
                && let Some(encoder) = &mut socket.encoder
            {
                encoder.close(code, reason, state.output.bytes());
            }
            socket.closing = Closing::Done;
            state.output.close_after();
        })?;
        self.leave(py)
    }

    /// The application has returned, or the server ends: the WebSocket is closed with this code.
    pub(super) fn leave_talk(self: &Arc<Self>, py: Python<'_>, code: u16) -> PyResult<()> {
        Line::close(&**self, py, code, "")
    }

    /// The handler of an open WebSocket, and how far it has come.
    pub(super) fn talk(&self, py: Python<'_>) -> PyResult<Option<(Py<WebSocket>, socket::Stage)>> {
        let handler = self.with(py, |state| {
            let socket = state.socket.as_ref();
            socket.map(|socket| socket.handler.clone_ref(py))
        })?;
        let Some(handler) = handler else {
            return Ok(None);
        };
        let stage = handler.get().stage(py)?;
        Ok(Some((handler, stage)))
    }

    /// Keeps what was not decoded, before what has come meanwhile.
    fn keep(&self, py: Python<'_>, mut left: Vec<u8>) -> PyResult<()> {
        self.with(py, |state| {
            if state.held.is_empty() {
                state.held = left;
            } else {
                left.append(&mut state.held);
                state.held = left;
            }
        })
    }

    /// Pings a client that was not heard for long; one that did not answer the last ping is gone.
    pub(super) fn ping(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let allowed = self.shared.operations().limits.pong.as_secs_f64();
        let is_dead = self.with(py, |state| {
            let Some(socket) = &mut state.socket else {
                return false;
            };
            let is_dead = socket.awaits_pong || socket.closing != Closing::Not;
            if let Some(encoder) = &mut socket.encoder
                && !is_dead
            {
                encoder.ping(b"", state.output.bytes());
            }
            socket.awaits_pong = true;
            state.deadline = now() + allowed;
            is_dead
        })?;
        if is_dead {
            return self.abort(py);
        }
        self.write_out(py)
    }
}

impl Line for Connection {
    fn accept(
        &self,
        py: Python<'_>,
        subprotocol: Option<&str>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut given = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        self.add_own(py, &mut given)?;
        self.traced(py, |trace| trace.answered(101))?;
        let limits = self.shared.operations().limits;
        let accepted = self.with(py, |state| {
            let Some(socket) = &mut state.socket else {
                return Err(ResponseError::Order);
            };
            let extension = socket.asked.deflate.as_ref().map(Deflate::response);
            let ours = [
                Some((
                    b"sec-websocket-accept".as_slice(),
                    &*socket.asked.accept_key,
                )),
                subprotocol.map(|name| (b"sec-websocket-protocol".as_slice(), name)),
                extension
                    .as_deref()
                    .map(|value| (b"sec-websocket-extensions".as_slice(), value)),
            ];
            let ours = ours.into_iter().flatten();
            let ours = ours.map(|(name, value)| (name, value.as_bytes()));
            let given = given.iter();
            let given = given.map(|(name, value): &(Py<PyBytes>, Py<PyBytes>)| {
                (name.as_bytes(py), value.as_bytes(py))
            });
            h1::switch(b"websocket", ours.chain(given), state.output.bytes())?;
            // The handshake's: from now on the client is waited for as one that talks.
            state.deadline = f64::INFINITY;
            let deflate = socket.asked.deflate.as_ref();
            socket.decoder = Some(Box::new(Decoder::new(Role::Server, limits.socket, deflate)));
            socket.encoder = Some(Encoder::new(
                Role::Server,
                EncoderOptions::default(),
                deflate,
            ));
            Ok(())
        })?;
        accepted.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        self.write_out(py)?;
        // What the client sent behind its request are frames already.
        self.resume_soon(py)
    }

    fn message(&self, py: Python<'_>, message: Message<'_>) -> PyResult<()> {
        self.say(py, |encoder, bytes| match message {
            Message::Text(text) => encoder.message(Kind::Text, text.as_bytes(), bytes),
            Message::Binary(content) => encoder.message(Kind::Binary, content, bytes),
        })?;
        self.write_out(py)
    }

    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<()> {
        let until = now() + self.shared.times.close.as_secs_f64();
        self.with(py, |state| {
            let Some(socket) = &mut state.socket else {
                return;
            };
            if socket.closing == Closing::Not
                && let Some(encoder) = &mut socket.encoder
            {
                encoder.close(code, reason, state.output.bytes());
                socket.closing = Closing::Ours;
                state.deadline = until;
            }
        })?;
        self.write_out(py)
    }
}
