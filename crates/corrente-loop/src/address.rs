//! `getaddrinfo` of what needs no look-up: an address in numbers.
//!
//! Asyncio asks the C library in a thread, which takes a hundred times as long. What is answered here is
//! answered as glibc does (family, type, protocol, no canonical name); everything else (names, zones, a
//! wish for the canonical name, a combination that cannot be) is for the C library.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyList, PyString, PyTuple};

/// `AI_PASSIVE`, `AI_NUMERICHOST`, `AI_NUMERICSERV`: they change nothing for an address in numbers.
const HARMLESS: i32 = 0x0001 | 0x0004 | 0x0400;
const STREAM: (i32, i32) = (1, 6);
const DATAGRAM: (i32, i32) = (2, 17);
const RAW: (i32, i32) = (3, 0);
const INET: i32 = 2;
const INET6: i32 = 10;

/// What is asked for, 0 standing for any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hints {
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
    pub flags: i32,
}

/// The answer, or `None` where the C library has to be asked.
pub(crate) fn literal<'py>(
    host: &Bound<'py, PyAny>,
    port: &Bound<'py, PyAny>,
    hints: Hints,
) -> PyResult<Option<Bound<'py, PyList>>> {
    let (Some(address), Some(port)) = (parse(host)?, number(port)?) else {
        return Ok(None);
    };
    let family = if address.is_ipv4() { INET } else { INET6 };
    // To raw sockets alone no port belongs: the C library refuses it.
    let is_answerable = hints.flags & !HARMLESS == 0
        && (hints.family == 0 || hints.family == family)
        && hints.kind != RAW.0;
    let kinds = kinds(hints);
    if !is_answerable || kinds.is_empty() {
        return Ok(None);
    }
    let py = host.py();
    let socket_address = of_socket(py, SocketAddr::new(address, port))?;
    let family = member(py, &FAMILIES, "AddressFamily", family)?;
    let entries = kinds.iter().map(|(kind, protocol)| {
        let kind = member(py, &KINDS, "SocketKind", *kind)?;
        (&family, kind, *protocol, "", &socket_address).into_pyobject(py)
    });
    PyList::new(py, entries.collect::<PyResult<Vec<_>>>()?).map(Some)
}

static FAMILIES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static KINDS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A number as the member of `socket`'s enumeration that the C library's answers are turned into.
fn member<'py>(
    py: Python<'py>,
    known: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
    number: i32,
) -> PyResult<Bound<'py, PyAny>> {
    let members = known.get_or_try_init(py, || {
        let enumeration = py.import("socket")?.getattr(name)?;
        Ok::<_, PyErr>(enumeration.getattr("_value2member_map_")?.unbind())
    })?;
    members.bind(py).get_item(number)
}

/// The kinds of socket that fit, with their protocols.
fn kinds(hints: Hints) -> Vec<(i32, i32)> {
    let fits = |(kind, protocol): &(i32, i32)| {
        (hints.kind == 0 || hints.kind == *kind)
            && (hints.protocol == 0 || hints.protocol == *protocol)
    };
    [STREAM, DATAGRAM, RAW].into_iter().filter(fits).collect()
}

fn parse(host: &Bound<'_, PyAny>) -> PyResult<Option<IpAddr>> {
    if let Ok(text) = host.cast::<PyString>() {
        return Ok(text.to_str()?.parse().ok());
    }
    if let Ok(bytes) = host.cast::<PyBytes>() {
        let text = std::str::from_utf8(bytes.as_bytes()).ok();
        return Ok(text.and_then(|text| text.parse().ok()));
    }
    Ok(None)
}

fn number(port: &Bound<'_, PyAny>) -> PyResult<Option<u16>> {
    if port.is_none() {
        return Ok(Some(0));
    }
    if let Ok(text) = port.cast::<PyString>() {
        return Ok(text.to_str()?.parse().ok());
    }
    // Some versions refuse a truth value, some take it: it is theirs.
    Ok(port
        .extract()
        .ok()
        .filter(|_| !port.is_instance_of::<PyBool>()))
}

/// The socket address that a tuple in numbers stands for; `None` for whatever else Python's sockets
/// would take or refuse.
pub(crate) fn in_numbers(address: &Bound<'_, PyTuple>) -> Option<SocketAddr> {
    let host = address.get_borrowed_item(0).ok()?;
    let ip: IpAddr = host.cast::<PyString>().ok()?.to_str().ok()?.parse().ok()?;
    let port: u16 = address.get_borrowed_item(1).ok()?.extract().ok()?;
    let number = |place: usize| match address.get_borrowed_item(place) {
        Ok(number) => number.extract::<u32>().ok(),
        Err(_) => Some(0),
    };
    match (ip, address.len()) {
        (IpAddr::V4(ip), 2) => Some((ip, port).into()),
        (IpAddr::V6(ip), 2..=4) => Some(SocketAddrV6::new(ip, port, number(2)?, number(3)?).into()),
        _ => None,
    }
}

/// An address as the C library writes it: one of the old kind that holds an address of IPv4, with its dots.
fn written(address: IpAddr) -> String {
    match address {
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0, high, _] if high > 0 => {
                let [.., a, b, c, d] = address.octets();
                format!("::{a}.{b}.{c}.{d}")
            }
            _ => address.to_string(),
        },
        IpAddr::V4(address) => address.to_string(),
    }
}

/// An address as Python's sockets have it.
pub(crate) fn of_socket(py: Python<'_>, address: SocketAddr) -> PyResult<Bound<'_, PyTuple>> {
    let text = written(address.ip());
    match address {
        SocketAddr::V4(address) => (text, address.port()).into_pyobject(py),
        SocketAddr::V6(address) => {
            (text, address.port(), address.flowinfo(), address.scope_id()).into_pyobject(py)
        }
    }
}
