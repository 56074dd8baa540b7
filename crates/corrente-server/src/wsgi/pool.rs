//! The threads that WSGI applications run in, where they do not run in the loop's own.
//!
//! Each is a `threading.Thread` that lives as long as its server, so what applications keep for a thread (connections to
//! databases) stays. They are started when they are needed. Must not know connections: what an application answers goes
//! through its [`Remote`]. Key invariant: no lock is held while Python code runs or the GIL is waited for.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::call::Call;
use super::remote::Remote;

/// Threads, and what they have to do.
#[derive(Debug)]
pub(crate) struct Pool {
    most_threads: usize,
    /// Requests that wait for a thread at most; more are refused.
    most_queued: usize,
    inner: Mutex<Inner>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    jobs: VecDeque<Job>,
    idle: usize,
    /// Jobs that threads are at.
    running: usize,
    started: usize,
    is_ended: bool,
}

/// One call of an application.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) application: Py<PyAny>,
    pub(crate) call: Py<Call>,
    pub(crate) remote: Arc<Remote>,
}

/// Whether a job was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// As many wait as may.
    No,
}

impl Pool {
    pub(crate) fn new(most_threads: usize, most_queued: usize) -> Self {
        Self {
            most_threads,
            most_queued,
            inner: Mutex::default(),
            filled: Condvar::new(),
        }
    }

    /// Has a thread do it.
    pub(crate) fn submit(self: &Arc<Self>, py: Python<'_>, job: Job) -> PyResult<Taken> {
        let (refused, number) = {
            let mut inner = self.lock();
            // A thread that has been woken or started for a job has yet to take it.
            let places = self.most_threads + self.most_queued;
            let is_full = inner.running + inner.jobs.len() >= places;
            if inner.is_ended || is_full {
                (Some(job), None)
            } else {
                inner.jobs.push_back(job);
                let is_short = inner.idle < inner.jobs.len() && inner.started < self.most_threads;
                inner.started += usize::from(is_short);
                (None, is_short.then_some(inner.started))
            }
        };
        if refused.is_some() {
            return Ok(Taken::No);
        }
        self.filled.notify_one();
        if let Some(number) = number {
            self.start(py, number)?;
        }
        Ok(Taken::Yes)
    }

    fn start(self: &Arc<Self>, py: Python<'_>, number: usize) -> PyResult<()> {
        let options = PyDict::new(py);
        options.set_item("target", Worker(Arc::clone(self)))?;
        options.set_item("name", format!("corrente-wsgi-{number}"))?;
        // One that never returns must not keep the process from ending.
        options.set_item("daemon", true)?;
        let class = py.import("threading")?.getattr("Thread")?;
        let started = class
            .call((), Some(&options))?
            .call_method0(intern!(py, "start"));
        if let Err(error) = started {
            let is_only = {
                let mut inner = self.lock();
                inner.started -= 1;
                inner.started == 0
            };
            // Those that there are will come to it.
            return if is_only { Err(error) } else { Ok(()) };
        }
        Ok(())
    }

    /// Has the threads end when they have nothing to do.
    pub(crate) fn end(&self) {
        self.lock().is_ended = true;
        self.filled.notify_all();
    }

    /// The next job; nothing at the end.
    fn next(&self) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if let Some(job) = inner.jobs.pop_front() {
                inner.running += 1;
                return Some(job);
            }
            if inner.is_ended {
                return None;
            }
            inner.idle += 1;
            inner = self
                .filled
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
            inner.idle -= 1;
        }
    }

    /// A thread has done its job.
    fn has_run(&self) {
        self.lock().running -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn run(self, py: Python<'_>) -> PyResult<()> {
        let call = self.call.bind(py);
        if self.remote.is_gone() {
            return call.get().close_input(py);
        }
        let answered = Call::start(call, self.application.bind(py));
        let closed = call.get().close_input(py);
        match answered.map(drop).and(closed) {
            Ok(()) => Ok(()),
            Err(error) => self.remote.fail(py, error),
        }
    }
}

/// What a thread does.
#[pyclass(frozen, module = "corrente._native")]
struct Worker(Arc<Pool>);

#[pymethods]
impl Worker {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        while let Some(job) = py.detach(|| self.0.next()) {
            let ran = job.run(py);
            self.0.has_run();
            ran?;
        }
        Ok(())
    }
}
