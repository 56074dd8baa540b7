//! Whom to ask for what: an address and the description of a request.
//!
//! It must not know the generator. The only I/O in it is name resolution in [`Target::parse`].
//! Key invariant: a request that passes its check cannot smuggle a second header or request into
//! the bytes it becomes, because no part of it may contain a line break.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::error::LoadError;
use crate::plan::within;

/// Most paths one request may cycle through.
const PATHS_MAX: usize = 65_536;
/// Largest request body, in bytes; it is held once per path.
const BODY_MAX_BYTES: usize = 64 * 1024 * 1024;
/// The port of a URL that names none.
const HTTP_PORT: u16 = 80;

/// A server's address and what to ask it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What to send.
    pub request: Request,
}

/// The request that is sent over and over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Paths with their queries, at least one, each beginning with `/`.
    pub paths: Vec<String>,
    /// In which order the paths are taken.
    pub path_order: PathOrder,
    /// Value of the `Host` header.
    pub host: String,
    /// Further headers, except `Host`, `Connection`, `Content-Length`, `Transfer-Encoding`.
    pub headers: Vec<Header>,
    /// The body; may be empty.
    pub body: Vec<u8>,
    /// Whether connections are used again.
    pub keep_alive: KeepAlive,
}

/// One header field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// The methods that make sense under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are HTTP's method names")]
pub enum Method {
    Delete,
    Get,
    Head,
    Options,
    Patch,
    Post,
    Put,
}

impl Method {
    /// The name as it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// In which order a request's paths are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathOrder {
    /// One after the other, over all connections of a thread.
    Cycle,
    /// Each time one at random, decided by the plan's seed.
    Random,
}

/// Whether a connection carries more than one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// Connections are used again.
    Reuse,
    /// Every request says `Connection: close` and has its own connection; its latency includes
    /// connecting.
    Close,
}

impl Target {
    /// Reads `http://host:port/path?query`, resolving the name.
    ///
    /// A name with both IPv4 and IPv6 addresses gives the IPv4 one: servers under test commonly
    /// listen on 127.0.0.1 only, while `localhost` lists `::1` first.
    pub fn parse(url: &str) -> Result<Self, LoadError> {
        let parts = UrlParts::split(url)?;
        let address = resolve(url, parts.authority)?;
        Ok(Self {
            address,
            request: Request::get(parts.authority, parts.path),
        })
    }
}

impl Request {
    /// A keep-alive `GET` of one path without further headers.
    pub fn get(host: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            paths: vec![path.into()],
            path_order: PathOrder::Cycle,
            host: host.into(),
            headers: Vec::new(),
            body: Vec::new(),
            keep_alive: KeepAlive::Reuse,
        }
    }

    /// Refuses what could not become one well-formed request.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        within("number of paths", self.paths.len(), 1..=PATHS_MAX, "paths")?;
        within("body length", self.body.len(), 0..=BODY_MAX_BYTES, "bytes")?;
        if let Some(path) = self.paths.iter().find(|path| !is_path(path)) {
            let expected = "/ followed by visible ASCII characters (escape others as %XX)";
            return Err(LoadError::setting("path", expected, format!("{path:?}")));
        }
        if self.host.is_empty() || !self.host.bytes().all(|byte| byte.is_ascii_graphic()) {
            let expected = "a host name, with a port if needed";
            return Err(LoadError::setting(
                "host",
                expected,
                format!("{:?}", self.host),
            ));
        }
        self.headers.iter().try_for_each(Header::check)
    }

    /// Whether an answer to this request may carry a body at all.
    pub(crate) fn answer_has_body(&self) -> bool {
        self.method != Method::Head
    }
}

impl Header {
    /// The fields that [`Request`] writes itself.
    const RESERVED: [&'static str; 4] =
        ["connection", "content-length", "host", "transfer-encoding"];

    fn check(&self) -> Result<(), LoadError> {
        let name_is_token = !self.name.is_empty()
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let reserved = Self::RESERVED
            .iter()
            .any(|name| self.name.eq_ignore_ascii_case(name));
        let value_is_line = self
            .value
            .bytes()
            .all(|byte| byte == b'\t' || !byte.is_ascii_control());
        if name_is_token && value_is_line && !reserved {
            return Ok(());
        }
        let expected = "a token and a value on one line, and not one of Host, Connection, \
                        Content-Length, Transfer-Encoding";
        Err(LoadError::setting(
            "header",
            expected,
            format!("{:?}: {:?}", self.name, self.value),
        ))
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A URL cut into the parts that matter here.
#[derive(Debug, PartialEq, Eq)]
struct UrlParts<'url> {
    authority: &'url str,
    path: String,
}

impl<'url> UrlParts<'url> {
    fn split(url: &'url str) -> Result<Self, LoadError> {
        let fault = |expected, found: &str, remedy| LoadError::Url {
            url: url.to_owned(),
            expected,
            found: found.to_owned(),
            remedy,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("no scheme", url));
        if scheme.eq_ignore_ascii_case("https") {
            let remedy = "load the server behind its TLS end over http, TLS is not supported";
            return Err(fault("http://", "https://", remedy));
        }
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(fault("http://", scheme, "begin the URL with http://"));
        }
        // The fragment never reaches a server (RFC 9110, section 4.2.5).
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            let remedy = "put credentials into an Authorization header";
            return Err(fault("no user name", authority, remedy));
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        if authority.is_empty() || !is_path(&path) {
            return Err(fault(
                "a host and a path of visible ASCII",
                rest,
                "escape others as %XX",
            ));
        }
        Ok(Self { authority, path })
    }
}

fn resolve(url: &str, authority: &str) -> Result<SocketAddr, LoadError> {
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'));
    let found = if has_port {
        authority.to_socket_addrs()
    } else {
        format!("{authority}:{HTTP_PORT}").to_socket_addrs()
    };
    let fault = |found| LoadError::Url {
        url: url.to_owned(),
        expected: "a host that resolves, and a port from 0 to 65535",
        found,
        remedy: "check the spelling and the resolver, or give the IP address ([::1] for IPv6)",
    };
    let addresses: Vec<SocketAddr> = found
        .map_err(|error| fault(format!("{authority}: {error}")))?
        .collect();
    let preferred = addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or(addresses.first());
    preferred
        .copied()
        .ok_or_else(|| fault(format!("{authority}: no address")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (url, address, host, path) in [
            (
                "http://127.0.0.1:8000/a?b=c#d",
                "127.0.0.1:8000",
                "127.0.0.1:8000",
                "/a?b=c",
            ),
            ("HTTP://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/"),
            ("http://[::1]:81?q", "[::1]:81", "[::1]:81", "/?q"),
            ("http://[::1]/x", "[::1]:80", "[::1]", "/x"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.address, address.parse().unwrap(), "{url}");
            assert_eq!(target.request.host, host, "{url}");
            assert_eq!(target.request.paths, [path], "{url}");
        }
    }

    #[test]
    fn urls_are_refused_with_the_reason() {
        for (url, reason) in [
            ("https://127.0.0.1/", "TLS is not supported"),
            ("127.0.0.1:8000/", "begin the URL with http://"),
            ("ftp://127.0.0.1/", "found ftp"),
            ("http:///path", "a host"),
            ("http://user:word@127.0.0.1/", "Authorization"),
            ("http://127.0.0.1:99999/", "a port"),
            ("http://127.0.0.1/a b", "%XX"),
        ] {
            let message = Target::parse(url).unwrap_err().to_string();
            assert!(message.contains(reason), "{url}: {message}");
        }
    }

    #[test]
    fn requests_that_would_break_the_framing_are_refused() {
        let header = |name: &str, value: &str| Header {
            name: name.into(),
            value: value.into(),
        };
        let good = Request::get("host", "/");
        assert!(good.check().is_ok());
        for bad in [
            Request {
                paths: vec![],
                ..good.clone()
            },
            Request {
                paths: vec!["/\r\nX: y".into()],
                ..good.clone()
            },
            Request {
                host: "a\r\nb".into(),
                ..good.clone()
            },
            Request {
                headers: vec![header("X", "a\r\nY: b")],
                ..good.clone()
            },
            Request {
                headers: vec![header("X y", "a")],
                ..good.clone()
            },
            Request {
                headers: vec![header("content-LENGTH", "1")],
                ..good.clone()
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
