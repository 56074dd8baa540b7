//! A file as a response's body: sent as there is room, and never in memory as a whole.
//!
//! The transport sends it where it can (`sendfile(2)`), else pieces of it are read. The response is complete when the
//! transport has taken all of it and likes more: so a client that reads nothing holds up its own requests, and has no more
//! than one file open. Key invariant: while a file is being sent, nothing else is written.

use std::io;

use corrente_loop::native::{FilePart, Transport};
use pyo3::prelude::*;

use super::{Connection, State};
use crate::exchange::{Exchange as _, Last};
use crate::file;

/// What the transport is given at once of a file that it sends itself, in bytes: nothing of it is copied.
const PART: u64 = 1024 * 1024;

/// What is read at once of another, in bytes.
const PIECE: u64 = 64 * 1024;

/// A file that is being sent.
#[derive(Debug)]
pub(super) struct Pouring {
    /// What goes before it.
    head: Vec<u8>,
    part: FilePart,
    /// Whether the response is complete with it.
    last: Last,
}

impl Pouring {
    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        usize::try_from(self.part.left()).unwrap_or(usize::MAX)
    }
}

/// What is to be done next.
enum Step {
    /// There is no file, or no room.
    Rests,
    /// What goes before a part of it, and the part.
    Part(Vec<u8>, FilePart),
    /// All of it has gone; and whether the response is complete with it.
    Gone(Last),
}

impl State {
    fn pour(&mut self, transport: &Transport) -> Step {
        let Some(pouring) = self.pouring.as_mut().filter(|_| !self.is_full) else {
            return Step::Rests;
        };
        if pouring.part.left() > 0 {
            let most = if transport.sends_files() { PART } else { PIECE };
            let head = std::mem::take(&mut pouring.head);
            return Step::Part(head, pouring.part.split(most));
        }
        let last = pouring.last;
        self.pouring = None;
        self.output.release();
        Step::Gone(last)
    }
}

impl Connection {
    /// Sends a file, behind what is written already.
    pub(super) fn begin_pouring(&self, py: Python<'_>, part: FilePart) -> PyResult<()> {
        self.with(py, |state| {
            let head = state.output.take();
            let last = Last::No;
            state.pouring = Some(Box::new(Pouring { head, part, last }));
            state.output.hold();
        })?;
        self.pour(py)
    }

    /// Sends as much as there is room for.
    pub(super) fn pour(&self, py: Python<'_>) -> PyResult<()> {
        while let Some(transport) = self.transport(py)? {
            // One that is lost is told of soon.
            if transport.is_closing(py)? {
                return Ok(());
            }
            match self.with(py, |state| state.pour(&transport))? {
                Step::Rests => return Ok(()),
                Step::Part(head, part) => {
                    self.give(py, &head, part, &transport)?;
                    self.with(py, |state| state.output.give_back(head))?;
                }
                Step::Gone(last) => {
                    self.write_out(py)?;
                    return match last {
                        Last::Yes => self.complete(py),
                        Last::No => Ok(()),
                    };
                }
            }
        }
        Ok(())
    }

    fn give(
        &self,
        py: Python<'_>,
        head: &[u8],
        part: FilePart,
        transport: &Transport,
    ) -> PyResult<()> {
        let length = usize::try_from(part.left()).unwrap_or(usize::MAX);
        if let Some(mut part) = transport.write_file(py, head, part)? {
            match part.read(length) {
                Ok(content) => transport.write(py, &content)?,
                Err(error) => return self.cut(py, &error),
            }
        }
        self.traced(py, |trace| trace.sent(length))
    }

    /// The file is not what was promised: the client must not take what it has for the whole.
    fn cut(&self, py: Python<'_>, error: &io::Error) -> PyResult<()> {
        let error = file::raised(error, None);
        self.shared
            .report(py, "a file could not be sent", Some(error))?;
        self.abort(py)
    }

    pub(super) fn is_pouring(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |state| state.pouring.is_some())
    }

    /// Has the response be complete when the file that is being sent has gone; whether there is one.
    pub(super) fn completes_later(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |state| {
            let pouring = state.pouring.as_mut();
            pouring.is_some_and(|pouring| {
                pouring.last = Last::Yes;
                true
            })
        })
    }
}
