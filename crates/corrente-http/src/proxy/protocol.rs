//! The PROXY protocol of `HAProxy`, versions 1 and 2: the addresses of the connection that a proxy took.
//!
//! It comes before everything else on a connection, TLS included, and where it is expected it has to be
//! there: to guess would let any client name its own address. Extensions (TLVs) are skipped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;

/// Bytes of a line of version 1, at most (the specification, section 2.1).
const LINE_BYTES_MAX: usize = 107;
/// Bytes that follow the fixed part of version 2: far more than addresses and known extensions need.
const BLOCK_BYTES_MAX: usize = 4096;
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The fixed part of version 2: signature, version and command, family, length.
const FIXED_BYTES: usize = 16;

/// Both ends of the connection that the proxy took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub source: SocketAddr,
    /// What the client connected to.
    pub destination: SocketAddr,
}

/// What stands at the beginning of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// More bytes are needed.
    NeedMore,
    /// A header of so many bytes; without addresses where the proxy speaks for itself (a health check) or
    /// knows none.
    Complete {
        /// Bytes to drop.
        consumed: usize,
        /// What it says.
        addresses: Option<Addresses>,
    },
}

/// Why it is no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Something else came.
    #[error("expected a PROXY protocol header, found something else; does the proxy send it?")]
    Absent,
    /// Version 1 whose line is not as it should be.
    #[error("the PROXY protocol line is malformed")]
    Line,
    /// Version 2 whose block is not as it should be.
    #[error("the PROXY protocol block is malformed, or of a version other than 2")]
    Block,
    /// Version 2 whose block is too long.
    #[error("the PROXY protocol block is longer than 4096 bytes")]
    TooLong,
}

/// Reads the header at the beginning of `input`.
pub fn proxy_header(input: &[u8]) -> Result<ProxyHeader, ProxyError> {
    if is_prefix(input, SIGNATURE) {
        return block(input);
    }
    if is_prefix(input, b"PROXY ") {
        return line(input);
    }
    Err(ProxyError::Absent)
}

/// Whether `input` begins with `start`, or ends before it differs.
fn is_prefix(input: &[u8], start: &[u8]) -> bool {
    let length = input.len().min(start.len());
    input[..length] == start[..length]
}

fn line(input: &[u8]) -> Result<ProxyHeader, ProxyError> {
    let view = &input[..input.len().min(LINE_BYTES_MAX)];
    let Some(end) = view.iter().position(|&byte| byte == b'\n') else {
        let whole = view.len() == LINE_BYTES_MAX;
        return if whole {
            Err(ProxyError::Line)
        } else {
            Ok(ProxyHeader::NeedMore)
        };
    };
    let line = view[..end].strip_suffix(b"\r").ok_or(ProxyError::Line)?;
    let text = str::from_utf8(line).map_err(|_| ProxyError::Line)?;
    let words: Vec<&str> = text.split(' ').collect();
    let addresses = match words[..] {
        [_, "UNKNOWN", ..] => None,
        [_, "TCP4", source, destination, from, to] => {
            let address = |text: &str| text.parse::<Ipv4Addr>().map(IpAddr::V4).ok();
            Some((address(source), address(destination), from, to))
        }
        [_, "TCP6", source, destination, from, to] => {
            let address = |text: &str| text.parse::<Ipv6Addr>().map(IpAddr::V6).ok();
            Some((address(source), address(destination), from, to))
        }
        _ => return Err(ProxyError::Line),
    };
    let addresses = match addresses {
        Some((Some(source), Some(destination), from, to)) => Some(Addresses {
            source: SocketAddr::new(source, port(from)?),
            destination: SocketAddr::new(destination, port(to)?),
        }),
        Some(_) => return Err(ProxyError::Line),
        None => None,
    };
    Ok(ProxyHeader::Complete {
        consumed: end + 1,
        addresses,
    })
}

fn port(text: &str) -> Result<u16, ProxyError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|_| is_plain);
    port.ok_or(ProxyError::Line)
}

fn block(input: &[u8]) -> Result<ProxyHeader, ProxyError> {
    let Some((fixed, rest)) = input.split_first_chunk::<FIXED_BYTES>() else {
        return Ok(ProxyHeader::NeedMore);
    };
    let [.., command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > BLOCK_BYTES_MAX {
        return Err(ProxyError::TooLong);
    }
    // Version 2 in the upper half; LOCAL or PROXY in the lower.
    if !matches!(command, 0x20 | 0x21) {
        return Err(ProxyError::Block);
    }
    let Some(block) = rest.get(..length) else {
        return Ok(ProxyHeader::NeedMore);
    };
    let addresses = match (command, family) {
        // TCP over IPv4, over IPv6; all else has no address that a socket could have had.
        (0x21, 0x11) => Some(pair::<4>(block)?),
        (0x21, 0x21) => Some(pair::<16>(block)?),
        _ => None,
    };
    Ok(ProxyHeader::Complete {
        consumed: FIXED_BYTES + length,
        addresses,
    })
}

/// Two addresses of `BYTES` each, then two ports.
fn pair<const BYTES: usize>(block: &[u8]) -> Result<Addresses, ProxyError>
where
    IpAddr: From<[u8; BYTES]>,
{
    let (source, rest) = block
        .split_first_chunk::<BYTES>()
        .ok_or(ProxyError::Block)?;
    let (destination, rest) = rest.split_first_chunk::<BYTES>().ok_or(ProxyError::Block)?;
    let (ports, _) = rest.split_first_chunk::<4>().ok_or(ProxyError::Block)?;
    let [a, b, c, d] = *ports;
    Ok(Addresses {
        source: SocketAddr::new(IpAddr::from(*source), u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(IpAddr::from(*destination), u16::from_be_bytes([c, d])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(source: &str, destination: &str) -> Addresses {
        let parse = |text: &str| text.parse().expect("is an address");
        let (source, destination) = (parse(source), parse(destination));
        Addresses {
            source,
            destination,
        }
    }

    /// However many bytes have come: not enough, until all have.
    fn check(header: &[u8], expected: Option<Addresses>) {
        for length in 0..header.len() {
            assert_eq!(
                proxy_header(&header[..length]),
                Ok(ProxyHeader::NeedMore),
                "{length}"
            );
        }
        let input = [header, b"GET / HTTP/1.1\r\n"].concat();
        let complete = ProxyHeader::Complete {
            consumed: header.len(),
            addresses: expected,
        };
        assert_eq!(proxy_header(&input), Ok(complete));
    }

    fn version_2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = (block.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, block].concat()
    }

    #[test]
    fn lines_of_version_1() {
        check(
            b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
            Some(addresses("192.0.2.1:56324", "198.51.100.2:443")),
        );
        check(
            b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
            Some(addresses("[2001:db8::1]:1", "[::1]:65535")),
        );
        check(b"PROXY UNKNOWN\r\n", None);
        check(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None);
    }

    #[test]
    fn blocks_of_version_2() {
        let four = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 1, 0xbb];
        check(
            &version_2(0x21, 0x11, &four),
            Some(addresses("192.0.2.1:56324", "198.51.100.2:443")),
        );
        let extended = [&four[..], &[3, 0, 1, 9]].concat();
        check(
            &version_2(0x21, 0x11, &extended),
            Some(addresses("192.0.2.1:56324", "198.51.100.2:443")),
        );
        let mut six = [0; 36];
        (six[15], six[31], six[33], six[35]) = (1, 2, 80, 81);
        check(
            &version_2(0x21, 0x21, &six),
            Some(addresses("[::1]:80", "[::2]:81")),
        );
        check(&version_2(0x20, 0, b""), None);
        check(&version_2(0x21, 0x31, &[0; 216]), None);
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        for (input, expected) in [
            (&b"GET / HTTP/1.1\r\n"[..], ProxyError::Absent),
            (b"PROXX", ProxyError::Absent),
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", ProxyError::Line),
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", ProxyError::Line),
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", ProxyError::Line),
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", ProxyError::Line),
            (b"PROXY TCP4 ::1 ::1 1 2\r\n", ProxyError::Line),
            (b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", ProxyError::Line),
            (
                &[&b"PROXY UNKNOWN "[..], &[b'x'; 100]].concat(),
                ProxyError::Line,
            ),
            (&version_2(0x11, 0x11, &[0; 12]), ProxyError::Block),
            (&version_2(0x22, 0x11, &[0; 12]), ProxyError::Block),
            (&version_2(0x21, 0x11, &[0; 11]), ProxyError::Block),
            (&version_2(0x21, 0x11, &[0; 5000]), ProxyError::TooLong),
        ] {
            assert_eq!(proxy_header(input), Err(expected), "{input:?}");
        }
    }
}
