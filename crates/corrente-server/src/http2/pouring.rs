//! A file as a response's body: read piece by piece, as the client's window and its connection take it.
//!
//! It never is in memory as a whole: what waits is bounded as that of other bodies is.

use std::io;

use corrente_http::http2::{self, Bytes, Ending};
use corrente_loop::native::FilePart;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::Stream;
use super::answering::QUEUED_MOST;
use crate::exchange::{Exchange as _, Last};
use crate::file;

/// What is read at once, in bytes: twice the largest frame of most clients (RFC 9113, section 6.5.2).
const PIECE: usize = 32 * 1024;

/// A file that is being sent.
#[derive(Debug)]
pub(super) struct Pouring {
    part: FilePart,
    /// Whether the stream ends with it.
    end: Last,
    /// Whether the response is complete with it.
    last: Last,
}

/// What is to be done next.
enum Step {
    /// There is no file.
    Rests,
    Piece(io::Result<Vec<u8>>, Ending),
    /// All of it has gone; and whether the response is complete with it.
    Gone(Last),
}

impl Stream {
    /// Sends a file, of at least one byte, behind what was sent already; `end` is whether the stream ends with it.
    pub(super) fn begin_pouring(&self, py: Python<'_>, part: FilePart, end: Last) -> PyResult<()> {
        self.with(py, |state| {
            let last = Last::No;
            state.pouring = Some(Pouring { part, end, last });
        })?;
        self.pour(py).map(drop)
    }

    /// Sends as much as there is room for; whether nothing is left.
    pub(super) fn pour(&self, py: Python<'_>) -> PyResult<bool> {
        if !self.is_pouring(py)? {
            return Ok(true);
        }
        while self.has_room(py)? {
            if !self.is_wanted(py)? {
                self.give_up(py)?;
                return Ok(false);
            }
            match self.with(py, super::StreamState::pour)? {
                Step::Rests => return Ok(true),
                Step::Piece(Ok(content), ending) => {
                    self.with(py, |state| {
                        if let Some(trace) = &mut state.trace {
                            trace.sent(content.len());
                        }
                    })?;
                    self.session.with(py, |state| {
                        state.connection.data(self.id, Bytes::from(content), ending);
                    })?;
                }
                Step::Piece(Err(error), _) => {
                    self.cut(py, &error)?;
                    return Ok(false);
                }
                Step::Gone(last) => {
                    if last == Last::Yes {
                        self.complete(py)?;
                    }
                    return Ok(true);
                }
            }
        }
        self.session.send_soon(py)?;
        Ok(false)
    }

    fn has_room(&self, py: Python<'_>) -> PyResult<bool> {
        self.session.with(py, |state| {
            !state.is_full && state.connection.queued_bytes(self.id) <= QUEUED_MOST
        })
    }

    /// Whether nothing is left, or there is somebody to have it.
    fn is_wanted(&self, py: Python<'_>) -> PyResult<bool> {
        let has_more = self.with(py, |state| {
            let pouring = state.pouring.as_ref();
            pouring.is_some_and(|pouring| pouring.part.left() > 0)
        })?;
        let is_open = |state: &mut super::State| state.connection.is_open(self.id);
        Ok(!has_more || self.session.with(py, is_open)?)
    }

    /// What is sent now would overtake the file.
    pub(super) fn refuse_while_pouring(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_pouring(py)? {
            return Err(PyRuntimeError::new_err(file::IN_THE_WAY));
        }
        Ok(())
    }

    pub(super) fn is_pouring(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |state| state.pouring.is_some())
    }

    /// The file is not what was promised: the client must not take what it has for the whole.
    fn cut(&self, py: Python<'_>, error: &io::Error) -> PyResult<()> {
        let error = file::raised(error, None);
        let shared = &self.session.shared;
        shared.report(py, "a file could not be sent", Some(error))?;
        self.give_up(py)?;
        self.reset(py, http2::INTERNAL_ERROR)
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

impl super::StreamState {
    fn pour(&mut self) -> Step {
        let Some(pouring) = &mut self.pouring else {
            return Step::Rests;
        };
        if pouring.part.left() > 0 {
            let read = pouring.part.read(PIECE);
            let is_end = pouring.part.left() == 0 && pouring.end == Last::Yes;
            let ending = if is_end { Ending::Last } else { Ending::More };
            return Step::Piece(read, ending);
        }
        let last = pouring.last;
        self.pouring = None;
        Step::Gone(last)
    }
}
