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

#[test]
fn each_condition_is_looked_at_in_its_order() {
    use Verdict::{Failed, NotModified, Unsatisfiable, Whole};
    let part = |first, length| Verdict::Part(Span { first, length });
    let same = "Sun, 06 Nov 1994 08:49:37 GMT";
    let before = "Sun, 06 Nov 1994 08:49:36 GMT";
    let after = "Sun, 06 Nov 1994 08:49:38 GMT";
    for (section, fields, expected) in [
        ("13.1.1", format!("If-Match: {TAG}\r\n"), Whole),
        ("13.1.1", "If-Match: *\r\n".to_owned(), Whole),
        ("13.1.1", "If-Match: \"other\"\r\n".to_owned(), Failed),
        ("13.1.1", format!("If-Match: W/{TAG}\r\n"), Failed),
        (
            "13.1.1",
            format!("If-Match: \"other\"\r\nIf-Match: {TAG}\r\n"),
            Whole,
        ),
        ("13.1.2", format!("If-None-Match: {TAG}\r\n"), NotModified),
        ("13.1.2", format!("If-None-Match: W/{TAG}\r\n"), NotModified),
        (
            "13.1.2",
            format!("If-None-Match: \"a\", {TAG}\r\n"),
            NotModified,
        ),
        ("13.1.2", "If-None-Match: *\r\n".to_owned(), NotModified),
        ("13.1.2", "If-None-Match: \"other\"\r\n".to_owned(), Whole),
        (
            "13.1.3",
            format!("If-Modified-Since: {same}\r\n"),
            NotModified,
        ),
        (
            "13.1.3",
            format!("If-Modified-Since: {after}\r\n"),
            NotModified,
        ),
        ("13.1.3", format!("If-Modified-Since: {before}\r\n"), Whole),
        (
            "13.1.3",
            "If-Modified-Since: yesterday\r\n".to_owned(),
            Whole,
        ),
        (
            "13.1.3",
            format!("If-Modified-Since: {same}\r\nIf-None-Match: \"other\"\r\n"),
            Whole,
        ),
        ("13.1.4", format!("If-Unmodified-Since: {same}\r\n"), Whole),
        (
            "13.1.4",
            format!("If-Unmodified-Since: {before}\r\n"),
            Failed,
        ),
        ("13.1.4", "If-Unmodified-Since: 0\r\n".to_owned(), Whole),
        (
            "13.1.4",
            format!("If-Unmodified-Since: {before}\r\nIf-Match: {TAG}\r\n"),
            Whole,
        ),
        (
            "13.1.5",
            format!("Range: bytes=0-9\r\nIf-Range: {TAG}\r\n"),
            part(0, 10),
        ),
        (
            "13.1.5",
            format!("Range: bytes=0-9\r\nIf-Range: W/{TAG}\r\n"),
            Whole,
        ),
        (
            "13.1.5",
            "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n".to_owned(),
            Whole,
        ),
        (
            "13.1.5",
            "Range: bytes=0-9\r\nIf-Range: *\r\n".to_owned(),
            Whole,
        ),
        (
            "13.1.5",
            format!("Range: bytes=0-9\r\nIf-Range: {same}\r\n"),
            part(0, 10),
        ),
        (
            "13.1.5",
            format!("Range: bytes=0-9\r\nIf-Range: {after}\r\n"),
            Whole,
        ),
        (
            "13.1.5",
            format!("Range: bytes=200-\r\nIf-Range: {before}\r\n"),
            Whole,
        ),
        ("13.1.5", "If-Range: \"other\"\r\n".to_owned(), Whole),
        (
            "13.2.2",
            format!("If-Match: \"other\"\r\nIf-None-Match: {TAG}\r\n"),
            Failed,
        ),
        (
            "13.2.2",
            format!("If-None-Match: {TAG}\r\nRange: bytes=200-\r\n"),
            NotModified,
        ),
        ("14.2", "Range: bytes=90-\r\n".to_owned(), part(90, 10)),
        ("14.2", "Range: bytes=0-1, 3-4\r\n".to_owned(), Whole),
        (
            "14.2",
            "Range: bytes=0-1\r\nRange: bytes=3-4\r\n".to_owned(),
            Whole,
        ),
        ("14.2", "Range: pages=1-2\r\n".to_owned(), Whole),
        ("15.5.17", "Range: bytes=100-\r\n".to_owned(), Unsatisfiable),
    ] {
        let found = verdict(Age::Rested, "GET", &fields);
        assert_eq!(found, expected, "section {section}: {fields}");
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
