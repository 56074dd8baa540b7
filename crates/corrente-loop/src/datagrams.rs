//! What a loop remembers of its datagrams: where they come from, and how many come at once.
//!
//! An address as Python has it is a tuple with a text, which costs half as much as to read the datagram; peers send
//! again, and answers go back to them. Plain data; it asks nobody.

use std::net::SocketAddr;

use corrente_driver::burst::Burst;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Addresses that are remembered: these pairs, by their ports. Of 50 peers all but one, mostly, in 100 KB.
const PAIRS: usize = 256;

/// An address, and as Python has it.
type Known = (SocketAddr, Py<PyTuple>);

/// Addresses, and how many datagrams come at once.
#[derive(Debug, Default)]
pub(crate) struct Datagrams {
    /// The newer one of each pair first.
    pairs: Vec<[Option<Known>; 2]>,
    pub burst: Burst,
}

fn place(port: u16) -> usize {
    usize::from(port) % PAIRS
}

impl Datagrams {
    fn pair(&self, port: u16) -> impl Iterator<Item = &Known> {
        let pair = self.pairs.get(place(port));
        pair.into_iter().flatten().flatten()
    }

    /// An address as Python had it before.
    pub(crate) fn known(&self, py: Python<'_>, address: SocketAddr) -> Option<Py<PyTuple>> {
        let mut pair = self.pair(address.port());
        let (_, tuple) = pair.find(|(known, _)| *known == address)?;
        Some(tuple.clone_ref(py))
    }

    /// Remembers an address as Python has it; gives back the one that is forgotten for it.
    pub(crate) fn remember(&mut self, address: SocketAddr, tuple: Py<PyTuple>) -> Option<Known> {
        if self.pairs.is_empty() {
            self.pairs.resize_with(PAIRS, Default::default);
        }
        let pair = &mut self.pairs[place(address.port())];
        pair.swap(0, 1);
        pair[0].replace((address, tuple))
    }

    /// What a tuple stands for that is one of those remembered: the very same.
    pub(crate) fn find(&self, tuple: &Bound<'_, PyTuple>) -> Option<SocketAddr> {
        let port = tuple.get_borrowed_item(1).ok()?.extract().ok()?;
        let (address, _) = self.pair(port).find(|(_, known)| known.is(tuple))?;
        Some(*address)
    }
}
