//! Properties: any cut into pieces gives the same events; the slow reading of the standard and httparse
//! see the same requests; what the encoder writes comes back.

use crate::observe::observe;
use crate::reference::{self, Verdict};
use corrente_http::h1::{Asked, Encoder, Length, ResponseHead, Version};
use corrente_http::{Limits, Method};
use proptest::prelude::*;

/// Pieces of valid and nearly valid requests.
const WORDS: &[&str] = &[
    "GET",
    "get",
    "POST",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    " ",
    " ",
    " ",
    "/",
    "/a?b",
    "%00",
    "\\",
    "*",
    "http://a/b",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2.0",
    "\r\n",
    "\r\n",
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\n",
    "\t",
    ":",
    ": ",
    "Host",
    "Host: a\r\n",
    "Host: a\r\n",
    "Content-Length: ",
    "Content-Length: 5\r\n",
    "5",
    "0",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: ",
    "chunked",
    "gzip",
    ",",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Expect: 100-continue\r\n",
    "X-A: b\r\n",
    "X-Long-Name: some value, \"q\"\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\nX-T: u\r\n\r\n",
    "5;a=b\r\nhello\r\n",
    "5\r\nhello!\n",
    "hello",
    "\0",
    "\x7f",
    "\u{80}",
    "\"",
    ";",
    "=",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "POST /p HTTP/1.1\r\nHost: a\r\n",
    "POST /p HTTP/1.0\r\n",
];

/// Requests that are valid by themselves.
const VALID: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
    "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nhost: [::1]:80\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nX-A:  b \t\r\n\r\n",
    "GET http://a:80/b HTTP/1.1\r\nHost: a:80\r\nExpect: 100-continue\r\nAccept: */*\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nUser-Agent: x/1.0 (y; z)\r\n\r\n",
];

fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u8).collect()
}

/// Valid requests with something changed, and heaps of words.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let heap = prop::collection::vec(prop::sample::select(WORDS), 0..24);
    let heap = heap.prop_map(|words| words.iter().flat_map(|word| bytes(word)).collect());
    let valid = prop::collection::vec(prop::sample::select(VALID), 1..4);
    let change = (
        any::<prop::sample::Index>(),
        prop::sample::select(WORDS),
        0..4_usize,
        0..4_u8,
    );
    let changes = prop::collection::vec(change, 0..3);
    let changed = (valid, changes).prop_map(|(requests, changes)| {
        let mut input: Vec<u8> = requests.iter().flat_map(|request| bytes(request)).collect();
        for (place, word, removed, kind) in changes {
            let at = place.index(input.len() + 1);
            let end = (at + removed).min(input.len());
            let new = match kind {
                0 => Vec::new(),
                1 => bytes(word).into_iter().take(1).collect(),
                _ => bytes(word),
            };
            input.splice(at..end, new);
        }
        input
    });
    prop_oneof![heap, changed]
}

fn cut<'b>(input: &'b [u8], cuts: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    places.extend([0, input.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &input[pair[0]..pair[1]])
        .collect()
}

/// Limits small enough to be met by a few words.
fn tight() -> Limits {
    Limits {
        max_method_bytes: 6,
        max_target_bytes: 4,
        max_head_bytes: 60,
        max_headers: 3,
        max_body_bytes: 8,
        max_chunk_extension_bytes: 2,
        max_trailer_bytes: 10,
        max_trailers: 1,
    }
}

/// `HTTP/1.2` and above, which httparse does not take, as `HTTP/1.1`; of the first request.
fn with_known_version(input: &[u8]) -> Vec<u8> {
    let mut input = input.to_vec();
    let line = input
        .iter()
        .position(|&byte| byte == b'H')
        .unwrap_or_default();
    let places = (line..input.len()).find(|&at| input[at..].starts_with(b"HTTP/1."));
    if let Some(digit) = places.and_then(|at| input.get_mut(at + 7)) {
        *digit = (*digit).min(b'1');
    }
    input
}

/// Of each property; `PROPTEST_CASES=2000000` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|text| text.parse().ok());
    asked.unwrap_or(20_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_cut_gives_the_same_events(
        input in input(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        for limits in [Limits::default(), tight()] {
            let whole = observe(limits, [input.as_slice()]);
            prop_assert_eq!(&observe(limits, cut(&input, &cuts)), &whole);
            prop_assert_eq!(&observe(limits, input.chunks(1)), &whole);
        }
    }

    #[test]
    fn a_slow_and_simple_reading_agrees(input in input()) {
        let outcome = observe(Limits::default(), [input.as_slice()]);
        let (expected, verdict) = reference::read(&input);
        let complete: Vec<_> = outcome.requests.iter().filter(|r| r.is_complete).collect();
        prop_assert_eq!(complete.len(), expected.len(), "{:?} {:?}", verdict, outcome);
        for (found, expected) in complete.into_iter().zip(&expected) {
            prop_assert_eq!(&found.method, &expected.method);
            prop_assert_eq!(&found.target, &expected.target);
            prop_assert_eq!(&found.fields, &expected.fields);
            prop_assert_eq!(&found.body, &expected.body);
        }
        match verdict {
            Verdict::Rejected => prop_assert!(outcome.rejection.is_some(), "{:?}", outcome),
            Verdict::Complete => prop_assert!(outcome.rejection.is_none(), "{:?}", outcome),
            Verdict::Unknown => prop_assert!(!outcome.is_idle),
        }
    }

    #[test]
    fn httparse_sees_the_same_heads(input in input()) {
        let outcome = observe(Limits::default(), [input.as_slice()]);
        if let (Some(found), Some(&end)) = (outcome.requests.first(), outcome.head_ends.first()) {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            let input = with_known_version(&input);
            let status = request.parse(&input);
            prop_assert_eq!(status, Ok(httparse::Status::Complete(end)));
            prop_assert_eq!(request.method.map(str::as_bytes), Some(found.method.as_slice()));
            prop_assert_eq!(request.path.map(str::as_bytes), Some(found.target.as_slice()));
            prop_assert_eq!(request.headers.len(), found.fields.len());
            for (header, (name, value)) in request.headers.iter().zip(&found.fields) {
                let lower = header.name.to_ascii_lowercase();
                prop_assert_eq!(lower.as_bytes(), name.as_slice());
                prop_assert_eq!(header.value, value.as_slice());
            }
        }
    }

    #[test]
    fn random_bytes_do_no_harm(input in prop::collection::vec(any::<u8>(), 0..300)) {
        let whole = observe(Limits::default(), [input.as_slice()]);
        prop_assert_eq!(observe(Limits::default(), input.chunks(1)), whole);
    }

    #[test]
    fn chunks_that_are_encoded_are_decoded(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        trailer in "[ -~]{0,20}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut wire = Vec::new();
        let asked = Asked { version: Version::Http11, method: Method::Get, keeps_alive: true };
        let mut encoder = Encoder::new(asked);
        let none: [(&[u8], &[u8]); 0] = [];
        let head = ResponseHead { status: 200, date: b"", server: b"", length: Length::Unknown };
        prop_assert_eq!(encoder.head(head, none, &mut wire), Ok(()));
        // What follows a response's head has the form of what follows a request's.
        wire.clear();
        wire.extend_from_slice(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in &pieces {
            prop_assert_eq!(encoder.data(piece, &mut wire), Ok(()));
        }
        let trailers = [(&b"x-trailer"[..], trailer.as_bytes())];
        prop_assert!(encoder.finish(trailers, &mut wire).is_ok());
        let outcome = observe(Limits::default(), cut(&wire, &cuts));
        prop_assert_eq!(outcome.rejection, None);
        prop_assert!(outcome.is_idle);
        prop_assert_eq!(&outcome.requests[0].body, &pieces.concat());
        let expected = trailer.trim_matches([' ', '\t']).as_bytes();
        prop_assert_eq!(&outcome.requests[0].trailers[0].1, expected);
    }
}
