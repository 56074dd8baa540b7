//! From the application's answer to frames.
//!
//! The stream as an [`Exchange`]: the order in which the application may send is checked by ASGI's and WSGI's side.

use corrente_http::h1::{Length, ResponseError, ResponseHead};
use corrente_http::http2::http::Response;
use corrente_http::http2::{self, Bytes, Ending, Reply};
use corrente_loop::native::FilePart;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Stream, Waiting};
use crate::exchange::{Exchange, Last};
use crate::field::{Field, borrowed, fields};
use crate::operations::Dates;
use crate::packed::Packed;
use crate::talk::Carriage as _;

/// What waits for the client's window before the application has to, in bytes.
pub(super) const QUEUED_MOST: usize = 64 * 1024;

/// A head, or why there is none.
type Opened = Result<Response<()>, ResponseError>;

impl Stream {
    /// Makes the head of the response.
    pub(super) fn open(
        &self,
        py: Python<'_>,
        status: u16,
        fields: &[(&[u8], &[u8])],
        length: Length,
    ) -> PyResult<Opened> {
        let shared = &self.session.shared;
        shared.live.writing.with(py, |writing| {
            let head = ResponseHead {
                status,
                date: match shared.operations().dates {
                    Dates::Said => writing.date.now(),
                    Dates::Left => b"",
                },
                server: shared.server_name.as_bytes(),
                length,
            };
            self.with(py, |state| state.reply.head(head, fields.iter().copied()))
        })?
    }

    /// Makes the head that waits for its body, if there is one.
    fn open_waiting(&self, py: Python<'_>, length: Length) -> PyResult<Option<Response<()>>> {
        let waiting = self.with(py, |state| {
            let length = if state.has_trailers {
                Length::Unknown
            } else {
                length
            };
            state.head.take().map(|waiting| (waiting, length))
        })?;
        let Some((Waiting { status, fields }, length)) = waiting else {
            return Ok(None);
        };
        let opened = self.open(py, status, &borrowed(py, &fields), length)?;
        self.checked(py, opened).map(Some)
    }

    /// Counts a part of the body; whether it is to be sent, and whether the stream ends with it.
    fn count(
        &self,
        py: Python<'_>,
        length: u64,
        last: Last,
    ) -> PyResult<Result<(bool, bool), ResponseError>> {
        self.with(py, |state| {
            let is_sent = state.reply.data(length)?;
            if last == Last::Yes {
                state.reply.finish()?;
            }
            // Without a body the head is all, whatever the application still gives.
            let is_over = state.reply.has_no_body() && !state.has_trailers;
            Ok((is_sent, is_over || last == Last::Yes))
        })
    }

    /// Gives a part of the response to its connection; the error is that of the body's length.
    pub(super) fn send(
        &self,
        py: Python<'_>,
        head: Option<Response<()>>,
        content: &[u8],
        last: Last,
    ) -> PyResult<Result<(), ResponseError>> {
        let (is_sent, is_last) = match self.count(py, content.len() as u64, last)? {
            Ok(counted) => counted,
            Err(error) => return Ok(Err(error)),
        };
        self.with(py, |state| {
            if let Some(trace) = &mut state.trace {
                trace.sent(content.len());
            }
        })?;
        let content = if is_sent { content } else { b"" };
        let ending = |is_last: bool| if is_last { Ending::Last } else { Ending::More };
        self.session.with(py, |state| {
            let connection = &mut state.connection;
            let mut is_ended = false;
            if let Some(head) = head {
                is_ended = is_last && content.is_empty();
                // A stream that is gone is told by itself.
                let _sent = connection.head(self.id, head, ending(is_ended));
            }
            if !is_ended && (is_last || !content.is_empty()) {
                connection.data(self.id, Bytes::copy_from_slice(content), ending(is_last));
            }
        })?;
        Ok(Ok(()))
    }

    /// The application did not answer as it should: it is told, and where the client was promised something else,
    /// the stream is broken off.
    fn checked<T>(&self, py: Python<'_>, encoded: Result<T, ResponseError>) -> PyResult<T> {
        encoded.map_err(|error| {
            let is_promised = matches!(
                error,
                ResponseError::TooMuch { .. } | ResponseError::TooLittle { .. }
            );
            let reset = if is_promised {
                self.give_up(py)
                    .and_then(|()| self.reset(py, http2::INTERNAL_ERROR))
            } else {
                Ok(())
            };
            let failure = reset.err();
            failure.unwrap_or_else(|| PyRuntimeError::new_err(error.to_string()))
        })
    }
}

impl Exchange for Stream {
    fn head(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        trailers: Last,
    ) -> PyResult<()> {
        let mut fields = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        self.add_own(py, &mut fields)?;
        let operations = self.session.shared.operations();
        self.with(py, |state| {
            if let Some(trace) = &mut state.trace {
                trace.answered(status);
                for (name, value) in &fields {
                    operations.response_field(trace, name.as_bytes(py), value.as_bytes(py));
                }
            }
            state.head = Some(Waiting { status, fields });
            state.has_trailers = trailers == Last::No;
        })
    }

    fn body(&self, py: Python<'_>, content: &Bound<'_, PyBytes>, last: Last) -> PyResult<Last> {
        self.refuse_while_pouring(py)?;
        let bytes = content.as_bytes();
        let length = match last {
            Last::Yes => Length::Known(bytes.len() as u64),
            Last::No => Length::Unknown,
        };
        let head = self.open_waiting(py, length)?;
        let has_trailers = self.with(py, |state| state.has_trailers)?;
        let last = if has_trailers { Last::No } else { last };
        let sent = self.send(py, head, bytes, last)?;
        self.checked(py, sent)?;
        if last == Last::No {
            self.session.send_soon(py)?;
        }
        Ok(last)
    }

    fn file(&self, py: Python<'_>, part: FilePart, last: Last) -> PyResult<Last> {
        self.refuse_while_pouring(py)?;
        let length = match last {
            Last::Yes => Length::Known(part.left()),
            Last::No => Length::Unknown,
        };
        let head = self.open_waiting(py, length)?;
        let has_trailers = self.with(py, |state| state.has_trailers)?;
        let last = if has_trailers { Last::No } else { last };
        let counted = self.count(py, part.left(), last)?;
        let (is_sent, is_last) = self.checked(py, counted)?;
        let is_ended = is_last && !is_sent;
        self.session.with(py, |state| {
            let ending = |is_last: bool| if is_last { Ending::Last } else { Ending::More };
            if let Some(head) = head {
                // A stream that is gone is told by itself.
                let _sent = state.connection.head(self.id, head, ending(is_ended));
            } else if is_ended {
                let nothing = Bytes::new();
                state.connection.data(self.id, nothing, Ending::Last);
            }
        })?;
        if is_sent {
            let end = if is_last { Last::Yes } else { Last::No };
            self.begin_pouring(py, part, end)?;
        }
        self.session.send_soon(py)?;
        Ok(last)
    }

    fn trailers(
        &self,
        py: Python<'_>,
        headers: Option<&Bound<'_, PyAny>>,
        last: Last,
    ) -> PyResult<Last> {
        self.refuse_while_pouring(py)?;
        let fields = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        let mut all = self.with(py, |state| std::mem::take(&mut state.trailers))?;
        all.extend(fields);
        if last == Last::No {
            self.with(py, |state| state.trailers = all)?;
            return Ok(Last::No);
        }
        let map = self.checked(py, Reply::trailers(borrowed(py, &all)))?;
        let finished = self.with(py, |state| state.reply.finish())?;
        self.checked(py, finished)?;
        self.session.with(py, |state| {
            let ending = if map.is_empty() {
                Ending::Last
            } else {
                Ending::Trailers(map)
            };
            state.connection.data(self.id, Bytes::new(), ending);
        })?;
        Ok(Last::Yes)
    }

    fn hint(&self, py: Python<'_>, fields: &Packed) -> PyResult<()> {
        let made = self.with(py, |state| state.reply.interim(103, fields.iter()))?;
        let made = self.checked(py, made)?;
        self.interim(py, made)
    }

    fn continues(&self, py: Python<'_>) -> PyResult<()> {
        let is_begun = self.with(py, |state| {
            state.body.is_held_back = false;
            state.reply.is_begun()
        })?;
        self.taken(py)?;
        if is_begun {
            return Ok(());
        }
        self.interim(py, Reply::continues())
    }

    fn want(&self, py: Python<'_>) -> PyResult<()> {
        if self.has_frames(py)? {
            return self.resume_soon(py);
        }
        self.taken(py)
    }

    fn complete(&self, py: Python<'_>) -> PyResult<()> {
        if self.completes_later(py)? {
            return Ok(());
        }
        // The client of a WebSocket has still to say that it closes, too.
        let handler = if self.is_accepted(py)? {
            self.retire(py)?
        } else {
            self.leave(py)?
        };
        drop(handler);
        self.session.send_soon(py)
    }

    fn is_full(&self, py: Python<'_>) -> bool {
        if self.is_pouring(py).unwrap_or(false) {
            return true;
        }
        let looked = self.session.with(py, |state| {
            state.is_full || state.connection.queued_bytes(self.id) > QUEUED_MOST
        });
        looked.unwrap_or(false)
    }
}

impl Stream {
    /// Adds the server's fields to those of the application.
    pub(super) fn add_own(&self, py: Python<'_>, fields: &mut Vec<Field>) -> PyResult<()> {
        let operations = self.session.shared.operations();
        if operations.gives_fields() {
            let id = self.with(py, |state| state.request_id.clone())?;
            operations.add_fields(py, id.as_deref(), fields);
        }
        Ok(())
    }

    fn interim(&self, py: Python<'_>, head: Response<()>) -> PyResult<()> {
        self.session.with(py, |state| {
            // A stream that is gone is told by itself.
            let _sent = state.connection.interim(self.id, head);
        })?;
        self.session.send_soon(py)
    }
}
