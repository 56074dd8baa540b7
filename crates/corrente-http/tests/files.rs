//! Requests for files, each with the section of RFC 9110 that says what it gets.

use std::time::Duration;

use corrente_http::Limits;
use corrente_http::files::{Age, Coding, Known, Span, Tag, Verdict, Wish};
use corrente_http::h1::{Decoder, Event};

/// Sun, 06 Nov 1994 08:49:37 GMT.
const CHANGED: u64 = 784_111_777;

/// The tag of the file below.
const TAG: &str = "\"2ebc98a1.0-64\"";

fn wish(method: &str, fields: &str) -> Wish {
    let request = format!("{method} /a HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let mut decoder = Decoder::new(Limits::default());
    let step = decoder.next(request.as_bytes()).expect("a request");
    let Event::Head(head) = step.event else {
        panic!("no head");
    };
    Wish::of(&head)
}

/// What a request gets of a file of 100 bytes.
fn verdict(age: Age, method: &str, fields: &str) -> Verdict {
    let tag = Tag::new(Duration::from_secs(CHANGED), 100, None, age);
    let known = Known {
        length: 100,
        tag: &tag,
        modified: CHANGED,
    };
    wish(method, fields).verdict(&known)
}

/// Section of RFC 9110, fields, and what they make of the file: `{TAG}` is its tag, `{same}` when it was changed,
/// `{before}` and `{after}` are a second from that.
const CONDITIONS: &[(&str, &str, Verdict)] = &[
    ("13.1.1", "If-Match: {TAG}\r\n", Verdict::Whole),
    ("13.1.1", "If-Match: *\r\n", Verdict::Whole),
    ("13.1.1", "If-Match: \"other\"\r\n", Verdict::Failed),
    ("13.1.1", "If-Match: W/{TAG}\r\n", Verdict::Failed),
    (
        "13.1.1",
        "If-Match: \"other\"\r\nIf-Match: {TAG}\r\n",
        Verdict::Whole,
    ),
    ("13.1.2", "If-None-Match: {TAG}\r\n", Verdict::NotModified),
    ("13.1.2", "If-None-Match: W/{TAG}\r\n", Verdict::NotModified),
    (
        "13.1.2",
        "If-None-Match: \"a\", {TAG}\r\n",
        Verdict::NotModified,
    ),
    ("13.1.2", "If-None-Match: *\r\n", Verdict::NotModified),
    ("13.1.2", "If-None-Match: \"other\"\r\n", Verdict::Whole),
    (
        "13.1.3",
        "If-Modified-Since: {same}\r\n",
        Verdict::NotModified,
    ),
    (
        "13.1.3",
        "If-Modified-Since: {after}\r\n",
        Verdict::NotModified,
    ),
    ("13.1.3", "If-Modified-Since: {before}\r\n", Verdict::Whole),
    ("13.1.3", "If-Modified-Since: yesterday\r\n", Verdict::Whole),
    (
        "13.1.3",
        "If-Modified-Since: {same}\r\nIf-None-Match: \"other\"\r\n",
        Verdict::Whole,
    ),
    ("13.1.4", "If-Unmodified-Since: {same}\r\n", Verdict::Whole),
    (
        "13.1.4",
        "If-Unmodified-Since: {before}\r\n",
        Verdict::Failed,
    ),
    ("13.1.4", "If-Unmodified-Since: 0\r\n", Verdict::Whole),
    (
        "13.1.4",
        "If-Unmodified-Since: {before}\r\nIf-Match: {TAG}\r\n",
        Verdict::Whole,
    ),
    (
        "13.1.5",
        "Range: bytes=0-9\r\nIf-Range: {TAG}\r\n",
        Verdict::Part(Span {
            first: 0,
            length: 10,
        }),
    ),
    (
        "13.1.5",
        "Range: bytes=0-9\r\nIf-Range: W/{TAG}\r\n",
        Verdict::Whole,
    ),
    (
        "13.1.5",
        "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n",
        Verdict::Whole,
    ),
    (
        "13.1.5",
        "Range: bytes=0-9\r\nIf-Range: *\r\n",
        Verdict::Whole,
    ),
    (
        "13.1.5",
        "Range: bytes=0-9\r\nIf-Range: {same}\r\n",
        Verdict::Part(Span {
            first: 0,
            length: 10,
        }),
    ),
    (
        "13.1.5",
        "Range: bytes=0-9\r\nIf-Range: {after}\r\n",
        Verdict::Whole,
    ),
    (
        "13.1.5",
        "Range: bytes=200-\r\nIf-Range: {before}\r\n",
        Verdict::Whole,
    ),
    ("13.1.5", "If-Range: \"other\"\r\n", Verdict::Whole),
    (
        "13.2.2",
        "If-Match: \"other\"\r\nIf-None-Match: {TAG}\r\n",
        Verdict::Failed,
    ),
    (
        "13.2.2",
        "If-None-Match: {TAG}\r\nRange: bytes=200-\r\n",
        Verdict::NotModified,
    ),
    (
        "14.2",
        "Range: bytes=90-\r\n",
        Verdict::Part(Span {
            first: 90,
            length: 10,
        }),
    ),
    ("14.2", "Range: bytes=0-1, 3-4\r\n", Verdict::Whole),
    (
        "14.2",
        "Range: bytes=0-1\r\nRange: bytes=3-4\r\n",
        Verdict::Whole,
    ),
    ("14.2", "Range: pages=1-2\r\n", Verdict::Whole),
    ("15.5.17", "Range: bytes=100-\r\n", Verdict::Unsatisfiable),
];

#[test]
fn each_condition_is_looked_at_in_its_order() {
    let texts = [
        ("{TAG}", TAG),
        ("{same}", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("{before}", "Sun, 06 Nov 1994 08:49:36 GMT"),
        ("{after}", "Sun, 06 Nov 1994 08:49:38 GMT"),
    ];
    for (section, pattern, expected) in CONDITIONS {
        let fields = texts
            .iter()
            .fold((*pattern).to_owned(), |fields, (name, text)| {
                fields.replace(name, text)
            });
        let found = verdict(Age::Rested, "GET", &fields);
        assert_eq!(found, *expected, "section {section}: {fields}");
    }
}

#[test]
fn a_range_is_for_get_alone() {
    // RFC 9110, section 14.2.
    assert_eq!(
        verdict(Age::Rested, "HEAD", "Range: bytes=0-9\r\n"),
        Verdict::Whole
    );
}

#[test]
fn a_file_that_was_just_changed_has_no_parts_by_its_version() {
    // RFC 9110, sections 8.8.1 and 13.1.5.
    for given in [TAG, "W/\"2ebc98a1.0-64\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let fields = format!("Range: bytes=0-9\r\nIf-Range: {given}\r\n");
        assert_eq!(
            verdict(Age::Fresh, "GET", &fields),
            Verdict::Whole,
            "{given}"
        );
    }
    let fields = format!("If-None-Match: {TAG}\r\n");
    assert_eq!(verdict(Age::Fresh, "GET", &fields), Verdict::NotModified);
}

#[test]
fn codings_come_from_all_fields() {
    // RFC 9110, sections 5.3 and 12.5.3.
    let found = wish(
        "GET",
        "Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: zstd\r\n",
    );
    assert_eq!(found.codings(), [Coding::Zstandard, Coding::Gzip]);
    assert!(wish("GET", "").codings().is_empty());
}
