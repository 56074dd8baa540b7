//! The pieces of a response on the wire: fields, lengths, chunks, and whole refusals.
//!
//! Every name and value is checked before it is written; the fields that decide about framing are taken
//! out and told to the encoder.

use super::decoder::is_forbidden_trailer;
use super::encoder::ResponseError;
use super::fields::elements;
use super::status;
use crate::characters::{is_all_token, is_token, trim, value_end};
use crate::{KnownName, Rejection};

/// `100 Continue`: says that the body is wanted. Not for HTTP/1.0.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What the application's fields said about the message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) length: Option<u64>,
    pub(crate) date: bool,
    pub(crate) server: bool,
    pub(super) closes: bool,
}

/// Writes the application's fields, less those that are ours to write.
pub(super) fn fields<'h>(
    fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    out: &mut Vec<u8>,
) -> Result<Seen, ResponseError> {
    sift(fields, |name, value| field(name, value, out))
}

/// Gives the application's fields on, less those that are ours to write.
pub(crate) fn sift<'h>(
    fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    mut give: impl FnMut(&'h [u8], &'h [u8]),
) -> Result<Seen, ResponseError> {
    let mut seen = Seen::default();
    for (name, value) in fields {
        check(name, value)?;
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is(b"date") => seen.date = true,
            6 if is(b"server") => seen.server = true,
            10 if is(b"connection") => {
                seen.closes |= elements(value).any(|word| word.eq_ignore_ascii_case(b"close"));
                continue;
            }
            10 if is(b"keep-alive") => continue,
            14 if is(b"content-length") => {
                note_length(&mut seen, value)?;
                continue;
            }
            17 if is(b"transfer-encoding") => {
                if trim(value).eq_ignore_ascii_case(b"chunked") {
                    continue;
                }
                return Err(ResponseError::TransferEncoding);
            }
            _ => {}
        }
        give(name, value);
    }
    Ok(seen)
}

/// Writes trailers.
pub(super) fn trailers<'h>(
    fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    out: &mut Vec<u8>,
) -> Result<(), ResponseError> {
    sift_trailers(fields, |name, value| field(name, value, out))
}

/// Gives trailers on.
pub(crate) fn sift_trailers<'h>(
    fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    mut give: impl FnMut(&'h [u8], &'h [u8]),
) -> Result<(), ResponseError> {
    for (name, value) in fields {
        check(name, value)?;
        if KnownName::of(name).is_some_and(is_forbidden_trailer) {
            return Err(ResponseError::Trailer);
        }
        give(name, value);
    }
    Ok(())
}

fn check(name: &[u8], value: &[u8]) -> Result<(), ResponseError> {
    if !is_all_token(name) {
        let wrong = name.iter().find(|&&byte| !is_token(byte));
        return Err(ResponseError::Name(wrong.copied().unwrap_or(b':')));
    }
    match value.get(value_end(value, 0)) {
        Some(&byte) => Err(ResponseError::Value(byte)),
        None => Ok(()),
    }
}

fn note_length(seen: &mut Seen, value: &[u8]) -> Result<(), ResponseError> {
    let length = decimal(trim(value)).ok_or(ResponseError::ContentLength)?;
    if seen.length.is_some_and(|other| other != length) {
        return Err(ResponseError::ContentLength);
    }
    seen.length = Some(length);
    Ok(())
}

/// A decimal number, which may have zeros before it.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Writes a field that is known to be right.
#[inline]
pub(super) fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes `content-length`.
pub(super) fn length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    digits(length, 10, out);
    out.extend_from_slice(b"\r\n");
}

/// Writes the line before a chunk's data.
pub(super) fn chunk_size(length: u64, out: &mut Vec<u8>) {
    digits(length, 16, out);
    out.extend_from_slice(b"\r\n");
}

fn digits(mut number: u64, base: u64, out: &mut Vec<u8>) {
    // A number of 64 bits has at most 20 decimal digits.
    let mut text = [b'0'; 20];
    let mut from = text.len();
    loop {
        from -= 1;
        text[from] = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[from..]);
}

/// Writes `101 Switching Protocols` (RFC 9110, section 15.2.2): what follows on the connection is this protocol's.
pub fn switch<'h>(
    protocol: &[u8],
    fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    out: &mut Vec<u8>,
) -> Result<(), ResponseError> {
    let begin = out.len();
    status::write(101, out);
    field(b"upgrade", protocol, out);
    field(b"connection", b"upgrade", out);
    let written = self::fields(fields, out);
    if written.is_err() {
        out.truncate(begin);
    }
    written?;
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Writes a whole response that turns a request away; the connection is to be closed after it.
pub fn refuse(rejection: Rejection, date: &[u8], out: &mut Vec<u8>) {
    let text = rejection.to_string();
    status::write(rejection.status(), out);
    field(b"date", date, out);
    field(b"content-type", b"text/plain; charset=utf-8", out);
    length(text.len() as u64 + 1, out);
    out.extend_from_slice(b"connection: close\r\n\r\n");
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}
