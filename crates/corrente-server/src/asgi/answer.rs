//! What `receive()` and `send()` give back: something to await, which mostly is ready already.
//!
//! To Python it is a coroutine (`collections.abc.Coroutine`), so `create_task(receive())` works; unlike one made by
//! `async def` it needs no frame, and what is ready is given without an exception.

use corrente_loop::Confined;
use corrente_loop::quick::iterate_by;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::request::Request;
use super::socket::WebSocket;

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// The next message for `receive()`.
    Message,
    /// That the peer reads what was written.
    Room,
}

/// Who has what is waited for.
pub(crate) enum Asked {
    Request(Py<Request>),
    Socket(Py<WebSocket>),
}

impl Asked {
    fn poll(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Option<Py<PyAny>>> {
        match self {
            Self::Request(request) => request.get().poll(py, awaited),
            Self::Socket(socket) => socket.get().poll(py, awaited),
        }
    }

    fn wait_for(&self, py: Python<'_>, awaited: Awaited) -> PyResult<Py<PyAny>> {
        match self {
            Self::Request(request) => request.get().wait_for(py, awaited),
            Self::Socket(socket) => socket.get().wait_for(py, awaited),
        }
    }

    fn show(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Request(request) => visit.call(request),
            Self::Socket(socket) => visit.call(socket),
        }
    }
}

/// Prepares the class.
pub(crate) fn register(py: Python<'_>) {
    iterate_by(&py.get_type::<Answer>(), step_on);
}

/// What the interpreter calls for each step of an `await`.
fn step_on<'py>(answer: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = answer.py();
    let next = answer.cast_exact::<Answer>()?.get().advance(py)?;
    Ok(next.map(|next| next.into_bound(py)))
}

/// A coroutine in Rust.
#[pyclass(frozen, freelist = 64, name = "Answer", module = "corrente._native")]
pub(crate) struct Answer {
    state: Confined<State>,
}

enum State {
    /// Nothing, at once; any number of times.
    Done,
    /// Whatever the request says when it has it.
    Waits {
        asked: Asked,
        awaited: Awaited,
        /// The future that wakes it, as its awaiter iterates over it.
        future: Option<Py<PyAny>>,
    },
    Spent,
}

/// What a step of a coroutine found.
enum Step {
    Done,
    Wait(Asked, Awaited, Option<Py<PyAny>>),
}

impl Answer {
    /// The one that is done.
    pub(crate) fn done(py: Python<'_>) -> PyResult<Py<Self>> {
        static DONE: PyOnceLock<Py<Answer>> = PyOnceLock::new();
        let done = DONE.get_or_try_init(py, || Self::with(py, State::Done))?;
        Ok(done.clone_ref(py))
    }

    pub(crate) fn waits(py: Python<'_>, asked: Asked, awaited: Awaited) -> PyResult<Py<Self>> {
        let future = None;
        Self::with(
            py,
            State::Waits {
                asked,
                awaited,
                future,
            },
        )
    }

    fn with(py: Python<'_>, state: State) -> PyResult<Py<Self>> {
        Py::new(
            py,
            Self {
                state: Confined::new(state),
            },
        )
    }

    /// Goes on; `None` is the end without a value.
    fn advance(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let step = self.state.with(py, State::step)??;
        let (asked, awaited, future) = match step {
            Step::Done => return Ok(None),
            Step::Wait(asked, awaited, future) => (asked, awaited, future),
        };
        // The future has woken us, or is still to be waited for; its result says nothing.
        if let Some(future) = future
            && let Some(blocked) = next(future.bind(py))?
        {
            self.wait(py, asked, awaited, future)?;
            return Ok(Some(blocked.unbind()));
        }
        loop {
            let found = asked.poll(py, awaited)?;
            match found {
                Some(value) if value.is_none(py) => return Ok(None),
                Some(value) => return Err(PyStopIteration::new_err((value,))),
                None => {}
            }
            let future = asked.wait_for(py, awaited)?;
            let iterator = future.bind(py).call_method0(intern!(py, "__await__"))?;
            if let Some(blocked) = next(&iterator)? {
                self.wait(py, asked, awaited, iterator.unbind())?;
                return Ok(Some(blocked.unbind()));
            }
        }
    }

    fn wait(
        &self,
        py: Python<'_>,
        asked: Asked,
        awaited: Awaited,
        future: Py<PyAny>,
    ) -> PyResult<()> {
        let waits = State::Waits {
            asked,
            awaited,
            future: Some(future),
        };
        let before = self
            .state
            .with(py, |state| std::mem::replace(state, waits))?;
        drop(before);
        Ok(())
    }

    /// Gives up whatever it waits for.
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        let before = self.state.with(py, |state| match state {
            State::Done => State::Done,
            _ => std::mem::replace(state, State::Spent),
        })?;
        drop(before);
        Ok(())
    }
}

impl State {
    fn step(&mut self) -> PyResult<Step> {
        match std::mem::replace(self, Self::Spent) {
            Self::Done => {
                *self = Self::Done;
                Ok(Step::Done)
            }
            Self::Waits {
                asked,
                awaited,
                future,
            } => Ok(Step::Wait(asked, awaited, future)),
            Self::Spent => Err(PyRuntimeError::new_err(
                "cannot reuse already awaited coroutine",
            )),
        }
    }
}

/// The next thing that an iterator gives.
fn next<'py>(iterator: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = iterator.py();
    match iterator.call_method0(intern!(py, "__next__")) {
        Ok(blocked) => Ok(Some(blocked)),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

#[pymethods]
impl Answer {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.advance(py)
    }

    /// As a coroutine's; the value is ignored, for nothing here asks for one.
    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = value.py();
        self.advance(py)?
            .ok_or_else(|| PyStopIteration::new_err(()))
    }

    /// As a coroutine's: it ends with this exception.
    #[pyo3(signature = (error, value = None, traceback = None))]
    fn throw(
        &self,
        error: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = error.py();
        self.end(py)?;
        let thrown = match value.filter(|value| !value.is_none()) {
            Some(value) => value,
            None if error.is_instance_of::<pyo3::types::PyType>() => error.call0()?,
            None => error,
        };
        if let Some(traceback) = traceback {
            thrown.setattr(intern!(py, "__traceback__"), traceback)?;
        }
        Err(PyErr::from_value(thrown))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let shown = self.state.peek(|state| match state {
            State::Waits { asked, future, .. } => {
                asked.show(&visit)?;
                visit.call(&*future)
            }
            State::Done | State::Spent => Ok(()),
        });
        shown.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let before = self.state.peek(|state| match state {
            State::Done => State::Done,
            _ => std::mem::replace(state, State::Spent),
        });
        drop(before);
    }
}
