//! `corrente._native.BoundSockets`: sockets on addresses, opened as `corrente serve` opens them.
//!
//! Translation only: addresses as texts, sockets as numbers, refusals as `OSError` with the system's number.
//! What there is to know of addresses is in `corrente_operations::listen`.

use std::sync::{Mutex, PoisonError};

use corrente_operations::listen::{self, Address, Listener, Systemd};
use corrente_operations::settings::{Sockets, Switch};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// Of a Unix socket's file, as the command's default: whoever owns it, and its group.
const UNIX_PERMISSIONS: u32 = 0o660;

/// Sockets that are bound; the files of Unix sockets go when they are closed.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct BoundSockets {
    listeners: Mutex<Vec<Listener>>,
}

#[pymethods]
impl BoundSockets {
    /// Binds all of them, or none: `ValueError` for what is no address, `OSError` for one that cannot be had.
    /// Whoever serves listens, when there is somebody to answer.
    #[new]
    fn new(py: Python<'_>, addresses: Vec<String>) -> PyResult<Self> {
        let addresses: PyResult<Vec<Address>> = addresses.iter().map(|text| read(text)).collect();
        let sockets = Sockets {
            addresses: addresses?,
            asked: Switch::On,
            backlog: None,
            unix_permissions: UNIX_PERMISSIONS,
            reuse_port: Switch::Off,
        };
        // A name may have to be looked up.
        let opened = py.detach(|| listen::open(&sockets, &Systemd::default()));
        let listeners = opened.map_err(|error| {
            let text = error.to_string();
            match error.code() {
                Some(code) => PyOSError::new_err((code, text)),
                None => PyOSError::new_err(text),
            }
        })?;
        Ok(Self {
            listeners: Mutex::new(listeners),
        })
    }

    /// Their numbers, which stay this object's.
    fn numbers(&self) -> Vec<i32> {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.iter().map(Listener::number).collect()
    }

    /// Closes them.
    fn close(&self) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.clear();
    }
}

fn read(text: &str) -> PyResult<Address> {
    Address::read(text).ok_or_else(|| {
        let what = format!("expected HOST:PORT or unix:PATH, found '{text}'");
        PyValueError::new_err(what)
    })
}
