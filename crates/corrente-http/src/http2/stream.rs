//! One request and its response: the body that comes, the data that wait for the client's window.
//!
//! Polled by the connection; it knows nothing of the others. What the application has given is kept until
//! the client's window takes it, so the caller watches how much that is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{FlowControl, Reason, RecvStream, SendStream};
use http::{HeaderMap, Response};

use super::connection::Event;
use super::woken::Bell;

/// How a part of a response ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// More follows.
    More,
    /// The response ends with it.
    Last,
    /// The response ends with these fields.
    Trailers(HeaderMap),
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that has happened to the stream"
)]
pub(super) struct Stream {
    id: u32,
    bell: Arc<Bell>,
    waker: Waker,
    /// Until its end was seen.
    body: Option<RecvStream>,
    /// The client's window for it: what was taken after its end counts for other streams.
    window: FlowControl,
    respond: SendResponse<Bytes>,
    /// Once the head was sent, until the end was.
    send: Option<SendStream<Bytes>>,
    queue: VecDeque<Bytes>,
    pub(super) queued_bytes: usize,
    ending: Ending,
    was_full: bool,
    has_answered: bool,
    is_reset: bool,
    /// The end of our side is not the client's.
    is_tunnel: bool,
    /// Frames of data that were sent and are not told.
    moved: u64,
}

/// Bytes of a frame that clients take where they do not say otherwise (RFC 9113, section 6.5.2).
const FRAME: usize = 16 * 1024;

impl Stream {
    pub(super) fn new(bell: Arc<Bell>, mut body: RecvStream, respond: SendResponse<Bytes>) -> Self {
        Self {
            id: respond.stream_id().as_u32(),
            waker: bell.waker(),
            bell,
            window: body.flow_control().clone(),
            body: Some(body).filter(|body| !body.is_end_stream()),
            respond,
            send: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            ending: Ending::More,
            was_full: false,
            has_answered: false,
            is_reset: false,
            is_tunnel: false,
            moved: 0,
        }
    }

    /// Whether nothing more can happen.
    pub(super) fn is_done(&self) -> bool {
        let is_sent = self.has_answered && self.send.is_none();
        let is_heard = !self.is_tunnel || self.body.is_none();
        self.is_reset || (is_sent && is_heard)
    }

    /// About how many frames of data were sent since this was asked last.
    pub(super) fn take_moved(&mut self) -> u64 {
        std::mem::take(&mut self.moved)
    }

    pub(super) fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// What happened since the last time, if anything.
    pub(super) fn poll(&mut self) -> Option<Event> {
        let stream = self.id;
        if self.is_done() {
            return None;
        }
        // Before the look: what comes after it rings again.
        self.bell.heard();
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        if let Some(code) = self.poll_reset(&mut cx) {
            self.is_reset = true;
            return Some(Event::Reset { stream, code });
        }
        if let Some(event) = self.poll_body(&mut cx) {
            return Some(event);
        }
        self.pump(&mut cx);
        if self.was_full && self.queue.is_empty() && self.send.is_some() {
            self.was_full = false;
            return Some(Event::Writable { stream });
        }
        None
    }

    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Option<u32> {
        let reset = match &mut self.send {
            Some(send) => send.poll_reset(cx),
            None => self.respond.poll_reset(cx),
        };
        match reset {
            Poll::Ready(Ok(reason)) => Some(reason.into()),
            Poll::Ready(Err(error)) => Some(error.reason().unwrap_or(Reason::CANCEL).into()),
            Poll::Pending => None,
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Option<Event> {
        let stream = self.id;
        let body = self.body.as_mut()?;
        match body.poll_data(cx) {
            Poll::Ready(Some(Ok(data))) => return Some(Event::Data { stream, data }),
            Poll::Ready(Some(Err(_))) => {
                // The reset is seen next time.
                self.body = None;
                return None;
            }
            Poll::Ready(None) => {}
            Poll::Pending => return None,
        }
        match body.poll_trailers(cx) {
            Poll::Ready(Ok(trailers)) => {
                self.body = None;
                Some(Event::End { stream, trailers })
            }
            Poll::Ready(Err(_)) => {
                self.body = None;
                None
            }
            Poll::Pending => None,
        }
    }

    /// Gives the client's window back to it.
    pub(super) fn taken(&mut self, length: usize) {
        // More than was received cannot be given back; then nothing is.
        let _released = self.window.release_capacity(length).is_ok();
    }

    pub(super) fn interim(&mut self, response: Response<()>) -> Result<(), h2::Error> {
        self.respond.send_informational(response)
    }

    pub(super) fn head(
        &mut self,
        response: Response<()>,
        ending: &Ending,
    ) -> Result<(), h2::Error> {
        let is_last = *ending == Ending::Last;
        let send = self.respond.send_response(response, is_last)?;
        self.has_answered = true;
        self.send = (!is_last).then_some(send);
        Ok(())
    }

    pub(super) fn accept(&mut self, response: Response<()>) -> Result<(), h2::Error> {
        self.head(response, &Ending::More)?;
        self.is_tunnel = true;
        Ok(())
    }

    /// What still comes is of no interest.
    pub(super) fn ignore(&mut self) {
        self.is_tunnel = false;
    }

    pub(super) fn data(&mut self, data: Bytes, ending: Ending) {
        if self.ending != Ending::More || self.send.is_none() {
            return;
        }
        self.queued_bytes += data.len();
        if !data.is_empty() {
            self.queue.push_back(data);
        }
        self.ending = ending;
        let waker = self.waker.clone();
        self.pump(&mut Context::from_waker(&waker));
        self.was_full |= !self.queue.is_empty();
    }

    pub(super) fn reset(&mut self, code: u32) {
        let reason = Reason::from(code);
        match &mut self.send {
            Some(send) => send.send_reset(reason),
            None => self.respond.send_reset(reason),
        }
        self.is_reset = true;
    }

    /// Sends as much as the client's window takes, and the end after all of it.
    fn pump(&mut self, cx: &mut Context<'_>) {
        let Some(send) = &mut self.send else {
            return;
        };
        while let Some(mut data) = self.queue.pop_front() {
            send.reserve_capacity(self.queued_bytes);
            // A capacity that has come is taken notice of only by asking.
            let _known = send.poll_capacity(cx).is_ready();
            let length = data.len().min(send.capacity());
            if length == 0 {
                self.queue.push_front(data);
                return;
            }
            let piece = data.split_to(length);
            if !data.is_empty() {
                self.queue.push_front(data);
            }
            self.queued_bytes -= length;
            self.moved += length.div_ceil(FRAME) as u64;
            let is_last = self.queue.is_empty() && self.ending == Ending::Last;
            if send.send_data(piece, is_last).is_err() || is_last {
                self.send = None;
                return;
            }
        }
        let ended = match std::mem::replace(&mut self.ending, Ending::More) {
            Ending::More => return,
            Ending::Last => send.send_data(Bytes::new(), true),
            Ending::Trailers(trailers) => send.send_trailers(trailers),
        };
        // An error here is a reset that is seen by itself.
        let _ended = ended.is_ok();
        self.send = None;
    }
}
