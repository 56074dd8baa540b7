//! Ranges of bytes (RFC 9110, section 14).
//!
//! One range is answered, several are not: such a request gets the whole file, as section 14.2 allows, so that nobody can
//! have a file sent many times over by many small ranges.

use crate::characters::trim;
use crate::h1::elements;

/// Bytes of a file; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where they begin.
    pub first: u64,
    /// How many they are.
    pub length: u64,
}

impl Span {
    /// The value of `content-range`, for a file of so many bytes.
    pub fn content_range(self, whole: u64) -> String {
        let last = self.first + self.length - 1;
        format!("bytes {}-{last}/{whole}", self.first)
    }

    /// The same where there is none.
    pub fn unsatisfied(whole: u64) -> String {
        format!("bytes */{whole}")
    }
}

/// What a `range` comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranges {
    /// It is to be ignored: not one range of bytes, or written wrongly.
    Whole,
    One(Span),
    Unsatisfiable,
}

impl Ranges {
    /// Of a file of so many bytes.
    pub(super) fn of(value: &[u8], length: u64) -> Self {
        let Some(ranges) = after_unit(trim(value)) else {
            return Self::Whole;
        };
        let mut ranges = elements(ranges);
        let (Some(range), None) = (ranges.next(), ranges.next()) else {
            return Self::Whole;
        };
        one(range, length).unwrap_or(Self::Whole)
    }
}

fn after_unit(value: &[u8]) -> Option<&[u8]> {
    let (unit, ranges) = value.split_at_checked(b"bytes=".len())?;
    unit.eq_ignore_ascii_case(b"bytes=").then_some(ranges)
}

/// One range; nothing where it is none.
fn one(range: &[u8], length: u64) -> Option<Ranges> {
    let dash = range.iter().position(|byte| *byte == b'-')?;
    let (first, last) = (&range[..dash], &range[dash + 1..]);
    if first.is_empty() {
        let suffix = number(last)?.min(length);
        return Some(match (suffix, length) {
            // All of nothing cannot be written as a range.
            (_, 0) if number(last)? > 0 => Ranges::Whole,
            (0, _) => Ranges::Unsatisfiable,
            (suffix, _) => Ranges::One(Span {
                first: length - suffix,
                length: suffix,
            }),
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if last < first {
        return None;
    }
    if first >= length {
        return Some(Ranges::Unsatisfiable);
    }
    Some(Ranges::One(Span {
        first,
        length: last.min(length - 1) - first + 1,
    }))
}

/// A number of any size; those beyond 64 bits are as good as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let value = |number: u64, digit: &u8| {
        let number = number.saturating_mul(10);
        number.saturating_add(u64::from(digit & 0x0f))
    };
    is_number.then(|| digits.iter().fold(0, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(first: u64, length: u64) -> Ranges {
        Ranges::One(Span { first, length })
    }

    #[test]
    fn ranges_are_those_of_the_standard() {
        for (value, expected) in [
            // RFC 9110, section 14.1.2, for a file of 10000 bytes.
            ("bytes=0-499", span(0, 500)),
            ("bytes=500-999", span(500, 500)),
            ("bytes=-500", span(9500, 500)),
            ("bytes=9500-", span(9500, 500)),
            ("bytes=0-0", span(0, 1)),
            ("bytes= 0-0 , ", span(0, 1)),
            ("BYTES=9999-99999999999999999999", span(9999, 1)),
            ("bytes=-20000", span(0, 10_000)),
            ("bytes=10000-", Ranges::Unsatisfiable),
            ("bytes=99999999999999999999-", Ranges::Unsatisfiable),
            ("bytes=-0", Ranges::Unsatisfiable),
            ("bytes=0-0,-1", Ranges::Whole),
            ("bytes=500-499", Ranges::Whole),
            ("bytes=a-b", Ranges::Whole),
            ("bytes=-", Ranges::Whole),
            ("bytes=1", Ranges::Whole),
            ("bytes=+1-2", Ranges::Whole),
            ("bytes=--2", Ranges::Whole),
            ("bytes=", Ranges::Whole),
            ("lines=0-1", Ranges::Whole),
            ("", Ranges::Whole),
        ] {
            assert_eq!(Ranges::of(value.as_bytes(), 10_000), expected, "{value}");
        }
        assert_eq!(Ranges::of(b"bytes=0-0", 0), Ranges::Unsatisfiable);
        assert_eq!(Ranges::of(b"bytes=-5", 0), Ranges::Whole);
        let one = Span {
            first: 42,
            length: 1192,
        };
        assert_eq!(one.content_range(1234), "bytes 42-1233/1234");
        assert_eq!(Span::unsatisfied(1234), "bytes */1234");
    }

    proptest! {
        #[test]
        fn a_part_is_always_of_the_file(value in "bytes=[-0-9, ]{0,12}|.{0,12}", length: u64) {
            if let Ranges::One(span) = Ranges::of(value.as_bytes(), length) {
                prop_assert!(span.length > 0);
                prop_assert!(span.first.checked_add(span.length).is_some_and(|end| end <= length));
            }
        }

        #[test]
        fn what_is_asked_for_is_what_comes(first in 0_u64..100, last in 0_u64..100, length in 1_u64..100) {
            let bytes: Vec<u64> = (0..length).filter(|byte| (first..=last).contains(byte)).collect();
            let expected = match bytes.first() {
                _ if last < first => Ranges::Whole,
                None => Ranges::Unsatisfiable,
                Some(first) => span(*first, bytes.len() as u64),
            };
            prop_assert_eq!(Ranges::of(format!("bytes={first}-{last}").as_bytes(), length), expected);
        }
    }
}
