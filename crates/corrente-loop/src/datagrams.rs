//! What a loop remembers of its datagrams: where they come from, and how many come at once.
//!
//! An address as Python has it is a tuple with a text, which costs as much as the datagram; peers send again, and
//! answers go back to them. Asking the kernel until it has no more costs a call that finds nothing, so it is asked
//! for as many as came the last times. Plain data; it asks nobody.

use std::net::SocketAddr;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Addresses that are remembered, by their ports: of 50 peers nearly all, in 100 KB.
const KEPT: usize = 512;
/// Datagrams of one socket in a turn: the others' turn comes after them.
const MOST: usize = 16;
/// Only after so many turns that brought all that was asked for, more is asked for.
const TURNS_BEFORE_MORE: u32 = 4;

/// Addresses, and a number of datagrams.
#[derive(Debug)]
pub(crate) struct Datagrams {
    known: Vec<Option<(SocketAddr, Py<PyTuple>)>>,
    at_once: usize,
    full_turns: u32,
}

impl Default for Datagrams {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            at_once: 1,
            full_turns: 0,
        }
    }
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

    /// How many datagrams to ask for in a turn.
    pub(crate) fn at_once(&self) -> usize {
        self.at_once
    }

    /// So many have come in a turn.
    pub(crate) fn came(&mut self, count: usize) {
        if count < self.at_once {
            self.at_once = count.max(1);
            self.full_turns = 0;
            return;
        }
        self.full_turns += 1;
        if self.full_turns == TURNS_BEFORE_MORE {
            self.at_once = (2 * self.at_once).min(MOST);
            self.full_turns = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_asked_for_where_more_comes_and_less_where_less() {
        let mut datagrams = Datagrams::default();
        assert_eq!(datagrams.at_once(), 1);
        for _ in 0..100 {
            datagrams.came(datagrams.at_once());
        }
        assert_eq!(datagrams.at_once(), MOST);
        datagrams.came(3);
        assert_eq!(datagrams.at_once(), 3);
        datagrams.came(0);
        assert_eq!(datagrams.at_once(), 1);
        for _ in 1..TURNS_BEFORE_MORE {
            datagrams.came(1);
        }
        assert_eq!(datagrams.at_once(), 1);
    }
}
