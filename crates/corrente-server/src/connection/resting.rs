//! A connection on which nothing is said for a while rests: all that is kept of it is its descriptor and a few numbers.
//!
//! What it takes otherwise is a transport, a protocol, a decoder and memory for both directions. It is made anew when the client
//! says something, which costs about as much as a request: so only servers with many connections let any rest, those of which
//! nothing was heard for longest (`shared`), and one that is woken rests less soon the next time.
//!
//! Key invariant: to the server it is one connection, of one number, whether it rests or not.

use std::sync::{Arc, Weak};

use corrente_http::h1::Decoder;
use corrente_loop::native::{Rested, Resting as Remembering};
use corrente_loop::{Confined, now};
use pyo3::prelude::*;

use super::life::AGAIN;
use super::preface::Opening;
use super::{Awaits, Connection, Past, Stage, State};
use crate::operations::ProxyProtocol;
use crate::shared::{Client, Repose, Shared};
use crate::wire::Wire;

/// A connection that was woken has so many times as much patience from then on: one that is used now and then, and not just
/// left open, rests a few times at most.
const PATIENCE_GROWS: f32 = 4.0;

/// What is remembered of a connection that rests. There may be many, so that each byte counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) number: u64,
    /// More are not counted.
    pub(crate) requests: u32,
    /// In seconds.
    pub(crate) patience: f32,
}

/// A connection that rests.
struct Resting {
    shared: Arc<Shared>,
    state: Confined<Slept>,
}

struct Slept {
    memory: Memory,
    /// When the client has been waited for long enough, by the loop's clock in seconds.
    deadline: f64,
    /// Nothing once it is woken or closed.
    rested: Option<Rested>,
}

/// Lets a connection rest, if nothing was said on it for as long as it has patience.
pub(super) fn rest(connection: &Arc<Connection>, py: Python<'_>, now: f64) -> PyResult<Repose> {
    let shared = &connection.shared;
    // Ours, and its protocol's: whoever else refers to it has something to do with it.
    let is_ours = Arc::strong_count(connection) <= 2;
    // Whom a proxy has named is in the template.
    let is_named = shared.operations().proxy_protocol != ProxyProtocol::Off;
    if !is_ours || is_named || shared.is_draining() {
        return Ok(Repose::Awake);
    }
    let idle = shared.times.idle.as_secs_f64();
    let found = connection.with(py, |state| {
        let transport = state.transport.as_ref().filter(|_| {
            let since = state.deadline - idle;
            state.is_silent() && now - since >= f64::from(state.patience)
        })?;
        let memory = Memory {
            number: connection.number,
            requests: u32::try_from(state.requests).unwrap_or(u32::MAX),
            patience: state.patience,
        };
        Some((transport.clone_ref(py), memory, state.deadline))
    })?;
    let Some((transport, memory, deadline)) = found else {
        return Ok(Repose::Awake);
    };
    let mut shelters = shared.live.shelters.with(py, std::mem::take)?;
    let resting = transport.rest(py, &mut shelters, |rested| {
        Arc::new(Resting {
            shared: Arc::clone(shared),
            state: Confined::new(Slept {
                memory,
                deadline,
                rested: Some(rested),
            }),
        })
    });
    let before = shared
        .live
        .shelters
        .with(py, |held| std::mem::replace(held, shelters))?;
    drop(before);
    let Some(resting) = resting? else {
        return Ok(Repose::Awake);
    };
    let client: Weak<Resting> = Arc::downgrade(&resting);
    shared.replace(py, memory.number, client)?;
    shared.live.counts.slept();
    let transport = connection.with(py, |state| state.transport.take())?;
    drop(transport);
    Ok(Repose::Resting)
}

impl State {
    /// Whether it is between requests, and nothing of the last one is left.
    fn is_silent(&self) -> bool {
        let is_read = self.decoder.as_deref().is_some_and(Decoder::is_idle);
        let is_going_on = self.current.is_some() || self.socket.is_some() || self.pouring.is_some();
        let is_held_up = self.is_full || self.is_reading_paused || self.is_half_closed;
        let is_plain = self.past == Past::Used && self.opening == Opening::Request;
        is_plain
            && is_read
            && self.held.is_empty()
            && self.stage == Stage::Rests
            && self.awaits == Awaits::Other
            && self.output.is_silent()
            && !is_going_on
            && !is_held_up
    }
}

impl Resting {
    /// What is left of it, once.
    fn take(&self, py: Python<'_>) -> PyResult<Option<(Rested, Memory)>> {
        let taken = self.state.with(py, |slept| {
            let rested = slept.rested.take()?;
            Some((rested, slept.memory))
        })?;
        if taken.is_some() {
            self.shared.live.counts.woken();
        }
        Ok(taken)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some((rested, memory)) = self.take(py)? else {
            return Ok(());
        };
        let removed = self.shared.remove(py, memory.number);
        rested.close(py)?;
        removed
    }
}

impl Remembering for Resting {
    fn woken(self: Arc<Self>, py: Python<'_>) -> PyResult<()> {
        // Told once more, before its new transport watches.
        let Some((rested, memory)) = self.take(py)? else {
            return Ok(());
        };
        let again = Memory {
            patience: memory.patience * PATIENCE_GROWS,
            ..memory
        };
        let (protocol, client) = Wire::again(&self.shared, &again);
        // Its transport begins in the loop's next turn; whoever counts connections or ends them before that has to find it.
        self.shared.replace(py, memory.number, client)?;
        let woken = rested.wake(py, protocol);
        if woken.is_err() {
            self.shared.remove(py, memory.number)?;
        }
        woken
    }

    fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        let _shown = self.state.peek(|slept| {
            if let Some(rested) = &slept.rested {
                rested.show(show);
            }
        });
    }
}

impl Client for Resting {
    fn look(self: Arc<Self>, py: Python<'_>, now: f64) -> PyResult<()> {
        let is_late = self.state.with(py, |slept| now >= slept.deadline)?;
        if is_late { self.close(py) } else { Ok(()) }
    }

    fn drain(self: Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.state.with(py, |slept| {
            slept.deadline = slept.deadline.min(now() + AGAIN);
        })
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.close(py)
    }

    fn rest(self: Arc<Self>, _py: Python<'_>, _now: f64) -> PyResult<Repose> {
        Ok(Repose::Resting)
    }
}
