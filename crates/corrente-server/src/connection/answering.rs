//! From the application's answer to bytes.
//!
//! The connection as an [`Exchange`]: heads, pieces of bodies, trailers and hints are encoded here, in the order in which
//! the application may send them, which is checked by ASGI's and WSGI's side.

use corrente_http::h1::Length;
use corrente_loop::native::FilePart;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::output::{COPIED_MOST, Fields};
use super::{Body, Connection, Parting, Stage};
use crate::exchange::{Exchange, Last, unpacked};
use crate::field::{borrowed, fields};
use crate::file::{IN_THE_WAY, raised};
use crate::packed::Packed;
use crate::talk::Socket;

impl Exchange for Connection {
    fn head(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        trailers: Last,
    ) -> PyResult<()> {
        let mut fields = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        self.add_own(py, &mut fields)?;
        self.open(py, status, Fields::Objects(fields), trailers)
    }

    fn packed_head(&self, py: Python<'_>, status: u16, fields: Packed) -> PyResult<()> {
        if self.shared.operations().gives_fields() {
            let objects = unpacked(py, &fields)?;
            return self.head(py, status, Some(objects.as_any()), Last::Yes);
        }
        self.open(py, status, Fields::Packed(fields), Last::Yes)
    }

    fn body(&self, py: Python<'_>, content: &Bound<'_, PyBytes>, last: Last) -> PyResult<Last> {
        let bytes = content.as_bytes();
        let length = match last {
            Last::Yes => Length::Known(bytes.len() as u64),
            Last::No => Length::Unknown,
        };
        let (encoded, last) = self.write(py, |output, always| {
            let last = if output.has_trailers() {
                Last::No
            } else {
                last
            };
            let encoded = output.open(py, length, always).and_then(|()| {
                if bytes.len() > COPIED_MOST && !output.is_held() {
                    return output.open_data(bytes.len() as u64);
                }
                output.data(bytes).map(|()| false)
            });
            (encoded, last)
        })?;
        if self.checked(py, encoded)? {
            self.write_before(py, content)?;
            self.with(py, |state| state.output.close_data())?;
        }
        self.traced(py, |trace| trace.sent(bytes.len()))?;
        if last == Last::Yes {
            let finished = self.with(py, |state| state.output.finish(&[]))?;
            self.checked(py, finished)?;
        } else if self.is_to_be_written(py)? {
            self.write_out(py)?;
        }
        Ok(last)
    }

    fn file(&self, py: Python<'_>, mut part: FilePart, last: Last) -> PyResult<Last> {
        if self.is_pouring(py)? {
            return Err(PyRuntimeError::new_err(IN_THE_WAY));
        }
        let bytes = part.left();
        if bytes <= COPIED_MOST as u64 {
            // In one piece with the head.
            let content = part.read(COPIED_MOST);
            let content = content.map_err(|error| raised(&error, None))?;
            return self.body(py, &PyBytes::new(py, &content), last);
        }
        let length = match last {
            Last::Yes => Length::Known(bytes),
            Last::No => Length::Unknown,
        };
        let (encoded, last) = self.write(py, |output, always| {
            let last = if output.has_trailers() {
                Last::No
            } else {
                last
            };
            let encoded = output.open(py, length, always);
            (encoded.and_then(|()| output.open_data(bytes)), last)
        })?;
        if self.checked(py, encoded)? {
            self.begin_pouring(py, part)?;
            self.with(py, |state| state.output.close_data())?;
        }
        if last == Last::Yes {
            let finished = self.with(py, |state| state.output.finish(&[]))?;
            self.checked(py, finished)?;
        } else if self.is_to_be_written(py)? {
            self.write_out(py)?;
        }
        Ok(last)
    }

    fn trailers(
        &self,
        py: Python<'_>,
        headers: Option<&Bound<'_, PyAny>>,
        last: Last,
    ) -> PyResult<Last> {
        let fields = headers.map_or_else(|| Ok(Vec::new()), fields)?;
        let mut all = self.with(py, |state| state.output.take_trailers())?;
        all.extend(fields);
        if last == Last::No {
            self.with(py, |state| state.output.keep_trailers(all))?;
            return Ok(Last::No);
        }
        let borrowed = borrowed(py, &all);
        let finished = self.with(py, |state| state.output.finish(&borrowed))?;
        self.checked(py, finished)?;
        Ok(Last::Yes)
    }

    fn hint(&self, py: Python<'_>, fields: &Packed) -> PyResult<()> {
        let written = self.with(py, |state| state.output.interim(103, fields.iter()))?;
        self.checked(py, written)?;
        self.write_out(py)
    }

    fn continues(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |state| {
            if let Some(current) = &mut state.current {
                current.is_held_back = false;
            }
            // Within a response it would be a part of it.
            if !state.output.is_begun() {
                state.output.continues();
            }
        })?;
        self.write_out(py)?;
        self.wait_for_client(py)
    }

    fn want(&self, py: Python<'_>) -> PyResult<()> {
        self.unpause(py)?;
        // Frames that waited for the application are heard by nobody else.
        let has_frames = self.with(py, |state| {
            state.socket.as_deref().is_some_and(Socket::has_frames)
        })?;
        if has_frames {
            self.look_soon(py)?;
        }
        Ok(())
    }

    fn complete(&self, py: Python<'_>) -> PyResult<()> {
        if self.completes_later(py)? {
            return Ok(());
        }
        self.shared.live.counts.over();
        self.over(py)?;
        let (over, is_working, has_more) = self.with(py, |state| {
            let mut over = None;
            if let Some(current) = &mut state.current {
                current.is_answered = true;
                if current.body == Body::Whole {
                    over = state.current.take();
                }
            }
            if state.output.closes() {
                state.stage = Stage::Ends;
                if over.is_none() {
                    over = state.current.take();
                    state.parting = Parting::Lingering;
                }
                return (over, false, false);
            }
            let is_working = state.stage == Stage::Works;
            (over, is_working, !state.held.is_empty())
        })?;
        drop(over);
        if is_working {
            return Ok(());
        }
        self.settle(py)?;
        self.unpause(py)?;
        if has_more {
            self.look_soon(py)?;
        }
        Ok(())
    }

    fn is_full(&self, py: Python<'_>) -> bool {
        let looked = self.with(py, |state| {
            let transport = state.transport.as_ref()?;
            // Where some is written already, and more is to come, the client may have gone meanwhile: this is known
            // when the loop goes on.
            let is_going_on = state.output.is_begun();
            let watched = is_going_on.then(|| transport.clone_ref(py));
            Some((state.is_full || state.pouring.is_some(), watched))
        });
        match looked {
            Ok(Some((false, Some(transport)))) => transport.is_closing(py).unwrap_or(false),
            Ok(Some((is_full, _))) => is_full,
            Ok(None) | Err(_) => false,
        }
    }
}

impl Connection {
    /// A response begins.
    fn open(&self, py: Python<'_>, status: u16, fields: Fields, trailers: Last) -> PyResult<()> {
        let is_draining = self.shared.is_draining();
        let operations = self.shared.operations();
        self.with(py, |state| {
            if let Some(trace) = &mut state.trace {
                trace.answered(status);
                for (name, value) in fields.iter(py) {
                    operations.response_field(trace, name, value);
                }
            }
            let current = state.current.as_ref();
            // What comes next could be the body as well as a request (RFC 9110, section 10.1.1).
            let is_held_back = current.is_some_and(|current| current.is_held_back);
            if is_draining || is_held_back {
                state.output.close_after();
            }
            state.output.head(status, fields, trailers);
        })
    }
}
