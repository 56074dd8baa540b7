//! The encoder of one response: status and fields in, a head for h2 out; the body counted.
//!
//! The rules are those of [`h1::Encoder`], which does the counting; only the framing is HTTP/2's.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::Method;
use crate::h1::{
    Asked, Encoder, Framing, ResponseError, ResponseHead, Seen, Version, sift, sift_trailers,
};

/// Encodes one response.
#[derive(Debug)]
pub struct Reply(Encoder);

impl Reply {
    /// For the response to a request with this method.
    pub fn new(method: Method) -> Self {
        Self(Encoder::new(Asked {
            version: Version::Http2,
            method,
            keeps_alive: true,
        }))
    }

    /// Whether the head was made.
    pub fn is_begun(&self) -> bool {
        self.0.framing().is_some()
    }

    /// Whether there is no body: `HEAD`, 204, 304. What is given is dropped.
    pub fn has_no_body(&self) -> bool {
        self.0.framing() == Some(Framing::None)
    }

    /// An interim response: 102 or 103.
    pub fn interim<'h>(
        &self,
        status: u16,
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Result<Response<()>, ResponseError> {
        if !(102..200).contains(&status) {
            return Err(ResponseError::Interim(status));
        }
        if self.is_begun() {
            return Err(ResponseError::Order);
        }
        let mut map = HeaderMap::new();
        add_all(&mut map, fields)?;
        response(status, map)
    }

    /// `100 Continue`.
    pub fn continues() -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::CONTINUE;
        response
    }

    /// The head. On an error another one may be tried.
    pub fn head<'h>(
        &mut self,
        head: ResponseHead<'_>,
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Result<Response<()>, ResponseError> {
        if !(200..1000).contains(&head.status) {
            return Err(ResponseError::Status(head.status));
        }
        let mut map = HeaderMap::with_capacity(8);
        let seen = add_all(&mut map, fields)?;
        if !seen.date && !head.date.is_empty() {
            add(&mut map, b"date", head.date);
        }
        if !seen.server && !head.server.is_empty() {
            add(&mut map, b"server", head.server);
        }
        if let Some(length) = self.0.begin(&head, seen)? {
            map.insert(http::header::CONTENT_LENGTH, length.into());
        }
        response(head.status, map)
    }

    /// Counts a part of the body; whether it is to be sent.
    pub fn data(&mut self, length: u64) -> Result<bool, ResponseError> {
        // Nothing is written where nothing is in chunks.
        self.0.open_data(length, &mut Vec::new())
    }

    /// The body is complete.
    pub fn finish(&mut self) -> Result<(), ResponseError> {
        self.0.finish([], &mut Vec::new()).map(drop)
    }

    /// Fields that follow the body.
    pub fn trailers<'h>(
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Result<HeaderMap, ResponseError> {
        let mut map = HeaderMap::new();
        sift_trailers(fields, |name, value| add(&mut map, name, value))?;
        Ok(map)
    }
}

fn add_all<'h>(
    map: &mut HeaderMap,
    fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
) -> Result<Seen, ResponseError> {
    sift(fields, |name, value| {
        // These belong to connections of HTTP/1.1 (RFC 9113, section 8.2.2); `connection` is left out already.
        let is_old = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if !is_old(b"upgrade") && !is_old(b"proxy-connection") {
            add(map, name, value);
        }
    })
}

fn add(map: &mut HeaderMap, name: &[u8], value: &[u8]) {
    // Both have been checked by the same rules; blanks around a value are not allowed here (section 8.2.1).
    let name = HeaderName::from_bytes(name);
    let value = HeaderValue::from_bytes(value.trim_ascii());
    if let (Ok(name), Ok(value)) = (name, value) {
        map.append(name, value);
    }
}

fn response(status: u16, fields: HeaderMap) -> Result<Response<()>, ResponseError> {
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(status).map_err(|_| ResponseError::Status(status))?;
    *response.headers_mut() = fields;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h1::Length;

    fn head(status: u16, length: Length) -> ResponseHead<'static> {
        ResponseHead {
            status,
            date: b"now",
            server: b"corrente",
            length,
        }
    }

    #[test]
    fn fields_of_connections_are_left_out_and_ours_added() {
        let mut reply = Reply::new(Method::Get);
        let fields: [(&[u8], &[u8]); 4] = [
            (b"X-A", b" b "),
            (b"Connection", b"close"),
            (b"Upgrade", b"h2c"),
            (b"Transfer-Encoding", b"chunked"),
        ];
        let made = reply
            .head(head(200, Length::Known(3)), fields)
            .expect("is right");
        let found: Vec<_> = made.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(found, ["x-a", "date", "server", "content-length"]);
        assert_eq!(made.headers()["x-a"], "b");
        assert_eq!(reply.data(3), Ok(true));
        assert_eq!(reply.finish(), Ok(()));
    }

    #[test]
    fn a_body_is_as_long_as_its_head_says() {
        let declared: [(&[u8], &[u8]); 1] = [(b"content-length", b"5")];
        let mut reply = Reply::new(Method::Get);
        reply
            .head(head(200, Length::Unknown), declared)
            .expect("is right");
        let (declared, excess) = (5, 1);
        assert_eq!(
            reply.data(6),
            Err(ResponseError::TooMuch { declared, excess })
        );
        let mut reply = Reply::new(Method::Head);
        let made = reply.head(head(200, Length::Known(4)), []);
        assert_eq!(made.expect("is right").headers()["content-length"], "4");
        assert_eq!(reply.data(4), Ok(false));
    }
}
