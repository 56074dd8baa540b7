//! A connection of HTTP/2: bytes are received, events taken, responses given, bytes sent.
//!
//! After [`Connection::receive`] ask [`Connection::next_event`] until there is nothing more, then write what
//! [`Connection::take_output`] has. What was given in between is sent by [`Connection::flush`] too, which looks at
//! nothing that has come. Only streams that have something new are looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection as Inner, Handshake};
use http::{HeaderMap, Request, Response};
use thiserror::Error;

use super::meter::Meter;
use super::pipe::Pipe;
use super::stream::{Ending, Stream};
use super::woken::Woken;
use super::{ENHANCE_YOUR_CALM, Limits};

/// The number of a stream.
pub type StreamId = u32;

/// Whether clients are told that streams carry `WebSockets` (RFC 8441, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebSockets {
    /// They are told so.
    Announced,
    /// They are not; a stream for one is reset.
    Unannounced,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A request; its body follows unless `is_ended`.
    Request {
        /// Its stream.
        stream: StreamId,
        /// Method, target and fields.
        head: Box<Request<()>>,
        /// Whether there is no body.
        is_ended: bool,
    },
    /// A part of a request's body. [`Connection::taken`] lets the client send as much again.
    Data {
        /// Its stream.
        stream: StreamId,
        /// Perhaps empty.
        data: Bytes,
    },
    /// A request's body ends.
    End {
        /// Its stream.
        stream: StreamId,
        /// The fields after it.
        trailers: Option<HeaderMap>,
    },
    /// All data that waited for the client's window were sent.
    Writable {
        /// Their stream.
        stream: StreamId,
    },
    /// The client is gone from a stream; nothing more may be sent on it.
    Reset {
        /// The stream.
        stream: StreamId,
        /// Why (RFC 9113, section 7).
        code: u32,
    },
    /// The connection is at its end; what is still to be sent is to be sent, then it is to be closed.
    Closed,
}

/// What ends a connection: the client broke the protocol, or went too far with its liberties.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the HTTP/2 connection ends: {0}")]
pub struct Http2Error(String);

impl From<h2::Error> for Http2Error {
    fn from(error: h2::Error) -> Self {
        Self(error.to_string())
    }
}

enum State {
    Handshake(Pin<Box<Handshake<Pipe, Bytes>>>),
    Open(Box<Inner<Pipe, Bytes>>),
    Closed,
}

/// A server's end of a connection.
pub struct Connection {
    state: State,
    pipe: Pipe,
    streams: BTreeMap<StreamId, Stream>,
    woken: Woken,
    meter: Meter,
    /// No new requests are taken.
    is_leaving: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.streams.keys();
        formatter.debug_list().entries(streams).finish()
    }
}

impl Connection {
    /// For a connection on which nothing was read yet, the preface included.
    pub fn new(limits: Limits, sockets: WebSockets) -> Self {
        let pipe = Pipe::default();
        pipe.wires().max_outgoing_bytes = limits.max_outgoing_bytes;
        let mut builder = Builder::new();
        if sockets == WebSockets::Announced {
            builder.enable_connect_protocol();
        }
        let handshake = builder
            .max_concurrent_streams(limits.max_streams)
            .initial_window_size(limits.stream_window_bytes)
            .initial_connection_window_size(limits.connection_window_bytes)
            .max_frame_size(limits.max_frame_bytes)
            .max_header_list_size(limits.max_head_bytes)
            .max_pending_accept_reset_streams(limits.max_pending_resets)
            .max_local_error_reset_streams(Some(limits.max_error_resets))
            .max_concurrent_reset_streams(limits.max_remembered_resets)
            .max_send_buffer_size(limits.max_stream_buffer_bytes)
            .handshake(pipe.clone());
        Self {
            state: State::Handshake(Box::pin(handshake)),
            pipe,
            streams: BTreeMap::new(),
            woken: Woken::default(),
            meter: Meter::default(),
            is_leaving: false,
        }
    }

    /// Takes what has arrived.
    pub fn receive(&mut self, input: &[u8]) {
        self.meter.pass(input);
        self.pipe.wires().incoming.extend_from_slice(input);
    }

    /// The client sends nothing more.
    pub fn end_of_input(&mut self) {
        self.pipe.wires().has_ended = true;
    }

    /// What is to be sent now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pipe.wires().outgoing)
    }

    /// Takes back memory of [`Connection::take_output`], to use it again.
    pub fn give_back(&mut self, mut memory: Vec<u8>) {
        let mut wires = self.pipe.wires();
        if wires.outgoing.is_empty() {
            memory.clear();
            wires.outgoing = memory;
        }
    }

    /// Bytes that have come and are not read, since too much is to be written.
    pub fn unread_bytes(&self) -> usize {
        let wires = self.pipe.wires();
        wires.incoming.len() - wires.read
    }

    /// Whether the client owes us the rest of a head, or of the connection's beginning.
    pub fn is_within_head(&self) -> bool {
        self.meter.is_within_head()
    }

    /// Whether the client owes us the rest of a frame.
    pub fn is_within_frame(&self) -> bool {
        self.meter.is_within_frame()
    }

    /// Begins to count anew how many frames come that move nothing. To be called once a second: too many between
    /// two calls end the connection.
    pub fn restart_count(&mut self) {
        self.meter.restart();
    }

    /// Whether [`Connection::next_event`] has something to look at, without anything new from the client.
    pub fn has_news(&self) -> bool {
        self.woken.first().is_some()
    }

    /// Whether what is sent on a stream can still reach its client.
    pub fn is_open(&self, stream: StreamId) -> bool {
        let entry = self.streams.get(&stream);
        entry.is_some_and(|entry| !entry.is_done())
    }

    /// Bytes of a stream that wait for the client's window.
    pub fn queued_bytes(&self, stream: StreamId) -> usize {
        let entry = self.streams.get(&stream);
        entry.map_or(0, |entry| entry.queued_bytes)
    }

    /// Streams with data that wait for the client's window, and how many bytes.
    pub fn waiting(&self) -> impl Iterator<Item = (StreamId, usize)> {
        let streams = self.streams.iter();
        let waiting = streams.map(|(stream, entry)| (*stream, entry.queued_bytes));
        waiting.filter(|(_, bytes)| *bytes > 0)
    }

    /// What happened, if anything.
    pub fn next_event(&mut self) -> Result<Option<Event>, Http2Error> {
        let mut cx = Context::from_waker(Waker::noop());
        if let State::Handshake(handshake) = &mut self.state {
            match handshake.as_mut().poll(&mut cx) {
                Poll::Ready(Ok(mut inner)) => {
                    if self.is_leaving {
                        inner.graceful_shutdown();
                    }
                    self.state = State::Open(Box::new(inner));
                }
                Poll::Ready(Err(error)) => return Err(self.fail(error)),
                Poll::Pending => return Ok(None),
            }
        }
        if self.meter.is_flooded() {
            return Err(self.calm());
        }
        let State::Open(inner) = &mut self.state else {
            return Ok(None);
        };
        match inner.poll_accept(&mut cx) {
            Poll::Ready(Some(Ok((request, respond)))) => {
                let (head, body) = request.into_parts();
                let stream = respond.stream_id().as_u32();
                let entry = Stream::new(self.woken.bell(stream), body, respond);
                let is_ended = !entry.has_body();
                self.streams.insert(stream, entry);
                let head = Box::new(Request::from_parts(head, ()));
                return Ok(Some(Event::Request {
                    stream,
                    head,
                    is_ended,
                }));
            }
            Poll::Ready(Some(Err(error))) => return Err(self.fail(error)),
            Poll::Ready(None) => {
                self.state = State::Closed;
                return Ok(Some(Event::Closed));
            }
            Poll::Pending => {}
        }
        let event = self.next_of_streams();
        if event.is_none() {
            self.flush()?;
        }
        Ok(event)
    }

    fn next_of_streams(&mut self) -> Option<Event> {
        while let Some(stream) = self.woken.first() {
            if let Some(entry) = self.streams.get_mut(&stream) {
                let event = entry.poll();
                self.meter.moved(entry.take_moved());
                if entry.is_done() {
                    self.streams.remove(&stream);
                }
                if event.is_some() {
                    // It is looked at once more: it may have rung before it was looked at.
                    return event;
                }
            }
            self.woken.drop_first();
        }
        None
    }

    /// Lets h2 write what the streams have given it. Nothing that has come is looked at, so nothing happens but that.
    pub fn flush(&mut self) -> Result<(), Http2Error> {
        let State::Open(inner) = &mut self.state else {
            return Ok(());
        };
        self.pipe.wires().is_held = true;
        let polled = inner.poll_closed(&mut Context::from_waker(Waker::noop()));
        self.pipe.wires().is_held = false;
        match polled {
            Poll::Ready(Err(error)) => Err(self.fail(error)),
            Poll::Ready(Ok(())) => {
                self.state = State::Closed;
                Ok(())
            }
            Poll::Pending => Ok(()),
        }
    }

    /// Ends the connection: the client sends frame after frame that moves nothing.
    fn calm(&mut self) -> Http2Error {
        self.break_off(ENHANCE_YOUR_CALM);
        Http2Error("too many frames that carry nothing".to_owned())
    }

    /// Ends the connection at once, with this code (RFC 9113, section 7).
    pub fn break_off(&mut self, code: u32) {
        if let State::Open(inner) = &mut self.state {
            inner.abrupt_shutdown(Reason::from(code));
            self.pipe.wires().is_held = true;
            // What it ends with is known.
            let _ended = inner.poll_closed(&mut Context::from_waker(Waker::noop()));
        }
        self.forget();
    }

    fn fail(&mut self, error: h2::Error) -> Http2Error {
        self.forget();
        error.into()
    }

    fn forget(&mut self) {
        self.state = State::Closed;
        self.streams.clear();
        self.woken.clear();
    }

    /// Whether it has ended: [`Event::Closed`] was or would be next.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// The application has taken so many bytes of a request's body.
    pub fn taken(&mut self, stream: StreamId, length: usize) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.taken(length);
        }
    }

    /// Sends an interim response, as 103.
    pub fn interim(&mut self, stream: StreamId, head: Response<()>) -> Result<(), Http2Error> {
        let stream = self.streams.get_mut(&stream);
        Ok(stream.map_or(Ok(()), |stream| stream.interim(head))?)
    }

    /// Sends the head of a response; on a stream that was reset, nothing.
    pub fn head(
        &mut self,
        stream: StreamId,
        head: Response<()>,
        ending: Ending,
    ) -> Result<(), Http2Error> {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Ok(());
        };
        self.meter.sent();
        entry.head(head, &ending)?;
        if entry.is_done() {
            self.streams.remove(&stream);
        } else if let Ending::Trailers(_) = ending {
            self.data(stream, Bytes::new(), ending);
        }
        Ok(())
    }

    /// Sends a part of a response's body. Gives the bytes that wait for the client's window; where they are
    /// too many, [`Event::Writable`] says when to go on.
    pub fn data(&mut self, stream: StreamId, data: Bytes, ending: Ending) -> usize {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return 0;
        };
        self.meter.sent();
        entry.data(data, ending);
        self.meter.moved(entry.take_moved());
        let queued = entry.queued_bytes;
        if entry.is_done() {
            self.streams.remove(&stream);
        }
        queued
    }

    /// Accepts a CONNECT, with the head of its response: each side of the stream is open until it is ended by itself.
    pub fn accept(&mut self, stream: StreamId, head: Response<()>) -> Result<(), Http2Error> {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Ok(());
        };
        self.meter.sent();
        Ok(entry.accept(head)?)
    }

    /// What the client still sends on a stream is of no interest: it is told so when our side has ended.
    pub fn ignore(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        entry.ignore();
        if entry.is_done() {
            self.streams.remove(&stream);
        }
    }

    /// Breaks a stream off.
    pub fn reset(&mut self, stream: StreamId, code: u32) {
        if let Some(mut stream) = self.streams.remove(&stream) {
            stream.reset(code);
        }
    }

    /// Lets the client send no new requests; [`Event::Closed`] comes when the last one is answered.
    pub fn shut_down(&mut self) {
        self.is_leaving = true;
        if let State::Open(inner) = &mut self.state {
            inner.graceful_shutdown();
        }
    }
}
