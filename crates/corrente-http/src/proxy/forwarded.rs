//! `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`: who the client is, behind proxies.
//!
//! Each proxy adds what it saw at the right. We go from there to the left as long as the addresses are
//! those of trusted proxies: the first that is not is the client, and what stands further left is only
//! what the client says. Most proxies set `X-Forwarded-*` and hand on a client's `Forwarded` as it is, so that
//! counts only where there is none of these.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::network::Trusted;
use crate::characters::trim;
use crate::h1::{Fields, Scheme, is_host};
use crate::{KnownName, Name};

/// A client, as a proxy saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// Its port, where the proxy says it.
    pub port: Option<u16>,
}

/// What trusted proxies say about a request; nothing where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarding<'a> {
    /// The client.
    pub client: Option<Client>,
    /// What the client spoke.
    pub scheme: Option<Scheme>,
    /// Host and port that the client asked for.
    pub host: Option<Cow<'a, [u8]>>,
    /// The port that the client asked for (`X-Forwarded-Port`), where `host` has none.
    pub port: Option<u16>,
}

/// What the fields of a request from `peer` (none on a Unix socket) say, as far as they are trusted.
pub fn forwarding<'a>(
    fields: &Fields<'a>,
    peer: Option<IpAddr>,
    trusted: &Trusted,
) -> Forwarding<'a> {
    if !trusted.trusts(peer) {
        return Forwarding::default();
    }
    match spoken(fields) {
        Spoken::Nothing => Forwarding::default(),
        Spoken::Standard => standard(fields, trusted),
        Spoken::Customary => customary(fields, trusted),
    }
}

fn customary<'a>(fields: &Fields<'a>, trusted: &Trusted) -> Forwarding<'a> {
    let addresses: Vec<&[u8]> = fields.list(KnownName::XForwardedFor).collect();
    let chosen = choose(addresses.iter().map(|address| node(address)), trusted);
    let beside = |name: KnownName| -> Option<&'a [u8]> {
        let values: Vec<&[u8]> = fields.list(name).collect();
        // Where each proxy added one, that of the same proxy; else what the nearest one set.
        let same = chosen.as_ref().map(|chosen| chosen.place);
        let same = same.filter(|_| values.len() == addresses.len());
        same.and_then(|place| values.get(place))
            .or(values.last())
            .copied()
    };
    Forwarding {
        client: chosen.as_ref().and_then(|chosen| chosen.client),
        scheme: beside(KnownName::XForwardedProto).and_then(scheme),
        host: beside(KnownName::XForwardedHost)
            .filter(|host| is_host(host))
            .map(Cow::Borrowed),
        port: beside(KnownName::XForwardedPort).and_then(port),
    }
}

/// Which fields there are.
enum Spoken {
    /// None, as in most requests.
    Nothing,
    /// `Forwarded` alone.
    Standard,
    /// `X-Forwarded-*`.
    Customary,
}

fn spoken(fields: &Fields<'_>) -> Spoken {
    let mut found = Spoken::Nothing;
    for field in fields.iter() {
        match field.name {
            Name::Known(
                KnownName::XForwardedFor
                | KnownName::XForwardedProto
                | KnownName::XForwardedHost
                | KnownName::XForwardedPort,
            ) => return Spoken::Customary,
            Name::Known(KnownName::Forwarded) => found = Spoken::Standard,
            _ => {}
        }
    }
    found
}

fn port(text: &[u8]) -> Option<u16> {
    let text = str::from_utf8(text).ok()?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port > 0)
}

/// An element of the list, and the client that it names.
struct Chosen {
    place: usize,
    client: Option<Client>,
}

/// Goes from the right to the first that is no trusted proxy; if all are, the leftmost.
fn choose(
    clients: impl DoubleEndedIterator<Item = Option<Client>> + ExactSizeIterator,
    trusted: &Trusted,
) -> Option<Chosen> {
    let mut chosen = None;
    for (place, client) in clients.enumerate().rev() {
        chosen = Some(Chosen { place, client });
        if client.is_none_or(|client| !trusted.trusts(Some(client.address))) {
            break;
        }
    }
    chosen
}

fn standard<'a>(fields: &Fields<'a>, trusted: &Trusted) -> Forwarding<'a> {
    let elements: Vec<Element<'a>> = fields
        .all(KnownName::Forwarded)
        .flat_map(|value| split(value, b','))
        .map(element)
        .collect();
    let clients = elements.iter().map(|element| element.client);
    let Some(Chosen { place, client }) = choose(clients, trusted) else {
        return Forwarding::default();
    };
    let Element { scheme, host, .. } = &elements[place];
    Forwarding {
        client,
        scheme: *scheme,
        host: host.clone(),
        port: None,
    }
}

/// What one proxy added.
#[derive(Debug, Default)]
struct Element<'a> {
    client: Option<Client>,
    scheme: Option<Scheme>,
    host: Option<Cow<'a, [u8]>>,
}

fn element(text: &[u8]) -> Element<'_> {
    let mut found = Element::default();
    for pair in split(text, b';') {
        let Some(equals) = pair.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        let (name, value) = (trim(&pair[..equals]), unquoted(trim(&pair[equals + 1..])));
        if name.eq_ignore_ascii_case(b"for") {
            found.client = node(&value);
        } else if name.eq_ignore_ascii_case(b"proto") {
            found.scheme = scheme(&value);
        } else if name.eq_ignore_ascii_case(b"host") {
            found.host = Some(value).filter(|host| is_host(host));
        }
    }
    found
}

/// The parts between separators that do not stand in quotes.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |&byte| {
        let was_escaped = std::mem::take(&mut escaped);
        match byte {
            _ if was_escaped => {}
            b'"' => quoted = !quoted,
            b'\\' if quoted => escaped = true,
            _ => return byte == separator && !quoted,
        }
        false
    })
    .map(trim)
}

/// A value without its quotes.
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    match inner {
        None => Cow::Borrowed(value),
        Some(inner) if !inner.contains(&b'\\') => Cow::Borrowed(inner),
        Some(inner) => {
            let mut bytes = inner.iter().copied();
            let mut plain = Vec::new();
            while let Some(byte) = bytes.next() {
                plain.push(if byte == b'\\' {
                    bytes.next().unwrap_or(byte)
                } else {
                    byte
                });
            }
            Cow::Owned(plain)
        }
    }
}

fn scheme(text: &[u8]) -> Option<Scheme> {
    let is = |name: &str| text.eq_ignore_ascii_case(name.as_bytes());
    if is("https") || is("wss") {
        Some(Scheme::Https)
    } else if is("http") || is("ws") {
        Some(Scheme::Http)
    } else {
        None
    }
}

/// An address with or without a port; none where a proxy hides it (`unknown`, `_name`).
fn node(text: &[u8]) -> Option<Client> {
    let text = str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Client {
            address: address.to_canonical(),
            port: None,
        });
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Client {
            address: address.ip().to_canonical(),
            port: Some(address.port()),
        });
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let address: IpAddr = inner.parse().ok()?;
    Some(Client {
        address: address.to_canonical(),
        port: None,
    })
}
