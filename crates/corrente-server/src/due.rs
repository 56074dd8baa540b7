//! Requests that have come while others were about to go on: these go on first.
//!
//! A request's first step runs at once where nothing else waits. Where callbacks wait, it would overtake them: who waits for
//! a connection to a database, and was given one just now, would find it taken by a request that came later, and have to
//! wait behind all others once more (`asyncio.Queue.get`). What is begun is to be ended before more is begun. Key invariant:
//! nobody waits for more than some turns of the loop, however busy it is.

use std::collections::VecDeque;
use std::sync::Arc;

use corrente_loop::Confined;
use corrente_loop::native::owes_callbacks;
use pyo3::prelude::*;

use crate::application::{Beginning, Handler};
use crate::calling::Carrier;
use crate::shared::Shared;

/// Turns for which requests wait at most: one gives back what another one takes in the next.
const TURNS_MOST: u32 = 4;

/// Requests whose applications are called soon.
pub(crate) struct Due(Confined<State>);

impl Default for Due {
    fn default() -> Self {
        Self(Confined::new(State::default()))
    }
}

#[derive(Default)]
struct State {
    requests: VecDeque<(Arc<dyn Carrier>, Beginning)>,
    /// A callback is on its way that begins them.
    is_called: bool,
    /// For how many turns it has waited.
    turns: u32,
}

impl Due {
    /// Has a request wait where others go first; gives it back where it is its turn.
    pub(crate) fn admit(
        &self,
        py: Python<'_>,
        carrier: &Arc<dyn Carrier>,
        beginning: Beginning,
    ) -> PyResult<Option<Beginning>> {
        let shared = carrier.shared();
        let is_asgi = matches!(beginning.handler, Handler::Asgi(_) | Handler::Socket(_));
        if !is_asgi || !owes_callbacks(shared.starter.event_loop().bind(py))? {
            return Ok(Some(beginning));
        }
        let is_called = self.0.with(py, |state| {
            state.requests.push_back((Arc::clone(carrier), beginning));
            std::mem::replace(&mut state.is_called, true)
        })?;
        if !is_called {
            call_soon(py, shared)?;
        }
        Ok(None)
    }

    /// Whether they wait for one more turn.
    fn go_on_waiting(&self, py: Python<'_>, shared: &Shared) -> PyResult<bool> {
        let owes = owes_callbacks(shared.starter.event_loop().bind(py))?;
        self.0.with(py, |state| {
            state.turns += 1;
            owes && state.turns < TURNS_MOST
        })
    }

    /// The next one; nothing when all are begun.
    fn next(&self, py: Python<'_>) -> PyResult<Option<(Arc<dyn Carrier>, Beginning)>> {
        self.0.with(py, |state| {
            let next = state.requests.pop_front();
            if next.is_none() {
                state.is_called = false;
                state.turns = 0;
            }
            next
        })
    }

    /// Nobody is called any more.
    pub(crate) fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let dropped = self
            .0
            .with(py, |state| std::mem::take(&mut state.requests))?;
        drop(dropped);
        Ok(())
    }
}

fn call_soon(py: Python<'_>, shared: &Arc<Shared>) -> PyResult<()> {
    let beginnings = Bound::new(py, Beginnings(Arc::clone(shared)))?;
    shared.starter.call_soon(beginnings.into_any())
}

/// A loop's callback: requests that waited begin.
#[pyclass(frozen, module = "corrente._native")]
struct Beginnings(Arc<Shared>);

#[pymethods]
impl Beginnings {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let due = &self.0.live.due;
        if due.go_on_waiting(py, &self.0)? {
            return call_soon(py, &self.0);
        }
        while let Some((carrier, beginning)) = due.next(py)? {
            // Its client may have gone meanwhile.
            if !carrier.awaits(py, beginning.handler.object())? {
                continue;
            }
            if let Err(error) = carrier.begin(py, beginning) {
                // The others are not to suffer from it.
                call_soon(py, &self.0)?;
                return Err(error);
            }
        }
        Ok(())
    }
}
