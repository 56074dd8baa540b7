//! Percent-encoding (RFC 3986, section 2.1), taken off.
//!
//! Pure. What is no encoding stays as it is.

use std::borrow::Cow;

/// The bytes that are meant; what is no encoding stays as it is.
pub(crate) fn decoded(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.contains(&b'%') {
        return Cow::Borrowed(path);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = after.first_chunk::<2>().copied().filter(|_| *first == b'%');
        match digits.and_then(hexadecimal) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    Cow::Owned(bytes)
}

fn hexadecimal(digits: [u8; 2]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let number = value(digits[0])? * 16 + value(digits[1])?;
    u8::try_from(number).ok()
}
