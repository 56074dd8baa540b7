//! From bytes to requests: decodes what has come, and starts what it finds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use corrente_http::Rejection;
use corrente_http::h1::{self, Asked, Decoder, Event};
use pyo3::prelude::*;

use super::{Body, Connection, Current, Stage};
use crate::asgi::request::{Begun, Request};
use crate::exchange::Exchange;

/// What waits in memory of a body that the application does not ask for, in bytes; more is left to the kernel.
const BODY_MOST: usize = 64 * 1024;

/// What is read of a body after its response is complete, in bytes: a client that sends more is cut off.
const IGNORED_MOST: u64 = 256 * 1024;

/// A request that begins, for its application.
pub(super) struct Beginning {
    pub(super) request: Py<Request>,
    pub(super) scope: Py<PyAny>,
}

/// Something has come.
pub(super) fn received(
    connection: &Arc<Connection>,
    py: Python<'_>,
    content: &[u8],
) -> PyResult<()> {
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
    connection.settle(py)
}

/// Decodes until there is nothing more to decode, or a request has to be answered first; gives back how much of the
/// input was used.
fn decode(
    connection: &Arc<Connection>,
    py: Python<'_>,
    input: &[u8],
) -> PyResult<Result<usize, Rejection>> {
    let mut used = 0;
    let mut beginning = None;
    loop {
        let lent = connection.with(py, super::State::lend_decoder)?;
        let Some(mut decoder) = lent else {
            match beginning.take() {
                Some(beginning) => connection.start(py, beginning)?,
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
            Found::Beginning(begun) => beginning = Some(begun),
            Found::Body => {}
            // What has come is with the application before it asks for it.
            Found::Nothing => match beginning.take() {
                Some(beginning) => connection.start(py, beginning)?,
                None => return Ok(Ok(used)),
            },
        }
    }
}

/// What a look at the input led to.
enum Found {
    /// Nothing more can be done with it now.
    Nothing,
    Beginning(Beginning),
    /// Some of the body, or its end.
    Body,
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
        Event::Head(head) => Found::Beginning(connection.begin(py, &head)?),
        Event::Body(content) => connection.put(py, content)?,
        // ASGI has no place for a request's trailers.
        Event::Trailers(_) => Found::Body,
        Event::End => connection.end_body(py)?,
    };
    Ok(Ok((step.consumed, found)))
}

impl super::State {
    /// The decoder, unless a request is to be answered before more is decoded.
    fn lend_decoder(&mut self) -> Option<Box<Decoder>> {
        let is_behind = self
            .current
            .as_ref()
            .is_some_and(|current| current.body == Body::Whole);
        if self.stage != Stage::Works || is_behind {
            return None;
        }
        self.decoder.take()
    }
}

impl Connection {
    /// A request begins.
    fn begin(self: &Arc<Self>, py: Python<'_>, head: &h1::Head<'_>) -> PyResult<Beginning> {
        let begun = match head.body() {
            h1::Body::None => Begun::WithoutBody,
            _ if head.expects_continue() => Begun::ExpectsContinue,
            h1::Body::Length(_) | h1::Body::Chunked => Begun::WithBody,
        };
        let event_loop = self.shared.starter.event_loop().clone_ref(py);
        let exchange: Arc<dyn Exchange> = Arc::<Self>::clone(self);
        let request = Py::new(py, Request::new(event_loop, exchange, begun))?;
        let template = self.with(py, |state| state.template.clone())?;
        let scope = match template {
            Some(template) => template.scope(py, head, &self.shared.headers)?.into_any(),
            None => py.None().into_bound(py),
        };
        let counts = &self.shared.counts;
        counts.requests.fetch_add(1, Ordering::Relaxed);
        counts.in_flight.fetch_add(1, Ordering::Relaxed);
        let kept = request.clone_ref(py);
        self.with(py, |state| {
            state.output.begin(Asked::by(head));
            state.current = Some(Current {
                request: kept,
                task: None,
                body: Body::Coming,
                is_answered: false,
                ignored: 0,
            });
        })?;
        Ok(Beginning {
            request,
            scope: scope.unbind(),
        })
    }

    /// Some of the body has come.
    fn put(self: &Arc<Self>, py: Python<'_>, content: &[u8]) -> PyResult<Found> {
        let open = self.with(py, |state| {
            let current = state.current.as_mut()?;
            if current.is_answered {
                current.ignored += content.len() as u64;
                if current.ignored > IGNORED_MOST {
                    state.stage = Stage::Ends;
                }
                return None;
            }
            Some(current.request.clone_ref(py))
        })?;
        let Some(request) = open else {
            return Ok(Found::Body);
        };
        if request.get().put(py, content)? < BODY_MOST {
            return Ok(Found::Body);
        }
        self.pause(py)?;
        Ok(Found::Body)
    }

    /// The body is whole.
    fn end_body(self: &Arc<Self>, py: Python<'_>) -> PyResult<Found> {
        let (request, over) = self.with(py, |state| {
            let Some(current) = &mut state.current else {
                return (None, None);
            };
            current.body = Body::Whole;
            if current.is_answered {
                return (None, state.current.take());
            }
            (Some(current.request.clone_ref(py)), None)
        })?;
        drop(over);
        if let Some(request) = request {
            request.get().end(py)?;
        }
        Ok(Found::Body)
    }
}
