//! From bytes to requests on streams: looks at what has come, and starts what it finds.
//!
//! An application is called when nothing more of its request is here, so that most requests end within one call.

use std::sync::Arc;

use corrente_http::Method;
use corrente_http::h1::{Body as Framed, Translated};
use corrente_http::http2::http::Request;
use corrente_http::http2::{self, Bytes, Event, StreamId};
use corrente_loop::now;
use pyo3::prelude::*;

use super::talking::Talk;
use super::{Session, Stage, Stream};
use crate::application::Begun;
use crate::calling::Carrier;
use crate::exchange::{Line, NOT_KEPT, NOT_KEPT_STATUS, Piece};
use crate::talk::Socket;

/// Requests that a client may take back; one that takes back more, and most of what it asks, is ended (rapid reset,
/// CVE-2023-44487). Browsers take back what a page that is left has asked for.
const RESETS_MOST: u64 = 200;

/// What may wait in memory because too much is to be written, in bytes; more is left to the kernel.
const UNREAD_MOST: usize = 64 * 1024;

impl Session {
    /// Something has come.
    pub(super) fn received(self: &Arc<Self>, py: Python<'_>, content: &[u8]) -> PyResult<()> {
        let stage = self.with(py, |state| {
            state.name = None;
            if state.stage != Stage::Ends {
                state.connection.receive(content);
            }
            state.stage
        })?;
        match stage {
            // While it works, the application has run the loop: that is looked at when it returns.
            Stage::Ends | Stage::Works => Ok(()),
            Stage::Rests => self.work(py),
        }
    }

    /// Looks at what is new, and writes what that led to.
    pub(super) fn work(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let is_free = self.with(py, |state| {
            let is_free = state.stage == Stage::Rests;
            if is_free {
                state.stage = Stage::Works;
            }
            is_free
        })?;
        if !is_free {
            return Ok(());
        }
        let looked = self.look_at_all(py);
        self.with(py, |state| {
            if state.stage == Stage::Works {
                state.stage = Stage::Rests;
            }
        })?;
        match looked {
            Ok(()) => self.settle(py),
            Err(error) => {
                self.break_off(py, http2::INTERNAL_ERROR)?;
                Err(error)
            }
        }
    }

    fn look_at_all(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        loop {
            let event = self.with(py, |state| match state.stage {
                Stage::Works => state.connection.next_event(),
                Stage::Rests | Stage::Ends => Ok(None),
            })?;
            match event {
                Ok(Some(event)) => self.take(py, event)?,
                Ok(None) => {
                    let due = self.with(py, |state| std::mem::take(&mut state.due))?;
                    if due.is_empty() {
                        return Ok(());
                    }
                    due.iter().try_for_each(|stream| stream.start(py))?;
                }
                // What it ends with is in the output already.
                Err(_broken) => return self.broken(py),
            }
        }
    }

    fn take(self: &Arc<Self>, py: Python<'_>, event: Event) -> PyResult<()> {
        let (id, event) = match event {
            Event::Request {
                stream,
                head,
                is_ended,
            } => return self.begin(py, stream, &head, is_ended),
            Event::Closed => return self.broken(py),
            Event::Data { stream, data } => (stream, OfStream::Data(data)),
            // ASGI has no place for a request's trailers.
            Event::End { stream, .. } => (stream, OfStream::End),
            Event::Writable { stream } => (stream, OfStream::Room),
            Event::Reset { stream, .. } => (stream, OfStream::Reset),
        };
        let Some(stream) = self.stream(py, id)? else {
            return Ok(());
        };
        match event {
            OfStream::Data(data) => stream.put(py, &data),
            OfStream::End => stream.end(py),
            OfStream::Room => stream.room(py),
            OfStream::Reset => {
                let was_over = stream.handler(py)?.is_none();
                stream.give_up(py)?;
                if was_over {
                    return Ok(());
                }
                self.count_reset(py)
            }
        }
    }

    fn count_reset(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let is_attack = self.with(py, |state| {
            let counts = &mut state.counts;
            counts.resets += 1;
            counts.resets > RESETS_MOST && counts.resets * 2 > counts.requests
        })?;
        if is_attack {
            return self.break_off(py, http2::ENHANCE_YOUR_CALM);
        }
        Ok(())
    }

    /// A request begins.
    fn begin(
        self: &Arc<Self>,
        py: Python<'_>,
        id: StreamId,
        head: &Request<()>,
        is_ended: bool,
    ) -> PyResult<()> {
        let method = Method::of(head.method().as_str().as_bytes());
        let stream = Stream::new(self, id, method);
        let most = self.shared.operations().limits.connection_requests;
        let template = self.with(py, |state| {
            state.counts.requests += 1;
            if state.counts.requests >= most && !state.is_leaving {
                state.is_leaving = true;
                state.connection.shut_down();
            }
            state.streams.insert(id, Arc::clone(&stream));
            state.template.clone()
        })?;
        let Some(template) = template else {
            // It is lost already.
            return Ok(());
        };
        let translated = match http2::translated(head, is_ended, &self.shared.limits) {
            Ok(translated) => translated,
            Err(rejection) => {
                let text = format!("{rejection}\n");
                return stream.refuse(py, rejection.status(), &text);
            }
        };
        let line: Arc<dyn Line> = Arc::<Stream>::clone(&stream);
        let operations = self.shared.operations();
        let head = translated.view();
        let arrival = operations.arrival(&head, &template.peer);
        stream.with(py, |state| {
            state.trace = operations.trace(&arrival);
            state.request_id.clone_from(&arrival.request_id);
        })?;
        match template.begin(py, &self.shared, &arrival, line)? {
            Begun::Request(beginning) => stream.begin(py, &translated, beginning),
            Begun::Socket(beginning, handler, asked) => {
                let talk = Box::new(Talk::new(Socket::new(handler, asked)));
                stream.with(py, |state| state.talk = Some(talk))?;
                stream.begin(py, &translated, beginning)
            }
            Begun::Refused(refusal) => stream.refuse(py, refusal.status(), &format!("{refusal}\n")),
        }
    }

    /// What is unread, since too much is to be written, is left to the kernel beyond a limit.
    pub(super) fn pace(&self, py: Python<'_>) -> PyResult<()> {
        let (transport, is_much, was_much) = self.with(py, |state| {
            // At the end what comes is read and dropped.
            let is_much =
                state.stage != Stage::Ends && state.connection.unread_bytes() > UNREAD_MOST;
            let was_much = std::mem::replace(&mut state.is_reading_paused, is_much);
            let transport = state.transport.as_ref();
            let transport = transport.map(|transport| transport.clone_ref(py));
            (transport, is_much, was_much)
        })?;
        match transport {
            Some(transport) if is_much && !was_much => transport.pause_reading(py),
            Some(transport) if was_much && !is_much => transport.resume_reading(py),
            _ => Ok(()),
        }
    }
}

/// What happens on a stream that is there.
enum OfStream {
    Data(Bytes),
    End,
    Room,
    Reset,
}

impl Stream {
    /// Its request begins; the application is called now or when its body is here.
    fn begin(
        self: &Arc<Self>,
        py: Python<'_>,
        head: &Translated,
        beginning: crate::application::Beginning,
    ) -> PyResult<()> {
        let shared = &self.session.shared;
        shared.live.counts.begun();
        let head = head.view();
        let is_whole = head.body() == Framed::None;
        let handler = beginning.handler.clone_ref(py);
        let is_asgi = !handler.is_wsgi();
        let left_s = shared.times.body.as_secs_f64();
        let deadline = now() + left_s;
        self.with(py, |state| {
            state.body.left_s = left_s;
            state.handler = Some(handler);
            state.beginning = Some(beginning);
            state.body.is_whole = is_whole;
            state.body.is_held_back = head.expects_continue() && is_asgi;
            if !is_whole && !state.body.is_held_back {
                state.deadline = deadline;
            }
        })?;
        if is_whole {
            return self.start(py);
        }
        if is_asgi {
            let me = Arc::clone(self);
            self.session.with(py, |state| state.due.push(me))?;
        }
        Ok(())
    }

    /// The application is called, if it was not yet.
    fn start(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let beginning = self.with(py, |state| state.beginning.take())?;
        match beginning {
            Some(beginning) => self.carrier().start(py, beginning),
            None => Ok(()),
        }
    }

    /// Some of the body has come.
    fn put(self: &Arc<Self>, py: Python<'_>, content: &Bytes) -> PyResult<()> {
        if self.is_talk(py)? {
            return self.hear(py, content);
        }
        let most = self.session.shared.limits.max_body_bytes;
        let least = self.session.shared.operations().limits.body_least;
        let whole_s = self.session.shared.times.body.as_secs_f64();
        let is_too_much = self.with(py, |state| {
            if let Some(trace) = &mut state.trace {
                trace.received(content.len());
            }
            let body = &mut state.body;
            body.is_held_back = false;
            body.length += content.len() as u64;
            body.pace += content.len() as u64;
            // Once for so much of a body, so that a client gains nothing by a byte now and then.
            if body.pace >= least {
                body.pace = 0;
                body.left_s = whole_s;
            } else if state.deadline.is_finite() {
                body.left_s = state.deadline - now();
            }
            body.length > most
        })?;
        let Some(handler) = self.handler(py)? else {
            return Ok(());
        };
        if is_too_much {
            let rejection = corrente_http::Rejection::BodyTooLarge;
            return self.refuse(py, rejection.status(), &format!("{rejection}\n"));
        }
        let held = match handler.put(py, Piece::Lent(content)) {
            Ok(held) => held.bytes,
            Err(error) => {
                self.session.shared.report(py, NOT_KEPT, Some(error))?;
                return self.refuse(py, NOT_KEPT_STATUS, &format!("{NOT_KEPT}\n"));
            }
        };
        self.with(py, |state| {
            state.body.untaken += content.len();
            state.deadline = f64::INFINITY;
        })?;
        // An application that has it all already has taken it while it was put in.
        if held == 0 {
            self.taken(py)?;
        }
        Ok(())
    }

    /// The application has taken what has come: the client may send as much again.
    pub(super) fn taken(&self, py: Python<'_>) -> PyResult<()> {
        let untaken = self.with(py, |state| {
            let is_awaited = !state.body.is_whole && !state.body.is_held_back;
            if is_awaited && state.deadline.is_infinite() {
                state.deadline = now() + state.body.left_s;
            }
            std::mem::take(&mut state.body.untaken)
        })?;
        if untaken == 0 {
            return Ok(());
        }
        self.session.with(py, |state| {
            state.connection.taken(self.id, untaken);
        })?;
        self.session.send_soon(py)
    }

    /// The body is whole.
    fn end(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if self.is_talk(py)? {
            return self.half_closed(py);
        }
        self.with(py, |state| {
            state.body.is_whole = true;
            state.body.is_held_back = false;
            state.deadline = f64::INFINITY;
        })?;
        if let Some(handler) = self.handler(py)? {
            handler.end(py)?;
        }
        self.start(py)
    }

    /// What was written has been read: the application may go on.
    pub(super) fn room(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if !self.pour(py)? {
            return Ok(());
        }
        self.hear_again(py)?;
        match self.handler(py)? {
            Some(handler) => self.carrier().has_room(py, &handler),
            None => Ok(()),
        }
    }
}
