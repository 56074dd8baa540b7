//! From the thread of a WSGI application to the loop's: what it answers is posted, and waits until its client has room.
//!
//! The thread posts heads and pieces; the loop's thread delivers them to the request's [`Exchange`], which no other thread
//! touches. Key invariant: no lock is held while Python code runs or the GIL is waited for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;

use super::call::{Head, Progress};
use crate::exchange::{Content, Exchange, Last};
use crate::packed::Packed;

/// What an application may have posted and the loop not yet delivered, in bytes: then it waits.
const POSTED_MOST: usize = 64 * 1024;

/// Told where an application could not answer, and how far it had come.
pub(crate) type Failed = Box<dyn Fn(Python<'_>, PyErr, Progress) -> PyResult<()> + Send + Sync>;

/// One request's way back, from another thread.
pub(crate) struct Remote {
    inbox: Arc<Inbox>,
    failed: Failed,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Nothing once the response is complete or the client has gone.
    exchange: Option<Arc<dyn Exchange>>,
    progress: Progress,
    /// What is posted and not delivered, in bytes.
    posted: usize,
    /// The client reads too slowly for more.
    is_full: bool,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Remote")
    }
}

/// Something that an application said.
enum Post {
    Piece {
        remote: Arc<Remote>,
        head: Option<Head>,
        content: Content,
        last: Last,
    },
    Hint(Arc<Remote>, Packed),
    Failure(Arc<Remote>, PyErr),
}

impl Remote {
    pub(crate) fn new(inbox: &Arc<Inbox>, exchange: Arc<dyn Exchange>, failed: Failed) -> Self {
        Self {
            inbox: Arc::clone(inbox),
            failed,
            state: Mutex::new(State {
                exchange: Some(exchange),
                progress: Progress::Nothing,
                posted: 0,
                is_full: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Whether nobody is there any more whom it could be told.
    pub(super) fn is_gone(&self) -> bool {
        self.lock().exchange.is_none()
    }

    /// The application's thread: posts a piece of the answer.
    pub(super) fn send(
        self: &Arc<Self>,
        py: Python<'_>,
        content: Content,
        head: Option<Head>,
        last: Last,
    ) -> PyResult<()> {
        self.lock().posted += content.memory(py);
        let post = Post::Piece {
            remote: Arc::clone(self),
            head,
            content,
            last,
        };
        self.inbox.post(py, post)
    }

    /// The application's thread: posts an early hint.
    pub(super) fn hint(self: &Arc<Self>, py: Python<'_>, fields: Packed) -> PyResult<()> {
        self.inbox.post(py, Post::Hint(Arc::clone(self), fields))
    }

    /// The application's thread: could not answer.
    pub(super) fn fail(self: &Arc<Self>, py: Python<'_>, error: PyErr) -> PyResult<()> {
        self.inbox.post(py, Post::Failure(Arc::clone(self), error))
    }

    /// The application's thread: waits until there is room for more; whether anybody is there to have it.
    pub(super) fn wait_for_room(&self, py: Python<'_>) -> bool {
        let may_go_on = |state: &State| {
            let has_room = !state.is_full && state.posted <= POSTED_MOST;
            has_room || state.exchange.is_none()
        };
        {
            let state = self.lock();
            if may_go_on(&state) {
                return state.exchange.is_some();
            }
        }
        py.detach(|| {
            let state = self.lock();
            let state = self.changed.wait_while(state, |state| !may_go_on(state));
            state
                .unwrap_or_else(PoisonError::into_inner)
                .exchange
                .is_some()
        })
    }

    /// The loop's thread: there is room again.
    pub(crate) fn room(&self) {
        self.lock().is_full = false;
        self.changed.notify_all();
    }

    /// The loop's thread: the client has gone, or the server gives up.
    pub(crate) fn gone(&self) {
        let exchange = self.lock().exchange.take();
        self.changed.notify_all();
        drop(exchange);
    }

    fn deliver(
        &self,
        py: Python<'_>,
        head: Option<Head>,
        content: Content,
        last: Last,
    ) -> PyResult<()> {
        let exchange = {
            let mut state = self.lock();
            state.posted = state.posted.saturating_sub(content.memory(py));
            state.exchange.clone()
        };
        let Some(exchange) = exchange else {
            return Ok(());
        };
        if let Some(head) = head {
            exchange.packed_head(py, head.status, head.fields)?;
            self.lock().progress = Progress::Started;
        }
        if content.send(py, &*exchange, last)? == Last::Yes {
            self.lock().progress = Progress::Complete;
            self.gone();
            return exchange.complete(py);
        }
        let is_full = exchange.is_full(py);
        self.lock().is_full = is_full;
        self.changed.notify_all();
        Ok(())
    }

    fn deliver_hint(&self, py: Python<'_>, fields: &Packed) -> PyResult<()> {
        let exchange = self.lock().exchange.clone();
        exchange.map_or(Ok(()), |exchange| exchange.hint(py, fields))
    }

    /// What it posted could not be sent, or it raised an exception.
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        let (progress, exchange) = {
            let mut state = self.lock();
            (state.progress, state.exchange.take())
        };
        self.changed.notify_all();
        // Where the client has gone there is nobody whom it could be told but the log.
        let progress = exchange.map_or(Progress::Complete, |_| progress);
        (self.failed)(py, error, progress)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the threads of a server have posted.
pub(crate) struct Inbox {
    event_loop: Py<PyAny>,
    posts: Mutex<Vec<Post>>,
}

impl Inbox {
    pub(crate) fn new(event_loop: Py<PyAny>) -> Self {
        Self {
            event_loop,
            posts: Mutex::default(),
        }
    }

    /// Any thread: has the loop deliver it. Where the loop is closed, nobody is there to have it.
    fn post(self: &Arc<Self>, py: Python<'_>, post: Post) -> PyResult<()> {
        let is_first = {
            let mut posts = self.lock();
            posts.push(post);
            posts.len() == 1
        };
        if !is_first {
            return Ok(());
        }
        let name = intern!(py, "call_soon_threadsafe");
        let delivery = Delivery(Arc::clone(self));
        if let Err(error) = self.event_loop.call_method1(py, name, (delivery,)) {
            drop(self.take());
            let is_closed = self.event_loop.call_method0(py, intern!(py, "is_closed"))?;
            return if is_closed.is_truthy(py)? {
                Ok(())
            } else {
                Err(error)
            };
        }
        Ok(())
    }

    fn take(&self) -> Vec<Post> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Post>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop's callback: something was posted.
#[pyclass(frozen, module = "corrente._native")]
struct Delivery(Arc<Inbox>);

#[pymethods]
impl Delivery {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let mut outcome = Ok(());
        for post in self.0.take() {
            let delivered = match post {
                Post::Piece {
                    remote,
                    head,
                    content,
                    last,
                } => {
                    let sent = remote.deliver(py, head, content, last);
                    sent.or_else(|error| remote.failed(py, error))
                }
                Post::Hint(remote, fields) => {
                    let sent = remote.deliver_hint(py, &fields);
                    sent.or_else(|error| remote.failed(py, error))
                }
                Post::Failure(remote, error) => remote.failed(py, error),
            };
            outcome = outcome.and(delivered);
        }
        outcome
    }
}
