//! The negotiation of permessage-deflate (RFC 7692, sections 5 and 7.1).
//!
//! The client offers, in the order of its liking; we take the first offer that is well formed and that we
//! can keep. An offer with anything unknown in it is declined, as the standard wants.

use crate::characters::trim;

/// What we want of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateOptions {
    /// 0 to 9: none to best.
    pub level: u32,
    /// Bits of the window for messages that we send, 9 to 15; memory for each connection doubles with each.
    pub server_window_bits: u8,
    /// Bits of the window that clients shall use, where they let us choose; 8 to 15.
    pub client_window_bits: u8,
    /// Whether our stream begins anew with each message: less memory, less compression.
    pub server_resets: bool,
    /// Whether clients shall do the same.
    pub client_resets: bool,
}

impl Default for DeflateOptions {
    /// 12 bits and a fast level: tens of KiB a connection rather than hundreds.
    fn default() -> Self {
        Self {
            level: 4,
            server_window_bits: 12,
            client_window_bits: 12,
            server_resets: false,
            client_resets: false,
        }
    }
}

/// What was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    pub(super) level: u32,
    pub(super) server_window_bits: u8,
    pub(super) client_window_bits: u8,
    pub(super) server_resets: bool,
    pub(super) client_resets: bool,
    /// What the response says of the windows; more than it has to confuses some clients.
    named_server_bits: Option<u8>,
    named_client_bits: Option<u8>,
}

/// The parameters of one offer.
#[derive(Debug, Default)]
struct Offer {
    server_resets: bool,
    client_resets: bool,
    server_bits: Option<u8>,
    /// 15 where it comes without a value and says only that the client can be told.
    client_bits: Option<u8>,
}

impl Deflate {
    /// The first of the offers that can be kept, with what we want ourselves.
    pub(super) fn agree<'a>(
        offers: impl Iterator<Item = &'a [u8]>,
        options: DeflateOptions,
    ) -> Option<Self> {
        offers
            .filter_map(|text| str::from_utf8(text).ok())
            .find_map(|text| {
                let offer = Offer::read(text)?;
                offer.accept(options)
            })
    }

    /// The value of `sec-websocket-extensions` in the response.
    pub fn response(&self) -> String {
        let mut text = "permessage-deflate".to_owned();
        if self.server_resets {
            text.push_str("; server_no_context_takeover");
        }
        if self.client_resets {
            text.push_str("; client_no_context_takeover");
        }
        for (side, bits) in [
            ("server", self.named_server_bits),
            ("client", self.named_client_bits),
        ] {
            if let Some(bits) = bits {
                text.extend(["; ", side, "_max_window_bits=", &bits.to_string()]);
            }
        }
        text
    }
}

impl Offer {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
            return None;
        }
        let mut offer = Self::default();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(unquoted(value)?)),
                None => (part, None),
            };
            let name = name.to_ascii_lowercase();
            let is_new = match (name.as_str(), value) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut offer.server_resets, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut offer.client_resets, true)
                }
                ("server_max_window_bits", Some(value)) => {
                    offer.server_bits.replace(bits(value)?).is_none()
                }
                ("client_max_window_bits", None) => offer.client_bits.replace(15).is_none(),
                ("client_max_window_bits", Some(value)) => {
                    offer.client_bits.replace(bits(value)?).is_none()
                }
                _ => false,
            };
            if !is_new {
                return None;
            }
        }
        Some(offer)
    }

    fn accept(&self, options: DeflateOptions) -> Option<Deflate> {
        // A raw stream of zlib cannot have a window of 8 bits.
        if self.server_bits == Some(8) {
            return None;
        }
        let server_bits = options.server_window_bits.clamp(9, 15);
        let server_window_bits = self
            .server_bits
            .map_or(server_bits, |bits| bits.min(server_bits));
        let client_bits = options.client_window_bits.clamp(8, 15);
        let client_window_bits = self.client_bits.map_or(15, |bits| bits.min(client_bits));
        let is_server_bound = self.server_bits.is_some() || server_window_bits < 15;
        let is_client_bound = self.client_bits.is_some() && client_window_bits < 15;
        Some(Deflate {
            level: options.level.min(9),
            server_window_bits,
            client_window_bits,
            server_resets: self.server_resets || options.server_resets,
            client_resets: self.client_resets || options.client_resets,
            named_server_bits: is_server_bound.then_some(server_window_bits),
            named_client_bits: is_client_bound.then_some(client_window_bits),
        })
    }
}

/// 8 to 15, without leading zeros.
fn bits(value: &str) -> Option<u8> {
    let plain = !value.starts_with('0') && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| plain)?;
    (8..=15).contains(&number).then_some(number)
}

fn unquoted(value: &str) -> Option<&str> {
    let value = str::from_utf8(trim(value.as_bytes())).ok()?;
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(offers: &str, options: DeflateOptions, expected: Option<&str>) {
        let offers = offers.split(',').map(|offer| trim(offer.as_bytes()));
        let agreed = Deflate::agree(offers, options);
        assert_eq!(agreed.map(|agreed| agreed.response()).as_deref(), expected);
    }

    const WIDE: DeflateOptions = DeflateOptions {
        level: 6,
        server_window_bits: 15,
        client_window_bits: 15,
        server_resets: false,
        client_resets: false,
    };

    #[test]
    fn the_first_offer_that_can_be_kept_is_taken() {
        check("permessage-deflate", WIDE, Some("permessage-deflate"));
        check(
            "x-other, Permessage-Deflate",
            WIDE,
            Some("permessage-deflate"),
        );
        check(
            "permessage-deflate; client_max_window_bits",
            WIDE,
            Some("permessage-deflate"),
        );
        check(
            "permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"11\"",
            WIDE,
            Some("permessage-deflate; server_max_window_bits=11; client_max_window_bits=10"),
        );
        check(
            "permessage-deflate;server_no_context_takeover ; client_no_context_takeover",
            WIDE,
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        );
        check(
            "permessage-deflate; server_max_window_bits=8, permessage-deflate",
            WIDE,
            Some("permessage-deflate"),
        );
    }

    #[test]
    fn what_we_want_is_said_where_the_client_lets_us() {
        let options = DeflateOptions {
            server_resets: true,
            ..DeflateOptions::default()
        };
        check(
            "permessage-deflate; client_max_window_bits",
            options,
            Some(
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; \
                 client_max_window_bits=12",
            ),
        );
        check(
            "permessage-deflate",
            DeflateOptions::default(),
            Some("permessage-deflate; server_max_window_bits=12"),
        );
    }

    #[test]
    fn what_is_unknown_doubled_or_out_of_range_is_declined() {
        for parameters in [
            "x",
            "server_max_window_bits",
            "server_max_window_bits=16",
            "server_max_window_bits=7",
            "server_max_window_bits=010",
            "server_max_window_bits=+9",
            "server_no_context_takeover=1",
            "server_no_context_takeover; server_no_context_takeover",
            "client_max_window_bits=9; client_max_window_bits",
            "client_max_window_bits=",
            "",
        ] {
            check(&format!("permessage-deflate; {parameters}"), WIDE, None);
        }
        check("", WIDE, None);
        check("x-webkit-deflate-frame", WIDE, None);
    }
}
