//! Listening sockets and datagrams: many system calls for one call from Python.
//!
//! What asyncio's own loop and transports ask of the kernel one Python call at a time. The methods are
//! the loop's; `_loop.py` and `_transports.py` call them where nothing else is asked for, and leave the
//! rest to asyncio. Errors are `OSError`, as the methods of Python's sockets raise them.

use std::net::SocketAddr;
use std::os::fd::IntoRawFd;

use corrente_driver::Descriptor;
use corrente_driver::socket::{self, Moved};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyList, PyTuple};

use crate::address;
use crate::datagrams::Datagrams;
use crate::error::os_error;
use crate::event_loop::Loop;
use crate::ffi::confined::Confined;
use crate::ffi::method::{Arguments, Method};
use crate::memory;

pub(crate) static METHODS: [Method; 4] = [
    Method::new(
        c"_accept",
        c"_accept($self, fd, limit, is_tcp, /)\n--\n\nDescriptors of connections that wait.",
        accept,
    ),
    Method::new(
        c"_read_datagrams",
        c"_read_datagrams($self, transport, fd, /)\n--\n\nHands what has come to a transport's protocol.",
        read_datagrams,
    ),
    Method::new(
        c"_send_datagram",
        c"_send_datagram($self, fd, is_ipv6, data, address, /)\n--\n\nWhether it was sent; None where Python has to.",
        send_datagram,
    ),
    Method::END,
];

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

fn descriptor(arguments: &Arguments<'_, '_>, place: usize) -> PyResult<Descriptor> {
    let number: i32 = arguments.required("socket call", place, "fd")?.extract()?;
    Descriptor::new(number)
        .ok_or_else(|| PyValueError::new_err(format!("Invalid file descriptor: {number}")))
}

fn accept<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let peers = &receiver.cast::<Loop>()?.get().peers;
    let listening = descriptor(&arguments, 0)?;
    let limit: usize = arguments.required("_accept", 1, "limit")?.extract()?;
    let is_tcp: bool = arguments.required("_accept", 2, "is_tcp")?.extract()?;
    let accepted = PyList::empty(py);
    // Whoever is still there has got no transport.
    peers.with(py, Vec::clear)?;
    while accepted.len() < limit {
        let taken = match socket::accept(listening) {
            Err(error) if accepted.is_empty() => return Err(os_error(&error)),
            // An error now comes again; those that were had before are served first.
            taken => taken.ok().flatten(),
        };
        let Some((connection, peer)) = taken else {
            break;
        };
        if is_tcp {
            // A peer that has gone by now is seen by whoever reads.
            socket::set_no_delay(&connection).ok();
        }
        let number = connection.into_raw_fd();
        if let Some(peer) = peer {
            peers.with(py, |peers| peers.push((number, peer)))?;
        }
        accepted.append(number)?;
        if !socket::is_readable(listening) {
            break;
        }
    }
    Ok(accepted.into_any())
}

fn read_datagrams<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let datagrams = &receiver.cast::<Loop>()?.get().datagrams;
    let transport = arguments.required("_read_datagrams", 0, "transport")?;
    let descriptor = descriptor(&arguments, 1)?;
    let mut came = 0;
    for _ in 0..datagrams.with(py, |datagrams| datagrams.at_once())? {
        // The protocol may have closed it.
        if transport.getattr(intern!(py, "_conn_lost"))?.is_truthy()? {
            break;
        }
        let protocol = transport.getattr(intern!(py, "_protocol"))?;
        match memory::receive(py, descriptor) {
            Ok(Some((data, from))) => {
                came += 1;
                let from = from.map(|from| sender(py, datagrams, from)).transpose()?;
                protocol.call_method1(intern!(py, "datagram_received"), (data, from))?;
            }
            Ok(None) => break,
            Err(error) => {
                let error = os_error(&error).into_value(py);
                protocol.call_method1(intern!(py, "error_received"), (error,))?;
                break;
            }
        }
    }
    datagrams.with(py, |datagrams| datagrams.came(came))?;
    Ok(py.None().into_bound(py))
}

/// Where a datagram came from, as Python's sockets have it.
fn sender<'py>(
    py: Python<'py>,
    datagrams: &Confined<Datagrams>,
    from: SocketAddr,
) -> PyResult<Bound<'py, PyTuple>> {
    if let Some(known) = datagrams.with(py, |datagrams| datagrams.known(py, from))? {
        return Ok(known.into_bound(py));
    }
    let made = address::of_socket(py, from)?;
    let kept = made.clone().unbind();
    let forgotten = datagrams.with(py, |datagrams| datagrams.remember(from, kept))?;
    drop(forgotten);
    Ok(made)
}

fn send_datagram<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let descriptor = descriptor(&arguments, 0)?;
    let is_ipv6: bool = arguments
        .required("_send_datagram", 1, "is_ipv6")?
        .extract()?;
    let data = arguments.required("_send_datagram", 2, "data")?;
    let address = arguments.required("_send_datagram", 3, "address")?;
    let python_has_to = || Ok(py.None().into_bound(py));
    let Ok(data) = data.cast::<PyBytes>() else {
        return python_has_to();
    };
    let to = if address.is_none() {
        None
    } else {
        let Ok(tuple) = address.cast::<PyTuple>() else {
            return python_has_to();
        };
        let datagrams = &receiver.cast::<Loop>()?.get().datagrams;
        let known = datagrams.with(py, |datagrams| datagrams.find(&tuple))?;
        match known
            .or_else(|| address::in_numbers(&tuple))
            .filter(|known| matches!(known, SocketAddr::V6(_)) == is_ipv6)
        {
            Some(known) => Some(known),
            None => return python_has_to(),
        }
    };
    let sent = socket::send_datagram(descriptor, data.as_bytes(), to);
    let is_sent = sent.map_err(|error| os_error(&error))? != Moved::Later;
    PyBool::new(py, is_sent).into_bound_py_any(py)
}
