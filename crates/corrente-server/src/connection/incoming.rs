//! From bytes to requests: decodes what has come, and starts what it finds.
//!
//! The application finds what has come of the body with it, so that most requests end within one call.

use std::sync::Arc;

use corrente_http::Rejection;
use corrente_http::h1::{self, Asked, Decoder, Event};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::preface::{self, Opening};
use super::talking;
use super::{Body, Connection, Current, Past, Stage};
use crate::application::{Beginning, Begun, Handler};
use crate::exchange::{Line, NOT_KEPT, NOT_KEPT_STATUS, Piece};
use crate::talk::Socket;

/// What waits in memory of a body that the application does not ask for, in bytes; more is left to the kernel.
const BODY_MOST: usize = 64 * 1024;

/// What is read of a body after its response is complete, in bytes: a client that sends more is cut off.
const IGNORED_MOST: u64 = 256 * 1024;

/// What is read at once of a body that is kept as it comes, in bytes.
const KEPT_MOST: usize = 256 * 1024;

/// How much of what comes next is kept as it comes, in bytes: all of it belongs to the body that an application of ASGI
/// is given. One that does not wait for it may be slow: little is read then.
pub(super) fn keeps(connection: &Connection, py: Python<'_>) -> usize {
    let kept = connection.with(py, |state| {
        let (left, handler) = state.plain_body()?;
        let is_awaited = handler.is_awaited(py).ok()?;
        Some(left.min(if is_awaited { KEPT_MOST } else { BODY_MOST }))
    });
    kept.ok().flatten().unwrap_or(0)
}

/// Something has come in an object of its own: where all of it is a piece of a body, that is the application's as it is.
pub(super) fn received_object(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &Bound<'_, PyBytes>,
) -> PyResult<()> {
    let length = content.as_bytes().len();
    let left = connection.with(py, |state| state.plain_body().map(|(left, _)| left))?;
    if left.is_none_or(|left| left < length) {
        return received(connection, py, content.as_bytes());
    }
    connection.with(py, |state| {
        if let Some(decoder) = &mut state.decoder {
            decoder.pass_body(length as u64);
        }
    })?;
    connection.put(py, Piece::Object(content))?;
    received(connection, py, b"")
}

/// Something has come.
pub(super) fn received(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &[u8],
) -> PyResult<()> {
    match connection.hears_now(py)? {
        Hears::Preface => preface::received(connection, py, content),
        Hears::Frames => talking::received(connection, py, &mut content.to_vec()),
        Hears::Requests => requests(connection, py, content),
    }
}

/// Something has come, in memory that may be changed.
pub(super) fn received_lent(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &mut [u8],
) -> PyResult<()> {
    match connection.hears_now(py)? {
        Hears::Preface => preface::received(connection, py, content),
        Hears::Frames => talking::received(connection, py, content),
        Hears::Requests => requests(connection, py, content),
    }
}

/// Requests have come, or parts of some.
fn requests(connection: &Arc<Connection>, py: Python<'_>, content: &[u8]) -> PyResult<()> {
    let (stage, held) = connection.with(py, |state| {
        let is_behind = !state.held.is_empty() || state.stage == Stage::Works;
        if is_behind {
            state.held.extend_from_slice(content);
        }
        let is_free = is_behind && state.stage == Stage::Rests;
        (
            state.stage,
            is_free.then(|| std::mem::take(&mut state.held)),
        )
    })?;
    match (stage, held) {
        // While it works, the application has run the loop: that is looked at when it returns.
        (Stage::Ends | Stage::Works, _) => Ok(()),
        (Stage::Rests, None) => work(connection, py, content),
        (Stage::Rests, Some(held)) => work(connection, py, &held),
    }
}

/// The request that was answered is over, or its application has taken what had come: what is behind is looked at.
pub(super) fn resume(connection: &Arc<Connection>, py: Python<'_>) -> PyResult<()> {
    if connection.hears(py)? == Hears::Frames {
        return talking::resume(connection, py);
    }
    let held = connection.with(py, |state| {
        (state.stage == Stage::Rests).then(|| std::mem::take(&mut state.held))
    })?;
    match held {
        Some(held) => work(connection, py, &held),
        None => Ok(()),
    }
}

fn work(connection: &Arc<Connection>, py: Python<'_>, input: &[u8]) -> PyResult<()> {
    connection.with(py, |state| state.stage = Stage::Works)?;
    let decoded = decode(connection, py, input);
    connection.with(py, |state| {
        if state.stage == Stage::Works {
            state.stage = Stage::Rests;
        }
    })?;
    match decoded {
        Ok(Ok(used)) => connection.with(py, |state| {
            let left = input.get(used..).unwrap_or_default();
            if state.stage == Stage::Rests && !left.is_empty() {
                // Before what has come meanwhile.
                state.held.splice(0..0, left.iter().copied());
            }
        })?,
        Ok(Err(rejection)) => return connection.reject(py, rejection),
        Err(error) => {
            connection.abort(py)?;
            return Err(error);
        }
    }
    connection.settle(py)?;
    connection.end_half_closed(py)
}

/// Decodes until there is nothing more to decode, or a request has to be answered first; gives back how much of the
/// input was used.
fn decode(
    connection: &Arc<Connection>,
    py: Python<'_>,
    input: &[u8],
) -> PyResult<Result<usize, Rejection>> {
    let mut used = 0;
    loop {
        let lent = connection.with(py, super::State::lend_decoder)?;
        let Some(mut decoder) = lent else {
            match connection.beginning(py, Body::Whole)? {
                Some(beginning) => connection.carrier().start(py, beginning)?,
                None => return Ok(Ok(used)),
            }
            continue;
        };
        let step = step(connection, py, &mut decoder, &input[used..]);
        connection.with(py, |state| state.decoder = Some(decoder))?;
        let (consumed, found) = match step? {
            Ok(step) => step,
            Err(rejection) => return Ok(Err(rejection)),
        };
        used += consumed;
        match found {
            Found::Some => {}
            // What has come is with the application before it asks for it.
            Found::Nothing => match connection.beginning(py, Body::Coming)? {
                Some(beginning) => connection.carrier().start(py, beginning)?,
                None => return Ok(Ok(used)),
            },
        }
    }
}

/// What comes over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    Preface,
    Requests,
    /// Of a WebSocket.
    Frames,
}

/// What a look at the input led to.
enum Found {
    /// Nothing more can be done with it now.
    Nothing,
    /// The begin of a request, some of its body, or its end.
    Some,
}

/// Takes one event.
fn step(
    connection: &Arc<Connection>,
    py: Python<'_>,
    decoder: &mut Decoder,
    input: &[u8],
) -> PyResult<Result<(usize, Found), Rejection>> {
    let step = match decoder.next(input) {
        Ok(step) => step,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let found = match step.event {
        Event::NeedMore => Found::Nothing,
        Event::Head(head) => connection.begin(py, &head)?,
        Event::Body(content) => connection.put(py, Piece::Lent(content))?,
        // ASGI has no place for a request's trailers.
        Event::Trailers(_) => Found::Some,
        Event::End => connection.end_body(py)?,
    };
    Ok(Ok((step.consumed, found)))
}

impl super::State {
    /// How much of a body is still to come that an application of ASGI is given, in bytes, and the request: where its length
    /// is known, and nothing else comes before.
    fn plain_body(&self) -> Option<(usize, &Handler)> {
        let current = self.current.as_ref()?;
        let is_free = self.stage == Stage::Rests && self.held.is_empty();
        let is_wanted = !current.is_answered && matches!(current.handler, Handler::Asgi(_));
        let decoder = self.decoder.as_ref().filter(|_| is_free && is_wanted)?;
        let left = usize::try_from(decoder.body_left()).ok()?;
        Some((left, &current.handler))
    }

    /// The decoder, unless a request is to be answered before more is decoded.
    fn lend_decoder(&mut self) -> Option<Box<Decoder>> {
        let is_behind = self
            .current
            .as_ref()
            .is_some_and(|current| current.body == Body::Whole);
        let is_talk = self.socket.as_deref().is_some_and(Socket::is_accepted);
        if self.stage != Stage::Works || is_behind || is_talk {
            return None;
        }
        self.decoder.take()
    }
}

impl Connection {
    /// What comes now; what came before is told of no more.
    fn hears_now(&self, py: Python<'_>) -> PyResult<Hears> {
        if self.shared.operations().has_names() {
            self.with(py, |state| state.name = None)?;
        }
        self.hears(py)
    }

    /// What comes now.
    fn hears(&self, py: Python<'_>) -> PyResult<Hears> {
        self.with(py, |state| {
            if state.stage != Stage::Rests {
                return Hears::Requests;
            }
            if state.opening != Opening::Request {
                return Hears::Preface;
            }
            match &state.socket {
                Some(socket) if socket.is_accepted() => Hears::Frames,
                _ => Hears::Requests,
            }
        })
    }

    /// A request begins.
    fn begin(self: &Arc<Self>, py: Python<'_>, head: &h1::Head<'_>) -> PyResult<Found> {
        let limits = &self.shared.operations().limits;
        // Without time to wait in for another request none is waited for: one that is on its way would meet the end.
        let is_kept = !self.shared.times.idle.is_zero();
        let template = self.with(py, |state| {
            state.past = Past::Used;
            state.output.begin(Asked::by(head));
            state.requests += 1;
            if state.requests >= limits.connection_requests || !is_kept {
                state.output.close_after();
            }
            // Lent out, since to count one more that has it, and one less, costs more than to put it back.
            state.template.take()
        })?;
        let Some(template) = template else {
            // It is lost already.
            return Ok(Found::Nothing);
        };
        let line: Arc<dyn Line> = Arc::<Self>::clone(self);
        let operations = self.shared.operations();
        let arrival = operations.arrival(head, &template.peer);
        self.with(py, |state| {
            state.trace = operations.trace(&arrival);
            state.request_id.clone_from(&arrival.request_id);
        })?;
        let begun = template.begin(py, &self.shared, &arrival, line);
        self.with(py, |state| state.template = Some(template))?;
        let (beginning, socket) = match begun? {
            Begun::Request(beginning) => (beginning, None),
            Begun::Socket(beginning, handler, asked) => {
                (beginning, Some(Box::new(Socket::new(handler, asked))))
            }
            Begun::Refused(refusal) => {
                self.refuse_upgrade(py, refusal)?;
                return Ok(Found::Some);
            }
        };
        self.shared.live.counts.begun();
        let handler = beginning.handler.clone_ref(py);
        let is_wsgi = handler.is_wsgi();
        let current = Current {
            handler,
            beginning: Some(beginning),
            task: None,
            body: Body::Coming,
            is_held_back: head.expects_continue() && !is_wsgi,
            is_answered: false,
            ignored: 0,
        };
        let before = self.with(py, |state| {
            let before = std::mem::replace(&mut state.socket, socket);
            (before, state.current.replace(current))
        })?;
        drop(before);
        Ok(Found::Some)
    }

    /// The request whose application is to be called now: ASGI's with what has come, WSGI's when its body is whole.
    fn beginning(&self, py: Python<'_>, body: Body) -> PyResult<Option<Beginning>> {
        let is_due = |current: &&mut Current| body == Body::Whole || !current.handler.is_wsgi();
        self.with(py, |state| {
            let current = state.current.as_mut().filter(is_due)?;
            current.beginning.take()
        })
    }

    /// Some of the body has come.
    fn put(self: &Arc<Self>, py: Python<'_>, piece: Piece<'_, '_>) -> PyResult<Found> {
        let length = piece.bytes().len();
        let (open, over) = self.with(py, |state| {
            let Some(current) = &mut state.current else {
                return (None, None);
            };
            current.is_held_back = false;
            state.pace += length as u64;
            if !current.is_answered {
                if let Some(trace) = &mut state.trace {
                    trace.received(length);
                }
                return (Some(current.handler.clone_ref(py)), None);
            }
            current.ignored += length as u64;
            if current.ignored <= IGNORED_MOST {
                return (None, None);
            }
            state.stage = Stage::Ends;
            (None, state.current.take())
        })?;
        drop(over);
        let Some(handler) = open else {
            return Ok(Found::Some);
        };
        let held = match handler.put(py, piece) {
            Ok(held) => held,
            Err(error) => {
                self.shared.report(py, NOT_KEPT, Some(error))?;
                self.turn_away(py, NOT_KEPT_STATUS, NOT_KEPT)?;
                return Ok(Found::Some);
            }
        };
        // What is awaited is gone before more comes.
        if held.bytes >= BODY_MOST && !held.is_awaited {
            self.pause(py)?;
        }
        Ok(Found::Some)
    }

    /// The body is whole.
    fn end_body(self: &Arc<Self>, py: Python<'_>) -> PyResult<Found> {
        let (handler, over) = self.with(py, |state| {
            let Some(current) = &mut state.current else {
                return (None, None);
            };
            current.body = Body::Whole;
            current.is_held_back = false;
            if current.is_answered {
                return (None, state.current.take());
            }
            (Some(current.handler.clone_ref(py)), None)
        })?;
        drop(over);
        if let Some(handler) = handler {
            handler.end(py)?;
        }
        Ok(Found::Some)
    }
}
