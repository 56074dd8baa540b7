//! The request target: which of its four forms it has, and its parts (RFC 9112, section 3.2).
//!
//! Nothing is decoded or made canonical here; `%2e%2e` is the application's to understand. The parts are
//! slices of the request line.

use memchr::{memchr, memchr3_iter};

use super::host;
use crate::{Method, Rejection};

/// The form of a request target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`, as proxies get it; servers have to take it too.
    Absolute,
    /// `*`, of `OPTIONS`.
    Asterisk,
}

/// What stands before the `://` of an absolute target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// The parts of a request target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Its form.
    pub form: Form,
    /// Of an absolute target. The connection knows better whether it is secure.
    pub scheme: Option<Scheme>,
    /// Host and port of an absolute target; they replace those of `Host` (RFC 9112, section 3.2.2).
    pub authority: Option<&'a [u8]>,
    /// As it came, percent-encoded; `*` of an asterisk.
    pub path: &'a [u8],
    /// What follows the first `?`.
    pub query: Option<&'a [u8]>,
}

/// The form of `target`, which is not empty and has the right bytes.
pub(super) fn form(method: Method, target: &[u8]) -> Result<Form, Rejection> {
    if method == Method::Connect {
        let valid = host::is_with_port(target);
        return Err(if valid {
            Rejection::Connect
        } else {
            Rejection::ConnectTarget
        });
    }
    match target {
        [b'/', ..] => Ok(Form::Origin),
        b"*" if method == Method::Options => Ok(Form::Asterisk),
        b"*" => Err(Rejection::Asterisk),
        _ => {
            let (_, rest) = split_scheme(target).ok_or(Rejection::TargetForm)?;
            let (authority, _) = split_authority(rest);
            if host::is_host(authority) {
                Ok(Form::Absolute)
            } else {
                Err(Rejection::HostInvalid)
            }
        }
    }
}

/// Refuses a path that programs read as different ones: a backslash, which is no byte of a URI (RFC 3986, section 3.3)
/// and to some of them a slash, and an encoded NUL, at which some stop (section 7.3). Queries may have them: browsers
/// leave the one as it is, and forms may hold the other.
pub(super) fn check_path(target: &[u8]) -> Result<(), Rejection> {
    for at in memchr3_iter(b'\\', b'%', b'?', target) {
        match &target[at..] {
            [b'?', ..] => return Ok(()),
            [b'\\', ..] => return Err(Rejection::TargetByte(b'\\')),
            [b'%', b'0', b'0', ..] => return Err(Rejection::TargetNul),
            _ => {}
        }
    }
    Ok(())
}

impl<'a> Target<'a> {
    pub(super) fn of(form: Form, method: Method, target: &'a [u8]) -> Self {
        let absolute = match form {
            Form::Absolute => split_scheme(target),
            Form::Origin | Form::Asterisk => None,
        };
        let (authority, rest) = absolute.map_or((None, target), |(_, rest)| {
            let (authority, rest) = split_authority(rest);
            (Some(authority), rest)
        });
        let (path, query) = match memchr(b'?', rest) {
            Some(mark) => (&rest[..mark], Some(&rest[mark + 1..])),
            None => (rest, None),
        };
        let path: &[u8] = match path {
            // RFC 9112, section 3.2.4: an OPTIONS request without a path is one for the whole server.
            [] if method == Method::Options && query.is_none() => b"*",
            [] => b"/",
            _ => path,
        };
        let scheme = absolute.map(|(scheme, _)| scheme);
        Self {
            form,
            scheme,
            authority,
            path,
            query,
        }
    }
}

fn split_scheme(target: &[u8]) -> Option<(Scheme, &[u8])> {
    let known: [(Scheme, &[u8]); 2] = [(Scheme::Http, b"http://"), (Scheme::Https, b"https://")];
    known.into_iter().find_map(|(scheme, prefix)| {
        let (start, rest) = target.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some((scheme, rest))
    })
}

/// The authority and what follows it.
fn split_authority(rest: &[u8]) -> (&[u8], &[u8]) {
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
    rest.split_at(end.unwrap_or(rest.len()))
}
