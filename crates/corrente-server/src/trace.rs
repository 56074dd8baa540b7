//! What is remembered of a request until it is over: for the log and for the counts.
//!
//! There is none where nobody wants it, so that a server without a log copies nothing and reads no clock. Whatever
//! carries requests has one for each and tells it what happens; it must not know Python.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use corrente_http::Method;
use corrente_http::h1::Version;
use corrente_loop::now;

use crate::account::{Account, Log};
use crate::operations::Arrival;
use crate::peer::Peer;

/// What nginx writes where the client went before it was answered.
const NO_ANSWER: u16 = 499;

/// Memory for what is told of a usual request, in bytes.
const USUAL: usize = 256;

/// A request that goes on.
#[derive(Debug)]
pub(crate) struct Trace {
    /// By the loop's clock, in seconds.
    began: f64,
    /// What is told of it as text, one behind the other.
    text: Vec<u8>,
    client: Range<usize>,
    request_id: Range<usize>,
    method: Range<usize>,
    target: Range<usize>,
    /// Which of the wanted ones, and where its value is.
    request_fields: Vec<(usize, Range<usize>)>,
    response_fields: Vec<(usize, Range<usize>)>,
    scheme: &'static str,
    version: &'static str,
    has_body: bool,
    /// It has become a WebSocket.
    is_talk: bool,
    status: u16,
    sent_bytes: u64,
    received_bytes: u64,
}

/// What the counts want to know of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) duration: Duration,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    /// It was a WebSocket, which takes as long as its client stays.
    pub(crate) is_talk: bool,
}

impl Trace {
    /// Of a request whose head is there; `log` says what of it is wanted.
    pub(crate) fn of(arrival: &Arrival<'_>, log: Option<&dyn Log>) -> Self {
        let head = arrival.head;
        let mut trace = Self::of_refused(arrival.peer, head.version());
        trace.has_body = head.method() != Method::Head;
        trace.scheme = arrival.scheme();
        if let Some(client) = arrival.told.client {
            trace.client = trace.keep(client.address.to_string().as_bytes());
        }
        if let Some(id) = &arrival.request_id {
            trace.request_id = trace.keep(id.as_bytes());
        }
        let Some(log) = log else {
            return trace;
        };
        trace.method = trace.keep(head.method_name());
        trace.target = trace.keep(head.raw_target());
        for field in head.fields().iter() {
            let mut scratch = Vec::new();
            let name = field.name.lower(&mut scratch);
            let wanted = log.request_fields().iter();
            if let Some(place) = wanted.map(String::as_bytes).position(|one| one == name) {
                let value = trace.keep(field.value);
                trace.request_fields.push((place, value));
            }
        }
        trace
    }

    /// Of what came and was no request.
    pub(crate) fn of_refused(peer: &Peer, version: Version) -> Self {
        let mut text = Vec::with_capacity(USUAL);
        text.extend_from_slice(peer.text.as_bytes());
        Self {
            began: now(),
            client: 0..text.len(),
            text,
            request_id: 0..0,
            method: 0..0,
            target: 0..0,
            request_fields: Vec::new(),
            response_fields: Vec::new(),
            scheme: peer.scheme,
            version: match version {
                Version::Http10 => "HTTP/1.0",
                Version::Http11 => "HTTP/1.1",
                Version::Http2 => "HTTP/2",
            },
            has_body: true,
            is_talk: false,
            status: 0,
            sent_bytes: 0,
            received_bytes: 0,
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        start..self.text.len()
    }

    /// The response begins.
    pub(crate) fn answered(&mut self, status: u16) {
        self.status = status;
        self.has_body &= !matches!(status, 204 | 304);
    }

    /// A WebSocket begins: 101 says so in HTTP/1.1, 200 in HTTP/2.
    pub(crate) fn switched(&mut self, status: u16) {
        self.answered(status);
        self.is_talk = true;
    }

    /// A field of the response.
    pub(crate) fn response_field(&mut self, log: &dyn Log, name: &[u8], value: &[u8]) {
        let wanted = log.response_fields().iter();
        let wanted = wanted
            .map(String::as_bytes)
            .position(|one| one.eq_ignore_ascii_case(name));
        if let Some(place) = wanted {
            let value = self.keep(value);
            self.response_fields.push((place, value));
        }
    }

    /// Some of the response's body.
    pub(crate) fn sent(&mut self, bytes: usize) {
        if self.has_body {
            self.sent_bytes += bytes as u64;
        }
    }

    /// Some of the request's body.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.received_bytes += bytes as u64;
    }

    /// It is over.
    pub(crate) fn outcome(&self) -> Outcome {
        let seconds = (now() - self.began).max(0.0);
        Outcome {
            status: if self.status == 0 {
                NO_ANSWER
            } else {
                self.status
            },
            duration: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            sent_bytes: self.sent_bytes,
            received_bytes: self.received_bytes,
            is_talk: self.is_talk,
        }
    }

    /// Tells the log.
    pub(crate) fn tell(&self, log: &dyn Log, outcome: &Outcome) {
        let request_headers = self.fields(&self.request_fields, log.request_fields());
        let response_headers = self.fields(&self.response_fields, log.response_fields());
        log.put(&Account {
            began: SystemTime::now()
                .checked_sub(outcome.duration)
                .unwrap_or(SystemTime::UNIX_EPOCH),
            duration: outcome.duration,
            client: self.text(&self.client),
            scheme: self.scheme,
            method: &self.text[self.method.clone()],
            target: &self.text[self.target.clone()],
            version: self.version,
            status: outcome.status,
            sent_bytes: outcome.sent_bytes,
            received_bytes: outcome.received_bytes,
            request_headers: &request_headers,
            response_headers: &response_headers,
            request_id: self.text(&self.request_id),
        });
    }

    /// What was kept of a text.
    fn text(&self, place: &Range<usize>) -> &str {
        str::from_utf8(&self.text[place.clone()]).unwrap_or_default()
    }

    fn fields<'a>(
        &'a self,
        kept: &[(usize, Range<usize>)],
        names: &'a [String],
    ) -> Vec<(&'a [u8], &'a [u8])> {
        let kept = kept.iter();
        kept.map(|(place, value)| (names[*place].as_bytes(), &self.text[value.clone()]))
            .collect()
    }
}
