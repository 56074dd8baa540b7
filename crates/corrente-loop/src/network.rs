//! Listening sockets: all connections that wait, for one call from Python.
//!
//! What asyncio's own loop asks of the kernel one Python call at a time. The method is the loop's; `_loop.py` calls it
//! where nothing else is asked for, and leaves the rest to asyncio. Errors are `OSError`, as the methods of Python's
//! sockets raise them.

use std::net::SocketAddr;
use std::os::fd::{IntoRawFd, RawFd};

use corrente_driver::Descriptor;
use corrente_driver::burst::Burst;
use corrente_driver::socket;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::os_error;
use crate::event_loop::Loop;
use crate::ffi::method::{Arguments, Method};

pub(crate) static METHODS: [Method; 2] = [
    Method::new(
        c"_accept",
        c"_accept($self, fd, limit, /)\n--\n\nDescriptors of connections that wait.",
        accept,
    ),
    Method::END,
];

/// What a loop knows of connections that it accepts.
#[derive(Debug, Default)]
pub(crate) struct Accepting {
    /// The peers of those that have no transport yet, by their descriptors.
    pub peers: Vec<(RawFd, SocketAddr)>,
    /// How many come at once. Whoever has to wait is told of again by the kernel.
    pub burst: Burst,
}

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

fn descriptor(arguments: &Arguments<'_, '_>, place: usize) -> PyResult<Descriptor> {
    let number: i32 = arguments.required("socket call", place, "fd")?.extract()?;
    Descriptor::new(number)
        .ok_or_else(|| PyValueError::new_err(format!("Invalid file descriptor: {number}")))
}

fn accept<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let accepting = &receiver.cast::<Loop>()?.get().accepting;
    let listening = descriptor(&arguments, 0)?;
    let limit: usize = arguments.required("_accept", 1, "limit")?.extract()?;
    let accepted = PyList::empty(py);
    let most = accepting.with(py, |accepting| {
        // Whoever is still there has got no transport.
        accepting.peers.clear();
        accepting.burst.at_once().min(limit)
    })?;
    while accepted.len() < most {
        let taken = match socket::accept(listening) {
            Err(error) if accepted.is_empty() => return Err(os_error(&error)),
            // An error now comes again; those that were had before are served first.
            taken => taken.ok().flatten(),
        };
        let Some((connection, peer)) = taken else {
            break;
        };
        // A peer that has gone by now is seen by whoever reads.
        socket::set_no_delay(&connection).ok();
        let number = connection.into_raw_fd();
        if let Some(peer) = peer {
            accepting.with(py, |accepting| accepting.peers.push((number, peer)))?;
        }
        accepted.append(number)?;
        if accepted.len() < most && !socket::is_readable(listening) {
            break;
        }
    }
    let came = accepted.len();
    accepting.with(py, |accepting| accepting.burst.came(came))?;
    Ok(accepted.into_any())
}
