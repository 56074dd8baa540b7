//! Addresses as users write them, and endpoints as the kernel knows them.
//!
//! Text in, a value out: no name is looked up here.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host, by name or by number, and a port. Port 0 is one that is free.
    Host {
        /// A name or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// Every address of this machine: IPv6 and IPv4 where there is IPv6, else IPv4.
    Everywhere {
        /// The port.
        port: u16,
    },
    /// A Unix socket in a file.
    Unix(PathBuf),
    /// A Unix socket with a name and no file (`unix(7)`, abstract).
    Abstract(String),
    /// A descriptor that is open already.
    Descriptor(i32),
}

impl Address {
    /// `HOST:PORT`, `[IPV6]:PORT`, `:PORT`, `*:PORT`, `unix:PATH`, `unix:@NAME`, `fd://N`.
    pub fn read(word: &str) -> Option<Self> {
        if let Some(number) = word.strip_prefix("fd://") {
            let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
            return number
                .parse()
                .ok()
                .filter(|_| is_plain)
                .map(Self::Descriptor);
        }
        if let Some(path) = word.strip_prefix("unix:") {
            // As a URL it has two slashes more.
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.strip_prefix('@') {
                _ if path.is_empty() || path == "@" => None,
                Some(name) => Some(Self::Abstract(name.to_owned())),
                None => Some(Self::Unix(path.into())),
            };
        }
        let (host, port) = word.rsplit_once(':')?;
        let is_plain = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| is_plain)?;
        if let Some(inner) = host.strip_prefix('[') {
            let inner = inner.strip_suffix(']')?;
            let without_zone = inner.split('%').next().unwrap_or_default();
            without_zone.parse::<Ipv6Addr>().ok()?;
            let host = inner.to_owned();
            return Some(Self::Host { host, port });
        }
        match host {
            "" | "*" => Some(Self::Everywhere { port }),
            host if is_name(host) => {
                let host = host.to_owned();
                Some(Self::Host { host, port })
            }
            _ => None,
        }
    }

    /// Whether it is all of IPv4, which must then not be taken by an IPv6 socket of the same port too.
    pub(super) fn is_all_of_ipv4(&self, wanted: u16) -> bool {
        matches!(self, Self::Host { host, port } if host == "0.0.0.0" && *port == wanted)
    }
}

fn is_name(host: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    host.bytes().all(known)
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port } if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Host { host, port } => write!(formatter, "{host}:{port}"),
            Self::Everywhere { port } => write!(formatter, ":{port}"),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Abstract(name) => write!(formatter, "unix:@{name}"),
            Self::Descriptor(number) => write!(formatter, "fd://{number}"),
        }
    }
}

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port.
    Internet(SocketAddr),
    /// A file.
    Unix(PathBuf),
    /// A name without a file.
    Abstract(String),
}

impl Endpoint {
    /// A URL that a person on this machine can open; `scheme` is `http` or `https`.
    pub fn url(&self, scheme: &str) -> String {
        match self {
            Self::Internet(address) => {
                let shown = match address.ip() {
                    // Nobody can connect to "any": what is meant is this machine.
                    IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
                    IpAddr::V6(ip) if ip.is_unspecified() => "localhost".to_owned(),
                    IpAddr::V4(ip) => ip.to_string(),
                    IpAddr::V6(ip) => format!("[{ip}]"),
                };
                format!("{scheme}://{shown}:{}", address.port())
            }
            unix => unix.to_string(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(address) => write!(formatter, "{address}"),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Abstract(name) => write!(formatter, "unix:@{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for word in [
            "127.0.0.1:8000",
            "localhost:80",
            "[::1]:8000",
            "[fe80::1%eth0]:1",
            ":0",
            "unix:/run/a",
            "unix:@name",
            "unix:relative/path",
            "fd://3",
        ] {
            let read = Address::read(word).map(|address| address.to_string());
            assert_eq!(read.as_deref(), Some(word));
        }
        assert_eq!(
            Address::read("*:80"),
            Some(Address::Everywhere { port: 80 })
        );
        assert_eq!(
            Address::read("unix:///run/a"),
            Some(Address::Unix("/run/a".into()))
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for word in [
            "",
            "8000",
            "localhost",
            "a:b",
            "a:65536",
            "a:-1",
            "a:+1",
            "::1:8000",
            "[::1]",
            "[localhost]:80",
            "unix:",
            "unix:@",
            "fd://",
            "fd://x",
            "fd://-1",
            "http://a:80",
            "a b:80",
            "a:",
        ] {
            assert_eq!(Address::read(word), None, "{word}");
        }
    }

    #[test]
    fn a_url_can_be_opened() {
        let check = |address: &str, expected: &str| {
            let address = address.parse().expect("an address");
            assert_eq!(Endpoint::Internet(address).url("http"), expected);
        };
        check("0.0.0.0:80", "http://127.0.0.1:80");
        check("[::]:80", "http://localhost:80");
        check("[::1]:80", "http://[::1]:80");
        check("10.0.0.1:80", "http://10.0.0.1:80");
    }
}
