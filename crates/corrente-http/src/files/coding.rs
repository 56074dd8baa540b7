//! Content codings that a file may be there in, and which of them a client takes (RFC 9110, section 12.5.3).
//!
//! Whether there is one is the caller's to find out. A client that says nothing gets the file as it is: older ones do not
//! know what they may get.

use crate::characters::trim;

/// A way in which a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstandard,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// All, the one that is smallest in most cases first.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstandard, Self::Gzip];

    /// The value of `content-encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What the name of such a file ends with, behind that of the file itself.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstandard => ".zst",
            Self::Gzip => ".gz",
        }
    }

    fn is(self, name: &[u8]) -> bool {
        let is_old = self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip");
        is_old || name.eq_ignore_ascii_case(self.name().as_bytes())
    }

    /// Those that the elements of `accept-encoding` allow and that are not worse to the client than the file as it
    /// is, the ones that it likes best first.
    pub(super) fn accepted<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Vec<Self> {
        let mut said: Vec<(&[u8], Quality)> = Vec::new();
        for element in elements {
            let mut parts = element.split(|byte| *byte == b';');
            let name = trim(parts.next().unwrap_or_default());
            let quality = parts.find_map(quality_of);
            said.push((name, quality.unwrap_or(HIGHEST)));
        }
        let quality_of_name = |is_meant: &dyn Fn(&[u8]) -> bool| {
            let named = said.iter().find(|(name, _)| is_meant(name));
            named.map(|(_, quality)| *quality)
        };
        let others = quality_of_name(&|name| name == b"*");
        let plain = quality_of_name(&|name| name.eq_ignore_ascii_case(b"identity"));
        let mut accepted: Vec<(Self, Quality)> = Self::ALL
            .into_iter()
            .filter_map(|coding| {
                let own = quality_of_name(&|name| coding.is(name));
                Some((coding, own.or(others)?))
            })
            .filter(|(_, quality)| *quality > 0 && *quality >= plain.unwrap_or(0))
            .collect();
        accepted.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
        accepted.into_iter().map(|(coding, _)| coding).collect()
    }
}

/// In thousandths (RFC 9110, section 12.4.2).
type Quality = u16;

const HIGHEST: Quality = 1000;

/// The value of a parameter `q`; one that is none counts as the lowest.
fn quality_of(parameter: &[u8]) -> Option<Quality> {
    let (name, value) = parameter.split_at_checked(parameter.iter().position(|b| *b == b'=')?)?;
    if !trim(name).eq_ignore_ascii_case(b"q") {
        return None;
    }
    let value = trim(value.get(1..).unwrap_or_default());
    Some(thousandths(value).unwrap_or(0))
}

fn thousandths(value: &[u8]) -> Option<Quality> {
    let (whole, decimals) = match value {
        [whole, b'.', decimals @ ..] => (whole, decimals),
        [whole] => (whole, &b""[..]),
        _ => return None,
    };
    let is_number = decimals.iter().all(u8::is_ascii_digit) && decimals.len() <= 3;
    let digits = decimals.iter().chain(b"000").take(3);
    let part = digits.fold(0, |part, digit| part * 10 + Quality::from(digit & 0x0f));
    match whole {
        b'0' if is_number => Some(part),
        b'1' if is_number && part == 0 => Some(HIGHEST),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Gzip, Zstandard};

    fn accepted(value: &str) -> Vec<Coding> {
        Coding::accepted(value.split(',').map(|element| trim(element.as_bytes())))
    }

    #[test]
    fn the_client_chooses_and_then_we_do() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", &[Brotli, Zstandard, Gzip][..]),
            ("gzip;q=1.0, br;q=0.5", &[Gzip, Brotli]),
            ("gzip; Q=0.25 , zstd ;q=0.250", &[Zstandard, Gzip]),
            ("*", &[Brotli, Zstandard, Gzip]),
            ("br;q=0, *;q=0.1", &[Zstandard, Gzip]),
            ("GZIP", &[Gzip]),
            ("x-gzip", &[Gzip]),
            ("identity", &[]),
            ("identity;q=1, br;q=0.5", &[]),
            ("identity;q=0.5, br;q=0.5, gzip;q=0.4", &[Brotli]),
            ("identity;q=0, gzip", &[Gzip]),
            ("br;q=0.000", &[]),
            ("br;q=nonsense, gzip;q=1.5, zstd;q=0.1234", &[]),
            ("br;level=5;q=0.5", &[Brotli]),
            ("deflate", &[]),
            ("", &[]),
        ] {
            assert_eq!(accepted(value), expected, "{value}");
        }
    }
}
