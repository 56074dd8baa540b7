//! What a loop has to do: the ready queue, the timers, the watched descriptors; and what is next.
//!
//! Knows no driver and calls nothing. Key invariant: what is ready runs in the order in which it
//! became ready, and what becomes ready while a turn runs waits for the next one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use corrente_driver::timers::Timers;
use corrente_driver::{Driver, Readiness};
use pyo3::prelude::*;

use crate::ffi::handle;
use crate::native::Rest;
use crate::operation::Operation;
use crate::watched::{Change, Side, Target, Watched};

/// While there is always something ready, descriptors are asked for at least this often.
const POLL_EVERY: f64 = 50e-6;

/// Something to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Call it.
    Handle(Py<PyAny>),
    /// Let a stream read or write.
    Stream(Py<PyAny>, Side),
    /// Tell a stream's protocol of it, and let it read.
    Begin(Py<PyAny>),
    /// Go on with it.
    Operation(Py<Operation>),
    /// Wake it.
    Rest(Py<Rest>),
}

/// The loop's own state, for the thread that runs it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What watches and waits; gone once the loop is closed.
    pub driver: Option<Arc<dyn Driver>>,
    pub ready: VecDeque<Job>,
    pub timers: Timers<Py<PyAny>>,
    pub watched: Watched,
    /// Streams that the running callback wrote to.
    pub written: VecDeque<Py<PyAny>>,
    /// When descriptors were last asked for, in seconds.
    last_poll: f64,
}

/// What to do about descriptors at the begin of a turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Poll {
    /// There is enough to do, and they were asked for just now.
    Skip,
    /// Ask, and go on at once.
    Look,
    /// Wait, this long at most; without a limit for ever.
    Wait(Option<Duration>),
}

impl State {
    pub(crate) fn new(driver: Arc<dyn Driver>) -> Self {
        Self {
            driver: Some(driver),
            ..Self::default()
        }
    }

    /// What to do first; timers that were cancelled leave and are given back.
    pub(crate) fn plan(&mut self, now: f64, is_stopping: bool) -> (Poll, Vec<Py<PyAny>>) {
        if is_stopping || !self.ready.is_empty() {
            let is_recent = (0.0..POLL_EVERY).contains(&(now - self.last_poll));
            let poll = if is_recent && !is_stopping {
                Poll::Skip
            } else {
                Poll::Look
            };
            return (poll, Vec::new());
        }
        let (first, gone) = self.timers.first(handle::is_cancelled);
        let poll = match first {
            None => Poll::Wait(None),
            Some(when) if when <= now => Poll::Look,
            Some(when) => Poll::Wait(Some(until(when - now))),
        };
        (poll, gone)
    }

    /// How much is ready, where that may run without a question: descriptors were asked for just now, and no timer
    /// is due.
    #[inline]
    pub(crate) fn at_once(&self, now: f64) -> Option<usize> {
        let is_recent = (0.0..POLL_EVERY).contains(&(now - self.last_poll));
        let is_due = self.timers.earliest().is_some_and(|when| when <= now);
        (is_recent && !is_due && !self.ready.is_empty()).then_some(self.ready.len())
    }

    /// What other threads have sent is ready.
    #[inline]
    pub(crate) fn receive(&mut self, sent: Vec<Py<PyAny>>) {
        // Mostly nothing: to extend a queue by it would be a call all the same.
        if !sent.is_empty() {
            self.ready.extend(sent.into_iter().map(Job::Handle));
        }
    }

    /// The loop starts to run: its first turn asks for descriptors, whatever is ready.
    pub(crate) fn forget_poll(&mut self) {
        self.last_poll = f64::NEG_INFINITY;
    }

    /// Descriptors were asked for; what they are watched for becomes ready. Gives back what the driver must know.
    pub(crate) fn polled(&mut self, py: Python<'_>, now: f64, events: &[Readiness]) -> Vec<Change> {
        self.last_poll = now;
        let mut changes = Vec::new();
        for event in events {
            let Some((entry, change)) = self.watched.reported(*event) else {
                continue;
            };
            changes.extend(change);
            let sides = [
                (event.interest.reads(), Side::Read),
                (event.interest.writes(), Side::Write),
            ];
            for (_, side) in sides.into_iter().filter(|(is_ready, _)| *is_ready) {
                self.ready
                    .extend(entry.target(side).map(|target| match target {
                        Target::Handle(handle) => Job::Handle(handle.clone_ref(py)),
                        Target::Stream(stream) => Job::Stream(stream.clone_ref(py), side),
                        Target::Operation(operation) => Job::Operation(operation.clone_ref(py)),
                        Target::Rest(rest) => Job::Rest(rest.clone_ref(py)),
                    }));
            }
        }
        changes
    }

    /// Timers whose time has come become ready; the cancelled among them are given back, and how late the
    /// first of the others is.
    pub(crate) fn ripen(&mut self, py: Python<'_>, now: f64) -> (Vec<Py<PyAny>>, Option<f64>) {
        let mut gone = Vec::new();
        let mut lag = None;
        let ready = &mut self.ready;
        self.timers.due(now, |when, timer| {
            if handle::is_cancelled(&timer) {
                gone.push(timer);
            } else {
                lag.get_or_insert(now - when);
                handle::unschedule(py, &timer);
                ready.push_back(Job::Handle(timer));
            }
        });
        self.timers.left(gone.len());
        (gone, lag)
    }

    /// Everything that it holds; it is empty afterwards.
    pub(crate) fn clear(&mut self) -> Vec<Target> {
        let ready = std::mem::take(&mut self.ready).into_iter();
        let ready = ready.map(|job| match job {
            Job::Handle(handle) => Target::Handle(handle),
            Job::Stream(stream, _) | Job::Begin(stream) => Target::Stream(stream),
            Job::Operation(operation) => Target::Operation(operation),
            Job::Rest(rest) => Target::Rest(rest),
        });
        let timers = self.timers.clear().into_iter().map(Target::Handle);
        let watched = self.watched.clear();
        let written = std::mem::take(&mut self.written).into_iter();
        let written = written.map(Target::Stream);
        ready.chain(timers).chain(watched).chain(written).collect()
    }

    /// Shows everything that it holds: handles, and other objects.
    pub(crate) fn show<E>(
        &self,
        mut handle: impl FnMut(&Py<PyAny>) -> Result<(), E>,
        mut object: impl FnMut(&Py<PyAny>) -> Result<(), E>,
    ) -> Result<(), E> {
        for job in &self.ready {
            match job {
                Job::Handle(one) => handle(one)?,
                Job::Stream(one, _) | Job::Begin(one) => object(one)?,
                Job::Operation(one) => object(one.as_any())?,
                Job::Rest(one) => object(one.as_any())?,
            }
        }
        for target in self.watched.targets() {
            match target {
                Target::Handle(one) => handle(one)?,
                Target::Stream(one) => object(one)?,
                Target::Operation(one) => object(one.as_any())?,
                Target::Rest(one) => object(one.as_any())?,
            }
        }
        self.written.iter().try_for_each(object)?;
        self.timers.iter().try_for_each(handle)
    }
}

/// Not a nanosecond less than so many seconds.
fn until(seconds: f64) -> Duration {
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    whole.saturating_add(Duration::from_nanos(1))
}
