//! Reads the chunked transfer coding (RFC 9112, section 7.1) from bytes in any pieces.
//!
//! It must not copy: data is handed on as slices of the input. Key invariants: sizes, extensions
//! and trailers have limits, and lines end with CR LF, so that no peer can make us guess.

use crate::http::content::ContentCheck;
use crate::http::head::Malformed;

/// Longest line with a chunk's size and extensions, in bytes.
const SIZE_LINE_MAX_BYTES: u32 = 4096;
/// Longest trailer section, in bytes.
const TRAILERS_MAX_BYTES: u32 = 16_384;
/// Most hexadecimal digits of a chunk size: enough for 2^60 bytes, too few to overflow.
const SIZE_DIGITS_MAX: u32 = 15;

/// Where in the chunked body the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChunkedBody {
    Size { size: u64, digits: u32 },
    Extension { size: u64, length_bytes: u32 },
    SizeLineFeed { size: u64 },
    Data { left: u64 },
    DataCarriageReturn,
    DataLineFeed,
    TrailerStart { length_bytes: u32 },
    Trailer { length_bytes: u32 },
    TrailerLineFeed { length_bytes: u32 },
    LastLineFeed,
    Complete,
}

impl ChunkedBody {
    pub(crate) const START: Self = Self::Size { size: 0, digits: 0 };

    /// Takes what belongs to the body from `bytes` and says how much that was.
    ///
    /// It stops short of the end of `bytes` only when the body is [`ChunkedBody::Complete`].
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        content: &mut ContentCheck,
    ) -> Result<usize, Malformed> {
        let mut position = 0;
        while position < bytes.len() && *self != Self::Complete {
            if let Self::Data { left } = self {
                let rest = &bytes[position..];
                let data = &rest[..rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX))];
                content.take(data);
                *left -= data.len() as u64;
                position += data.len();
                if *left == 0 {
                    *self = Self::DataCarriageReturn;
                }
            } else {
                *self = self.after(bytes[position])?;
                position += 1;
            }
        }
        Ok(position)
    }

    /// The state after one byte that is not data.
    fn after(self, byte: u8) -> Result<Self, Malformed> {
        match (self, byte) {
            (Self::Size { size, digits }, _) => Self::after_size(size, digits, byte),
            (Self::Extension { size, .. }, b'\r') => Ok(Self::SizeLineFeed { size }),
            (Self::Extension { size, length_bytes }, _)
                if byte != b'\n' && length_bytes < SIZE_LINE_MAX_BYTES =>
            {
                Ok(Self::Extension {
                    size,
                    length_bytes: length_bytes + 1,
                })
            }
            (Self::SizeLineFeed { size: 0 }, b'\n') => Ok(Self::TrailerStart { length_bytes: 0 }),
            (Self::SizeLineFeed { size }, b'\n') => Ok(Self::Data { left: size }),
            (Self::DataCarriageReturn, b'\r') => Ok(Self::DataLineFeed),
            (Self::DataLineFeed, b'\n') => Ok(Self::START),
            (Self::TrailerStart { .. }, b'\r') => Ok(Self::LastLineFeed),
            (Self::LastLineFeed, b'\n') => Ok(Self::Complete),
            (Self::Trailer { length_bytes }, b'\r') => Ok(Self::TrailerLineFeed { length_bytes }),
            (Self::TrailerLineFeed { length_bytes }, b'\n') => {
                Ok(Self::TrailerStart { length_bytes })
            }
            (Self::TrailerStart { length_bytes } | Self::Trailer { length_bytes }, _)
                if byte != b'\n' && length_bytes < TRAILERS_MAX_BYTES =>
            {
                Ok(Self::Trailer {
                    length_bytes: length_bytes + 1,
                })
            }
            _ => Err(Malformed),
        }
    }

    fn after_size(size: u64, digits: u32, byte: u8) -> Result<Self, Malformed> {
        match (byte, char::from(byte).to_digit(16)) {
            (_, Some(digit)) if digits < SIZE_DIGITS_MAX => Ok(Self::Size {
                size: size * 16 + u64::from(digit),
                digits: digits + 1,
            }),
            (b'\r', _) if digits > 0 => Ok(Self::SizeLineFeed { size }),
            // Blanks before an extension are bad form but allowed (RFC 9112, section 7.1.1).
            (b';' | b' ' | b'\t', _) if digits > 0 => Ok(Self::Extension {
                size,
                length_bytes: 1,
            }),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(usize, bool), Malformed>) {
        let mut body = ChunkedBody::START;
        let found = body
            .take(text.as_bytes(), &mut ContentCheck::Off)
            .map(|taken| (taken, body == ChunkedBody::Complete));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn chunks_extensions_and_trailers_are_read() {
        check("0\r\n\r\n", Ok((5, true)));
        check("3\r\nabc\r\n0\r\n\r\nrest", Ok((13, true)));
        check(
            "3 ;a=b\r\nabc\r\nA\r\n0123456789\r\n00\r\nX: y\r\nZ: \r\n\r\n",
            Ok((45, true)),
        );
        check("3\r\nab", Ok((5, false)));
    }

    #[test]
    fn anything_unclear_is_malformed() {
        for text in [
            "\r\n",
            "g\r\n",
            "3\n",
            "3\r\nabcd",
            "3\r\nabc\n",
            "0\r\nX\n",
            "1000000000000000",
        ] {
            check(text, Err(Malformed));
        }
        check(&format!("1;{}", "x".repeat(5000)), Err(Malformed));
        check(&format!("0\r\n{}", "X: y\r\n".repeat(5000)), Err(Malformed));
    }

    #[test]
    fn data_is_handed_on_without_the_framing() {
        let mut content = ContentCheck::looking_for(b"abcdef".to_vec());
        let mut body = ChunkedBody::START;
        body.take(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", &mut content)
            .unwrap();
        assert!(content.is_satisfied());
    }
}
