//! Connections that rest: nothing is kept of them but their descriptors, until something comes.
//!
//! A transport, its protocol and what both hold are kilobytes, in dozens of objects. Of a connection on which nothing is said
//! for a while its protocol may keep a few bytes instead; the loop goes on watching the descriptor, and whoever remembers the
//! connection makes a protocol for it anew when the kernel tells of something. To asyncio it is another transport of the same
//! socket.
//!
//! Must not know why connections rest. Key invariant: a descriptor that rests is watched by the loop until it is woken or closed,
//! and nobody else has it.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use corrente_driver::Descriptor;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::{Family, NativeProtocol, Transport};
use crate::event_loop::Loop;
use crate::ffi::context::within;
use crate::ffi::descriptor::detached;
use crate::transport::stream;
use crate::watched::{Side, Target};

/// Whoever remembers a connection that rests.
pub trait Resting: Send + Sync + 'static {
    /// Something has come, or the peer has gone: [`Rested::wake`] is to be called, or [`Rested::close`].
    ///
    /// # Errors
    ///
    /// What is raised is for the loop's exception handler.
    fn woken(self: Arc<Self>, py: Python<'_>) -> PyResult<()>;

    /// Shows the collector what Python objects it refers to.
    fn show(&self, show: &mut dyn FnMut(&Py<PyAny>));
}

/// What the loop has of a connection that rests.
#[pyclass(frozen, module = "corrente._native")]
pub struct Rest(Arc<dyn Resting>);

impl std::fmt::Debug for Rest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Rest")
    }
}

impl Rest {
    pub(crate) fn wake(&self, py: Python<'_>) -> PyResult<()> {
        Arc::clone(&self.0).woken(py)
    }
}

#[pymethods]
impl Rest {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let mut outcome = Ok(());
        // What is shown must be its only owner's; else it is in use just now.
        if Arc::strong_count(&self.0) == 1 {
            self.0.show(&mut |object| {
                if outcome.is_ok() {
                    outcome = visit.call(object);
                }
            });
        }
        outcome
    }
}

/// A connection without a transport.
#[derive(Debug)]
pub struct Rested {
    event_loop: Py<Loop>,
    /// Asyncio's server that has accepted it.
    server: Py<PyAny>,
    peer: SocketAddr,
    /// The one that it was read in, and is again (PEP 567).
    context: Option<Py<PyAny>>,
    descriptor: OwnedFd,
}

impl Transport {
    /// Ends the transport, but not its connection: `connection_lost()` is not called. The connection is `remembered`'s now, who
    /// is told when something comes. `None`, and nothing is done, where something is going on, or where it is no stream of
    /// ours that was accepted on an internet address.
    ///
    /// # Errors
    ///
    /// Where the loop is closed.
    pub fn rest<R: Resting>(
        &self,
        py: Python<'_>,
        remember: impl FnOnce(Rested) -> Arc<R>,
    ) -> PyResult<Option<Arc<R>>> {
        let transport = self.object.bind(py);
        let found = match self.family {
            Family::Stream => stream::idle(transport)?,
            Family::Secured | Family::Foreign => None,
        };
        let Some(idle) = found else {
            return Ok(None);
        };
        let event_loop = idle.event_loop;
        let given_up = transport.call_method0(intern!(py, "_rest"))?;
        let (socket, server): (Bound<'_, PyAny>, Py<PyAny>) = given_up.extract()?;
        let descriptor = detached(&socket)?;
        let number = descriptor.as_raw_fd();
        let remembered = remember(Rested {
            event_loop: event_loop.clone_ref(py),
            server,
            peer: idle.peer,
            context: idle.context,
            descriptor,
        });
        let resting: Arc<dyn Resting> = Arc::<R>::clone(&remembered);
        let target = Target::Rest(Py::new(py, Rest(resting))?);
        if let Some(descriptor) = Descriptor::new(number) {
            // Watched as before: the kernel need not know.
            let before =
                event_loop
                    .bind(py)
                    .get()
                    .watch(py, descriptor, Side::Read, Some(target))?;
            drop(before);
        }
        Ok(Some(remembered))
    }
}

impl Rested {
    /// The connection goes on with a new transport and this protocol, whose `connection_made()` is called soon.
    ///
    /// # Errors
    ///
    /// What making the transport raises: the connection is closed then.
    pub fn wake(self, py: Python<'_>, protocol: NativeProtocol) -> PyResult<()> {
        let (peer, event_loop) = (self.peer, self.event_loop.bind(py));
        let number = self.descriptor.as_raw_fd();
        let peers = &event_loop.get().peers;
        peers.with(py, |peers| peers.push((number, peer)))?;
        // `_wake` has it from here on, whatever it raises.
        let number = self.descriptor.into_raw_fd();
        let arguments = (number, peer.is_ipv6(), protocol, self.server);
        let wake = || event_loop.call_method1(intern!(py, "_wake"), arguments);
        match &self.context {
            Some(context) => within(context.bind(py), wake).map(drop),
            None => wake().map(drop),
        }
    }

    /// Has one context stand for those of all that were accepted in one: each of them has a copy of its own, which is a fifth
    /// of a kibibyte with what keeps it in place.
    pub fn share_context(&mut self, py: Python<'_>, one: &mut Option<Py<PyAny>>) {
        match (one.as_ref(), self.context.is_some()) {
            (Some(one), true) => self.context = Some(one.clone_ref(py)),
            (None, true) => *one = self.context.as_ref().map(|own| own.clone_ref(py)),
            (_, false) => {}
        }
    }

    /// Ends the connection.
    ///
    /// # Errors
    ///
    /// `RuntimeError` where another thread uses the loop.
    pub fn close(self, py: Python<'_>) -> PyResult<()> {
        if let Some(descriptor) = Descriptor::new(self.descriptor.as_raw_fd()) {
            let event_loop = self.event_loop.bind(py).get();
            let before = event_loop.watch(py, descriptor, Side::Read, None)?;
            drop(before);
        }
        Ok(())
    }

    /// Shows the collector what Python objects it refers to.
    pub fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        show(self.event_loop.as_any());
        show(&self.server);
        if let Some(context) = &self.context {
            show(context);
        }
    }
}
