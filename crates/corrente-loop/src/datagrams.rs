//! What a loop remembers of its datagrams: where they come from, and how many come at once.
//!
//! An address as Python has it is a tuple with a text, which costs half as much as to read the datagram; peers send
//! again, and answers go back to them. Plain data; it asks nobody.

use std::net::SocketAddr;

use corrente_driver::burst::Burst;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Addresses that are remembered, by their ports: of 50 peers nearly all, in 100 KB.
const KEPT: usize = 512;

/// Addresses, and how many datagrams come at once.
#[derive(Debug, Default)]
pub(crate) struct Datagrams {
    known: Vec<Option<(SocketAddr, Py<PyTuple>)>>,
    pub burst: Burst,
}

fn place(port: u16) -> usize {
    usize::from(port) % KEPT
}

impl Datagrams {
    /// An address as Python had it before.
    pub(crate) fn known(&self, py: Python<'_>, address: SocketAddr) -> Option<Py<PyTuple>> {
        let (known, tuple) = self.known.get(place(address.port()))?.as_ref()?;
        (*known == address).then(|| tuple.clone_ref(py))
    }

    /// Remembers an address as Python has it; gives back the one that is forgotten for it.
    pub(crate) fn remember(
        &mut self,
        address: SocketAddr,
        tuple: Py<PyTuple>,
    ) -> Option<(SocketAddr, Py<PyTuple>)> {
        if self.known.is_empty() {
            self.known.resize_with(KEPT, || None);
        }
        self.known[place(address.port())].replace((address, tuple))
    }

    /// What a tuple stands for that is one of those remembered: the very same.
    pub(crate) fn find(&self, tuple: &Bound<'_, PyTuple>) -> Option<SocketAddr> {
        let port = tuple.get_borrowed_item(1).ok()?.extract().ok()?;
        let (address, known) = self.known.get(place(port))?.as_ref()?;
        known.is(tuple).then_some(*address)
    }
}
