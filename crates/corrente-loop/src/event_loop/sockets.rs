//! Users' own sockets, which `sock_recv` and the like work on and `add_reader` takes: whose a descriptor is, which operation waits
//! for it, and whether there can be anything to read.
//!
//! What it knows is in `watched`; here it is asked and told for a socket object. Key invariant: nothing is taken for granted of a
//! descriptor but of the very socket object that was met there last.

use corrente_driver::{Descriptor, socket};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::Loop;
use crate::operation::Operation;
use crate::watched::{Side, Target, weakly};

impl Loop {
    /// Watches a socket for an operation.
    pub(crate) fn watch_for(
        &self,
        socket: &Bound<'_, PyAny>,
        operation: Py<Operation>,
    ) -> PyResult<Option<Target>> {
        let py = socket.py();
        let (descriptor, side) = operation.get().place();
        if self.meet(socket, descriptor)? && tells_all(socket, descriptor)? {
            self.state
                .with(py, |state| state.watched.trust(descriptor))?;
        }
        self.watch(py, descriptor, side, Some(Target::Operation(operation)))
    }

    /// A read of an operation took less than it could have.
    pub(crate) fn emptied(&self, py: Python<'_>, descriptor: Descriptor) -> PyResult<()> {
        self.state
            .with(py, |state| state.watched.emptied(descriptor))
    }

    /// Whether nothing has come since a read took all.
    pub(crate) fn is_empty(
        &self,
        socket: &Bound<'_, PyAny>,
        descriptor: Descriptor,
    ) -> PyResult<bool> {
        let py = socket.py();
        if !self
            .state
            .with(py, |state| state.watched.is_empty(descriptor))?
        {
            return Ok(false);
        }
        let reference = weakly(socket);
        self.state.with(py, |state| {
            state.watched.is_met(descriptor, reference.as_ref())
        })
    }

    /// The operation that waits for a descriptor, or for any, and that a test tells.
    pub(crate) fn operation(
        &self,
        py: Python<'_>,
        descriptor: Option<Descriptor>,
        is_sought: impl Fn(&Operation) -> bool,
    ) -> PyResult<Option<Py<Operation>>> {
        self.state.with(py, |state| {
            let found = |target: &Target| match target {
                Target::Operation(operation) if is_sought(operation.get()) => {
                    Some(operation.clone_ref(py))
                }
                Target::Operation(_) | Target::Handle(_) | Target::Stream(_) | Target::Rest(_) => {
                    None
                }
            };
            match descriptor {
                Some(descriptor) => {
                    let entry = state.watched.get(descriptor)?;
                    let mut sides = [Side::Read, Side::Write].into_iter();
                    sides.find_map(|side| found(entry.target(side)?))
                }
                None => state.watched.targets().find_map(found),
            }
        })
    }

    /// Whether one side of a descriptor is watched for this operation.
    pub(crate) fn has_operation(
        &self,
        py: Python<'_>,
        descriptor: Descriptor,
        side: Side,
        operation: &Py<Operation>,
    ) -> PyResult<bool> {
        self.state.with(py, |state| {
            let target = state
                .watched
                .get(descriptor)
                .and_then(|entry| entry.target(side));
            matches!(target, Some(Target::Operation(one)) if one.is(operation))
        })
    }

    /// Where a socket is watched that was closed meanwhile, found by itself as `selectors` does.
    pub(super) fn place_once(&self, socket: &Bound<'_, PyAny>) -> PyResult<Option<Descriptor>> {
        let Some(reference) = weakly(socket) else {
            return Ok(None);
        };
        self.state
            .with(socket.py(), |state| state.watched.met_as(Some(&reference)))
    }

    /// The next target of a descriptor is this socket's; whether the one before was another's.
    pub(super) fn meet(&self, socket: &Bound<'_, PyAny>, descriptor: Descriptor) -> PyResult<bool> {
        let mut before = weakly(socket);
        let is_new = self.state.with(socket.py(), |state| {
            state.watched.meet(descriptor, &mut before)
        })?;
        drop(before);
        Ok(is_new)
    }
}

/// Whether the kernel tells of each byte that comes on a socket, and a read that takes less than it could leaves none: that is so of
/// TCP connections, unless somebody wants to hear of several bytes at once (`SO_RCVLOWAT`, socket(7)).
fn tells_all(socket: &Bound<'_, PyAny>, descriptor: Descriptor) -> PyResult<bool> {
    static LEVEL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static LEAST: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !socket::is_tcp(descriptor) {
        return Ok(false);
    }
    let py = socket.py();
    let level = LEVEL.import(py, "socket", "SOL_SOCKET")?;
    let least = LEAST.import(py, "socket", "SO_RCVLOWAT")?;
    let least = socket.call_method1(intern!(py, "getsockopt"), (level, least))?;
    Ok(least.extract::<i32>()? == 1)
}
