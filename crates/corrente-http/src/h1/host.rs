//! `host:port`, as `Host` and absolute targets have it (RFC 3986, section 3.2; RFC 9110, section 7.2).
//!
//! Only the form is checked; whether such a host is served here is not known. User information, paths,
//! lists and an empty host are refused: programs that read them differently send a request astray.

use std::net::Ipv6Addr;

use crate::characters;

/// Bytes of a domain name in text (RFC 1035, section 2.3.4), with what an address in brackets needs.
const HOST_BYTES_MAX: usize = 255;

/// Whether it is a host, with a port or without.
pub(crate) fn is_host(authority: &[u8]) -> bool {
    split(authority).is_some_and(|(_, port)| is_port(port.unwrap_or_default()))
}

/// Whether it is a host and a port.
pub(super) fn is_with_port(authority: &[u8]) -> bool {
    split(authority)
        .and_then(|(_, port)| port)
        .is_some_and(|port| !port.is_empty() && is_port(port))
}

/// The host, which is valid, and what follows its colon.
fn split(authority: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let end = match authority {
        [b'[', ..] => address_end(authority)?,
        _ => name_end(authority)?,
    };
    let (host, rest) = authority.split_at(end);
    if host.is_empty() || host.len() > HOST_BYTES_MAX {
        return None;
    }
    match rest {
        [] => Some((host, None)),
        [b':', port @ ..] => Some((host, Some(port))),
        _ => None,
    }
}

/// Where a name ends; `None` where it has a `%` that encodes nothing.
fn name_end(authority: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match authority.get(at) {
            Some(&byte) if characters::is_host(byte) => at += 1,
            Some(b'%') => {
                let digits = authority.get(at + 1..at + 3)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                at += 3;
            }
            _ => return Some(at),
        }
    }
}

/// Where an address in brackets ends.
fn address_end(authority: &[u8]) -> Option<usize> {
    let end = authority.iter().position(|&byte| byte == b']')?;
    let address = str::from_utf8(&authority[1..end]).ok()?;
    address.parse::<Ipv6Addr>().ok()?;
    Some(end + 1)
}

/// Whether it is a port or nothing: `host:` is allowed (RFC 3986, section 3.2.3).
fn is_port(port: &[u8]) -> bool {
    let number = port.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    });
    number.is_some_and(|number| u16::try_from(number).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for host in [
            "a",
            "localhost:8000",
            "a.b-c_d~e",
            "127.0.0.1",
            "[::1]",
            "[::1]:80",
            "a:",
            "%41b",
            "[1:2:3:4:5:6:127.0.0.1]:65535",
            "a:0080",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "u@a",
            "a,b",
            "a:b",
            "a:-1",
            "a:65536",
            "a:1:2",
            "[::1",
            "[]",
            "[::1]x",
            "[::g]",
            "a%",
            "a%4",
            "a%4g",
            "[fe80::1%25eth0]",
            "a?b",
            "a#b",
            "a\\b",
            "\u{e9}",
            "http://a",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_tunnel_needs_a_port() {
        assert!(is_with_port(b"a:443"));
        assert!(!is_with_port(b"a"));
        assert!(!is_with_port(b"a:"));
        assert!(!is_with_port(b"/a:1"));
    }
}
