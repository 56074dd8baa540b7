//! Networks whose members are trusted: `10.0.0.0/8`, `::1`, `*`.
//!
//! An IPv4 address that comes as IPv6 (`::ffff:10.0.0.1`), as on sockets of both families, is the IPv4
//! address. A peer without an address is on a Unix socket, and trusted with `*` or `unix`.

use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// A network: addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// In 128 bits, IPv4 behind `::ffff:0:0`.
    first: u128,
    bits: u32,
}

/// A text that names no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no network; expected an address, `address/bits`, `unix` or `*`")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let fault = || NetworkError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let (before, width) = if address.is_ipv4() {
            (96, 32)
        } else {
            (0, 128)
        };
        let bits = match bits {
            None => width,
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= width)
                .ok_or_else(fault)?,
        };
        let bits = before + bits;
        Ok(Self {
            first: number(address) & mask(bits),
            bits,
        })
    }
}

impl Network {
    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        number(address) & mask(self.bits) == self.first
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

/// Who is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    networks: Vec<Network>,
    unix: bool,
    everyone: bool,
}

impl FromStr for Trusted {
    type Err = NetworkError;

    /// Networks, `unix` and `*`, with commas between them.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let mut trusted = Self::default();
        for word in text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            match word {
                "*" => trusted.everyone = true,
                "unix" => trusted.unix = true,
                _ => trusted.networks.push(word.parse()?),
            }
        }
        Ok(trusted)
    }
}

impl Trusted {
    /// Whether a peer is; without an address it is on a Unix socket.
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.everyone
            || peer.map_or(self.unix, |address| {
                self.networks
                    .iter()
                    .any(|network| network.contains(address))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trusted: &str, peer: &str) -> bool {
        let trusted: Trusted = trusted.parse().expect("names networks");
        trusted.trusts(peer.parse().ok())
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        assert!(check("10.0.0.0/8", "10.255.1.2"));
        assert!(!check("10.0.0.0/8", "11.0.0.1"));
        assert!(
            check("10.0.0.7/8", "10.0.0.1"),
            "bits beyond the prefix do not count"
        );
        assert!(check("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(check("127.0.0.1, ::1", "::1"));
        assert!(check("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!check("2001:db8::/33", "2001:db8:8000::1"));
        assert!(check("0.0.0.0/0", "1.2.3.4"));
        assert!(!check("0.0.0.0/0", "2001:db8::1"));
        assert!(check("::/0", "1.2.3.4"));
        assert!(!check("", "127.0.0.1"));
    }

    #[test]
    fn a_peer_on_a_unix_socket_is_trusted_by_name() {
        assert!(check("unix", "-"));
        assert!(check("*", "-"));
        assert!(!check("0.0.0.0/0", "-"));
        assert!(!check("unix", "127.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_said() {
        for text in [
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "a",
            "10.0.0.0/",
            "1.2.3.4/-1",
        ] {
            let error = text
                .parse::<Trusted>()
                .expect_err("names no network")
                .to_string();
            assert!(
                error.starts_with(&format!("`{text}` is no network")),
                "{error}"
            );
        }
    }
}
