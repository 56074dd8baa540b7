//! The opening handshake: what is taken, what is refused and with which status.

use corrente_http::h1::{Decoder, Event};
use corrente_http::ws::{Deflate, DeflateOptions, Handshake, HandshakeError, is_asked};

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

fn with_handshake<T>(
    request: &str,
    look: impl FnOnce(Result<Handshake<'_>, HandshakeError>, bool) -> T,
) -> T {
    let mut decoder = Decoder::new(corrente_http::Limits::default());
    let step = decoder
        .next(request.as_bytes())
        .expect("the request is valid");
    let Event::Head(head) = step.event else {
        panic!("the head is complete");
    };
    look(Handshake::of(&head), is_asked(&head))
}

fn get(fields: &[&str]) -> String {
    format!("GET /chat HTTP/1.1\r\nHost: a\r\n{}\r\n", fields.concat())
}

/// What a server with these options agrees to.
pub(crate) fn agreed(offer: &str, options: DeflateOptions) -> Option<Deflate> {
    let extensions = format!("Sec-WebSocket-Extensions: {offer}\r\n");
    with_handshake(
        &get(&[UPGRADE, KEY, VERSION, &extensions]),
        |handshake, _| {
            handshake
                .ok()
                .and_then(|handshake| handshake.deflate(options))
        },
    )
}

fn refused(request: &str, expected: HandshakeError, status: u16) {
    with_handshake(request, |handshake, _| {
        let error = handshake.err();
        assert_eq!(error, Some(expected), "{request}");
        assert_eq!(error.map(HandshakeError::status), Some(status));
    });
}

/// RFC 6455, section 1.3.
#[test]
fn the_standard_s_example() {
    let protocols = "Sec-WebSocket-Protocol: chat, superchat\r\n";
    with_handshake(
        &get(&[UPGRADE, KEY, VERSION, protocols]),
        |handshake, asked| {
            let handshake = handshake.expect("is valid");
            assert!(asked);
            assert_eq!(handshake.accept_key(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            let protocols: Vec<&[u8]> = handshake.protocols().collect();
            assert_eq!(protocols, [&b"chat"[..], b"superchat"]);
            assert_eq!(handshake.deflate(DeflateOptions::default()), None);
        },
    );
}

#[test]
fn lists_and_case_are_as_browsers_send_them() {
    let upgrade = "upgrade: h2c, WebSocket\r\nconnection: keep-alive, upgrade\r\n";
    with_handshake(&get(&[upgrade, KEY, VERSION]), |handshake, asked| {
        assert!(handshake.is_ok() && asked);
    });
}

#[test]
fn what_does_not_ask_is_an_ordinary_request() {
    for fields in [
        "",
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
        "Upgrade: h2c\r\nConnection: Upgrade\r\n",
        "Upgrade: websocketx\r\nConnection: Upgrade\r\n",
    ] {
        refused(&get(&[fields, KEY, VERSION]), HandshakeError::NotAsked, 400);
    }
    let old = format!("GET / HTTP/1.0\r\nHost: a\r\n{UPGRADE}{KEY}{VERSION}\r\n");
    refused(&old, HandshakeError::NotAsked, 400);
}

#[test]
fn what_asks_wrongly_is_refused() {
    let post = get(&[UPGRADE, KEY, VERSION]).replace("GET", "POST");
    refused(&post, HandshakeError::Method, 405);
    for body in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let content = get(&[UPGRADE, KEY, VERSION, body]);
        refused(&content, HandshakeError::Content, 400);
    }
    refused(&get(&[UPGRADE, KEY]), HandshakeError::Version, 426);
    refused(
        &get(&[UPGRADE, KEY, "Sec-WebSocket-Version: 8\r\n"]),
        HandshakeError::Version,
        426,
    );
    refused(
        &get(&[UPGRADE, KEY, VERSION, VERSION]),
        HandshakeError::Version,
        426,
    );
    refused(&get(&[UPGRADE, VERSION]), HandshakeError::Key, 400);
    refused(
        &get(&[UPGRADE, KEY, KEY, VERSION]),
        HandshakeError::Key,
        400,
    );
    for key in [
        "",
        "dGhl",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZXh4eHg=",
        "!",
    ] {
        let key = format!("Sec-WebSocket-Key: {key}\r\n");
        refused(&get(&[UPGRADE, &key, VERSION]), HandshakeError::Key, 400);
    }
}
