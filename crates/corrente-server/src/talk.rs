//! A WebSocket, whatever carries its frames: bytes in, messages to the application, and back.
//!
//! Answers pings and close frames by itself (RFC 6455, sections 5.5 and 7), pings clients that are silent, and has
//! those wait whose messages the application does not take. What carries it is a [`Carriage`]: a connection of HTTP/1.1
//! that has become one, or a stream of HTTP/2 (RFC 8441). Must not know which.
//!
//! Key invariant: the decoder is lent out whole while it works, and nothing else is while Python code runs.

use std::sync::Arc;

use corrente_http::ws::{
    Decoder, Deflate, Encoder, EncoderOptions, Event, Kind, Limits, Role, Violation,
};
use corrente_loop::now;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::asgi::socket::{Stage, Waits, WebSocket};
use crate::exchange::{Exchange, Line, Message};
use crate::field::{Field, fields};
use crate::shared::Shared;

/// What may wait for the application, in bytes; more is left to the client.
const WAITING_MOST: usize = 64 * 1024;

/// Messages of so many bytes are sent from where they are; less is copied behind its head.
const UNCOPIED_LEAST: usize = 16 * 1024;

/// The code of a service that restarts (RFC 6455's registry).
const RESTARTS: u16 = 1012;

/// What an application is told of a WebSocket that ended without a close frame.
const VANISHED: u16 = 1006;

/// What the client said when it asked for a WebSocket.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The answer to its key; empty where it needs none, in HTTP/2.
    pub(crate) accept_key: String,
    pub(crate) deflate: Option<Deflate>,
}

/// A WebSocket, from the request for it on.
pub(crate) struct Socket {
    pub(crate) handler: Py<WebSocket>,
    asked: Asked,
    /// Once it is accepted; lent out while it works.
    decoder: Option<Box<Decoder>>,
    encoder: Option<Encoder>,
    /// What has come and is not decoded.
    held: Vec<u8>,
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

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Both sides have said that they close.
    Agreed,
    /// The client has broken the rules: what it still sends is of no interest.
    Broken,
}

/// Whether the application takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Some,
    None,
}

/// What is lent of a WebSocket and its carriage.
pub(crate) struct Lent<'a> {
    pub(crate) socket: &'a mut Socket,
    /// Where frames are written to.
    pub(crate) frames: &'a mut Vec<u8>,
    /// When the client has been waited for long enough, by the loop's clock in seconds.
    pub(crate) deadline: &'a mut f64,
}

/// What carries a WebSocket.
pub(crate) trait Carriage: Exchange {
    fn shared(&self) -> &Arc<Shared>;

    /// Lends it; nothing where there is none.
    fn lend<R>(&self, py: Python<'_>, work: impl FnOnce(Lent<'_>) -> R) -> PyResult<Option<R>>;

    /// Answers the handshake: with fields of its own, those of the handshake, and the application's.
    fn switch(&self, py: Python<'_>, agreed: &[(&[u8], &[u8])], given: Vec<Field>) -> PyResult<()>;

    /// Sends the frames that were written.
    fn flush(&self, py: Python<'_>) -> PyResult<()>;

    /// The same, and behind them some content.
    fn flush_before(&self, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        self.lend(py, |lent| lent.frames.extend_from_slice(content))?;
        self.flush(py)
    }

    /// What has come was heard: sends what that led to, and has the client go on, or wait.
    fn heard(&self, py: Python<'_>, room: Room) -> PyResult<()>;

    /// Has [`resume`] called: not now, since this is the application's own stack.
    fn resume_soon(&self, py: Python<'_>) -> PyResult<()>;

    /// Nothing more is said: it ends when all frames are sent.
    fn end(&self, py: Python<'_>, over: Over) -> PyResult<()>;

    /// Ends it at once: the client is gone, or as good as that.
    fn cut(&self, py: Python<'_>) -> PyResult<()>;
}

impl Socket {
    pub(crate) fn new(handler: Py<WebSocket>, asked: Asked) -> Self {
        Self {
            handler,
            asked,
            decoder: None,
            encoder: None,
            held: Vec::new(),
            closing: Closing::Not,
            broken: None,
            awaits_pong: false,
        }
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.encoder.is_some()
    }

    /// Whether both sides have said that they close.
    pub(crate) fn is_over(&self) -> bool {
        self.closing == Closing::Done
    }

    /// Whether something has come that was not heard yet.
    pub(crate) fn has_frames(&self) -> bool {
        self.is_accepted() && (!self.held.is_empty() || self.broken.is_some())
    }

    /// It is accepted: frames may come and go.
    fn open(&mut self, limits: Limits) {
        let deflate = self.asked.deflate.as_ref();
        self.decoder = Some(Box::new(Decoder::new(Role::Server, limits, deflate)));
        let options = EncoderOptions::default();
        self.encoder = Some(Encoder::new(Role::Server, options, deflate));
    }

    /// Writes a close frame, if it is the first; whether it is.
    fn say_close(&mut self, code: u16, reason: &str, frames: &mut Vec<u8>) -> bool {
        match &mut self.encoder {
            Some(encoder) if self.closing == Closing::Not => {
                encoder.close(code, reason, frames);
                true
            }
            _ => false,
        }
    }

    /// Keeps what was not decoded, before what has come meanwhile.
    fn keep(&mut self, mut left: Vec<u8>) {
        left.append(&mut self.held);
        // Mostly nothing is left, and no memory is kept for it.
        self.held = if left.is_empty() { Vec::new() } else { left };
    }
}

/// What a frame led to, for the application.
enum Heard {
    Nothing,
    /// So much waits for it now.
    Message(Waits),
    Closed,
}

/// What there is to do with what has come.
enum Come {
    Frames(Box<Decoder>, Vec<u8>),
    /// Nothing: the client has broken the rules before.
    Breach,
}

/// Something has come; frames are unmasked where they are.
pub(crate) fn received(
    carriage: &impl Carriage,
    py: Python<'_>,
    content: &mut [u8],
) -> PyResult<()> {
    let interval = carriage.shared().times.ping.as_secs_f64();
    let lent = carriage.lend(py, |lent| {
        let socket = lent.socket;
        if socket.closing == Closing::Done {
            return None;
        }
        if std::mem::take(&mut socket.awaits_pong) && socket.closing == Closing::Not {
            *lent.deadline = now() + interval;
        }
        let handler = socket.handler.clone_ref(py);
        if socket.broken.is_some() {
            return Some((handler, Come::Breach));
        }
        let Some(decoder) = socket.decoder.take() else {
            socket.held.extend_from_slice(content);
            return None;
        };
        let held = std::mem::take(&mut socket.held);
        Some((handler, Come::Frames(decoder, held)))
    })?;
    let Some((handler, come)) = lent.flatten() else {
        return Ok(());
    };
    let Come::Frames(mut decoder, mut held) = come else {
        tell_breach(carriage, handler.bind(py))?;
        return carriage.heard(py, Room::Some);
    };
    let handler = handler.bind(py);
    let heard = if held.is_empty() {
        let heard = hear(carriage, &mut decoder, handler, content);
        let used = heard.as_ref().map_or(0, |heard| heard.used);
        held = content[used..].to_vec();
        heard
    } else {
        held.extend_from_slice(content);
        let heard = hear(carriage, &mut decoder, handler, &mut held);
        held.drain(..heard.as_ref().map_or(0, |heard| heard.used));
        heard
    };
    carriage.lend(py, |lent| {
        lent.socket.decoder = Some(decoder);
        lent.socket.keep(held);
    })?;
    carriage.heard(py, heard?.room)
}

/// How far what has come was heard.
struct Hearing {
    room: Room,
    /// Bytes from its begin on.
    used: usize,
}

/// Tells of a breach, unless messages from before it still wait: it is told when the application has taken them.
fn tell_breach(carriage: &impl Carriage, handler: &Bound<'_, WebSocket>) -> PyResult<()> {
    let py = handler.py();
    if handler.get().has_messages(py)? {
        return Ok(());
    }
    match carriage
        .lend(py, |lent| lent.socket.broken.take())?
        .flatten()
    {
        Some(violation) => break_off(carriage, handler, violation),
        None => Ok(()),
    }
}

/// The application has accepted it, or has taken what waited: what has come meanwhile is looked at. One that was
/// accepted when the server ended already is closed.
pub(crate) fn resume(carriage: &impl Carriage, py: Python<'_>, content: &mut [u8]) -> PyResult<()> {
    if carriage.shared().is_draining() {
        restart(carriage, py)?;
    }
    received(carriage, py, content)
}

/// Hears frame after frame; what is left of the input are parts of one, or what the application has no room for.
fn hear(
    carriage: &impl Carriage,
    decoder: &mut Decoder,
    handler: &Bound<'_, WebSocket>,
    input: &mut [u8],
) -> PyResult<Hearing> {
    let py = handler.py();
    let mut used = 0;
    let mut room = Room::Some;
    let mut has_put = false;
    let mut is_going_on = true;
    while is_going_on {
        let step = match decoder.next(&mut input[used..]) {
            Ok(step) => step,
            // The application may answer first what came together with it.
            Err(violation) if has_put => {
                carriage.lend(py, |lent| lent.socket.broken = Some(violation))?;
                carriage.resume_soon(py)?;
                break;
            }
            Err(violation) => {
                break_off(carriage, handler, violation)?;
                break;
            }
        };
        used += step.consumed;
        is_going_on = step.event != Event::NeedMore;
        match take(carriage, handler, step.event)? {
            // The rest of what has come is heard when the application has taken this.
            Heard::Message(waiting) if is_much(carriage.shared(), waiting) => {
                (room, is_going_on) = (Room::None, false);
            }
            Heard::Message(_) => has_put = true,
            Heard::Nothing => {}
            Heard::Closed => is_going_on = false,
        }
    }
    Ok(Hearing { room, used })
}

/// The client has broken the rules: it is told, and the application, and nothing more is heard.
fn break_off(
    carriage: &impl Carriage,
    handler: &Bound<'_, WebSocket>,
    violation: Violation,
) -> PyResult<()> {
    let (py, reason) = (handler.py(), violation.to_string());
    end(carriage, py, violation.close_code(), &reason, Over::Broken)?;
    handler.get().closed(py, Some(VANISHED), "")
}

/// Whether more would be too much.
fn is_much(shared: &Shared, waiting: Waits) -> bool {
    let queue = shared.operations().limits.socket_queue;
    waiting.bytes > WAITING_MOST || waiting.messages >= queue
}

fn take(
    carriage: &impl Carriage,
    handler: &Bound<'_, WebSocket>,
    event: Event<'_>,
) -> PyResult<Heard> {
    let (py, handler) = (handler.py(), handler.get());
    match event {
        Event::NeedMore | Event::Pong(_) => Ok(Heard::Nothing),
        Event::Text(text) => handler.put(py, Message::Text(text)).map(Heard::Message),
        Event::Binary(bytes) => handler.put(py, Message::Binary(bytes)).map(Heard::Message),
        Event::Ping(content) => {
            say(carriage, py, |encoder, frames| {
                encoder.pong(content, frames);
            })?;
            Ok(Heard::Nothing)
        }
        Event::Close { code, reason } => {
            end(carriage, py, code, "", Over::Agreed)?;
            handler.closed(py, Some(code), reason)?;
            Ok(Heard::Closed)
        }
    }
}

/// Writes with the encoder, where there is one.
fn say(
    carriage: &impl Carriage,
    py: Python<'_>,
    work: impl FnOnce(&mut Encoder, &mut Vec<u8>),
) -> PyResult<()> {
    let said = carriage.lend(py, |lent| {
        if let Some(encoder) = &mut lent.socket.encoder {
            work(encoder, lent.frames);
        }
    });
    said.map(drop)
}

/// Writes the head of a message that goes behind it as it is; `false` where it has to be written as a whole.
fn opens(carriage: &impl Carriage, py: Python<'_>, kind: Kind, length: usize) -> PyResult<bool> {
    let opens = carriage.lend(py, |lent| {
        let encoder = lent.socket.encoder.as_mut();
        encoder.is_some_and(|encoder| encoder.open_message(kind, length, lent.frames))
    })?;
    Ok(opens == Some(true))
}

/// Sends a close frame, unless one was sent; nothing comes after it.
fn end(
    carriage: &impl Carriage,
    py: Python<'_>,
    code: u16,
    reason: &str,
    over: Over,
) -> PyResult<()> {
    carriage.lend(py, |lent| {
        lent.socket.say_close(code, reason, lent.frames);
        lent.socket.closing = Closing::Done;
    })?;
    carriage.end(py, over)
}

/// The server ends: one that is open is closed; whether it was open.
pub(crate) fn restart(carriage: &impl Carriage, py: Python<'_>) -> PyResult<bool> {
    let handler = carriage.lend(py, |lent| lent.socket.handler.clone_ref(py))?;
    let Some(handler) = handler else {
        return Ok(false);
    };
    if handler.get().stage(py)? != Stage::Open {
        return Ok(false);
    }
    carriage.close(py, RESTARTS, "")?;
    handler.get().closed(py, Some(RESTARTS), "")?;
    Ok(true)
}

/// The client was waited for long enough: it is pinged, or, where it has not answered our last ping or our close frame,
/// it is gone.
pub(crate) fn overdue(carriage: &impl Carriage, py: Python<'_>) -> PyResult<()> {
    let allowed = carriage.shared().operations().limits.pong.as_secs_f64();
    let is_dead = carriage.lend(py, |lent| {
        let socket = lent.socket;
        let is_dead = socket.awaits_pong || socket.closing != Closing::Not;
        if let Some(encoder) = &mut socket.encoder
            && !is_dead
        {
            encoder.ping(b"", lent.frames);
            socket.awaits_pong = true;
            *lent.deadline = now() + allowed;
        }
        is_dead
    })?;
    match is_dead {
        Some(true) => carriage.cut(py),
        Some(false) => carriage.flush(py),
        None => Ok(()),
    }
}

impl<C: Carriage> Line for C {
    fn accept(
        &self,
        py: Python<'_>,
        subprotocol: Option<&str>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let given = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        let asked = self.lend(py, |lent| lent.socket.asked.clone())?;
        let Some(asked) = asked else {
            let text = "the client has not asked for a WebSocket";
            return Err(PyRuntimeError::new_err(text));
        };
        let extension = asked.deflate.as_ref().map(Deflate::response);
        let key = Some(asked.accept_key).filter(|key| !key.is_empty());
        let agreed: [(&[u8], Option<&str>); 3] = [
            (b"sec-websocket-accept", key.as_deref()),
            (b"sec-websocket-protocol", subprotocol),
            (b"sec-websocket-extensions", extension.as_deref()),
        ];
        let agreed = agreed.into_iter();
        let agreed = agreed.filter_map(|(name, value)| Some((name, value?.as_bytes())));
        self.switch(py, &agreed.collect::<Vec<_>>(), given)?;
        let limits = self.shared().operations().limits.socket;
        let interval = self.shared().times.ping.as_secs_f64();
        self.lend(py, |lent| {
            lent.socket.open(limits);
            *lent.deadline = now() + interval;
        })?;
        self.flush(py)?;
        // What the client sent behind its request are frames already.
        self.resume_soon(py)
    }

    fn message(&self, py: Python<'_>, message: Message<'_>) -> PyResult<()> {
        let (kind, content) = match message {
            Message::Text(text) => (Kind::Text, text.as_bytes()),
            Message::Binary(content) => (Kind::Binary, content),
        };
        if content.len() >= UNCOPIED_LEAST && opens(self, py, kind, content.len())? {
            return self.flush_before(py, content);
        }
        say(self, py, |encoder, frames| {
            encoder.message(kind, content, frames);
        })?;
        self.flush(py)
    }

    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<()> {
        let until = now() + self.shared().times.close.as_secs_f64();
        let has_frames = self.lend(py, |lent| {
            if lent.socket.say_close(code, reason, lent.frames) {
                lent.socket.closing = Closing::Ours;
                *lent.deadline = until;
            }
            lent.socket.has_frames()
        })?;
        self.flush(py)?;
        // What waited for the application is nobody's now, and the client's close frame may be behind it.
        if has_frames == Some(true) {
            return self.resume_soon(py);
        }
        Ok(())
    }
}
