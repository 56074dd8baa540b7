//! Responses: what the encoder writes for each kind of request, and what it refuses to write.

use corrente_http::Method;
use corrente_http::h1::{
    After, Asked, Encoder, Framing, Length, ResponseError, ResponseHead, Version, refuse, switch,
};
use corrente_http::{Rejection, http_date};

type Field<'a> = (&'a [u8], &'a [u8]);

const GET: Asked = Asked {
    version: Version::Http11,
    method: Method::Get,
    keeps_alive: true,
};
const OLD: Asked = Asked {
    version: Version::Http10,
    method: Method::Get,
    keeps_alive: false,
};
const NONE: [Field<'static>; 0] = [];

fn head(status: u16, length: Length) -> ResponseHead<'static> {
    ResponseHead {
        status,
        date: b"D",
        server: b"corrente",
        length,
    }
}

/// Head, body and end; what was written, and what becomes of the connection.
fn answer(
    asked: Asked,
    head: ResponseHead<'_>,
    fields: &[Field<'_>],
    body: &[&[u8]],
) -> (String, Result<After, ResponseError>) {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(asked);
    let mut write = || {
        encoder.head(head, fields.iter().copied(), &mut out)?;
        for data in body {
            encoder.data(data, &mut out)?;
        }
        encoder.finish(NONE, &mut out)
    };
    let after = write();
    (String::from_utf8_lossy(&out).into_owned(), after)
}

#[test]
fn a_body_at_hand_gets_a_length() {
    let (text, after) = answer(GET, head(200, Length::Known(2)), &[(b"x", b"1")], &[b"hi"]);
    let expected = "HTTP/1.1 200 OK\r\nx: 1\r\ndate: D\r\nserver: corrente\r\n\
                    content-length: 2\r\n\r\nhi";
    assert_eq!((text.as_str(), after), (expected, Ok(After::Keep)));
}

#[test]
fn a_body_in_pieces_is_chunked() {
    let pieces: [&[u8]; 3] = [b"hello", b"", b"0123456789abcdef"];
    let (text, after) = answer(GET, head(404, Length::Unknown), &[], &pieces);
    let expected = "HTTP/1.1 404 Not Found\r\ndate: D\r\nserver: corrente\r\n\
                    transfer-encoding: chunked\r\n\r\n\
                    5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
    assert_eq!((text.as_str(), after), (expected, Ok(After::Keep)));
}

#[test]
fn an_old_client_gets_no_chunks() {
    let (text, after) = answer(OLD, head(200, Length::Unknown), &[], &[b"hi"]);
    assert!(
        text.ends_with("server: corrente\r\nconnection: close\r\n\r\nhi"),
        "{text}"
    );
    assert_eq!(after, Ok(After::Close));
    let keeping = Asked {
        keeps_alive: true,
        ..OLD
    };
    let (text, after) = answer(keeping, head(200, Length::Known(2)), &[], &[b"hi"]);
    assert!(text.contains("\r\nconnection: keep-alive\r\n"), "{text}");
    assert_eq!(after, Ok(After::Keep));
    let (text, after) = answer(keeping, head(200, Length::Unknown), &[], &[b"hi"]);
    assert!(text.contains("\r\nconnection: close\r\n"), "{text}");
    assert_eq!(after, Ok(After::Close));
}

#[test]
fn some_responses_have_no_body() {
    let head_only = Asked {
        method: Method::Head,
        ..GET
    };
    let (text, after) = answer(head_only, head(200, Length::Known(2)), &[], &[b"hi"]);
    assert!(text.ends_with("content-length: 2\r\n\r\n"), "{text}");
    assert_eq!(after, Ok(After::Keep));
    for status in [204, 304] {
        let (text, after) = answer(GET, head(status, Length::Known(2)), &[], &[b"hi"]);
        assert!(text.ends_with("server: corrente\r\n\r\n"), "{text}");
        assert_eq!(after, Ok(After::Keep));
    }
    let length: Field<'_> = (b"content-length", b"2");
    let (text, _) = answer(GET, head(304, Length::Unknown), &[length], &[]);
    assert!(text.contains("content-length: 2\r\n"), "{text}");
    let (text, _) = answer(GET, head(204, Length::Unknown), &[length], &[]);
    assert!(!text.contains("content-length"), "{text}");
}

#[test]
fn the_application_s_own_fields_win() {
    let fields: [Field<'_>; 5] = [
        (b"Date", b"then"),
        (b"Server", b"mine"),
        (b"Content-Length", b"2"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"x, Close"),
    ];
    let (text, after) = answer(GET, head(200, Length::Unknown), &fields, &[b"h", b"i"]);
    let expected = "HTTP/1.1 200 OK\r\nDate: then\r\nServer: mine\r\ncontent-length: 2\r\n\
                    connection: close\r\n\r\nhi";
    assert_eq!((text.as_str(), after), (expected, Ok(After::Close)));
}

#[test]
fn the_body_is_counted() {
    let length: Field<'_> = (b"content-length", b"3");
    let (text, after) = answer(GET, head(200, Length::Unknown), &[length], &[b"ab", b"cd"]);
    assert!(text.ends_with("\r\n\r\nab"), "{text}");
    assert_eq!(
        after,
        Err(ResponseError::TooMuch {
            declared: 3,
            excess: 1
        })
    );
    let (_, after) = answer(GET, head(200, Length::Unknown), &[length], &[b"ab"]);
    assert_eq!(
        after,
        Err(ResponseError::TooLittle {
            declared: 3,
            missing: 1
        })
    );
}

#[test]
fn nothing_can_be_injected_and_nothing_is_left_of_a_bad_head() {
    let bad: [(Field<'_>, ResponseError); 8] = [
        ((b"a", b"b\r\nc: d"), ResponseError::Value(b'\r')),
        ((b"a", b"b\nc"), ResponseError::Value(b'\n')),
        ((b"a", b"\0"), ResponseError::Value(0)),
        ((b"a b", b""), ResponseError::Name(b' ')),
        ((b"a:", b""), ResponseError::Name(b':')),
        ((b"", b""), ResponseError::Name(b':')),
        ((b"content-length", b"-1"), ResponseError::ContentLength),
        (
            (b"transfer-encoding", b"gzip"),
            ResponseError::TransferEncoding,
        ),
    ];
    for (field, expected) in bad {
        let mut out = b"before".to_vec();
        let mut encoder = Encoder::new(GET);
        let fields = [(&b"x"[..], &b"1"[..]), field];
        let result = encoder.head(head(200, Length::Unknown), fields, &mut out);
        assert_eq!(result, Err(expected));
        assert_eq!(out, b"before");
        let again = encoder.head(head(500, Length::Known(0)), NONE, &mut out);
        assert_eq!(
            (again, encoder.framing()),
            (Ok(()), Some(Framing::Length(0)))
        );
    }
}

#[test]
fn interim_responses_come_before_the_head_and_not_to_old_clients() {
    let link: [Field<'_>; 1] = [(b"link", b"</a>; rel=preload")];
    let mut out = Vec::new();
    assert_eq!(Encoder::new(GET).interim(103, link, &mut out), Ok(()));
    assert_eq!(
        out,
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
    );
    out.clear();
    assert_eq!(Encoder::new(OLD).interim(103, link, &mut out), Ok(()));
    assert!(out.is_empty());
    let mut encoder = Encoder::new(GET);
    assert_eq!(
        encoder.interim(200, link, &mut out),
        Err(ResponseError::Interim(200))
    );
    assert_eq!(
        encoder.head(head(200, Length::Known(0)), NONE, &mut out),
        Ok(())
    );
    assert_eq!(
        encoder.interim(103, link, &mut out),
        Err(ResponseError::Order)
    );
}

#[test]
fn trailers_follow_chunks_unless_they_decide_about_framing() {
    for (name, expected) in [
        ("x-sum", Ok(After::Keep)),
        ("content-length", Err(ResponseError::Trailer)),
    ] {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(GET);
        let started = encoder.head(head(200, Length::Unknown), NONE, &mut out);
        assert_eq!(started, Ok(()));
        let trailer = [(name.as_bytes(), &b"1"[..])];
        assert_eq!(encoder.finish(trailer, &mut out), expected);
        let ends = out.ends_with(b"\r\n\r\n0\r\nx-sum: 1\r\n\r\n");
        assert_eq!(ends, expected.is_ok());
    }
}

#[test]
fn the_order_is_kept() {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(GET);
    assert_eq!(encoder.data(b"x", &mut out), Err(ResponseError::Order));
    assert_eq!(encoder.finish(NONE, &mut out), Err(ResponseError::Order));
    assert_eq!(
        encoder.head(head(100, Length::Unknown), NONE, &mut out),
        Err(ResponseError::Status(100))
    );
    assert_eq!(
        encoder.head(head(200, Length::Unknown), NONE, &mut out),
        Ok(())
    );
    let second = encoder.head(head(200, Length::Unknown), NONE, &mut out);
    assert_eq!(second, Err(ResponseError::Order));
    assert_eq!(encoder.finish(NONE, &mut out), Ok(After::Keep));
    assert_eq!(encoder.data(b"x", &mut out), Err(ResponseError::Order));
    assert_eq!(encoder.finish(NONE, &mut out), Err(ResponseError::Order));
}

#[test]
fn a_protocol_is_switched_to() {
    let mut out = Vec::new();
    let field: [Field<'_>; 1] = [(b"x", b"1")];
    assert_eq!(switch(b"websocket", field, &mut out), Ok(()));
    let expected = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
                    connection: upgrade\r\nx: 1\r\n\r\n";
    assert_eq!(String::from_utf8_lossy(&out), expected);
    let before = out.clone();
    let wrong: [Field<'_>; 1] = [(b"x", b"1\r\ny: 2")];
    let refused = switch(b"websocket", wrong, &mut out);
    assert_eq!(refused, Err(ResponseError::Value(b'\r')));
    assert_eq!(out, before, "nothing of it is written");
}

#[test]
fn a_refusal_says_why_and_closes() {
    let mut out = Vec::new();
    refuse(Rejection::HostMissing, &http_date(0), &mut out);
    let expected = "HTTP/1.1 400 Bad Request\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
                    content-type: text/plain; charset=utf-8\r\ncontent-length: 48\r\n\
                    connection: close\r\n\r\nthe `Host` header is missing; HTTP/1.1 needs it\n";
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

/// A head that was written for the first of two responses, and whether it is the second one's, for which all has to be the
/// same whichever way it is written.
fn again(first: (Asked, ResponseHead<'_>), second: (Asked, ResponseHead<'_>)) -> bool {
    let fields: [Field<'_>; 2] = [(b"x", b"1"), (b"content-length", b"2")];
    let mut out = Vec::new();
    let written = Encoder::new(first.0).head_kept(first.1, fields, &mut out);
    let written = written.expect("is valid");
    let mut plain = Encoder::new(second.0);
    let mut expected = Vec::new();
    plain
        .head(second.1, fields, &mut expected)
        .expect("is valid");
    let (mut encoder, mut found) = (Encoder::new(second.0), b"before".to_vec());
    if !encoder.head_again(&second.1, &written, &mut found) {
        assert_eq!(
            (found.as_slice(), encoder.framing()),
            (&b"before"[..], None)
        );
        return false;
    }
    assert_eq!(found[b"before".len()..], expected);
    assert_eq!(encoder.framing(), plain.framing());
    for encoder in [&mut encoder, &mut plain] {
        encoder.data(b"hi", &mut Vec::new()).expect("is valid");
    }
    let ends = [encoder, plain].map(|mut encoder| encoder.finish(NONE, &mut Vec::new()));
    assert_eq!(ends[0], ends[1]);
    true
}

#[test]
fn a_connection_that_is_to_end_says_so_whatever_was_written_before() {
    let known = head(200, Length::Known(2));
    let mut out = Vec::new();
    let written = Encoder::new(GET).head_kept(known, NONE, &mut out);
    let written = written.expect("is valid");
    let mut ending = Encoder::new(GET);
    ending.close_after();
    assert!(!ending.head_again(&known, &written, &mut out));
}

#[test]
fn a_head_is_written_again_where_nothing_has_changed() {
    let known = head(200, Length::Known(2));
    assert!(again((GET, known), (GET, known)));
    assert!(again((OLD, known), (OLD, known)));
    let to_close = Asked {
        keeps_alive: false,
        ..GET
    };
    assert!(again((to_close, known), (to_close, known)));
    let of_head = Asked {
        method: Method::Head,
        ..GET
    };
    for other in [OLD, to_close, of_head] {
        assert!(!again((GET, known), (other, known)), "{other:?}");
    }
    let later = ResponseHead {
        date: b"E",
        ..known
    };
    let elsewhere = ResponseHead {
        server: b"other",
        ..known
    };
    for other in [
        later,
        elsewhere,
        head(201, Length::Known(2)),
        head(200, Length::Unknown),
    ] {
        assert!(!again((GET, known), (GET, other)), "{other:?}");
    }
}

#[test]
fn a_head_is_not_written_again_behind_another_one() {
    let known = head(200, Length::Known(2));
    let mut encoder = Encoder::new(GET);
    let written = encoder.head_kept(known, NONE, &mut Vec::new());
    let written = written.expect("is valid");
    assert!(!encoder.head_again(&known, &written, &mut Vec::new()));
}
