//! TLS with the user's own `ssl.SSLContext`, between a stream and a protocol.
//!
//! Life cycle, handshake, shutdown, timeouts and their words are asyncio's own: `corrente._tls.TlsProtocol` is
//! asyncio's `SSLProtocol`, and what it does once for a connection stays there. What is done for each message is
//! here: a [`Session`] takes what the stream reads, decrypts it and gives it to the protocol, and encrypts what the
//! protocol writes, in whole records, when the callback that wrote it returns.
//!
//! Key invariant: the session's state is not borrowed while Python code or OpenSSL runs.

mod engine;
mod methods;
mod reading;
mod session;
mod writing;

use std::sync::Arc;

use corrente_driver::outgoing::Outgoing;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

pub(crate) use session::Session;
pub(crate) use writing::write_content as write;

use self::engine::Engine;
use super::stream::Delivery;
use crate::ffi::bytes::Chunk;
use crate::ffi::class::{Carried, Class};

static SECURED: Class<Secured> = Class::new();

/// What asyncio tells of an exception while it reads or writes.
const FAILED: &str = "Fatal error on SSL protocol";

/// Adds the classes to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let base = module
        .py()
        .import("asyncio.transports")?
        .getattr("_FlowControlMixin")?;
    let base = base.cast_into::<PyType>()?;
    let class = SECURED.create(&base, c"corrente._native.Secured", &methods::METHODS)?;
    module.add("Secured", class)?;
    module.add("Session", module.py().get_type::<Session>())
}

/// What the transport carries that a protocol writes to.
#[derive(Debug)]
pub(crate) struct Secured {
    session: Py<Session>,
}

impl Carried for Secured {
    fn class() -> &'static Class<Self> {
        &SECURED
    }

    fn referred(&self, show: &mut dyn FnMut(&Py<PyAny>)) {
        show(self.session.as_any());
    }
}

/// Whether an object is a transport of ours.
pub(crate) fn is_one(transport: &Bound<'_, PyAny>) -> bool {
    SECURED.get(transport).is_ok()
}

/// How far a session has come; asyncio's `SSLProtocolState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// Not begun, or over: nothing is encrypted or decrypted, and what is written is dropped.
    #[default]
    Closed,
    /// The handshake goes on: what is written waits.
    Handshake,
    Open,
    /// The end was begun: what was written goes, and nothing more is taken.
    Flushing,
}

impl Mode {
    /// From the name of asyncio's state.
    fn named(name: &str) -> Self {
        match name {
            "DO_HANDSHAKE" => Self::Handshake,
            "WRAPPED" => Self::Open,
            "FLUSHING" => Self::Flushing,
            _ => Self::Closed,
        }
    }
}

/// Two marks of a buffer's size, in bytes, and whether the upper one was reached and the lower one not yet.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    high: usize,
    low: usize,
    is_above: bool,
}

impl Marks {
    /// Whether somebody has to be told, at this size.
    fn are_crossed(&self, size: usize) -> bool {
        if self.is_above {
            size <= self.low
        } else {
            size >= self.high
        }
    }
}

/// What a session knows.
#[derive(Debug, Default)]
struct State {
    mode: Mode,
    engine: Option<Arc<Engine>>,
    /// Who is told what is rare: asyncio's `SSLProtocol`.
    machine: Option<Py<PyAny>>,
    /// The stream that the encrypted bytes go through.
    stream: Option<Py<PyAny>>,
    /// The user's protocol.
    protocol: Option<Py<PyAny>>,
    delivery: Delivery,
    is_reading_paused: bool,
    /// What is to be encrypted.
    queue: Outgoing<Chunk>,
    /// The loop will flush the session when the running callback returns.
    is_due: bool,
    writing: Marks,
    reading: Marks,
}

/// An exception of reading or writing ends the connection as asyncio ends it; what is no `Exception` goes on.
fn settle(py: Python<'_>, session: &Session, outcome: PyResult<()>) -> PyResult<()> {
    match outcome {
        Err(error) if error.is_instance_of::<PyException>(py) => {
            let arguments = (error.into_value(py), FAILED);
            session.tell(py, |machine| {
                machine.call_method1(intern!(py, "_fatal_error"), arguments)
            })
        }
        other => other,
    }
}
