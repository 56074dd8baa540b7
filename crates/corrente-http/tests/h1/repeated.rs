//! Heads that a connection brings more than once.
//!
//! What is told of a head that is not read a second time is what a decoder tells that has never seen it; and what only looks
//! like the last one is another. Where bodies end is `agreement`'s, with these heads among its cases.

use corrente_http::Limits;
use corrente_http::h1::{Decoder, Event};

const GET: &str = "GET /a HTTP/1.1\r\nHost: b\r\nAccept: */*\r\n\r\n";
const POST: &str = "POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nhi";
const CHUNKS: &str =
    "POST /a HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
const TRAILERS: &str =
    "POST /a HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n\r\n";

/// For each request of a connection how many fields it has, and whether its head is said to be the last one again.
fn check(requests: &[&str], expected: &[(usize, bool)]) {
    let input = requests.concat();
    let mut decoder = Decoder::new(Limits::default());
    let mut found = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let step = decoder.next(&input.as_bytes()[at..]).expect("is valid");
        at += step.consumed;
        match step.event {
            Event::Head(head) => {
                assert!(head.bytes().ends_with(b"\r\n\r\n"));
                found.push((head.fields().iter().count(), head.is_repeated()));
            }
            Event::NeedMore => break,
            Event::Body(_) | Event::Trailers(_) | Event::End => {}
        }
    }
    assert_eq!(found, expected, "{requests:?}");
}

#[test]
fn the_same_head_is_known_again() {
    check(&[GET, GET, GET], &[(2, false), (2, true), (2, true)]);
    check(&[POST, POST], &[(2, false), (2, true)]);
    check(
        &[GET, POST, GET, GET],
        &[(2, false), (2, false), (2, false), (2, true)],
    );
    // An empty line before it is overlooked.
    check(&[GET, "\r\n", GET], &[(2, false), (2, true)]);
}

#[test]
fn a_head_that_only_begins_like_the_last_one_is_another() {
    let longer = GET.replace("\r\n\r\n", "\r\nX-A: b\r\n\r\n");
    check(&[GET, &longer, GET], &[(2, false), (3, false), (2, false)]);
    let upper = GET.replace("Accept", "ACCEPT");
    check(&[GET, &upper], &[(2, false), (2, false)]);
}

/// What follows the chunks is kept where the head's fields were.
#[test]
fn nothing_is_remembered_beside_trailers() {
    check(&[CHUNKS, CHUNKS], &[(2, false), (2, false)]);
    check(&[TRAILERS, TRAILERS], &[(2, false), (2, false)]);
}

#[test]
fn a_long_head_is_not_remembered() {
    let long = GET.replace("*/*", &"a".repeat(1024));
    check(&[&long, &long], &[(2, false), (2, false)]);
}

#[test]
fn a_head_that_comes_in_pieces_is_read_as_ever() {
    let mut decoder = Decoder::new(Limits::default());
    let mut heads = Vec::new();
    for _ in 0..2 {
        for end in 1..=GET.len() {
            let event = decoder
                .next(&GET.as_bytes()[..end])
                .expect("is valid")
                .event;
            if let Event::Head(head) = event {
                heads.push((head.raw_target() == b"/a", head.is_repeated()));
            }
        }
        assert!(matches!(
            decoder.next(b"").expect("is valid").event,
            Event::End
        ));
    }
    assert_eq!(heads, [(true, false); 2]);
}
