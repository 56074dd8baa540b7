//! A head that came in other words than HTTP/1.1's, and is held to the same rules.
//!
//! HTTP/2 has method, target and fields one by one (RFC 9113, section 8.3). They are put into the form that a
//! [`Head`] views, so that what reads heads knows of one kind only: the authority is `host`, cookies are one field.

use super::fields::Field;
use super::head::{Body, Head, Parts, Version};
use super::meaning::is_disguised;
use super::request_line::is_of_lower_case;
use super::target::{self, Form};
use crate::characters::{is_token, target_end, trim, value_end};
use crate::{Limits, Method, Rejection};

/// What stands before the fields.
#[derive(Debug, Clone, Copy)]
pub struct Foreign<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:path`.
    pub target: &'a [u8],
    /// `:authority`, which is `host`.
    pub authority: Option<&'a [u8]>,
    /// `:protocol` (RFC 8441).
    pub protocol: Option<&'a [u8]>,
    /// Nothing follows the head.
    pub is_ended: bool,
}

impl Foreign<'_> {
    /// A CONNECT opens a WebSocket, or it is refused.
    fn check_connect(&self) -> Result<(), Rejection> {
        match self.protocol {
            None => Err(Rejection::Connect),
            Some(protocol) if !protocol.eq_ignore_ascii_case(b"websocket") => {
                Err(Rejection::ConnectProtocol)
            }
            Some(_) if self.is_ended => Err(Rejection::ConnectEnded),
            Some(_) => Ok(()),
        }
    }
}

/// A head that owns its bytes.
#[derive(Debug)]
pub struct Translated {
    bytes: Vec<u8>,
    parts: Parts,
}

impl Translated {
    /// Puts a head together. The fields' names are in lower case.
    pub fn of<'h>(
        foreign: Foreign<'_>,
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
        limits: &Limits,
    ) -> Result<Self, Rejection> {
        let mut head = Self {
            bytes: Vec::with_capacity(512),
            parts: Parts::default(),
        };
        head.parts.version = Version::Http2;
        let method = head.line(foreign, limits)?;
        if let Some(authority) = foreign.authority {
            head.field(b"host", authority, limits)?;
        }
        let mut cookies = Vec::new();
        for (name, value) in fields {
            match name {
                b"host" if foreign.authority == Some(value) => {}
                // RFC 9113, section 8.2.3.
                b"cookie" if cookies.is_empty() => cookies.extend_from_slice(value),
                b"cookie" => {
                    cookies.extend_from_slice(b"; ");
                    cookies.extend_from_slice(value);
                }
                _ => head.field(name, value, limits)?,
            }
        }
        if !cookies.is_empty() {
            head.field(b"cookie", &cookies, limits)?;
        }
        head.judge(method, foreign, limits)?;
        Ok(head)
    }

    /// The same as a head of HTTP/1.1.
    pub fn view(&self) -> Head<'_> {
        Head {
            bytes: &self.bytes,
            parts: &self.parts,
        }
    }

    /// Method and target.
    fn line(&mut self, foreign: Foreign<'_>, limits: &Limits) -> Result<Method, Rejection> {
        let Foreign { method, target, .. } = foreign;
        if method.len() > limits.max_method_bytes {
            return Err(Rejection::MethodTooLong);
        }
        if let Some(&byte) = method.iter().find(|&&byte| !is_token(byte)) {
            return Err(Rejection::MethodByte(byte));
        }
        if is_of_lower_case(method) {
            return Err(Rejection::MethodCase);
        }
        if target.len() > limits.max_target_bytes {
            return Err(Rejection::TargetTooLong);
        }
        if let Some(&byte) = target.get(target_end(target, 0)) {
            return Err(Rejection::TargetByte(byte));
        }
        self.bytes.extend_from_slice(method);
        self.bytes.push(b' ');
        self.parts.target = self.add(target);
        self.parts.protocol = foreign.protocol.map(|protocol| self.add(protocol));
        let method = Method::of(method);
        if method == Method::Connect {
            foreign.check_connect()?;
        }
        self.parts.form = match target {
            [b'/', ..] => Form::Origin,
            _ => target::form(method, target)?,
        };
        // What is absolute names a host once more, and a path is what belongs here (RFC 9113, section 8.3.1).
        if self.parts.form == Form::Absolute {
            return Err(Rejection::TargetForm);
        }
        target::check_path(target)?;
        self.parts.method = Some(method);
        Ok(method)
    }

    fn add(&mut self, content: &[u8]) -> (u32, u32) {
        let from = self.bytes.len() as u32;
        self.bytes.extend_from_slice(content);
        (from, self.bytes.len() as u32)
    }

    fn field(&mut self, name: &[u8], value: &[u8], limits: &Limits) -> Result<(), Rejection> {
        if self.parts.fields.len() >= limits.max_headers {
            return Err(Rejection::TooManyHeaders);
        }
        if self.bytes.len() + name.len() + value.len() >= limits.max_head_bytes {
            return Err(Rejection::HeadTooLarge);
        }
        // RFC 9113, section 8.2.1.
        let odd = value.get(value_end(value, 0)).copied();
        let blank = value.first().copied().filter(|_| trim(value) != value);
        if let Some(byte) = odd.or(blank) {
            return Err(Rejection::ValueByte(byte));
        }
        if is_disguised(name) {
            return Ok(());
        }
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(name);
        let colon = self.bytes.len();
        self.bytes.push(b':');
        self.bytes.extend_from_slice(value);
        let field = Field::at(&self.bytes, begin, colon, self.bytes.len());
        if let Some(known) = field.known() {
            self.parts.meaning.note(known, value, Version::Http2)?;
        }
        self.parts.fields.push(field);
        Ok(())
    }

    fn judge(
        &mut self,
        method: Method,
        foreign: Foreign<'_>,
        limits: &Limits,
    ) -> Result<(), Rejection> {
        let meaning = &mut self.parts.meaning;
        // Framing is HTTP/2's own; a body of unknown length is to the reader as one in chunks.
        let is_open = !foreign.is_ended && foreign.protocol.is_none();
        meaning.is_chunked = is_open && meaning.length.is_none();
        let body = meaning.judge(method, Version::Http2, limits)?;
        self.parts.body = if is_open { body } else { Body::None };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Foreign<'_> = Foreign {
        method: b"GET",
        target: b"/a?b",
        authority: Some(b"c:1"),
        protocol: None,
        is_ended: true,
    };

    fn fields(head: Head<'_>) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pairs = head.fields().iter();
        pairs
            .map(|field| (field.name.to_string(), text(field.value)))
            .collect()
    }

    #[test]
    fn the_authority_is_the_host_and_cookies_are_one() {
        let given: [(&[u8], &[u8]); 5] = [
            (b"cookie", b"a=1"),
            // Ignored, as in HTTP/1.
            (b"content_length", b"5"),
            (b"x-a", b"b"),
            (b"host", b"c:1"),
            (b"cookie", b"b=2"),
        ];
        let head = Translated::of(GET, given, &Limits::default()).expect("is valid");
        let view = head.view();
        assert_eq!(view.method_name(), b"GET");
        assert_eq!(view.raw_target(), b"/a?b");
        assert_eq!(view.target().query, Some(&b"b"[..]));
        assert_eq!(view.authority(), Some(&b"c:1"[..]));
        assert_eq!(view.body(), Body::None);
        let expected = [("host", "c:1"), ("x-a", "b"), ("cookie", "a=1; b=2")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(fields(view), expected);
    }

    fn refused(
        foreign: Foreign<'_>,
        fields: &[(&'static [u8], &'static [u8])],
    ) -> Option<Rejection> {
        let fields = fields.iter().copied();
        Translated::of(foreign, fields, &Limits::default()).err()
    }

    #[test]
    fn what_is_wrong_in_http_1_is_wrong_here() {
        let with = |authority| Foreign { authority, ..GET };
        let asterisk = Foreign {
            target: b"*",
            ..GET
        };
        assert_eq!(refused(GET, &[]), None);
        assert_eq!(refused(with(None), &[]), Some(Rejection::HostMissing));
        assert_eq!(
            refused(with(Some(b"u@a")), &[]),
            Some(Rejection::HostInvalid)
        );
        assert_eq!(refused(asterisk, &[]), Some(Rejection::Asterisk));
        let nul = Foreign {
            target: b"/a%00",
            ..GET
        };
        assert_eq!(refused(nul, &[]), Some(Rejection::TargetNul));
        for (target, byte) in [(&b"/\x7f"[..], 0x7f), ("/\u{e9}".as_bytes(), 0xc3)] {
            let odd = Foreign { target, ..GET };
            assert_eq!(refused(odd, &[]), Some(Rejection::TargetByte(byte)));
        }
        let lower = Foreign {
            method: b"get",
            ..GET
        };
        assert_eq!(refused(lower, &[]), Some(Rejection::MethodCase));
        let host: [(&[u8], &[u8]); 1] = [(b"host", b"other")];
        assert_eq!(refused(GET, &host), Some(Rejection::HostRepeated));
        let blank: [(&[u8], &[u8]); 1] = [(b"x-a", b" b")];
        assert_eq!(refused(GET, &blank), Some(Rejection::ValueByte(b' ')));
    }

    #[test]
    fn connect_opens_websockets_that_go_on_and_nothing_else() {
        let connect = Foreign {
            method: b"CONNECT",
            ..GET
        };
        let plain = Foreign {
            target: b"a:1",
            ..connect
        };
        let to = |protocol| Foreign {
            protocol: Some(protocol),
            ..connect
        };
        assert_eq!(refused(plain, &[]), Some(Rejection::Connect));
        let udp = refused(to(b"connect-udp"), &[]);
        assert_eq!(udp, Some(Rejection::ConnectProtocol));
        let ended = refused(to(b"websocket"), &[]);
        assert_eq!(ended, Some(Rejection::ConnectEnded));
    }
}
