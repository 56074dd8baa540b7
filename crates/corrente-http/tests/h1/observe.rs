//! What an application would see of a connection whose bytes come in pieces.

use corrente_http::h1::{Body, Decoder, Event, Fields, Head, Step};
use corrente_http::{Limits, Rejection};

/// Name in lower case, and value.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// A request, as far as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) path: Vec<u8>,
    pub(crate) host: Option<Vec<u8>>,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<Field>,
    pub(crate) expects_continue: bool,
    pub(crate) upgrade: Option<Vec<u8>>,
    pub(crate) keeps_alive: bool,
    pub(crate) is_complete: bool,
}

/// All that came of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) requests: Vec<Request>,
    /// From the beginning of the connection.
    pub(crate) head_ends: Vec<usize>,
    pub(crate) rejection: Option<Rejection>,
    pub(crate) is_idle: bool,
}

/// Feeds `pieces` to a decoder and writes down what comes out.
pub(crate) fn observe<'p>(limits: Limits, pieces: impl IntoIterator<Item = &'p [u8]>) -> Outcome {
    let mut decoder = Decoder::new(limits);
    let mut outcome = Outcome::default();
    let mut buffer = Vec::new();
    let mut dropped = 0;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let Step { consumed, event } = match decoder.next(&buffer[at..]) {
                Ok(step) => step,
                Err(rejection) => {
                    assert!(decoder.next(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_err());
                    outcome.rejection = Some(rejection);
                    return outcome;
                }
            };
            at += consumed;
            let more = matches!(event, Event::NeedMore);
            note(&mut outcome, event, dropped + at);
            if more {
                break;
            }
        }
        dropped += at;
        buffer.drain(..at);
    }
    outcome.is_idle = decoder.is_idle() && buffer.is_empty();
    outcome
}

fn note(outcome: &mut Outcome, event: Event<'_>, at: usize) {
    if let Event::Head(head) = &event {
        outcome.requests.push(request(head));
        outcome.head_ends.push(at);
        return;
    }
    let last = outcome.requests.last_mut();
    match (event, last) {
        (Event::Body(data), Some(last)) => {
            assert!(!data.is_empty());
            last.body.extend_from_slice(data);
        }
        (Event::Trailers(fields), Some(last)) => {
            assert!(!fields.is_empty());
            last.trailers = owned(&fields);
        }
        (Event::End, Some(last)) => last.is_complete = true,
        (Event::NeedMore, _) => {}
        (event, _) => panic!("{event:?} before a head"),
    }
}

fn request(head: &Head<'_>) -> Request {
    let mut method = head.method_name().to_vec();
    if let Some(name) = head.method().name() {
        assert_eq!(method, name.as_bytes());
        method = name.as_bytes().to_vec();
    }
    assert!(!head.expects_continue() || head.body() != Body::None);
    Request {
        method,
        target: head.raw_target().to_vec(),
        path: head.target().path.to_vec(),
        host: head.authority().map(<[u8]>::to_vec),
        fields: owned(&head.fields()),
        expects_continue: head.expects_continue(),
        upgrade: head.upgrade().map(<[u8]>::to_vec),
        keeps_alive: head.keeps_alive(),
        ..Request::default()
    }
}

fn owned(fields: &Fields<'_>) -> Vec<Field> {
    let mut scratch = Vec::new();
    let fields = fields.iter();
    fields
        .map(|field| {
            (
                field.name.lower(&mut scratch).to_vec(),
                field.value.to_vec(),
            )
        })
        .collect()
}
