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
use crate::error::os_error;
use crate::ffi::method::{Arguments, Method};
use crate::memory;

pub(crate) static METHODS: [Method; 4] = [
    Method::new(
        c"_accept",
        c"_accept($self, fd, limit, is_tcp, /)\n--\n\nDescriptors and addresses of connections that wait.",
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

/// Datagrams of one socket in a turn: the others' turn comes after them.
const DATAGRAMS_AT_ONCE: usize = 16;

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

fn descriptor(arguments: &Arguments<'_, '_>, place: usize) -> PyResult<Descriptor> {
    let number: i32 = arguments.required("socket call", place, "fd")?.extract()?;
    Descriptor::new(number)
        .ok_or_else(|| PyValueError::new_err(format!("Invalid file descriptor: {number}")))
}

/// Connections that have come meanwhile are kept, should one not be had: its error comes again.
fn accept<'py>(_: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let listening = descriptor(&arguments, 0)?;
    let limit: usize = arguments.required("_accept", 1, "limit")?.extract()?;
    let is_tcp: bool = arguments.required("_accept", 2, "is_tcp")?.extract()?;
    let accepted = PyList::empty(py);
    while accepted.len() < limit {
        let (connection, peer) = match socket::accept(listening) {
            Ok(Some(taken)) => taken,
            Ok(None) => break,
            Err(error) if accepted.is_empty() => return Err(os_error(&error)),
            Err(_) => break,
        };
        if is_tcp {
            // A peer that has gone by now is seen by whoever reads.
            socket::set_no_delay(&connection).ok();
        }
        let peer = peer.map(|peer| address::of_socket(py, peer)).transpose()?;
        accepted.append((connection.into_raw_fd(), peer))?;
        if !socket::is_readable(listening) {
            break;
        }
    }
    Ok(accepted.into_any())
}

fn read_datagrams<'py>(_: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let transport = arguments.required("_read_datagrams", 0, "transport")?;
    let descriptor = descriptor(&arguments, 1)?;
    for _ in 0..DATAGRAMS_AT_ONCE {
        // The protocol may have closed it.
        if transport.getattr(intern!(py, "_conn_lost"))?.is_truthy()? {
            break;
        }
        let protocol = transport.getattr(intern!(py, "_protocol"))?;
        match memory::receive(py, descriptor) {
            Ok(Some((data, from))) => {
                let from = from.map(|from| address::of_socket(py, from)).transpose()?;
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
    Ok(py.None().into_bound(py))
}

fn send_datagram<'py>(_: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let descriptor = descriptor(&arguments, 0)?;
    let is_ipv6: bool = arguments.required("_send_datagram", 1, "is_ipv6")?.extract()?;
    let data = arguments.required("_send_datagram", 2, "data")?;
    let address = arguments.required("_send_datagram", 3, "address")?;
    let python_has_to = || Ok(py.None().into_bound(py));
    let Ok(data) = data.cast::<PyBytes>() else {
        return python_has_to();
    };
    let to = if address.is_none() {
        None
    } else {
        let address = address.cast::<PyTuple>().ok();
        let known = address.and_then(|address| address::in_numbers(&address));
        match known.filter(|known| matches!(known, SocketAddr::V6(_)) == is_ipv6) {
            Some(known) => Some(known),
            None => return python_has_to(),
        }
    };
    let sent = socket::send_datagram(descriptor, data.as_bytes(), to);
    let is_sent = sent.map_err(|error| os_error(&error))? != Moved::Later;
    PyBool::new(py, is_sent).into_bound_py_any(py)
}
