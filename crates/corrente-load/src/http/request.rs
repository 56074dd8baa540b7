//! Turns a request's description into the bytes that are sent, once, before the run.
//!
//! It must not check: [`crate::target::Request::check`] has done so. Key invariant: one buffer per
//! path, complete with the body, so that sending is one write of one slice.

use crate::target::{KeepAlive, Method, Request};

/// The bytes of the request for each of its paths, in their order.
pub(crate) fn encode(request: &Request) -> Box<[Box<[u8]>]> {
    request
        .paths
        .iter()
        .map(|path| encode_path(request, path))
        .collect()
}

fn encode_path(request: &Request, path: &str) -> Box<[u8]> {
    let mut text = format!(
        "{} {path} HTTP/1.1\r\nHost: {}\r\n",
        request.method.name(),
        request.host
    );
    for header in &request.headers {
        text.push_str(&header.name);
        text.push_str(": ");
        text.push_str(&header.value);
        text.push_str("\r\n");
    }
    if request.keep_alive == KeepAlive::Close {
        text.push_str("Connection: close\r\n");
    }
    if says_length(request) {
        text.push_str("Content-Length: ");
        text.push_str(&request.body.len().to_string());
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&request.body);
    bytes.into_boxed_slice()
}

/// RFC 9110, section 8.6: methods that usually carry a body say that there is none.
fn says_length(request: &Request) -> bool {
    !request.body.is_empty() || matches!(request.method, Method::Patch | Method::Post | Method::Put)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Header;

    #[test]
    fn a_plain_get_is_short() {
        let bytes = encode(&Request::get("h:1", "/p?q"));
        assert_eq!(&*bytes[0], b"GET /p?q HTTP/1.1\r\nHost: h:1\r\n\r\n");
    }

    #[test]
    fn everything_else_is_written_where_it_belongs() {
        let request = Request {
            method: Method::Post,
            paths: vec!["/a".into(), "/b".into()],
            headers: vec![Header {
                name: "X".into(),
                value: "y".into(),
            }],
            body: b"body".to_vec(),
            keep_alive: KeepAlive::Close,
            ..Request::get("h", "/")
        };
        let bytes = encode(&request);
        assert_eq!(
            &*bytes[1],
            b"POST /b HTTP/1.1\r\nHost: h\r\nX: y\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"
        );
    }

    #[test]
    fn an_empty_post_says_so() {
        let request = Request {
            method: Method::Post,
            ..Request::get("h", "/")
        };
        assert!(encode(&request)[0].ends_with(b"Content-Length: 0\r\n\r\n"));
    }
}
