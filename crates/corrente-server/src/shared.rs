//! What all connections of a server have in common: the application, its loop, limits, counts.
//!
//! Knows which connections there are, so that they can be told to end, and so that those that are slow are found.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use corrente_http::Limits;
use corrente_loop::native::Shelters;
use corrente_loop::{Confined, now};
use pyo3::prelude::*;

use crate::application::Known;
use crate::asgi::channel::Channels;
use crate::asgi::headers::HeaderTable;
use crate::asgi::task::Starter;
use crate::connection::heads::Heads;
use crate::date::Date;
use crate::due::Due;
use crate::mount::Mounts;
use crate::operations::Operations;
use crate::wsgi::pool::Pool;
use crate::wsgi::remote::Inbox;

/// For how many connections one that comes looks whether they may rest.
const LOOKS_OF_NEW: usize = 4;

/// For how many of them the server looks when it looks after all. Each that rests takes some microseconds.
const LOOKS_OF_ALL: usize = 512;

/// What a connection does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repose {
    Awake,
    /// Nothing is kept of it but what wakes it.
    Resting,
}

/// A connection, whatever is spoken on it.
pub(crate) trait Client: Send + Sync {
    /// Ends it if its client has been waited for long enough.
    fn look(self: Arc<Self>, py: Python<'_>, now: f64) -> PyResult<()>;

    /// Ends it once what is answered is answered.
    fn drain(self: Arc<Self>, py: Python<'_>) -> PyResult<()>;

    /// Ends it at once.
    fn abort(&self, py: Python<'_>) -> PyResult<()>;

    /// Lets it rest, if it can and nothing was said on it for a while.
    fn rest(self: Arc<Self>, _py: Python<'_>, _now: f64) -> PyResult<Repose> {
        Ok(Repose::Awake)
    }
}

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// For a request's head, from its first byte, or from the connection's begin.
    pub(crate) head: Duration,
    /// Between two pieces of a body.
    pub(crate) body: Duration,
    /// For some of what is written to be read.
    pub(crate) write: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// Between two requests before a connection may rest.
    pub(crate) rest: Duration,
    /// Between two pings of a WebSocket that is silent; one that does not answer is gone.
    pub(crate) ping: Duration,
    /// For the answer to a close frame.
    pub(crate) close: Duration,
}

/// The server's own, for all connections.
pub(crate) struct Shared {
    pub(crate) mounts: Mounts,
    pub(crate) starter: Starter,
    /// Called with what went wrong: a message and an exception.
    pub(crate) report: Py<PyAny>,
    /// Called with the session of a connection: what ASGI's extension `tls` says of it.
    pub(crate) describe_tls: Option<Py<PyAny>>,
    /// The value of `server`; empty for no such field.
    pub(crate) server_name: String,
    pub(crate) limits: Limits,
    pub(crate) times: Times,
    /// Whether HTTP/2 is spoken too.
    pub(crate) protocols: Protocols,
    /// Requests at once; more are answered with 503.
    pub(crate) max_in_flight: usize,
    /// Connections that are awake at most, if others can rest; without it none does. asyncio's server knows nothing of those
    /// that rest, so that whoever relies on its `close_clients()` and `wait_closed()` must not have any.
    pub(crate) max_awake: Option<usize>,
    /// Where WSGI applications run, if not in the loop's thread.
    pub(crate) threads: Option<Threads>,
    pub(crate) operations: Py<Operations>,
    pub(crate) live: Live,
}

/// Threads for WSGI applications, and what they have said.
pub(crate) struct Threads {
    pub(crate) pool: Arc<Pool>,
    pub(crate) inbox: Arc<Inbox>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.pool.end();
    }
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocols {
    Http1,
    Both,
}

/// What changes while it serves.
pub(crate) struct Live {
    pub(crate) headers: HeaderTable,
    pub(crate) channels: Channels,
    pub(crate) writing: Confined<Writing>,
    pub(crate) counts: Counts,
    pub(crate) due: Due,
    pub(crate) is_draining: AtomicBool,
    has_refused: AtomicBool,
    connections: Confined<HashMap<u64, Weak<dyn Client>>>,
    /// Those that do not rest, first those that were not looked at for longest; and some that are gone.
    awake: Confined<VecDeque<u64>>,
    pub(crate) templates: Confined<Known>,
    /// What connections that rest have in common.
    pub(crate) shelters: Confined<Shelters>,
    next_number: AtomicU64,
    gate: Confined<Option<Gate>>,
}

/// What responses have in common.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    pub(crate) date: Date,
    /// Those of HTTP/1.
    pub(crate) heads: Heads,
}

/// How many connections there may be, and who is told.
pub(crate) struct Gate {
    pub(crate) most: usize,
    /// Called with whether there are as many.
    pub(crate) full: Py<PyAny>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            headers: HeaderTable::default(),
            channels: Channels::default(),
            writing: Confined::new(Writing::default()),
            counts: Counts::default(),
            due: Due::default(),
            is_draining: AtomicBool::new(false),
            has_refused: AtomicBool::new(false),
            connections: Confined::new(HashMap::new()),
            awake: Confined::new(VecDeque::new()),
            templates: Confined::new(Known::default()),
            shelters: Confined::new(Shelters::default()),
            next_number: AtomicU64::new(0),
            gate: Confined::new(None),
        }
    }
}

/// What has been counted: by the loop's thread alone, so that plain stores do; any thread may read it.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: AtomicU64,
    in_flight: AtomicUsize,
    resting: AtomicUsize,
}

impl Counts {
    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests that are being answered.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Connections that rest.
    pub(crate) fn resting(&self) -> usize {
        self.resting.load(Ordering::Relaxed)
    }

    /// A request begins.
    pub(crate) fn begun(&self) {
        self.requests.store(self.requests() + 1, Ordering::Relaxed);
        self.in_flight
            .store(self.in_flight() + 1, Ordering::Relaxed);
    }

    /// A request that was begun is over.
    pub(crate) fn over(&self) {
        let left = self.in_flight().saturating_sub(1);
        self.in_flight.store(left, Ordering::Relaxed);
    }

    /// A connection rests.
    pub(crate) fn slept(&self) {
        self.resting.store(self.resting() + 1, Ordering::Relaxed);
    }

    /// One that has rested was woken or closed.
    pub(crate) fn woken(&self) {
        let left = self.resting().saturating_sub(1);
        self.resting.store(left, Ordering::Relaxed);
    }
}

impl Shared {
    /// A number for a connection.
    pub(crate) fn number(&self) -> u64 {
        self.live.next_number.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn add(
        &self,
        py: Python<'_>,
        number: u64,
        connection: Weak<dyn Client>,
    ) -> PyResult<()> {
        let (before, count) = self.live.connections.with(py, |all| {
            let before = all.insert(number, connection);
            (before, all.len())
        })?;
        let is_new = before.is_none();
        drop(before);
        if self.max_awake.is_some() {
            self.live.awake.with(py, |awake| awake.push_back(number))?;
        }
        self.tell_gate(py, |most| (is_new && count >= most).then_some(true))?;
        self.let_rest(py, LOOKS_OF_NEW)
    }

    /// What is known of a connection is somewhere else from now on.
    pub(crate) fn replace(
        &self,
        py: Python<'_>,
        number: u64,
        connection: Weak<dyn Client>,
    ) -> PyResult<()> {
        let before = self
            .live
            .connections
            .with(py, |all| all.insert(number, connection))?;
        drop(before);
        Ok(())
    }

    /// Lets connections rest of which nothing was heard for a while, where many are awake.
    fn let_rest(&self, py: Python<'_>, looks: usize) -> PyResult<()> {
        let Some(most) = self.max_awake else {
            return Ok(());
        };
        let awake = &self.live.awake;
        for _ in 0..looks {
            let next = awake.with(py, |awake| {
                let is_many = awake.len() > most;
                is_many.then(|| awake.pop_front()).flatten()
            })?;
            let Some(number) = next else {
                return Ok(());
            };
            let client = self
                .live
                .connections
                .with(py, |all| all.get(&number).and_then(Weak::upgrade))?;
            // Gone since.
            let Some(client) = client else {
                continue;
            };
            if client.rest(py, now())? == Repose::Awake {
                awake.with(py, |awake| awake.push_back(number))?;
            }
        }
        Ok(())
    }

    /// Looks after all connections: ends those whose clients are too slow, and lets others rest.
    pub(crate) fn look(&self, py: Python<'_>) -> PyResult<()> {
        let now = now();
        let connections = self.connections(py)?;
        connections
            .into_iter()
            .try_for_each(|connection| connection.look(py, now))?;
        self.let_rest(py, LOOKS_OF_ALL)
    }

    pub(crate) fn remove(&self, py: Python<'_>, number: u64) -> PyResult<()> {
        let (before, count) = self.live.connections.with(py, |all| {
            let before = all.remove(&number);
            (before, all.len())
        })?;
        let was_there = before.is_some();
        drop(before);
        self.tell_gate(py, |most| (was_there && count + 1 == most).then_some(false))
    }

    /// Tells who accepts connections whether there are as many as there may be, where `says` has something to say.
    fn tell_gate(&self, py: Python<'_>, says: impl FnOnce(usize) -> Option<bool>) -> PyResult<()> {
        let told = self.live.gate.with(py, |gate| {
            let gate = gate.as_ref()?;
            Some((says(gate.most)?, gate.full.clone_ref(py)))
        })?;
        told.map_or(Ok(()), |(is_full, full)| {
            full.call1(py, (is_full,)).map(drop)
        })
    }

    /// Who is told when there are as many connections as there may be.
    pub(crate) fn set_gate(&self, py: Python<'_>, gate: Option<Gate>) -> PyResult<()> {
        let before = self
            .live
            .gate
            .with(py, |held| std::mem::replace(held, gate))?;
        drop(before);
        Ok(())
    }

    /// Those that are there now.
    pub(crate) fn connections(&self, py: Python<'_>) -> PyResult<Vec<Arc<dyn Client>>> {
        self.live
            .connections
            .with(py, |all| all.values().filter_map(Weak::upgrade).collect())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.live.is_draining.load(Ordering::Relaxed)
    }

    /// What surrounds requests.
    pub(crate) fn operations(&self) -> &Operations {
        self.operations.get()
    }

    /// Tells the server's log what would be said of each connection, and says it only once.
    pub(crate) fn report_once(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        if self.live.has_refused.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.report(py, text, None)
    }

    /// Tells the server's log.
    pub(crate) fn report(&self, py: Python<'_>, text: &str, error: Option<PyErr>) -> PyResult<()> {
        let error = error.map(|error| error.into_value(py));
        self.report.call1(py, (text, error)).map(drop)
    }
}
