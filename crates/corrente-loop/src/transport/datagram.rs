//! The socket of a datagram transport: what comes is handed to the protocol, and datagrams are sent.
//!
//! The transport is asyncio's own (`corrente._transports.DatagramTransport`), whose `sendto` is the one here, so that
//! sending needs no frame of Python's. Whatever is not sent at once (other kinds of data, names for addresses, what stands
//! behind something that waits) goes to asyncio's own. Key invariant: nothing overtakes what waits in the transport's buffer.

use std::net::SocketAddr;

use corrente_driver::Descriptor;
use corrente_driver::socket::{self, Moved};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple, PyType};

use crate::address;
use crate::datagrams::Datagrams;
use crate::error::os_error;
use crate::event_loop::Loop;
use crate::ffi::confined::Confined;
use crate::ffi::method::{Arguments, Method};
use crate::memory;

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

/// Of transports.
static TRANSPORT: [Method; 2] = [
    Method::quick(
        c"sendto",
        c"sendto($self, data, addr=None)\n--\n\nSends a datagram.",
        sendto,
    ),
    Method::END,
];

static METHODS: [Method; 2] = [
    Method::quick(
        c"read",
        c"read($self, transport, /)\n--\n\nHands what has come to the transport's protocol.",
        read,
    ),
    Method::END,
];

/// `AF_INET6`.
const INET6: i32 = 10;

/// Adds the class to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<DatagramSocket>();
    Method::attach(&METHODS, &class)?;
    module.add("DatagramSocket", class)
}

/// Whom a socket sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receivers {
    /// The one that it is connected to.
    One,
    /// Whoever has an address of this family.
    V4,
    V6,
}

/// A datagram socket of the internet's.
#[pyclass(frozen, name = "DatagramSocket", module = "corrente._native")]
#[derive(Debug)]
pub(crate) struct DatagramSocket {
    event_loop: Py<Loop>,
    descriptor: Descriptor,
    receivers: Receivers,
    /// What waits to be sent: the transport's own.
    buffer: Py<PyAny>,
}

#[pymethods]
impl DatagramSocket {
    /// Of a transport that is open.
    #[new]
    fn new(
        event_loop: Py<Loop>,
        transport: &Bound<'_, PyAny>,
        family: i32,
        peer: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let number: i32 = transport.getattr("_sock_fd")?.extract()?;
        let invalid = || PyValueError::new_err(format!("Invalid file descriptor: {number}"));
        Ok(Self {
            event_loop,
            descriptor: Descriptor::new(number).ok_or_else(invalid)?,
            receivers: match family {
                _ if !peer.is_none() => Receivers::One,
                INET6 => Receivers::V6,
                _ => Receivers::V4,
            },
            buffer: transport.getattr("_buffer")?.unbind(),
        })
    }

    /// Gives a class of transports, which have such a socket as `_native` while they are open, its `sendto`.
    #[staticmethod]
    #[pyo3(signature = (transports, /))]
    fn equip(transports: &Bound<'_, PyType>) -> PyResult<()> {
        Method::attach(&TRANSPORT, transports)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.buffer)
    }
}

/// What became of a datagram.
enum Sent {
    /// It was sent, or the kernel has refused it for good.
    Done(std::io::Result<()>),
    /// It is for asyncio.
    Left,
}

/// `sendto` of a transport.
fn sendto<'py>(transport: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let data = arguments.required("sendto", 0, "data")?;
    let [named] = arguments.named("sendto", &["data"], [intern!(py, "addr")])?;
    if arguments.len() > 2 {
        let count = arguments.len() + 1;
        let text =
            format!("sendto() takes from 2 to 3 positional arguments but {count} were given");
        return Err(PyTypeError::new_err(text));
    }
    let address = arguments.get(1).or(named);
    let address = address.filter(|address| !address.is_none());
    let open = transport.getattr(intern!(py, "_native"))?;
    let sent = match open.cast::<DatagramSocket>() {
        Ok(socket) => socket.get().send(py, &data, address.as_deref())?,
        Err(_) => Sent::Left,
    };
    match sent {
        Sent::Done(Ok(())) => Ok(py.None().into_bound(py)),
        Sent::Done(Err(error)) => {
            let protocol = transport.getattr(intern!(py, "_protocol"))?;
            let error = os_error(&error).into_value(py);
            protocol.call_method1(intern!(py, "error_received"), (error,))?;
            Ok(py.None().into_bound(py))
        }
        Sent::Left => transport.call_method1(intern!(py, "_sendto"), (data, address)),
    }
}

impl DatagramSocket {
    fn send(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        address: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Sent> {
        let Ok(data) = data.cast::<PyBytes>() else {
            return Ok(Sent::Left);
        };
        // Whether an empty one is a datagram depends on the version of asyncio.
        if data.as_bytes().is_empty() || self.buffer.bind(py).len()? > 0 {
            return Ok(Sent::Left);
        }
        let to = match (self.receivers, address) {
            (Receivers::One, None) => None,
            (Receivers::V4 | Receivers::V6, Some(address)) => {
                match self.in_numbers(py, address)? {
                    Some(to) => Some(to),
                    None => return Ok(Sent::Left),
                }
            }
            (Receivers::One, Some(_)) | (Receivers::V4 | Receivers::V6, None) => {
                return Ok(Sent::Left);
            }
        };
        Ok(
            match socket::send_datagram(self.descriptor, data.as_bytes(), to) {
                Ok(Moved::Bytes(_)) => Sent::Done(Ok(())),
                Ok(Moved::Later) => Sent::Left,
                Err(error) => Sent::Done(Err(error)),
            },
        )
    }

    /// The address that a tuple stands for, if it needs no look-up and is of the socket's family.
    fn in_numbers(
        &self,
        py: Python<'_>,
        address: &Bound<'_, PyAny>,
    ) -> PyResult<Option<SocketAddr>> {
        let Ok(tuple) = address.cast::<PyTuple>() else {
            return Ok(None);
        };
        let datagrams = &self.event_loop.get().datagrams;
        let known = datagrams.with(py, |datagrams| datagrams.find(tuple))?;
        let found = known.or_else(|| address::in_numbers(tuple));
        Ok(found.filter(|found| found.is_ipv6() == (self.receivers == Receivers::V6)))
    }
}

fn read<'py>(receiver: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = arguments.py();
    let this = receiver.cast::<DatagramSocket>()?.get();
    let datagrams = &this.event_loop.get().datagrams;
    let transport = arguments.required("read", 0, "transport")?;
    let mut came = 0;
    for _ in 0..datagrams.with(py, |datagrams| datagrams.burst.at_once())? {
        // The protocol may have closed it; who closes it before the first one cancels this.
        if came > 0 && transport.getattr(intern!(py, "_conn_lost"))?.is_truthy()? {
            break;
        }
        let protocol = transport.getattr(intern!(py, "_protocol"))?;
        match memory::receive(py, this.descriptor) {
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
    datagrams.with(py, |datagrams| datagrams.burst.came(came))?;
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
