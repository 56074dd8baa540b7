//! Connections that rest: nothing is kept of them but their descriptors, until something comes.
//!
//! A transport, its protocol and what both hold are kilobytes, in dozens of objects. Of a connection on which nothing is said
//! for a while its protocol may keep a few bytes instead; the loop goes on watching the descriptor, and whoever remembers the
//! connection makes a protocol for it anew when the kernel tells of something. To asyncio it is another transport of the same
//! socket.
//!
//! Must not know why connections rest. Key invariant: a descriptor that rests is watched by the loop until it is woken or closed,
//! and nobody else has it.

use std::collections::VecDeque;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use corrente_driver::Descriptor;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::{Family, NativeProtocol, Transport};
use crate::event_loop::Loop;
use crate::ffi::context::within;
use crate::ffi::descriptor::given_up;
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
    shelter: Py<Shelter>,
    peer: Peer,
    descriptor: OwnedFd,
}

/// What those have in common that one of asyncio's servers has accepted.
#[pyclass(frozen, module = "corrente._native")]
#[derive(Debug)]
pub struct Shelter {
    event_loop: Py<Loop>,
    server: Py<PyAny>,
    /// The one that the first of them was read in, and that all are read in again (PEP 567): each had a copy of its own of
    /// the server's.
    context: Option<Py<PyAny>>,
}

#[pymethods]
impl Shelter {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.server)?;
        visit.call(&self.context)
    }
}

/// Servers whose connections have a shelter in common at most; one that listens on several addresses has as many.
const SHELTERS_MOST: usize = 16;

/// The shelters of a protocol's connections.
#[derive(Debug, Default)]
pub struct Shelters(VecDeque<Py<Shelter>>);

impl Shelters {
    /// The one of a server.
    fn of(
        &mut self,
        py: Python<'_>,
        event_loop: &Py<Loop>,
        server: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Py<Shelter>> {
        let is_it = |one: &&Py<Shelter>| {
            let one = one.get();
            one.server.is(&server) && one.event_loop.is(event_loop)
        };
        if let Some(found) = self.0.iter().find(is_it) {
            return Ok(found.clone_ref(py));
        }
        let made = Py::new(
            py,
            Shelter {
                event_loop: event_loop.clone_ref(py),
                server,
                context,
            },
        )?;
        if self.0.len() == SHELTERS_MOST {
            self.0.pop_front();
        }
        self.0.push_back(made.clone_ref(py));
        Ok(made)
    }

    /// Shows the collector what Python objects it refers to.
    pub fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        self.0.iter().for_each(|shelter| show(shelter.as_any()));
    }
}

/// The address of a peer, in half of what it takes where it may be of either family.
#[derive(Debug)]
enum Peer {
    V4(SocketAddrV4),
    V6(Box<SocketAddrV6>),
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(address),
            SocketAddr::V6(address) => Self::V6(Box::new(address)),
        }
    }
}

impl Peer {
    fn address(&self) -> SocketAddr {
        match self {
            Self::V4(address) => (*address).into(),
            Self::V6(address) => (**address).into(),
        }
    }
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
        shelters: &mut Shelters,
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
        let (descriptor, server) = given_up(transport)?;
        let number = descriptor.as_raw_fd();
        let shelter = shelters.of(py, &event_loop, server, idle.context)?;
        let remembered = remember(Rested {
            shelter,
            peer: idle.peer.into(),
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
        let shelter = self.shelter.bind(py).get();
        let (peer, event_loop) = (self.peer.address(), shelter.event_loop.bind(py));
        let number = self.descriptor.as_raw_fd();
        let accepting = &event_loop.get().accepting;
        accepting.with(py, |accepting| accepting.peers.push((number, peer)))?;
        // `_wake` has it from here on, whatever it raises.
        let number = self.descriptor.into_raw_fd();
        let arguments = (number, protocol, &shelter.server);
        let wake = || event_loop.call_method1(intern!(py, "_wake"), arguments);
        match &shelter.context {
            Some(context) => within(context.bind(py), wake).map(drop),
            None => wake().map(drop),
        }
    }

    /// Ends the connection.
    ///
    /// # Errors
    ///
    /// `RuntimeError` where another thread uses the loop.
    pub fn close(self, py: Python<'_>) -> PyResult<()> {
        if let Some(descriptor) = Descriptor::new(self.descriptor.as_raw_fd()) {
            let event_loop = self.shelter.get().event_loop.get();
            let before = event_loop.watch(py, descriptor, Side::Read, None)?;
            drop(before);
        }
        Ok(())
    }

    /// Shows the collector what Python objects it refers to.
    pub fn show(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        show(self.shelter.as_any());
    }
}
