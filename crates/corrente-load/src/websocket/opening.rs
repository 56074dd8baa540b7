//! How a WebSocket is opened (RFC 6455, section 4): the request, and whether the answer agrees.
//!
//! The key is the standard's own example, so its answer is known and nothing has to be hashed. It
//! protects from caches that take an answer for another's; here is none.

use httparse::{EMPTY_HEADER, Response, Status};

use super::Compression;
use crate::outcome::ErrorKind;
use crate::target::Request;

/// RFC 6455, section 1.3, with its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPTED: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const HEADERS_MAX: usize = 64;
const SWITCHING: u16 = 101;
const DEFLATE: &str = "permessage-deflate";
/// Allowed in an answer only where the client has offered it, which we do not.
const CLIENT_WINDOW: &str = "client_max_window_bits";

/// The request that opens a connection, on the path and with the headers of `request`.
pub(super) fn request(request: &Request, compression: Compression) -> Box<[u8]> {
    let path = request.paths.first().map_or("/", String::as_str);
    let mut text = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n",
        request.host
    );
    let mut field = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    };
    if compression == Compression::Deflate {
        field("Sec-WebSocket-Extensions", DEFLATE);
    }
    for header in &request.headers {
        field(&header.name, &header.value);
    }
    text.push_str("\r\n");
    text.into_bytes().into_boxed_slice()
}

/// A connection that is open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// Bytes of the answer's head; what follows is a frame.
    pub(super) taken: usize,
}

impl Opened {
    /// Reads the answer; nothing where more of it has to come.
    pub(super) fn read(bytes: &[u8], compression: Compression) -> Result<Option<Self>, ErrorKind> {
        let mut headers = [EMPTY_HEADER; HEADERS_MAX];
        let mut response = Response::new(&mut headers);
        let taken = match response.parse(bytes) {
            Ok(Status::Complete(taken)) => taken,
            Ok(Status::Partial) => return Ok(None),
            Err(_) => return Err(ErrorKind::Malformed),
        };
        if response.code != Some(SWITCHING) {
            return Err(ErrorKind::Status);
        }
        let named = |name: &str| {
            let mut headers = response.headers.iter();
            let found = headers.find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| header.value)
        };
        if named("sec-websocket-accept") != Some(ACCEPTED) {
            return Err(ErrorKind::Malformed);
        }
        let extensions = named("sec-websocket-extensions").unwrap_or_default();
        let extensions = String::from_utf8_lossy(extensions);
        let agrees = extensions.starts_with(DEFLATE) && !extensions.contains(CLIENT_WINDOW);
        match compression {
            Compression::Off if !extensions.is_empty() => Err(ErrorKind::Malformed),
            Compression::Deflate if !agrees => Err(ErrorKind::Content),
            _ => Ok(Some(Self { taken })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str, compression: Compression) -> Result<Option<Opened>, ErrorKind> {
        let accepted = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        let text = format!("HTTP/1.1 101 X\r\n{accepted}{more}\r\n");
        Opened::read(text.as_bytes(), compression)
    }

    #[test]
    fn compression_is_what_was_asked_for() {
        let agreed = "sec-websocket-extensions: permessage-deflate; server_max_window_bits=12\r\n";
        let bound = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n";
        let deflate = Compression::Deflate;
        assert!(matches!(read(agreed, deflate), Ok(Some(_))));
        assert_eq!(read("", deflate), Err(ErrorKind::Content));
        assert_eq!(read(bound, deflate), Err(ErrorKind::Content));
        assert!(matches!(read("", Compression::Off), Ok(Some(_))));
        assert_eq!(read(agreed, Compression::Off), Err(ErrorKind::Malformed));
    }

    #[test]
    fn another_answer_opens_nothing() {
        let open = |text: &str| Opened::read(text.as_bytes(), Compression::Off);
        assert_eq!(open("HTTP/1.1 403 No\r\n\r\n"), Err(ErrorKind::Status));
        assert_eq!(open("HTTP/1.1 101 X\r\n\r\n"), Err(ErrorKind::Malformed));
        assert_eq!(open("SSH-2.0\r\n"), Err(ErrorKind::Malformed));
        assert_eq!(open("HTTP/1.1 101 X\r\n"), Ok(None));
    }

    #[test]
    fn compression_is_offered_where_it_is_wanted() {
        let asked = Request::get("h:1", "/chat");
        let text = |compression| String::from_utf8(request(&asked, compression).into()).unwrap();
        assert!(text(Compression::Off).starts_with("GET /chat HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(!text(Compression::Off).contains("Extensions"));
        let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        assert!(text(Compression::Deflate).ends_with(offer));
    }
}
