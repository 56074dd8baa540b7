//! Lines of the access log, and what a client cannot do to them.

use std::time::Duration;

use jiff::Zoned;

use super::*;

fn line(format: &str, change: impl Fn(&mut Finished<'_>)) -> String {
    let began: Zoned = "2026-11-22T02:30:57.25+01:00[+01:00]"
        .parse()
        .expect("a time");
    let headers: [(&[u8], &[u8]); 2] = [(b"Referer", b"http://a/"), (b"User-Agent", b"curl/8")];
    let answer: [(&[u8], &[u8]); 1] = [(b"Content-Type", b"text/html")];
    let mut seconds = Seconds::default();
    let mut request = Finished {
        began: seconds.moment_of(&began),
        client: "203.0.113.7",
        method: b"GET",
        target: b"/shop?page=2",
        version: "HTTP/1.1",
        status: 200,
        sent_bytes: 1234,
        received_bytes: 56,
        duration: Duration::from_micros(1_234_567),
        request_headers: &headers,
        response_headers: &answer,
        scheme: "https",
        request_id: "7f",
        process: 17,
    };
    change(&mut request);
    let mut line = Vec::new();
    Format::read(format)
        .expect("a format")
        .render(&request, &mut line);
    String::from_utf8(line).expect("it is ASCII or JSON")
}

#[test]
fn the_known_formats() {
    let common =
        "203.0.113.7 - - [22/Nov/2026:02:30:57 +0100] \"GET /shop?page=2 HTTP/1.1\" 200 1234";
    assert_eq!(line("common", |_| ()), format!("{common}\n"));
    let combined = format!("{common} \"http://a/\" \"curl/8\"\n");
    assert_eq!(line("combined", |_| ()), combined);
}

#[test]
fn every_atom() {
    let check = |format: &str, expected: &str| {
        assert_eq!(line(format, |_| ()), format!("{expected}\n"), "{format}");
    };
    check("%(m)s %(U)s %(q)s %(H)s", "GET /shop page=2 HTTP/1.1");
    check("%(b)s %(B)s %(I)s", "1234 1234 56");
    check("%(T)s %(M)s %(D)s %(L)s", "1 1234 1234567 1.234567");
    check("%(p)s %(S)s %(R)s 100%%", "17 https 7f 100%");
    check(
        "%({User-Agent}i)s %({content-type}o)s %({x-none}i)s",
        "curl/8 text/html -",
    );
    check("", "");
    let nothing = line("%(b)s %(B)s", |request| request.sent_bytes = 0);
    assert_eq!(nothing, "- 0\n");
}

#[test]
fn what_is_no_atom_is_refused() {
    for (format, found) in [
        ("%(x)s", "%(x)s"),
        ("%h", "%h"),
        ("%(h)", "%(h)"),
        ("%({a}e)s", "%({a}e)s"),
        ("100%", "%"),
    ] {
        let error = Format::read(format).expect_err("it is refused");
        assert_eq!(error, FormatError::Unknown(found.to_owned()));
    }
}

#[test]
fn a_client_cannot_end_a_line_or_a_field() {
    let evil = line("\"%(r)s\" %(h)s", |request| {
        request.target = b"/\" 200\n\x1b[31m\\\xff";
        request.client = "";
    });
    assert_eq!(
        evil,
        "\"GET /\\x22 200\\x0A\\x1B[31m\\x5C\\xFF HTTP/1.1\" -\n"
    );
}

#[test]
fn json_is_one_object_a_line() {
    let text = line("json", |request| request.target = b"/\"\n\xff");
    assert_eq!(text.matches('\n').count(), 1);
    let object: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(object["path"], "/\"\n\u{FFFD}");
    assert_eq!(object["duration_ms"], 1234.567);
    assert_eq!(object["time"], "2026-11-22T02:30:57.250+01:00");
    insta::assert_snapshot!(line("json", |_| ()));
}
