//! Requests and responses: bodies both ways, windows, trailers, resets, the end.

use std::future::Future as _;
use std::pin::Pin;

use bytes::Bytes;
use corrente_http::http2::http::{HeaderMap, HeaderValue, Request, Response};
use corrente_http::http2::{Ending, Event, Limits};
use h2::SendStream;
use h2::client::ResponseFuture;
use h2::ext::Protocol;

use crate::client::{Pair, context, ready};

fn request(method: &str) -> Request<()> {
    let request = Request::builder()
        .method(method)
        .uri("http://a.example/b?c");
    request.body(()).expect("is valid")
}

fn response(status: u16) -> Response<()> {
    Response::builder()
        .status(status)
        .header("x-a", "b")
        .body(())
        .expect("is valid")
}

fn trailers() -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert("x-sum", HeaderValue::from_static("1"));
    map
}

#[test]
fn a_request_is_answered() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, _) = pair
        .send
        .send_request(request("GET"), true)
        .expect("is sent");
    let events = pair.exchange();
    let [
        Event::Request {
            stream,
            head,
            is_ended: true,
        },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(head.uri(), "http://a.example/b?c");
    let answered = pair.server.head(*stream, response(200), Ending::More);
    assert_eq!(answered, Ok(()));
    assert_eq!(
        pair.server
            .data(*stream, Bytes::from_static(b"hello"), Ending::Last),
        0
    );
    assert!(pair.exchange().is_empty());
    let found = ready(Pin::new(&mut answer).poll(&mut context())).expect("comes");
    assert_eq!(
        (found.status().as_u16(), &found.headers()["x-a"]),
        (200, &"b".parse().expect(""))
    );
    let mut body = found.into_body();
    let data = ready(body.poll_data(&mut context()))
        .expect("comes")
        .expect("is whole");
    assert_eq!(&data[..], b"hello");
    assert!(ready(body.poll_data(&mut context())).is_none());
}

#[test]
fn trailers_go_both_ways() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, mut body) = pair
        .send
        .send_request(request("POST"), false)
        .expect("is sent");
    body.send_data(Bytes::from_static(b"hello"), false)
        .expect("is sent");
    body.send_trailers(trailers()).expect("is sent");
    let events = pair.exchange();
    let [
        Event::Request {
            stream,
            is_ended: false,
            ..
        },
        Event::Data { data, .. },
        Event::End {
            trailers: Some(found),
            ..
        },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((&data[..], found), (&b"hello"[..], &trailers()));
    let answered = pair
        .server
        .head(*stream, response(200), Ending::Trailers(trailers()));
    assert_eq!(answered, Ok(()));
    pair.exchange();
    let found = ready(Pin::new(&mut answer).poll(&mut context())).expect("comes");
    let mut body = found.into_body();
    assert!(ready(body.poll_data(&mut context())).is_none());
    assert_eq!(
        ready(body.poll_trailers(&mut context())).expect("comes"),
        Some(trailers())
    );
}

/// A megabyte there and back, through windows of 64 KiB.
#[test]
fn windows_hold_both_sides_back() {
    const BYTES: usize = 1_000_000;
    let limits = Limits {
        stream_window_bytes: 65_535,
        ..Limits::default()
    };
    let mut pair = Pair::new(limits);
    let (mut answer, mut body) = pair
        .send
        .send_request(request("POST"), false)
        .expect("is sent");
    body.send_data(Bytes::from(vec![1; BYTES]), true)
        .expect("is queued");
    let events = pair.exchange();
    let received = |events: &[Event]| -> usize {
        let length = |event: &Event| match event {
            Event::Data { data, .. } => data.len(),
            _ => 0,
        };
        events.iter().map(length).sum()
    };
    let Some(Event::Request { stream, .. }) = events.first() else {
        panic!("{events:?}");
    };
    let stream = *stream;
    let mut total = received(&events);
    assert_eq!(total, 65_535, "nothing was taken, so nothing more may come");
    let mut untaken = total;
    while total < BYTES {
        pair.server.taken(stream, untaken);
        untaken = received(&pair.exchange());
        assert!(untaken > 0, "{total}");
        total += untaken;
    }
    assert_eq!(
        pair.server.head(stream, response(200), Ending::More),
        Ok(())
    );
    let waiting = pair
        .server
        .data(stream, Bytes::from(vec![2; BYTES]), Ending::Last);
    assert!(waiting >= BYTES - 65_535, "{waiting}");
    pair.exchange();
    let found = ready(Pin::new(&mut answer).poll(&mut context())).expect("comes");
    let mut body = found.into_body();
    let mut got = 0;
    while got < BYTES {
        let data = ready(body.poll_data(&mut context()))
            .expect("comes")
            .expect("is whole");
        got += data.len();
        body.flow_control()
            .release_capacity(data.len())
            .expect("was received");
        pair.exchange();
    }
    assert!(ready(body.poll_data(&mut context())).is_none());
}

#[test]
fn what_waited_is_sent_and_then_there_is_room() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, _) = pair
        .send
        .send_request(request("GET"), true)
        .expect("is sent");
    pair.exchange();
    assert_eq!(pair.server.head(1, response(200), Ending::More), Ok(()));
    assert!(
        pair.server
            .data(1, Bytes::from(vec![0; 100_000]), Ending::More)
            > 0
    );
    assert!(pair.exchange().is_empty());
    let found = ready(Pin::new(&mut answer).poll(&mut context())).expect("comes");
    let mut body = found.into_body();
    let data = ready(body.poll_data(&mut context()))
        .expect("comes")
        .expect("is whole");
    body.flow_control()
        .release_capacity(data.len())
        .expect("was received");
    while let std::task::Poll::Ready(Some(Ok(data))) = body.poll_data(&mut context()) {
        body.flow_control()
            .release_capacity(data.len())
            .expect("was received");
    }
    let events = pair.exchange();
    assert!(
        matches!(&events[..], [Event::Writable { stream: 1 }]),
        "{events:?}"
    );
}

#[test]
fn a_client_that_goes_is_seen() {
    let mut pair = Pair::new(Limits::default());
    let (answer, mut body) = pair
        .send
        .send_request(request("POST"), false)
        .expect("is sent");
    assert_eq!(pair.exchange().len(), 1);
    body.send_reset(h2::Reason::CANCEL);
    drop(answer);
    let events = pair.exchange();
    assert!(
        matches!(&events[..], [Event::Reset { stream: 1, code: 8 }]),
        "{events:?}"
    );
    assert_eq!(
        pair.server.head(1, response(200), Ending::Last),
        Ok(()),
        "is for nobody"
    );
}

#[test]
fn a_stream_can_be_broken_off() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, _) = pair
        .send
        .send_request(request("GET"), true)
        .expect("is sent");
    pair.exchange();
    pair.server.reset(1, 2);
    pair.exchange();
    let error = ready(Pin::new(&mut answer).poll(&mut context())).expect_err("is broken off");
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
}

#[test]
fn the_last_answer_is_given_before_the_end() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, _) = pair
        .send
        .send_request(request("GET"), true)
        .expect("is sent");
    pair.exchange();
    pair.server.shut_down();
    assert!(pair.exchange().is_empty());
    assert_eq!(pair.server.head(1, response(204), Ending::Last), Ok(()));
    let events = pair.exchange();
    assert!(matches!(&events[..], [Event::Closed]), "{events:?}");
    let found = ready(Pin::new(&mut answer).poll(&mut context())).expect("comes");
    assert_eq!(found.status().as_u16(), 204);
}

#[test]
fn interim_responses_come_first() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, _) = pair
        .send
        .send_request(request("GET"), true)
        .expect("is sent");
    pair.exchange();
    assert_eq!(pair.server.interim(1, response(103)), Ok(()));
    assert_eq!(pair.server.head(1, response(200), Ending::Last), Ok(()));
    pair.exchange();
    let early = ready(answer.poll_informational(&mut context()))
        .expect("comes")
        .expect("is valid");
    assert_eq!(early.status().as_u16(), 103);
}

/// A CONNECT for a WebSocket, and the server's number for its stream.
fn connected(pair: &mut Pair) -> (ResponseFuture, SendStream<Bytes>, u32) {
    let mut asked = request("CONNECT");
    let websocket = Protocol::from_static("websocket");
    asked.extensions_mut().insert(websocket);
    let (answer, body) = pair.send.send_request(asked, false).expect("is sent");
    let events = pair.exchange();
    let [
        Event::Request {
            stream,
            is_ended: false,
            ..
        },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(pair.server.accept(*stream, response(200)), Ok(()));
    (answer, body, *stream)
}

#[test]
fn a_tunnel_has_two_ends() {
    let mut pair = Pair::new(Limits::default());
    let (mut answer, mut body, stream) = connected(&mut pair);
    pair.server
        .data(stream, Bytes::from_static(b"bye"), Ending::Last);
    assert!(pair.exchange().is_empty());
    let found = ready(Pin::new(&mut answer).poll(&mut context())).expect("comes");
    assert_eq!(found.status().as_u16(), 200);
    assert!(body.poll_reset(&mut context()).is_pending());
    body.send_data(Bytes::from_static(b"more"), true)
        .expect("is open");
    let events = pair.exchange();
    assert!(
        matches!(&events[..], [Event::Data { .. }, Event::End { .. }]),
        "{events:?}"
    );
}

#[test]
fn a_tunnel_may_be_ignored_once_our_side_has_ended() {
    let mut pair = Pair::new(Limits::default());
    let (_answer, mut body, stream) = connected(&mut pair);
    pair.server.ignore(stream);
    assert!(pair.exchange().is_empty());
    assert!(body.poll_reset(&mut context()).is_pending());
    pair.server.data(stream, Bytes::new(), Ending::Last);
    assert!(pair.exchange().is_empty());
    let reason = ready(body.poll_reset(&mut context())).expect("is told");
    assert_eq!(u32::from(reason), 0);
}
